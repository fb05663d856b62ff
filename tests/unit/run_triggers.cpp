// Who begins, and at which microsecond: segments, dates, schedules, `without`.
#include <doctest/doctest.h>

#include "unit/run_support.hpp"

namespace jm = journeyman;
using namespace jm::literals;
using namespace std::chrono_literals;
using namespace support;

namespace {

jm::workflow hello(jm::trigger_kind t, jm::reentry_rule r = {jm::reentry_rule::after_exit, {}, {}})
{
    auto w = jm::workflow("w").again(r).step("hello", jm::send("email"));
    w.trigger = std::move(t);
    return w;
}
jm::workflow_definitions in_segment(jm::workflow w, jm::predicate p)
{
    auto d = with({std::move(w)});
    d.segments = {{"s", {}}};
    d.context.segments.emplace("s", std::move(p));
    return d;
}
std::string entries(const jm::workflow_definitions& d, const jm::history& h, const jm::run_options& o) { return lines(jm::replay(d, h, o).journeys(), {"contact_id", "entered_at"}); }

jm::instant utc(int y, unsigned m, unsigned d, std::chrono::minutes time = 0min) { return std::chrono::sys_days{std::chrono::year{y} / static_cast<int>(m) / static_cast<int>(d)} + time; }

}  // namespace

TEST_CASE("a segment is left by time alone at the exact microsecond, entered by an event, and being in at the start is no entry")
{
    jm::history_builder b;
    b.event("anna", "purchase", t0 + 7_us);
    b.event("bea", "purchase", t0 - 1_d);
    b.event("bea", "purchase", t0 + 40_d);
    const auto h = std::move(b).finish();
    const auto recent = jm::event("purchase").last(30_d).did();
    CHECK(entries(in_segment(hello(jm::enters_trigger{"s"}), recent), h, {.start = t0, .until = t0 + 90_d}) == "anna 2026-01-31T09:00:00.000007Z\nbea 2026-03-12T09:00:00Z\n");
    CHECK(entries(in_segment(hello(jm::leaves_trigger{"s"}), recent), h, {.start = t0, .until = t0 + 90_d}) == "bea 2026-03-01T09:00:00Z\nanna 2026-03-02T09:00:00.000007Z\nbea 2026-04-11T09:00:00Z\n");
    CHECK(entries(in_segment(hello(jm::leaves_trigger{"s"}), recent), h, {.start = t0, .until = t0 + 29_d - 1_us}).empty());
    CHECK(entries(in_segment(hello(jm::leaves_trigger{"s"}), recent), h, {.start = t0, .until = t0 + 29_d}) == "bea 2026-03-01T09:00:00Z\n");
}

TEST_CASE("a contact enters its segments when it begins to exist")
{
    jm::history_builder b;
    b.contact("nina", {}, t0 + 1_d);
    b.contact("olga", {});
    b.event("olga", "login", t0);
    b.event("pia", "login", t0);   // by its first event, at the instant at which the run begins
    CHECK(entries(in_segment(hello(jm::enters_trigger{"s"}), jm::event("purchase").never()), std::move(b).finish(), {.start = t0, .until = t0 + 9_d}) == "pia 2026-01-31T09:00:00Z\nnina 2026-02-01T09:00:00Z\n");
}

TEST_CASE("in and out and in again, at one instant")
{
    jm::history_builder b;
    b.contact("anna", {{"vip", false}});
    for (const bool vip : {true, false, true}) b.contact("anna", t0, {{"vip", vip}});
    const auto h = std::move(b).finish();
    CHECK(jm::replay(in_segment(hello(jm::enters_trigger{"s"}), jm::attr("vip")), h).journeys().rows() == 2);
    CHECK(jm::replay(in_segment(hello(jm::leaves_trigger{"s"}), jm::attr("vip")), h).journeys().rows() == 1);
}

TEST_CASE("a date: its day in the contact's zone, an offset in calendar days, a time of day; past ones do not count")
{
    jm::history_builder b;
    b.contact("anna", {{"renewal", jm::day{2026y / 3 / 30}}});
    b.contact("bea", {{"renewal", jm::day{2026y / 3 / 30}}, {"timezone", std::string{"America/New_York"}}});
    b.contact("carla", {});
    b.contact("carla", utc(2026, 3, 23, 8h), {{"renewal", jm::day{2026y / 3 / 30}}});             // past by a microsecond is past
    b.contact("dora", {});
    b.contact("dora", utc(2026, 3, 23, 8h) - 1_us, {{"renewal", jm::day{2026y / 3 / 30}}});
    b.contact("elsa", {});
    b.contact("elsa", utc(2026, 3, 23, 8h) + 1_us, {{"renewal", jm::day{2026y / 3 / 30}}});
    const auto h = std::move(b).finish();
    auto d = with({hello(jm::date_trigger{"renewal", jm::length{-7_d}, jm::time_of_day{9 * 60}, false})});
    d.context.zone = jm::load_zone("Europe/Rome");
    CHECK(entries(d, h, {.start = t0, .until = utc(2026, 4, 30)}) == "anna 2026-03-23T08:00:00Z\ncarla 2026-03-23T08:00:00Z\ndora 2026-03-23T08:00:00Z\nbea 2026-03-23T13:00:00Z\n");
    // A day after, at midnight, where the clocks went forward on the 29th.
    d = with({hello(jm::date_trigger{"renewal", jm::length{1_d}, {}, false})});
    d.context.zone = jm::load_zone("Europe/Rome");
    CHECK(entries(d, h, {.start = t0, .until = utc(2026, 4, 30), .only = !jm::exists(jm::attr("timezone"))}).starts_with("anna 2026-03-30T22:00:00Z\n"));
}

TEST_CASE("a date that moves triggers where it now stands; one that moves there again does not trigger twice at one instant")
{
    jm::history_builder b;
    b.contact("anna", {{"visit", utc(2026, 2, 10)}});
    b.contact("anna", utc(2026, 2, 5), {{"visit", utc(2026, 2, 20)}});
    b.contact("anna", utc(2026, 2, 25), {{"visit", utc(2026, 3, 1)}});
    const auto h = std::move(b).finish();
    const auto w = hello(jm::date_trigger{"visit", jm::length{-1_h}, {}, false});
    CHECK(entries(with({w}), h, {.start = t0, .until = utc(2026, 4, 1)}) == "anna 2026-02-19T23:00:00Z\nanna 2026-02-28T23:00:00Z\n");
    // The journey itself sets the date again, to where it is.
    auto again = jm::workflow("w").again({jm::reentry_rule::after_exit, {}, {}}).step("mark", jm::set("visit", jm::attr("visit")));
    again.trigger = jm::date_trigger{"visit", {}, {}, false};
    CHECK(entries(with({again}), h, {.start = t0, .until = utc(2026, 4, 1)}) == "anna 2026-02-20T00:00:00Z\nanna 2026-03-01T00:00:00Z\n");
}

TEST_CASE("every year: 29 February is the 28th, not before the date itself, with an offset over the turn of the year")
{
    jm::history_builder b;
    b.contact("anna", {{"birthday", jm::day{2000y / 2 / 29}}});
    b.contact("bea", {{"birthday", jm::day{2028y / 1 / 2}}});
    const auto h = std::move(b).finish();
    CHECK(entries(with({hello(jm::date_trigger{"birthday", {}, {}, true})}), h, {.start = utc(2026, 1, 1), .until = utc(2029, 1, 31)}) ==
          "anna 2026-02-28T00:00:00Z\nanna 2027-02-28T00:00:00Z\nbea 2028-01-02T00:00:00Z\nanna 2028-02-29T00:00:00Z\nbea 2029-01-02T00:00:00Z\n");
    CHECK(entries(with({hello(jm::date_trigger{"birthday", jm::length{-3_d}, {}, true})}), h, {.start = utc(2027, 3, 1), .until = utc(2028, 1, 31)}) == "bea 2027-12-30T00:00:00Z\n");
}

TEST_CASE("a schedule is in the playbook's zone: over the night the clocks change, and for who exists")
{
    jm::history_builder b;
    b.contact("anna", {});
    b.contact("nina", {}, utc(2026, 3, 29, 6h));
    const auto h = std::move(b).finish();
    auto d = with({hello(jm::schedule_trigger{"FREQ=DAILY;UNTIL=20260330T230000Z", "2026-03-28T09:30"})});
    d.context.zone = jm::load_zone("Europe/Rome");
    CHECK(entries(d, h, {.start = t0, .until = utc(2026, 5, 1)}) ==
          "anna 2026-03-28T08:30:00Z\nanna 2026-03-29T07:30:00Z\nnina 2026-03-29T07:30:00Z\nanna 2026-03-30T07:30:00Z\nnina 2026-03-30T07:30:00Z\n");
    // 02:30 does not exist on the 29th: half past three.
    d = with({hello(jm::schedule_trigger{"FREQ=DAILY;COUNT=2", "2026-03-28T02:30"})});
    d.context.zone = jm::load_zone("Europe/Rome");
    CHECK(entries(d, h, {.start = t0, .until = utc(2026, 5, 1)}) == "anna 2026-03-28T01:30:00Z\nanna 2026-03-29T01:30:00Z\n");
}

TEST_CASE("positions in a rule are of all instants of each period, also of weeks and days, and of the one that holds `from`")
{
    jm::history_builder b;
    b.contact("anna", {});
    const auto h = std::move(b).finish();
    const auto at = [&](const char* rule, const char* from) {
        const auto all = entries(with({hello(jm::schedule_trigger{rule, from})}), h, {.start = utc(2026, 1, 1), .until = utc(2027, 12, 31)});
        std::string out;
        for (std::size_t k = 0; k < all.size(); k += 26) out += all.substr(k + 5, 16) + " ";
        return out;
    };
    CHECK(at("FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=-1;COUNT=2", "2026-01-07T09:00") == "2026-01-09T09:00 2026-01-16T09:00 ");
    CHECK(at("FREQ=WEEKLY;BYDAY=SU,MO;BYSETPOS=1;WKST=SU;COUNT=2", "2026-01-05T09:00") == "2026-01-11T09:00 2026-01-18T09:00 ");   // the Monday is the second of its week
    CHECK(at("FREQ=DAILY;BYHOUR=2,9;BYMINUTE=0,30;BYSETPOS=1,-1;UNTIL=20260102T093000", "2026-01-01T02:30") == "2026-01-01T09:30 2026-01-02T02:00 2026-01-02T09:30 ");
    CHECK(at("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=2", "2026-01-01T09:00") == "2026-01-30T09:00 2026-02-27T09:00 ");
    CHECK(at("FREQ=MONTHLY;BYMONTHDAY=13,29;BYHOUR=16,23;BYSETPOS=-1;COUNT=2", "2026-01-09T00:00") == "2026-01-29T23:00 2026-02-13T23:00 ");
    CHECK(at("FREQ=WEEKLY;INTERVAL=4;BYDAY=SU;COUNT=2", "2026-01-16T09:00") == "2026-01-18T09:00 2026-02-15T09:00 ");                  // the Sunday of that week
    CHECK(at("FREQ=YEARLY;BYMONTHDAY=1;COUNT=3", "2026-02-22T09:00") == "2026-03-01T09:00 2026-04-01T09:00 2026-05-01T09:00 ");   // of every month
    CHECK(at("FREQ=MONTHLY;BYMONTHDAY=1,2;BYSETPOS=3", "2026-01-01T09:00").empty());
}

TEST_CASE("a schedule over a day that was left out: later local times can be earlier instants")
{
    jm::history_builder b;
    b.contact("anna", {});
    auto d = with({hello(jm::schedule_trigger{"FREQ=HOURLY;INTERVAL=5;COUNT=7", "2011-12-30T08:00"})});
    d.context.zone = jm::load_zone("Pacific/Apia");                                           // from the 29th to the 31st
    CHECK(entries(d, std::move(b).finish(), {.start = utc(2011, 12, 30), .until = utc(2012, 1, 1)}) ==
          "anna 2011-12-30T14:00:00Z\nanna 2011-12-30T18:00:00Z\nanna 2011-12-30T19:00:00Z\nanna 2011-12-30T23:00:00Z\nanna 2011-12-31T00:00:00Z\nanna 2011-12-31T04:00:00Z\nanna 2011-12-31T09:00:00Z\n");
}

TEST_CASE("a run that begins at the instant of a date or a schedule runs it, one that ends there too")
{
    jm::history_builder b;
    b.contact("anna", {{"day", jm::day{2026y / 2 / 1}}});
    const auto h = std::move(b).finish();
    const jm::run_options there{.start = utc(2026, 2, 1), .until = utc(2026, 2, 1)};
    CHECK(entries(with({hello(jm::date_trigger{"day", {}, {}, false})}), h, there) == "anna 2026-02-01T00:00:00Z\n");
    CHECK(entries(with({hello(jm::schedule_trigger{"FREQ=DAILY", "2026-01-01T00:00"})}), h, there) == "anna 2026-02-01T00:00:00Z\n");
}

TEST_CASE("a trigger with `without` counts when the other did not come, its time included")
{
    jm::history_builder b;
    for (const auto* id : {"anna", "bea", "carla"}) b.event(id, "cart", t0, {{"cart_id", std::int64_t{1}}});
    b.event("anna", "purchase", t0 + 1_h, {{"cart_id", std::int64_t{1}}});           // in time: not left
    b.event("bea", "purchase", t0 + 1_h + 1_us, {{"cart_id", std::int64_t{1}}});
    b.event("carla", "purchase", t0 + 30min, {{"cart_id", std::int64_t{2}}});        // another cart
    const auto h = std::move(b).finish();
    const auto left = jm::event("cart").without(jm::event("purchase"), "cart_id", 1_h);
    const auto w = jm::workflow("w").on(left).step("hello", jm::send("email").with("cart", jm::trigger("cart_id")));
    const auto r = jm::replay(with({w}), h, {.until = t0 + 1_d});
    CHECK(lines(r.actions(), {"contact_id", "at", "values"}) == "bea 2026-01-31T10:00:00Z {\"cart\":1}\ncarla 2026-01-31T10:00:00Z {\"cart\":1}\n");
    CHECK(jm::replay(with({w}), h, {.until = t0 + 1_h - 1_us}).journeys().rows() == 0);
    // A cart from before the run is left within it, at its first instant too, and not before.
    for (const auto start : {t0 + 1_us, t0 + 1_h}) CHECK(jm::replay(with({w}), h, {.start = start, .until = t0 + 1_d}).journeys().rows() == 2);
    CHECK(jm::replay(with({w}), h, {.start = t0 + 1_h + 1_us, .until = t0 + 1_d}).journeys().rows() == 0);
}

TEST_CASE("a trigger with a window takes what is in it")
{
    jm::history_builder b;
    for (int k = 0; k < 3; ++k) b.event("anna", "go", t0 + std::chrono::hours{24 * k});
    const auto h = std::move(b).finish();
    CHECK(entries(with({hello(jm::event_trigger{jm::event("go").since(t0 + 1_d)})}), h, {}) == "anna 2026-02-01T09:00:00Z\nanna 2026-02-02T09:00:00Z\n");
    CHECK(entries(with({hello(jm::event_trigger{jm::event("go").before(t0 + 1_d)})}), h, {}) == "anna 2026-01-31T09:00:00Z\n");
}
