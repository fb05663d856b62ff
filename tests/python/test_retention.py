"""Retention against brute force over contacts and intervals; the examples of the help."""

import datetime
import doctest
import math
import random
import zoneinfo

import journeyman as jm
import pytest

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(2026, 1, 31, 12, tzinfo=UTC)
CASES = 300


def beginning(t, every, zone, sunday):
    """The beginning of the calendar interval that holds t, and a function to the k-th after it."""
    local = t.astimezone(zone)
    if every == "hour":
        first = t - datetime.timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        return lambda k: first + datetime.timedelta(hours=k)
    day = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    if every == "week":
        day -= datetime.timedelta(days=(day.weekday() + (1 if sunday else 0)) % 7)
    if every == "month":
        day = day.replace(day=1)
        months = lambda k: day.replace(year=day.year + (day.month - 1 + k) // 12, month=(day.month - 1 + k) % 12 + 1)   # noqa: E731
        return lambda k: months(k).replace(tzinfo=zone).astimezone(UTC)
    step = datetime.timedelta(days=7 if every == "week" else 1)
    return lambda k: (day + k * step).replace(tzinfo=zone).astimezone(UTC)


def own(start, every, zone):
    if every != "month":
        return lambda k: start + k * {"hour": datetime.timedelta(hours=1), "day": datetime.timedelta(days=1), "week": datetime.timedelta(days=7)}[every]
    local = start.astimezone(zone).replace(tzinfo=None)

    def month(k):
        year, m = local.year + (local.month - 1 + k) // 12, (local.month - 1 + k) % 12 + 1
        last = (datetime.date(year + m // 12, m % 12 + 1, 1) - datetime.timedelta(days=1)).day
        return local.replace(year=year, month=m, day=min(local.day, last)).replace(tzinfo=zone).astimezone(UTC)

    return month


def naive(people, r, end, group=None):
    """cohort → (size, again, [(contacts, matured, active and matured, events, sum)]); of a group those whose first start in range is of it."""
    zone = zoneinfo.ZoneInfo(r["timezone"])
    begin = beginning(r["from"], r["every"], zone, r["week_start"] == "sunday")
    if r["returns"] == "bracket":
        spans, at = [(0, 0)], 1
        for b in r["brackets"]:
            spans.append((at, at + b - 1))
            at += b
    else:
        spans = [(j, j) for j in range(r["intervals"])]
    rows = [[0, 0, []] for _ in range(r["cohorts"])]
    for i, row in enumerate(rows):
        row[2] = [[0, 0, 0, 0, 0.0] for first, _ in spans if not r["triangular"] or first + i < r["intervals"]]
    for events in people.values():
        events = [e for e in sorted(events, key=lambda e: e[0]) if e[0] <= r["to"]]
        starts = [k for k, e in enumerate(events) if e[1] == "s" or e[1] == "b"]
        if r["start_rule"] == "first_time":
            starts = [k for k in starts[:1] if events[k][0] >= r["from"]]
        starts = [k for k in starts if events[k][0] >= r["from"]]
        if group is not None and not (starts and (events[starts[0]][3] or "(missing)") == group):
            continue
        if r["start_rule"] == "first_in_range":
            starts = starts[:1]
        for i in range(r["cohorts"]):
            mine = [k for k in starts if begin(i) <= events[k][0] < begin(i + 1)]
            if not mine:
                continue
            k = mine[0]
            limit = own(events[k][0], r["every"], zone) if r["mode"] == "24h" else lambda j, i=i: begin(i + j)
            rows[i][0] += 1
            rows[i][1] += any(e[1] in "rb" for e in events[k + 1 :])
            within = [sum(limit(j) <= e[0] < limit(j + 1) for e in events[k:] if e[1] in "rb") for j in range(40)]
            furthest = r["intervals"] - 1 - i if r["triangular"] else max(b for _, b in spans)
            for c, cell in enumerate(rows[i][2]):
                a, b = spans[c]
                active = c == 0 or any(within[j] >= r["min_occurrences"] for j in range(a, (furthest if r["returns"] == "on_or_after" else min(b, furthest)) + 1))
                matured = c == 0 or limit(b + 1) <= end
                cell[0] += active
                cell[1] += matured
                cell[2] += active and matured
                inside = [e for e in events[k:] if e[1] in "rb" and limit(a) <= e[0] < limit(min(b, furthest) + 1)]
                cell[3] += len(inside)
                cell[4] += sum(e[2] for e in inside)
    return rows


def random_case(seed):
    rng = random.Random(seed)
    every = rng.choice(["hour", "day", "week", "month"])
    size = {"hour": 1, "day": 24, "week": 168, "month": 730}[every]
    epoch = EPOCH + datetime.timedelta(days=rng.choice([0, 33, 54, 240, 265]))   # before the clocks change, here or there
    people = {f"c{c}": [(epoch + datetime.timedelta(minutes=rng.randint(0, 60 * 7 * size)), rng.choice("srbbo"), float(rng.randint(1, 9)), rng.choice(["x", "y", None])) for _ in range(rng.randint(0, 9))]
              for c in range(20)}  # fmt: skip
    returns = rng.choice(["on", "on", "on_or_after", "bracket"])
    n = rng.randint(1, 7)
    rules = {
        "every": every, "mode": rng.choice(["calendar", "calendar", "24h"]), "returns": returns, "brackets": [rng.randint(1, 3) for _ in range(rng.randint(1, 3))] if returns == "bracket" else [],
        "start_rule": rng.choice(["first_time", "first_in_range", "every_period"]), "min_occurrences": rng.choice([1, 1, 2]), "triangular": rng.random() < 0.6, "intervals": n,
        "cohorts": rng.randint(1, n), "timezone": rng.choice(["UTC", "Europe/Rome", "America/New_York", "Africa/Cairo", "Australia/Lord_Howe", "America/Sao_Paulo"]), "week_start": rng.choice(["monday", "sunday"]),
        "from": epoch + datetime.timedelta(hours=rng.randint(0, size)), "to": epoch + datetime.timedelta(hours=rng.randint(2 * size, 8 * size)),
        "where": rng.choice([None, None, "amount > 3"]), "audience": rng.choice([None, None, "half"]),
    }  # fmt: skip
    return people, rules


def test_random_rules():
    seen = set()
    for seed in range(CASES):
        people, r = random_case(seed)
        rows = [{"contact_id": c, "event": {"s": "start", "r": "back", "b": "both", "o": "other"}[e], "timestamp": t, "amount": x, "via": v} for c, events in people.items() for t, e, x, v in events]
        history = jm.History(contacts=[{"contact_id": c, "half": int(c[1:]) % 2 == 0} for c in people], events=rows, types={f"{e}.via": "text" for e in ("start", "back", "both", "other")})
        end = min(r["to"], max(e["timestamp"] for e in rows)) + datetime.timedelta(microseconds=1)
        given = {k: x for k, x in r.items() if k != "from"} | {"from_": r["from"]}
        # An event that is both: under two names a selector cannot say, so by a property of its name.
        is_start, is_back = 'any where event.name in ["start", "both"]', 'any where event.name in ["back", "both"]'
        if r["where"]:
            people = {c: [e for e in events if e[2] > 3] for c, events in people.items()}
        if r["audience"]:
            people = {c: events for c, events in people.items() if int(c[1:]) % 2 == 0}
        by = jm.retention(history, is_start, is_back, by="via", **given)
        for group in {r["via"] for r in by.to_pylist()} - {None}:
            expected = [[c[0] for c in row[2]] for row in naive(people, r, end, group) if row[2]]
            assert by.matrix(via=group) == [row if any(row) else [0] * len(row) for row in expected], (seed, r, group)
        got = jm.retention(history, is_start, is_back, sum="amount", **given)
        expected = naive(people, r, end)
        table = {}
        for row in got.to_pylist():
            table.setdefault(row["cohort"], []).append([row["contacts"], row["matured"], None if row["share"] is None else round(row["share"] * row["matured"]), row["events"], row["sum"]])
        mine = list(table.values())
        sizes = [a["size"] for a in got.again.to_pylist()[1:]]
        agains = [a["again"] for a in got.again.to_pylist()[1:]]
        assert sizes == [row[0] for row in expected], (seed, r)
        assert agains == [row[1] for row in expected], (seed, r)
        wanted = [[[c[0], c[1], c[2] if c[1] else None, c[3], c[4]] for c in row[2]] for row in expected if row[2]]
        for i, row in enumerate(wanted):
            if expected[i][0] == 0:   # of nobody
                wanted[i] = [[0, 0, None, 0, 0.0] for _ in row]
        assert mine == wanted, (seed, r)
        seen |= {str(x) for x in r.values()}
    assert {"hour", "day", "week", "month", "24h", "on", "on_or_after", "bracket", "first_time", "first_in_range", "every_period", "sunday", "True", "False"} <= seen


def test_breakdown_and_shares():
    rows = [("a", 1, "x"), ("a", 40, "y"), ("b", 2, "y"), ("c", 3, None), ("c", 39, "x")]
    history = jm.History(events=[{"contact_id": c, "event": "buy", "timestamp": datetime.datetime(2026, 1, 1, tzinfo=UTC) + datetime.timedelta(days=d), "via": v} for c, d, v in rows])
    r = jm.retention(history, "buy", by="via")
    assert (r.matrix()[0], r.matrix(via="x")[0], r.matrix(via="y")[0], r.matrix(via="(missing)")[0]) == ([3, 2], [1, 1], [1, 0], [1, 1])
    assert r.matrix("share")[0] == [1.0, None]   # February is not over
    [first, *_] = [a for a in r.again.to_pylist() if a["via"] is None]
    assert (first["size"], first["again"], math.isclose(first["share"], 2 / 3)) == (3, 2, True)


def test_what_is_not_in_the_matrix_is_said():
    history = jm.History(events=[{"contact_id": "a", "event": "buy", "timestamp": EPOCH, "via": "mail"}])
    r = jm.retention(history, "buy", by="via")
    assert r.matrix(via="mail") == [[1]]
    for asked, words in (({"via": "male"}, "there are mail"), ({"vai": "mail"}, "there are via"), ({"value": "amount"}, "there are interval")):
        with pytest.raises(ValueError, match=words):
            r.matrix(**asked)


def test_of_a_history_without_instants_there_are_no_rows():
    with pytest.warns(UserWarning, match="was ever seen"):
        r = jm.retention(jm.History(contacts=[{"contact_id": "a"}]), "buy")
    assert (r.matrix(), len(r)) == ([], 0)


def test_plot():
    from matplotlib.figure import Figure

    people, r = random_case(3)
    history = jm.History(events=[{"contact_id": c, "event": "e", "timestamp": t} for c, events in people.items() for t, *_ in events])
    kept = jm.retention(history, "e", every=r["every"], cohorts=3, intervals=3)
    ax = Figure().subplots()
    assert kept.plot(ax=ax) is ax
    assert len(ax.patches) == 6
    assert len(kept.plot("contacts", Figure().subplots()).get_yticklabels()) == 3
    with pytest.raises(ValueError, match="no dimension"):
        kept.plot(channel="ads")


@pytest.mark.parametrize(
    "rules, words",
    [
        ({"every": "fortnight"}, "hour, day, week, month"),
        ({"returns": "bracket"}, "brackets"),
        ({"brackets": [1]}, "brackets"),
        ({"min_occurrences": 0}, "min_occurrences"),
        ({"every": "hour", "from_": "1800-01-01T00:00:00Z"}, "20,000"),
        ({"from_": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "ends before"),
        ({"sum": "amuont"}, "amuont"),
    ],
)
def test_what_is_wrong_is_said(rules, words):
    history = jm.History(events=[{"contact_id": "a", "event": "buy", "timestamp": EPOCH, "amount": 1.0}])
    with pytest.raises(jm.Error, match=words):
        jm.retention(history, "buy", **rules)


@pytest.mark.parametrize("function", [jm.retention, jm.conditions, jm.conversion, jm.nearest_base, jm.paths])
def test_the_examples_of_the_help_hold(function):
    runner = doctest.DocTestRunner()
    for example in doctest.DocTestFinder().find(function, function.__name__, globs={}):
        runner.run(example)
    assert runner.summarize().failed == 0
    assert runner.summarize().attempted > 2
