#pragma once
// How long until it happens: time to convert, time to churn. Those for whom it has not happened yet are censored, not left out.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "journeyman/core/table.hpp"
#include "journeyman/history/history.hpp"
#include "journeyman/predicate/expression.hpp"
#include "journeyman/predicate/program.hpp"

namespace journeyman {

/// Subjects by column. `time` and `entry` in any one unit, each finite; `entry` (late entry) and `group` may be empty, else are as long as `time`.
struct survival_columns {
    std::span<const double> time;
    std::span<const std::uint8_t> event;       // 1: it happened at `time`; 0: nothing more is known after it; empty: it happened to all
    std::span<const double> entry = {};        // under observation only after it
    std::span<const std::uint32_t> group = {};
    std::size_t groups = 1;
};

/// One group's curve: a row for the beginning (time 0, or the first entry) and one for each distinct time.
struct survival_curve {
    std::vector<double> time, survival, greenwood;           // the sum of d / (n (n - d)): the variance of the survival over its square
    std::vector<double> hazard, hazard_variance;             // cumulative
    std::vector<double> at_risk, events, censored;
    std::vector<double> entry;                               // sorted; empty when nobody enters late
    std::size_t subjects = 0;
    double level = 0.95, z = 1.959963984540054;              // and its normal quantile
    /// Of a row; NaN where there is none (survival 0).
    struct interval_t { double low, high; };
    [[nodiscard]] interval_t survival_interval(std::size_t row) const;
    [[nodiscard]] interval_t hazard_interval(std::size_t row) const;
    /// Where t falls: the last row at or before it; nothing before the first.
    [[nodiscard]] std::optional<std::size_t> row_at(double t) const;
    /// time >= t and entry < t.
    [[nodiscard]] double at_risk_at(double t) const;
    /// The first time at which at most `share` survive; nothing when that is never. The ends are where those of the interval cross it (Brookmeyer and Crowley, 1982).
    struct quantile_t { std::optional<double> time, low, high; };
    [[nodiscard]] quantile_t quantile(double share = 0.5) const;
    /// The mean time lived up to `until`: the area under the curve.
    [[nodiscard]] double restricted_mean(double until) const;
};

/// A curve for each group. Survival: Kaplan and Meier (1958), S = prod(1 - d/n), with Greenwood's variance and the log-log interval (Kalbfleisch and Prentice).
/// Cumulative hazard: Nelson (1969) and Aalen (1978), H = sum(d/n), variance sum(d/n²), log interval. At one time events come before censoring; at risk is who
/// has time >= t and entry < t. Errors: `survival.columns` for columns of unequal length, a time that is not finite or not after its entry, a group out of range.
std::vector<survival_curve> survival_curves(const survival_columns&, double level = 0.95);

/// group, time, at_risk, events, censored, survival, low, high, hazard, hazard_low, hazard_high: the rows of all curves.
table to_table(const std::vector<survival_curve>&, const std::vector<std::string>& groups);
/// group, subjects, events, median, median_low, median_high, restricted_mean (up to the last time that every group saw).
table summary_of(const std::vector<survival_curve>&, const std::vector<std::string>& groups);

enum class survival_weighting { none, wilcoxon, tarone_ware, peto };   // 1, n, sqrt(n), prod(1 - d/(n + 1)) up to and with the time

struct logrank_result {
    double chi2 = 0, p = 1;
    std::size_t degrees = 0;
    std::vector<double> observed, expected;                  // by group, weighted
};
/// Whether the groups' curves differ: Mantel (1966) and its weighted forms (Gehan, Tarone and Ware, Peto and Peto), with the hypergeometric variance.
/// Fewer than two groups with anyone at risk: p is 1, degrees 0.
logrank_result logrank(const survival_columns&, survival_weighting = survival_weighting::none);

// ---- planning: two groups under proportional hazards (Freedman 1982, Schoenfeld 1983, as in Rosner, "Fundamentals of Biostatistics")
struct cox_sizes { double treated = 0, control = 0; };       // rounded up
/// `ratio` treated / control; `p_*` the share that has the event while observed.
cox_sizes cox_sample_size(double power, double ratio, double p_treated, double p_control, double hazard_ratio, double alpha = 0.05);
double cox_power(double n_treated, double n_control, double p_treated, double p_control, double hazard_ratio, double alpha = 0.05);

// ---- from a history
struct survival_question {
    selector start;                                          // the clock starts at the contact's first
    selector event;                                          // and ends at its first after that (at the same instant too, unless the two selectors are one)
    std::optional<length> lapse = {};                        // churn: it ends instead when there has been no `event` for so long (T4), counted from `start` and then from each
    std::vector<std::string> by = {};                        // read at the start, after it is seen (K6): its properties, attributes, expressions about it
    std::optional<instant> until = {};                       // known up to here, included; default: the last instant of the history
    microseconds unit = std::chrono::hours{24};
    compile_context context = {};
};

/// The subjects of a question: contacts that started, in order of their number.
struct survival_subjects {
    std::vector<std::uint32_t> contacts, group;
    std::vector<double> time;
    std::vector<std::uint8_t> event;
    std::vector<std::string> groups;                         // texts of `by`, joined by " · ", sorted; one empty text without `by`
    [[nodiscard]] survival_columns columns() const { return {time, event, {}, group, groups.size()}; }
    /// contact_id, group, time, event.
    [[nodiscard]] table to_table(const history&) const;
};
/// Errors: those of the type check, placed "start", "event", "by"; `input.instant` for a history without instants when `until` is not given.
survival_subjects survival_of(const history&, const survival_question&);

}  // namespace journeyman
