// From one version of workflows to another.
#include "journeyman/workflow/upgrade.hpp"

#include <doctest/doctest.h>

#include "journeyman/playbook/playbook.hpp"
#include "journeyman/run/run.hpp"
#include "unit/run_support.hpp"

namespace jm = journeyman;
using namespace jm::literals;
using support::t0;

namespace {

jm::workflow_program_ptr compiled(const jm::workflow& w) { return jm::playbook("Europe/Rome").add(w).compiled(); }
jm::contact_state waiting(const jm::workflow_program_ptr& p, const char* id = "anna") {
    jm::contact_state s{id};
    jm::advance(p, s, jm::input::event("a", t0, {{"k", std::string{"x"}}}), [](const jm::action&) {});
    return s;
}
std::string plan(const jm::workflow& from, const jm::workflow& to, const jm::step_moves& moves = {}) {
    const auto a = compiled(from), b = compiled(to);
    const auto s = waiting(a);
    const auto t = jm::plan_upgrade(a, b, std::span{&s, 1}, moves);
    std::string reason = t.column("reason").present(0) ? jm::to_text(t.column("reason").at(0)) : "";
    return support::lines(t, {"contact_id", "step", "how", "to_step"}) + reason.substr(0, reason.find(';'));
}

const auto on = jm::workflow("w").on(jm::event("a"));
const auto old = on.step("wait", jm::wait(5_d).next("send")).step("send", jm::send("email").with("k", jm::trigger("k")));

}  // namespace

TEST_CASE("where journeys would land")
{
    CHECK(plan(old, old) == "anna wait unchanged wait\n");
    CHECK(plan(old, on.step("wait", jm::wait(3_d).next("send")).step("send", jm::send("sms"))) == "anna wait continues wait\n");
    const auto renamed = on.step("pause", jm::wait(5_d).next("send")).step("send", jm::send("email"));
    CHECK(plan(old, renamed) == "anna wait refused -\nstep \"wait\" is gone");
    CHECK(plan(old, renamed, {{"w", {{"wait", "pause"}}}}) == "anna wait continues pause\n");
    CHECK(plan(old, renamed, {{"w", {{"wait", "send"}}}}) == "anna wait enters send\n");
    const auto other = on.step("wait", jm::wait_for(jm::event("b")).then("end"));
    CHECK(plan(old, other) == "anna wait refused -\nstep \"wait\" was a wait and is a wait_for, which cannot go on with it");
    CHECK(plan(old, other, {{"w", {{"wait", "wait"}}}}) == "anna wait enters wait\n");
    CHECK(plan(old, jm::workflow("v").on(jm::event("a")).step("wait", jm::wait(5_d))) == "anna wait refused -\nworkflow \"w\" is gone");
    CHECK(plan(old, old.again({jm::reentry_rule::each, {}, "k"})) == "anna wait refused -\nthe new version has one journey for each `k`, and this one began without such a rule");
    CHECK_THROWS_AS(plan(old, renamed, {{"w", {{"wait", "pose"}}}}), jm::error);
}

TEST_CASE("a wait goes on from when it began, as the new version has it")
{
    for (const auto& [length, due] : {std::pair{jm::length{7_d}, t0 + 7_d}, std::pair{jm::length{1_d}, t0 + 2_d}}) {   // what would be over is due now
        auto s = waiting(compiled(old));
        const auto next = compiled(on.step("wait", jm::wait(length).next("send")).step("send", jm::send("sms").with("k", jm::trigger("k"))));
        std::string sent;
        const auto sink = [&](const jm::action& a) { sent += a.channel + " " + jm::to_text(a.values[0].second) + " " + jm::to_text(a.at); };
        jm::upgrade(next, s, t0 + 2_d, {}, sink);
        CHECK(sent.empty());
        while (s.next_due() != jm::end_of_time) jm::advance(next, s, jm::input::tick(s.next_due()), sink);
        CHECK(sent == "sms x " + jm::to_text(due));
    }
}

TEST_CASE("all of a contact's journeys move, or none")
{
    auto s = waiting(compiled(old));
    const auto before = s.to_json();
    CHECK_THROWS_AS(jm::upgrade(compiled(on.step("else", jm::wait(5_d))), s, t0 + 1_d, {}, [](const jm::action&) {}), jm::error);
    CHECK(s.to_json() == before);
    std::string sent;
    jm::upgrade(compiled(on.step("wait", jm::wait(5_d).next("call")).step("call", jm::task("call", "sales", jm::length{1_d}))), s, t0 + 1_d, {{"w", {{"wait", "call"}}}}, [&](const jm::action& a) { sent = a.step + " " + jm::to_text(a.at); });
    CHECK(sent == "call 2026-02-01T09:00:00Z");
    CHECK(s.journeys().empty());
}

TEST_CASE("a plan of the journeys that run at the end of a run")
{
    jm::history_builder b;
    for (const auto* id : {"anna", "bea"}) b.event(id, "a", t0);
    b.event("bea", "b", t0 + 1_d);
    const auto h = std::move(b).finish();
    const auto w = on.step("wait", jm::wait_for(jm::event("b")).then("end"));
    const auto r = jm::playbook("Europe/Rome").add(w).replay(h);
    const auto to = compiled(on.step("wait", jm::wait_for(jm::event("c")).then("end")));
    CHECK(support::lines(jm::plan_upgrade(r.compiled(), to, r.in_flight()), {"contact_id", "workflow", "journey", "step", "how", "to_step"}) == "anna w 1 wait continues wait\n");
}
