"""Random schedule rules against dateutil, in zones whose clocks change."""

import datetime
import itertools
import random

import journeyman as jm
from dateutil import rrule
from journey_twin_time import instant, micros, moment

DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


def random_rule(rng):
    often = rng.choice(["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY"])
    parts, maybe = [f"FREQ={often}"], lambda p: rng.random() < p
    if maybe(0.4):
        parts.append(f"INTERVAL={rng.randrange(1, 5) * (7 if often == 'MINUTELY' else 1)}")
    if often in ("YEARLY", "MONTHLY", "DAILY") and maybe(0.3):
        parts.append("BYMONTH=" + ",".join(map(str, sorted(rng.sample(range(1, 13), 2)))))
    numbered = maybe(0.5)   # dateutil takes numbered and plain days together for none
    if often in ("YEARLY", "MONTHLY") and maybe(0.5):
        parts.append("BYDAY=" + ",".join((rng.choice(["1", "-1", "2"]) if numbered else "") + d for d in rng.sample(DAYS, 2)))
    elif often in ("YEARLY", "MONTHLY") and maybe(0.6):
        parts.append("BYMONTHDAY=" + ",".join(map(str, rng.sample([1, 13, 15, 28, 29, 30, 31, -1, -2], 2))))
    elif often in ("WEEKLY", "DAILY", "HOURLY") and maybe(0.6):
        parts.append("BYDAY=" + ",".join(rng.sample(DAYS, rng.randrange(1, 4))))
    if often not in ("HOURLY", "MINUTELY") and maybe(0.3):
        parts.append("BYHOUR=" + ",".join(map(str, sorted(rng.sample(range(24), 2)))))
    if often in ("DAILY", "HOURLY") and maybe(0.3):
        parts.append("BYMINUTE=" + ",".join(map(str, sorted(rng.sample(range(60), 2)))))
    if len(parts) > 2 and often in ("YEARLY", "MONTHLY", "DAILY") and maybe(0.4):   # of a week dateutil begins the first set at its start
        parts.append("BYSETPOS=" + rng.choice(["1", "-1", "2", "1,-1"]))
    if maybe(0.3):
        parts.append("WKST=" + rng.choice(["SU", "MO"]))
    if maybe(0.5):
        parts.append(rng.choice([f"COUNT={rng.randrange(1, 9)}", f"UNTIL=2026{rng.randrange(3, 12):02d}{rng.randrange(1, 29):02d}T{rng.randrange(24):02d}0000"]))
    return ";".join(parts)


def test_rules_agree_with_dateutil():
    history = jm.History.from_records([{"type": "identify", "userId": "anna", "timestamp": "2000-01-01T00:00:00Z", "traits": {"x": 1}}])
    began = 0
    for seed in range(150):
        rng = random.Random(seed)
        rule, zone = random_rule(rng), rng.choice(["UTC", "Europe/Rome", "America/New_York", "Australia/Lord_Howe"])
        start = datetime.datetime(2026, rng.randrange(1, 5), rng.randrange(1, 29), *rng.choice([(9, 0), (2, 30), (0, 0), (23, 45)]))
        until = start + datetime.timedelta(days=4 if "HOURLY" in rule or "MINUTELY" in rule else 400)
        locals_ = itertools.takewhile(lambda t, until=until: t <= until + datetime.timedelta(days=2), rrule.rrulestr(rule, dtstart=start))
        expected = sorted({t for t in (instant(c, zone) for c in locals_) if t <= instant(until, zone)})
        book = jm.Playbook.from_dict({"timezone": zone, "workflows": {"w": {
            "trigger": {"schedule": rule, "from": start.isoformat()}, "reentry": "after_exit", "first": "hello", "steps": {"hello": {"send": "email"}}}}})  # fmt: skip
        run = book.replay(history, start="2025-12-01T00:00:00Z", until=moment(instant(until, zone)))
        assert [micros(t) for t in run.actions.to_arrow()["at"].to_pylist()] == expected, f"{rule} from {start} in {zone}"
        began += bool(expected)
    assert began > 100
