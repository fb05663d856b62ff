#include "journeyman/history/builder.hpp"

#include <random>

#include "history_support.hpp"
#include "journeyman/core/error.hpp"

using namespace journeyman;
using namespace journeyman::literals;
using history_test::at;
using history_test::csv;
using history_test::rejected;

namespace {
const instant t0 = at("2026-01-01T00:00:00Z");
scalar text(const char* s) { return std::string{s}; }
scalar integer(std::int64_t i) { return i; }
}  // namespace

TEST_CASE("facts become streams, sorted by contact, instant and order of arrival") {
    history_builder b;
    b.event("zoe", "x", t0 + 2_h, {{"n", integer(1)}});
    b.event("anna", "x", t0 + 1_h, {{"n", integer(2)}});
    b.event("zoe", "x", t0 + 1_h, {{"n", integer(3)}});   // late
    b.event("zoe", "y", t0 + 1_h, {{"n", integer(4)}});
    b.event("zoe", "x", t0 + 1_h, {{"n", integer(5)}});
    const history h = std::move(b).finish();
    CHECK(csv(h.events()) == "contact_id,event,timestamp,n\n"
                             "anna,x,2026-01-01T01:00:00Z,2\nzoe,x,2026-01-01T01:00:00Z,3\nzoe,y,2026-01-01T01:00:00Z,4\nzoe,x,2026-01-01T01:00:00Z,5\nzoe,x,2026-01-01T02:00:00Z,1\n");
    CHECK(h.data().streams.size() == 2);
    CHECK(h.data().stream("x")->properties.find("n")->all_present());
    CHECK(h.data().stream("nothing") == nullptr);
    CHECK(h.data().span() == std::pair{t0 + 1_h, t0 + 2_h});
    CHECK(h.events_count() == 5);
}

TEST_CASE("attributes as of an instant, in and out of existence") {
    history_builder b;
    b.contact("always", {{"plan", text("free")}});
    b.contact("born", {{"plan", text("free")}}, t0);
    b.contact("changes", t0, {{"plan", text("free")}, {"age", integer(3)}});
    b.contact("changes", t0 + 1_h, {{"plan", text("gold")}});
    b.contact("changes", t0 + 2_h, {{"plan", std::monostate{}}});
    b.contact("changes", t0 + 3_h, {{"plan", text("")}});   // empty text is a value
    b.event("stranger", "x", t0 + 1_h);
    const history h = std::move(b).finish();
    CHECK(csv(h.contacts(t0 - 1_us)) == "contact_id,age,created_at,plan\nalways,,,free\n");
    CHECK(csv(h.contacts(t0)) == "contact_id,age,created_at,plan\nalways,,,free\nborn,,2026-01-01T00:00:00Z,free\nchanges,3,,free\n");
    const auto plan = [&](instant t) { return to_text(h.contacts(t).column("plan").at(2)); };
    CHECK(plan(t0 + 1_h - 1_us) == "free");
    CHECK(plan(t0 + 1_h) == "gold");
    CHECK(h.contacts(t0 + 2_h).column("plan").at(2) == scalar{});
    CHECK(h.contacts(t0 + 3_h).column("plan").at(2) == scalar{std::string{}});
    CHECK(h.contacts(t0 + 1_h - 1_us).rows() == 3);
    CHECK(h.contacts(t0 + 1_h).rows() == 4);   // the stranger, from the first event
    CHECK(h.data().exists_from[*h.data().contacts.find("always")] == beginning_of_time.time_since_epoch().count());
}

TEST_CASE("all that exist always need no list of it") {
    history_builder b;
    b.contact("a", {}).contact("b", {});
    b.event("a", "x", t0);
    CHECK(std::move(b).finish().data().exists_from.empty());
}

TEST_CASE("a contact of a table is as the table says, whatever its events") {
    history_builder b;
    b.contact("a", {}, t0 + 5_d);
    b.event("a", "x", t0);
    const history h = std::move(b).finish();
    CHECK(h.contacts(t0).rows() == 0);
    CHECK(h.contacts(t0 + 5_d).rows() == 1);
}

TEST_CASE("an event id is one event; the first copy wins") {
    history_builder b;
    b.event("a", "x", t0, {{"n", integer(1)}}, "e1");
    b.event("a", "x", t0, {{"n", integer(1)}}, "e1");
    b.event("a", "x", t0, {{"n", integer(2)}}, "e1");
    b.event("a", "y", t0, {{"n", integer(1)}}, "e1");
    b.event("a", "x", t0);   // without an id: another event
    b.event("a", "x", t0);
    b.event("ghost", "x", t0, {}, "e1");   // a contact that only a refused row names is none
    const history h = std::move(b).finish();
    CHECK(h.events_count() == 3);
    CHECK(h.contacts_count() == 1);
    CHECK(rejected(h) == "events 1 duplicate event_id: e1; events 2 conflicting event_id: e1; events 3 conflicting event_id: e1; events 6 conflicting event_id: e1");
    CHECK(csv(h.rejected_counts()) == "table,reason,rows\nevents,conflicting event_id,3\nevents,duplicate event_id,1\n");
}

TEST_CASE("the first copy to arrive wins, not the first by name") {
    history_builder b;
    b.event("a", "zzz", t0, {}, "e1");
    b.event("a", "aaa", t0, {}, "e1");
    const history h = std::move(b).finish();
    CHECK(h.data().streams.size() == 1);
    CHECK(h.data().streams[0].name == "zzz");
}

TEST_CASE("order holds across contacts, accounts and events at one instant") {
    history_builder b;
    b.event("a", "x", t0);
    b.contact("a", t0, {{"plan", text("gold")}});
    b.event("a", "x", t0);
    b.account("acme", t0, {{"size", integer(3)}});
    const history h = std::move(b).finish();
    const auto& x = h.data().stream("x")->rows.order;
    const auto plan = h.data().contact_attribute("plan")->rows.order.at(0), size = h.data().account_attribute("size")->rows.order.at(0);
    CHECK(x.at(0) < plan);
    CHECK(plan < x.at(1));
    CHECK(x.at(1) < size);
}

TEST_CASE("rows that cannot be used are listed, and nothing else is lost") {
    history_builder b;
    b.event("", "x", t0);
    b.event("a", "", t0);
    b.event("a", "x", latest_instant + 1_us);
    b.event("a", "x", latest_instant);
    b.event("a", "x", earliest_instant);
    b.contact("a", {});
    b.contact("a", {{"plan", text("gold")}});
    b.contact("", {});
    const history h = std::move(b).finish();
    CHECK(h.events_count() == 2);
    CHECK(h.data().rejected_counts.at({"events", "no contact_id"}) == 1);
    CHECK(h.data().rejected_counts.at({"events", "no event name"}) == 1);
    CHECK(h.data().rejected_counts.at({"events", "instant out of range"}) == 1);
    CHECK(h.data().rejected_counts.at({"contacts", "duplicate contact_id"}) == 1);
    CHECK(h.data().rejected_counts.at({"contacts", "no contact_id"}) == 1);
}

TEST_CASE("a thousand of a reason are listed, all are counted, examples are cut") {
    history_builder b;
    for (int i = 0; i < 1500; ++i) b.event("", "x", t0);
    for (int i = 0; i < 2; ++i) b.event("a", "x", t0, {}, std::string(300, 'e'));
    const history h = std::move(b).finish();
    CHECK(h.data().rejected.size() == 1001);
    CHECK(h.data().rejected_counts.at({"events", "no contact_id"}) == 1500);
    CHECK(h.data().rejected.back().example.size() == 80);
}

TEST_CASE("numbers of both kinds are decimals; what does not fit the greater part is rejected") {
    history_builder b;
    b.event("a", "x", t0, {{"v", integer(1)}, {"w", integer(1)}, {"u", text("one")}});
    b.event("a", "x", t0, {{"v", 1.5}, {"w", integer(2)}, {"u", integer(1)}});
    b.event("a", "x", t0, {{"v", integer(3)}, {"w", text("three")}, {"u", text("two")}});
    b.event("a", "y", t0, {{"w", text("its own type")}});
    const history h = std::move(b).finish();
    const auto& types = h.schema().events;
    CHECK(types.at("x").at("v") == value_type::decimal);
    CHECK(types.at("x").at("w") == value_type::integer);
    CHECK(types.at("x").at("u") == value_type::text);
    CHECK(types.at("y").at("w") == value_type::text);
    CHECK(rejected(h) == "events 1 unreadable value in u: 1; events 2 unreadable value in w: three");
    CHECK(h.events_count() == 4);   // the rows are kept
    CHECK_FALSE(h.data().stream("x")->properties.find("w")->present(2));
}

TEST_CASE("declared types decide, and count as known") {
    history_builder b{{.types = {{"x.code", "text"}, {"x.price", "money"}, {"contact.renewal", "day"}, {"later", "event"}, {"x.never", "integer"}}}};
    b.event("a", "x", t0, {{"code", integer(7)}, {"price", 12.345}});
    b.contact("a", t0, {{"renewal", text("2026-12-01")}});
    b.contact("a", t0, {{"renewal", text("soon")}});
    const history h = std::move(b).finish();
    CHECK(h.data().stream("x")->properties.find("code")->type() == value_type::text);
    CHECK(h.data().stream("x")->properties.find("price")->at(0) == value::of(value_type::money, 1235));
    CHECK(h.schema().contact.at("renewal") == value_type::day);
    CHECK(h.schema().events.count("later") == 1);
    CHECK(h.schema().events.at("x").at("never") == value_type::integer);
    CHECK(rejected(h) == "contacts 1 unreadable value in renewal: soon");
    CHECK_THROWS_WITH_AS(std::move(history_builder{{.types = {{"x.code", "txet"}}}}).finish(), doctest::Contains("Did you mean text?"), error);
}

TEST_CASE("late arrivals keep when they came in") {
    history_builder b;
    b.event("a", "x", t0, {}, "", t0 + 1_d);
    b.event("a", "x", t0 + 2_h);
    b.event("a", "y", t0, {}, "", t0);
    b.contact("a", t0, {{"p", integer(1)}}, t0 + 3_d);
    const history h = std::move(b).finish();
    CHECK(h.data().stream("x")->arrived == std::vector<std::int64_t>{(t0 + 1_d).time_since_epoch().count(), (t0 + 2_h).time_since_epoch().count()});
    CHECK(h.data().stream("y")->arrived.empty());
    CHECK(h.data().contact_attribute("p")->arrived.size() == 1);
    CHECK(h.events().column("arrived_at").size() == 3);
}

TEST_CASE("spend is sorted by instant and keeps its columns") {
    history_builder b;
    b.spend(t0 + 1_d, 2.5, {{"channel", text("ads")}});
    b.spend(t0, 1, {{"campaign", text("spring")}});
    CHECK(csv(std::move(b).finish().spend()) == "timestamp,amount,campaign,channel\n2026-01-01T00:00:00Z,1,spring,\n2026-01-02T00:00:00Z,2.5,,ads\n");
}

TEST_CASE("every kind of value, in and out") {
    history_builder b;
    b.contact("a", {{"yes", true}, {"i", integer(1)}, {"d", 0.5}, {"m", money{5}}, {"t", text("x")}, {"day", day{std::chrono::days{1}}}, {"at", t0}, {"l", length{1_h}}, {"list", std::vector<std::string>{"p", "q"}}});
    const history h = std::move(b).finish();
    CHECK(csv(h.contacts()) == "contact_id,at,d,day,i,l,list,m,t,yes\na,2026-01-01T00:00:00Z,0.5,1970-01-02,1,1h,\"p, q\",0.05,x,true\n");
    history_builder c;
    CHECK_THROWS_AS(c.contact("a", {{"l", length{1_mo}}}), error);
}

TEST_CASE("nothing gives an empty history, and the builder can be used again") {
    history_builder b;
    CHECK(std::move(b).finish().contacts_count() == 0);
    b.contact("a", {});
    CHECK(std::move(b).finish().contacts_count() == 1);
    const history none;
    CHECK(none.contacts_count() == 0);
    CHECK(none.events().rows() == 0);
    CHECK(none.spend().rows() == 0);
    CHECK_FALSE(none.data().span());
}

TEST_CASE("the streams agree with a plain sort, for few and many contacts") {
    std::mt19937 random{7};
    for (const std::size_t contacts : {1U, 3U, 50U, 5000U}) {
        history_builder b;
        struct row { std::string contact; std::int64_t at; std::int64_t n; };
        std::map<std::string, std::vector<row>> want;
        for (std::int64_t n = 0; n < 6000; ++n) {
            const std::string who = "c" + std::to_string(random() % contacts), name = "e" + std::to_string(random() % 3);
            const std::int64_t when = static_cast<std::int64_t>(random() % 40);
            b.event(who, name, instant{microseconds{when}}, {{"n", n}});
            want[name].push_back({who, when, n});
        }
        const history h = std::move(b).finish();
        for (auto& [name, rows] : want) {
            std::stable_sort(rows.begin(), rows.end(), [](const row& x, const row& y) { return std::tie(x.contact, x.at) < std::tie(y.contact, y.at); });
            const event_stream& s = *h.data().stream(name);
            const auto got = s.properties.find("n")->integers();
            REQUIRE(got.size() == rows.size());
            for (std::size_t i = 0; i < rows.size(); ++i) REQUIRE(got[i] == rows[i].n);
            std::size_t cursor = 0, seen = 0;
            for (std::uint32_t k = 0; k < h.contacts_count(); ++k) {
                const auto range = s.rows.range(k);
                CHECK(range == s.rows.range(k, cursor));
                for (auto r = range.first; r < range.second; ++r, ++seen) REQUIRE(rows[r].contact == h.data().contacts.name(k));
            }
            CHECK(seen == rows.size());
        }
    }
}
