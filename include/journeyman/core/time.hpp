#pragma once
// Instants, days and lengths of time (design §4: T1, T3).

#include <chrono>
#include <compare>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace journeyman {

using microseconds = std::chrono::microseconds;

/// An instant: microseconds since the Unix epoch, UTC.
using instant = std::chrono::sys_time<microseconds>;

/// A wall-clock reading in some zone: microseconds since 1970-01-01T00:00 as written on the wall.
using local_instant = std::chrono::local_time<microseconds>;

/// A calendar day, without a zone.
using day = std::chrono::local_days;

inline constexpr instant beginning_of_time{microseconds{std::numeric_limits<std::int64_t>::min()}};
inline constexpr instant end_of_time{microseconds{std::numeric_limits<std::int64_t>::max()}};

/// The instants a history accepts: years 0001 to 9999, so that no sum with a length can overflow.
inline constexpr instant earliest_instant{microseconds{-62'135'596'800'000'000}};
inline constexpr instant latest_instant{microseconds{253'402'300'799'999'999}};

/// A length of time: calendar months (in a zone, clamped at month end) and then a fixed part.
/// `30d` is `{0, 30 * 24h}`, `1q` is `{3, 0}`, `1y` is `{12, 0}`.
struct length {
    std::int32_t months = 0;
    microseconds fixed{0};

    constexpr length() = default;
    constexpr length(microseconds f) : fixed{f} {}
    template <class Rep, class Period>
        requires(!std::is_same_v<std::chrono::duration<Rep, Period>, microseconds> && !std::is_same_v<Period, std::chrono::months::period> && !std::is_same_v<Period, std::chrono::years::period>)
    constexpr length(std::chrono::duration<Rep, Period> f) : fixed{std::chrono::duration_cast<microseconds>(f)} {}
    constexpr length(std::int32_t m, microseconds f) : months{m}, fixed{f} {}

    [[nodiscard]] constexpr bool is_fixed() const { return months == 0; }
    [[nodiscard]] constexpr bool is_positive() const { return months >= 0 && fixed.count() >= 0 && (months > 0 || fixed.count() > 0); }
    constexpr length operator-() const { return {-months, -fixed}; }
    friend constexpr bool operator==(const length&, const length&) = default;
};

/// Lengths that are whole calendar months. `std::chrono::months` is an average length and is refused.
struct calendar_length {
    std::int32_t months = 0;
    constexpr operator length() const { return {months, microseconds{0}}; }
    friend constexpr bool operator==(const calendar_length&, const calendar_length&) = default;
};

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"   // g++ 12 warns of scoped enumerators too
#endif
enum class calendar_unit : std::uint8_t { day, week, month, quarter, year };
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
enum class week_start : std::uint8_t { monday, sunday };

namespace literals {
constexpr microseconds operator""_us(unsigned long long n) { return microseconds{n}; }
constexpr microseconds operator""_ms(unsigned long long n) { return std::chrono::milliseconds{n}; }
constexpr microseconds operator""_s(unsigned long long n) { return std::chrono::seconds{n}; }
constexpr microseconds operator""_m(unsigned long long n) { return std::chrono::minutes{n}; }
constexpr microseconds operator""_h(unsigned long long n) { return std::chrono::hours{n}; }
constexpr microseconds operator""_d(unsigned long long n) { return std::chrono::hours{24 * n}; }
constexpr microseconds operator""_w(unsigned long long n) { return std::chrono::hours{168 * n}; }
constexpr calendar_length operator""_mo(unsigned long long n) { return {static_cast<std::int32_t>(n)}; }
constexpr calendar_length operator""_q(unsigned long long n) { return {static_cast<std::int32_t>(3 * n)}; }
constexpr calendar_length operator""_y(unsigned long long n) { return {static_cast<std::int32_t>(12 * n)}; }
}  // namespace literals

/// A place in the order of one history: an instant, and the arrival order within it (T2).
struct position {
    instant at = beginning_of_time;
    std::uint32_t order = 0;
    friend constexpr auto operator<=>(const position&, const position&) = default;
};

/// Adds without leaving the range of instants: what lies outside becomes the nearest end of time.
constexpr instant add_saturated(instant t, microseconds d) {
    std::int64_t out = 0;
    if (__builtin_add_overflow(t.time_since_epoch().count(), d.count(), &out)) return d.count() > 0 ? end_of_time : beginning_of_time;
    return instant{microseconds{out}};
}

}  // namespace journeyman
