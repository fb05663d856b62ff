#pragma once
// Narrow doubles of wide columns: two bytes for an instant, one for a text. Passes over many rows read these, and the wide ones only where
// they must. They are made when a question first needs them (`made_once`), four bytes an event and one a text.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace journeyman {

struct timeline;
class column;

/// Contacts that are gone through at a time, so that what is read of them stays in the cache.
inline constexpr std::uint32_t contacts_at_once = 2048;

/// Of the rows of a timeline. `bucket` never falls where instants rise, so that it decides all but the rows in the bucket of a bound.
struct narrow_times {
    const std::int64_t* of = nullptr;          // the instants it was made from
    std::int64_t base = 0;
    int shift = 0;                             // a bucket is 2^shift microseconds
    std::int64_t first = 0, last = 0;          // of all rows
    std::vector<std::uint16_t> bucket;         // by row
    std::vector<std::uint16_t> place;          // by row: its owner's place among contacts_at_once
    std::vector<std::uint16_t> latest;         // by owner, of a dense timeline: the bucket of the last row; 0 without rows
    /// The instants of a bucket are in [from, from + width), unless rows lie outside of the scale (`clamped`).
    [[nodiscard]] std::int64_t from(std::uint16_t b) const { return base + static_cast<std::int64_t>(std::uint64_t{b} << shift); }
    [[nodiscard]] std::int64_t width() const { return std::int64_t{1} << shift; }
    [[nodiscard]] bool clamped() const { return first < base || ((static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(base)) >> shift) > 0xffff; }
    [[nodiscard]] std::uint16_t bucket_of(std::int64_t at) const {
        if (at <= base) return 0;
        const std::uint64_t b = (static_cast<std::uint64_t>(at) - static_cast<std::uint64_t>(base)) >> shift;
        return b < 0xffff ? static_cast<std::uint16_t>(b) : std::uint16_t{0xffff};
    }
};

/// Of a column of texts: numbers of its own.
struct narrow_codes {
    static constexpr std::uint8_t missing = 255;
    const std::uint32_t* of = nullptr;
    bool fits = false;                         // there are at most 255 texts; else the rest is empty
    std::vector<std::uint8_t> code;            // by row
    std::vector<std::uint32_t> texts;          // number → text of the pool
    /// Of a text of the pool; -1 when no row has it.
    [[nodiscard]] int find(std::uint32_t text) const {
        for (std::size_t k = 0; k < texts.size(); ++k) if (texts[k] == text) return static_cast<int>(k);
        return -1;
    }
};

/// The double of a timeline, of a column of texts: the one that copies share where there is such, else one just made.
std::shared_ptr<const narrow_times> narrow(const timeline&);
std::shared_ptr<const narrow_codes> narrow(const column&);

}  // namespace journeyman
