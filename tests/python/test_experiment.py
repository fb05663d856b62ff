"""Experiments from tables and histories."""

import datetime

import journeyman as jm
import numpy
import pytest

UTC = datetime.timezone.utc
START = datetime.datetime(2026, 1, 1, tzinfo=UTC)


def shop(n=3000, seed=1):
    """Contacts in two arms; b buys more often. What they spent before is known."""
    r = numpy.random.default_rng(seed)
    contacts, events = [], []
    for k in range(n):
        arm = "ab"[int(r.integers(0, 2))]
        contacts.append({"contact_id": k, "variant": arm if k % 10 else None})
        habit = r.gamma(2, 5)
        events.append({"contact_id": k, "event": "purchase", "timestamp": START - datetime.timedelta(days=9), "amount": habit})
        for _ in range(r.poisson(1.4 if arm == "b" else 1.0)):
            events.append({"contact_id": k, "event": "purchase", "timestamp": START + datetime.timedelta(days=float(r.uniform(0, 20))), "amount": habit * float(r.uniform(0.8, 1.2))})
    return jm.History(contacts=contacts, events=events)


SINCE = 'since "2026-01-01T00:00:00Z"'
METRICS = {"bought": f"did(purchase, {SINCE})", "spend": f"sum(purchase.amount, {SINCE})",
           "basket": (f"sum(purchase.amount, {SINCE})", f"count(purchase, {SINCE})")}  # fmt: skip


def test_arms_and_metrics_of_a_history_are_those_of_its_tables():
    h = shop()
    e = jm.experiment(h, arm="variant", metrics=METRICS)
    assert e.arms == ["a", "b"] and e.control == "a" and len(e) == 3
    arms = {c["contact_id"]: c["variant"] for c in h.contacts().to_pylist()}
    spend = dict.fromkeys(arms, 0.0)
    count = dict.fromkeys(arms, 0)
    for r in h.events().to_pylist():
        if r["timestamp"] >= START:
            spend[r["contact_id"]] += r["amount"]
            count[r["contact_id"]] += 1
    table = {"arm": [a for a in arms.values() if a], "bought": [float(count[c] > 0) for c, a in arms.items() if a], "spend": [spend[c] for c, a in arms.items() if a],
             "count": [count[c] for c, a in arms.items() if a]}  # fmt: skip
    same = jm.experiment(table, arm="arm", metrics={"bought": "bought", "spend": "spend", "basket": ("spend", "count")})
    for mine, its in zip(e.to_pylist(), same.to_pylist(), strict=True):
        for k, x in its.items():
            assert mine[k] == (pytest.approx(x, rel=1e-9) if isinstance(x, float) else x)
    rows = {r["metric"]: r for r in e.to_pylist()}
    assert rows["bought"]["significant"] and rows["spend"]["significant"] and not rows["basket"]["significant"]
    assert "b raised bought" in e.summary() and "No difference could be told from chance in basket of b" in e.summary()


def test_what_was_before_narrows_the_interval():
    h = shop()
    plain = jm.experiment(h, arm="variant", metrics={"spend": METRICS["spend"]}).to_pylist()[0]
    adjusted = jm.experiment(h, arm="variant", metrics={"spend": METRICS["spend"]}, before={"spend": 'sum(purchase.amount, before "2026-01-01T00:00:00Z")'}).to_pylist()[0]
    assert adjusted["high"] - adjusted["low"] < 0.9 * (plain["high"] - plain["low"])
    with pytest.raises(jm.Error, match="no metric"):
        jm.experiment(h, arm="variant", metrics={"spend": "count(purchase)"}, before={"spent": "count(purchase)"})


def test_a_split_that_is_not_as_it_should_be_comes_first():
    table = {"arm": ["a"] * 700 + ["b"] * 300, "y": [0.0, 1.0] * 500}
    e = jm.experiment(table, arm="arm", metrics=["y"])
    assert e.split_p < 1e-10 and e.summary().startswith("The arms have not the sizes they should have")
    assert jm.experiment(table, arm="arm", metrics=["y"], weights={"a": 7, "b": 3}).split_p == pytest.approx(1)
    assert [r["expected"] for r in e.split.to_pylist()] == [500, 500]


def test_readings_beside_the_plain_one():
    e = jm.experiment(shop(), arm="variant", metrics={k: METRICS[k] for k in ("bought", "spend")})
    plain = {r["metric"]: r for r in e.to_pylist()}
    for r in e.always_valid().to_pylist():
        assert r["low"] < plain[r["metric"]]["low"] and r["high"] > plain[r["metric"]]["high"]
    [b] = e.bayes("spend").to_pylist()
    assert b["chance"] > 0.99 and b["loss_if_arm"] < b["loss_if_control"]
    sceptical = e.bayes("spend", prior=(0, 1e-6)).to_pylist()[0]
    assert abs(sceptical["effect"]) < abs(b["effect"]) / 10
    [p] = e.power(0.1, "bought").to_pylist()
    assert 0 < p["power"] < 1 and p["detectable"] > 0 and p["n_for_80"] > 0
    assert len(e.plot().get_yticks()) == 2 and "<table" in e._repr_html_()


def test_planned_looks_stop_when_the_bound_is_crossed():
    r = numpy.random.default_rng(1)
    arm, y = r.integers(0, 2, 4000), r.random(4000)
    y = (y < 0.2 + 0.06 * arm).astype(float)
    ask = lambda n: jm.experiment({"arm": arm[:n], "y": y[:n]}, arm="arm", metrics=["y"])  # noqa: E731
    rows = ask(4000).sequential(4000, [ask(1000), ask(2000)]).to_pylist()
    assert [r["fraction"] for r in rows] == [0.25, 0.5, 1] and rows[0]["bound"] > rows[1]["bound"] > rows[2]["bound"] > 1.96
    assert not rows[0]["stop"] and rows[2]["stop"]
    [plain] = ask(4000).to_pylist()
    assert rows[2]["low"] < plain["low"]


def test_what_is_no_experiment_is_said():
    with pytest.raises(jm.Error, match="two arms"):
        jm.experiment({"arm": ["a", "a"], "y": [1, 2]}, arm="arm", metrics=["y"])
    with pytest.raises(jm.Error, match="there is no arm c"):
        jm.experiment({"arm": ["a", "b"], "y": [1, 2]}, arm="arm", metrics=["y"], control="c")
    with pytest.raises(jm.Error, match="of type text"):
        jm.experiment(jm.History(contacts=[{"contact_id": 1, "v": "a", "city": "Roma"}]), arm="v", metrics={"city": "city"}, until=START)
    with pytest.raises(jm.Error, match="at least one metric"):
        jm.experiment({"arm": ["a", "b"], "y": [1, 2]}, arm="arm", metrics=[])
    with pytest.raises(jm.Error, match="row 1.*finite"):
        jm.experiment({"arm": ["a", "a", "b"], "y": [1.0, float("nan"), 2.0]}, arm="arm", metrics=["y"])
    with pytest.raises(jm.Error, match="weights: there is no arm c"):
        jm.experiment({"arm": ["a", "b"], "y": [1, 2]}, arm="arm", metrics=["y"], weights={"c": 1})
    with pytest.raises(TypeError, match="split.*run"):
        jm.experiment(jm.History.from_records([]), split="w.s", metrics={"y": "did(purchase)"})
    rows = jm.experiment({"arm": ["a", "a", "b", "b"], "y": [1, 1, 1, 1]}, arm="arm", metrics=["y"]).to_pylist()
    assert rows[0]["difference"] == 0 and rows[0]["p"] is None and not rows[0]["significant"]


def test_the_split_of_a_run_is_an_experiment():
    playbook = jm.Playbook.from_dict({"timezone": "UTC", "workflows": {"hello": {"trigger": {"event": "lead"}, "reentry": {"after": "1d"}, "first": "offer", "steps": {
        "offer": {"split": [{"weight": 1, "then": "gift"}, {"weight": 1, "then": "end"}]}, "gift": {"send": "email"}}}}})  # fmt: skip
    at = lambda day: START + datetime.timedelta(days=day)  # noqa: E731
    events = [{"contact_id": k, "event": "lead", "timestamp": at(d)} for k in range(400) for d in (1, 5)]
    run = playbook.replay(jm.History(events=events))
    arms = {r["contact_id"]: r["arm"] for r in run.splits.to_pylist()}
    assert len(run.splits) == 800 and set(arms.values()) == {"gift", "end"}   # twice each, and the same way
    assert {r["at"] for r in run.splits.to_pylist()} == {at(1), at(5)}
    # Who got the gift buys after it; everybody had bought before, which is not counted.
    bought = [{"contact_id": k, "event": "purchase", "timestamp": at(d)} for k, a in arms.items() for d in ((0, 2) if a == "gift" and k % 3 else (0,))]
    run = playbook.replay(jm.History(events=events + bought))
    e = jm.experiment(run, split="hello.offer", metrics={"bought": 'did(purchase, since changed_time(attr("hello.offer")))'})
    [row] = e.to_pylist()
    assert (row["arm"], row["control"], row["n"]) == ("gift", "end", sum(a == "gift" for a in arms.values()))
    assert row["control_value"] == 0 and row["value"] == pytest.approx(sum(a == "gift" and k % 3 > 0 for k, a in arms.items()) / row["n"])
    with pytest.raises(jm.Error, match="there are hello.offer"):
        jm.experiment(run, split="hello.offers", metrics={"bought": "did(purchase)"})
