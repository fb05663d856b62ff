#pragma once
// A table of results: named, typed columns with missing cells. Prints itself, writes CSV, exports Arrow.

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "journeyman/core/value.hpp"

struct ArrowArrayStream;

namespace journeyman {

/// One column. Cells are appended; a missing cell has no value, never zero.
class table_column {
public:
    table_column(std::string name, value_type type) : name_{std::move(name)}, type_{type} {}
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] value_type type() const { return type_; }
    [[nodiscard]] std::size_t size() const { return present_.size(); }
    void push(const scalar& s);               // monostate is a missing cell; an integer becomes a decimal in a decimal column; another type throws
    void push(const value& v, const text_pool& pool);   // a number becomes a decimal in a decimal column; any other value of another type its text, in a text column
    void push_missing();
    void push_text(std::string_view s);       // the frequent ones, without a variant
    void push_integer(std::int64_t x);        // also boolean, money, day, instant and duration columns, in their units
    void push_decimal(double x);
    void push_integers(std::span<const std::int64_t> all, std::optional<std::int64_t> missing = {});   // many; those equal to `missing` are
    void push(instant t) { push_integer(t.time_since_epoch().count()); }
    void reserve(std::size_t rows);
    [[nodiscard]] bool present(std::size_t row) const { return present_[row] != 0; }
    [[nodiscard]] scalar at(std::size_t row) const;
    // Raw cells: integers for all but decimal, text and list columns.
    [[nodiscard]] const std::vector<std::int64_t>& integers() const { return integers_; }
    [[nodiscard]] const std::vector<double>& decimals() const { return decimals_; }
    [[nodiscard]] std::string_view text(std::size_t row) const { return std::string_view{bytes_}.substr(offsets_[row], offsets_[row + 1] - offsets_[row]); }

private:
    friend struct table_export;
    friend bool operator==(const table_column&, const table_column&);
    std::string name_;
    value_type type_;
    std::vector<std::uint8_t> present_;
    std::vector<std::int64_t> integers_;
    std::vector<double> decimals_;
    std::vector<std::int64_t> offsets_{0};    // text
    std::string bytes_;
    std::vector<std::vector<std::string>> lists_;
};

/// Named columns of one length.
class table {
public:
    table() = default;
    table(std::initializer_list<std::pair<std::string, value_type>> columns) { for (const auto& [n, t] : columns) add_column(n, t); }
    table_column& add_column(std::string name, value_type type) { columns_.emplace_back(std::move(name), type); return columns_.back(); }
    [[nodiscard]] std::size_t rows() const { return columns_.empty() ? 0 : columns_[0].size(); }
    [[nodiscard]] std::size_t size() const { return columns_.size(); }
    [[nodiscard]] const std::vector<table_column>& columns() const { return columns_; }
    [[nodiscard]] std::vector<table_column>& columns() { return columns_; }
    table_column& operator[](std::size_t i) { return columns_[i]; }
    const table_column& operator[](std::size_t i) const { return columns_[i]; }
    /// By name; throws `error` (code `table.column`) with the nearest names.
    [[nodiscard]] const table_column& column(std::string_view name) const;
    /// The names and cells of both, in order.
    friend bool operator==(const table&, const table&);

    void write_csv(std::ostream&) const;
    /// Fills `out` with a stream of one batch (Arrow C stream interface). Text is `utf8` (large when needed), instants `timestamp[us, UTC]`, days `date32`, durations `duration[us]`, money a decimal number of units.
    void export_arrow(ArrowArrayStream* out) const;

private:
    std::vector<table_column> columns_;
};

/// Aligned text, at most 40 rows.
std::ostream& operator<<(std::ostream&, const table&);

}  // namespace journeyman
