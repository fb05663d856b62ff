"""Event funnels: how far each unit gets through a list of steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from . import _convert, _core, _plot_funnel
from ._convert import Day, Duration
from ._error import Error
from ._expression import Expression, Selector, _predicate
from ._history import History, _only_one, _warn_unseen
from ._playbook import Playbook
from ._table import Table

Step = Selector | str | tuple[str, Selector | str]
"""An event, as a selector or its text; in a pair with a name of its own."""
Ask = Callable[[bool, bool, float], _core._FunnelReport]


class Funnel(Table):
    """by…, step, name, units, share, share_of_previous, low, high, immature: a row a step, of the total (dimensions missing) and of each cell.

    `units` came to the step; `share` is their part of those at step 1, with a Wilson interval; `immature` (on step 1) did not come to the last
    step and have a window that is still open at the end of the history.
    """

    def __init__(self, ask: Ask, level: float, between: Mapping[str, Any] | None = None) -> None:
        self._ask = ask
        self._level = level
        self._between = between or {}
        self._full: _core._FunnelReport | None = None
        self._core_report = ask(False, False, level)
        super().__init__(self._core_report.rows)

    def _report(self) -> _core._FunnelReport:
        if self._full is None:
            self._full = self._ask(True, False, self._level)
        return self._full

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return int(max(self.to_arrow()["step"].to_pylist()))

    @property
    def dimensions(self) -> list[str]:
        """The columns it is broken down by."""
        columns = self.columns
        return columns[: columns.index("step")]

    @property
    def counts(self) -> list[int]:
        """How many units came to each step."""
        return [r["units"] for r in self.to_pylist() if all(r[d] is None for d in self.dimensions)]

    @property
    def counts_by(self) -> dict[Any, list[int]]:
        """The same of each cell: by the value of the dimension, or of several by a tuple of them."""
        out: dict[Any, list[int]] = {}
        for r in self.to_pylist():
            cell = tuple(r[d] for d in self.dimensions)
            if any(x is not None for x in cell):
                out.setdefault(cell if len(cell) > 1 else cell[0], []).append(r["units"])
        return out

    @property
    def units(self) -> Table:
        """Who came how far: contact_id (or what the unit is), by…, level, immature, step_1 … step_N (instants).

        The instants are of the chain that first reached the level: of one start the earliest event of each step, of chains that end on the
        same event that of the latest start. `level` is missing where an exclusion left the unit out; who never entered is not here.
        """
        return Table(self._report().units)

    @property
    def completions(self) -> Table:
        """`units` with `completions`: how often each completed the funnel by chains that share no event, taken greedily in time."""
        return Table(self._ask(True, True, self._level).units)

    @property
    def times(self) -> Table:
        """by…, step, name, units, mean_seconds, median_seconds, p10, p25, p75, p90, mean_total_seconds, median_total_seconds.

        From the step before, and (total) from step 1, over the units that took the step.
        """
        return Table(self._report().times())

    def histogram(self, from_step: int | None = None, to_step: int | None = None, bins: int | Literal["auto"] | None = None) -> Table:
        """from_seconds, to_seconds, units: of the time between two steps (default: the first and the last), over units that came to the second.

        `bins` "auto" is the cube root of the units, rounded up. Bins are half-open, of whole seconds, and one more than asked.
        """
        a = from_step or self._between.get("from_step", 1)
        b = to_step or self._between.get("to_step", self.steps)
        n = bins if bins is not None else self._between.get("bins", "auto")
        return Table(self._report().histogram(a, b, 0 if n == "auto" else n))

    def conversion_over_time(self, from_step: int = 1, to_step: int | None = None) -> Table:
        """by…, after_seconds, at_risk, converted, censored, share, low, high: the share that came from one step to another by then.

        Kaplan and Meier's estimate (1958): who could not be watched to the end counts as long as it could. The interval is Greenwood's on the
        log-log scale.
        """
        return Table(self._report().conversion_over_time(from_step, to_step or self.steps, self._level))

    def plot(self, by: str | None = None, ax: Any = None) -> Any:
        """A bar a step with its count and share; with `by`, a group of bars for each value. Takes and returns a Matplotlib `ax`."""
        if by is not None and by not in self.dimensions:
            raise ValueError(f"{by!r} is no dimension here: {', '.join(self.dimensions) or 'there are none; ask funnel(by=…)'}")
        rows = [r for r in self.to_pylist() if all((r[d] is not None) == (d == by) for d in self.dimensions)]
        return _plot_funnel.funnel(rows, by, ax)

    def plot_times(self, from_step: int = 1, to_step: int | None = None, ax: Any = None) -> Any:
        """The share that came from one step to another, over time. Takes and returns a Matplotlib `ax`."""
        return _plot_funnel.over_time(self.conversion_over_time(from_step, to_step).to_pylist(), self.dimensions, ax)


def _named(steps: Sequence[Step] | Mapping[str, Selector | str]) -> list[tuple[str, _core._Selector]]:
    if isinstance(steps, str):
        raise Error("funnel.steps", "steps", f"steps are a list of events; write [{steps!r}, …]")
    out = []
    for step in steps.items() if isinstance(steps, Mapping) else steps:
        name, event = step if isinstance(step, tuple) else (str(step), step)
        out.append((name, event._core if isinstance(event, Selector) else _core._Selector.parse(event)))
    return out


def _plain(x: Any) -> Any:
    """A rule as `_core` takes it."""
    if isinstance(x, Mapping):
        return {str(k): _plain(v) for k, v in x.items()}
    if isinstance(x, (list, tuple, set)):
        return [_plain(v) for v in x]
    if isinstance(x, (Expression, Selector)):
        return str(x)
    if hasattr(x, "isoformat"):
        return _convert.instant(x)
    return _convert.duration(x) if hasattr(x, "total_seconds") else x


def _as_list(by: str | Expression | Sequence[str | Expression]) -> list[str]:
    return [str(by)] if isinstance(by, (str, Expression)) else [str(b) for b in by]


def _period(start: Day | None, end: Day | None, zone: str) -> dict[str, Any]:
    """`end` is out, as everywhere; the rule `period` has both in."""
    if start is None and end is None:
        return {}
    out = {}
    if start is not None:
        out["from"] = _convert.instant(start, zone)
    if end is not None:
        out["to"] = _core._just_before(_convert.instant(end, zone))
    return {"period": out}


def funnel(
    history: History,
    steps: Sequence[Step] | Mapping[str, Selector | str],
    within: Duration | None = None,
    by: str | Expression | Sequence[str | Expression] = (),
    *,
    attribution: str = "first",
    start: Day | None = None,
    end: Day | None = None,
    level: float = 0.95,
    playbook: Playbook | None = None,
    segments: Mapping[str, Expression | str] | None = None,
    timezone: str = "UTC",
    **rules: Any,
) -> Funnel:
    """How far each contact gets through `steps`, events in order, each another event, all within a time of the first.

    >>> import journeyman as jm
    >>> day = "2026-03-0{}T00:00:00Z".format
    >>> def did(who, *events): return [{"contact_id": who, "event": e, "timestamp": day(d)} for e, d in events]
    >>> h = jm.History(events=[
    ...     *did("anna", ("view", 1), ("cart", 2), ("purchase", 3)),
    ...     *did("bea", ("view", 1), ("view", 4), ("cart", 5), ("cart", 6), ("purchase", 8)),
    ...     *did("carl", ("cart", 1), ("view", 2))])
    >>> f = jm.funnel(h, steps=["view", "cart", "purchase"], within="5d")
    >>> f.counts                              # bea: from her second view; carl's cart came before his view
    [3, 2, 2]
    >>> [r["median_seconds"] / 86400 for r in f.times.to_pylist()[1:]]    # days from the step before
    [1.0, 2.0]

    `within` None is no limit, "0s" the start's own instant. Steps are selectors, such as `page where url == "/pricing"`; a mapping or pairs
    give them names. `by` names properties, or expressions about an event (`contact.city`), and `attribution` the event they are read of:
    `first` or `last` (the unit's first or last event that is a step), `step_2` (only step 2 must carry the value), `all_events` (a funnel for
    each value over the events that carry it). `start` is in, `end` out; a bare day begins in `timezone` or the playbook's. A playbook brings its segments, zone and dimensions.

    Every rule, with its default first, and what another value does to the history above (5 days unless said otherwise):

    window_from = "start" | "previous_step". `within` counts from the first event of the chain, or from the step before.
        >>> jm.funnel(h, ["view", "cart", "purchase"], "1d").counts, jm.funnel(h, ["view", "cart", "purchase"], "1d", window_from="previous_step").counts
        ([3, 2, 0], [3, 2, 1])

    window_end = "inclusive" | "exclusive". Whether exactly `within` is in time.
        >>> jm.funnel(h, ["view", "cart"], "1d", window_end="exclusive").counts
        [3, 0]

    order = "ordered" | "strict" | "unordered" | "presence". In order; with nothing between (adjacency all); in any order, each step another
        event in one window; each step at all, times ignored.
        >>> [jm.funnel(h, ["view", "cart"], "5d", order=o).counts for o in ("strict", "unordered", "presence")]
        [[3, 2], [3, 3], [3, 3]]

    adjacency = "none" | "listed" | "all" | "walk". What may lie between two steps: anything; no event of a step; no event at all; "walk" goes
        once over the events from the first start, ending at any other event. `skip_ahead` = "ignore" | "end": what a walk does at a step
        whose predecessor was not reached.
        >>> jm.funnel(h, ["view", "cart", "purchase"], "5d", adjacency="listed").counts     # bea's second cart stands between
        [3, 2, 1]

    anchor = "any" | "first" | "latest". Which events of step 1 may start a chain; `latest` and `any` give the same levels.
        >>> jm.funnel(h, ["view", "cart", "purchase"], "5d", anchor="first").counts         # bea's first view is too long ago for a purchase
        [3, 2, 1]

    tie_rule = "arrival" | "step_order". Events at one instant: as they came in, or in the order of the steps they match.
        >>> tie = jm.History(events=[*did("dora", ("cart", 1), ("view", 1))])
        >>> jm.funnel(tie, ["view", "cart"]).counts, jm.funnel(tie, ["view", "cart"], tie_rule="step_order").counts
        ([1, 0], [1, 1])

    one_event_many_steps = False | True: one event may be several steps in a row; start_event_many_steps = False | True: the start too.
        >>> jm.funnel(h, ["view", "cart", "any"], "1d").counts, jm.funnel(h, ["view", "cart", "any"], "1d", one_event_many_steps=True).counts
        ([3, 2, 0], [3, 2, 2])
        >>> jm.funnel(h, ["view", "any"], "0s", one_event_many_steps=True, start_event_many_steps=True).counts
        [3, 3]

    strict_increase = False | True. Each step strictly later than the one before.
        >>> jm.funnel(tie, ["view", "cart"], tie_rule="step_order", strict_increase=True).counts
        [1, 0]

    repeats = "allowed" | "end_walk" | "end_chain_last" | "end_chain_any" | "reset". What a further event of a step already reached does:
        nothing; ends all (step 1 exempt); ends the chain that stands there; ends a chain that has been there; a step 1 starts anew.
        >>> [jm.funnel(h, ["view", "cart", "purchase"], "5d", repeats=r).counts for r in ("end_walk", "end_chain_last", "end_chain_any", "reset")]
        [[3, 2, 1], [3, 2, 1], [3, 2, 1], [3, 2, 2]]

    event_gap = None | "1d". A chain ends where two neighbouring events (of steps) lie further apart.
        >>> jm.funnel(h, ["view", "cart", "purchase"], "5d", event_gap="1d").counts         # bea: two days before the purchase
        [3, 2, 1]

    exclusions = [{"event": …, "from_step": 1, "to_step": N, "effect": "drop_contact"}]. Who meets the event between the two steps is left
        out altogether, unless another chain got as far without. `drop_chain` (unordered) drops only the chain.
        >>> jm.funnel(h, ["view", "purchase"], "10d", exclusions=[{"event": "cart"}]).counts          # carl alone: no cart after his view
        [1, 0]

    optional_steps = [2]. Steps that may be passed by; counts are of those who took them.
        >>> jm.funnel(h, ["view", "help", "purchase"], "5d", optional_steps=[2]).counts
        [3, 0, 2]

    unit = "contact" | "entry" | a property | a list. What is counted: contacts; each start by itself; the values of properties ("session"), with
        "contact" in the list within one contact; [] is everybody as one.
        >>> jm.funnel(h, ["view", "cart"], "1d", unit="entry").counts                       # four views, two with a cart within a day
        [4, 2]

    held = [] | ["cart_id"]. Properties whose value all events of a chain share.
        >>> carts = jm.History(events=[{"contact_id": "a", "event": e, "timestamp": day(d), "cart": c} for e, d, c in (("cart", 1, "x"), ("pay", 2, "y"))])
        >>> jm.funnel(carts, ["cart", "pay"]).counts, jm.funnel(carts, ["cart", "pay"], held=["cart"]).counts
        ([1, 1], [1, 0])

    where = None | 'channel == "ads"'. Only such events are seen. audience = None | 'city == "Roma"'. Only such contacts, at the end.
        >>> jm.funnel(h, ["view", "cart"], where='event.name != "cart"').counts
        [3, 0]

    denominator = "step1_contacts" | "all_contacts". Over whom `share` is taken.
        >>> jm.funnel(h, ["cart", "purchase"], denominator="all_contacts").to_pylist()[1]["share"]    # two of three contacts
        0.6666666666666666

    censoring = "counted_as_drop" | "left_out". Whether those whose window is still open at the end count as not converted, or not at all.
        >>> jm.funnel(h, ["view", "purchase"], "10d", censoring="left_out").counts          # carl may still buy: the history ends on the 8th
        [2, 2]

    rules = None | "clickhouse" | "clickhouse_strict_order" | "clickhouse_strict_deduplication" | "clickhouse_strict_increase" |
        "clickhouse_strict_once" | "databend" | "duckdb_behavioral" | "mixpanel_first" | "mixpanel_latest". The habits of another system;
        rules named beside it change it.
        >>> jm.funnel(h, ["view", "view"], rules="clickhouse").counts                       # there one event is both
        [3, 3]

    Raises `Error`: `funnel.rule` (with the values there are), `funnel.exclusion_range`, `funnel.steps`, and what is wrong with a step or expression.
    """
    if playbook is not None:
        _only_one(segments)
    asked = {**_plain(rules), **_period(start, end, timezone if playbook is None else playbook.timezone)}
    dimensions = _as_list(by)
    if dimensions:
        asked["breakdown"] = {"by": dimensions, "attribution": attribution}
    named, words = _named(steps), {k: _predicate(v) for k, v in (segments or {}).items()}
    _warn_unseen(history, [event for _, event in named], playbook)
    limit = None if within is None else _convert.duration(within)
    core = None if playbook is None else playbook._core

    def ask(units: bool, completions: bool, confidence: float) -> _core._FunnelReport:
        return _core._funnel(history._core, named, limit, asked, confidence, units, completions, words, timezone, core)

    return Funnel(ask, level, asked.get("time_to_convert"))
