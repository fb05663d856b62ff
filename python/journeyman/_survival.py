"""How long until it happens: time to convert, time to churn."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from . import _columns, _convert, _core, _plot, _words
from ._convert import Duration, Instant
from ._expression import Expression, Selector, _selector
from ._history import History
from ._table import Table

if TYPE_CHECKING:
    from ._playbook import Playbook


class Logrank:
    """Whether curves differ: `chi2`, `df`, `p`, and by group how many events were `observed` and `expected` had all groups one curve."""

    def __init__(self, core: _core._Logrank, groups: list[str]) -> None:
        self.chi2, self.p, self.df = core.chi2, core.p, core.degrees
        self.observed = dict(zip(groups, core.observed, strict=True))
        self.expected = dict(zip(groups, core.expected, strict=True))

    def __repr__(self) -> str:
        return f"<Logrank: chi2 {self.chi2:.4g} on {self.df} degrees of freedom, p {self.p:.3g}>"


class Survival(Table):
    """Curves of those for whom it has not happened yet: group, time, at_risk, events, censored, survival, low, high, hazard, hazard_low, hazard_high.

    Survival is Kaplan and Meier's (1958) with the log-log interval, the cumulative hazard Nelson's and Aalen's with the log interval. Made by `journeyman.survival`.
    """

    def __init__(self, curves: _core._SurvivalCurves, groups: list[str], test: Logrank | None, unit: str, what: str, level: float, subjects: Table | None) -> None:
        self._curves = curves
        self._table: _core._Table | None = None
        self.group_names = groups
        """The groups, in order; one empty text where there is no `by`."""
        self.test = test
        """The log-rank test over the groups; None for fewer than two."""
        self.subjects = subjects
        """contact_id, group, time, event: what the curves are made of, where they come from a history."""
        self._unit, self._what, self._level = unit, what, level

    @functools.cached_property
    def groups(self) -> Table:
        """group, subjects, events, median, median_low, median_high, restricted_mean (up to the last time every group saw)."""
        return _words._Rows(Table(self._curves.summary(self.group_names)).to_arrow())

    @property
    def _core(self) -> _core._Table:  # type: ignore[override]
        if self._table is None:
            self._table = self._curves.table(self.group_names)
        return self._table

    def at(self, times: Iterable[float]) -> Table:
        """group, time, at_risk, survival, low, high at any times; missing before the first row. At risk is who has time >= t and entry < t."""
        rows = []
        for g, name in enumerate(self.group_names):
            for t in times:
                row = self._curves.row_at(g, t)
                s, low, high = (None, None, None) if row is None else self._curves.survival(g, row)
                rows.append({"group": name, "time": float(t), "at_risk": self._curves.at_risk(g, t), "survival": s, "low": _words.number(low), "high": _words.number(high)})
        return _words.table(rows, ["group", "time", "at_risk", "survival", "low", "high"])

    def quantile(self, share: float = 0.5) -> Table:
        """group, time, low, high: the first time at which at most `share` are left; missing where that is never."""
        rows = [dict(zip(("group", "time", "low", "high"), (name, *self._curves.quantile(g, share)), strict=True)) for g, name in enumerate(self.group_names)]
        return _words.table(rows, ["group", "time", "low", "high"])

    def plot(self, ax: Any = None, *, cumulative_hazard: bool = False, interval: bool = True, happened: bool = False) -> Any:
        """Draws the curves as steps, with their intervals, by Matplotlib; takes and returns its `ax`. `happened` shows 1 - survival: the share converted, or lost."""
        ax = _plot.axes(ax, 7, 3.6)
        rows = self.to_arrow().to_pydict()
        for g, name in enumerate(self.group_names):
            chosen = [k for k, x in enumerate(rows["group"]) if x == name]
            column = {c: [float("nan") if rows[c][k] is None else rows[c][k] for k in chosen] for c in rows if c != "group"}
            y, low, high = ("hazard", "hazard_low", "hazard_high") if cumulative_hazard else ("survival", "low", "high")
            if happened and not cumulative_hazard:
                for c in (y, low, high):
                    column[c] = [1 - v for v in column[c]]
            colour = f"C{g}"
            ax.step(column["time"], column[y], where="post", color=colour, label=name or None)
            if interval:
                ax.fill_between(column["time"], column[low], column[high], step="post", color=colour, alpha=0.15, linewidth=0)
        ax.set(xlabel=self._unit, ylabel="cumulative hazard" if cumulative_hazard else "share for whom it happened" if happened else "share for whom it has not happened")
        ax.set_ylim(bottom=0, top=None if cumulative_hazard else 1.02)
        if len(self.group_names) > 1:
            ax.legend(frameon=False, fontsize="small")
        ax.spines[["top", "right"]].set_visible(False)
        return ax

    def summary(self) -> str:
        """One paragraph: what was found, how sure, and what would change it."""
        parts, rows = [], self.groups.to_pylist()
        if not any(r["subjects"] for r in rows):
            return "There are no subjects, so that nothing can be said."
        for r in rows:
            who = f"Of {r['subjects']:,} subjects{' in ' + r['group'] if r['group'] else ''}, {r['events']:,} have had it ({_words.percent(r['events'], r['subjects'])})"
            if r["median"] is None:
                parts.append(f"{who}; more than half of them are still without it at the end.")
            else:
                parts.append(f"{who}; half have had it by {r['median']:.4g} {self._unit}{_words.between(r['median_low'], r['median_high'], self._level)}.")
        if self.test is not None:
            t = self.test
            if t.p < 0.05:
                more = max(self.group_names, key=lambda g: t.observed[g] / t.expected[g] if t.expected[g] else 0)
                parts.append(f"The groups differ (log-rank chi-squared {t.chi2:.4g}, p {_words.p(t.p)}): it happens most in {more}, {t.observed[more]:.4g} times against {t.expected[more]:.4g} expected were all alike.")
            else:
                parts.append(f"That the groups are alike cannot be excluded (log-rank chi-squared {t.chi2:.4g}, p {_words.p(t.p)}).")
        censored = sum(r["subjects"] - r["events"] for r in rows)
        parts.append(f"{censored:,} are censored: the curves hold if those are no different from the ones still observed, and change as their time goes on.")
        return " ".join(parts)

    def __repr__(self) -> str:
        return f"{self.summary()}\n{self.groups!r}"

    def _repr_html_(self) -> str:
        return _words.paragraph(self.summary()) + self.groups._repr_html_()


def survival(
    source: History | Any,
    *,
    start: Selector | str | None = None,
    event: Selector | str | None = None,
    lapse: Duration | None = None,
    by: str | Iterable[str] = (),
    until: Instant | None = None,
    time: str = "time",
    entry: str | None = None,
    unit: str = "d",
    level: float = 0.95,
    segments: Mapping[str, Expression | str] | None = None,
    timezone: str = "UTC",
    playbook: Playbook | None = None,
) -> Survival:
    """How long until it happens, for whom it has happened and for whom it has not yet.

    >>> jm.survival(history, start="lead", event="purchase", by="channel").plot()          # time to convert
    >>> jm.survival(history, start="purchase", lapse="60d").summary()                      # time to churn: 60 days without a purchase
    >>> jm.survival({"time": [6, 6, 7], "event": [1, 0, 1], "arm": ["a", "b", "b"]}, by="arm").test

    From a history: the clock starts at a contact's first `start` and ends at its first `event` after it (at the same instant too, unless both
    are the same selector); who has none by `until` (default: the end of the history) is censored there. With `lapse` it ends instead when
    there has been no `event` (default: `start`) for so long, counted from `start` and then from each. `by` is read at the start: its
    properties, attributes (`contact.x`), expressions such as `segment("vip")`. Times are in `unit` ("d", "h", "30d").
    From a table: columns `time`, `event` (yes/no or 1/0; without such a column it happened to all) and, named, `entry` (late entry) and `by`.
    Raises `Error`: those of the type check, `survival.columns`, `survival.lapse`, `input.column`.
    """
    by = _words.dimensions(by, playbook)
    micros = _words.microseconds(unit)
    name = {"d": "days", "h": "hours", "w": "weeks", "m": "minutes", "s": "seconds"}.get(unit.removeprefix("1"), f"× {unit}")
    if isinstance(source, History):
        if start is None or (event is None and lapse is None):
            raise TypeError("survival of a history needs `start` and `event`, or `start` and `lapse`")
        known = source.schema["events"]
        begin = _selector(start, known)
        end = begin if event is None else _selector(event, known)
        words = source._words(playbook, segments, timezone)
        length = None if lapse is None else _convert.duration(lapse)
        core = _core._survival_of(source._core, begin, end, length, by, _convert.instant_or_none(until), micros, words)
        groups = core.groups
        test = Logrank(core.logrank(), groups) if len(groups) > 1 else None
        return Survival(core.curves(level), groups, test, name, begin.text(), level, Table(core.table(source._core)))
    columns = _columns.Columns(source, "survival")
    times = _columns.numbers(columns[time], time, unit=micros)
    happened = event if isinstance(event, str) else "event"
    events = _columns.flags(columns.given(happened), happened) if event is not None or happened in columns else None
    entries = None if entry is None else _columns.numbers(columns[entry], entry, unit=micros)
    group, groups = (None, [""]) if not by else _columns.codes(columns.together(by), " · ".join(by))
    test = Logrank(_core._logrank(times, events, entries, group, len(groups), "none"), groups) if len(groups) > 1 else None
    curves = _core._survival_curves(times, events, entries, group, max(1, len(groups)), level)
    return Survival(curves, groups or [""], test, name, time, level, None)
