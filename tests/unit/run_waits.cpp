// Waits in local time, for dates, and for events that count later.
#include <doctest/doctest.h>

#include "unit/run_support.hpp"
#include "workflow/calendar.hpp"

namespace jm = journeyman;
using namespace jm::literals;
using namespace std::chrono_literals;
using namespace support;

namespace {

jm::instant utc(int y, int m, int d, std::chrono::minutes time = 0min) { return std::chrono::sys_days{std::chrono::year{y} / m / d} + time; }

jm::wait_step until(int minutes) { jm::wait_step w; w.until = jm::time_of_day{minutes}; return w; }
jm::wait_step on(std::vector<std::chrono::weekday> days) { jm::wait_step w; w.on = std::move(days); return w; }
jm::wait_step days(int n) { jm::wait_step w; w.days = n; return w; }
jm::wait_step date(std::string name, std::optional<jm::length> offset = {}, std::optional<int> minutes = {})
{
    jm::wait_step w;
    w.date = std::move(name);
    w.offset = offset;
    if (minutes) w.until = jm::time_of_day{*minutes};
    return w;
}

/// When a journey that begins at `go` sends.
std::string sent(jm::wait_step w, jm::history_builder b, const char* zone = "UTC", jm::instant go = t0)
{
    b.event("anna", "go", go);
    auto d = with({jm::workflow("w").on(jm::event("go")).step("pause", jm::step{std::move(w)}.next("hello")).step("hello", jm::send("email"))});
    d.context.zone = jm::load_zone(zone);
    return lines(jm::replay(d, std::move(b).finish(), {.start = go, .until = go + 400_d}).actions(), {"at"});
}
std::string sent(jm::wait_step w, const char* zone, jm::instant go) { return sent(std::move(w), jm::history_builder{}, zone, go); }

}  // namespace

TEST_CASE("until a time of day: today, tomorrow, or now, to the microsecond")
{
    CHECK(sent(until(10 * 60), "UTC", t0) == "2026-01-31T10:00:00Z\n");
    CHECK(sent(until(9 * 60), "UTC", t0) == "2026-01-31T09:00:00Z\n");
    CHECK(sent(until(9 * 60), "UTC", t0 + 1_us) == "2026-02-01T09:00:00Z\n");
    CHECK(sent(until(9 * 60), "Asia/Kolkata", t0) == "2026-02-01T03:30:00Z\n");
}

TEST_CASE("the night the clocks change: a time that does not exist is later, one that exists twice is the first")
{
    CHECK(sent(until(150), "Europe/Rome", utc(2026, 3, 28, 20h)) == "2026-03-29T01:30:00Z\n");       // 02:30 is 03:30
    CHECK(sent(until(150), "Europe/Rome", utc(2026, 3, 29, 1h + 10min)) == "2026-03-29T01:30:00Z\n");   // from 03:10 on that morning
    CHECK(sent(until(150), "Europe/Rome", utc(2026, 10, 24, 20h)) == "2026-10-25T00:30:00Z\n");
    CHECK(sent(until(150), "Europe/Rome", utc(2026, 10, 25, 30min) + 1_us) == "2026-10-26T01:30:00Z\n");   // the second 02:30 is none
    CHECK(sent(days(1), "Europe/Rome", utc(2026, 3, 28, 20h)) == "2026-03-28T23:00:00Z\n");
    CHECK(sent(days(2), "Europe/Rome", utc(2026, 3, 28, 20h)) == "2026-03-29T22:00:00Z\n");
}

TEST_CASE("weekdays and days")
{
    CHECK(sent(on({std::chrono::Saturday}), "UTC", t0) == "2026-01-31T09:00:00Z\n");       // it is Saturday
    CHECK(sent(on({std::chrono::Friday}), "UTC", t0) == "2026-02-06T00:00:00Z\n");
    auto w = until(9 * 60);
    w.on = {std::chrono::Saturday};
    CHECK(sent(w, "UTC", t0 + 1_us) == "2026-02-07T09:00:00Z\n");
    w.on = {std::chrono::Tuesday, std::chrono::Thursday};
    CHECK(sent(w, "UTC", t0) == "2026-02-03T09:00:00Z\n");
    w.days = 4;
    CHECK(sent(w, "UTC", t0) == "2026-02-05T09:00:00Z\n");
    CHECK(sent(days(0), "UTC", t0) == "2026-01-31T09:00:00Z\n");
}

TEST_CASE("a move during the wait counts again from there; setting the same zone does not")
{
    const auto moving = [](const char* to, jm::instant when) {
        jm::history_builder b;
        b.contact("anna", {{"timezone", std::string{"Europe/Rome"}}});
        b.contact("anna", when, {{"timezone", std::string{to}}});
        return b;
    };
    const auto go = utc(2026, 6, 1, 10h);                                                   // noon in Rome
    CHECK(sent(until(9 * 60), moving("America/New_York", go + 3_h), "UTC", go) == "2026-06-01T13:00:00Z\n");      // nine in New York, that very instant
    CHECK(sent(until(9 * 60), moving("America/New_York", go + 3_h + 1_us), "UTC", go) == "2026-06-02T13:00:00Z\n");
    CHECK(sent(days(2), moving("Europe/Rome", go + 30_h), "UTC", go) == "2026-06-02T22:00:00Z\n");
    CHECK(sent(days(2), moving("Europe/Berlin", go + 30_h), "UTC", go) == "2026-06-03T22:00:00Z\n");
}

TEST_CASE("a date: missing, in the past, exactly now, given during the wait, moved into the past")
{
    const auto with_visit = [](std::vector<std::pair<jm::instant, jm::scalar>> changes, jm::scalar first) {
        jm::history_builder b;
        b.contact("anna", {{"visit", first}});
        for (const auto& [at, v] : changes) b.contact("anna", at, {{"visit", v}});
        return b;
    };
    const jm::scalar missing = std::monostate{};
    const auto day = [](int m, int d) { return jm::scalar{jm::day{2026y / m / d}}; };
    CHECK(sent(date("visit"), with_visit({}, day(2, 10))) == "2026-02-10T00:00:00Z\n");
    CHECK(sent(date("visit", jm::length{-1, jm::microseconds{0}}), with_visit({}, day(3, 31))) == "2026-02-28T00:00:00Z\n");
    CHECK(sent(date("visit", jm::length{90min}), with_visit({}, day(2, 10))) == "2026-02-10T01:30:00Z\n");
    CHECK(sent(date("visit"), with_visit({}, day(1, 1))) == "2026-01-31T09:00:00Z\n");
    CHECK(sent(date("visit", {}, 9 * 60), with_visit({}, day(1, 31))) == "2026-01-31T09:00:00Z\n");
    CHECK(sent(date("visit"), with_visit({{t0 + 1_d, day(2, 20)}}, missing)) == "2026-02-20T00:00:00Z\n");
    CHECK(sent(date("visit"), with_visit({{t0 + 1_d, missing}}, day(2, 10))).empty());
    CHECK(sent(date("visit"), with_visit({{t0 + 1_d, day(1, 1)}}, day(2, 10))) == "2026-02-01T09:00:00Z\n");
    CHECK(sent(date("visit"), with_visit({{utc(2026, 2, 10), day(2, 12)}}, day(2, 10))) == "2026-02-12T00:00:00Z\n");   // moved at its very instant: inputs come first
}

TEST_CASE("an offset of an instant is a length of time; with a time of day it is the day's, in the contact's zone")
{
    const auto b = [] {
        jm::history_builder made;
        made.contact("anna", {{"visit", utc(2026, 3, 28, 23h + 30min)}});                      // 00:30 on the 29th in Rome
        return made;
    };
    CHECK(sent(date("visit", jm::length{1_d}), b(), "Europe/Rome") == "2026-03-29T23:30:00Z\n");
    CHECK(sent(date("visit", jm::length{1_d}, 9 * 60), b(), "Europe/Rome") == "2026-03-30T07:00:00Z\n");
}

TEST_CASE("days move the day of a date, hours are added after: over the night the clocks go forward")
{
    const auto b = [] {
        jm::history_builder made;
        made.contact("anna", {{"visit", jm::day{2026y / 3 / 29}}});                           // 23 hours long
        return made;
    };
    const auto after = [](const char* text) {
        jm::date_offset o;
        CHECK(jm::parse_offset(text, o));
        auto w = date("visit");
        w.offset = o;
        CHECK(jm::to_text(o) == text);
        return w;
    };
    CHECK(sent(after("1d"), b(), "Europe/Rome") == "2026-03-29T22:00:00Z\n");
    CHECK(sent(after("24h"), b(), "Europe/Rome") == "2026-03-29T23:00:00Z\n");
    CHECK(sent(after("36h"), b(), "Europe/Rome") == "2026-03-30T11:00:00Z\n");
    CHECK(sent(after("1d12h"), b(), "Europe/Rome") == "2026-03-30T10:00:00Z\n");
    CHECK(sent(after("-24h"), b(), "Europe/Rome") == "2026-03-27T23:00:00Z\n");
    CHECK(sent(after("-1mo2w+36h15m"), b(), "Europe/Rome") == "2026-02-15T11:15:00Z\n");
    CHECK(jm::date_offset{jm::length{36_h}} == jm::date_offset{1_d, 12_h});
    jm::date_offset o;
    CHECK(!jm::parse_offset("106751991d106751991d-9223372036854775807us", o));                // no sum of days
}

TEST_CASE("29 February in other years, and the first after an instant")
{
    const jm::compiled_date yearly{0, {}, {}, true};
    const auto leap = jm::value::of(jm::day{2024y / 2 / 29});
    CHECK(jm::instant_of(yearly, leap, *jm::utc(), *jm::utc(), utc(2026, 2, 28)) == utc(2026, 2, 28));
    CHECK(jm::instant_of(yearly, leap, *jm::utc(), *jm::utc(), utc(2026, 2, 28) + 1_us) == utc(2027, 2, 28));
    CHECK(jm::instant_of(yearly, leap, *jm::utc(), *jm::utc(), utc(2027, 3, 1)) == utc(2028, 2, 29));
    CHECK(jm::instant_of(yearly, {}, *jm::utc(), *jm::utc(), utc(2027, 3, 1)) == jm::end_of_time);
    const jm::compiled_date once{0, jm::length{2_h}, {}, false};
    CHECK(jm::instant_of(once, leap, *jm::utc(), *jm::utc(), utc(2024, 2, 29, 2h)) == utc(2024, 2, 29, 2h));
    CHECK(jm::instant_of(once, leap, *jm::utc(), *jm::utc(), utc(2024, 2, 29, 2h) + 1_us) == jm::end_of_time);
}

TEST_CASE("schedules agree with the rule")
{
    const auto months = jm::make_schedule("FREQ=MONTHLY;BYMONTHDAY=31", "2026-01-31T12:00", jm::utc());
    CHECK(months->at_or_after(utc(2026, 1, 1)) == utc(2026, 1, 31, 12h));
    CHECK(months->at_or_after(utc(2026, 1, 31, 12h)) == utc(2026, 1, 31, 12h));
    CHECK(months->at_or_after(utc(2026, 1, 31, 12h) + 1_us) == utc(2026, 3, 31, 12h));
    const auto twice = jm::make_schedule("RRULE:FREQ=WEEKLY;BYDAY=MO,TH;COUNT=2", "2026-03-03", jm::utc());
    CHECK(twice->at_or_after(utc(2026, 3, 1)) == utc(2026, 3, 5));
    CHECK(twice->at_or_after(utc(2026, 3, 6)) == utc(2026, 3, 9));
    CHECK(twice->at_or_after(utc(2026, 3, 10)) == jm::end_of_time);
    CHECK_THROWS_AS(jm::make_schedule("FREQ=DAILY;BYDAY=XX", "2026-03-03", jm::utc()), jm::error);
}

TEST_CASE("an awaited event with `without` counts when the other has not come, since the wait began")
{
    const auto ran = [](std::vector<std::pair<const char*, jm::microseconds>> events) {
        jm::history_builder b;
        b.event("anna", "cart", t0 - 1_h, {{"k", std::int64_t{1}}});                        // before the wait
        b.event("anna", "go", t0);
        for (const auto& [name, after] : events) b.event("anna", name, t0 + after, {{"k", std::int64_t{1}}});
        const auto w = jm::workflow("w").on(jm::event("go"))
            .step("left", jm::wait_for(jm::event("cart").without(jm::event("buy"), "k", 2_h)).timeout(1_d).then("yes").otherwise("no"))
            .step("yes", jm::send("email")).step("no", jm::send("email"));
        return lines(jm::replay(with({w}), std::move(b).finish(), {.until = t0 + 9_d}).actions(), {"step", "at"});
    };
    CHECK(ran({{"cart", 1_h}}) == "yes 2026-01-31T12:00:00Z\n");
    CHECK(ran({{"cart", 1_h}, {"buy", 3_h}}) == "no 2026-02-01T09:00:00Z\n");
    CHECK(ran({{"cart", 1_h}, {"buy", 3_h + 1_us}}) == "yes 2026-01-31T12:00:00Z\n");
    CHECK(ran({{"cart", 22_h}}) == "yes 2026-02-01T09:00:00Z\n");                           // at the very deadline
    CHECK(ran({{"cart", 22_h + 1_us}}) == "no 2026-02-01T09:00:00Z\n");
}
