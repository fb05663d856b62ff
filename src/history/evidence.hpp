#pragma once
// What the cells of a column say of its type, table after table.

#include <array>
#include <cstdint>

#include "history/convert.hpp"

namespace journeyman::detail {

class type_evidence {
public:
    /// A column whose type is told (Arrow).
    static type_evidence told(value_type t) {
        type_evidence e;
        e.told_ = t;
        return e;
    }
    /// Texts only, as CSV has them.
    static type_evidence of_texts(const type_guess& all) {
        type_evidence e;
        e.texts_ = all;
        e.has_texts_ = true;
        return e;
    }
    /// One more cell that has a type of its own, as JSON has them.
    void see(const raw_cell&, const conversion&);
    /// What came later. The kind that the greater part of the cells had before stays.
    void add(const type_evidence& later);
    /// `guess`: texts of cells may be days and instants.
    [[nodiscard]] value_type type() const;
    void may_guess(bool yes) { guess_ |= yes; }

private:
    static value_type kind_of(value_type t) { return t == value_type::decimal ? value_type::integer : t; }
    [[nodiscard]] value_type kind() const;
    [[nodiscard]] value_type type_of_cells() const;

    value_type told_ = value_type::missing;
    bool has_texts_ = false, guess_ = false, decimals_ = false, has_cell_texts_ = false;
    type_guess texts_{conversion{}}, cell_texts_{conversion{}};
    std::array<std::size_t, 10> counts_{};        // by kind; numbers are one
    std::array<std::uint8_t, 10> first_{};        // by kind: as the how-manieth it was seen; 0: not
    std::uint8_t kinds_ = 0;
    value_type settled_ = value_type::missing;    // the kind that earlier tables decided
};

}  // namespace journeyman::detail
