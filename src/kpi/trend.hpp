#pragma once
// Whether values rise or fall over their periods, without asking how they are distributed.

#include <optional>
#include <span>
#include <utility>

namespace journeyman::detail {

struct trend {
    double slope = 0;                      // by period: the median of the slopes of all pairs (Sen 1968, "Estimates of the regression coefficient based on Kendall's tau")
    std::optional<double> p;               // two-sided; nothing for fewer than four values
};
/// Values by period number, ascending; at least two. The test is that of Mann (1945) and Kendall: the normal approximation, with the corrections for ties and for continuity.
trend trend_of(std::span<const std::pair<int, double>> values);

}  // namespace journeyman::detail
