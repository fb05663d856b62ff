#pragma once
// Event funnels (design K8): how far each unit gets through a list of steps, under rules that are all named.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "journeyman/core/table.hpp"
#include "journeyman/history/history.hpp"
#include "journeyman/kpi/funnel_rules.hpp"
#include "journeyman/predicate/program.hpp"

namespace journeyman {

/// Steps in order, the longest time a chain may take, and the rules.
struct event_funnel {
    std::vector<std::pair<std::string, selector>> steps;          // name, event (without a window)
    std::optional<length> within;                                 // none: unlimited; zero: the start's own instant
    funnel_rules rules = {};
};

struct funnel_options {
    double level = 0.95;                                          // of the intervals
    bool units = false;                                           // whether `report.units` is wanted: what times are made of
    bool completions = false;                                     // whether its column `completions` is wanted too
    compile_context context = {};                                 // zone, segments
    std::optional<schema> known = {};                             // names a playbook declares; nothing: those of the history
};

struct funnel_report {
    /// by…, step, name, units, share, share_of_previous, low, high, immature: for the total (its dimensions missing) and each cell, a row a step.
    /// `units`: how many came to the step; `share`: of those at step 1 (or of all contacts, as the denominator says), with its Wilson interval;
    /// `immature`: those that did not come to the last step and whose window is still open at the end (on the row of step 1).
    table rows;
    /// unit columns (contact_id, …), by…, level (missing: left out by an exclusion), immature, step_1 … step_N: the instants of the chain that first reached the level; [completions].
    /// Units that never entered are not in it.
    table units;
    std::size_t steps = 0, dimensions = 0;                        // how many of its columns
    std::vector<std::string> names;                               // of the steps
    bool cells_apart = false;                                     // cells have rows of their own in `units`, beside those of the total
    std::optional<length> within;
    bool within_of_step = false;                                  // it counts from the step before, not from the start
    zone_ptr zone = utc();
    instant end = end_of_time;                                    // what was not seen by then is not known
};
inline std::ostream& operator<<(std::ostream& out, const funnel_report& r) { return out << r.rows; }

/// Throws the first error of the check. Steps of one contact are looked at; the history is read stream by stream, only those named.
funnel_report measure_funnel(const history&, const event_funnel&, const funnel_options& = {});
/// The same by the general matcher alone, without the passes that count the default rules faster. For tests.
funnel_report measure_funnel_plainly(const history&, const event_funnel&, const funnel_options& = {});
/// What the type check finds in it, with places "PLACE.steps.0.event" …
void check_funnel(const event_funnel&, compiler&, const std::string& place, problems& out);

/// by…, step, name, units, mean_seconds, median_seconds, p10, p25, p75, p90, mean_total_seconds, median_total_seconds: time from the step before and from step 1, over the units that took the step.
/// Needs `units`. Quantiles by linear interpolation (the median of an even number is the mean of the two in the middle).
table funnel_times(const funnel_report&);
/// from_seconds, to_seconds, units: of the time between two steps (1-based), over units that came to `to`; `bins` 0: the cube root of the units, rounded up.
/// Bins are half-open and of whole seconds; one more than asked, for the longest time may lie on the last edge.
table funnel_histogram(const funnel_report&, int from, int to, std::size_t bins = 0);
/// by…, after_seconds, at_risk, converted, censored, share, low, high: the share that has come from one step to another by then, as Kaplan and Meier (1958) estimate it
/// where some could not be watched to the end; the interval is Greenwood's on the log-log scale (Kalbfleisch and Prentice 1980).
table funnel_conversion_over_time(const funnel_report&, int from, int to, double level = 0.95);

}  // namespace journeyman
