#include "core/interval.hpp"

#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>

namespace journeyman::detail {

double two_sided_quantile(double level) { return boost::math::quantile(boost::math::complement(boost::math::normal{}, (1 - level) / 2)); }

interval garwood(double count, double level) {
    const double tail = (1 - level) / 2;
    return {count <= 0 ? 0.0 : boost::math::gamma_p_inv(count, tail), boost::math::gamma_q_inv(count + 1, tail)};
}

interval wilson(double part, double whole, double level) {
    const double z = two_sided_quantile(level), p = part / whole, z2 = z * z / whole;
    const double middle = (p + z2 / 2) / (1 + z2), half = z / (1 + z2) * std::sqrt(p * (1 - p) / whole + z2 / (4 * whole));
    return {part <= 0 ? 0.0 : middle - half, part >= whole ? 1.0 : middle + half};
}

interval newcombe(double part_a, double whole_a, double part_b, double whole_b, double level) {
    const double a = part_a / whole_a, b = part_b / whole_b;
    const auto [low_a, high_a] = wilson(part_a, whole_a, level);
    const auto [low_b, high_b] = wilson(part_b, whole_b, level);
    return {a - b - std::hypot(a - low_a, high_b - b), a - b + std::hypot(high_a - a, b - low_b)};
}

std::optional<interval> welch(const moments& a, const moments& b, double level) {
    if (a.n < 2 || b.n < 2) return {};
    const double va = a.variance / a.n, vb = b.variance / b.n, v = va + vb;
    if (!(v > 0) || !std::isfinite(v)) return {};
    // va² and vb² may be too small for a double: their shares of v are not.
    const double degrees = 1 / ((va / v) * (va / v) / (a.n - 1) + (vb / v) * (vb / v) / (b.n - 1));
    const double half = boost::math::quantile(boost::math::complement(boost::math::students_t{degrees}, (1 - level) / 2)) * std::sqrt(v);
    return interval{a.mean - b.mean - half, a.mean - b.mean + half};
}

}  // namespace journeyman::detail
