#pragma once
// Whether the columns of paths fit each other.

#include "journeyman/core/error.hpp"
#include "journeyman/kpi/attribution.hpp"

namespace journeyman::detail {

inline void check(const touch_columns& t) {
    const auto wrong = [](const std::string& what) { throw error{"attribution.columns", "", what}; };
    const auto n = t.paths();
    if (t.begins.empty()) {
        if (!t.touches.empty()) wrong("there are touches but no path begins");
        return;
    }
    if (t.begins[0] != 0 || t.begins[n] != t.touches.size()) wrong("the paths do not hold all touches");
    for (std::size_t k = 0; k < n; ++k)
        if (t.begins[k] > t.begins[k + 1]) wrong("path " + std::to_string(k) + " ends before it begins");
    for (const auto* column : {&t.converted, &t.lost, &t.value})
        if (!column->empty() && column->size() != n) wrong("a column has not a row for each path");
    for (const auto* column : {&t.converted, &t.lost})
        for (const double x : *column)
            if (!(x >= 0)) wrong("a path was walked a negative number of times");
    if (!t.age.empty() && t.age.size() != t.touches.size()) wrong("`age` has not a row for each touch");
    for (const auto c : t.touches)
        if (c >= t.channels) wrong("a touch is of a channel that there is not");
}

}  // namespace journeyman::detail
