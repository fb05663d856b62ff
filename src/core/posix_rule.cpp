#include "core/posix_rule.hpp"

#include <charconv>

namespace journeyman {

namespace {

struct reader {
    const char* at;
    const char* end;

    bool eat(char c) {
        if (at == end || *at != c) return false;
        ++at;
        return true;
    }
    bool number(int& out) {
        const auto [next, bad] = std::from_chars(at, end, out);
        if (bad != std::errc{} || next == at) return false;
        at = next;
        return true;
    }
    bool abbreviation() {
        const char* const from = at;
        if (eat('<')) {
            while (at != end && *at != '>') ++at;
            return eat('>');
        }
        while (at != end && ((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z'))) ++at;
        return at - from >= 3;
    }
    /// [+-]hh[:mm[:ss]]
    bool time(std::chrono::seconds& out) {
        const bool negative = eat('-');
        if (!negative) eat('+');
        int h = 0, m = 0, s = 0;
        if (!number(h) || h < 0 || h > 167) return false;
        if (eat(':') && !number(m)) return false;
        if (eat(':') && !number(s)) return false;
        out = std::chrono::hours{h} + std::chrono::minutes{m} + std::chrono::seconds{s};
        if (negative) out = -out;
        return true;
    }
};

}  // namespace

std::optional<posix_rule> posix_rule::parse(std::string_view text) {
    reader in{text.data(), text.data() + text.size()};
    posix_rule out;
    // POSIX counts offsets to the west.
    if (!in.abbreviation() || !in.time(out.standard_) || !in.abbreviation()) return std::nullopt;
    out.standard_ = -out.standard_;
    out.saving_ = out.standard_ + std::chrono::hours{1};
    if (in.at != in.end && *in.at != ',') {
        if (!in.time(out.saving_)) return std::nullopt;
        out.saving_ = -out.saving_;
    }
    for (date_rule* d : {&out.begins_, &out.ends_}) {
        if (!in.eat(',')) return std::nullopt;
        bool read = false;
        if (in.eat('M')) {
            d->kind = date_rule::kind::weekday_of_month;
            read = in.number(d->month) && in.eat('.') && in.number(d->week) && in.eat('.') && in.number(d->weekday) && d->month >= 1 && d->month <= 12 &&
                   d->week >= 1 && d->week <= 5 && d->weekday >= 0 && d->weekday <= 6;
        } else {
            d->kind = in.eat('J') ? date_rule::kind::julian : date_rule::kind::zero_based;
            read = in.number(d->day) && d->day >= 0 && d->day <= 365;
        }
        if (!read || (in.eat('/') && !in.time(d->time))) return std::nullopt;
    }
    if (in.at != in.end) return std::nullopt;
    return out;
}

local_instant posix_rule::date_rule::in(int year) const {
    namespace ch = std::chrono;
    const ch::year y{year};
    journeyman::day d = journeyman::day{y / ch::January / 1};
    if (kind == kind::julian) {
        d += ch::days{day - 1 + (y.is_leap() && day >= 60 ? 1 : 0)};   // 29 February has no number
    } else if (kind == kind::zero_based) {
        d += ch::days{day};
    } else {
        const ch::weekday w{static_cast<unsigned>(weekday)};
        const ch::month m{static_cast<unsigned>(month)};
        d = week == 5 ? journeyman::day{y / m / w[ch::last]} : journeyman::day{y / m / w[static_cast<unsigned>(week)]};
    }
    return d + time;
}

std::array<std::pair<instant, microseconds>, 2> posix_rule::changes(int year) const {
    const std::pair<instant, microseconds> on{instant{begins_.in(year).time_since_epoch() - standard_}, saving_};
    const std::pair<instant, microseconds> off{instant{ends_.in(year).time_since_epoch() - saving_}, standard_};
    if (on.first < off.first) return {on, off};
    return {off, on};
}

}  // namespace journeyman
