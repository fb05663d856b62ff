"""What a customer is worth: how often they will buy, whether they are still there, how much they spend."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from . import _columns, _convert, _core, _plot, _words, statistics
from ._convert import Instant
from ._error import Error
from ._expression import Expression, Selector, _selector
from ._history import History
from ._table import Table

if TYPE_CHECKING:
    from ._playbook import Playbook

MODELS = {"bg_nbd": "BG/NBD", "mbg_nbd": "MBG/NBD", "pareto_nbd": "Pareto/NBD", "bg_bb": "BG/BB"}


class LifetimeValue(Table):
    """A row for each customer: contact_id, group, x, t_x, T, money, alive, expected, spend, value. Made by `journeyman.lifetime_value`.

    x repeat purchases, the last at t_x, observed up to T, both since the first; `alive` at the end; `expected` purchases over the periods asked for; `spend` a purchase; `value`
    their discounted sum.
    """

    def __init__(self, customers: Any, model: str, fitted: statistics.Fitted, spend: statistics.Fitted | None, horizon: tuple[float, int, float], unit: str,
                 duration: float | None, has_money: bool) -> None:  # fmt: skip
        self.model = statistics.Purchases(model, **dict(zip(fitted.names, fitted.estimates, strict=True)))
        """The fitted model: `.mean(t)`, `.alive(x, t_x, T)`, `.expected(x, t_x, T, t)`, `.probability(n, t)`."""
        self.fitted = fitted
        """Estimates, standard errors, covariance, log-likelihood of the model."""
        self.spend_fitted = spend
        """The same of the Gamma-Gamma model of spend; None where there are no amounts."""
        self.parameters: Table = _words._Rows(Table(fitted.table(0.95)).to_arrow())
        """parameter, estimate, standard_error, low, high."""
        self.spend_parameters = None if spend is None else _words._Rows(Table(spend.table(0.95)).to_arrow())
        """The same of the Gamma-Gamma model."""
        self._period, self._periods, self._rate = horizon
        self._unit, self._duration = unit, duration
        c = customers
        weights = c["weight"] if "weight" in c.column_names else None
        self.mean_purchase = _mean_purchase(c, weights) if has_money else None
        """The mean of all repeat purchases; None where there are no amounts. What a purchase is worth where the Gamma-Gamma model does not fit."""
        values = self.model.forecast(c["x"], c["t_x"], c["T"], period=self._period, periods=self._periods, rate=self._rate,
                                     money=c["money"] if self._spends else None, spend=_three(spend) if self._spends and spend else None).to_arrow()  # fmt: skip
        if self.mean_purchase is not None and not self._spends:
            import pyarrow
            import pyarrow.compute

            each = pyarrow.scalar(self.mean_purchase)
            for name in ("spend", "value"):
                values = values.set_column(values.column_names.index(name), name, pyarrow.compute.multiply(values[name], each))
        for name in values.column_names:
            c = c.append_column(name, values[name])
        self._arrow, self._weights = c, weights

    @property
    def _spends(self) -> bool:
        f = self.spend_fitted
        return f is not None and f.converged and f.estimates[1] > 1

    def __len__(self) -> int:
        return int(self._arrow.num_rows)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        stream: object = self._arrow.__arrow_c_stream__(requested_schema)
        return stream

    @property
    def groups(self) -> Table:
        """group, customers, alive, expected, value (sums), value_each: a row for each group of `by`, or one."""
        import pyarrow

        rows = self._arrow.select(["group", "alive", "expected", "value"])
        weight = self._weights if self._weights is not None else pyarrow.chunked_array([pyarrow.array([1.0] * len(self), pyarrow.float64())])
        import pyarrow.compute

        rows = pyarrow.table({"group": rows["group"], "customers": weight, **{n: pyarrow.compute.multiply(rows[n], weight) for n in ("alive", "expected", "value")}})
        found = rows.group_by("group").aggregate([(n, "sum") for n in ("customers", "alive", "expected", "value")]).sort_by("group")
        out = [{n.removesuffix("_sum"): v for n, v in r.items()} for r in found.to_pylist()]
        return _words.table(({**r, "value_each": r["value"] / r["customers"]} for r in out), ["group", "customers", "alive", "expected", "value", "value_each"])

    @property
    def holdout(self) -> Table | None:
        """x, customers, actual, expected: of those with x repeat purchases by the split (7 and more together), the mean purchases after it, and what the model expected. None without a split."""
        if "holdout" not in self._arrow.column_names or not self._duration:
            return None
        import pyarrow

        c = self._arrow
        after = self.model.forecast(c["x"], c["t_x"], c["T"], period=self._duration).to_arrow()["expected"]
        x = pyarrow.array([min(int(v), 7) for v in c["x"].to_pylist()])
        rows = pyarrow.table({"x": x, "actual": c["holdout"], "expected": after}).group_by("x").aggregate([("actual", "count"), ("actual", "mean"), ("expected", "mean")]).sort_by("x")
        names = {"x": "x", "actual_count": "customers", "actual_mean": "actual", "expected_mean": "expected"}
        return _words.table(({names[k]: v for k, v in r.items()} for r in rows.to_pylist()), ["x", "customers", "actual", "expected"])

    @property
    def fit_by_frequency(self) -> Table:
        """x, actual, expected: how many customers bought again x times (7 and more together), and how many the model says: whether it fits."""
        x, T = self._arrow["x"].to_pylist(), self._arrow["T"].to_pylist()
        w = [1.0] * len(x) if self._weights is None else self._weights.to_pylist()
        total, most = sum(w), 7
        actual = [0.0] * (most + 1)
        times: dict[float, float] = {}
        for k, n in enumerate(x):
            actual[min(int(n), most)] += w[k]
            times[T[k]] = times.get(T[k], 0.0) + w[k]
        if len(times) > 200:   # close ones together: the shares hardly change
            step = (max(times) - min(times)) / 200 if self.model.model != "bg_bb" else 1.0
            coarse: dict[float, float] = {}
            for t, n in times.items():
                key = round(t / step) * step
                coarse[key] = coarse.get(key, 0.0) + n
            times = coarse
        expected = [sum(n * self.model.probability(k, t) for t, n in times.items()) for k in range(most)]
        expected.append(total - sum(expected))
        return _words.table(({"x": k, "actual": a, "expected": e} for k, (a, e) in enumerate(zip(actual, expected, strict=True))), ["x", "actual", "expected"])

    def plot(self, ax: Any = None) -> Any:
        """Customers by number of repeat purchases, as they are and as the model has them; takes and returns a Matplotlib `ax`."""
        ax = _plot.axes(ax, 7, 3.2)
        rows = self.fit_by_frequency.to_pylist()
        at = range(len(rows))
        ax.bar([k - 0.2 for k in at], [r["actual"] for r in rows], 0.4, color=_plot.BLUE, label="actual")
        ax.bar([k + 0.2 for k in at], [r["expected"] for r in rows], 0.4, color=_plot.PALE, label=f"{MODELS[self.model.model]}, fitted")
        ax.set_xticks(at, [*map(str, list(at)[:-1]), "7+"])
        ax.set(xlabel="repeat purchases", ylabel="customers")
        ax.legend(frameon=False, fontsize="small")
        ax.spines[["top", "right"]].set_visible(False)
        return ax

    def summary(self) -> str:
        """One paragraph: what was found, how sure, and what would change it."""
        total = {"customers": 0.0, "alive": 0.0, "expected": 0.0, "value": 0.0}
        groups = self.groups.to_pylist()
        for r in groups:
            for n in total:
                total[n] += r[n]
        span = f"{self._period * self._periods:g} {self._unit}"
        parts = [f"Of {total['customers']:,.0f} customers about {total['alive']:,.0f} ({_words.percent(total['alive'], total['customers'])}) are still customers, by a {MODELS[self.model.model]} model; in the next {span} they should buy {total['expected']:,.0f} times" + ("." if self.mean_purchase is None else f", worth {total['value']:,.2f}" + (f" discounted by {self._rate:.2%} a period." if self._rate else "."))]
        if len(groups) > 1 and self.fitted.converged:
            best = max(groups, key=lambda r: r["value_each"])
            parts.append(f"Customers of {best['group']} are worth most, {best['value_each']:,.2f} each.")
        if not self.fitted.converged:
            parts.append("But the fit found no maximum: the purchases say too little about when customers leave, and these figures should not be used.")
        else:
            worst = max(zip(self.fitted.names, self.fitted.estimates, self.fitted.standard_errors, strict=True), key=lambda p: p[2] / p[1])
            parts.append(f"The parameters are known to {worst[2] / worst[1]:.0%} or better (the least, {worst[0]}, is {worst[1]:.3g} ± {worst[2]:.2g}).")
        holdout = self.holdout
        if holdout is not None:
            rows = holdout.to_pylist()
            actual, expected = (sum(r[k] * r["customers"] for r in rows) for k in ("actual", "expected"))
            parts.append(f"After the split customers bought {actual:,.0f} times where {expected:,.0f} were expected ({_words.share(expected / actual - 1, sign=True) if actual else 'none did'}).")
        if self.mean_purchase is not None and not self._spends:
            parts.append(f"The amounts differ too little, or too wildly, for a Gamma-Gamma model of spend: every purchase counts as their mean, {self.mean_purchase:,.2f}.")
        parts.append("It assumes that nothing changes how often or how much they buy: a campaign, a season or a new price would.")
        return " ".join(parts)

    def __repr__(self) -> str:
        return f"{self.summary()}\n{self.parameters!r}"

    def _repr_html_(self) -> str:
        return _words.paragraph(self.summary()) + self.parameters._repr_html_() + self.groups._repr_html_()


def _mean_purchase(c: Any, weights: Any) -> float | None:
    import pyarrow.compute as pc

    count = c["x"] if weights is None else pc.multiply(c["x"], weights)
    all_of_them = pc.sum(pc.if_else(pc.greater(c["money"], 0.0), count, 0.0)).as_py()
    return pc.sum(pc.multiply(c["money"], count)).as_py() / all_of_them if all_of_them else None


def _three(f: statistics.Fitted) -> tuple[float, float, float]:
    p, q, v = f.estimates
    return p, q, v


def lifetime_value(
    source: History | Any,
    *,
    purchase: Selector | str = "purchase",
    amount: str | None = None,
    model: str = "bg_nbd",
    unit: str = "day",
    scale: float = 1,
    until: Instant | None = None,
    split: Instant | None = None,
    by: str | Iterable[str] = (),
    period: float = 1,
    periods: int = 12,
    rate: float = 0.0,
    segments: Mapping[str, Expression | str] | None = None,
    timezone: str = "UTC",
    playbook: Playbook | None = None,
) -> LifetimeValue:
    """How often customers will buy, whether they are still there, and what that is worth: by contact and by group.

    >>> v = jm.lifetime_value(history, purchase="purchase.amount", unit="day", scale=7, period=4, periods=13, rate=0.01)      # in weeks: a year of four-week periods
    >>> v.parameters, v.groups, v.to_pandas().nlargest(10, "value"), v.summary()

    From a history: purchases of one calendar `unit` (day, week, month, …) are one; time is counted in units / `scale`, since the first. The amount is the property of
    `purchase`, or `amount`. Known up to `until` (default: the end), or up to `split`, with what came after it as holdout. `by` is read at the first purchase, after it is seen: what the customer was when the clock
    started, not what they became: its properties, attributes (`contact.x`), dimensions of the playbook.
    From a table: x, t_x, T of each customer, [money] (mean of the repeat purchases), [contact_id], [weight] (how many such customers), and the columns of `by`.
    `model`: bg_nbd (Fader, Hardie and Lee, 2005), mbg_nbd (Batislam et al., 2007), pareto_nbd (Schmittlein et al., 1987), bg_bb (Fader, Hardie and Shang, 2010: T whole
    occasions, t_x the last one used; from a history each `unit` after the first purchase's is one occasion, so choose a long one, and an `until` at the end of one). Spend: Gamma-Gamma (Fader and Hardie, 2013). Fitted by maximum likelihood. The forecast is of `periods` of length `period` (in time of the
    model), discounted by `rate` a period. Raises `Error`: those of the type check, `lifetime_value.columns`, `lifetime_value.split`, `lifetime_value.period`, `input.column`.
    """
    import pyarrow
    import pyarrow.compute

    if model not in MODELS:
        raise Error("name.unknown", "model", f'"{model}" is no model; there are {", ".join(MODELS)}')
    by = _words.dimensions(by, playbook)
    duration = None
    if isinstance(source, History):
        bought = _selector(purchase, source.schema["events"])
        if amount is not None:
            bought = bought.property(amount)
        tree = json.loads(bought.json())
        has_money = isinstance(tree, dict) and "property" in tree
        if model == "bg_bb" and scale != 1:
            raise Error("lifetime_value.scale", "scale", "for bg_bb each unit is one occasion to buy; leave `scale` out and choose the unit")
        core = _core._customers_of(source._core, bought, unit, scale, _convert.instant_or_none(until), _convert.instant_or_none(split), by,
                                   source._words(playbook, segments, timezone))  # fmt: skip
        customers = pyarrow.table(Table(core.table(source._core)))
        duration = core.duration
    else:
        columns = _columns.Columns(source, "lifetime_value")
        has_money = "money" in columns
        made: dict[str, Any] = {"contact_id": columns["contact_id"] if "contact_id" in columns else pyarrow.array(range(len(columns)))}
        group = columns.together(by) if by else [""] * len(columns)
        made["group"] = pyarrow.array(group) if isinstance(group, list) else group.cast(pyarrow.string())
        for name in ("x", "t_x", "T", *(["money"] if has_money else []), *(["weight"] if "weight" in columns else [])):
            made[name] = columns[name].cast(pyarrow.float64(), safe=False)
        customers = pyarrow.table(made)
        unit, scale = "units of time", 1
    weight = customers["weight"] if "weight" in customers.column_names else None
    fitted = statistics.fit_purchases(model, customers["x"], customers["t_x"], customers["T"], weight)
    spend = None
    if has_money and pyarrow.compute.sum(pyarrow.compute.greater(customers["money"], 0.0)).as_py() > 2:
        spend = statistics.fit_gamma_gamma(customers["x"], customers["money"], weight)
    known: dict[tuple[str, float], str] = {("day", 7.0): "weeks", ("day", 1.0): "days"}
    name = unit if unit == "units of time" else known.get((unit, scale), f"{unit}s" if scale == 1 else f"times {scale:g} {unit}s")
    return LifetimeValue(customers, model, fitted, spend, (period, periods, rate), name, duration, has_money)
