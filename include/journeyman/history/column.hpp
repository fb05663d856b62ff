#pragma once
// A typed column of values, dense, with a validity bitmap only where something is missing.

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "journeyman/core/made_once.hpp"
#include "journeyman/core/shared_vector.hpp"
#include "journeyman/core/value.hpp"
#include "journeyman/history/narrow.hpp"

namespace journeyman {

/// Values of one type, by row; copies share them. Text and lists are numbers of the history's text_pool.
/// boolean: `bytes`; text, text_list: `codes`; decimal: `decimals`; all others: `integers`.
class column {
public:
    column() = default;
    explicit column(value_type type) : type_{type} {}

    [[nodiscard]] value_type type() const { return type_; }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] bool all_present() const { return valid_.empty(); }
    [[nodiscard]] bool present(std::size_t row) const { return valid_.empty() || ((valid_[row >> 6] >> (row & 63)) & 1) != 0; }

    [[nodiscard]] value at(std::size_t row) const {
        if (!present(row)) return {};
        switch (type_) {
            case value_type::boolean: return value::of(type_, bytes_[row]);
            case value_type::text:
            case value_type::text_list: return value::of(type_, codes_[row]);
            case value_type::decimal: return value::of(decimals_[row]);
            case value_type::missing: return {};
            default: return value::of(type_, integers_[row]);
        }
    }
    /// Appends; the value must be missing or of the column's type.
    void push(const value& v) {
        narrow_.reset();
        const bool has = !v.is_missing();
        if (!has && valid_.empty()) valid_ = std::vector<std::uint64_t>((size_ + 64) >> 6, ~std::uint64_t{0});
        if (!valid_.empty()) {
            if (valid_.size() <= size_ >> 6) valid_.push_back(~std::uint64_t{0});
            if (!has) valid_.set(size_ >> 6, valid_[size_ >> 6] & ~(std::uint64_t{1} << (size_ & 63)));
        }
        switch (type_) {
            case value_type::boolean: bytes_.push_back(static_cast<std::uint8_t>(has && v.i)); break;
            case value_type::text:
            case value_type::text_list: codes_.push_back(has ? static_cast<std::uint32_t>(v.i) : static_cast<std::uint32_t>(no_text)); break;
            case value_type::decimal: decimals_.push_back(has ? v.d : 0.0); break;
            case value_type::missing: break;
            default: integers_.push_back(has ? v.i : 0);
        }
        ++size_;
    }
    void insert(std::size_t row, const value& v);   // for states of one contact: few rows

    // Raw cells; those of missing rows are unspecified (text: no_text). For fast paths and builders.
    [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {bytes_.data(), bytes_.size()}; }
    [[nodiscard]] std::span<const std::uint32_t> codes() const { return {codes_.data(), codes_.size()}; }
    [[nodiscard]] std::span<const std::int64_t> integers() const { return {integers_.data(), integers_.size()}; }
    [[nodiscard]] std::span<const double> decimals() const { return {decimals_.data(), decimals_.size()}; }
    [[nodiscard]] std::span<const std::uint64_t> valid() const { return {valid_.data(), valid_.size()}; }
    [[nodiscard]] const made_once<narrow_codes>& narrow() const { return narrow_; }
    /// No more cells will come.
    void settle() { narrow_.settle(); }

    /// Takes over ready buffers: exactly one of the value vectors is filled, by type; `valid` empty when nothing is missing.
    static column adopt_bytes(std::vector<std::uint8_t> v, std::vector<std::uint64_t> valid) { column c{value_type::boolean}; c.size_ = v.size(); c.bytes_ = std::move(v); c.valid_ = std::move(valid); return c; }
    static column adopt_codes(value_type t, std::vector<std::uint32_t> v, std::vector<std::uint64_t> valid) { column c{t}; c.size_ = v.size(); c.codes_ = std::move(v); c.valid_ = std::move(valid); return c; }
    static column adopt_integers(value_type t, std::vector<std::int64_t> v, std::vector<std::uint64_t> valid) { column c{t}; c.size_ = v.size(); c.integers_ = std::move(v); c.valid_ = std::move(valid); return c; }
    static column adopt_decimals(std::vector<double> v, std::vector<std::uint64_t> valid) { column c{value_type::decimal}; c.size_ = v.size(); c.decimals_ = std::move(v); c.valid_ = std::move(valid); return c; }

private:
    value_type type_ = value_type::missing;
    std::size_t size_ = 0;
    shared_vector<std::uint8_t> bytes_;
    shared_vector<std::uint32_t> codes_;
    shared_vector<std::int64_t> integers_;
    shared_vector<double> decimals_;
    shared_vector<std::uint64_t> valid_;
    made_once<narrow_codes> narrow_;
};

inline void column::insert(std::size_t row, const value& v) {
    column out{type_};
    for (std::size_t i = 0; i < row; ++i) out.push(at(i));
    out.push(v);
    for (std::size_t i = row; i < size_; ++i) out.push(at(i));
    *this = std::move(out);
}

}  // namespace journeyman
