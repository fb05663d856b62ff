#pragma once
// The machine behind `advance`: one input or one timer of one contact, and what comes of it. Its parts: machine.cpp (the order of things),
// triggers.cpp (who begins), steps.cpp (what a running journey does).

#include <string_view>
#include <vector>

#include "journeyman/predicate/evaluate.hpp"
#include "journeyman/workflow/machine.hpp"
#include "predicate/compare.hpp"

namespace journeyman::detail {

/// An input that a step caused: it waits until what is being handled is done.
struct caused_input {
    position place;
    event_ref event;                                 // emit
    std::vector<std::uint32_t> attributes;           // set
    std::uint32_t start = none;                      // start: the workflow; `event` is then the event that started the starter
    std::uint32_t by = none;                         // the workflow that caused it
};

/// Whether two values are one key (W2): whole numbers and decimals compare as numbers.
inline bool same_key(const program& p, const value& a, const value& b) { return a == b || (a.type != b.type && compare_values(p, node_kind::equal, a, b) == truth::yes); }

class machine {
public:
    machine(const workflow_program& w, contact_journeys& s, contact_world& world, journey_sink& sink);

    void begin(instant start);
    void input(const seen_input& in);
    void timers(instant t);
    /// A workflow that has become another: its triggers by time, from now on.
    void arm(std::uint32_t workflow, instant now);
    /// A journey that stands at a step of another version: it goes on there, as the step is now, or enters it anew.
    void resume(std::uint32_t workflow, std::uint32_t number, instant now, bool enters);

private:
    // machine.cpp
    static bool hears(const reads& r, const seen_input& in);
    void handle(const seen_input& in);
    void drain();
    void sweep();
    void at(position place);
    position next_place();                           // behind everything handled or caused so far
    void cause(caused_input c, const journey_state& by);

    // triggers.cpp
    void trigger(std::uint32_t workflow, const seen_input& in);
    void trigger(std::uint32_t workflow);            // by time
    void rearm(std::uint32_t workflow, instant from);
    instant expect(std::uint32_t workflow, instant from);
    bool asks_segment(std::uint32_t workflow);       // whether a journey begins
    void look_at_pending(std::uint32_t workflow);
    void enter(std::uint32_t workflow, event_ref event);

    // steps.cpp
    void look(journey_state& j, const seen_input* in);
    bool settled(journey_state& j, instant& next) { return (of(j).goal != none || of(j).exit != none) && settles(j, next); }
    bool settles(journey_state& j, instant& next);
    const compiled_outcome* met(const journey_state& j, const compiled_step& s, instant& next, const seen_input* in, bool entered);
    bool awaited(const journey_state& j, const compiled_outcome& o, instant& next, const seen_input* in);
    bool of_this_journey(const journey_state& j, event_ref e) const;
    void go(journey_state& j, std::uint32_t to);
    void move(journey_state& j, std::uint32_t to, passage by);
    void leave(const journey_state& j, std::uint32_t next, passage by);
    void end(journey_state& j, journey_outcome o);
    void finish(journey_state& j, journey_outcome o);
    void rest(journey_state& j, instant next) { j.next = next < j.deadline ? next : j.deadline; }
    void wait_until(journey_state& j, const compiled_step& s);
    bool wait_again(journey_state& j, const compiled_step& s);
    void work_out(const compiled_step& s);
    void act(const journey_state& j, step_action a);
    bool send(journey_state& j, const compiled_step& s);
    void set(journey_state& j, const compiled_step& s);
    void emit(journey_state& j, const compiled_step& s);

    const compiled_workflow& of(const journey_state& j) const { return w_.workflows[j.workflow]; }
    const compiled_step& standing(const journey_state& j) const { return of(j).steps[j.step]; }
    void show(const journey_state& j) { shown_ = {j.entry(), w_.keeps_steps ? state_.steps.data() + j.steps : nullptr, world_.event(j.trigger)}; }
    bool yes(node_id n, instant& next) { return n != none && evaluate(p_, n, view_, t_, next).is_yes(); }

    const workflow_program& w_;
    const program& p_;
    contact_journeys& state_;
    contact_world& world_;
    journey_sink& sink_;
    contact_view view_;                // our own: it shows one journey after the other
    journey_view shown_;
    position at_;                      // of what is being handled
    instant t_;
    position acted_;                   // of the last action of the step a journey stands at
    bool ended_ = false;
    std::vector<caused_input> caused_;
    std::size_t handled_ = 0;          // of `caused_`
    std::vector<value> values_;
};

}  // namespace journeyman::detail
