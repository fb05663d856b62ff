"""Histories from tables: whatever holds them, the answer is the same."""

import datetime

import duckdb
import journeyman as jm
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet
import pytest

UTC = datetime.timezone.utc
ROWS = [
    {"contact_id": "anna", "event": "purchase", "timestamp": datetime.datetime(2026, 1, 2, tzinfo=UTC), "amount": 10.5, "first": True},
    {"contact_id": "bea", "event": "login", "timestamp": datetime.datetime(2026, 1, 3, tzinfo=UTC), "amount": None, "first": None},
    {"contact_id": "anna", "event": "purchase", "timestamp": datetime.datetime(2026, 1, 4, 0, 0, 0, 1, tzinfo=UTC), "amount": 4.0, "first": False},
]
TABLE = pa.Table.from_pylist(ROWS)


class OnlyArray:
    def __init__(self, batch):
        self.__arrow_c_array__ = batch.__arrow_c_array__


FORMS = {
    "arrow": lambda _: TABLE,
    "sliced": lambda _: pa.concat_tables([TABLE.slice(0, 1), TABLE]).slice(1),
    "batch": lambda _: TABLE.combine_chunks().to_batches()[0],
    "array only": lambda _: OnlyArray(TABLE.combine_chunks().to_batches()[0]),
    "reader": lambda _: TABLE.to_reader(),
    "dictionary": lambda _: TABLE.set_column(1, "event", TABLE["event"].dictionary_encode()),
    "pandas": lambda _: TABLE.to_pandas().set_index(pd.Index([5, 7, 9])),
    "pandas objects": lambda _: TABLE.to_pandas().astype({"contact_id": object, "event": "category"}),
    "polars": lambda _: pl.from_arrow(TABLE),
    "columns": lambda _: TABLE.to_pydict(),
    "rows": lambda _: ROWS,
    "rows with gaps": lambda _: [{k: v for k, v in row.items() if v is not None} for row in ROWS[::-1]][::-1],
    "own table": lambda _: jm.History(events=TABLE).events(),
    "parquet": lambda folder: pyarrow.parquet.write_table(TABLE, folder / "e.parquet") or folder / "e.parquet",
    "feather": lambda folder: pyarrow.feather.write_feather(TABLE, folder / "e.feather") or str(folder / "e.feather"),
    "csv": lambda folder: pyarrow.csv.write_csv(TABLE, folder / "e.csv") or folder / "e.csv",
    "compressed csv": lambda folder: compressed_csv(folder / "e.csv.gz"),
}


def compressed_csv(path):
    with pyarrow.output_stream(path, compression="gzip") as file:
        pyarrow.csv.write_csv(TABLE, file)
    return path


@pytest.mark.parametrize("form", FORMS)
def test_one_history_from_every_form(form, tmp_path):
    h = jm.History(events=FORMS[form](tmp_path))
    assert h.rejected_counts.to_pylist() == []
    assert h.schema["events"] == {"login": {}, "purchase": {"amount": "decimal", "first": "yes/no"}}
    assert h.events().to_pylist() == jm.History(events=TABLE).events().to_pylist()
    assert [r["timestamp"].microsecond for r in h.events().to_pylist()] == [0, 1, 0]
    assert h.select("sum(purchase.amount) == 14.5", at="2026-02-01T00:00:00Z").ids == ["anna"]


def test_two_tables_of_one_duckdb_connection():
    connection = duckdb.connect()
    connection.register("logins", TABLE)
    h = jm.History(
        contacts=connection.sql("select distinct contact_id, 'gold' as plan from logins"),
        events=connection.sql("select * from logins"),
    )
    assert h.events().to_pylist() == jm.History(events=TABLE).events().to_pylist()
    assert {row["plan"] for row in h.contacts().to_pylist()} == {"gold"}


def test_csv_beside_another_form(tmp_path):
    pyarrow.csv.write_csv(TABLE, tmp_path / "e.csv")
    h = jm.History(contacts=pl.DataFrame({"contact_id": ["cleo"], "city": ["Roma"]}), events=tmp_path / "e.csv")
    assert h.contacts_count == 3
    assert h.events().to_pylist() == jm.History(events=TABLE).events().to_pylist()


def test_csv_means_the_same_whatever_stands_beside_it(tmp_path):
    """Zeros in front make a text, and `formats` reads what looks like a number."""
    (tmp_path / "c.csv").write_text("contact_id,zip,born\n007,00144,19700131\n")
    (tmp_path / "e.csv").write_text("contact_id,event,timestamp\n007,login,2026-01-01T00:00:00Z\n")
    events = [{"contact_id": "007", "event": "login", "timestamp": "2026-01-01T00:00:00Z"}]
    for beside in (tmp_path / "e.csv", events):
        h = jm.History(contacts=tmp_path / "c.csv", events=beside, formats={"born": "%Y%m%d"})
        assert h.rejected.to_pylist() == []
        assert h.contacts().to_pylist() == [{"contact_id": "007", "born": datetime.date(1970, 1, 31), "zip": "00144"}]


def test_a_broken_compressed_file_says_so(tmp_path):
    (tmp_path / "e.csv.gz").write_text("contact_id,event,timestamp\n")
    for name in ("e.csv.gz", "nosuch.csv.gz"):
        with pytest.raises(jm.Error, match="cannot be read") as e:
            jm.History(events=tmp_path / name)
        assert e.value.code == "input.file"


def test_all_four_tables_and_every_option():
    h = jm.History(
        contacts={"user": ["anna"], "renewal": ["12/01/2026"], "account_id": ["acme"]},
        events={"user": ["anna"], "what": ["purchase"], "timestamp": ["2026-03-29 02:30"]},
        accounts={"account_id": ["acme"], "size": [50]},
        spend={"timestamp": ["2026-03-01T00:00:00Z"], "amount": [100.0], "channel": ["ads"]},
        columns={"contact_id": "user", "events": {"event": "what"}},
        types={"contact.renewal": "day"},
        formats={"renewal": "%m/%d/%Y"},
        timezone="Europe/Rome",
    )
    assert h.rejected.to_pylist() == []
    assert h.contacts().to_pylist() == [{"contact_id": "anna", "account_id": "acme", "renewal": datetime.date(2026, 12, 1)}]
    assert h.accounts().to_pylist() == [{"account_id": "acme", "size": 50}]
    assert h.events().to_pylist()[0]["timestamp"].isoformat() == "2026-03-29T01:30:00+00:00"
    assert h.spend().to_pylist()[0]["amount"] == 100.0
    assert h.schema["contact"]["renewal"] == "day"


@pytest.mark.parametrize(
    ("events", "code", "says"),
    [
        (5, "input.table", "DataFrame"),
        ([1, 2], "input.table", "no table"),
        ({"a": [1, 2], "b": [1]}, "input.table", "no table"),
        (pa.array([1, 2]), "input.table", "struct"),
        ([{"a": 1}], "input.column", "columns"),
        ("nosuch.parquet", "input.file", "not there"),
        ("nosuch.csv", "input.file", "path"),
        (__file__, "input.file", "parquet"),
    ],
)
def test_what_is_no_table_says_so(events, code, says):
    with pytest.raises(jm.Error) as e:
        jm.History(events=events)
    assert e.value.code == code
    assert says in e.value.message


def test_a_broken_file_is_an_error(tmp_path):
    (tmp_path / "e.parquet").write_bytes(b"no parquet")
    with pytest.raises(jm.Error, match="e.parquet"):
        jm.History(events=tmp_path / "e.parquet")


def test_a_capsule_of_another_kind_is_refused():
    class Liar:
        def __arrow_c_stream__(self, requested_schema=None):
            return pa.schema([]).__arrow_c_schema__()

    with pytest.raises((jm.Error, TypeError, ValueError)):
        jm.History(events=Liar())


def test_html_is_escaped_and_capped():
    h = jm.History(contacts={"contact_id": [f"<b>{i}" for i in range(100)]})
    shown = h.contacts()._repr_html_()
    assert "<b>" not in shown
    assert "&lt;b&gt;0" in shown
    assert shown.count("<tr>") == 41
    assert "100 rows" in shown


def test_nothing_is_a_history_too():
    assert repr(jm.History()) == "<History of 0 contacts and 0 events>"
    assert jm.History().contacts()._repr_html_()


def test_records_take_what_python_has():
    at = datetime.datetime(2026, 1, 1, tzinfo=UTC)
    records = [
        {"type": "identify", "userId": "a", "timestamp": at, "traits": {"due": datetime.date(2026, 5, 1)}},
        {"type": "track", "userId": "a", "event": "x", "timestamp": datetime.datetime(2026, 1, 1)},
    ]
    h = jm.History.from_records(records)
    assert h.contacts().to_pylist()[0]["due"] == datetime.date(2026, 5, 1)
    assert [r["reason"] for r in h.rejected.to_pylist()] == ["timestamp without a zone"]
    assert jm.History.from_records(records, timezone="Europe/Rome").events_count == 1


def test_a_pandas_timestamp_is_an_instant():
    h = jm.History(events=TABLE)
    assert h.select("did(purchase)", at=pd.Timestamp("2026-01-02T01:00", tz="Europe/Rome")).ids == ["anna"]


def test_a_view_shows_as_many_digits_as_an_eye_can_use():
    history = jm.History(events=[{"contact_id": c, "event": e, "timestamp": "2026-01-01T00:00:00Z"} for c, e in (("a", "x"), ("b", "x"), ("c", "x"), ("a", "y"), ("b", "y"))])
    table = jm.funnel(history, ["x", "y"])
    assert table.to_pylist()[1]["share"] == 2 / 3
    assert "0.666667 " in repr(table)
    assert "0.66666666" not in repr(table)
    assert "<td>0.666667</td>" in table._repr_html_()
