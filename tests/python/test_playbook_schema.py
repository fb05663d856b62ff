"""The JSON Schema for editors: it accepts what the reader accepts, refuses what it refuses, and knows the same keys."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import journeyman as jm
import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "conformance"
SCHEMA: dict[str, Any] = json.loads((Path(jm.__file__).parent / "playbook.schema.json").read_text())
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
KNOWN = SCHEMA["definitions"]


class Yaml12(yaml.SafeLoader):
    """YAML as editors read it: `on` is a text, 21:00 and 2026-03-01 too."""


Yaml12.yaml_implicit_resolvers = {}
for tag, pattern, first in (
    ("bool", r"^(true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
    ("float", r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$", "-+.0123456789"),
    ("null", r"^(~|null|Null|NULL|)$", ["~", "n", "N", ""]),
):
    Yaml12.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))


def test_it_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", sorted(ROOT.glob("examples/**/*.yaml")), ids=lambda p: str(p.relative_to(ROOT)))
def test_examples_are_valid(path: Path) -> None:
    VALIDATOR.validate(yaml.load(path.read_text(), Yaml12))


@pytest.mark.parametrize("name", ["journeys_shared.json", "kpis_shared.json"])
def test_shared_playbooks_are_valid(name: str) -> None:
    if not (SHARED / name).exists() and not os.environ.get("JOURNEYMAN_REQUIRE_SHARED"):
        pytest.skip("no ../shared")
    playbooks = [case["playbook"] for case in json.loads((SHARED / name).read_text())["cases"] if "playbook" in case]
    assert len(playbooks) > 20
    wrong = {json.dumps(p)[:300]: e.message for p in playbooks if (e := jsonschema.exceptions.best_match(VALIDATOR.iter_errors(p)))}
    assert not wrong


WORKFLOW = {"trigger": "hand", "steps": {"a": {"exit": True}}}
MISTAKES: dict[str, dict[str, Any]] = {
    "a key that is none": {"segmets": {}},
    "a weekday in full": {"policies": {"quiet_hours": {"from": "21:00", "to": "08:00", "on": ["monday"]}}},
    "quiet hours without an end": {"policies": {"quiet_hours": {"from": "21:00"}}},
    "a cap without a number": {"policies": {"caps": [{"per": "7d"}]}},
    "a duration without a unit": {"workflows": {"w": {"trigger": "hand", "steps": {"a": {"wait": 3}}}}},
    "a step of two kinds": {"workflows": {"w": {"trigger": "hand", "steps": {"a": {"send": "email", "wait": "3d"}}}}},
    "a step of no kind": {"workflows": {"w": {"trigger": "hand", "steps": {"a": {"next": "b"}}}}},
    "a workflow without a trigger": {"workflows": {"w": {"steps": {"a": {"exit": True}}}}},
    "a trigger of two kinds": {"workflows": {"w": {**WORKFLOW, "trigger": {"event": "a", "enters": "b"}}}},
    "a period that is none": {"kpis": {"k": {"value": "new(a)", "every": "hour"}}},
    "a direction that is none": {"kpis": {"k": {"value": "new(a)", "direction": "higher"}}},
    "a funnel of both": {"funnels": {"f": {"stages": [], "steps": []}}},
    "a stage without its predicate": {"funnels": {"f": {"stages": [{"name": "a"}]}}},
    "a segment without its predicate": {"segments": {"s": {"title": "S"}}},
    "an operator that is none": {"segments": {"s": {"where": {"equals": [1, 1]}}}},
    "a type that is none": {"types": {"contact.x": "string"}},
    "a statistic that is none": {"report": {"r": {"regression": {}}}},
    "a part of two statistics": {"report": {"r": {"survival": {"start": "a", "event": "b"}, "lifetime_value": {}}}},
    "an experiment without metrics": {"report": {"r": {"experiment": {"arm": "variant"}}}},
    "a metric of three": {"report": {"r": {"experiment": {"arm": "variant", "metrics": {"m": ["1", "2", "3"]}}}}},
    "a correction that is none": {"report": {"r": {"experiment": {"arm": "variant", "metrics": {"m": "did(a)"}, "correction": "holms"}}}},
    "a level of two": {"report": {"r": {"survival": {"start": "a", "event": "b", "level": 2}}}},
    "a model that is none": {"report": {"r": {"lifetime_value": {"model": "nbd"}}}},
    "half a period": {"report": {"r": {"lifetime_value": {"periods": 0.5}}}},
    "re-entry that is none": {"workflows": {"w": {**WORKFLOW, "reentry": "always"}}},
}


@pytest.mark.parametrize("what", MISTAKES)
def test_mistakes_are_refused_by_both(what: str) -> None:
    assert not VALIDATOR.is_valid(MISTAKES[what])
    with pytest.raises(jm.Error):
        jm.Playbook.from_dict({"timezone": "UTC", **MISTAKES[what]})


def _step(body: Any) -> dict[str, Any]:
    return {"workflows": {"w": {"trigger": "hand", "steps": {"a": body}}}}


def _all(definition: str) -> set[str]:
    """The keys of a definition, of all its forms together."""
    found: set[str] = set()

    def walk(node: dict[str, Any]) -> None:
        found.update(node.get("properties", {}))
        for form in node.get("anyOf", []) + node.get("oneOf", []):
            walk(form)

    walk(KNOWN[definition] if definition else SCHEMA)
    return found


# Where each mapping of the written form stands, and what it needs beside an unknown key for the reader to know its kind.
PLACES: dict[str, tuple[dict[str, Any], Callable[[Any], dict[str, Any]]]] = {
    "": ({}, lambda x: x),
    "segment": ({"where": "true"}, lambda x: {"segments": {"s": x}}),
    "funnel": ({"steps": []}, lambda x: {"funnels": {"f": x}}),
    "stage": ({}, lambda x: {"funnels": {"f": {"stages": [x]}}}),
    "funnel_step": ({}, lambda x: {"funnels": {"f": {"steps": [x]}}}),
    "policies": ({}, lambda x: {"policies": x}),
    "quiet_hours": ({}, lambda x: {"policies": {"quiet_hours": x}}),
    "cap": ({}, lambda x: {"policies": {"caps": [x]}}),
    "workflow": ({}, lambda x: {"workflows": {"w": x}}),
    "trigger": ({}, lambda x: {"workflows": {"w": {**WORKFLOW, "trigger": x}}}),
    "reentry": ({}, lambda x: {"workflows": {"w": {**WORKFLOW, "reentry": x}}}),
    **{kind: ({kind: "x"}, _step) for kind in ("send", "wait", "wait_for", "branch", "split", "set", "emit", "task", "webhook", "start", "exit")},
    "wait_date": ({"date": "x"}, lambda x: _step({"wait": x})),
    "awaited": ({}, lambda x: _step({"wait_for": x})),
    "outcome": ({}, lambda x: _step({"wait_for": [x]})),
    "choice": ({}, lambda x: _step({"branch": [x]})),
    "share": ({}, lambda x: _step({"split": [x]})),
    "computed": ({}, lambda x: _step({"set": {"a": x}})),
    "kpi": ({}, lambda x: {"kpis": {"k": x}}),
    "target": ({}, lambda x: {"kpis": {"k": {"value": "new(a)", "target": x}}}),
    "span": ({}, lambda x: {"kpis": {"k": {"value": "new(a)", "target": {"change": 1, "from": x}}}}),
    "improvement": ({}, lambda x: {"kpis": {"k": {"value": "new(a)", "improve": [x]}}}),
    "campaign": ({}, lambda x: {"campaigns": {"c": x}}),
    "dimension": ({"value": "x"}, lambda x: {"dimensions": {"d": x}}),
    "report_part": ({}, lambda x: {"report": {"r": x}}),
    **{name: ({}, lambda x, name=name: {"report": {"r": {name: x}}}) for name in ("experiment", "attribution", "lifetime_value", "survival")},
}


@pytest.mark.parametrize("definition", [*PLACES, "wait_until"])
def test_schema_and_reader_know_the_same_keys(definition: str) -> None:
    """The reader lists what it takes when it meets an unknown key."""
    needed, place = PLACES.get(definition, ({}, lambda x: _step({"wait": x})))
    document = place({**needed, "zzzzzzzz": 1})
    assert not VALIDATOR.is_valid(document)
    with pytest.raises(jm.Error) as e:
        jm.Playbook.from_dict(document)
    listed = re.search(r"has no key `zzzzzzzz`\. It takes ([^.]*)\.", e.value.message)
    assert listed, e.value.message
    known = set(re.split(r", | and ", listed[1]))
    if definition == "wait_until":
        known.discard("date")   # the other form
    assert known == _all(definition)


def test_every_definition_is_covered() -> None:
    closed = {name for name, d in KNOWN.items() if d.get("additionalProperties") is False or any(f.get("additionalProperties") is False for f in d.get("oneOf", []) + d.get("anyOf", []))}
    assert closed - {"selector"} == set(PLACES) - {""} | {"wait_until"}


def test_words_of_the_json_form_are_those_of_the_reader() -> None:
    for word in KNOWN["tree"]["propertyNames"]["enum"]:
        if word == "within":
            continue
        try:
            jm.Expression.from_json({word: []})
        except jm.Error as e:
            assert "There is no operator" not in e.message, word
    for text in ("min(a.b)", "x not in [1]", "-x", "if(p, a, b)", "elapsed(a, b, within 1d)", "event.name == now", "actions()"):
        VALIDATOR.validate({"segments": {"s": json.loads(jm.predicate(text).to_json())}})
    with pytest.raises(jm.Error) as e:
        jm.Selector.from_json({"event": "a", "zzzzzzzz": 1})
    assert e.value.place == "#/zzzzzzzz"
    for key, value in {"property": "p", "where": True, "without": {"event": "b", "on": "k"}, "last": "3d", "since": "2026-01-01", "before": {"now": []}, "between": ["2026-01-01", "2026-01-02"],
                       "this": "day", "previous": "week", "since_entry": True, "since_step": "s"}.items():  # fmt: skip
        jm.Selector.from_json({"event": "a", key: value})
        VALIDATOR.validate({"workflows": {"w": {**WORKFLOW, "trigger": {"event": {"event": "a", key: value}}}}})
