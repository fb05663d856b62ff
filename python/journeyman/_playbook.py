"""Playbooks: segments, funnels, workflows, KPIs and policies in one file."""

from __future__ import annotations

import datetime
import json
import os
import pathlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from . import _convert, _core, _plot, _segment_tools
from ._compare import Comparison
from ._contact import Compiled, ContactState
from ._convert import Day, Instant
from ._draw import Drawing
from ._error import Problem, Problems
from ._expression import Expression, Selector, _predicate
from ._history import History
from ._kpis import Diagnosis, Kpis, KpiState
from ._run import Run
from ._segment_tools import Columns, Overlap
from ._table import Table

if TYPE_CHECKING:
    from ._funnel import Funnel


Dimensions = Sequence[str | Expression] | str
"""Names of dimensions, properties, attributes (contact.x, account.x), segment, campaign, workflow, version, step; or expressions."""


def _dimensions(by: Dimensions) -> list[str]:
    return [by] if isinstance(by, str) else [str(e) for e in by]


def _names(only: Iterable[str]) -> list[str]:
    return [only] if isinstance(only, str) else list(only)


class Segment:
    """A named predicate, with the data to collect, preferred channels and the funnel it belongs to."""

    def __init__(self, core: _core._Segment, playbook: Playbook) -> None:
        self._playbook = playbook
        self.name = core.name
        self.title = core.title
        self.where = Expression(core.where)
        self.collect = {group: [Expression(e) for e in fields] for group, fields in core.collect}
        """Group to expressions."""
        self.channels = list(core.channels)
        """Preferred channels, the best first."""
        self.funnel = core.funnel

    def __repr__(self) -> str:
        return f"<Segment {self.name}: {self.where}>"


class Workflow:
    """A graph of steps, started by a trigger, for an audience. Part of a playbook; `definition` is its written form."""

    def __init__(self, name: str, definition: dict[str, Any], playbook: _core._Playbook) -> None:
        self._playbook = playbook
        self.name = name
        self.definition = definition
        self.title: str = definition.get("title", "")
        self.steps: dict[str, dict[str, Any]] = definition["steps"]
        """Name to written form, in the order of the file."""

    def dominators(self) -> dict[str, list[str]]:
        """For each step those that every way to it passes, in order, itself at the end; nothing for a step that no way leads to."""
        return dict(self._playbook.dominators(self.name))

    def passes(self, step: str, through: str, outcome: str | None = None) -> bool:
        """Whether every way to `step` passes `through`, and leaves it by `outcome` where one is named: next, then, timeout, if, else, split.

        >>> playbook.workflows["trial"].passes("discount", "opened", "then")
        """
        return self._playbook.passes(self.name, step, through, outcome or "")

    def lengths(self) -> dict[str, Any]:
        """What one journey can come to: sends (at most), sends_in_a_day, shortest, longest (timedeltas; None: without bound)."""
        sends, in_a_day, shortest, longest = self._playbook.lengths(self.name)
        micros = datetime.timedelta(microseconds=1)
        return {"sends": sends, "sends_in_a_day": in_a_day, "shortest": shortest * micros, "longest": None if longest is None else longest * micros}

    def draw(self, run: Run | None = None) -> Drawing:
        """Its picture; with a run, each way has its count and its share of those who came to the step it leaves."""
        return Drawing(self.name, self.definition, run)

    def to_svg(self, run: Run | None = None) -> str:
        """The picture as SVG, for light and dark screens."""
        return self.draw(run).to_svg()

    def to_mermaid(self, run: Run | None = None) -> str:
        """The picture as a Mermaid flowchart."""
        return self.draw(run).to_mermaid()

    def to_dot(self, run: Run | None = None) -> str:
        """The picture as a digraph of Graphviz."""
        return self.draw(run).to_dot()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {**self.draw()._repr_mimebundle_(), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"<Workflow {self.name} of {len(self.steps)} steps>"


class Coverage(Table):
    """How much of the data to collect is there; `lacking` says who lacks what."""

    def __init__(self, core: _core._Coverage) -> None:
        super().__init__(core.fields)
        self.lacking = Table(core.lacking)
        """segment, expression, contact_id."""


class Sizes(Table):
    """How many are in each segment."""

    def plot(self, ax: Any = None) -> Any:
        """A bar a segment; takes and returns a Matplotlib `ax`."""
        return _plot.sizes(self.to_pylist(), ax)


class Stages(Table):
    """How far the members of each segment came in its funnel."""

    def plot(self, *segments: str, ax: Any = None) -> Any:
        """A bar a stage, of some segments or all; takes and returns a Matplotlib `ax`."""
        return _plot.stages(self.to_pylist(), segments, ax)


class Playbook:
    """Segments, funnels, workflows, KPIs and policies together. A value: it compares, prints and saves, and asking it changes nothing.

    >>> playbook = Playbook.load("skilltime.yaml")
    >>> playbook.check(history)
    >>> run = playbook.replay(history)
    >>> playbook.kpis(history, run)
    """

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, core: _core._Playbook) -> None:
        self._core = core

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Playbook:
        """Reads a YAML or JSON file. Raises `Error` with every place that cannot be read, one a line."""
        return cls(_core._Playbook.load(os.fspath(path)))

    @classmethod
    def parse(cls, text: str, file: str = "playbook") -> Playbook:
        """Reads YAML or JSON from a text; `file` is the name that errors give it."""
        return cls(_core._Playbook.parse(text, file))

    @classmethod
    def from_dict(cls, definition: Mapping[str, Any]) -> Playbook:
        """From the written form as Python has it: dicts, lists, text; predicates, selectors and durations may be objects too.

        What a YAML reader made of it is taken as it was meant: the key `on` read as True, 21:00 read as 1260, dates.
        Errors give the path in the definition, such as kpis.cpa.every.
        """
        return cls(_core._Playbook.parse(json.dumps(_written(definition), allow_nan=False), ""))

    def to_yaml(self) -> str:
        """The written form; read again, it is an equal playbook."""
        return self._core.to_yaml()

    def to_json(self) -> str:
        """The same as JSON."""
        return self._core.to_json()

    def to_dict(self) -> dict[str, Any]:
        """The same as dicts and lists."""
        definition: dict[str, Any] = json.loads(self._core.to_json())
        return definition

    @property
    def name(self) -> str:
        """Its name; may be empty."""
        return self._core.name

    @property
    def timezone(self) -> str:
        """The zone of its calendar: periods, local times, bare dates."""
        return self._core.timezone

    @property
    def segments(self) -> dict[str, Segment]:
        """By name, in the order of the file."""
        return {s.name: Segment(s, self) for s in self._core.segments}

    @property
    def workflows(self) -> dict[str, Workflow]:
        """By name, in the order of the file."""
        return {name: Workflow(name, w, self._core) for name, w in self.to_dict().get("workflows", {}).items()}

    def check(self, history: History | None = None) -> Problems:
        """Every problem at once, each with code, place and remedy; with a history, unknown names and wrong types too."""
        return Problems(Problem(p) for p in self._core.check(None if history is None else history._core))

    def sizes(self, history: History, at: Instant | None = None, by: Columns = ()) -> Sizes:
        """segment, title, members, unknown, share: of the contacts that exist at `at` (default: the end of the history).

        With `by` (expressions, or a mapping of names to them): segment, title, DIMENSIONS…, contacts, members, unknown, share, share_of_members;
        for each segment its total, whose dimensions are missing, and its cells, as `Selection.sizes` has them.
        """
        named = _segment_tools.named(by)[0]
        if named:
            return Sizes(self._core.sizes_by(history._core, history._at(at), named))
        return Sizes(self._core.sizes(history._core, history._at(at)))

    def overlap(self, history: History, at: Instant | None = None) -> Overlap:
        """segment_a, segment_b, both, only_a, only_b, jaccard, share_of_a, share_of_b: how each pair of segments shares its members.

        `.exclusive`: who is in no other segment; `.matrix`: counts for a heat map. Default: at the end of the history.
        """
        return Overlap(self._core.overlap(history._core, history._at(at)))

    def coverage(self, history: History, at: Instant | None = None) -> Coverage:
        """segment, group, expression, members, present, share: how much of the data to collect is there; `.lacking`: who lacks what.

        An attribute is there when it exists, an aggregate when it is neither missing, 0 nor no. Default: at the end of the history.
        """
        return Coverage(self._core.coverage(history._core, history._at(at)))

    def stages(self, history: History, at: Instant | None = None) -> Stages:
        """segment, funnel, stage, standing, reached: contacts of each segment by stage of its funnel, the last whose predicate is yes.

        Default: at the end of the history.
        """
        return Stages(self._core.stages(history._core, history._at(at)))

    def funnel(self, name: str, history: History, by: str | Expression | Sequence[str | Expression] = (), *, level: float = 0.95) -> Funnel:
        """A funnel of steps by its name, with its rules, as `journeyman.funnel` gives it; `by` is added to its own breakdown.

        A dimension of the playbook may be named in `by`. Raises `Error` with the place in the file of what is wrong.
        """
        from ._funnel import Funnel, _as_list

        dimensions = _as_list(by)
        written = self.to_dict().get("funnels", {}).get(name, {})
        return Funnel(lambda units, completions, confidence: self._core.funnel(name, history._core, dimensions, confidence, units, completions), level, written.get("time_to_convert"))

    def compiled(self, history: History | None = None) -> Compiled:
        """All workflows, ready for a host that keeps its contacts itself; keep it, compiling takes as long as thousands of inputs.

        Names and types are those of the history; without one, what the playbook mentions, with the types it declares.
        Raises `Error` with the first problem of the check.
        """
        return Compiled(_core._compile(self._core, None if history is None else history._core))

    def advance(self, state: ContactState, input: Mapping[str, Any] | Instant) -> list[dict[str, Any]]:
        """`compiled().advance(state, input)`, compiled at the first call."""
        if not hasattr(self, "_compiled"):
            self._compiled = self.compiled()
        return self._compiled.advance(state, input)

    def replay(
        self,
        history: History,
        start: Instant | None = None,
        until: Instant | None = None,
        order: Literal["event", "arrival"] = "event",
        *,
        threads: int | None = None,
        only: Expression | str | None = None,
        progress: Callable[[float], object] | None = None,
    ) -> Run:
        """What the workflows would have done over the history, contact by contact.

        `start` (default: the first input) and `until` (included; default: the last input) bound the run; `order` is that of events or of
        arrival. `threads` changes nothing but the time it takes (default: all). `only` runs the contacts for whom it is yes at `start`.
        `progress` is called now and then with the share that is done; what it raises stops the run, as Ctrl-C does.
        Raises `Error` with the first problem of the check, and `run.window` when `until` lies before `start`.
        """
        if order not in ("event", "arrival"):
            raise ValueError(f'order is "event" or "arrival", not {order!r}')
        asked = None if only is None else _predicate(only)
        begin, end = (_convert.instant_or_none(t) for t in (start, until))
        return Run(self._core.replay(history._core, begin, end, order == "arrival", threads or 0, asked, progress))

    def compare(
        self,
        other: Playbook,
        history: History,
        start: Instant | None = None,
        until: Instant | None = None,
        order: Literal["event", "arrival"] = "event",
        *,
        threads: int | None = None,
        only: Expression | str | None = None,
        progress: Callable[[float], object] | None = None,
    ) -> Comparison:
        """This version (before) and another (after) over the same history: who gets more, fewer or other messages, where paths part, how counts and KPIs differ.

        Options as in `replay`. A version is the hash of a workflow and of all it refers to.
        """
        if order not in ("event", "arrival"):
            raise ValueError(f'order is "event" or "arrival", not {order!r}')
        asked = None if only is None else _predicate(only)
        begin, end = (_convert.instant_or_none(t) for t in (start, until))
        return Comparison(self._core.compare(other._core, history._core, begin, end, order == "arrival", threads or 0, asked, progress))

    def leads_to(self) -> Table:
        """workflow, step, role (goal, awaited, emitted), event, kpi: which events of KPIs journeys lead to, and where."""
        return Table(self._core.leads_to())

    def kpis(
        self,
        history: History,
        run: Run | None = None,
        start: Day | None = None,
        end: Day | None = None,
        by: Dimensions = (),
        *,
        only: Iterable[str] = (),
        level: float = 0.95,
        threads: int | None = None,
        distinct_error: float = 0.0,
    ) -> Kpis:
        """The KPIs by period, all in one pass; with a run, over its history, where its actions are.

        kpi, scope, period (its start; missing for a campaign), campaign, partial, dimensions…, value, numerator, denominator, low, high,
        immature, target, status (met, missed, no_data), certain. Of the dimensions, missing is the total. `end` is excluded, a bare day ("2026-03-01")
        begins in the playbook's zone; the defaults are the first and the last instant of the history, included. A history without any (contacts alone) gives no rows
        without them, and a warning. `by` adds dimensions to each KPI's own, `only` names some KPIs,
        `level` is that of the intervals. `.improve`: the actions for the missed ones; `.trend`: where each goes; `.unscoped_spend`: what scopes could not count.
        `threads` changes nothing but the time it takes (default: all). `distinct_error`: accounts are counted exactly, or about, by HyperLogLog, with at most this standard error (0.01: 1 %).
        """
        asked = self._asked(start, end, by)
        report = self._core.kpis(history._core, None if run is None else run._core, *asked, level, _names(only), threads or 0, distinct_error)
        return Kpis(report, self.to_dict(), distinct_error)

    def kpi_state(
        self,
        history: History,
        run: Run | None = None,
        start: Day | None = None,
        end: Day | None = None,
        by: Dimensions = (),
        *,
        only: Iterable[str] = (),
        threads: int | None = None,
        distinct_error: float = 0.0,
    ) -> KpiState:
        """The KPIs counted over a part of the contacts, to be merged with the others: `merge_kpis(states).kpis()` is the table of one pass over all.

        Every part takes the same `start` and `end` (the defaults are those of the part), and each row of spend belongs in one part alone.
        """
        asked = self._asked(start, end, by)
        return KpiState._of(self._core.count_kpis(history._core, None if run is None else run._core, *asked, _names(only), threads or 0, distinct_error))

    def _asked(self, start: Day | None, end: Day | None, by: Dimensions) -> tuple[str | None, str | None, list[str]]:
        return self._instant(start), self._instant(end), _dimensions(by)

    def _instant(self, at: Day | None) -> str | None:
        """A bare day begins in the playbook's zone."""
        return _convert.instant_or_none(at, self.timezone)

    def diagnose(
        self,
        history: History,
        kpi: str,
        period: Day | None = None,
        against: Day | None = None,
        by: Dimensions = (),
        *,
        run: Run | None = None,
        end: Day | None = None,
        level: float = 0.95,
        shift: float = 0.1,
        returns: float = 1.0,
        threads: int | None = None,
    ) -> Diagnosis:
        """Why a KPI changed between two periods, by each dimension of `by` alone; and, where it is money per something, which cell buys the most.

        `period` and `against` are instants in them, or campaigns' names where `every` is campaign; the defaults are the last whole period with
        a value and the one before it. `by` is that of the KPI, else `segment`. `.change`, `.parts` (mix and rate), `.costs`, `.moves`, `.summary()`, `.plot()`.
        `.moves` moves the share `shift` of each cell's spend to the cheapest, and takes for granted that what comes of it grows as its power
        `returns` (1: each unit brings what the average one brought).
        """
        campaign, against_campaign = "", ""
        if self.to_dict().get("kpis", {}).get(kpi, {}).get("every") == "campaign":
            campaign, against_campaign, period, against = str(period or ""), str(against or ""), None, None
        this, that, close = self._instant(period), self._instant(against), self._instant(end)
        found = self._core.diagnose(
            history._core, kpi, None if run is None else run._core, this, that, campaign, against_campaign, _dimensions(by), close, level, shift, returns, threads or 0,
        )  # fmt: skip
        return Diagnosis(found, self.to_dict(), shift, returns)

    def statistics(self, history: History, run: Run | None = None, end: Instant | None = None) -> dict[str, Any]:
        """What `report:` of the playbook asks for: title to `Experiment`, `Attribution`, `LifetimeValue` or `Survival`, or to the `Error` that says why there is none.

        With a run, over its history; the split of an experiment needs one. `end` is excluded (default: the last instant of the history, included).
        """
        from .report import answers

        return answers(self, history, run, None if end is None else _core._just_before(_convert.instant(end, self.timezone)))

    def report(
        self,
        history: History,
        run: Run | None = None,
        path: str | os.PathLike[str] = "report.html",
        start: Day | None = None,
        end: Day | None = None,
        by: Dimensions = (),
        *,
        title: str | None = None,
        cohorts: str | None = None,
        add: Mapping[str, Any] | None = None,
    ) -> pathlib.Path:
        """Writes one page a manager reads, and returns its path: scorecard and KPIs with targets, intervals, trends, why they changed and what to do; segments, funnels, workflows, data to collect, and the statistics that the playbook's `report:` asks for.

        One file without scripts that loads nothing: for light and dark screens and for paper. With a run, workflows have their counts. `start`, `end` and `by` are
        those of `kpis`; segments and stages are those one microsecond before `end`, funnels and cohorts see what is before it. `cohorts` names the event that puts contacts into cohorts by month (default: that of
        the first `new(…)` of the KPIs). `add`: title → a result to put on the page too (any table, or what has `plot`).
        """
        from .report import write

        return write(self, history, run, path, self._instant(start), self._instant(end), by, title, cohorts, add or {})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Playbook) and self._core.equals(other._core)

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return Playbook.parse, (self.to_json(),)

    def __repr__(self) -> str:
        parts = self.to_dict()
        counts = [f"{len(parts[k])} {k if len(parts[k]) != 1 else k[:-1]}" for k in ("segments", "funnels", "workflows", "kpis") if k in parts]
        return f"<Playbook {self.name or 'without a name'}: {', '.join(counts) or 'empty'}>"


_TIMES_OF_DAY = ("at", "until", "from", "to")
_VALUES = ("with", "set", "properties")   # whose keys are names of their user's


def _written(x: Any, key: str = "", mine: bool = True) -> Any:
    """The written form as JSON can say it."""
    if isinstance(x, Mapping):
        named = {"on" if k is True else str(k): v for k, v in x.items()}
        return {k: _written(v, k, mine and key not in _VALUES) for k, v in named.items()}
    if isinstance(x, (list, tuple)):
        return [_written(v, "", mine) for v in x]
    if isinstance(x, (Expression, Selector)):
        return str(x)
    if isinstance(x, datetime.timedelta):
        return _convert.duration(x)
    if isinstance(x, (datetime.datetime, datetime.date)):
        return x.isoformat()
    if isinstance(x, int) and not isinstance(x, bool) and mine and key in _TIMES_OF_DAY:
        return f"{x // 60:02d}:{x % 60:02d}"
    return x
