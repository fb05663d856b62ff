#pragma once
// What a replay did: actions, journeys, steps, and the history with them in it.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "journeyman/core/table.hpp"
#include "journeyman/history/history.hpp"
#include "journeyman/kpi/report.hpp"
#include "journeyman/predicate/expression.hpp"
#include "journeyman/run/explain.hpp"
#include "journeyman/workflow/contact.hpp"

namespace journeyman {

enum class run_order { event, arrival };

struct run_options {
    std::optional<instant> start = {};       // default: the first input
    std::optional<instant> until = {};       // inclusive; default: the last input of the history, and timers up to it
    run_order order = run_order::event;
    int threads = 0;                         // 0: as many as the machine has. The answer does not depend on it
    predicate only = {};                     // of these contacts, asked at `start`
    std::function<bool(double done)> progress = {};   // called now and then with a share; false stops the run with error `run.stopped`
};

struct run_data;

/// Tables are built once asked for; a run is a value.
class run {
public:
    run();
    explicit run(std::shared_ptr<const run_data> d);
    /// contact_id, workflow, version, journey, step, phase, kind, channel, template, at, status, reason, until, owner, due, values, key; in time order, then contact, then as taken.
    /// template: of a task its text, of a webhook its URL. values: a JSON object. A deferred send has several rows of one key.
    [[nodiscard]] const table& actions() const;
    /// contact_id, workflow, version, journey, entered_at, left_at, outcome, at_step, key (the value, where re-entry is `each`); by entry, then contact, workflow.
    [[nodiscard]] const table& journeys() const;
    /// workflow, step, phase, entered, moved_on, completed, goal, exited, waiting, sent, deferred, suppressed_REASON, time_p25 to time_p90 (nearest rank, of those who left).
    [[nodiscard]] const table& steps() const;
    /// workflow, from (missing: those who enter), to (missing: those who leave), outcome (entered next then timeout if else split goal exited), count.
    [[nodiscard]] const table& edges() const;
    /// contact_id, workflow, step, journey, at, arm (the step the split led to; "end" for none): each passage through a `split`, by contact, as they came.
    [[nodiscard]] table splits() const;
    /// The history with what the run did: attributes set, events emitted, and `$action` events.
    [[nodiscard]] const journeyman::history& history() const;
    [[nodiscard]] const std::vector<journey_span>& spans() const;
    /// The journeys of one contact, told step by step; of one workflow or all, one number or all. By entry. Errors: `name.unknown`.
    [[nodiscard]] std::vector<explained_journey> explain(std::string_view contact, std::string_view workflow = {}, std::uint32_t journey = 0) const;
    /// Those that run at its end: for plan_upgrade (workflow/upgrade.hpp).
    [[nodiscard]] std::vector<running_journey> in_flight() const;
    [[nodiscard]] workflow_program_ptr compiled() const;
    [[nodiscard]] const run_data& data() const { return *data_; }
    /// Inputs handled: events listened to, and timers.
    [[nodiscard]] std::uint64_t handled() const;

private:
    std::shared_ptr<const run_data> data_;
};

}  // namespace journeyman
