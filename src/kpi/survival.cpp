#include "journeyman/kpi/survival.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <bit>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "core/interval.hpp"
#include "journeyman/core/error.hpp"

namespace journeyman {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// By radix, eleven bits a pass; digits that are the same everywhere cost nothing.
void sort_keys(std::vector<std::uint64_t>& keys) {
    if (keys.size() < 4096) return std::sort(keys.begin(), keys.end());
    constexpr int bits = 11, passes = 6;
    std::vector<std::vector<std::uint32_t>> counts(passes, std::vector<std::uint32_t>(1U << bits));
    for (const auto k : keys)
        for (int p = 0; p < passes; ++p) ++counts[static_cast<std::size_t>(p)][(k >> (p * bits)) & ((1U << bits) - 1)];
    std::vector<std::uint64_t> other(keys.size());
    for (int p = 0; p < passes; ++p) {
        auto& count = counts[static_cast<std::size_t>(p)];
        if (count[(keys[0] >> (p * bits)) & ((1U << bits) - 1)] == keys.size()) continue;
        std::uint32_t sum = 0;
        for (auto& c : count) sum += std::exchange(c, sum);
        for (const auto k : keys) other[count[(k >> (p * bits)) & ((1U << bits) - 1)]++] = k;
        keys.swap(other);
    }
}

/// What the distinct times of one group saw.
struct life_table {
    std::vector<double> time, events, censored;
    std::vector<double> entry;               // sorted
    double subjects = 0;
    void add(double at, double happened, double lost) {
        time.push_back(at);
        events.push_back(happened);
        censored.push_back(lost);
        subjects += happened + lost;
    }
    /// One subject; times come in order.
    void add(double at, bool lost) {
        if (time.empty() || time.back() != at) add(at, 0, 0);
        auto& column = lost ? censored : events;
        ++column.back();
        ++subjects;
    }
};

void check_columns(const survival_columns& c) {
    const auto n = c.time.size();
    const auto wrong = [](const std::string& what) { throw error{"survival.columns", "", what}; };
    if ((!c.event.empty() && c.event.size() != n) || (!c.entry.empty() && c.entry.size() != n) || (!c.group.empty() && c.group.size() != n))
        wrong("the columns are of unequal length; give a time, an event, an entry and a group for each subject");
    if (c.groups == 0) wrong("there are no groups");
    for (std::size_t i = 0; i < c.group.size(); ++i)
        if (c.group[i] >= c.groups) wrong("row " + std::to_string(i) + " is of a group that there is not");
    for (std::size_t i = 0; i < n; ++i)
        if (!std::isfinite(c.time[i])) wrong("row " + std::to_string(i) + " has no finite time; leave it out");
    for (std::size_t i = 0; i < c.entry.size(); ++i)
        if (!(c.entry[i] <= c.time[i])) wrong("row " + std::to_string(i) + " enters after its time is over");
}

/// One more than the greatest time, if all are whole numbers, few enough to count them one by one; else 0.
std::size_t whole_times(const survival_columns& c) {
    constexpr double most = 1 << 20;
    bool whole = true;
    std::int32_t greatest = 0;
    for (const double x : c.time) {
        const double within = x >= 0 && x < most ? x : 0.5;
        const auto k = static_cast<std::int32_t>(within);
        whole &= static_cast<double>(k) == within;
        greatest = std::max(greatest, k);
    }
    const auto span = static_cast<std::size_t>(greatest) + 1;
    return whole && 2 * c.groups * span <= c.time.size() ? span : 0;
}

std::vector<life_table> life_tables(const survival_columns& c) {
    check_columns(c);
    const auto n = c.time.size();
    std::vector<life_table> out(c.groups);
    const auto group_of = [&](std::size_t i) -> std::size_t { return c.group.empty() ? 0 : c.group[i]; };
    const auto lost_at = [&](std::size_t i) -> std::size_t { return c.event.empty() || c.event[i] != 0 ? 0 : 1; };
    for (std::size_t i = 0; i < c.entry.size(); ++i) out[group_of(i)].entry.push_back(c.entry[i]);
    for (auto& t : out) std::sort(t.entry.begin(), t.entry.end());
    if (const auto span = whole_times(c); span != 0) {
        std::vector<std::uint32_t> counts(2 * c.groups * span);
        for (std::size_t i = 0; i < n; ++i) ++counts[(2 * group_of(i) + lost_at(i)) * span + static_cast<std::uint32_t>(c.time[i])];
        for (std::size_t g = 0; g < c.groups; ++g)
            for (std::size_t t = 0; t < span; ++t)
                if (const double happened = counts[2 * g * span + t], lost = counts[(2 * g + 1) * span + t]; happened + lost > 0) out[g].add(static_cast<double>(t), happened, lost);
        return out;
    }
    const bool negative = std::any_of(c.time.begin(), c.time.end(), [](double x) { return std::signbit(x); });
    std::vector<std::uint32_t> sizes(c.groups);
    for (std::size_t i = 0; i < n; ++i) ++sizes[group_of(i)];
    // Bits of a double that is not negative sort as it does, and leave one free.
    std::vector<std::vector<std::uint64_t>> keys(c.groups);
    std::vector<std::vector<std::pair<double, bool>>> pairs(c.groups);
    for (std::size_t g = 0; g < c.groups; ++g) negative ? pairs[g].reserve(sizes[g]) : keys[g].reserve(sizes[g]);
    for (std::size_t i = 0; i < n; ++i) {
        if (negative) pairs[group_of(i)].emplace_back(c.time[i], lost_at(i) != 0);
        else keys[group_of(i)].push_back(std::bit_cast<std::uint64_t>(c.time[i]) << 1 | lost_at(i));
    }
    for (std::size_t g = 0; g < c.groups; ++g) {
        auto& t = out[g];
        for (auto* column : {&t.time, &t.events, &t.censored}) column->reserve(sizes[g] + 1);
        sort_keys(keys[g]);
        std::sort(pairs[g].begin(), pairs[g].end());
        for (const auto k : keys[g]) t.add(std::bit_cast<double>(k >> 1), (k & 1) != 0);
        for (const auto& [at, lost] : pairs[g]) t.add(at, lost);
    }
    return out;
}

/// Goes forward through a life table and knows who is at risk.
class walk {
public:
    explicit walk(const life_table& t) : table_{&t} {}
    /// At t, which never goes back.
    double at_risk(double t) {
        for (; next_ < table_->time.size() && table_->time[next_] < t; ++next_) gone_ += table_->events[next_] + table_->censored[next_];
        for (; entered_ < table_->entry.size() && table_->entry[entered_] < t; ++entered_) {}
        return (table_->entry.empty() ? table_->subjects : static_cast<double>(entered_)) - gone_;
    }
    /// After `at_risk(t)`.
    [[nodiscard]] double events(double t) const { return next_ < table_->time.size() && table_->time[next_] == t ? table_->events[next_] : 0; }

private:
    const life_table* table_;
    std::size_t next_ = 0, entered_ = 0;
    double gone_ = 0;
};

survival_curve curve_of(life_table t, double level) {
    survival_curve out;
    out.level = level;
    out.z = detail::two_sided_quantile(level);
    out.subjects = static_cast<std::size_t>(t.subjects);
    const double first = t.time.empty() ? 0 : t.time.front();
    const double begin = t.entry.empty() ? std::min(0.0, first) : std::min(t.entry.front(), first);
    if (t.time.empty() || begin < first) {
        t.time.insert(t.time.begin(), begin);
        t.events.insert(t.events.begin(), 0);
        t.censored.insert(t.censored.begin(), 0);
    }
    const auto rows = t.time.size();
    for (auto* column : {&out.survival, &out.greenwood, &out.hazard, &out.hazard_variance, &out.at_risk}) column->reserve(rows);
    double s = 1, greenwood = 0, hazard = 0, variance = 0;
    walk w{t};
    for (std::size_t k = 0; k < rows; ++k) {
        const double n = w.at_risk(t.time[k]), d = t.events[k];
        if (d > 0 && n > 0) {
            s = d >= n ? 0 : s * (1 - d / n);
            greenwood += d / (n * (n - d));
            hazard += d / n;
            variance += d / (n * n);
        }
        out.at_risk.push_back(n);
        out.survival.push_back(s);
        out.greenwood.push_back(greenwood);
        out.hazard.push_back(hazard);
        out.hazard_variance.push_back(variance);
    }
    out.time = std::move(t.time);
    out.events = std::move(t.events);
    out.censored = std::move(t.censored);
    out.entry = std::move(t.entry);
    return out;
}

}  // namespace

survival_curve::interval_t survival_curve::survival_interval(std::size_t row) const {
    const double s = survival.at(row);
    if (s == 1) return {1, 1};
    if (!(s > 0)) return {nan, nan};
    const double ln = std::log(s), wider = std::exp(z * std::sqrt(greenwood[row]) / ln);   // at most 1
    return {std::exp(ln / wider), std::exp(ln * wider)};
}

survival_curve::interval_t survival_curve::hazard_interval(std::size_t row) const {
    const double h = hazard.at(row);
    if (h == 0) return {0, 0};
    const double ratio = std::exp(z * std::sqrt(hazard_variance[row]) / h);
    return {h / ratio, h * ratio};
}

std::optional<std::size_t> survival_curve::row_at(double t) const {
    const auto it = std::upper_bound(time.begin(), time.end(), t);
    if (it == time.begin()) return {};
    return static_cast<std::size_t>(it - time.begin()) - 1;
}

double survival_curve::at_risk_at(double t) const {
    double gone = 0;
    for (std::size_t k = 0; k < time.size() && time[k] < t; ++k) gone += events[k] + censored[k];
    const auto in = entry.empty() ? static_cast<double>(subjects) : static_cast<double>(std::lower_bound(entry.begin(), entry.end(), t) - entry.begin());
    return in - gone;
}

survival_curve::quantile_t survival_curve::quantile(double share) const {
    const double least = share * (1 + 1e-12);                 // a product that is a half may be rounded up
    quantile_t out;
    for (std::size_t k = 0; k < time.size() && !(out.time && out.low && out.high); ++k) {
        const auto [low, high] = survival_interval(k);
        if (!out.time && survival[k] <= least) out.time = time[k];
        if (!out.low && low <= least) out.low = time[k];
        if (!out.high && high <= least) out.high = time[k];
    }
    return out;
}

double survival_curve::restricted_mean(double until) const {
    double area = 0;
    for (std::size_t k = 0; k < time.size() && time[k] < until; ++k) area += survival[k] * ((k + 1 < time.size() ? std::min(time[k + 1], until) : until) - time[k]);
    return area;
}

std::vector<survival_curve> survival_curves(const survival_columns& c, double level) {
    if (!(level > 0 && level < 1)) throw error{"statistics.level", "level", "a level lies between 0 and 1"};
    std::vector<survival_curve> out;
    for (auto& t : life_tables(c)) out.push_back(curve_of(std::move(t), level));
    return out;
}

logrank_result logrank(const survival_columns& c, survival_weighting weighting) {
    const auto tables = life_tables(c);
    const auto k = static_cast<Eigen::Index>(tables.size());
    std::vector<walk> walks(tables.begin(), tables.end());
    std::vector<std::size_t> next(tables.size());
    Eigen::VectorXd observed = Eigen::VectorXd::Zero(k), expected = observed, risk(k), events(k);
    Eigen::MatrixXd covariance = Eigen::MatrixXd::Zero(k, k);
    double peto = 1;
    for (;;) {
        // The next time at which something happens anywhere.
        double t = std::numeric_limits<double>::infinity();
        for (std::size_t g = 0; g < tables.size(); ++g) {
            while (next[g] < tables[g].time.size() && tables[g].events[next[g]] == 0) ++next[g];
            if (next[g] < tables[g].time.size()) t = std::min(t, tables[g].time[next[g]]);
        }
        if (t == std::numeric_limits<double>::infinity()) break;
        for (std::size_t g = 0; g < tables.size(); ++g) {
            risk[static_cast<Eigen::Index>(g)] = walks[g].at_risk(t);
            events[static_cast<Eigen::Index>(g)] = walks[g].events(t);
            if (next[g] < tables[g].time.size() && tables[g].time[next[g]] == t) ++next[g];
        }
        const double n = risk.sum(), d = events.sum();
        if (n <= 0) continue;
        peto *= 1 - d / (n + 1);
        double w = 1;
        switch (weighting) {
            case survival_weighting::none: break;
            case survival_weighting::wilcoxon: w = n; break;
            case survival_weighting::tarone_ware: w = std::sqrt(n); break;
            case survival_weighting::peto: w = peto;
        }
        observed += w * events;
        expected += w * d / n * risk;
        if (n < 2) continue;
        const double v = w * w * d * (n - d) / (n - 1) / n;
        for (Eigen::Index a = 0; a < k; ++a) {
            if (risk[a] == 0) continue;
            covariance(a, a) += v * risk[a];
            const double va = v * risk[a] / n;
            for (Eigen::Index b = 0; b <= a; ++b) covariance(a, b) -= va * risk[b];
        }
    }
    logrank_result out;
    out.observed.assign(observed.begin(), observed.end());
    out.expected.assign(expected.begin(), expected.end());
    // Groups that ever vary. Their rows add up to nothing, so that the last one says nothing more.
    std::vector<Eigen::Index> vary;
    for (Eigen::Index g = 0; g < k; ++g)
        if (covariance(g, g) > 0) vary.push_back(g);
    if (vary.size() < 2) return out;
    vary.pop_back();
    covariance = Eigen::MatrixXd{covariance.selfadjointView<Eigen::Lower>()};
    const Eigen::MatrixXd v = covariance(vary, vary);
    const Eigen::VectorXd u = (observed - expected)(vary);
    out.degrees = vary.size();
    out.chi2 = std::max(0.0, u.dot(v.ldlt().solve(u)));
    out.p = boost::math::cdf(boost::math::complement(boost::math::chi_squared{static_cast<double>(out.degrees)}, out.chi2));
    return out;
}

namespace {
double upper_quantile(double tail) { return boost::math::quantile(boost::math::complement(boost::math::normal{}, tail)); }

void check_design(double ratio, double p_treated, double p_control, double hazard_ratio, double alpha) {
    if (!(ratio > 0)) throw error{"statistics.design", "ratio", "groups have sizes above 0"};
    if (!(p_treated >= 0 && p_treated <= 1 && p_control >= 0 && p_control <= 1 && p_treated + p_control > 0)) throw error{"statistics.design", "p", "shares lie between 0 and 1"};
    if (!(hazard_ratio > 0) || hazard_ratio == 1) throw error{"statistics.design", "hazard_ratio", "a hazard ratio is above 0 and not 1"};
    if (!(alpha > 0 && alpha < 1)) throw error{"statistics.level", "alpha", "alpha lies between 0 and 1"};
}
}  // namespace

cox_sizes cox_sample_size(double power, double ratio, double p_treated, double p_control, double hazard_ratio, double alpha) {
    check_design(ratio, p_treated, p_control, hazard_ratio, alpha);
    if (!(power > 0 && power < 1)) throw error{"statistics.level", "power", "power lies between 0 and 1"};
    const double z = upper_quantile(alpha / 2) + upper_quantile(1 - power), spread = (ratio * hazard_ratio + 1) / (hazard_ratio - 1);
    const double events = spread * spread * z * z / ratio, control = events / (ratio * p_treated + p_control);
    return {std::ceil(ratio * control), std::ceil(control)};
}

double cox_power(double n_treated, double n_control, double p_treated, double p_control, double hazard_ratio, double alpha) {
    const double ratio = n_treated / n_control;
    check_design(ratio, p_treated, p_control, hazard_ratio, alpha);
    const double events = n_treated * p_treated + n_control * p_control;
    return boost::math::cdf(boost::math::normal{}, std::sqrt(ratio * events) * std::fabs(hazard_ratio - 1) / (ratio * hazard_ratio + 1) - upper_quantile(alpha / 2));
}

}  // namespace journeyman
