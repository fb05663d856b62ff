#pragma once
// What readers hand to the ingest: raw tables, whose columns are sources of cells as they came in.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "history/cells.hpp"
#include "history/rejections.hpp"
#include "journeyman/history/history.hpp"

namespace journeyman::detail {

/// A cell as it came in.
struct raw_cell {
    value_type type = value_type::missing;   // missing: no cell
    bool naive = false;                      // an instant read off a wall: `i` is the reading
    std::int64_t i = 0;
    double d = 0;
    std::string_view text;
    std::vector<std::string_view> list;
};

/// How text becomes instants and days in one column.
struct conversion {
    text_pool* pool = nullptr;
    const time_zone* zone = nullptr;   // of readings without a zone; null refuses them
    std::string format;                // strptime; empty: ISO
    bool strict = false;               // of cells with types of their own, only those of the column's kind fit
};

/// Texts given once, and referred to by number.
struct text_run {
    const std::uint32_t* codes = nullptr;
    std::size_t count = 0;
    const void* key = nullptr;         // which dictionary: the same key, the same texts
    std::size_t size = 0;
};

class type_evidence;

/// A column as it came in. Rows count over the whole table; a block read has at most block_rows rows. Any number of threads may read.
class column_source {
public:
    /// integers: all fixed types but decimals. cells: each with a type of its own. none: nothing that can be read.
    enum class kind : std::uint8_t { integers, decimals, texts, lists, cells, none };

    explicit column_source(std::string name) : name_{std::move(name)} {}
    column_source(const column_source&) = delete;
    column_source& operator=(const column_source&) = delete;
    virtual ~column_source() = default;

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] virtual kind holds() const = 0;
    /// The type its cells have by themselves; `missing` when there are none.
    [[nodiscard]] virtual value_type natural(const conversion&) const = 0;
    /// What they say of it, to be put beside what those of other tables say.
    [[nodiscard]] virtual type_evidence evidence(const conversion&) const;
    /// Instants without a zone (kind integers).
    [[nodiscard]] virtual bool naive() const { return false; }

    /// Every row is known to have a cell.
    [[nodiscard]] virtual bool never_missing() const { return false; }

    // Each fills the rows [begin, begin + count) and their bits; by kind.
    virtual void read_integers(std::size_t, std::size_t, std::int64_t*, row_bits&, std::vector<std::pair<std::size_t, fault>>&) const {}
    virtual void read_decimals(std::size_t, std::size_t, double*, row_bits&) const {}
    virtual void read_texts(std::size_t, std::size_t, std::string_view*, row_bits&) const {}
    virtual void read_cells(std::size_t, std::size_t, std::vector<std::pair<std::size_t, raw_cell>>&) const {}   // present ones: place in the block, cell
    /// The row's cell of any kind, slowly: for examples, comparisons, odd conversions.
    [[nodiscard]] virtual raw_cell cell(std::size_t row) const = 0;

    /// Dictionaries: the numbers of the rows from `begin`, up to `count` and of one dictionary; false when there is none.
    virtual bool read_run(std::size_t, std::size_t, std::uint32_t*, row_bits&, text_run&) const { return false; }
    [[nodiscard]] virtual std::optional<std::string_view> run_text(const text_run&, std::uint32_t) const { return std::nullopt; }
    /// All there are, each once, without rows; none when the rows are not numbered by dictionaries.
    [[nodiscard]] virtual std::vector<text_run> dictionaries() const { return {}; }

private:
    std::string name_;
};

using source_ptr = std::unique_ptr<column_source>;

struct named_source {
    std::string name;                  // ours, after renaming
    const column_source* source = nullptr;
};

/// One table as it came in, its columns told apart.
struct raw_table {
    enum class kind : std::uint8_t { contacts, accounts, events, spend };

    kind what = kind::events;
    std::string label;                          // as rejections and errors name it
    std::string place;                          // the file, if there is one
    std::size_t rows = 0;
    std::vector<source_ptr> columns;
    std::shared_ptr<void> memory;               // what the sources point into

    const column_source* id = nullptr;          // contact_id or account_id
    const column_source* event = nullptr;
    const column_source* timestamp = nullptr;
    const column_source* event_id = nullptr;
    const column_source* arrived = nullptr;
    const column_source* sequence = nullptr;
    const column_source* cleared = nullptr;
    const column_source* created = nullptr;
    const column_source* amount = nullptr;
    std::vector<named_source> fields;           // attributes, properties

    std::string event_name;                     // of all rows, when there is no column `event`
    bool may_lack_timestamp = false;            // such a row holds from the beginning
    bool sequence_is_order = false;             // unique over all tables of the history
    std::vector<std::int64_t> row_numbers;      // as rejections count; empty: as they stand
    [[nodiscard]] std::int64_t number(std::size_t row) const { return row_numbers.empty() ? static_cast<std::int64_t>(row) : row_numbers[row]; }
};

/// Finds the columns by name and by `options.columns`; throws `error` (code `input.column`) for a required one that is not there.
void assign_columns(raw_table&, const read_options&);

/// All tables of one history, typed, numbered, sorted.
/// `already`: what the reader itself could not use.
/// `before`: the history that they are appended to. `records`: how many lines they were.
history ingest(std::vector<raw_table> tables, const read_options&, rejection_log already = {}, const history_data* before = nullptr, std::int64_t records = 0);

}  // namespace journeyman::detail
