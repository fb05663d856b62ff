// What a running journey does: looks (W3), waits (W5), sends (W6), and causes inputs.

#include <algorithm>

#include "journeyman/core/hash.hpp"
#include "journeyman/core/zone.hpp"
#include "workflow/calendar.hpp"
#include "workflow/gates.hpp"
#include "workflow/machine.hpp"

namespace journeyman::detail {

/// An input, or (without one) the passing of time.
void machine::look(journey_state& j, const seen_input* in) {
    const auto& s = standing(j);
    if (in != nullptr && j.next > t_ && !hears(s.listens, *in)) return;
    acted_ = {};
    show(j);
    instant next = end_of_time;
    if (settled(j, next)) return;
    if (std::holds_alternative<wait_for_step>(s.kind)) {
        if (const auto* o = met(j, s, next, in, false)) return move(j, o->then, passage::then);
        if (in == nullptr && j.deadline <= t_) return move(j, s.otherwise, passage::timeout);
    } else if (in != nullptr) {
        if (s.local && wait_again(j, s) && j.deadline <= t_) return move(j, s.next, passage::next);
    } else if (j.deadline <= t_) {
        if (j.deferred == 0 || send(j, s)) return move(j, s.next, passage::next);
    }
    rest(j, next);
}

/// The goal, then the exit condition.
bool machine::settles(journey_state& j, instant& next) {
    const auto& w = of(j);
    if (yes(w.goal, next)) return end(j, journey_outcome::goal), true;
    if (yes(w.exit, next)) return end(j, journey_outcome::exited), true;
    return false;
}

/// The first outcome, as written, that this input or the time has made true; `entered`: the step is reached just now, and no event was awaited before.
const compiled_outcome* machine::met(const journey_state& j, const compiled_step& s, instant& next, const seen_input* in, bool entered) {
    for (const auto& o : s.outcomes)
        if (o.when != none ? yes(o.when, next) : !entered && awaited(j, o, next, in)) return &o;
    return nullptr;
}

bool machine::of_this_journey(const journey_state& j, event_ref e) const {
    const value key = key_of(w_, world_, j);
    return key.is_missing() || same_key(p_, e.property(of(j).each), key);
}

bool machine::awaited(const journey_state& j, const compiled_outcome& o, instant& next, const seen_input* in) {
    const auto& selector = p_.selectors[o.event];
    if (o.plain) {
        if (in == nullptr || !in->event || !selector.listens(in->event.slot)) return false;
        // One that came in late may have happened before the wait (W8).
        return in->event.place().at >= j.reached_at && of_this_journey(j, in->event) && selects(p_, o.event, view_, in->event, t_);
    }
    // Events since the wait began, among those handled: one of them may count by now.
    for (const auto slot : selector.streams) {
        const auto& slice = view_.streams[slot];
        for (std::uint32_t k = slice.count; k-- > 0 && slice.place(k) > j.reached();) {
            const event_ref e{&slice, slot, k};
            if (slice.place(k) <= at_ && of_this_journey(j, e) && counts(p_, o.event, view_, e, t_, next)) return true;
        }
    }
    return false;
}

/// A stay holds its actions.
void machine::leave(const journey_state& j, std::uint32_t next, passage by) {
    sink_.leave({j.workflow, j.step, j.number, next, by, j.reached(), std::max(at_, acted_)}, view_);
    acted_ = {};
}
void machine::end(journey_state& j, journey_outcome o) {
    leave(j, none, o == journey_outcome::goal ? passage::goal : passage::exited);
    finish(j, o);
}
void machine::finish(journey_state& j, journey_outcome o) {
    j.outcome_ = static_cast<std::uint32_t>(o) & 3U;
    j.next = end_of_time;
    ended_ = true;
    --state_.workflows[j.workflow].running;
    sink_.end(j, key_of(w_, world_, j), t_);
}
void machine::move(journey_state& j, std::uint32_t to, passage by) {
    leave(j, to, by);
    if (to == none) return finish(j, journey_outcome::completed);
    go(j, to);
}

/// Reaches a step and goes on as far as nothing makes it wait.
void machine::go(journey_state& j, std::uint32_t to) {
    for (;;) {
        j.reach(static_cast<std::uint16_t>(to), at_);
        acted_ = {};
        if (w_.keeps_steps) state_.steps[j.steps + to] = at_;
        j.deadline = end_of_time;
        j.deferred = 0;
        show(j);
        instant next = end_of_time;
        if (settled(j, next)) return;
        const auto& s = standing(j);
        passage by = passage::next;
        to = s.next;
        if (std::holds_alternative<send_step>(s.kind)) {
            if (!send(j, s)) return rest(j, next);
        } else if (std::holds_alternative<wait_step>(s.kind)) {
            wait_until(j, s);
            if (j.deadline > t_) return rest(j, next);
        } else if (std::holds_alternative<wait_for_step>(s.kind)) {
            const auto* o = met(j, s, next, nullptr, true);
            if (o == nullptr) {
                if (s.span) j.deadline = add(t_, *s.span, *p_.zone);
                return rest(j, next);
            }
            to = o->then;
            by = passage::then;
        } else if (std::holds_alternative<branch_step>(s.kind)) {
            const auto* o = met(j, s, next, nullptr, true);
            to = o == nullptr ? s.otherwise : o->then;
            by = o == nullptr ? passage::else_ : passage::if_;
        } else if (std::holds_alternative<split_step>(s.kind)) {
            // Of workflow, step and contact alone, so that re-entry and new versions keep it.
            const double x = stable_hash{}.add(std::uint64_t{0}).add(of(j).name).add(s.name).add(view_.id).unit();
            to = std::find_if(s.shares.begin(), s.shares.end(), [&](const auto& share) { return x < share.first; })->second;
            by = passage::split;
        } else if (std::holds_alternative<exit_step>(s.kind)) {
            return end(j, journey_outcome::exited);
        } else if (std::holds_alternative<set_step>(s.kind)) {
            set(j, s);
        } else if (std::holds_alternative<emit_step>(s.kind)) {
            emit(j, s);
        } else if (std::holds_alternative<start_step>(s.kind)) {
            cause({next_place(), world_.event(j.trigger), {}, s.target}, j);
        } else {                                                         // task, webhook
            work_out(s);
            step_action a;
            if (s.span) a.until = add(t_, *s.span, *p_.zone);
            act(j, a);
        }
        leave(j, to, by);
        if (to == none) return finish(j, journey_outcome::completed);
    }
}

// ---- waits

void machine::wait_until(journey_state& j, const compiled_step& s) {
    if (s.span) {
        j.deadline = add(t_, *s.span, *p_.zone);
        return;
    }
    const auto [name, zone] = named_local_zone(p_, view_);
    j.zone = static_cast<std::uint32_t>(name);
    if (s.date.value == none) {
        j.deadline = end_of_local_wait(std::get<wait_step>(s.kind), t_, *zone);
        return;
    }
    instant unused = end_of_time;
    j.deadline = instant_of(s.date, evaluate(p_, s.date.value, view_, t_, unused), *zone, *p_.zone);
}

/// Where the zone or the date has changed the wait is computed again, from now. A date says itself until when.
bool machine::wait_again(journey_state& j, const compiled_step& s) {
    if (s.date.value == none && j.zone == static_cast<std::uint32_t>(named_local_zone(p_, view_).first)) return false;
    const instant before = j.deadline;
    wait_until(j, s);
    return s.date.value == none || j.deadline != before;
}

// ---- what goes out

/// The values of `with`; they are ours until the next step.
void machine::work_out(const compiled_step& s) {
    instant unused = end_of_time;
    values_.clear();
    for (const auto& [_, n] : s.with) values_.push_back(n == none ? value{} : evaluate(p_, n, view_, t_, unused));
}
/// An action stands right behind what it answers to.
void machine::act(const journey_state& j, step_action a) {
    a.workflow = j.workflow;
    a.step = j.step;
    a.journey = j.number;
    a.at = acted_ = next_place();
    a.values = values_;
    sink_.act(a, view_);
}

/// Whether the journey goes on: not when the send is deferred.
bool machine::send(journey_state& j, const compiled_step& s) {
    const auto gates = pass_gates(w_, s, view_, t_, state_.sends);
    work_out(s);
    step_action a;
    a.channel = gates.channel;
    a.status = gates.status;
    a.reason = gates.reason;
    a.until = gates.until;
    act(j, a);
    if (gates.status == action_status::sent && !s.transactional && !w_.caps.empty()) {
        forget_sends(w_, view_, t_, state_.sends);
        state_.sends.push_back({t_, gates.channel});
    }
    j.deferred = gates.status == action_status::deferred ? 1 : 0;
    j.deadline = j.deferred != 0 ? gates.until : end_of_time;
    return j.deferred == 0;
}

/// All values are worked out before the first is set.
void machine::set(journey_state& j, const compiled_step& s) {
    work_out(s);
    act(j, {});
    caused_input c{next_place(), {}, s.slots, none};
    for (std::size_t k = 0; k < s.slots.size(); ++k) {
        world_.set(s.slots[k], c.place, values_[k]);
        sink_.changed(s.slots[k], c.place, values_[k]);
    }
    cause(std::move(c), j);
}

void machine::emit(journey_state& j, const compiled_step& s) {
    work_out(s);
    caused_input c{next_place(), {}, {}, none};
    c.event = world_.emit(s.target, c.place, s.slots, values_);
    sink_.emitted(s.target, c.place, s.slots, values_);
    cause(std::move(c), j);
}

}  // namespace journeyman::detail
