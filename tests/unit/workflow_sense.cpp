// What follows from predicates, and what a workflow can never do.
#include "workflow/reason.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "journeyman/history/builder.hpp"
#include "journeyman/playbook/playbook.hpp"
#include "journeyman/workflow/paths.hpp"

namespace jm = journeyman;
using namespace jm::literals;

namespace {

jm::predicate p(const char* text) { return jm::predicate::parse(text); }

/// "code place" of the warnings.
std::vector<std::string> warned(const jm::playbook& b) {
    std::vector<std::string> out;
    for (const auto& x : b.check()) if (x.severity != jm::severity::note) out.push_back(x.code + " " + x.place);
    return out;
}
using lines = std::vector<std::string>;

jm::workflow on(const char* name = "w") { return jm::workflow(name).on(jm::event("purchase")); }

}  // namespace

TEST_CASE("what is yes whenever something else is")
{
    const jm::reasoning r;
    const auto implies = [&](const char* a, const char* b) { return r.implies(p(a), p(b)); };
    CHECK(implies("score > 80", "score > 50"));
    CHECK(!implies("score > 50", "score > 80"));
    CHECK(implies("score > 50", "score >= 50"));
    CHECK(!implies("score >= 50", "score > 50"));
    CHECK(implies("score == 3", "score between 1 and 3.0"));
    CHECK(implies("score == 3", "score == 3.0"));
    CHECK(implies("city == \"Roma\"", "city in [\"Roma\", \"Milano\"]"));
    CHECK(implies("city == \"Roma\"", "city != \"Milano\""));
    CHECK(!implies("city != \"Milano\"", "city == \"Roma\""));
    CHECK(implies("city == \"Roma\" and vip", "vip or score > 3"));
    CHECK(implies("score > 3 and score < 9", "score between 3 and 9"));
    CHECK(implies("count(a) >= 3", "did(a)"));
    CHECK(implies("did(a, last 7d)", "did(a, last 30d)"));
    CHECK(!implies("did(a, last 30d)", "did(a, last 7d)"));
    CHECK(implies("never(a, last 30d)", "never(a, last 7d)"));
    CHECK(!implies("never(a, last 7d)", "never(a, last 30d)"));
    CHECK(!implies("did(a where x == 1, last 7d)", "did(a, last 30d)"));         // true, but more than it sees
    CHECK(!implies("vip", "not vip"));
    // An instant has several ways of writing.
    CHECK(!r.exclude({p("at == \"2026-01-31T00:00:00Z\""), p("at == \"2026-01-31T01:00:00+01:00\"")}));
}

TEST_CASE("what is never yes together")
{
    jm::compile_context context;
    context.segments.emplace("vip", p("score > 90"));
    const jm::reasoning r{&context};
    const auto exclude = [&](const char* a, const char* b) { return r.exclude({p(a), p(b)}); };
    CHECK(exclude("audience == \"B2C\"", "audience == \"B2B\""));
    CHECK(exclude("score > 3", "score < 3"));
    CHECK(!exclude("score >= 3", "score <= 3"));
    CHECK(exclude("did(a, last 7d)", "never(a, last 30d)"));
    CHECK(!exclude("did(a, last 30d)", "never(a, last 7d)"));
    CHECK(exclude("vip", "not vip"));
    CHECK(exclude("segment(\"vip\")", "score < 10"));
    CHECK(exclude("did(a)", "not (did(a) or b)"));
    CHECK(!exclude("city == \"Roma\"", "town == \"Milano\""));
    CHECK(r.constant(p("count(a) >= 0")) == jm::always::yes);
    CHECK(r.constant(p("count(a) < 0")) == jm::always::no);
    CHECK(r.constant(p("score > 3 and score < 2 or vip")) == jm::always::open);
}

TEST_CASE("a choice that an earlier one always takes, in order of the places")
{
    const auto w = on().step("b", jm::branch().when(p("score > 50"), "a").when(p("score > 80"), "c").when(p("score > 20"), "c").otherwise("end")).step("a", jm::send("email")).step("c", jm::send("email"));
    CHECK(warned(jm::playbook("UTC").add(w)) == lines{"workflow.choice workflows.w.steps.b.branch.1.if"});
}

TEST_CASE("who cannot enter, and goals that cannot be met or are met already")
{
    const auto send = jm::send("email");
    CHECK(warned(jm::playbook("UTC").add(on().audience(p("x > 3 and x < 2")).step("a", send))) == lines{"workflow.audience workflows.w.audience"});
    CHECK(warned(jm::playbook("UTC").add(on().goal(p("x == 1 and x == 2")).step("a", send))) == lines{"workflow.goal workflows.w.goal"});
    CHECK(warned(jm::playbook("UTC").add(on().audience(p("plan == \"paid\" and vip")).goal(p("plan == \"paid\"")).step("a", send))) == lines{"workflow.goal workflows.w.goal"});
    CHECK(warned(jm::playbook("UTC").add(on().goal(p("did(purchase, since entry)")).step("a", send))) == lines{});
    auto enters = jm::workflow("w").audience(p("plan == \"free\"")).step("a", send);
    enters.trigger = jm::enters_trigger{"paying"};
    CHECK(warned(jm::playbook("UTC").add(jm::segment{"paying", p("plan == \"paid\"")}, enters)) == lines{"workflow.audience workflows.w.audience"});
}

TEST_CASE("a channel that the audience cannot get")
{
    jm::policies rules;
    rules.consent = {{"email", p("newsletter")}, {"sms", p("phone_ok")}, {"email.offers", p("offers")}};
    const auto warns = [&](const jm::workflow& w) { return warned(jm::playbook("UTC").add(w, rules)); };
    const auto none = on().audience(p("not newsletter and offers"));
    CHECK(warns(none.step("a", jm::send("email"))) == lines{"workflow.channel workflows.w.steps.a.send"});
    CHECK(warns(none.step("a", jm::send(std::vector<std::string>{"email", "sms"}))) == lines{});
    CHECK(warns(none.step("a", jm::send("email").transactional())) == lines{});
    CHECK(warns(on().audience(p("not offers")).step("a", jm::send("email").topic("offers"))) == lines{"workflow.channel workflows.w.steps.a.send"});
    rules.holdout = p("bucket(\"h\") < 0.1 or plan == \"test\"");
    CHECK(warns(on().audience(p("plan == \"test\"")).step("a", jm::send("sms"))) == lines{"workflow.channel workflows.w.steps.a.send"});
}

TEST_CASE("a window shorter than the wait before it")
{
    const auto after = [](const jm::step& wait, const char* question) {
        return warned(jm::playbook("UTC").add(on().step("wait", wait).step("note", jm::send("email").next("b")).step("b", jm::branch().when(p(question), "end").otherwise("end"))));
    };
    CHECK(after(jm::wait(30_d).next("note"), "did(opened, last 7d)") == lines{"workflow.window workflows.w.steps.b.branch.0.if"});
    CHECK(after(jm::wait(7_d).next("note"), "did(opened, last 7d)") == lines{});
    CHECK(after(jm::wait_for(jm::event("clicked")).timeout(8_d).then("end").otherwise("note"), "did(opened, last 7d)") == lines{"workflow.window workflows.w.steps.b.branch.0.if"});
    CHECK(after(jm::wait(30_d).next("note"), "did(opened, since step(\"wait\"))") == lines{});
}

TEST_CASE("a send that a cap never lets through")
{
    jm::policies rules;
    rules.caps.push_back({"email", 1, jm::length{7_d}, false});
    const auto w = [](jm::length wait) { return on().step("a", jm::send("email").next("w")).step("w", jm::wait(wait).next("b")).step("b", jm::send("email")); };
    CHECK(warned(jm::playbook("UTC").add(w(6_d), rules)) == lines{"workflow.cap workflows.w.steps.b.send"});
    CHECK(warned(jm::playbook("UTC").add(w(7_d), rules)) == lines{});
    // By one way there is time enough.
    const auto split = on().step("a", jm::send("email").next("s")).step("s", jm::branch().when(p("vip"), "w").otherwise("b")).step("w", jm::wait(8_d).next("b")).step("b", jm::send("email"));
    CHECK(warned(jm::playbook("UTC").add(split, rules)) == lines{});
    rules.caps[0].defer = true;
    CHECK(warned(jm::playbook("UTC").add(w(6_d), rules)) == lines{});
}

TEST_CASE("the most sends of all workflows")
{
    const auto note = [](const jm::policies& rules, jm::reentry_rule again) {
        const auto b = jm::playbook("UTC").add(on("a").step("x", jm::send("email").next("y")).step("y", jm::send("email")), on("b").again(again).step("x", jm::send("email")), rules);
        for (const auto& x : b.check()) if (x.code == "workflow.sends" && x.place == "workflows") return x.message.substr(0, x.message.find(';'));
        return std::string{};
    };
    jm::policies rules;
    CHECK(note(rules, {}) == "of all workflows together a contact gets at most 3 sends, and at most 3 sends within 24 hours");
    CHECK(note(rules, {jm::reentry_rule::after_exit, {}, {}}) == "of all workflows together a contact gets any number of sends, and any number of sends within 24 hours");
    rules.caps.push_back({"", 2, jm::calendar_unit::day, false});
    CHECK(note(rules, {jm::reentry_rule::after_exit, {}, {}}) == "of all workflows together a contact gets any number of sends, and at most 4 sends within 24 hours");
}

TEST_CASE("every way to the discount passes the opened check")
{
    const auto w = on().step("welcome", jm::send("email").next("opened")).step("opened", jm::wait_for(jm::event("email_opened")).timeout(3_d).then("buys").otherwise("remind"))
        .step("remind", jm::send("email").next("end")).step("buys", jm::branch().when(p("vip"), "thanks").otherwise("discount")).step("discount", jm::send("email").next("thanks")).step("thanks", jm::send("email"))
        .step("lost", jm::send("email").next("thanks"));
    CHECK(jm::passes(w, "discount", "opened"));
    CHECK(jm::passes(w, "discount", "opened", "then"));
    CHECK(!jm::passes(w, "discount", "opened", "timeout"));
    CHECK(jm::passes(w, "discount", "buys", "else"));
    CHECK(!jm::passes(w, "thanks", "discount"));
    CHECK(jm::passes(w, "thanks", "thanks"));
    CHECK_THROWS_AS(jm::passes(w, "nowhere", "opened"), jm::error);
    std::string all;
    for (const auto& [step, over] : jm::dominators(w)) {
        all += step + ":";
        for (const auto& s : over) all += " " + s;
        all += "\n";
    }
    CHECK(all == "welcome: welcome\nopened: welcome opened\nremind: welcome opened remind\nbuys: welcome opened buys\ndiscount: welcome opened buys discount\nthanks: welcome opened buys thanks\nlost:\n");
    const auto l = jm::lengths_of(w);
    CHECK(l.sends == 3);
    CHECK(l.longest == jm::microseconds{3_d});
}

TEST_CASE("a goal that the trigger has met, unless another workflow may start the journey")
{
    const auto w = jm::workflow("w").on(jm::event("purchase").where(jm::prop("amount") > 5)).step("wait", jm::wait(1_d));
    CHECK(warned(jm::playbook("UTC").add(w.goal(jm::event("purchase").did()))) == lines{"workflow.goal workflows.w.goal"});
    CHECK(warned(jm::playbook("UTC").add(w.goal(jm::event("purchase").count() >= 2))).empty());
    CHECK(warned(jm::playbook("UTC").add(w.goal(jm::event("purchase").since_entry().did()))).empty());
    const auto other = jm::workflow("other").on(jm::event("lead")).step("go", jm::start("w"));
    CHECK(warned(jm::playbook("UTC").add(w.goal(jm::event("purchase").did()), other)).empty());
}

TEST_CASE("workflows that can cause each other at one instant")
{
    const jm::reentry_rule again{jm::reentry_rule::after_exit, {}, {}};
    const auto a = jm::workflow("a").on(jm::event("ping")).again(again).step("pong", jm::emit("pong"));
    const auto b = jm::workflow("b").on(jm::event("pong")).again(again).step("back", jm::start("a"));
    const auto circle = lines{"workflow.circle workflows.a.steps.pong"};
    CHECK(warned(jm::playbook("UTC").add(a, b)) == circle);
    CHECK(warned(jm::playbook("UTC").add(a.again({}), b)).empty());                                       // once
    auto waits = jm::workflow("b").on(jm::event("pong")).again(again).step("later", jm::wait(1_d).next("back")).step("back", jm::start("a"));
    CHECK(warned(jm::playbook("UTC").add(a, waits)).empty());
    CHECK(warned(jm::playbook("UTC").add(jm::workflow("self").on(jm::event("ping")).again(again).step("ping", jm::emit("ping")))) == lines{"workflow.circle workflows.self.steps.ping"});
}

TEST_CASE("re-entry by a property that an event does not have")
{
    jm::history_builder h;
    const jm::instant t = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1};
    h.event("anna", "order", t, {{"id", std::int64_t{1}}});
    h.event("anna", "paid", t, {{"amount", 2.0}});
    const auto history = std::move(h).finish();
    const auto found = [&](const jm::playbook& b) {
        lines out;
        for (const auto& x : b.check(history)) if (x.severity != jm::severity::note) out.push_back(x.code + " " + x.place);
        return out;
    };
    const auto w = jm::workflow("w").on(jm::event("order")).step("paid", jm::wait_for(jm::event("paid")).timeout(1_d).then("end").otherwise("end"));
    CHECK(found(jm::playbook("UTC").add(w.again({jm::reentry_rule::each, {}, "id"}))) == lines{"workflow.reentry workflows.w.steps.paid.wait_for"});
    CHECK(found(jm::playbook("UTC").add(w.again({jm::reentry_rule::each, {}, "nr"}))) == lines{"workflow.reentry workflows.w.reentry.each", "workflow.reentry workflows.w.steps.paid.wait_for"});
}
