// How long the steps of a funnel took: from the units of a report.

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "core/interval.hpp"
#include "journeyman/kpi/funnel.hpp"

namespace journeyman {
namespace {

constexpr double second = 1e6;

/// The rows of `units` by cell, the total first.
class cells_of {
public:
    explicit cells_of(const funnel_report& r) : r_{r}, units_{r.units} {
        if (units_.size() == 0) throw error{"funnel.units", "", "times are made of the units: ask for them with the option `units`"};
        first_step_ = units_.size() - r.steps - (units_.columns().back().name() == "completions" ? 1 : 0);
        const std::size_t by = first_step_ - 2 - r.dimensions;
        for (std::size_t row = 0; row < units_.rows(); ++row) {
            std::vector<std::string> key;
            for (std::size_t k = 0; k < r.dimensions && units_[by].present(row); ++k) key.emplace_back(units_[by + k].text(row));
            if (!r.cells_apart || key.empty()) cells_[{}].push_back(row);
            if (!key.empty()) cells_[key].push_back(row);
        }
        cells_[{}];
    }
    [[nodiscard]] const std::map<std::vector<std::string>, std::vector<std::size_t>>& all() const { return cells_; }
    /// The instant of a step (from 0), in microseconds.
    [[nodiscard]] std::optional<std::int64_t> at(std::size_t row, std::size_t step) const {
        const auto& c = units_[first_step_ + step];
        return c.present(row) ? std::optional{c.integers()[row]} : std::nullopt;
    }
    [[nodiscard]] std::optional<std::int64_t> start(std::size_t row) const { return first(row, r_.steps); }
    /// The last step it took before `step`.
    [[nodiscard]] std::optional<std::int64_t> before(std::size_t row, std::size_t step) const {
        for (std::size_t s = step; s-- > 0;) if (const auto t = at(row, s)) return t;
        return {};
    }
    void key_columns(table& t) const {
        for (std::size_t k = 0; k < r_.dimensions; ++k) t.add_column(units_[first_step_ - 2 - r_.dimensions + k].name(), value_type::text);
    }
    std::size_t push_key(table& t, const std::vector<std::string>& key) const {
        for (std::size_t k = 0; k < r_.dimensions; ++k) {
            if (key.empty()) t[k].push_missing();
            else t[k].push_text(key[k]);
        }
        return r_.dimensions;
    }

private:
    [[nodiscard]] std::optional<std::int64_t> first(std::size_t row, std::size_t steps) const {
        for (std::size_t s = 0; s < steps; ++s) if (const auto t = at(row, s)) return t;
        return {};
    }
    const funnel_report& r_;
    const table& units_;
    std::size_t first_step_ = 0;
    std::map<std::vector<std::string>, std::vector<std::size_t>> cells_;
};

/// Of sorted numbers, which are not none; linear interpolation between ranks.
double quantile(const std::vector<double>& x, double q) {
    const double place = q * static_cast<double>(x.size() - 1);
    const auto low = static_cast<std::size_t>(place);
    const double part = place - static_cast<double>(low);
    return part == 0 ? x[low] : x[low] + (x[low + 1] - x[low]) * part;
}

double mean(const std::vector<double>& x) {
    double sum = 0;
    for (const double v : x) sum += v;
    return sum / static_cast<double>(x.size());
}

void check_steps(const funnel_report& r, int from, int to) {
    if (from < 1 || to <= from || to > static_cast<int>(r.steps)) throw error{"funnel.steps", "", "time is taken between two steps: 1 <= from < to <= " + std::to_string(r.steps) + ", not " + std::to_string(from) + " and " + std::to_string(to)};
}

}  // namespace

table funnel_times(const funnel_report& r) {
    const cells_of cells{r};
    table out;
    cells.key_columns(out);
    out.add_column("step", value_type::integer);
    out.add_column("name", value_type::text);
    out.add_column("units", value_type::integer);
    for (const auto* name : {"mean_seconds", "median_seconds", "p10", "p25", "p75", "p90", "mean_total_seconds", "median_total_seconds"}) out.add_column(name, value_type::decimal);
    for (const auto& [key, rows] : cells.all())
        for (std::size_t s = 0; s < r.steps; ++s) {
            std::vector<double> step, total;
            std::int64_t came = 0;
            for (const auto row : rows) {
                const auto t = cells.at(row, s);
                if (!t) continue;
                ++came;
                if (const auto before = cells.before(row, s)) {
                    step.push_back(static_cast<double>(*t - *before) / second);
                    total.push_back(static_cast<double>(*t - *cells.start(row)) / second);
                }
            }
            std::sort(step.begin(), step.end());
            std::sort(total.begin(), total.end());
            std::size_t c = cells.push_key(out, key);
            out[c++].push_integer(static_cast<std::int64_t>(s + 1));
            out[c++].push_text(r.names[s]);
            out[c++].push_integer(came);
            if (step.empty()) {
                for (int k = 0; k < 8; ++k) out[c++].push_missing();
                continue;
            }
            out[c++].push_decimal(mean(step));
            for (const double q : {0.5, 0.1, 0.25, 0.75, 0.9}) out[c++].push_decimal(quantile(step, q));
            out[c++].push_decimal(mean(total));
            out[c++].push_decimal(quantile(total, 0.5));
        }
    return out;
}

table funnel_histogram(const funnel_report& r, int from, int to, std::size_t bins) {
    check_steps(r, from, to);
    if (bins > 100'000) throw error{"funnel.bins", "", "a histogram has at most 100,000 bins"};
    const cells_of cells{r};
    std::vector<std::int64_t> times;
    for (const auto row : cells.all().at({})) {
        const auto a = cells.at(row, static_cast<std::size_t>(from - 1)), b = cells.at(row, static_cast<std::size_t>(to - 1));
        if (a && b) times.push_back(*b - *a);
    }
    table out{{"from_seconds", value_type::integer}, {"to_seconds", value_type::integer}, {"units", value_type::integer}};
    if (times.empty()) return out;
    const auto [least, most] = std::minmax_element(times.begin(), times.end());
    constexpr std::int64_t micros = 1'000'000;
    const auto floored = [](std::int64_t t) { return t / micros - (t % micros < 0); };
    const std::int64_t low = floored(*least), high = -floored(-*most);
    std::int64_t n = static_cast<std::int64_t>(bins);
    if (n == 0) while (n * n * n < static_cast<std::int64_t>(times.size())) ++n;
    const std::int64_t width = high == low ? 60 : (high - low + n - 1) / n;
    std::vector<std::int64_t> counts(static_cast<std::size_t>(n) + 1);
    for (const auto t : times) ++counts[static_cast<std::size_t>((t - low * micros) / (width * micros))];
    for (std::size_t k = 0; k < counts.size(); ++k) {
        out[0].push_integer(low + static_cast<std::int64_t>(k) * width);
        out[1].push_integer(low + static_cast<std::int64_t>(k + 1) * width);
        out[2].push_integer(counts[k]);
    }
    return out;
}

table funnel_conversion_over_time(const funnel_report& r, int from, int to, double level) {
    check_steps(r, from, to);
    const cells_of cells{r};
    table out;
    cells.key_columns(out);
    out.add_column("after_seconds", value_type::decimal);
    for (const auto* name : {"at_risk", "converted", "censored"}) out.add_column(name, value_type::integer);
    for (const auto* name : {"share", "low", "high"}) out.add_column(name, value_type::decimal);
    const double z = detail::two_sided_quantile(level);
    const std::int64_t end = r.end.time_since_epoch().count() - 1;    // the last instant that is known
    for (const auto& [key, rows] : cells.all()) {
        std::map<std::int64_t, std::pair<std::int64_t, std::int64_t>> ends;   // after → converted, censored
        std::int64_t at_risk = 0;
        for (const auto row : rows) {
            const auto a = cells.at(row, static_cast<std::size_t>(from - 1)), b = cells.at(row, static_cast<std::size_t>(to - 1));
            if (!a) continue;
            ++at_risk;
            if (b) {
                ++ends[*b - *a].first;
                continue;
            }
            std::int64_t until = end;
            const std::int64_t since = r.within_of_step ? *cells.before(row, static_cast<std::size_t>(to - 1)) : *cells.start(row);
            if (r.within) until = std::min(until, add(instant{microseconds{since}}, *r.within, *r.zone).time_since_epoch().count());
            ++ends[std::max<std::int64_t>(until - *a, 0)].second;
        }
        double still = 1, variance = 0;
        for (const auto& [after, n] : ends) {
            const auto [converted, censored] = n;
            const auto risk = static_cast<double>(at_risk), d = static_cast<double>(converted);
            still *= 1 - d / risk;
            if (converted < at_risk) variance += d / (risk * (risk - d));
            std::size_t c = cells.push_key(out, key);
            out[c++].push_decimal(static_cast<double>(after) / second);
            out[c++].push_integer(at_risk);
            out[c++].push_integer(converted);
            out[c++].push_integer(censored);
            out[c++].push_decimal(1 - still);
            if (still > 0 && still < 1) {
                const double spread = std::exp(z * std::sqrt(variance) / std::log(still));   // below 1
                out[c++].push_decimal(1 - std::pow(still, spread));
                out[c++].push_decimal(1 - std::pow(still, 1 / spread));
            } else {
                out[c++].push_missing();
                out[c++].push_missing();
            }
            at_risk -= converted + censored;
        }
    }
    return out;
}

}  // namespace journeyman
