#include "journeyman/journeyman.hpp"

#include <doctest/doctest.h>

namespace jm = journeyman;
using namespace jm::literals;

namespace {

const jm::instant t0{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};

jm::history shop() {
    jm::history_builder b;
    const auto bought = [&](const char* who, int day, double amount) { b.event(who, "purchase", t0 + std::chrono::hours{24 * day}, {{"amount", amount}}); };
    bought("anna", 0, 1);
    bought("anna", 35, 2);
    bought("bea", 20, 4);
    bought("carl", 40, 8);
    bought("carl", 70, 16);
    return std::move(b).finish();
}

}  // namespace

TEST_CASE("retention counts by cohort and interval, over those whose interval is over") {
    jm::retention_question q{jm::event("purchase")};
    q.sum = "amount";
    const auto r = jm::measure_retention(shop(), q);
    CHECK(r.rows.column("contacts").integers() == std::vector<std::int64_t>{2, 1, 0, 1, 1, 0});
    CHECK(r.rows.column("size").integers()[0] == 2);
    CHECK(r.rows.column("sum").decimals() == std::vector<double>{5, 2, 0, 8, 16, 0});
    CHECK(r.rows.column("share").present(1));                         // February is over
    CHECK_FALSE(r.rows.column("share").present(2));                   // March is not
    CHECK(r.again.column("again").integers() == std::vector<std::int64_t>{2, 1, 1, 0});
    q.returns = jm::retention_question::returns_t::bracket;
    CHECK_THROWS_AS(static_cast<void>(jm::measure_retention(shop(), q)), jm::error);
}

TEST_CASE("conversion after a start, and conversions credited to the nearest event before") {
    jm::history_builder b;
    const auto did = [&](const char* who, const char* event, int minute) { b.event(who, event, t0 + std::chrono::minutes{minute}); };
    did("anna", "sent", 0);
    did("anna", "buy", 5);
    did("anna", "buy", 9);
    did("bea", "buy", 1);
    did("bea", "sent", 2);
    const auto h = std::move(b).finish();
    const auto c = jm::measure_conversion(h, {jm::event("sent"), {jm::event("buy")}});
    CHECK(c.column("rate").decimals()[0] == 0.5);
    CHECK(c.column("lift").decimals()[0] == 0.5);
    CHECK(jm::measure_conversion(h, {jm::event("sent"), {jm::event("buy"), jm::event("buy")}, false, 8_m}).column("converted").integers()[0] == 0);
    CHECK(jm::measure_nearest_base(h, {jm::event("sent"), jm::event("buy"), 9_m}).column("conversions").integers()[0] == 1);
    CHECK(jm::measure_conditions(h, {jm::event("buy"), jm::event("sent")}).column("condition_2").integers() == std::vector<std::int64_t>{1, 1});
}

TEST_CASE("paths go from event to event") {
    const jm::path_set paths{shop(), {}};
    CHECK(paths.paths() == 3);
    const auto t = paths.transitions();
    CHECK(t.column("from").text(0) == "(start)");
    CHECK(t.column("transitions").integers() == std::vector<std::int64_t>{3, 3, 2});
    CHECK(paths.sequences(2).column("occurrences").integers()[0] == 2);
    CHECK(paths.around("purchase", 1).column("paths").integers() == std::vector<std::int64_t>{2, 1});
}
