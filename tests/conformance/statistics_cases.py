"""Cases of ../shared/conformance/statistics_shared.json through journeyman.statistics, journeyman.survival and journeyman.attribution.

What a case may say stands in that file under `about`; what none of the shared ones says yet is read in the same spirit.
"""

import collections
import csv
import json
import math
import os
import pathlib

import journeyman as jm
from journeyman import statistics as st

SHARED = pathlib.Path(os.environ.get("JOURNEYMAN_SHARED", pathlib.Path(__file__).resolve().parents[2].parent / "shared"))
PARAMETERS = {
    "bg_nbd": ("r", "alpha", "a", "b"), "mbg_nbd": ("r", "alpha", "a", "b"), "pareto_nbd": ("r", "alpha", "s", "beta"),
    "bg_bb": ("alpha", "beta", "gamma", "delta"),
}  # fmt: skip
MODELS = {"bgnbd": "bg_nbd", "mbgnbd": "mbg_nbd", "pareto": "pareto_nbd", "bgbb": "bg_bb"}


def data_set(name):
    file = SHARED / "conformance" / "statistics_data.json"
    found = json.loads(file.read_text(encoding="utf-8"))["data"][name]
    return {c: [row[k] for row in found["rows"]] for k, c in enumerate(found["columns"])}


def many(i, *names):
    """The values under one of these names, as a list, and whether there was one alone."""
    for n in names:
        if n in i:
            return (i[n], False) if isinstance(i[n], list) else ([i[n]], True)
    raise KeyError(names[0])


def as_given(values, alone):
    return values[0] if alone else values


# ---- lifetime value
def customers(i):
    d = data_set(i["data"]) if "data" in i else i
    x, t_x = d["x"], d.get("t_x")
    T = d.get("T") or d.get("n_periods")
    weight = d.get("n") or d.get("customers") or [1] * len(x)
    return x, t_x, T, weight


def fit(i, model):
    x, t_x, T, weight = customers(i)
    f = st.fit_purchases(model, x, t_x, T, weight)
    return dict(zip(f.names, f.estimates, strict=True)) | {"log_likelihood": f.log_likelihood}


def gamma_gamma_fit(i):
    d = data_set(i["data"]) if "data" in i else i
    f = st.fit_gamma_gamma(d["x"], d.get("z") or d["money"], d.get("n") or d.get("customers"))
    return dict(zip(f.names, f.estimates, strict=True)) | {"log_likelihood": f.log_likelihood}


def gamma_gamma_mean(i):
    rows = i["x_z"] if "x_z" in i else [[i["x"], i["z"]]]
    means = [st.gamma_gamma_mean(*(i["params"][k] for k in "pqv"), x, z) for x, z in rows]
    return {"mean": as_given(means, "x_z" not in i)}


def model_of(i, model):
    model = i.get("model", model)
    return st.Purchases(model, **{k: i["params"][k] for k in PARAMETERS[model]})


def each_customer(i):
    if "x" not in i:
        x, t_x, T, _ = customers(i)
        return list(zip(x, t_x, T, strict=True)), False
    x, alone = many(i, "x")
    t_x, T = many(i, "t_x")[0], many(i, "T", "n", "n_periods")[0]
    most = max(len(x), len(t_x), len(T))
    pick = lambda c, k: c[k] if len(c) > 1 else c[0]  # noqa: E731
    return [(pick(x, k), pick(t_x, k), pick(T, k)) for k in range(most)], alone and most == 1


def purchases(i, model, what):
    m = model_of(i, model)
    if what == "mean":
        t, alone = many(i, "t", "n", "ahead")
        return {"mean": as_given([m.mean(v) for v in t], alone)}
    if what == "pmf":
        n, alone = many(i, "n", "x")
        return {"p": as_given([m.probability(v, i["t"]) for v in n], alone)}
    if what in ("total", "in_sample"):
        x, t_x, T, weight = customers(i)
        ahead = i.get("ahead", i.get("t", 0))
        rows = list(zip(x, t_x, T, weight, strict=True))
        by_x = [sum(w * m.probability(k, n) for _, _, n, w in rows) for k in range(int(max(T)) + 1)]
        return {"total": sum(w * m.expected(*c, ahead) for *c, w in rows), "in_sample": by_x, "mean": sum(w * m.mean(n) for _, _, n, w in rows)}
    rows, alone = each_customer(i)
    if what == "alive":
        alive = [m.alive(*row, i.get("ahead", 0)) for row in rows]
        return {"alive": as_given(alive, alone)}
    t, t_alone = many(i, "t", "ahead")
    means = [m.expected(*row, v) for row in rows for v in t]
    return {"mean": as_given(means, alone and t_alone)}


def cumulative_expected(i):
    m, born = model_of(i, None), data_set(i["births"])
    sums = [sum(n * m.mean((day - b) / i["days_per_unit"]) for b, n in zip(born["day"], born["customers"], strict=True) if b < day) for day in i["days"]]
    return {"cumulative": sums, "increments": [b - a for a, b in zip(sums, sums[1:], strict=False)]}


def sbg_fit(i):
    f = st.fit_sbg(i["survivors"])
    return dict(zip(f.names, f.estimates, strict=True)) | {"log_likelihood": f.log_likelihood}


def sbg_curve(i):
    a, b = i["params"]["alpha"], i["params"]["beta"]
    return {"survival": [st.sbg_survival(a, b, t) for t in i["t"]], "retention": [st.sbg_retention(a, b, t) for t in i["t"] if t >= 1]}


def transactions(i):
    columns = list(zip(*i["transactions"], strict=True))
    money = columns[2] if len(columns) > 2 else None
    t = st.repeat_purchases([str(x) for x in columns[0]], columns[1], money, until=i["until"], split=i.get("split"), unit=i.get("unit", "day"))
    return t.to_pylist()


def rfm_summary(i):
    rows = transactions(i)
    return {"rows": {r["contact_id"]: [r["x"], r["t_x"], r["T"]] for r in rows}, "money": {r["contact_id"]: r["money"] for r in rows}}


def calibration_holdout(i):
    rows = transactions(i)
    of = lambda name: {r["contact_id"]: r[name] for r in rows}  # noqa: E731
    return {
        "calibration": {r["contact_id"]: [r["x"], r["t_x"], r["T"]] for r in rows},
        "holdout": of("holdout"), "money": of("money"), "money_holdout": of("holdout_money"), "duration": rows[0]["duration_of_holdout"],
    }  # fmt: skip


# ---- proportions and rates
def wilson(i):
    return dict(zip(("low", "high"), st.wilson(i["x"], i["n"], i.get("level", 0.95)), strict=True))


def newcombe(i):
    return dict(zip(("low", "high"), st.newcombe(i["x1"], i["n1"], i["x2"], i["n2"], i.get("level", 0.95)), strict=True))


def poisson_two_rates(i):
    return dict(zip(("z", "p"), st.poisson_two_rates(i["x1"], i["e1"], i["x2"], i["e2"]), strict=True))


def two_proportion(i):
    t = st.two_proportions(i["x1"], i["n1"], i["x2"], i["n2"], pooled=i.get("variance", "pooled") == "pooled", level=i.get("level", 0.95))
    return t | {"diff": t["difference"], "relative_diff": t["relative"], "relative_estimate": t["relative"]}


# ---- experiments
ALIASES = {
    "post": "post", "num_post": "post", "num": "post", "numerator": "post", "den_post": "den", "den": "den", "denominator": "den",
    "pre": "pre", "num_pre": "pre", "den_pre": "pre_den",
}  # fmt: skip


def arm(a):
    if "sum" in a:
        return st.Arm(a["n"], a["sum"], a.get("sumsq"), binary=a.get("binary", False))
    found = {ALIASES[k]: (v["sum"], v.get("sumsq", v["sum"])) for k, v in a.items() if k in ALIASES}
    products = {tuple(ALIASES[n] for n in k.split("*")): v for k, v in a.get("products", {}).items()}
    if "product" in a:
        products[tuple(found)] = a["product"]
    total, square = found.pop("post")
    return st.Arm(a["n"], total, square, products=products, binary=a.get("binary", False), **found)


def open_ended(x):
    return None if x is None or math.isinf(x) else x


def compare(i, always_valid=False):
    a, b = arm(i["a"]), arm(i["b"])
    how = {"statistic": i.get("statistic", "mean"), "relative": i.get("effect") == "relative", "level": i.get("level", 0.95), "side": i.get("side", "two"),
           "theta": i.get("theta")}  # fmt: skip
    c = st.always_valid(a, b, tuning=i["tuning"], **how) if always_valid else st.compare(a, b, reference=i.get("reference", "t"), **how)
    out = {"estimate": c.estimate, "se": c.standard_error, "low": open_ended(c.low), "high": open_ended(c.high), "p": c.p, "df": c.degrees}
    if i.get("relative_with_fixed_baseline"):
        out |= {f"relative_{k}": None if out[k] is None else out[k] / a.mean for k in ("estimate", "low", "high")}
    return out


def bayes_normal(i):
    prior = i.get("prior")
    b = st.bayes(arm(i["a"]), arm(i["b"]), prior=None if prior is None else (prior["mean"], prior["variance"]), statistic=i.get("statistic", "mean"),
                 relative=i.get("effect") == "relative", level=i.get("level", 0.95), theta=i.get("theta"))  # fmt: skip
    return {k: getattr(b, k) for k in ("mean", "sd", "low", "high", "chance_b", "loss_if_a", "loss_if_b")}


def cuped_theta(i):
    return {"theta": st.cuped_theta(arm(i["a"]), arm(i["b"]), ratio="ratio" in i.get("statistic", "") or "num_post" in i["a"])}


def summarise(i):
    a = st.Arm.of(i["values"]) if "values" in i else arm(i)
    return {"n": a.n, "sum": a.sum, "sumsq": a.sumsq, "mean": a.mean, "variance": a.variance}


def covariance(i):
    x = i.get("x") if isinstance(i.get("x"), list) else None
    if x is not None or "values" in i:
        pairs = i["values"] if "values" in i else list(zip(i["x"], i["y"], strict=True))
        a = st.Arm.of([p for p, _ in pairs], pre=[q for _, q in pairs])
    elif any(k in i for k in ALIASES):
        a = arm(i)
        keys = [ALIASES[k] for k in i if k in ALIASES]
        return {"covariance": a.covariance(*keys[:2])}
    else:
        sums = [v for k, v in i.items() if k not in ("n",)]
        if isinstance(sums[0], dict):
            a = st.Arm(i["n"], sums[0]["sum"], 0, pre=(sums[1]["sum"], 0), products={("post", "pre"): next(v for v in sums if not isinstance(v, dict))})
        else:
            one = next(v for k, v in i.items() if k in ("sum_x", "sum1", "sum_a", "x", "a"))
            two = next(v for k, v in i.items() if k in ("sum_y", "sum2", "sum_b", "y", "b"))
            both = next(v for k, v in i.items() if "product" in k or k in ("sum_xy", "xy", "sum_products"))
            a = st.Arm(i["n"], one, 0, pre=(two, 0), products={("post", "pre"): both})
    return {"covariance": a.covariance("post", "pre")}


def merge(i):
    first, *rest = (arm(p) for p in i["parts"])
    return summarise_arm(sum(rest, start=first))


def summarise_arm(a):
    return {"n": a.n, "sum": a.sum, "sumsq": a.sumsq, "mean": a.mean, "variance": a.variance}


def relative_change(i):
    return {"change": st.relative_change(i["a"], i["b"], i.get("baseline"))}


def delta_variance(i):
    names = ("var_a", "mean_a", "n_a", "var_b", "mean_b", "n_b")
    return {"variance": st.delta_variance(*(i[k] for k in names), relative=i.get("effect") == "relative")}


def sequential(i, function, name):
    found = [x if math.isfinite(x) else None for x in function(i["t"], i.get("alpha", 0.05), i.get("spending", "obrien-fleming"))]
    return dict.fromkeys((name, "level", "levels", "nominal") if name == "alpha" else (name,), found)


def group_sequential_interval(i):
    looks = [[arm(a) for a in look] for look in i["looks"]]
    rows = st.sequential_intervals([(look[0], look[-1]) for look in looks], i["final"], i.get("level", 0.95), i.get("spending", "obrien-fleming"), i.get("comparisons", 1),
                                   units=[sum(a.n for a in look) for look in looks]).to_pylist()  # fmt: skip
    return {"diff": [r["difference"] for r in rows], "low": [r["low"] for r in rows], "high": [r["high"] for r in rows], "z": [r["bound"] for r in rows]}


def plan(i):
    names = ("variance", "arms", "alpha", "tuning", *(["mean"] if i.get("effect") != "absolute" else []))
    return {k: i[k] for k in names if k in i}


def sample_size(i):
    n = st.sample_size(i.get("mde", i.get("effect_size")), power=i.get("power", 0.8), **plan(i))
    return {"n_total": n, "n": n / i.get("arms", 2), "n_per_arm": n / i.get("arms", 2)}


def power(i):
    effect = i.get("effect_size", i.get("mde"))
    if "n1" in i:
        return {"power": st.power(effect, variance=i.get("variance_pooled", i.get("variance")), n1=i["n1"], n2=i["n2"], alpha=i.get("alpha", 0.05))}
    return {"power": st.power(effect, n=i["n_total"], **plan(i))}


def detectable(i):
    return {"mde": st.detectable(i["n_total"], power=i.get("power", 0.8), **plan(i))}


# ---- survival
def subjects(i):
    d = data_set(i["data"]) if "data" in i else {k: i[k] for k in ("time", "event", "entry", "group") if k in i}
    if "group" in i and not isinstance(i["group"], list):
        keep = [k for k, g in enumerate(d["group"]) if g == i["group"]]
        d = {c: [v[k] for k in keep] for c, v in d.items() if c != "group"}
    return d


def kaplan_meier(i):
    d = subjects(i)
    s = jm.survival(d, entry="entry" if "entry" in d else None, level=i.get("level", 0.95))
    out = {"median": s.groups.to_pylist()[0]["median"], "event_times": sum(r["events"] > 0 for r in s.to_pylist())}
    at = s.at(i.get("at", [])).to_pylist()
    risk = s.at(i.get("risk_at", i.get("at", []))).to_pylist()
    return out | {k: [r[k] for r in at] for k in ("survival", "low", "high")} | {"at_risk": [r["at_risk"] for r in risk]}


def logrank(i):
    d = subjects(i)
    t = st.logrank(d["time"], d.get("event"), d["group"], entry=d.get("entry"), weighting=i.get("weighting") or "none")
    return {"chi2": t.chi2, "p": t.p, "df": t.df, "observed": t.observed, "expected": t.expected}


def cox_sample_size(i):
    return dict(zip(("n_treated", "n_control"), st.cox_sample_size(**i), strict=True))


# ---- attribution
def paths(i):
    if "external" in i:
        with open(SHARED / i["external"]["local"], encoding="utf-8", newline="") as f:
            rows = list(csv.reader(f, delimiter=";"))[1:]
        return jm.attribution({"path": [r[0].split(" > ") for r in rows], "converted": [float(r[1]) for r in rows], "lost": [float(r[3]) for r in rows]})
    return jm.attribution({
        "path": [p["path"] for p in i["paths"]], "converted": [float(p.get("converted", 0)) for p in i["paths"]],
        "lost": [float(p.get("lost", 0)) for p in i["paths"]],
    })  # fmt: skip


def credit_of(table):
    return {r["channel"]: r["conversions"] for r in table.to_pylist()}


def rule_attribution(i):
    rule, but = i["rule"], None
    if isinstance(rule, dict):
        [(rule, but)] = rule.items()
    elif rule.startswith("last_but"):
        but = next((i[k] for k in ("but", "channel", "not", "except", "exclude") if k in i), None) or rule[len("last_but") :].strip()
        rule = "last_but"
    return {"credit": credit_of(paths(i).credit(rule, but=but))}


def markov_attribution(i):
    m = paths(i).markov(i.get("order", 1))
    return {"p": m.p, "observed": m.observed, "removal": m.removal, "credit": credit_of(m.credit)}


def shapley(i):
    if "paths" in i or "external" in i:
        return {"credit": credit_of(paths(i).credit("shapley"))}
    given = i.get("worth", i.get("values", i.get("coalitions")))
    if isinstance(given, list):
        pairs = [(x.get("coalition", x.get("channels", x.get("path"))), x.get("worth", x.get("value"))) if isinstance(x, dict) else x for x in given]
    else:
        separator = next((s for s in (" > ", ",", "+", "|", "&", ";", " ") if any(s in k for k in given)), None)
        pairs = [([p.strip() for p in k.split(separator)] if separator else [k], v) for k, v in given.items()]
    worth = collections.defaultdict(float)
    for coalition, v in pairs:
        worth[tuple(p for p in coalition if p)] += v
    credit = st.shapley(worth)
    return {"credit": credit, "shapley": credit, "value": credit}


METHODS = {
    "gamma_gamma_fit": gamma_gamma_fit, "gamma_gamma_mean": gamma_gamma_mean, "cumulative_expected": cumulative_expected, "sbg_fit": sbg_fit,
    "sbg_curve": sbg_curve, "rfm_summary": rfm_summary, "calibration_holdout": calibration_holdout, "wilson": wilson, "newcombe": newcombe,
    "poisson_two_rates": poisson_two_rates, "two_proportion": two_proportion, "compare": compare, "bayes_normal": bayes_normal,
    "cuped_theta": cuped_theta, "summarise": summarise, "covariance": covariance, "merge": merge, "relative_change": relative_change,
    "delta_variance": delta_variance, "group_sequential_interval": group_sequential_interval, "sample_size": sample_size, "power": power,
    "detectable": detectable, "kaplan_meier": kaplan_meier, "logrank": logrank, "cox_sample_size": cox_sample_size,
    "rule_attribution": rule_attribution, "markov_attribution": markov_attribution, "shapley": shapley,
    "discounted_value": lambda i: {"value": st.discounted_value(i["purchases"], i.get("value", 1), i.get("rate", 0))},
    "poisson_exact": lambda i: st.poisson_exact(i["x"], i.get("exposure", 1), i.get("level", 0.95), i.get("null_rate", 1)),
    "always_valid": lambda i: compare(i, always_valid=True),
    "split_check": lambda i: {"p": st.split_check(i["counts"], i["weights"])},
    "adjust_p": lambda i: {"adjusted": st.adjust_p(i["p"], i["rule"])},
    "group_sequential": lambda i: sequential(i, st.sequential_bounds, "z"),
    "group_sequential_alpha": lambda i: sequential(i, st.sequential_levels, "alpha"),
    "cox_power": lambda i: {"power": st.cox_power(**i)},
}  # fmt: skip
for prefix, name in MODELS.items():
    METHODS[f"{prefix}_fit"] = lambda i, name=name: fit(i, name)
    for what in ("mean", "pmf", "alive", "conditional", "total", "in_sample"):
        METHODS[f"{prefix}_{what}"] = lambda i, name=name, what=what: purchases(i, name, what)


def differs(place, got, expected, tolerance):
    """None, or where and by how much."""
    if isinstance(expected, dict):
        for k, e in expected.items():
            if k not in got:
                return f"{place}.{k} is missing"
            if why := differs(f"{place}.{k}", got[k], e, tolerance):
                return why
        return None
    if isinstance(expected, list):
        if not isinstance(got, list) or len(got) != len(expected):
            return f"{place} {got}, expected {expected}"
        return next((why for k, (g, e) in enumerate(zip(got, expected, strict=True)) if (why := differs(f"{place}[{k}]", g, e, tolerance))), None)
    if expected is None or got is None:
        return None if got is None and expected is None else f"{place} {got}, expected {expected}"
    allowed = tolerance.get("abs", 0) + tolerance.get("rel", 0) * abs(expected)
    return None if abs(got - expected) <= allowed else f"{place} {got}, expected {expected} within {allowed:g}"


def statistics_case(case):
    """None when the case holds, else what differs."""
    if case["method"] not in METHODS:
        return f"the method {case['method']} is not known"
    got = METHODS[case["method"]](case["input"])
    for key, expected in case["expect"].items():
        if key not in got:
            return f"no {key} in {sorted(got)}"
        if why := differs(key, got[key], expected, case["tolerance"].get(key, case["tolerance"])):
            return why
    return None
