"""Predicates for journey_twin.py: tree → yes, no or unknown (None), as design §5 says them. Slow and plain.

`evaluate(tree, now)` asks a `Now`: one contact at one instant, with the journey that asks (or None).
Trees are those of journey_twin_text.py.
"""

import datetime
import re

from journey_twin_text import AGGREGATES
from journey_twin_time import Duration, Instant, Length, at, local, period, plus, read_instant


# --- values -----------------------------------------------------------------------------------------------------------
def typed(x):
    """JSON's texts of the shape of a day or an instant are one."""
    if isinstance(x, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", x):
        return datetime.date.fromisoformat(x)
    if isinstance(x, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT.*Z", x):
        return read_instant(x)
    return x


def alike(a, b, now):
    """Two values that can be compared: texts become days and instants, days instants, durations lengths."""
    for x, y in ((a, b), (b, a)):
        if isinstance(x, Instant) and not isinstance(y, Instant):
            y = datetime.date.fromisoformat(y) if isinstance(y, str) and len(y) == 10 else y
            y = at(y, datetime.time(), now.zone) if isinstance(y, datetime.date) else read_instant(y)
            return (x, y) if x is a else (y, x)
        if isinstance(x, datetime.date) and isinstance(y, str):
            y = datetime.date.fromisoformat(y)
            return (x, y) if x is a else (y, x)
        if isinstance(x, Length) and isinstance(y, Duration):
            return (x, y.length()) if x is a else (y.length(), x)
    return a, b


def compare(word, a, b, now):
    if a is None or b is None:
        return None
    a, b = alike(a, b, now)
    if word == "==":
        return a == b
    if word == "!=":
        return a != b
    return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[word]


def arithmetic(word, a, b, now):
    if a is None or b is None:
        return None
    if isinstance(b, Duration) and isinstance(a, Instant):
        return plus(a, b if word == "+" else -b, now.zone)
    if isinstance(a, Instant) and word == "-":
        a, b = alike(a, b, now)
        return Length(a - b)
    if word == "/":
        return None if b == 0 else a / b
    return {"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b}[word]()


def named(pattern, name):
    if name.startswith("$"):
        return pattern == name
    if pattern == "any":
        return True
    if pattern.endswith("\\*"):
        return name == pattern[:-2] + "*"
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


# --- evaluation -------------------------------------------------------------------------------------------------------
def matches(selector, event, now):
    """Name and filter alone."""
    return named(selector["event"], event.name) and ("where" not in selector or evaluate(selector["where"], now.about(event)) is True)


def alone_from(selector, event, now):
    """When `A without B` begins to count for this A: an instant, or None if it does not."""
    other = selector["without"]
    key = event.properties.get(other["on"])
    if key is None:
        return None
    until = plus(event.at, other["within"], now.zone) if other["within"] else None
    for e in now.events():
        after = (e.at, e.place) > (event.at, event.place)
        if after and matches(other, e, now) and e.properties.get(other["on"]) == key and (until is None or e.at <= until):
            return None
    return event.at if until is None else until


def in_window(window, now):
    """A function event → whether it lies in the window; None where that is unknown."""
    word = window[0]
    if word == "last":
        return lambda e: now.t < plus(e.at, window[1], now.zone)
    if word in ("this", "previous"):
        low, high = period(window[1], now.t, now.zone, 0 if word == "this" else -1, now.week_starts)
        return lambda e: low <= e.at < high
    if word in ("since_entry", "since_step"):
        reached = now.entry() if word == "since_entry" else now.reached(window[1])
        if reached is None:
            return None
        return lambda e: e.at >= reached[0] and e.place >= reached[1]
    ends = [evaluate(x, now) for x in window[1:]]
    if None in ends:
        return None
    ends = [alike(Instant(0), x, now)[1] for x in ends]
    if word == "since":
        return lambda e: e.at >= ends[0]
    if word == "before":
        return lambda e: e.at < ends[0]
    return lambda e: ends[0] <= e.at < ends[1]


def selected(selector, now):
    """The events it selects, in order; None where the window is unknown."""
    holds = in_window(selector["window"], now) if "window" in selector else lambda e: True
    if holds is None:
        return None
    out = []
    for e in now.events():
        if holds(e) and matches(selector, e, now):
            if "without" in selector:
                begins = alone_from(selector, e, now)
                if begins is None or now.t < begins:
                    continue
            out.append(e)
    return out


def aggregate(word, selector, now):
    events = selected(selector, now)
    if events is None:
        return None
    if word in ("count", "did", "never"):
        return {"count": len(events), "did": bool(events), "never": not events}[word]
    if word in ("first_time", "last_time"):
        return events[0 if word == "first_time" else -1].at if events else None
    if word in ("first", "last"):
        return events[0 if word == "first" else -1].properties.get(selector["property"]) if events else None
    values = [e.properties[selector["property"]] for e in events if e.properties.get(selector["property"]) is not None]
    if word == "sum":
        return sum(values)
    if word == "distinct":
        return len(set(values))
    if not values:
        return None
    return {"avg": sum(values) / len(values), "min": min(values), "max": max(values)}[word]


def chained(parts, within, now):
    """Distinct events in order, any start; the window from the first, its end included."""
    events = now.events()

    def goes_on(k, place, end):
        if k == len(parts):
            return True
        return any(matches(parts[k], e, now) and (end is None or e.at <= end) and goes_on(k + 1, i + 1, end) for i, e in enumerate(events[place:], place))

    for i, e in enumerate(events):
        if matches(parts[0], e, now) and goes_on(1, i + 1, plus(e.at, within, now.zone) if within else None):
            return True
    return False


def evaluate(x, now):
    word = x[0]
    if word == "literal":
        return x[1]
    if word in AGGREGATES:
        return aggregate(word, x[1], now)
    if word in ("and", "or"):
        a, b = evaluate(x[1], now), evaluate(x[2], now)
        decides = word == "or"
        if a is decides or b is decides:
            return decides
        return None if a is None or b is None else not decides
    if word == "not":
        a = evaluate(x[1], now)
        return None if a is None else not a
    if word in ("==", "!=", "<", "<=", ">", ">="):
        return compare(word, evaluate(x[1], now), evaluate(x[2], now), now)
    if word in ("+", "-", "*", "/"):
        return arithmetic(word, evaluate(x[1], now), evaluate(x[2], now), now)
    if word == "in":
        a = evaluate(x[1], now)
        return None if a is None else a in evaluate(x[2], now)
    return FUNCTIONS[word](x, now)


def clock_part(part):
    def read(x, now):
        t = evaluate(x[1], now)
        if t is None:
            return None
        return part(local(t, now.contact_zone()) if isinstance(t, Instant) else t)

    return read


FUNCTIONS = {
    "now": lambda x, now: now.t,
    "attr": lambda x, now: now.attribute(x[1]),
    "prop": lambda x, now: now.event.properties.get(x[1]),
    "trigger": lambda x, now: now.trigger(x[1]),
    "event.time": lambda x, now: now.event.at,
    "event.name": lambda x, now: now.event.name,
    "sequence": lambda x, now: chained(x[1], x[2], now),
    "exists": lambda x, now: evaluate(x[1], now) is not None,
    "missing": lambda x, now: evaluate(x[1], now) is None,
    "coalesce": lambda x, now: next((v for v in (evaluate(y, now) for y in x[1:]) if v is not None), None),
    "if": lambda x, now: evaluate(x[2] if evaluate(x[1], now) is True else x[3], now),
    "segment": lambda x, now: now.segment(x[1][1]),
    "consent": lambda x, now: now.consent(x[1][1]),
    "bucket": lambda x, now: now.bucket(x[1][1]),
    "first_ever": lambda x, now: next((e for e in now.events() if evaluate(x[1], now.about(e)) is True), None) is now.event,
    "changed_time": lambda x, now: now.changed_time(x[1][1]),
    "start_of": lambda x, now: period(x[1], evaluate(x[2], now), now.zone, 0, now.week_starts)[0],
    "weekday": clock_part(lambda c: c.isoweekday()),
    "hour": clock_part(lambda c: c.hour),
    "day": clock_part(lambda c: c.day),
    "month": clock_part(lambda c: c.month),
}
