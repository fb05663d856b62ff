#pragma once
// The innermost loops of passes: from columns to bits, and from bits to counts. Each has a plain form and one for processors with AVX-512;
// tests compare them.

#include <cstddef>
#include <cstdint>

namespace journeyman::detail {

/// Bit k of `out` is about x[k]; `out` has (n + 63) / 64 words, bits past n are 0.
struct kernels {
    /// low <= x <= high
    void (*between_8)(const std::uint8_t* x, std::size_t n, std::uint8_t low, std::uint8_t high, std::uint64_t* out);
    void (*between_32)(const std::uint32_t* x, std::size_t n, std::uint32_t low, std::uint32_t high, std::uint64_t* out);
    void (*between_64)(const std::int64_t* x, std::size_t n, std::int64_t low, std::int64_t high, std::uint64_t* out);
    void (*between_decimals)(const double* x, std::size_t n, double low, double high, std::uint64_t* out);
    /// `out`: low < x < high; `edge`: x is low or high. Returns whether any edge is.
    bool (*inside_16)(const std::uint16_t* x, std::size_t n, std::uint16_t low, std::uint16_t high, std::uint64_t* out, std::uint64_t* edge);
    /// Of at most 64, as bits: low <= x <= high.
    std::uint64_t (*few_16)(const std::uint16_t* x, std::size_t n, std::uint16_t low, std::uint16_t high);
    /// How many bits of n words are 1.
    std::size_t (*count)(const std::uint64_t* bits, std::size_t n);
    /// out[i]: how many of the bits [begins[i], begins[i + 1]) are 1, bit 0 being begins[0]. One more word than needed is read.
    void (*count_spans)(const std::uint64_t* bits, const std::uint32_t* begins, std::size_t n, std::uint32_t* out);
    /// out[i]: how many different codes below 64 stand in codes[low[i], high[i]).
    void (*distinct_spans)(const std::uint8_t* codes, const std::uint32_t* low, const std::uint32_t* high, const std::uint32_t* who, std::size_t n, std::int64_t* out);
    /// out[k]: values[how many bounds lie below x[k]]; bit k of `on`: x[k] is a bound. At most 31 bounds, ascending, and 32 values.
    void (*ranks_16)(const std::uint16_t* x, std::size_t n, const std::uint16_t* bounds, std::size_t m, const std::uint16_t* values, std::uint16_t* out, std::uint64_t* on);
    /// out[k] += values[x[k] below 63, else 63].
    void (*add_of_8)(const std::uint8_t* x, std::size_t n, const std::uint16_t* values, std::uint16_t* out);
    /// out[i]: of `words` words from bits[i * words] on, fields of `pitch` bits (a power of two up to 64) one over the other, and of those the bits in `keep`.
    void (*fold)(const std::uint64_t* bits, std::size_t words, std::size_t n, unsigned pitch, std::uint64_t keep, std::uint64_t* out);
    /// counts[(group[i] * words + w) * 64 + b] += 1 for each bit b that is 1 in bits[i * words + w]. Without groups all are in the first.
    void (*add_columns)(const std::uint64_t* bits, std::size_t words, const std::uint32_t* group, std::size_t n, std::uint32_t* counts);
};

const kernels& plain_kernels();
/// The best this processor has.
const kernels& best_kernels();

}  // namespace journeyman::detail
