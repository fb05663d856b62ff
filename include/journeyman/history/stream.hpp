#pragma once
// The layout that decides everything (design §8): an event name is a stream; so are the changes of one attribute.

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "journeyman/core/shared_vector.hpp"
#include "journeyman/core/time.hpp"
#include "journeyman/history/column.hpp"
#include "journeyman/history/narrow.hpp"

namespace journeyman {

/// Rows of many owners (contacts or accounts), sorted by owner, instant, order. Rows of one owner stand together. Copies share what is the same.
struct timeline {
    shared_vector<std::uint32_t> owners;     // those that have rows, ascending; empty when `dense` is filled
    shared_vector<std::uint32_t> begins;     // owners.size() + 1: where the rows of each begin
    shared_vector<std::uint32_t> dense;      // when many owners have rows: begin by owner number, count + 1; else empty
    shared_vector<std::int64_t> at;          // microseconds
    shared_vector<std::uint32_t> order;      // T2: place among all inputs of the history at one instant
    made_once<narrow_times> narrow;          // of `at` and of the owners; who changes these resets it

    [[nodiscard]] std::size_t rows() const { return at.size(); }

    /// [begin, end) of an owner's rows.
    [[nodiscard]] std::pair<std::uint32_t, std::uint32_t> range(std::uint32_t owner) const {
        if (!dense.empty()) return {dense[owner], dense[owner + 1]};
        const auto it = std::lower_bound(owners.begin(), owners.end(), owner);
        if (it == owners.end() || *it != owner) return {0, 0};
        const auto k = static_cast<std::size_t>(it - owners.begin());
        return {begins[k], begins[k + 1]};
    }
    /// The same for owners asked in ascending order: `cursor` starts at 0 and moves.
    [[nodiscard]] std::pair<std::uint32_t, std::uint32_t> range(std::uint32_t owner, std::size_t& cursor) const {
        if (!dense.empty()) return {dense[owner], dense[owner + 1]};
        while (cursor < owners.size() && owners[cursor] < owner) ++cursor;
        if (cursor == owners.size() || owners[cursor] != owner) return {0, 0};
        return {begins[cursor], begins[cursor + 1]};
    }
};

/// Named property columns, one row an event.
struct property_columns {
    std::vector<std::pair<std::string, column>> columns;   // sorted by name
    [[nodiscard]] const column* find(std::string_view name) const {
        const auto it = std::lower_bound(columns.begin(), columns.end(), name, [](const auto& c, std::string_view n) { return c.first < n; });
        return it != columns.end() && it->first == name ? &it->second : nullptr;
    }
    [[nodiscard]] int index(std::string_view name) const {
        const column* c = find(name);
        if (c == nullptr) return -1;
        for (std::size_t i = 0; i < columns.size(); ++i) if (&columns[i].second == c) return static_cast<int>(i);
        return -1;
    }
};

/// All events of one name.
struct event_stream {
    std::string name;
    timeline rows;
    property_columns properties;
    shared_vector<std::uint32_t> ids;        // event ids as texts; no_text without; empty when none has one
    shared_vector<std::int64_t> arrived;     // arrived_at in microseconds; empty when every event arrived at its own instant
};

/// One attribute of contacts or of accounts.
struct attribute_stream {
    std::string name;
    value_type type = value_type::missing;
    column base;                           // what holds from the beginning (from existence), by owner; size 0 when nobody has one
    timeline rows;                         // changes
    column values;                         // by row of `rows`; a missing value: cleared
    shared_vector<std::int64_t> arrived;     // as in event_stream
};

}  // namespace journeyman
