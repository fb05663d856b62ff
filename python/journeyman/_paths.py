"""Paths: what comes directly after what, common sequences, what follows or precedes an event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import _convert, _core, _plot_funnel
from ._convert import Duration, Instant
from ._expression import Expression, Selector, _predicate
from ._funnel import Step, _as_list, _named
from ._history import History, _warn_unseen
from ._playbook import Playbook
from ._retention import By, _words
from ._run import Run
from ._table import Table


class Transitions(Table):
    """from, to, transitions, paths, share, median_seconds: what comes directly after what; `share` of all that goes out of `from`."""

    def matrix(self) -> tuple[list[str], list[list[float]]]:
        """The names, and for each a row: the share of its transitions that goes to each name."""
        rows = self.to_pylist()
        names = ["(start)", *sorted({n for r in rows for n in (r["from"], r["to"])} - {"(start)", "(end)"}), "(end)"]
        at = {n: k for k, n in enumerate(names)}
        shares = [[0.0] * len(names) for _ in names]
        for r in rows:
            shares[at[r["from"]]][at[r["to"]]] = r["share"]
        return names, shares

    def plot(self, ax: Any = None) -> Any:
        """A heat map of the matrix. Takes and returns a Matplotlib `ax`."""
        return _plot_funnel.transitions(*self.matrix(), ax)


class Sequences(Table):
    """sequence ("a > b > c"), length, occurrences, paths, share (of all paths), the most frequent first."""

    def plot(self, most: int = 15, ax: Any = None) -> Any:
        """A bar each, as long as its share of the paths. Takes and returns a Matplotlib `ax`."""
        return _plot_funnel.sequences(self.to_pylist()[:most], ax)


class Paths:
    """The paths of a history, asked many things. A path is the events of a unit in order; it begins at "(start)" and ends at "(end)"."""

    def __init__(self, core: _core._Paths) -> None:
        self._core = core

    def __len__(self) -> int:
        return self._core.paths()

    def __repr__(self) -> str:
        return f"<Paths: {len(self):,}>"

    def _repr_html_(self) -> str:
        return self.transitions()._repr_html_()

    def transitions(self) -> Transitions:
        """from, to, transitions, paths, share, median_seconds: directly-follows, the most frequent first."""
        return Transitions(self._core.transitions())

    def sequences(self, length: int = 3, most: int = 50) -> Sequences:
        """sequence ("a > b > c"), length, occurrences, paths, share (of all paths): runs of `length` events in a row, the most frequent first."""
        return Sequences(self._core.sequences(length, most))

    def after(self, event: str | None = None, steps: int = 3) -> Table:
        """step, event, paths, share: what stands 1, 2 … events after the first `event` of each path (default: from the beginning)."""
        return Table(self._core.around(event or "", steps))

    def before(self, event: str, steps: int = 3) -> Table:
        """step (-1, -2 …), event, paths, share: what stands so many events before the first `event` of each path."""
        return Table(self._core.around(event, -steps))

    def flows(self, event: str | None = None, steps: int = 3) -> Table:
        """step, from, to, paths: the flows from one place after (`steps` below 0: before) the first `event` to the next."""
        return Table(self._core.flows(event or "", steps))

    def plot(self, event: str | None = None, steps: int = 3, most: int = 8, ax: Any = None) -> Any:
        """A sankey of `flows`: a column a step, of the `most` frequent names each, a ribbon as wide as its paths. Takes and returns a Matplotlib `ax`."""
        return _plot_funnel.sankey(self.flows(event, steps).to_pylist(), most, ax)


def paths(
    of: History | Run,
    events: Sequence[Step] | Mapping[str, Selector | str] | None = None,
    *,
    label: str | Expression | None = None,
    unit: By | None = None,
    gap: Duration | None = None,
    collapse: bool = False,
    from_: Instant | None = None,
    to: Instant | None = None,
    where: Expression | str | None = None,
    audience: Expression | str | None = None,
    most_names: int = 200,
    playbook: Playbook | None = None,
    segments: Mapping[str, Expression | str] | None = None,
    timezone: str = "UTC",
) -> Paths:
    """The paths of contacts through their events, or of the journeys of a run through the steps that took actions.

    >>> import journeyman as jm
    >>> day = "2026-01-{:02d}T00:00:00Z".format
    >>> rows = [("anna", "view", 1), ("anna", "cart", 2), ("anna", "buy", 3), ("bea", "view", 1), ("bea", "view", 2), ("bea", "cart", 9), ("carl", "view", 5)]
    >>> p = jm.paths(jm.History(events=[{"contact_id": c, "event": e, "timestamp": day(d)} for c, e, d in rows]))
    >>> [(t["from"], t["to"], t["transitions"], t["share"]) for t in p.transitions().to_pylist()][:3]
    [('(start)', 'view', 3, 1.0), ('view', 'cart', 2, 0.5), ('buy', '(end)', 1, 1.0)]
    >>> [(s["sequence"], s["occurrences"]) for s in p.sequences(2).to_pylist()]
    [('view > cart', 2), ('cart > buy', 1), ('view > view', 1)]
    >>> [(r["step"], r["event"], r["paths"]) for r in p.after("view", 1).to_pylist()], [(r["event"], r["paths"]) for r in p.before("buy", 1).to_pylist()]
    ([(1, '(end)', 1), (1, 'cart', 1), (1, 'view', 1)], [('cart', 1)])

    `events` chooses and names them (default: every event, under its own name); `label` names events by a property or expression instead, such as
    "page"; events without it are not there. `unit` is whose path it is: contacts, or a property such as "session", with "contact" in a list
    within one contact. `gap` ends a path at a longer silence; `collapse` makes several of one name in a row one. `from_` and `to` are both in;
    names beyond the `most_names` most frequent become "(other)".

    Of a run: its actions, labelled by step, a path for each journey.
    """
    if isinstance(of, Run):
        events, label, unit = events or ["$action"], label or "step", unit or ["contact", "workflow", "journey"]
        of = of.history
    else:
        _warn_unseen(of, [event for _, event in _named(events or [])], playbook)
    words, core = _words(playbook, segments)
    asked = None if audience is None else _predicate(audience)
    return Paths(_core._Paths.of(
        of._core, _named(events or []), "" if label is None else str(label), _as_list("contact" if unit is None else unit), None if gap is None else _convert.duration(gap), collapse,
        _convert.instant_or_none(from_), _convert.instant_or_none(to), None if where is None else str(where), asked, most_names, words, timezone, core,
    ))  # fmt: skip
