#pragma once
// Waits and dates in the contact's local time (W5, T6, T7).

#include "journeyman/core/zone.hpp"
#include "journeyman/workflow/compiled.hpp"

namespace journeyman {

/// The end of `{until, on, days}` counted from `t`: the first instant at or after it that fits; a weekday, or days, alone mean the start of the day, or at once on that day.
instant end_of_local_wait(const wait_step&, instant t, const time_zone& local);

/// What a date stands for; `end_of_time` when it is missing. Offsets in whole days and months move the calendar day, what is left of them is added after.
instant instant_of(const compiled_date&, const value& date, const time_zone& local, const time_zone& playbooks);
/// Of a yearly date: the first at or after `t`, from the year of the date on; 29 February is the 28th in other years. Of any other: it, when it is not before `t`.
instant instant_of(const compiled_date&, const value& date, const time_zone& local, const time_zone& playbooks, instant at_or_after);

/// An RFC 5545 rule whose local times are of `zone`; `from`: the local time of the first, "2026-01-05T09:00". Throws `error` (code `workflow.schedule`).
std::shared_ptr<const schedule_times> make_schedule(const std::string& rule, const std::string& from, const zone_ptr& zone);

}  // namespace journeyman
