"""Numbers against scipy and statsmodels on random inputs, and the shared cases to all the digits they were recomputed with."""

import json
import math
import os

import journeyman as jm
import numpy
import pytest
import scipy.optimize
import scipy.special
import scipy.stats
from conformance import statistics_cases
from journeyman import statistics
from journeyman.statistics import Arm
from statsmodels.stats import multitest, proportion, weightstats

FILE = statistics_cases.SHARED / "conformance" / "statistics_shared.json"
FITS = ("bgnbd_fit", "mbgnbd_fit", "pareto_fit", "bgbb_fit", "sbg_fit", "gamma_gamma_fit")


@pytest.mark.skipif(not FILE.exists() and not os.environ.get("JOURNEYMAN_REQUIRE_SHARED"), reason=f"{FILE} is missing")
def test_the_shared_cases_to_all_their_digits():
    wrong = []
    for case in json.loads(FILE.read_text())["cases"]:
        if case["method"] == "group_sequential" and len(case["input"]["t"]) > 100:
            tolerance = {"abs": 1e-6}
        else:
            tolerance = {"rel": 1e-4 if case["method"] in FITS else 1e-6, "abs": 1e-9}
        got = statistics_cases.METHODS[case["method"]](case["input"])
        for key, value in case["value"].items():
            if why := statistics_cases.differs(key, got[key], value, tolerance):
                wrong.append(f"{case['id']}: {why}")
    assert wrong == []


def two_arms(seed):
    r = numpy.random.default_rng(seed)
    x, y = r.gamma(2, 3, r.integers(5, 200)), r.gamma(2, 3.3, r.integers(5, 200))
    return x, y, Arm.of(x), Arm.of(y)


@pytest.mark.parametrize("seed", range(10))
def test_differences_are_welchs(seed):
    x, y, a, b = two_arms(seed)
    ours = statistics.compare(a, b)
    theirs = scipy.stats.ttest_ind(y, x, equal_var=False)
    low, high = theirs.confidence_interval(0.95)
    assert (ours.p, ours.low, ours.high, ours.degrees) == pytest.approx((theirs.pvalue, low, high, theirs.df), rel=1e-9)
    one = statistics.compare(a, b, side="greater", level=0.9)
    theirs = scipy.stats.ttest_ind(y, x, equal_var=False, alternative="greater")
    assert one.p == pytest.approx(theirs.pvalue, rel=1e-9) and one.low == pytest.approx(theirs.confidence_interval(0.9).low) and math.isinf(one.high)
    z = statistics.compare(a, b, reference="normal")
    assert z.p == pytest.approx(weightstats.CompareMeans(weightstats.DescrStatsW(y), weightstats.DescrStatsW(x)).ztest_ind(usevar="unequal")[1], rel=1e-9)


def test_relative_and_ratio_errors_are_those_of_many_repetitions():
    r = numpy.random.default_rng(7)
    lifts, ratios, errors, ratio_errors = [], [], [], []
    for _ in range(2000):
        den = r.poisson(3, (2, 400)) + 1
        num = r.poisson(den * 0.5)
        a, b = (Arm.of(num[k], den=den[k]) for k in range(2))
        relative, ratio = statistics.compare(a, b, relative=True), statistics.compare(a, b, statistic="ratio")
        lifts.append(relative.estimate), errors.append(relative.standard_error)
        ratios.append(ratio.estimate), ratio_errors.append(ratio.standard_error)
    assert numpy.mean(errors) == pytest.approx(numpy.std(lifts), rel=0.05)
    assert numpy.mean(ratio_errors) == pytest.approx(numpy.std(ratios), rel=0.05)


def test_adjusting_by_before_takes_the_known_part_away():
    r = numpy.random.default_rng(3)
    before = r.normal(10, 3, (2, 2000))
    after = before + r.normal(0, 1, (2, 2000))
    a, b = (Arm.of(after[k], pre=before[k]) for k in range(2))
    theta = statistics.cuped_theta(a, b)
    both = numpy.cov(after.ravel(), before.ravel())
    assert theta == pytest.approx(both[0, 1] / both[1, 1], rel=1e-9)
    adjusted = [after[k] - theta * before[k] for k in range(2)]
    ours = statistics.compare(a, b, statistic="cuped")
    assert ours.estimate == pytest.approx(adjusted[1].mean() - adjusted[0].mean(), rel=1e-9)
    assert ours.standard_error == pytest.approx(math.sqrt(sum(x.var(ddof=1) / 2000 for x in adjusted)), rel=1e-9)
    assert ours.standard_error < 0.4 * statistics.compare(a, b).standard_error


def test_arms_merge_as_their_units_do():
    x, y, a, b = two_arms(1)
    both = Arm.of(numpy.concatenate([x, y]))
    merged = a + b
    assert (merged.n, merged.sum, merged.sumsq) == pytest.approx((both.n, both.sum, both.sumsq)) and a.n == len(x)


def test_nothing_is_said_where_nothing_varies():
    assert statistics.compare(Arm.of([1.0, 1.0]), Arm.of([1.0, 1.0])) is None
    assert statistics.compare(Arm.of([1.0]), Arm.of([1.0, 2.0])) is None
    assert statistics.compare(Arm.of([0.0, 0.0]), Arm.of([1.0, 2.0]), relative=True) is None


def test_corrections_are_those_of_statsmodels():
    p = numpy.random.default_rng(2).random(30) ** 3
    for ours, theirs in (("holm", "holm"), ("benjamini-hochberg", "fdr_bh"), ("bonferroni", "bonferroni")):
        assert statistics.adjust_p(p, ours) == pytest.approx(multitest.multipletests(p, method=theirs)[1].tolist())


@pytest.mark.parametrize("x, n", [(0, 10), (3, 17), (10, 10), (500, 1000)])
def test_intervals_of_proportions_and_rates(x, n):
    assert statistics.wilson(x, n) == pytest.approx(proportion.proportion_confint(x, n, method="wilson"), abs=1e-12)
    assert statistics.newcombe(x, n, 4, 15) == pytest.approx(proportion.confint_proportions_2indep(x, n, 4, 15, method="newcomb"), abs=1e-9)
    low, high = (0 if x == 0 else scipy.stats.chi2.ppf(0.025, 2 * x) / 2, scipy.stats.chi2.ppf(0.975, 2 * x + 2) / 2)
    found = statistics.poisson_exact(x, 2.0)
    assert (found["low"], found["high"]) == pytest.approx((low / 2, high / 2))
    with pytest.raises(jm.Error, match="statistics.counts"):
        statistics.wilson(n + 1, n)


def test_the_size_of_a_test_gives_its_power():
    for plan in ({"variance": 4.0}, {"variance": 4.0, "mean": 10.0}, {"variance": 4.0, "mean": 10.0, "tuning": 5000.0}, {"variance": 4.0, "arms": 3}):
        n = statistics.sample_size(0.05, power=0.8, **plan)
        assert statistics.power(0.05, n=n - 1, **plan) < 0.8 + 1e-6 < statistics.power(0.05, n=n + 1, **plan) + 2e-6
        assert statistics.detectable(n, power=0.8, **plan) == pytest.approx(0.05, rel=3e-3)


def test_the_duration_of_a_test_is_its_size_by_what_comes_in_a_day():
    plan = {"variance": 0.09, "mean": 0.1, "arms": 3}
    n = statistics.sample_size(0.1, **plan)
    assert statistics.duration(0.1, units_a_day=1000, **plan) == math.ceil(n / 1000)
    with pytest.raises(jm.Error, match="above 0"):
        statistics.duration(0.1, units_a_day=0, **plan)


def test_bounds_spend_what_they_should_by_a_simulation():
    r = numpy.random.default_rng(5)
    t = numpy.array([0.2, 0.5, 0.7, 1.0])
    steps = r.normal(size=(400_000, 4)) * numpy.sqrt(numpy.diff(t, prepend=0))
    z = numpy.abs(steps.cumsum(axis=1) / numpy.sqrt(t))
    for spending, spent in (("pocock", lambda f: 0.05 * math.log(1 + (math.e - 1) * f)), ({"power": 1.5}, lambda f: 0.05 * f**1.5)):
        bounds = statistics.sequential_bounds(t, 0.05, spending)
        crossed = (z > bounds).cumsum(axis=1) > 0
        for k, f in enumerate(t):
            assert crossed[:, k].mean() == pytest.approx(spent(f), abs=4 * math.sqrt(0.05 / 400_000) + 1e-4)
    assert statistics.sequential_bounds([1.0], 0.05)[0] == pytest.approx(1.959963984540054)


def test_an_always_valid_interval_holds_at_every_look():
    r = numpy.random.default_rng(11)
    wrong = 0
    for _ in range(300):
        x, y = r.normal(size=(2, 2000))
        looks = (statistics.always_valid(Arm.of(x[:n]), Arm.of(y[:n]), tuning=1000) for n in range(50, 2001, 50))
        wrong += any(c.low > 0 or c.high < 0 for c in looks)
    assert wrong <= 25   # 5 % of 300, and three standard errors


@pytest.mark.parametrize("kind", ["binary", "skewed", "ratio"])
def test_the_bootstrap_agrees_with_the_delta_method(kind):
    r = numpy.random.default_rng(4)
    n = 20_000
    arm = numpy.arange(2 * n) % 2
    den = r.poisson(4, 2 * n) + 1.0
    y = {"binary": (r.random(2 * n) < 0.1).astype(float), "skewed": r.lognormal(0, 1, 2 * n), "ratio": r.poisson(den * 0.4).astype(float)}[kind]
    e = jm.experiment({"arm": arm, "y": y, "den": den}, arm="arm", metrics={"y": ("y", "den") if kind == "ratio" else "y"})
    [found], [row] = e.bootstrap("y", replicates=4000).to_pylist(), e.to_pylist()
    assert found["difference"] == pytest.approx(row["difference"], rel=1e-9)
    for end in ("low", "high"):
        assert found[end] == pytest.approx(row[end], abs=0.12 * (row["high"] - row["low"]) / 2)
    assert e.bootstrap("y", replicates=500, seed=9).to_pylist() == e.bootstrap("y", replicates=500, seed=9).to_pylist()
    [relative] = e.bootstrap("y", relative=True, replicates=4000).to_pylist()
    assert relative["high"] - relative["low"] == pytest.approx(row["lift_high"] - row["lift_low"], rel=0.1)


# ---- buy till you die, against likelihoods written down anew
def bg_nbd_ln(p, x, t_x, T, zero=0):
    r, alpha, a, b = p
    g = scipy.special.gammaln
    k = x + zero
    both = scipy.special.betaln
    alive = both(a, b + k) - both(a, b) - (r + x) * numpy.log(alpha + T)
    left = numpy.where(k > 0, both(a + 1, b + numpy.maximum(k, 1) - 1) - both(a, b) - (r + x) * numpy.log(alpha + t_x), -numpy.inf)
    return g(r + x) - g(r) + r * numpy.log(alpha) + numpy.logaddexp(alive, left)


def pareto_ln(p, x, t_x, T):
    r, alpha, s, beta = p
    out = []
    for xi, ti, Ti in zip(x, t_x, T, strict=True):
        left = scipy.integrate.quad(lambda y: s * beta**s / (beta + y) ** (s + 1) * (alpha / (alpha + y)) ** r * (alpha + y) ** -xi, ti, Ti, epsabs=0, epsrel=1e-11)[0]  # noqa: B023
        alive = (beta / (beta + Ti)) ** s * (alpha / (alpha + Ti)) ** r * (alpha + Ti) ** -xi
        out.append(scipy.special.gammaln(r + xi) - scipy.special.gammaln(r) + math.log(left + alive))
    return numpy.array(out)


def bg_bb_ln(p, x, t_x, n):
    alpha, beta, gamma, delta = p
    both = scipy.special.betaln
    out = []
    for xi, ti, ni in zip(x, t_x, n, strict=True):
        terms = [both(alpha + xi, beta + ni - xi) - both(alpha, beta) + both(gamma, delta + ni) - both(gamma, delta)]
        terms += [both(alpha + xi, beta + k - xi) - both(alpha, beta) + both(gamma + 1, delta + k) - both(gamma, delta) for k in range(int(ti), int(ni))]
        out.append(scipy.special.logsumexp(terms))
    return numpy.array(out)


LIKELIHOODS = {"bg_nbd": bg_nbd_ln, "mbg_nbd": lambda p, x, t, T: bg_nbd_ln(p, x, t, T, zero=1), "pareto_nbd": pareto_ln, "bg_bb": bg_bb_ln}
TRUE = {"bg_nbd": (0.5, 6, 0.8, 2.5), "mbg_nbd": (0.6, 5, 0.8, 2.5), "pareto_nbd": (0.6, 8, 0.7, 10), "bg_bb": (1.2, 0.8, 0.7, 2.8)}


def simulated(model, seed, n):
    """Customers by the story of the model, drawn step by step."""
    r = numpy.random.default_rng(seed)
    p = TRUE[model]
    out = []
    for _ in range(n):
        if model == "bg_bb":
            rate, drop, T = r.beta(p[0], p[1]), r.beta(p[2], p[3]), int(r.integers(4, 12))
            alive, x, last = True, 0, 0
            for k in range(1, T + 1):
                alive = alive and r.random() >= drop
                if alive and r.random() < rate:
                    x, last = x + 1, k
            out.append((x, last, T))
            continue
        rate, T = r.gamma(p[0], 1 / p[1]), r.uniform(20, 40)
        if model == "pareto_nbd":
            end = r.exponential(1 / r.gamma(p[2], 1 / p[3]))
        else:
            drop, end = r.beta(p[2], p[3]), math.inf
        t = x = last = 0
        if model == "mbg_nbd" and r.random() < drop:
            end = 0
        while True:
            t += r.exponential(1 / rate)
            if t > min(T, end):
                break
            x, last = x + 1, t
            if model != "pareto_nbd" and r.random() < drop:
                break
        out.append((x, last, T))
    return [numpy.array(c, float) for c in zip(*out, strict=True)]


def hessian(f, p):
    """By central differences."""
    p = numpy.array(p)
    h = 1e-3 * p
    n, out = len(p), numpy.zeros((len(p), len(p)))
    for i in range(n):
        for j in range(n):
            moved = [p + si * h * numpy.eye(n)[i] + sj * h * numpy.eye(n)[j] for si, sj in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
            out[i, j] = (f(moved[0]) - f(moved[1]) - f(moved[2]) + f(moved[3])) / (4 * h[i] * h[j])
    return out


@pytest.mark.parametrize("model", TRUE)
def test_fits_are_maxima_with_the_errors_of_a_numeric_hessian(model):
    x, t_x, T = simulated(model, 1, 300 if model == "pareto_nbd" else 1500)
    fitted = statistics.fit_purchases(model, x, t_x, T)
    assert fitted.converged
    total = lambda p: LIKELIHOODS[model](p, x, t_x, T).sum()  # noqa: E731
    best = numpy.array(fitted.estimates)
    assert fitted.log_likelihood == pytest.approx(total(best), rel=1e-9)
    for k in range(4):   # nowhere uphill
        for step in (0.99, 1.01):
            moved = best.copy()
            moved[k] *= step
            assert total(moved) < fitted.log_likelihood + 1e-6
    covariance = numpy.linalg.inv(-hessian(total, best))
    assert fitted.standard_errors == pytest.approx(numpy.sqrt(numpy.diag(covariance)).tolist(), rel=0.01)


@pytest.mark.parametrize("model", TRUE)
def test_what_a_model_says_is_what_its_story_does(model):
    n = 60_000
    x, t_x, T = simulated(model, 2, n)
    m = statistics.Purchases(model, **dict(zip(jm._core._parameter_names(model), TRUE[model], strict=True)))
    at = 6 if model == "bg_bb" else T.mean()
    if model == "bg_bb":
        x, t_x, T = (c[T == 6] for c in (x, t_x, T))
        n = len(x)
        shares = [m.probability(k, at) for k in range(7)]
        assert sum(shares) == pytest.approx(1)
        assert m.mean(at) == pytest.approx(sum(k * p for k, p in enumerate(shares)))
        expected = [n * p for p in shares]
    else:
        grid = numpy.linspace(20, 40, 21)
        expected = [n * numpy.mean([m.probability(k, t) for t in grid]) for k in range(6)]
    for k, e in enumerate(expected):
        assert (x == k).sum() == pytest.approx(e, abs=5 * math.sqrt(e) + 1)
    total = sum(numpy.mean([m.mean(t) for t in T[:400]]) for _ in range(1))
    assert total == pytest.approx(x.mean(), rel=0.15)


@pytest.mark.parametrize("model", ["bg_nbd", "mbg_nbd", "pareto_nbd"])
def test_expected_purchases_are_the_mean_over_the_numbers(model):
    names = jm._core._parameter_names(model)
    for p in ((0.5, 6, 0.8, 2.5), (0.5, 6, 1.0, 2.5), (2.0, 3, 3.0, 1.2)):
        m = statistics.Purchases(model, **dict(zip(names, p, strict=True)))
        shares = [m.probability(k, 10) for k in range(400)]
        assert sum(shares) == pytest.approx(1, abs=1e-6)
        assert m.mean(10) == pytest.approx(sum(k * s for k, s in enumerate(shares)), rel=1e-5)
        # Long after, in a very long time: two ways to compute.
        r, alpha, a, b = p
        if model == "bg_nbd" and a != 1:
            z = 1000 / (alpha + 1000)
            closed = (a + b - 1) / (a - 1) * (1 - (alpha / (alpha + 1000)) ** r * scipy.special.hyp2f1(r, b, a + b - 1, z))
            assert m.mean(1000) == pytest.approx(closed, rel=1e-8)
        # Somebody's future is the mean over that of the living.
        assert m.expected(2, 5, 9, 1e-9) == pytest.approx(0, abs=1e-8)
        assert 0 < m.alive(2, 5, 9) < 1 and m.alive(2, 9, 9) > m.alive(2, 5, 9)


def test_spend_is_fitted_as_a_numeric_search_would():
    r = numpy.random.default_rng(6)
    x = r.integers(1, 9, 800).astype(float)
    p, q, v = 6.0, 4.0, 15.0
    z = numpy.array([r.gamma(p * n, 1 / (n * r.gamma(q, 1 / v))) for n in x])
    fitted = statistics.fit_gamma_gamma(x, z)

    def loss(ln):
        p, q, v = numpy.exp(ln)
        g = scipy.special.gammaln
        return -(g(p * x + q) - g(p * x) - g(q) + q * numpy.log(v) + (p * x - 1) * numpy.log(z) + p * x * numpy.log(x) - (p * x + q) * numpy.log(v + x * z)).sum()

    best = scipy.optimize.minimize(loss, numpy.log(fitted.estimates), method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-8})
    assert fitted.log_likelihood == pytest.approx(-best.fun, rel=1e-8)
    covariance = numpy.linalg.inv(-hessian(lambda e: -loss(numpy.log(e)), fitted.estimates))
    assert fitted.standard_errors == pytest.approx(numpy.sqrt(numpy.diag(covariance)).tolist(), rel=0.01)


def test_contracts_are_fitted_with_the_errors_of_a_numeric_hessian():
    left = [1000, 869, 743, 653, 593, 551, 517, 491]   # the paper's regular customers
    fitted = statistics.fit_sbg(left)

    def total(p):
        a, b = p
        lost = sum((left[t - 1] - left[t]) * (scipy.special.betaln(a + 1, b + t - 1) - scipy.special.betaln(a, b)) for t in range(1, 8))
        return lost + left[7] * (scipy.special.betaln(a, b + 7) - scipy.special.betaln(a, b))

    best = scipy.optimize.minimize(lambda ln: -total(numpy.exp(ln)), [0, 0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-9})
    assert fitted.log_likelihood == pytest.approx(-best.fun, rel=1e-9) and fitted.estimates == pytest.approx(numpy.exp(best.x).tolist(), rel=1e-4)
    covariance = numpy.linalg.inv(-hessian(total, numpy.array(fitted.estimates)))
    assert fitted.standard_errors == pytest.approx(numpy.sqrt(numpy.diag(covariance)).tolist(), rel=0.01)


@pytest.mark.parametrize("a, b", [(0.001, 10), (0.03, 0.2), (5, 5), (300, 700), (1000, 0.5), (0.5, 1000), (1e5, 2e5), (3e10, 2e10)])
@pytest.mark.parametrize("r, alpha", [(0.24, 4.4), (85, 1e4)])
def test_expected_purchases_hold_far_from_usual_parameters(a, b, r, alpha):
    m = statistics.Purchases("bg_nbd", r=r, alpha=alpha, a=a, b=b)
    p = scipy.stats.beta(a, b).ppf((numpy.arange(200_000) + 0.5) / 200_000)
    for t in (1, 50, 2000, 1e6):
        u = p * t / alpha
        expected = numpy.mean(numpy.where(u < 1e-9, r * t / alpha, -numpy.expm1(-r * numpy.log1p(u)) / numpy.maximum(p, 1e-300)))
        assert m.mean(t) == pytest.approx(expected, rel=3e-3)


def test_a_ridge_is_no_maximum():
    r = numpy.random.default_rng(8)
    x = r.poisson(0.3, 3000).astype(float)   # one rate for all: r and alpha run away together
    t_x = numpy.where(x > 0, r.uniform(0.1, 9, 3000), 0)
    fitted = statistics.fit_purchases("bg_nbd", x, t_x, numpy.full(3000, 10.0))
    assert not fitted.converged and "no maximum" in repr(fitted)


def test_what_cannot_be_fitted_says_so():
    with pytest.raises(jm.Error, match="nobody bought a second time"):
        statistics.fit_purchases("bg_nbd", [0, 0], [0, 0], [5, 6])
    with pytest.raises(jm.Error, match="no such customer"):
        statistics.fit_purchases("bg_nbd", [1], [7], [5])
    poor = statistics.fit_purchases("pareto_nbd", [1, 1, 0], [4.0, 5.0, 0], [5, 6, 7])
    assert not poor.converged and all(math.isnan(e) for e in poor.standard_errors)
    with pytest.raises(jm.Error, match="above 0"):
        statistics.Purchases("bg_nbd", r=1, alpha=-1, a=1, b=1)
