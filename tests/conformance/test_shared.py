"""All shared predicate cases, none expected to fail. Journeys, KPIs and the rest have no engine yet and are not listed as passing."""

import os
import pathlib

import pytest
from conformance.run import run_file

ROOT = pathlib.Path(os.environ.get("JOURNEYMAN_SHARED", pathlib.Path(__file__).resolve().parents[2].parent / "shared"))
FILE = ROOT / "conformance" / "predicates_shared.json"


def test_predicates():
    if not FILE.exists():
        assert not os.environ.get("JOURNEYMAN_REQUIRE_SHARED"), f"{FILE} is missing"
        pytest.skip(f"{FILE} is missing")
    results = list(run_file(FILE))
    assert len(results) > 50
    assert {name: why for name, why in results if why is not None} == {}


def test_a_wrong_expectation_is_reported(tmp_path):
    case = tmp_path / "wrong.json"
    case.write_text('{"cases": [{"id": "w", "contacts": {"a": {"x": 1}}, "script": [{"at": "2026-01-01T00:00:00Z", "expect": {"predicate": "x == 1", "yes": []}}]}]}')
    [(name, why)] = run_file(case)
    assert name == "w"
    assert "yes ['a']" in why
