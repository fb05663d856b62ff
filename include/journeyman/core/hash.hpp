#pragma once
// The stable hash behind splits, holdouts and action keys: the same in every version, on every machine.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace journeyman {

/// 64-bit FNV-1a with a final avalanche (the finalizer of SplitMix64). Parts are separated, so ("a","bc") and ("ab","c") differ.
class stable_hash {
public:
    constexpr stable_hash& add(std::string_view part) {
        for (const char c : part) step(static_cast<unsigned char>(c));
        step(0xff);
        step(0x00);
        return *this;
    }
    constexpr stable_hash& add(std::uint64_t n) {
        for (int k = 0; k < 8; ++k) step(static_cast<unsigned char>(n >> (8 * k)));
        return *this;
    }
    [[nodiscard]] constexpr std::uint64_t value() const {
        std::uint64_t x = state_ + 0x9e3779b97f4a7c15ULL;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
        return x ^ (x >> 31);
    }
    /// In [0, 1), 53 bits.
    [[nodiscard]] constexpr double unit() const { return static_cast<double>(value() >> 11) * 0x1.0p-53; }

private:
    constexpr void step(unsigned char c) { state_ = (state_ ^ c) * 0x100000001b3ULL; }
    std::uint64_t state_ = 0xcbf29ce484222325ULL;
};

/// For hash tables in memory alone: quick, and free to differ between versions and machines.
inline std::uint64_t fast_hash(std::string_view s) {
    constexpr std::uint64_t k0 = 0x9e3779b97f4a7c15ULL, k1 = 0xe7037ed1a0b428dbULL;
    const auto mix = [](std::uint64_t a, std::uint64_t b) {
        __extension__ using wide = unsigned __int128;
        const wide p = static_cast<wide>(a) * b;
        return static_cast<std::uint64_t>(p) ^ static_cast<std::uint64_t>(p >> 64);
    };
    const auto load = [](const char* p, std::size_t n) {
        std::uint64_t x = 0;
        std::memcpy(&x, p, n);
        return x;
    };
    const char* p = s.data();
    std::size_t left = s.size();
    std::uint64_t h = k0 ^ left;
    for (; left > 16; left -= 16, p += 16) h = mix(load(p, 8) ^ k1, load(p + 8, 8) ^ h);
    std::uint64_t a = 0, b = 0;
    if (left > 8) {
        a = load(p, 8);
        b = load(p + left - 8, 8);
    } else if (left == 8) {
        a = load(p, 8);
    } else if (left >= 4) {
        a = load(p, 4);
        b = load(p + left - 4, 4);
    } else if (left > 0) {
        a = static_cast<unsigned char>(p[0]) | static_cast<std::uint64_t>(static_cast<unsigned char>(p[left / 2])) << 8 | static_cast<std::uint64_t>(static_cast<unsigned char>(p[left - 1])) << 16;
    }
    return mix(mix(a ^ k1, b ^ h), k0 ^ s.size());
}

}  // namespace journeyman
