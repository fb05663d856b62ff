"""KPIs: their table, states that merge, and why one changed."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from . import _core, _plot, _values
from ._error import Problem, Problems
from ._table import Table


class Kpis(Table):
    """Values of KPIs by period and cell, with counts, interval, target and status."""

    def __init__(self, core: _core._KpiReport, definition: Mapping[str, Any], distinct_error: float = 0.0) -> None:
        super().__init__(core.rows)
        self.unscoped_spend = Table(core.unscoped_spend)
        """kpi, period, amount: what a KPI with a scope could not count, because the spend names no segment."""
        self.improve = Table(core.improve)
        """kpi, period, action, workflow, campaign: what improves the KPIs that missed their target."""
        self.trend = Table(core.trend)
        """kpi, scope, dimensions…, periods, first, last, change, slope, p, trend, better: how each cell went over its last whole periods, 36 at most.

        `change` is from the period before the last, `slope` by period (Sen's median slope), `p` of Mann and Kendall's test; `trend` is rising
        or falling where p is below 1 − level, else none; `better`: whether that is the direction of the KPI.
        """
        self.definitions: Mapping[str, dict[str, Any]] = definition.get("kpis", {})
        """Name to written form: title, unit, every, …"""
        self.timezone: str = definition["timezone"]
        self.currency: str = definition.get("currency", "")
        self.distinct_error = distinct_error
        """The standard error, relative, that `accounts` was counted with; 0: exactly."""
        self.problems = Problems(Problem(p) for p in core.problems)
        """Why there are no rows, where there are none; dimensions that nothing has."""
        for problem in self.problems:
            warnings.warn(str(problem), stacklevel=3)

    @property
    def dimensions(self) -> list[str]:
        """The columns by which KPIs are broken down."""
        columns = self.columns
        return columns[columns.index("partial") + 1 : columns.index("value")]

    def totals(self) -> dict[str, list[dict[str, Any]]]:
        """KPI to its rows over all values of its dimensions, period by period."""
        found: dict[str, list[dict[str, Any]]] = {}
        names = self.dimensions
        for r in self.to_pylist():
            by_campaign = r["campaign"] is not None and r["period"] is not None   # `campaign` as a dimension
            if not by_campaign and all(r[d] is None for d in names):
                found.setdefault(r["kpi"], []).append(r)
        return found

    def written(self, kpi: str, x: float | None) -> str:
        """A value of this KPI as its unit says: `12.3 %`, `€ 1,234.50`, `2.5 days`."""
        return _values.value(x, self.definitions[kpi].get("unit", ""), self.currency)

    def written_interval(self, row: Mapping[str, Any]) -> str:
        """The interval of a row, in the unit of its KPI."""
        return _values.interval(row["low"], row["high"], self.definitions[row["kpi"]].get("unit", ""), self.currency)

    def written_period(self, row: Mapping[str, Any]) -> str:
        """The period of a row in the playbook's calendar, or its campaign; with … where it is not over."""
        return _values.when(row, self.definitions[row["kpi"]]["every"], self.timezone)

    def plot(self, kpi: str | None = None, by: str | None = None, ax: Any = None) -> Any:
        """The values of one KPI over time (or by campaign), with interval and target; hollow where the period is not over.

        `kpi` may be left out when there is one; `by` draws a line for each value of a dimension. Takes and returns a Matplotlib `ax`.
        """
        rows = self.to_pylist()
        names = list(dict.fromkeys(r["kpi"] for r in rows))
        if kpi is None and len(names) == 1:
            kpi = names[0]
        if kpi is None or kpi not in names:
            raise ValueError(f"{'name one of the KPIs' if kpi is None else f'there is no KPI {kpi!r} here'}: {', '.join(names)}")
        if by is not None and by not in self.dimensions:
            raise ValueError(f"{by!r} is no dimension here: {', '.join(self.dimensions) or 'there are none; ask kpis(by=…)'}")
        mine = [r for r in rows if r["kpi"] == kpi and all((r[d] is not None) == (d == by) for d in self.dimensions)]
        return _plot.kpi(kpi, mine, by, self.definitions[kpi], self.timezone, ax)


class KpiState:
    """KPIs counted over a part of the contacts: saved, taken elsewhere, merged with the others, and read.

    >>> state = playbook.kpi_state(history, start="2026-01-01T00:00:00Z", end="2026-04-01T00:00:00Z")
    >>> jm.KpiState(bytes(state)).kpis()
    """

    def __init__(self, data: bytes | None = None) -> None:
        """From its bytes; without them, of nothing. Raises `Error` (kpi.state) for what is no such bytes."""
        self._core = _core._KpiState() if data is None else _core._KpiState.from_bytes(bytes(data))

    @classmethod
    def _of(cls, core: _core._KpiState) -> KpiState:
        state = cls()
        state._core = core
        return state

    def __bytes__(self) -> bytes:
        return self._core.to_bytes()

    def merge(self, other: KpiState | bytes) -> KpiState:
        """Both together, as a new state. Raises `Error` (kpi.state) when they were not counted alike: other playbooks, instants or options."""
        return merge_kpis([self, other])

    def kpis(self, level: float = 0.95) -> Kpis:
        """The table of the KPIs, exactly that of one pass over all the contacts."""
        report = self._core.kpis(level)
        return Kpis(report, json.loads(self._core.definitions()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KpiState) and bytes(self) == bytes(other)

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, tuple[bytes]]:
        return KpiState, (bytes(self),)

    def __repr__(self) -> str:
        return f"<KpiState of {len(bytes(self)):,} bytes>"


def merge_kpis(states: Iterable[KpiState | bytes]) -> KpiState:
    """States of different contacts, counted by one playbook from one start to one end, as one; in any order, the same to the bit.

    Each row of spend belongs in one of the parts alone.
    """
    sum_ = _core._KpiState()
    for s in states:
        sum_.merge(s._core if isinstance(s, KpiState) else _core._KpiState.from_bytes(bytes(s)))
    return KpiState._of(sum_)


class Diagnosis:
    """Why a KPI changed, and where money buys the most. Made by `Playbook.diagnose`."""

    def __init__(self, core: _core._Diagnosis, definition: Mapping[str, Any], shift: float, returns: float) -> None:
        self.change = Table(core.change)
        """One row: kpi, period, campaign, against, against_campaign, value, low, high, before, before_low, before_high, change, change_low, change_high, certain."""
        self.parts = Table(core.parts)
        """dimension, cell (missing: the whole), value, before, share, share_before, effect, mix, rate, rest, by size of effect.

        The change is the sum of the effects and `rest`; an effect is `mix` (the cell's share changed) and `rate` (its value changed).
        `rest` is what is left because contacts stand in several cells, or because the KPI is neither a ratio nor a sum.
        """
        self.costs = Table(core.costs)
        """dimension, cell, spend, count, cost, low, high, rank, certain: of a KPI that is money per something, the cheapest first."""
        self.moves = Table(core.moves)
        """dimension, from, to, amount, lost, gained, net, low, high: what moving money to the cheapest would have brought."""
        self.shift, self.returns = shift, returns
        self._definition = definition

    @property
    def assumptions(self) -> str:
        """What `moves` takes for granted."""
        law = "each unit of money brings what the average one brought" if self.returns == 1 else f"what comes of money grows as its power {self.returns:g}"
        return f"{self.shift:.0%} of each cell's spend in the period is moved; {law}; what is counted is as good wherever it comes from, and nothing else changes."

    def summary(self) -> str:
        """What was found, in a paragraph."""
        row = self.change.to_pylist()[0]
        kpi = self._definition["kpis"][row["kpi"]]
        unit, currency, zone = kpi.get("unit", ""), self._definition.get("currency", ""), self._definition["timezone"]

        def name(period: Any, campaign: str | None) -> str:
            return campaign or _values.period(period, kpi["every"], zone)

        title, now, before = kpi.get("title", row["kpi"]), name(row["period"], row["campaign"]), name(row["against"], row["against_campaign"])
        if row["change"] is None:
            return f"{title}: no value in {now if row['value'] is None else before}, so nothing to compare."
        said = [f"{title} was {_values.value(row['value'], unit, currency)} in {now}, {_values.change(row['change'], unit, currency)} from {before}"]
        said[0] += "; more than chance makes." if row["certain"] else "; chance alone may do that." if row["change_low"] is not None else "."
        for dimension in dict.fromkeys(r["dimension"] for r in self.parts.to_pylist()):
            cells = [r for r in self.parts.to_pylist() if r["dimension"] == dimension and r["cell"] is not None and r["effect"]]
            told = []
            for r in cells[:2]:
                if abs(r["effect"]) < abs(cells[0]["effect"]) / 20:   # beside the first it is nothing
                    continue
                mostly = "" if r["mix"] is None else ", by its share" if abs(r["mix"]) > abs(r["rate"]) else ", by its value"
                cell = "in no segment" if (dimension, r["cell"]) == ("segment", "(missing)") else r["cell"]
                told.append(f"{cell} {_values.change(r['effect'], unit, currency)}{mostly}")
            if told:
                said.append(f"By {dimension}: {'; '.join(told)}.")
        for r in self.moves.to_pylist()[-1:]:
            gain = f"{r['net']:+,.1f}" + ("" if r["low"] is None else f" ({r['low']:+,.1f} to {r['high']:+,.1f})")
            said.append(f"Moving {_values.value(r['amount'], 'money', currency)} from {r['from']} to {r['to']} would have brought {gain}: {self.assumptions}")
        return " ".join(said)

    def plot(self, dimension: str | None = None, ax: Any = None) -> Any:
        """A bar a cell, mix and rate apart, of one dimension (default: the first). Takes and returns a Matplotlib `ax`."""
        rows = self.parts.to_pylist()
        chosen = dimension or rows[0]["dimension"]
        if chosen not in {r["dimension"] for r in rows}:
            raise ValueError(f"{dimension!r} is no dimension here: {', '.join(dict.fromkeys(r['dimension'] for r in rows))}")
        change = self.change.to_pylist()[0]
        return _plot.diagnosis([r for r in rows if r["dimension"] == chosen], self._definition["kpis"][change["kpi"]], change["kpi"], ax)

    def __repr__(self) -> str:
        return f"<Diagnosis: {self.summary()}>"

    def _repr_html_(self) -> str:
        import html

        tables = "".join(f"<h4>{name}</h4>{t._repr_html_()}" for name, t in (("parts", self.parts), ("costs", self.costs), ("moves", self.moves)) if len(t))
        return f"<p>{html.escape(self.summary())}</p>{tables}"
