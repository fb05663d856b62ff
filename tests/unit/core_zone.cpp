#include "journeyman/core/zone.hpp"

#include <doctest/doctest.h>

#include "journeyman/core/error.hpp"
#include "journeyman/core/value.hpp"

using namespace journeyman;
using namespace journeyman::literals;

namespace {
instant at(std::string_view s) {
    parsed_instant p;
    REQUIRE(parse_instant(s, p));
    return p.at;
}
local_instant wall(std::string_view s) { return local_instant{at(s).time_since_epoch()}; }
std::string utc_of(std::string_view reading, const char* zone) { return to_text(load_zone(zone)->to_instant(wall(reading))); }
std::string plus(std::string_view t, length l, const char* zone) { return to_text(add(at(t), l, *load_zone(zone))); }
}  // namespace

TEST_CASE("a reading that does not exist moves forward by the gap (T6)") {
    CHECK(utc_of("2025-03-30T01:59:59.999999", "Europe/Rome") == "2025-03-30T00:59:59.999999Z");
    CHECK(utc_of("2025-03-30T02:00:00", "Europe/Rome") == "2025-03-30T01:00:00Z");   // = 03:00 summer time
    CHECK(utc_of("2025-03-30T02:30:00", "Europe/Rome") == "2025-03-30T01:30:00Z");   // = 03:30
    CHECK(utc_of("2025-03-30T03:00:00", "Europe/Rome") == "2025-03-30T01:00:00Z");
    CHECK(utc_of("2025-10-05T02:15:00", "Australia/Lord_Howe") == "2025-10-04T15:45:00Z");   // a gap of half an hour
    CHECK(utc_of("2011-12-30T12:00:00", "Pacific/Apia") == "2011-12-30T22:00:00Z");          // a day that was left out
    CHECK(utc_of("2025-09-07T00:30:00", "America/Santiago") == "2025-09-07T04:30:00Z");      // midnight is in the gap
}

TEST_CASE("a reading that exists twice is the first (T6)") {
    CHECK(utc_of("2025-10-26T01:59:59", "Europe/Rome") == "2025-10-25T23:59:59Z");
    CHECK(utc_of("2025-10-26T02:00:00", "Europe/Rome") == "2025-10-26T00:00:00Z");
    CHECK(utc_of("2025-10-26T02:59:59", "Europe/Rome") == "2025-10-26T00:59:59Z");
    CHECK(utc_of("2025-10-26T03:00:00", "Europe/Rome") == "2025-10-26T02:00:00Z");
    CHECK(utc_of("2025-11-02T01:30:00", "America/New_York") == "2025-11-02T05:30:00Z");
}

TEST_CASE("there and back for readings that exist") {
    for (const char* name : {"Europe/Rome", "America/St_Johns", "Asia/Kathmandu", "Africa/Casablanca", "Pacific/Kiritimati", "UTC"}) {
        const auto zone = load_zone(name);
        for (instant t = at("2023-01-01T00:07:00Z"); t < at("2027-01-01T00:00:00Z"); t += 7_h) {
            const instant back = zone->to_instant(zone->to_local(t));
            // The second of two equal readings comes back as the first.
            CHECK((back == t || zone->to_local(back) == zone->to_local(t)));
            CHECK(back <= t);
        }
    }
}

TEST_CASE("offsets after the listed transitions, and before zones") {
    const auto rome = load_zone("Europe/Rome");
    CHECK(rome->offset_at(at("2037-07-01T00:00:00Z")) == 2_h);
    CHECK(rome->offset_at(at("2038-07-01T00:00:00Z")) == 2_h);
    CHECK(rome->offset_at(at("2038-12-01T00:00:00Z")) == 1_h);
    CHECK(rome->offset_at(at("2099-07-01T00:00:00Z")) == 2_h);
    CHECK(rome->next_change(at("2050-01-01T00:00:00Z")) == at("2050-03-27T01:00:00Z"));
    CHECK(load_zone("America/New_York")->next_change(at("2060-01-01T00:00:00Z")) == at("2060-03-14T07:00:00Z"));
    CHECK(load_zone("Asia/Tokyo")->next_change(at("2026-01-01T00:00:00Z")) == end_of_time);
    CHECK(rome->next_change(at("2025-03-30T00:59:59Z")) == at("2025-03-30T01:00:00Z"));
    CHECK(rome->next_change(at("2025-03-30T01:00:00Z")) == at("2025-10-26T01:00:00Z"));
    CHECK(load_zone("Europe/Dublin")->offset_at(at("2045-01-01T00:00:00Z")) == 0_h);   // its rule counts winter as the saving
    CHECK(load_zone("Europe/Dublin")->offset_at(at("2045-07-01T00:00:00Z")) == 1_h);
}

TEST_CASE("zones by name") {
    CHECK(load_zone("Europe/Rome") == load_zone("Europe/Rome"));   // read once
    CHECK(load_zone("UTC") == utc());
    CHECK(find_zone("Europe/Roma") == nullptr);
    CHECK(find_zone("../../etc/passwd") == nullptr);
    CHECK(find_zone("") == nullptr);
    CHECK_THROWS_WITH_AS(load_zone("Europe/Roma"), doctest::Contains("Did you mean Europe/Rome"), error);
    try {
        (void)load_zone("Mars/Base");
    } catch (const error& e) {
        CHECK(e.code() == "time.zone");
    }
}

TEST_CASE("calendar months are clamped at month end, in the zone (T3)") {
    CHECK(plus("2026-01-31T10:00:00Z", 1_mo, "UTC") == "2026-02-28T10:00:00Z");
    CHECK(plus("2024-01-31T10:00:00Z", 1_mo, "UTC") == "2024-02-29T10:00:00Z");
    CHECK(plus("2024-02-29T10:00:00Z", 1_y, "UTC") == "2025-02-28T10:00:00Z");
    CHECK(plus("2026-03-31T10:00:00Z", -length{1_mo}, "UTC") == "2026-02-28T10:00:00Z");
    CHECK(plus("2025-11-30T10:00:00Z", 1_q, "UTC") == "2026-02-28T10:00:00Z");
    CHECK(plus("2025-12-15T10:00:00Z", 1_mo, "UTC") == "2026-01-15T10:00:00Z");
    CHECK(plus("2025-01-15T10:00:00Z", -length{1_mo}, "UTC") == "2024-12-15T10:00:00Z");
    // 23:30 on 31 January in Rome is 22:30 UTC; a month later, 28 February 23:30 in Rome.
    CHECK(plus("2026-01-31T22:30:00Z", 1_mo, "Europe/Rome") == "2026-02-28T22:30:00Z");
    // Midnight of 1 March in Rome; a month later summer time has begun.
    CHECK(plus("2026-02-28T23:00:00Z", 1_mo, "Europe/Rome") == "2026-03-31T22:00:00Z");
    CHECK(plus("2026-02-28T02:30:00Z", length{1, 1_d}, "Europe/Rome") == "2026-03-29T02:30:00Z");
    // Into the gap: 02:30 on 29 March 2026 does not exist in Rome.
    CHECK(plus("2026-02-28T01:30:00Z", length{1, 0_d}, "Europe/Rome") == "2026-03-28T01:30:00Z");
    CHECK(plus("2026-01-29T01:30:00Z", length{2, 0_d}, "Europe/Rome") == "2026-03-29T01:30:00Z");
    CHECK(add(end_of_time, 1_mo, *utc()) == end_of_time);
    CHECK(add(end_of_time, 1_d, *utc()) == end_of_time);
    CHECK(to_text(add(earliest_instant, 100_y, *utc())) == "0101-01-01T00:00:00Z");   // the first instant is one like any other
    CHECK(to_text(add(latest_instant, -length{1_mo}, *utc())) == "9999-11-30T23:59:59.999999Z");
    CHECK(add(at("2026-01-31T00:00:00Z"), 100'000'000_y, *utc()) > latest_instant);     // years do not wrap
    CHECK(add(at("2026-01-31T00:00:00Z"), -length{100'000'000_y}, *utc()) < earliest_instant);
    CHECK(to_text(add(at("2026-01-31T00:00:00Z"), -length{23_mo}, *utc())) == "2024-02-29T00:00:00Z");
    CHECK(add(beginning_of_time, -length{1_d}, *utc()) == beginning_of_time);
}

TEST_CASE("a local day has 23, 24 or 25 hours, a fixed one 24") {
    const auto rome = load_zone("Europe/Rome");
    const auto length_of = [&](const char* t) { return start_of_next(calendar_unit::day, at(t), *rome) - start_of(calendar_unit::day, at(t), *rome); };
    CHECK(length_of("2026-03-29T12:00:00Z") == 23_h);
    CHECK(length_of("2026-10-25T12:00:00Z") == 25_h);
    CHECK(length_of("2026-06-01T12:00:00Z") == 24_h);
    CHECK(plus("2026-03-28T12:00:00Z", 1_d, "Europe/Rome") == "2026-03-29T12:00:00Z");
}

TEST_CASE("starts of calendar units") {
    const auto rome = load_zone("Europe/Rome");
    const instant t = at("2026-03-31T22:30:00Z");   // 1 April 00:30 in Rome, a Wednesday
    CHECK(to_text(start_of(calendar_unit::day, t, *rome)) == "2026-03-31T22:00:00Z");
    CHECK(to_text(start_of(calendar_unit::week, t, *rome)) == "2026-03-29T22:00:00Z");
    CHECK(to_text(start_of(calendar_unit::week, t, *rome, week_start::sunday)) == "2026-03-28T23:00:00Z");
    CHECK(to_text(start_of(calendar_unit::month, t, *rome)) == "2026-03-31T22:00:00Z");
    CHECK(to_text(start_of(calendar_unit::quarter, t, *rome)) == "2026-03-31T22:00:00Z");
    CHECK(to_text(start_of(calendar_unit::year, t, *rome)) == "2025-12-31T23:00:00Z");
    CHECK(to_text(start_of_next(calendar_unit::quarter, t, *rome, -1)) == "2025-12-31T23:00:00Z");
    CHECK(to_text(start_of_next(calendar_unit::week, t, *rome, 1)) == "2026-04-05T22:00:00Z");
    // Midnight that does not exist: the day begins when the clock goes on.
    const auto santiago = load_zone("America/Santiago");
    CHECK(to_text(start_of(calendar_unit::day, at("2025-09-07T12:00:00Z"), *santiago)) == "2025-09-07T04:00:00Z");
}
