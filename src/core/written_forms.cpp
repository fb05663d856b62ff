// Instants, days, lengths and decimals as text, exact both ways. By hand: locales stay out, and these run once a cell.

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "journeyman/core/value.hpp"

namespace journeyman {

namespace {

constexpr std::int64_t us_second = 1'000'000, us_day = 86'400 * us_second;

std::string padded(std::uint64_t n, std::size_t width) {
    std::string s = std::to_string(n);
    return s.size() < width ? std::string(width - s.size(), '0') + s : s;
}

/// Days since 1970 to a date, for any 64-bit day number (H. Hinnant, "chrono-compatible low-level date algorithms").
std::string civil(std::int64_t days) {
    days += 719'468;
    const std::int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
    const auto doe = static_cast<std::uint64_t>(days - era * 146'097);
    const std::uint64_t yoe = (doe - doe / 1460 + doe / 36'524 - doe / 146'096) / 365;
    const std::uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    const std::uint64_t mp = (5 * doy + 2) / 153, d = doy - (153 * mp + 2) / 5 + 1, m = mp < 10 ? mp + 3 : mp - 9;
    const std::int64_t y = static_cast<std::int64_t>(yoe) + era * 400 + (m <= 2);
    return (y < 0 ? "-" + padded(static_cast<std::uint64_t>(-y), 4) : padded(static_cast<std::uint64_t>(y), 4)) + "-" + padded(m, 2) + "-" + padded(d, 2);
}

struct reader {
    const char* at;
    const char* end;
    [[nodiscard]] bool done() const { return at == end; }
    [[nodiscard]] char peek() const { return at == end ? '\0' : *at; }
    bool eat(char c) {
        if (peek() != c || at == end) return false;
        ++at;
        return true;
    }
    /// Exactly n digits.
    bool digits(int n, unsigned& out) {
        if (end - at < n) return false;
        out = 0;
        for (int k = 0; k < n; ++k) {
            const auto digit = static_cast<unsigned>(at[k] - '0');
            if (digit > 9) return false;
            out = out * 10 + digit;
        }
        at += n;
        return true;
    }
    bool date(std::int64_t& days) {
        unsigned y = 0, m = 0, d = 0;
        if (!digits(4, y) || !eat('-') || !digits(2, m) || !eat('-') || !digits(2, d)) return false;
        const std::chrono::year_month_day ymd{std::chrono::year{static_cast<int>(y)}, std::chrono::month{m}, std::chrono::day{d}};
        if (y == 0 || !ymd.ok()) return false;
        days = std::chrono::local_days{ymd}.time_since_epoch().count();
        return true;
    }
};

struct unit {
    std::string_view name;
    std::int64_t size;
};
constexpr std::array fixed_units{unit{"w", 7 * us_day}, unit{"d", us_day},      unit{"h", 3600 * us_second}, unit{"m", 60 * us_second},
                                 unit{"s", us_second},  unit{"ms", 1000},       unit{"us", 1}};
constexpr std::array calendar_units{unit{"y", 12}, unit{"q", 3}, unit{"mo", 1}};

}  // namespace

std::string to_text(day d) { return civil(d.time_since_epoch().count()); }

std::string to_text(instant t) {
    const std::int64_t us = t.time_since_epoch().count();
    std::int64_t days = us / us_day, rest = us % us_day;
    if (rest < 0) { rest += us_day; --days; }
    const auto r = static_cast<std::uint64_t>(rest);
    std::string out = civil(days) + "T" + padded(r / 3'600'000'000, 2) + ":" + padded(r / 60'000'000 % 60, 2) + ":" + padded(r / 1'000'000 % 60, 2);
    if (r % 1'000'000 != 0) out += "." + padded(r % 1'000'000, 6);
    return out + "Z";
}

std::string to_text(const length& l) {
    std::string out;
    if (l.months != 0) {
        const std::int64_t months = l.months < 0 ? -static_cast<std::int64_t>(l.months) : l.months;
        if (l.months < 0) out += "-";
        for (const auto& [name, size] : calendar_units) {
            if (months % size != 0) continue;
            out += std::to_string(months / size) + std::string{name};
            break;
        }
    }
    const std::int64_t count = l.fixed.count();
    if (count == 0) return out.empty() ? "0s" : out;
    if (count < 0 && l.months >= 0) out += "-";
    if (count > 0 && l.months < 0) out += "+";
    auto left = count < 0 ? 0 - static_cast<std::uint64_t>(count) : static_cast<std::uint64_t>(count);
    for (const auto& [name, signed_size] : fixed_units) {
        const auto size = static_cast<std::uint64_t>(signed_size);
        if (name == "w" && left % size != 0) continue;   // 90d is written so, not as 12w6d
        if (left >= size) out += std::to_string(left / size) + std::string{name};
        left %= size;
    }
    return out;
}

std::string to_text(double x) {
    if (x == 0.0) return std::signbit(x) ? "-0" : "0";
    std::array<char, 64> buffer{};
    const double size = std::fabs(x);
    const auto end = size >= 1e-5 && size < 1e16 ? std::to_chars(buffer.data(), buffer.data() + buffer.size(), x, std::chars_format::fixed)
                                                 : std::to_chars(buffer.data(), buffer.data() + buffer.size(), x);
    return {buffer.data(), end.ptr};
}

bool parse_day(std::string_view s, day& out) {
    reader in{s.data(), s.data() + s.size()};
    std::int64_t days = 0;
    if (!in.date(days) || !in.done()) return false;
    out = day{std::chrono::days{days}};
    return true;
}

bool parse_instant(std::string_view s, parsed_instant& out) {
    reader in{s.data(), s.data() + s.size()};
    std::int64_t days = 0;
    if (!in.date(days)) return false;
    if (!in.eat('T') && !in.eat(' ') && !in.eat('t')) return false;
    unsigned h = 0, m = 0, sec = 0;
    if (!in.digits(2, h) || !in.eat(':') || !in.digits(2, m) || h > 23 || m > 59) return false;
    std::int64_t fraction = 0;
    if (in.eat(':')) {
        if (!in.digits(2, sec) || sec > 59) return false;
        if (in.eat('.') || in.eat(',')) {
            int n = 0;
            for (; n < 9 && !in.done() && *in.at >= '0' && *in.at <= '9'; ++n, ++in.at) {
                if (n < 6) fraction = fraction * 10 + (*in.at - '0');
            }
            if (n == 0) return false;
            for (; n < 6; ++n) fraction *= 10;
        }
    }
    std::int64_t us = days * us_day + (static_cast<std::int64_t>(h) * 3600 + m * 60 + sec) * us_second + fraction;
    bool zone = false;
    if (in.eat('Z') || in.eat('z')) {
        zone = true;
    } else if (in.peek() == '+' || in.peek() == '-') {
        const bool west = in.eat('-');
        if (!west) in.eat('+');
        unsigned oh = 0, om = 0;
        if (!in.digits(2, oh)) return false;
        const bool colon = in.eat(':');
        if ((colon || !in.done()) && !in.digits(2, om)) return false;
        if (oh > 23 || om > 59) return false;
        const std::int64_t offset = (static_cast<std::int64_t>(oh) * 60 + om) * 60 * us_second;
        us -= west ? -offset : offset;
        zone = true;
    } else if (in.end - in.at == 4 && std::string_view{in.at, 4} == " UTC") {
        in.at += 4;
        zone = true;
    }
    if (!in.done()) return false;
    out = {instant{microseconds{us}}, zone};
    return true;
}

bool parse_length(std::string_view s, length& out) {
    reader in{s.data(), s.data() + s.size()};
    std::int64_t months = 0, fixed = 0;
    bool negative = false, any = false;
    while (!in.done()) {
        if (in.eat('-')) negative = true;
        else if (in.eat('+')) negative = false;
        std::int64_t n = 0;
        const auto [end, bad] = std::from_chars(in.at, in.end, n);
        if (bad != std::errc{} || end == in.at || *in.at == '-') return false;
        in.at = end;
        const char* name_end = in.at;
        while (name_end != in.end && *name_end >= 'a' && *name_end <= 'z') ++name_end;
        const std::string_view name{in.at, static_cast<std::size_t>(name_end - in.at)};
        in.at = name_end;
        std::int64_t size = 0;
        std::int64_t* total = &fixed;
        for (const auto& u : fixed_units) if (u.name == name) size = u.size;
        for (const auto& u : calendar_units) if (u.name == name) { size = u.size; total = &months; }
        if (size == 0 || __builtin_mul_overflow(n, size, &n)) return false;
        if (negative ? __builtin_sub_overflow(*total, n, total) : __builtin_add_overflow(*total, n, total)) return false;
        any = true;
    }
    if (!any || months > INT32_MAX || months < -INT32_MAX) return false;
    out = {static_cast<std::int32_t>(months), microseconds{fixed}};
    return true;
}

}  // namespace journeyman
