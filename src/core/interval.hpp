#pragma once
// Two-sided intervals of counts, proportions and their differences (K3).

#include <optional>

namespace journeyman::detail {

struct interval {
    double low = 0, high = 0;
};

/// The normal quantile of a two-sided level: 1.96 for 0.95.
double two_sided_quantile(double level);

/// Garwood (1936), "Fiducial limits for the Poisson distribution": exact for a count. The low end of 0 is 0.
interval garwood(double count, double level);

/// Wilson (1927), "Probable inference, the law of succession, and statistical inference", without correction, of `part` in `whole` (0 ≤ part ≤ whole, whole > 0).
/// Its ends at nothing and at everything are exactly 0 and 1.
interval wilson(double part, double whole, double level);

/// Of the difference of two proportions, a - b: method 10 of Newcombe (1998), "Interval estimation for the difference between independent proportions", without correction,
/// which squares and adds the distances of each proportion from the ends of its Wilson interval.
interval newcombe(double part_a, double whole_a, double part_b, double whole_b, double level);

/// Mean and sample variance (over n - 1) of n numbers.
struct moments {
    double n = 0, mean = 0, variance = 0;
};

/// Of the difference of two means, a - b: Welch (1947), "The generalization of Student's problem when several different population variances are involved", with the degrees
/// of freedom of Satterthwaite. Nothing for fewer than two numbers on a side, or when neither side varies.
std::optional<interval> welch(const moments& a, const moments& b, double level);

}  // namespace journeyman::detail
