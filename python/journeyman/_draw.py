"""A workflow as a picture: its steps and the ways between them, with what a run did there."""

from __future__ import annotations

import dataclasses
import datetime
import os
import pathlib
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ._error import Error

if TYPE_CHECKING:
    from ._run import Run

KINDS = ("send", "wait_for", "wait", "branch", "split", "task", "webhook", "set", "emit", "start", "exit")
ENTRY, END = "$entry", "$end"   # no step's name: names hold letters, digits, `_` and dots
MOST_SHOWN = 200   # steps that a notebook draws unasked


@dataclasses.dataclass
class Node:
    """A step, or where journeys enter and end."""

    name: str
    kind: str
    """One of KINDS; "entry", "end"; "unknown" for a step that is named but not written."""
    does: str
    """What it does, in a line: "send email"."""
    detail: str = ""
    phase: str = ""
    note: str = ""
    """What a run did here."""


@dataclasses.dataclass
class Way:
    """From a step to the next."""

    source: str
    target: str
    words: str
    """When it is taken."""
    outcome: str
    """As in `Run.edges`."""
    count: int | None = None
    share: float | None = None
    """Of those who came to `source`."""
    time: datetime.timedelta | None = None
    """The median time that those who took it had spent at `source`."""

    @property
    def numbers(self) -> str:
        """The count, the share and, where it took some, the time; nothing without a run."""
        if self.count is None:
            return ""
        return f"{self.count:,}" + ("" if self.share is None else f" · {self.share:.1%}") + (f" · {short_time(self.time)}" if self.time else "")


class Drawing:
    """The picture of a workflow, made by `Workflow.draw`. Shows itself in a notebook; `save` writes it to a file."""

    def __init__(self, name: str, definition: dict[str, Any], run: Run | None = None) -> None:
        self.name = name
        self.title: str = definition.get("title") or name
        self.head = list(_head(definition))
        """(word, text): trigger, audience and the other rules of the whole workflow."""
        self.nodes = {n.name: n for n in _nodes(definition)}
        self.ways = list(_ways(definition))
        for way in self.ways:
            self.nodes.setdefault(way.target, Node(way.target, "unknown", "no such step"))
        if END in (way.target for way in self.ways):
            self.nodes[END] = Node(END, "end", "end")
        if run is not None:
            self._count(run)

    def _count(self, run: Run) -> None:
        came: dict[str, int] = defaultdict(int)
        taken: dict[tuple[str, str, str], int] = defaultdict(int)
        times: dict[tuple[str, str, str], datetime.timedelta | None] = {}
        for row in run.edges.to_pylist():
            if row["workflow"] == self.name:
                source, target = row["from"] or ENTRY, row["to"] or END
                taken[source, target, row["outcome"]] += row["count"]
                times[source, target, row["outcome"]] = row["time_p50"]
                came[target] += row["count"]
        for way in self.ways:
            way.count = taken[way.source, way.target, way.outcome]
            way.time = times.get((way.source, way.target, way.outcome))
            way.share = way.count / came[way.source] if came[way.source] else None
        outcomes: dict[str, int] = defaultdict(int)   # a journey ends, or waits, at one step
        for row in run.steps.to_pylist():
            if row["workflow"] != self.name:
                continue
            for outcome, column in (("completed", "completed"), ("goal", "goal"), ("exited", "exited"), ("running", "waiting")):
                outcomes[outcome] += row[column]
            if row["step"] in self.nodes:
                self.nodes[row["step"]].note = _note(row)
        total = sum(outcomes.values())
        shares = [f"{n:,} {o} ({n / total:.1%})" for o, n in outcomes.items() if n]
        self.head.append(("run", f"{total:,} journeys" + (": " + ", ".join(shares) if shares else "")))

    def to_svg(self) -> str:
        """As SVG, for light and dark grounds."""
        from ._draw_svg import svg

        return svg(self)

    def to_mermaid(self) -> str:
        """As a Mermaid flowchart."""
        from ._draw_text import mermaid

        return mermaid(self)

    def to_dot(self) -> str:
        """As a digraph of Graphviz."""
        from ._draw_text import dot

        return dot(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes .svg, .mmd (Mermaid) or .dot, by the ending of the name."""
        forms = {".svg": self.to_svg, ".mmd": self.to_mermaid, ".mermaid": self.to_mermaid, ".dot": self.to_dot, ".gv": self.to_dot}
        file = pathlib.Path(path)
        if file.suffix not in forms:
            raise Error("input.file", str(file), f"a drawing is saved as {', '.join(forms)}; give the name one of these endings")
        file.write_text(forms[file.suffix](), encoding="utf-8")

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        # No html: JupyterLab would prefer it to Mermaid.
        if len(self.nodes) > MOST_SHOWN:
            return {"text/plain": repr(self)}
        return {"text/plain": repr(self), "image/svg+xml": self.to_svg(), "text/vnd.mermaid": self.to_mermaid()}

    def __repr__(self) -> str:
        return f"<Drawing of workflow {self.name}: {len(self.nodes)} nodes, {len(self.ways)} ways>"


def short_time(spent: datetime.timedelta) -> str:
    """Its two largest units: 2d 22h, 1h 30m, 45s; of less than a second `< 1s`."""
    left = int(spent.total_seconds())
    parts: list[tuple[int, str]] = []
    for unit, n in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        if left >= n or parts:
            parts.append((left // n, unit))
            left %= n
    return " ".join(f"{n}{unit}" for n, unit in parts[:2] if n) or "< 1s"


def kind_of(step: dict[str, Any]) -> str:
    return next((kind for kind in KINDS if kind in step), "unknown")


def _head(workflow: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "trigger", _trigger(workflow.get("trigger", "hand"))
    for key in ("audience", "reentry", "goal", "exit", "priority"):
        if key in workflow:
            yield key, _plain(workflow[key])


def _trigger(trigger: Any) -> str:
    return _plain(trigger["event"] if isinstance(trigger, dict) and list(trigger) == ["event"] else trigger)


def _plain(x: Any) -> str:
    """A written value in a line."""
    if isinstance(x, dict):
        return ", ".join(f"{k} {_plain(v)}" for k, v in x.items())
    if isinstance(x, list):
        return ", ".join(map(_plain, x))
    return {True: "yes", False: "no"}[x] if isinstance(x, bool) else str(x)


def _nodes(workflow: dict[str, Any]) -> Iterator[Node]:
    yield Node(ENTRY, "entry", "enter", _trigger(workflow.get("trigger", "hand")))
    for name, step in workflow.get("steps", {}).items():
        does, detail = _words(step)
        yield Node(name, kind_of(step), does, step.get("title") or detail, step.get("phase", ""))


def _words(step: dict[str, Any]) -> tuple[str, str]:
    """What a step does, and with what."""
    kind = kind_of(step)
    what = step.get(kind)
    if kind == "send":
        return f"send {' or '.join(what) if isinstance(what, list) else what}", step.get("template", "")
    if kind == "task":
        return f"task for {step.get('owner', '?')}", f"{what}, due in {step.get('due', '?')}"
    if kind == "set" and isinstance(what, dict):
        return "set", ", ".join(f"{k} = {_plain(v.get('expr', v) if isinstance(v, dict) else v)}" for k, v in what.items())
    if kind == "wait_for":
        return "wait for", f"at most {step['timeout']}" if "timeout" in step else ""
    if kind in ("wait", "webhook"):
        return kind, _plain(what)
    if kind in ("emit", "start"):
        return f"{kind} {what}", ""
    return kind, ""


def _ways(workflow: dict[str, Any]) -> Iterator[Way]:
    if "first" in workflow:
        yield Way(ENTRY, workflow["first"], "", "entered")
    for name, step in workflow.get("steps", {}).items():
        arms: dict[tuple[str, str], list[str]] = {}   # what a run cannot tell apart is one way
        for words, target, outcome in _arms(step):
            arms.setdefault((END if target in (None, "end") else target, outcome), []).append(words)
        for (target, outcome), reasons in arms.items():
            yield Way(name, target, " or ".join(filter(None, reasons)), outcome)


def _arms(step: dict[str, Any]) -> Iterator[tuple[str, str | None, str]]:
    kind = kind_of(step)
    if kind == "exit" or kind == "unknown":
        return
    if kind == "branch":
        for arm in step["branch"]:
            yield _plain(arm["if"]), arm.get("then"), "if"
        yield "else", step.get("else"), "else"
    elif kind == "split":
        total = sum(arm["weight"] for arm in step["split"]) or 1
        for arm in step["split"]:
            yield f"{100 * arm['weight'] / total:.3g} %", arm.get("then"), "split"
    elif kind == "wait_for":
        awaited = step["wait_for"]
        if isinstance(awaited, list):
            for arm in awaited:
                yield _plain(arm.get("event", arm.get("when"))), arm.get("then"), "then"
        else:
            one = awaited.get("when", awaited.get("event")) if isinstance(awaited, dict) else awaited
            yield _plain(one), step.get("then"), "then"
        if "timeout" in step:
            yield f"after {step['timeout']}", step.get("else"), "timeout"
    else:
        yield "", step.get("next"), "next"


def _note(row: dict[str, Any]) -> str:
    suppressed = sum(n for column, n in row.items() if column.startswith("suppressed_"))
    counts = {"came": row["entered"], "suppressed": suppressed, "goal": row["goal"], "exited": row["exited"], "waiting": row["waiting"]}
    return " · ".join(f"{n:,} {word}" for word, n in counts.items() if n or word == "came")
