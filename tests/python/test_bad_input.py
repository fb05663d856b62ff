"""Bad input never crashes, hangs or vanishes: it is an error with code, place and remedy, or a counted and listed rejection."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import journeyman as jm
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

AT = "2026-03-31T00:00:00Z"
T = "2026-01-01T00:00:00Z"


def event(contact: Any = "anna", name: Any = "purchase", timestamp: Any = T, **more: Any) -> dict[str, Any]:
    return {"contact_id": contact, "event": name, "timestamp": timestamp, **more}


def reasons(h: jm.History) -> list[tuple[str, int, str]]:
    return [(r["table"], r["row"], r["reason"]) for r in h.rejected.to_pylist()]


def refused(call: Callable[[], Any]) -> jm.Error:
    with pytest.raises(jm.Error) as e:
        call()
    assert e.value.code and e.value.message, "an error has a code and a sentence"
    return e.value


# ---- files that are not what their name says


@pytest.mark.parametrize(
    "text, code, line, says",
    [
        ("", "input.csv", 1, "empty"),
        ("contact_id,event,timestamp\na,b\n", "input.csv", 2, "cells"),
        (f"contact_id,event,timestamp\na,b,{T},more\n", "input.csv", 2, "more cells"),
        (f'contact_id,event,timestamp\na,"b,{T}\n', "input.csv", 2, "not closed"),
        (f'contact_id,event,timestamp\na,b"c,{T}\n', "input.csv", 2, "quote"),
        (b"contact_id,event,timestamp\n\xff\xfe,b,c\n", "input.utf8", 2, "UTF-8"),
    ],
)
def test_malformed_csv(tmp_path: Path, text: str | bytes, code: str, line: int, says: str) -> None:
    path = tmp_path / "events.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    e = refused(lambda: jm.History(events=path))
    assert e.code == code and f"events.csv:{line}" in e.place and says in e.message


def test_csv_without_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text(f"user_id,event,timestamp\na,b,{T}\n")
    e = refused(lambda: jm.History(events=path))
    assert e.code == "input.column" and "contact_id" in e.message and "user_id" in e.message, "it says what is wanted and what there is"


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "feather"])
@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + bytes(200) + b"PAR1", b"ARROW1\0\0" + bytes(64), b"contact_id,event\n"])
def test_malformed_binary_files(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"events.{suffix}"
    path.write_bytes(content)
    e = refused(lambda: jm.History(events=path))
    assert e.code.startswith("input.") and "events" in e.place + e.message


@pytest.mark.parametrize("write", [pa.parquet.write_table, pa.feather.write_feather])
def test_a_file_cut_short(tmp_path: Path, write: Callable[..., Any]) -> None:
    path = tmp_path / ("events.parquet" if write is pa.parquet.write_table else "events.feather")
    write(pa.table({"contact_id": ["a"] * 500, "event": ["b"] * 500, "timestamp": [T] * 500}), path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert refused(lambda: jm.History(events=path)).code.startswith("input.")


@pytest.mark.parametrize("path", ["nosuch.csv", "nosuch.parquet", "nosuch.arrow", "."])
def test_files_that_are_not_there(path: str) -> None:
    e = refused(lambda: jm.History(events=path))
    assert path in e.place + e.message


# ---- Arrow of the wrong types


@pytest.mark.parametrize(
    "column, values, code",
    [
        ("timestamp", pa.array([True]), "input."),
        ("timestamp", pa.array([1.5]), "input."),
        ("timestamp", pa.array([[T]]), "input."),
        ("contact_id", pa.array([{"a": 1}]), "input."),
        ("event", pa.array([["purchase"]]), "input."),
    ],
)
def test_arrow_columns_of_another_type(column: str, values: pa.Array, code: str) -> None:
    columns = {"contact_id": pa.array(["a"]), "event": pa.array(["b"]), "timestamp": pa.array([T]), column: values}
    try:
        h = jm.History(events=pa.table(columns))
    except jm.Error as e:
        assert e.code.startswith(code) and column in str(e)
    else:
        assert h.events_count == 0 and [r[:2] for r in reasons(h)] == [("events", 0)]


def test_arrow_columns_that_hold_nothing_readable_are_named() -> None:
    h = jm.History(events=pa.table({"contact_id": ["a"], "event": ["b"], "timestamp": [T], "blob": pa.array([b"x"], pa.binary()), "deep": pa.array([{"x": 1}])}))
    assert h.events_count == 1
    assert {r["reason"] for r in h.rejected.to_pylist()} == {"unreadable value in blob", "unreadable value in deep"} or {"blob", "deep"} & set(h.events().to_pylist()[0])


def test_two_columns_of_a_name() -> None:
    twice = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"]), pa.array([T]), pa.array(["c"])], names=["contact_id", "event", "timestamp", "event"])
    assert "event" in str(refused(lambda: jm.History(events=twice)))


# ---- rows that cannot be used are counted and listed


def test_unusable_rows_are_listed() -> None:
    h = jm.History(events=[event(), event(contact=None), event(contact=""), event(name=None), event(timestamp=None), event(timestamp="soon"), event(timestamp="2026-01-01T00:00:00")])
    assert h.events_count == 1
    assert reasons(h) == [
        ("events", 1, "no contact_id"),
        ("events", 2, "no contact_id"),
        ("events", 3, "no event name"),
        ("events", 4, "no timestamp"),
        ("events", 5, "unreadable timestamp"),
        ("events", 6, "timestamp without a zone"),
    ]


def test_cells_of_another_type_are_listed_and_the_row_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text("contact_id,event,timestamp,amount\n" + f"a,purchase,{T},10\n" * 3 + f"a,purchase,{T},ten\n")
    h = jm.History(events=path, types={"purchase.amount": "decimal"})
    assert h.events_count == 4 and reasons(h) == [("events", 3, "unreadable value in amount")]
    assert h.rejected.to_pylist()[0]["example"] == "ten"
    assert h.select("sum(purchase.amount) == 30", at=AT).ids == ["a"]


def test_duplicate_ids_are_one_event() -> None:
    h = jm.History(events=[event(event_id="1", amount=5), event(event_id="1", amount=5), event(event_id="1", amount=6), event(contact="bea", event_id="1", amount=5)])
    assert h.events_count == 1 and h.select("sum(purchase.amount) == 5", at=AT).ids == ["anna"]
    assert reasons(h) == [("events", 1, "duplicate event_id"), ("events", 2, "conflicting event_id"), ("events", 3, "conflicting event_id")]


def test_duplicate_contacts_are_listed() -> None:
    h = jm.History(contacts=[{"contact_id": "a", "city": "Roma"}, {"contact_id": "a", "city": "Milano"}])
    assert h.contacts_count == 1
    assert h.contacts().to_pylist()[0]["city"] in ("Roma", "Milano")


def test_instants_far_away() -> None:
    far = ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "1969-12-31T23:59:59Z"]
    h = jm.History(events=[event(timestamp=t) for t in [*far, "9999-12-31T23:59:59-14:00", "0000-12-31T00:00:00Z", "10000-01-01T00:00:00Z"]])
    assert h.events_count == 3 and len(reasons(h)) == 3
    assert [r["timestamp"] for r in h.events().to_pylist()][1].year == 1969
    assert h.select("count(purchase) == 2 and did(purchase, last 100000d)", at=AT).ids == ["anna"]
    assert h.membership("did(purchase, last 36500d)", start="0001-01-01T00:00:00Z", end="9999-12-31T00:00:00Z").to_pylist()[0]["left_at"].year == 100
    for bad in ("2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "never", ""):
        refused(lambda bad=bad: h.select("true", at=bad))


def test_a_window_that_ends_before_it_begins() -> None:
    h = jm.History(events=[event()])
    assert refused(lambda: h.membership("did(purchase)", start=AT, end=T)).code == "predicate.window"
    assert refused(lambda: jm.predicate("did(purchase, last 0d)")).code == "predicate.window"
    assert refused(lambda: jm.predicate("did(purchase, last -3d)")).code == "predicate.window"


# ---- histories that lack half


def test_a_history_with_no_events() -> None:
    h = jm.History(contacts=[{"contact_id": "a", "city": "Roma"}], events=pa.table({"contact_id": pa.array([], pa.string()), "event": pa.array([], pa.string()), "timestamp": pa.array([], pa.string())}))
    assert (h.contacts_count, h.events_count, h.span) == (1, 0, None)
    assert h.select('city == "Roma" and never(purchase)', at=AT).ids == ["a"]
    assert h.membership("never(purchase)", start=T, end=AT).to_pylist()[0]["left_at"] is None
    p = playbook()
    assert p.replay(h).actions.to_pylist() == []
    assert [r["value"] for r in p.kpis(h, start=T, end="2026-02-01T00:00:00Z").to_pylist()] == [None]


def test_contacts_without_events_and_events_without_contacts() -> None:
    h = jm.History(contacts=[{"contact_id": "a", "city": "Roma"}], events=[event(contact="b")])
    assert h.contacts_count == 2 and h.events_count == 1
    assert h.select("never(purchase)", at=AT).ids == ["a"] and h.select("did(purchase)", at=AT).ids == ["b"]
    assert h.select("missing(city)", at=AT).ids == ["b"]
    assert h.select("true", at="2025-01-01T00:00:00Z").ids == ["a"], "who is in no table of contacts begins with the first event"


def test_a_history_of_nothing() -> None:
    h = jm.History()
    assert h.select("true", at=AT).ids == [] and playbook().replay(h).actions.to_pylist() == []
    assert playbook().kpis(h).to_pylist() == []


# ---- predicates


@pytest.mark.parametrize(
    "text, place, says",
    [
        ("", "1:1", "the end"),
        ("count(purchase", "1:15", "the end"),
        ("x = 1", "1:3", "=="),
        ("x == 'a'", "1:6", "double quotes"),
        ("cuont(purchase) > 1", "1:1", "Did you mean count"),
        ("did(purchase, lst 3d)", "1:15", "Did you mean last"),
        ("a ==\n  == b", "2:3", "expected"),
        ('x == "\ud800"', "1:1", "UTF-8"),
        ("did(purchase, last 1000000000d)", "1:20", "length of time"),
        ("x == null", "1:6", "missing(x)"),
    ],
)
def test_predicates_that_cannot_be_read(text: str, place: str, says: str) -> None:
    e = refused(lambda: jm.predicate(text))
    assert e.place == place and says in e.message


def test_unknown_names_come_with_the_nearest() -> None:
    h = jm.History(contacts=[{"contact_id": "a", "occupation": "freelance", "age": 3}], events=[event(amount=5)])
    e = refused(lambda: h.select('ocupation == "x"', at=AT))
    assert "occupation" in e.message and e.place == "1:1"
    assert "amount" in refused(lambda: h.select("sum(purchase.amuont) > 1", at=AT)).message
    assert "vip" in refused(lambda: h.select('segment("vpi")', at=AT, segments={"vip": "age > 2"})).message
    wrong = refused(lambda: h.select("true and occupation > 3", at=AT))
    assert wrong.code.startswith("type.") and wrong.place.startswith("1:")
    assert h.select("did(purchsae)", at=AT).ids == [], "an event nobody has is a warning of the check, not an error"


# ---- playbooks


def playbook(**more: Any) -> jm.Playbook:
    return jm.Playbook.from_dict(
        {
            "timezone": "UTC",
            "segments": {"buyers": "did(purchase)"},
            "workflows": {"w": {"trigger": {"event": "purchase"}, "steps": {"a": {"send": "email"}}}},
            "kpis": {"rate": {"value": "new(purchase) / new(lead)", "every": "month", "direction": "up"}},
            **more,
        }
    )


@pytest.mark.parametrize(
    "text, place, says",
    [
        ("", "", "nothing in it"),
        ("timezone: UTC\n  segments: x\n", ":2:", "no YAML"),
        ("timezone: [UTC\n", ":2:", "no YAML"),
        ("timezone: UTC\nsegmets: {}\n", ":2:1", "Did you mean segments"),
        ("timezone: Europe/Rom\n", ":1:11", "Europe/Rome"),
        ("timezone: UTC\nsegments:\n  a: did(purchase, last 3)\n", ":3:25", "needs a unit"),
        ("timezone: UTC\nsegments:\n  a: {where: x > 1, where: y}\n", ":3:", "twice"),
        ("timezone: UTC\nkpis: [1, 2]\n", ":2:", "mapping"),
        ("timezone: UTC\nworkflows: {w: {trigger: hand, steps: {a: {snd: email}}}}\n", ":2:", "Did you mean send"),
        ("timezone: UTC\n---\ntimezone: UTC\n", ":3:1", "second begins"),
        (",wpw", ":1:1", "no YAML"),   # yaml-cpp finds documents in it for ever
        ("- a\n- b\n", ":1:1", "mapping"),
        ("just text", ":1:1", "mapping"),
        ('{"timezone": "UTC", "segments": {"a": }', "", ""),
    ],
)
def test_playbooks_that_cannot_be_read(tmp_path: Path, text: str, place: str, says: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(text)
    e = refused(lambda: jm.Playbook.load(path))
    assert e.code.startswith(("playbook.", "predicate.", "time.zone")), e.code
    assert "p.yaml" + place in e.place and says in e.message


def test_playbooks_that_are_not_there_or_not_text(tmp_path: Path) -> None:
    assert refused(lambda: jm.Playbook.load(tmp_path / "nosuch.yaml")).code == "playbook.yaml"
    assert refused(lambda: jm.Playbook.load(tmp_path)).code == "playbook.yaml"
    (tmp_path / "p.yaml").write_bytes(b"timezone: UTC\nname: \xff\n")
    e = refused(lambda: jm.Playbook.load(tmp_path / "p.yaml"))
    assert e.place.endswith("p.yaml:2:7") and "UTF-8" in e.message
    (tmp_path / "p.yaml").write_bytes(b"a" * (16 * 2**20 + 1))
    assert refused(lambda: jm.Playbook.load(tmp_path / "p.yaml")).code == "playbook.limit"


def problems(**more: Any) -> dict[str, str]:
    return {p.code: f"{p.place}: {p.message}" for p in playbook(**more).check()}


def test_circles_are_named() -> None:
    found = problems(segments={"a": 'segment("b")', "b": 'segment("c")', "c": 'segment("a")'})
    assert any(all(name in text for name in "abc") for text in found.values()), found
    steps = {"x": {"wait": "1d", "next": "y"}, "y": {"wait": "1d", "next": "x"}}
    found = problems(workflows={"w": {"trigger": "hand", "steps": steps}})
    assert any("x → y → x" in text for text in found.values()), found


def test_unknown_names_of_a_playbook_come_with_the_nearest() -> None:
    workflow = {"trigger": {"enters": "bayers"}, "steps": {"a": {"send": "email", "next": "bb"}, "b": {"start": "v"}}}
    found = " ".join(problems(workflows={"w": workflow}).values())
    text = "\n".join(repr(p) for p in playbook(workflows={"w": workflow}).check())
    assert "buyers" in text and "bb" in text and found
    assert playbook(workflows={"w": workflow}).check().errors > 0


def test_all_problems_come_at_once() -> None:
    e = refused(lambda: playbook(nam="x", kpis={"k": {"value": "1 +", "evry": "month"}}, campaigns={"c": {"from": "2026-01-01"}}))
    assert e.message.count("\n") >= 4, e.message
