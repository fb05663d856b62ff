#pragma once
// What every fuzz target needs: bytes to choose from, and a check whose failure is a finding.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace fuzz {

inline std::string_view text(const std::uint8_t* data, std::size_t size) { return {reinterpret_cast<const char*>(data), size}; }

inline void insist(bool holds, const char* what)
{
    if (!holds) {
        std::fprintf(stderr, "does not hold: %s\n", what);
        std::abort();
    }
}

/// Choices out of the input; zeros when it is used up.
class choices {
public:
    choices(const std::uint8_t* data, std::size_t size) : at_{data}, end_{data + size} {}
    std::uint8_t byte() { return at_ == end_ ? 0 : *at_++; }
    int below(int n) { return byte() % n; }
    bool yes() { return (byte() & 1) != 0; }
    std::uint64_t word()
    {
        std::uint64_t x = 0;
        for (int k = below(9); k > 0; --k) {
            x = x << 8 | byte();
        }
        return yes() ? ~x : x;
    }
    bool empty() const { return at_ == end_; }

private:
    const std::uint8_t* at_;
    const std::uint8_t* end_;
};

}  // namespace fuzz
