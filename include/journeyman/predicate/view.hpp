#pragma once
// What a predicate can see of one contact: slices of columns, cut at a place in the order. It does not matter who owns the columns:
// a history (replay, selection) or the state of one contact (live). One evaluator serves both.

#include <cstdint>
#include <string_view>

#include "journeyman/core/time.hpp"
#include "journeyman/history/column.hpp"

namespace journeyman {

/// Visible events of one stream of one contact, in (instant, order).
struct stream_slice {
    const std::int64_t* at = nullptr;              // microseconds
    const std::uint32_t* order = nullptr;
    const column* const* columns = nullptr;        // by property slot of the program; null where the stream has no such property
    std::uint32_t count = 0;                       // visible ones
    std::uint32_t row = 0;                         // of the first event in the columns
    [[nodiscard]] value property(std::uint32_t slot, std::uint32_t index) const { return columns[slot] == nullptr ? value{} : columns[slot]->at(row + index); }
    [[nodiscard]] position place(std::uint32_t index) const { return {instant{microseconds{at[index]}}, order[index]}; }
};

/// One attribute of one contact (or of its account): what held first, and the visible changes.
struct attribute_slice {
    value base;
    const std::int64_t* at = nullptr;
    const std::uint32_t* order = nullptr;
    const column* values = nullptr;
    std::uint32_t count = 0;
    std::uint32_t row = 0;
    [[nodiscard]] value change(std::uint32_t index) const { return values->at(row + index); }
    [[nodiscard]] instant place(std::uint32_t index) const { return instant{microseconds{at[index]}}; }
    [[nodiscard]] value now() const { return count == 0 ? base : change(count - 1); }
};

/// One event, as a `where` looks at it.
struct event_ref {
    const stream_slice* slice = nullptr;
    std::uint32_t slot = 0;      // stream slot of the program
    std::uint32_t index = 0;
    [[nodiscard]] position place() const { return slice->place(index); }
    [[nodiscard]] value property(std::uint32_t property_slot) const { return slice->property(property_slot, index); }
    explicit operator bool() const { return slice != nullptr; }
};

/// What a journey adds: its entry, its steps, the event that started it.
struct journey_view {
    position entry{end_of_time, 0};
    const position* steps = nullptr;   // by step slot; `end_of_time`: not reached; null: none is
    event_ref trigger;
};

/// One contact at one place in the order. The program's slots index the arrays.
struct contact_view {
    const stream_slice* streams = nullptr;
    const attribute_slice* attributes = nullptr;
    const journey_view* journey = nullptr;         // null outside workflows
    std::string_view id;                           // filled when the program uses it (`bucket`, splits, keys)
    std::uint32_t contact = 0;
    instant exists_from = beginning_of_time;
};

}  // namespace journeyman
