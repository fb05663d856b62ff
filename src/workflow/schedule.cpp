// Schedule rules through libical; the library builds without it, and then says so.

#include <algorithm>
#include <mutex>

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

class ical_schedule final : public schedule_times {
public:
    ical_schedule(icalrecurrencetype rule, local_instant from, zone_ptr zone) : zone_{std::move(zone)}, rule_{rule} {
        if (!icaltime_is_null_time(rule_.until) && icaltime_is_utc(rule_.until))           // we count in local time
            rule_.until = to_ical(zone_->to_local(instant{from_ical(rule_.until).time_since_epoch()}));
        iterator_ = icalrecur_iterator_new(rule_, to_ical(from));
        if (iterator_ == nullptr) throw error{"workflow.schedule", "", "this rule and its `from` do not fit together"};
    }
    ~ical_schedule() override { icalrecur_iterator_free(iterator_); }
    ical_schedule(const ical_schedule&) = delete;
    ical_schedule& operator=(const ical_schedule&) = delete;

    [[nodiscard]] instant at_or_after(instant t) const override {
        const std::lock_guard lock{mutex_};
        // A day ahead: where clocks go forward, a later local time can be an earlier instant.
        while (!over_ && (known_.empty() || known_.back() < add_saturated(t, std::chrono::hours{26}))) {
            const icaltimetype next = icalrecur_iterator_next(iterator_);
            if (icaltime_is_null_time(next)) {
                over_ = true;
                break;
            }
            if (known_.size() >= most_instants) throw error{"limit.schedule", "", "a schedule rule has more than ten million instants; make it less frequent"};
            const instant at = zone_->to_instant(from_ical(next));
            const auto place = std::lower_bound(known_.begin(), known_.end(), at);
            if (place == known_.end() || *place != at) known_.insert(place, at);
        }
        const auto it = std::lower_bound(known_.begin(), known_.end(), t);
        return it == known_.end() ? end_of_time : *it;
    }

private:
    zone_ptr zone_;
    icalrecurrencetype rule_;
    icalrecur_iterator* iterator_;
    mutable std::mutex mutex_;
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
    const icalrecurrencetype parsed = icalrecurrencetype_from_string(rule.starts_with("RRULE:") ? rule.c_str() + 6 : rule.c_str());
    if (parsed.freq == ICAL_NO_RECURRENCE) throw error{"workflow.schedule", "schedule", "\"" + rule + "\" is no rule of RFC 5545; write one such as FREQ=WEEKLY;BYDAY=MO"};
    return std::make_shared<ical_schedule>(parsed, first, zone);
}

#else

std::shared_ptr<const schedule_times> make_schedule(const std::string&, const std::string&, const zone_ptr&) {
    throw error{"workflow.schedule", "schedule", "this build knows no schedule rules; build journeyman with libical (Debian: libical-dev)"};
}

#endif

}  // namespace journeyman
