// The order of things at one instant (W4), and the functions that drivers call.

#include "workflow/machine.hpp"

#include <algorithm>

#include "journeyman/core/error.hpp"

namespace journeyman {
namespace detail {

machine::machine(const workflow_program& w, contact_journeys& s, contact_world& world, journey_sink& sink) : w_{w}, p_{*w.predicates}, state_{s}, world_{world}, sink_{sink}, view_{world.view()} {}

void machine::at(position place) {
    view_ = world_.view();
    view_.journey = &shown_;
    at_ = place;
    t_ = place.at;
    if (state_.last.at != t_) state_.caused = 0;
    state_.last = place;
}

position machine::next_place() {
    const auto order = state_.last.order + 1;              // not read back whole from where it is written in parts: that stalls
    state_.last.at = t_;
    state_.last.order = order;
    return {t_, order};
}

void machine::input(const seen_input& in) {
    at(in.place);
    handle(in);
    drain();
}

bool machine::hears(const reads& r, const seen_input& in) {
    if (in.event) return r.stream(in.event.slot);
    return std::any_of(in.attributes.begin(), in.attributes.end(), [&](std::uint32_t a) { return r.attribute(a); });
}

void machine::handle(const seen_input& in) {
    for (auto& j : state_.running) look(j, &in);                    // nobody begins meanwhile
    sweep();
    if (w_.timed.empty()) {
        if (in.event) for (const auto k : w_.by_stream[in.event.slot]) trigger(k, in);
    } else {
        // A segment that time changes at this very instant is seen on any input.
        for (std::uint32_t k = 0; k < w_.workflows.size(); ++k) {
            const auto& t = w_.workflows[k].trigger;
            if (hears(t.listens, in) || (t.segment != none && state_.workflows[k].next <= t_)) trigger(k, in);
        }
    }
    sweep();
}

void machine::timers(instant t) {
    const auto next_timer_place = [&] {
        const bool first = state_.last.at != t || state_.last.order < first_timer;
        return position{t, first ? first_timer : state_.last.order + 1};
    };
    for (;;) {
        const auto due = std::find_if(state_.running.begin(), state_.running.end(), [&](const journey_state& j) { return j.next <= t; });
        if (due != state_.running.end()) {
            at(next_timer_place());
            look(*due, nullptr);
        } else {
            const auto k = std::find_if(w_.timed.begin(), w_.timed.end(), [&](std::uint32_t n) { return state_.workflows[n].next <= t; });
            if (k == w_.timed.end()) return;
            at(next_timer_place());
            trigger(*k);
        }
        sweep();
        drain();
    }
}

void machine::cause(caused_input c, const journey_state& by) {
    c.by = by.workflow;
    caused_.push_back(std::move(c));
    if (++state_.caused <= 1000) return;
    // Back to where the last one was met before.
    std::string circle = of(by).name;
    std::vector<std::uint32_t> seen;
    for (auto it = caused_.rbegin() + 1; it != caused_.rend() && std::find(seen.begin(), seen.end(), it->by) == seen.end(); ++it) {
        seen.push_back(it->by);
        circle = w_.workflows[it->by].name + " → " + circle;
    }
    throw error{"workflow.circle", "workflows." + of(by).name + ".steps." + standing(by).name, "workflows cause each other without end at " + to_text(t_) + ": " + circle + "; give one of them re-entry `once`, a wait, or a filter on what starts it"};
}

void machine::drain() {
    for (; handled_ < caused_.size(); ++handled_) {
        const caused_input next = std::move(caused_[handled_]);
        at_ = next.place;
        if (next.start != none) {
            enter(next.start, next.event);
            sweep();
        } else {
            handle({next.place, next.event, next.attributes});
        }
    }
    caused_.clear();
    handled_ = 0;
}

/// Ended journeys go; the rest stay in the order of W4.
void machine::sweep() {
    if (!ended_) return;
    std::erase_if(state_.running, [](const journey_state& j) { return j.outcome() != journey_outcome::running; });
    if (w_.keeps_steps) {
        std::vector<position> left;
        for (auto& j : state_.running) {
            const auto first = state_.steps.begin() + j.steps;
            j.steps = static_cast<std::uint32_t>(left.size()) & 0x1fff'ffffU;
            left.insert(left.end(), first, first + static_cast<std::ptrdiff_t>(of(j).steps.size()));
        }
        state_.steps = std::move(left);
    }
    ended_ = false;
}

void machine::begin(instant start) {
    state_.clear();
    state_.workflows.resize(w_.workflows.size());
    at({start, 0});
    for (const auto k : w_.timed) rearm(k, start);
    state_.last = {};
}

void machine::arm(std::uint32_t workflow, instant now) {
    if (!w_.workflows[workflow].trigger.timed()) return;
    const auto last = state_.last;
    at({now, 0});
    if (w_.workflows[workflow].trigger.kind != compiled_trigger::event) {
        rearm(workflow, now);
    } else {                                               // what is pending is all that is known of it
        auto& next = state_.workflows[workflow].next = end_of_time;
        for (const auto& e : state_.pending) if (e.workflow == workflow) next = std::min(next, e.due);
    }
    state_.last = last;
}

void machine::resume(std::uint32_t workflow, std::uint32_t number, instant now, bool enters) {
    const auto it = std::find_if(state_.running.begin(), state_.running.end(), [&](const journey_state& j) { return j.workflow == workflow && j.number == number; });
    if (it == state_.running.end()) return;
    auto& j = *it;
    at(place_after(state_, {now, first_timer}));
    if (enters) {
        go(j, j.step);
        sweep();
        return drain();
    }
    const auto& s = standing(j);
    if (std::holds_alternative<wait_step>(s.kind)) {
        show(j);
        t_ = j.reached_at;                                 // the wait began then
        wait_until(j, s);
        t_ = now;
    } else if (std::holds_alternative<wait_for_step>(s.kind)) {
        j.deadline = s.span ? add(j.reached_at, *s.span, *p_.zone) : end_of_time;
    }
    j.next = now;                                          // whatever would have been done by now is due
}

}  // namespace detail

void begin(const workflow_program& w, contact_journeys& s, contact_world& world, instant start) {
    struct nobody final : journey_sink {
        void act(const step_action&, const contact_view&) override {}
        void leave(const stay&, const contact_view&) override {}
        void end(const journey_state&, const value&, instant) override {}
    } sink;
    detail::machine{w, s, world, sink}.begin(start);
}
void advance(const workflow_program& w, contact_journeys& s, contact_world& world, const seen_input& in, journey_sink& sink) { detail::machine{w, s, world, sink}.input(in); }
void advance(const workflow_program& w, contact_journeys& s, contact_world& world, instant t, journey_sink& sink) { detail::machine{w, s, world, sink}.timers(t); }

instant next_timer(const workflow_program& w, const contact_journeys& s) {
    instant t = end_of_time;
    for (const auto& j : s.running) t = std::min(t, j.next);
    for (const auto k : w.timed) t = std::min(t, s.workflows[k].next);
    return t;
}

value key_of(const workflow_program& w, const contact_world& world, const journey_state& j) {
    const auto& flow = w.workflows[j.workflow];
    return flow.reentry.kind == reentry_rule::each && j.trigger ? world.event(j.trigger).property(flow.each) : value{};
}

bool idle(const workflow_program&, const contact_journeys& s) { return s.running.empty() && s.pending.empty(); }

heard_slots heard(const workflow_program& w, const contact_journeys& s) {
    if (!s.pending.empty()) return {~std::uint64_t{0}, ~std::uint64_t{0}};
    heard_slots out = w.wakes;
    for (const auto& j : s.running) out.add(w.workflows[j.workflow].steps[j.step].hears);
    return out;
}

bool through(const workflow_program& w, const contact_journeys& s) {
    if (!idle(w, s)) return false;
    for (std::uint32_t k = 0; k < w.workflows.size(); ++k)
        if (w.workflows[k].reentry.kind != reentry_rule::once || s.workflows[k].journeys == 0) return false;
    return true;
}

position place_after(const contact_journeys& s, position own) {
    if (s.last.at != own.at || s.last.order < own.order) return own;
    return {own.at, s.last.order + 1};
}

std::string_view to_string(action_status s) {
    static constexpr std::string_view names[] = {"sent", "deferred", "suppressed", "done"};
    return names[static_cast<std::size_t>(s)];
}
std::string_view to_string(action_reason r) {
    static constexpr std::string_view names[] = {"", "consent", "holdout", "quiet_hours", "cap"};
    return names[static_cast<std::size_t>(r)];
}
std::string_view to_string(journey_outcome o) {
    static constexpr std::string_view names[] = {"running", "completed", "goal", "exited"};
    return names[static_cast<std::size_t>(o)];
}
std::string_view to_string(passage p) {
    static constexpr std::string_view names[] = {"running", "completed", "goal", "exited", "next", "then", "timeout", "if", "else", "split"};
    return names[static_cast<std::size_t>(p)];
}

}  // namespace journeyman
