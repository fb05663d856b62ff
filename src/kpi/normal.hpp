#pragma once
// The normal distribution, and the levels of tests.

#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <limits>

#include "journeyman/core/error.hpp"

namespace journeyman::detail {

inline double normal_above(double z) { return std::erfc(z * 0.70710678118654752440) / 2; }
inline double normal_below(double z) { return normal_above(-z); }
inline double normal_density(double z) { return std::exp(-z * z / 2) * 0.39894228040143267794; }
/// Where `tail` is above.
inline double normal_upper(double tail) {
    if (tail <= 0) return std::numeric_limits<double>::infinity();
    return boost::math::quantile(boost::math::complement(boost::math::normal{}, tail));
}

inline void check_level(double level, const char* place = "level") {
    if (!(level > 0 && level < 1)) throw error{"statistics.level", place, "a level lies between 0 and 1"};
}

}  // namespace journeyman::detail
