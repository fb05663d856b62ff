#pragma once
// Before an experiment starts, and while it runs: how many units, how much power, and bounds for looking more than once.

#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "journeyman/kpi/experiment.hpp"

namespace journeyman {

/// How much error may be spent by a fraction t of the information (Lan and DeMets, 1983): 2(2 - 2Φ(z_{α/4}/√t)); α ln(1 + (e - 1)t); α t^power.
struct spending {
    enum kind_t { obrien_fleming, pocock, power } kind = obrien_fleming;
    double exponent = 1;
    [[nodiscard]] double spent(double t, double alpha) const;
};

/// Bounds of |z| at each look, two-sided and symmetric, such that the error spent by look k is that of the spending function at `fractions[k]` (ascending, the last at most 1).
/// Infinite where nothing is to be spent. By the recursive integration of Armitage, McPherson and Rowe (1969), on Gauss-Legendre nodes. Errors: `statistics.fractions`.
std::vector<double> sequential_bounds(std::span<const double> fractions, double alpha, const spending& = {});
/// The two-sided nominal level of each look: 2(1 - Φ(z)).
std::vector<double> sequential_levels(std::span<const double> fractions, double alpha, const spending& = {});

struct sequential_look { double fraction = 0, bound = 0, difference = 0, standard_error = 0, low = 0, high = 0; bool stop = false; };
/// One look a pair of arms, each with all units so far: difference ± bound · standard error. Fractions are units so far / max(planned, seen). The level is split over `comparisons` (Bonferroni).
/// `units`: of all arms so far, by look; empty: those of the pair.
std::vector<sequential_look> sequential_intervals(std::span<const arm_sums> a, std::span<const arm_sums> b, double planned, double level = 0.95, const spending& = {}, double comparisons = 1, std::span<const double> units = {});

/// What is planned: `arms` arms of equal size, two of which are compared. With a mean the effect is relative to it, with the delta method's variance at the alternative.
/// With `tuning` it is to be seen by the always-valid interval of that tuning.
struct test_plan {
    std::optional<double> mean = {};
    double variance = 1;
    double arms = 2;
    double alpha = 0.05;
    std::optional<double> tuning = {};
};
/// Units of all arms together for `power` to see an effect, rounded up. Nothing where no number suffices.
std::optional<double> sample_size(const test_plan&, double effect, double power = 0.8);
/// How many days that takes when so many units come in a day, to all arms together; rounded up.
std::optional<double> duration_of(const test_plan&, double effect, double units_a_day, double power = 0.8);
/// Two-sided, of an effect with `n` units in all arms together.
double power_of(const test_plan&, double effect, double n);
/// Of an absolute effect with arms of these sizes and one variance.
double power_of(double variance, double n_a, double n_b, double effect, double alpha = 0.05);
/// The smallest effect above 0 that `n` units in all arms see with that power; nothing where there is none.
std::optional<double> detectable(const test_plan&, double n, double power = 0.8);
/// The variance of a proportion: p (1 - p).
inline double variance_of_proportion(double p) { return p * (1 - p); }

}  // namespace journeyman
