#pragma once
// Workflows made ready to run: names are numbers, predicates and selectors are in one program. A step is known by its number within its workflow.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "journeyman/core/error.hpp"
#include "journeyman/predicate/program.hpp"
#include "journeyman/predicate/reads.hpp"
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

/// The instants of a schedule trigger, in order, worked out as they are asked for; safe for threads.
class schedule_times {
public:
    virtual ~schedule_times() = default;
    /// The first at or after `t`; `end_of_time` when the rule is over.
    [[nodiscard]] virtual instant at_or_after(instant t) const = 0;
};

/// A date of the contact (or of the trigger event), moved and given a time of day: triggers and waits share it.
struct compiled_date {
    node_id value = none;
    std::optional<date_offset> offset;
    std::optional<time_of_day> at;
    bool yearly = false;
};
struct compiled_trigger {
    enum kind_t : std::uint8_t { event, enters, leaves, date, schedule } kind = event;
    bool plain = true;                          // event: every one that the selector takes counts at once, and for ever
    selector_id selector = none;                // event; by hand too
    node_id segment = none;                     // enters, leaves
    compiled_date when;                         // date
    std::shared_ptr<const schedule_times> times;
    reads listens;
    /// Whether passing time alone may start a journey.
    [[nodiscard]] bool timed() const { return kind != event || !plain; }
};

/// Slots that somebody listens to; those from 63 on are one.
struct heard_slots {
    std::uint64_t streams = 0, attributes = 0;
    static constexpr std::uint64_t bit(std::uint32_t slot) { return std::uint64_t{1} << (slot < 63 ? slot : 63); }
    [[nodiscard]] bool stream(std::uint32_t slot) const { return (streams & bit(slot)) != 0; }
    [[nodiscard]] bool attribute(std::uint32_t slot) const { return (attributes & bit(slot)) != 0; }
    void add(const heard_slots& other) { streams |= other.streams, attributes |= other.attributes; }
};

/// A channel a send may take, and who says yes to it.
struct compiled_channel {
    std::uint32_t channel = none;               // into workflow_program::channels
    std::vector<node_id> consent;               // all must be yes; empty: none is needed
};
struct compiled_outcome {
    selector_id event = none;                   // or
    node_id when = none;
    std::uint32_t then = none;                  // `none` as a target is the end
    bool plain = true;                          // event: without a window and `without`
};
struct compiled_step {
    std::string name, phase;
    step_kind kind;                             // as written
    std::uint32_t next = none;
    std::uint32_t otherwise = none;             // branch; wait_for: of the timeout
    std::optional<length> span;                 // wait; wait_for: timeout; task: due
    compiled_date date;                         // wait for a date
    std::vector<compiled_outcome> outcomes;     // wait_for, branch
    std::vector<std::pair<double, std::uint32_t>> shares;                       // split: cumulative, the last is 1
    std::vector<compiled_channel> channels;                                     // send
    std::vector<std::pair<node_id, std::vector<compiled_channel>>> preferred;   // send: segment → its channels
    bool transactional = false;
    std::vector<std::pair<std::string, node_id>> with;                          // send, task, webhook; set: attributes; emit: properties
    std::vector<std::uint32_t> slots;           // set: attribute slots, emit: property slots, by `with`
    std::uint32_t target = none;                // emit: stream slot; start: workflow
    bool local = false;                         // wait: until a local time or a date, so it is computed again when zone or date changes
    reads listens;                              // who stands here looks at nothing else: goal and exit, too
    heard_slots hears;                          // the same
};
struct compiled_workflow {
    std::string name, version;                  // version: hash of the definition and of all it refers to (W9)
    node_id audience = none, goal = none, exit = none;
    compiled_trigger trigger;
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
/// How long the state of one contact keeps the events of a stream.
struct stream_keeping {
    bool always = false, journeys = false;      // journeys: those since the entry of one that runs
    std::vector<length> last;
    std::vector<std::pair<calendar_unit, int>> units;          // of this unit, or of the one before it (-1)
    instant since = end_of_time;
};
struct workflow_program {
    program_ptr predicates;
    std::vector<compiled_workflow> workflows;                  // in the order of W4: priority, then name
    std::vector<std::string> channels;
    std::vector<compiled_quiet> quiet;
    std::vector<compiled_cap> caps;
    node_id holdout = none;
    std::vector<std::vector<std::uint32_t>> by_stream;         // by stream slot: the workflows whose trigger listens to it
    std::vector<std::vector<std::uint32_t>> by_attribute;      // by attribute slot
    heard_slots wakes;                                         // what triggers listen to
    std::vector<std::uint32_t> timed;                          // workflows that passing time alone may start
    schema known;                                              // types of what comes in
    std::vector<stream_keeping> keeps;                         // by stream slot
    std::vector<bool> keeps_changes;                           // by attribute slot: all of them, not the last alone
    bool keeps_steps = false;                                  // some predicate looks `since step("…")`
};

using workflow_program_ptr = std::shared_ptr<const workflow_program>;

/// Compiles all workflows; problems go into the compiler (what it finds) and `out` (all else). Places are "workflows.NAME.steps.STEP.…".
workflow_program_ptr compile_workflows(const workflow_definitions&, compiler&, problems& out);

/// Adds the attributes that workflows set and the events they emit, with the types they give them.
void add_made(const std::vector<workflow>&, const compile_context&, schema& known);

/// What a template, a task or a webhook is called.
std::string_view template_of(const compiled_step&);

/// 32 hexadecimal digits, the same in every driver.
std::string action_key(const compiled_workflow&, std::string_view contact, std::uint32_t journey, const compiled_step&);

}  // namespace journeyman
