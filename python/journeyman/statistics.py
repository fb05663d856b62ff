"""Statistics of plain numbers: what experiments, lifetime value, attribution and survival are made of.

>>> from journeyman import statistics
>>> statistics.wilson(81, 263)
(0.2552885198779752, 0.36620957698326155)

Errors are `journeyman.Error`: `statistics.level`, `statistics.counts`, `lifetime_value.columns`, … with a sentence that says what to do.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from . import _columns, _core, _words
from ._error import Error
from ._table import Table

Comparison = _core._ArmComparison
"""value_a, value_b, estimate, standard_error, degrees, low, high, p."""
Fitted = _core._Fitted
"""names, estimates, standard_errors, covariance, log_likelihood, customers, iterations, converged."""

POST, DEN, PRE, PRE_DEN = range(4)
_PLACE = {(a, b): b * (b + 1) // 2 + a for b in range(4) for a in range(b + 1)}


# ---- proportions and rates
def wilson(x: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Wilson's interval (1927) of a proportion, without correction."""
    return _core._wilson(x, n, level)


def newcombe(x1: float, n1: float, x2: float, n2: float, level: float = 0.95) -> tuple[float, float]:
    """Newcombe's interval (1998, method 10) of the difference of two proportions, p1 - p2."""
    return _core._newcombe(x1, n1, x2, n2, level)


def poisson_exact(x: float, exposure: float = 1, level: float = 0.95, null_rate: float = 1) -> dict[str, float]:
    """rate, low, high (Garwood, 1936) and the central exact p of `null_rate`."""
    return dict(zip(("rate", "low", "high", "p"), _core._poisson_exact(x, exposure, level, null_rate), strict=True))


def poisson_two_rates(x1: float, e1: float, x2: float, e2: float) -> tuple[float, float]:
    """z and two-sided p of the score test that x1 events in e1 and x2 in e2 have one rate."""
    return _core._poisson_two_rates(x1, e1, x2, e2)


def two_proportions(x1: float, n1: float, x2: float, n2: float, *, pooled: bool = True, level: float = 0.95) -> dict[str, float]:
    """difference (p2 - p1), Wald's interval (never pooled), z and p (pooled: the chi-squared test), and relative, relative_low, relative_high: over p1."""
    return _core._two_proportions(x1, n1, x2, n2, pooled, level)


# ---- two arms from their sums
class Arm:
    """What an arm's units add up to. Arms merge by `+`, exactly as if their units had been added together.

    `n` units with the `sum` and the sum of squares `sumsq` of what is counted; for a ratio the same of `den`, for an adjusted value (CUPED) of `pre` and `pre_den`, as
    (sum, sumsq), and `products` of two of them: {("post", "pre"): 12.5}. `binary` says that there are only 0 and 1: then the variance is p (1 - p).
    """

    NAMES = ("post", "den", "pre", "pre_den")

    def __init__(
        self,
        n: float,
        sum: float,
        sumsq: float | None = None,
        *,
        den: tuple[float, float] = (0, 0),
        pre: tuple[float, float] = (0, 0),
        pre_den: tuple[float, float] = (0, 0),
        products: Mapping[tuple[str, str], float] | None = None,
        binary: bool = False,
    ) -> None:
        sums = [(sum, sum if sumsq is None and binary else sumsq or 0), den, pre, pre_den]
        all_products = [0.0] * 10
        for k, (_, square) in enumerate(sums):
            all_products[_PLACE[k, k]] = square
        for (x, y), product in (products or {}).items():
            a, b = sorted((self.NAMES.index(x), self.NAMES.index(y)))
            all_products[_PLACE[a, b]] = product
        self._core = _core._ArmSums(n, [s for s, _ in sums], all_products, binary)

    @classmethod
    def _of(cls, core: _core._ArmSums) -> Arm:
        made = cls.__new__(cls)
        made._core = core
        return made

    @classmethod
    def of(cls, post: Any, *, den: Any = None, pre: Any = None, pre_den: Any = None) -> Arm:
        """Of units: a column of numbers (or yes/no) for each variable."""
        columns = [None if x is None else _columns.numbers(x, name) for x, name in zip((post, den, pre, pre_den), cls.NAMES, strict=True)]
        count = len(columns[0] or ())
        units = _core._experiment_from([""], memoryview(bytes(4 * count)).cast("I"), [("", columns)])
        return cls._of(units.sums(0)[0])

    def __add__(self, other: Arm) -> Arm:
        core = _core._ArmSums(self._core.n, self._core.sum, self._core.products, self._core.binary)
        core.merge(other._core)
        return Arm._of(core)

    @property
    def n(self) -> float:
        """Units."""
        return self._core.n

    @property
    def sum(self) -> float:
        """Of what is counted."""
        return self._core.sum[0]

    @property
    def sumsq(self) -> float:
        """The sum of its squares."""
        return self._core.products[0]

    @property
    def mean(self) -> float:
        """The sum by the units."""
        return self._core.mean(POST)

    @property
    def variance(self) -> float:
        """Over n - 1; of only 0 and 1 p (1 - p)."""
        return self._core.variance(POST)

    def covariance(self, x: str = "post", y: str = "pre") -> float:
        """Over n - 1, of two variables by name."""
        return self._core.covariance(self.NAMES.index(x), self.NAMES.index(y))

    def __repr__(self) -> str:
        return f"<Arm of {self.n:g} units, mean {self.mean:.6g}>"


def compare(
    a: Arm,
    b: Arm,
    *,
    statistic: str = "mean",
    relative: bool = False,
    level: float = 0.95,
    side: str = "two",
    reference: str = "t",
    theta: float | None = None,
) -> Comparison | None:
    """b against a, the control. None where an arm has fewer than two units, nothing varies, or the control's value is 0 under a relative effect.

    `statistic`: mean, ratio, cuped, ratio_cuped. `relative`: to |the control's unadjusted value|. `side`: two, greater, less. Standard errors by the delta method, the control's
    value estimated too; degrees of freedom are Welch's (1947), from the absolute variances. `reference`: t or normal.
    """
    return _core._compare(a._core, b._core, statistic, relative, level, side, reference == "normal", theta)


def always_valid(
    a: Arm, b: Arm, *, tuning: float = 5000, statistic: str = "mean", relative: bool = False, level: float = 0.95, side: str = "two", theta: float | None = None
) -> Comparison | None:
    """As `compare`, with an interval and p that hold at every look at once: the normal mixture's confidence sequence, tightest at about `tuning` units."""
    return _core._always_valid(a._core, b._core, tuning, statistic, relative, level, side, theta)


def bayes(
    a: Arm, b: Arm, *, prior: tuple[float, float] | None = None, statistic: str = "mean", relative: bool = True, level: float = 0.95, theta: float | None = None
) -> _core._Bayes | None:
    """mean, sd, low, high of the effect, chance_b = P(effect > 0), and the expected loss of choosing a, of choosing b. `prior`: (mean, variance) of the effect; None: flat."""
    return _core._bayes(a._core, b._core, prior, statistic, relative, level, theta)


def cuped_theta(a: Arm, b: Arm, *, ratio: bool = False) -> float:
    """cov(post, pre)/var(pre) of both arms put together (of ratios: sums of the arms' own, linearised); 0 if `pre` never varies."""
    return _core._cuped_theta(a._core, b._core, ratio)


def split_check(counts: Sequence[float], weights: Sequence[float]) -> float:
    """p of the chi-squared test of counts against weights (sample ratio mismatch). Arms of weight 0 are left out; fewer than two arms: 1."""
    return _core._split_check(list(counts), list(weights))


def adjust_p(p: Sequence[float], rule: str = "holm") -> list[float]:
    """Adjusted p in the order of the input; `rule`: holm, benjamini-hochberg, bonferroni, none."""
    return _core._adjust_p(list(p), rule)


def relative_change(a: float, b: float, baseline: float | None = None) -> float:
    """(b - a) / |baseline|, by default |a|."""
    return _core._relative_change(a, b, baseline)


def delta_variance(var_a: float, mean_a: float, n_a: float, var_b: float, mean_b: float, n_b: float, *, relative: bool = False) -> float:
    """Variance of the difference of two means, or of the relative one by the delta method."""
    return _core._delta_variance(var_a, mean_a, n_a, var_b, mean_b, n_b, relative)


# ---- looking more than once, and planning
def _spending(spending: str | Mapping[str, float]) -> tuple[str, float]:
    return (spending, 1.0) if isinstance(spending, str) else ("power", float(spending["power"]))


def sequential_bounds(fractions: Sequence[float], alpha: float = 0.05, spending: str | Mapping[str, float] = "obrien-fleming") -> list[float]:
    """Bounds of |z| at each look (Lan and DeMets, 1983). `spending`: obrien-fleming, pocock, {"power": 2}; infinite where nothing is to be spent."""
    return _core._sequential_bounds(list(fractions), alpha, *_spending(spending))


def sequential_levels(fractions: Sequence[float], alpha: float = 0.05, spending: str | Mapping[str, float] = "obrien-fleming") -> list[float]:
    """The two-sided nominal level of each look."""
    return _core._sequential_levels(list(fractions), alpha, *_spending(spending))


def sequential_intervals(
    looks: Sequence[tuple[Arm, Arm]],
    planned: float,
    level: float = 0.95,
    spending: str | Mapping[str, float] = "obrien-fleming",
    comparisons: float = 1,
    units: Sequence[float] = (),
) -> Table:
    """fraction, bound, difference, standard_error, low, high, stop: one row a look, each a pair of arms with all units so far.

    Fractions are units so far / max(planned, seen), `units` those of all arms where there are more than two; the level is split over `comparisons`.
    """
    found = _core._sequential_intervals([a._core for a, _ in looks], [b._core for _, b in looks], planned, level, *_spending(spending), comparisons, list(units))
    names = ["fraction", "bound", "difference", "standard_error", "low", "high", "stop"]
    return _words.table(({n: getattr(x, n) for n in names} for x in found), names)


def sample_size(
    effect: float, *, variance: float, mean: float | None = None, arms: float = 2, alpha: float = 0.05, power: float = 0.8, tuning: float | None = None
) -> float | None:
    """Units of all arms together for `power` to see `effect`. With a `mean` the effect is relative to it; with `tuning` it is to be seen by the always-valid interval."""
    return _core._sample_size(effect, power, mean, variance, arms, alpha, tuning)


def duration(
    effect: float, *, units_a_day: float, variance: float, mean: float | None = None, arms: float = 2, alpha: float = 0.05, power: float = 0.8, tuning: float | None = None
) -> float | None:
    """Days until as many units have come as `sample_size` asks for, when `units_a_day` come to all arms together; rounded up. Whole weeks are wiser than the days between."""
    return _core._duration(effect, units_a_day, power, mean, variance, arms, alpha, tuning)


def power(
    effect: float,
    *,
    variance: float,
    n: float | None = None,
    n1: float | None = None,
    n2: float | None = None,
    mean: float | None = None,
    arms: float = 2,
    alpha: float = 0.05,
    tuning: float | None = None,
) -> float:
    """The two-sided chance to see `effect`, with `n` units in all arms together (of equal size), or `n1` and `n2` in two."""
    if n is None:
        if n1 is None or n2 is None:
            raise TypeError("power needs `n`, or `n1` and `n2`")
        if mean is None and tuning is None:
            return _core._power_of_two(variance, n1, n2, effect, alpha)
        raise TypeError("power of a relative effect, or of an always-valid test, takes `n`: arms of equal size")
    return _core._power(effect, n, mean, variance, arms, alpha, tuning)


def detectable(n: float, *, variance: float, mean: float | None = None, arms: float = 2, alpha: float = 0.05, power: float = 0.8, tuning: float | None = None) -> float | None:
    """The smallest effect above 0 that `n` units in all arms together see with `power`; None where there is none."""
    return _core._detectable(n, power, mean, variance, arms, alpha, tuning)


# ---- survival
def cox_sample_size(*, power: float, ratio: float, p_treated: float, p_control: float, hazard_ratio: float, alpha: float = 0.05) -> tuple[float, float]:
    """Subjects treated and untreated to see a hazard ratio (Freedman 1982); `ratio` treated / control, `p_*` the share that has the event while observed."""
    return _core._cox_sample_size(power, ratio, p_treated, p_control, hazard_ratio, alpha)


def cox_power(*, n_treated: float, n_control: float, p_treated: float, p_control: float, hazard_ratio: float, alpha: float = 0.05) -> float:
    """The chance to see it with as many."""
    return _core._cox_power(n_treated, n_control, p_treated, p_control, hazard_ratio, alpha)


def logrank(time: Any, event: Any = None, group: Any = None, *, entry: Any = None, weighting: str = "none") -> Any:
    """Whether curves differ (`journeyman.Logrank`): Mantel (1966); `weighting`: none, wilcoxon, tarone-ware, peto."""
    from ._survival import Logrank

    if group is None:
        raise TypeError("logrank compares groups: give `group`")
    codes, names = _columns.codes(group, "group")
    events = None if event is None else _columns.flags(event, "event")
    entries = None if entry is None else _columns.numbers(entry, "entry")
    return Logrank(_core._logrank(_columns.numbers(time, "time"), events, entries, codes, len(names), weighting), names)


# ---- buy till you die
class Purchases:
    """A model of when customers buy and leave, with its parameters: bg_nbd and mbg_nbd (r, alpha, a, b), pareto_nbd (r, alpha, s, beta), bg_bb (alpha, beta, gamma, delta).

    x repeat purchases, the last of them at t_x, observed up to T, both counted from the first purchase; for bg_bb T occasions, t_x the last one used.
    """

    def __init__(self, model: str, **parameters: float) -> None:
        names = _core._parameter_names(model)
        if set(parameters) != set(names):
            raise TypeError(f"{model} has the parameters {', '.join(names)}")
        self._core = _core._Purchases.of(model, [parameters[n] for n in names])
        self.model = model
        self.parameters = {n: float(parameters[n]) for n in names}

    def log_likelihood(self, x: float, t_x: float, T: float) -> float:
        """Of one customer."""
        return self._core.log_likelihood(x, t_x, T)

    def mean(self, t: float) -> float:
        """E[X(t)]: expected repeat purchases of a new customer by t."""
        return self._core.mean(t)

    def probability(self, n: int, t: float) -> float:
        """P(X(t) = n) of a new customer."""
        return self._core.probability(n, t)

    def alive(self, x: float, t_x: float, T: float, ahead: float = 0) -> float:
        """P(alive at T | x, t_x, T); for bg_bb `ahead` occasions later."""
        return self._core.alive(x, t_x, T, ahead)

    def expected(self, x: float, t_x: float, T: float, t: float) -> float:
        """Expected purchases in (T, T + t] given x, t_x, T."""
        return self._core.expected(x, t_x, T, t)

    def forecast(
        self, x: Any, t_x: Any, T: Any, *, period: float = 1, periods: int = 1, rate: float = 0, money: Any = None, spend: tuple[float, float, float] | None = None
    ) -> Table:
        """alive, expected, spend, value: a row for each customer of the columns. `spend`: the Gamma-Gamma parameters (p, q, v), with `money` the mean of repeat purchases."""
        a, b, c = (_columns.numbers(column, name) for column, name in ((x, "x"), (t_x, "t_x"), (T, "T")))
        return Table(self._core.forecast(a, b, c, None if money is None else _columns.numbers(money, "money"), period, periods, rate, spend))

    def __repr__(self) -> str:
        return f"<Purchases by {self.model}: {', '.join(f'{n} {v:.6g}' for n, v in self.parameters.items())}>"


def fit_purchases(model: str, x: Any, t_x: Any, T: Any, weight: Any = None) -> Fitted:
    """Maximum likelihood with analytic derivatives (Newton), standard errors from the observed information. Equal customers count together; `weight`: how many a row is."""
    return _core._fit_purchases(
        model, _columns.numbers(x, "x"), _columns.numbers(t_x, "t_x"), _columns.numbers(T, "T"), None if weight is None else _columns.numbers(weight, "weight")
    )


def fit_gamma_gamma(x: Any, z: Any, weight: Any = None) -> Fitted:
    """Spend per purchase (Fader and Hardie, 2013): z the mean of x repeat purchases; customers without any are left out. Parameters p, q, v."""
    return _core._fit_gamma_gamma(_columns.numbers(x, "x"), _columns.numbers(z, "z"), None if weight is None else _columns.numbers(weight, "weight"))


def gamma_gamma_mean(p: float, q: float, v: float, x: float, z: float) -> float:
    """Expected value of a purchase given x of mean z; without any (x of 0) the mean of all customers, p v / (q - 1)."""
    return _core._gamma_gamma_mean((p, q, v), x, z)


def fit_sbg(survivors: Sequence[float]) -> Fitted:
    """Shifted beta-geometric (Fader and Hardie, 2007) from the customers there at the start and after each renewal. Parameters alpha, beta."""
    return _core._fit_sbg(list(survivors))


def sbg_survival(alpha: float, beta: float, t: float) -> float:
    """B(a, b + t) / B(a, b): the share still there after t renewals."""
    return _core._sbg_survival(alpha, beta, t)


def sbg_retention(alpha: float, beta: float, t: float) -> float:
    """(b + t - 1) / (a + b + t - 1): the share of those left that renews the t-th time."""
    return _core._sbg_retention(alpha, beta, t)


def discounted_value(purchases: Sequence[float], value: float = 1, rate: float = 0) -> float:
    """Sum of value · purchases[k] / (1 + rate)^(k + 1): the first period is discounted too."""
    return _core._discounted_value(list(purchases), value, rate)


def repeat_purchases(
    contact: Any, day: Any, amount: Any = None, *, until: str | datetime.date, split: str | datetime.date | None = None, unit: str = "day", scale: float = 1
) -> Table:
    """contact_id, x, t_x, T, money: repeat units, last - first, until - first, from single purchases; several in one `unit` (day, week from Monday, month, …) are one.

    `money` is the mean over the repeat units of their sums, 0 without any. With `split` all that is of what was known by then, and holdout (units with a purchase
    after it) and holdout_money (the mean of the single purchases there) follow; `duration_of_holdout` is in every row. Times are in units / `scale`.
    """
    import pyarrow

    codes, names = _columns.codes(contact, "contact")
    days = _columns.days(day, "day")
    core = _core._customers_from(
        codes, days, None if amount is None else _columns.numbers(amount, "amount"), len(names), _columns.day_number(until), None if split is None else _columns.day_number(split), unit, scale
    )
    table = Table(core.table(None)).to_arrow().drop_columns(["group"])
    ids = [names[k] for k in table["contact_id"].to_pylist()]
    table = table.set_column(0, "contact_id", pyarrow.array(ids, pyarrow.string()))
    if split is not None:
        table = table.append_column("duration_of_holdout", pyarrow.array([core.duration] * len(ids), pyarrow.float64()))
    return _words._Rows(table)


# ---- attribution
def shapley(worth: Mapping[Any, float]) -> dict[str, float]:
    """Shapley values (1953), exact, from the worth of each coalition: {("a",): 4, ("a", "b"): 10, …}; one not named is worth 0, and so is the empty one."""
    coalitions = {frozenset((k,) if isinstance(k, str) else k): v for k, v in worth.items()}
    players = sorted({str(p) for c in coalitions for p in c})
    if len(players) > 24:
        raise Error("attribution.channels", "worth", "exact Shapley values are of at most 24 players")
    values = [0.0] * (1 << len(players))
    for coalition, v in coalitions.items():
        values[sum(1 << players.index(str(p)) for p in coalition)] = v
    values[0] = 0.0
    return dict(zip(players, _core._shapley(values, len(players)), strict=True))
