"""Funnels against brute force (funnel_twin.py), SQL and scipy, and what the docs show of them."""

import datetime
import doctest
import itertools
import pathlib
import random

import duckdb
import journeyman as jm
import numpy as np
import pytest
from funnel_twin import Unit
from scipy import stats

ROOT = pathlib.Path(__file__).parents[2]
START = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
CASES = 600


def random_rules(rng, n):
    r = {}
    if rng.random() < 0.85:
        r["window"] = rng.choice([0, 1, 2, 3, 5, 8])

    def pick(name, *values):
        if rng.random() < 0.35:
            r[name] = rng.choice(values)

    for name, values in (("window_from", ["previous_step"]), ("window_end", ["exclusive"]), ("event_gap", [0, 1, 2, 3]), ("anchor", ["first", "latest"]), ("tie_rule", ["step_order"]),
                         ("one_event_many_steps", [True]), ("start_event_many_steps", [True]), ("strict_increase", [True])):  # fmt: skip
        pick(name, *values)
    kind = rng.random()
    if kind < 0.3:
        pick("repeats", "end_chain_last", "end_chain_any", "reset")
        pick("adjacency", "listed", "all")
    elif kind < 0.45:
        r["adjacency"] = "walk"
        pick("skip_ahead", "end")
        pick("repeats", "end_walk")
    elif kind < 0.55:
        r["repeats"] = "end_walk"
    elif kind < 0.65:
        r = {k: x for k, x in r.items() if k not in ("event_gap", "window_from")} | {"order": rng.choice(["unordered", "presence"])}
    walks = r.get("adjacency") == "walk" or r.get("repeats") == "end_walk"
    if r.get("order") != "presence" and not walks and n > 1 and rng.random() < 0.25:
        a = 1 if "order" in r else rng.randint(1, n - 1)
        r["exclusions"] = [{"from_step": a, "to_step": n if "order" in r else rng.randint(a + 1, n)}]
    if "order" not in r and r.get("adjacency") != "walk" and n > 2 and rng.random() < 0.2:
        r["optional_steps"] = [rng.randint(2, n)]
    return r


def random_people(rng, n, contacts=25):
    overlap = rng.random() < 0.4
    people = {}
    for c in range(contacts):
        people[f"c{c}"] = events = []
        for _ in range(rng.randint(0, 7)):
            steps = {rng.randint(1, n)} if rng.random() < 0.85 else set()
            if overlap and rng.random() < 0.5:
                steps |= {rng.randint(1, n)}
            events.append((rng.randint(0, 9), steps, {0} if not steps and rng.random() < 0.6 else set()))
    return people


def history_of(people, n, **more):
    rows = [{"contact_id": c, "event": "e", "timestamp": START + datetime.timedelta(seconds=e[0]), "x": bool(e[2]), **{f"s{i}": i in e[1] for i in range(1, n + 1)},
             **{name: get(e) for name, get in more.items()}} for c, events in people.items() for e in events]  # fmt: skip
    return jm.History(events=rows or [{"contact_id": "nobody", "event": "other", "timestamp": START}])


def ours(history, n, rules, **more):
    r = dict(rules)
    window = r.pop("window", None)
    if "event_gap" in r:
        r["event_gap"] = f"{r['event_gap']}s"
    if "exclusions" in r:
        r["exclusions"] = [x | {"event": "e where x"} for x in r["exclusions"]]
    return jm.funnel(history, [f"e where s{i}" for i in range(1, n + 1)], None if window is None else f"{window}s", **r, **more)


def seconds(row, n):
    return {i: (row[f"step_{i}"] - START).total_seconds() for i in range(1, n + 1) if row.get(f"step_{i}") is not None}


def test_random_rules_over_random_histories():
    levels, ruled = [], set()
    for seed in range(CASES):
        rng = random.Random(seed)
        n = rng.randint(1, 4)
        rules, people = random_rules(rng, n), random_people(rng, n)
        if not any(people.values()):
            continue
        f = ours(history_of(people, n), n, rules)
        got = {r["contact_id"]: r for r in f.units.to_pylist()}
        counts = [0] * n
        for contact, events in people.items():
            level, instants = Unit(events, n, rules).result()
            mine = got.get(contact, {"level": 0})
            assert mine["level"] == level, (seed, rules, events)
            if instants is not None:
                assert seconds(mine, n) == instants, (seed, rules, events)
                for s in instants:
                    counts[s - 1] += 1
            levels.append(level)
        if rules.get("order") is None:
            assert f.counts == counts, (seed, rules)
        ruled |= set(rules) | {x for x in rules.values() if isinstance(x, str)}
    assert {None, 0, 1, 2, 3, 4} <= set(levels)
    assert {"previous_step", "exclusive", "event_gap", "first", "latest", "step_order", "strict_increase", "end_chain_last", "end_chain_any", "reset", "end_walk", "listed", "all", "walk",
            "end", "unordered", "presence", "exclusions", "optional_steps"} <= ruled  # fmt: skip


@pytest.mark.parametrize("attribution", ["first", "last", "step_2", "all_events"])
def test_breakdowns(attribution):
    for seed in range(40):
        rng = random.Random(seed)
        people = random_people(rng, 3)
        groups = {c: [rng.choice(["p", "q", None]) for _ in events] for c, events in people.items()}
        marked = {c: [(*e, g) for e, g in zip(events, groups[c], strict=True)] for c, events in people.items()}
        history = history_of(marked, 3, g=lambda e: e[3])
        if "g" not in history.events().columns:
            continue
        f = ours(history, 3, {"window": 4}, by="g", attribution=attribution)
        got = {(r["g"], r["step"]): r["units"] for r in f.to_pylist() if r["g"] is not None}
        expected = {}
        for events in marked.values():
            events = sorted(events, key=lambda e: e[0])
            steps = [e for e in events if e[1]]
            if not steps:
                continue
            for value in {e[3] for e in events}:
                mine = [e[:3] for e in events]
                if attribution in ("first", "last"):
                    if steps[0 if attribution == "first" else -1][3] != value:
                        continue
                elif attribution == "all_events":
                    mine = [e[:3] for e in events if e[3] == value]
                else:
                    mine = [(t, s if g == value else s - {2}, x) for t, s, x, g in events]
                level = Unit(mine, 3, {"window": 4}).result()[0]
                for k in range(1, level + 1 if attribution != "step_2" or level >= 2 else 1):
                    key = ("(missing)" if value is None else value, k)
                    expected[key] = expected.get(key, 0) + 1
        assert {k: x for k, x in got.items() if x} == expected, seed


def test_sql_agrees_on_pairs():
    rng = random.Random(5)
    rows = [{"contact_id": f"c{rng.randint(0, 200)}", "event": rng.choice("ab"), "timestamp": START + datetime.timedelta(minutes=i)} for i in range(3000)]
    rng.shuffle(rows)
    history = jm.History(events=rows)
    events = history.events().to_arrow()
    assert events.num_rows == 3000
    [(first, both)] = duckdb.sql("""
        select count(distinct a.contact_id), count(distinct case when b.contact_id is not null then a.contact_id end)
        from events a left join events b on b.contact_id = a.contact_id and b.event = 'b' and b.timestamp > a.timestamp and b.timestamp <= a.timestamp + interval 20 minutes
        where a.event = 'a'""").fetchall()
    assert jm.funnel(history, ["a", "b"], "20m").counts == [first, both]
    assert 0 < both < first


# ---- units, times


def events(*rows):
    return jm.History(events=[{"contact_id": c, "event": e, "timestamp": START + datetime.timedelta(seconds=t), **more} for c, e, t, more in rows])


def test_units():
    history = events(("a", "view", 0, {"session": 1}), ("a", "buy", 5, {"session": 2}), ("b", "view", 1, {"session": 1}), ("b", "view", 2, {"session": None}), ("b", "buy", 3, {"session": 1}))
    counts = {unit: jm.funnel(history, ["view", "buy"], "9s", unit=list(unit)).counts for unit in (("contact",), ("session",), ("contact", "session"), ())}
    assert counts == {("contact",): [2, 2], ("session",): [1, 1], ("contact", "session"): [2, 1], (): [1, 1]}
    assert jm.funnel(history, ["view", "buy"], "9s", unit=["contact", "session"]).units.columns[:2] == ["contact_id", "session"]
    assert jm.funnel(history, ["view", "buy"], "9s", unit=[]).units.to_pylist()[0]["unit"] == "*"


def test_a_unit_of_several_contacts_sees_what_each_of_them_did():
    history = events(("a", "view", 0, {"session": 1}), ("b", "help", 1, {"session": 1}), ("a", "buy", 2, {"session": 1}))
    assert jm.funnel(history, ["view", "buy"], unit="session", adjacency="all").counts == [1, 0]
    assert jm.funnel(history, ["view", "buy"], unit="session", exclusions=[{"event": "help"}]).counts == [0, 0]
    assert jm.funnel(history, ["view", "buy"], unit=["contact", "session"], adjacency="all").counts == [1, 1]


def test_an_exclusion_at_the_very_end_of_the_window_comes_too_late():
    for at, counts in ((4, [0, 0]), (5, [1, 0]), (6, [1, 0])):
        history = events(("a", "view", 0, {}), ("a", "help", at, {}), ("b", "buy", 9, {}))
        for order in ("ordered", "unordered"):
            assert jm.funnel(history, ["view", "buy"], "5s", order=order, audience="did(view)", exclusions=[{"event": "help"}]).counts == counts, (at, order)


def test_a_gap_that_has_passed_leaves_nothing_open():
    history = events(("a", "view", 0, {}), ("b", "view", 9, {}), ("b", "view", 10, {}))
    assert [r["immature"] for r in jm.funnel(history, ["view", "buy"], "20s", event_gap="5s").units.to_pylist()] == [False, True]


def test_entries_and_completions_share_no_event():
    history = events(*(("a", e, t, {}) for e, t in (("view", 0), ("view", 5), ("buy", 8), ("buy", 12), ("view", 20))))
    f = jm.funnel(history, ["view", "buy"], "10s", unit="entry")
    assert f.counts == [3, 2]
    assert [seconds(r, 2) for r in f.units.to_pylist()] == [{1: 0, 2: 8}, {1: 5, 2: 12}, {1: 20}]
    assert [r["completions"] for r in jm.funnel(history, ["view", "buy"], "10s").completions.to_pylist()] == [2]


def test_held_properties():
    history = events(("a", "cart", 0, {"id": 1}), ("a", "pay", 1, {"id": 2}), ("a", "cart", 2, {"id": 3}), ("b", "cart", 0, {"id": 1}), ("b", "pay", 4, {"id": 1}), ("c", "cart", 0, {"id": None}))
    assert jm.funnel(history, ["cart", "pay"], held="id").counts == [2, 1]
    assert jm.funnel(history, ["cart", "pay"], held="id", unit="entry").counts == [3, 1]
    assert [r["completions"] for r in jm.funnel(history, ["cart", "pay"], held="id").completions.to_pylist()] == [0, 1]
    assert jm.funnel(history, ["cart", "pay"]).counts == [3, 2]


def test_times():
    rng = random.Random(3)
    rows, gaps = [], []
    for c in range(200):
        gap = rng.expovariate(1 / 500)
        rows.append((f"c{c}", "a", 10 * c, {}))
        if 10 * c + gap < 2500:
            rows.append((f"c{c}", "b", 10 * c + gap, {}))
        gaps.append((gap, 10 * c))
    rows.append(("last", "c", 2500, {}))
    f = jm.funnel(events(*rows), ["a", "b"], "600s")
    [_, second] = f.times.to_pylist()
    seen = [round(g * 1e6) / 1e6 for g, t in gaps if t + g < 2500 and g <= 600]
    assert second["units"] == len(seen) == f.counts[1]
    assert second["mean_seconds"] == pytest.approx(np.mean(seen), rel=1e-9)
    for column, q in (("p10", 10), ("p25", 25), ("median_seconds", 50), ("p75", 75), ("p90", 90)):
        assert second[column] == pytest.approx(np.percentile(seen, q), rel=1e-6)
    assert f.to_pylist()[0]["immature"] == sum(t + 600 >= 2500.000001 and not (t + g < 2500 and g <= 600) for g, t in gaps)

    # Kaplan and Meier, with scipy as the oracle.
    data = stats.CensoredData.right_censored([min(g, 600, 2500 - t) for g, t in gaps], [not (t + g < 2500 and g <= 600) for g, t in gaps])
    oracle = stats.ecdf(data)
    table = [r for r in f.conversion_over_time().to_pylist() if r["converted"]]
    assert np.allclose([r["after_seconds"] for r in table], [q for q, d in zip(oracle.sf.quantiles, oracle.sf._d, strict=True) if d], atol=1e-5)
    assert np.allclose([r["share"] for r in table], [p for p, d in zip(oracle.cdf.probabilities, oracle.sf._d, strict=True) if d])
    bounds = oracle.sf.confidence_interval(0.95, method="log-log")
    at = [np.searchsorted(oracle.sf.quantiles, r["after_seconds"] + 1e-5) - 1 for r in table]
    assert np.allclose([r["low"] for r in table], 1 - bounds.high.probabilities[at])
    assert np.allclose([r["high"] for r in table], 1 - bounds.low.probabilities[at])

    # Half-open bins of whole seconds; the cube root of the units, rounded up, and one more.
    bins = f.histogram().to_pylist()
    k = next(k for k in itertools.count(1) if k**3 >= len(seen))
    edges = [r["from_seconds"] for r in bins]
    assert len(bins) == k + 1
    assert edges[0] == int(min(seen))
    assert {b - a for a, b in itertools.pairwise(edges)} == {bins[0]["to_seconds"] - edges[0]}
    assert [r["units"] for r in bins] == [sum(r["from_seconds"] <= s < r["to_seconds"] for s in seen) for r in bins]


def test_who_is_watched_as_long_as_the_window_is_open():
    day = 86_400
    steps = ("a", "x", 0, {}), ("a", "y", 0.9 * day, {}), ("a", "z", 1.8 * day, {}), ("b", "x", 0, {}), ("b", "y", 0.9 * day, {}), ("b", "other", 40 * day, {})
    [last, *_] = reversed(jm.funnel(events(*steps), ["x", "y", "z"], "1d", window_from="previous_step").conversion_over_time().to_pylist())
    assert (last["after_seconds"], last["censored"], last["share"]) == (1.9 * day, 1, 0.5)   # b might have come to z a day after y
    [month] = jm.funnel(events(("a", "x", 30 * day, {}), ("b", "other", 90 * day, {})), ["x", "y"], "1mo").conversion_over_time().to_pylist()
    assert month["after_seconds"] == 28 * day


def test_plots():
    from matplotlib.figure import Figure

    f = jm.funnel(events(("a", "x", 0, {"g": "p"}), ("a", "y", 1, {"g": "p"}), ("b", "x", 3, {"g": "q"})), ["x", "y"], by="g")
    ax = Figure().subplots()
    assert f.plot(ax=ax) is ax
    assert sorted({bar.get_width() for bar in ax.patches}) == [1, 2]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["x", "y"]
    assert len(f.plot("g", Figure().subplots()).patches) == 4
    assert f.plot_times(ax=Figure().subplots()).get_lines()
    with pytest.raises(ValueError, match="no dimension"):
        f.plot("h")


# ---- definitions


@pytest.mark.parametrize(
    "rules, code, words",
    [
        ({"anchor": "frist"}, "funnel.rule", "first, latest, any"),
        ({"anchr": "first"}, "funnel.rule", "anchor"),
        ({"rules": "clickhose"}, "funnel.rule", "clickhouse"),
        ({"exclusions": [{"event": "a", "from_step": 2, "to_step": 2}]}, "funnel.exclusion_range", "exclusion range"),
        ({"order": "unordered", "exclusions": [{"event": "a", "from_step": 1, "to_step": 1}]}, "funnel.exclusion_range", "exclusion range"),
        ({"optional_steps": [1]}, "funnel.rule", "steps 2 to 2"),
        ({"by": "colour"}, "name.unknown", "colour"),
        ({"where": "x ="}, "predicate.syntax", "where"),
        ({"attribution": "step_3", "by": "s1"}, "funnel.rule", "no step 3"),
        ({"event_gap": "1mo"}, "funnel.rule", "without months"),
    ],
)
def test_what_is_wrong_is_said(rules, code, words):
    history = history_of({"a": [(0, {1}, set())]}, 2)
    with pytest.raises(jm.Error, match=words) as e:
        jm.funnel(history, ["e where s1", "e where s2"], **rules)
    assert e.value.code == code


def test_an_event_nobody_had_is_a_warning():
    history = events(("a", "view", 0, {}))
    with pytest.warns(UserWarning, match="Did you mean view"):
        assert jm.funnel(history, ["veiw"]).counts == [0]
    with pytest.warns(UserWarning, match="Did you mean view"):
        assert {r["size"] for r in jm.retention(history, "veiw").to_pylist()} == {0}


def test_a_bare_day_begins_in_the_zone():
    history = events(("a", "view", -1, {}), ("b", "view", 0, {}), ("c", "view", 86_399, {}))
    assert jm.funnel(history, ["view"], start="2026-01-01", end="2026-01-02").counts == [2]
    assert jm.funnel(history, ["view"], start=datetime.date(2026, 1, 1), timezone="Europe/Rome").counts == [3]
    with pytest.raises(jm.Error, match="2026-02-30"):
        jm.funnel(history, ["view"], start="2026-02-30")


def test_steps_are_events():
    history = history_of({"a": [(0, {1}, set())]}, 2)
    with pytest.raises(jm.Error, match="a list of events"):
        jm.funnel(history, "e")
    with pytest.raises(jm.Error, match="7 is no duration"):
        jm.funnel(history, ["e"], 7)
    for steps, code in (([], "funnel.steps"), (["e, last 3d"], "funnel.event"), (["e where colour == 1"], "name.unknown"), (["e"] * 31, "funnel.steps")):
        with pytest.raises(jm.Error) as e:
            jm.funnel(history, steps)
        assert e.value.code == code
    assert jm.funnel(history, {"first": "e", "second": jm.event("e").where(jm.prop("s2"))}).to_pylist()[1]["name"] == "second"


PLAYBOOK = """
timezone: Europe/Rome
dimensions: {source: {value: "first(view.channel)"}}
funnels:
  checkout:
    steps: [{name: seen, event: view}, {name: bought, event: purchase}]
    within: 2d
    repeats: reset
    breakdown: {by: source}
"""


def test_a_playbook_has_funnels():
    day = datetime.timedelta(days=1)
    rows = [("anna", "view", 0, "ads"), ("anna", "purchase", 1, "web"), ("bea", "view", 0, "mail"), ("bea", "view", 1, "ads"), ("bea", "purchase", 3, "ads"), ("carl", "view", 0, "ads"), ("carl", "purchase", 4, "ads")]
    history = jm.History(events=[{"contact_id": c, "event": e, "timestamp": START + d * day, "channel": x} for c, e, d, x in rows])
    playbook = jm.Playbook.parse(PLAYBOOK)
    assert [p for p in playbook.check(history) if p.severity == "error"] == []
    assert jm.Playbook.parse(playbook.to_yaml()) == playbook
    f = playbook.funnel("checkout", history)
    assert {(r["source"], r["name"]): r["units"] for r in f.to_pylist()} == {(None, "seen"): 3, (None, "bought"): 2, ("ads", "seen"): 2, ("ads", "bought"): 1, ("mail", "seen"): 1, ("mail", "bought"): 1}
    same = jm.funnel(history, {"seen": "view", "bought": "purchase"}, "2d", "source", repeats="reset", playbook=playbook)
    assert same.to_arrow().equals(f.to_arrow())
    for wrong, code, place in (("repeats: reset", "funnel.rule", "playbook:8:14"), ("breakdown: {by: source}", "name.unknown", "playbook:9")):
        text = PLAYBOOK.replace(wrong, wrong.replace("reset", "rest").replace("source", "sauce"))
        [problem] = [p for p in jm.Playbook.parse(text).check(history) if p.severity == "error"]
        assert (problem.code, problem.place[: len(place)]) == (code, place)
    with pytest.raises(jm.Error, match="checkout"):
        playbook.funnel("chekout", history)


def test_the_examples_of_the_help_hold():
    found = doctest.DocTestFinder().find(jm.funnel, "funnel", globs={})
    runner = doctest.DocTestRunner()
    for example in found:
        runner.run(example)
    assert runner.summarize().failed == 0
    assert runner.summarize().attempted > 25
