"""All shared cases. Those of not_yet.txt are strictly expected to miss: one that holds must be struck from the list."""

import json
import os
import pathlib

import pytest
from conformance.run import run_file

ROOT = pathlib.Path(os.environ.get("JOURNEYMAN_SHARED", pathlib.Path(__file__).resolve().parents[2].parent / "shared")) / "conformance"
NOT_YET = set(pathlib.Path(__file__).with_name("not_yet.txt").read_text().split())
FILES = ("predicates", "journeys", "kpis", "funnels", "retention", "statistics")


def results_of(name):
    file = ROOT / f"{name}_shared.json"
    if not file.exists():
        assert not os.environ.get("JOURNEYMAN_REQUIRE_SHARED"), f"{file} is missing"
        pytest.skip(f"{file} is missing")
    return dict(run_file(file))


@pytest.mark.parametrize("name", FILES)
def test_cases(name, record_property):
    results = results_of(name)
    assert len(results) > 30
    missed = {case: why for case, why in results.items() if why is not None}
    waiting = {case for case in results if f"{name}/{case}" in NOT_YET}
    print(f"{name}: {len(results) - len(missed)} pass, {len(waiting)} expected to miss")
    record_property("expected_to_miss", len(waiting))
    assert {case: why for case, why in missed.items() if case not in waiting} == {}
    assert waiting - set(missed) == set(), "these hold now: strike them from not_yet.txt"


def test_the_list_names_cases_that_exist():
    known = {f"{name}/{case}" for name in FILES for case in results_of(name)}
    assert NOT_YET - known == set()


def case_file(folder, **case):
    file = folder / "case.json"
    file.write_text(json.dumps({"cases": [{"id": "w", "contacts": {"a": {"x": 1}}} | case]}))
    return file


BOUGHT = [{"at": "2026-01-02T00:00:00Z", "event": {"contact": "a", "name": "purchase", "properties": {}}}]
SENT = {"contact": "a", "workflow": "w", "step": "s", "at": "2026-01-02T00:00:00Z", "status": "sent", "reason": None}
DONE = {"contact": "a", "workflow": "w", "entered_at": "2026-01-02T00:00:00Z", "left_at": "2026-01-02T00:00:00Z", "outcome": "completed", "at_step": "s"}
WORKFLOW = {"timezone": "UTC", "workflows": {"w": {"trigger": {"event": "purchase"}, "first": "s", "steps": {"s": {"send": "email"}}}}}
COUNTED = {"timezone": "UTC", "kpis": {"n": {"value": "events(purchase)", "every": "month", "direction": "up"}}}
ROW = {"kpi": "n", "period": "2026-01-01T00:00:00Z", "partial": True, "value": 1, "low": 0.025317807984289897, "high": 5.571643390938898}
JOURNEY = {"playbook": WORKFLOW, "inputs": BOUGHT, "until": "2026-01-03T00:00:00Z"}
KPI = {"playbook": COUNTED, "inputs": BOUGHT, "end": "2026-01-03T00:00:00Z"}


@pytest.mark.parametrize(
    "case, why",
    [
        ({"script": [{"at": "2026-01-01T00:00:00Z", "expect": {"predicate": "x == 1", "yes": ["a"]}}]}, None),
        ({"script": [{"at": "2026-01-01T00:00:00Z", "expect": {"predicate": "x == 1", "yes": []}}]}, "yes ['a']"),
        (JOURNEY | {"expect": {"actions": [SENT], "journeys": [DONE]}}, None),
        (JOURNEY | {"expect": {"actions": [], "journeys": [DONE]}}, "1 of actions, expected 0"),
        (JOURNEY | {"expect": {"actions": [SENT | {"status": "suppressed"}], "journeys": [DONE]}}, "'status': 'sent'"),
        (JOURNEY | {"expect": {"actions": [SENT | {"until": "2026-01-02T00:00:01Z"}], "journeys": [DONE]}}, "'until': None"),
        (JOURNEY | {"expect": {"actions": [SENT], "journeys": [DONE | {"outcome": "goal"}]}}, "'outcome': 'completed'"),
        (JOURNEY | {"expect": {"actions": [SENT], "journeys": []}}, "1 of journeys, expected 0"),
        (JOURNEY | {"expect": {"actions": [SENT], "journeys": [DONE], "attributes": {"a": {"x": 2}}}}, "a's x is 1"),
        (KPI | {"expect": [ROW]}, None),
        (KPI | {"expect": []}, "1 rows, expected 0"),
        (KPI | {"expect": [ROW | {"value": 2}]}, "value 1"),
        (KPI | {"expect": [ROW | {"partial": False}]}, "partial True"),
        (KPI | {"expect": [ROW | {"channel": "email"}]}, "the cell"),
        ({"something": "else"}, "not covered"),
    ],
)
def test_a_wrong_expectation_is_reported(tmp_path, case, why):
    [(name, got)] = run_file(case_file(tmp_path, **case))
    assert name == "w"
    assert got is None if why is None else why in got
