// Who begins a journey, and when (W1, W2).

#include <algorithm>

#include "journeyman/core/zone.hpp"
#include "workflow/calendar.hpp"
#include "workflow/machine.hpp"

namespace journeyman::detail {

/// An input that the trigger listens to.
void machine::trigger(std::uint32_t k, const seen_input& in) {
    if (t_ < view_.exists_from) return;
    const auto& trigger = w_.workflows[k].trigger;
    shown_ = {};
    switch (trigger.kind) {
        case compiled_trigger::event: {
            if (trigger.plain) {
                if (selects(p_, trigger.selector, view_, in.event, t_)) enter(k, in.event);
                return;
            }
            if (!in.event || !p_.selectors[trigger.selector].listens(in.event.slot)) return;
            instant next = end_of_time;
            if (counts(p_, trigger.selector, view_, in.event, t_, next)) return enter(k, in.event);
            if (next == end_of_time) return;
            state_.pending.push_back({k, world_.keep(in.event), next});
            state_.workflows[k].next = std::min(state_.workflows[k].next, next);
            return;
        }
        case compiled_trigger::enters:
        case compiled_trigger::leaves:
            if (asks_segment(k)) enter(k, {});
            return;
        case compiled_trigger::date: return rearm(k, t_);
        case compiled_trigger::schedule: return;
    }
}

/// Time alone.
void machine::trigger(std::uint32_t k) {
    const auto& trigger = w_.workflows[k].trigger;
    shown_ = {};
    switch (trigger.kind) {
        case compiled_trigger::event: return look_at_pending(k);
        case compiled_trigger::enters:
        case compiled_trigger::leaves:
            if (asks_segment(k)) enter(k, {});
            return;
        case compiled_trigger::date:
        case compiled_trigger::schedule:
            state_.workflows[k].fired = t_;
            rearm(k, t_ + microseconds{1});
            if (t_ >= view_.exists_from) enter(k, {});
            return;
    }
}

/// When time alone may start a journey next, from an instant on.
void machine::rearm(std::uint32_t k, instant from) {
    const auto& trigger = w_.workflows[k].trigger;
    auto& m = state_.workflows[k];
    instant next = end_of_time;
    switch (trigger.kind) {
        case compiled_trigger::event: next = expect(k, from); break;
        case compiled_trigger::enters:
        case compiled_trigger::leaves:
            // Who begins to exist at this instant was in no segment before.
            if (from <= view_.exists_from) next = view_.exists_from;
            else m.in = yes(trigger.segment, next);
            break;
        case compiled_trigger::date: {
            // Timers come after inputs: one that is due now and was not looked at yet is not past. One that went off at this instant is.
            if (m.fired >= from) from = m.fired + microseconds{1};
            instant unused = end_of_time;
            next = instant_of(trigger.when, evaluate(p_, trigger.when.value, view_, t_, unused), local_zone(p_, view_), *p_.zone, from);
            break;
        }
        case compiled_trigger::schedule: next = trigger.times->at_or_after(std::max(from, view_.exists_from)); break;
    }
    m.next = next;
}

/// Events seen before an instant that come to count from it on: when the first of them does.
instant machine::expect(std::uint32_t k, instant from) {
    const auto& trigger = w_.workflows[k].trigger;
    std::vector<std::pair<event_ref, instant>> found;      // and when it comes to count
    for (const auto s : p_.selectors[trigger.selector].streams) {
        for (std::uint32_t i = 0; i < view_.streams[s].count; ++i) {
            const event_ref e{&view_.streams[s], s, i};
            instant next = end_of_time;
            if (!counts(p_, trigger.selector, view_, e, from - microseconds{1}, next) && next != end_of_time) found.emplace_back(e, next);
        }
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first.place() < b.first.place(); });
    instant first = end_of_time;
    for (const auto& [e, due] : found) {
        first = std::min(first, due);
        state_.pending.push_back({k, world_.keep(e), due});
    }
    return first;
}

bool machine::asks_segment(std::uint32_t k) {
    const auto& trigger = w_.workflows[k].trigger;
    auto& m = state_.workflows[k];
    const bool was = m.in;
    m.next = end_of_time;
    m.in = yes(trigger.segment, m.next);
    return trigger.kind == compiled_trigger::enters ? m.in && !was : was && !m.in;
}

/// Events that come to count at this instant.
void machine::look_at_pending(std::uint32_t k) {
    auto& m = state_.workflows[k];
    m.next = end_of_time;
    std::vector<event_ref> begun;
    for (auto& e : state_.pending) {
        if (e.workflow != k) continue;
        if (e.due <= t_) {
            instant next = end_of_time;
            const bool now = counts(p_, w_.workflows[k].trigger.selector, view_, world_.event(e.event), t_, next);
            if (now) begun.push_back(world_.event(e.event));
            e.due = now ? end_of_time : next;
        }
        m.next = std::min(m.next, e.due);
    }
    std::erase_if(state_.pending, [&](const pending_event& e) { return e.workflow == k && e.due == end_of_time; });
    for (const auto& e : begun) enter(k, e);
}

/// A journey begins, unless audience or re-entry say no.
void machine::enter(std::uint32_t k, event_ref event) {
    const auto& w = w_.workflows[k];
    auto& m = state_.workflows[k];
    value each;
    switch (w.reentry.kind) {
        case reentry_rule::once:
            if (m.journeys > 0) return;
            break;
        case reentry_rule::after_exit:
            if (m.running > 0) return;
            break;
        case reentry_rule::after:
            if (m.running > 0 || (m.journeys > 0 && t_ < add(m.last_entry, w.reentry.after_length, *p_.zone))) return;
            break;
        case reentry_rule::each:
            if (event) each = event.property(w.each);
            if (each.is_missing() || std::any_of(m.each.begin(), m.each.end(), [&](const value& v) { return same_key(p_, v, each); })) return;
            break;
    }
    shown_ = {at_, nullptr, event};
    instant unused = end_of_time;
    if (w.audience != none && !yes(w.audience, unused)) return;

    journey_state j;
    j.workflow = static_cast<std::uint16_t>(k);
    j.number = ++m.journeys;
    j.entered = t_;
    j.entered_order = at_.order;
    j.trigger = world_.keep(event);
    if (w_.keeps_steps) {
        j.steps = static_cast<std::uint32_t>(state_.steps.size()) & 0x1fff'ffffU;
        state_.steps.insert(state_.steps.end(), w.steps.size(), position{end_of_time, 0});
    }
    ++m.running;
    m.last_entry = t_;
    if (!each.is_missing()) m.each.push_back(each);
    // In the order of W4 among those running.
    const auto place = std::upper_bound(state_.running.begin(), state_.running.end(), k, [](std::uint32_t n, const journey_state& other) { return n < other.workflow; });
    go(*state_.running.insert(place, std::move(j)), w.first);
}

}  // namespace journeyman::detail
