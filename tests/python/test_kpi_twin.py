"""Random KPIs over random histories in random zones: the library against brute force (kpi_twin.py)."""

import datetime
import math
import os
import random
import zoneinfo

import journeyman as jm
import kpi_twin as twin
import pytest

ZONES = ("UTC", "Europe/Rome", "America/St_Johns", "Asia/Kolkata", "Africa/Cairo", "America/Sao_Paulo", "Pacific/Apia")
HOUR, DAY = 3_600_000_000, 86_400_000_000
CASES = int(os.environ.get("JOURNEYMAN_KPI_CASES", "2000"))


def when(at):
    return twin.EPOCH + at * twin.MICRO


def random_form(rng):
    selector = lambda: rng.choice(list(twin.SELECTORS))  # noqa: E731
    within = rng.choice([DAY, 3 * DAY, 36 * HOUR, (1,)])   # or a month
    a, b = selector(), rng.choice(["b", "a"])
    base = rng.choice(['audience == "B2C"', "did(b)", "count(a) >= 1"])
    count = lambda: rng.choice([("events", selector()), ("contacts", selector()), ("new", selector()), ("members", base)])  # noqa: E731
    return rng.choice([
        lambda: ((count(),), False),
        lambda: ((("accounts", selector()),), False),
        lambda: ((("sum", "a"), ("accounts", "a")), False),
        lambda: ((count(), count()), False),
        lambda: ((("sum", "a"),), False),
        lambda: ((("sum", "a"), ("events", "a")), False),
        lambda: (("minus", ("events", "a"), ("new", "a")), False),
        lambda: ((("spend",), count()), False),
        lambda: ((("spend",),), False),
        lambda: ((("spend", "x"), count()), False),
        lambda: (("half", rng.choice([count(), ("spend",), ("sum", "a")])), False),
        lambda: ((("converted", a, b, within), ("starters", a, b, within)), True),
        lambda: ((("elapsed", a, b, within), ("converted", a, b, within)), False),
        lambda: ((("members", base + " and count(a) >= 2"), ("members", base)), True),
    ])()  # fmt: skip


def measure_text(m):
    kind, *rest = m
    if kind in ("starters", "converted", "elapsed"):
        within = f"{rest[2][0]}mo" if isinstance(rest[2], tuple) else f"{rest[2] // HOUR}h"
        return f"{kind}({rest[0]}, {'' if kind == 'starters' else rest[1] + ', '}within {within})"
    if kind == "spend" and rest:
        return 'spend(where ch == "x")'
    if kind == "sum":
        return "sum(a.amount)"
    return f"{kind}({', '.join(rest)})"


def value_text(form):
    if form[0] == "minus":
        return f"{measure_text(form[1])} - {measure_text(form[2])}"
    if form[0] == "half":
        return f"{measure_text(form[1])} / 2"
    return " / ".join(map(measure_text, form))


def random_case(seed):
    rng = random.Random(seed)
    zone = rng.choice(ZONES)
    # Around the changes of clocks and of months.
    day = datetime.date(2024, rng.choice([2, 3, 3, 4, 9, 10, 10, 12]), rng.choice([1, 15, 27, 29]))
    origin = twin.local_midnight(day, zoneinfo.ZoneInfo(zone))

    def instant():
        days = rng.randrange(12)
        at = twin.local_midnight(day + datetime.timedelta(days=days), zoneinfo.ZoneInfo(zone))
        return at + rng.choice([0, -1, 1, rng.randrange(24) * HOUR, rng.randrange(DAY)])

    names = [f"c{k}" for k in range(rng.randrange(1, 7))]
    contacts = {}
    for name in names:
        if rng.random() < 0.7:
            contacts[name] = {n: x for n, x in (("audience", rng.choice(["B2C", "B2B", None])), ("city", rng.choice(["Roma", "Milano", None]))) if x}
    inputs = []
    some = [instant() for _ in range(5)]   # instants that several share
    for _ in range(rng.randrange(0, 30)):
        i = {"at": rng.choice(some) if rng.random() < 0.4 else instant(), "contact": rng.choice(names)}
        if rng.random() < 0.06:
            i["attributes"] = {"account": rng.choice(["acme", "zeta"])}
        elif rng.random() < 0.2:
            i["attributes"] = {rng.choice(["audience", "city"]): rng.choice(["B2C", "Roma", "Milano", None])}
        else:
            i["event"] = rng.choice("aaab")
            i["properties"] = {n: x for n, x in (("ch", rng.choice(["x", "y", None])), ("amount", rng.choice([1.5, 2.0, 0.1, 7.25]))) if x is not None}
        inputs.append(i)
    spend = [{"at": instant(), "amount": rng.choice([10.0, 0.1, 33.3]), "ch": rng.choice(["x", "y", None]), "segment": rng.choice(["s", None]), "campaign": rng.choice(["one", "two", None])} for _ in range(rng.randrange(4))]
    campaigns = {}
    for name in ("one", "two"):   # they may overlap, and may begin before the history or end after it
        from_ = day + datetime.timedelta(days=rng.randrange(-3, 8))
        campaigns[name] = {"from": twin.local_midnight(from_, zoneinfo.ZoneInfo(zone)), "to": twin.local_midnight(from_ + datetime.timedelta(days=rng.randrange(1, 9)), zoneinfo.ZoneInfo(zone)), "where": rng.choice([None, *twin.PREDICATES])}
    sunday = rng.random() < 0.3
    kpis = []
    for k in range(3):
        form, proportion = random_form(rng)
        kpi = {"name": f"k{k}", "form": form, "proportion": proportion, "every": rng.choice(["day", "week from sunday" if sunday else "week", "month", "quarter", "year", "campaign"]), "direction": rng.choice(["up", "down"])}
        members = any(m[0] == "members" for m in form if not isinstance(m, str))
        dimensions = ["contact.city", "first_ch", "segment", "account.sector"] + ([] if members else ["ch"]) + ([] if kpi["every"] == "campaign" else ["campaign"])
        kpi["by"] = rng.sample(dimensions, rng.randrange(3))
        if rng.random() < 0.4:
            kpi["scope"] = "s"
        if rng.random() < 0.4 and kpi["every"] != "campaign":
            span = {"start": when(origin + rng.choice([-2, 0, 1]) * DAY).isoformat(), "end": when(origin + rng.choice([3, 5]) * DAY).isoformat()}
            kpi["target"] = rng.choice([1, 0.5, *({"change": 0.1, "from": f} for f in ("previous", "last_year", span))])
        kpis.append(kpi)
    start = origin + rng.choice([0, -1, DAY, 30 * HOUR])
    return {"zone": zone, "sunday": sunday, "campaigns": campaigns, "contacts": contacts, "inputs": inputs, "spend": spend, "kpis": kpis, "segments": {"s": rng.choice(list(twin.PREDICATES)), "o": rng.choice(list(twin.PREDICATES))},
            "start": start, "end": start + rng.choice([1, DAY, 5 * DAY + 3 * HOUR, 9 * DAY, 40 * DAY])}  # fmt: skip


def ours(case):
    records = [{"type": "identify", "userId": k, "timestamp": "1900-01-01T00:00:00Z", "traits": a} for k, a in case["contacts"].items()]
    for i in case["inputs"]:
        made = {"userId": i["contact"], "timestamp": when(i["at"]).isoformat()}
        if "account" in i.get("attributes", {}):
            records.append(made | {"type": "group", "groupId": i["attributes"]["account"], "traits": {"sector": "steel"} if i["attributes"]["account"] == "acme" else {}})
        else:
            records.append(made | ({"type": "identify", "traits": i["attributes"]} if "attributes" in i else {"type": "track", "event": i["event"], "properties": i["properties"]}))
    spend = [{"timestamp": when(s["at"]), "amount": s["amount"], "ch": s["ch"], "segment": s["segment"], "campaign": s["campaign"]} for s in case["spend"]]
    kpis = {}
    for k in case["kpis"]:
        kpis[k["name"]] = {"value": value_text(k["form"])} | {n: k[n] for n in ("every", "direction", "scope", "target", "by") if n in k}
        kpis[k["name"]]["every"] = k["every"].split()[0]
    campaigns = {n: {"from": when(x["from"]).isoformat(), "to": when(x["to"]).isoformat()} | ({"where": x["where"]} if x["where"] else {}) for n, x in case["campaigns"].items()}
    playbook = jm.Playbook.from_dict({
        "timezone": case["zone"], "kpis": kpis, "week_starts": "sunday" if case["sunday"] else "monday", "campaigns": campaigns, "segments": {n: {"where": p} for n, p in case["segments"].items()},
        "dimensions": {"first_ch": {"value": "first(a.ch)", "spend": "ch"}},
        "types": {"contact.account_id": "text", "contact.audience": "text", "contact.city": "text", "account.sector": "text", "a.ch": "text", "a.amount": "decimal", "b.ch": "text", "b.amount": "decimal"},
    })  # fmt: skip
    history = jm.History.from_records(records, spend=spend or None)
    return playbook.kpis(history, start=when(case["start"]), end=when(case["end"])).to_pylist()


def near(a, b, relative):
    return a == b if a is None or b is None else math.isclose(a, b, rel_tol=relative, abs_tol=1e-11)


def difference(case):
    got, expected = ours(case), twin.table(case)
    by = {k["name"]: k["by"] for k in case["kpis"]}
    for g, e in zip(got, expected, strict=False):
        mine = (g["kpi"], g["period"] or g["campaign"], bool(g["partial"]), {d: g[d] for d in by[g["kpi"]]})
        wanted = (e["kpi"], e["campaign"] or when(e["period"]), e["partial"], dict(zip(by[e["kpi"]], e["cell"] or [None] * len(by[e["kpi"]]), strict=True)))
        if mine != wanted:
            return f"row {mine}, expected {wanted}"
        for name in ("value", "numerator", "denominator", "low", "high", "immature", "target"):
            if not near(g[name], e.get(name), 1e-6 if name in ("low", "high") else 1e-9):
                return f"{name} {g[name]}, expected {e.get(name)} in {mine}"
        if "status" in e and (g["status"], g["certain"]) != (e["status"], e["certain"]):
            return f"status {g['status'], g['certain']}, expected {e['status'], e['certain']} in {mine}"
    return None if len(got) == len(expected) else f"{len(got)} rows, expected {len(expected)}"


@pytest.mark.parametrize("part", range(4))
def test_the_library_agrees_with_brute_force(part):
    compared = 0
    for seed in range(part, CASES, 4):
        case = random_case(seed)
        assert difference(case) is None, f"seed {seed}: {case}"
        compared += 1
    assert compared == len(range(part, CASES, 4)) > 0


def test_a_difference_is_seen():
    case = random_case(0)
    case["inputs"].append({"at": case["start"], "contact": "c0", "event": "b", "properties": {}})
    case["kpis"] = [{"name": "k", "form": (("events", "b"),), "proportion": False, "every": "day", "direction": "up", "by": []}]
    got = ours(case)
    case["inputs"].pop()
    assert [r["value"] for r in twin.table(case)] != [r["value"] for r in got]
