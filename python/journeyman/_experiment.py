"""Is the difference real: experiments, from an attribute, a table, or the split of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import _columns, _convert, _core, _plot, _words, statistics
from ._convert import Instant
from ._error import Error
from ._expression import Expression, _predicate, attr
from ._history import History
from ._run import Run
from ._table import Table
from .statistics import Arm

if TYPE_CHECKING:
    from ._playbook import Playbook

Metric = Expression | str | tuple[Expression | str, Expression | str]
"""What is counted; or a pair: the sum of the first by the sum of the second (a ratio)."""
EFFECT = ("value", "control_value", "difference", "low", "high", "p", "p_adjusted", "significant", "lift", "lift_low", "lift_high")


class Experiment(Table):
    """A row for each metric and arm against the control: metric, arm, control, n, n_control, value, control_value, difference, low, high, p, p_adjusted, significant, lift, lift_low, lift_high.

    Intervals are each at the level asked for; `p_adjusted` is corrected over all rows. Made by `journeyman.experiment`.
    """

    def __init__(self, units: _core._ExperimentUnits, kinds: list[str], control: str, weights: Mapping[str, float] | None, level: float, rule: str) -> None:
        self._units, self._kinds, self._level, self._rule = units, kinds, level, rule
        self.arms: list[str] = units.arms
        """The arms, sorted."""
        self.metrics: list[str] = units.names
        """The names of the metrics."""
        self.control = control
        """The arm that the others are held against."""
        self._counts = units.counts()
        self._sums = [[Arm._of(s) for s in units.sums(m)] for m in range(len(self.metrics))]
        self._weights = {a: 1.0 for a in self.arms} if weights is None else {a: float(weights.get(a, 0)) for a in self.arms}
        self._rows = self._compared()

    # ---- what was found
    def sums(self, metric: str, arm: str) -> Arm:
        """What the units of an arm add up to: for `journeyman.statistics`."""
        return self._sums[self._metric(metric)][self._arm(arm)]

    @property
    def split(self) -> Table:
        """arm, n, expected: whether the arms have the sizes they should have. `split_p` says how likely so great a difference is by chance."""
        total, all_weights = sum(self._counts), sum(self._weights.values())
        return _words.table(({"arm": a, "n": n, "expected": total * self._weights[a] / all_weights if all_weights else None} for a, n in zip(self.arms, self._counts, strict=True)),
                            ["arm", "n", "expected"])  # fmt: skip

    @property
    def split_p(self) -> float:
        """p of the sample-ratio check (chi-squared). Below 0.001 something is wrong with the assignment, and nothing else here should be believed."""
        return statistics.split_check(self._counts, [self._weights[a] for a in self.arms])

    def bootstrap(self, metric: str | None = None, *, relative: bool = False, replicates: int = 10_000, seed: int = 0) -> Table:
        """metric, arm, difference, standard_error, low, high, cells: percentile intervals by Poisson weights on merged units. Not adjusted by covariates."""
        rows = []
        for m, arm in self._pairs(metric):
            b = self._units.bootstrap(m, self._arm(self.control), self._arm(arm), relative, replicates, self._level, seed)
            rows.append({"metric": self.metrics[m], "arm": arm, "difference": b.estimate, "standard_error": b.standard_error, "low": b.low, "high": b.high, "cells": b.cells})
        return _words.table(rows, ["metric", "arm", "difference", "standard_error", "low", "high", "cells"])

    def always_valid(self, metric: str | None = None, *, tuning: float | None = None, relative: bool = False) -> Table:
        """metric, arm, difference, low, high, p: valid at every look at once, however often one looks. `tuning`: the number of units at which it is tightest (default: those there are)."""
        def one(m: int, a: Arm, b: Arm) -> Any:
            return statistics.always_valid(a, b, tuning=tuning or a.n + b.n, statistic=self._kinds[m], relative=relative, level=self._level)

        return self._each(metric, one, {"difference": "estimate", "low": "low", "high": "high", "p": "p"})

    def bayes(self, metric: str | None = None, *, prior: tuple[float, float] | None = None, relative: bool = True) -> Table:
        """metric, arm, effect, low, high, chance (that the arm is better), loss_if_arm, loss_if_control: normal likelihood, `prior` = (mean, variance) of the effect or flat."""
        def one(m: int, a: Arm, b: Arm) -> Any:
            return statistics.bayes(a, b, prior=prior, statistic=self._kinds[m], relative=relative, level=self._level)

        return self._each(metric, one, {"effect": "mean", "low": "low", "high": "high", "chance": "chance_b", "loss_if_arm": "loss_if_b", "loss_if_control": "loss_if_a"})

    def sequential(self, planned: float, earlier: Sequence[Experiment] = (), metric: str | None = None, *, spending: str | Mapping[str, float] = "obrien-fleming") -> Table:
        """metric, arm, look, fraction, bound, difference, low, high, stop: looks that were planned, the `earlier` ones (the same experiment, asked before) and this one last.

        `planned`: units in all arms at the end. The level is split over the arms held against the control (Bonferroni). `spending`: obrien-fleming, pocock, {"power": 2}.
        """
        rows = []
        for m, arm in self._pairs(metric):
            looks = [*earlier, self]
            pairs = [(e.sums(self.metrics[m], self.control), e.sums(self.metrics[m], arm)) for e in looks]
            found = statistics.sequential_intervals(pairs, planned, self._level, spending, len(self.arms) - 1, [sum(e._counts) for e in looks]).to_pylist()
            rows += [{"metric": self.metrics[m], "arm": arm, "look": k + 1, **r} for k, r in enumerate(found)]
        return _words.table(rows, ["metric", "arm", "look", "fraction", "bound", "difference", "low", "high", "stop"])

    def power(self, lift: float, metric: str | None = None) -> Table:
        """metric, arm, power, detectable, n_for_80: the chance to have seen a relative effect of `lift` with these arms, the smallest lift seen at 80 %, the units in all for that power.

        Planned with the control's value and variance and arms of equal size.
        """
        rows = []
        for m, arm in self._pairs(metric):
            a, b = self._sums[m][self._arm(self.control)], self._sums[m][self._arm(arm)]
            if self._kinds[m] not in ("mean", "cuped") or a.mean == 0 or a.variance == 0:
                continue
            known: dict[str, Any] = {"mean": a.mean, "variance": a.variance, "alpha": 1 - self._level}
            rows.append({"metric": self.metrics[m], "arm": arm, "power": statistics.power(lift, n=a.n + b.n, **known), "detectable": statistics.detectable(a.n + b.n, **known),
                         "n_for_80": statistics.sample_size(lift, **known)})  # fmt: skip
        return _words.table(rows, ["metric", "arm", "power", "detectable", "n_for_80"])

    def plot(self, ax: Any = None, *, relative: bool = True) -> Any:
        """The effects with their intervals, a line for each metric and arm; takes and returns a Matplotlib `ax`."""
        rows = self._rows.to_pylist()
        ax = _plot.axes(ax, 7, 1 + 0.4 * len(rows))
        value, low, high = ("lift", "lift_low", "lift_high") if relative else ("difference", "low", "high")
        for y, r in enumerate(rows):
            if r[value] is None or r[low] is None:
                continue
            colour = _plot.GREY if not r["significant"] else _plot.GREEN if r[value] > 0 else _plot.RED
            ax.plot([r[low], r[high]], [y, y], color=colour, linewidth=1.4)
            ax.plot(r[value], y, "o", color=colour)
        ax.axvline(0, color=_plot.GREY, linewidth=0.8, linestyle="--")
        ax.set_yticks(range(len(rows)), [f"{r['metric']}, {r['arm']}" for r in rows])
        ax.set(xlabel=f"{'lift' if relative else 'difference'} against {self.control} ({self._level:.0%} intervals)", ylim=(len(rows) - 0.5, -0.5))
        if relative:
            _plot._in_units(ax.xaxis, "percent")
        ax.spines[["top", "right"]].set_visible(False)
        return ax

    def summary(self) -> str:
        """One paragraph: what was found, how sure, and what would change it."""
        parts, rows = [], self._rows.to_pylist()
        if self.split_p < 0.001:
            parts.append(f"The arms have not the sizes they should have (p {_words.p(self.split_p)}): something is wrong with the assignment, and the rest should not be believed before that is found.")
        sure = [r for r in rows if r["significant"]]
        for r in sorted(sure, key=lambda r: r["p_adjusted"])[:4]:
            by = f"{abs(r['difference']):.4g}" if r["lift"] is None else f"{abs(r['lift']):.1%} ({self._level:.0%} sure: {r['lift_low']:.1%} to {r['lift_high']:.1%})"
            parts.append(f"{r['arm']} {'raised' if r['difference'] > 0 else 'lowered'} {r['metric']} by {by}, from {r['control_value']:.4g} to {r['value']:.4g}; so much by chance has a p of {_words.p(r['p_adjusted'])} after correction.")
        if len(sure) > 4:
            parts.append(f"{len(sure) - 4} more differences are real by the same measure.")
        open_rows = [r for r in rows if not r["significant"]]
        if open_rows:
            names = "; ".join(f"{r['metric']} of {r['arm']}" for r in open_rows[:4])
            parts.append(f"No difference could be told from chance in {names}{' and others' if len(open_rows) > 4 else ''}: that is not a proof that there is none.")
        unclear = [r for r in open_rows if r["lift"]]
        if unclear:
            r = unclear[0]
            m, known = self._metric(r["metric"]), self._sums[self._metric(r["metric"])][self._arm(self.control)]
            if self._kinds[m] in ("mean", "cuped") and known.mean:
                n = statistics.sample_size(r["lift"], mean=known.mean, variance=known.variance, alpha=1 - self._level)
                if n is not None:
                    parts.append(f"Were the lift of {r['arm']} in {r['metric']} truly {r['lift']:.1%}, about {n:,.0f} units in both arms would show it four times in five.")
        parts.append("The intervals hold for one look at the end; who looks more often should read `always_valid()`.")
        return " ".join(parts)

    def __len__(self) -> int:
        return len(self._rows)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._rows.__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        return f"{self.summary()}\n{self._rows!r}"

    def _repr_html_(self) -> str:
        return _words.paragraph(self.summary()) + self._rows._repr_html_()

    # ---- how
    def _metric(self, name: str) -> int:
        if name not in self.metrics:
            raise Error("name.unknown", "metric", f"there is no metric {name}; there are {', '.join(self.metrics)}")
        return self.metrics.index(name)

    def _arm(self, name: str) -> int:
        if name not in self.arms:
            raise Error("name.unknown", "arm", f"there is no arm {name}; there are {', '.join(self.arms)}")
        return self.arms.index(name)

    def _pairs(self, metric: str | None = None) -> list[tuple[int, str]]:
        chosen = range(len(self.metrics)) if metric is None else [self._metric(metric)]
        return [(m, a) for m in chosen for a in self.arms if a != self.control]

    def _each(self, metric: str | None, one: Any, names: Mapping[str, str]) -> Table:
        rows = []
        for m, arm in self._pairs(metric):
            found = one(m, self._sums[m][self._arm(self.control)], self._sums[m][self._arm(arm)])
            rows.append({"metric": self.metrics[m], "arm": arm, **{n: None if found is None else getattr(found, source) for n, source in names.items()}})
        return _words.table(rows, ["metric", "arm", *names])

    def _compared(self) -> Table:
        rows: list[dict[str, Any]] = []
        for m, arm in self._pairs():
            a, b = self._sums[m][self._arm(self.control)], self._sums[m][self._arm(arm)]
            plain = statistics.compare(a, b, statistic=self._kinds[m], level=self._level)
            lift = statistics.compare(a, b, statistic=self._kinds[m], level=self._level, relative=True)
            row: dict[str, Any] = dict.fromkeys(EFFECT)
            row |= {"metric": self.metrics[m], "arm": arm, "control": self.control, "n": b.n, "n_control": a.n}
            if plain is not None:
                row |= {"value": plain.value_b, "control_value": plain.value_a, "difference": plain.estimate, "low": plain.low, "high": plain.high, "p": plain.p}
            elif self._kinds[m] == "mean" and a.n and b.n:
                row |= {"value": b.mean, "control_value": a.mean, "difference": b.mean - a.mean}
            if lift is not None:
                row |= {"lift": lift.estimate, "lift_low": lift.low, "lift_high": lift.high}
            rows.append(row)
        known = [r for r in rows if r["p"] is not None]
        for r, p in zip(known, statistics.adjust_p([r["p"] for r in known], self._rule), strict=True):
            r["p_adjusted"] = p
        for r in rows:
            r["significant"] = r["p_adjusted"] is not None and r["p_adjusted"] < 1 - self._level
        return _words.table(rows, ["metric", "arm", "control", "n", "n_control", *EFFECT])


def _with_arms(run: Run, split: str) -> tuple[History, Expression]:
    """The history of a run, with the arm of each contact as an attribute since the instant of its first split."""
    import pyarrow

    table = run.splits.to_arrow()
    there = sorted({f"{w}.{s}" for w, s in zip(table["workflow"].to_pylist(), table["step"].to_pylist(), strict=True)})
    if split not in there:
        raise Error("name.unknown", "split", f"nobody went through a split {split}; there are {', '.join(there) or 'none'}")
    rows: dict[Any, Any] = {}
    for r in table.to_pylist():
        if f"{r['workflow']}.{r['step']}" == split:
            rows.setdefault(r["contact_id"], r)
    ids = pyarrow.array(list(rows), table.schema.field("contact_id").type)
    changes = pyarrow.table({"contact_id": ids, "timestamp": pyarrow.array([r["at"] for r in rows.values()], pyarrow.timestamp("us", "UTC")), split: [r["arm"] for r in rows.values()]})
    history = History._of(run.history._core)
    return history.append(contacts=changes), attr(split)


def _pair(x: Any) -> tuple[Any, Any]:
    return (x[0], x[1]) if isinstance(x, tuple) else (x, None)


def experiment(
    source: History | Any,
    *,
    arm: Expression | str | None = None,
    split: str | None = None,
    metrics: Mapping[str, Metric] | Sequence[str],
    control: str | None = None,
    before: Mapping[str, Metric] | None = None,
    weights: Mapping[str, float] | None = None,
    level: float = 0.95,
    correction: str = "holm",
    until: Instant | None = None,
    segments: Mapping[str, Expression | str] | None = None,
    timezone: str = "UTC",
    playbook: Playbook | None = None,
) -> Experiment:
    """Whether arms differ, by how much, and how sure that is.

    >>> e = jm.experiment(history, arm="variant", metrics={"bought": "did(purchase)", "spend": "sum(purchase.amount)", "basket": ("sum(purchase.amount)", "count(purchase)")})
    >>> e.summary(), e.split_p, e.bootstrap("spend"), e.always_valid(), e.bayes()
    >>> jm.experiment(run, split="webinar.offer", metrics={"bought": 'did(purchase, since changed_time(attr("webinar.offer")))'})
    >>> jm.experiment(table, arm="segment", metrics=["visit", "spend"], control="No E-Mail")

    From a history: `arm` is an expression, its texts the arms; who lacks one takes no part. Metrics are expressions (numbers, durations in days, yes/no; missing counts
    as 0) asked of each contact at `until` (default: the end); a pair is a ratio of sums. From a table, one row a unit: names of columns.
    From a run: `split` is "workflow.step" of a split; the arm of a contact is the step it led to the first time, an attribute of that name since that instant, so that
    `changed_time(attr("workflow.step"))` in a metric is when the contact was split.
    `before`: by metric, the same before the experiment, to adjust by (CUPED: Deng et al., 2013; theta from both arms). `control`: default the first arm in order.
    `weights`: the shares that the arms should have (default: equal), for the sample-ratio check. Differences by Welch (1947), lifts by the delta method; `correction` over all
    rows: holm, benjamini-hochberg, bonferroni, none. Raises `Error`: those of the type check, `name.unknown`, `input.column`, `statistics.level`.
    """
    named: dict[str, Metric] = dict(metrics) if isinstance(metrics, Mapping) else {m: m for m in metrics}
    if not named:
        raise Error("statistics.columns", "metrics", "an experiment compares at least one metric")
    before = dict(before or {})
    if unknown := sorted(set(before) - set(named)):
        raise Error("name.unknown", "before", f"{', '.join(unknown)} stands in `before` and is no metric")
    parts: dict[str, list[Any]] = {}
    kinds = []
    for name, x in named.items():
        value, den = _pair(x)
        pre, pre_den = _pair(before.get(name))
        if pre is not None and (den is None) != (pre_den is None):
            raise Error("statistics.columns", f"before.{name}", "a ratio is adjusted by a ratio, and a mean by a mean")
        parts[name] = [value, den, pre, pre_den]
        kinds.append(("ratio" if den is not None else "mean") if pre is None else "ratio_cuped" if den is not None else "cuped")
    if isinstance(source, Run):
        if split is None:
            raise TypeError('an experiment of a run needs `split`, such as "webinar.offer"')
        source, arm = _with_arms(source, split)
    elif split is not None:
        raise TypeError("`split` is that of a run: give playbook.replay(history) in place of the history")
    if arm is None:
        raise TypeError("an experiment needs `arm`")
    if isinstance(source, History):
        asked = [(n, [None if p is None else _predicate(p) for p in four]) for n, four in parts.items()]
        units = _core._experiment_of(source._core, _predicate(arm), asked, _convert.instant_or_none(until), source._words(playbook, segments, timezone))
    else:
        columns = _columns.Columns(source, "experiment")
        codes, arms = _columns.codes(columns[str(arm)], str(arm))
        units = _core._experiment_from(arms, codes, [(n, [None if p is None else _columns.numbers(columns[str(p)], str(p)) for p in four]) for n, four in parts.items()])
    if len(units.arms) < 2:
        raise Error("statistics.columns", "arm", f"an experiment has two arms at least; there is {', '.join(units.arms) or 'none'}")
    if control is None:
        control = units.arms[0]
    elif control not in units.arms:
        raise Error("name.unknown", "control", f"there is no arm {control}; there are {', '.join(units.arms)}")
    if unknown := sorted(set(weights or {}) - set(units.arms)):
        raise Error("name.unknown", "weights", f"there is no arm {', '.join(unknown)}; there are {', '.join(units.arms)}")
    return Experiment(units, kinds, control, weights, level, correction)
