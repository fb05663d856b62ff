#include "journeyman/kpi/experiment.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

#include "journeyman/history/builder.hpp"
#include "journeyman/kpi/rates.hpp"
#include "journeyman/kpi/test_design.hpp"

namespace jm = journeyman;

TEST_CASE("sums merge, and a binary arm stays one only while all are")
{
    jm::arm_sums a, b;
    for (const double x : {1.0, 0.0, 1.0}) a.add({x, 2, 0, 0});
    for (const double x : {0.0, 3.0}) b.add({x, 1, 0, 0});
    a.binary = true;
    jm::arm_sums both;
    both.merge(a);
    CHECK(both.binary);
    CHECK(both.variance() == doctest::Approx(2.0 / 9));
    both.merge(b);
    CHECK_FALSE(both.binary);
    CHECK(both.n == 5);
    CHECK(both.product(jm::arm_sums::post, jm::arm_sums::den) == 2 + 0 + 2 + 0 + 3);
    CHECK(both.product(jm::arm_sums::den, jm::arm_sums::post) == both.product(jm::arm_sums::post, jm::arm_sums::den));
}

TEST_CASE("a sample ratio that cannot be chance")
{
    CHECK(jm::split_check(std::vector<double>{1000, 1200}, std::vector<double>{0.5, 0.5}) == doctest::Approx(2.0079e-05).epsilon(1e-3));
    CHECK(jm::split_check(std::vector<double>{10, 0}, std::vector<double>{1, 0}) == 1);
    CHECK_THROWS_AS((void)jm::split_check(std::vector<double>{1}, std::vector<double>{1, 1}), jm::error);
}

TEST_CASE("bounds of two equal looks, by tables (Pocock 2.178, O'Brien and Fleming by spending 2.963 and 1.969)")
{
    const std::vector<double> half{0.5, 1};
    CHECK(jm::sequential_bounds(half, 0.05)[0] == doctest::Approx(2.9626).epsilon(1e-4));
    CHECK(jm::sequential_bounds(half, 0.05)[1] == doctest::Approx(1.9686).epsilon(1e-4));
    CHECK_THROWS_AS((void)jm::sequential_bounds(std::vector<double>{0.5, 0.4}, 0.05), jm::error);
    // So early that nothing is spent: no bound.
    CHECK(std::isinf(jm::sequential_bounds(std::vector<double>{1e-6, 1}, 0.05)[0]));
}

TEST_CASE("a bootstrap by cells of like units is the same on every machine")
{
    jm::arm_units a, b;
    for (int k = 0; k < 400; ++k) {
        a.post.push_back(k % 4 == 0);
        b.post.push_back(k % 3 == 0);
    }
    const auto r = jm::bootstrap(a, b, jm::effect_scale::absolute, 2000, 0.95, 1);
    CHECK(r.cells == 4);
    CHECK(r.estimate == doctest::Approx(134.0 / 400 - 0.25));
    CHECK(r.standard_error == doctest::Approx(std::sqrt(0.25 * 0.75 / 400 + 0.335 * 0.665 / 400)).epsilon(0.06));
    CHECK(r.low == jm::bootstrap(a, b, jm::effect_scale::absolute, 2000, 0.95, 1).low);
    CHECK(r.low != jm::bootstrap(a, b, jm::effect_scale::absolute, 2000, 0.95, 2).low);
}

TEST_CASE("the arms and metrics of a history: missing counts as nothing, without an arm one takes no part")
{
    using namespace jm::literals;
    const jm::instant t0 = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1};
    jm::history_builder build;
    build.contact("anna", {{"arm", "a"}}).contact("bea", {{"arm", "b"}}).contact("carl", {{"arm", "b"}}).contact("dora", {});
    build.event("bea", "purchase", t0, {{"amount", 7.5}});
    const auto h = std::move(build).finish();
    const auto u = jm::experiment_of(h, {.arm = jm::attr("arm"), .metrics = {{"spend", jm::expression::parse("max(purchase.amount)"), {}, {}, {}}, {"bought", jm::event("purchase").did(), {}, {}, {}}}, .until = t0});
    CHECK(u.arms == std::vector<std::string>{"a", "b"});
    CHECK(u.arm == std::vector<std::uint32_t>{0, 1, 1});
    CHECK(u.metrics[0].values[0] == std::vector<double>{0, 7.5, 0});
    CHECK(u.metrics[1].values[0] == std::vector<double>{0, 1, 0});
    CHECK(jm::sums_of(u, 1)[1].binary);
    CHECK_FALSE(jm::sums_of(u, 0)[1].binary);
    CHECK_THROWS_AS((void)jm::experiment_of(h, {.arm = jm::attr("arm"), .metrics = {{"arm", jm::attr("arm"), {}, {}, {}}}, .until = t0}), jm::error);
}
