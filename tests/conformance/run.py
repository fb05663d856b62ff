"""Runs files in the forms of ../shared/conformance through the public API.

    python tests/conformance/run.py FILE…

One line for each case that misses; closes with `N passed, N failed`. Predicates are covered; every case of another form counts as failed.
"""

import json
import sys

import journeyman as jm

BEGINNING = "1900-01-01T00:00:00Z"


def predicate_case(case):
    """None when the case holds, else what differs."""
    records = [{"type": "identify", "userId": c, "timestamp": BEGINNING, "traits": attributes} for c, attributes in case["contacts"].items()]
    for step in case["script"]:
        if "set" in step:
            records.append({"type": "identify", "userId": step["set"]["contact"], "timestamp": step["at"], "traits": step["set"]["attributes"]})
        elif "event" in step:
            e = step["event"]
            record = {"type": "track", "userId": e["contact"], "event": e["name"], "timestamp": step["at"], "properties": e.get("properties", {})}
            records.append(record | ({"messageId": e["id"]} if e.get("id") else {}))
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


def run_file(path):
    """(id, None or what differs) of each case of the file."""
    with open(path, encoding="utf-8") as f:
        cases = json.load(f)["cases"]
    for case in cases:
        if "script" not in case:
            yield case["id"], "this form is not covered yet"
            continue
        try:
            yield case["id"], predicate_case(case)
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
