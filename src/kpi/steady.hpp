#pragma once
// The quick path of counting: contacts whose scope and cells cannot change are asked once where they stand, and their events are counted stream by stream.

#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "journeyman/predicate/reader.hpp"
#include "kpi/fold.hpp"

namespace journeyman::detail {

/// Whether an expression says the same of a contact at all times, as long as her attributes do not change: it reads nothing else (no account's attributes, no id, no events, no time, no journey).
/// Adds the slots it reads.
bool is_steady(const program&, node_id, std::vector<std::uint32_t>& attributes);

/// KPIs of one scope and one breakdown: where a contact stands for all of them, when it cannot change. It hangs on her attributes alone, so contacts who share them are asked once.
struct crowd {
    const kpi_plan* asked = nullptr;               // one of them, and a measure of it whose dimensions are compiled
    std::size_t measure = 0;
    std::vector<std::uint32_t> attributes;         // slots
    struct known {
        std::vector<value> values;                 // of the attributes
        bool in_scope = false;
        std::vector<std::uint32_t> cells;          // indexes of `keys`
    };
    const known* here = nullptr;                   // of the contact at hand; null: where she stands may change
    std::unordered_map<std::uint64_t, std::vector<known>> memory;
    std::map<std::vector<std::uint32_t>, std::uint32_t> numbers;
    std::vector<std::vector<std::uint32_t>> keys;

    /// Finds `here`; asks `where(known&)` only when nobody before had these attributes.
    template <class F>
    void stand(const history_reader&, F where);
    std::uint32_t number(const std::vector<std::uint32_t>& key) {
        const auto [it, fresh] = numbers.try_emplace(key, static_cast<std::uint32_t>(keys.size()));
        if (fresh) keys.push_back(key);
        return it->second;
    }
};

/// One KPI in its crowd.
struct standing {
    crowd* of = nullptr;                           // null: it is in none
    std::vector<amount*> sums;                     // by measure, key (0: the total) and period of the calendar; null: not looked for yet
    std::vector<std::uint32_t> cells;              // by index of the crowd's keys: the KPI's own cell
    [[nodiscard]] const crowd::known* here() const { return of == nullptr ? nullptr : of->here; }
    std::uint32_t cell(kpi_totals& k, std::uint32_t key) {
        if (key >= cells.size()) cells.resize(key + 1, none);
        if (cells[key] == none) cells[key] = k.cell(of->keys[key]);
        return cells[key];
    }
    /// Where a measure is summed, of the total (0) or of a key (its index + 1).
    amount& sum(kpi_totals& k, std::size_t measure, std::size_t key, std::size_t p) {
        const std::size_t periods = k.when().calendar().size(), measures = k.shape().kinds.size(), at = (key * measures + measure) * periods + p;
        if (at >= sums.size()) sums.resize((key + 1) * measures * periods, nullptr);
        if (sums[at] == nullptr) sums[at] = &k.at(key == 0 ? 0 : cell(k, static_cast<std::uint32_t>(key - 1)), k.when().calendar()[p]).sum(measure);
        return *sums[at];
    }
};
/// Those that have one, by KPI; the crowds are put into `crowds`.
std::vector<standing> standings_of(const program&, const plan&, std::vector<std::unique_ptr<crowd>>& crowds);

struct quick_scratch {
    std::vector<std::int64_t> counts;          // by period of the calendar
    std::vector<amount> sums;
};

/// Counts of events and contacts, and sums, of a contact who stands where she stands. False: the measure is none of these, or needs the plain path.
bool count_quickly(const program&, const history_reader&, standing&, instant end, kpi_totals&, std::size_t measure, quick_scratch&);

template <class F>
void crowd::stand(const history_reader& reader, F where) {
    constexpr std::size_t most = 1 << 16;
    here = nullptr;
    std::uint64_t hash = 0x9e3779b97f4a7c15ULL;
    for (const auto slot : attributes) {
        const auto& a = reader.all_changes(slot);
        if (a.count != 0) return;
        hash = (hash ^ static_cast<std::uint64_t>(a.base.i) ^ static_cast<std::uint64_t>(a.base.type) << 56) * 0xe7037ed1a0b428dbULL;
        hash ^= hash >> 29;
    }
    if (memory.size() > most) memory.clear();
    auto& same = memory[hash];
    for (const auto& k : same) {
        bool all = true;
        for (std::size_t i = 0; i < attributes.size() && all; ++i) all = k.values[i] == reader.all_changes(attributes[i]).base;
        if (all) { here = &k; return; }
    }
    same.emplace_back();
    for (const auto slot : attributes) same.back().values.push_back(reader.all_changes(slot).base);
    where(same.back());
    here = &same.back();
}

/// Adds a value to a sum of this type.
inline void add_value(amount& to, const value& v, value_type type) {
    if (v.type == value_type::decimal) to.decimals.add(v.d);
    else if (v.type == type) to.whole += v.i;
    else to.decimals.add(v.type == value_type::duration ? static_cast<double>(v.i) / 1e6 : v.as_decimal());
}

}  // namespace journeyman::detail
