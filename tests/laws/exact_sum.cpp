// The sum of decimals is the correctly rounded true sum, whatever the order or the split (design §2.3).

#include "journeyman/core/exact_sum.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

using journeyman::exact_sum;

namespace {

/// A fixed-point number of 2,240 bits that holds any sum of doubles: brute force, no cleverness shared with exact_sum.
class wide_sum {
public:
    void add(double x) {
        if (x == 0.0) return;
        int exponent = 0;
        const auto mantissa = static_cast<std::uint64_t>(std::ldexp(std::frexp(std::fabs(x), &exponent), 53));
        const int bit = exponent - 53 + 1100;   // place of the lowest bit; 2^-1074 is at 26
        std::array<std::uint32_t, words> addend{};
        for (int k = 0; k < 64; ++k) {
            if (((mantissa >> k) & 1) == 0) continue;
            if (bit + k < 0) continue;
            addend[static_cast<std::size_t>(bit + k) / 32] |= 1U << ((bit + k) % 32);
        }
        std::uint64_t carry = x < 0 ? 1 : 0;
        for (std::size_t w = 0; w < words; ++w) {
            const std::uint64_t sum = std::uint64_t{digits_[w]} + (x < 0 ? ~addend[w] : addend[w]) + carry;
            digits_[w] = static_cast<std::uint32_t>(sum);
            carry = sum >> 32;
        }
    }
    /// Rounded to nearest, ties to even, by looking at every bit.
    [[nodiscard]] double value() const {
        auto d = digits_;
        const bool negative = (d[words - 1] >> 31) != 0;
        if (negative) {
            std::uint64_t carry = 1;
            for (auto& w : d) {
                const std::uint64_t sum = std::uint64_t{~w} + carry;
                w = static_cast<std::uint32_t>(sum);
                carry = sum >> 32;
            }
        }
        const auto bit = [&](int k) { return k >= 0 && ((d[static_cast<std::size_t>(k) / 32] >> (k % 32)) & 1) != 0; };
        int top = static_cast<int>(words) * 32 - 1;
        while (top >= 0 && !bit(top)) --top;
        if (top < 0) return 0.0;
        const int low = std::max(top - 52, 26);   // subnormals keep fewer bits
        std::uint64_t mantissa = 0;
        for (int k = top; k >= low; --k) mantissa = mantissa << 1 | (bit(k) ? 1U : 0U);
        bool rest = false;
        for (int k = 0; k < low - 1; ++k) rest |= bit(k);
        if (bit(low - 1) && (rest || (mantissa & 1) != 0)) ++mantissa;
        const double out = std::ldexp(static_cast<double>(mantissa), low - 1100);
        return negative ? -out : out;
    }

private:
    static constexpr std::size_t words = 72;
    std::array<std::uint32_t, words> digits_{};
};

double any_double(std::uint64_t bits) {
    // Exponents well below the top, so that no partial sum overflows.
    const auto exponent = (bits >> 52 & 0x7ff) % 1900;
    return std::bit_cast<double>((bits & 0x800fffffffffffffULL) | exponent << 52);
}

bool same(double a, double b) { return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b); }

double sum_of(const std::vector<double>& xs) {
    exact_sum s;
    for (const double x : xs) s.add(x);
    return s.value();
}

std::vector<double> doubles(const std::vector<std::uint64_t>& bits, bool near) {
    std::vector<double> out;
    for (const auto b : bits) out.push_back(near ? static_cast<double>(static_cast<std::int64_t>(b % 2'000'001) - 1'000'000) / 100.0 : any_double(b));
    return out;
}

}  // namespace

TEST_CASE("the exact sum is the true sum, rounded once") {
    CHECK(rc::check("any doubles, and amounts in cents", [](const std::vector<std::uint64_t>& bits, bool near) {
        const auto xs = doubles(bits, near);
        wide_sum truth;
        for (const double x : xs) truth.add(x);
        RC_ASSERT(sum_of(xs) == truth.value());
    }));
    CHECK(sum_of({0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1}) == 1.0);
    CHECK(sum_of({1e100, 1.0, -1e100}) == 1.0);
    CHECK(sum_of({1.0, std::ldexp(1.0, -53), std::ldexp(1.0, -106)}) == std::nextafter(1.0, 2.0));   // half way, and a little more
    CHECK(sum_of({1.0, std::ldexp(1.0, -53), -std::ldexp(1.0, -106)}) == 1.0);
    CHECK(sum_of({}) == 0.0);
}

TEST_CASE("order and split do not matter: a sum is a monoid") {
    CHECK(rc::check("reversed, and cut anywhere", [](const std::vector<std::uint64_t>& bits, std::size_t cut) {
        auto xs = doubles(bits, false);
        const double whole = sum_of(xs);
        const auto at = xs.begin() + static_cast<std::ptrdiff_t>(xs.empty() ? 0 : cut % (xs.size() + 1));
        exact_sum a, b, nothing;
        std::for_each(xs.begin(), at, [&](double x) { a.add(x); });
        std::for_each(at, xs.end(), [&](double x) { b.add(x); });
        a.merge(b);
        a.merge(nothing);
        RC_ASSERT(same(a.value(), whole));
        std::reverse(xs.begin(), xs.end());
        RC_ASSERT(same(sum_of(xs), whole));
    }));
}

TEST_CASE("what is not finite stays so") {
    const double inf = std::numeric_limits<double>::infinity();
    CHECK(sum_of({1.0, inf}) == inf);
    CHECK(std::isnan(sum_of({inf, -inf, 1.0})));
    CHECK(std::isnan(sum_of({std::nan(""), 1.0})));
}
