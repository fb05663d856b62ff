#pragma once
// Columns made cell by cell, each cell with a type of its own: what records and the builder fill.

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "history/source.hpp"

namespace journeyman::detail {

/// Texts that do not move.
class text_arena {
public:
    std::string_view keep(std::string_view s) {
        if (s.size() > left_) {
            left_ = s.size() > block ? s.size() : block;
            blocks_.push_back(std::make_unique<char[]>(left_));
            next_ = blocks_.back().get();
        }
        s.copy(next_, s.size());
        const std::string_view out{next_, s.size()};
        next_ += s.size();
        left_ -= s.size();
        return out;
    }

private:
    static constexpr std::size_t block = std::size_t{1} << 16;
    std::vector<std::unique_ptr<char[]>> blocks_;
    char* next_ = nullptr;
    std::size_t left_ = 0;
};

/// A sparse column of cells. Its type is that of the greater part of its cells (numbers count as one; on a tie the kind seen
/// first); a cell of another kind is rejected as unreadable. Integers beside decimals are decimals. With `guess` (JSON, where a
/// text may mean a day) texts that all have the shape of days, or of instants, are those.
class loose_column : public column_source {
public:
    loose_column(std::string name, bool guess) : column_source{std::move(name)}, guess_{guess} {}
    /// Rows ascend. Lists and texts must stay where they are.
    void push(std::size_t row, raw_cell c) { cells_.emplace_back(row, std::move(c)); }
    [[nodiscard]] bool empty() const { return cells_.empty(); }

    [[nodiscard]] kind holds() const override { return kind::cells; }
    [[nodiscard]] value_type natural(const conversion&) const override;
    [[nodiscard]] type_evidence evidence(const conversion&) const override;
    void read_cells(std::size_t begin, std::size_t count, std::vector<std::pair<std::size_t, raw_cell>>&) const override;
    [[nodiscard]] raw_cell cell(std::size_t row) const override;

private:
    bool guess_;
    std::vector<std::pair<std::size_t, raw_cell>> cells_;
};

/// Integers in full, for instants and sequence numbers.
class integer_column : public column_source {
public:
    integer_column(std::string name, value_type type) : column_source{std::move(name)}, type_{type} {}
    void push(std::int64_t x) { cells_.push_back(x); }
    void push_missing() { cells_.push_back(missing); }
    [[nodiscard]] kind holds() const override { return kind::integers; }
    [[nodiscard]] value_type natural(const conversion&) const override { return type_; }
    void read_integers(std::size_t begin, std::size_t count, std::int64_t* out, row_bits& valid, std::vector<std::pair<std::size_t, fault>>&) const override {
        for (std::size_t i = 0; i < count; ++i) {
            out[i] = cells_[begin + i];
            if (out[i] != missing) valid.set(i);
        }
    }
    [[nodiscard]] raw_cell cell(std::size_t row) const override {
        raw_cell c;
        c.i = cells_[row];
        if (c.i != missing) c.type = type_;
        return c;
    }

private:
    static constexpr std::int64_t missing = std::numeric_limits<std::int64_t>::min();
    value_type type_;
    std::vector<std::int64_t> cells_;
};

/// Texts in full, for ids.
class text_column : public column_source {
public:
    text_column(std::string name, bool may_be_integers) : column_source{std::move(name)}, may_be_integers_{may_be_integers} {}
    void push(std::string_view s) { cells_.push_back(s); }
    [[nodiscard]] kind holds() const override { return kind::texts; }
    [[nodiscard]] value_type natural(const conversion&) const override { return may_be_integers_ ? value_type::integer : value_type::text; }
    void read_texts(std::size_t begin, std::size_t count, std::string_view* out, row_bits& valid) const override {
        for (std::size_t i = 0; i < count; ++i) {
            out[i] = cells_[begin + i];
            if (!out[i].empty()) valid.set(i);
        }
    }
    [[nodiscard]] raw_cell cell(std::size_t row) const override {
        raw_cell c;
        c.text = cells_[row];
        if (!c.text.empty()) c.type = value_type::text;
        return c;
    }

private:
    bool may_be_integers_;
    std::vector<std::string_view> cells_;
};

/// Contacts, accounts, events and spend, fact by fact, in order of arrival; a table for each event name, so that the
/// properties of each have types of their own.
class loose_tables {
public:
    /// `label`: as rejections name the tables; empty: "contacts", "events" …
    /// `guess`: texts may be days and instants.
    loose_tables(std::string label, bool guess) : label_{std::move(label)}, guess_{guess} {}

    struct fact {
        std::string_view id;
        bool id_is_integer = false;
        std::optional<instant> at;         // none: from the beginning
        std::optional<instant> arrived;
        std::optional<instant> created;
        std::string_view event_id;
        std::int64_t row = -1;             // as rejections count; -1: as they come
    };
    void contact(const fact& f) { change(contacts_, f); }
    void account(const fact& f) { change(accounts_, f); }
    void event(std::string_view name, const fact&);
    void spend(instant at, double amount);
    /// A cell of the fact given last. `nothing` clears an attribute.
    void cell(std::string_view name, raw_cell);
    void nothing(std::string_view name);
    void next() { ++sequence_; }
    text_arena& texts() { return *texts_; }
    /// Keeps the texts of the cell here.
    raw_cell keep(raw_cell);

    std::vector<raw_table> finish() &&;

private:
    struct building {
        raw_table table;
        text_column* id = nullptr;
        integer_column* at = nullptr;
        integer_column* arrived = nullptr;
        integer_column* created = nullptr;
        integer_column* sequence = nullptr;
        text_column* event_id = nullptr;
        loose_column* cleared = nullptr;
        std::map<std::string, loose_column*, std::less<>> fields;
        std::vector<std::string_view> clearing;
        bool any_created = false, any_event_id = false, any_arrived = false;
        std::vector<std::string_view> ids;
    };
    building& open(building&, raw_table::kind, std::string label);
    void change(building&, const fact&);
    void begin_row(building&, const fact&);
    void close_row();
    void close(building&, std::vector<raw_table>& out);

    std::string label_;
    bool guess_;
    bool contacts_are_integers_ = true, accounts_are_integers_ = true;
    std::shared_ptr<text_arena> texts_ = std::make_shared<text_arena>();
    building contacts_, accounts_, spend_;
    std::map<std::string, building, std::less<>> events_;
    building* last_ = nullptr;
    std::int64_t sequence_ = 0, contact_rows_ = 0, account_rows_ = 0, event_rows_ = 0, spend_rows_ = 0;
};

}  // namespace journeyman::detail
