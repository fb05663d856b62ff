"""Paths against a few lines of Python."""

import collections
import datetime
import random
import statistics

import journeyman as jm
import pytest

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)


@pytest.fixture(scope="module")
def rows():
    rng = random.Random(1)
    return [{"contact_id": f"c{rng.randint(0, 20)}", "event": rng.choice("aabcd"), "timestamp": START + datetime.timedelta(minutes=7 * i), "page": rng.choice(["x", "y", None])} for i in range(600)]


@pytest.fixture(scope="module")
def history(rows):
    return jm.History(events=rows)


def lists(rows, name=lambda r: r["event"], gap=None, collapse=False):
    people = collections.defaultdict(list)
    for r in rows:
        if name(r) is not None:
            people[r["contact_id"]].append((name(r), r["timestamp"]))
    out = []
    for events in people.values():
        path = []
        for e in events:
            if path and gap is not None and e[1] - path[-1][1] > gap:
                out.append(path)
                path = []
            elif path and collapse and path[-1][0] == e[0]:
                continue
            path.append(e)
        out.append(path)
    return out


@pytest.mark.parametrize("more", [{}, {"gap": "3h"}, {"collapse": True}, {"label": "page"}])
def test_transitions(history, rows, more):
    expected = lists(rows, *([lambda r: r["page"]] if "label" in more else []), gap=datetime.timedelta(hours=3) if "gap" in more else None, collapse="collapse" in more)
    paths = jm.paths(history, **more)
    assert len(paths) == len(expected)
    times = collections.defaultdict(list)
    for path in expected:
        names = ["(start)", *(n for n, _ in path), "(end)"]
        for a, b in zip(names, names[1:], strict=False):
            times[a, b].append(None)
        for (a, t), (b, u) in zip(path, path[1:], strict=False):
            times[a, b].append((u - t).total_seconds())
    got = {(t["from"], t["to"]): t for t in paths.transitions().to_pylist()}
    assert {k: x["transitions"] for k, x in got.items()} == {k: x.count(None) for k, x in times.items()}
    assert all(x["median_seconds"] == (statistics.median(s) if (s := [v for v in times[k] if v is not None]) else None) for k, x in got.items())
    out_of = collections.Counter()
    for (a, _), x in got.items():
        out_of[a] += x["transitions"]
    assert all(x["share"] == x["transitions"] / out_of[a] for (a, _), x in got.items())


def test_sequences(history, rows):
    expected = collections.Counter()
    for path in lists(rows):
        names = [n for n, _ in path]
        expected.update(" > ".join(names[k : k + 3]) for k in range(len(names) - 2))
    got = jm.paths(history).sequences(3, most=1000).to_pylist()
    assert {s["sequence"]: s["occurrences"] for s in got} == expected
    assert [s["occurrences"] for s in got] == sorted(expected.values(), reverse=True)
    assert len(jm.paths(history).sequences(3, most=5)) == 5


def test_what_follows_and_precedes(history, rows):
    after, before = collections.Counter(), collections.Counter()
    for path in lists(rows):
        names = [n for n, _ in path]
        if "d" not in names:
            continue
        k = names.index("d")
        for s in (1, 2, 3):
            after[s, names[k + s] if k + s < len(names) else "(end)"] += k + s <= len(names)
            before[-s, names[k - s] if k >= s else "(start)"] += k >= s - 1
    paths = jm.paths(history)
    assert {(r["step"], r["event"]): r["paths"] for r in paths.after("d", 3).to_pylist()} == {k: n for k, n in after.items() if n}
    assert {(r["step"], r["event"]): r["paths"] for r in paths.before("d", 3).to_pylist()} == {k: n for k, n in before.items() if n}
    first = {r["event"]: r["paths"] for r in paths.after(steps=1).to_pylist()}
    assert first == collections.Counter(path[0][0] for path in lists(rows))


def test_names(history):
    assert {t["from"] for t in jm.paths(history, {"first": "a", "rest": "b"}).transitions().to_pylist()} == {"(start)", "first", "rest"}
    assert {t["from"] for t in jm.paths(history, most_names=1).transitions().to_pylist()} == {"(start)", "a", "(other)"}
    with pytest.raises(jm.Error, match="no path has an event"):
        jm.paths(history).after("e")
    with pytest.raises(jm.Error, match="1 to 20"):
        jm.paths(history).sequences(0)


def test_of_a_run(history):
    flow = {"trigger": {"event": "a"}, "reentry": "after_exit", "first": "hello", "steps": {"hello": {"send": "email", "next": "later"}, "later": {"wait": "1h", "next": "bye"}, "bye": {"send": "sms"}}}
    run = jm.Playbook.from_dict({"timezone": "UTC", "workflows": {"w": flow}}).replay(history)
    shown = jm.paths(run)
    assert len(shown) == len(run.journeys)
    got = {(t["from"], t["to"]): t["transitions"] for t in shown.transitions().to_pylist()}
    assert got["(start)", "hello"] == len(run.journeys)
    assert got["hello", "bye"] == sum(a["step"] == "bye" for a in run.actions.to_pylist())


def test_plots(history):
    from matplotlib.figure import Figure

    paths = jm.paths(history)
    for plot in (lambda ax: paths.plot("a", 3, ax=ax), lambda ax: paths.plot("b", -2, most=2, ax=ax), lambda ax: paths.transitions().plot(ax), lambda ax: paths.sequences(2).plot(3, ax), lambda ax: paths.plot(ax=ax)):
        ax = Figure().subplots()
        assert plot(ax) is ax
        assert ax.patches
    assert "<table>" in paths._repr_html_()
