#pragma once
// Time zones as values: a sorted table of (instant, offset). Conversion is a search in it (T3, T6).
// `load_zone` (in src/) fills it from the system's tzdata.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "journeyman/core/time.hpp"

namespace journeyman {

class time_zone {
public:
    struct change {
        instant from;           // the offset holds from here, inclusive
        microseconds offset;    // local = utc + offset
    };

    time_zone() : name_{"UTC"}, changes_{{beginning_of_time, microseconds{0}}} {}
    /// `changes` sorted by instant; the first must be `beginning_of_time`.
    time_zone(std::string name, std::vector<change> changes) : name_{std::move(name)}, changes_{std::move(changes)} {}

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] const std::vector<change>& changes() const { return changes_; }

    [[nodiscard]] std::size_t index_at(instant t) const {
        auto it = std::upper_bound(changes_.begin(), changes_.end(), t, [](instant x, const change& c) { return x < c.from; });
        return static_cast<std::size_t>(it - changes_.begin()) - 1;
    }
    [[nodiscard]] microseconds offset_at(instant t) const { return changes_.size() == 1 ? changes_[0].offset : changes_[index_at(t)].offset; }
    /// The first instant after `t` at which the offset changes; `end_of_time` when none does.
    [[nodiscard]] instant next_change(instant t) const {
        const auto i = index_at(t) + 1;
        return i < changes_.size() ? changes_[i].from : end_of_time;
    }

    [[nodiscard]] local_instant to_local(instant t) const { return local_instant{add_saturated(t, offset_at(t)).time_since_epoch()}; }

    /// T6: a reading that does not exist moves forward by the length of the gap; one that exists twice is the first.
    [[nodiscard]] instant to_instant(local_instant l) const {
        const instant guess{l.time_since_epoch()};
        if (changes_.size() == 1) return instant{guess.time_since_epoch() - changes_[0].offset};
        // Offsets are under a day: only the changes near the reading matter.
        std::size_t i = index_at(add_saturated(guess, -std::chrono::hours{26}));
        for (;; ++i) {
            const instant t{l.time_since_epoch() - changes_[i].offset};
            if (i + 1 == changes_.size() || t < changes_[i + 1].from) {
                // Before its own piece begins: the reading fell into the gap; the offset before the gap moves it forward.
                if (t < changes_[i].from) return instant{l.time_since_epoch() - changes_[i - 1].offset};
                return t;
            }
        }
    }

    friend bool operator==(const time_zone& a, const time_zone& b) { return a.name_ == b.name_; }

private:
    std::string name_;
    std::vector<change> changes_;
};

using zone_ptr = std::shared_ptr<const time_zone>;

inline const zone_ptr& utc() {
    static const zone_ptr zone = std::make_shared<const time_zone>();
    return zone;
}

/// The zone of an IANA name ("Europe/Rome"), read once and kept. Throws `error` (code `time.zone`) for an unknown name, with the nearest ones.
zone_ptr load_zone(std::string_view iana_name);
/// The same, null for an unknown name.
zone_ptr find_zone(std::string_view iana_name) noexcept;

// ---- calendar arithmetic

inline local_instant add_months(local_instant l, std::int32_t months) {
    const auto d = std::chrono::floor<std::chrono::days>(l);
    const auto time_of_day = l - d;
    const std::chrono::year_month_day ymd{d};
    // A year of std::chrono is a short: what lies further off than any history is one far year.
    const std::int64_t total = std::int64_t{static_cast<int>(ymd.year())} * 12 + static_cast<unsigned>(ymd.month()) - 1 + months;
    const std::int64_t year = std::clamp<std::int64_t>((total - (total < 0 ? 11 : 0)) / 12, -30'000, 30'000);
    const std::chrono::year_month moved{std::chrono::year{static_cast<int>(year)}, std::chrono::month{static_cast<unsigned>((total % 12 + 12) % 12) + 1}};
    const auto last = std::chrono::year_month_day_last{moved.year(), std::chrono::month_day_last{moved.month()}}.day();
    const auto clamped = std::min(ymd.day(), last);
    return day{std::chrono::year_month_day{moved.year(), moved.month(), clamped}} + time_of_day;
}

/// T3: calendar months in the zone, clamped at month end, then the fixed part.
inline instant add(instant t, length by, const time_zone& zone) {
    if (by.months != 0 && t >= earliest_instant && t <= latest_instant) t = zone.to_instant(add_months(zone.to_local(t), by.months));
    return add_saturated(t, by.fixed);
}

inline day start_of(calendar_unit unit, day d, week_start weeks = week_start::monday) {
    using namespace std::chrono;
    const year_month_day ymd{d};
    switch (unit) {
        case calendar_unit::day: return d;
        case calendar_unit::week: return d - (weekday{d} - (weeks == week_start::monday ? Monday : Sunday));
        case calendar_unit::month: return day{ymd.year() / ymd.month() / 1};
        case calendar_unit::quarter: return day{ymd.year() / month{(static_cast<unsigned>(ymd.month()) - 1) / 3 * 3 + 1} / 1};
        case calendar_unit::year: return day{ymd.year() / January / 1};
    }
    return d;
}

/// The first day of the unit `n` units after the one that holds `d` (n may be negative).
inline day start_of_next(calendar_unit unit, day d, int n = 1, week_start weeks = week_start::monday) {
    const day s = start_of(unit, d, weeks);
    switch (unit) {
        case calendar_unit::day: return s + std::chrono::days{n};
        case calendar_unit::week: return s + std::chrono::days{7 * n};
        case calendar_unit::month: return std::chrono::floor<std::chrono::days>(add_months(s, n));
        case calendar_unit::quarter: return std::chrono::floor<std::chrono::days>(add_months(s, 3 * n));
        case calendar_unit::year: return std::chrono::floor<std::chrono::days>(add_months(s, 12 * n));
    }
    return s;
}

inline instant start_of(day d, const time_zone& zone) { return zone.to_instant(local_instant{d}); }

/// The start of the calendar unit that holds `t`, in the zone.
inline instant start_of(calendar_unit unit, instant t, const time_zone& zone, week_start weeks = week_start::monday) {
    return start_of(start_of(unit, std::chrono::floor<std::chrono::days>(zone.to_local(t)), weeks), zone);
}
inline instant start_of_next(calendar_unit unit, instant t, const time_zone& zone, int n = 1, week_start weeks = week_start::monday) {
    return start_of(start_of_next(unit, std::chrono::floor<std::chrono::days>(zone.to_local(t)), n, weeks), zone);
}

}  // namespace journeyman
