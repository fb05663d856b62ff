#include "journeyman/kpi/experiment.hpp"

#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>

#include "core/interval.hpp"
#include "kpi/normal.hpp"

namespace journeyman {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
using v = arm_sums::variable;

/// Of the linearised ratio (num - R den) / mean(den): its covariances are those of the ratio itself (delta method).
double ratio_covariance(const arm_sums& s, v num_1, v den_1, v num_2, v den_2) {
    const double r1 = s.sum[num_1] / s.sum[den_1], r2 = s.sum[num_2] / s.sum[den_2];
    const double c = s.covariance(num_1, num_2) - r2 * s.covariance(num_1, den_2) - r1 * s.covariance(den_1, num_2) + r1 * r2 * s.covariance(den_1, den_2);
    return c / (s.mean(den_1) * s.mean(den_2));
}

/// The value of an arm, adjusted and not, and the variances and covariance of both for one unit.
struct arm_value {
    double value, plain, variance, plain_variance, covariance;
};
arm_value value_of(const arm_sums& s, statistic what, double theta) {
    switch (what) {
        case statistic::mean: {
            const double m = s.mean(), x = s.variance();
            return {m, m, x, x, x};
        }
        case statistic::cuped: {
            const double m = s.mean(), x = s.variance(), pre = s.variance(v::pre), both = s.covariance(v::post, v::pre);
            return {m - theta * s.mean(v::pre), m, x - 2 * theta * both + theta * theta * pre, x, x - theta * both};
        }
        case statistic::ratio: {
            const double r = s.sum[v::post] / s.sum[v::den], x = ratio_covariance(s, v::post, v::den, v::post, v::den);
            return {r, r, x, x, x};
        }
        case statistic::ratio_cuped: break;
    }
    const double r = s.sum[v::post] / s.sum[v::den], x = ratio_covariance(s, v::post, v::den, v::post, v::den);
    if (theta == 0) return {r, r, x, x, x};
    const double pre = ratio_covariance(s, v::pre, v::pre_den, v::pre, v::pre_den), both = ratio_covariance(s, v::post, v::den, v::pre, v::pre_den);
    return {r - theta * s.sum[v::pre] / s.sum[v::pre_den], r, x - 2 * theta * both + theta * theta * pre, x, x - theta * both};
}

struct measured {
    arm_comparison c;
    bool usable = false;
};

measured measure_effect(const arm_sums& a, const arm_sums& b, const comparison_options& o) {
    if (a.n < 2 || b.n < 2) return {};
    const bool adjusted = o.statistic == statistic::cuped || o.statistic == statistic::ratio_cuped;
    const double theta = !adjusted ? 0 : o.theta ? *o.theta : cuped_theta(a, b, o.statistic == statistic::ratio_cuped);
    const auto x = value_of(a, o.statistic, theta), y = value_of(b, o.statistic, theta);
    const double va = x.variance / a.n, vb = y.variance / b.n, difference = y.value - x.value;
    measured out;
    out.c.value_a = x.value;
    out.c.value_b = y.value;
    out.c.degrees = (va + vb) * (va + vb) / (va * va / (a.n - 1) + vb * vb / (b.n - 1));
    double variance = va + vb;
    out.c.estimate = difference;
    if (o.scale == effect_scale::relative) {
        // f = (B - A) / |U|: A the control's value, U the unadjusted one.
        const double u = x.plain;
        if (u == 0) return {};
        out.c.estimate = difference / std::fabs(u);
        variance = (va + vb) / (u * u) + 2 * difference / (u * u * u) * x.covariance / a.n + difference * difference / (u * u * u * u) * x.plain_variance / a.n;
    }
    out.usable = std::isfinite(variance) && variance > 0;
    out.c.standard_error = std::sqrt(variance);
    return out;
}

}  // namespace

void arm_sums::add(const std::array<double, 4>& x) {
    ++n;
    for (std::size_t a = 0; a < 4; ++a) {
        sum[a] += x[a];
        for (std::size_t b = 0; b <= a; ++b) products[place(a, b)] += x[a] * x[b];
    }
}

void arm_sums::merge(const arm_sums& o) {
    binary = n == 0 ? o.binary : binary && (o.binary || o.n == 0);
    n += o.n;
    for (std::size_t k = 0; k < 4; ++k) sum[k] += o.sum[k];
    for (std::size_t k = 0; k < 10; ++k) products[k] += o.products[k];
}

double arm_sums::variance(std::size_t a) const {
    if (binary && a == post) return mean(a) * (1 - mean(a));
    return std::max(0.0, covariance(a, a));
}

double cuped_theta(const arm_sums& a, const arm_sums& b, bool ratio) {
    if (ratio) {
        const double before = ratio_covariance(a, v::pre, v::pre_den, v::pre, v::pre_den) + ratio_covariance(b, v::pre, v::pre_den, v::pre, v::pre_den);
        if (!(before > 0)) return 0;
        return (ratio_covariance(a, v::post, v::den, v::pre, v::pre_den) + ratio_covariance(b, v::post, v::den, v::pre, v::pre_den)) / before;
    }
    arm_sums both = a;
    both.merge(b);
    const double before = both.covariance(v::pre, v::pre);
    // What is left of rounding is no variation.
    if (!(before > 1e-14 * both.product(v::pre, v::pre) / both.n)) return 0;
    return both.covariance(v::post, v::pre) / before;
}

std::optional<arm_comparison> compare(const arm_sums& a, const arm_sums& b, const comparison_options& o) {
    detail::check_level(o.level);
    auto [c, usable] = measure_effect(a, b, o);
    if (!usable) return {};
    const boost::math::students_t t{o.reference == reference::t ? c.degrees : infinity};
    const double at = c.estimate / c.standard_error, tail = (1 - o.level) / (o.side == side::two ? 2 : 1);
    const double half = boost::math::quantile(boost::math::complement(t, tail)) * c.standard_error;
    c.low = o.side == side::less ? -infinity : c.estimate - half;
    c.high = o.side == side::greater ? infinity : c.estimate + half;
    switch (o.side) {
        case side::two: c.p = 2 * boost::math::cdf(boost::math::complement(t, std::fabs(at))); break;
        case side::greater: c.p = boost::math::cdf(boost::math::complement(t, at)); break;
        case side::less: c.p = boost::math::cdf(t, at);
    }
    return c;
}

std::optional<arm_comparison> always_valid(const arm_sums& a, const arm_sums& b, double tuning, const comparison_options& o) {
    detail::check_level(o.level);
    if (!(tuning > 0)) throw error{"statistics.tuning", "tuning", "the tuning is a number of units, above 0"};
    auto [c, usable] = measure_effect(a, b, o);
    if (!usable) return {};
    const bool two = o.side == side::two;
    const double alpha = (1 - o.level) * (two ? 1 : 2), n = a.n + b.n;
    const double r2 = (-2 * std::log(alpha) + std::log(-2 * std::log(alpha) + 1)) / tuning, spread = n * r2 + 1, root = std::sqrt(spread);
    const double ln = two ? std::log(root / alpha) : std::log1p(root / alpha);
    const double half = c.standard_error * std::sqrt(n) * std::sqrt(2 * spread * ln / (n * n * r2));
    c.low = o.side == side::less ? -infinity : c.estimate - half;
    c.high = o.side == side::greater ? infinity : c.estimate + half;
    const double z = c.estimate / c.standard_error, evidence = z * z * n * r2 / (2 * spread);
    if (two) c.p = std::min(1.0, root * std::exp(-evidence));
    else c.p = (o.side == side::greater) == (z > 0) ? std::min(1.0, root / (2 * std::expm1(evidence))) : 1;
    return c;
}

std::optional<bayes_result> bayes(const arm_sums& a, const arm_sums& b, const std::optional<normal_prior>& prior, const comparison_options& o) {
    detail::check_level(o.level);
    if (prior && !(prior->variance > 0)) throw error{"statistics.prior", "prior", "a prior has a variance above 0; leave it out for a flat one"};
    const auto [c, usable] = measure_effect(a, b, o);
    if (!usable) return {};
    const double precision = 1 / (c.standard_error * c.standard_error), before = prior ? 1 / prior->variance : 0;
    bayes_result out;
    out.mean = (c.estimate * precision + (prior ? prior->mean : 0) * before) / (precision + before);
    out.sd = std::sqrt(1 / (precision + before));
    const double half = detail::two_sided_quantile(o.level) * out.sd, z = out.mean / out.sd, density = out.sd * detail::normal_density(z);
    out.low = out.mean - half;
    out.high = out.mean + half;
    out.chance_b = detail::normal_below(z);
    out.loss_if_a = out.mean * detail::normal_below(z) + density;
    out.loss_if_b = density - out.mean * detail::normal_above(z);
    return out;
}

double split_check(std::span<const double> counts, std::span<const double> weights) {
    if (counts.size() != weights.size()) throw error{"statistics.counts", "weights", "give one weight for each arm"};
    double n = 0, all = 0, arms = 0, chi2 = 0;
    for (std::size_t k = 0; k < counts.size(); ++k) {
        if (!(weights[k] >= 0) || !(counts[k] >= 0)) throw error{"statistics.counts", "", "counts and weights are not negative"};
        if (weights[k] == 0) continue;
        n += counts[k];
        all += weights[k];
        ++arms;
    }
    if (arms < 2 || n == 0) return 1;
    for (std::size_t k = 0; k < counts.size(); ++k) {
        if (weights[k] == 0) continue;
        const double expected = n * weights[k] / all;
        chi2 += (counts[k] - expected) * (counts[k] - expected) / expected;
    }
    return boost::math::cdf(boost::math::complement(boost::math::chi_squared{arms - 1}, chi2));
}

std::vector<double> adjust_p(std::span<const double> p, correction rule) {
    const auto n = p.size();
    for (const double x : p)
        if (!(x >= 0 && x <= 1)) throw error{"statistics.p", "p", "a p lies between 0 and 1"};
    std::vector<double> out(p.begin(), p.end());
    if (rule == correction::none) return out;
    const auto count = static_cast<double>(n);
    if (rule == correction::bonferroni) {
        for (auto& x : out) x = std::min(1.0, x * count);
        return out;
    }
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
    if (rule == correction::holm) {
        double most = 0;
        for (std::size_t k = 0; k < n; ++k) out[order[k]] = most = std::max(most, std::min(1.0, p[order[k]] * (count - static_cast<double>(k))));
    } else {
        double least = 1;
        for (std::size_t k = n; k-- > 0;) out[order[k]] = least = std::min(least, p[order[k]] * count / (static_cast<double>(k) + 1));
    }
    return out;
}

double relative_change(double a, double b, std::optional<double> baseline) {
    const double base = std::fabs(baseline.value_or(a));
    return base == 0 ? std::numeric_limits<double>::quiet_NaN() : (b - a) / base;
}

double delta_variance(double var_a, double mean_a, double n_a, double var_b, double mean_b, double n_b, effect_scale scale) {
    if (scale == effect_scale::absolute) return var_a / n_a + var_b / n_b;
    return var_b / (mean_a * mean_a * n_b) + var_a * mean_b * mean_b / (mean_a * mean_a * mean_a * mean_a * n_a);
}

std::vector<arm_sums> sums_of(std::span<const std::uint32_t> arm, std::size_t arms, const std::array<std::span<const double>, 4>& values) {
    std::vector<arm_sums> out(arms);
    for (auto& s : out) s.binary = true;
    for (const auto& column : values)
        if (!column.empty() && column.size() != arm.size()) throw error{"statistics.columns", "", "the columns are of unequal length; give an arm and a value for each unit"};
    for (std::size_t i = 0; i < arm.size(); ++i) {
        if (arm[i] >= arms) throw error{"statistics.columns", "arm", "row " + std::to_string(i) + " is of an arm that there is not"};
        std::array<double, 4> x{};
        for (std::size_t k = 0; k < 4; ++k)
            if (!values[k].empty() && !std::isfinite(x[k] = values[k][i])) throw error{"statistics.columns", "row " + std::to_string(i), "what is counted is a finite number; leave the row out, or say what it counts as"};
        auto& s = out[arm[i]];
        s.add(x);
        s.binary = s.binary && (x[0] == 0 || x[0] == 1);
    }
    return out;
}

}  // namespace journeyman
