"""Every change of offset of every zone from 2000 to 2037, against Python's own reading of the same tzdata; and rule T6 at each of them."""

import datetime
import zoneinfo

import journeyman as jm
import pyarrow as pa
import pytest
from journeyman import _core

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
START, END = datetime.datetime(2000, 1, 1, tzinfo=UTC), datetime.datetime(2038, 1, 1, tzinfo=UTC)
DAY, MICRO = datetime.timedelta(days=1), datetime.timedelta(microseconds=1)
DAYS = [START + k * DAY for k in range((END - START).days + 1)]
NAMES = sorted(zoneinfo.available_timezones() - {"Factory"})   # tzdata's name for "nobody has set a zone", which is no place's
PARTS = 4


def pythons(zone):
    """(first instant, offset before, offset from there on): a day at a time, then to the second between two days that differ."""
    changes, offsets = [], [d.astimezone(zone).utcoffset() for d in DAYS]
    for low, high, before, after in zip(DAYS, DAYS[1:], offsets, offsets[1:], strict=False):
        if before != after:
            while high - low > datetime.timedelta(seconds=1):
                middle = low + datetime.timedelta(seconds=(high - low).total_seconds() // 2)
                if middle.astimezone(zone).utcoffset() == before:
                    low = middle
                else:
                    high = middle
            changes.append((high, before, after))
    return changes


def ours(name):
    changes = [(EPOCH + datetime.timedelta(microseconds=at) if k else None, datetime.timedelta(microseconds=offset)) for k, (at, offset) in enumerate(_core._zone_changes(name))]
    return [(at, changes[k - 1][1], offset) for k, (at, offset) in enumerate(changes) if at is not None and START < at < END]


def readings(changes):
    """Local readings round each change, a microsecond to either side of what it leaves out or says twice."""
    for at, before, after in changes:
        first, second = sorted(((at + before).replace(tzinfo=None), (at + after).replace(tzinfo=None)))
        yield from (first - MICRO, first, first + (second - first) / 2, second - MICRO, second)


@pytest.mark.parametrize("part", range(PARTS))
def test_every_change_of_every_zone_and_local_readings_round_it(part):
    seen = 0
    for name in NAMES[part::PARTS]:
        zone = zoneinfo.ZoneInfo(name)
        changes = pythons(zone)
        assert ours(name) == changes, name
        local = list(readings(changes)) or [datetime.datetime(2026, 1, 1)]
        table = pa.table({"contact_id": ["c"] * len(local), "event": ["e"] * len(local), "timestamp": pa.array(local, pa.timestamp("us")), "n": range(len(local))})
        read = {e["n"]: e["timestamp"] for e in jm.History(events=table, timezone=name).events().to_pylist()}
        # PEP 495: fold=0 takes the first of two, and the offset before a gap, which moves a reading in it forward. That is T6.
        assert read == {n: x.replace(tzinfo=zone, fold=0).astimezone(UTC) for n, x in enumerate(local)}, name
        seen += len(changes)
    assert seen > 2000
