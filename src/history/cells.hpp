#pragma once
// Blocks of cells of one type: what every source is decoded into, small enough to stay in the cache.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "journeyman/core/value.hpp"

namespace journeyman::detail {

inline constexpr std::size_t block_rows = 8192;   // a multiple of 64

/// Where the cells of a type live, as in `column`.
enum class storage : std::uint8_t { none, bytes, codes, integers, decimals };
constexpr storage storage_of(value_type t) {
    switch (t) {
        case value_type::missing: return storage::none;
        case value_type::boolean: return storage::bytes;
        case value_type::text:
        case value_type::text_list: return storage::codes;
        case value_type::decimal: return storage::decimals;
        default: return storage::integers;
    }
}

/// Why a cell could not be used.
enum class fault : std::uint8_t { none, unreadable, no_zone, out_of_range };

/// One bit a row.
class row_bits {
public:
    void clear() { words_.fill(0); }
    void set(std::size_t i) { words_[i >> 6] |= std::uint64_t{1} << (i & 63); }
    void reset(std::size_t i) { words_[i >> 6] &= ~(std::uint64_t{1} << (i & 63)); }
    [[nodiscard]] bool test(std::size_t i) const { return ((words_[i >> 6] >> (i & 63)) & 1) != 0; }
    void set_range(std::size_t from, std::size_t n) {
        for (; n > 0 && (from & 63) != 0; --n) set(from++);
        for (; n >= 64; n -= 64, from += 64) words_[from >> 6] = ~std::uint64_t{0};
        for (; n > 0; --n) set(from++);
    }
    /// Bits of an Arrow bitmap, which may begin anywhere in a byte.
    void copy(const std::uint8_t* bitmap, std::size_t bit, std::size_t to, std::size_t n) {
        while (n > 0 && (to & 63) != 0) {
            if (((bitmap[bit >> 3] >> (bit & 7)) & 1) != 0) set(to);
            ++bit, ++to, --n;
        }
        for (; n >= 64; n -= 64, bit += 64, to += 64) {
            std::uint64_t word = 0;
            std::memcpy(&word, bitmap + (bit >> 3), 8);
            if (const auto shift = bit & 7; shift != 0) word = word >> shift | static_cast<std::uint64_t>(bitmap[(bit >> 3) + 8]) << (64 - shift);
            words_[to >> 6] = word;
        }
        for (; n > 0; --n, ++bit, ++to) {
            if (((bitmap[bit >> 3] >> (bit & 7)) & 1) != 0) set(to);
        }
    }
    [[nodiscard]] std::size_t count() const {
        std::size_t n = 0;
        for (const auto w : words_) n += static_cast<std::size_t>(std::popcount(w));
        return n;
    }
    /// Calls f(i) for every set bit below n, ascending.
    template <class F>
    void each(std::size_t n, F&& f) const {
        for (std::size_t w = 0; w * 64 < n; ++w) {
            for (std::uint64_t word = words_[w]; word != 0; word &= word - 1) f(w * 64 + static_cast<std::size_t>(std::countr_zero(word)));
        }
    }
    [[nodiscard]] std::uint64_t word(std::size_t w) const { return words_[w]; }
    void set_word(std::size_t w, std::uint64_t bits) { words_[w] = bits; }

private:
    std::array<std::uint64_t, block_rows / 64> words_{};
};

/// Up to block_rows cells of one type. Only the vector of the type's storage is filled.
struct cell_block {
    std::vector<std::uint8_t> bytes;
    std::vector<std::uint32_t> codes;
    std::vector<std::int64_t> integers;
    std::vector<double> decimals;
    row_bits valid;
    std::vector<std::pair<std::size_t, fault>> faults;   // rows of the table whose cell could not be used

    void prepare(value_type t) {
        valid.clear();
        faults.clear();
        switch (storage_of(t)) {
            case storage::bytes: bytes.resize(block_rows); break;
            case storage::codes: codes.resize(block_rows); break;
            case storage::integers: integers.resize(block_rows); break;
            case storage::decimals: decimals.resize(block_rows); break;
            case storage::none: break;
        }
    }
    /// A value of the block's type (the bits alone).
    void put(std::size_t i, const value& v) {
        switch (storage_of(v.type)) {
            case storage::bytes: bytes[i] = static_cast<std::uint8_t>(v.i); break;
            case storage::codes: codes[i] = static_cast<std::uint32_t>(v.i); break;
            case storage::integers: integers[i] = v.i; break;
            case storage::decimals: decimals[i] = v.d; break;
            case storage::none: return;
        }
        valid.set(i);
    }
    [[nodiscard]] value at(value_type t, std::size_t i) const {
        if (!valid.test(i)) return {};
        switch (storage_of(t)) {
            case storage::bytes: return value::of(t, bytes[i]);
            case storage::codes: return value::of(t, codes[i]);
            case storage::integers: return value::of(t, integers[i]);
            case storage::decimals: return value::of(decimals[i]);
            case storage::none: break;
        }
        return {};
    }
};

}  // namespace journeyman::detail
