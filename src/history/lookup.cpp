// Finding things in a history, and its tables.

#include <algorithm>
#include <cmath>

#include "journeyman/history/history.hpp"

namespace journeyman {
namespace {

template <class T>
const T* by_name(const std::vector<T>& sorted, std::string_view name) {
    const auto it = std::lower_bound(sorted.begin(), sorted.end(), name, [](const T& x, std::string_view n) { return x.name < n; });
    return it != sorted.end() && it->name == name ? &*it : nullptr;
}

void push_cell(table_column& c, const value& v, const text_pool& pool) {
    if (v.is_missing()) c.push_missing();
    else if (v.type == value_type::text && c.type() == value_type::text) c.push_text(pool.view(v.as_text()));
    else c.push(to_scalar(v, pool));
}

value attribute_at(const attribute_stream& a, std::uint32_t owner, std::int64_t t) {
    value v = owner < a.base.size() ? a.base.at(owner) : value{};
    const auto [begin, end] = a.rows.range(owner);
    for (auto k = begin; k < end && a.rows.at[k] <= t; ++k) v = a.values.at(k);
    return v;
}

table entities(const char* id, const id_column& ids, const std::vector<attribute_stream>& attributes, const std::vector<std::int64_t>& exists_from, const text_pool& pool, instant at) {
    table t;
    t.add_column(id, ids.are_integers() ? value_type::integer : value_type::text);
    for (const auto& a : attributes) t.add_column(a.name, a.type == value_type::missing ? value_type::text : a.type);
    const auto now = at.time_since_epoch().count();
    for (std::uint32_t k = 0; k < ids.size(); ++k) {
        if (!exists_from.empty() && exists_from[k] > now) continue;
        if (ids.are_integers()) t[0].push_integer(ids.integers[k]); else t[0].push_text(pool.view(ids.texts[k]));
        for (std::size_t a = 0; a < attributes.size(); ++a) push_cell(t[a + 1], attribute_at(attributes[a], k, now), pool);
    }
    return t;
}

}  // namespace

std::optional<std::uint32_t> id_column::find(std::string_view id) const {
    std::uint32_t lo = 0, hi = static_cast<std::uint32_t>(size());
    if (are_integers()) {
        const auto it = std::find_if(integers.begin(), integers.end(), [&](std::int64_t x) { return std::to_string(x) == id; });
        return it == integers.end() ? std::nullopt : std::optional{static_cast<std::uint32_t>(it - integers.begin())};
    }
    while (lo < hi) {
        const auto mid = (lo + hi) / 2;
        if (pool->view(texts[mid]) < id) lo = mid + 1; else hi = mid;
    }
    return lo < size() && pool->view(texts[lo]) == id ? std::optional{lo} : std::nullopt;
}

const event_stream* history_data::stream(std::string_view name) const { return by_name(streams, name); }
const attribute_stream* history_data::contact_attribute(std::string_view name) const { return by_name(contact_attributes, name); }
const attribute_stream* history_data::account_attribute(std::string_view name) const { return by_name(account_attributes, name); }

std::optional<std::pair<instant, instant>> history_data::span() const {
    std::int64_t first = INT64_MAX, last = INT64_MIN;
    const auto look = [&](const std::vector<std::int64_t>& at) {
        for (const auto t : at) { first = std::min(first, t); last = std::max(last, t); }
    };
    for (const auto& s : streams) look(s.rows.at);
    for (const auto& a : contact_attributes) look(a.rows.at);
    for (const auto& a : account_attributes) look(a.rows.at);
    look(spend.at);
    if (first > last) return std::nullopt;
    return std::pair{instant{microseconds{first}}, instant{microseconds{last}}};
}

history::history() : data_{std::make_shared<const history_data>()} {}

std::size_t history::events_count() const {
    std::size_t n = 0;
    for (const auto& s : data_->streams) n += s.rows.rows();
    return n;
}

table history::contacts(std::optional<instant> at) const { return entities("contact_id", data_->contacts, data_->contact_attributes, data_->exists_from, *data_->pool, at.value_or(end_of_time)); }
table history::accounts(std::optional<instant> at) const { return entities("account_id", data_->accounts, data_->account_attributes, {}, *data_->pool, at.value_or(end_of_time)); }

table history::events() const {
    const auto& d = *data_;
    table t{{"contact_id", d.contacts.are_integers() ? value_type::integer : value_type::text}, {"event", value_type::text}, {"timestamp", value_type::instant}};
    std::map<std::string, value_type> names;
    bool ids = false;
    for (const auto& s : d.streams) {
        ids = ids || !s.ids.empty();
        for (const auto& [n, c] : s.properties.columns) {
            const auto [it, fresh] = names.emplace(n, c.type());
            if (!fresh && it->second != c.type()) it->second = is_number(it->second) && is_number(c.type()) ? value_type::decimal : value_type::text;
        }
    }
    for (const auto& [n, type] : names) t.add_column(n, type);
    if (ids) t.add_column("event_id", value_type::text);
    struct item { std::int64_t at; std::uint32_t order; const event_stream* s; std::uint32_t row; };
    for (std::uint32_t k = 0; k < d.contacts.size(); ++k) {
        std::vector<item> items;
        for (const auto& s : d.streams) {
            const auto [begin, end] = s.rows.range(k);
            for (auto r = begin; r < end; ++r) items.push_back({s.rows.at[r], s.rows.order[r], &s, r});
        }
        std::sort(items.begin(), items.end(), [](const item& a, const item& b) { return std::tie(a.at, a.order) < std::tie(b.at, b.order); });
        for (const auto& x : items) {
            if (d.contacts.are_integers()) t[0].push_integer(d.contacts.integers[k]); else t[0].push_text(d.pool->view(d.contacts.texts[k]));
            t[1].push_text(x.s->name);
            t[2].push_integer(x.at);
            std::size_t column = 3;
            for (const auto& [n, type] : names) {
                const auto* c = x.s->properties.find(n);
                const value v = c == nullptr ? value{} : c->at(x.row);
                if (!v.is_missing() && type == value_type::text && v.type != value_type::text) t[column].push_text(to_text(v, *d.pool));
                else push_cell(t[column], v, *d.pool);
                ++column;
            }
            if (ids) {
                if (x.s->ids.empty() || x.s->ids[x.row] == static_cast<std::uint32_t>(no_text)) t[column].push_missing();
                else t[column].push_text(d.pool->view(static_cast<text_id>(x.s->ids[x.row])));
            }
        }
    }
    return t;
}

table history::spend() const {
    const auto& s = data_->spend;
    table t{{"timestamp", value_type::instant}, {"amount", s.amount.type() == value_type::missing ? value_type::decimal : s.amount.type()}};
    for (const auto& [n, c] : s.columns) t.add_column(n, c.type());
    for (std::size_t r = 0; r < s.at.size(); ++r) {
        t[0].push_integer(s.at[r]);
        push_cell(t[1], s.amount.at(r), *data_->pool);
        for (std::size_t c = 0; c < s.columns.size(); ++c) push_cell(t[c + 2], s.columns[c].second.at(r), *data_->pool);
    }
    return t;
}

table history::rejected() const {
    table t{{"table", value_type::text}, {"row", value_type::integer}, {"reason", value_type::text}, {"example", value_type::text}};
    for (const auto& r : data_->rejected) {
        t[0].push_text(r.table);
        t[1].push_integer(r.row);
        t[2].push_text(r.reason);
        t[3].push_text(r.example);
    }
    return t;
}
table history::rejected_counts() const {
    table t{{"table", value_type::text}, {"reason", value_type::text}, {"rows", value_type::integer}};
    for (const auto& [key, n] : data_->rejected_counts) {
        t[0].push_text(key.first);
        t[1].push_text(key.second);
        t[2].push_integer(n);
    }
    return t;
}

}  // namespace journeyman
