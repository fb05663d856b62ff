#pragma once
// Workflows made ready to run, and the pure step: state and input in, state and actions out. No clock, no chance, no I/O (design §2.2, §6).

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "journeyman/core/error.hpp"
#include "journeyman/predicate/program.hpp"
#include "journeyman/predicate/view.hpp"
#include "journeyman/workflow/workflow.hpp"

namespace journeyman {

/// What workflows need of a playbook (floor 3 does not know floor 4).
struct workflow_definitions {
    std::vector<workflow> workflows;
    journeyman::policies policies;
    std::vector<std::pair<std::string, std::vector<std::string>>> segments;   // name and preferred channels, as written
    compile_context context;
    std::vector<std::pair<std::string, std::string>> types;                   // as a playbook declares them
};

// ---- the program. A step is known by its number within its workflow; `none` as a target is the end.

/// A channel a send may take, and who says yes to it.
struct compiled_channel {
    std::uint32_t channel = none;               // into workflow_program::channels
    std::vector<node_id> consent;               // all must be yes; empty: none is needed
};
struct compiled_outcome {
    selector_id event = none;                   // or
    node_id when = none;
    std::uint32_t then = none;
};
struct compiled_step {
    std::string name, phase;
    step_kind kind;                             // as written
    std::uint32_t next = none;
    std::uint32_t otherwise = none;             // branch; wait_for: of the timeout
    std::optional<length> span;                 // wait; wait_for: timeout; task: due
    std::vector<compiled_outcome> outcomes;     // wait_for, branch
    std::vector<std::pair<double, std::uint32_t>> shares;                       // split: cumulative, the last is 1
    std::vector<compiled_channel> channels;                                     // send
    std::vector<std::pair<node_id, std::vector<compiled_channel>>> preferred;   // send: segment → its channels
    bool transactional = false;
    std::vector<std::pair<std::string, node_id>> with;
};
struct compiled_workflow {
    std::string name, version;                  // version: hash of the definition and of all it refers to (W9)
    node_id audience = none, goal = none, exit = none;
    selector_id trigger = none;
    reentry_rule reentry;
    std::uint32_t each = none;                  // property slot
    std::uint32_t first = none;
    std::vector<compiled_step> steps;
};
struct compiled_quiet {
    time_of_day from, to;
    std::uint32_t channel = none;               // none: all
    std::uint8_t days = 0x7f;                   // bit k: the ISO weekday k + 1 on which it begins
};
struct compiled_cap {
    std::uint32_t channel = none;
    int at_most = 0;
    std::variant<length, calendar_unit> per;
    bool defer = false;
};
struct workflow_program {
    program_ptr predicates;
    std::vector<compiled_workflow> workflows;                  // in the order of W4: priority, then name
    std::vector<std::string> channels;
    std::vector<compiled_quiet> quiet;
    std::vector<compiled_cap> caps;
    node_id holdout = none;
    std::vector<std::vector<std::uint32_t>> triggered;         // by stream slot: the workflows it may start
};

/// Compiles all workflows; problems go into the compiler (what it finds) and `out` (all else). Places are "workflows.NAME.steps.STEP.…".
std::shared_ptr<const workflow_program> compile_workflows(const workflow_definitions&, compiler&, problems& out);

// ---- what happens

enum class action_status : std::uint8_t { sent, deferred, suppressed, done };
enum class action_reason : std::uint8_t { nothing, consent, holdout, quiet_hours, cap };
enum class journey_outcome : std::uint8_t { running, completed, goal, exited };
std::string_view to_string(action_status);
std::string_view to_string(action_reason);
std::string_view to_string(journey_outcome);

/// What a workflow wants done (W7). Its key is made of workflow, version, contact, journey and step.
struct action {
    std::uint32_t workflow = 0, step = 0, journey = 0;
    std::uint32_t channel = none;
    action_status status{};
    action_reason reason{};
    position at;
    instant until = end_of_time;                               // deferred: to when; task: due
    std::vector<value> values;                                 // by compiled_step::with
};
/// A journey's stay at a step.
struct stay {
    std::uint32_t workflow = 0, step = 0, journey = 0;
    position from, to;                                         // `to`: of the input or timer that ended it
    std::uint32_t next = none;
    std::string_view by;                                       // how it went on: next, then, timeout, if, else, split; completed, goal, exited
};

/// One contact's passage through one workflow.
struct journey_state {
    std::uint32_t workflow = 0, number = 0, step = none;       // number: from 1, for each contact and workflow
    position entry, reached;                                   // reached: the present step
    std::vector<position> steps;                               // by step; at end_of_time: not reached
    event_ref trigger;
    value each;
    instant deadline = end_of_time;                            // of the present step
    instant next = end_of_time;                                // when time alone may move it
    bool deferred = false;
    journey_outcome outcome = journey_outcome::running;
};
/// What is kept of a contact between inputs. Starts empty.
struct contact_state {
    struct memory { std::uint32_t journeys = 0, running = 0; instant last_entry = beginning_of_time; std::vector<value> each; };
    struct sent { instant at; std::uint32_t channel; };
    std::vector<journey_state> journeys;                       // running ones, in the order of W4
    std::vector<memory> workflows;                             // by workflow
    std::vector<sent> sends;                                   // that caps still count
    /// When time alone may do something next.
    [[nodiscard]] instant next() const {
        instant t = end_of_time;
        for (const auto& j : journeys) t = j.next < t ? j.next : t;
        return t;
    }
};

/// Takes what comes out, as it happens.
class journey_sink {
public:
    virtual ~journey_sink() = default;
    virtual void act(action a) = 0;
    virtual void leave(const stay& s) = 0;
    virtual void end(const journey_state& j, instant at) = 0;
};

/// Everything that happened to the contact up to `place` is visible in `view`; `event`: the input itself, none for a change of an attribute.
void advance(const workflow_program&, contact_state&, const contact_view& view, position place, event_ref event, journey_sink&);
/// The timers due at `t`, after all inputs at `t` (T2).
void advance(const workflow_program&, contact_state&, const contact_view& view, instant t, journey_sink&);

/// 32 hexadecimal digits, the same in every driver.
std::string action_key(const compiled_workflow&, std::string_view contact, std::uint32_t journey, const compiled_step&);

}  // namespace journeyman
