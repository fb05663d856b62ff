#include "journeyman/core/value.hpp"

#include <doctest/doctest.h>

#include "journeyman/core/error.hpp"

using namespace journeyman;
using namespace journeyman::literals;

namespace {
instant at(std::string_view s) {
    parsed_instant p;
    REQUIRE(parse_instant(s, p));
    return p.at;
}
bool is_instant(std::string_view s) {
    parsed_instant p;
    return parse_instant(s, p);
}
length len(std::string_view s) {
    length l;
    REQUIRE(parse_length(s, l));
    return l;
}
bool is_length(std::string_view s) {
    length l;
    return parse_length(s, l);
}
}  // namespace

TEST_CASE("instants are written with microseconds only when there are some, and read back the same") {
    CHECK(to_text(instant{}) == "1970-01-01T00:00:00Z");
    CHECK(to_text(instant{microseconds{1}}) == "1970-01-01T00:00:00.000001Z");
    CHECK(to_text(instant{microseconds{-1}}) == "1969-12-31T23:59:59.999999Z");
    CHECK(to_text(earliest_instant) == "0001-01-01T00:00:00Z");
    CHECK(to_text(latest_instant) == "9999-12-31T23:59:59.999999Z");
    for (const instant t : {earliest_instant, latest_instant, instant{}, at("2024-02-29T12:34:56.000789Z")}) CHECK(at(to_text(t)) == t);
}

TEST_CASE("ISO instants in all their forms") {
    const instant noon = at("2026-03-31T12:00:00Z");
    for (const char* same : {"2026-03-31T12:00Z", "2026-03-31 12:00:00Z", "2026-03-31T12:00:00.000000000Z", "2026-03-31T14:00:00+02:00", "2026-03-31T14:00:00+0200", "2026-03-31T14:00:00+02", "2026-03-31T08:30:00-03:30", "2026-03-31 12:00:00 UTC"}) {
        CAPTURE(same);
        CHECK(at(same) == noon);
    }
    CHECK(at("2026-03-31T12:00:00.1Z") == noon + std::chrono::milliseconds{100});
    CHECK(at("2026-03-31T12:00:00.123456789Z") == noon + microseconds{123456});
    parsed_instant p;
    REQUIRE(parse_instant("2026-03-31T12:00:00", p));
    CHECK_FALSE(p.had_zone);
    CHECK(p.at == noon);
    for (const char* bad : {"", "2026-03-31", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-03-31T24:00:00Z", "2026-03-31T12:60:00Z", "2026-03-31T12:00:60Z", "2026-03-31T12:00:00.Z", "2026-03-31T12:00:00.1234567890Z",
                            "2026-03-31T12:00:00Zx", "2026-03-31T12:00:00+2", "0000-01-01T00:00:00Z", "26-03-31T12:00:00Z", " 2026-03-31T12:00:00Z", "2026-03-31T12:00:00+24:00", "2025-02-29T00:00:00Z"}) {
        CAPTURE(bad);
        CHECK_FALSE(is_instant(bad));
    }
}

TEST_CASE("days are real days") {
    day d;
    REQUIRE(parse_day("2024-02-29", d));
    CHECK(to_text(d) == "2024-02-29");
    for (const char* bad : {"2023-02-29", "1900-02-29", "2024-2-29", "2024-02-29 ", "20240229", "2024-00-10", "2024-01-00", "2024-01-32"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_day(bad, d));
    }
}

TEST_CASE("lengths are written in the largest units that divide them") {
    for (const char* same : {"90d", "1mo", "1h30m", "-3d", "2w", "1q", "1y", "5q", "14mo", "1us", "1ms", "1s1ms", "0s", "1mo3d", "-1mo", "-1mo+3d"}) {
        CAPTURE(same);
        CHECK(to_text(len(same)) == same);
    }
    CHECK(to_text(len("12mo")) == "1y");
    CHECK(to_text(len("36h")) == "1d12h");
    CHECK(to_text(len("7d")) == "1w");
    CHECK(len("1q") == length{3_mo});
    CHECK(len("-1h30m") == length{-(1_h + 30_m)});
    for (const char* bad : {"", "d", "3", "3x", "1.5h", "--3d", "9223372036854775807d", "3000000000mo", "3 d", "3d-", "1MO"}) {
        CAPTURE(bad);
        CHECK_FALSE(is_length(bad));
    }
}

TEST_CASE("decimals are the shortest text that reads back the same") {
    CHECK(to_text(0.1) == "0.1");
    CHECK(to_text(3.0) == "3");
    CHECK(to_text(100000.0) == "100000");
    CHECK(to_text(0.1 + 0.2) == "0.30000000000000004");
    CHECK(to_text(1e300) == "1e+300");
    CHECK(to_text(0.0) == "0");
    CHECK(to_text(-0.0) == "-0");
}

TEST_CASE("scalars go into a pool and come back") {
    text_pool pool;
    const std::vector<scalar> all{std::monostate{}, true, std::int64_t{-5}, 2.5, money{1234}, std::string{"x"}, day{std::chrono::days{3}}, instant{microseconds{9}}, length{microseconds{7}}, std::vector<std::string>{"a", "b"}};
    for (const scalar& s : all) CHECK(to_scalar(intern(s, pool), pool) == s);
    CHECK(to_text(scalar{money{-5}}) == "-0.05");
    CHECK(to_text(scalar{money{123400}}) == "1234.00");
    CHECK(to_text(scalar{std::vector<std::string>{"", "a"}}) == ", a");
    CHECK(intern(std::vector<std::string>{"a", "b"}, pool) == intern(std::vector<std::string>{"a", "b"}, pool));
    CHECK_THROWS_WITH_AS(intern(length{1_mo}, pool), doctest::Contains("[type.length]"), error);
}

TEST_CASE("types have names") {
    for (const auto t : {value_type::boolean, value_type::integer, value_type::decimal, value_type::money, value_type::text, value_type::day, value_type::instant, value_type::duration, value_type::text_list}) CHECK(parse_value_type(to_string(t)) == t);
    CHECK(parse_value_type("boolean") == value_type::boolean);
    CHECK(parse_value_type("missing") == value_type::missing);
    CHECK(parse_value_type("colour") == value_type::missing);
}
