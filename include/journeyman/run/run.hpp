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

namespace journeyman {

enum class run_order { event, arrival };

struct run_options {
    std::optional<instant> start;            // default: the first input
    std::optional<instant> until;            // inclusive; default: the last input of the history, and timers up to it
    run_order order = run_order::event;
    int threads = 0;                         // 0: as many as the machine has. The answer does not depend on it
    predicate only;                          // of these contacts, asked at `start`
    std::function<bool(double done)> progress;   // called now and then with a share; false stops the run with error `run.stopped`
};

/// Tables are built once asked for; a run is a value.
class run {
public:
    run();
    explicit run(std::shared_ptr<const struct run_data> d);
    /// contact_id, workflow, version, journey, step, phase, kind, channel, template, at, status, reason, until, owner, due, values, key; in time order, then contact, then as taken.
    [[nodiscard]] const table& actions() const;
    /// contact_id, workflow, version, journey, entered_at, left_at, outcome, at_step, key; by entry, then contact, workflow.
    [[nodiscard]] const table& journeys() const;
    /// workflow, step, phase, entered, left by outcome, waiting, suppressed by reason, time spent quantiles.
    [[nodiscard]] const table& steps() const;
    /// workflow, from, to, outcome, count: traffic on the edges.
    [[nodiscard]] const table& edges() const;
    /// The history with what the run did: attributes set, events emitted, and `$action` events.
    [[nodiscard]] const journeyman::history& history() const;
    [[nodiscard]] const std::vector<journey_span>& spans() const;
    /// Inputs handled: events listened to, and timers.
    [[nodiscard]] std::uint64_t handled() const;

private:
    std::shared_ptr<const run_data> data_;
};

}  // namespace journeyman
