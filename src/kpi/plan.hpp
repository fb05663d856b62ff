#pragma once
// KPIs made ready to be folded: selectors and predicates compiled, dimensions resolved.

#include <memory>
#include <string>
#include <vector>

#include "journeyman/kpi/report.hpp"
#include "kpi/formula.hpp"
#include "kpi/totals.hpp"

namespace journeyman::detail {

/// One dimension of one KPI.
struct dimension_plan {
    enum kind_t { attribute, property, value, segment, campaign, workflow, version, step } kind = property;
    std::string name;                      // its column
    std::uint32_t slot = none;             // attribute or property slot
    expression written;                    // value
    std::string place;
    std::string spend;                     // the column of spend; empty: none
};

struct measure_plan {
    aggregate kind{};
    selector_id a = none, b = none;
    node_id predicate = none;              // members; the `where` of spend
    length within;
    value_type type = value_type::missing; // sum: of its property
    double divisor = 1;                    // whole amounts are kept in minor units and microseconds
    bool looks = false, b_looks = false;   // the `where` looks beyond the event
    std::vector<node_id> dimensions;       // by dimension; `none` where it has no expression
};

struct kpi_plan {
    const kpi* written = nullptr;
    formula value;
    node_id scope = none;
    std::vector<measure_plan> measures;    // as formula::measures
    std::vector<dimension_plan> by;
    std::shared_ptr<const totals_shape> shape;
};

struct plan {
    std::vector<kpi_plan> kpis;
    std::vector<node_id> segments;         // by kpi_definitions::segments, when a dimension asks
    std::vector<node_id> campaigns;        // by kpi_definitions::campaigns; `none` without a `where`
    std::uint32_t account = none;          // attribute slot of account_id, when accounts are counted
};

/// The stream that spend is read as, and one that no event has.
inline constexpr const char* spend_stream = "$spend";
inline constexpr const char* no_stream = "$none";

/// Columns of the report that no dimension can be called.
bool is_report_column(std::string_view);

/// Compiles what the options ask for; what is wrong goes to `out`, also what the compiler finds.
plan make_plan(const kpi_definitions&, compiler&, const kpi_options&, problems& out);

}  // namespace journeyman::detail
