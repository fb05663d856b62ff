#include "predicate/kernels.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define JOURNEYMAN_HAS_WIDE 1
#define JOURNEYMAN_WIDE __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,bmi,bmi2,lzcnt,popcnt")))
#else
#define JOURNEYMAN_HAS_WIDE 0
#endif
#if defined(__GNUC__)
#define JOURNEYMAN_INLINE __attribute__((always_inline)) inline
#else
#define JOURNEYMAN_INLINE inline
#endif

namespace journeyman::detail {
namespace {

/// Eight bytes that are 0 or 1 to eight bits.
constexpr std::uint64_t pack(std::uint64_t bytes) { return (bytes * 0x0102040810204080U) >> 56; }

/// By bytes first, which compilers make vectors of.
template <class F>
JOURNEYMAN_INLINE void bits_of(std::size_t n, std::uint64_t* out, F holds) {
    for (std::size_t begin = 0; begin < n; begin += 64) {
        const std::size_t m = n - begin < 64 ? n - begin : 64;
        alignas(8) std::uint8_t bytes[64] = {};
        if (m == 64) for (std::size_t k = 0; k < 64; ++k) bytes[k] = holds(begin + k);
        else for (std::size_t k = 0; k < m; ++k) bytes[k] = holds(begin + k);
        std::uint64_t word = 0;
        for (std::size_t k = 0; k < 8; ++k) {
            std::uint64_t eight = 0;
            __builtin_memcpy(&eight, bytes + 8 * k, 8);
            word |= pack(eight) << (8 * k);
        }
        *out++ = word;
    }
}

template <class T>
void between(const T* x, std::size_t n, T low, T high, std::uint64_t* out) { bits_of(n, out, [=](std::size_t k) { return static_cast<std::uint8_t>((x[k] >= low) & (x[k] <= high)); }); }

bool inside_16(const std::uint16_t* x, std::size_t n, std::uint16_t low, std::uint16_t high, std::uint64_t* out, std::uint64_t* edge) {
    bits_of(n, out, [=](std::size_t k) { return static_cast<std::uint8_t>((x[k] > low) & (x[k] < high)); });
    bits_of(n, edge, [=](std::size_t k) { return static_cast<std::uint8_t>((x[k] == low) | (x[k] == high)); });
    std::uint64_t any = 0;
    for (std::size_t w = 0; w < (n + 63) / 64; ++w) any |= edge[w];
    return any != 0;
}

std::uint64_t few_16(const std::uint16_t* x, std::size_t n, std::uint16_t low, std::uint16_t high) {
    std::uint64_t out = 0;
    for (std::size_t k = 0; k < n; ++k) out |= static_cast<std::uint64_t>((x[k] >= low) & (x[k] <= high)) << k;
    return out;
}

JOURNEYMAN_INLINE std::size_t count_body(const std::uint64_t* bits, std::size_t n) {
    std::size_t sum = 0;
    for (std::size_t w = 0; w < n; ++w) sum += static_cast<std::size_t>(__builtin_popcountll(bits[w]));
    return sum;
}

JOURNEYMAN_INLINE void count_spans_body(const std::uint64_t* bits, const std::uint32_t* begins, std::size_t n, std::uint32_t* out) {
    std::size_t word = 0;
    std::uint32_t before = 0, at_last = 0;               // ones before the word, and before the last bound
    for (std::size_t i = 0; i < n; ++i) {
        const std::uint32_t bound = begins[i + 1] - begins[0];
        for (; word < bound >> 6; ++word) before += static_cast<std::uint32_t>(__builtin_popcountll(bits[word]));
        const std::uint32_t here = before + static_cast<std::uint32_t>(__builtin_popcountll(bits[word] & ((std::uint64_t{1} << (bound & 63)) - 1)));
        out[i] = here - at_last;
        at_last = here;
    }
}

JOURNEYMAN_INLINE void distinct_spans_body(const std::uint8_t* codes, const std::uint32_t* low, const std::uint32_t* high, const std::uint32_t* who, std::size_t n, std::int64_t* out) {
    for (std::size_t k = 0; k < n; ++k) {
        const std::uint32_t i = who[k];
        std::uint64_t met = 0;
        for (std::uint32_t r = low[i]; r < high[i]; ++r) met |= std::uint64_t{codes[r] < 64} << (codes[r] & 63);
        out[i] = __builtin_popcountll(met);
    }
}

std::size_t count(const std::uint64_t* bits, std::size_t n) { return count_body(bits, n); }
void count_spans(const std::uint64_t* bits, const std::uint32_t* begins, std::size_t n, std::uint32_t* out) { count_spans_body(bits, begins, n, out); }
void distinct_spans(const std::uint8_t* codes, const std::uint32_t* low, const std::uint32_t* high, const std::uint32_t* who, std::size_t n, std::int64_t* out) { distinct_spans_body(codes, low, high, who, n, out); }

JOURNEYMAN_INLINE void fold_body(const std::uint64_t* bits, std::size_t words, std::size_t n, unsigned pitch, std::uint64_t keep, std::uint64_t* out) {
    if (words == 2) for (std::size_t i = 0; i < n; ++i) out[i] = bits[2 * i] | bits[2 * i + 1];
    else for (std::size_t i = 0; i < n; ++i) {
        std::uint64_t any = 0;
        for (std::size_t w = 0; w < words; ++w) any |= bits[i * words + w];
        out[i] = any;
    }
    for (unsigned by = 32; by >= pitch; by /= 2)
        for (std::size_t i = 0; i < n; ++i) out[i] |= out[i] >> by;
    for (std::size_t i = 0; i < n; ++i) out[i] &= keep;
}
void fold(const std::uint64_t* bits, std::size_t words, std::size_t n, unsigned pitch, std::uint64_t keep, std::uint64_t* out) { fold_body(bits, words, n, pitch, keep, out); }

void add_columns(const std::uint64_t* bits, std::size_t words, const std::uint32_t* group, std::size_t n, std::uint32_t* counts) {
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t w = 0; w < words; ++w) {
            std::uint32_t* to = counts + ((group == nullptr ? 0 : group[i]) * words + w) * 64;
            for (std::uint64_t left = bits[i * words + w]; left != 0; left &= left - 1) ++to[__builtin_ctzll(left)];
        }
}

void ranks_16(const std::uint16_t* x, std::size_t n, const std::uint16_t* bounds, std::size_t m, const std::uint16_t* values, std::uint16_t* out, std::uint64_t* on) {
    bits_of(n, on, [=](std::size_t k) {
        std::uint8_t is = 0;
        for (std::size_t j = 0; j < m; ++j) is |= static_cast<std::uint8_t>(x[k] == bounds[j]);
        return is;
    });
    for (std::size_t k = 0; k < n; ++k) {
        std::size_t below = 0;
        for (std::size_t j = 0; j < m; ++j) below += bounds[j] < x[k];
        out[k] = values[below];
    }
}
void add_of_8(const std::uint8_t* x, std::size_t n, const std::uint16_t* values, std::uint16_t* out) {
    for (std::size_t k = 0; k < n; ++k) out[k] = static_cast<std::uint16_t>(out[k] + values[x[k] < 63 ? x[k] : 63]);
}

constexpr kernels plain{between<std::uint8_t>, between<std::uint32_t>, between<std::int64_t>, between<double>, inside_16, few_16, count, count_spans, distinct_spans, ranks_16, add_of_8, fold, add_columns};

#if JOURNEYMAN_HAS_WIDE

/// The lowest m of 64 bits, m at most 64.
JOURNEYMAN_INLINE std::uint64_t lowest_bits(std::size_t m) { return m >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << m) - 1; }

JOURNEYMAN_WIDE void between_8_wide(const std::uint8_t* x, std::size_t n, std::uint8_t low, std::uint8_t high, std::uint64_t* out) {
    const __m512i a = _mm512_set1_epi8(static_cast<char>(low)), b = _mm512_set1_epi8(static_cast<char>(high));
    for (std::size_t k = 0; k < n; k += 64) {
        const __mmask64 here = lowest_bits(n - k);
        const __m512i v = _mm512_maskz_loadu_epi8(here, x + k);
        *out++ = _mm512_mask_cmple_epu8_mask(_mm512_mask_cmpge_epu8_mask(here, v, a), v, b);
    }
}
JOURNEYMAN_WIDE void between_32_wide(const std::uint32_t* x, std::size_t n, std::uint32_t low, std::uint32_t high, std::uint64_t* out) {
    const __m512i a = _mm512_set1_epi32(static_cast<int>(low)), b = _mm512_set1_epi32(static_cast<int>(high));
    for (std::size_t k = 0; k < n; k += 64) {
        std::uint64_t word = 0;
        for (std::size_t j = 0; j < 64 && k + j < n; j += 16) {
            const auto here = static_cast<__mmask16>(lowest_bits(n - k - j));
            const __m512i v = _mm512_maskz_loadu_epi32(here, x + k + j);
            word |= std::uint64_t{_mm512_mask_cmple_epu32_mask(_mm512_mask_cmpge_epu32_mask(here, v, a), v, b)} << j;
        }
        *out++ = word;
    }
}
JOURNEYMAN_WIDE void between_64_wide(const std::int64_t* x, std::size_t n, std::int64_t low, std::int64_t high, std::uint64_t* out) {
    const __m512i a = _mm512_set1_epi64(low), b = _mm512_set1_epi64(high);
    for (std::size_t k = 0; k < n; k += 64) {
        std::uint64_t word = 0;
        for (std::size_t j = 0; j < 64 && k + j < n; j += 8) {
            const auto here = static_cast<__mmask8>(lowest_bits(n - k - j));
            const __m512i v = _mm512_maskz_loadu_epi64(here, x + k + j);
            word |= std::uint64_t{_mm512_mask_cmple_epi64_mask(_mm512_mask_cmpge_epi64_mask(here, v, a), v, b)} << j;
        }
        *out++ = word;
    }
}
JOURNEYMAN_WIDE void between_decimals_wide(const double* x, std::size_t n, double low, double high, std::uint64_t* out) {
    const __m512d a = _mm512_set1_pd(low), b = _mm512_set1_pd(high);
    for (std::size_t k = 0; k < n; k += 64) {
        std::uint64_t word = 0;
        for (std::size_t j = 0; j < 64 && k + j < n; j += 8) {
            const auto here = static_cast<__mmask8>(lowest_bits(n - k - j));
            const __m512d v = _mm512_maskz_loadu_pd(here, x + k + j);
            word |= std::uint64_t{_mm512_mask_cmp_pd_mask(_mm512_mask_cmp_pd_mask(here, v, a, _CMP_GE_OQ), v, b, _CMP_LE_OQ)} << j;
        }
        *out++ = word;
    }
}
JOURNEYMAN_WIDE bool inside_16_wide(const std::uint16_t* x, std::size_t n, std::uint16_t low, std::uint16_t high, std::uint64_t* out, std::uint64_t* edge) {
    const __m512i a = _mm512_set1_epi16(static_cast<short>(low)), b = _mm512_set1_epi16(static_cast<short>(high));
    std::uint64_t any = 0;
    for (std::size_t k = 0; k < n; k += 64) {
        std::uint64_t in = 0, on = 0;
        for (std::size_t j = 0; j < 64 && k + j < n; j += 32) {
            const auto here = static_cast<__mmask32>(lowest_bits(n - k - j));
            const __m512i v = _mm512_maskz_loadu_epi16(here, x + k + j);
            in |= std::uint64_t{_mm512_mask_cmplt_epu16_mask(_mm512_mask_cmpgt_epu16_mask(here, v, a), v, b)} << j;
            on |= std::uint64_t{_mm512_mask_cmpeq_epi16_mask(here, v, a) | _mm512_mask_cmpeq_epi16_mask(here, v, b)} << j;
        }
        *out++ = in;
        *edge++ = on;
        any |= on;
    }
    return any != 0;
}
JOURNEYMAN_WIDE std::uint64_t few_16_wide(const std::uint16_t* x, std::size_t n, std::uint16_t low, std::uint16_t high) {
    const __m512i a = _mm512_set1_epi16(static_cast<short>(low)), b = _mm512_set1_epi16(static_cast<short>(high));
    std::uint64_t out = 0;
    for (std::size_t k = 0; k < n; k += 32) {
        const auto here = static_cast<__mmask32>(lowest_bits(n - k));
        const __m512i v = _mm512_maskz_loadu_epi16(here, x + k);
        out |= std::uint64_t{_mm512_mask_cmple_epu16_mask(_mm512_mask_cmpge_epu16_mask(here, v, a), v, b)} << k;
    }
    return out;
}
JOURNEYMAN_WIDE std::size_t count_wide(const std::uint64_t* bits, std::size_t n) { return count_body(bits, n); }
JOURNEYMAN_WIDE void count_spans_wide(const std::uint64_t* bits, const std::uint32_t* begins, std::size_t n, std::uint32_t* out) { count_spans_body(bits, begins, n, out); }
JOURNEYMAN_WIDE void distinct_spans_wide(const std::uint8_t* codes, const std::uint32_t* low, const std::uint32_t* high, const std::uint32_t* who, std::size_t n, std::int64_t* out) {
    const __m512i one = _mm512_set1_epi64(1);            // a shift by 64 or more gives 0
    for (std::size_t k = 0; k < n; ++k) {
        const std::uint32_t i = who[k];
        __m512i met = _mm512_setzero_si512();
        for (std::uint32_t r = low[i]; r < high[i]; r += 8) {
            const auto here = static_cast<__mmask8>(lowest_bits(high[i] - r));
            const __m512i v = _mm512_maskz_cvtepu8_epi64(here, _mm_maskz_loadu_epi8(here, codes + r));
            met = _mm512_or_si512(met, _mm512_maskz_sllv_epi64(here, one, v));
        }
        alignas(64) std::uint64_t lanes[8];
        _mm512_store_si512(lanes, met);
        out[i] = __builtin_popcountll(((lanes[0] | lanes[1]) | (lanes[2] | lanes[3])) | ((lanes[4] | lanes[5]) | (lanes[6] | lanes[7])));
    }
}

JOURNEYMAN_WIDE void fold_wide(const std::uint64_t* bits, std::size_t words, std::size_t n, unsigned pitch, std::uint64_t keep, std::uint64_t* out) { fold_body(bits, words, n, pitch, keep, out); }
/// All of one group: 64 counts of a byte in a register, emptied before they are full.
JOURNEYMAN_WIDE void add_columns_of_one(const std::uint64_t* bits, std::size_t words, std::size_t n, std::uint32_t* counts) {
    const __m512i one = _mm512_set1_epi8(1);
    for (std::size_t first = 0; first < n; first += 255) {
        const std::size_t last = n - first < 255 ? n : first + 255;
        for (std::size_t w = 0; w < words; ++w) {
            __m512i sums = _mm512_setzero_si512();
            for (std::size_t i = first; i < last; ++i) sums = _mm512_mask_add_epi8(sums, bits[i * words + w], sums, one);
            alignas(64) std::uint8_t bytes[64];
            _mm512_store_si512(bytes, sums);
            for (std::size_t k = 0; k < 64; ++k) counts[w * 64 + k] += bytes[k];
        }
    }
}
JOURNEYMAN_WIDE void add_columns_wide(const std::uint64_t* bits, std::size_t words, const std::uint32_t* group, std::size_t n, std::uint32_t* counts) {
    if (group == nullptr) return add_columns_of_one(bits, words, n, counts);
    const __m512i one = _mm512_set1_epi32(1);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t w = 0; w < words; ++w) {
            std::uint32_t* to = counts + (group[i] * words + w) * 64;
            std::uint64_t left = bits[i * words + w];
            if (left >> 16 == 0) {                           // of few periods; none at all costs less than to look
                const __m512i v = _mm512_loadu_si512(to);
                _mm512_storeu_si512(to, _mm512_mask_add_epi32(v, static_cast<__mmask16>(left), v, one));
                continue;
            }
            if (__builtin_popcountll(left) <= 4) {
                for (; left != 0; left &= left - 1) ++to[__builtin_ctzll(left)];
                continue;
            }
            for (; left != 0; left >>= 16, to += 16) {
                const __m512i v = _mm512_loadu_si512(to);
                _mm512_storeu_si512(to, _mm512_mask_add_epi32(v, static_cast<__mmask16>(left), v, one));
            }
        }
}

/// By halving: 31 bounds in a register are 5 looks.
JOURNEYMAN_WIDE void ranks_16_wide(const std::uint16_t* x, std::size_t n, const std::uint16_t* bounds, std::size_t m, const std::uint16_t* values, std::uint16_t* out, std::uint64_t* on) {
    const __mmask32 there = static_cast<__mmask32>(lowest_bits(m));
    const __m512i table = _mm512_loadu_si512(values), sorted = _mm512_mask_loadu_epi16(_mm512_set1_epi16(-1), there, bounds);
    int first = 1;
    while (static_cast<std::size_t>(first) * 2 <= m) first *= 2;
    for (std::size_t k = 0; k < n; k += 64) {
        std::uint64_t is = 0;
        for (std::size_t j = 0; j < 64 && k + j < n; j += 32) {
            const auto here = static_cast<__mmask32>(lowest_bits(n - k - j));
            const __m512i v = _mm512_maskz_loadu_epi16(here, x + k + j);
            __m512i below = _mm512_setzero_si512();
            for (int step = first; step != 0; step /= 2) {
                const __m512i next = _mm512_add_epi16(below, _mm512_set1_epi16(static_cast<short>(step)));
                below = _mm512_mask_mov_epi16(below, _mm512_cmpgt_epu16_mask(v, _mm512_permutexvar_epi16(_mm512_sub_epi16(next, _mm512_set1_epi16(1)), sorted)), next);
            }
            _mm512_mask_storeu_epi16(out + k + j, here, _mm512_permutexvar_epi16(below, table));
            const __mmask32 equal = _mm512_mask_cmpeq_epi16_mask(_mm512_cmplt_epu16_mask(below, _mm512_set1_epi16(static_cast<short>(m))), v, _mm512_permutexvar_epi16(below, sorted));
            is |= std::uint64_t{equal & here} << j;
        }
        *on++ = is;
    }
}
JOURNEYMAN_WIDE void add_of_8_wide(const std::uint8_t* x, std::size_t n, const std::uint16_t* values, std::uint16_t* out) {
    const __m512i low = _mm512_loadu_si512(values), high = _mm512_loadu_si512(values + 32), last = _mm512_set1_epi16(63);
    for (std::size_t k = 0; k < n; k += 32) {
        const auto here = static_cast<__mmask32>(lowest_bits(n - k));
        const __m512i v = _mm512_min_epu16(_mm512_cvtepu8_epi16(_mm256_maskz_loadu_epi8(here, x + k)), last);
        _mm512_mask_storeu_epi16(out + k, here, _mm512_add_epi16(_mm512_maskz_loadu_epi16(here, out + k), _mm512_permutex2var_epi16(low, v, high)));
    }
}

constexpr kernels wide{between_8_wide, between_32_wide, between_64_wide, between_decimals_wide, inside_16_wide, few_16_wide, count_wide, count_spans_wide, distinct_spans_wide, ranks_16_wide, add_of_8_wide, fold_wide, add_columns_wide};

#endif

}  // namespace

const kernels& plain_kernels() { return plain; }

const kernels& best_kernels() {
#if JOURNEYMAN_HAS_WIDE
    static const bool able = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                             __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
    if (able) return wide;
#endif
    return plain;
}

}  // namespace journeyman::detail
