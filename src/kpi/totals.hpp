#pragma once
// What is counted: the totals of one KPI by period and cell. They merge exactly, whoever counted them.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "journeyman/core/exact_sum.hpp"
#include "kpi/formula.hpp"
#include "kpi/hyperloglog.hpp"

namespace journeyman::detail {

__extension__ typedef __int128 wide;

/// What fits can be multiplied and summed over a hundred million contacts without overflow.
inline bool is_small(wide x) { return x < (wide{1} << 50) && x > -(wide{1} << 50); }

/// A sum that is exact for any order: whole units apart from decimals.
struct amount {
    wide whole = 0;
    exact_sum decimals;
    void merge(const amount& o) { whole += o.whole; decimals.merge(o.decimals); }
    void clear() { whole = 0; decimals.clear(); }
    [[nodiscard]] bool empty() const { return whole == 0 && decimals.empty(); }
    [[nodiscard]] double value(double divisor) const {
        const double units = static_cast<double>(whole) / divisor;
        if (decimals.empty()) return units;
        if (whole == 0) return decimals.value();
        exact_sum both = decimals;
        both.add(units);
        return both.value();
    }
};

enum class total_kind : std::uint8_t { amount, accounts, budget };   // as states write them

/// What the totals of one KPI are made of: enough to merge and to read them, without the history.
struct totals_shape {
    std::vector<total_kind> kinds;         // by measure
    std::vector<double> divisors;          // whole amounts are kept in minor units and microseconds
    bool products = false;
    int precision = 0;                     // of the sketches of accounts; 0: exact
    friend bool operator==(const totals_shape&, const totals_shape&) = default;
};

/// Distinct accounts: as numbers of a `cell_texts`, or as a sketch.
struct account_set {
    std::set<std::uint32_t> numbers;
    hyperloglog sketch;
};

/// The totals of one KPI in one period and cell.
class totals final : public totals_source {
public:
    explicit totals(const totals_shape& s) : shape_{&s}, sums_(s.kinds.size()), now_(s.kinds.size()), products_(s.products ? s.kinds.size() * (s.kinds.size() + 1) / 2 : 0) {}

    // While a contact is looked at: its own part, folded in by `end_contact`.
    amount& of_contact(std::size_t measure) { return now_[measure]; }
    bool begin_contact() { return std::exchange(open_, true); }
    void immature() { immature_now_ = 1; }
    void add_immature(std::int64_t contacts) { immature_ += contacts; }
    void end_contact();
    /// With what other contacts gave, of the same shape: exactly what one pass over both would have given. `numbers`: its account numbers → ours.
    void merge(const totals&, const std::vector<std::uint32_t>& numbers);

    amount& sum(std::size_t measure) { return sums_[measure]; }                    // spend
    amount& product_of(std::size_t j, std::size_t k) { return products_[at(j, k)]; }   // of contacts who were multiplied elsewhere
    account_set& accounts(std::size_t measure) { return accounts_[measure]; }

    [[nodiscard]] double total(std::size_t measure) const;
    [[nodiscard]] std::int64_t immature_contacts() const { return immature_; }
    [[nodiscard]] double product(std::size_t j, std::size_t k) const override;

private:
    friend class state_writer;
    friend class state_reader;
    static std::size_t at(std::size_t j, std::size_t k) { return j < k ? k * (k + 1) / 2 + j : j * (j + 1) / 2 + k; }
    const totals_shape* shape_;
    std::vector<amount> sums_, now_, products_;
    std::map<std::size_t, account_set> accounts_;
    std::int64_t immature_ = 0, immature_now_ = 0;
    bool open_ = false;
};

/// Texts of dimensions, and accounts, by number; 0 is "(missing)".
class cell_texts {
public:
    cell_texts() { number("(missing)"); }
    cell_texts(const cell_texts& o) { for (const auto* t : o.texts_) number(*t); }
    cell_texts(cell_texts&&) = default;
    cell_texts& operator=(cell_texts o) { numbers_.swap(o.numbers_); texts_.swap(o.texts_); for (std::size_t k = 0; k < std::size(by_value_); ++k) by_value_[k].swap(o.by_value_[k]); return *this; }
    std::uint32_t number(const std::string& text) {
        const auto [it, fresh] = numbers_.try_emplace(text, static_cast<std::uint32_t>(texts_.size()));
        if (fresh) texts_.push_back(&it->first);
        return it->second;
    }
    std::uint32_t number(const value&, const text_pool&);
    [[nodiscard]] const std::string& text(std::uint32_t n) const { return *texts_[n]; }
    [[nodiscard]] std::size_t size() const { return texts_.size(); }
    /// Number there → number here, which takes the texts it lacks.
    std::vector<std::uint32_t> take(const cell_texts&);

private:
    std::map<std::string, std::uint32_t> numbers_;
    std::vector<const std::string*> texts_;
    std::unordered_map<std::int64_t, std::uint32_t> by_value_[10];   // by type
};

/// One KPI's cells in each of its periods. Cell 0 is the total.
class cell_totals {
public:
    cell_totals(const totals_shape& s, std::size_t period_count) : shape_{&s}, periods_{period_count} { cell({}); }
    [[nodiscard]] const totals_shape& shape() const { return *shape_; }
    [[nodiscard]] std::size_t period_count() const { return periods_; }
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
    /// Of the same KPI and periods. `numbers`: from `cell_texts::take`.
    void merge(const cell_totals&, const std::vector<std::uint32_t>& numbers);
    /// The cells by the texts of their keys, the total first; the same for any order in which they were found.
    [[nodiscard]] std::vector<std::size_t> sorted(const cell_texts&) const;
    std::map<std::uint32_t, amount> unscoped;      // by period

private:
    const totals_shape* shape_;
    std::size_t periods_;
    std::map<std::vector<std::uint32_t>, std::uint32_t> index_;
    std::vector<const std::vector<std::uint32_t>*> keys_;
    std::vector<std::vector<std::unique_ptr<totals>>> totals_;   // by cell, period
    std::vector<totals*> open_;
};

}  // namespace journeyman::detail
