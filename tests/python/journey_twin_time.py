"""Local time for journey_twin.py, by zoneinfo and datetime alone (design T1, T3, T6, W5)."""

import calendar
import datetime
import re
import zoneinfo

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
MICRO = datetime.timedelta(microseconds=1)
SECOND = 1_000_000
FIXED = {"us": 1, "ms": 1000, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND, "d": 86400 * SECOND, "w": 7 * 86400 * SECOND}
MONTHS = {"mo": 1, "q": 3, "y": 12}
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAY = FIXED["d"]


class Instant(int):
    """Microseconds since the epoch."""


class Length(int):
    """Microseconds between two instants."""


class Duration:
    """A number and a unit, as written."""

    def __init__(self, text):
        sign, n, self.unit = re.fullmatch(r"([+-]?)(\d+)(us|ms|mo|s|m|h|d|w|q|y)", text).groups()
        self.n = -int(n) if sign == "-" else int(n)

    def __neg__(self):
        return Duration(f"{'' if self.n < 0 else '-'}{abs(self.n)}{self.unit}")

    def length(self):
        return Length(self.n * FIXED[self.unit])


def micros(moment):
    return Instant((moment - EPOCH) // MICRO)


def read_instant(text):
    return micros(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")))


def moment(t):
    return EPOCH + int(t) * MICRO


def local(t, zone):
    """The clock there, without its zone."""
    return moment(t).astimezone(zoneinfo.ZoneInfo(zone)).replace(tzinfo=None)


def instant(clock, zone):
    """T6: a time that does not exist moves forward by the gap, of two the first; fold=0 is both."""
    return micros(clock.replace(tzinfo=zoneinfo.ZoneInfo(zone), fold=0).astimezone(UTC))


def at(day, time_of_day, zone):
    return instant(datetime.datetime.combine(day, time_of_day), zone)


def clock(text):
    return datetime.time.fromisoformat(text) if text else datetime.time()


def months_on(day, months):
    """A date or datetime, clamped at the month's end."""
    n = day.year * 12 + day.month - 1 + months
    year, month = n // 12, n % 12 + 1
    return day.replace(year=year, month=month, day=min(day.day, calendar.monthrange(year, month)[1]))


def plus(t, duration, zone):
    """T3: d is 24 hours; mo, q, y are calendar units in the zone given."""
    if duration.unit in FIXED:
        return Instant(t + duration.n * FIXED[duration.unit])
    return instant(months_on(local(t, zone), duration.n * MONTHS[duration.unit]), zone)


def day_plus(day, duration, time_of_day, zone):
    """A local day moved by an offset, at a time of day: days, weeks and longer move the calendar, hours and shorter are added after."""
    if duration is None:
        return at(day, time_of_day, zone)
    if duration.unit in MONTHS:
        return at(months_on(day, duration.n * MONTHS[duration.unit]), time_of_day, zone)
    if duration.unit in "dw":
        return at(day + datetime.timedelta(days=duration.n * (7 if duration.unit == "w" else 1)), time_of_day, zone)
    return Instant(at(day, time_of_day, zone) + duration.length())


def date_plus(x, offset, at_text, contact_zone, playbook_zone):
    """When a date wait or trigger is due: `x` a day or an instant."""
    offset = Duration(offset) if offset else None
    if isinstance(x, Instant) and not at_text:
        return plus(x, offset, playbook_zone) if offset else x
    day = local(x, contact_zone).date() if isinstance(x, Instant) else x
    return day_plus(day, offset, clock(at_text), contact_zone)


def wait_until(wait, t, zone):
    """W5: until, on, days. The first instant at that time of day, on one of those weekdays, at least so many calendar days on."""
    time_of_day, days = clock(wait.get("until")), wait.get("days", 0)
    now = local(t, zone)
    if "until" not in wait and days == 0 and ("on" not in wait or WEEKDAYS[now.weekday()] in wait["on"]):
        return t
    day = now.date() + datetime.timedelta(days=days)
    while True:
        due = at(day, time_of_day, zone)
        if due >= t and ("on" not in wait or WEEKDAYS[day.weekday()] in wait["on"]):
            return due
        day += datetime.timedelta(days=1)


def unit_start(unit, day, week_starts="monday"):
    if unit == "week":
        return day - datetime.timedelta(days=(day.weekday() + (1 if week_starts == "sunday" else 0)) % 7)
    if unit == "month":
        return day.replace(day=1)
    if unit == "quarter":
        return day.replace(day=1, month=(day.month - 1) // 3 * 3 + 1)
    if unit == "year":
        return day.replace(day=1, month=1)
    return day


def unit_next(unit, day, n=1):
    if unit in ("day", "week"):
        return day + datetime.timedelta(days=n * (7 if unit == "week" else 1))
    return months_on(day, n * {"month": 1, "quarter": 3, "year": 12}[unit])


def period(unit, t, zone, which=0, week_starts="monday"):
    """[from, to) of this (0) or the previous (-1) calendar unit."""
    first = unit_next(unit, unit_start(unit, local(t, zone).date(), week_starts), which)
    return at(first, datetime.time(), zone), at(unit_next(unit, first), datetime.time(), zone)


def quiet_until(rule, t, zone):
    """The end of the quiet interval [from, to) that holds t, or None. `on` are the weekdays on which it begins."""
    today = local(t, zone).date()
    for back in range(3):
        day = today - datetime.timedelta(days=back)
        if "on" in rule and WEEKDAYS[day.weekday()] not in rule["on"]:
            continue
        begins, ends = clock(rule["from"]), clock(rule["to"])
        end = at(day + datetime.timedelta(days=1) if ends <= begins else day, ends, zone)
        if at(day, begins, zone) <= t < end:
            return end
    return None
