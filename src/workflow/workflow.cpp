#include "journeyman/workflow/workflow.hpp"

#include "workflow/definition.hpp"

namespace journeyman {
namespace {

/// The kind a builder changes, or an error that says where it belongs.
template <class Kind>
Kind& only(step& s, std::string_view builder, std::string_view belongs) {
    if (auto* k = std::get_if<Kind>(&s.kind())) return *k;
    throw error{"workflow.step", "", "`" + std::string{builder} + "` is for " + std::string{belongs} + ", this step is a " + std::string{kind_name(s.kind())}};
}

}  // namespace

std::string to_text(const date_offset& o) {
    std::string out = o.by == length{} && o.after.count() != 0 ? "" : to_text(o.by);
    if (o.after.count() == 0) return out;
    const bool negative = o.after.count() < 0, was_negative = o.by.fixed.count() < 0 || (o.by.fixed.count() == 0 && o.by.months < 0);
    if (negative) out += "-";
    else if (was_negative) out += "+";
    const auto hours = std::chrono::duration_cast<std::chrono::hours>(o.after);
    const length rest{o.after - hours};
    if (hours.count() != 0) out += std::to_string(std::abs(hours.count())) + "h";
    if (rest.fixed.count() != 0) out += to_text(negative ? -rest : rest);
    return out;
}

bool parse_offset(std::string_view s, date_offset& out) {
    length whole;
    if (!parse_length(s, whole)) return false;
    std::string days = "0d", sign = "+";
    for (std::size_t k = 0; k < s.size();) {
        if (s[k] == '-' || s[k] == '+') sign = s[k++];
        const auto unit = s.find_first_not_of("0123456789", k), end = std::min(s.find_first_of("+-0123456789", unit), s.size());
        if (const auto name = s.substr(unit, end - unit); name == "d" || name == "w") days.append(sign).append(s.substr(k, end - k));
        k = end;
    }
    length by;
    if (!parse_length(days, by)) return false;
    out = {{whole.months, by.fixed}, whole.fixed - by.fixed};
    return true;
}

std::string_view kind_name(const step_kind& k) {
    static constexpr std::string_view names[] = {"send", "wait", "wait_for", "branch", "split", "set", "emit", "task", "webhook", "start", "exit"};
    static_assert(std::size(names) == std::variant_size_v<step_kind>);
    return names[k.index()];
}

step step::with(std::string name, expression value) const {
    step c = *this;
    payload* p = nullptr;
    if (auto* s = std::get_if<send_step>(&c.kind_)) p = &s->with;
    else if (auto* t = std::get_if<task_step>(&c.kind_)) p = &t->with;
    else if (auto* w = std::get_if<webhook_step>(&c.kind_)) p = &w->with;
    else if (auto* e = std::get_if<emit_step>(&c.kind_)) p = &e->properties;
    else if (auto* a = std::get_if<set_step>(&c.kind_)) p = &a->attributes;
    else only<send_step>(c, "with", "send, task, webhook, emit and set");
    p->emplace_back(std::move(name), std::move(value));
    return c;
}
step step::template_(std::string name) const {
    step c = *this;
    only<send_step>(c, "template", "send").channel_template = std::move(name);
    return c;
}
step step::topic(std::string name) const {
    step c = *this;
    only<send_step>(c, "topic", "send").topic = std::move(name);
    return c;
}
step step::transactional() const {
    step c = *this;
    only<send_step>(c, "transactional", "send").transactional = true;
    return c;
}
step step::timeout(length d) const {
    step c = *this;
    only<wait_for_step>(c, "timeout", "wait_for").timeout = d;
    return c;
}
step step::then(std::string s) const {
    step c = *this;
    auto& w = only<wait_for_step>(c, "then", "wait_for");
    if (!w.single || w.outcomes.size() != 1) throw error{"workflow.step", "", "`then` is for a wait_for with one outcome; with several, each names its own step"};
    w.outcomes[0].then = std::move(s);
    return c;
}
step step::otherwise(std::string s) const {
    step c = *this;
    if (auto* b = std::get_if<branch_step>(&c.kind_)) b->otherwise = std::move(s);
    else only<wait_for_step>(c, "otherwise", "wait_for and branch").otherwise = std::move(s);
    return c;
}
step step::when(predicate p, std::string then) const {
    step c = *this;
    if (auto* b = std::get_if<branch_step>(&c.kind_)) {
        b->choices.emplace_back(std::move(p), std::move(then));
        return c;
    }
    auto& w = only<wait_for_step>(c, "when", "wait_for and branch");
    w.single = false;
    w.outcomes.push_back({std::nullopt, std::move(p), std::move(then)});
    return c;
}
step step::on(selector event, std::string then) const {
    step c = *this;
    auto& w = only<wait_for_step>(c, "on", "wait_for");
    w.single = false;
    w.outcomes.push_back({std::move(event), {}, std::move(then)});
    return c;
}

namespace {

template <class Kind>
step of(Kind k) { return step{step_kind{std::move(k)}}; }

}  // namespace

step send(std::string channel) {
    send_step s;
    s.channels.push_back(std::move(channel));
    return of(std::move(s));
}
step send(std::vector<std::string> channels) {
    send_step s;
    s.channels = std::move(channels);
    return of(std::move(s));
}
step send_preferred() {
    send_step s;
    s.preferred = true;
    return of(std::move(s));
}
step wait(length d) {
    wait_step s;
    s.duration = d;
    return of(std::move(s));
}
step wait_for(selector event) {
    wait_for_step s;
    s.outcomes.push_back({std::move(event), {}, {}});
    return of(std::move(s));
}
step wait_for(predicate when) {
    wait_for_step s;
    s.outcomes.push_back({std::nullopt, std::move(when), {}});
    return of(std::move(s));
}
step branch() { return of(branch_step{}); }
step set(std::string attribute, expression value) {
    set_step s;
    s.attributes.emplace_back(std::move(attribute), std::move(value));
    return of(std::move(s));
}
step emit(std::string event) { return of(emit_step{std::move(event), {}}); }
step task(std::string text, std::string owner, length due) { return of(task_step{std::move(text), std::move(owner), due, {}}); }
step webhook(std::string url) { return of(webhook_step{std::move(url), {}}); }
step start(std::string workflow) { return of(start_step{std::move(workflow)}); }
step exit_journey() { return of(exit_step{}); }

bool equals(const step& a, const step& b) { return definition_writer{}.put(a).text() == definition_writer{}.put(b).text(); }
bool equals(const workflow& a, const workflow& b) { return definition_writer{}.put(a).text() == definition_writer{}.put(b).text(); }
bool equals(const policies& a, const policies& b) { return definition_writer{}.put(a).text() == definition_writer{}.put(b).text(); }

}  // namespace journeyman
