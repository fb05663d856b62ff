"""Random predicates over random histories: the library by passes over columns and contact by contact, against DuckDB, which is told the
question in SQL of its own (sql_twin.py). And each of them is said in text and in JSON, and read back.
"""

import json
import os
import pathlib
import random

import duckdb
import journeyman as jm
import jsonschema
import pyarrow
import pytest
import sql_twin as twin

QUESTIONS = int(os.environ.get("JOURNEYMAN_PREDICATES", "4000"))
BATCH = 20
SCHEMA = jsonschema.Draft7Validator(json.loads(pathlib.Path(jm.__file__).with_name("predicate.schema.json").read_text()))


def ours(records):
    def one(what, k, at, values):
        made = {"userId": f"c{k}", "timestamp": at.isoformat()}
        if what == "group":
            return made | {"type": "group", "groupId": values[""], "traits": {n: v for n, v in values.items() if n}}
        return made | ({"type": "identify", "traits": values} if what == "set" else {"type": "track", "event": what, "properties": values})

    return jm.History.from_records([one(*r) for r in records], types=twin.TYPES)


ARROW = {"text": pyarrow.string(), "integer": pyarrow.int64(), "decimal": pyarrow.float64(), "boolean": pyarrow.bool_(), "instant": pyarrow.string(),
         "list": pyarrow.list_(pyarrow.string()), "timestamp": pyarrow.timestamp("us")}  # fmt: skip
OF_CONTACTS = twin.ATTRIBUTES | {f"{n}_changed": "timestamp" for n in twin.ATTRIBUTES} | {f"account_{n}": t for n, t in twin.OF_ACCOUNTS.items()}


def theirs(connection, records, at):
    """Tables `ev` and `c` as of `at`: what had happened by then, and the contacts that exist."""
    seen = [(seq, *r) for seq, r in enumerate(records) if r[2] <= at]
    events = [{"contact": f"c{k}", "name": what, "ts": t.replace(tzinfo=None), "seq": seq} | v for seq, what, k, t, v in seen if what not in ("set", "group")]
    contacts = {f"c{k}": {"id": f"c{k}"} | dict.fromkeys(OF_CONTACTS) for _, _, k, _, _ in seen}
    member_of, accounts = {}, {}
    for _, what, k, t, values in sorted(seen, key=lambda x: (x[3], x[0])):
        row = contacts[f"c{k}"]
        if what == "set":
            row.update({f"{n}_changed": v if v is None else t.replace(tzinfo=None) for n, v in values.items() if v != row[n]})
            row.update(values)
        elif what == "group":
            member_of[f"c{k}"] = values[""]
            accounts.setdefault(values[""], {}).update(values)
    for c, account in member_of.items():
        contacts[c].update({f"account_{n}": accounts[account].get(n) for n in twin.OF_ACCOUNTS})
    known = {"contact": pyarrow.string(), "name": pyarrow.string(), "ts": pyarrow.timestamp("us"), "seq": pyarrow.int64(), "id": pyarrow.string()}

    def table(name, first, types, rows):
        schema = pyarrow.schema([(n, known[n]) for n in first] + [(n, ARROW[t]) for n, t in types.items()])
        connection.register("given", pyarrow.Table.from_pylist(rows, schema=schema))
        connection.execute(f"CREATE OR REPLACE TABLE {name} AS FROM given")

    table("ev", ("contact", "name", "ts", "seq"), twin.PROPERTIES, events)
    table("c", ("id",), OF_CONTACTS, list(contacts.values()))
    connection.execute("ALTER TABLE c ALTER joined TYPE TIMESTAMP USING joined::TIMESTAMP")


def read_back(text):
    """The predicate, which its text and its JSON, valid by the schema, say again."""
    p = jm.predicate(text)
    assert jm.predicate(str(p)).equals(p) and str(jm.predicate(str(p))) == str(p), text
    tree = json.loads(p.to_json())
    assert SCHEMA.is_valid(tree), tree
    assert jm.Expression.from_json(p.to_json()).equals(p) and jm.Expression.from_json(tree).equals(p), text
    return p


def compare(connection, seed):
    rng = random.Random(seed)
    records = twin.history(rng, contacts=rng.choice([1, 8, 25]))
    if not records:
        return 0
    history, (at, near) = ours(records), twin.instant_near(rng, records)
    instants = [r[2] for r in records]
    theirs(connection, records, at)
    asked = []
    for _ in range(BATCH):
        writer = twin.Writer(rng, at, near, instants)
        text, sql = writer.truth(rng.choice([0, 1, 2, 3]))
        asked.append((text, sql, writer.segments))
    answers = connection.execute("SELECT c.id, " + ", ".join(f"({sql})" for _, sql, _ in asked) + " FROM c ORDER BY c.id").fetchall()
    for k, (text, sql, segments) in enumerate(asked, 1):
        p, named = read_back(text), {n: read_back(t) for n, t in segments.items()}
        fast = history.select(p, at=at, segments=named)
        plain = history._core.select_plainly(p._core, at.isoformat(), {n: s._core for n, s in named.items()}, "UTC")
        yes, unknown = ([row[0] for row in answers if row[k] is wanted] for wanted in (True, None))
        where = f"seed {seed}, question {k} at {at}: {text}\nsegments {segments}\n{sql}"
        for way, got, left in (("by passes", fast.ids, fast.unknown_ids), ("plainly", plain.ids(), plain.unknown_ids())):
            assert got == yes, f"{way} yes {got}, DuckDB says {yes}\n{where}"
            assert left == unknown, f"{way} unknown {left}, DuckDB says {unknown}\n{where}"
    return len(asked)


@pytest.mark.parametrize("part", range(4))
def test_the_library_agrees_with_duckdb(part):
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("CREATE MACRO arg_max_null(x, k) AS list(x ORDER BY k DESC)[1]")
    connection.execute("CREATE MACRO arg_min_null(x, k) AS list(x ORDER BY k)[1]")
    compared = sum(compare(connection, seed) for seed in range(part, QUESTIONS // BATCH, 4))
    assert compared >= QUESTIONS // 5
