"""Commands that ask a history: data, select, segments, kpis."""

from __future__ import annotations

import pathlib
import warnings
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.text import Text

from .. import _values
from .._history import History
from .._kpis import Kpis
from .._playbook import Playbook
from .._run import Run
from ._app import Source, busy, checked, command, problem_line, progress, said
from ._show import Printer, Row, Sheet, screen

PlaybookFile = Annotated[pathlib.Path, typer.Argument(help="the playbook, YAML or JSON", show_default=False)]
At = Annotated[str | None, typer.Option(help="the instant, such as 2026-03-31T00:00:00Z (default: the end of the history)", show_default=False)]
PERIODS = 8   # of a KPI, on the screen


@command
def data(source: Source, printer: Printer) -> None:
    """What a history holds, and which rows could not be used.

    `journeyman data --history examples/skilltime/history`
    """
    history = source.read(strict=False)
    schema = history.schema
    kinds = [("contact", "", schema["contact"]), ("account", "", schema["account"]), *(("event", e, p) for e, p in schema["events"].items())]
    names = [{"of": of, "event": event, "name": name, "type": kind} for of, event, types in kinds for name, kind in (types or {"": ""}).items()]
    rows = [
        {"of": of, "event": event, "names": ", ".join(f"{n} ({t})" for n, t in types.items())}
        for of, event, types in kinds
        if types or of == "event"
    ]  # fmt: skip
    if printer.for_people:
        span = history.span
        between = f", from {span[0]:%Y-%m-%d} to {span[1]:%Y-%m-%d}" if span else ""
        screen().print(f"{history.contacts_count:,} contacts, {history.events_count:,} events{between}\n")
    rejected = history.rejected_counts
    beside = [Sheet("rejected", rejected, "rows that could not be used", beside=True), Sheet("rejected_rows", history.rejected, "such as", beside=True)]
    printer.print(Sheet("schema", names, "names and types", rows), *(beside if len(rejected) else []))
    if source.strict and len(rejected):
        raise typer.Exit(3)


@command
def select(
    predicate: Annotated[str, typer.Argument(help="such as 'did(purchase, last 30d)'", show_default=False)],
    source: Source,
    printer: Printer,
    at: At = None,
    playbook: Annotated[pathlib.Path | None, typer.Option(help="its segments, types and zone serve the predicate")] = None,
    zone: Annotated[str, typer.Option(help="of calendar windows and bare dates, without a playbook")] = "UTC",
) -> None:
    """The ids of the contacts for whom a predicate is yes, as CSV (or --json).

    `journeyman select 'count(purchase, last 90d) >= 2' --history examples/skilltime/history`
    """
    history = source.read()
    with busy("selecting"):
        if playbook is None:
            found = history.select(predicate, at=at, timezone=zone)
        else:
            found = history.select(predicate, at=at, playbook=Playbook.load(playbook))
    printer.csv = not printer.json
    printer.print(Sheet("contacts", found.to_table()))
    said.print(f"{found.count:,} in, {len(found.unknown_ids):,} unknown")


@command
def segments(
    playbook: PlaybookFile,
    source: Source,
    printer: Printer,
    at: At = None,
    coverage: Annotated[bool, typer.Option("--coverage", help="how much of the data to collect is there")] = False,
    stages: Annotated[bool, typer.Option("--stages", help="how far members came in the funnel")] = False,
    members: Annotated[str | None, typer.Option(help="the ids of those in this segment", metavar="NAME")] = None,
) -> None:
    """How many contacts are in each segment; or coverage, stages, members.

    `journeyman segments examples/skilltime/webinar.yaml --history examples/skilltime/history --stages`
    """
    book = Playbook.load(playbook)
    if members is not None and members not in book.segments:
        raise typer.BadParameter(f"--members: there is no segment `{members}`, but {', '.join(book.segments) or 'none'}")
    history = source.read()
    checked(book, history)
    sheets = []
    with busy("asking the segments"):
        if coverage:
            sheets.append(Sheet("coverage", (rows := book.coverage(history, at)), "data to collect", _percent(rows.to_pylist())))
        if stages:
            sheets.append(Sheet("stages", book.stages(history, at)))
        if members is not None:
            sheets.append(Sheet("members", history.select(book.segments[members], at=at).to_table(), f"in {members}"))
        if not sheets:
            sizes = book.sizes(history, at)
            sheets.append(Sheet("segments", sizes, shown=_percent(sizes.to_pylist())))
    printer.print(*sheets)


def _percent(rows: list[dict[str, Any]]) -> list[Row]:
    return [{**r, "share": "" if r["share"] is None else f"{r['share']:6.1%}"} for r in rows]


@command
def kpis(
    playbook: PlaybookFile,
    source: Source,
    printer: Printer,
    by: Annotated[list[str], typer.Option(help="break down by this, such as channel or contact.city; repeat for more", show_default=False)] = [],  # noqa: B006
    start: Annotated[str | None, typer.Option(help="an instant, or a day of the playbook (default: the first of the history)", show_default=False)] = None,
    end: Annotated[str | None, typer.Option(help="an instant or a day, excluded (default: after the last of the history)", show_default=False)] = None,
    only: Annotated[list[str], typer.Option(help="this KPI; repeat for more (default: all)", metavar="KPI", show_default=False)] = [],  # noqa: B006
    level: Annotated[float, typer.Option(help="of the intervals")] = 0.95,
    with_run: Annotated[bool, typer.Option("--with-run", help="replay first, so that KPIs see the actions of the run")] = False,
) -> None:
    """The KPIs by period, with counts, interval, target and status.

    `journeyman kpis examples/skilltime/webinar.yaml --history examples/skilltime/history --only lead_conversion --by channel`

    On the screen: the last periods, in total; with --by, of each cell. --csv and --json have everything.
    """
    book = Playbook.load(playbook)
    history = source.read()
    checked(book, history)
    run = replay(book, history) if with_run else None
    with busy("counting"), warnings.catch_warnings():
        warnings.simplefilter("ignore")   # told below, as all problems are
        table = book.kpis(history, run, start=start, end=end, by=by, only=only, level=level)
    for problem in table.problems:
        said.print(problem_line(problem))
    if printer.for_people:
        for sheet in kpi_sheets(table, bool(by), level):
            printer.print(sheet)
            _improve(table, sheet.name)
    else:
        printer.print(Sheet("kpis", table), Sheet("improve", table.improve, beside=True), Sheet("unscoped_spend", table.unscoped_spend, beside=True))


@command
def report(
    playbook: PlaybookFile,
    source: Source,
    out: Annotated[pathlib.Path, typer.Option("--out", help="the file to write")] = pathlib.Path("report.html"),
    by: Annotated[list[str], typer.Option(help="break KPIs down by this, such as channel or contact.city; repeat for more", show_default=False)] = [],  # noqa: B006
    start: Annotated[str | None, typer.Option(help="an instant, or a day of the playbook (default: the first of the history)", show_default=False)] = None,
    end: Annotated[str | None, typer.Option(help="an instant or a day, excluded (default: after the last of the history)", show_default=False)] = None,
    title: Annotated[str | None, typer.Option(help="of the page (default: the name of the playbook)", show_default=False)] = None,
    cohorts: Annotated[str | None, typer.Option(help="the event of the cohorts, such as purchase (default: that of the first new(…) of the KPIs)", show_default=False)] = None,
    with_run: Annotated[bool, typer.Option("--with-run/--without-run", help="replay first, so that workflows have their counts and KPIs see the actions")] = True,
) -> None:
    """One page a manager reads, as a file without scripts that loads nothing: KPIs, segments, funnels, workflows.

    `journeyman report examples/skilltime/webinar.yaml --history examples/skilltime/history --out build/report.html`
    """
    book = Playbook.load(playbook)
    history = source.read()
    checked(book, history)
    run = replay(book, history) if with_run else None
    out.parent.mkdir(parents=True, exist_ok=True)
    with busy("writing the report"):
        book.report(history, run, out, start=start, end=end, by=by, title=title, cohorts=cohorts)
    said.print(f"written: {escape(str(out))}")


def replay(playbook: Playbook, history: History, **bounds: Any) -> Run:
    with progress("replaying") as done:
        return playbook.replay(history, progress=done, **bounds)


def kpi_sheets(table: Kpis, cells: bool, level: float) -> Iterator[Sheet]:
    """For people: a sheet a KPI, of its last periods."""
    rows = table.to_pylist()
    for name in dict.fromkeys(r["kpi"] for r in rows):
        definition = table.definitions[name]
        mine = [r for r in rows if r["kpi"] == name and (cells or all(r[d] is None for d in table.dimensions))]
        last = list(dict.fromkeys(r["period"] for r in mine))[-PERIODS:]
        scope = f", scope {definition['scope']}" if "scope" in definition else ""
        title = f"{definition.get('title', name)} ({name}, every {definition['every']}{scope})"
        dimensions = [d for d in table.dimensions if any(r[d] is not None for r in mine)]
        shown = [_kpi_row(r, table, dimensions, level) for r in mine if r["period"] in last]
        yield Sheet(name, mine, title, shown)


def _kpi_row(r: Row, table: Kpis, dimensions: list[str], level: float) -> Row:
    name = r["kpi"]
    status = Text(r["status"] + (" *" if r["certain"] else ""), style={"met": "green", "missed": "red"}.get(r["status"], "dim")) if r["status"] else None
    return {
        "period": table.written_period(r), **{d: "all" if r[d] is None else r[d] for d in dimensions}, "value": table.written(name, r["value"]),
        f"{100 * level:.4g} % interval": table.written_interval(r), "of": _values.counts(r, table.definitions[name]), "target": table.written(name, r["target"]), "status": status,
    }  # fmt: skip


def _improve(table: Kpis, kpi: str) -> None:
    """What to do where the last whole period missed its target."""
    rows = [r for r in table.to_pylist() if r["kpi"] == kpi and not r["partial"] and all(r[d] is None for d in table.dimensions)]
    if not rows or rows[-1]["status"] != "missed":
        return
    last = (rows[-1]["period"], rows[-1]["campaign"])
    for i in table.improve.to_pylist():
        if i["kpi"] == kpi and (i["period"], i["campaign"]) == last:
            screen().print(escape(f"  to improve it: {i['action']}" + (f" (workflow {i['workflow']})" if i["workflow"] else "")))
    screen().print()
