// Profiles: values and numbers of the members against those of the rest.
#include "segment_support.hpp"

#include <algorithm>
#include <cmath>

#include "core/interval.hpp"

using namespace segment_test;

namespace {

std::size_t row(const jm::table& t, std::string_view expression, std::string_view value = "") {
    for (std::size_t r = 0; r < t.rows(); ++r)
        if (t[0].text(r) == expression && t[1].text(r) == value) return r;
    FAIL("no row " << expression << " " << value);
    return 0;
}
std::string line(const jm::table& t, std::string_view expression, std::string_view value, std::size_t first, std::size_t last) {
    std::string out;
    for (auto c = first; c <= last; ++c) out += (c == first ? "" : " ") + jm::to_text(t[c].at(row(t, expression, value)));
    return out;
}

}  // namespace

TEST_CASE("profile: every attribute and event, counted on both sides")
{
    const auto h = six();
    const auto at = t0 + 96_h;
    const auto p = profile(h, h.select(jm::event("purchase").did(), at), at);   // ann ben cat against dan eve; fay is not there yet
    const auto& v = p.values;
    CHECK(line(v, "city", "Roma", 2, 7) == "1 0.3333333333333333 0 0  0.3333333333333333");
    CHECK(line(v, "city", "Torino", 2, 5) == "1 0.3333333333333333 0 0");
    CHECK(line(v, "city", "(missing)", 2, 7) == "0 0 1 0.5 0 -0.5");
    CHECK(line(v, "likes", "tea", 2, 5) == "2 0.6666666666666666 0 0");            // Ann, who likes it twice, is one
    CHECK(line(v, "points", "(missing)", 2, 5) == "1 0.3333333333333333 0 0");
    CHECK(line(v, "did(purchase)", "true", 2, 7) == "3 1 0 0  1");
    for (std::size_t r = 0; r < v.rows(); ++r) CHECK(v[0].text(r) != "did(refund)");   // nobody has: nothing to tell

    const auto roma = jm::detail::newcombe(1, 3, 0, 2, 0.95);
    CHECK(v.column("low").decimals()[row(v, "city", "Roma")] == roma.low);
    CHECK(v.column("high").decimals()[row(v, "city", "Roma")] == roma.high);
    CHECK(line(v, "city", "Roma", 10, 10) == "0");                                 // the interval holds 0
    const auto bought = jm::detail::newcombe(3, 3, 0, 2, 0.95);
    CHECK(v.column("stands_out").decimals()[row(v, "did(purchase)", "true")] == bought.low);
    CHECK(v[0].text(0) == "did(purchase)");                                        // what stands out the most comes first
    CHECK(std::is_sorted(v.column("stands_out").decimals().rbegin(), v.column("stands_out").decimals().rend()));

    const auto& n = p.numbers;
    CHECK(line(n, "points", "", 2, 6) == "2 3 2 5 -2");
    const auto points = jm::detail::welch({2, 3, 2}, {2, 5, 32}, 0.95);
    CHECK(n.column("low").decimals()[row(n, "points")] == doctest::Approx(points->low));
    CHECK(line(n, "count(purchase)", "", 2, 6) == "3 1.3333333333333333 2 0 1.3333333333333333");
    CHECK(line(n, "count(refund)", "", 2, 9) == "3 0 2 0 0   ");                   // neither side varies: no interval
}

TEST_CASE("profile: a number stands out in pooled standard deviations; time is in days")
{
    jm::history_builder build;
    for (int k = 0; k < 10; ++k) {
        build.contact("c" + std::to_string(k), t0 - (k + 1) * 24_h, {{"vip", k < 4}, {"age", 20 + 3 * k}, {"since", t0 - k * 12_h}, {"born", jm::day{std::chrono::year{2025} / 12 / (1 + k)}}});
        build.event("c" + std::to_string(k), "visit", t0 - 1_h, {{"spent", jm::length{90_m}}});
    }
    const auto h = std::move(build).finish();
    const auto vip = h.select(jm::attr("vip"), t0);
    const auto p = profile(h, vip, t0, {.columns = {{"age", jm::attr("age")}, {"since", jm::attr("since")}, {"born", jm::attr("born")}, {"spent", jm::event("visit").sum("spent")}}, .level = 0.9});
    const auto& n = p.numbers;
    CHECK(p.values.rows() == 0);
    CHECK(line(n, "age", "", 2, 6) == "4 24.5 6 39.5 -15");
    const auto age = jm::detail::welch({4, 24.5, 15}, {6, 39.5, 31.5}, 0.9);
    const double pooled = std::sqrt((3 * 15 + 5 * 31.5) / 8);
    CHECK(n.column("high").decimals()[row(n, "age")] == doctest::Approx(age->high));
    CHECK(n.column("stands_out").decimals()[row(n, "age")] == doctest::Approx(-age->high / pooled));
    CHECK(line(n, "since", "days before", 2, 6) == "4 0.75 6 3.25 -2.5");
    CHECK(line(n, "born", "days before", 2, 6) == "4 29.5 6 24.5 5");
    CHECK(line(n, "spent", "days", 2, 6) == "4 0.0625 6 0.0625 0");
}

TEST_CASE("profile: the values that stand out the most, and what cannot be told is missing")
{
    const auto h = six();
    const auto at = t0 + 96_h;
    const jm::named_expressions city{{"city", jm::attr("city")}};
    const auto everyone = profile(h, h.select(jm::expression{true}, at), at, {.columns = city});
    CHECK(line(everyone.values, "city", "Roma", 2, 10) == "1 0.2 0      ");
    const auto one = profile(h, h.select(jm::attr("city") == "Roma", at), at, {.columns = city, .most_values = 1});
    CHECK(csv(one.values).starts_with("expression,value,inside,share_inside,outside,share_outside,lift,difference,low,high,stands_out\ncity,Roma,1,1,0,0,,1,"));
    CHECK(one.values.rows() == 1);
    CHECK(profile(jm::history{}, jm::selection{jm::history{}, {}, {}}, at).values.rows() == 0);
    CHECK(code_of([&] { profile(h, h.select(jm::expression{true}, at), at, {.level = 1}); }) == "profile.level level");
    CHECK(code_of([&] { profile(h, h.select(jm::expression{true}, at), at, {.columns = {{"x", jm::attr("town")}}}); }) == "name.unknown columns.x");
}
