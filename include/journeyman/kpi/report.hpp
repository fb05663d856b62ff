#pragma once
// Asking for KPIs: one pass over the history for all of them.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "journeyman/core/error.hpp"
#include "journeyman/core/table.hpp"
#include "journeyman/history/history.hpp"
#include "journeyman/kpi/kpi.hpp"
#include "journeyman/predicate/program.hpp"

namespace journeyman {

struct kpi_options {
    std::optional<instant> start, end;       // end exclusive; defaults: first and last instant of the history, included
    std::vector<expression> by;              // added to each KPI's own
    double level = 0.95;
    std::vector<std::string> only;           // names; empty: all
    unsigned threads = 0;                    // 0: as many as the machine has; the answer is the same to the bit
    double distinct_error = 0;               // 0: accounts are counted exactly; else by HyperLogLog, of at most this standard error (0.01: 1 %)
};

struct kpi_report {
    /// kpi, scope, period (its start; missing for a campaign), campaign, partial, dimensions…, value, numerator, denominator, low, high, immature, target, status, certain
    table rows;
    /// kpi, period, amount: spend that a scoped KPI could not count because it names no segment.
    table unscoped_spend;
    /// kpi, period, action, workflow, campaign: what improves the KPIs that missed their target, by their totals.
    table improve;
    /// kpi, scope, dimensions…, periods, first, last, change, slope, p, trend, better: how the values of each cell went over its last whole periods with a value, 36 at most. `change` is from the one
    /// before the last, `slope` by period (Sen's), `p` that of Mann and Kendall's test, `trend` rising or falling where p is below 1 - level, else none; `better`: that is its direction.
    table trend;
    /// Why there are no rows, where there are none; dimensions that nothing has.
    journeyman::problems problems;
};
/// The rows.
inline std::ostream& operator<<(std::ostream& out, const kpi_report& r) { return out << r.rows; }

/// What KPIs need of a playbook (floor 3 does not know floor 4).
struct kpi_definitions {
    std::vector<kpi> kpis;
    std::vector<campaign> campaigns;
    std::vector<dimension> dimensions;
    std::vector<std::string> segments;       // names, as written: the dimension `segment`
    compile_context context;
    std::vector<std::pair<std::string, std::string>> types;   // as a playbook declares them
};

/// A stay of a journey at a step, for the dimensions `workflow`, `version` and `step`: by contact, in time order. The names are the run's.
struct journey_span {
    std::uint32_t contact = 0;
    std::string_view workflow, version, step;
    position from, to;                       // to: inclusive; end of time while running
};

class run;                                   // run/run.hpp, two floors up
/// What KPIs measure of a run: its history, and its journeys.
struct measured_run {
    const history* made;
    const std::vector<journey_span>* journeys;
};
/// Its body stands with the run (src/run): `return {&r.history(), &r.spans()};`
measured_run measured(const run&);

/// Adds what is wrong with the definitions to `out`, with places "kpis.NAME.value" …: what the compiler finds in them too, each once.
void check_kpis(const kpi_definitions&, compiler&, problems& out);
/// `h` is the history to measure: for `actions` and journeys, that of a run (`run.history`). Throws the first error of the check, and `kpi.window` for an empty span.
/// A `without` is judged at the end of the table. A dimension `campaign` stands in the column `campaign`; where every row is a campaign it is left out.
kpi_report compute_kpis(const kpi_definitions&, const history& h, const std::vector<journey_span>& journeys, const kpi_options&);

}  // namespace journeyman
