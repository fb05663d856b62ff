#include "workflow/calendar.hpp"

#include <algorithm>
#include <cstdlib>

namespace journeyman {
namespace {

day local_day(instant t, const time_zone& zone) { return std::chrono::floor<std::chrono::days>(zone.to_local(t)); }

/// A day in a later year, moved by the offset.
instant of_day(const compiled_date& c, day d, int years, const time_zone& local) {
    const auto by = c.offset.value_or(date_offset{});
    const auto anniversary = add_months(local_instant{d}, 12 * years);
    const auto moved = add_months(anniversary, by.by.months) + by.by.fixed + std::chrono::minutes{c.at.value_or(time_of_day{}).minutes};
    return local.to_instant(moved) + by.after;
}
instant of_instant(const compiled_date& c, instant t, int years, const time_zone& playbooks) {
    return add(add(t, length{12 * years, microseconds{0}}, playbooks), c.offset.value_or(date_offset{}).whole(), playbooks);
}
instant in_year(const compiled_date& c, const value& date, int years, const time_zone& local, const time_zone& playbooks) {
    if (date.type == value_type::instant && !c.at) return of_instant(c, date.as_instant(), years, playbooks);
    return of_day(c, date.type == value_type::instant ? local_day(date.as_instant(), local) : date.as_day(), years, local);
}
bool is_date(const value& v) { return v.type == value_type::day || v.type == value_type::instant; }

}  // namespace

instant end_of_local_wait(const wait_step& w, instant t, const time_zone& local) {
    const day today = local_day(t, local);
    for (day d = today + std::chrono::days{w.days.value_or(0)};; d += std::chrono::days{1}) {
        if (!w.on.empty() && std::find(w.on.begin(), w.on.end(), std::chrono::weekday{d}) == w.on.end()) continue;
        const instant at = local.to_instant(local_instant{d} + std::chrono::minutes{w.until.value_or(time_of_day{}).minutes});
        if (at >= t) return at;
        if (!w.until && d == today) return t;
    }
}

instant instant_of(const compiled_date& c, const value& date, const time_zone& local, const time_zone& playbooks) { return is_date(date) ? in_year(c, date, 0, local, playbooks) : end_of_time; }

instant instant_of(const compiled_date& c, const value& date, const time_zone& local, const time_zone& playbooks, instant at_or_after) {
    if (!is_date(date)) return end_of_time;
    int years = 0;
    if (c.yearly) {
        const day first = date.type == value_type::instant ? local_day(date.as_instant(), local) : date.as_day();
        const auto year_of = [](day d) { return static_cast<int>(std::chrono::year_month_day{d}.year()); };
        const length by = c.offset.value_or(date_offset{}).whole();
        const int reach = 2 + std::abs(by.months) / 12 + static_cast<int>(std::abs(by.fixed.count()) / (365 * 86'400'000'000LL));
        years = std::max(0, year_of(local_day(std::clamp(at_or_after, earliest_instant, latest_instant), local)) - year_of(first) - reach);
    }
    for (;; ++years) {
        const instant at = in_year(c, date, years, local, playbooks);
        if (at >= at_or_after) return at;
        if (!c.yearly || years > 20'000) return end_of_time;
    }
}

}  // namespace journeyman
