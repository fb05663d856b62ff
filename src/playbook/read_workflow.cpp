// Workflows as written: triggers, re-entry, steps of every kind.

#include <algorithm>
#include <limits>

#include "playbook/reading.hpp"

namespace journeyman::detail {
namespace {

constexpr std::size_t most_steps = 10'000;

/// The kinds of steps, and the keys each takes beside its own; `phase` and `title` stand on any.
struct kind_keys {
    std::string_view kind;
    std::vector<std::string_view> keys;
};
const std::vector<kind_keys>& step_kinds() {
    static const std::vector<kind_keys> kinds{
        {"send", {"template", "topic", "transactional", "with", "next"}},
        {"wait", {"next"}},
        {"wait_for", {"timeout", "then", "else"}},
        {"branch", {"else"}},
        {"split", {}},
        {"set", {"next"}},
        {"emit", {"properties", "next"}},
        {"task", {"owner", "due", "with", "next"}},
        {"webhook", {"with", "next"}},
        {"start", {"next"}},
        {"exit", {}},
    };
    return kinds;
}

class step_reader {
public:
    step_reader(reading& in, const spot& at) : in_{in}, at_{at} {}

    std::optional<step> read() {
        const auto* kind = kind_of_step();
        if (kind == nullptr) return std::nullopt;
        std::vector<std::string> known{std::string{kind->kind}};
        for (const auto k : kind->keys) known.emplace_back(k);
        known.emplace_back("phase");
        known.emplace_back("title");
        keyed k{in_, at_, "a `" + std::string{kind->kind} + "` step", std::move(known)};
        keys_ = &k;
        const auto own = k.find(kind->kind);
        std::optional<step> out;
        if (own) {
            if (auto what = kind_from(kind->kind, *own)) out = step{std::move(*what)};
        }
        if (!out) out = step{exit_step{}};   // so that the other keys are looked at too; the problem stops the playbook
        out->next_step = name("next");
        out->phase_name = name("phase");
        out->title = name("title");
        return out;
    }

private:
    const kind_keys* kind_of_step() {
        if (!in_.is_map(at_)) {
            in_.fail("playbook.value", at_, "a step is a mapping, such as {send: email, next: opened}");
            return nullptr;
        }
        const kind_keys* found = nullptr;
        std::vector<std::string> keys, kinds;
        for (const auto& k : step_kinds()) kinds.emplace_back(k.kind);
        for (const auto& e : at_.node) {
            if (!e.first.IsScalar()) continue;
            const auto& key = e.first.Scalar();
            keys.push_back(key);
            for (const auto& k : step_kinds()) {
                if (k.kind != key) continue;
                if (found != nullptr && found != &k) {
                    in_.fail_key(at_, e.first, "a step does one thing, this one is both `" + std::string{found->kind} + "` and `" + key + "`; make two steps of it");
                    return nullptr;
                }
                found = &k;
            }
        }
        if (found != nullptr) return found;
        for (const auto& key : keys)
            if (const auto near = did_you_mean(key, kinds); !near.empty()) {
                in_.fail("playbook.key", at_, "a step has no key `" + key + "`." + near);
                return nullptr;
            }
        in_.fail("playbook.missing", at_, "a step needs what it does: send, wait, wait_for, branch, split, set, emit, task, webhook, start or exit");
        return nullptr;
    }

    std::string name(std::string_view key) {
        const auto s = keys_->find(key);
        return s ? in_.text(*s, "`" + std::string{key} + "`").value_or("") : "";
    }
    payload with(std::string_view key) {
        const auto s = keys_->find(key);
        return s ? in_.values(*s, "`" + std::string{key} + "`") : payload{};
    }

    std::optional<step_kind> kind_from(std::string_view kind, const spot& own) {
        if (kind == "send") return send_from(own);
        if (kind == "wait") return wait_from(own);
        if (kind == "wait_for") return wait_for_from(own);
        if (kind == "branch") return branch_from(own);
        if (kind == "split") return split_from(own);
        if (kind == "set") return set_step{in_.values(own, "`set`")};
        if (kind == "exit") {
            if (const auto yes = in_.yes_no(own, "`exit`"); yes && !*yes) in_.fail("playbook.value", own, "`exit` is true; leave the step out where nothing ends");
            return exit_step{};
        }
        auto text = in_.text(own, "`" + std::string{kind} + "`");
        if (kind == "emit") {
            auto properties = with("properties");
            return emit_step{text.value_or(""), std::move(properties)};
        }
        if (kind == "webhook") return webhook_step{text.value_or(""), with("with")};
        if (kind == "start") return start_step{text.value_or("")};
        task_step t;
        t.text = text.value_or("");
        if (const auto owner = keys_->need("owner", "who does it")) t.owner = in_.text(*owner, "`owner`").value_or("");
        if (const auto due = keys_->need("due", "how soon, such as 1d")) t.due = in_.duration(*due, "`due`");
        t.with = with("with");
        return t;
    }

    send_step send_from(const spot& own) {
        send_step s;
        s.channels = in_.texts(own, "`send`");
        if (in_.is_list(own) && s.channels.empty()) in_.fail("playbook.value", own, "`send` needs a channel, such as email");
        if (in_.is_text(own) && s.channels.size() == 1 && s.channels[0] == "preferred") {
            s.preferred = true;
            s.channels.clear();
        }
        s.channel_template = name("template");
        s.topic = name("topic");
        if (const auto t = keys_->find("transactional")) s.transactional = in_.yes_no(*t, "`transactional`").value_or(false);
        s.with = with("with");
        return s;
    }

    wait_step wait_from(const spot& own) {
        wait_step w;
        if (!in_.is_map(own)) {
            w.duration = in_.duration(own, "`wait`");
            return w;
        }
        const bool of_date = own.node["date"].IsDefined();
        keyed k{in_, own, "`wait`", of_date ? std::vector<std::string>{"date", "offset", "at"} : std::vector<std::string>{"until", "on", "days", "date"}};
        if (of_date) {
            if (const auto s = k.find("date")) w.date = in_.text(*s, "`date`").value_or("");
            if (const auto s = k.find("offset")) w.offset = in_.offset(*s);
            if (const auto s = k.find("at")) w.until = in_.clock(*s, "`at`");
            return w;
        }
        if (const auto s = k.find("until")) w.until = in_.clock(*s, "`until`");
        if (const auto s = k.find("on")) w.on = in_.weekdays(*s);
        if (const auto s = k.find("days")) w.days = in_.whole(*s, "`days`", 0);
        if (!k.has("until") && !k.has("on") && !k.has("days")) in_.fail("playbook.missing", own, "`wait` needs how long: 3d, {until: \"09:00\"}, {on: [mon]}, {days: 2} or {date: renewal}");
        return w;
    }

    /// `event` or `when` of one mapping, and its `then` in a list.
    wait_outcome outcome_from(const spot& s, bool single) {
        wait_outcome o;
        std::vector<std::string> known{"event", "when"};
        if (!single) known.emplace_back("then");
        keyed k{in_, s, "an outcome of `wait_for`", std::move(known)};
        if (!k) return o;
        if (k.has("event") == k.has("when")) in_.fail("playbook.value", s, "`wait_for` waits for an `event` or for `when` a predicate holds, one of them");
        if (const auto e = k.find("event")) o.event = in_.select(*e, "`event`");
        if (const auto w = k.find("when")) o.when = in_.expr(*w, "`when`");
        if (!single)
            if (const auto t = k.find("then")) o.then = in_.text(*t, "`then`").value_or("");
        return o;
    }

    wait_for_step wait_for_from(const spot& own) {
        wait_for_step w;
        if (in_.is_list(own)) {
            w.single = false;
            for (const auto& item : in_.items(own, "`wait_for`")) w.outcomes.push_back(outcome_from(item, false));
            if (w.outcomes.empty()) in_.fail("playbook.value", own, "`wait_for` needs something to wait for, such as [{event: purchase, then: thanks}]");
            if (const auto then = keys_->find("then")) in_.fail("playbook.key", *then, "with a list each outcome of `wait_for` has its own `then`; write it there");
        } else {
            wait_outcome o;
            if (in_.is_map(own)) o = outcome_from(own, true);
            else o.event = in_.select(own, "`wait_for`");
            o.then = name("then");
            w.outcomes.push_back(std::move(o));
        }
        if (const auto t = keys_->find("timeout")) w.timeout = in_.duration(*t, "`timeout`");
        w.otherwise = name("else");
        return w;
    }

    branch_step branch_from(const spot& own) {
        branch_step b;
        for (const auto& item : in_.items(own, "`branch`")) {
            keyed k{in_, item, "a choice of `branch`", {"if", "then"}};
            predicate when;
            if (const auto s = k.need("if", "the predicate that is asked")) when = in_.expr(*s, "`if`");
            const auto then = k.need("then", "the step that follows, or end");
            b.choices.emplace_back(std::move(when), then ? in_.text(*then, "`then`").value_or("") : "");
        }
        b.otherwise = name("else");
        return b;
    }

    split_step split_from(const spot& own) {
        split_step p;
        for (const auto& item : in_.items(own, "`split`")) {
            keyed k{in_, item, "a choice of `split`", {"weight", "then"}};
            const auto weight = k.need("weight", "its share, such as 1");
            const auto then = k.need("then", "the step that follows, or end");
            const double share = weight ? in_.number(*weight, "`weight`").value_or(0) : 0;
            if (share < 0) in_.fail("playbook.value", *weight, "`weight` is not negative");
            p.choices.emplace_back(share, then ? in_.text(*then, "`then`").value_or("") : "");
        }
        return p;
    }

    reading& in_;
    spot at_;
    keyed* keys_ = nullptr;
};

trigger_kind trigger_from(reading& in, const spot& s) {
    constexpr std::string_view remedy = "{event: SELECTOR}, {enters: SEGMENT}, {leaves: SEGMENT}, {date: NAME}, {schedule: RULE, from: …} or hand";
    if (in.is_text(s)) {
        in.one_of(s, "a trigger without a mapping", {"hand"});
        return hand_trigger{};
    }
    keyed k{in, s, "a trigger", {"event", "enters", "leaves", "date", "offset", "at", "every", "schedule", "from"}};
    if (!k) return hand_trigger{};
    std::vector<std::string> kinds;
    for (const auto* kind : {"event", "enters", "leaves", "date", "schedule"}) if (k.has(kind)) kinds.emplace_back(kind);
    if (kinds.size() != 1) {
        in.fail("playbook.value", s, "a trigger is one of " + std::string{remedy});
        return hand_trigger{};
    }
    const auto& kind = kinds[0];
    for (const auto* extra : {"offset", "at", "every"})
        if (kind != "date" && k.has(extra)) in.fail("playbook.key", spot{{}, s.path + "." + extra}, "`" + std::string{extra} + "` belongs to a trigger by `date`, this one is by `" + kind + "`");
    if (kind != "schedule" && k.has("from")) in.fail("playbook.key", spot{{}, s.path + ".from"}, "`from` belongs to a trigger by `schedule`, this one is by `" + kind + "`");
    const auto own = k.find(kind);
    if (!own) return hand_trigger{};
    if (kind == "event") {
        auto e = in.select(*own, "`event`");
        return e ? trigger_kind{event_trigger{std::move(*e)}} : hand_trigger{};
    }
    auto text = in.text(*own, "`" + kind + "`").value_or("");
    if (kind == "enters") return enters_trigger{std::move(text)};
    if (kind == "leaves") return leaves_trigger{std::move(text)};
    if (kind == "schedule") {
        const auto from = k.need("from", "the local time of the first, such as 2026-01-05T09:00");
        return schedule_trigger{std::move(text), from ? in.text(*from, "`from`").value_or("") : ""};
    }
    date_trigger d;
    d.date = std::move(text);
    if (const auto o = k.find("offset")) d.offset = in.offset(*o);
    if (const auto a = k.find("at")) d.at = in.clock(*a, "`at`");
    if (const auto e = k.find("every")) d.yearly = in.one_of(*e, "`every` of a date", {"year"}).has_value();
    return d;
}

reentry_rule reentry_from(reading& in, const spot& s) {
    reentry_rule r;
    if (in.is_text(s)) {
        if (in.one_of(s, "`reentry`", {"once", "after_exit", "{after: DURATION}", "{each: PROPERTY}"}) == "after_exit") r.kind = reentry_rule::after_exit;
        return r;
    }
    keyed k{in, s, "`reentry`", {"after", "each"}};
    if (!k) return r;
    if (k.has("after") == k.has("each")) in.fail("playbook.value", s, "`reentry` is once, after_exit, {after: 30d} or {each: order_id}");
    if (const auto a = k.find("after")) {
        r.kind = reentry_rule::after;
        r.after_length = in.duration(*a, "`after`").value_or(length{});
    }
    if (const auto e = k.find("each")) {
        r.kind = reentry_rule::each;
        r.each_property = in.text(*e, "`each`").value_or("");
    }
    return r;
}

}  // namespace

workflow read_workflow(reading& in, const std::string& name, const spot& s) {
    workflow w{name};
    keyed k{in, s, "a workflow", {"title", "audience", "trigger", "reentry", "goal", "exit", "priority", "first", "steps"}};
    if (!k) return w;
    if (const auto t = k.find("title")) w.title = in.text(*t, "`title`").value_or("");
    if (const auto p = k.find("audience")) w.audience_ = in.expr(*p, "`audience`");
    if (const auto t = k.need("trigger", "{event: SELECTOR}, {enters: SEGMENT}, {leaves: SEGMENT}, {date: NAME}, {schedule: RULE, from: …} or hand")) w.trigger = trigger_from(in, *t);
    if (const auto r = k.find("reentry")) w.reentry = reentry_from(in, *r);
    if (const auto p = k.find("goal")) w.goal_ = in.expr(*p, "`goal`");
    if (const auto p = k.find("exit")) w.exit_ = in.expr(*p, "`exit`");
    if (const auto p = k.find("priority")) w.priority_ = in.whole(*p, "`priority`", std::numeric_limits<int>::min()).value_or(0);
    if (const auto f = k.find("first")) w.first = in.text(*f, "`first`").value_or("");
    const auto steps = k.need("steps", "{welcome: {send: email}}");
    if (!steps) return w;
    if (in.is_map(*steps) && steps->node.size() > most_steps) {
        in.fail("playbook.limit", *steps, "a workflow has at most " + std::to_string(most_steps) + " steps; divide it into several");
        return w;
    }
    for (const auto& [step_name, at] : in.entries(*steps, "steps"))
        if (auto one = step_reader{in, at}.read()) w.steps.emplace_back(step_name, std::move(*one));
    if (w.first.empty() && !w.steps.empty()) w.first = w.steps.front().first;
    return w;
}

}  // namespace journeyman::detail
