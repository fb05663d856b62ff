#pragma once
// Chance for tests: the same draws from the same seed on every machine (Knuth's MMIX generator, its upper bits).

#include <cstdint>

class dice {
public:
    explicit dice(std::uint64_t seed) : state_{seed} {}
    /// 0 to n - 1.
    std::uint64_t draw(std::uint64_t n) {
        state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
        return (state_ >> 33) % n;
    }
    std::uint64_t operator()(std::uint64_t n) { return draw(n); }

private:
    std::uint64_t state_;
};
