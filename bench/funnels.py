"""Measures funnels and retention beside Polars, DuckDB and chDB: same data, same questions, one core, answers checked equal.

    python bench/funnels.py [FOLDER] [--scale 1.0] [--rounds 5]      FOLDER of bench/data.py; made in a temporary place without it

Each peer gets several idioms, on one table sorted by contact and time (`one table`) and on a frame for each event name (`any layout`). Contact
ids are integers, names enums. chDB takes part where it is installed.
"""

import os

os.environ["POLARS_MAX_THREADS"] = "1"  # before any import that reads it

import argparse
import pathlib
import sys
import tempfile
from collections.abc import Callable
from typing import Any

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))

import data as made  # noqa: E402
import polars as pl  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

from run import one_core, show, take_turns, versions, with_integer_ids  # noqa: E402

WEEK = 7 * made.DAY
GAP = made.END - made.START + 15 * made.DAY   # contacts lie further apart than the window in one key of contact and time, which 64 bits hold
FUNNELS = {
    "funnel_rare": ["form_submitted", "webinar_registered", "webinar_attended", "trial_started", "purchase"],
    "funnel_frequent": ["email_sent", "email_opened", "page_viewed", "cart_started", "purchase"],
}
GOALS = {"funnel_rare": (10, 3), "funnel_frequent": (4, 2.5), "retention": (5, 5)}
Calls = dict[str, Callable[[], Any]]


def journeyman_calls(events: Any, contacts: Any) -> Calls:
    import journeyman as jm

    history = jm.History(contacts=contacts, events=events)

    def retained() -> list[list[int]]:
        return jm.retention(history, "any").matrix()

    return {**{q: (lambda s=s: jm.funnel(history, s, "7d").counts) for q, s in FUNNELS.items()}, "retention": retained}


def polars_calls(events: Any) -> dict[str, dict[str, Calls]]:
    """question → layout → idiom."""
    c = pl.col
    table = pl.DataFrame(pl.from_arrow(events.select(["contact_id", "event", "timestamp"]))).with_columns(c("event").cast(pl.Enum(made.NAMES))).sort("contact_id", "timestamp")
    frames = {n: table.filter(c("event") == n).select("contact_id", "timestamp") for n in made.NAMES}
    key = (c("contact_id").cast(pl.Int64) - 200_000) * GAP + (c("timestamp").cast(pl.Int64) - made.START)

    def steps_in(steps: list[str], layout: str) -> pl.LazyFrame:
        if layout == "one table":
            number = pl.coalesce([pl.when(c("event") == n).then(pl.lit(i, pl.Int8)) for i, n in enumerate(steps, 1)])
            return table.lazy().filter(c("event").is_in(steps)).select(contact="contact_id", k=key, e=number)
        parts = [frames[n].lazy().select(contact="contact_id", k=key, e=pl.lit(i, pl.Int8)) for i, n in enumerate(steps, 1)]
        return pl.concat(parts).sort("k")

    def keyed(steps: list[str], layout: str) -> list[int]:
        frame = steps_in(steps, layout).with_columns(s1=pl.when(c("e") == 1).then(c("k")).forward_fill())
        for j in range(2, 6):
            hit = (c("e") == j) & (c("k") - c(f"s{j - 1}") <= WEEK)
            frame = frame.with_columns(pl.when(hit).then(c(f"s{j - 1}")).forward_fill().alias(f"s{j}"), hit.alias(f"q{j}"))
        hits = [c("contact").filter(c("e") == 1).n_unique().alias("q1"), *(c("contact").filter(c(f"q{j}")).n_unique().alias(f"q{j}") for j in range(2, 6))]
        return list(frame.select(hits).collect().row(0))

    def nearest(steps: list[str], layout: str) -> list[int]:
        of = (lambda n: frames[n].lazy()) if layout == "any layout" else (lambda n: table.lazy().filter(c("event") == n))
        base = [of(n).select(contact="contact_id", k=key).with_columns(c("k").set_sorted()) for n in steps]
        reached = [base[0].with_columns(s=c("k"))]
        for b in base[1:]:
            reached.append(b.join_asof(reached[-1].select("k", "s"), on="k").filter(c("k") - c("s") <= WEEK).with_columns(c("k").set_sorted()))
        return [r.select(c("contact").n_unique()).collect().item() for r in reached]

    month = c("timestamp").dt.month()

    def triangle(pairs: pl.DataFrame) -> list[list[int]]:
        cells = {(f, o): n for f, o, n in pairs.iter_rows()}
        return [[cells.get((f, o), 0) for o in range(13 - f)] for f in range(1, 13)]

    def runs() -> list[list[int]]:
        fresh = (c("contact_id") != c("contact_id").shift(1, fill_value=-1)) | (c("m") != c("m").shift(1, fill_value=0))
        a = table.lazy().select("contact_id", m=month).filter(fresh)
        first = pl.when(c("contact_id") != c("contact_id").shift(1, fill_value=-1)).then(c("m")).forward_fill()
        return triangle(a.with_columns(f=first).group_by("f", (c("m") - c("f")).alias("o")).len().collect())

    def unique() -> list[list[int]]:
        a = table.lazy().select("contact_id", m=month).unique()
        return triangle(a.join(a.group_by("contact_id").agg(f=c("m").min()), on="contact_id").group_by("f", (c("m") - c("f")).alias("o")).len().collect())

    out: dict[str, dict[str, Calls]] = {}
    for q, steps in FUNNELS.items():
        out[q] = {layout: {"polars key": lambda s=steps, at=layout: keyed(s, at), "polars asof": lambda s=steps, at=layout: nearest(s, at)} for layout in ("one table", "any layout")}
    out["retention"] = {"one table": {"polars runs": runs, "polars unique": unique}}
    return out


def duckdb_calls(events: Any) -> dict[str, dict[str, Calls]]:
    import duckdb

    con = duckdb.connect()
    con.execute("SET threads = 1; SET TimeZone = 'UTC'")
    con.register("arrived", events.select(["contact_id", "event", "timestamp"]))
    con.execute(f"CREATE TYPE name AS ENUM ({', '.join(repr(n) for n in made.NAMES)})")
    con.execute("CREATE TABLE events AS SELECT contact_id, event::VARCHAR::name AS event, timestamp::TIMESTAMP AS ts FROM arrived ORDER BY contact_id, ts")

    def retained() -> list[list[int]]:
        rows = con.execute("""
            SELECT f + 1, m - f, count(*) FROM (SELECT contact_id, month(min(ts)) - 1 AS f, bit_or(1 << (month(ts) - 1)::INTEGER) AS b FROM events GROUP BY contact_id), range(12) r(m)
            WHERE (b >> m) & 1 = 1 GROUP BY ALL""").fetchall()
        cells = {(f, o): n for f, o, n in rows}
        return [[cells.get((f, o), 0) for o in range(13 - f)] for f in range(1, 13)]

    def chained(steps: list[str]) -> list[int]:
        """The latest start of a chain to each step, carried over the rows of a contact."""
        over = "OVER (PARTITION BY contact_id ORDER BY ts ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
        inner = f"SELECT contact_id, event, ts, max(CASE WHEN event = '{steps[0]}' THEN ts END) {over} AS s1, event = '{steps[0]}' AS q1 FROM events WHERE event IN ({', '.join(repr(s) for s in steps)})"
        for j in range(2, 6):
            hit = f"event = '{steps[j - 1]}' AND ts - s{j - 1} <= INTERVAL 7 DAY"
            inner = f"SELECT *, max(CASE WHEN {hit} THEN s{j - 1} END) {over} AS s{j}, coalesce({hit}, false) AS q{j} FROM ({inner})"
        reached = ", ".join(f"count(DISTINCT CASE WHEN q{j} THEN contact_id END)" for j in range(1, 6))
        return list(con.execute(f"SELECT {reached} FROM ({inner})").fetchone() or ())

    return {**{q: {"one table": {"duckdb windows": lambda s=s: chained(s)}} for q, s in FUNNELS.items()}, "retention": {"one table": {"duckdb bits": retained}}}


def chdb_calls(folder: pathlib.Path) -> dict[str, dict[str, Calls]]:
    try:
        from chdb.session import Session
    except ImportError:
        return {}
    session = Session()
    names = ", ".join(f"'{n}' = {i}" for i, n in enumerate(made.NAMES))
    session.query("CREATE DATABASE b")
    session.query(f"CREATE TABLE b.events (contact_id UInt32, event Enum8({names}), at DateTime64(6, 'UTC')) ENGINE = MergeTree ORDER BY (contact_id, at)")
    session.query(f"INSERT INTO b.events SELECT toUInt32(substring(contact_id, 2)), CAST(event, 'String'), timestamp FROM file('{folder}/events.parquet')")
    session.query("OPTIMIZE TABLE b.events FINAL")

    def funnel(steps: list[str]) -> list[int]:
        conditions = ", ".join(f"event = '{s}'" for s in steps)
        levels = ", ".join(f"countIf(l >= {k})" for k in range(1, 6))
        text = session.query(f"""SELECT {levels} FROM (SELECT contact_id, windowFunnel({WEEK})(toUInt64(toUnixTimestamp64Micro(at)), {conditions}) AS l FROM b.events
            WHERE event IN ({', '.join(repr(s) for s in steps)}) GROUP BY contact_id) SETTINGS max_threads = 1""", "CSV")  # fmt: skip
        return [int(x) for x in str(text).strip().split(",")]

    def retained() -> list[list[int]]:
        text = session.query("""SELECT f + 1, m - f, count() FROM (SELECT bitPositionsToArray(b) AS ms, ms[1] AS f, arrayJoin(ms) AS m FROM
            (SELECT contact_id, groupBitOr(bitShiftLeft(toUInt16(1), toMonth(at) - 1)) AS b FROM b.events GROUP BY contact_id)) GROUP BY f, m SETTINGS max_threads = 1""", "CSV")
        cells = {(int(f), int(o)): int(n) for f, o, n in (line.split(",") for line in str(text).strip().splitlines())}
        return [[cells.get((f, o), 0) for o in range(13 - f)] for f in range(1, 13)]

    return {**{q: {"one table": {"chdb windowFunnel": lambda s=s: funnel(s)}} for q, s in FUNNELS.items()}, "retention": {"one table": {"chdb bits": retained}}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, nargs="?")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=list(GOALS))
    args = parser.parse_args()
    one_core()
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.folder or pathlib.Path(temporary)
        if not (folder / "events.parquet").exists():
            made.make(folder, args.scale)
        print(versions())
        events = with_integer_ids(pq.read_table(folder / "events.parquet", columns=["contact_id", "event", "timestamp"]))
        contacts = with_integer_ids(pq.read_table(folder / "contacts.parquet", columns=["contact_id"]))
        ours = journeyman_calls(events, contacts)
        peers = [polars_calls(events), duckdb_calls(events), chdb_calls(folder)]
        for question in args.only:
            answer = ours[question]()
            best: dict[str, tuple[float, str]] = {}
            calls = {"journeyman": ours[question]}
            layouts: dict[str, str] = {}
            for peer in peers:
                for layout, idioms in peer.get(question, {}).items():
                    for idiom, call in idioms.items():
                        if call() != answer:
                            raise SystemExit(f"answers differ: {question}, {idiom} on {layout}: {call()}, ours {answer}")
                        calls[f"{idiom}, {layout}"] = call
                        layouts[f"{idiom}, {layout}"] = layout
            timed = take_turns(calls, args.rounds)
            print(f"\n{question}: {answer if question != 'retention' else answer[0]}")
            for name, t in timed.items():
                print(f"  {name:32} {show(t)}")
                for layout in ("one table", "any layout"):
                    if name != "journeyman" and (layout == "any layout" or layouts[name] == "one table"):
                        best[layout] = min(best.get(layout, (t["ms"], name)), (t["ms"], name))
            for (layout, (ms, name)), goal in zip(best.items(), GOALS[question], strict=False):
                ratio = ms / timed["journeyman"]["ms"]
                print(f"  {layout}: {name} {ms:.1f} ms, {ratio:.1f}x {'met' if ratio >= goal else 'NOT MET'} (goal {goal}x)", flush=True)


if __name__ == "__main__":
    main()
