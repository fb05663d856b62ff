// Replaying workflows over small histories.
#include "journeyman/run/replay.hpp"

#include <doctest/doctest.h>

#include <set>

#include "journeyman/predicate/select.hpp"
#include "unit/run_support.hpp"

namespace jm = journeyman;
using namespace jm::literals;
using namespace std::chrono_literals;
using namespace support;

namespace {

jm::workflow webinar()
{
    return jm::workflow("webinar").audience(jm::attr("audience") == "B2C").on(jm::event("form"))
        .goal(jm::event("purchase").since_entry().did())
        .step("welcome", jm::send("email").next("opened"))
        .step("opened", jm::wait_for(jm::event("opened")).timeout(3_d).then("follow_up").otherwise("reminder"))
        .step("reminder", jm::send("email").next("end"))
        .step("follow_up", jm::send("email"));
}

jm::history crowd(int n)
{
    jm::history_builder b;
    for (int k = 0; k < n; ++k) {
        const auto id = "c" + std::to_string(k);
        b.contact(id, {{"audience", std::string{k % 3 == 0 ? "B2B" : "B2C"}}});
        b.event(id, "form", t0 + std::chrono::minutes{k % 50});
        if (k % 2 == 0) b.event(id, "opened", t0 + std::chrono::hours{k % 90});
        if (k % 5 == 0) b.event(id, "purchase", t0 + std::chrono::hours{k % 40});
    }
    return std::move(b).finish();
}

}  // namespace

TEST_CASE("a webinar: in time, out of time, the goal in the middle of a wait")
{
    jm::history_builder b;
    for (const auto* id : {"anna", "bea", "carla", "dora"}) b.contact(id, {{"audience", std::string{id[0] == 'd' ? "B2B" : "B2C"}}}), b.event(id, "form", t0);
    b.event("anna", "opened", t0 + 3_d);              // exactly at the deadline is in time
    b.event("bea", "opened", t0 + 3_d + 1_us);
    b.event("carla", "purchase", t0 + 1_d);
    b.event("carla", "opened", t0 + 2_d);
    const auto r = jm::replay(with({webinar()}), std::move(b).finish());
    CHECK(actions(r) == "anna welcome 2026-01-31T09:00:00Z sent -\n"
                        "bea welcome 2026-01-31T09:00:00Z sent -\n"
                        "carla welcome 2026-01-31T09:00:00Z sent -\n"
                        "anna follow_up 2026-02-03T09:00:00Z sent -\n"
                        "bea reminder 2026-02-03T09:00:00Z sent -\n");
    CHECK(journeys(r) == "anna 2026-02-03T09:00:00Z completed follow_up\n"
                         "bea 2026-02-03T09:00:00Z completed reminder\n"
                         "carla 2026-02-01T09:00:00Z goal opened\n");
    CHECK(lines(r.edges(), {"from", "to", "outcome", "count", "time_p50"}) ==
          "- welcome entered 3 -\nwelcome opened next 3 0s\nopened - goal 1 1d\nopened reminder timeout 1 3d\nopened follow_up then 1 3d\nreminder - next 1 0s\nfollow_up - next 1 0s\n");
    CHECK(lines(r.steps(), {"step", "entered", "moved_on", "completed", "goal", "waiting", "sent", "time_p50"}) ==
          "welcome 3 3 0 0 0 3 0s\nopened 3 2 0 1 0 0 3d\nreminder 1 0 1 0 0 1 0s\nfollow_up 1 0 1 0 0 1 0s\n");
}

TEST_CASE("`until` is inclusive, and who is not through is running")
{
    jm::history_builder b;
    b.contact("anna", {{"audience", std::string{"B2C"}}});
    b.event("anna", "form", t0);
    const auto h = std::move(b).finish();
    CHECK(journeys(jm::replay(with({webinar()}), h, {.until = t0 + 3_d - 1_us})) == "anna - running opened\n");
    CHECK(journeys(jm::replay(with({webinar()}), h, {.until = t0 + 3_d})) == "anna 2026-02-03T09:00:00Z completed reminder\n");
    CHECK(journeys(jm::replay(with({webinar()}), h, {.start = t0 + 1_us, .until = t0 + 3_d})).empty());
    CHECK(error_of(with({webinar()}), h, {.start = t0, .until = t0 - 1_d}) == "run.window at ");
}

TEST_CASE("a month is a calendar month of the playbook's zone")
{
    jm::history_builder b;
    b.event("anna", "go", t0);
    auto d = with({jm::workflow("w").on(jm::event("go")).step("pause", jm::wait(1_mo).next("hello")).step("hello", jm::send("email"))});
    d.context.zone = jm::load_zone("Europe/Rome");
    CHECK(actions(jm::replay(d, std::move(b).finish(), {.until = t0 + 60_d})) == "anna hello 2026-02-28T09:00:00Z sent -\n");
}

TEST_CASE("passing time alone makes an awaited predicate true, at that very microsecond")
{
    jm::history_builder b;
    b.event("anna", "purchase", t0 - 29_d);
    b.event("anna", "go", t0);
    const auto w = jm::workflow("w").on(jm::event("go"))
        .step("lapsed", jm::wait_for(jm::event("purchase").last(30_d).never()).timeout(1_d).then("yes").otherwise("no"))
        .step("yes", jm::send("email")).step("no", jm::send("email"));
    CHECK(actions(jm::replay(with({w}), std::move(b).finish(), {.until = t0 + 5_d})) == "anna yes 2026-02-01T09:00:00Z sent -\n");
}

TEST_CASE("re-entry")
{
    jm::history_builder b;
    for (int k = 0; k < 4; ++k) b.event("anna", "go", t0 + std::chrono::hours{24 * k}, {{"order", std::string{k == 3 ? "o0" : "o" + std::to_string(k)}}});
    const auto h = std::move(b).finish();
    const auto entries = [&](jm::reentry_rule r) { return jm::replay(with({jm::workflow("w").on(jm::event("go")).again(r).step("pause", jm::wait(36_h))}), h, {.until = t0 + 9_d}).journeys().rows(); };
    CHECK(entries({}) == 1);
    CHECK(entries({jm::reentry_rule::after_exit, {}, {}}) == 2);
    CHECK(entries({jm::reentry_rule::after, 2_d, {}}) == 2);
    CHECK(entries({jm::reentry_rule::after, 3_d, {}}) == 2);
    CHECK(entries({jm::reentry_rule::after, 3_d + 1_us, {}}) == 1);
    CHECK(entries({jm::reentry_rule::each, {}, "order"}) == 3);
}

TEST_CASE("gates: consent by channel, by topic, transactional; holdout; quiet hours; caps")
{
    jm::history_builder b;
    b.contact("anna", {{"email_ok", true}, {"news_ok", false}});
    b.contact("bea", {{"sms_ok", true}, {"held", true}});
    for (const auto* id : {"anna", "bea"}) b.event(id, "go", t0);
    const auto h = std::move(b).finish();
    const auto run = [&](jm::step s, jm::policies p = {}) {
        auto d = with({jm::workflow("w").on(jm::event("go")).step("hello", std::move(s))});
        p.consent = {{"email", jm::attr("email_ok")}, {"email.news", jm::attr("news_ok")}, {"email.transactional", jm::attr("held")}, {"sms", jm::attr("sms_ok")}};
        d.policies = p;
        return lines(jm::replay(d, h, {.until = t0 + 2_d}).actions(), {"contact_id", "channel", "status", "reason", "until"});
    };
    CHECK(run(jm::send("email")) == "anna email sent - -\nbea email suppressed consent -\n");
    CHECK(run(jm::send("email").topic("news")) == "anna email suppressed consent -\nbea email suppressed consent -\n");
    CHECK(run(jm::send("email").transactional()) == "anna email suppressed consent -\nbea email sent - -\n");
    CHECK(run(jm::send(std::vector<std::string>{"sms", "email"})) == "anna email sent - -\nbea sms sent - -\n");
    jm::policies p;
    p.holdout = jm::attr("held");
    CHECK(run(jm::send(std::vector<std::string>{"sms", "email"}), p) == "anna email sent - -\nbea sms suppressed holdout -\n");
    p = {};
    p.quiet.push_back({{8 * 60}, {10 * 60}, {}, {}});
    CHECK(run(jm::send(std::vector<std::string>{"sms", "email"}), p) == "anna email deferred quiet_hours 2026-01-31T10:00:00Z\nbea sms deferred quiet_hours 2026-01-31T10:00:00Z\nanna email sent - -\nbea sms sent - -\n");
    p = {};
    p.caps.push_back({"email", 0, jm::length{7_d}, true});
    CHECK(run(jm::send(std::vector<std::string>{"sms", "email"}), p) == "anna email suppressed cap -\nbea sms sent - -\n");
}

TEST_CASE("a full cap that defers waits for the first instant with room")
{
    jm::history_builder b;
    b.event("anna", "go", t0);
    auto d = with({jm::workflow("w").on(jm::event("go")).step("a", jm::send("email").next("b")).step("b", jm::send("email"))});
    d.policies.caps.push_back({"", 1, jm::length{1_d}, true});
    CHECK(lines(jm::replay(d, std::move(b).finish(), {.until = t0 + 5_d}).actions(), {"step", "at", "status", "until"}) ==
          "a 2026-01-31T09:00:00Z sent -\nb 2026-01-31T09:00:00Z deferred 2026-02-01T09:00:00Z\nb 2026-02-01T09:00:00Z sent -\n");
}

TEST_CASE("a cap of a month: what was sent on the 31st can leave before what was sent on the 30th")
{
    jm::history_builder b;
    const auto at = [](int m, int d, auto time) -> jm::instant { return std::chrono::sys_days{2026y / m / d} + time; };
    for (const auto t : {at(1, 30, 10h), at(1, 31, 9h), at(2, 20, 9h), at(2, 28, 9h + 30min)}) b.event("anna", "go", t);
    const auto h = std::move(b).finish();
    auto d = with({jm::workflow("w").on(jm::event("go")).again({jm::reentry_rule::after_exit, {}, {}}).step("hello", jm::send("email"))});
    d.policies.caps.push_back({"", 2, jm::length{1_mo}, true});
    CHECK(lines(jm::replay(d, h, {.until = at(2, 28, 9h)}).actions(), {"at", "status", "until"}) ==
          "2026-01-30T10:00:00Z sent -\n2026-01-31T09:00:00Z sent -\n2026-02-20T09:00:00Z deferred 2026-02-28T09:00:00Z\n2026-02-28T09:00:00Z sent -\n");
}

TEST_CASE("one journey for each value: whole numbers and decimals are numbers")
{
    jm::history_builder b;
    for (const std::int64_t id : {1, 2}) b.event("anna", "order", t0, {{"id", id}});
    b.event("anna", "paid", t0 + 1_h, {{"id", 2.0}});
    const auto w = jm::workflow("w").on(jm::event("order")).again({jm::reentry_rule::each, {}, "id"})
                       .step("wait", jm::wait_for(jm::event("paid")).timeout(1_d).then("thanks").otherwise("end")).step("thanks", jm::send("email"));
    CHECK(lines(jm::replay(with({w}), std::move(b).finish(), {.until = t0 + 2_d}).actions(), {"journey", "at"}) == "2 2026-01-31T10:00:00Z\n");
}

TEST_CASE("the answer does not depend on the number of threads, and keys are one for each journey and step")
{
    const auto h = crowd(1'000);
    auto d = with({webinar(), jm::workflow("halves").on(jm::event("form")).step("split", jm::step{jm::split_step{{{1, "a"}, {1, "end"}}}}).step("a", jm::task("Call", "sales", 1_d))});
    const auto one = jm::replay(d, h, {.threads = 1});
    const auto many = jm::replay(d, h, {.threads = 5});
    CHECK(one.actions() == many.actions());
    CHECK(one.journeys() == many.journeys());
    CHECK(one.steps() == many.steps());
    CHECK(one.edges() == many.edges());
    CHECK(one.handled() == many.handled());
    CHECK(one.spans().size() == many.spans().size());
    std::set<std::string> keys;
    for (std::size_t r = 0; r < one.actions().rows(); ++r) keys.emplace(one.actions().column("key").text(r));
    CHECK(keys.size() == one.actions().rows());
    CHECK(one.actions().rows() > 1'000);
}

TEST_CASE("a split stays when the workflow changes, the version does not")
{
    const auto h = crowd(200);
    const auto split = [&](jm::workflow w) {
        w = w.on(jm::event("form")).step("half", jm::step{jm::split_step{{{1, "a"}, {1, "end"}}}}).step("a", jm::send("email"));
        return jm::replay(with({w}), h);
    };
    const auto before = split(jm::workflow("w")), after = split(jm::workflow("w").priority(3));
    CHECK(lines(before.actions(), {"contact_id"}) == lines(after.actions(), {"contact_id"}));
    CHECK(before.actions().rows() > 60);
    CHECK(before.actions().rows() < 140);
    CHECK(before.actions().column("version").text(0) != after.actions().column("version").text(0));
}

TEST_CASE("actions are events of the run's history, and payloads are worked out when sent")
{
    jm::history_builder b;
    b.event("anna", "go", t0, {{"name", std::string{"Anna \"A\""}}});
    const auto w = jm::workflow("w").on(jm::event("go")).step("hello", jm::send("email").template_("hi").with("deadline", jm::now + 5_d).with("name", jm::trigger("name")).with("n", 3));
    const auto r = jm::replay(with({w}), std::move(b).finish());
    CHECK(lines(r.actions(), {"template", "values"}) == "hi {\"deadline\":\"2026-02-05T09:00:00Z\",\"name\":\"Anna \\\"A\\\"\",\"n\":3}\n");
    CHECK(r.history().events_count() == 2);
    CHECK(r.history().select(jm::event("$action").where(jm::prop("step") == "hello").did(), t0).count() == 1);
    CHECK(r.history().select(jm::event("$action").did(), t0 - 1_us).count() == 0);
}

TEST_CASE("nothing to run, nobody to run it for")
{
    CHECK(jm::replay({}, crowd(3)).actions().rows() == 0);
    auto empty = with({webinar()});
    empty.types = {{"contact.audience", "text"}};
    CHECK(jm::replay(empty, crowd(0)).journeys().rows() == 0);
    CHECK(jm::run{}.actions().rows() == 0);
    int asked = 0;
    CHECK(error_of(with({webinar()}), crowd(3), {.threads = 1, .progress = [&](double) { return ++asked < 0; }}) == "run.stopped at ");
    CHECK(jm::replay(with({webinar()}), crowd(9), {.start = t0, .only = jm::attr("audience") == "B2B"}).journeys().rows() == 0);
}
