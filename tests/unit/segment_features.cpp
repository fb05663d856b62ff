// Feature tables: one instant for all, an instant of each contact's own, given rows; nothing of the future.
#include "segment_support.hpp"

using namespace segment_test;

namespace {

const auto purchase = jm::event("purchase");
const jm::named_expressions columns{
    {"orders", purchase.count()}, {"spent", purchase.sum("amount")}, {"rich", purchase.sum("amount") > 8}, {"city", jm::attr("city")}, {"few", jm::attr("points") < 3}, {"first", purchase.first_time()},
};

}  // namespace

TEST_CASE("features as of an instant: that instant included, nothing later, missing is missing")
{
    const auto t = to_features(six(), columns, t0 + 96_h);
    CHECK(csv(t) ==
          "contact_id,orders,spent,rich,city,few,first\n"
          "ann,2,15,true,Torino,false,2026-01-02T00:00:00Z\n"
          "ben,1,20,true,Roma,true,2026-01-05T00:00:00Z\n"
          "cat,1,7,false,Milano,,2026-01-03T00:00:00Z\n"
          "dan,0,0,false,,true,\n"
          "eve,0,0,false,Napoli,false,\n");
    CHECK(csv(to_features(six(), columns, t0 + 96_h - 1_us)).find("ben,0,0,false,Roma,true,\n") != std::string::npos);
    CHECK(to_features(six(), columns, t0 - 1_us).rows() == 0);
    const std::vector types{jm::value_type::text, jm::value_type::integer, jm::value_type::decimal, jm::value_type::boolean, jm::value_type::text, jm::value_type::boolean, jm::value_type::instant};
    for (std::size_t c = 0; c < types.size(); ++c) CHECK(t[c].type() == types[c]);
}

TEST_CASE("features at an instant of each contact's own: who has none by `until` has no row")
{
    const jm::named_expressions few{{"orders", purchase.count()}, {"city", jm::attr("city")}};
    CHECK(csv(to_features(six(), few, purchase.last_time() + 1_d)) ==
          "contact_id,at,orders,city\n"
          "ann,2026-01-06T00:00:00Z,2,Torino\n"
          "ben,2026-01-06T00:00:00Z,1,Roma\n"
          "cat,2026-01-04T00:00:00Z,1,Milano\n"
          "eve,2026-01-07T00:00:00Z,1,Napoli\n");
    // As of day 3 the last purchase of Ann is her first; that of Cat and a day is exactly `until`.
    CHECK(csv(to_features(six(), few, purchase.last_time() + 1_d, t0 + 72_h)) == "contact_id,at,orders,city\nann,2026-01-03T00:00:00Z,1,Roma\ncat,2026-01-04T00:00:00Z,1,Milano\n");
    // A literal is an instant as well; who does not exist yet has no row.
    CHECK(to_features(six(), few, jm::expression{"2026-01-05"}).rows() == 5);
    CHECK(code_of([&] { to_features(six(), few, purchase.count()); }) == "type.mismatch at");
    CHECK(code_of([&] { to_features(jm::history{}, {}, jm::now); }) == "input.instant until");
}

TEST_CASE("features of a day: its start in the zone asked")
{
    jm::history_builder build;
    build.contact("ann", t0, {{"renewal", jm::day{std::chrono::year{2026} / 2 / 1}}});
    build.event("ann", "purchase", history_test::at("2026-01-31T23:00:00Z"));
    const auto h = std::move(build).finish();
    jm::vocabulary roman;
    roman.context.zone = jm::load_zone("Europe/Rome");
    const jm::named_expressions count{{"n", purchase.count()}};
    CHECK(csv(to_features(h, count, jm::attr("renewal"), t0 + 60_d, roman)) == "contact_id,at,n\nann,2026-01-31T23:00:00Z,1\n");
    CHECK(csv(to_features(h, count, jm::attr("renewal"), t0 + 60_d)) == "contact_id,at,n\nann,2026-02-01T00:00:00Z,1\n");
}

TEST_CASE("features of given rows: in their order, several of one contact, none left out")
{
    const std::vector<jm::contact_instant> rows{{"eve", t0 + 200_h}, {"ann", t0 + 96_h}, {"fay", t0}, {"ann", t0 + 24_h}, {"eve", t0}};
    const jm::named_expressions few{{"orders", purchase.count()}, {"city", jm::attr("city")}};
    CHECK(csv(to_features(six(), few, rows)) ==
          "contact_id,at,orders,city\n"
          "eve,2026-01-09T08:00:00Z,1,Napoli\n"
          "ann,2026-01-05T00:00:00Z,2,Torino\n"
          "fay,2026-01-01T00:00:00Z,,\n"
          "ann,2026-01-02T00:00:00Z,1,Roma\n"
          "eve,2026-01-01T00:00:00Z,0,Napoli\n");
    CHECK(code_of([&] { to_features(six(), few, std::vector<jm::contact_instant>{{"ann", t0}, {"anna", t0}}); }) == "name.unknown at, row 1");
}

TEST_CASE("features: names stand once, errors have their place, the work can be stopped")
{
    CHECK(code_of([] { to_features(six(), {{"x", jm::attr("city")}, {"x", jm::attr("points")}}, t0); }) == "features.column columns.x");
    CHECK(code_of([] { to_features(six(), {{"at", jm::attr("city")}}, jm::now); }) == "features.column columns.at");
    CHECK(to_features(six(), {{"at", jm::attr("city")}}, t0).rows() == 5);
    CHECK(code_of([] { to_features(six(), {{"x", jm::expression::parse("town")}}, t0); }) == "name.unknown columns.x:1:1");
    CHECK(code_of([] { to_features(six(), {}, t0, {}, [](double) { return false; }); }) == "run.stopped ");
    const auto p = jm::playbook::parse("segments: {roman: city == \"Roma\"}");
    CHECK(csv(to_features(six(), jm::named({jm::expression::parse("segment( \"roman\" )")}), t0 + 96_h, p.vocabulary(six()))) ==
          "contact_id,\"segment(\"\"roman\"\")\"\nann,false\nben,true\ncat,false\ndan,false\neve,false\n");
}
