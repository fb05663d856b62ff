"""KPIs that SQL can say, said by hand for DuckDB, over random histories."""

import datetime
import os
import random

import duckdb
import journeyman as jm
import pytest

UTC = datetime.timezone.utc
ORIGIN = datetime.datetime(2024, 1, 20, tzinfo=UTC)
CASES = int(os.environ.get("JOURNEYMAN_KPI_SQL_CASES", "60"))
# What matches, as text and as SQL.
SELECTORS = {"a": "name = 'a'", "b": "name = 'b'", 'a where ch == "x"': "name = 'a' AND ch = 'x'", "any": "true", "a where amount >= 2": "name = 'a' AND amount >= 2"}
EVERY = ("day", "week", "month", "quarter", "year")


def history(rng):
    people = [f"c{k}" for k in range(rng.randrange(1, 9))]
    inputs = []
    for _ in range(rng.randrange(1, 60)):
        at = ORIGIN + rng.choice([datetime.timedelta(days=rng.randrange(60)), datetime.timedelta(seconds=rng.randrange(60 * 86400))])
        inputs.append({"contact": rng.choice(people), "name": rng.choice("aab"), "at": at, "ch": rng.choice(["x", "y", None]), "amount": rng.choice([1.5, 2.0, 0.25, None])})
    spend = [{"at": ORIGIN + datetime.timedelta(hours=rng.randrange(60 * 24)), "amount": rng.randrange(400) / 4, "ch": rng.choice(["x", "y", None])} for _ in range(rng.randrange(1, 6))]
    return inputs, spend


def measures(rng):
    """(text, SQL of rows `p, ch, x` that are added up; whether they are distinct contacts)."""
    (s, sql), (t, other) = rng.choice(list(SELECTORS.items())), rng.choice(list(SELECTORS.items()))
    days = rng.choice([1, 3, 10])
    first = f"(SELECT * FROM seen WHERE {sql} QUALIFY row_number() OVER (PARTITION BY contact ORDER BY ts, seq) = 1)"
    after = f"(SELECT min(b.ts) FROM seen b WHERE b.contact = f.contact AND ({other}) AND (b.ts, b.seq) > (f.ts, f.seq) AND b.ts <= f.ts + INTERVAL {days} DAY)".replace("name", "b.name").replace("ch =", "b.ch =").replace("amount >", "b.amount >")
    mature = f"f.ts + INTERVAL {days} DAY < (SELECT stop FROM bounds)"
    return rng.choice([
        (f"events({s})", f"SELECT ts, ch, 1 AS x, contact FROM seen WHERE {sql}", False),
        (f"contacts({s})", f"SELECT ts, ch, 1 AS x, contact FROM seen WHERE {sql}", True),
        ("sum(a.amount)", "SELECT ts, ch, amount AS x, contact FROM seen WHERE name = 'a' AND amount IS NOT NULL", False),
        (f"new({s})", f"SELECT ts, ch, 1 AS x, contact FROM {first}", False),
        ("spend()", "SELECT ts, ch, amount AS x, '' AS contact FROM sp WHERE ts < (SELECT stop FROM bounds)", False),
        (f"starters({s}, within {days}d)", f"SELECT ts, ch, 1 AS x, contact FROM {first} f WHERE {mature}", False),
        (f"converted({s}, {t}, within {days}d)", f"SELECT ts, ch, 1 AS x, contact FROM {first} f WHERE {mature} AND {after} IS NOT NULL", False),
        (f"elapsed({s}, {t}, within {days}d)", f"SELECT ts, ch, date_diff('microsecond', ts, {after}) / 1e6 AS x, contact FROM {first} f WHERE {mature} AND {after} IS NOT NULL", False),
    ])  # fmt: skip


def totals(db, sql, every, distinct):
    """(period, ch or None for all) → total."""
    amount = "count(DISTINCT contact)" if distinct else "sum(x)"
    rows = db.execute(f"""SELECT date_trunc('{every}', ts) AS p, grouping(c) AS whole, c, {amount} FROM (SELECT *, coalesce(ch, '(missing)') AS c FROM ({sql}))
        GROUP BY GROUPING SETS ((p), (p, c))""").fetchall()
    return {(datetime.datetime.combine(p, datetime.time()) if not isinstance(p, datetime.datetime) else p, None if whole else c): float(x) for p, whole, c, x in rows}


@pytest.mark.parametrize("part", range(4))
def test_kpis_that_sql_can_say(part):
    compared = 0
    for seed in range(part, CASES, 4):
        rng = random.Random(seed)
        inputs, spend = history(rng)
        end = ORIGIN + datetime.timedelta(days=rng.randrange(20, 70))
        db = duckdb.connect()
        db.execute("CREATE TABLE ev (contact TEXT, name TEXT, ts TIMESTAMP, ch TEXT, amount DOUBLE, seq INT); CREATE TABLE sp (ts TIMESTAMP, amount DOUBLE, ch TEXT); CREATE TABLE bounds (stop TIMESTAMP)")
        db.executemany("INSERT INTO ev VALUES (?, ?, ?, ?, ?, ?)", [(i["contact"], i["name"], i["at"].replace(tzinfo=None), i["ch"], i["amount"], k) for k, i in enumerate(inputs)])
        db.executemany("INSERT INTO sp VALUES (?, ?, ?)", [(s["at"].replace(tzinfo=None), s["amount"], s["ch"]) for s in spend])
        db.execute("INSERT INTO bounds VALUES (?)", [end.replace(tzinfo=None)])
        db.execute("CREATE VIEW seen AS SELECT * FROM ev WHERE ts < (SELECT stop FROM bounds)")
        kpis, said = {}, {}
        for k in range(4):
            (text, sql, distinct), every = measures(rng), rng.choice(EVERY)
            kpis[f"k{k}"], said[f"k{k}"] = {"value": text, "every": every, "direction": "up", "by": ["ch"]}, (sql, every, distinct)
        book = jm.Playbook.from_dict({"timezone": "UTC", "kpis": kpis, "types": {"a.ch": "text", "b.ch": "text", "a.amount": "decimal", "b.amount": "decimal"}})
        records = [{"type": "track", "userId": i["contact"], "event": i["name"], "timestamp": i["at"].isoformat(), "properties": {n: i[n] for n in ("ch", "amount") if i[n] is not None}} for i in inputs]
        h = jm.History.from_records(records, spend=[{"timestamp": s["at"], "amount": s["amount"], "ch": s["ch"]} for s in spend])
        rows = book.kpis(h, start=ORIGIN - datetime.timedelta(days=400), end=end).to_pylist()
        for name, (sql, every, distinct) in said.items():
            expected = totals(db, sql, every, distinct)
            got = {(r["period"].replace(tzinfo=None), r["ch"]): r["value"] for r in rows if r["kpi"] == name}
            assert expected.keys() <= got.keys(), f"seed {seed}: {kpis[name]}"
            for at, value in got.items():
                assert value == pytest.approx(expected.get(at, 0.0), rel=1e-12), f"seed {seed}, {at}: {kpis[name]}"
            compared += 1
    assert compared > 0
