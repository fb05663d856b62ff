#pragma once
// Values: what an attribute, a property or an expression can be.

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "journeyman/core/text_pool.hpp"
#include "journeyman/core/time.hpp"

namespace journeyman {

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"   // g++ 12 warns of scoped enumerators too
#endif
enum class value_type : std::uint8_t { missing, boolean, integer, decimal, money, text, day, instant, duration, text_list };
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

/// "yes/no", "integer", "text" … as messages say it.
std::string_view to_string(value_type);
/// The type of its written name ("text", "yes/no" or "boolean", "integer", "decimal", "money", "day", "instant", "duration", "list"); `missing` when unknown.
value_type parse_value_type(std::string_view);

constexpr bool is_number(value_type t) { return t == value_type::integer || t == value_type::decimal || t == value_type::money; }

/// Money is integer minor units; one unit has a hundred of them.
inline constexpr std::int64_t minor_units = 100;

/// A yes/no/unknown.
enum class truth : std::uint8_t { no, yes, unknown };
constexpr truth to_truth(bool b) { return b ? truth::yes : truth::no; }
constexpr truth operator!(truth t) { return t == truth::unknown ? t : to_truth(t == truth::no); }

/// A value inside the library: 16 bytes, text and lists by their number in a text_pool.
/// boolean, integer, money (minor units), day (days since 1970), instant and duration (microseconds), text and list numbers live in `i`; decimal in `d`.
struct value {
    value_type type = value_type::missing;
    union {
        std::int64_t i = 0;
        double d;
    };

    constexpr value() {}
    static constexpr value of(value_type t, std::int64_t x) { value v; v.type = t; v.i = x; return v; }
    static constexpr value of(bool b) { return of(value_type::boolean, b); }
    static constexpr value of(std::int64_t x) { return of(value_type::integer, x); }
    static constexpr value of(double x) { value v; v.type = value_type::decimal; v.d = x; return v; }
    static constexpr value of(text_id t) { return of(value_type::text, static_cast<std::int64_t>(t)); }
    static constexpr value of(list_id t) { return of(value_type::text_list, static_cast<std::int64_t>(t)); }
    static constexpr value of(instant t) { return of(value_type::instant, t.time_since_epoch().count()); }
    static constexpr value of(microseconds d) { return of(value_type::duration, d.count()); }
    static constexpr value of(day d) { return of(value_type::day, d.time_since_epoch().count()); }
    static constexpr value of(truth t) { return t == truth::unknown ? value{} : of(t == truth::yes); }

    [[nodiscard]] constexpr bool is_missing() const { return type == value_type::missing; }
    [[nodiscard]] constexpr truth as_truth() const { return type == value_type::boolean ? to_truth(i != 0) : truth::unknown; }
    [[nodiscard]] constexpr bool is_yes() const { return type == value_type::boolean && i != 0; }
    [[nodiscard]] constexpr text_id as_text() const { return static_cast<text_id>(i); }
    [[nodiscard]] constexpr list_id as_list() const { return static_cast<list_id>(i); }
    [[nodiscard]] constexpr instant as_instant() const { return instant{microseconds{i}}; }
    [[nodiscard]] constexpr microseconds as_duration() const { return microseconds{i}; }
    [[nodiscard]] constexpr day as_day() const { return day{std::chrono::days{i}}; }
    /// A number as a decimal (money in units).
    [[nodiscard]] constexpr double as_decimal() const { return type == value_type::decimal ? d : type == value_type::money ? static_cast<double>(i) / minor_units : static_cast<double>(i); }

    /// The same type and the same bits (texts of one pool).
    friend constexpr bool operator==(const value& a, const value& b) { return a.type == b.type && (a.type == value_type::decimal ? std::bit_cast<std::int64_t>(a.d) == std::bit_cast<std::int64_t>(b.d) : a.i == b.i); }
};
static_assert(sizeof(value) == 16);

struct money {
    std::int64_t minor = 0;
    friend constexpr bool operator==(const money&, const money&) = default;
};

/// A value that owns its text: literals of definitions, rows of the builder, cells of tables.
using scalar = std::variant<std::monostate, bool, std::int64_t, double, money, std::string, day, instant, length, std::vector<std::string>>;

/// Properties or attributes by name; a monostate makes an attribute missing.
using fields = std::vector<std::pair<std::string, scalar>>;

value_type type_of(const scalar&);
/// Into a pool. A length with months is not a value and throws (code `type.length`).
value intern(const scalar&, text_pool&);
scalar to_scalar(const value&, const text_pool&);

// ---- the written forms, exact both ways

/// "2026-03-31T00:00:00Z", with microseconds only when there are some.
std::string to_text(instant);
std::string to_text(day);
/// "90d", "1mo", "1h30m": the largest units that divide it.
std::string to_text(const length&);
/// The shortest decimal that reads back the same.
std::string to_text(double);
/// As tables and messages show it: text without quotes, true/false, missing as "".
std::string to_text(const scalar&);
std::string to_text(const value&, const text_pool&);

struct parsed_instant {
    instant at;
    bool had_zone = false;   // when false, `at` is the wall reading taken as UTC
};
/// ISO 8601: date and time with "T" or a space, seconds and fraction (to nine digits, cut to microseconds) optional, "Z" or an offset optional. False when it is not one.
bool parse_instant(std::string_view, parsed_instant&);
/// "YYYY-MM-DD" and a real date.
bool parse_day(std::string_view, day&);
/// "90d", "1mo", "1h30m", "-3d". False when it is not one.
bool parse_length(std::string_view, length&);

}  // namespace journeyman
