#include "journeyman/journeyman.hpp"

#include <doctest/doctest.h>

namespace jm = journeyman;
using namespace jm::literals;

namespace {

const jm::instant t0{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};

jm::history shop() {
    jm::history_builder b;
    const auto did = [&](const char* who, const char* event, int day) { b.event(who, event, t0 + std::chrono::hours{24 * day}, {{"channel", day % 2 == 0 ? "ads" : "mail"}}); };
    did("anna", "view", 0);
    did("anna", "purchase", 3);
    did("bea", "view", 1);
    did("bea", "view", 5);
    did("carl", "purchase", 2);
    did("carl", "view", 4);
    return std::move(b).finish();
}

std::vector<std::int64_t> counts(const jm::funnel_report& r) { return r.rows.column("units").integers(); }

}  // namespace

TEST_CASE("a funnel counts how far contacts get, and says when") {
    const auto h = shop();
    const jm::event_funnel f{{{"seen", jm::event("view")}, {"bought", jm::event("purchase")}}, 3_d};
    const auto r = jm::measure_funnel(h, f, {.units = true});
    CHECK(counts(r) == std::vector<std::int64_t>{3, 1});
    CHECK(r.rows.column("immature").integers()[0] == 2);              // the history ends on day 5: both may still buy
    CHECK(r.units.rows() == 3);
    const auto times = jm::funnel_times(r);
    CHECK(times.column("median_seconds").decimals()[1] == 3 * 86400.0);
    CHECK(jm::funnel_histogram(r, 1, 2).rows() == 2);
    CHECK(counts(jm::measure_funnel(h, {f.steps, 2_d})) == std::vector<std::int64_t>{3, 0});
}

TEST_CASE("rules are read from their names, all problems at once") {
    jm::problems found;
    const jm::written_rules written{{"rules", "clickhouse"}, {"anchor", "first"}, {"exclusions", jm::data_list{jm::data_mapping{{"event", "x"}, {"from_step", std::int64_t{2}}, {"to_step", std::int64_t{1}}}}}, {"tie_rule", "none"}};
    const auto rules = jm::read_funnel_rules(written, 2, "funnels.f", found);
    CHECK(rules.anchor == jm::funnel_rules::anchor_t::first);
    CHECK(rules.one_event_many_steps);
    REQUIRE(found.size() == 2);
    CHECK(found[0].place == "funnels.f.tie_rule");
    CHECK(found[1].code == "funnel.exclusion_range");
}

TEST_CASE("a playbook computes its funnels by name, with its dimensions") {
    const auto p = jm::playbook::parse("{timezone: UTC, dimensions: {source: {value: first(view.channel)}}, funnels: {f: {steps: [{name: a, event: view}, {name: b, event: purchase}]}}}");
    const auto r = p.measure_funnel(shop(), "f", {}, {"source"});
    CHECK(counts(r) == std::vector<std::int64_t>{3, 1, 1, 0, 1, 1, 1, 0});
    CHECK(r.rows.column("source").text(2) == "(missing)");            // carl bought before any view
    CHECK(r.rows.column("source").text(4) == "ads");
    CHECK_THROWS_AS(static_cast<void>(p.measure_funnel(shop(), "g")), jm::error);
}
