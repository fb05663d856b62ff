// Replay by arrival: late inputs are seen when they come in (W8).
#include <doctest/doctest.h>

#include "unit/run_support.hpp"

namespace jm = journeyman;
using namespace jm::literals;
using namespace support;

namespace {

std::string sent(const jm::workflow_definitions& d, const jm::history& h, jm::run_order order = jm::run_order::arrival) { return lines(jm::replay(d, h, {.start = t0, .until = t0 + 60_d, .order = order}).actions(), {"contact_id", "step", "at"}); }

jm::workflow waiting()
{
    return jm::workflow("w").on(jm::event("go")).step("clicked", jm::wait_for(jm::event("click")).timeout(3_d).then("yes").otherwise("look"))
        .step("look", jm::branch().when(jm::event("click").did(), "knows").otherwise("no")).step("yes", jm::send("email")).step("knows", jm::send("email")).step("no", jm::send("email"));
}

}  // namespace

TEST_CASE("a late event ends a wait at its arrival, if it happened since the wait began")
{
    const auto clicked = [](jm::microseconds at, jm::microseconds arrives) {
        jm::history_builder b;
        b.event("anna", "go", t0);
        b.event("anna", "click", t0 + at, {}, "", t0 + arrives);
        return std::move(b).finish();
    };
    CHECK(sent(with({waiting()}), clicked(1_d, 2_d)) == "anna yes 2026-02-02T09:00:00Z\n");
    CHECK(sent(with({waiting()}), clicked(1_d, 2_d), jm::run_order::event) == "anna yes 2026-02-01T09:00:00Z\n");
    CHECK(sent(with({waiting()}), clicked(1_d, 3_d)) == "anna yes 2026-02-03T09:00:00Z\n");             // at the deadline is in time
    CHECK(sent(with({waiting()}), clicked(1_d, 3_d + 1_us)) == "anna no 2026-02-03T09:00:00Z\n");
    CHECK(sent(with({waiting()}), clicked(0_d, 1_d)) == "anna yes 2026-02-01T09:00:00Z\n");             // at the instant the wait began
    CHECK(sent(with({waiting()}), clicked(-1_us, 1_d)) == "anna knows 2026-02-03T09:00:00Z\n");
}

TEST_CASE("a late event triggers at its arrival, and its place in the past counts for windows")
{
    jm::history_builder b;
    b.event("anna", "go", t0 + 1_d, {}, "", t0 + 5_d);
    b.event("bea", "purchase", t0 + 1_d, {}, "", t0 + 20_d);
    b.event("bea", "purchase", t0 + 2_d);
    const auto h = std::move(b).finish();
    const auto w = jm::workflow("w").on(jm::event("go")).step("hello", jm::send("email"));
    CHECK(sent(with({w}), h) == "anna hello 2026-02-05T09:00:00Z\n");
    auto leaves = jm::workflow("w").step("hello", jm::send("email"));
    leaves.trigger = jm::leaves_trigger{"twice"};
    auto d = with({leaves});
    d.context.segments.emplace("twice", jm::event("purchase").last(30_d).count() == 2);
    CHECK(sent(d, h) == "bea hello 2026-03-03T09:00:00Z\n");                                           // from day 20 to day 31
}

TEST_CASE("a late change of an attribute is in its place: a newer value stays")
{
    jm::history_builder b;
    b.contact("anna", {{"plan", std::string{"free"}}});
    b.contact("anna", t0 + 2_d, {{"plan", std::string{"pro"}}});
    b.contact("anna", t0 + 1_d, {{"plan", std::string{"mini"}}}, t0 + 3_d);
    b.event("anna", "go", t0 + 2_d + 1_h);
    b.event("anna", "go", t0 + 4_d);
    const auto w = jm::workflow("w").on(jm::event("go")).again({jm::reentry_rule::after_exit, {}, {}}).step("hello", jm::send("email").with("plan", jm::attr("plan")).with("since", jm::call(jm::function::changed_time, {jm::attr("plan")})));
    const auto r = jm::replay(with({w}), std::move(b).finish(), {.order = jm::run_order::arrival});
    CHECK(lines(r.actions(), {"values"}) == "{\"plan\":\"pro\",\"since\":\"2026-02-02T09:00:00Z\"}\n{\"plan\":\"pro\",\"since\":\"2026-02-02T09:00:00Z\"}\n");
}

TEST_CASE("the trigger of a journey stays what it was, whatever comes in before it")
{
    jm::history_builder b;
    b.event("anna", "go", t0, {{"n", std::int64_t{1}}});
    b.event("anna", "go", t0 - 1_h, {{"n", std::int64_t{2}}}, "", t0 + 1_h);
    const auto w = jm::workflow("w").on(jm::event("go")).step("pause", jm::wait(1_d).next("hello")).step("hello", jm::send("email").with("n", jm::trigger("n")));
    const auto r = jm::replay(with({w}), std::move(b).finish(), {.until = t0 + 9_d, .order = jm::run_order::arrival});
    CHECK(lines(r.actions(), {"at", "values"}) == "2026-02-01T09:00:00Z {\"n\":1}\n");
}

TEST_CASE("who is known by a late event alone is known when it arrives")
{
    jm::history_builder b;
    b.event("anna", "go", t0 + 1_d, {}, "", t0 + 5_d);
    auto w = jm::workflow("w").step("hello", jm::send("email"));
    w.trigger = jm::enters_trigger{"all"};
    auto d = with({w});
    d.context.segments.emplace("all", jm::event("purchase").never());
    const auto h = std::move(b).finish();
    CHECK(sent(d, h) == "anna hello 2026-02-05T09:00:00Z\n");
    CHECK(sent(d, h, jm::run_order::event) == "anna hello 2026-02-01T09:00:00Z\n");
}

TEST_CASE("without late inputs both orders say the same")
{
    jm::history_builder b;
    for (int k = 0; k < 50; ++k) {
        b.event("c" + std::to_string(k), "go", t0 + std::chrono::hours{k});
        b.event("c" + std::to_string(k), "click", t0 + std::chrono::hours{k * 3});
    }
    const auto h = std::move(b).finish();
    CHECK(sent(with({waiting()}), h) == sent(with({waiting()}), h, jm::run_order::event));
}
