#pragma once
// The value of a KPI: arithmetic over measures, with its derivatives and its interval (K3).

#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "journeyman/core/error.hpp"
#include "journeyman/predicate/expression.hpp"
#include "core/interval.hpp"

namespace journeyman::detail {

/// Whether the numerator is by its form a part of the denominator (reading 8): `converted / starters` of the same cohort, or members of a tighter predicate.
bool is_proportion(const expression& value);

/// What is summed over contacts: totals of the measures, and of their products, for the delta method. By measure, in the order of `formula::measures`.
class totals_source {
public:
    virtual ~totals_source() = default;
    [[nodiscard]] virtual double product(std::size_t j, std::size_t k) const = 0;   // Σ x_ij x_ik
};

/// Garwood's intervals of one level: many cells have the same small counts, and each interval is worked out once.
class count_intervals {
public:
    explicit count_intervals(double of_level) : level_{of_level} {}
    [[nodiscard]] double level() const { return level_; }
    const interval& of(double count) {
        const auto [it, fresh] = known_.try_emplace(count);
        if (fresh) it->second = garwood(count, level_);
        return it->second;
    }

private:
    double level_;
    std::unordered_map<double, interval> known_;
};

/// The arithmetic of one KPI. Equal measures are one.
class formula {
public:
    formula() = default;
    /// What is no arithmetic over measures goes to `out` (code `kpi.value`), with `place`.
    formula(expression value, bool proportion, const std::string& place, problems& out);

    /// The distinct measures, as aggregates.
    [[nodiscard]] const std::vector<expression>& measures() const { return measures_; }
    [[nodiscard]] bool has(aggregate a) const;
    [[nodiscard]] bool is_division() const { return value_->kind == node_kind::divide; }
    /// Whether the delta method may be asked for.
    [[nodiscard]] bool needs_products() const { return needs_products_; }

    using amounts = std::span<const std::optional<double>>;   // totals by measure; missing: a budget that is not there
    [[nodiscard]] std::optional<double> value(amounts totals) const { return value(*value_, totals); }
    [[nodiscard]] std::optional<double> numerator(amounts totals) const { return value(*value_->args[0], totals); }
    [[nodiscard]] std::optional<double> denominator(amounts totals) const { return value(*value_->args[1], totals); }
    /// `contacts`: how many exist. Nothing where the value is missing or has no interval.
    [[nodiscard]] std::optional<interval> bounds(amounts totals, const totals_source&, std::size_t contacts, count_intervals&) const;
    [[nodiscard]] std::optional<interval> bounds(amounts totals, const totals_source& sums, std::size_t contacts, double level) const {
        count_intervals of_counts{level};
        return bounds(totals, sums, contacts, of_counts);
    }

private:
    struct scaled {                                            // constant · count, constant / count, or a constant
        enum kind_t { other, constant, count, inverse } kind = other;
        double factor = 0;
        std::size_t measure = 0;
    };
    void collect(const expression&, const std::string& place, problems& out);
    [[nodiscard]] std::size_t index(const expression&) const;
    [[nodiscard]] std::optional<double> value(const node&, amounts) const;
    double differentiate(const node&, amounts, std::span<double> gradient) const;
    [[nodiscard]] scaled form(const expression&, amounts) const;

    expression value_;
    bool proportion_ = false, needs_products_ = false;
    std::vector<expression> measures_;
    std::vector<std::pair<const node*, std::size_t>> places_;   // every aggregate of the tree → its measure
};

/// Whether it is one of the measures of design §7.
bool is_measure(const node&);
/// Whether its total is fixed, not counted over contacts: spend, budget.
bool is_fixed(const node&);

}  // namespace journeyman::detail
