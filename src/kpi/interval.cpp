#include "kpi/interval.hpp"

#include <boost/math/distributions/normal.hpp>
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

}  // namespace journeyman::detail
