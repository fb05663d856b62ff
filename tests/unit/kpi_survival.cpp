#include "journeyman/kpi/survival.hpp"

#include <doctest/doctest.h>

#include "journeyman/history/builder.hpp"

namespace jm = journeyman;
using namespace jm::literals;
using namespace std::chrono_literals;

namespace {
const jm::instant t0 = std::chrono::sys_days{2026y / 1 / 1};
}

TEST_CASE("who enters at an instant is not yet at risk there, and an event comes before censoring")
{
    const std::vector<double> time{2, 10, 5, 4, 3}, entry{1, 2, 4, 0, 0};
    const auto c = jm::survival_curves({time, {}, entry}).at(0);
    const auto at = [&](double t) { return c.survival[*c.row_at(t)]; };
    CHECK(at(0) == 1);
    CHECK(at(2) == doctest::Approx(2.0 / 3));
    CHECK(at(4) == doctest::Approx(2.0 / 9));
    CHECK(at(10) == 0);
    CHECK_FALSE(c.row_at(-1));
    CHECK(c.at_risk_at(2) == 3);

    const std::vector<double> same{3, 3};
    const std::vector<std::uint8_t> event{1, 0};
    CHECK(jm::survival_curves({same, event}).at(0).survival.back() == 0.5);
}

TEST_CASE("a half reached by rounding is the median, and a mean is the area")
{
    std::vector<double> time(10);
    for (std::size_t k = 0; k < 10; ++k) time[k] = static_cast<double>(k + 1);
    const auto c = jm::survival_curves({time, {}}).at(0);
    CHECK(c.quantile().time == 5);
    CHECK(c.quantile(0.05).time == 10);
    CHECK(c.restricted_mean(10) == doctest::Approx(5.5));
    CHECK(c.restricted_mean(1) == 1);
}

TEST_CASE("many subjects are sorted as few are")
{
    // Over 4,096 the keys are sorted by radix; the same times four thousand times over give the same curve.
    std::vector<double> few, many;
    for (int k = 0; k < 50; ++k) few.push_back((k * 37 % 50) * 1e3 - 0.25);
    for (int k = 0; k < 5000; ++k) many.push_back(few[static_cast<std::size_t>(k) % 50]);
    const auto a = jm::survival_curves({few, {}}).at(0), b = jm::survival_curves({many, {}}).at(0);
    REQUIRE(a.time == b.time);
    for (std::size_t k = 0; k < a.time.size(); ++k) CHECK(a.survival[k] == doctest::Approx(b.survival[k]));
}

TEST_CASE("columns that do not fit are refused")
{
    const std::vector<double> time{1, 2}, late{1, 3};
    const std::vector<std::uint32_t> group{0, 5};
    CHECK_THROWS_AS((void)jm::survival_curves({time, {}, late}), jm::error);
    CHECK_THROWS_AS((void)jm::survival_curves({time, {}, {}, group, 2}), jm::error);
    CHECK_THROWS_AS((void)jm::survival_curves({time, {}}, 1), jm::error);
}

TEST_CASE("a lapse ends where activity leaves its window, and an event exactly then keeps it alive")
{
    jm::history_builder b;
    const auto buy = [&](const char* who, std::vector<int> days) { for (const int d : days) b.event(who, "purchase", t0 + d * 1_d, {{"channel", "ads"}}); };
    buy("anna", {0, 30, 70});      // day 30 is exactly 30 d later: alive; nothing by day 60
    buy("bea", {0, 29});           // until day 59 inclusive
    buy("carl", {50});
    const auto h = std::move(b).finish();
    const auto s = jm::survival_of(h, {.start = jm::event("purchase"), .event = jm::event("purchase"), .lapse = jm::length{30_d}, .by = {"channel"}, .until = t0 + 70_d});
    CHECK(s.time == std::vector<double>{60, 59, 20});
    CHECK(s.event == std::vector<std::uint8_t>{1, 1, 0});
    CHECK(s.groups == std::vector<std::string>{"ads"});
    // The same selector twice: the second purchase, not the first again.
    const auto again = jm::survival_of(h, {.start = jm::event("purchase"), .event = jm::event("purchase"), .until = t0 + 70_d});
    CHECK(again.time == std::vector<double>{30, 29, 20});
}
