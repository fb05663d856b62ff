"""Attribution against solutions by numpy and sums over all orders, and paths of random histories against a walk by hand."""

import datetime
import itertools
import math

import journeyman as jm
import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from journeyman import statistics

UTC = datetime.timezone.utc


def random_paths(seed, channels=5, n=400, longest=6):
    r = numpy.random.default_rng(seed)
    return {
        "path": [[f"c{c}" for c in r.integers(0, channels, r.integers(1, longest + 1))] for _ in range(n)],
        "converted": r.integers(0, 3, n).astype(float), "lost": r.integers(0, 4, n).astype(float), "value": r.random(n).round(2),
    }  # fmt: skip


def chain_twin(paths, order):
    """Removal effects by a dense matrix over the states as tuples."""
    moves, states = {}, {(): 0}
    for path, won, lost in zip(paths["path"], paths["converted"], paths["lost"], strict=True):
        at = ()
        for c in path:
            to = (*at, c)[-order:]
            states.setdefault(to, len(states))
            moves[at, to] = moves.get((at, to), 0) + won + lost
            at = to
        moves[at, "won"] = moves.get((at, "won"), 0) + won
        moves[at, "lost"] = moves.get((at, "lost"), 0) + lost
    out = dict.fromkeys(states, 0)
    for (a, _), w in moves.items():
        out[a] += w

    def converts(without):
        m, b = numpy.eye(len(states)), numpy.zeros(len(states))
        for (a, to), w in moves.items():
            if to == "won":
                b[states[a]] += w / out[a] if out[a] else 0
            elif to != "lost" and to[-1] != without and out[a]:
                m[states[a], states[to]] -= w / out[a]
        return numpy.linalg.solve(m, b)[0]

    p = converts(None)
    return p, {c: 1 - converts(c) / p for c in sorted({c for path in paths["path"] for c in path})}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_the_chain_is_that_of_numpy_and_converts_as_observed(seed, order):
    paths = random_paths(seed)
    m = jm.attribution(paths).markov(order)
    p, removal = chain_twin(paths, order)
    assert m.p == pytest.approx(p, rel=1e-9)
    assert m.p == pytest.approx(m.observed, rel=1e-9)   # the identity of a chain fitted to whole paths
    assert m.removal == pytest.approx(removal, abs=1e-9)
    rows = m.credit.to_pylist()
    assert sum(r["conversions"] for r in rows) == pytest.approx(paths["converted"].sum())
    assert sum(r["value"] for r in rows) == pytest.approx(paths["value"].sum())


def test_rules_share_out_all_conversions_by_hand():
    paths = {"path": [["a", "b", "c", "b"], ["b", "a"], ["c"]], "converted": [2.0, 1, 3], "age": [[9.0, 7, 2, 0], [7.0, 0], [1.0]]}
    a = jm.attribution(paths)
    of = lambda model, **how: {r["channel"]: r["conversions"] for r in a.credit(model, **how).to_pylist()}  # noqa: E731
    assert of("first") == {"a": 2, "b": 1, "c": 3}
    assert of("last") == {"a": 1, "b": 2, "c": 3}
    assert of("linear") == pytest.approx({"a": 0.5 + 0.5, "b": 1 + 0.5, "c": 0.5 + 3})
    assert of("position") == pytest.approx({"a": 0.8 + 0.5, "b": 0.2 + 0.8 + 0.5, "c": 0.2 + 3})
    assert of("position", shares=(0.5, 0.3)) == pytest.approx({"a": 1 + 0.375, "b": 0.2 + 0.6 + 0.625, "c": 0.2 + 3})
    assert of("last_but", but="b") == {"a": 1, "b": 0, "c": 2 + 3}
    assert of("last_but", but="c") == {"a": 1, "b": 2, "c": 3}
    w = [2 ** (-d / 7) for d in (9, 7, 2, 0)]
    assert of("time_decay")["a"] == pytest.approx(2 * w[0] / sum(w) + 1 / 1.5)
    with pytest.raises(jm.Error, match="age"):
        jm.attribution({"path": ["a > b"]}).credit("time_decay")


def shapley_twin(worth, players):
    out = dict.fromkeys(players, 0.0)
    for order in itertools.permutations(players):
        inside, before = frozenset(), worth(frozenset())
        for p in order:
            inside |= {p}
            out[p] += (worth(inside) - before) / math.factorial(len(players))
            before = worth(inside)
    return out


@pytest.mark.parametrize("worth", ["conversions", "rate"])
def test_shapley_is_the_mean_over_all_orders(worth):
    paths = random_paths(1, channels=5)
    sets = [frozenset(p) for p in paths["path"]]

    def of(coalition):
        chosen = [k for k, s in enumerate(sets) if s <= coalition]
        won, lost = paths["converted"][chosen].sum(), paths["lost"][chosen].sum()
        return won if worth == "conversions" else won / (won + lost) if won + lost else 0

    a = jm.attribution(paths)
    exact = {r["channel"]: r["credit"] for r in a.shapley(worth=worth).to_pylist()}
    assert exact == pytest.approx(shapley_twin(of, a.channels), abs=1e-9)
    for r in a.shapley(worth=worth, exact_up_to=2, orders=20_000).to_pylist():   # drawn
        assert abs(r["credit"] - exact[r["channel"]]) < 5 * r["standard_error"] + 1e-12


def test_shapley_of_conversions_is_an_equal_share_of_each_path():
    paths = random_paths(2, channels=15, longest=5)
    expected = dict.fromkeys(sorted({c for p in paths["path"] for c in p}), 0.0)
    for path, won in zip(paths["path"], paths["converted"], strict=True):
        for c in set(path):
            expected[c] += won / len(set(path))
    found = {r["channel"]: r["conversions"] for r in jm.attribution(paths).credit("shapley").to_pylist()}
    assert len(found) == 15 and found == pytest.approx(expected, abs=1e-8)


def test_shapley_of_worths_that_are_named():
    assert statistics.shapley({"a": 1, ("a", "b"): 4, "b": 2}) == pytest.approx({"a": 1.5, "b": 2.5})


def test_bad_paths_are_refused():
    with pytest.raises(jm.Error, match="attribution.order"):
        jm.attribution({"path": ["a"]}).markov(9)
    with pytest.raises(jm.Error, match="no model; there are first.*shapley"):
        jm.attribution({"path": ["a"]}, models=["best"]).to_pylist()
    with pytest.raises(jm.Error, match="negative"):
        jm.attribution({"path": ["a"], "converted": [-1]}).markov()
    with pytest.raises(jm.Error, match="came as a table"):
        jm.attribution({"path": ["a"]}).within("7d")


def test_where_nothing_converts_nothing_is_credited():
    a = jm.attribution({"path": ["a > b"], "converted": [0], "lost": [3]})
    assert a.summary().startswith("None of the paths") and all(r["markov"] == r["shapley"] == 0 for r in a.to_pylist())
    start = datetime.datetime(2026, 1, 1, tzinfo=UTC)
    nobody = jm.attribution(jm.History.from_records([]), touch="visit.channel", conversion="purchase", until=start)
    assert len(nobody) == 0 and nobody.summary().startswith("There are no touches") and jm.attribution({"path": [], "converted": []}).to_pylist() == []


events = some.lists(some.tuples(some.sampled_from(["ads", "mail", "seo", "BUY"]), some.integers(0, 30)), max_size=10)


@settings(max_examples=150, deadline=None)
@given(contacts=some.lists(events, min_size=1, max_size=5), window=some.one_of(some.none(), some.integers(1, 12)), until=some.integers(0, 40))
def test_paths_from_a_history_are_those_of_a_walk(contacts, window, until):
    start = datetime.datetime(2026, 1, 1, tzinfo=UTC)
    rows = [{"contact_id": "z", "event": e, "timestamp": start + datetime.timedelta(days=90)} for e in ("visit", "purchase")]
    for k, mine in enumerate(contacts):
        for what, day in mine:
            rows.append({"contact_id": f"c{k}", "event": "purchase" if what == "BUY" else "visit", "channel": None if what == "BUY" else what,
                         "timestamp": start + datetime.timedelta(days=day)})  # fmt: skip
    far = 10**6 if window is None else window
    expected, unattributed, still_open = [], 0, 0
    for k, mine in enumerate(contacts):
        waiting = []

        def lose(touches, at_end):
            nonlocal still_open
            runs = []
            for t in touches:
                if runs and t[1] <= runs[-1][-1][1] + far:
                    runs[-1].append(t)
                else:
                    runs.append([t])
            for run in runs:
                if at_end and run is runs[-1] and window is not None and run[-1][1] + far >= until:
                    still_open += 1
                else:
                    expected.append((f"c{k}", " > ".join(c for c, _ in run), 0))  # noqa: B023

        for what, day in sorted(mine, key=lambda x: x[1]):
            if day > until:
                continue
            if what != "BUY":
                waiting.append((what, day))
                continue
            near = [t for t in waiting if t[1] + far >= day]
            lose(waiting[: len(waiting) - len(near)], False)
            if near:
                expected.append((f"c{k}", " > ".join(c for c, _ in near), 1))
            else:
                unattributed += 1
            waiting = []
        lose(waiting, True)
    a = jm.attribution(jm.History(events=rows), touch="visit.channel", conversion="purchase", within=None if window is None else f"{window}d",
                       until=start + datetime.timedelta(days=until))  # fmt: skip
    assert [(r["contact_id"], r["path"], r["converted"]) for r in a.paths.to_pylist()] == expected
    assert (a.unattributed, a.open) == (unattributed, still_open)


def test_the_window_is_decided_after_the_fact_and_told():
    start = datetime.datetime(2026, 1, 1, tzinfo=UTC)
    at = lambda day: start + datetime.timedelta(days=day)  # noqa: E731
    rows = []
    for k in range(40):
        rows += [{"contact_id": k, "event": "visit", "channel": c, "timestamp": at(d)} for c, d in (("ads", 0), ("mail", 10))]
        if k % 2:
            rows.append({"contact_id": k, "event": "purchase", "amount": 10.0, "timestamp": at(12)})
    rows.append({"contact_id": 99, "event": "purchase", "amount": 1.0, "timestamp": at(60)})
    a = jm.attribution(jm.History(events=rows), touch="visit.channel", conversion="purchase.amount", within="30d")
    first = lambda x: {r["channel"]: (r["conversions"], r["value"]) for r in x.credit("first").to_pylist()}  # noqa: E731
    assert first(a) == {"ads": (20, 200), "mail": (0, 0)}
    assert first(a.within("7d")) == {"ads": (0, 0), "mail": (20, 200)}
    assert a.unattributed == 1 and "1 conversions had no touch" in a.summary()
    assert a.columns == ["channel", "touches", "paths", "first", "last", "linear", "position", "time_decay", "markov", "shapley"]
    assert len(a.plot(models=["first", "last"]).patches) == 4 and "<table" in a._repr_html_()
