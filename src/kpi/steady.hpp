#pragma once
// The quick path of counting: contacts whose scope and cells cannot change are asked once where they stand, and their events are counted stream by stream.

#include <vector>

#include "journeyman/predicate/reader.hpp"
#include "kpi/fold.hpp"

namespace journeyman::detail {

/// Whether an expression says the same of a contact at all times, as long as her attributes do not change: it reads nothing else (no account's attributes, no events, no time, no journey).
/// Adds the slots it reads.
bool is_steady(const program&, node_id, std::vector<std::uint32_t>& attributes);

/// What one KPI's scope and cells are for a contact in whom they cannot change.
struct standing {
    bool possible = false;                     // of this KPI at all
    std::vector<std::uint32_t> attributes;     // slots they hang on
    bool steady = false, in_scope = false;     // of the contact at hand
    std::vector<std::uint32_t> cells;
};
standing standing_of(const program&, const plan&, const kpi_plan&);

struct quick_scratch {
    std::vector<std::int64_t> counts;          // by period of the calendar
    std::vector<amount> sums;
};

/// Counts of events and contacts, and sums, of a contact who stands where she stands. False: the measure is none of these, or needs the plain path.
bool count_quickly(const program&, const history_reader&, const standing&, instant end, kpi_totals&, std::size_t measure, quick_scratch&);

/// Adds a value to a sum of this type.
inline void add_value(amount& to, const value& v, value_type type) {
    if (v.type == value_type::decimal) to.decimals.add(v.d);
    else if (v.type == type) to.whole += v.i;
    else to.decimals.add(v.type == value_type::duration ? static_cast<double>(v.i) / 1e6 : v.as_decimal());
}

}  // namespace journeyman::detail
