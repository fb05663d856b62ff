"""Every measure by every dimension and period, by hand on one small shop."""

import datetime
import math

import journeyman as jm
import pytest

START, END = "2026-01-01T00:00:00+01:00", "2026-03-01T00:00:00+01:00"


def at(day, hour=12, month=1):
    return f"2026-{month:02d}-{day:02d}T{hour:02d}:00:00+01:00"


@pytest.fixture(scope="module")
def history():
    def event(contact, name, when, **properties):
        return {"type": "track", "userId": contact, "event": name, "timestamp": when, "properties": properties}

    people = {"anna": ("Roma", "acme"), "bea": ("Milano", "acme"), "carl": ("Roma", "zeta"), "dora": ("Torino", None)}
    records = [{"type": "identify", "userId": k, "timestamp": "2025-01-01T00:00:00Z", "traits": {"city": city}} for k, (city, _) in people.items()]
    records += [{"type": "group", "userId": k, "groupId": a, "timestamp": "2025-01-01T00:00:00Z", "traits": {"sector": a[0]}} for k, (_, a) in people.items() if a]
    records += [
        event("anna", "lead", at(2), channel="ads"), event("bea", "lead", at(3), channel="mail"), event("carl", "lead", at(4), channel="ads"), event("dora", "lead", at(20, month=2), channel="mail"),
        event("anna", "purchase", at(5), amount=100.25, channel="mail"), event("anna", "purchase", at(10), amount=50.0, channel="ads"), event("bea", "purchase", at(20), amount=10.0, channel="mail"),
        event("carl", "purchase", at(6, month=2), amount=7.0, channel="ads"), event("dora", "purchase", at(21, month=2), amount=1.0),
    ]  # fmt: skip
    spend = [
        {"timestamp": at(1), "amount": 60.0, "channel": "ads", "campaign": "winter"}, {"timestamp": at(15), "amount": 40.0, "channel": "mail", "campaign": None},
        {"timestamp": at(3, month=2), "amount": 30.0, "channel": "ads", "campaign": "spring"},
    ]  # fmt: skip
    return jm.History.from_records(records, spend=spend)


def playbook(kpis, **more):
    kpis = {name: {"every": "month", "direction": "up"} | ({"value": k} if isinstance(k, str) else k) for name, k in kpis.items()}
    return jm.Playbook.from_dict({
        "timezone": "Europe/Rome", "kpis": kpis, "types": {"contact.city": "text", "purchase.amount": "decimal", "lead.channel": "text"}, "segments": {"romans": 'city == "Roma"', "spenders": "sum(purchase.amount) >= 100"},
        "campaigns": {"winter": {"from": "2026-01-01", "to": "2026-01-08", "budget": 70}, "spring": {"from": "2026-02-01", "to": "2026-03-01", "where": 'city == "Roma"'}},
        "dimensions": {"acquired": {"value": "first(lead.channel)", "spend": "channel"}}, **more,
    })  # fmt: skip


def cells(table, kpi="k", *dimensions):
    """(month or campaign, dimension…) → value; the total has no dimension."""
    out = {}
    for r in table.to_pylist():
        if r["kpi"] == kpi:
            when = r["campaign"] if r["period"] is None else r["period"].astimezone(datetime.timezone(datetime.timedelta(hours=1))).month
            out[(when, *(r[d] for d in dimensions if r[d] is not None))] = r["value"]
    return out


MEASURES = {   # January and February
    "events(purchase)": (3, 2), "sum(purchase.amount)": (160.25, 8), "contacts(purchase)": (2, 2), "new(purchase)": (2, 2), "new(lead)": (3, 1),
    "members(did(purchase))": (2, 4), "accounts(purchase)": (1, 1), "accounts(lead)": (2, 0), "spend()": (100, 30), 'spend(where channel == "ads")': (60, 30),
    "starters(lead, within 7d)": (3, 1), "converted(lead, purchase, within 7d)": (1, 1), "converted(lead, purchase, within 1mo)": (2, 0), "elapsed(lead, purchase, within 7d)": (3 * 86400, 86400),
    "elapsed(lead, purchase, within 7d) / converted(lead, purchase, within 7d) / 1d": (3, 1), "sum(purchase.amount) / events(purchase)": (160.25 / 3, 4),
    "spend() / new(purchase)": (50, 15), "new(purchase) / new(lead)": (2 / 3, 2), "budget()": (None, None), "actions()": (0, 0), "contacts(any)": (3, 2), 'events("p*")': (3, 2),
}  # fmt: skip


@pytest.mark.parametrize("value", MEASURES)
def test_measures(history, value):
    got = cells(playbook({"k": value}).kpis(history, start=START, end=END))
    assert got == {(1,): MEASURES[value][0], (2,): MEASURES[value][1]}


BY = {
    "channel": ("events(purchase)", {(1, "mail"): 2, (1, "ads"): 1, (1, "(missing)"): 0, (2, "mail"): 0, (2, "ads"): 1, (2, "(missing)"): 1}),
    "acquired": ("events(purchase)", {(1, "ads"): 2, (1, "mail"): 1, (2, "ads"): 1, (2, "mail"): 1}),
    "contact.city": ("contacts(purchase)", {(1, "Roma"): 1, (1, "Milano"): 1, (1, "Torino"): 0, (2, "Roma"): 1, (2, "Torino"): 1, (2, "Milano"): 0}),
    "account.sector": ("new(lead)", {(1, "a"): 2, (1, "z"): 1, (1, "(missing)"): 0, (2, "a"): 0, (2, "z"): 0, (2, "(missing)"): 1}),
    # Anna is a spender from her first purchase on, which counts as hers; she stands in both segments.
    "segment": ("events(purchase)", {(1, "romans"): 2, (1, "spenders"): 2, (1, "(missing)"): 1, (2, "romans"): 1, (2, "(missing)"): 1, (2, "spenders"): 0}),
    "campaign": ("events(purchase)", {(1, "winter"): 1, (1, "(missing)"): 2, (2, "spring"): 1, (2, "(missing)"): 1, (1, "spring"): 0, (2, "winter"): 0}),
    "event.amount": ("events(purchase where amount < 8)", {(1, "7"): 0, (1, "1"): 0, (2, "7"): 1, (2, "1"): 1}),
}


@pytest.mark.parametrize("by", BY)
def test_dimensions(history, by):
    value, expected = BY[by]
    table = playbook({"k": value}).kpis(history, start=START, end=END, by=by)
    column = "campaign" if by == "campaign" else table.dimensions[0]
    assert {k: v for k, v in cells(table, "k", column).items() if len(k) == 2} == expected


def test_a_dimension_that_nothing_has_is_a_warning(history):
    with pytest.warns(UserWarning, match="nothing that counts has `chanel`"):
        playbook({"k": "spend() / new(purchase)"}).kpis(history, start=START, end=END, by="chanel")


def test_spend_goes_with_its_dimension(history):
    got = cells(playbook({"k": "spend() / new(purchase)"}).kpis(history, start=START, end=END, by="acquired"), "k", "acquired")
    assert got == {(1,): 50, (1, "ads"): 60, (1, "mail"): 40, (2,): 15, (2, "ads"): 30, (2, "mail"): 0}


def test_campaigns_have_start_end_and_budget(history):
    table = playbook({"k": {"value": "events(purchase)", "every": "campaign"}, "cost": {"value": "spend() / new(lead)", "every": "campaign"}, "left": {"value": "budget() - spend()", "every": "campaign"}}).kpis(history, start=START, end=END)
    assert cells(table) == {("winter",): 1, ("spring",): 1}        # Carl's; Dora is no Roman
    assert cells(table, "cost") == {("winter",): 20, ("spring",): None}
    assert cells(table, "left") == {("winter",): 10, ("spring",): None}   # no budget is given


@pytest.mark.parametrize(("every", "periods"), [("day", 59), ("week", 9), ("month", 2), ("quarter", 1), ("year", 1)])
def test_every_period(history, every, periods):
    rows = playbook({"k": {"value": "events(purchase)", "every": every}}).kpis(history, start=START, end=END).to_pylist()
    assert len(rows) == periods
    assert sum(r["value"] for r in rows) == 5
    assert [r["partial"] for r in rows][-1] is (every in ("week", "quarter", "year"))


def test_targets_relative_to_another_period(history):
    targets = {"before": "previous", "year": "last_year", "base": {"start": "2026-01-01", "end": "2026-02-01"}}
    table = playbook({name: {"value": "events(purchase)", "target": {"change": 0.5, "from": from_}, "improve": ["Do more", {"action": "Write", "workflow": "w"}]} for name, from_ in targets.items()}).kpis(history, start=START, end=END)
    got = {(r["kpi"], r["period"].month): (r["target"], r["status"]) for r in table.to_pylist()}
    # The period of 31 December ends within the first hours of the history's own first instant: it counts nothing.
    assert got[("before", 1)] == (4.5, "missed")
    assert got[("base", 1)] == (4.5, "missed")
    assert got[("year", 12)][1] == "met"
    assert {(i["kpi"], i["action"], i["workflow"]) for i in table.improve.to_pylist()} >= {("before", "Do more", None), ("before", "Write", "w")}


def test_by_workflow_version_and_step(history):
    book = playbook(
        {"sent": "actions(where kind == \"send\")", "bought": "events(purchase)"},
        workflows={
            "hello": {"trigger": {"event": "lead"}, "first": "mail", "steps": {"mail": {"send": "email", "next": "wait"}, "wait": {"wait": "7d", "next": "again"}, "again": {"send": "email"}}},
            "beside": {"trigger": {"event": "lead"}, "first": "wait", "steps": {"wait": {"wait": "2h", "next": "call"}, "call": {"task": "Call", "owner": "sales", "due": "1d"}}},
        },
    )  # fmt: skip
    run = book.replay(history)
    table = book.kpis(history, run, start=START, end=END, by=["workflow", "version", "step"])
    version = {j["workflow"]: j["version"] for j in run.journeys.to_pylist()}["hello"]
    # An action is of the journey that took it, whatever else runs then.
    assert cells(table, "sent", "workflow", "version", "step") == {
        (1,): 6, (2,): 1, (1, "hello", version, "mail"): 3, (1, "hello", version, "again"): 3, (2, "hello", version, "mail"): 1, (2, "hello", version, "again"): 0,
    }  # fmt: skip
    bought = cells(table, "bought", "workflow")
    assert bought[(1, "hello")] == 1                               # Anna's first, while she waited
    assert bought[(1, "(missing)")] == 2


def test_a_history_without_instants_says_why_there_are_no_rows():
    history = jm.History(contacts=[{"contact_id": "anna"}])
    with pytest.warns(UserWarning, match="give `start` and `end`"):
        table = playbook({"k": "members(true)"}).kpis(history)
    assert len(table) == 0
    assert [p.code for p in table.problems] == ["kpi.window"]
    assert not playbook({"k": "members(true)"}).kpis(history, start=START, end=END).problems


def test_values_as_people_write_them(history):
    book = playbook({"share": {"value": "new(purchase) / new(lead)", "unit": "percent"}, "cost": {"value": "spend() / new(purchase)", "unit": "money"}, "time": {"value": "elapsed(lead, purchase, within 7d) / 1d", "unit": "days"}}, currency="EUR")
    table = book.kpis(history, start=START, end=END)
    row = next(r for r in table.to_pylist() if r["kpi"] == "cost")
    assert table.written("share", 2 / 3) == "66.7 %"
    assert table.written("cost", 1234.5) == "€ 1,234.50"
    assert table.written("time", 3.0) == "3 days"
    assert table.written("cost", None) == ""
    assert table.written_period(row) == "Jan 2026"
    assert table.written_interval(row).startswith("€ ") and " – " in table.written_interval(row)


def test_trends(history):
    events = [{"contact_id": "a", "event": "visit", "timestamp": f"2026-01-{d:02d}T12:00:00Z"} for d in range(1, 11) for _ in range(d)]
    table = playbook({"k": {"value": "events(visit)", "every": "day", "direction": "down"}}).kpis(jm.History(events=events), end="2026-01-11T00:00:00+01:00")
    (trend,) = table.trend.to_pylist()
    assert (trend["periods"], trend["first"], trend["last"], trend["slope"], trend["trend"], trend["better"]) == (10, 1, 10, 1, "rising", False)
    assert math.isclose(trend["p"], 8.303e-5, rel_tol=1e-3)        # scipy: z = 44 / √125


def test_more_than_256_event_names_are_told_apart():
    """`new(any)` looks at every stream; the contact's first event lies in one of the last."""
    events = [{"contact_id": "other", "event": f"e{k:03}", "timestamp": at(2)} for k in range(300)]
    events += [{"contact_id": "anna", "event": "e299", "timestamp": at(10, month=2)}, {"contact_id": "anna", "event": "e001", "timestamp": at(11, month=2)}]
    h = jm.History(events=sorted(events, key=lambda e: e["contact_id"]))
    assert cells(playbook({"k": "new(any)"}).kpis(h, start=START, end=END)) == {(1,): 1, (2,): 1}
