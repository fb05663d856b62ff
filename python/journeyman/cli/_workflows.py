"""Commands about playbooks and their workflows: check, run, draw."""

from __future__ import annotations

import enum
import functools
import json
import pathlib
import sys
from collections import Counter
from collections.abc import Callable
from typing import Annotated, Any, Literal

import typer

from .._files import refuse_filled, whole_file, whole_folder, write_table
from .._history import History
from .._playbook import Playbook
from .._run import Run
from ._app import Source, busy, checked, command, problem_line, said
from ._ask import PlaybookFile, replay
from ._show import Printer, Row, Sheet, screen


class Form(str, enum.Enum):
    """Of the tables that `run` writes."""

    parquet = "parquet"
    csv = "csv"


class Picture(str, enum.Enum):
    """Of the drawings that `draw` makes."""

    mermaid = "mermaid"
    svg = "svg"
    dot = "dot"


class Order(str, enum.Enum):
    """Of the events that a replay sees."""

    event = "event"
    arrival = "arrival"


@command
def check(playbook: PlaybookFile, source: Source, printer: Printer) -> None:
    """Every problem of a playbook at once, each with its place and what to do; exits with 1 when there are errors.

    `journeyman check examples/skilltime/webinar.yaml --history examples/skilltime/history`

    With a history it also finds names that nobody has and types that do not fit.
    """
    book = Playbook.load(playbook)
    history = source.read() if source.given else None
    with busy("checking"):
        problems = book.check(history)
    if printer.for_people:
        out = screen()
        for p in problems:
            out.print(problem_line(p), soft_wrap=True)
        counts = Counter(p.severity for p in problems)
        said.print(", ".join(f"{n} {severity}{'s' if n != 1 else ''}" for severity, n in counts.items()) or "no problems")
    else:
        printer.print(Sheet("problems", [{"code": p.code, "place": p.place, "severity": p.severity, "message": p.message} for p in problems]))
    if problems.errors:
        raise typer.Exit(1)


@command
def run(
    playbook: PlaybookFile,
    source: Source,
    printer: Printer,
    out: Annotated[pathlib.Path | None, typer.Option(help="folder for all tables and pictures", metavar="FOLDER", show_default=False)] = None,
    form: Annotated[Form, typer.Option("--format", help="of the tables in the folder")] = Form.parquet,
    force: Annotated[bool, typer.Option("--force", help="replace a folder that is not empty")] = False,
    start: Annotated[str | None, typer.Option(help="an instant (default: the first input)", show_default=False)] = None,
    until: Annotated[str | None, typer.Option(help="an instant, included (default: the last input)", show_default=False)] = None,
    order: Annotated[Order, typer.Option(help="of the events: as they happened, or as they arrived")] = Order.event,
    only: Annotated[str | None, typer.Option(help="a predicate: only contacts for whom it is yes at the start", show_default=False)] = None,
    threads: Annotated[int | None, typer.Option(help="changes nothing but the time it takes (default: all)", show_default=False)] = None,
) -> None:
    """Replay: what the workflows would have done over the history.

    `journeyman run examples/skilltime/webinar.yaml --history examples/skilltime/history --out build/webinar`

    Prints journeys by outcome and the steps. --out writes actions, journeys, steps, edges, segments, stages, coverage, KPIs and what
    improves them as tables, each workflow as SVG and Mermaid, segments, stages and KPIs as PNG.
    """
    if out is not None:
        refuse_filled(out, force)
    book = Playbook.load(playbook)
    history = source.read()
    checked(book, history)
    done = replay(book, history, start=start, until=until, order=order.value, only=only, threads=threads)
    if out is not None:
        with busy(f"writing {out}"), whole_folder(out, force) as folder:
            _write(folder, form.value, book, history, done)
    outcomes = _outcomes(book, done)
    printer.print(
        Sheet("steps", done.steps, shown=_steps(done)), Sheet("journeys", outcomes, "journeys by outcome", beside=True),
        *([] if printer.for_people else [Sheet("edges", done.edges, beside=True)]),
    )  # fmt: skip
    if out is not None:
        said.print(f"written to {out}")


def _outcomes(book: Playbook, done: Run) -> list[Row]:
    counts = Counter((r["workflow"], r["outcome"]) for r in done.journeys.to_arrow().select(["workflow", "outcome"]).to_pylist())
    words = ("completed", "goal", "exited", "running")
    return [{"workflow": w, "journeys": sum(counts[w, o] for o in words), **{o: counts[w, o] for o in words}} for w in book.workflows]


def _steps(done: Run) -> list[Row]:
    """For people: the reasons of suppression in one column, one quantile, zeros left out."""
    rows: list[Row] = []
    for r in done.steps.to_pylist():
        reasons = ", ".join(f"{n:,} {name.removeprefix('suppressed_').replace('_', ' ')}" for name, n in r.items() if name.startswith("suppressed_") and n)
        counts = {name: r[name] or None for name in ("moved_on", "completed", "goal", "exited", "waiting", "sent", "deferred")}
        rows.append({"workflow": r["workflow"], "step": r["step"], "phase": r["phase"], "entered": r["entered"], **counts, "suppressed": reasons, "median stay": r["time_p50"]})
    return rows


def _write(folder: pathlib.Path, form: str, book: Playbook, history: History, done: Run) -> None:
    sizes, stages, coverage = book.sizes(history), book.stages(history), book.coverage(history)
    kpis = book.kpis(history, done)
    tables = {
        "actions": done.actions, "journeys": done.journeys, "steps": done.steps, "edges": done.edges, "segments": sizes, "stages": stages,
        "coverage": coverage, "lacking": coverage.lacking, "kpis": kpis, "improve": kpis.improve, "unscoped_spend": kpis.unscoped_spend,
    }  # fmt: skip
    for name, table in tables.items():
        write_table(folder, name, table, form)
    for name, workflow in book.workflows.items():
        drawing = workflow.draw(done)
        drawing.save(folder / f"workflow-{name}.svg")
        drawing.save(folder / f"workflow-{name}.mmd")
    if len(sizes):
        _picture(folder / "segments.png", sizes.plot, len(sizes))
    if len(stages):
        _picture(folder / "stages.png", stages.plot, len(stages))
    for name in dict.fromkeys(r["kpi"] for r in kpis.to_pylist()):
        _picture(folder / f"kpi-{name}.png", functools.partial(kpis.plot, name))


def _picture(file: pathlib.Path, plot: Callable[..., Any], bars: int = 5) -> None:
    from matplotlib.figure import Figure  # without pyplot, which would look for a screen

    figure = Figure(figsize=(8, 1.5 + 0.4 * bars), layout="constrained")
    plot(ax=figure.subplots())
    figure.savefig(file, dpi=120)


@command
def explain(
    playbook: PlaybookFile,
    source: Source,
    contact: Annotated[str, typer.Argument(help="id of the contact")],
    workflow: Annotated[str | None, typer.Option(help="only this one", show_default=False)] = None,
    journey: Annotated[int | None, typer.Option(help="only the one of this number", show_default=False)] = None,
    until: Annotated[str | None, typer.Option(help="an instant, included (default: the last input)", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="write JSON")] = False,
) -> None:
    """One contact's journeys step by step: what happened, why this way, what is waited for, until when.

    `journeyman explain examples/skilltime/webinar.yaml c00002 --history examples/skilltime/history`
    """
    book = Playbook.load(playbook)
    history = source.read()
    checked(book, history)
    told = replay(book, history, until=until).explain(contact, workflow, journey)
    if as_json:
        json.dump({"journeys": told.to_dicts()}, sys.stdout, default=lambda x: x.isoformat().replace("+00:00", "Z"), indent=1)
        sys.stdout.write("\n")
    else:
        sys.stdout.write(f"{told!r}\n")


@command
def draw(
    playbook: PlaybookFile,
    source: Source,
    workflow: Annotated[str | None, typer.Argument(help="its name (needed when there are several)", show_default=False)] = None,
    form: Annotated[Picture | None, typer.Option("--format", help="default: by the ending of --out, else mermaid", show_default=False)] = None,
    out: Annotated[pathlib.Path | None, typer.Option(help="file (default: standard output)", metavar="FILE", show_default=False)] = None,
) -> None:
    """A workflow as a picture: Mermaid, SVG or Graphviz.

    `journeyman draw examples/skilltime/webinar.yaml --history examples/skilltime/history --out webinar.svg`

    With a history it is replayed, and the picture says how many took each way.
    """
    book = Playbook.load(playbook)
    names = list(book.workflows)
    if workflow is None and len(names) == 1:
        workflow = names[0]
    if workflow is None or workflow not in names:
        what = "which workflow" if workflow is None else f"there is no workflow `{workflow}`"
        raise typer.BadParameter(f"{what}? The playbook has {', '.join(names) or 'none'}")
    done = None
    if source.given:
        history = source.read()
        checked(book, history)
        done = replay(book, history)
    endings: dict[str, Literal["svg", "dot"]] = {".svg": "svg", ".dot": "dot", ".gv": "dot"}
    chosen = form.value if form is not None else endings.get("" if out is None else out.suffix, "mermaid")
    drawing = book.workflows[workflow].draw(done)
    text = {"svg": drawing.to_svg, "dot": drawing.to_dot, "mermaid": drawing.to_mermaid}[chosen]()
    if out is None:
        sys.stdout.write(text)
    else:
        with whole_file(out) as file:
            file.write_text(text, encoding="utf-8")
        said.print(f"written to {out}")
