#pragma once
// The embedder's own loop: the state of one contact and an input in, the state and actions out. No history, no store, no clock (design §2.2).

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "journeyman/core/value.hpp"
#include "journeyman/workflow/machine.hpp"

namespace journeyman {

/// What comes in about a contact: an event, a change of attributes, or the time alone.
struct input {
    enum class kinds : std::uint8_t { tick, event, attributes, account };
    kinds kind = kinds::tick;
    instant at;                                    // when it happened
    std::string name;                              // of the event
    fields values;                                 // properties, or attributes: a monostate makes one missing
    std::optional<instant> arrived = {};           // when it came in, if later; what comes in behind a later input is late by itself (W8)

    static input event(std::string name, instant at, fields properties = {}) { return {kinds::event, at, std::move(name), std::move(properties)}; }
    static input change(instant at, fields attributes) { return {kinds::attributes, at, {}, std::move(attributes)}; }
    /// Attributes that the contact always had.
    static input always(fields attributes) { return {kinds::attributes, beginning_of_time, {}, std::move(attributes)}; }
    /// Of the contact's account. Whoever comes to another account is given that one's.
    static input account(instant at, fields attributes) { return {kinds::account, at, {}, std::move(attributes)}; }
    /// All inputs up to `at` were given: the timers up to it, included, are due.
    static input tick(instant at) { return {kinds::tick, at, {}, {}}; }
};

/// What a workflow wants done (W7): a send, a task, a webhook or a change of an attribute, as in `run::actions`.
struct action {
    std::string contact, workflow, version, step, phase;
    std::string kind;                              // send, task, webhook, set
    std::string channel, template_name, owner;     // template_name: of a task its text, of a webhook its URL
    std::uint32_t journey = 0;
    action_status status = action_status::done;
    action_reason reason = action_reason::nothing;
    instant at;
    std::optional<instant> until, due;             // until: of a deferred send
    fields values;                                 // of `with`, or the attributes set
    std::string key;                               // the same on every retry
};

/// A journey that runs.
struct running_journey {
    std::string contact, workflow, version, step;
    std::uint32_t number = 0;
    std::string key;                               // the property that its workflow has one journey for each value of; empty: its re-entry is another
    instant entered_at, reached_at;                // reached_at: the step
    std::optional<instant> until;                  // when the step ends at the latest
};

/// By workflow: a step of the old version → the step of the new one (upgrade.hpp).
using step_moves = std::map<std::string, std::map<std::string, std::string>>;

/// One contact: attributes and events that predicates can still see, journeys, sends that caps still count. A value; starts empty.
class contact_state {
public:
    contact_state() = default;
    /// `id`: chance and action keys are made of it. `exists_from`: default, the first input; `beginning_of_time`: always.
    explicit contact_state(std::string id, std::optional<instant> exists_from = {}) : id_{std::move(id)}, exists_from_{exists_from} {}

    [[nodiscard]] const std::string& id() const { return id_; }
    /// When time alone may do something: give a tick then. `end_of_time`: never.
    [[nodiscard]] instant next_due() const { return due_; }
    [[nodiscard]] std::vector<running_journey> journeys() const;
    [[nodiscard]] std::size_t events_kept() const { return events_.size(); }
    /// All of it, with names for numbers, so that another process, or the same workflows compiled anew, can go on.
    [[nodiscard]] std::string to_json() const;
    /// Throws `error`: `state.json` for a text that is no state; `state.version` when a journey runs in a version that the program does not have (`upgrade` moves it).
    static contact_state from_json(std::string_view, const workflow_program_ptr&);

private:
    friend class contact_runner;
    friend class contact_states;
    friend instant upgrade(const workflow_program_ptr&, contact_state&, instant, const step_moves&, const std::function<void(const action&)>&);
    struct row {                                   // an event, or (one cell) a change of an attribute
        std::uint32_t slot;
        position place;
        std::vector<std::pair<std::uint32_t, value>> cells;
    };
    std::string id_;
    std::optional<instant> exists_from_;
    workflow_program_ptr program_;                 // what the numbers are of
    std::vector<row> events_, changes_, triggers_;
    contact_journeys journeys_;
    instant now_ = beginning_of_time, due_ = end_of_time;
    std::uint32_t late_ = 0;
    bool begun_ = false;
    std::vector<std::uint32_t> unarmed_;           // workflows that have become others: time triggers are set anew
};

/// One input: first the timers before it, then the input and what it causes, each action to `sink`. Returns when time alone may do something next.
/// When it throws (also when the sink does) the state is as it was: give the input again, the actions have the same keys.
/// Errors: `type.mismatch` for a value that is not of its attribute's or property's type; `workflow.circle`; `state.version` (see from_json).
instant advance(const workflow_program_ptr&, contact_state&, const input&, const std::function<void(const action&)>& sink);
/// What happened before the contact begins: it is seen, and starts nothing.
void see(const workflow_program_ptr&, contact_state&, const input&);
/// From here on journeys may start: who is in a segment now has not entered it, dates before `start` are past. Without it the first input begins.
void begin(const workflow_program_ptr&, contact_state&, instant start);

}  // namespace journeyman
