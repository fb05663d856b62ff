"""Statistics beside the libraries of the field: the same data, answers checked equal, one thread each.

    python -m venv build/bench && build/bench/bin/pip install '.[bench]'     # of its own: lifelines asks for an older pandas
    build/bench/bin/python bench/fits.py [--small] [--only bgnbd survival …]

Times are those of the processor, the median of the rounds (least to most). A gate that is not met is said so; nothing is skipped in silence.
"""

import argparse
import os

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

import json  # noqa: E402
import pathlib  # noqa: E402
import statistics as middle  # noqa: E402
import time  # noqa: E402
import warnings  # noqa: E402

import journeyman as jm  # noqa: E402
import numpy as np  # noqa: E402
import scipy.optimize  # noqa: E402
import scipy.special as sp  # noqa: E402
from journeyman import statistics  # noqa: E402

warnings.filterwarnings("ignore")
SHARED = pathlib.Path(os.environ.get("JOURNEYMAN_SHARED", pathlib.Path(__file__).resolve().parents[2] / "shared"))


def measured(rounds, **programs):
    """name → (last answer, times in ms); they take turns."""
    times, answers = {n: [] for n in programs}, {}
    for r in range(rounds + 1):   # the first round warms up
        for name, f in programs.items():
            begin = time.process_time()
            answers[name] = f()
            if r:
                times[name].append(1000 * (time.process_time() - begin))
    return {n: (answers[n], t) for n, t in times.items()}


def shown(t):
    return f"{middle.median(t):,.1f} ({min(t):,.1f} to {max(t):,.1f})"


def row(what, ours, peer, peer_name, gate):
    ratio = middle.median(peer) / middle.median(ours)
    print(f"| {what} | {shown(ours)} | {peer_name} {shown(peer)} | {ratio:,.1f} | {gate:g}: {'met' if ratio >= gate else '**not met**'} |", flush=True)


def limit(what, ours, most):
    print(f"| {what} | {shown(ours)} | | | under {most:,.0f} ms: {'met' if middle.median(ours) < most else '**not met**'} |", flush=True)


# ---- BG/NBD
def customers(n, seed=1):
    """Customers of a BG/NBD with CDNOW's parameters, purchases by whole days as there."""
    r = np.random.default_rng(seed)
    rate, drop, T = r.gamma(0.243, 1 / 4.414, n), r.beta(0.793, 2.426, n), r.integers(189, 273, n) / 7
    x, t, last, on = np.zeros(n), np.zeros(n), np.zeros(n), np.ones(n, bool)
    while on.any():
        k = np.flatnonzero(on)
        t[k] += r.exponential(1, len(k)) / np.maximum(rate[k], 1e-300)
        on[k] = t[k] <= T[k]
        k = k[on[k]]
        x[k] += 1
        last[k] = np.maximum(np.ceil(t[k] * 7), last[k] * 7 + 1) / 7   # a day later at least
        on[k] = (r.random(len(k)) >= drop[k]) & (last[k] < T[k])
    return x, np.minimum(last, T), T


def cdnow():
    d = json.loads((SHARED / "conformance" / "statistics_data.json").read_text())["data"]["cdnow"]["rows"]
    x, t, T, n = (np.array(c, float) for c in zip(*d, strict=True))
    return tuple(np.repeat(c, n.astype(int)) for c in (x, t, T))


def by_scipy(x, t_x, T):
    """By hand: vectorised, in logarithms of the parameters, with scipy's quasi-Newton."""
    several = x > 0
    before = np.maximum(x, 1)

    def loss(ln):
        r, alpha, a, b = np.exp(ln)
        d1 = sp.gammaln(r + x) - sp.gammaln(r) + r * np.log(alpha) + sp.gammaln(a + b) + sp.gammaln(b + x) - sp.gammaln(b) - sp.gammaln(a + b + x)
        d3 = -(r + x) * np.log(alpha + T)
        d4 = np.where(several, np.log(a) - np.log(b + before - 1) - (r + x) * np.log(alpha + t_x), -np.inf)
        return -(d1 + np.logaddexp(d3, d4)).mean()

    return np.exp(scipy.optimize.minimize(loss, np.zeros(4), method="L-BFGS-B", options={"ftol": 1e-13, "gtol": 1e-8}).x)


def by_lifetimes(x, t_x, T):
    from lifetimes import BetaGeoFitter

    f = BetaGeoFitter(penalizer_coef=0.0)
    f.fit(x, t_x, T)
    return np.array([f.params_[k] for k in ("r", "alpha", "a", "b")])


def bgnbd(small):
    for what, data, rounds in (("BG/NBD, CDNOW's 2,357", cdnow(), 15), (f"BG/NBD, {100_000 if small else 1_000_000:,} customers", customers(100_000 if small else 1_000_000), 3)):
        found = measured(rounds, ours=lambda d=data: statistics.fit_purchases("bg_nbd", *d), scipy=lambda d=data: by_scipy(*d), lifetimes=lambda d=data: by_lifetimes(*d))
        fitted, ours = found["ours"]
        for name in ("scipy", "lifetimes"):
            np.testing.assert_allclose(found[name][0], fitted.estimates, rtol=5e-3)
        row(what, ours, found["lifetimes"][1], "lifetimes", 10)
        row(what, ours, found["scipy"][1], "scipy by hand", 3)


# ---- Markov
def walks(n, channels=12, seed=2):
    r = np.random.default_rng(seed)
    lengths = 1 + r.poisson(3, n)
    touches = r.choice(channels, lengths.sum(), p=np.arange(channels, 0, -1) / (channels * (channels + 1) / 2)).astype(np.uint32)
    return touches, np.concatenate([[0], lengths.cumsum()]).astype(np.uint32), (r.random(n) < 0.2).astype(float)


def by_numpy(touches, begins, won, channels=12):
    """Transitions counted at once, each removal solved densely."""
    n = channels + 3   # start, channels, conversion, loss
    starts, ends = begins[:-1], begins[1:] - 1
    inside = np.ones(len(touches), bool)
    inside[starts] = False
    k = np.flatnonzero(inside)
    counts = np.zeros((n, n))
    np.add.at(counts, (touches[k - 1] + 1, touches[k] + 1), 1)
    np.add.at(counts, (np.zeros(len(starts), int), touches[starts] + 1), 1)
    np.add.at(counts, (touches[ends] + 1, np.where(won > 0, channels + 1, channels + 2)), 1)
    p = counts[: channels + 1] / counts[: channels + 1].sum(axis=1, keepdims=True)

    def converts(without=None):
        q = p[:, : channels + 1].copy()
        if without is not None:
            q[:, without + 1] = 0
        return np.linalg.solve(np.eye(channels + 1) - q, p[:, channels + 1])[0]

    return np.array([1 - converts(c) / converts() for c in range(channels)])


def by_dictionaries(paths, won, channels=12):
    """As the packages in Python do it: a loop over paths, transitions in a dictionary."""
    counts = {}
    for path, w in zip(paths, won, strict=True):
        at = "start"
        for c in path:
            counts[at, c] = counts.get((at, c), 0) + 1
            at = c
        key = at, "won" if w else "lost"
        counts[key] = counts.get(key, 0) + 1
    out = {}
    for (a, _), w in counts.items():
        out[a] = out.get(a, 0) + w
    names = ["start", *range(channels)]

    def converts(without=None):
        m, b = np.eye(len(names)), np.zeros(len(names))
        for i, a in enumerate(names):
            for j, c in enumerate(names):
                if c != without:
                    m[i, j] -= counts.get((a, c), 0) / out[a]
            b[i] = counts.get((a, "won"), 0) / out[a]
        return np.linalg.solve(m, b)[0]

    return np.array([1 - converts(c) / converts() for c in range(channels)])


def by_channel_attribution(table):
    """Which simulates walks, so that its answer is only near."""
    import ChannelAttribution

    return ChannelAttribution.markov_model(table, "path", "converted", var_null="lost", order=1, out_more=True, verbose=False, flg_pro=False)["removal_effects"]


def markov(small):
    n = 100_000 if small else 1_000_000
    touches, begins, won = walks(n)
    paths = [touches[a:b].tolist() for a, b in zip(begins[:-1], begins[1:], strict=True)]
    names = [f"{c:02d}" for c in range(12)]
    core = jm._core._TouchPaths.of(names, memoryview(touches), memoryview(begins), memoryview(won), memoryview(1 - won), None, None)
    found = measured(3, ours=lambda: core.markov(1).removal, numpy=lambda: by_numpy(touches, begins, won), loop=lambda: by_dictionaries(paths, won))
    for name in ("numpy", "loop"):
        np.testing.assert_allclose(found[name][0], found["ours"][0], atol=1e-9)
    row(f"Markov, order 1, 12 channels, {n:,} paths", found["ours"][1], found["loop"][1], "Python, a dictionary of moves", 10)
    row(f"Markov, order 1, 12 channels, {n:,} paths", found["ours"][1], found["numpy"][1], "numpy, all moves at once", 10)
    import pandas as pd

    table = pd.DataFrame({"path": [" > ".join(names[c] for c in p) for p in paths], "converted": won, "lost": 1 - won})
    found = measured(2, ours=lambda: jm.attribution(table).markov(1).removal, package=lambda: by_channel_attribution(table))
    theirs = dict(zip(found["package"][0].iloc[:, 0], found["package"][0].iloc[:, 1], strict=True))
    apart = max(abs(theirs[c] - x) for c, x in found["ours"][0].items())
    print(f"| ChannelAttribution's removal effects, by simulated walks, are at most {apart:.3f} from the exact ones | | | | |", flush=True)
    assert apart < 0.1
    row(f"the same from a DataFrame of texts, {n:,} paths", found["ours"][1], found["package"][1], "ChannelAttribution", 10)


def shapley(small):
    r = np.random.default_rng(3)
    worth = np.concatenate([[0], r.random(2**15 - 1)]).tolist()
    limit("Shapley, 15 channels, any worth", measured(3, ours=lambda: jm._core._shapley(worth, 15))["ours"][1], 1000)
    touches, begins, won = walks(100_000 if small else 1_000_000, 15)
    core = jm._core._TouchPaths.of([f"{c:02d}" for c in range(15)], memoryview(touches), memoryview(begins), memoryview(won), memoryview(1 - won), None, None)
    limit(f"Shapley, 15 channels, {len(won):,} paths", measured(3, ours=lambda: core.shapley(False, 15, 10, 0).credit)["ours"][1], 1000)


# ---- survival
def survival(small):
    from lifelines import KaplanMeierFitter
    from lifelines.statistics import logrank_test

    n = 100_000 if small else 1_000_000
    r = np.random.default_rng(4)
    for kind, days in (("whole days", True), ("instants", False)):
        t = r.exponential(60, n) + 0.1
        t = np.ceil(t) if days else t
        event, group = r.random(n) < 0.6, r.random(n) < 0.5
        columns = (t, event, group)
        a, b = group, ~group
        found = measured(
            3, ours=lambda c=columns: jm.survival({"time": c[0], "event": c[1]}), lifelines=lambda c=columns: KaplanMeierFitter().fit(c[0], c[1]),
            test=lambda c=columns: statistics.logrank(*c), lifelines_test=lambda c=columns, a=a, b=b: logrank_test(c[0][a], c[0][b], c[1][a], c[1][b]),
        )  # fmt: skip
        theirs = found["lifelines"][0].survival_function_at_times([10, 60, 200]).to_numpy()
        np.testing.assert_allclose([x["survival"] for x in found["ours"][0].at([10, 60, 200]).to_pylist()], theirs, rtol=1e-9)
        assert abs(found["test"][0].chi2 - found["lifelines_test"][0].test_statistic) < 1e-6
        row(f"Kaplan-Meier, {n:,} contacts, {kind}", found["ours"][1], found["lifelines"][1], "lifelines", 10)
        row(f"log-rank, {n:,} contacts, {kind}", found["test"][1], found["lifelines_test"][1], "lifelines", 10)


# ---- bootstrap
def bootstrap(small):
    n, replicates = (100_000, 1_000) if small else (1_000_000, 10_000)
    r = np.random.default_rng(5)
    for kind, y in (("yes or no", (r.random(n) < 0.1).astype(float)), ("spend, all different", r.lognormal(2, 1, n) * (r.random(n) < 0.3))):
        e = jm.experiment({"arm": np.arange(n) % 2, "y": y}, arm="arm", metrics=["y"])
        found = measured(2, ours=lambda e=e: e.bootstrap("y", replicates=replicates).to_pylist()[0])
        plain, drawn = e.to_pylist()[0], found["ours"][0]
        half = (plain["high"] - plain["low"]) / 2
        assert abs(drawn["low"] - plain["low"]) < 0.08 * half and abs(drawn["high"] - plain["high"]) < 0.08 * half
        limit(f"bootstrap, {replicates:,} replicates of {n:,} contacts, {kind}", found["ours"][1], 5000)


PARTS = {"bgnbd": bgnbd, "markov": markov, "shapley": shapley, "survival": survival, "bootstrap": bootstrap}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="a tenth of the data")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    chosen = parser.parse_args()
    print("| question | Journeyman | peer | ratio | gate |\n| --- | --- | --- | --- | --- |")
    for part in chosen.only:
        PARTS[part](chosen.small)
