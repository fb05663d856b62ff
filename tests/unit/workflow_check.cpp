// Building, comparing and checking workflows.
#include "journeyman/workflow/check.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace jm = journeyman;
using namespace jm::literals;

namespace {

jm::workflow webinar()
{
    return jm::workflow("webinar")
        .on(jm::event("form_submitted").where(jm::prop("form") == "webinar"))
        .goal(jm::event("purchase").since_entry().did())
        .step("welcome", jm::send("email").with("deadline", jm::now + 5_d).next("opened"))
        .step("opened", jm::wait_for(jm::event("email_opened")).timeout(3_d).then("follow_up").otherwise("reminder"))
        .step("reminder", jm::send("email").next("follow_up"))
        .step("follow_up", jm::send("email"));
}

/// "code place" of each problem; notes are in `all` only.
std::vector<std::string> found(const std::vector<jm::workflow>& w, const jm::policies& p = {}, jm::problems* all = nullptr)
{
    jm::schema known;
    known.contact["audience"] = jm::value_type::text;
    known.events["form_submitted"]["form"] = jm::value_type::text;
    known.events["purchase"];
    known.events["email_opened"];
    jm::compiler c{known, std::make_shared<jm::text_pool>()};
    jm::problems out;
    jm::check_workflows(w, p, {"vip"}, c, out);
    std::vector<std::string> lines;
    for (const auto& x : out) if (x.severity != jm::severity::note) lines.push_back(x.code + " " + x.place);
    if (all != nullptr) *all = out;
    return lines;
}

using lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a sound workflow has no problems")
{
    CHECK(found({webinar()}) == lines{});
}

TEST_CASE("workflows are equal when all they say is equal")
{
    CHECK(jm::equals(webinar(), webinar()));
    CHECK(!jm::equals(webinar(), webinar().priority(1)));
    CHECK(!jm::equals(jm::send("email"), jm::send(std::vector<std::string>{"email", "sms"})));
    CHECK(!jm::equals(jm::send("email").phase("a"), jm::send("email").next("a")));
    CHECK(!jm::equals(jm::wait(1_mo), jm::wait(30_d)));
    jm::policies p;
    p.caps.push_back({"email", 1, jm::length{7_d}, false});
    CHECK(!jm::equals(p, jm::policies{}));
}

TEST_CASE("a builder of another kind of step says where it belongs")
{
    CHECK_THROWS_WITH_AS(jm::wait(1_d).template_("x"), "`template` is for send, this step is a wait [workflow.step]", jm::error);
    CHECK_THROWS_AS(jm::branch().timeout(1_d), jm::error);
    CHECK_THROWS_AS(jm::exit_journey().with("x", 1), jm::error);
}

TEST_CASE("names that lead nowhere are found, with the nearest")
{
    jm::problems all;
    const auto w = jm::workflow("w").on(jm::event("purchase")).step("hello", jm::send("email").next("remind")).step("reminder", jm::send("email"));
    CHECK(found({w}, {}, &all) == lines{"name.unknown workflows.w.steps.hello.next", "workflow.unreachable workflows.w.steps.reminder"});
    CHECK(all[0].message == "there is no step \"remind\". Did you mean reminder?");
    CHECK(all.errors() == 1);
}

TEST_CASE("a circle is named with its path")
{
    jm::problems all;
    const auto w = jm::workflow("w").on(jm::event("purchase")).step("a", jm::wait(1_d).next("b")).step("b", jm::wait(1_d).next("c")).step("c", jm::send("email").next("b"));
    CHECK(found({w}, {}, &all) == lines{"workflow.circle workflows.w.steps.b"});
    CHECK(all[0].message.find("b → c → b") != std::string::npos);
}

TEST_CASE("missing outcomes")
{
    const auto w = jm::workflow("w").on(jm::event("purchase"))
        .step("opened", jm::wait_for(jm::event("email_opened")).timeout(3_d).then("who"))
        .step("who", jm::branch().when(jm::attr("audience") == "B2C", "end"));
    CHECK(found({w}) == lines{"workflow.outcome workflows.w.steps.opened.else", "workflow.outcome workflows.w.steps.who.else"});
}

TEST_CASE("predicates are checked with their places")
{
    const auto w = jm::workflow("w").on(jm::event("purchase")).audience(jm::attr("audienc") == "B2C").goal(jm::event("purchase").since_step("hell").did())
        .step("hello", jm::wait_for(jm::attr("audience") > 3).then("end"));
    jm::policies p;
    p.consent.emplace_back("email", jm::attr("newsletter") == true);
    const auto all = found({w}, p);
    for (const auto* x : {"name.unknown policies.consent.email", "name.unknown workflows.w.audience", "name.unknown workflows.w.goal", "type.mismatch workflows.w.steps.hello.wait_for"}) {
        CAPTURE(x);
        CHECK(std::count(all.begin(), all.end(), x) == 1);
    }
}

TEST_CASE("what steps and triggers name must be there, and be theirs to change")
{
    auto w = jm::workflow("w").step("mark", jm::set("account.vip", true).next("go")).step("go", jm::start("w2").next("say")).step("say", jm::emit("$action").next("date"))
        .step("date", jm::step{jm::wait_step{{}, {}, {}, {}, "audience", {}}});
    w.trigger = jm::enters_trigger{"vipp"};
    auto v = jm::workflow("v").step("hello", jm::send("email"));
    v.trigger = jm::schedule_trigger{"FREQ=SOMETIMES", "2026-01-01T09:00"};
    auto u = jm::workflow("u").step("hello", jm::send("email"));
    u.trigger = jm::schedule_trigger{"FREQ=DAILY", "nine"};
    auto t = jm::workflow("t").step("hello", jm::send("email"));
    t.trigger = jm::date_trigger{"trigger.day", {}, {}, false};
    const auto all = found({w, v, u, t});
    for (const auto* x : {"segment.unknown workflows.w.trigger.enters", "workflow.value workflows.w.steps.mark.set.account.vip", "name.unknown workflows.w.steps.go.start", "workflow.value workflows.w.steps.say.emit",
                          "type.mismatch workflows.w.steps.date.wait.date", "workflow.schedule workflows.v.trigger.schedule", "workflow.schedule workflows.u.trigger.from", "workflow.value workflows.t.trigger.date"}) {
        CAPTURE(x);
        CHECK(std::count(all.begin(), all.end(), x) == 1);
    }
}

TEST_CASE("two workflows, or two steps, of one name")
{
    const auto w = jm::workflow("w").on(jm::event("purchase")).step("a", jm::send("email")).step("a", jm::send("email"));
    const auto all = found({w, w});
    CHECK(std::count(all.begin(), all.end(), "workflow.name workflows.w") == 1);
    CHECK(std::count(all.begin(), all.end(), "workflow.name workflows.w.steps.a") == 2);
}

TEST_CASE("the most sends, in all and within a day; the shortest and the longest way through")
{
    const auto notes = [](const jm::workflow& w) {
        jm::problems all;
        found({w}, {}, &all);
        std::string out;
        for (const auto& x : all) if (x.severity == jm::severity::note) out += x.code + " " + x.message.substr(0, x.message.find(';')) + "\n";
        return out;
    };
    const auto on = jm::workflow("w").on(jm::event("purchase"));
    // A day to the microsecond parts two sends; what is awaited may come at once.
    CHECK(notes(on.step("a", jm::send("email").next("p")).step("p", jm::wait(24_h).next("b")).step("b", jm::send("email").next("q")).step("q", jm::wait(24_h - 1_us).next("c")).step("c", jm::send("sms"))) ==
          "workflow.sends a contact gets at most 3 sends, and at most 2 within 24 hours\nworkflow.passage the shortest way through takes 1d23h59m59s999ms999us, the longest takes 1d23h59m59s999ms999us\n");
    CHECK(notes(webinar()) == "workflow.sends a contact gets at most 3 sends, and at most 3 within 24 hours\nworkflow.passage the shortest way through takes no time, the longest takes 3d\n");
    const auto waits = on.again({jm::reentry_rule::after_exit, {}, {}}).step("who", jm::branch().when(jm::attr("audience") == "B2C", "far").otherwise("near")).step("near", jm::wait(1_h).next("hello"))
        .step("far", jm::wait_for(jm::event("email_opened")).then("hello")).step("hello", jm::send("email"));
    CHECK(notes(waits) == "workflow.sends one journey gets at most 1 send, and at most 1 within 24 hours\nworkflow.passage the shortest way through takes no time, the longest has no bound\n");
    CHECK(notes(on.step("a", jm::send("email").next("b")).step("b", jm::send("email").next("a"))).empty());   // a circle has no bounds
}

TEST_CASE("choices that are never taken, and waits that cannot end")
{
    const auto is = [](const char* what) { return jm::attr("audience") == what; };
    const auto w = jm::workflow("w").on(jm::event("purchase"))
        .step("a", jm::branch().when(is("B2C"), "b").when(is("B2C"), "end").when(is("B2B") && is("B2C"), "end").when(jm::expression{false}, "end").otherwise("b"))
        .step("b", jm::branch().when(jm::expression{true}, "c").when(is("B2B"), "end").otherwise("end"))
        .step("c", jm::wait_for(jm::event("purchase").where(jm::expression{false})).then("d"))
        .step("d", jm::step{jm::split_step{{{1, "e"}, {0, "end"}}}})
        .step("e", jm::wait_for(is("B2B") && is("B2C")).timeout(1_d).then("end").otherwise("end"));
    CHECK(found({w}) == lines{"workflow.choice workflows.w.steps.a.branch.1.if", "workflow.choice workflows.w.steps.a.branch.2.if", "workflow.choice workflows.w.steps.a.branch.3.if", "workflow.choice workflows.w.steps.b.branch.1.if",
                              "workflow.choice workflows.w.steps.b.else", "workflow.choice workflows.w.steps.c.wait_for", "workflow.wait workflows.w.steps.c.wait_for", "workflow.choice workflows.w.steps.d.split.1.weight",
                              "workflow.choice workflows.w.steps.e.wait_for"});
}

TEST_CASE("caps and quiet hours that block for ever")
{
    jm::policies p;
    p.caps.push_back({"sms", 0, jm::length{7_d}, true});
    p.caps.push_back({"", 3, jm::length{7_d}, false});
    p.quiet.push_back({{22 * 60}, {8 * 60}, "", {}});
    CHECK(found({webinar()}, p) == lines{"policy.blocks policies.caps.0.at_most"});
    p.quiet.push_back({{8 * 60}, {22 * 60}, "email", {}});
    CHECK(found({webinar()}, p) == lines{"policy.blocks policies.caps.0.at_most", "policy.blocks policies.quiet_hours"});
    p.quiet.back().on = {std::chrono::Monday, std::chrono::Tuesday, std::chrono::Wednesday, std::chrono::Thursday, std::chrono::Friday, std::chrono::Saturday};
    CHECK(found({webinar()}, p) == lines{"policy.blocks policies.caps.0.at_most"});
    p.quiet = {{{9 * 60}, {9 * 60}, "", {}}};
    CHECK(found({webinar()}, p) == lines{"policy.blocks policies.caps.0.at_most", "policy.blocks policies.quiet_hours"});
}

TEST_CASE("more steps than a journey can tell apart are refused")
{
    auto w = webinar();
    const auto step = w.steps.front();
    w.steps.resize(65'536, step);
    CHECK(found({w}).front() == "workflow.limit workflows.webinar.steps");
}
