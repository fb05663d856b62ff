"""Survival against statsmodels and scipy on random subjects, and against a walk by hand on random histories."""

import datetime
import os
import warnings

import journeyman as jm
import numpy
import pytest
import scipy.stats
import statsmodels.api
from hypothesis import given, settings
from hypothesis import strategies as some
from journeyman import statistics
from statsmodels.duration.survfunc import survdiff

try:   # by .ci/setup, since it wants an older pandas than it needs
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lifelines
        import lifelines.statistics
        import lifelines.utils
except ImportError:
    lifelines = None
needs_lifelines = pytest.mark.skipif(lifelines is None and not os.environ.get("CI"), reason="lifelines is not here; in CI its absence is a failure")
UTC = datetime.timezone.utc


def subjects(seed, n=300, groups=3, late=False):
    r = numpy.random.default_rng(seed)
    time = r.exponential(10, n).round(r.integers(0, 3)) + 1   # ties
    table = {"time": time, "event": (r.random(n) < 0.7).astype(int), "group": r.integers(0, groups, n)}
    return table | ({"entry": (time * r.random(n) * 0.9).round(1)} if late else {})


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("late", [False, True])
def test_the_curve_is_that_of_statsmodels(seed, late):
    t = subjects(seed, late=late)
    ours = jm.survival(t, entry="entry" if late else None).to_pandas().query("events > 0")
    theirs = statsmodels.api.SurvfuncRight(t["time"], t["event"], entry=t["entry"] if late else None)
    numpy.testing.assert_allclose(ours["time"], theirs.surv_times)
    numpy.testing.assert_allclose(ours["at_risk"], theirs.n_risk)
    numpy.testing.assert_allclose(ours["survival"], theirs.surv_prob, atol=1e-12)


@needs_lifelines
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("late", [False, True])
def test_curves_hazards_and_intervals_are_those_of_lifelines(seed, late):
    t = subjects(seed, late=late)
    ours = jm.survival(t, entry="entry" if late else None)
    entry = t["entry"] if late else None
    rows = ours.to_pandas().query("events > 0")
    survival = lifelines.KaplanMeierFitter().fit(t["time"], t["event"], entry=entry)
    numpy.testing.assert_allclose(rows["survival"], survival.survival_function_at_times(rows["time"]), atol=1e-9)
    inside = rows.query("survival > 0")
    for end, column in (("low", 0), ("high", 1)):
        numpy.testing.assert_allclose(inside[end], survival.confidence_interval_.iloc[:, column].loc[inside["time"]], atol=1e-9)
    assert ours.groups.to_pylist()[0]["median"] == survival.median_survival_time_
    if not late:
        mean = lifelines.utils.restricted_mean_survival_time(survival, t=float(t["time"].max()))
        assert ours.groups.to_pylist()[0]["restricted_mean"] == pytest.approx(mean, rel=1e-6)


@needs_lifelines
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("late", [False, True])
def test_hazards_are_those_of_lifelines(late):
    r = numpy.random.default_rng(7)
    time = r.exponential(10, 300) + 1   # no ties: there it takes one after the other, not d / n; its interval is by another variance
    entry = time * r.random(300) * 0.9 if late else None
    t = {"time": time, "event": r.random(300) < 0.7} | ({"entry": entry} if late else {})
    rows = jm.survival(t, entry="entry" if late else None).to_pandas().query("events > 0")
    theirs = lifelines.NelsonAalenFitter(nelson_aalen_smoothing=False).fit(time, t["event"], entry=entry)
    numpy.testing.assert_allclose(rows["hazard"], theirs.cumulative_hazard_.iloc[:, 0].loc[rows["time"]], atol=1e-9)


@needs_lifelines
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("ours, theirs", [("none", None), ("wilcoxon", "wilcoxon"), ("tarone-ware", "tarone-ware"), ("peto", "peto")])
def test_the_logrank_is_that_of_lifelines(seed, ours, theirs):
    t = subjects(seed)
    found = statistics.logrank(t["time"], t["event"], t["group"], weighting=ours)
    expected = lifelines.statistics.multivariate_logrank_test(t["time"], t["group"], t["event"], weightings=theirs)
    assert found.chi2 == pytest.approx(expected.test_statistic, rel=1e-9) and found.p == pytest.approx(expected.p_value, rel=1e-9)


@pytest.mark.parametrize("shift", [0, -7.25])
def test_times_that_are_counted_and_times_that_are_sorted_give_one_table(shift):
    r = numpy.random.default_rng(2)
    time, event, group = r.integers(0, 60, 20_000) + float(shift), r.random(20_000) < 0.5, r.integers(0, 3, 20_000)
    whole = jm.survival({"time": time, "event": event, "g": group}, by="g")
    spread = jm.survival({"time": numpy.append(time, 1e7 + 0.5), "event": numpy.append(event, True), "g": numpy.append(group, 9)}, by="g")
    columns = ["time", "events", "censored", "at_risk", "survival", "low", "high", "hazard_high"]
    for g in "012":
        a, b = ([[r[c] for c in columns] for r in s.to_pylist() if r["group"] == g] for s in (whole, spread))
        assert a == b
        assert {(r[0], r[1] + r[2]) for r in a} >= {(x, (time[group == int(g)] == x).sum()) for x in set(time)}


def test_the_hazard_and_its_interval_by_hand():
    t = subjects(3, groups=1)
    rows = jm.survival(t).to_pandas().query("events > 0")
    hazard, variance = (rows["events"] / rows["at_risk"]).cumsum(), (rows["events"] / rows["at_risk"] ** 2).cumsum()
    numpy.testing.assert_allclose(rows["hazard"], hazard)
    numpy.testing.assert_allclose(rows["hazard_high"], hazard * numpy.exp(1.959963984540054 * numpy.sqrt(variance) / hazard))


@pytest.mark.filterwarnings("ignore:The confidence interval is undefined")
def test_the_interval_is_the_log_log_one_of_scipy():
    t = subjects(5, groups=1)
    rows = jm.survival(t).to_pandas().query("events > 0 and survival > 0")
    sample = scipy.stats.CensoredData.right_censored(t["time"], t["event"] == 0)
    theirs = scipy.stats.ecdf(sample).sf.confidence_interval(method="log-log")
    numpy.testing.assert_allclose(rows["low"], theirs.low.evaluate(rows["time"]), atol=1e-10)
    numpy.testing.assert_allclose(rows["high"], theirs.high.evaluate(rows["time"]), atol=1e-10)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("ours, theirs", [("none", None), ("wilcoxon", "gb"), ("tarone-ware", "tw")])
def test_the_logrank_is_that_of_statsmodels(seed, ours, theirs):
    t = subjects(seed)
    found = statistics.logrank(t["time"], t["event"], t["group"], weighting=ours)
    chi2, p = survdiff(t["time"], t["event"], t["group"], weight_type=theirs)
    assert found.df == 2
    assert found.chi2 == pytest.approx(chi2, rel=1e-9) and found.p == pytest.approx(p, rel=1e-9)
    if ours == "none":
        assert sum(found.observed.values()) == pytest.approx(sum(found.expected.values()))


def test_nothing_can_be_said_of_one_group_or_of_no_events():
    assert statistics.logrank([1, 2], [1, 1], ["a", "a"]).df == 0
    assert statistics.logrank([1, 2], [0, 0], ["a", "b"]).p == 1
    never = jm.survival({"time": [1, 2], "event": [0, 0]})
    assert jm.survival({"time": [], "event": []}).summary().startswith("There are no subjects")
    assert never.groups.to_pylist()[0]["median"] is None and never.at([5]).to_pylist()[0]["survival"] == 1


def test_columns_that_do_not_fit_are_refused():
    with pytest.raises(jm.Error, match="survival.columns"):
        jm.survival({"time": [1.0, 2.0], "entry": [2.0, 0.0]}, entry="entry")
    with pytest.raises(jm.Error, match="lack `time`"):
        jm.survival({"time": [1.0, None]})
    with pytest.raises(jm.Error, match="no column `when`"):
        jm.survival({"time": [1.0]}, time="when")


days = some.lists(some.tuples(some.sampled_from(["lead", "purchase", "visit"]), some.integers(0, 40)), max_size=12)


@settings(max_examples=120, deadline=None)
@given(contacts=some.lists(days, min_size=1, max_size=6), lapse=some.one_of(some.none(), some.integers(1, 10)), until=some.integers(0, 45))
def test_times_from_a_history_are_those_of_a_walk(contacts, lapse, until):
    start = datetime.datetime(2026, 1, 1, tzinfo=UTC)
    rows = [{"contact_id": f"c{k}", "event": e, "timestamp": start + datetime.timedelta(days=d)} for k, events in enumerate(contacts) for e, d in events]
    rows.append({"contact_id": "z", "event": "lead", "timestamp": start + datetime.timedelta(days=99)})
    expected = []
    for k, events in enumerate(contacts):
        # By (day, arrival), which is the order of the history.
        mine = [(e, d) for e, d in sorted(events, key=lambda x: x[1]) if d <= until]
        leads = [d for e, d in mine if e == "lead"]
        if not leads:
            continue
        later = [d for e, d in mine if e == "purchase" and d >= leads[0]]
        if lapse is None:
            end = later[0] if later else None
        else:
            last = leads[0]
            for d in later:
                if d > last + lapse:
                    break
                last = d
            end = last + lapse if last + lapse <= until else None
        expected.append((f"c{k}", (until if end is None else end) - leads[0], end is not None))
    history = jm.History(events=rows)
    if not expected:
        return
    found = jm.survival(history, start="lead", event="purchase", lapse=None if lapse is None else f"{lapse}d", until=start + datetime.timedelta(days=until))
    assert [(r["contact_id"], r["time"], r["event"]) for r in found.subjects.to_pylist()] == expected


def test_groups_words_and_pictures():
    start = datetime.datetime(2026, 1, 1, tzinfo=UTC)
    r = numpy.random.default_rng(1)
    rows = []
    for k in range(200):
        channel, wait = ("ads", 20) if k % 2 else ("mail", 5)
        rows.append({"contact_id": k, "event": "lead", "timestamp": start, "channel": channel})
        rows.append({"contact_id": k, "event": "purchase", "timestamp": start + datetime.timedelta(days=float(r.exponential(wait)))})
    s = jm.survival(jm.History(events=rows), start="lead", event="purchase", by="channel", until=start + datetime.timedelta(days=30))
    assert s.group_names == ["ads", "mail"] and s.test.p < 1e-6
    assert "mail" in s.summary() and "groups differ" in s.summary()
    assert len(s.plot(happened=True).lines) == 2
    assert "<p" in s._repr_html_() and repr(s).startswith("Of 100 subjects")
    assert "median" in s.groups.columns
