#include "history/source_loose.hpp"

#include <algorithm>

#include "history/convert.hpp"
#include "history/evidence.hpp"

namespace journeyman::detail {

value_type loose_column::natural(const conversion& how) const { return evidence(how).type(); }

type_evidence loose_column::evidence(const conversion& how) const {
    type_evidence out;
    out.may_guess(guess_ || !how.format.empty());
    for (const auto& [row, c] : cells_) out.see(c, how);
    return out;
}

void loose_column::read_cells(std::size_t begin, std::size_t count, std::vector<std::pair<std::size_t, raw_cell>>& out) const {
    auto it = std::lower_bound(cells_.begin(), cells_.end(), begin, [](const auto& c, std::size_t row) { return c.first < row; });
    for (; it != cells_.end() && it->first < begin + count; ++it) out.emplace_back(it->first - begin, it->second);
}

raw_cell loose_column::cell(std::size_t row) const {
    const auto it = std::lower_bound(cells_.begin(), cells_.end(), row, [](const auto& c, std::size_t r) { return c.first < r; });
    return it != cells_.end() && it->first == row ? it->second : raw_cell{};
}

namespace {

template <class Column, class... Args>
Column* add(raw_table& t, Args&&... args) {
    auto c = std::make_unique<Column>(std::forward<Args>(args)...);
    Column* out = c.get();
    t.columns.push_back(std::move(c));
    return out;
}

}  // namespace

loose_tables::building& loose_tables::open(building& b, raw_table::kind what, std::string label) {
    if (b.at != nullptr) return b;
    b.table.what = what;
    b.table.label = label_.empty() ? std::move(label) : label_;
    b.table.sequence_is_order = true;
    b.at = add<integer_column>(b.table, "timestamp", value_type::instant);
    b.sequence = add<integer_column>(b.table, "sequence", value_type::integer);
    b.arrived = add<integer_column>(b.table, "arrived_at", value_type::instant);
    b.table.timestamp = b.at;
    b.table.sequence = b.sequence;
    return b;
}

void loose_tables::begin_row(building& b, const fact& f) {
    close_row();
    b.ids.push_back(texts_->keep(f.id));
    const auto push = [](integer_column* c, const std::optional<instant>& t) { t ? c->push(t->time_since_epoch().count()) : c->push_missing(); };
    push(b.at, f.at);
    push(b.arrived, f.arrived);
    b.any_arrived |= f.arrived.has_value();
    b.sequence->push(sequence_);
    last_ = &b;
}

void loose_tables::change(building& b, const fact& f) {
    const bool contacts = &b == &contacts_;
    open(b, contacts ? raw_table::kind::contacts : raw_table::kind::accounts, contacts ? "contacts" : "accounts");
    if (b.created == nullptr) {
        b.created = add<integer_column>(b.table, "created_at", value_type::instant);
        b.cleared = add<loose_column>(b.table, "cleared", false);
    }
    (contacts ? contacts_are_integers_ : accounts_are_integers_) &= f.id_is_integer;
    begin_row(b, f);
    f.created ? b.created->push(f.created->time_since_epoch().count()) : b.created->push_missing();
    b.any_created |= f.created.has_value();
    auto& rows = contacts ? contact_rows_ : account_rows_;
    b.table.row_numbers.push_back(f.row >= 0 ? f.row : rows);
    ++rows;
}

void loose_tables::event(std::string_view name, const fact& f) {
    auto it = events_.find(name);
    if (it == events_.end()) {
        it = events_.try_emplace(std::string{name}).first;
        it->second.table.event_name = std::string{name};
    }
    building& b = open(it->second, raw_table::kind::events, "events");
    if (b.event_id == nullptr) b.event_id = add<text_column>(b.table, "event_id", false);
    contacts_are_integers_ &= f.id_is_integer;
    begin_row(b, f);
    b.event_id->push(texts_->keep(f.event_id));
    b.any_event_id |= !f.event_id.empty();
    b.table.row_numbers.push_back(f.row >= 0 ? f.row : event_rows_);
    ++event_rows_;
}

void loose_tables::spend(instant at, double amount) {
    building& b = open(spend_, raw_table::kind::spend, "spend");
    fact f;
    f.at = at;
    begin_row(b, f);
    b.table.row_numbers.push_back(spend_rows_++);
    raw_cell c;
    c.type = value_type::decimal;
    c.d = amount;
    if (b.table.amount == nullptr) b.table.amount = add<loose_column>(b.table, "amount", false);
    const_cast<loose_column*>(static_cast<const loose_column*>(b.table.amount))->push(b.ids.size() - 1, c);
}

void loose_tables::cell(std::string_view name, raw_cell c) {
    building& b = *last_;
    auto it = b.fields.find(name);
    if (it == b.fields.end()) it = b.fields.emplace(std::string{name}, add<loose_column>(b.table, std::string{name}, guess_)).first;
    it->second->push(b.ids.size() - 1, keep(std::move(c)));
}

void loose_tables::nothing(std::string_view name) {
    if (last_->cleared != nullptr) last_->clearing.push_back(texts_->keep(name));
}

raw_cell loose_tables::keep(raw_cell c) {
    if (c.type == value_type::text) c.text = texts_->keep(c.text);
    for (auto& item : c.list) item = texts_->keep(item);
    return c;
}

void loose_tables::close_row() {
    if (last_ == nullptr || last_->clearing.empty()) return;
    raw_cell c;
    c.type = value_type::text_list;
    c.list = std::move(last_->clearing);
    last_->clearing.clear();
    last_->cleared->push(last_->ids.size() - 1, std::move(c));
}

void loose_tables::close(building& b, std::vector<raw_table>& out) {
    if (b.at == nullptr) return;
    raw_table& t = b.table;
    t.rows = b.ids.size();
    if (t.what != raw_table::kind::spend) {
        const bool integers = t.what == raw_table::kind::accounts ? accounts_are_integers_ : contacts_are_integers_;
        auto* id = add<text_column>(t, t.what == raw_table::kind::accounts ? "account_id" : "contact_id", integers);
        for (const auto s : b.ids) id->push(s);
        t.id = id;
    }
    if (b.any_arrived) t.arrived = b.arrived;
    if (b.any_event_id) t.event_id = b.event_id;
    if (b.any_created) t.created = b.created;
    if (b.cleared != nullptr) {
        if (!b.cleared->empty()) t.cleared = b.cleared;
        t.may_lack_timestamp = true;
    }
    for (const auto& [name, column] : b.fields) t.fields.push_back({name, column});
    t.memory = texts_;
    out.push_back(std::move(t));
}

std::vector<raw_table> loose_tables::finish() && {
    close_row();
    std::vector<raw_table> out;
    close(contacts_, out);
    close(accounts_, out);
    for (auto& [name, b] : events_) close(b, out);
    close(spend_, out);
    return out;
}

}  // namespace journeyman::detail
