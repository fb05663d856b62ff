"""The embedder's own loop, and journeys told step by step."""

import datetime
import json

import journeyman as jm
import pytest

UTC = datetime.timezone.utc
BOOK = {
    "timezone": "Europe/Rome",
    "types": {"cart_started.total": "decimal"},
    "policies": {"quiet_hours": {"from": "22:00", "to": "08:00"}},
    "workflows": {
        "cart": {
            "trigger": {"event": "cart_started where total > 10"}, "reentry": "after_exit", "goal": "did(purchase, since entry)", "first": "think",
            "steps": {
                "think": {"wait": "1h", "next": "remind"},
                "remind": {"send": "email", "template": "cart", "with": {"cart": {"expr": "trigger.cart_id"}}, "next": "loyal"},
                "loyal": {"branch": [{"if": "count(purchase, last 30d) >= 1", "then": "gift"}], "else": "end"},
                "gift": {"task": "add a gift", "owner": "shop", "due": "1d"},
            },
        }
    },
}  # fmt: skip


def at(hour, minute=0):
    return datetime.datetime(2026, 3, 2, hour, minute, tzinfo=UTC)


def track(event, when, **properties):
    return {"type": "track", "userId": "anna", "event": event, "timestamp": when.isoformat(), "properties": properties}


def test_a_host_advances_a_contact_by_records_and_by_time():
    book = jm.Playbook.from_dict(BOOK)
    anna = jm.ContactState("anna")
    assert book.advance(anna, track("cart_started", at(9), cart_id="c1", total=20)) == []
    assert anna.next_due == at(10)
    [cart] = anna.journeys
    assert (cart["step"], cart["until"]) == ("think", at(10))
    twin = anna.copy()
    assert book.advance(twin, track("purchase", at(9, 30))) == []   # the goal
    assert twin.journeys == [] and twin.next_due is None
    [sent] = book.advance(anna, anna.next_due)
    assert (sent["step"], sent["template"], sent["status"], sent["at"], sent["values"]) == ("remind", "cart", "sent", at(10), {"cart": "c1"})
    assert anna.journeys == []
    again = book.compiled().read(anna.to_json())
    assert book.advance(again, track("cart_started", at(20), total=5)) == []
    assert again.next_due is None


def test_a_host_does_what_a_replay_by_arrival_does():
    book = jm.Playbook.from_dict(BOOK)
    records = [track("cart_started", at(9), cart_id="c1", total=20), track("purchase", at(12)), track("cart_started", at(20, 30), cart_id="c2", total=30)]
    run = book.replay(jm.History.from_records(records), until=at(23) + datetime.timedelta(days=1), order="arrival")
    anna, done = jm.ContactState("anna"), []
    for record in records:
        done += book.advance(anna, record)
    while anna.next_due is not None:
        done += book.advance(anna, anna.next_due)
    wanted = run.actions.to_pylist()
    assert [(a["key"], a["status"], a["at"]) for a in done] == [(a["key"], a["status"], a["at"]) for a in wanted]
    assert [a["status"] for a in done] == ["sent", "deferred", "sent", "done"]
    assert [json.dumps(a["values"], separators=(",", ":")) for a in done if a["values"]] == [a["values"] for a in wanted if a["values"]]


def test_what_a_host_gives_wrong_is_said_and_changes_nothing():
    book = jm.Playbook.from_dict(BOOK)
    anna = jm.ContactState("anna")
    before = anna.to_json()
    for bad, code in (({"type": "nonsense"}, "input.record"), ({"type": "track", "event": "purchase"}, "input.record"), (track("cart_started", at(9), total="much"), "type.mismatch")):
        with pytest.raises(jm.Error) as raised:
            book.advance(anna, bad)
        assert raised.value.code == code
    assert anna.to_json() == before
    with pytest.raises(jm.Error) as raised:
        book.compiled().read("[]")
    assert raised.value.code == "state.json"


def test_a_journey_is_told_as_data_as_text_and_in_a_notebook():
    book = jm.Playbook.from_dict(BOOK)
    records = [track("purchase", at(7)), track("cart_started", at(9), cart_id="<c1>", total=20), {"type": "identify", "userId": "bea", "timestamp": at(9).isoformat(), "traits": {}}]
    run = book.replay(jm.History.from_records(records), until=at(12))
    [journey] = told = run.explain("anna")
    assert [s["step"] for s in journey.steps] == ["think", "remind", "loyal", "gift"]
    assert journey.steps[2]["why"] == "choice 1: `count(purchase, last 30d) >= 1` is yes"
    assert journey.steps[1]["actions"][0]["status"] == "sent"
    [goal, choice] = journey.steps[2]["questions"]
    assert (goal[0], goal[1].value, choice[0], choice[1].value) == ("goal", "no", "choice 1", "yes")
    assert journey.to_dict()["steps"][2]["questions"][1]["what"] == "choice 1"
    assert "loyal (branch)" in repr(told) and told.to_dicts()[0]["outcome"] == "completed"
    assert "&lt;c1&gt;" in told._repr_html_() and "<c1>" not in told._repr_html_()
    assert list(run.explain("bea")) == [] and repr(run.explain("bea")) == "no journeys"
    with pytest.raises(jm.Error):
        run.explain("nobody")


def test_two_versions_are_compared_and_upgraded():
    old = jm.Playbook.from_dict(BOOK)
    definition = jm.Playbook.from_dict(BOOK).to_dict()
    steps = definition["workflows"]["cart"]["steps"]
    steps["think"]["wait"] = "3h"
    steps["pause"] = {"wait": "1d"}
    new = jm.Playbook.from_dict(definition)
    history = jm.History.from_records([track("cart_started", at(9), total=20, cart_id="c"), track("purchase", at(11))])
    told = old.compare(new, history)
    assert [(r["contact_id"], r["change"]) for r in told.contacts.to_pylist()] == [("anna", "fewer")]
    assert [(r["step"], r["before"], r["after"]) for r in told.partings.to_pylist()] == [("think", "next → remind", "goal")]
    assert "1 fewer" in repr(told) and "<h4>" in told._repr_html_()

    run = old.replay(history, until=at(9, 30))
    assert [(r["step"], r["how"]) for r in jm.plan_upgrade(old, new, run).to_pylist()] == [("think", "continues")]
    anna = jm.ContactState("anna")
    old.advance(anna, track("cart_started", at(9), total=20, cart_id="c"))
    [row] = jm.plan_upgrade(old, new, [anna], {"cart": {"think": "pause"}}).to_pylist()
    assert (row["how"], row["to_step"], row["version"] == row["to_version"]) == ("continues", "pause", False)
    workflows = new.compiled()
    assert workflows.upgrade(anna, at(9, 10)) == []
    while anna.next_due is not None and anna.next_due < at(12):
        assert workflows.advance(anna, anna.next_due) == []
    assert [a["step"] for a in workflows.advance(anna, at(12))] == ["remind"]
    with pytest.raises(jm.Error) as raised:
        jm.plan_upgrade(old, new, [anna], {"cart": {"nothing": "pause"}})
    assert raised.value.code == "name.unknown"


def test_a_graph_tells_what_every_way_passes():
    book = jm.Playbook.from_dict(BOOK | {"kpis": {"bought": {"value": "events(purchase)", "every": "month", "direction": "up"}}})
    cart = book.workflows["cart"]
    assert cart.passes("gift", "loyal", "if") and cart.passes("gift", "think") and not cart.passes("remind", "loyal")
    assert cart.dominators()["gift"] == ["think", "remind", "loyal", "gift"]
    assert cart.lengths()["sends"] == 1 and cart.lengths()["longest"] == datetime.timedelta(hours=1)
    assert [(r["role"], r["event"], r["kpi"]) for r in book.leads_to().to_pylist()] == [("goal", "purchase", "bought")]
    assert [p.place for p in book.check() if p.code == "workflow.kpi"] == ["workflows.cart"]


def test_what_only_a_workflow_sets_is_cleared_in_a_replay_too_where_types_declare_it():
    book = jm.Playbook.from_dict({"timezone": "UTC", "types": {"contact.stage": "text"}, "workflows": {
        "w": {"trigger": {"event": "go"}, "reentry": "after_exit", "audience": "missing(stage)", "first": "mark", "steps": {"mark": {"set": {"stage": "hot"}}}}}})  # fmt: skip
    records = [track("go", at(9)), track("go", at(10)), {"type": "identify", "userId": "anna", "timestamp": at(11).isoformat(), "traits": {"stage": None}}, track("go", at(12))]
    history = jm.History.from_records(records, types={"contact.stage": "text"})
    anna = jm.ContactState("anna")
    told = [a["at"] for r in records for a in book.advance(anna, r)]
    assert told == [a["at"] for a in book.replay(history).actions.to_pylist()] == [at(9), at(12)]
