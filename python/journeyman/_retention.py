"""Cohorts and retention, and smaller questions about coming back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import _convert, _core, _plot_funnel
from ._convert import Day, Duration, Instant
from ._expression import Expression, Selector, _predicate
from ._funnel import _as_list
from ._history import History, _only_one, _warn_unseen
from ._playbook import Playbook
from ._table import Table

By = str | Expression | Sequence[str | Expression]


def _selector(x: Selector | str) -> _core._Selector:
    return x._core if isinstance(x, Selector) else _core._Selector.parse(x)


def _words(playbook: Playbook | None, segments: Mapping[str, Expression | str] | None) -> tuple[dict[str, _core._Expression], _core._Playbook | None]:
    if playbook is not None:
        _only_one(segments)
    return {k: _predicate(v) for k, v in (segments or {}).items()}, None if playbook is None else playbook._core


class Retention(Table):
    """by…, cohort (its first instant), interval, last_interval, size, contacts, matured, share, low, high, [events], [sum]: a row for each cohort and interval.

    `size` started; `contacts` of them were active in the interval (in interval 0 all stand, whatever they did); `share` is over those whose
    interval is over at the end of the history (`matured`), with a Wilson interval: missing where it is over for none. `events` and `sum` are of
    the returning events in the interval. Of the total the dimensions are missing.
    """

    def __init__(self, core: _core._RetentionReport, every: str, timezone: str) -> None:
        super().__init__(core.rows)
        self.again = Table(core.again)
        """by…, cohort (missing: all), size, again, share, low, high: who has a returning event after the start event, whenever (repurchase)."""
        self.every = every
        self.timezone = timezone

    @property
    def dimensions(self) -> list[str]:
        """The columns it is broken down by."""
        columns = self.columns
        return columns[: columns.index("cohort")]

    def matrix(self, value: str = "contacts", **cell: str) -> list[list[Any]]:
        """A row a cohort, a column an interval, of one column of the table; with `channel="ads"` of that cell, else of the total."""
        self._check(cell)
        table = self.to_arrow()
        if value not in table.column_names:
            raise ValueError(f"{value!r}: no column here; there are {', '.join(table.column_names[len(self.dimensions) + 1 :])}" + (' (sums: ask retention(sum="PROPERTY"))' if "sum" not in table.column_names else ""))
        cohorts, values = table["cohort"].cast("int64").to_pylist(), table[value].to_pylist()
        keys = [(table[d].to_pylist(), cell.get(d)) for d in self.dimensions]
        rows: dict[int, list[Any]] = {}
        for k, (cohort, x) in enumerate(zip(cohorts, values, strict=True)):
            if all(column[k] == wanted for column, wanted in keys):
                rows.setdefault(cohort, []).append(x)
        return list(rows.values())

    def _check(self, cell: Mapping[str, str]) -> None:
        unknown = set(cell) - set(self.dimensions)
        if unknown:
            raise ValueError(f"{', '.join(sorted(unknown))}: no dimension here; there are {', '.join(self.dimensions) or 'none, ask retention(by=…)'}")
        for d, wanted in cell.items():
            there = {x for x in self.to_arrow()[d].unique().to_pylist() if x is not None}
            if wanted not in there:
                raise ValueError(f"no contact has {d} {wanted!r}; there are {', '.join(sorted(there)[:20])}{', …' if len(there) > 20 else ''}")

    def _cell(self, cell: Mapping[str, str]) -> list[dict[str, Any]]:
        self._check(cell)
        return [r for r in self.to_pylist() if all(r[d] == cell.get(d) for d in self.dimensions)]

    def plot(self, value: str = "share", ax: Any = None, **cell: str) -> Any:
        """A heat map: cohorts down, intervals across; pale hatching where no interval is over yet. Takes and returns a Matplotlib `ax`."""
        return _plot_funnel.retention(self._cell(cell), value, self.every, self.timezone, ax)


def retention(
    history: History,
    start: Selector | str,
    returning: Selector | str | None = None,
    every: str = "month",
    *,
    mode: str = "calendar",
    returns: str = "on",
    brackets: Sequence[int] = (),
    start_rule: str = "first_time",
    min_occurrences: int = 1,
    from_: Day | None = None,
    to: Instant | None = None,
    intervals: int | None = None,
    cohorts: int | None = None,
    triangular: bool = True,
    where: Expression | str | None = None,
    audience: Expression | str | None = None,
    by: By = (),
    sum: str | None = None,
    count: bool = False,
    week_start: str | None = None,
    level: float = 0.95,
    playbook: Playbook | None = None,
    segments: Mapping[str, Expression | str] | None = None,
    timezone: str = "UTC",
) -> Retention:
    """Who comes back: contacts by the interval in which they started, and by the intervals after it in which they were active.

    >>> import journeyman as jm
    >>> at = "2026-0{}-{:02d}T12:00:00Z".format
    >>> rows = [("anna", 1, 5, 10), ("anna", 2, 1, 20), ("anna", 2, 2, 5), ("bea", 1, 31, 8), ("bea", 3, 1, 9), ("carl", 2, 14, 7), ("carl", 4, 30, 1)]
    >>> h = jm.History(events=[{"contact_id": c, "event": "purchase", "timestamp": at(m, d), "amount": a, "via": c[0]} for c, m, d, a in rows])
    >>> r = jm.retention(h, "purchase")
    >>> r.matrix()                                       # of the two of January one is back in February, the other in March
    [[2, 1, 1, 0], [1, 0, 1], [0, 0], [0]]
    >>> r.matrix("share")[0]                             # April is not over for certain until its last instant is
    [1.0, 0.5, 0.5, None]
    >>> [(a["size"], a["again"]) for a in r.again.to_pylist()][0]           # repurchase: all three came back some day
    (3, 3)

    `start` puts a contact into a cohort, `returning` (default: the same event) counts as coming back. Each rule, its default first:

    every = "month" | "week" | "day" | "hour": the interval, in `timezone` or the playbook's; `week_start` "monday" | "sunday".
        >>> jm.retention(h, "purchase", every="week", cohorts=1, intervals=6).matrix()
        [[1, 0, 0, 1, 1, 0]]

    mode = "calendar" | "24h": calendar intervals, or those of each contact from the instant of its own start (a day is 24 hours, a month a month).
        >>> jm.retention(h, "purchase", mode="24h").matrix()[0]             # anna's February purchases are within a month of her first
        [2, 1, 0, 0]

    returns = "on" | "on_or_after" | "bracket": active in the interval; in it or any later one of the table; in any of several: `brackets` [1, 2] are
        interval 1, then 2 and 3.
        >>> jm.retention(h, "purchase", returns="on_or_after").matrix()[0], jm.retention(h, "purchase", returns="bracket", brackets=[1, 2]).matrix()[0]
        ([2, 2, 1, 0], [2, 1, 1])

    start_rule = "first_time" | "first_in_range" | "every_period": the cohort of the first start ever (before `from_`: none), of the first in range,
        of each interval with a start.
        >>> [jm.retention(h, "purchase", from_=at(2, 1), start_rule=s).matrix()[0] for s in ("first_time", "first_in_range", "every_period")]
        [[1, 0, 1], [2, 0, 1], [2, 0, 1]]

    min_occurrences = 1: so many returning events make a contact active in an interval.
        >>> jm.retention(h, "purchase", min_occurrences=2).matrix()[0]
        [2, 1, 0, 0]

    from_, to: both in (of `from_` a bare day will do); the rows begin with the interval that holds `from_`. cohorts, intervals: how many rows and columns; triangular = True: only
    columns up to the last interval of the table.
        >>> jm.retention(h, "purchase", cohorts=2, intervals=3, triangular=False).matrix()
        [[2, 1, 1], [1, 0, 1]]

    where, audience: only such events; only contacts for whom it is yes at the end. by: properties, or expressions about the contact's first start
    event in range. sum: a property of the returning event, summed up; count: how many returning events too.
        >>> jm.retention(h, "purchase", where="amount > 7").matrix()[0]
        [2, 1, 1, 0]
        >>> jm.retention(h, "purchase", by="via").matrix(via="b")[0]
        [1, 0, 1, 0]
        >>> jm.retention(h, "purchase", sum="amount").matrix("sum")
        [[18.0, 25.0, 9.0, 0.0], [7.0, 0.0, 1.0], [0.0, 0.0], [0.0]]

    Raises `Error`: `retention.rule` with what contradicts, and what is wrong with events and expressions.
    """
    words, core = _words(playbook, segments)
    zone = timezone if playbook is None else playbook.timezone
    _warn_unseen(history, [start, *([] if returning is None else [returning])], playbook)
    report = _core._retention(
        history._core, _selector(start), None if returning is None else _selector(returning), every, mode, returns, list(brackets), start_rule, min_occurrences,
        _convert.instant_or_none(from_, zone), _convert.instant_or_none(to), intervals, cohorts, triangular, None if where is None else str(where), None if audience is None else _predicate(audience),
        _as_list(by), sum or "", count, week_start, level, words, timezone, core,
    )  # fmt: skip
    return Retention(report, every, zone)


def conditions(
    history: History,
    conditions: Sequence[Selector | str],
    *,
    unit: By = "contact",
    from_: Instant | None = None,
    to: Instant | None = None,
    where: Expression | str | None = None,
    audience: Expression | str | None = None,
    playbook: Playbook | None = None,
    segments: Mapping[str, Expression | str] | None = None,
    timezone: str = "UTC",
) -> Table:
    """contact_id (or what the unit is), condition_1 … condition_N: whether the first was seen, and the first and each other, in whatever order.

    >>> import journeyman as jm
    >>> h = jm.History(events=[{"contact_id": c, "event": e, "timestamp": "2026-01-01T00:00:00Z"} for c, e in (("anna", "lead"), ("anna", "buy"), ("bea", "buy"))])
    >>> jm.conditions(h, ["lead", "buy"]).to_pylist()
    [{'contact_id': 'anna', 'condition_1': True, 'condition_2': True}, {'contact_id': 'bea', 'condition_1': False, 'condition_2': False}]
    """
    _warn_unseen(history, conditions, playbook)
    o = _options(history, unit, from_, to, where, audience, 0.95, playbook, segments, timezone)
    return Table(_core._conditions(history._core, [_selector(c) for c in conditions], o))


def conversion(
    history: History,
    start: Selector | str,
    goal: Selector | str | Sequence[Selector | str],
    within: Duration | None = None,
    *,
    occurrence: str = "first",
    within_events: int | None = None,
    unit: By = "contact",
    from_: Instant | None = None,
    to: Instant | None = None,
    where: Expression | str | None = None,
    audience: Expression | str | None = None,
    level: float = 0.95,
    playbook: Playbook | None = None,
    segments: Mapping[str, Expression | str] | None = None,
    timezone: str = "UTC",
) -> Table:
    """units, with_start, converted, rate, low, high, base_rate, lift, one row: who reaches the goal after the first (or last) start.

    The goal is an event, or several in order, each another event, others between allowed. `within` is inclusive, from the start; `within_events`
    counts only the next so many events. `base_rate` is of those who reach the goal anywhere among all units; `lift` is rate over base_rate.

    >>> import journeyman as jm
    >>> day = "2026-01-0{}T00:00:00Z".format
    >>> h = jm.History(events=[{"contact_id": c, "event": e, "timestamp": day(d)} for c, e, d in (("anna", "demo", 1), ("anna", "buy", 2), ("bea", "buy", 1), ("bea", "demo", 2))])
    >>> [{k: r[k] for k in ("with_start", "converted", "rate", "base_rate", "lift")} for r in jm.conversion(h, "demo", "buy").to_pylist()]
    [{'with_start': 2, 'converted': 1, 'rate': 0.5, 'base_rate': 1.0, 'lift': 0.5}]
    """
    if occurrence not in ("first", "last"):
        raise ValueError(f'occurrence is "first" or "last", not {occurrence!r}')
    goals = [goal] if isinstance(goal, (str, Selector)) else goal
    _warn_unseen(history, [start, *goals], playbook)
    o = _options(history, unit, from_, to, where, audience, level, playbook, segments, timezone)
    limit = None if within is None else _convert.duration(within)
    return Table(_core._conversion(history._core, _selector(start), [_selector(g) for g in goals], occurrence == "last", limit, within_events, o))


def nearest_base(
    history: History,
    base: Selector | str,
    conversion: Selector | str,
    window: Duration | None = None,
    *,
    held: By = (),
    group_by: str | None = None,
    base_from: Instant | None = None,
    base_to: Instant | None = None,
    from_: Instant | None = None,
    to: Instant | None = None,
    where: Expression | str | None = None,
    audience: Expression | str | None = None,
    playbook: Playbook | None = None,
    segments: Mapping[str, Expression | str] | None = None,
    timezone: str = "UTC",
) -> Table:
    """group, base, conversions, rate: each conversion is credited to its contact's nearest base event at or before it, younger than `window`.

    `held` names properties that must be equal on both; `group_by` is "day" (of the base event) or a property of it; `base_from` and `base_to`
    (both in) and the base event's own `where` filter base events alone. `rate` may exceed 1; it is missing where none was credited.

    >>> import journeyman as jm
    >>> day = "2026-01-0{}T00:00:00Z".format
    >>> h = jm.History(events=[{"contact_id": "anna", "event": e, "timestamp": day(d)} for e, d in (("sent", 1), ("sent", 3), ("buy", 4), ("buy", 5), ("buy", 8))])
    >>> [(r["group"], r["rate"]) for r in jm.nearest_base(h, "sent", "buy", "5d", group_by="day").to_pylist()]
    [('2026-01-01', None), ('2026-01-03', 2.0)]
    """
    _warn_unseen(history, [base, conversion], playbook)
    o = _options(history, "contact", from_, to, where, audience, 0.95, playbook, segments, timezone)
    limit = None if window is None else _convert.duration(window)
    return Table(_core._nearest_base(history._core, _selector(base), _selector(conversion), limit, _as_list(held), group_by or "", _convert.instant_or_none(base_from), _convert.instant_or_none(base_to), o))


def _options(
    history: History, unit: By, from_: Instant | None, to: Instant | None, where: Expression | str | None, audience: Expression | str | None, level: float,
    playbook: Playbook | None, segments: Mapping[str, Expression | str] | None, timezone: str,
) -> _core._ConversionOptions:  # fmt: skip
    words, core = _words(playbook, segments)
    asked = None if audience is None else _predicate(audience)
    return _core._ConversionOptions.of(history._core, _as_list(unit), _convert.instant_or_none(from_), _convert.instant_or_none(to), None if where is None else str(where), asked, level, words, timezone, core)
