// The pure step: what one input, or the passing of time, does to the journeys of one contact (W3 to W7).

#include "journeyman/workflow/machine.hpp"

#include <algorithm>

#include "journeyman/core/hash.hpp"
#include "journeyman/core/zone.hpp"
#include "journeyman/predicate/evaluate.hpp"
#include "workflow/gates.hpp"

namespace journeyman {
namespace {

enum class look_at : std::uint8_t { input, timer };

class machine {
public:
    machine(const workflow_program& w, contact_state& s, const contact_view& v, position place, event_ref event, journey_sink& sink)
        : w_{w}, p_{*w.predicates}, state_{s}, view_{v}, at_{place}, t_{place.at}, event_{event}, sink_{sink} {
        if (state_.workflows.size() < w.workflows.size()) state_.workflows.resize(w.workflows.size());
        view_.journey = &shown_;
    }

    void input() {
        const std::size_t running = state_.journeys.size();      // those that begin now are not looked at again
        for (std::size_t k = 0; k < running; ++k) look(state_.journeys[k], look_at::input);
        if (event_ && t_ >= view_.exists_from)
            for (const auto k : w_.triggered[event_.slot]) trigger(k);
        sweep();
    }

    void timers() {
        for (int left = 100'000;; --left) {
            const auto due = std::find_if(state_.journeys.begin(), state_.journeys.end(), [&](const journey_state& j) { return j.outcome == journey_outcome::running && j.next <= t_; });
            if (due == state_.journeys.end()) break;
            if (left == 0) throw error{"workflow.circle", "workflows." + w_.workflows[due->workflow].name, "this workflow never comes to rest at " + to_text(t_)};
            look(*due, look_at::timer);
        }
        sweep();
    }

private:
    const compiled_workflow& of(const journey_state& j) const { return w_.workflows[j.workflow]; }
    const compiled_step& standing(const journey_state& j) const { return of(j).steps[j.step]; }
    void show(const journey_state& j) { shown_ = {j.entry, j.steps.data(), j.trigger}; }
    bool yes(node_id n, instant& next) { return n != none && evaluate(p_, n, view_, t_, next).is_yes(); }

    // ---- triggers
    void trigger(std::uint32_t k) {
        const auto& w = w_.workflows[k];
        if (!selects(p_, w.trigger, view_, event_, t_)) return;
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
                each = event_.property(w.each);
                if (each.is_missing() || std::find(m.each.begin(), m.each.end(), each) != m.each.end()) return;
                break;
        }
        journey_state j;
        j.workflow = k;
        j.entry = at_;
        j.trigger = event_;
        j.each = each;
        j.steps.assign(w.steps.size(), position{end_of_time, 0});
        show(j);
        instant next = end_of_time;
        if (w.audience != none && !yes(w.audience, next)) return;
        j.number = ++m.journeys;
        ++m.running;
        m.last_entry = t_;
        if (!each.is_missing()) m.each.push_back(each);
        // In the order of W4 among those running, behind those that an input is going through.
        state_.journeys.push_back(std::move(j));
        go(state_.journeys.back(), w.first);
    }

    /// Ended ones go; the rest in the order of W4.
    void sweep() {
        std::erase_if(state_.journeys, [](const journey_state& j) { return j.outcome != journey_outcome::running; });
        const auto before = [](const journey_state& a, const journey_state& b) { return a.workflow != b.workflow ? a.workflow < b.workflow : a.number < b.number; };
        if (!std::is_sorted(state_.journeys.begin(), state_.journeys.end(), before)) std::sort(state_.journeys.begin(), state_.journeys.end(), before);
    }

    // ---- a running journey
    void look(journey_state& j, look_at why) {
        show(j);
        instant next = end_of_time;
        if (settled(j, next)) return;
        const auto& s = standing(j);
        if (std::holds_alternative<wait_for_step>(s.kind)) {
            if (const auto* o = met(j, s, next, why == look_at::input)) return move(j, o->then, "then");
            if (why == look_at::timer && j.deadline <= t_) return move(j, s.otherwise, "timeout");
        } else if (why == look_at::timer && j.deadline <= t_) {
            if (j.deferred) {
                if (!send(j, s)) return rest(j, next);
            }
            return move(j, s.next, "next");
        }
        rest(j, next);
    }
    void rest(journey_state& j, instant next) { j.next = std::min(next, j.deadline); }

    /// The goal, then the exit condition.
    bool settled(journey_state& j, instant& next) {
        const auto& w = of(j);
        if (yes(w.goal, next)) return end(j, journey_outcome::goal), true;
        if (yes(w.exit, next)) return end(j, journey_outcome::exited), true;
        return false;
    }
    /// The first outcome, as written, that this input or the time has made true.
    const compiled_outcome* met(const journey_state& j, const compiled_step& s, instant& next, bool with_event) {
        for (const auto& o : s.outcomes) {
            if (o.when != none) {
                if (yes(o.when, next)) return &o;
            } else if (with_event && event_ && p_.selectors[o.event].listens(event_.slot)) {
                if (!j.each.is_missing() && !(event_.property(of(j).each) == j.each)) continue;
                if (selects(p_, o.event, view_, event_, t_)) return &o;
            }
        }
        return nullptr;
    }

    void leave(const journey_state& j, std::uint32_t next, std::string_view by) { sink_.leave({j.workflow, j.step, j.number, j.reached, at_, next, by}); }
    void end(journey_state& j, journey_outcome o) {
        leave(j, none, to_string(o));
        finish(j, o);
    }
    void finish(journey_state& j, journey_outcome o) {
        j.outcome = o;
        j.next = end_of_time;
        --state_.workflows[j.workflow].running;
        sink_.end(j, t_);
    }
    void move(journey_state& j, std::uint32_t to, std::string_view by) {
        leave(j, to, by);
        if (to == none) return finish(j, journey_outcome::completed);
        go(j, to);
    }

    /// Reaches a step and goes on as far as nothing makes it wait.
    void go(journey_state& j, std::uint32_t to) {
        for (;;) {
            j.step = to;
            j.reached = j.steps[to] = at_;
            j.deadline = end_of_time;
            j.deferred = false;
            show(j);
            instant next = end_of_time;
            if (settled(j, next)) return;
            const auto& s = standing(j);
            std::string_view by = "next";
            to = s.next;
            if (std::holds_alternative<send_step>(s.kind)) {
                if (!send(j, s)) return rest(j, next);
            } else if (std::holds_alternative<wait_step>(s.kind)) {
                j.deadline = add(t_, *s.span, *p_.zone);
                if (j.deadline > t_) return rest(j, next);
            } else if (std::holds_alternative<wait_for_step>(s.kind)) {
                const auto* o = met(j, s, next, false);
                if (o == nullptr) {
                    if (s.span) j.deadline = add(t_, *s.span, *p_.zone);
                    return rest(j, next);
                }
                to = o->then;
                by = "then";
            } else if (std::holds_alternative<branch_step>(s.kind)) {
                const auto* o = met(j, s, next, false);
                to = o == nullptr ? s.otherwise : o->then;
                by = o == nullptr ? "else" : "if";
            } else if (std::holds_alternative<split_step>(s.kind)) {
                // Of workflow, step and contact alone, so that re-entry and new versions keep it.
                const double x = stable_hash{}.add(std::uint64_t{0}).add(of(j).name).add(s.name).add(view_.id).unit();
                to = std::find_if(s.shares.begin(), s.shares.end(), [&](const auto& share) { return x < share.first; })->second;
                by = "split";
            } else if (std::holds_alternative<exit_step>(s.kind)) {
                return end(j, journey_outcome::exited);
            } else {                                                         // task, webhook
                action a = action_of(j, s);
                a.status = action_status::done;
                if (s.span) a.until = add(t_, *s.span, *p_.zone);
                sink_.act(std::move(a));
            }
            leave(j, to, by);
            if (to == none) return finish(j, journey_outcome::completed);
        }
    }

    action action_of(const journey_state& j, const compiled_step& s) {
        action a;
        a.workflow = j.workflow;
        a.step = j.step;
        a.journey = j.number;
        a.at = at_;
        instant next = end_of_time;
        a.values.reserve(s.with.size());
        for (const auto& [_, n] : s.with) a.values.push_back(n == none ? value{} : evaluate(p_, n, view_, t_, next));
        return a;
    }
    /// Whether the journey goes on: not when the send is deferred.
    bool send(journey_state& j, const compiled_step& s) {
        const auto gates = pass_gates(w_, s, view_, t_, state_.sends);
        action a = action_of(j, s);
        a.channel = gates.channel;
        a.status = gates.status;
        a.reason = gates.reason;
        a.until = gates.until;
        sink_.act(std::move(a));
        if (gates.status == action_status::sent && !s.transactional && !w_.caps.empty()) {
            forget_sends(w_, view_, t_, state_.sends);
            state_.sends.push_back({t_, gates.channel});
        }
        j.deferred = gates.status == action_status::deferred;
        j.deadline = j.deferred ? gates.until : end_of_time;
        return !j.deferred;
    }

    const workflow_program& w_;
    const program& p_;
    contact_state& state_;
    contact_view view_;                // our own: it shows one journey after the other
    journey_view shown_;
    position at_;
    instant t_;
    event_ref event_;
    journey_sink& sink_;
};

}  // namespace

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

void advance(const workflow_program& w, contact_state& s, const contact_view& view, position place, event_ref event, journey_sink& sink) { machine{w, s, view, place, event, sink}.input(); }
void advance(const workflow_program& w, contact_state& s, const contact_view& view, instant t, journey_sink& sink) { machine{w, s, view, position{t, 0xffffffffU}, {}, sink}.timers(); }

}  // namespace journeyman
