#pragma once
// Is the difference real? Two arms from their sums alone, so that arms can be merged from parts.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "journeyman/core/table.hpp"
#include "journeyman/history/history.hpp"
#include "journeyman/predicate/expression.hpp"
#include "journeyman/predicate/program.hpp"

namespace journeyman {

/// What an arm's units add up to (a measure: merging is adding). The variables: what is counted (`post`), what it is divided by in a ratio (`den`), and both before the experiment.
struct arm_sums {
    enum variable : std::size_t { post, den, pre, pre_den };
    double n = 0;
    std::array<double, 4> sum{};
    std::array<double, 10> products{};                       // product(a, b), sums of squares too
    bool binary = false;                                     // only 0 and 1: the variance of a mean is p (1 - p), not over n - 1

    [[nodiscard]] static constexpr std::size_t place(std::size_t a, std::size_t b) { return a < b ? b * (b + 1) / 2 + a : a * (a + 1) / 2 + b; }
    [[nodiscard]] double product(std::size_t a, std::size_t b) const { return products[place(a, b)]; }
    void add(const std::array<double, 4>& x);
    void merge(const arm_sums&);
    [[nodiscard]] double mean(std::size_t a = post) const { return sum[a] / n; }
    /// Over n - 1.
    [[nodiscard]] double covariance(std::size_t a, std::size_t b) const { return (product(a, b) - sum[a] * sum[b] / n) / (n - 1); }
    [[nodiscard]] double variance(std::size_t a = post) const;
};

/// mean of `post`; ratio of the sums of `post` and `den`; either adjusted by what was before (CUPED: Deng, Xu, Kohavi and Walker, 2013).
enum class statistic : std::uint8_t { mean, ratio, cuped, ratio_cuped };
enum class effect_scale : std::uint8_t { absolute, relative };   // relative: to |the control's unadjusted value|
enum class side : std::uint8_t { two, greater, less };
enum class reference : std::uint8_t { t, normal };

struct comparison_options {
    journeyman::statistic statistic = statistic::mean;
    effect_scale scale = effect_scale::absolute;
    double level = 0.95;
    journeyman::side side = side::two;
    journeyman::reference reference = reference::t;
    std::optional<double> theta = {};                        // of the adjustment; default: `cuped_theta`
};
struct arm_comparison {
    double value_a = 0, value_b = 0;                         // adjusted, where the statistic is
    double estimate = 0, standard_error = 0, degrees = 0;
    double low = 0, high = 0, p = 1;                         // an open side is infinite
};

/// cov(post, pre)/var(pre) of both arms put together; of ratios the sums of the arms' own covariances and variances of the linearised ratios. 0 if `pre` never varies.
double cuped_theta(const arm_sums& a, const arm_sums& b, bool ratio = false);

/// b against a (the control). Standard errors by the delta method: a ratio by its linearised form, a relative effect with the control's value estimated too. Degrees of freedom are
/// Welch's (1947), from the absolute variances. Nothing where an arm has fewer than two units, nothing varies, or the control's value is 0 under a relative effect.
std::optional<arm_comparison> compare(const arm_sums& a, const arm_sums& b, const comparison_options& = {});

/// The same with an interval and p that hold at every look at once: the normal mixture's confidence sequence (Robbins 1970; Waudby-Smith et al. 2023), tightest at about `tuning` units.
std::optional<arm_comparison> always_valid(const arm_sums& a, const arm_sums& b, double tuning, const comparison_options& = {});

struct normal_prior { double mean = 0, variance = 1; };
struct bayes_result {
    double mean = 0, sd = 0, low = 0, high = 0;
    double chance_b = 0, loss_if_a = 0, loss_if_b = 0;       // P(effect > 0); expected loss of choosing a, of choosing b
};
/// Normal prior (none: flat) times the normal likelihood of the effect.
std::optional<bayes_result> bayes(const arm_sums& a, const arm_sums& b, const std::optional<normal_prior>&, const comparison_options& = {});

/// Sample ratio mismatch: p of the chi-squared test of counts against weights. Arms of weight 0 are left out; fewer than two arms: 1.
double split_check(std::span<const double> counts, std::span<const double> weights);

enum class correction : std::uint8_t { none, bonferroni, holm, benjamini_hochberg };
/// Adjusted p, in the order of the input: Holm (1979); Benjamini and Hochberg (1995), step-up.
std::vector<double> adjust_p(std::span<const double> p, correction);

/// (b - a) / |baseline|, default |a|; NaN when that is 0.
double relative_change(double a, double b, std::optional<double> baseline = {});
/// Variance of the difference of two means, or of the relative one by the delta method.
double delta_variance(double var_a, double mean_a, double n_a, double var_b, double mean_b, double n_b, effect_scale);

/// Units of an arm by column, as a bootstrap takes them; `den` empty for a mean.
struct arm_units {
    std::vector<double> post, den;
};
struct bootstrap_result { double estimate = 0, standard_error = 0, low = 0, high = 0; std::size_t cells = 0; };
/// Percentile interval from `replicates` by Poisson weights (Chamandy et al., 2012): units that are alike are one cell of n, which weighs Poisson(n) in a replicate; where too many differ,
/// units are merged by chance into 4,096 cells an arm, which loses nothing but a hundredth of the precision of the standard error. The same seed gives the same answer on every machine.
bootstrap_result bootstrap(const arm_units& a, const arm_units& b, effect_scale, std::size_t replicates, double level, std::uint64_t seed);

// ---- from a history
struct experiment_question {
    expression arm;                                          // a text: the arm of a contact; who lacks one takes no part
    struct metric { std::string name; expression value, den, pre, pre_den; };   // numbers or yes/no; empty where there is none; missing counts as 0
    std::vector<metric> metrics;
    std::optional<instant> until = {};                       // asked as of then; default: the last instant of the history
    compile_context context = {};
};
/// By contact that takes part: its arm, and the variables of each metric.
struct experiment_units {
    std::vector<std::string> arms;                           // sorted
    std::vector<std::uint32_t> contacts, arm;
    struct metric { std::string name; std::array<std::vector<double>, 4> values; };   // empty vectors where there is no such variable
    std::vector<metric> metrics;
};
experiment_units experiment_of(const history&, const experiment_question&);
/// Of each arm.
std::vector<arm_sums> sums_of(std::span<const std::uint32_t> arm, std::size_t arms, const std::array<std::span<const double>, 4>& values);
std::vector<arm_sums> sums_of(const experiment_units&, std::size_t metric);
/// Of one arm, for the bootstrap.
arm_units units_of(const experiment_units&, std::size_t metric, std::size_t arm);

}  // namespace journeyman
