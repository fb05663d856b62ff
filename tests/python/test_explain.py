"""Why a predicate is what it is."""

import datetime
import random

import journeyman as jm
import pytest

UTC = datetime.timezone.utc


def day(month, d):
    return datetime.datetime(2026, month, d, tzinfo=UTC)


def history():
    who = [("anna", {"occupation": "freelance"}), ("bea", {})]
    records = [{"type": "identify", "userId": n, "timestamp": "2026-01-01T00:00:00Z", "traits": t} for n, t in who]
    records += [
        {"type": "track", "userId": "anna", "event": "purchase", "timestamp": f"2026-01-{d:02d}T00:00:00Z", "properties": {"amount": 10.0 * d}} for d in (2, 5, 9)
    ]
    return jm.History.from_records(records)


def test_a_count_names_its_events_and_when_each_leaves():
    why = history().explain("count(purchase where amount > 20, last 30d) >= 3", "anna", at="2026-01-31T00:00:00Z")
    assert (why.value, why.remark, why.changes_at) == ("no", "1 more would do", None)
    [count] = why.parts
    assert (count.clause, count.value) == ("count(purchase where amount > 20, last 30d)", "2")
    assert count.changes_at == day(2, 4)
    assert count.events == [
        {"event": "purchase", "at": day(1, 9), "leaves_at": day(2, 8)},
        {"event": "purchase", "at": day(1, 5), "leaves_at": day(2, 4)},
    ]


def test_a_segment_opens_and_a_missing_attribute_is_named():
    why = history().explain('segment("free") or did(purchase)', "bea", at="2026-01-31T00:00:00Z", segments={"free": 'occupation == "freelance"'})
    segment, bought = why.parts
    assert (why.value, segment.value, segment.parts[0].value, bought.value) == ("no", "no", "unknown", "no")
    assert segment.parts[0].parts[0].remark == "nothing is known of it"
    assert why.to_dict()["parts"][0]["clause"] == 'segment("free")'
    assert "occupation: missing (nothing is known of it)" in repr(why)
    assert "<code>occupation</code> <b>missing</b>" in why._repr_html_()


def test_before_a_contact_exists_and_for_nobody():
    why = history().explain("never(purchase)", "bea", at="2025-01-01T00:00:00Z")
    assert (why.value, why.remark) == ("no", "the contact does not exist yet; it does from 2026-01-01T00:00:00Z")
    with pytest.raises(jm.Error, match="name.unknown"):
        history().explain("never(purchase)", "nobody")


def test_a_playbook_explains_by_its_own_segments_and_types():
    playbook = jm.Playbook.from_dict({"types": {"contact.plan": "text"}, "segments": {"gold": {"where": 'plan == "gold"'}}})
    assert history().explain(playbook.segments["gold"], "anna").value == "unknown"
    assert history().explain('segment("gold")', "anna", playbook=playbook).value == "no"


def test_it_agrees_with_membership_on_random_questions():
    rng = random.Random(4)
    h = history()
    compared = 0
    for _ in range(300):
        d, n = rng.choice(["3d", "1mo", "12h", "30d"]), rng.choice([1, 2, 3])
        text = rng.choice([f"count(purchase, last {d}) >= {n}", f"did(purchase, last {d})", f"never(purchase, last {d})", f"now - last_time(purchase) > {n}d",
                           f"count(purchase, this month) >= {n}", f'did(purchase, last {d}) and occupation == "freelance"'])  # fmt: skip
        at = day(1, 1) + datetime.timedelta(hours=rng.randrange(24 * 80))
        why = h.explain(text, "anna", at=at)
        stays = [r for r in h.membership(text, at, day(12, 31)).to_pylist() if r["contact_id"] == "anna"]
        inside = bool(stays) and stays[0]["entered_at"] == at
        assert (why.value == "yes") == inside
        if at >= day(1, 9):   # no event comes after
            edges = [x for s in stays for x in (s["entered_at"], s["left_at"]) if x is not None and x > at]
            assert why.changes_at == (min(edges) if edges else None), (text, at)
            compared += 1
    assert compared > 100
