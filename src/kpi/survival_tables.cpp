// Survival as tables.

#include <algorithm>
#include <cmath>
#include <limits>

#include "journeyman/kpi/survival.hpp"

namespace journeyman {
namespace {

void push(table_column& to, double x) {
    if (std::isfinite(x)) to.push_decimal(x);
    else to.push_missing();
}
void push(table_column& to, std::optional<double> x) {
    if (x) to.push_decimal(*x);
    else to.push_missing();
}

}  // namespace

table to_table(const std::vector<survival_curve>& curves, const std::vector<std::string>& groups) {
    constexpr auto d = value_type::decimal;
    table out{{"group", value_type::text}, {"time", d}, {"at_risk", value_type::integer}, {"events", value_type::integer}, {"censored", value_type::integer},
              {"survival", d}, {"low", d}, {"high", d}, {"hazard", d}, {"hazard_low", d}, {"hazard_high", d}};
    for (std::size_t g = 0; g < curves.size(); ++g) {
        const auto& c = curves[g];
        for (std::size_t k = 0; k < c.time.size(); ++k) {
            out[0].push_text(groups.at(g));
            out[1].push_decimal(c.time[k]);
            out[2].push_integer(static_cast<std::int64_t>(c.at_risk[k]));
            out[3].push_integer(static_cast<std::int64_t>(c.events[k]));
            out[4].push_integer(static_cast<std::int64_t>(c.censored[k]));
            const auto survival = c.survival_interval(k), hazard = c.hazard_interval(k);
            out[5].push_decimal(c.survival[k]);
            push(out[6], survival.low);
            push(out[7], survival.high);
            out[8].push_decimal(c.hazard[k]);
            push(out[9], hazard.low);
            push(out[10], hazard.high);
        }
    }
    return out;
}

table summary_of(const std::vector<survival_curve>& curves, const std::vector<std::string>& groups) {
    constexpr auto d = value_type::decimal;
    table out{{"group", value_type::text}, {"subjects", value_type::integer}, {"events", value_type::integer}, {"median", d}, {"median_low", d}, {"median_high", d}, {"restricted_mean", d}};
    double shared = std::numeric_limits<double>::infinity();
    for (const auto& c : curves)
        if (!c.time.empty()) shared = std::min(shared, c.time.back());
    for (std::size_t g = 0; g < curves.size(); ++g) {
        const auto& c = curves[g];
        double events = 0;
        for (const double x : c.events) events += x;
        const auto median = c.quantile();
        out[0].push_text(groups.at(g));
        out[1].push_integer(static_cast<std::int64_t>(c.subjects));
        out[2].push_integer(static_cast<std::int64_t>(events));
        push(out[3], median.time);
        push(out[4], median.low);
        push(out[5], median.high);
        if (c.subjects == 0) out[6].push_missing();
        else out[6].push_decimal(c.restricted_mean(shared));
    }
    return out;
}

}  // namespace journeyman
