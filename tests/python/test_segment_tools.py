"""Segment tools: against plain pandas on random histories, and what Python alone adds (forms of arguments, Ctrl-C)."""

import datetime
import math
import random

import journeyman as jm
import pandas as pd
import pyarrow as pa
import pytest
from scipy import stats

UTC = datetime.timezone.utc
START = datetime.datetime(2026, 1, 1, tzinfo=UTC)
HOUR = datetime.timedelta(hours=1)
CITIES = ["Roma", "Milano", "Torino", None]


def random_tables(seed, contacts=60):
    rng = random.Random(seed)
    changes, events = [], []
    for k in range(contacts):
        who = f"c{k:03}"
        for _ in range(rng.randint(1, 3)):
            change = {"city": rng.choice(CITIES), "points": rng.choice([None, *range(6)])}
            changes.append({"contact_id": who, "timestamp": START + rng.randint(0, 200) * HOUR} | change)
        events += [
            {"contact_id": who, "event": rng.choice(["purchase", "purchase", "login"]), "timestamp": START + rng.randint(0, 240) * HOUR,
             "amount": rng.choice([None, 1.5, 4.0, 4.0, 10.25])}
            for _ in range(rng.randint(0, 8))
        ]  # fmt: skip
    return pd.DataFrame(changes), pd.DataFrame(events)


def history_of(changes, events):
    return jm.History(contacts=changes, events=events)


class Twin:
    """What had happened by an instant, by pandas alone: a slice, then group and join."""

    def __init__(self, changes, events, at):
        seen = changes[changes.timestamp <= at].sort_values("timestamp", kind="stable")
        e = events[events.timestamp <= at]
        self.purchases = e[e.event == "purchase"]
        ids = sorted(set(seen.contact_id) | set(e.contact_id))
        self.contacts = pd.DataFrame(index=pd.Index(ids, name="contact_id", dtype=object))
        # An empty cell of a change log leaves the attribute as it was: the last one that is there.
        for name in ("city", "points"):
            self.contacts[name] = seen.dropna(subset=[name]).groupby("contact_id")[name].last()
        by = self.purchases.groupby("contact_id")
        self.contacts["orders"] = by.size().reindex(ids).fillna(0).astype(int)
        self.contacts["spent"] = by.amount.sum().reindex(ids).fillna(0.0)
        self.contacts["last"] = by.timestamp.max()


FEATURES = {"city": "city", "points": "points", "orders": "count(purchase)", "spent": "sum(purchase.amount)", "last": "last_time(purchase)"}


def none(x):
    return None if x is None or x is pd.NaT or (isinstance(x, float) and math.isnan(x)) else x


def rows(frame):
    return [tuple(none(x) for x in row) for row in frame.itertuples(index=False)]


@pytest.mark.parametrize("seed", range(20))
def test_features_at_one_instant_are_a_slice_and_a_join(seed):
    changes, events = random_tables(seed)
    at = START + random.Random(seed).randint(0, 240) * HOUR
    twin = Twin(changes, events, at).contacts.reset_index()
    assert rows(history_of(changes, events).to_features(FEATURES, at).to_pandas()) == rows(twin)


@pytest.mark.parametrize("seed", range(20))
def test_features_at_instants_of_their_own(seed):
    changes, events = random_tables(seed)
    h = history_of(changes, events)
    until = START + 150 * HOUR
    first = events[(events.event == "purchase") & (events.timestamp <= until)].groupby("contact_id").timestamp.min()
    wanted = []
    for who, at in first.items():
        row = Twin(changes, events, at).contacts.reset_index()
        wanted.append((who, at, *rows(row[row.contact_id == who])[0][1:]))
    got = h.to_features(FEATURES, "first_time(purchase)", until=until).to_pandas()
    assert rows(got) == wanted
    # The same rows given as a table, a mapping, and in another order.
    table = got[["contact_id", "at"]]
    assert h.to_features(FEATURES, table).to_arrow().equals(h.to_features(FEATURES, "first_time(purchase)", until=until).to_arrow())
    assert rows(h.to_features(FEATURES, dict(first)).to_pandas()) == wanted
    shuffled = pa.table(table.sample(frac=1, random_state=seed))
    assert sorted(rows(h.to_features(FEATURES, shuffled).to_pandas())) == sorted(wanted)


@pytest.mark.parametrize("seed", range(10))
def test_what_comes_later_changes_nothing(seed):
    changes, events = random_tables(seed)
    at = START + 120 * HOUR
    past = history_of(changes[changes.timestamp <= at], events[events.timestamp <= at])
    whole = history_of(changes, events)
    questions = ["count(purchase, last 2d)", "city", "changed_time(city)", "last(purchase.amount)", "sequence(login, purchase)", "count(purchase) > 2", "now - last_time(login)"]
    assert whole.to_features(questions, at).to_arrow().equals(past.to_features(questions, at).to_arrow())
    own = "first_time(purchase) + 6h"
    assert whole.to_features(questions, own, until=at).to_arrow().equals(past.to_features(questions, own, until=at).to_arrow())


def test_feature_types_and_forms():
    h = history_of(*random_tables(1))
    made = h.to_features(["count(purchase)", "avg(purchase.amount)", "points > 2", "city", "last_time(login)", "now - last_time(login)"], START + 100 * HOUR)
    instant = pa.timestamp("us", "UTC")
    assert made.to_arrow().schema.types == [pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.string(), instant, pa.duration("us")]
    assert made.columns[1:3] == ["count(purchase)", "avg(purchase.amount)"]
    assert h.to_features(jm.event("purchase").count()).columns == ["contact_id", "count(purchase)"]
    assert h.to_features([]).columns == ["contact_id"]
    playbook = jm.Playbook.parse('segments: {roman: city == "Roma"}')
    segments = h.to_features([playbook.segments["roman"]], START + 100 * HOUR).to_pandas()
    ids = h.select(playbook.segments["roman"], START + 100 * HOUR).ids
    assert segments[segments.roman].contact_id.tolist() == ids and segments.roman.notna().all()


@pytest.mark.parametrize(("at", "code"), [
    ({"c000": "2026-01-05"}, "input.instant"), ({"nobody": "2026-01-05T00:00:00Z"}, "name.unknown"), (pa.table({"contact_id": ["c000"]}), "input.table"),
    (pa.table({"contact_id": ["c000"], "at": pa.array([None], pa.timestamp("us", "UTC"))}), "input.table"), ("count(purchase)", "type.mismatch"),
    (pa.table({"contact_id": ["c000"], "at": [datetime.datetime(2026, 1, 5)]}), "input.instant"), (7, "input.table"), ("2026-01-05T00:00", "input.instant"),
])  # fmt: skip
def test_instants_that_are_none(at, code):
    with pytest.raises(jm.Error) as e:
        history_of(*random_tables(1)).to_features(["city"], at)
    assert e.value.code == code


def test_what_the_listener_raises_stops_the_work():
    seen = []

    def stop(share):
        seen.append(share)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        history_of(*random_tables(1)).to_features(["city"], START, progress=stop)
    assert seen == [0.0]


@pytest.mark.parametrize("seed", range(20))
def test_rfm_is_the_middle_of_the_ranks(seed):
    changes, events = random_tables(seed)
    at = START + 200 * HOUR
    twin = Twin(changes, events, at).contacts
    twin = twin[twin.orders > 0]
    scores = random.Random(seed).choice([3, 5, 9])

    def scored(column):
        return (scores * (column.rank(method="average") - 0.5) / len(column)).apply(math.floor) + 1

    got = history_of(changes, events).rfm("purchase", "amount", at, scores=scores).to_pandas()
    assert got.contact_id.tolist() == twin.index.tolist()
    assert (at - got.recency).tolist() == twin["last"].tolist()
    assert got.frequency.tolist() == twin.orders.tolist() and got.monetary.tolist() == twin.spent.tolist()
    for mine, theirs in (("r", twin["last"]), ("f", twin.orders), ("m", twin.spent)):
        assert got[mine].tolist() == scored(theirs).tolist()
    assert got.score.tolist() == (got.r.astype(str) + got.f.astype(str) + got.m.astype(str)).tolist()


@pytest.mark.parametrize("seed", range(20))
def test_sizes_and_overlap_are_counts_of_sets(seed):
    changes, events = random_tables(seed)
    h, at = history_of(changes, events), START + 180 * HOUR
    twin = Twin(changes, events, at).contacts
    city = twin.city.fillna("(missing)")
    playbook = jm.Playbook.from_dict({"segments": {"buyers": "did(purchase)", "pointed": "points >= 3", "roman": 'city == "Roma"'}})
    sets = {"buyers": set(twin[twin.orders > 0].index), "pointed": set(twin[twin.points >= 3].index), "roman": set(twin[twin.city == "Roma"].index)}
    unknown = {"buyers": set(), "pointed": set(twin[twin.points.isna()].index), "roman": set(twin[twin.city.isna()].index)}
    wanted = []
    for name, members in sets.items():
        for cell in [None, *sorted(city.unique())]:
            here = set(twin.index) if cell is None else set(city[city == cell].index)
            counts = len(here), len(here & members), len(here & unknown[name])
            shares = counts[1] / counts[0], counts[1] / len(members) if members else None
            wanted.append((name, None, cell, *counts, *shares))
    assert rows(playbook.sizes(h, at, by=["city"]).to_pandas()) == wanted
    selected = h.select(playbook.segments["pointed"].where, at)
    assert rows(selected.sizes("city").to_pandas()) == [row[2:] for row in wanted if row[0] == "pointed"]

    names = list(sets)
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    overlap = playbook.overlap(h, at)
    by_pair = {(r["segment_a"], r["segment_b"]): r for r in overlap.to_pylist()}
    assert list(by_pair) == pairs
    for (a, b), row in by_pair.items():
        x, y = sets[a], sets[b]
        assert (row["both"], row["only_a"], row["only_b"]) == (len(x & y), len(x - y), len(y - x))
        assert row["jaccard"] == len(x & y) / len(x | y)
    alone = {n: len(s - set().union(*(t for m, t in sets.items() if m != n))) for n, s in sets.items()}
    assert {r["segment"]: r["exclusive"] for r in overlap.exclusive.to_pylist()} == alone
    assert overlap.matrix.to_pandas().set_index("segment").loc["roman", "buyers"] == len(sets["roman"] & sets["buyers"])
    predicates = {"buyers": "did(purchase)", "pointed": "points >= 3", "roman": 'city == "Roma"'}
    assert h.overlap(predicates, at).to_pylist() == overlap.to_pylist() == h.overlap(playbook.segments.values(), at).to_pylist()
    for many in (h.select_many(predicates, at), h.select_many(playbook.segments.values(), at, threads=2)):
        assert {name: (set(s.ids), set(s.unknown_ids)) for name, s in many.items()} == {name: (sets[name], unknown[name]) for name in sets}
    assert rows(many["pointed"].sizes("city").to_pandas()) == rows(selected.sizes("city").to_pandas())


def test_many_predicates_know_segments_and_errors_say_which():
    h = history_of(*random_tables(1))
    known = {"buyers": "did(purchase)"}
    found = h.select_many(['segment("buyers") and points > 2', "did(purchase)"], START + 180 * HOUR, segments=known)
    assert list(found) == ['segment("buyers") and points > 2', "did(purchase)"]
    assert found["did(purchase)"].ids == h.select("did(purchase)", START + 180 * HOUR).ids
    with pytest.raises(jm.Error, match="type.mismatch") as e:
        h.select_many({"fine": "did(purchase)", "odd": "points > \"2\""})
    assert e.value.place.startswith("segments.odd")


def wilson(part, whole):
    r = stats.binomtest(part, whole).proportion_ci(method="wilson")
    return r.low, r.high


@pytest.mark.parametrize("seed", range(20))
def test_profile_is_newcombe_and_welch(seed):
    changes, events = random_tables(seed, contacts=200)
    h, at = history_of(changes, events), START + 200 * HOUR
    twin = Twin(changes, events, at).contacts
    inside = twin.points >= 3
    profile = h.select("points >= 3", at).profile()
    values = {(r["expression"], r["value"]): r for r in profile.to_pylist()}
    columns = {("city", c): twin.city == c for c in CITIES if c} | {("city", "(missing)"): twin.city.isna(), ("did(purchase)", "true"): twin.orders > 0}
    n, m = int(inside.sum()), int((~inside).sum())
    for key, has in columns.items():
        row, a, b = values[key], int((has & inside).sum()), int((has & ~inside).sum())
        assert (row["inside"], row["outside"], row["share_inside"], row["share_outside"]) == (a, b, a / n, b / m)
        p, q, (l1, u1), (l2, u2) = a / n, b / m, wilson(a, n), wilson(b, m)
        low, high = p - q - math.hypot(p - l1, u2 - q), p - q + math.hypot(u1 - p, q - l2)
        assert row["low"] == pytest.approx(low, abs=1e-9) and row["high"] == pytest.approx(high, abs=1e-9)
        assert row["stands_out"] == pytest.approx(max(low, -high, 0), abs=1e-9)
    outs = [r["stands_out"] for r in profile.to_pylist()]
    assert outs == sorted(outs, reverse=True)
    numbers = {r["expression"]: r for r in profile.numbers.to_pylist()}
    assert numbers["points"]["inside"] == n and numbers["points"]["stands_out"] > 0.5
    row, x, y = numbers["count(purchase)"], twin.orders[inside], twin.orders[~inside]
    interval = stats.ttest_ind(x, y, equal_var=False).confidence_interval(0.95)
    assert (row["mean_inside"], row["mean_outside"]) == (pytest.approx(x.mean()), pytest.approx(y.mean()))
    assert (row["low"], row["high"]) == (pytest.approx(interval.low), pytest.approx(interval.high))


def test_a_sample_is_stable_and_has_attributes():
    changes, events = random_tables(3)
    h, at = history_of(changes, events), START + 100 * HOUR
    chosen = h.select("did(purchase)", at)
    ten = chosen.sample(10)
    assert ten.to_pylist() == chosen.sample(10, seed=0).to_pylist() != chosen.sample(10, seed=1).to_pylist()
    assert set(ten.to_pandas().contact_id) < set(chosen.ids) and len(ten) == 10
    everyone = {r["contact_id"]: r for r in h.contacts(at).to_pylist()}
    assert all(everyone[r["contact_id"]] == r for r in ten.to_pylist())
    assert chosen.sample(10**6).to_pandas().contact_id.tolist() == chosen.ids
    with pytest.raises(ValueError):
        chosen.sample(-1)
    assert chosen.at == at
