// Playbooks from YAML and JSON: every key of the written form, and what is said of files that are wrong.
#include "journeyman/playbook/playbook.hpp"

#include <doctest/doctest.h>

#include <filesystem>

namespace jm = journeyman;
using namespace jm::literals;

namespace {

jm::step_kind kind_in(const jm::playbook& p, std::string_view name)
{
    for (const auto& [step_name, s] : p.workflows.at(0).steps) {
        if (step_name == name) {
            return s.kind();
        }
    }
    FAIL("no step " << name);
    return {};
}

jm::playbook with_step(const std::string& step) { return jm::playbook::parse("timezone: UTC\nworkflows:\n  w:\n    trigger: hand\n    steps:\n      s: " + step + "\n"); }
template <class T> T only_step(const std::string& step) { return std::get<T>(kind_in(with_step(step), "s")); }

jm::error refused(std::string_view text)
{
    try {
        (void)jm::playbook::parse(text, "p.yaml");
    } catch (const jm::error& e) {
        return e;
    }
    FAIL("it was read: " << text);
    return {"", "", ""};
}

}  // namespace

TEST_CASE("the founding playbooks are read")
{
    for (const auto* name : {"webinar", "trial"}) {
        const auto p = jm::playbook::load(std::string{JOURNEYMAN_SOURCE_DIR} + "/examples/skilltime/" + name + ".yaml");
        CHECK(p.timezone == "Europe/Rome");
        CHECK(p.find_workflow(name) != nullptr);
        CHECK(p.find_segment("b2b_hr")->title == (std::string{name} == "webinar" ? "B2B HR Aziendali" : "HR Aziendali"));
        CHECK(p.find_kpi("cpa")->value.equals(jm::expression::parse("spend() / new(purchase)")));
        CHECK(p.find_kpi("nothing") == nullptr);
    }
}

TEST_CASE("segments, funnels, policies and types")
{
    const auto p = jm::playbook::parse(R"(
name: N
timezone: Europe/Rome
currency: EUR
week_starts: sunday
types: {contact.renewal: day, purchase.code: text, login: event}
segments:
  short: did(purchase)
  long:
    where: city == "Roma"
    title: Long
    collect: {who: [city, count(purchase)]}
    channels: [email, sms]
    funnel: f
funnels:
  f: {stages: [{name: a, when: did(x)}, {name: b, when: did(y)}]}
  g: {steps: [{name: a, event: x where n > 1}, {name: b, event: y}], within: 7d, anchor: first, strict_increase: true}
policies:
  quiet_hours: [{from: 21:00, to: "08:00", channel: sms, on: [sat, sun]}, {from: 1260, to: 480}]
  consent: {email: consent_email, email.transactional: "true"}
  holdout: bucket("h") < 0.1
  caps: [{at_most: 2, per: 7d}, {channel: sms, at_most: 1, per: month, when_full: defer}]
)");
    CHECK(p.name == "N");
    CHECK(p.weeks == jm::week_start::sunday);
    CHECK(p.types.size() == 3);
    CHECK(p.segments.at(0).where.equals(jm::event("purchase").did()));
    CHECK(p.segments.at(1).collect.at(0).second.size() == 2);
    CHECK(p.segments.at(1).channels == std::vector<std::string>{"email", "sms"});
    CHECK(p.funnels.at(0).stages.at(1).name == "b");
    CHECK(p.funnels.at(1).within == jm::length{7_d});
    CHECK(p.funnels.at(1).rules.at(1).second == jm::scalar{true});
    REQUIRE(p.policies.quiet.size() == 2);
    CHECK(p.policies.quiet[0].from.minutes == 21 * 60);
    CHECK(p.policies.quiet[0].on == std::vector<std::chrono::weekday>{std::chrono::Saturday, std::chrono::Sunday});
    CHECK(p.policies.quiet[1].from == p.policies.quiet[0].from);   // 21:00 as YAML 1.1 reads it
    CHECK(p.policies.quiet[1].to == p.policies.quiet[0].to);
    CHECK(p.policies.consent.at(1).first == "email.transactional");
    CHECK(p.policies.caps.at(0).per == std::variant<jm::length, jm::calendar_unit>{jm::length{7_d}});
    CHECK(p.policies.caps.at(1).defer);
    CHECK(std::get<jm::calendar_unit>(p.policies.caps.at(1).per) == jm::calendar_unit::month);
}

TEST_CASE("KPIs, campaigns and dimensions")
{
    const auto p = jm::playbook::parse(R"(
timezone: UTC
kpis:
  k:
    title: K
    value: new(purchase) / new(lead)
    unit: percent
    kind: proportion
    scope: s
    every: quarter
    direction: down
    target: 0.35
    by: [channel, event.channel, contact.city]
    improve: [Write better, {action: Try another channel, workflow: w}]
  r: {value: events(purchase), every: campaign, direction: up, target: {change: 0.25, from: {start: "2025-01-01", end: "2026-01-01"}}}
  l: {value: events(purchase), every: month, direction: up, target: {change: -0.1, from: last_year}}
campaigns:
  spring: {from: 2026-03-01, to: "2026-04-01", title: Spring, budget: 500, channel: ads, where: city == "Roma"}
dimensions:
  channel: {value: first(lead.channel), spend: channel}
  own: {value: page}
)");
    const auto& k = p.kpis_.at(0);
    CHECK(k.proportion);
    CHECK(k.period == jm::kpi_period::quarter);
    CHECK(k.direction == jm::kpi_direction::down);
    CHECK(std::get<double>(k.target) == 0.35);
    CHECK(k.by.at(0).equals("channel"));
    CHECK(k.by.at(1).equals("event.channel"));
    CHECK(k.by.at(2).equals(jm::attr("city")));
    CHECK(k.improve == std::vector<jm::improvement>{{"Write better", ""}, {"Try another channel", "w"}});
    CHECK(std::get<jm::relative_target>(p.kpis_.at(1).target) == jm::relative_target{0.25, jm::relative_target::span, "2025-01-01", "2026-01-01"});
    CHECK(std::get<jm::relative_target>(p.kpis_.at(2).target).from == jm::relative_target::last_year);
    CHECK(p.campaigns.at(0).from == "2026-03-01");
    CHECK(p.campaigns.at(0).budget == 500);
    CHECK(p.dimensions.at(1).value.equals(jm::prop("page")));   // bare names are properties here
}

TEST_CASE("steps of every kind")
{
    CHECK(only_step<jm::send_step>("{send: email, template: t, topic: news, transactional: true}").topic == "news");
    CHECK(only_step<jm::send_step>("{send: [email, sms]}").channels.size() == 2);
    CHECK(only_step<jm::send_step>("{send: preferred}").preferred);
    const auto send = only_step<jm::send_step>("{send: email, with: {n: 20, text: \"20\", yes: true, list: [a, b], nothing: null, deadline: {expr: now + 5d}}}");
    REQUIRE(send.with.size() == 6);
    CHECK(send.with[0].second.equals(20));
    CHECK(send.with[1].second.equals("20"));
    CHECK(send.with[2].second.equals(true));
    CHECK(send.with[3].second.equals(std::vector<std::string>{"a", "b"}));
    CHECK(send.with[5].second.equals(jm::now + 5_d));
    CHECK(only_step<jm::wait_step>("{wait: 2d}").duration == jm::length{2_d});
    CHECK(only_step<jm::wait_step>("{wait: {until: 09:00, on: [mon], days: 2}}").until->minutes == 540);
    CHECK(only_step<jm::wait_step>("{wait: {true: [mon]}}").on.size() == 1);   // `on` as YAML 1.1 reads it
    CHECK(only_step<jm::wait_step>("{wait: {date: renewal, offset: -1w, at: \"10:00\"}}").offset == jm::length{-7_d});
    const auto single = only_step<jm::wait_for_step>("{wait_for: email_opened where m == 1, timeout: 3d, then: end, else: end}");
    CHECK(single.single);
    CHECK(single.outcomes.at(0).event->equals(jm::event("email_opened").where(jm::prop("m") == 1)));
    CHECK(single.outcomes.at(0).then == "end");
    CHECK(only_step<jm::wait_for_step>("{wait_for: {when: did(x)}, then: end}").outcomes.at(0).when.equals(jm::event("x").did()));
    const auto several = only_step<jm::wait_for_step>("{wait_for: [{event: x, then: end}, {when: did(y), then: end}], timeout: 1d, else: end}");
    CHECK_FALSE(several.single);
    CHECK(several.outcomes.size() == 2);
    CHECK(only_step<jm::branch_step>("{branch: [{if: vip, then: end}], else: end}").choices.size() == 1);
    CHECK(only_step<jm::split_step>("{split: [{weight: 0.5, then: end}, {weight: 1, then: end}]}").choices.at(0).first == 0.5);
    CHECK(only_step<jm::set_step>("{set: {stage: new, n: {expr: points + 1}}}").attributes.size() == 2);
    CHECK(only_step<jm::emit_step>("{emit: qualified, properties: {by: form}}").properties.size() == 1);
    CHECK(only_step<jm::task_step>("{task: Call, owner: sales, due: 1d}").due == jm::length{1_d});
    CHECK(only_step<jm::webhook_step>("{webhook: \"https://example.org\"}").url == "https://example.org");
    CHECK(only_step<jm::start_step>("{start: other}").workflow == "other");
    CHECK_NOTHROW((void)only_step<jm::exit_step>("{exit: true, phase: loyalty}"));
}

TEST_CASE("triggers and re-entry")
{
    const auto w = [](const std::string& keys) { return jm::playbook::parse("{\"timezone\": \"UTC\", \"workflows\": {\"w\": {" + keys + ", \"steps\": {\"a\": {\"exit\": true}}}}}").workflows.at(0); };
    CHECK(std::get<jm::event_trigger>(w(R"("trigger": {"event": "x"})").trigger).selector.equals(jm::event("x")));
    CHECK(std::get<jm::enters_trigger>(w(R"("trigger": {"enters": "vip"})").trigger).segment == "vip");
    CHECK(std::get<jm::leaves_trigger>(w(R"("trigger": {"leaves": "vip"})").trigger).segment == "vip");
    const auto date = std::get<jm::date_trigger>(w(R"("trigger": {"date": "birthday", "offset": "-3d", "at": "09:00", "every": "year"})").trigger);
    CHECK(date.yearly);
    CHECK(date.at->minutes == 540);
    CHECK(std::get<jm::schedule_trigger>(w(R"("trigger": {"schedule": "FREQ=DAILY", "from": "2026-01-01T09:00"})").trigger).rule == "FREQ=DAILY");
    CHECK(std::holds_alternative<jm::hand_trigger>(w(R"("trigger": "hand")").trigger));
    CHECK(w(R"("trigger": "hand", "reentry": "after_exit")").reentry.kind == jm::reentry_rule::after_exit);
    CHECK(w(R"("trigger": "hand", "reentry": {"after": "30d"})").reentry.after_length == jm::length{30_d});
    CHECK(w(R"("trigger": "hand", "reentry": {"each": "order"})").reentry.each_property == "order");
    CHECK(w(R"("trigger": "hand", "priority": -2)").priority_ == -2);
    CHECK(w(R"("trigger": "hand")").first == "a");
    CHECK(w(R"("trigger": "hand", "title": "\ud83d\ude00 \u00e8")").title == "😀 è");   // JSON's two escapes for one character
}

TEST_CASE("all problems at once, each with its place")
{
    const auto e = refused("timezone: UTC\nsegmens: {}\nsegments:\n  città: però == 1 andd x\n  b: {where: x, titel: q}\n  b: y\n");
    CHECK(e.code() == "playbook.key");
    CHECK(e.place() == "p.yaml:2:1");
    const std::string all = e.message();
    CHECK(all.find("p.yaml:2:1: a playbook has no key `segmens`. Did you mean segments? [playbook.key]") != all.npos);
    CHECK(all.find("p.yaml:4:20: ") != all.npos);   // columns count characters
    CHECK(all.find("p.yaml:5:17: a segment has no key `titel`. Did you mean title?") != all.npos);
    CHECK(all.find("p.yaml:6:3: `b` is given twice, first at p.yaml:5:3") != all.npos);

    const auto one = refused("timezone: UTC\nsegments: {a: {where: \"x ==\"}}\n");
    CHECK(one.code() == "predicate.syntax");
    CHECK(one.place() == "p.yaml:2:28");
}

TEST_CASE("what is refused")
{
    CHECK(refused("").code() == "playbook.yaml");
    CHECK(refused("a: [1").place().starts_with("p.yaml:1:"));
    CHECK(refused("a: [1").code() == "playbook.yaml");
    CHECK(refused("- 1").code() == "playbook.value");
    CHECK(refused("timezone: UTC\n---\ntimezone: UTC").place() == "p.yaml:3:1");
    CHECK(refused("name: \xff").place() == "p.yaml:1:7");
    CHECK(refused("timezone: Europe/Roma").code() == "time.zone");
    CHECK(refused("segments:").message().find("is empty") != std::string::npos);
    CHECK(refused(std::string(100'000, '[')).code() == "playbook.yaml");
    for (const auto* step : {"{}", "{send: email, wait: 1d}", "{send: []}", "{wait: soon}", "{wait: {}}", "{wait: {until: 25:00}}", "{wait: {on: [monday]}}", "{wait_for: {event: x, when: y}}", "{wait_for: [], then: a}",
                             "{branch: [{if: x}], else: end}", "{split: [{weight: -1, then: end}]}", "{task: x}", "{exit: false}", "{send: email, with: {a: {b: 1}}}", "{sned: email}", "email"}) {
        CAPTURE(step);
        CHECK_THROWS_AS(with_step(step), jm::error);
    }
    try {
        (void)jm::playbook::load("no/such/file.yaml");
        FAIL("it was read");
    } catch (const jm::error& e) {
        CHECK(e.code() == "playbook.yaml");
        CHECK(e.place() == "no/such/file.yaml");
    }
}

TEST_CASE("places of paths")
{
    const auto p = jm::playbook::parse("timezone: UTC\nsegments:\n  a: {where: x > 1}\n  b: did(y)\n", "p.yaml");
    CHECK(p.place("segments.a.where") == "p.yaml:3:14");
    CHECK(p.place("segments.a.where:1:5") == "p.yaml:3:18");
    CHECK(p.place("segments.b.where:1:5") == "p.yaml:4:10");
    CHECK(p.place("segments.a.where.deeper") == "p.yaml:3:14");
    CHECK(p.place("kpis.k") == "kpis.k");
    CHECK(jm::playbook{}.place("segments.a.where:1:5") == "segments.a.where:1:5");
}

TEST_CASE("a predicate, an expression or a selector may be the mapping of its JSON form")
{
    const auto written = jm::playbook::parse(R"(
timezone: UTC
segments:
  vip: {">=": [{count: {event: purchase, where: {">": [{prop: amount}, 50]}, last: 30d}}, 2]}
  loyal: {where: {and: [{segment: vip}, {not: {attr: gone}}]}, collect: {basics: [{attr: email}, city]}}
workflows:
  thanks:
    trigger: {event: {event: purchase, without: {event: refund, on: order_id, within: 1h}}}
    steps:
      ask: {wait_for: {event: {event: reply}}, timeout: 3d, then: set, else: end}
      set: {set: {until: {expr: {"+": [{now: []}, {duration: 5d}]}}}}
dimensions:
  channel: {value: {first: {event: lead, property: channel}}, spend: channel}
  city: {attr: city}
kpis:
  bought: {value: {"/": [{new: purchase}, {new: lead}]}, every: month, direction: up, by: [{prop: form}]}
)");
    const auto same = jm::playbook::parse(R"(
timezone: UTC
segments:
  vip: count(purchase where amount > 50, last 30d) >= 2
  loyal: {where: 'segment("vip") and not gone', collect: {basics: [email, city]}}
workflows:
  thanks:
    trigger: {event: purchase without refund on order_id within 1h}
    steps:
      ask: {wait_for: reply, timeout: 3d, then: set, else: end}
      set: {set: {until: {expr: now + 5d}}}
dimensions:
  channel: {value: first(lead.channel), spend: channel}
  city: {value: contact.city}
kpis:
  bought: {value: new(purchase) / new(lead), every: month, direction: up, by: [prop("form")]}
)");
    CHECK(jm::equals(written, same));
    CHECK(written.to_yaml() == same.to_yaml());
    CHECK(written.check().errors() == same.check().errors());
}

TEST_CASE("an error in a mapping has the line and column of what is wrong")
{
    const auto said = [](const char* yaml) -> std::string {
        try {
            jm::playbook::parse(yaml);
            return "";
        } catch (const jm::error& e) {
            return e.what();
        }
    };
    CHECK(said("timezone: UTC\nsegments:\n  vip: {and: [true, {'==': [{attr: x}, {duration: 5}]}]}\n") == "playbook:3:51: Expected a length of time, such as \"30d\", \"1h30m\" or \"1mo\". [predicate.syntax]");
    CHECK(said("timezone: UTC\nsegments:\n  vip:\n    where:\n      cuont: purchase\n").starts_with("playbook:5:14: There is no operator or function `cuont`. Did you mean count?"));
    CHECK(said("timezone: UTC\nworkflows: {w: {trigger: {event: {event: a, property: b}}, steps: {s: {exit: true}}}}\n").find("leave it out") != std::string::npos);
    // An alias of aliases stands for more than a file could hold.
    std::string bomb = "timezone: UTC\nsegments:\n  a0: {and: [true, true]}\n";
    std::string alias = "x0: &x0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n";
    for (int k = 1; k < 9; ++k) alias += "x" + std::to_string(k) + ": &x" + std::to_string(k) + " [" + [&] { std::string s; for (int i = 0; i < 10; ++i) s += (i > 0 ? ", *x" : "*x") + std::to_string(k - 1); return s; }() + "]\n";
    CHECK(said((alias + "segments:\n  b: {or: [*x8]}\n").c_str()).find("100,000 values") != std::string::npos);
}

TEST_CASE("the rules of a funnel are kept as they were written")
{
    const auto p = jm::playbook::parse(R"(
timezone: UTC
funnels:
  shop:
    steps: [{name: a, event: a}, {name: b, event: b}]
    within: 7d
    anchor: first
    strict_increase: true
    optional_steps: [2]
    exclusions: [{event: refund, from_step: 1, to_step: 2, effect: drop_contact}]
    breakdown: {by: channel, attribution: first}
)");
    const auto& rules = p.funnels[0].rules;
    REQUIRE(rules.size() == 5);
    CHECK(rules[2].second == jm::data{jm::data_list{jm::data{std::int64_t{2}}}});
    CHECK(rules[3].second == jm::data{jm::data_list{jm::data{jm::data_mapping{{"event", "refund"}, {"from_step", std::int64_t{1}}, {"to_step", std::int64_t{2}}, {"effect", "drop_contact"}}}}});
    CHECK(jm::equals(jm::playbook::parse(p.to_yaml()), p));
    CHECK(jm::equals(jm::playbook::parse(p.to_json()), p));
}
