// The kernels of this processor against the plain ones, at all lengths around a word.
#include "predicate/kernels.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

namespace d = journeyman::detail;

namespace {

constexpr std::uint64_t unset = 0x5a5a5a5a5a5a5a5aU;
using words = std::vector<std::uint64_t>;

template <class T, class F>
void compare_bits(std::size_t n, T low, T high, F between, std::mt19937& chance) {
    std::vector<T> x(n);
    for (auto& v : x) v = static_cast<T>(static_cast<T>(chance() % 9) + (chance() % 5 == 0 ? std::numeric_limits<T>::max() / 2 : T{0}));
    words a(n / 64 + 2, unset), b(n / 64 + 2, unset), naive((n + 63) / 64, 0);
    between(d::best_kernels())(x.data(), n, low, high, a.data());
    between(d::plain_kernels())(x.data(), n, low, high, b.data());
    for (std::size_t k = 0; k < n; ++k) naive[k / 64] |= static_cast<std::uint64_t>(x[k] >= low && x[k] <= high) << (k % 64);
    CHECK(a == b);                                       // also what lies behind the last word
    CHECK(std::equal(naive.begin(), naive.end(), a.begin()));
}

}  // namespace

TEST_CASE("wide kernels do what plain ones do") {
    std::mt19937 chance{5};
    for (std::size_t n = 0; n < 200; ++n) {
        CAPTURE(n);
        for (const auto& [low, high] : {std::pair{2, 5}, {3, 3}, {0, 100}, {6, 2}}) {
            compare_bits<std::uint8_t>(n, static_cast<std::uint8_t>(low), static_cast<std::uint8_t>(high), [](const auto& k) { return k.between_8; }, chance);
            compare_bits<std::uint32_t>(n, static_cast<std::uint32_t>(low), static_cast<std::uint32_t>(high), [](const auto& k) { return k.between_32; }, chance);
            compare_bits<std::int64_t>(n, low, high, [](const auto& k) { return k.between_64; }, chance);
            compare_bits<double>(n, low, high, [](const auto& k) { return k.between_decimals; }, chance);
            std::vector<std::uint16_t> x(n);
            for (auto& v : x) v = static_cast<std::uint16_t>(chance() % 8 == 0 ? 0xffff : chance() % 8);
            words in[2] = {words(n / 64 + 2, unset), words(n / 64 + 2, unset)}, edge[2] = {in[0], in[0]};
            const auto l = static_cast<std::uint16_t>(low), h = static_cast<std::uint16_t>(high);
            const bool any = d::best_kernels().inside_16(x.data(), n, l, h, in[0].data(), edge[0].data());
            if (n <= 64) CHECK(d::best_kernels().few_16(x.data(), n, l, h) == d::plain_kernels().few_16(x.data(), n, l, h));
            CHECK(any == d::plain_kernels().inside_16(x.data(), n, l, h, in[1].data(), edge[1].data()));
            CHECK(in[0] == in[1]);
            CHECK(edge[0] == edge[1]);
            for (std::size_t k = 0; k < n; ++k) CHECK(((in[0][k / 64] >> (k % 64)) & 1) == (x[k] > l && x[k] < h));
        }
        // Ranks, values of codes, and bits of each group added up by columns.
        std::vector<std::uint16_t> x(n), bounds(chance() % 32), values(64), ranks[2] = {std::vector<std::uint16_t>(n + 1, 7), std::vector<std::uint16_t>(n + 1, 7)};
        for (auto& v : x) v = static_cast<std::uint16_t>(chance() % 8 == 0 ? 0xffff - chance() % 2 : chance() % 50);
        for (auto& v : bounds) v = static_cast<std::uint16_t>(chance() % 8 == 0 ? 0xffff : chance() % 50);
        for (auto& v : values) v = static_cast<std::uint16_t>(chance());
        std::sort(bounds.begin(), bounds.end());
        words on[2] = {words(n / 64 + 2, unset), words(n / 64 + 2, unset)};
        std::vector<std::uint8_t> few(n);
        for (auto& c : few) c = static_cast<std::uint8_t>(chance() % 3 == 0 ? 255 : chance() % 64);
        const std::size_t wide = 1 + chance() % 3;
        words columns(n * wide);
        for (auto& w : columns) w = chance() % 3 == 0 ? 0 : chance() | std::uint64_t{chance()} << 32;
        std::vector<std::uint32_t> group(n), sums[2] = {std::vector<std::uint32_t>(4 * wide * 64), std::vector<std::uint32_t>(4 * wide * 64)};
        for (auto& g : group) g = static_cast<std::uint32_t>(chance() % 4);
        for (int k = 0; k < 2; ++k) {
            const auto& kernel = k == 0 ? d::best_kernels() : d::plain_kernels();
            kernel.ranks_16(x.data(), n, bounds.data(), bounds.size(), values.data(), ranks[k].data(), on[k].data());
            kernel.add_of_8(few.data(), n, values.data(), ranks[k].data());
            kernel.add_columns(columns.data(), wide, group.data(), n, sums[k].data());
            kernel.add_columns(columns.data(), wide, nullptr, n, sums[k].data());
        }
        words folded[2] = {words(n + 1, unset), words(n + 1, unset)};
        for (const unsigned pitch : {2U, 16U, 64U}) {
            const std::uint64_t keep = pitch == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << pitch) - 1;
            d::best_kernels().fold(columns.data(), wide, n, pitch, keep, folded[0].data());
            d::plain_kernels().fold(columns.data(), wide, n, pitch, keep, folded[1].data());
            CHECK(folded[0] == folded[1]);
            for (std::size_t k = 0; k < n; ++k) {
                std::uint64_t any = 0;
                for (std::size_t bit = 0; bit < wide * 64; ++bit) any |= ((columns[k * wide + bit / 64] >> (bit % 64)) & 1) << (bit % pitch);
                CHECK(folded[0][k] == any);
            }
        }
        CHECK(ranks[0] == ranks[1]);
        CHECK(on[0] == on[1]);
        CHECK(sums[0] == sums[1]);
        for (std::size_t k = 0; k < n; ++k) {
            const auto below = static_cast<std::size_t>(std::lower_bound(bounds.begin(), bounds.end(), x[k]) - bounds.begin());
            CHECK(ranks[0][k] == static_cast<std::uint16_t>(values[below] + values[std::min<std::size_t>(few[k], 63)]));
            CHECK(((on[0][k / 64] >> (k % 64)) & 1) == std::binary_search(bounds.begin(), bounds.end(), x[k]));
        }
        // Counts and distinct codes of spans, some of them empty.
        std::vector<std::uint32_t> begins{7};
        while (begins.back() < 7 + n) begins.push_back(std::min(static_cast<std::uint32_t>(7 + n), begins.back() + static_cast<std::uint32_t>(chance() % 70 * (chance() % 2))));
        words bits(n / 64 + 2);
        for (auto& w : bits) w = chance() | std::uint64_t{chance()} << 32;
        CHECK(d::best_kernels().count(bits.data(), bits.size()) == d::plain_kernels().count(bits.data(), bits.size()));
        const std::size_t spans = begins.size() - 1;
        std::vector<std::uint32_t> counts[2] = {std::vector<std::uint32_t>(spans), std::vector<std::uint32_t>(spans)}, who;
        d::best_kernels().count_spans(bits.data(), begins.data(), spans, counts[0].data());
        d::plain_kernels().count_spans(bits.data(), begins.data(), spans, counts[1].data());
        CHECK(counts[0] == counts[1]);
        std::vector<std::uint8_t> codes(7 + n);
        for (auto& c : codes) c = static_cast<std::uint8_t>(chance() % 5 == 0 ? 60 + chance() % 8 : chance() % 6);
        std::vector<std::int64_t> distinct[2] = {std::vector<std::int64_t>(spans, -1), std::vector<std::int64_t>(spans, -1)};
        for (std::uint32_t k = 0; k < spans; k += 2) who.push_back(k);
        d::best_kernels().distinct_spans(codes.data(), begins.data(), begins.data() + 1, who.data(), who.size(), distinct[0].data());
        d::plain_kernels().distinct_spans(codes.data(), begins.data(), begins.data() + 1, who.data(), who.size(), distinct[1].data());
        CHECK(distinct[0] == distinct[1]);
        for (std::size_t s = 0; s < spans; ++s) {
            std::uint32_t ones = 0;
            for (std::uint32_t k = begins[s] - 7; k < begins[s + 1] - 7; ++k) ones += static_cast<std::uint32_t>((bits[k / 64] >> (k % 64)) & 1);
            CHECK(counts[0][s] == ones);
        }
    }
}
