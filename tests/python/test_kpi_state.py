"""States of KPIs: saved, merged elsewhere, read by later versions."""

import json
import pathlib
import pickle

import journeyman as jm
import pytest

GOLDEN = pathlib.Path(__file__).parents[1] / "golden"
SPAN = {"start": "2026-01-01T00:00:00+01:00", "end": "2026-05-01T00:00:00+02:00"}
CITIES = ("Roma", "Milano", "Torino")


def playbook():
    return jm.Playbook.from_dict({
        "timezone": "Europe/Rome", "types": {"purchase.amount": "decimal", "purchase.channel": "text", "contact.account_id": "text"}, "segments": {"romans": 'city == "Roma"'},
        "kpis": {
            "revenue": {"value": "sum(purchase.amount) / contacts(purchase)", "every": "month", "direction": "up", "by": ["contact.city", "segment", "channel"], "target": {"change": 0.1, "from": "previous"}},
            "accounts": {"value": "accounts(purchase)", "every": "quarter", "direction": "up", "scope": "romans"},
            "in_time": {"value": "converted(lead, purchase, within 30d) / starters(lead, within 30d)", "every": "month", "direction": "up"},
            "cpa": {"value": "spend() / new(purchase)", "every": "month", "direction": "down"},
            "cpa_romans": {"value": "spend() / new(purchase)", "every": "month", "direction": "down", "scope": "romans"},
        },
    })  # fmt: skip


def part(of, parts):
    """Contacts whose number leaves `of`, and the spend with the first of them."""
    records = []
    for k in range(of, 50, parts):
        day = 1 + k % 27
        records.append({"type": "identify", "userId": f"c{k}", "timestamp": "2025-12-01T00:00:00Z", "traits": {"city": CITIES[k % 3]}})
        if k % 5:
            records.append({"type": "group", "userId": f"c{k}", "groupId": f"a{k % 7}", "timestamp": "2025-12-01T00:00:00Z", "traits": {}})
        records.append({"type": "track", "userId": f"c{k}", "event": "lead", "timestamp": f"2026-0{1 + k % 3}-{day:02d}T10:00:00Z", "properties": {}})
        for n in range(k % 4):
            properties = {"amount": 0.1 * (k + n)} | ({"channel": "ads" if n else "mail"} if k % 6 else {})
            records.append({"type": "track", "userId": f"c{k}", "event": "purchase", "timestamp": f"2026-0{1 + (k + n) % 4}-{day:02d}T11:00:00Z", "properties": properties})
    spend = [{"timestamp": "2026-02-03T00:00:00Z", "amount": 70.1, "segment": None}, {"timestamp": "2026-03-03T00:00:00Z", "amount": 0.2, "segment": "romans"}]
    return jm.History.from_records(records, spend=spend if of == 0 else None)


def rows(kpis):
    return json.loads(json.dumps([kpis.to_pylist(), kpis.trend.to_pylist(), kpis.unscoped_spend.to_pylist(), kpis.improve.to_pylist()], default=str))


def test_merged_states_are_one_pass():
    whole = playbook().kpis(part(0, 1), **SPAN)
    states = [playbook().kpi_state(part(k, 3), **SPAN) for k in range(3)]
    merged = jm.merge_kpis([bytes(states[2]), states[0], pickle.loads(pickle.dumps(states[1]))])
    assert rows(merged.kpis()) == rows(whole)
    assert merged == states[0].merge(states[1]).merge(bytes(states[2])) == playbook().kpi_state(part(0, 1), **SPAN)
    assert rows(merged.kpis(level=0.5)) == rows(playbook().kpis(part(0, 1), level=0.5, **SPAN))


def test_threads_change_nothing():
    assert len({bytes(playbook().kpi_state(part(0, 1), threads=n, **SPAN)) for n in (1, 2, 7)}) == 1


def test_what_does_not_belong_together_is_refused():
    state = playbook().kpi_state(part(0, 2), **SPAN)
    for other in (playbook().kpi_state(part(1, 2)), playbook().kpi_state(part(1, 2), only="cpa", **SPAN), playbook().kpi_state(part(1, 2), distinct_error=0.01, **SPAN)):
        with pytest.raises(jm.Error) as e:
            state.merge(other)
        assert e.value.code == "kpi.state"
    for broken in (b"", b"JMKPI", bytes(state)[:-1], bytes(state) + b"x", b"JMKPI\x63" + bytes(state)[6:]):
        with pytest.raises(jm.Error) as e:
            jm.KpiState(broken)
        assert e.value.code == "kpi.state"
    with pytest.raises(jm.Error):
        jm.merge_kpis([]).kpis()


def test_accounts_about():
    events = [{"contact_id": f"c{k}", "event": "visit", "timestamp": "2026-01-05T00:00:00Z"} for k in range(20000)]
    contacts = [{"contact_id": f"c{k}", "account_id": f"a{k}"} for k in range(20000)]
    book = jm.Playbook.from_dict({"timezone": "UTC", "kpis": {"k": {"value": "accounts(visit)", "every": "month", "direction": "up"}}})
    history = jm.History(contacts=contacts, events=events)
    assert book.kpis(history).to_pylist()[0]["value"] == 20000
    about = book.kpis(history, distinct_error=0.01)
    assert about.distinct_error == 0.01
    assert abs(about.to_pylist()[0]["value"] / 20000 - 1) < 0.04   # four standard errors
    assert len(bytes(book.kpi_state(history, distinct_error=0.01))) < len(bytes(book.kpi_state(history))) / 3


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("kpi_state_*.bin")), ids=lambda f: f.stem)
def test_states_of_earlier_versions_are_read(file):
    expected = json.loads(file.with_suffix(".json").read_text())
    assert rows(jm.KpiState(file.read_bytes()).kpis()) == expected
    # And they merge with what this version counts.
    both = jm.KpiState(file.read_bytes()).merge(playbook().kpi_state(part(1, 2), **SPAN))
    assert rows(both.kpis()) == rows(playbook().kpis(part(0, 1), **SPAN))


def test_there_are_states_of_the_first_version():
    assert (GOLDEN / "kpi_state_1.bin").exists()


if __name__ == "__main__":   # python tests/python/test_kpi_state.py VERSION: writes a golden of the present form. Never again over one that is there.
    import sys

    target = GOLDEN / f"kpi_state_{sys.argv[1]}.bin"
    assert not target.exists(), f"{target} is there already"
    made = playbook().kpi_state(part(0, 2), **SPAN)
    target.write_bytes(bytes(made))
    target.with_suffix(".json").write_text(json.dumps(rows(made.kpis()), indent=0) + "\n")
