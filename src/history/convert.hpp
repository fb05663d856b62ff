#pragma once
// From cells as they came in to cells of a type.

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "history/cells.hpp"
#include "history/source.hpp"

namespace journeyman::detail {

/// The cell as a value of the type. Text goes into the pool.
fault convert(const raw_cell&, value_type, const conversion&, value& out);
/// As messages show it.
std::string shown(const raw_cell&);
bool same(const raw_cell&, const raw_cell&);

/// Written as CSV and JSON have them: guesses the type of a column from all its texts.
class type_guess {
public:
    explicit type_guess(const conversion& how);
    void see(std::string_view);
    /// As if the texts of the other had been seen too.
    void add(const type_guess&);
    /// `texts_only`: never yes/no or a number (JSON has its own).
    [[nodiscard]] value_type type(bool texts_only = false) const;

private:
    bool zone_known_, any_ = false, boolean_ = true, integer_ = true, decimal_ = true, day_ = true, instant_ = true, formatted_ = false;
    value_type format_type_ = value_type::missing;
};
/// Day or instant, by whether the format tells a time.
value_type type_of_format(std::string_view format);

/// Reads a source as cells of one type, block by block. Remembers what it made of a dictionary.
class cell_reader {
public:
    cell_reader(const column_source& source, value_type type, conversion how) : source_{&source}, type_{type}, how_{std::move(how)} {}
    [[nodiscard]] value_type type() const { return type_; }
    [[nodiscard]] const column_source& source() const { return *source_; }
    /// Every row will have a cell.
    [[nodiscard]] bool never_missing() const;
    void read(std::size_t begin, std::size_t count, cell_block& out);
    /// Makes reading by several threads at once give the same as by one. False when it does not: texts get their numbers as
    /// they are met, unless they are those of dictionaries, which have them from here on (up to `most` of them).
    bool ready_to_share(std::size_t most);

private:
    struct meaning {
        value cell;
        fault why = fault::none;
        bool known = false;
    };
    void read_fixed(std::size_t begin, std::size_t count, cell_block& out);
    void read_text(std::size_t begin, std::size_t count, cell_block& out);
    bool read_dictionary(std::size_t begin, std::size_t count, cell_block& out);
    const meaning& meaning_of(const text_run&, std::uint32_t code);
    void put(std::size_t begin, std::size_t i, const raw_cell&, cell_block& out);

    const column_source* source_;
    value_type type_;
    conversion how_;
    const void* dictionary_ = nullptr;
    std::vector<meaning> meanings_;
    std::vector<std::uint32_t> known_codes_;   // of texts: their numbers, once they are interned
    std::vector<std::string_view> texts_;
    std::vector<text_id> ids_;
    std::vector<std::uint32_t> run_codes_;
    std::vector<std::int64_t> integers_;
    std::vector<double> decimals_;
    std::vector<std::pair<std::size_t, raw_cell>> cells_;
};

}  // namespace journeyman::detail
