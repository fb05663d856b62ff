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

/// Bits of a double that sort as it does.
std::uint64_t sortable(double x) {
    const auto b = std::bit_cast<std::uint64_t>(x + 0.0);    // -0 is 0
    return (b >> 63) != 0 ? ~b : b | (std::uint64_t{1} << 63);
}
double of_sortable(std::uint64_t b) { return std::bit_cast<double>((b >> 63) != 0 ? b & ~(std::uint64_t{1} << 63) : ~b); }

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
};

std::vector<life_table> life_tables(const survival_columns& c) {
    const auto n = c.time.size();
    const auto wrong = [](const std::string& what) { throw error{"survival.columns", "", what}; };
    if ((!c.event.empty() && c.event.size() != n) || (!c.entry.empty() && c.entry.size() != n) || (!c.group.empty() && c.group.size() != n))
        wrong("the columns are of unequal length; give a time, an event, an entry and a group for each subject");
    if (c.groups == 0) wrong("there are no groups");
    std::vector<std::vector<std::uint64_t>> ended(2 * c.groups);       // sorted instants by group: events, then censored
    for (auto& keys : ended) keys.reserve(n / (2 * c.groups) + 16);
    std::vector<life_table> out(c.groups);
    for (std::size_t i = 0; i < n; ++i) {
        const std::size_t g = c.group.empty() ? 0 : c.group[i];
        if (g >= c.groups) wrong("row " + std::to_string(i) + " is of a group that there is not");
        if (!std::isfinite(c.time[i])) wrong("row " + std::to_string(i) + " has no finite time; leave it out");
        if (!c.entry.empty()) {
            if (!(c.entry[i] <= c.time[i])) wrong("row " + std::to_string(i) + " enters after its time is over");
            out[g].entry.push_back(c.entry[i]);
        }
        ended[2 * g + (c.event.empty() || c.event[i] != 0 ? 0 : 1)].push_back(sortable(c.time[i]));
    }
    for (std::size_t g = 0; g < c.groups; ++g) {
        auto& t = out[g];
        const auto& happened = ended[2 * g];
        const auto& lost = ended[2 * g + 1];
        sort_keys(ended[2 * g]);
        sort_keys(ended[2 * g + 1]);
        std::sort(t.entry.begin(), t.entry.end());
        t.subjects = static_cast<double>(happened.size() + lost.size());
        for (std::size_t i = 0, j = 0; i < happened.size() || j < lost.size();) {
            const auto key = j == lost.size() ? happened[i] : i == happened.size() ? lost[j] : std::min(happened[i], lost[j]);
            const auto i0 = i, j0 = j;
            while (i < happened.size() && happened[i] == key) ++i;
            while (j < lost.size() && lost[j] == key) ++j;
            t.time.push_back(of_sortable(key));
            t.events.push_back(static_cast<double>(i - i0));
            t.censored.push_back(static_cast<double>(j - j0));
        }
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

survival_curve curve_of(const life_table& t, double level) {
    const double z = detail::two_sided_quantile(level);
    survival_curve out;
    out.level = level;
    out.subjects = static_cast<std::size_t>(t.subjects);
    out.entry = t.entry;
    const auto rows = t.time.size() + 1;
    for (auto* column : {&out.time, &out.survival, &out.low, &out.high, &out.hazard, &out.hazard_low, &out.hazard_high, &out.at_risk, &out.events, &out.censored}) column->reserve(rows);
    double s = 1, greenwood = 0, hazard = 0, variance = 0, low = 1, high = 1, hazard_low = 0, hazard_high = 0;
    walk w{t};
    const auto row = [&](double at, double risk, double d, double lost) {
        out.time.push_back(at);
        out.survival.push_back(s);
        out.low.push_back(low);
        out.high.push_back(high);
        out.hazard.push_back(hazard);
        out.hazard_low.push_back(hazard_low);
        out.hazard_high.push_back(hazard_high);
        out.at_risk.push_back(risk);
        out.events.push_back(d);
        out.censored.push_back(lost);
    };
    const double first = t.time.empty() ? 0 : t.time.front();
    const double begin = t.entry.empty() ? std::min(0.0, first) : std::min(t.entry.front(), first);
    if (t.time.empty() || begin < first) row(begin, t.entry.empty() ? t.subjects : 0, 0, 0);
    for (std::size_t k = 0; k < t.time.size(); ++k) {
        const double n = w.at_risk(t.time[k]), d = t.events[k];
        if (d > 0 && n > 0) {
            s = d >= n ? 0 : s * (1 - d / n);
            greenwood += d / (n * (n - d));
            hazard += d / n;
            variance += d / (n * n);
            const double half = z * std::sqrt(greenwood) / std::log(s);
            low = s > 0 ? std::pow(s, std::exp(-half)) : nan;
            high = s > 0 ? std::pow(s, std::exp(half)) : nan;
            const double ratio = std::exp(z * std::sqrt(variance) / hazard);
            hazard_low = hazard / ratio;
            hazard_high = hazard * ratio;
        }
        row(t.time[k], n, d, t.censored[k]);
    }
    return out;
}

}  // namespace

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
    const auto first = [&](const std::vector<double>& s) -> std::optional<double> {
        for (std::size_t k = 0; k < s.size(); ++k)
            if (s[k] <= share * (1 + 1e-12)) return time[k];      // a product that is a half may be rounded up
        return {};
    };
    return {first(survival), first(low), first(high)};
}

double survival_curve::restricted_mean(double until) const {
    double area = 0;
    for (std::size_t k = 0; k < time.size() && time[k] < until; ++k) area += survival[k] * ((k + 1 < time.size() ? std::min(time[k + 1], until) : until) - time[k]);
    return area;
}

std::vector<survival_curve> survival_curves(const survival_columns& c, double level) {
    if (!(level > 0 && level < 1)) throw error{"statistics.level", "level", "a level lies between 0 and 1"};
    std::vector<survival_curve> out;
    for (const auto& t : life_tables(c)) out.push_back(curve_of(t, level));
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
