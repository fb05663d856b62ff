#pragma once
// The rule for all later years at the end of a zone's file ("CET-1CEST,M3.5.0,M10.5.0/3": POSIX TZ, RFC 8536).
// By hand, because date's own reader of it (ptz.h) does not compile as C++20.

#include <array>
#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

#include "journeyman/core/time.hpp"

namespace journeyman {

class posix_rule {
public:
    /// Nothing for a rule without daylight saving, or one that cannot be read.
    static std::optional<posix_rule> parse(std::string_view rule);
    /// The two changes of a year, in order: instant, and the offset that holds from it.
    [[nodiscard]] std::array<std::pair<instant, microseconds>, 2> changes(int year) const;

private:
    struct date_rule {
        enum class kind { julian, zero_based, weekday_of_month } kind = kind::julian;
        int month = 1, week = 1, weekday = 0, day = 1;
        std::chrono::seconds time{7200};
        [[nodiscard]] local_instant in(int year) const;
    };
    std::chrono::seconds standard_{0}, saving_{0};
    date_rule begins_, ends_;
};

}  // namespace journeyman
