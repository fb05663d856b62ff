"""A playbook of SkillTime over its sample history: who is who, what is known of them, what would have been sent, how well it goes.

    python examples/skilltime/run.py [FOLDER] [--playbook FILE] [--history FOLDER]

Prints what is worth reading, and writes all of it into FOLDER (default: build/skilltime): tables as CSV and Parquet, pictures as SVG.
"""

import argparse
import itertools
import pathlib
import sys

import journeyman as jm
import matplotlib
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from matplotlib.figure import Figure
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

HERE = pathlib.Path(__file__).resolve().parent
END = "2026-04-01T00:00:00+02:00"  # the sample history covers March 2026 to its end
EVERY = {"day": "daily", "week": "weekly", "month": "monthly", "quarter": "quarterly", "year": "yearly", "campaign": "by campaign"}

console = Console(highlight=False)
console.width = min(max(console.width, 100), 120)


def heading(text, why):
    console.print()
    console.rule(f"[bold]{text}", align="left", style="dim")
    console.print(f"[dim]{why}\n")


def show(columns, rows):
    """A table. Columns whose name ends in `>` are set to the right; those that end in `~` may be wrapped."""
    table = Table(box=None, pad_edge=False, header_style="bold dim", padding=(0, 2, 0, 0))
    for name in columns:
        table.add_column(name.rstrip(">~"), justify="right" if name.endswith(">") else "left", no_wrap=not name.endswith("~"))
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    console.print(Padding(table, (0, 0, 0, 1)))


def bar(share, width=14):
    full = round(share * width)
    return f"[cyan]{'━' * full}[/][dim]{'─' * (width - full)}[/] {share:4.0%}"


def fold(names):
    """Says a name once, where the rows below have the same."""
    before = None
    for name in names:
        yield "" if name == before else f"[bold]{escape(name)}"
        before = name


def span(delta):
    """A duration as a person says it."""
    if delta is None:
        return ""
    days, hours = delta.days, round(delta.seconds / 3600)
    return " ".join([f"{days} d"] * bool(days) + [f"{hours} h"] * bool(hours)) or "at once"


def show_segments(playbook, sizes):
    heading("Segments", "Who is in at the end of the history. Unknown: an attribute that the question needs was never given.")
    rows = sizes.to_pylist()
    show(
        ["segment", "", "members>", "unknown>", "of all", "channels~"],
        [
            (f"[bold]{r['segment']}", r["title"], f"{r['members']:,}", f"{r['unknown']:,}", bar(r["share"]), ", ".join(playbook.segments[r["segment"]].channels))
            for r in rows
        ],
    )


def show_coverage(coverage):
    heading("Data to collect", "For how many members each piece of it is there. Who lacks what is in lacking.csv.")
    rows = coverage.to_pylist()
    names = fold(r["segment"] for r in rows)
    show(["segment", "group", "what~", "there"], [(n, r["group"], escape(r["expression"]), bar(r["share"])) for n, r in zip(names, rows, strict=True)])


def show_stages(stages):
    heading("Funnels", "The last stage that members of each segment have come to.")
    rows = stages.to_pylist()
    first = {}
    for r in rows:
        first.setdefault(r["segment"], r["reached"])
    names = fold(r["segment"] for r in rows)
    show(
        ["segment", "stage", "standing>", "reached>", "of those who began"],
        [
            (n, r["stage"], f"{r['standing']:,}", f"{r['reached']:,}", bar(r["reached"] / first[r["segment"]] if first[r["segment"]] else 0, 30))
            for n, r in zip(names, rows, strict=True)
        ],
    )


def show_journeys(run):
    for workflow, group in itertools.groupby(run.steps.to_pylist(), key=lambda r: r["workflow"]):
        rows = list(group)
        journeys = [r for r in run.journeys.to_pylist() if r["workflow"] == workflow]
        outcomes = ", ".join(f"{sum(j['outcome'] == o for j in journeys):,} {o}" for o in ("completed", "goal", "exited", "running"))
        heading(f"Workflow {workflow}", f"{len(journeys):,} journeys: {outcomes}. Later: deferred. Stay: median.")
        shown = []
        for phase, r in zip(fold(r["phase"] or "" for r in rows), rows, strict=True):
            reasons = [f"{n:,} {name.removeprefix('suppressed_').replace('_', ' ')}" for name, n in r.items() if name.startswith("suppressed_") and n]
            ended = r["completed"] + r["goal"] + r["exited"]
            numbers = (r["entered"], r["moved_on"], ended, r["waiting"], r["sent"], r["deferred"])
            shown.append((phase, r["step"], *(f"{n:,}" if n else "[dim]·" for n in numbers), ", ".join(reasons), span(r["time_p50"])))
        show(["phase", "step", "entered>", "went on>", "ended>", "wait>", "sent>", "later>", "suppressed", "stay>"], shown)


def spark(rows, width=10):
    """The last values, as a row of blocks."""
    values = [r["value"] for r in rows if r["value"] is not None][-width:]
    low, high = min(values, default=0), max(values, default=0)
    return "".join("▁▂▃▄▅▆▇█"[round(7 * (v - low) / (high - low))] if high > low else "▄" for v in values)


def show_kpis(kpis):
    heading("KPIs", "The last whole period with a value, and its 95 % interval. A star: met or missed even at its edge.")
    improve = kpis.improve.to_pylist()
    todo = []
    for name, periods in kpis.totals().items():
        definition = kpis.definitions[name]
        title = escape(definition.get("title", name))
        whole = [r for r in periods if r["value"] is not None and not r["partial"]]
        about = [name, EVERY[definition["every"]], definition.get("scope"), f"met in {sum(r['status'] == 'met' for r in whole)} of {len(whole)}"]
        console.print(f" [bold]{title}[/] [dim]{', '.join(filter(None, about))}")
        trend = spark(periods)
        for r in whole if definition["every"] == "campaign" else whole[-1:]:
            when = kpis.written_period(r)
            target = "target " + kpis.written(name, r["target"]) if r["target"] is not None else ""
            status = {"met": "[green]met", "missed": "[red]missed"}.get(r["status"], "") + "*" * bool(r["certain"])
            between = kpis.written_interval(r)
            console.print(f"   {when:<12}{kpis.written(name, r['value']):>14}   {between:<24}  {target:<22} {status}[/]{' ' * (10 - len(status.partition(']')[2]))}{trend}")
            trend = ""
            todo += [(title, i) for i in improve if (i["kpi"], i["period"], i["campaign"]) == (name, r["period"], r["campaign"])]
    if todo:
        console.print("\n[bold] What to improve[/], where the target was missed:")
        for title, group in itertools.groupby(todo, key=lambda x: x[0]):
            console.print(f"  {title}")
            for action, workflow in dict.fromkeys((i["action"], i["workflow"]) for _, i in group):
                console.print(f"    • {escape(action)}" + (f" [dim](workflow {workflow})" if workflow else ""))


def write(folder, name, table):
    """A table as CSV and as Parquet; in CSV, durations are seconds."""
    arrow = table if isinstance(table, pa.Table) else table.to_arrow()
    pyarrow.parquet.write_table(arrow, folder / f"{name}.parquet")
    for n, field in enumerate(arrow.schema):
        if pa.types.is_duration(field.type):
            seconds = pa.compute.divide(arrow[n].cast(pa.int64()).cast(pa.float64()), 1e6)
            arrow = arrow.set_column(n, field.name, seconds)
    pyarrow.csv.write_csv(arrow, folder / f"{name}.csv")


def pictures(folder, playbook, stages, kpis, run):
    """Workflows, funnels and KPIs as SVG."""
    for name, workflow in playbook.workflows.items():
        (folder / f"workflow_{name}.svg").write_text(workflow.to_svg(run), encoding="utf-8")
        (folder / f"workflow_{name}.mmd").write_text(workflow.to_mermaid(run), encoding="utf-8")
    matplotlib.use("agg")
    stages.plot().figure.savefig(folder / "funnels.svg")
    lines = -(-len(kpis.definitions) // 2)
    figure = Figure(figsize=(13, 3 * lines), layout="constrained")
    cells = list(figure.subplots(lines, 2, squeeze=False).flat)
    for name, ax in zip(kpis.definitions, cells, strict=False):
        kpis.plot(name, ax=ax)
    for ax in cells:
        ax.tick_params(axis="x", labelbottom=True, labelsize="small", rotation=30)  # each has dates of its own
    for ax in cells[len(kpis.definitions) :]:
        ax.set_axis_off()
    figure.savefig(folder / "kpis.svg")


def main(folder, file, data):
    history = jm.History(**{name: data / f"{name}.parquet" for name in ("contacts", "events", "accounts", "spend")})
    playbook = jm.Playbook.load(file)
    console.print(f"[bold]{playbook.name}[/]: {history.contacts_count:,} contacts, {history.events_count:,} events, {len(history.rejected)} rows rejected")
    problems = playbook.check(history)
    for problem in problems:
        console.print(escape(str(problem)), style="red" if problem.severity == "error" else "yellow", soft_wrap=True)
    if problems.errors:
        return 1
    if not problems:
        console.print("The check found nothing wrong.")

    sizes, coverage, stages = playbook.sizes(history, END), playbook.coverage(history, END), playbook.stages(history, END)
    run = playbook.replay(history)
    kpis = playbook.kpis(history, run, end=END)
    show_segments(playbook, sizes)
    show_coverage(coverage)
    show_stages(stages)
    show_journeys(run)
    show_kpis(kpis)

    folder.mkdir(parents=True, exist_ok=True)
    members = {name: history.select(segment, at=END).ids for name, segment in playbook.segments.items()}
    tables = {
        "segments": sizes, "coverage": coverage, "lacking": coverage.lacking, "stages": stages, "actions": run.actions,
        "journeys": run.journeys, "steps": run.steps, "edges": run.edges, "kpis": kpis, "improve": kpis.improve,
        "members": pa.table({"segment": [s for s, ids in members.items() for _ in ids], "contact_id": [i for ids in members.values() for i in ids]}),
    }  # fmt: skip
    for name, table in tables.items():
        write(folder, name, table)
    pictures(folder, playbook, stages, kpis, run)
    playbook.report(history, run, folder / "report.html", end=END)

    heading("Where to look", f"All in {folder}:")
    show(
        ["file", "~"],
        [
            ("[bold]report.html", "all of it on one page: to look at, to print, to send"),
            ("[bold]workflow_*.svg", "the workflow, with how many took each way (and as Mermaid, .mmd)"),
            ("[bold]funnels.svg, kpis.svg", "the stages; the KPIs over time, with intervals and targets"),
            ("[bold]actions.csv", "each send: to whom, when, on which channel, or why not"),
            ("[bold]kpis.csv, improve.csv", "each KPI by period and channel; what to do where it missed its target"),
            ("[bold]*.csv, *.parquet", f"and {len(tables) - 3} tables more: {', '.join(n for n in tables if n not in ('actions', 'kpis', 'improve'))}"),
        ],
    )
    return 0


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", nargs="?", type=pathlib.Path, default="build/skilltime")
    arguments.add_argument("--playbook", type=pathlib.Path, default=HERE / "webinar.yaml", help="the definition (default: webinar.yaml)")
    arguments.add_argument("--history", type=pathlib.Path, default=HERE / "history", help="where contacts, events, accounts and spend are")
    given = arguments.parse_args()
    try:
        sys.exit(main(given.folder, given.playbook, given.history))
    except jm.Error as error:
        console.print(escape(str(error)), style="red", soft_wrap=True)
        sys.exit(1)
