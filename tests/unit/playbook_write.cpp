// Playbooks written are read again as they were.
#include "journeyman/playbook/playbook.hpp"

#include <doctest/doctest.h>

namespace jm = journeyman;
using namespace jm::literals;

namespace {

void check_round_trip(const jm::playbook& p)
{
    const auto yaml = p.to_yaml(), json = p.to_json();
    CAPTURE(yaml);
    const auto from_yaml = jm::playbook::parse(yaml), from_json = jm::playbook::parse(json);
    CHECK(jm::equals(p, from_yaml));
    CHECK(jm::equals(p, from_json));
    CHECK(from_yaml.to_yaml() == yaml);
    CHECK(from_json.to_json() == json);
}

jm::workflow all_steps()
{
    jm::workflow w{"all: steps"};
    w.title = "# not a comment";
    w.audience_ = jm::attr("First name") == "Ada \"L\"";
    w.trigger = jm::date_trigger{"birthday", jm::length{-3_d}, jm::time_of_day{7}, true};
    w.reentry = {jm::reentry_rule::after, jm::length{1_mo}, {}};
    w.priority_ = 3;
    jm::wait_step local;
    local.until = jm::time_of_day{21 * 60};
    local.on = {std::chrono::Monday, std::chrono::Sunday};
    local.days = 2;
    jm::wait_step date;
    date.date = "trigger.renewal";
    date.offset = jm::length{-7_d};
    date.until = jm::time_of_day{9 * 60};
    jm::wait_for_step several;
    several.single = false;
    several.outcomes = {{jm::event("purchase"), {}, "end"}, {std::nullopt, jm::event("unsubscribed").did(), ""}};
    several.timeout = jm::length{3_d};
    return w.step("yes", jm::send(std::vector<std::string>{"email", "sms"}).with("text", "5").with("n", 5).with("d", 5.0).with("flag", true).with("no", "no").with("deadline", jm::now + 5_d).with("span", 5_d).with("list", std::vector<std::string>{"a", "1"}).next("on"))
        .step("on", jm::send_preferred().template_("t").topic("x").transactional().phase("loyalty"))
        .step("1", jm::step{local})
        .step("2", jm::step{date})
        .step("3", jm::wait(36_h))
        .step("4", jm::wait_for(jm::event("email_opened").where(jm::prop("m") == "a, b")).timeout(3_d).then("end").otherwise("5"))
        .step("5", jm::wait_for(jm::event("x").did()))
        .step("6", jm::step{several})
        .step("7", jm::branch().when(jm::attr("vip"), "end").otherwise("8"))
        .step("8", jm::step{jm::split_step{{{0.5, "end"}, {2, "9"}}}})
        .step("9", jm::set("stage", "new"))
        .step("10", jm::emit("Order Completed").with("by", jm::trigger("form")))
        .step("11", jm::task("Call: now", "sales", 1_d))
        .step("12", jm::webhook("https://example.org/a?b={c}"))
        .step("13", jm::start("all: steps"))
        .step("14", jm::exit_journey());
}

}  // namespace

TEST_CASE("what is built in code is read as it was written")
{
    jm::playbook p{"Europe/Rome"};
    check_round_trip(p);
    p.name = "true";
    p.currency = "EUR";
    p.weeks = jm::week_start::sunday;
    p.types = {{"contact.renewal", "day"}, {"Order Completed", "event"}};
    p.segments = {{"off", jm::attr("city") == "Roma", "two\nlines\t😀", {{"who", {jm::attr("city"), jm::event("x").count()}}}, {"email", "21:00"}, "f"}, {"empty group", jm::event("x").last(30_d).did(), "", {{"none", {}}}}};
    p.funnels.resize(2);
    p.funnels[0].name = "f";
    p.funnels[0].stages = {{"a", jm::event("x").did()}, {"null", jm::attr("points") > 1.5}};
    p.funnels[1].name = "g";
    p.funnels[1].steps = {{"a", jm::event("x*")}, {"b", jm::event("y").where(jm::prop("n") > 1)}};
    p.funnels[1].within = jm::length{7_d};
    p.funnels[1].rules = {{"anchor", std::string{"first"}}, {"strict_increase", true}, {"optional_steps", std::vector<std::string>{"2"}}};
    p.policies.quiet = {{{21 * 60}, {8 * 60}, "", {}}, {{0}, {60}, "sms", {std::chrono::Saturday}}};
    p.policies.caps = {{"", 2, jm::length{7_d}, false}, {"sms", 0, jm::calendar_unit::month, true}};
    p.policies.consent = {{"email", jm::attr("consent_email")}, {"email.news", jm::attr("news")}};
    p.policies.holdout = jm::call(jm::function::bucket, {"h"}) < 0.1;
    p.workflows = {all_steps()};
    for (const jm::trigger_kind& t : {jm::trigger_kind{jm::event_trigger{jm::event("a").where(jm::prop("b") == 1)}}, jm::trigger_kind{jm::enters_trigger{"vip"}}, jm::trigger_kind{jm::leaves_trigger{"vip"}},
                                      jm::trigger_kind{jm::schedule_trigger{"FREQ=DAILY;BYDAY=MO", "2026-01-01T09:00"}}, jm::trigger_kind{jm::hand_trigger{}}}) {
        auto w = jm::workflow("w" + std::to_string(p.workflows.size())).step("a", jm::exit_journey()).again({jm::reentry_rule::each, {}, "order"});
        w.trigger = t;
        p.workflows.push_back(w);
    }
    const auto conversion = jm::kpi("conversion", jm::new_contacts(jm::event("purchase")) / jm::new_contacts(jm::event("lead"))).every(jm::month).up().in("off");
    auto other = conversion.aim(jm::relative_target{0.25, jm::relative_target::span, "2025-01-01", "2026-01-01"}).broken_down_by({"channel", "event.channel", jm::attr("city"), jm::prop("page"), jm::attr("points") + 1}).improved_by("21:00").improved_by("write", "w1");
    other.name = "other";
    other.proportion = true;
    other.unit = "percent";
    auto third = conversion.every(jm::every_campaign).down().aim(60);
    third.name = "third";
    p.kpis_ = {conversion, other, third};
    p.campaigns = {{"spring", "Spring", "ads", "2026-03-01", "2026-04-01", 500.5, jm::attr("city") == "Roma"}};
    p.dimensions = {{"channel", jm::event("lead").first("channel"), "channel"}, {"city", jm::attr("city"), ""}, {"page", jm::prop("page"), ""}};
    check_round_trip(p);

    auto q = p;
    q.places["segments"] = "somewhere:1:1";
    CHECK(jm::equals(p, q));
    q.workflows[0].priority_ = 4;
    CHECK_FALSE(jm::equals(p, q));
    q = p;
    q.kpis_[1].by[0] = jm::prop("channel");   // the same in other words
    CHECK(jm::equals(p, q));
    q.kpis_[1].by[1] = jm::prop("channel");   // only ever the event's own
    CHECK_FALSE(jm::equals(p, q));
}

TEST_CASE("the founding playbooks are written as they were read")
{
    for (const auto* name : {"webinar", "trial"}) check_round_trip(jm::playbook::load(std::string{JOURNEYMAN_SOURCE_DIR} + "/examples/skilltime/" + name + ".yaml"));
}
