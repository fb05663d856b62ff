#pragma once
// The pure step: state and input in, state and actions out. No clock, no chance, no I/O (design §2.2, §6).

#include <cstdint>
#include <span>
#include <string_view>

#include "journeyman/workflow/compiled.hpp"
#include "journeyman/workflow/state.hpp"
#include "journeyman/workflow/world.hpp"

namespace journeyman {

enum class action_status : std::uint8_t { sent, deferred, suppressed, done };
enum class action_reason : std::uint8_t { nothing, consent, holdout, quiet_hours, cap };
/// How a journey went on from a step.
enum class passage : std::uint8_t { running, completed, goal, exited, next, then, timeout, if_, else_, split };
std::string_view to_string(action_status);
std::string_view to_string(action_reason);
std::string_view to_string(journey_outcome);
std::string_view to_string(passage);

/// An action (W7), by numbers. Its key is made of workflow, version, contact, journey and step.
struct step_action {
    std::uint32_t workflow = 0, step = 0, journey = 0;
    std::uint32_t channel = none;
    action_status status = action_status::done;
    action_reason reason{};
    position at;                                               // its own, behind the input or timer it answers to
    instant until = end_of_time;                               // deferred: to when; task: due
    std::span<const value> values;                             // by compiled_step::with; while the sink looks at it
};
/// A journey's stay at a step.
struct stay {
    std::uint32_t workflow = 0, step = 0, journey = 0;
    std::uint32_t next = none;
    passage by = passage::running;
    position from, to;                                         // `to`: of the input or timer that ended it, or of its last action
};

/// Takes what comes out, as it happens. The view is what the journey sees when it acts or moves.
class journey_sink {
public:
    virtual ~journey_sink() = default;
    virtual void act(const step_action& a, const contact_view&) = 0;
    virtual void leave(const stay& s, const contact_view&) = 0;
    /// `key`: the value, where re-entry is `each`.
    virtual void end(const journey_state& j, const value& key, instant at) = 0;
    /// What steps cause is in the world already.
    virtual void emitted(std::uint32_t /*stream*/, position, std::span<const std::uint32_t> /*properties*/, std::span<const value> /*cells*/) {}
    virtual void changed(std::uint32_t /*attribute*/, position, const value&) {}
};

/// What came in: an event, or a change of one or several attributes. The world shows it already.
struct seen_input {
    position place;                                            // where it is handled; a late event happened before
    event_ref event;
    std::span<const std::uint32_t> attributes;
};

/// Before the first input: who is in a segment now has not entered it; dates before `start` are past.
void begin(const workflow_program&, contact_journeys&, contact_world&, instant start);
/// One input, and what it causes (W4).
void advance(const workflow_program&, contact_journeys&, contact_world&, const seen_input&, journey_sink&);
/// The timers due at `t`, after all inputs at `t` (T2), and what they cause.
void advance(const workflow_program&, contact_journeys&, contact_world&, instant t, journey_sink&);
/// When time alone may do something next.
instant next_timer(const workflow_program&, const contact_journeys&);
/// Nothing runs.
bool idle(const workflow_program&, const contact_journeys&);
/// The inputs that can matter, but for those at the instant of a timer: all others change nothing before one of these, or a timer, comes.
heard_slots heard(const workflow_program&, const contact_journeys&);
/// Whether nothing can come of this contact any more: it runs nothing, and was everywhere it can be once.
bool through(const workflow_program&, const contact_journeys&);
/// The value of the property that its workflow has one journey for each of; missing where re-entry is another.
value key_of(const workflow_program&, const contact_world&, const journey_state&);
/// The place of an input among what was handled already: its own, or right behind the last at its instant.
position place_after(const contact_journeys&, position own);

}  // namespace journeyman
