#pragma once
// Smaller questions about coming back: conditions seen, conversion after a start, conversions credited to the nearest event before.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "journeyman/core/table.hpp"
#include "journeyman/history/history.hpp"
#include "journeyman/predicate/program.hpp"

namespace journeyman {

struct conversion_options {
    std::vector<std::string> unit = {"contact"};                  // contact, properties of the event, or both
    std::optional<instant> from = {}, to = {};                    // both in
    predicate where = {}, audience = {};
    double level = 0.95;
    compile_context context = {};
    std::optional<schema> known = {};
};

/// unit columns, condition_1 … condition_N (yes/no): whether the first was seen, and the first and each other, however many events and in whatever order. Units that saw none are left out.
table measure_conditions(const history&, const std::vector<selector>& conditions, const conversion_options& = {});

struct conversion_question {
    selector start;
    std::vector<selector> goal;                                   // in this order, each another event
    bool last_start = false;                                      // occurrence: from the last start instead of the first
    std::optional<length> within = {};                            // inclusive, from the start
    std::optional<int> within_events = {};                        // only the next so many events, of any kind
};
/// One row: units, with_start, converted, rate, low, high, base_rate, lift. `rate` is converted of with_start (Wilson's interval), `base_rate` who reaches the goal anywhere of all units, `lift` rate over base_rate.
table measure_conversion(const history&, const conversion_question&, const conversion_options& = {});

struct nearest_base_question {
    selector base, conversion;
    std::optional<length> window = {};                            // half-open: younger than this
    std::vector<std::string> held = {};                           // properties equal on both
    std::string group_by = {};                                    // `day` (of the base event), or a property of it; none: one group ""
    std::optional<instant> base_from = {}, base_to = {};          // both in: of the base events only
};
/// group, base, conversions, rate: each conversion is credited to its contact's nearest base event at or before it; `rate` is missing where none was credited, and may exceed 1.
table measure_nearest_base(const history&, const nearest_base_question&, const conversion_options& = {});

}  // namespace journeyman
