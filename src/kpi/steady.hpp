#pragma once
// Contacts whose scope and cells cannot change: they are asked once where they stand, and all of them who stand alike are counted as one group.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "journeyman/predicate/reader.hpp"
#include "kpi/fold.hpp"
#include "kpi/stays.hpp"

namespace journeyman::detail {

/// Whether an expression says the same of a contact at all times, as long as her attributes do not change: it reads nothing else (no account's attributes, no id, no events, no time, no journey).
/// Adds the slots it reads.
bool is_steady(const program&, node_id, std::vector<std::uint32_t>& attributes);

/// KPIs of one scope and one breakdown: where a contact stands for all of them, when she cannot change. It hangs on her attributes alone, so contacts who share them are asked once.
/// Dimensions that are properties of the event are missing here; who reads the events puts them in.
struct crowd {
    const kpi_plan* asked = nullptr;               // one of them, and a measure of it whose dimensions are compiled
    std::size_t measure = 0;
    bool steady = false;                           // else there are only `moves`
    std::vector<std::uint32_t> attributes;         // slots
    std::vector<std::pair<std::size_t, std::uint32_t>> properties;   // dimensions that are the event's own, and their slots
    struct known {
        std::vector<value> values;                 // of the attributes
        bool in_scope = false;
        std::vector<std::uint32_t> cells;          // indexes of `keys`
        std::uint32_t group = 0;                   // none when not in scope
    };
    std::optional<stays> moves;                    // where a contact stands from when to when; nothing: that hangs on more than what she did and had
    const known* here = nullptr;                   // of the contact at hand; null: where she stands may change
    std::unordered_map<std::uint64_t, std::vector<known>> memory;
    std::map<std::vector<std::uint32_t>, std::uint32_t> numbers;
    std::vector<std::vector<std::uint32_t>> keys;

    std::vector<std::vector<std::uint32_t>> groups{{}};   // indexes of `keys`; the first is nobody's
    std::size_t most_groups = 1;
    std::vector<std::uint32_t> group;              // of the contacts of a step; 0: counted nowhere, or not by group
    std::vector<std::uint8_t> apart;               // of the same: 1 who is not counted by group
    bool any_apart = false;

    /// Finds `here`; asks `where(known&)` only when nobody before had these attributes.
    template <class F>
    void stand(const history_reader&, F where);
    /// Finds the groups of contacts [first, first + n). `ask(contact)` loads one and finds `here`.
    template <class F>
    void gather(std::uint32_t first, std::uint32_t n, F ask);
    void prepare(const program&, const history_data&);
    /// Whether all contacts are of one group, the first.
    [[nodiscard]] bool are_one() const { return by_code_.size() == 1 && by_code_[0] == 1 && !any_apart; }

    std::uint32_t number(const std::vector<std::uint32_t>& key) {
        const auto [it, fresh] = numbers.try_emplace(key, static_cast<std::uint32_t>(keys.size()));
        if (fresh) keys.push_back(key);
        return it->second;
    }

private:
    static constexpr std::uint32_t unasked = 0xffffffffU, by_herself = 0xfffffffeU;
    struct codes { std::shared_ptr<const narrow_codes> of; std::uint32_t factor; };
    /// The group of who stands `here`.
    std::uint32_t group_here() const { return here == nullptr || here->group >= most_groups ? by_herself : here->group; }
    std::vector<const attribute_stream*> streams_;
    std::vector<codes> codes_;                     // of all attributes, where each is a text of few values
    std::vector<std::uint32_t> by_code_;           // group by the sum of codes; empty: they are not
};

/// One KPI in its crowd.
struct standing {
    crowd* of = nullptr;                           // null: it is in none
    std::vector<std::uint32_t> cells;              // by index of the crowd's keys: the KPI's own cell
    [[nodiscard]] const crowd::known* here() const { return of == nullptr || !of->properties.empty() ? nullptr : of->here; }
    std::uint32_t cell(kpi_totals& k, std::uint32_t key) {
        if (key >= cells.size()) cells.resize(key + 1, none);
        if (cells[key] == none) cells[key] = k.cell(of->keys[key]);
        return cells[key];
    }
    /// Of a key with what the event itself has; the one asked last is at hand.
    std::uint32_t cell(kpi_totals& k, const std::vector<std::uint32_t>& key) {
        if (key != last_key || last_cell == none) {
            last_cell = k.cell(key);
            last_key = key;
        }
        return last_cell;
    }
    std::vector<std::uint32_t> last_key;
    std::uint32_t last_cell = none;
};
/// Those that have one, by KPI; the crowds are put into `crowds`.
std::vector<standing> standings_of(const program&, const plan&, std::vector<std::unique_ptr<crowd>>& crowds);

template <class F>
void crowd::stand(const history_reader& reader, F where) {
    constexpr std::size_t most = 1 << 16;
    here = nullptr;
    if (!steady) return;
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
    auto& k = same.back();
    for (const auto slot : attributes) k.values.push_back(reader.all_changes(slot).base);
    where(k);
    if (k.in_scope) {
        k.group = static_cast<std::uint32_t>(std::min(groups.size(), most_groups));
        if (k.group < most_groups) groups.push_back(k.cells);
    }
    here = &k;
}

template <class F>
void crowd::gather(std::uint32_t first, std::uint32_t n, F ask) {
    any_apart = false;
    if (are_one() && attributes.empty()) {
        group.resize(n, 1);                        // they were all 1 before
        return apart.resize(n, 0);
    }
    group.assign(n, 0);
    apart.assign(n, 0);
    if (!by_code_.empty()) {
        for (const auto& c : codes_)
            for (std::uint32_t i = 0; i < n; ++i) group[i] += c.factor * static_cast<std::uint8_t>(c.of->code[first + i] + 1);
        for (const auto* s : streams_) {
            if (s == nullptr || s->rows.rows() == 0) continue;
            std::size_t cursor = s->rows.dense.empty() ? static_cast<std::size_t>(std::lower_bound(s->rows.owners.begin(), s->rows.owners.end(), first) - s->rows.owners.begin()) : 0;
            for (std::uint32_t i = 0; i < n; ++i)
                if (const auto [begin, end] = s->rows.range(first + i, cursor); begin != end) apart[i] = 1;
        }
    }
    for (std::uint32_t i = 0; i < n; ++i) {
        std::uint32_t mine = by_herself;
        if (by_code_.empty()) {
            ask(first + i);
            mine = group_here();
        } else if (apart[i] == 0) {
            std::uint32_t& found = by_code_[group[i]];
            if (found == unasked) {
                ask(first + i);
                found = group_here();
            }
            mine = found;
        }
        apart[i] = mine == by_herself;
        any_apart = any_apart || mine == by_herself;
        group[i] = mine == by_herself ? 0 : mine;
    }
}

/// Adds a value to a sum of this type.
inline void add_value(amount& to, const value& v, value_type type) {
    if (v.type == value_type::decimal) to.decimals.add(v.d);
    else if (v.type == type) to.whole += v.i;
    else to.decimals.add(v.type == value_type::duration ? static_cast<double>(v.i) / 1e6 : v.as_decimal());
}

}  // namespace journeyman::detail
