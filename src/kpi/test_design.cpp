#include "journeyman/kpi/test_design.hpp"

#include <algorithm>
#include <boost/math/tools/roots.hpp>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <utility>

#include "kpi/normal.hpp"

namespace journeyman {
namespace {

using detail::normal_above, detail::normal_density, detail::normal_upper;

/// Gauss and Legendre's nodes and weights on [-1, 1], by Newton's method on the polynomial (Press et al., "Numerical Recipes", 4.6).
std::vector<std::pair<double, double>> legendre(std::size_t n) {
    std::vector<std::pair<double, double>> out(n);
    const auto count = static_cast<double>(n);
    for (std::size_t i = 0; i < (n + 1) / 2; ++i) {
        double x = std::cos(std::numbers::pi * (static_cast<double>(i) + 0.75) / (count + 0.5)), slope = 0;
        for (int k = 0; k < 100; ++k) {
            double p = 1, before = 0;
            for (std::size_t j = 0; j < n; ++j) {
                const auto d = static_cast<double>(j);
                const double next = ((2 * d + 1) * x * p - d * before) / (d + 1);
                before = std::exchange(p, next);
            }
            slope = count * (x * p - before) / (x * x - 1);
            const double step = p / slope;
            x -= step;
            if (std::fabs(step) < 1e-15) break;
        }
        const double weight = 2 / ((1 - x * x) * slope * slope);
        out[i] = {-x, weight};
        out[n - 1 - i] = {x, weight};
    }
    return out;
}

/// The density of the score sqrt(t) z among those that have gone on, at nodes within the bounds.
struct density {
    double t = 0;
    std::vector<double> at, mass;                            // weight times density
};

/// P(|score at t| > c sqrt(t), having gone on).
double beyond(const density& d, double t, double c) {
    if (d.at.empty()) return 2 * normal_above(c);
    const double sd = std::sqrt(t - d.t), edge = c * std::sqrt(t);
    double sum = 0;
    for (std::size_t k = 0; k < d.at.size(); ++k) sum += d.mass[k] * (normal_above((edge - d.at[k]) / sd) + normal_above((edge + d.at[k]) / sd));
    return sum;
}

density go_on(const density& d, double t, double c, double until_next) {
    density out;
    out.t = t;
    const double edge = std::min(c, 9.0) * std::sqrt(t), sd = std::sqrt(t - d.t), next = until_next > 0 ? std::sqrt(until_next) : sd;
    // As fine as the narrower of the two steps needs.
    const auto n = static_cast<std::size_t>(std::clamp(std::ceil(2 * edge / std::min({sd, next, edge / 4}) * 2.5), 64.0, 3000.0));
    for (const auto& [x, w] : legendre(n)) {
        const double at = x * edge;
        double mass = 0;
        if (d.at.empty()) mass = normal_density(at / std::sqrt(t)) / std::sqrt(t);
        else
            for (std::size_t k = 0; k < d.at.size(); ++k) mass += d.mass[k] * normal_density((at - d.at[k]) / sd);
        out.at.push_back(at);
        out.mass.push_back(w * edge * mass / (d.at.empty() ? 1 : sd));
    }
    return out;
}

}  // namespace

double spending::spent(double t, double alpha) const {
    if (t <= 0) return 0;
    if (t >= 1) return alpha;
    switch (kind) {
        case obrien_fleming: return 4 * normal_above(normal_upper(alpha / 4) / std::sqrt(t));
        case pocock: return alpha * std::log1p((std::numbers::e - 1) * t);
        case power: break;
    }
    return alpha * std::pow(t, exponent);
}

std::vector<double> sequential_bounds(std::span<const double> fractions, double alpha, const spending& s) {
    detail::check_level(alpha, "alpha");
    if (s.kind == spending::power && !(s.exponent > 0)) throw error{"statistics.spending", "power", "the power of a spending function is above 0"};
    for (std::size_t k = 0; k < fractions.size(); ++k)
        if (!(fractions[k] > (k == 0 ? 0 : fractions[k - 1]) && fractions[k] <= 1)) throw error{"statistics.fractions", "fractions", "the fractions of the looks ascend, above 0 and up to 1"};
    std::vector<double> out;
    density d;
    double spent = 0;
    for (std::size_t k = 0; k < fractions.size(); ++k) {
        const double t = fractions[k], now = s.spent(t, alpha), spend = now - spent;
        double c = std::numeric_limits<double>::infinity();
        if (spend > 1e-300) {
            double low = 0, high = 1;
            while (high < 38 && beyond(d, t, high) > spend) low = std::exchange(high, 2 * high);
            // By logarithms, in which the tail is nearly a parabola.
            const auto off = [&](double x) { return std::log(std::max(beyond(d, t, x), 1e-320)) - std::log(spend); };
            if (off(low) <= 0) c = low;
            else {
                std::uintmax_t most = 100;
                const auto [l, h] = boost::math::tools::toms748_solve(off, low, high, boost::math::tools::eps_tolerance<double>(46), most);
                c = (l + h) / 2;
            }
            spent = now;
        }
        out.push_back(c);
        if (k + 1 < fractions.size()) d = go_on(d, t, c, fractions[k + 1] - t);
    }
    return out;
}

std::vector<double> sequential_levels(std::span<const double> fractions, double alpha, const spending& s) {
    auto out = sequential_bounds(fractions, alpha, s);
    for (auto& z : out) z = 2 * normal_above(z);
    return out;
}

std::vector<sequential_look> sequential_intervals(std::span<const arm_sums> a, std::span<const arm_sums> b, double planned, double level, const spending& s, double comparisons, std::span<const double> units) {
    detail::check_level(level);
    if (a.size() != b.size() || (!units.empty() && units.size() != a.size())) throw error{"statistics.columns", "", "both arms have as many looks"};
    if (!(comparisons >= 1)) throw error{"statistics.design", "comparisons", "there is at least one comparison"};
    const auto seen = [&](std::size_t k) { return units.empty() ? a[k].n + b[k].n : units[k]; };
    double all = planned;
    for (std::size_t k = 0; k < a.size(); ++k) all = std::max(all, seen(k));
    std::vector<double> fractions;
    for (std::size_t k = 0; k < a.size(); ++k) fractions.push_back(seen(k) / all);
    const auto bounds = sequential_bounds(fractions, (1 - level) / comparisons, s);
    std::vector<sequential_look> out;
    for (std::size_t k = 0; k < a.size(); ++k) {
        const double difference = b[k].mean() - a[k].mean(), se = std::sqrt(a[k].variance() / a[k].n + b[k].variance() / b[k].n), half = bounds[k] * se;
        out.push_back({fractions[k], bounds[k], difference, se, difference - half, difference + half, std::fabs(difference) > half});
    }
    return out;
}

namespace {

void check_plan(const test_plan& p) {
    detail::check_level(p.alpha, "alpha");
    if (!(p.variance > 0) || !(p.arms >= 2) || (p.mean && *p.mean == 0) || (p.tuning && !(*p.tuning > 0))) throw error{"statistics.design", "", "a plan has a variance above 0, at least two arms, and a mean that is not 0 where effects are relative"};
}

/// Of the effect with one unit in each arm, when it is `effect`.
double unit_variance(const test_plan& p, double effect) {
    if (!p.mean) return 2 * p.variance;
    return p.variance / (*p.mean * *p.mean) * (1 + (1 + effect) * (1 + effect));
}

/// How many standard errors the interval reaches, with n units in both arms.
double reach(const test_plan& p, double n) {
    if (!p.tuning) return normal_upper(p.alpha / 2);
    const double r2 = (-2 * std::log(p.alpha) + std::log(-2 * std::log(p.alpha) + 1)) / *p.tuning, spread = n * r2 + 1;
    return std::sqrt(2 * spread * std::log(std::sqrt(spread) / p.alpha) / (n * r2));
}

}  // namespace

double power_of(const test_plan& p, double effect, double n) {
    check_plan(p);
    const double each = n / p.arms, z = effect / std::sqrt(unit_variance(p, effect) / each), bound = reach(p, 2 * each);
    return normal_above(bound - z) + normal_above(bound + z);
}

double power_of(double variance, double n_a, double n_b, double effect, double alpha) {
    detail::check_level(alpha, "alpha");
    const double z = effect / std::sqrt(variance / n_a + variance / n_b), bound = normal_upper(alpha / 2);
    return normal_above(bound - z) + normal_above(bound + z);
}

std::optional<double> sample_size(const test_plan& p, double effect, double power) {
    check_plan(p);
    detail::check_level(power, "power");
    if (effect == 0) throw error{"statistics.design", "effect", "nothing sees an effect of 0; give the smallest one that matters"};
    const double more = normal_upper(1 - power), variance = unit_variance(p, effect);
    const auto needed = [&](double each) {                   // as if the interval reached as far as with `each` units
        const double z = reach(p, 2 * each) + more;
        return variance * z * z / (effect * effect);
    };
    double each = needed(p.tuning ? *p.tuning / 2 : 1);
    if (p.tuning) {
        // Where n = needed(n): what is needed grows only with the logarithm.
        const auto off = [&](double ln) { return ln - std::log(needed(std::exp(ln))); };
        std::uintmax_t most = 200;
        const auto [low, high] = boost::math::tools::bracket_and_solve_root([&](double ln) { return off(ln); }, std::max(1.0, std::log(each)), 1.5, true, boost::math::tools::eps_tolerance<double>(40), most);
        each = std::exp((low + high) / 2);
    }
    if (!std::isfinite(each)) return {};
    return std::ceil(each * p.arms - 1e-9);
}

std::optional<double> duration_of(const test_plan& p, double effect, double units_a_day, double power) {
    if (!(units_a_day > 0)) throw error{"statistics.design", "units_a_day", "units come in at some number a day, above 0"};
    const auto n = sample_size(p, effect, power);
    return n ? std::optional{std::ceil(*n / units_a_day)} : std::nullopt;
}

std::optional<double> detectable(const test_plan& p, double n, double power) {
    check_plan(p);
    detail::check_level(power, "power");
    const double each = n / p.arms;
    if (!(each > 0)) throw error{"statistics.design", "n", "a test has units"};
    const double z = reach(p, 2 * each) + normal_upper(1 - power);
    if (!p.mean) return z * std::sqrt(2 * p.variance / each);
    // effect² = z² v (1 + (1 + effect)²), v = variance / (mean² n): a quadratic.
    const double k = z * z * p.variance / (*p.mean * *p.mean * each);
    if (k >= 1) return {};
    return (k + std::sqrt(k * k + 2 * k * (1 - k))) / (1 - k);
}

}  // namespace journeyman
