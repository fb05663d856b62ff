"""Random predicates over random histories: the library against DuckDB, which is told the question in SQL of its own (sql_twin.py)."""

import os
import random

import duckdb
import journeyman as jm
import pyarrow
import pytest
import sql_twin as twin

QUESTIONS = int(os.environ.get("JOURNEYMAN_PREDICATES", "4000"))
BATCH = 20


def ours(records):
    def one(what, k, at, values):
        made = {"userId": f"c{k}", "timestamp": at.isoformat()}
        return made | ({"type": "identify", "traits": values} if what == "set" else {"type": "track", "event": what, "properties": values})

    return jm.History.from_records([one(*r) for r in records], types=twin.TYPES)


ARROW = {"text": pyarrow.string(), "integer": pyarrow.int64(), "decimal": pyarrow.float64(), "boolean": pyarrow.bool_(), "instant": pyarrow.string()}


def theirs(connection, records, at):
    """Tables `ev` and `c` as of `at`: what had happened by then, and the contacts that exist."""
    seen = [(seq, *r) for seq, r in enumerate(records) if r[2] <= at]
    events = [{"contact": f"c{k}", "name": what, "ts": t.replace(tzinfo=None), "seq": seq} | v for seq, what, k, t, v in seen if what != "set"]
    attributes = {f"c{k}": {"id": f"c{k}"} | dict.fromkeys(twin.ATTRIBUTES) for _, _, k, _, _ in seen}
    for _, what, k, _, values in sorted(seen, key=lambda x: (x[3], x[0])):
        if what == "set":
            attributes[f"c{k}"].update(values)
    known = {"contact": pyarrow.string(), "name": pyarrow.string(), "ts": pyarrow.timestamp("us"), "seq": pyarrow.int64(), "id": pyarrow.string()}

    def table(name, first, types, rows):
        schema = pyarrow.schema([(n, known[n]) for n in first] + [(n, ARROW[t]) for n, t in types.items()])
        connection.register("given", pyarrow.Table.from_pylist(rows, schema=schema))
        connection.execute(f"CREATE OR REPLACE TABLE {name} AS FROM given")

    table("ev", ("contact", "name", "ts", "seq"), twin.PROPERTIES, events)
    table("c", ("id",), twin.ATTRIBUTES, list(attributes.values()))


def compare(connection, seed):
    rng = random.Random(seed)
    records = twin.history(rng, contacts=rng.choice([1, 8, 25]))
    if not records:
        return 0
    history, at = ours(records), twin.instant_near(rng, records)
    theirs(connection, records, at)
    asked = []
    for _ in range(BATCH):
        writer = twin.Writer(rng, at)
        text, sql = writer.truth(rng.choice([0, 1, 2, 3]))
        asked.append((text, sql, writer.segments))
    answers = connection.execute("SELECT c.id, " + ", ".join(f"({sql})" for _, sql, _ in asked) + " FROM c ORDER BY c.id").fetchall()
    for k, (text, sql, segments) in enumerate(asked, 1):
        got = history.select(text, at=at, segments=segments)
        yes, unknown = ([row[0] for row in answers if row[k] is wanted] for wanted in (True, None))
        where = f"seed {seed}, question {k} at {at}: {text}\nsegments {segments}\n{sql}"
        assert got.ids == yes, f"yes {got.ids}, DuckDB says {yes}\n{where}"
        assert got.unknown_ids == unknown, f"unknown {got.unknown_ids}, DuckDB says {unknown}\n{where}"
    return len(asked)


@pytest.mark.parametrize("part", range(4))
def test_the_library_agrees_with_duckdb(part):
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("CREATE MACRO arg_max_null(x, k) AS list(x ORDER BY k DESC)[1]")
    connection.execute("CREATE MACRO arg_min_null(x, k) AS list(x ORDER BY k)[1]")
    compared = sum(compare(connection, seed) for seed in range(part, QUESTIONS // BATCH, 4))
    assert compared >= QUESTIONS // 5
