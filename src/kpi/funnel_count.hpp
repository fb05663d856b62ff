#pragma once
// Counting a funnel of the default rules without chains: from step to step, two sorted lists at a time.

#include <cstdint>
#include <optional>
#include <vector>

#include "kpi/funnel_source.hpp"

namespace journeyman::detail {

struct funnel_counts {
    std::vector<std::int64_t> units;   // by step
    std::int64_t immature = 0;
};

/// Nothing where the rules, the steps or the breakdown need the matcher. `end`: the first instant that is not known.
std::optional<funnel_counts> count_funnel(const history_data&, const event_funnel&, const funnel_source&, instant end);

}  // namespace journeyman::detail
