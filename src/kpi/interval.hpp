#pragma once
// Two-sided intervals of counts and proportions (K3).

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

}  // namespace journeyman::detail
