"""Runs files in the forms of ../shared/conformance through the public API.

    python tests/conformance/run.py FILE…

One line for each case that misses; closes with `N passed, N failed`. Predicates, journeys, KPIs, funnels, retention and statistics are covered;
every case of another form counts as failed.
"""

import datetime
import json
import math
import pathlib
import re
import sys

import journeyman as jm

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from statistics_cases import statistics_case  # noqa: E402

BEGINNING = "1900-01-01T00:00:00Z"


# --- facts ------------------------------------------------------------------------------------------------------------
def identify(contact, at, attributes):
    """All of it in one record: `account` names the contact's account."""
    traits = {"account_id" if name == "account" else name: x for name, x in attributes.items()}
    return {"type": "identify", "userId": contact, "timestamp": at, "traits": traits}


def beginning(case):
    """Records of what holds before the first input. `created_at`: the contact exists from then."""
    for account, attributes in case.get("accounts", {}).items():
        yield {"type": "group", "groupId": account, "timestamp": BEGINNING, "traits": attributes}
    for contact, given in case["contacts"].items():
        yield identify(contact, given.get("created_at", BEGINNING), given)


def record(step):
    """The record of one input."""
    at = step["at"]
    if "set" in step:
        who = step["set"]
        if "account" in who:
            made = {"type": "group", "groupId": who["account"], "timestamp": at, "traits": who["attributes"]}
        else:
            made = identify(who["contact"], at, who["attributes"])
    elif "enter" in step:
        e = dict(step["enter"])
        made = {"type": "track", "userId": e.pop("contact"), "event": "$enter", "timestamp": at, "properties": e}
    else:
        e = step["event"]
        made = {"type": "track", "userId": e["contact"], "event": e["name"], "timestamp": at, "properties": e.get("properties", {})}
        if e.get("id"):
            made["messageId"] = e["id"]
    if "arrives" in step:
        made["receivedAt"] = step["arrives"]
    return made


def text_of(instant):
    """As the cases write an instant."""
    if instant is None:
        return None
    micros = f".{instant.microsecond:06d}".rstrip("0") if instant.microsecond else ""
    return instant.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") + micros + "Z"


def instant_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def canonical(text):
    return None if text is None else text_of(instant_of(text))


# --- predicates -------------------------------------------------------------------------------------------------------
def predicate_case(case):
    """None when the case holds, else what differs."""
    records = [*beginning(case), *(record(step) for step in case["script"] if "set" in step or "event" in step)]
    history = jm.History.from_records(records, types=case.get("types"))
    for step in case["script"]:
        expect = step.get("expect")
        if expect is None:
            continue
        asked = f"{expect['predicate']} at {step['at']}"
        try:
            got = history.select(expect["predicate"], at=step["at"], segments=case.get("segments"))
        except jm.Error as e:
            if expect.get("error") and e.code.startswith(expect["error"]):
                continue
            return f"{asked}: {e}"
        if expect.get("error"):
            return f"{asked}: no {expect['error']} error"
        if got.ids != sorted(expect["yes"]):
            return f"{asked}: yes {got.ids}, expected {sorted(expect['yes'])}"
        if "unknown" in expect and got.unknown_ids != sorted(expect["unknown"]):
            return f"{asked}: unknown {got.unknown_ids}, expected {sorted(expect['unknown'])}"
    return None


# --- journeys ---------------------------------------------------------------------------------------------------------
ACTION = ("contact", "workflow", "step", "at", "status", "reason", "until")
JOURNEY = ("contact", "workflow", "entered_at", "left_at", "outcome", "at_step")


def rows(table):
    """Rows of a run, named and written as the cases do."""
    for row in table.to_pylist():
        named = {name: text_of(x) if isinstance(x, datetime.datetime) else x for name, x in row.items()}
        yield named | {"contact": str(row["contact_id"])}


def compare_rows(what, got, expected, order):
    expected = sorted(({k: canonical(x) if k in ("at", "until", "due", "entered_at", "left_at") else x for k, x in e.items()} for e in expected), key=order)
    got = sorted(got, key=order)
    for g, e in zip(got, expected, strict=False):
        mine = {k: None if k == "key" and g[k] is None else str(g[k]) if k == "key" else g[k] for k in e}
        wanted = {k: str(x) if k == "key" and x is not None else x for k, x in e.items()}
        if mine != wanted:
            return f"{what} {mine}, expected {wanted}"
    if len(got) != len(expected):
        extra, word = (expected[len(got)], "missing") if len(got) < len(expected) else (got[len(expected)], "too many")
        return f"{len(got)} of {what}, expected {len(expected)}; {word}: { {k: x for k, x in extra.items() if x is not None} }"
    return None


def journey_differs(run, expect, until):
    journeys = list(rows(run.journeys))
    keys = {(j["contact"], j["workflow"], j["journey"]): j["key"] for j in journeys}
    actions = [a | {"key": keys[a["contact"], a["workflow"], a["journey"]]} for a in rows(run.actions)]
    # Of one contact at one instant the order is that in which they were taken; sorting keeps it.
    expected = [{k: e.get(k) for k in ACTION} | e for e in expect["actions"]]
    why = compare_rows("actions", actions, expected, lambda a: (a["at"], a["contact"]))
    why = why or compare_rows("journeys", journeys, [{k: e.get(k) for k in JOURNEY} | e for e in expect["journeys"]],
                              lambda j: (j["contact"], j["workflow"], j["entered_at"], str(j["left_at"])))  # fmt: skip
    if why or "attributes" not in expect:
        return why
    at_end = {str(c["contact_id"]): c for c in run.history.contacts(at=until).to_pylist()}
    for contact, attributes in expect["attributes"].items():
        for name, x in attributes.items():
            if at_end.get(contact, {}).get(name) != x:
                return f"{contact}'s {name} is {at_end.get(contact, {}).get(name)!r}, expected {x!r}"
    return None


def journey_case(case):
    history = jm.History.from_records([*beginning(case), *map(record, case["inputs"])])
    start = case.get("from") or min((i["at"] for i in case["inputs"]), key=instant_of, default=None)
    run = jm.Playbook.from_dict(case["playbook"]).replay(history, start=start, until=case["until"], order=case.get("order", "event"))
    whys = [journey_differs(run, e, case["until"]) for e in case["expect"].get("one_of", [case["expect"]])]
    return None if None in whys else whys[0]


# --- KPIs -------------------------------------------------------------------------------------------------------------
KPI = ("kpi", "scope", "period", "campaign", "partial", "value", "numerator", "denominator", "low", "high", "immature", "target", "status", "certain")


def near(got, expected, relative):
    if got is None or expected is None or isinstance(expected, (str, bool)):
        return got == expected
    return math.isclose(got, expected, rel_tol=relative, abs_tol=1e-12)


def kpi_case(case):
    records = [*beginning(case), *map(record, case["inputs"])]
    spend = [s | {"timestamp": datetime.datetime.fromisoformat(s["at"].replace("Z", "+00:00")), "amount": float(s["amount"])} for s in case.get("spend", [])]
    history = jm.History.from_records(records, spend=spend or None)
    # What holds from before the first input has no instant of its own: it is not where the history begins.
    start = case.get("start") or min(i["at"] for i in [*case["inputs"], *case.get("spend", [])])
    table = jm.Playbook.from_dict(case["playbook"]).kpis(history, start=start, end=case.get("end"), by=case.get("by", []))
    got, dimensions = table.to_pylist(), [c for c in table.columns if c not in KPI]
    for g, e in zip(got, case["expect"], strict=False):
        cell = dict.fromkeys(dimensions) | {k: x for k, x in e.items() if k not in KPI}
        if {k: g[k] for k in dimensions} != cell:
            return f"the cell {g}, expected {e}"
        period = g["campaign"] if g["period"] is None else text_of(g["period"])
        named = g | {"period": period, "partial": g["partial"] or False}
        wanted = {"partial": False} | e
        for k in wanted:
            x = canonical(wanted[k]) if k == "period" and g["period"] is not None else wanted[k]
            if not near(named.get(k), x, 1e-6 if k in ("low", "high") else 1e-9):
                return f"{k} {named.get(k)}, expected {x}, in {e}"
    if len(got) != len(case["expect"]):
        return f"{len(got)} rows, expected {len(case['expect'])}"
    return None


# --- funnels ----------------------------------------------------------------------------------------------------------
FIELD = re.compile(r"""(\w+(?:\.\w+)?)\s*(?:==|!=|<=|>=|<|>|not in|in|contains)\s*\[?\s*("|-?\d|true\b|false\b)|(?:missing|exists)\(\s*(\w+(?:\.\w+)?)\s*\)""")
WORD = re.compile(r"""\b(any|none)\b(?=(?:[^"]*"[^"]*")*[^"]*$)""")


def predicate_text(text):
    """`any` and `none` are yes and no to every event."""
    return WORD.sub(lambda m: {"any": "true", "none": "false"}[m[0]], text)


def selector_text(text):
    return f"event where {predicate_text(text)}"


def as_list(x):
    return [] if x is None else [x] if isinstance(x, str) else list(x)


def events_history(case, predicates, fields=()):
    """Each event of the case as an event `event`; fields that only predicates and rules name are declared."""
    types = {name: "text" for name in fields if name not in ("contact", "entry")}
    for text in predicates:
        for name, literal, tested in FIELD.findall(text or ""):
            types[name or tested] = {'"': "text", "": types.get(tested, "text"), "true": "boolean", "false": "boolean"}.get(literal, "decimal")
    kinds = {}
    for e in case["events"]:
        for name, x in e.items():
            if name not in ("contact", "t") and x is not None:
                kinds.setdefault(name, set()).add({str: "text", bool: "boolean", int: "integer", float: "decimal"}.get(type(x)))
    seen = {name: next(k for k in ("text", "decimal", "integer", "boolean", None) if k in there) for name, there in kinds.items()}
    for table in ("contacts", "accounts"):
        for given in case.get(table, {}).values():
            types |= {f"{table[:-1]}.{name}": "text" for name, x in given.items() if isinstance(x, str) and name != "account"}
    types = {name if "." in name else f"event.{name}": kind for name, kind in (types | seen).items() if kind is not None}
    records = [*beginning({"contacts": {}} | case)]
    of_accounts = any(e.get("account") is not None for e in case["events"])
    for e in case["events"]:
        if of_accounts and e["contact"] is not None and e["t"] is not None:   # an event's account is its own field
            records.append({"type": "group", "userId": e["contact"], "groupId": e.get("account") or "(none)", "timestamp": e["t"]})
        properties = {k: x for k, x in e.items() if k not in ("contact", "t")}
        records.append({"type": "track", "userId": e["contact"], "event": "event", "timestamp": e["t"], "properties": properties})
    return jm.History.from_records(records, types=types)


def unit_key(row, unit):
    return "|".join(str(row["contact_id" if u == "contact" else u]) for u in unit) if unit else "*"


def same_numbers(what, got, expected):
    if len(got) == len(expected) and all(near(g, e, 1e-9) for g, e in zip(got, expected, strict=True)):
        return None
    return f"{what} {got}, expected {expected}"


def funnel_case(case):
    rules = {k: v for k, v in case["rules"].items() if v is not None}
    unit = rules.get("unit", "contact")
    units = [unit] if isinstance(unit, str) else unit
    history = events_history(case, [*case["steps"], rules.get("where"), rules.get("audience"), *(x["event"] for x in rules.get("exclusions", []))],
                             [*units, *as_list(rules.get("held")), *as_list(rules.get("breakdown", {}).get("by"))])  # fmt: skip
    for name in ("where", "audience"):
        if name in rules:
            rules[name] = predicate_text(rules[name])
    rules["exclusions"] = [x | {"event": selector_text(x["event"])} for x in rules.get("exclusions", [])]
    within, expect = rules.pop("window", None), case["expect"]
    try:
        f = jm.funnel(history, [(f"step {k}", selector_text(s)) for k, s in enumerate(case["steps"], 1)], within, **rules)
    except jm.Error as e:
        return None if expect.get("error") and expect["error"] in str(e) else str(e)
    if expect.get("error"):
        return f"no error, expected {expect['error']}"
    whys = []
    if "level" in expect:
        total = [r for r in f.units.to_pylist() if all(r[d] is None for d in f.dimensions) or rules["breakdown"].get("attribution") in ("first", "last", None)]
        levels = {unit_key(r, units): r["level"] for r in total}
        whys += [f"the level of {u} is {levels.get(u, 0)}, expected {k}" for u, k in expect["level"].items() if levels.get(u, 0) != k]
    if "counts" in expect and f.counts != expect["counts"]:
        whys.append(f"counts {f.counts}, expected {expect['counts']}")
    if "counts_by" in expect:
        [by] = f.dimensions
        cells = {}
        for r in f.to_pylist():
            if r[by] is not None:
                cells.setdefault(r[by], []).append(r["units"])
        none = [0] * len(case["steps"])
        whys += [f"counts of {v} are {cells.get(v, none)}, expected {k}" for v, k in expect["counts_by"].items() if cells.get(v, none) != k]
    times = [r for r in f.times.to_pylist() if all(r[d] is None for d in f.dimensions)]
    for what, column in (("avg_seconds", "mean_seconds"), ("median_seconds", "median_seconds")):
        if what in expect:
            whys.append(same_numbers(what, [r[column] for r in times], expect[what]))
    between = rules.get("time_to_convert", {})
    if "bins" in expect:
        got = [[r["from_seconds"], r["units"]] for r in f.histogram().to_pylist()]
        if got != expect["bins"]:
            whys.append(f"bins {got}, expected {expect['bins']}")
    if "avg_total_seconds" in expect:
        a, b = (f"step_{between[k]}" for k in ("from_step", "to_step"))
        spans = [(r[b] - r[a]).total_seconds() for r in f.units.to_pylist() if r[a] is not None and r[b] is not None]
        whys.append(same_numbers("avg_total_seconds", [math.fsum(spans) / len(spans) if spans else None], [expect["avg_total_seconds"]]))
    if "completions" in expect:
        done = {unit_key(r, units): r["completions"] for r in f.completions.to_pylist()}
        whys += [f"completions of {u} are {done.get(u, 0)}, expected {k}" for u, k in expect["completions"].items() if done.get(u, 0) != k]
    return next((why for why in whys if why), None)


# --- retention --------------------------------------------------------------------------------------------------------
def common_rules(rules):
    """Arguments that all questions about coming back share."""
    out = {k: predicate_text(rules[k]) for k in ("where", "audience") if rules.get(k)}
    period = rules.get("period") or {}
    return out | {ours: x for ours, x in (("from_", rules.get("from") or period.get("from")), ("to", rules.get("to") or period.get("to"))) if x}


def conditions_case(case, rules):
    history = events_history(case, [*case["conditions"], rules.get("where"), rules.get("audience")])
    rows = jm.conditions(history, [selector_text(c) for c in case["conditions"]], **common_rules(rules)).to_pylist()
    names = [f"condition_{k}" for k in range(1, len(case["conditions"]) + 1)]
    flags, none = {r["contact_id"]: [int(r[n]) for n in names] for r in rows}, [0] * len(names)
    for who, expected in case["expect"].get("flags", {}).items():
        if flags.get(who, none) != expected:
            return f"flags of {who} {flags.get(who, none)}, expected {expected}"
    counts = [sum(f[k] for f in flags.values()) for k in range(len(names))]
    if "counts" in case["expect"] and counts != case["expect"]["counts"]:
        return f"counts {counts}, expected {case['expect']['counts']}"
    return None


def conversion_case(case, rules):
    history = events_history(case, [case["start"], *case["goal"], rules.get("where"), rules.get("audience")], as_list(rules.get("unit")))
    more = {k: rules[k] for k in ("within", "within_events", "occurrence", "unit") if rules.get(k) is not None}
    [row] = jm.conversion(history, selector_text(case["start"]), [selector_text(g) for g in case["goal"]], **more, **common_rules(rules)).to_pylist()
    return next((f"{k} {row[k]}, expected {x}" for k, x in case["expect"].items() if not near(row[k], x, 1e-9)), None)


def nearest_base_case(case, rules):
    history = events_history(case, [case["base"], case["conversion"], rules.get("where"), rules.get("audience"), rules.get("base_where")],
                             [*as_list(rules.get("held")), *(x for x in as_list(rules.get("group_by")) if x != "day")])  # fmt: skip
    base = selector_text(f"({case['base']}) and ({rules['base_where']})" if rules.get("base_where") else case["base"])
    period = rules.get("base_period") or {}
    rows = jm.nearest_base(
        history, base, selector_text(case["conversion"]), rules.get("window"), held=rules.get("held") or [], group_by=rules.get("group_by"),
        base_from=period.get("from"), base_to=period.get("to"), **common_rules(rules),
    ).to_pylist()  # fmt: skip
    rates = {r["group"]: r["rate"] for r in rows}
    wanted = case["expect"].get("rate", {})
    for group, expected in (wanted if isinstance(wanted, dict) else {"": wanted}).items():
        if not near(rates.get(group), expected, 1e-9):
            return f"rate of {group!r} {rates.get(group)}, expected {expected}"
    got = sum(r["conversions"] for r in rows)
    if isinstance(case["expect"].get("conversions"), int) and got != case["expect"]["conversions"]:
        return f"conversions {got}, expected {case['expect']['conversions']}"
    if isinstance(case["expect"].get("conversions"), dict):
        by_group = {r["group"]: r["conversions"] for r in rows}
        return next((f"conversions of {g!r} {by_group.get(g, 0)}, expected {n}" for g, n in case["expect"]["conversions"].items() if by_group.get(g, 0) != n), None)
    return None


def table_case(case, rules):
    by = rules["breakdown"] if isinstance(rules.get("breakdown"), str) else (rules.get("breakdown") or {}).get("by")
    history = events_history(case, [case["start"], case.get("returning"), rules.get("where"), rules.get("audience")], as_list(by))
    offset = int(rules.get("zone_offset_hours") or 0)
    more = {k: rules[k] for k in ("every", "mode", "brackets", "start_rule", "min_occurrences", "intervals", "cohorts", "triangular", "week_start") if rules.get(k) is not None}
    if rules.get("return"):
        more["returns"] = rules["return"]
    if more.get("returns") != "bracket":
        more.pop("brackets", None)
    returning = None if case.get("returning") is None else selector_text(case["returning"])
    r = jm.retention(history, selector_text(case["start"]), returning, by=by or (), timezone=f"Etc/GMT{-offset:+d}" if offset else "UTC", **more, **common_rules(rules))
    expect = case["expect"]
    if "table" in expect and r.matrix() != expect["table"]:
        return f"table {r.matrix()}, expected {expect['table']}"
    for row, cells in expect.get("cells", {}).items():
        for column, n in cells.items():
            if r.matrix()[int(row)][int(column)] != n:
                return f"cell {row}, {column} is {r.matrix()[int(row)][int(column)]}, expected {n}"
    for group, table in expect.get("table_by", {}).items():
        if r.matrix(**{by: group}) != table:
            return f"table of {group} {r.matrix(**{by: group})}, expected {table}"
    return None


def retention_case(case):
    rules = {k: v for k, v in case["rules"].items() if v is not None}
    kinds = {"conditions": conditions_case, "conversion": conversion_case, "nearest_base": nearest_base_case}
    return kinds.get(rules.get("kind"), table_case)(case, rules)


# --- files ------------------------------------------------------------------------------------------------------------
def form_of(case):
    if "script" in case:
        return predicate_case
    if "playbook" in case and "workflows" in case["playbook"] and "until" in case:
        return journey_case
    if "playbook" in case and "kpis" in case["playbook"]:
        return kpi_case
    if "steps" in case and "rules" in case:
        return funnel_case
    if "rules" in case and ("conditions" in case or "start" in case or "base" in case):
        return retention_case
    if "method" in case and "input" in case:
        return statistics_case
    return None


def run_file(path):
    """(id, None or what differs) of each case of the file."""
    with open(path, encoding="utf-8") as f:
        cases = json.load(f)["cases"]
    for case in cases:
        run = form_of(case)
        if run is None:
            yield case["id"], "this form is not covered yet"
            continue
        try:
            yield case["id"], run(case)
        except Exception as e:  # a case that breaks the runner is a case that misses
            yield case["id"], f"{type(e).__name__}: {e}"


def main(paths):
    passed = failed = 0
    for path in paths:
        for name, why in run_file(path):
            if why is None:
                passed += 1
            else:
                failed += 1
                print(f"{name}: {why}")
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
