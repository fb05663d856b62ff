#include "journeyman/kpi/rates.hpp"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>

#include "core/interval.hpp"
#include "kpi/normal.hpp"

namespace journeyman {
namespace {

void check_counts(double x, double n) {
    if (!(n > 0 && x >= 0 && x <= n)) throw error{"statistics.counts", "", "a proportion has 0 <= x <= n, and n above 0"};
}
void check_events(double x, double exposure) {
    if (!(x >= 0 && exposure > 0)) throw error{"statistics.counts", "", "a rate has events that are not negative and an exposure above 0"};
}

}  // namespace

interval_estimate wilson(double x, double n, double level) {
    check_counts(x, n);
    detail::check_level(level);
    const auto [low, high] = detail::wilson(x, n, level);
    return {low, high};
}

interval_estimate newcombe(double x1, double n1, double x2, double n2, double level) {
    check_counts(x1, n1);
    check_counts(x2, n2);
    detail::check_level(level);
    const auto [low, high] = detail::newcombe(x1, n1, x2, n2, level);
    return {low, high};
}

rate_estimate poisson_exact(double x, double exposure, double level, double null_rate) {
    check_events(x, exposure);
    detail::check_level(level);
    const auto [low, high] = detail::garwood(x, level);
    const double mean = null_rate * exposure;
    const double most = mean > 0 ? boost::math::gamma_q(x + 1, mean) : 1, least = x == 0 ? 1 : mean > 0 ? boost::math::gamma_p(x, mean) : 0;
    return {x / exposure, low / exposure, high / exposure, std::min(1.0, 2 * std::min(most, least))};
}

z_test poisson_two_rates(double x1, double e1, double x2, double e2) {
    check_events(x1, e1);
    check_events(x2, e2);
    const double pooled = (x1 + x2) / (e1 + e2);
    if (pooled == 0) return {};
    const double z = (x1 / e1 - x2 / e2) / std::sqrt(pooled * (1 / e1 + 1 / e2));
    return {z, 2 * detail::normal_above(std::fabs(z))};
}

proportions_test two_proportions(double x1, double n1, double x2, double n2, bool pooled, double level) {
    check_counts(x1, n1);
    check_counts(x2, n2);
    detail::check_level(level);
    const double p1 = x1 / n1, p2 = x2 / n2, all = (x1 + x2) / (n1 + n2);
    const double unpooled = std::sqrt(p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2), se = pooled ? std::sqrt(all * (1 - all) * (1 / n1 + 1 / n2)) : unpooled;
    const double half = detail::two_sided_quantile(level) * unpooled;
    proportions_test out{p2 - p1, p2 - p1 - half, p2 - p1 + half};
    if (se > 0) {
        out.z = out.difference / se;
        out.p = 2 * detail::normal_above(std::fabs(out.z));
    } else if (out.difference != 0) {
        out.z = std::copysign(std::numeric_limits<double>::infinity(), out.difference);
        out.p = 0;
    }
    const double base = p1 > 0 ? p1 : std::numeric_limits<double>::quiet_NaN();
    out.relative = out.difference / base;
    out.relative_low = out.low / base;
    out.relative_high = out.high / base;
    return out;
}

}  // namespace journeyman
