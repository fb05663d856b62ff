"""Reading records: what is used, what is rejected and why, and what comes out."""

import datetime

import journeyman as jm
import pytest

RECORDS = [
    {"type": "identify", "userId": "anna", "timestamp": "2026-01-01T00:00:00Z", "traits": {"plan": "gold", "address": {"city": "Roma"}, "renewal": "2026-12-01"}},
    {"type": "track", "userId": "anna", "event": "purchase", "timestamp": "2026-01-02T00:00:00Z", "messageId": "m1", "properties": {"amount": 10}},
    {"type": "track", "userId": "anna", "event": "purchase", "timestamp": "2026-01-02T00:00:00Z", "messageId": "m1", "properties": {"amount": 10}},
    {"type": "track", "userId": "anna", "event": "purchase", "timestamp": "2026-01-03T00:00:00Z", "messageId": "m1", "properties": {"amount": 11}},
    {"type": "track", "userId": "bea", "event": "purchase", "timestamp": "2026-01-03T00:00:00"},
    {"type": "track", "event": "purchase", "timestamp": "2026-01-03T00:00:00Z"},
    {"type": "track", "userId": "bea", "event": "purchase", "timestamp": "yesterday"},
    {"type": "group", "userId": "anna", "groupId": "acme", "timestamp": "2026-01-04T00:00:00Z", "traits": {"size": 50}},
    {"type": "dance", "userId": "bea", "timestamp": "2026-01-03T00:00:00Z"},
]


@pytest.fixture
def history():
    return jm.History.from_records(RECORDS)


def test_nothing_is_dropped_in_silence(history):
    assert sorted((r["row"], r["reason"]) for r in history.rejected.to_pylist()) == [
        (2, "duplicate event_id"),
        (3, "conflicting event_id"),
        (4, "timestamp without a zone"),
        (5, "no contact_id"),
        (6, "unreadable timestamp"),
        (8, "unknown type"),
    ]
    assert history.contacts_count == 1
    assert history.events_count == 1


def test_tables_come_out_typed(history):
    [anna] = history.contacts().to_pylist()
    assert anna == {"contact_id": "anna", "account_id": "acme", "address.city": "Roma", "plan": "gold", "renewal": datetime.date(2026, 12, 1)}
    [event] = history.events().to_pylist()
    assert event["timestamp"] == datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc)
    assert event["amount"] == 10
    history.contacts().to_arrow().validate(full=True)


def test_attributes_are_as_of_an_instant(history):
    assert history.contacts(at="2025-12-31T23:59:59.999999Z").to_pylist() == []
    assert history.contacts(at="2026-01-03T23:59:59.999999Z").to_pylist()[0]["account_id"] is None
    assert history.select("account.size >= 50", at="2026-01-03T23:59:59.999999Z").unknown_ids == ["anna"]
    assert history.select("account.size >= 50", at="2026-01-04T00:00:00Z").ids == ["anna"]


def test_a_zone_for_instants_without_one():
    h = jm.History.from_records([{"type": "track", "userId": "a", "event": "x", "timestamp": "2026-03-29T02:30:00"}], timezone="Europe/Rome")
    # 02:30 does not exist on that night: it moves forward by the gap
    assert h.events().to_pylist()[0]["timestamp"].isoformat() == "2026-03-29T01:30:00+00:00"


def test_an_empty_history_answers(tmp_path):
    h = jm.History.from_records([])
    assert h.contacts_count == 0
    assert h.select("true", at="2026-01-01T00:00:00Z").ids == []
    with pytest.raises(jm.Error, match="cannot be read"):
        jm.History.from_records(tmp_path / "nosuch.jsonl")


def test_datetimes_are_instants(history):
    rome = datetime.timezone(datetime.timedelta(hours=1))
    assert history.select("did(purchase)", at=datetime.datetime(2026, 1, 2, 1, tzinfo=rome)).ids == ["anna"]
    with pytest.raises(jm.Error, match="zone"):
        history.select("did(purchase)", at=datetime.datetime(2026, 1, 2))
    with pytest.raises(jm.Error, match="zone"):
        history.select("did(purchase)", at="2026-01-02T00:00:00")


def test_membership_is_left_by_time_alone(history):
    [stay] = history.membership("did(purchase, last 30d)", start="2026-01-01T00:00:00Z", end="2027-01-01T00:00:00Z").to_pylist()
    assert stay["contact_id"] == "anna"
    assert stay["entered_at"].isoformat() == "2026-01-02T00:00:00+00:00"
    assert stay["left_at"].isoformat() == "2026-02-01T00:00:00+00:00"
