"""Random workflows over random histories in random zones: the library against a naive event loop (journey_twin.py)."""

import datetime
import json
import os
import pathlib

import journey_twin as twin
import journeyman as jm
import pytest
from conformance.run import ACTION as SHARED_ACTION
from conformance.run import JOURNEY as SHARED_JOURNEY
from conformance.run import beginning, compare_rows, record, text_of
from journey_cases import random_case
from journey_twin_time import Instant, micros, moment, read_instant

CASES = int(os.environ.get("JOURNEYMAN_JOURNEYS", "500"))
SHARED = pathlib.Path(os.environ.get("JOURNEYMAN_SHARED", pathlib.Path(__file__).resolve().parents[2].parent / "shared")) / "conformance" / "journeys_shared.json"
ACTION = ("contact", "workflow", "journey", "step", "phase", "kind", "channel", "template", "at", "status", "reason", "until", "owner", "due", "values")
JOURNEY = ("contact", "workflow", "journey", "entered_at", "left_at", "outcome", "at_step", "key")


def rows(table, names):
    for row in table.to_pylist():
        row = {k: micros(x) if isinstance(x, datetime.datetime) else x for k, x in row.items()} | {"contact": str(row["contact_id"])}
        yield {k: row[k] for k in names}


def by_contact(found, names):
    """Actions of one contact stand in the order in which they were taken."""
    out = {}
    for row in found:
        out.setdefault(row["contact"], []).append({k: row[k] for k in names})
    return out


def ours(case):
    history = jm.History.from_records([*beginning(case), *map(record, case["inputs"])])
    start = case.get("from") or min((i["at"] for i in case["inputs"]), key=read_instant, default=None)
    return jm.Playbook.from_dict(case["playbook"]).replay(history, start=start, until=case["until"], order=case.get("order", "event"))


def written(values):
    """As a run writes what a step sets or hands over: JSON, instants in ISO."""
    if not values:
        return None
    text = lambda x: moment(x).isoformat().replace("+00:00", "Z") if isinstance(x, Instant) else str(x) if isinstance(x, datetime.date) else x  # noqa: E731
    return json.dumps({k: text(x) for k, x in values.items()}, separators=(",", ":"))


def difference(case):
    try:
        run = ours(case)
    except jm.Error as e:
        if e.code != "workflow.circle":
            raise
        with pytest.raises(twin.CircleError):
            twin.run(case, most_at_once=50)   # naive looks grow with what happened at the instant: a thousand take a minute
        return None
    actions, journeys = twin.run(case)
    actions = [a | {"values": written(a["values"])} for a in actions]
    journeys = sorted((j | {"key": None if j["key"] is None else str(j["key"])} for j in journeys), key=lambda j: (j["contact"], j["workflow"], j["journey"]))
    mine = sorted(rows(run.journeys, JOURNEY), key=lambda j: (j["contact"], j["workflow"], j["journey"]))
    for what, got, expected in (("action", by_contact(rows(run.actions, ACTION), ACTION), by_contact(actions, ACTION)),
                                ("journey", by_contact(mine, JOURNEY), by_contact(journeys, JOURNEY))):  # fmt: skip
        for contact in sorted({*got, *expected}):
            g, e = got.get(contact, []), expected.get(contact, [])
            for k in range(max(len(g), len(e))):
                if k >= len(g) or k >= len(e) or g[k] != e[k]:
                    return f"{what} {k} of {contact}:\n  library  {g[k] if k < len(g) else None}\n  expected {e[k] if k < len(e) else None}"
    return None


def texts(rows):
    """The twin's rows as the shared cases write them."""
    return [{k: text_of(moment(x)) if x is not None and k in ("at", "until", "due", "entered_at", "left_at") else x for k, x in row.items()} for row in rows]


def differs_from_shared(case, expect):
    actions, journeys = map(texts, twin.run(case))
    why = compare_rows("actions", actions, [{k: e.get(k) for k in SHARED_ACTION} | e for e in expect["actions"]], lambda a: (a["at"], a["contact"]))
    return why or compare_rows("journeys", journeys, [{k: e.get(k) for k in SHARED_JOURNEY} | e for e in expect["journeys"]],
                               lambda j: (j["contact"], j["workflow"], j["entered_at"], str(j["left_at"])))  # fmt: skip


def test_the_twin_itself():
    if not SHARED.exists():
        assert not os.environ.get("JOURNEYMAN_REQUIRE_SHARED"), f"{SHARED} is missing"
        pytest.skip(f"{SHARED} is missing")
    cases = json.loads(SHARED.read_text(encoding="utf-8"))["cases"]
    for case in cases:
        whys = [differs_from_shared(case, e) for e in case["expect"].get("one_of", [case["expect"]])]
        assert None in whys, f"{case['id']}: {whys[0]}"
    assert len(cases) >= 120


@pytest.mark.parametrize("part", range(8))
def test_the_library_agrees_with_a_naive_event_loop(part):
    compared = 0
    for seed in range(part, CASES, 8):
        why = difference(random_case(seed))
        assert why is None, f"seed {seed}: {why}"
        compared += 1
    assert compared == len(range(part, CASES, 8)) > 0


def test_a_difference_is_seen():
    """Who may be sent nothing gets something else, in most cases; so the cases are not empty."""
    seen = 0
    for seed in range(50):
        case = random_case(seed)
        mine = ours(case | {"playbook": case["playbook"] | {"policies": {"consent": {"email": "false", "sms": "false"}}}})
        try:
            seen += [a["status"] for a in rows(mine.actions, ACTION)] != [a["status"] for a in twin.run(case, most_at_once=50)[0]]
        except twin.CircleError:
            continue
    assert seen > 10
