#include "kpi/trend.hpp"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <map>
#include <vector>

namespace journeyman::detail {

trend trend_of(std::span<const std::pair<int, double>> values) {
    std::vector<double> slopes;
    std::map<double, double> same;
    double s = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        ++same[values[i].second];
        for (std::size_t j = i + 1; j < values.size(); ++j) {
            const double up = values[j].second - values[i].second;
            slopes.push_back(up / (values[j].first - values[i].first));
            s += up > 0 ? 1 : up < 0 ? -1 : 0;
        }
    }
    std::sort(slopes.begin(), slopes.end());
    const auto middle = slopes.size() / 2;
    trend t{slopes.size() % 2 == 1 ? slopes[middle] : (slopes[middle - 1] + slopes[middle]) / 2, {}};
    if (values.size() < 4) return t;
    const auto weight = [](double n) { return n * (n - 1) * (2 * n + 5); };
    double variance = weight(static_cast<double>(values.size()));
    for (const auto& [value, n] : same) variance -= weight(n);
    variance /= 18;
    if (variance <= 0 || s == 0) t.p = 1;
    else t.p = 2 * boost::math::cdf(boost::math::complement(boost::math::normal{}, (std::fabs(s) - 1) / std::sqrt(variance)));
    return t;
}

}  // namespace journeyman::detail
