#include "kpi/periods.hpp"

#include <algorithm>
#include <map>

namespace journeyman::detail {

std::optional<table_span> span_of(const std::optional<std::pair<instant, instant>>& seen, const kpi_options& o) {
    if ((!o.start || !o.end) && !seen) return {};
    const table_span s{o.start ? *o.start : seen->first, o.end ? *o.end : add_saturated(seen->second, microseconds{1}), seen ? std::optional{seen->first} : std::nullopt};
    if (s.begin < earliest_instant || s.end > add_saturated(latest_instant, microseconds{1})) throw error{"kpi.window", "", "start and end must lie between the years 0001 and 9999"};
    if (s.end <= s.begin) throw error{"kpi.window", "", "the end must be after the start: " + to_text(s.end) + " is not after " + to_text(s.begin)};
    return s;
}

std::optional<instant> written_instant(const std::string& text, const time_zone& zone) {
    day d;
    if (parse_day(text, d)) return start_of(d, zone);
    parsed_instant i;
    if (parse_instant(text, i) && i.had_zone) return i.at;
    return {};
}

std::uint32_t periods::add(period p) {
    earliest_ = std::min(earliest_, p.from);
    all_.push_back(p);
    return static_cast<std::uint32_t>(all_.size() - 1);
}

periods::periods(const kpi& k, const std::vector<campaign>& campaigns, const table_span& span, const time_zone& zone, week_start weeks) {
    constexpr std::size_t most = 1'000'000;
    const auto* relative = std::get_if<relative_target>(&k.target);
    const auto cut = [&](instant from, instant to) {
        return period{from, std::min(to, span.end), to > span.end};
    };
    if (k.period == kpi_period::campaign) {
        for (std::uint32_t c = 0; c < campaigns.size(); ++c) {
            const auto from = written_instant(campaigns[c].from, zone), to = written_instant(campaigns[c].to, zone);
            period p = cut(*from, *to);
            p.campaign = c;
            others_.push_back(add(p));
        }
        rows_ = all_.size();
    } else {
        const auto unit = static_cast<calendar_unit>(*k.period);
        const auto day_of = [&](instant t) { return std::chrono::floor<std::chrono::days>(zone.to_local(t)); };
        std::map<day, std::uint32_t> by_day;
        for (day d = start_of(unit, day_of(span.begin), weeks); start_of(d, zone) < span.end; d = start_of_next(unit, d, 1, weeks)) {
            if (all_.size() == most) throw error{"kpi.limit", k.name, "more than a million periods between start and end; choose a longer `every` or a shorter span"};
            by_day[d] = add(cut(start_of(d, zone), start_of(start_of_next(unit, d, 1, weeks), zone)));
        }
        rows_ = all_.size();
        if (relative != nullptr && relative->from != relative_target::span) {
            const auto rows = by_day;
            for (const auto& [d, row] : rows) {
                day before = start_of_next(unit, d, -1, weeks);
                if (relative->from == relative_target::last_year) {
                    before = unit == calendar_unit::week ? day{d - std::chrono::days{364}} : day{std::chrono::floor<std::chrono::days>(add_months(local_instant{d}, -12))};
                }
                auto it = by_day.find(before);
                if (it == by_day.end()) {
                    period p = cut(start_of(before, zone), start_of(start_of_next(unit, before, 1, weeks), zone));
                    p.row = false;
                    it = by_day.emplace(before, add(p)).first;
                }
                if (span.first && all_[it->second].to > *span.first) all_[row].compared = it->second;
            }
        }
        for (const auto& [d, index] : by_day) {
            calendar_.push_back(index);
            bounds_.push_back(all_[index].from.time_since_epoch().count());
            bounds_.push_back(all_[index].to.time_since_epoch().count());
        }
        // About four hints a period, so that the one asked for is a step away.
        const std::size_t n = calendar_.size();
        while (n != 0 && ((bounds_.back() - bounds_.front()) >> hint_shift_) > static_cast<std::int64_t>(4 * n)) ++hint_shift_;
        for (std::size_t p = 0, h = 0; n != 0 && h <= 4 * n; ++h) {
            while (p + 1 < n && bounds_.front() + (static_cast<std::int64_t>(h) << hint_shift_) >= bounds_[2 * p + 1]) ++p;
            hints_.push_back(static_cast<std::uint32_t>(p));
        }
    }
    if (relative != nullptr && relative->from == relative_target::span) {
        period p = cut(*written_instant(relative->start, zone), *written_instant(relative->end, zone));
        p.row = false;
        if (p.to > p.from) {
            const auto index = add(p);
            others_.push_back(index);
            if (span.first && p.to > *span.first)
                for (std::size_t r = 0; r < rows_; ++r) all_[r].compared = index;
        }
    }
}

}  // namespace journeyman::detail
