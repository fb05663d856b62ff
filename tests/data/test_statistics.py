"""The figures of the real data: Hillstrom, CDNOW, and the paths of ChannelAttribution."""

import csv
import datetime

import journeyman as jm
import pytest
from data.real_data import path
from journeyman import statistics

pytestmark = pytest.mark.data
UTC = datetime.timezone.utc


def test_hillstrom():
    with open(path("hillstrom/hillstrom.csv"), encoding="utf-8") as f:
        rows = list(csv.DictReader(f))
    table = {"arm": [r["segment"] for r in rows]} | {m: [float(r[m]) for r in rows] for m in ("visit", "conversion", "spend")}
    e = jm.experiment(table, arm="arm", metrics=["visit", "conversion", "spend"], control="No E-Mail")
    assert {r["arm"]: r["n"] for r in e.split.to_pylist()} == {"Mens E-Mail": 21307, "No E-Mail": 21306, "Womens E-Mail": 21387}
    assert e.split_p > 0.5
    sums = {(m, a): e.sums(m, a).sum for m in ("visit", "conversion", "spend") for a in e.arms}
    assert [sums["visit", a] for a in ("No E-Mail", "Mens E-Mail", "Womens E-Mail")] == [2262, 3894, 3238]
    assert [sums["conversion", a] for a in ("No E-Mail", "Mens E-Mail", "Womens E-Mail")] == [122, 267, 189]
    assert [round(sums["spend", a], 2) for a in ("No E-Mail", "Mens E-Mail", "Womens E-Mail")] == [13908.33, 30311.69, 23038.11]
    z = {a: statistics.two_proportions(2262, 21306, sums["visit", a], e.sums("visit", a).n)["z"] for a in ("Mens E-Mail", "Womens E-Mail")}
    assert (round(z["Mens E-Mail"], 4), round(z["Womens E-Mail"], 4)) == (22.4860, 13.9492)
    assert all(r["significant"] for r in e.to_pylist())
    plain = {(r["metric"], r["arm"]): r for r in e.to_pylist()}
    for r in e.bootstrap("spend").to_pylist():
        its = plain["spend", r["arm"]]
        assert r["low"] == pytest.approx(its["low"], abs=0.1 * its["difference"]) and r["high"] == pytest.approx(its["high"], abs=0.1 * its["difference"])


def purchases(name):
    """CDNOW's lines: (an id in the whole list,) an id, date, CDs, dollars."""
    rows = []
    for line in path(f"cdnow/{name}").read_text().splitlines():
        *_, who, when, _, dollars = line.split()
        day = datetime.datetime.strptime(when, "%Y%m%d").replace(tzinfo=UTC)
        rows.append({"contact_id": who, "event": "purchase", "timestamp": day, "amount": float(dollars)})
    return rows


def test_cdnow():
    history = jm.History(events=purchases("CDNOW_sample.txt"))
    v = jm.lifetime_value(history, purchase="purchase.amount", unit="day", scale=7, split="1997-09-30T00:00:00Z", period=1, periods=39)
    assert len(v) == 2357
    found = dict(zip(v.fitted.names, v.fitted.estimates, strict=True))
    assert {k: round(x, 3) for k, x in found.items()} == {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
    assert round(v.fitted.log_likelihood, 1) == -9582.4
    spend = v.spend_fitted
    assert spend.customers == 946
    assert [round(x, 2) for x in spend.estimates] == pytest.approx([6.25, 3.74, 15.44], abs=0.02)
    assert "2,357 customers" in v.summary() and "After the split" in v.summary()
    assert sum(r["actual"] for r in v.fit_by_frequency.to_pylist()) == 2357
    pareto = jm.lifetime_value(history, purchase="purchase.amount", model="pareto_nbd", scale=7, until="1997-09-30T00:00:00Z")
    assert pareto.fitted.estimates == pytest.approx([0.553, 10.578, 0.606, 11.669], abs=0.015)


def test_paths_of_channel_attribution():
    with open(path("attribution/paths.csv"), encoding="utf-8", newline="") as f:
        rows = list(csv.reader(f, delimiter=";"))[1:]
    a = jm.attribution({"path": [r[0] for r in rows], "converted": [float(r[1]) for r in rows], "value": [float(r[2]) for r in rows], "lost": [float(r[3]) for r in rows]})
    assert len(a.channels) == 12 and len(a.paths) == 10_000
    m = a.markov()
    assert m.p == pytest.approx(19785 / (19785 + 68602), rel=1e-9) and m.p == pytest.approx(m.observed)
    for model in a.models:
        credit = a.credit(model).to_pylist()
        assert sum(r["conversions"] for r in credit) == pytest.approx(19785)
    assert sum(r["value"] for r in a.credit("linear").to_pylist()) == pytest.approx(74802.972)
