// A history as tables again.

#include <algorithm>
#include <map>

#include "journeyman/history/history.hpp"

namespace journeyman {

namespace {

/// Ids keep the type they came in with.
table_column& add_ids(table& out, std::string name, const id_column& ids) { return out.add_column(std::move(name), ids.type()); }

/// The type that holds both: a number if both are, else text.
value_type common(value_type a, value_type b) {
    if (a == value_type::missing || a == b) return b;
    return is_number(a) && is_number(b) ? value_type::decimal : value_type::text;
}

value as_of(const attribute_stream& a, std::uint32_t owner, std::int64_t at) {
    const auto [begin, end] = a.rows.range(owner);
    const auto first = a.rows.at.begin() + begin;
    const auto it = std::upper_bound(first, a.rows.at.begin() + end, at);
    if (it != first) return a.values.at(static_cast<std::size_t>(it - a.rows.at.begin()) - 1);
    return owner < a.base.size() ? a.base.at(owner) : value{};
}

table attributes(const history_data& d, const id_column& ids, const std::vector<attribute_stream>& all, const char* id_name, std::optional<instant> at, const std::vector<std::int64_t>& exists_from, const std::vector<std::uint32_t>* only = nullptr) {
    const std::int64_t t = at.value_or(end_of_time).time_since_epoch().count();
    table out;
    add_ids(out, id_name, ids);
    std::vector<const attribute_stream*> order;
    for (const auto& a : all) if (a.name == "account_id") order.push_back(&a);   // who belongs to whom comes first
    for (const auto& a : all) if (a.name != "account_id") order.push_back(&a);
    for (const auto* a : order) out.add_column(a->name, a->type);
    const auto rows = static_cast<std::uint32_t>(only == nullptr ? ids.size() : only->size());
    for (std::uint32_t row = 0; row < rows; ++row) {
        const auto k = only == nullptr ? row : (*only)[row];
        if (!exists_from.empty() && exists_from[k] > t) continue;
        ids.push_to(out[0], k);
        for (std::size_t c = 0; c < order.size(); ++c) out[c + 1].push(as_of(*order[c], k, t), *d.pool);
    }
    return out;
}

}  // namespace

table history::contacts(std::optional<instant> at) const { return attributes(*data_, data_->contacts, data_->contact_attributes, "contact_id", at, data_->exists_from); }
table history::contacts(std::optional<instant> at, const std::vector<std::uint32_t>& only) const { return attributes(*data_, data_->contacts, data_->contact_attributes, "contact_id", at, data_->exists_from, &only); }
table history::accounts(std::optional<instant> at) const { return attributes(*data_, data_->accounts, data_->account_attributes, "account_id", at, {}); }

table history::events() const {
    const history_data& d = *data_;
    std::map<std::string, value_type> properties;
    bool ids = false, arrived = false;
    for (const auto& s : d.streams) {
        ids |= !s.ids.empty();
        arrived |= !s.arrived.empty();
        for (const auto& [name, c] : s.properties.columns) {
            auto& t = properties[name];
            t = common(t, c.type());
        }
    }
    table out;
    add_ids(out, "contact_id", d.contacts);
    out.add_column("event", value_type::text);
    out.add_column("timestamp", value_type::instant);
    for (const auto& [name, type] : properties) out.add_column(name, type);
    if (ids) out.add_column("event_id", value_type::text);
    if (arrived) out.add_column("arrived_at", value_type::instant);

    // Where each stream keeps the properties, in the order of the table.
    std::vector<std::vector<const column*>> places;
    for (const auto& s : d.streams) {
        auto& p = places.emplace_back();
        for (const auto& [name, type] : properties) p.push_back(s.properties.find(name));
    }
    struct row { std::int64_t at; std::uint32_t order, stream, place; };
    std::vector<row> rows;
    std::vector<std::size_t> cursors(d.streams.size(), 0);
    for (std::uint32_t k = 0; k < d.contacts.size(); ++k) {
        rows.clear();
        for (std::uint32_t s = 0; s < d.streams.size(); ++s) {
            const auto [begin, end] = d.streams[s].rows.range(k, cursors[s]);
            for (auto r = begin; r < end; ++r) rows.push_back({d.streams[s].rows.at[r], d.streams[s].rows.order[r], s, r});
        }
        std::sort(rows.begin(), rows.end(), [](const row& a, const row& b) { return std::tie(a.at, a.order, a.stream, a.place) < std::tie(b.at, b.order, b.stream, b.place); });
        for (const row& r : rows) {
            const event_stream& s = d.streams[r.stream];
            d.contacts.push_to(out[0], k);
            out[1].push_text(s.name);
            out[2].push_integer(r.at);
            std::size_t c = 3;
            for (const column* p : places[r.stream]) out[c++].push(p == nullptr ? value{} : p->at(r.place), *d.pool);
            if (ids) {
                if (s.ids.empty() || s.ids[r.place] == static_cast<std::uint32_t>(no_text)) out[c++].push_missing();
                else out[c++].push_text(d.pool->view(text_id{s.ids[r.place]}));
            }
            if (arrived) out[c++].push_integer(s.arrived.empty() ? r.at : s.arrived[r.place]);
        }
    }
    return out;
}

table history::spend() const {
    const spend_table& s = data_->spend;
    table out{{"timestamp", value_type::instant}};
    out.add_column("amount", s.amount.type() == value_type::missing ? value_type::decimal : s.amount.type());
    for (const auto& [name, c] : s.columns) out.add_column(name, c.type());
    for (std::size_t r = 0; r < s.at.size(); ++r) {
        out[0].push_integer(s.at[r]);
        out[1].push(s.amount.at(r), *data_->pool);
        for (std::size_t c = 0; c < s.columns.size(); ++c) out[c + 2].push(s.columns[c].second.at(r), *data_->pool);
    }
    return out;
}

table history::rejected() const {
    table out{{"table", value_type::text}, {"row", value_type::integer}, {"reason", value_type::text}, {"example", value_type::text}};
    for (const rejection& r : data_->rejected) {
        out[0].push_text(r.table);
        out[1].push_integer(r.row);
        out[2].push_text(r.reason);
        out[3].push_text(r.example);
    }
    return out;
}

table history::rejected_counts() const {
    table out{{"table", value_type::text}, {"reason", value_type::text}, {"rows", value_type::integer}};
    for (const auto& [what, rows] : data_->rejected_counts) {
        out[0].push_text(what.first);
        out[1].push_text(what.second);
        out[2].push_integer(rows);
    }
    return out;
}

}  // namespace journeyman
