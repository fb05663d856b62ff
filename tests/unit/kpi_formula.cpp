// The arithmetic of KPIs: which interval, which proportion.
#include "kpi/formula.hpp"

#include <doctest/doctest.h>

namespace jm = journeyman;
using jm::detail::formula;

TEST_CASE("Garwood and Wilson, by tables")
{
    const auto ten = jm::detail::garwood(10, 0.95);
    CHECK(ten.low == doctest::Approx(4.795389).epsilon(1e-6));
    CHECK(ten.high == doctest::Approx(18.390356).epsilon(1e-6));
    CHECK(jm::detail::garwood(0, 0.95).low == 0);
    CHECK(jm::detail::garwood(0, 0.95).high == doctest::Approx(3.688879).epsilon(1e-6));
    const auto half = jm::detail::wilson(2, 4, 0.95);
    CHECK(half.low == doctest::Approx(0.150039).epsilon(1e-5));
    CHECK(half.high == doctest::Approx(0.849961).epsilon(1e-5));
    CHECK(jm::detail::wilson(0, 2, 0.95).low == 0);
    CHECK(jm::detail::wilson(0, 2, 0.95).high == doctest::Approx(0.657620).epsilon(1e-5));
    CHECK(jm::detail::wilson(3, 3, 0.95).high == 1);
    CHECK(jm::detail::two_sided_quantile(0.95) == doctest::Approx(1.959963984540054).epsilon(1e-14));
}

TEST_CASE("a part by its form")
{
    const auto part = [](const char* text) { return jm::detail::is_proportion(jm::expression::parse(text)); };
    CHECK(part("converted(a, b, within 7d) / starters(a, within 7d)"));
    CHECK_FALSE(part("converted(a, b, within 7d) / starters(a, within 8d)"));
    CHECK_FALSE(part("converted(a, b, within 7d) / starters(a where x > 1, within 7d)"));
    CHECK(part("members(did(b) and city == \"Roma\") / members(city == \"Roma\")"));
    CHECK(part("members(count(p) > 1) / members(did(p))"));
    CHECK(part("members(count(p) >= 2) / members(count(p) > 1)"));
    CHECK(part("members(2 < count(p)) / members(count(p) >= 2)"));
    CHECK_FALSE(part("members(count(p) > 1) / members(count(p) >= 3)"));
    CHECK_FALSE(part("members(count(p) > 1) / members(count(p) < 5)"));
    CHECK_FALSE(part("members(count(p, last 7d) > 1) / members(did(p))"));
    CHECK(part("members(age > 18) / members(age >= 18)"));
    CHECK_FALSE(part("members(age >= 18) / members(age > 18)"));
    CHECK(part("members(now - last_time(p) > 60d) / members(now - last_time(p) > 30d)"));
    CHECK_FALSE(part("members(did(b)) / members(city == \"Roma\")"));
    CHECK_FALSE(part("new(b) / new(a)"));
    CHECK_FALSE(part("contacts(a) / contacts(a)"));
    CHECK_FALSE(part("2 * members(did(p))"));
}

TEST_CASE("what is no arithmetic over measures is said, with its place")
{
    for (const char* text : {"count(a)", "events(a) + city", "events(a) > 3", "\"x\"", "1mo", "round(events(a))"}) {
        CAPTURE(text);
        jm::problems found;
        const formula f{jm::expression::parse(text), false, "kpis.k.value", found};
        REQUIRE(found.size() == 1);
        CHECK(found[0].code == "kpi.value");
        CHECK(found[0].place.starts_with("kpis.k.value:1:"));
    }
    jm::problems found;
    const formula f{jm::expression::parse("events(a)"), true, "kpis.k.value", found};
    CHECK(found[0].code == "kpi.proportion");
}

namespace {
struct no_products final : jm::detail::totals_source {
    double product(std::size_t, std::size_t) const override { return 0; }
};
}  // namespace

TEST_CASE("a constant scales the ends of a count, and its inverse turns them")
{
    const auto bounds = [](const char* text, std::vector<std::optional<double>> totals) {
        jm::problems found;
        const formula f{jm::expression::parse(text), false, "", found};
        CHECK(found.empty());
        CHECK_FALSE(f.needs_products());
        return f.bounds(totals, no_products{}, 1, 0.95);
    };
    const auto g = jm::detail::garwood(2, 0.95);
    CHECK(bounds("events(a) / 4 * 2", {2.0})->low == doctest::Approx(g.low / 2));
    CHECK(bounds("-events(a)", {2.0})->low == doctest::Approx(-g.high));
    CHECK(bounds("spend() / (2 * new(a))", {100.0, 2.0})->low == doctest::Approx(50 / g.high));
    CHECK(bounds("spend() / new(a)", {100.0, 2.0})->high == doctest::Approx(100 / g.low));
    CHECK_FALSE(bounds("spend() / new(a)", {100.0, 0.0}));
    CHECK(bounds("budget() - spend()", {100.0, 30.0})->low == 70);
    CHECK_FALSE(bounds("budget() - spend()", {std::nullopt, 30.0}));
}
