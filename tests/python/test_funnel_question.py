"""All rules of funnels together, against brute force (funnel_question_twin.py), in random zones."""

import datetime
import random
import statistics

import journeyman as jm
import pytest
from funnel_question_twin import EPOCH, Question
from test_funnel import random_rules

CASES = 1500
DAY = 86_400
# Before the night the clocks go forward in Rome, and in New York three weeks after.
START = int(datetime.datetime(2026, 2, 27, 5, tzinfo=datetime.timezone.utc).timestamp())


def random_question(seed):
    rng = random.Random(seed)
    n = rng.randint(1, 4)
    rules = random_rules(rng, n)
    kinds = "abcd"[:n]
    for x in rules.get("exclusions", []):
        x["kind"] = "x"
    steps = [(frozenset({k} | ({rng.choice(kinds)} if rng.random() < 0.2 else set())), rng.random() < 0.1) for k in kinds]
    q = {}
    if rng.random() < 0.3:
        q["unit"] = rng.choice([["s"], ["contact", "s"], [], ["entry"], ["s", "h"]])
    if rng.random() < 0.3:
        q["held"] = rng.choice([["h"], ["h", "s"]])
    if rng.random() < 0.2:
        q["where"] = True
    if rng.random() < 0.2:
        q["audience"] = True
    if rng.random() < 0.5:
        q["by"] = "g"
        q["attribution"] = rng.choice(["first", "last", "all_events", *(f"step_{k}" for k in range(1, n + 1))])
    if q.get("unit") == ["entry"]:
        rules = {k: x for k, x in rules.items() if k not in ("tie_rule", "order")} if "order" not in rules else {"window": 3}
        q.pop("by", None)
    # Time in steps of 8 hours over days, or of a day over months with windows of months.
    unit = 8 * 3600
    if rng.random() < 0.25 and "window" in rules:
        q["months"] = rng.randint(1, 2)
        unit = 6 * DAY
    if not rules.keys() & {"exclusions", "order", "strict_increase"} and q.get("unit") != ["entry"] and q.get("attribution", "first") in ("first", "last") and rng.random() < 0.4:
        q["censoring"] = "left_out"
    for name in ("window", "event_gap"):
        if name in rules:
            rules[name] *= unit
    if q.get("months"):
        rules["window"] = None
    if rng.random() < 0.25:
        a, b = sorted(rng.sample(range(10), 2))
        q["period"] = (START + a * unit, START + b * unit)
    events = []
    for c in range(rng.randint(1, 6)):
        times = [rng.randint(0, 9) for _ in range(rng.randint(0, 7))]
        if q.get("unit") == ["entry"]:
            times = sorted(set(times))
        events += [{"contact": f"c{c}", "t": START + t * unit, "kind": rng.choice([*kinds, *kinds, "x", "o"]), "g": rng.choice(["p", "p", "q", None]), "h": rng.choice(["1", "1", "2", None]),
                    "s": rng.choice(["s1", "s2", None])} for t in times]  # fmt: skip
    rng.shuffle(events)
    cities = {f"c{c}": rng.choice(["Roma", "Milano"]) for c in range(6)}
    return events, cities, steps, rules, q, rng.choice(["UTC", "Europe/Rome", "America/New_York", "Asia/Kolkata"])


def selector(step):
    kinds, only_first = step
    test = " or ".join(f'kind == "{k}"' for k in sorted(kinds))
    return f"e where first_ever({test})" if only_first else f"e where {test}"


def ours(events, cities, steps, rules, q, zone):
    when = lambda t: (EPOCH + datetime.timedelta(seconds=t)).isoformat()  # noqa: E731
    rows = [{"contact_id": e["contact"], "event": "e", "timestamp": when(e["t"]), **{f: e[f] for f in ("kind", "g", "h", "s")}} for e in events]
    types = {f"e.{f}": "text" for f in ("kind", "g", "h", "s")}
    history = jm.History(contacts=[{"contact_id": c, "city": x} for c, x in cities.items()], events=rows, types=types)
    r = {k: x for k, x in rules.items() if k != "window"}
    if "event_gap" in r:
        r["event_gap"] = f"{r['event_gap']}s"
    if "exclusions" in r:
        r["exclusions"] = [{"event": 'e where kind == "x"', "from_step": x["from_step"], "to_step": x["to_step"]} for x in r["exclusions"]]
    if "period" in q:
        r["period"] = dict(zip(("from", "to"), map(when, q["period"]), strict=True))
    r |= {k: q[k] for k in ("unit", "held", "attribution", "by", "censoring") if k in q}
    r |= {name: text for name, text in (("where", 'g == "p"'), ("audience", 'city == "Roma"')) if q.get(name)}
    within = f"{q['months']}mo" if "months" in q else None if rules.get("window") is None else f"{rules['window']}s"
    return jm.funnel(history, [selector(s) for s in steps], within, timezone=zone, **r)


@pytest.mark.parametrize("part", range(2))
def test_all_rules_together(part):
    seen = set()
    for seed in range(part, CASES, 2):
        case = random_question(seed)
        events, _, steps, rules, q, _ = case
        if not events:
            continue
        f = ours(*case)
        counts, levels = Question(*case).table()
        said = f"seed {seed}: {case}"
        got = {(r.get("g"), r["step"]): r["units"] for r in f.to_pylist()}
        assert {k: x for k, x in got.items() if x} == counts, said
        if q.get("unit") != ["entry"] and q.get("attribution") not in ("all_events",) and not str(q.get("attribution")).startswith("step"):
            names = [{"contact": "contact_id"}.get(u, u) for u in q.get("unit", ["contact"])] or ["unit"]
            mine = {"|".join(str(r[c]) for c in names): r["level"] for r in f.units.to_pylist()}
            assert mine == {k: x for k, x in levels.items() if x != 0}, said
        if q.get("unit") != ["entry"] and "order" not in rules:
            times = Question(*case).times()
            for r in f.times.to_pylist():
                mine = times.get(r["step"], [])
                if r.get("g") is None and "censoring" not in q:
                    assert (r["mean_seconds"], r["median_seconds"]) == ((pytest.approx(statistics.mean(mine)), statistics.median(mine)) if mine else (None, None)), said
        seen |= {k for k in [*rules, *q]} | {str(x) for x in q.values()} | ({"first_ever"} if any(s[1] for s in steps) else set())
    assert {"unit", "held", "where", "audience", "by", "months", "period", "exclusions", "optional_steps", "order", "first_ever", "all_events", "step_2", "last", "left_out", "[]", "['entry']"} <= seen
