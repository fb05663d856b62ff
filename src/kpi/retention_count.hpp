#pragma once
// Calendar retention as a word of bits a contact: in which intervals it was active.

#include <cstdint>
#include <optional>
#include <vector>

#include "kpi/funnel_source.hpp"

namespace journeyman::detail {

/// By cohort: how many started, how many have a returning event after the start, and how many were active in each interval from it on.
struct retention_counts {
    std::vector<std::int64_t> size, again;
    std::vector<std::vector<std::int64_t>> active;
};

/// `bounds`: the beginnings of the intervals, the first at or before all events, and the end of the last; at most 64 of them.
/// Nothing where an event is more than its name.
std::optional<retention_counts> count_retention(const history_data&, const funnel_plan&, const std::vector<std::int64_t>& bounds);

}  // namespace journeyman::detail
