// Intervals of differences, against published tables. (Those of counts and proportions: unit/kpi_report.cpp.)
#include "core/interval.hpp"

#include <doctest/doctest.h>

using namespace journeyman::detail;

TEST_CASE("newcombe: method 10 of Newcombe (1998), table II")
{
    const auto is = [](double a, double m, double b, double n, double low, double high) {
        const auto i = newcombe(a, m, b, n, 0.95);
        CHECK(i.low == doctest::Approx(low).epsilon(0.0005));
        CHECK(i.high == doctest::Approx(high).epsilon(0.0005));
        const auto mirrored = newcombe(b, n, a, m, 0.95);
        CHECK(mirrored.low == doctest::Approx(-i.high));
        CHECK(mirrored.high == doctest::Approx(-i.low));
    };
    is(56, 70, 48, 80, 0.0524, 0.3339);
    is(9, 10, 3, 10, 0.1705, 0.8090);
    is(6, 7, 2, 7, 0.0582, 0.8062);
    is(5, 56, 0, 29, -0.0381, 0.1926);
    is(10, 10, 0, 10, 0.6075, 1.0);
}

TEST_CASE("welch: degrees of freedom are those of the two variances; too little to tell is nothing")
{
    const moments a{4, 2.5, 5.0 / 3}, b{3, 23.0 / 6, 91.0 / 12};
    const auto i = welch(a, b, 0.95);
    REQUIRE(i);
    CHECK(i->low == doctest::Approx(-7.203281).epsilon(1e-6));      // scipy.stats.ttest_ind([1, 2, 3, 4], [2, 2.5, 7], equal_var=False)
    CHECK(i->high == doctest::Approx(4.536614).epsilon(1e-6));
    CHECK_FALSE(welch({1, 2, 0}, b, 0.95));
    CHECK_FALSE(welch(a, {0, 0, 0}, 0.95));
    CHECK_FALSE(welch({5, 2, 0}, {5, 1, 0}, 0.95));
    CHECK(welch({5, 2, 1e-200}, {5, 1, 1e-200}, 0.95)->low == doctest::Approx(1));
}
