"""Histories that grow: append in each form, membership as changes and sizes, tracked membership."""

import datetime
import json
import random

import journeyman as jm
import pandas
import pyarrow as pa
import pytest

pytest.importorskip("matplotlib").use("agg")


def day(n, hour=0):
    return datetime.datetime(2026, 1, 1, hour, tzinfo=datetime.timezone.utc) + datetime.timedelta(days=n)


def rows(events):
    return [{"contact_id": c, "event": e, "timestamp": t, "amount": a, "event_id": i} for c, e, t, a, i in events]


def same(a, b):
    assert a.schema == b.schema
    for what in ("events", "contacts", "accounts", "spend"):
        assert getattr(a, what)().to_pylist() == getattr(b, what)().to_pylist(), what
    assert a.rejected.to_pylist() == b.rejected.to_pylist()
    assert a.rejected_counts.to_pylist() == b.rejected_counts.to_pylist()


EVENTS = rows([
    ("anna", "purchase", day(0), 10, "1"), ("bob", "login", day(3), None, "2"), ("anna", "purchase", day(5), 20, "3"), ("cleo", "purchase", day(2), 5, "4"),
    ("anna", "purchase", day(0), 10, "1"), ("bob", "purchase", day(1), 2.5, "5"), ("aaron", "signup", day(9), None, "6"), ("bob", "login", day(3), None, "4"), ("", "login", day(3), None, "7"),
])  # fmt: skip


@pytest.mark.parametrize("cut", range(1, len(EVENTS)))
@pytest.mark.parametrize("form", [list, pandas.DataFrame, pa.Table.from_pylist], ids=["dicts", "pandas", "arrow"])
def test_appended_events_are_events_that_came_at_once(cut, form):
    h = jm.History(events=form(EVENTS[:cut]))
    before, count = h.select("did(any)", at=day(30)), h.contacts_count
    assert h.append(events=form(EVENTS[cut:])) is h
    same(h, jm.History(events=form(EVENTS)))
    assert before.count == len(before.sample(9)) == count   # a selection stays what it was


def test_csv_files_and_contacts_are_appended_with_the_options_of_the_history(tmp_path):
    def table(name, text):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    h = jm.History(contacts=table("c.csv", "user,plan\n1,free\n2,paid\n"), events=table("e.csv", "user,event,timestamp,code\n1,x,01/02/2026 10:00,7\n"),
                   columns={"contact_id": "user"}, formats={"timestamp": "%d/%m/%Y %H:%M"}, timezone="Europe/Rome")  # fmt: skip
    h.append(contacts=table("c2.csv", "user,plan,city\n3,free,Roma\n2,free,Milano\n"), events=table("e2.csv", "user,event,timestamp,code\n1,x,01/01/2026 10:00,none\n"))
    assert h.contacts().to_pylist() == [{"contact_id": 1, "city": None, "plan": "free"}, {"contact_id": 2, "city": None, "plan": "paid"}, {"contact_id": 3, "city": "Roma", "plan": "free"}]
    assert h.rejected.to_pylist() == [{"table": "contacts", "row": 3, "reason": "duplicate contact_id", "example": "2"}]
    assert [(e["timestamp"].isoformat(), e["code"]) for e in h.events().to_pylist()] == [("2026-01-01T09:00:00+00:00", "none"), ("2026-02-01T09:00:00+00:00", "7")]
    with pytest.raises(jm.Error):
        h.append(events={"contact_id": ["1"]})
    assert h.events_count == 2


def test_records_are_appended_as_they_arrive(tmp_path):
    records = [
        {"type": "identify", "userId": "anna", "timestamp": "2026-01-01T00:00:00Z", "traits": {"plan": "free"}},
        {"type": "track", "userId": "anna", "event": "buy", "timestamp": "2026-01-02T00:00:00Z", "properties": {"price": 3}, "messageId": "m1"},
        {"type": "nothing"},
        {"type": "identify", "userId": "anna", "timestamp": "2026-01-03T00:00:00Z", "traits": {"plan": None, "city": "Roma"}},
        {"type": "track", "userId": "anna", "event": "buy", "timestamp": "2026-01-02T00:00:00Z", "properties": {"price": 3}, "messageId": "m1"},
        {"type": "track", "userId": "zoe", "event": "buy", "timestamp": "2026-01-01T00:00:00Z", "properties": {"price": 2.5}},
        {"type": "nothing"},
    ]
    for cut in range(1, len(records)):
        (tmp_path / "more.jsonl").write_text("\n".join(json.dumps(r) for r in records[cut:]))
        for more in (records[cut:], tmp_path / "more.jsonl"):
            same(jm.History.from_records(records[:cut]).append_records(more), jm.History.from_records(records))


def test_more_rejections_than_are_listed_are_counted():
    h = jm.History(events=rows([("", "login", day(0), None, None)] * 700 + [("anna", "login", None, None, None)] * 3))
    for _ in range(3):
        h.append(events=rows([("", "login", day(1), None, None)] * 600 + [("anna", "login", day(2), None, None)]))
    assert {r["reason"]: r["rows"] for r in h.rejected_counts.to_pylist()} == {"no contact_id": 700 + 3 * 600, "no timestamp": 3}
    listed = [r["row"] for r in h.rejected.to_pylist() if r["reason"] == "no contact_id"]
    assert listed == [*range(700), *range(703, 1003)]   # the first thousand; rows count on from what came before
    assert h.events_count == 3
    same(h, jm.History(events=rows([("", "login", day(0), None, None)] * 700 + [("anna", "login", None, None, None)] * 3 + ([("", "login", day(1), None, None)] * 600 + [("anna", "login", day(2), None, None)]) * 3)))


def test_an_empty_history_takes_anything():
    same(jm.History().append(events=EVENTS), jm.History(events=EVENTS))


def test_changes_and_sizes():
    h = jm.History(events=EVENTS)
    asked = ("did(purchase, last 2d)", day(0), day(20))
    moves = h.changes(*asked).to_pylist()
    assert [(m["contact_id"], m["at"], m["change"]) for m in moves][:3] == [("anna", day(0), "entered"), ("bob", day(1), "entered"), ("anna", day(2), "left")]
    sizes = h.sizes(*asked)
    assert [r["members"] for r in sizes.to_pylist()] == [1, 2, 1, 0, 1, 0]
    days = h.sizes(*asked, every="day", timezone="Europe/Rome").to_pylist()
    assert len(days) == 21 and days[1]["at"] == day(0, 23)
    for row in days:
        assert row["members"] == h.select(asked[0], at=row["at"]).count
    ax = sizes.plot(color="black")
    assert ax.get_ylabel() == "members" and len(ax.lines) == 1
    with pytest.raises(jm.Error, match="calendar unit"):
        h.sizes(*asked, every="fortnight")


def test_tracked_membership_follows_appends():
    rng = random.Random(5)
    h = jm.History(events=EVENTS[:2])
    text = "count(purchase, last 4d) >= 1"
    tracked = h.track(text, day(0))
    members = set(tracked.members)
    for n in range(12):
        more = rows([(rng.choice("abcd"), rng.choice(["purchase", "login"]), day(rng.randrange(2 * n + 1), rng.randrange(24)), rng.random(), None) for _ in range(rng.randrange(4))])
        if more:
            h.append(events=more)
        for row in tracked.update().to_pylist():
            (members.add if row["change"] == "entered" else members.discard)(row["contact_id"])
        assert tracked.members == sorted(members) == h.select(text).ids
        after = tracked.until + datetime.timedelta(microseconds=1)
        assert tracked.stays.to_pylist() == h.membership(text, day(0), after).to_pylist()
        assert tracked.changes.to_pylist() == h.changes(text, day(0), after).to_pylist()
    assert "members at" in repr(tracked) and len(tracked) == len(members)
    with pytest.raises(jm.Error):
        h.track(text, day(5), day(4))


def test_playbooks_give_their_segments_to_changes_sizes_and_tracking():
    playbook = jm.Playbook.parse("timezone: Europe/Rome\nweek_starts: sunday\nsegments: {buyers: 'did(purchase, last 2d)'}")
    h = jm.History(events=EVENTS)
    buyers = playbook.segments["buyers"]
    assert h.changes(buyers, day(0), day(20)).to_pylist() == h.changes("did(purchase, last 2d)", day(0), day(20)).to_pylist()
    assert h.sizes(buyers, day(0), day(20), every="week").to_pylist()[1]["at"] == datetime.datetime(2026, 1, 3, 23, tzinfo=datetime.timezone.utc)
    assert h.track('segment("buyers")', day(0), day(2, 1), playbook=playbook).members == ["bob", "cleo"]
