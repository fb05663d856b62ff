#include "segment/breakdown.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <map>

#include "segment/questions.hpp"
#include "segment/share.hpp"

namespace journeyman::detail {

constexpr std::array own_columns{"segment", "title", "contacts", "members", "unknown", "share", "share_of_members"};

breakdown::breakdown(const history& h, instant at, const named_expressions& by, const vocabulary& v, const progress_listener& progress) : cell_of_(h.contacts_count()) {
    questions ask{h, v};
    std::vector<node_id> nodes;
    for (const auto& [name, e] : by) {
        const auto place = "by." + name;
        if (std::find(names_.begin(), names_.end(), name) != names_.end() || std::find(own_columns.begin(), own_columns.end(), name) != own_columns.end())
            throw error{"sizes.by", place, "the table has a column \"" + name + "\" already; give this one a name of its own"};
        names_.push_back(name);
        nodes.push_back(ask.add(e, place));
    }
    const auto& pool = *h.data().pool;
    std::map<std::vector<std::string>, std::uint32_t> index;
    std::vector<std::string> key(by.size());
    // Values repeat: their cell is found by their bits, and by their texts only once.
    std::map<std::vector<std::pair<value_type, std::int64_t>>, std::uint32_t> seen;
    std::vector<std::pair<value_type, std::int64_t>> bits(by.size());
    cells_.emplace_back();
    contacts_.push_back(0);
    each_contact(h, ask.program(), progress, [&](history_reader& reader, std::uint32_t k) {
        if (!reader.exists(at)) return;
        ++contacts_[0];
        if (by.empty()) return;
        const auto& view = reader.see(at);
        std::vector<value> values;
        for (std::size_t d = 0; d < nodes.size(); ++d) {
            values.push_back(answer(*ask.program(), nodes[d], view, at));
            bits[d] = {values[d].type, values[d].type == value_type::decimal ? std::bit_cast<std::int64_t>(values[d].d) : values[d].i};
        }
        auto [known, fresh] = seen.try_emplace(bits);
        if (fresh) {
            for (std::size_t d = 0; d < nodes.size(); ++d) key[d] = values[d].is_missing() ? "(missing)" : to_text(values[d], pool);
            const auto [cell, first] = index.try_emplace(key, static_cast<std::uint32_t>(cells_.size()));
            if (first) {
                cells_.push_back(key);
                contacts_.push_back(0);
            }
            known->second = cell->second;
        }
        cell_of_[k] = known->second;
        ++contacts_[known->second];
    });
    // Into the order of the texts, which is that of `index`.
    std::vector<std::uint32_t> place(cells_.size());
    std::vector<std::vector<std::string>> cells{cells_[0]};
    std::vector<std::size_t> contacts{contacts_[0]};
    for (const auto& [texts, cell] : index) {
        place[cell] = static_cast<std::uint32_t>(cells.size());
        cells.push_back(texts);
        contacts.push_back(contacts_[cell]);
    }
    for (auto& c : cell_of_) c = place[c];
    cells_ = std::move(cells);
    contacts_ = std::move(contacts);
}

std::vector<std::size_t> breakdown::counted(const std::vector<std::uint32_t>& contacts) const {
    std::vector<std::size_t> out(cells_.size());
    out[0] = contacts.size();
    if (!names_.empty())
        for (const auto k : contacts) ++out[cell_of_[k]];
    return out;
}

void breakdown::add_columns(table& out) const {
    for (const auto& name : names_) out.add_column(name, value_type::text);
    for (const auto* name : {"contacts", "members", "unknown"}) out.add_column(name, value_type::integer);
    for (const auto* name : {"share", "share_of_members"}) out.add_column(name, value_type::decimal);
}

void breakdown::add_rows(table& out, std::size_t first, const selection& who, const std::function<void()>& before) const {
    const auto members = counted(who.numbers()), unknown = counted(who.unknown_numbers());
    for (std::size_t cell = 0; cell < cells_.size(); ++cell) {
        before();
        auto c = first;
        for (std::size_t d = 0; d < names_.size(); ++d, ++c) {
            if (cell == 0) out[c].push_missing();
            else out[c].push_text(cells_[cell][d]);
        }
        push_count(out[c++], contacts_[cell]);
        push_count(out[c++], members[cell]);
        push_count(out[c++], unknown[cell]);
        push_share(out[c++], members[cell], contacts_[cell]);
        push_share(out[c], members[cell], members[0]);
    }
}

}  // namespace journeyman::detail
