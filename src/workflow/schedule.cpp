// Schedule rules through libical; the library builds without it, and then says so.

#include <algorithm>
#include <cctype>
#include <mutex>
#include <optional>
#include <set>

#include "journeyman/core/error.hpp"
#include "workflow/calendar.hpp"

#ifdef JOURNEYMAN_HAS_ICAL
#include <libical/ical.h>
#endif

namespace journeyman {

#ifdef JOURNEYMAN_HAS_ICAL
namespace {

constexpr std::size_t most_instants = 10'000'000;

icaltimetype to_ical(local_instant l) {
    const auto d = std::chrono::floor<std::chrono::days>(l);
    const std::chrono::year_month_day ymd{d};
    const std::chrono::hh_mm_ss time{std::chrono::floor<std::chrono::seconds>(l - d)};
    icaltimetype t = icaltime_null_time();
    t.year = static_cast<int>(ymd.year());
    t.month = static_cast<int>(static_cast<unsigned>(ymd.month()));
    t.day = static_cast<int>(static_cast<unsigned>(ymd.day()));
    t.hour = static_cast<int>(time.hours().count());
    t.minute = static_cast<int>(time.minutes().count());
    t.second = static_cast<int>(time.seconds().count());
    return t;
}
local_instant from_ical(const icaltimetype& t) {
    const day d{std::chrono::year{t.year} / t.month / t.day};
    return local_instant{d} + std::chrono::hours{t.hour} + std::chrono::minutes{t.minute} + std::chrono::seconds{t.second};
}

/// A rule taken apart: NAME=VALUE, in the order written.
using rule_parts = std::vector<std::pair<std::string, std::string>>;
rule_parts parts_of(std::string_view rule) {
    rule_parts out;
    while (!rule.empty()) {
        const auto part = rule.substr(0, rule.find(';'));
        const auto sign = std::min(part.find('='), part.size());
        std::string name{part.substr(0, sign)};
        for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        out.emplace_back(std::move(name), part.substr(std::min(sign + 1, part.size())));
        rule.remove_prefix(std::min(part.size() + 1, rule.size()));
    }
    return out;
}
bool has(const rule_parts& parts, std::string_view name) {
    return std::any_of(parts.begin(), parts.end(), [&](const auto& p) { return p.first == name; });
}
icalrecurrencetype read(const rule_parts& parts) {
    std::string text;
    for (const auto& [name, value] : parts) text += (text.empty() ? "" : ";") + name + "=" + value;
    return icalrecurrencetype_from_string(text.c_str());
}

/// The local times of a rule, in order. libical takes BYSETPOS only for the days of months and years, BYMONTHDAY in a year only for the month of `from`, and
/// mistakes the first week where `from` is not its first day: the first is done here, over all instants of each period (from its beginning, also before `from`),
/// the second is said to it in full, and weeks are begun with their first day.
class local_times {
public:
    local_times(const std::string& rule, local_instant from, const time_zone& zone) : from_{from} {
        auto parts = parts_of(rule);
        rule_ = read(parts);
        if (rule_.freq == ICAL_NO_RECURRENCE) throw error{"workflow.schedule", "schedule", "\"" + rule + "\" is no rule of RFC 5545; write one such as FREQ=WEEKLY;BYDAY=MO"};
        const auto is_yearly = rule_.freq == ICAL_YEARLY_RECURRENCE;
        if (!icaltime_is_null_time(rule_.until)) {
            until_ = from_ical(rule_.until);
            if (icaltime_is_utc(rule_.until)) until_ = zone.to_local(instant{until_.time_since_epoch()});   // we count in local time
        }
        if (rule_.count > 0) left_ = rule_.count;
        for (const short p : rule_.by_set_pos) {
            if (p == ICAL_RECURRENCE_ARRAY_MAX) break;
            positions_.push_back(p);
        }
        week_start_ = rule_.week_start == ICAL_NO_WEEKDAY ? 1 : static_cast<int>(rule_.week_start) - 1;
        std::erase_if(parts, [](const auto& p) { return p.first == "COUNT" || p.first == "UNTIL" || p.first == "BYSETPOS"; });
        const auto begins = positions_.empty() && rule_.freq != ICAL_WEEKLY_RECURRENCE ? from : fill(parts, from);
        if (is_yearly && has(parts, "BYMONTHDAY") && !has(parts, "BYMONTH") && !has(parts, "BYWEEKNO") && !has(parts, "BYYEARDAY")) parts.emplace_back("BYMONTH", "1,2,3,4,5,6,7,8,9,10,11,12");
        rule_ = read(parts);
        iterator_ = icalrecur_iterator_new(rule_, to_ical(begins));
        if (iterator_ == nullptr) throw error{"workflow.schedule", "", "this rule and its `from` do not fit together"};
    }
    ~local_times() { icalrecur_iterator_free(iterator_); }
    local_times(const local_times&) = delete;
    local_times& operator=(const local_times&) = delete;

    std::optional<local_instant> next() {
        const auto found = left_ == 0 ? std::nullopt : positions_.empty() ? raw() : chosen();
        if (!found || *found > until_) return left_ = 0, std::nullopt;
        if (left_ > 0) --left_;
        return found;
    }

private:
    /// Says what follows from `from` alone, so that the rule can begin with the period that holds it; when that is.
    local_instant fill(rule_parts& parts, local_instant from) const {
        const icaltimetype t = to_ical(from);
        const auto put = [&](const char* name, const std::string& value) { if (!has(parts, name)) parts.emplace_back(name, value); };
        static constexpr const char* days[] = {"SU", "MO", "TU", "WE", "TH", "FR", "SA"};
        const auto today = std::chrono::floor<std::chrono::days>(from);
        const std::string weekday = days[std::chrono::weekday{today}.c_encoding()];
        const bool by_day = has(parts, "BYDAY") || has(parts, "BYMONTHDAY") || has(parts, "BYYEARDAY");
        switch (rule_.freq) {
            case ICAL_YEARLY_RECURRENCE:
                if (has(parts, "BYWEEKNO")) put("BYDAY", weekday);
                else if (!by_day) {
                    put("BYMONTH", std::to_string(t.month));
                    put("BYMONTHDAY", std::to_string(t.day));
                }
                break;
            case ICAL_MONTHLY_RECURRENCE: if (!by_day) put("BYMONTHDAY", std::to_string(t.day)); break;
            case ICAL_WEEKLY_RECURRENCE: put("BYDAY", weekday); break;
            default: break;
        }
        if (rule_.freq >= ICAL_DAILY_RECURRENCE) put("BYHOUR", std::to_string(t.hour));
        if (rule_.freq >= ICAL_HOURLY_RECURRENCE) put("BYMINUTE", std::to_string(t.minute));
        if (rule_.freq >= ICAL_MINUTELY_RECURRENCE) put("BYSECOND", std::to_string(t.second));
        const std::chrono::year_month_day date{today};
        switch (rule_.freq) {
            case ICAL_YEARLY_RECURRENCE: return std::chrono::local_days{date.year() / 1 / 1};
            case ICAL_MONTHLY_RECURRENCE: return std::chrono::local_days{date.year() / date.month() / 1};
            case ICAL_WEEKLY_RECURRENCE: return first_of_week(today);
            case ICAL_DAILY_RECURRENCE: return today;
            case ICAL_HOURLY_RECURRENCE: return std::chrono::floor<std::chrono::hours>(from);
            case ICAL_MINUTELY_RECURRENCE: return std::chrono::floor<std::chrono::minutes>(from);
            default: return from;
        }
    }
    /// The first day of the rule in the week of a day: libical looks for it backwards from any other.
    day first_of_week(day today) const {
        const auto number = [](day d) { return static_cast<int>(std::chrono::weekday{d}.c_encoding()); };
        const day begins = today - std::chrono::days{(number(today) - week_start_ + 7) % 7};
        for (int k = 0; k < 7; ++k)
            for (const short d : rule_.by_day) {
                if (d == ICAL_RECURRENCE_ARRAY_MAX) break;
                if (static_cast<int>(icalrecurrencetype_day_day_of_week(d)) - 1 == number(begins + std::chrono::days{k})) return begins + std::chrono::days{k};
            }
        return today;
    }
    /// The number of the period of the rule that holds a time.
    std::int64_t period(local_instant t) const {
        const auto since = t.time_since_epoch();
        const day d{std::chrono::floor<std::chrono::days>(t)};
        const std::chrono::year_month_day date{d};
        switch (rule_.freq) {
            case ICAL_YEARLY_RECURRENCE: return static_cast<int>(date.year());
            case ICAL_MONTHLY_RECURRENCE: return static_cast<int>(date.year()) * 12 + static_cast<int>(static_cast<unsigned>(date.month()));
            case ICAL_WEEKLY_RECURRENCE: return std::chrono::floor<std::chrono::weeks>(since + std::chrono::days{4 - week_start_}).count();   // 1 January 1970 was a Thursday
            case ICAL_DAILY_RECURRENCE: return std::chrono::floor<std::chrono::days>(since).count();
            case ICAL_HOURLY_RECURRENCE: return std::chrono::floor<std::chrono::hours>(since).count();
            case ICAL_MINUTELY_RECURRENCE: return std::chrono::floor<std::chrono::minutes>(since).count();
            default: return since.count();
        }
    }
    std::optional<local_instant> raw() {
        for (;;) {
            if (++asked_ > most_instants) throw error{"limit.schedule", "", "a schedule rule has more than ten million instants; make it less frequent"};
            const icaltimetype next = icalrecur_iterator_next(iterator_);
            if (icaltime_is_null_time(next)) return std::nullopt;
            if (!positions_.empty() || from_ical(next) >= from_) return from_ical(next);
        }
    }
    /// What BYSETPOS takes of each period.
    std::optional<local_instant> chosen() {
        while (taken_.empty()) {
            if (!ahead_) ahead_ = raw();
            if (!ahead_) return std::nullopt;
            std::vector<local_instant> all;
            for (const auto now = period(*ahead_); ahead_ && period(*ahead_) == now; ahead_ = raw()) all.push_back(*ahead_);
            std::set<local_instant> those;
            for (const int p : positions_) {
                const auto k = p > 0 ? p - 1 : static_cast<int>(all.size()) + p;
                if (k >= 0 && k < static_cast<int>(all.size()) && all[static_cast<std::size_t>(k)] >= from_) those.insert(all[static_cast<std::size_t>(k)]);
            }
            taken_.assign(those.begin(), those.end());
        }
        const auto first = taken_.front();
        taken_.erase(taken_.begin());
        return first;
    }

    local_instant from_, until_ = local_instant::max();
    icalrecurrencetype rule_;
    icalrecur_iterator* iterator_ = nullptr;
    int left_ = -1, week_start_ = 1;                       // as c_encoding counts weekdays
    std::size_t asked_ = 0;
    std::vector<int> positions_;
    std::optional<local_instant> ahead_;
    std::vector<local_instant> taken_;
};

class ical_schedule final : public schedule_times {
public:
    ical_schedule(const std::string& rule, local_instant from, zone_ptr zone) : zone_{std::move(zone)}, locals_{rule, from, *zone_} {}

    [[nodiscard]] instant at_or_after(instant t) const override {
        const std::lock_guard lock{mutex_};
        const auto found = [&] { return std::lower_bound(known_.begin(), known_.end(), t); };
        // Until a day behind what is found: where clocks go forward, a later local time can be an earlier instant.
        while (!over_ && (found() == known_.end() || known_.back() < add_saturated(*found(), std::chrono::hours{26}))) {
            const auto next = locals_.next();
            if (!next) {
                over_ = true;
                break;
            }
            const instant at = zone_->to_instant(*next);
            const auto place = std::lower_bound(known_.begin(), known_.end(), at);
            if (place == known_.end() || *place != at) known_.insert(place, at);
        }
        const auto it = found();
        return it == known_.end() ? end_of_time : *it;
    }

private:
    zone_ptr zone_;
    mutable std::mutex mutex_;
    mutable local_times locals_;
    mutable std::vector<instant> known_;
    mutable bool over_ = false;
};

}  // namespace

std::shared_ptr<const schedule_times> make_schedule(const std::string& rule, const std::string& from, const zone_ptr& zone) {
    parsed_instant begins;
    day only_day;
    local_instant first;
    if (parse_day(from, only_day)) first = local_instant{only_day};
    else if (parse_instant(from, begins)) first = begins.had_zone ? zone->to_local(begins.at) : local_instant{begins.at.time_since_epoch()};
    else throw error{"workflow.schedule", "from", "\"" + from + "\" is no local time; write it as 2026-01-05T09:00"};
    return std::make_shared<ical_schedule>(rule.starts_with("RRULE:") ? rule.substr(6) : rule, first, zone);
}

#else

std::shared_ptr<const schedule_times> make_schedule(const std::string&, const std::string&, const zone_ptr&) {
    throw error{"workflow.schedule", "schedule", "this build knows no schedule rules; build journeyman with libical (Debian: libical-dev)"};
}

#endif

}  // namespace journeyman
