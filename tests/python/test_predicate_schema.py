"""The JSON Schema of the JSON form: it takes what the reader takes and refuses what it refuses.

That it knows the words of the language is in tests/unit/predicate_schema.cpp; that it takes random predicates, in test_predicate_twin.py.
"""

import copy
import json
import os
import pathlib
import random

import journeyman as jm
import jsonschema
import pytest
import sql_twin as twin

SHARED = pathlib.Path(__file__).parents[3] / "shared" / "conformance"
SCHEMA = json.loads(pathlib.Path(jm.__file__).with_name("predicate.schema.json").read_text())
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
OF_SELECTORS = jsonschema.Draft7Validator(SCHEMA | {"anyOf": [{"$ref": "#/definitions/selector"}]})
A, P = {"attr": "a"}, {"prop": "p"}


def test_it_is_a_schema():
    jsonschema.Draft7Validator.check_schema(SCHEMA)


def texts_of_the_shared_cases():
    found = set()

    def look(x):
        if isinstance(x, dict):
            for key, value in x.items():
                if key in ("predicate", "value", "where", "goal", "audience", "when") and isinstance(value, str):
                    found.add(value)
                look(value)
        elif isinstance(x, list):
            for item in x:
                look(item)

    for name in ("predicates", "journeys", "kpis"):
        file = SHARED / f"{name}_shared.json"
        if not file.exists() and not os.environ.get("JOURNEYMAN_REQUIRE_SHARED"):
            pytest.skip("no ../shared")
        look(json.loads(file.read_text()))
    return sorted(found)


def test_the_shared_predicates_and_measures_are_valid():
    taken = 0
    for text in texts_of_the_shared_cases():
        try:
            tree = json.loads(jm.predicate(text).to_json())
        except jm.Error:
            continue   # cases about errors
        assert VALIDATOR.is_valid(tree), f"{text}\n{tree}"
        taken += 1
    assert taken > 150


WRONG = [
    None, {}, [[1]], [{"attr": "a"}], {"attr": ""}, {"attr": 1}, {"prop": ["a"]}, {"atr": "a"}, {"now": 1}, {"duration": "30"}, {"duration": 30},
    {"==": [A]}, {"==": [A, 1, 2]}, {"==": A}, {"==": [A, None]}, {"==": [A, 1], "!=": [A, 1]}, {"not": []}, {"not": [A, A]}, {"between": [A, 1]}, {"-": []},
    {"if": [A, 1]}, {"coalesce": []}, {"round": [1, 2, 3]}, {"segment": A}, {"segment": ["a", "b"]}, {"changed_time": "a"}, {"start_of": ["hour", A]}, {"start_of": ["day"]},
    {"count": {}}, {"count": {"event": ""}}, {"count": {"event": "a", "lst": "30d"}}, {"count": {"event": "a", "last": "30"}}, {"count": {"event": "a", "last": "1d", "this": "day"}},
    {"count": {"event": "a", "this": "hour"}}, {"count": {"event": "a", "between": [1]}}, {"count": {"event": "a", "since_entry": False}}, {"count": {"event": "a", "property": "p"}},
    {"count": ["a", "b"]}, {"count": 1}, {"sum": "a"}, {"sum": {"event": "a"}}, {"sum": {"event": "a", "property": ""}}, {"did": {"event": {"name": 1}}}, {"did": {"event": {"title": "a"}}},
    {"did": {"event": "a", "without": {"event": "b"}}}, {"did": {"event": "a", "without": "b"}}, {"did": {"event": "a", "without": {"event": "b", "on": "k", "last": "1d"}}},
    {"sequence": "a"}, {"sequence": ["a"]}, {"sequence": ["a", {"event": "b", "property": "p"}]}, {"count": "a", "within": "1d"}, {"within": "1d"}, {"==": [A, 1], "within": "1d"},
    {"starters": "a"}, {"converted": "a", "within": "1d"}, {"converted": ["a", "b"]}, {"members": []}, {"spend": []}, {"spend": {"were": A}}, {"spend": {"where": None}}, {"budget": {}},
]  # fmt: skip
RIGHT = [
    True, 1, 1.5, "Roma", ["a", 1, True, {"duration": "1d"}], [], A, {"not": A}, {"not": [A]}, {"-": A}, {"and": []}, {"or": A}, {"length": [["a", "b"]]}, {"in": [A, ["x"]]}, {"in": ["x", A]},
    {"count": "a"}, {"count": ["a"]}, {"count": {"event": {"name": "any"}}}, {"did": {"event": "a*", "where": {"==": [P, 1]}, "without": {"event": "b", "where": P, "on": "k", "within": "1h"}, "last": "3d"}},
    {"sum": {"event": "a", "property": "p", "between": ["2026-01-01", {"now": []}]}}, {"last": {"event": "a", "property": "p", "since_step": "s"}}, {"sequence": ["a", "b", "c"]},
    {"sequence": ["a", "b"], "within": "14d"}, {"starters": "a", "within": "1d"}, {"converted": ["a", "b"], "within": "1d"}, {"elapsed": ["a", "b"], "within": "1mo"}, {"members": A}, {"spend": {}},
    {"actions": {"where": P}}, {"budget": []}, {"changed_time": A}, {"start_of": ["month", {"now": []}]}, {"segment": "vip"}, {"segment": ["vip"]}, {"event.time": []}, {"trigger": "form"},
    {"duration": "1h30m"}, {"duration": "-3d"},
]  # fmt: skip


def reads(tree):
    try:
        jm.Expression.from_json(json.dumps(tree))
    except jm.Error:
        return False
    return True


@pytest.mark.parametrize("tree", RIGHT, ids=json.dumps)
def test_what_is_right_is_valid(tree):
    assert reads(tree) and VALIDATOR.is_valid(tree)


@pytest.mark.parametrize("tree", WRONG, ids=json.dumps)
def test_what_is_wrong_is_not(tree):
    assert not reads(tree) and not VALIDATOR.is_valid(tree)


def test_selectors():
    for right in ("a", {"event": "a"}, {"event": "a", "property": "p", "this": "day"}):
        assert OF_SELECTORS.is_valid(right)
        jm.Selector.from_json(json.dumps(right))
    for wrong in ("", {}, {"where": True}, {"event": "a", "on": "k"}, ["a"], 1):
        assert not OF_SELECTORS.is_valid(wrong)
        with pytest.raises(jm.Error):
            jm.Selector.from_json(json.dumps(wrong))


def damaged(rng, tree):
    """The tree with one thing in it changed: a key, an item, or a value."""
    tree = copy.deepcopy(tree)
    places = []

    def look(x):
        if isinstance(x, (dict, list)) and x:
            places.extend((x, k) for k in (list(x) if isinstance(x, dict) else range(len(x))))
            for item in x.values() if isinstance(x, dict) else x:
                look(item)

    look(tree)
    if not places:
        return None
    holder, key = rng.choice(places)
    match rng.randrange(6):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[rng.choice(WORDS)] = holder.pop(key)
        case 1:
            holder.insert(key, rng.choice(RIGHT))
        case 2:
            holder[key] = rng.choice(RIGHT)
        case 3:
            holder[key] = [holder[key]]
        case 4 if isinstance(holder, dict):
            holder[rng.choice(WORDS)] = rng.choice(["1d", "day", "p", True])
        case _:
            holder[key] = rng.choice([None, {}, [], "", "day", "3d", 7])
    return tree


WORDS = [*SCHEMA["definitions"]["tree"]["properties"], *SCHEMA["definitions"]["selector_object"]["properties"], "on", "name", "where"]


def test_schema_and_reader_agree_on_damaged_trees():
    rng, taken, refused, folded = random.Random(11), 0, 0, 0
    for _ in range(6000):
        text, _ = twin.Writer(rng, twin.moment(rng)).truth(rng.choice([0, 1, 2]))
        tree = json.loads(jm.predicate(text).to_json())
        for _ in range(rng.choice([1, 1, 2])):
            tree = damaged(rng, tree) or tree
        said, valid = reads(tree), VALIDATOR.is_valid(tree)
        if said and not valid:   # a literal said in a roundabout way, {"-": 5} or {"and": "x"}, where only one may stand
            tree = json.loads(jm.Expression.from_json(json.dumps(tree)).to_json())
            valid, folded = VALIDATOR.is_valid(tree), folded + 1
        assert valid == said, f"the reader {'takes' if said else 'refuses'} {json.dumps(tree)}"
        taken, refused = taken + said, refused + (not said)
    assert taken > 1000 and refused > 1000 and folded < 10
