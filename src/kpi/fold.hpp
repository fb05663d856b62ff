#pragma once
// The pass over the history: contact by contact, every KPI's totals by period and cell.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "journeyman/core/exact_sum.hpp"
#include "kpi/periods.hpp"
#include "kpi/plan.hpp"

namespace journeyman::detail {

__extension__ typedef __int128 wide;

/// A sum that is exact for any order: whole units apart from decimals.
struct amount {
    wide whole = 0;
    exact_sum decimals;
    void merge(const amount& o) { whole += o.whole; decimals.merge(o.decimals); }
    void clear() { whole = 0; decimals.clear(); }
    [[nodiscard]] double value(double divisor) const {
        const double units = static_cast<double>(whole) / divisor;
        if (decimals.empty()) return units;
        if (whole == 0) return decimals.value();
        exact_sum both = decimals;
        both.add(units);
        return both.value();
    }
};

/// The totals of one KPI in one period and cell.
class totals final : public totals_source {
public:
    totals(const kpi_plan& p) : plan_{&p}, sums_(p.measures.size()), now_(p.measures.size()), products_(p.value.needs_products() ? p.measures.size() * (p.measures.size() + 1) / 2 : 0) {}

    // While a contact is looked at: its own part, folded in by `end_contact`.
    amount& of_contact(std::size_t measure) { return now_[measure]; }
    bool begin_contact() { return std::exchange(open_, true); }
    void immature() { immature_now_ = 1; }
    void end_contact();
    /// With what other contacts gave, of the same plan: exactly what one pass over both would have given.
    void merge(const totals&);

    amount& sum(std::size_t measure) { return sums_[measure]; }                    // spend
    void account(std::size_t measure, std::int64_t id) { accounts_[measure].insert(id); }

    [[nodiscard]] double total(std::size_t measure) const;
    [[nodiscard]] std::int64_t immature_contacts() const { return immature_; }
    [[nodiscard]] double product(std::size_t j, std::size_t k) const override;

private:
    static std::size_t at(std::size_t j, std::size_t k) { return j < k ? k * (k + 1) / 2 + j : j * (j + 1) / 2 + k; }
    const kpi_plan* plan_;
    std::vector<amount> sums_, now_, products_;
    std::map<std::size_t, std::set<std::int64_t>> accounts_;
    std::int64_t immature_ = 0, immature_now_ = 0;
    bool open_ = false;
};

/// One KPI's periods and cells. Cell 0 is the total.
class kpi_totals {
public:
    kpi_totals(const kpi_plan& p, periods when) : plan_{&p}, periods_{std::move(when)} { cell({}); }
    [[nodiscard]] const kpi_plan& plan() const { return *plan_; }
    [[nodiscard]] const periods& when() const { return periods_; }
    [[nodiscard]] std::size_t cells() const { return keys_.size(); }
    [[nodiscard]] const std::vector<std::uint32_t>& key(std::size_t cell) const { return *keys_[cell]; }
    std::uint32_t cell(std::vector<std::uint32_t> key);
    /// Null where nothing occurred.
    [[nodiscard]] const totals* find(std::size_t cell, std::size_t period) const { return totals_[cell].empty() ? nullptr : totals_[cell][period].get(); }
    totals& at(std::uint32_t cell, std::uint32_t period);
    /// The same, for the contact being looked at.
    totals& of_contact(std::uint32_t cell, std::uint32_t period) {
        totals& t = at(cell, period);
        if (!t.begin_contact()) open_.push_back(&t);
        return t;
    }
    void end_contact() {
        for (totals* t : open_) t->end_contact();
        open_.clear();
    }
    /// The same for all cells; their keys are numbers of one `cell_texts`.
    void merge(const kpi_totals&);
    std::map<std::uint32_t, amount> unscoped;      // by period

private:
    const kpi_plan* plan_;
    periods periods_;
    std::map<std::vector<std::uint32_t>, std::uint32_t> index_;
    std::vector<const std::vector<std::uint32_t>*> keys_;
    std::vector<std::vector<std::unique_ptr<totals>>> totals_;   // by cell, period
    std::vector<totals*> open_;
};

/// The texts of dimensions by number; 0 is "(missing)".
class cell_texts {
public:
    cell_texts() { number("(missing)"); }
    std::uint32_t number(const std::string& text) {
        const auto [it, fresh] = numbers_.try_emplace(text, static_cast<std::uint32_t>(texts_.size()));
        if (fresh) texts_.push_back(&it->first);
        return it->second;
    }
    std::uint32_t number(const value&, const text_pool&);
    [[nodiscard]] const std::string& text(std::uint32_t n) const { return *texts_[n]; }

private:
    std::map<std::string, std::uint32_t> numbers_;
    std::vector<const std::string*> texts_;
    std::unordered_map<std::int64_t, std::uint32_t> by_value_[10];   // by type
};

/// The contacts of a part of the history, [first, last), and whether its spend is in it.
struct fold_part {
    std::uint32_t first = 0, last = 0xffffffffU;
    bool spend = true;
};

/// Fills the totals of all KPIs in one pass.
void fold(const kpi_definitions&, const plan&, const program_ptr&, const history_data&, const std::vector<journey_span>&, const table_span&, std::vector<kpi_totals>&, cell_texts&, fold_part = {});

}  // namespace journeyman::detail
