#pragma once
// Random workflows over random histories of a few contacts, whose times are whole hours.

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "journeyman/history/builder.hpp"
#include "journeyman/workflow/compiled.hpp"

namespace workflows {

namespace jm = journeyman;
using namespace jm::literals;

inline const jm::instant begins = std::chrono::sys_days{std::chrono::year{2026} / 3 / 24}, ends = begins + 14_d;   // over the night the clocks change in Rome

/// One thing that happened to a contact.
struct fact {
    jm::instant at, arrives;
    std::string event;                                      // empty: a change of attributes
    jm::fields fields;
};
struct contact { std::string id; jm::fields attributes; std::vector<fact> facts; };   // facts in order of arrival

class dice {
public:
    explicit dice(unsigned seed) : random_{seed} {}
    int below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
    bool one_in(int n) { return below(n) == 0; }
    template <class T>
    const T& of(const std::vector<T>& all) { return all[static_cast<std::size_t>(below(static_cast<int>(all.size())))]; }
    jm::instant hour() { return begins + std::chrono::hours{below(12 * 24)}; }
    jm::length span(int most = 40) { return std::chrono::hours{1 + below(most)}; }

private:
    std::mt19937 random_;
};

inline std::vector<contact> crowd(dice& d) {
    std::vector<contact> out;
    for (int k = 0; k < 6; ++k) {
        contact c{"c" + std::to_string(k), {{"plan", d.of<std::string>({"x", "y"})}, {"day", jm::day{std::chrono::floor<std::chrono::days>(jm::local_instant{d.hour().time_since_epoch()})}}}, {}};
        if (d.one_in(2)) c.attributes.emplace_back("timezone", d.of<std::string>({"Europe/Rome", "Asia/Tokyo"}));
        for (int n = d.below(25); n > 0; --n) {
            fact f{d.hour(), {}, d.one_in(4) ? "" : d.of<std::string>({"a", "b", "c", "d"}), {}};
            f.arrives = d.one_in(5) ? f.at + std::chrono::hours{d.below(30)} : f.at;
            if (!f.event.empty()) f.fields = {{"k", std::int64_t{d.below(3)}}};
            else if (d.one_in(3)) f.fields = {{"timezone", d.of<std::string>({"Europe/Rome", "America/New_York", "UTC"})}};
            else if (d.one_in(2)) f.fields = {{"day", jm::day{std::chrono::floor<std::chrono::days>(jm::local_instant{d.hour().time_since_epoch()})}}};
            else f.fields = {{"plan", d.of<std::string>({"x", "y"})}};
            c.facts.push_back(std::move(f));
        }
        std::stable_sort(c.facts.begin(), c.facts.end(), [](const fact& a, const fact& b) { return a.arrives < b.arrives; });
        out.push_back(std::move(c));
    }
    return out;
}

inline jm::predicate question(dice& d, bool in_journey) {
    static const std::vector<std::string> any{"plan == \"x\"", "did(a, last 5h)", "count(b, last 30h) >= 2", "never(a, last 10h)", "did(c where k == 1)", "sequence(a, b, within 12h)", "did(a without b on k within 3h, last 20h)",
        "hour(now) >= 9", "count(e, last 2d) >= 1", "did(d, this week) and plan == \"y\"", "last(a.k) == 2", "missing(mark)", "mark == \"m\""};
    static const std::vector<std::string> here{"did(c, since entry)", "did(b where k == trigger.k, since entry)", "count(a, since step(\"s1\")) >= 1", "did(e, since entry)", "segment(\"s\")"};
    return jm::expression::parse(in_journey && d.one_in(2) ? d.of(here) : d.of(any));
}

inline jm::selector awaited(dice& d) {
    static const std::vector<std::string> all{"a", "b", "c where k == 1", "e", "d", "a without b on k within 4h", "c without d on k"};
    return jm::selector::parse(d.of(all));
}

inline jm::workflow any_workflow(dice& d, const std::string& name) {
    jm::workflow w{name};
    switch (d.below(8)) {
        case 0: w.trigger = jm::enters_trigger{"s"}; break;
        case 1: w.trigger = jm::leaves_trigger{"s"}; break;
        case 2: w.trigger = jm::date_trigger{"day", d.one_in(2) ? std::optional{jm::length{std::chrono::hours{24 * (d.below(5) - 2)}}} : std::nullopt, d.one_in(2) ? std::optional{jm::time_of_day{60 * d.below(24)}} : std::nullopt, d.one_in(2)}; break;
        case 3: w.trigger = jm::schedule_trigger{"FREQ=DAILY", "2026-03-24T09:00"}; break;
        default: w.trigger = jm::event_trigger{awaited(d)};
    }
    w.reentry = d.of<jm::reentry_rule>({{jm::reentry_rule::once, {}, {}}, {jm::reentry_rule::after_exit, {}, {}}, {jm::reentry_rule::after, jm::length{7_h}, {}}, {jm::reentry_rule::each, {}, "k"}});
    if (w.reentry.kind == jm::reentry_rule::each && !std::holds_alternative<jm::event_trigger>(w.trigger)) w.reentry.kind = jm::reentry_rule::after_exit;
    if (d.one_in(3)) w.audience_ = question(d, false);
    if (d.one_in(3)) w.goal_ = question(d, true);
    if (d.one_in(3)) w.exit_ = question(d, true);
    w.priority_ = d.below(2);
    const int steps = 2 + d.below(5);
    for (int k = 0; k < steps; ++k) {
        const auto later = [&] { const int next = k + 1 + d.below(steps - k); return next >= steps ? std::string{"end"} : "s" + std::to_string(next); };
        jm::step s;
        switch (d.below(9)) {
            case 0: s = jm::wait(d.span()).next(later()); break;
            case 1: {
                jm::wait_step wait;
                if (d.one_in(2)) wait.until = jm::time_of_day{60 * d.below(24)};
                if (d.one_in(2) || !wait.until) wait.days = d.below(3);
                if (d.one_in(3)) wait.on = {std::chrono::Monday, std::chrono::Thursday};
                s = jm::step{wait}.next(later());
                break;
            }
            case 2: {
                jm::wait_step wait;
                wait.date = "day";
                if (d.one_in(2)) wait.offset = jm::length{std::chrono::hours{24 * (d.below(3) - 1)}};
                s = jm::step{wait}.next(later());
                break;
            }
            case 3: s = jm::wait_for(awaited(d)).then(later()).timeout(d.span()).otherwise(later()); break;
            case 4: s = jm::wait_for(question(d, true)).then(later()).timeout(d.span()).otherwise(later()); break;
            case 5: s = jm::branch().when(question(d, true), later()).when(question(d, true), later()).otherwise(later()); break;
            case 6: s = d.one_in(2) ? jm::set("mark", d.of<std::string>({"m", "n"})).next(later()) : jm::set("plan", d.of<std::string>({"x", "y"})).next(later()); break;
            case 7: s = d.one_in(4) ? jm::start("w0").next(later()) : jm::emit("e").with("k", d.one_in(2) ? jm::expression{1} : jm::trigger("k")).next(later()); break;
            default: s = jm::send("email").next(later());
        }
        w = w.step("s" + std::to_string(k), s);
    }
    return w.step("send", jm::send("email"));
}

inline jm::history history_of(const std::vector<contact>& all) {
    jm::history_builder b;
    for (const auto& c : all) b.contact(c.id, c.attributes);
    b.contact("known", {{"mark", std::string{"z"}}, {"timezone", std::string{"UTC"}}});
    for (const auto& c : all)
        for (const auto& f : c.facts) {
            const auto late = f.arrives == f.at ? std::nullopt : std::optional{f.arrives};
            if (f.event.empty()) b.contact(c.id, f.at, f.fields, late);
            else b.event(c.id, f.event, f.at, f.fields, {}, late);
        }
    for (const auto* name : {"a", "b", "c", "d", "e"}) b.event("known", name, begins, {{"k", std::int64_t{0}}});
    return std::move(b).finish();
}

}  // namespace workflows
