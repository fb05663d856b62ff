"""The sections of the page, each from tables that a playbook gives."""

from __future__ import annotations

import functools
import io
import itertools
import re
import zlib
from html import escape
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from .. import _values
from .._convert import Instant
from .._error import Error
from .._kpis import Kpis
from ._charts import over_time, spans, spark
from ._page import Section, bar, table

if TYPE_CHECKING:
    from .._history import History
    from .._playbook import Dimensions, Playbook
    from .._run import Run

Row = dict[str, Any]
CELLS, COHORTS = 8, 12   # of a breakdown; months of the cohorts


def _count(n: int, word: str) -> str:
    return f"{n:,} {word}{'' if n == 1 else 's'}"


def _anchor(kind: str, name: str) -> str:
    return f"{kind}-{escape(name, quote=True).replace(' ', '-')}"


def last_whole(rows: list[Row]) -> Row | None:
    """The last row whose period is over and that has a value."""
    return next((r for r in reversed(rows) if r["value"] is not None and not r["partial"]), None)


def status(row: Row) -> str:
    """In words and a sign, not by colour alone."""
    sure = "" if row["certain"] else ' <span class="soft">(within chance)</span>'
    if row["status"] == "met":
        return f'<span class="one"><span class="good">✓ met</span>{sure}</span>'
    if row["status"] == "missed":
        return f'<span class="one"><span class="bad">✗ missed</span>{sure}</span>'
    return '<span class="soft">no data</span>' if row["status"] else ""


# --- what the page is about ---------------------------------------------------------------------------------------------
def head(playbook: Playbook, history: History, run: Run | None, kpis: Kpis | None) -> Section:
    span = history.span
    zone = ZoneInfo(playbook.timezone)
    between = f"{span[0].astimezone(zone):%d %b %Y} to {span[1].astimezone(zone):%d %b %Y}, {playbook.timezone}" if span else "A history without events"
    facts = [("contacts", f"{history.contacts_count:,}"), ("events", f"{history.events_count:,}")]
    if run is not None:
        facts += [("journeys", f"{len(run.journeys):,}"), ("actions", f"{len(run.actions):,}")]
    if kpis is not None:
        judged = [r for r in map(last_whole, kpis.totals().values()) if r is not None and r["status"] in ("met", "missed")]
        if judged:
            facts.append(("targets met", f"{sum(r['status'] == 'met' for r in judged)} of {len(judged)}"))
    rejected = sum(r["rows"] for r in history.rejected_counts.to_pylist())
    if rejected:
        facts.append(("rows that could not be used", f"{rejected:,}"))
    listed = "".join(f"<div><dt>{escape(name)}</dt><dd>{value}</dd></div>" for name, value in facts)
    return Section("head", "", f'<p class="soft">{escape(between)}</p><dl class="facts">{listed}</dl>')


# --- KPIs -----------------------------------------------------------------------------------------------------------------
def scorecard(playbook: Playbook, kpis: Kpis | None) -> Section | None:
    """All KPIs at a glance, and what to do about those that missed."""
    if kpis is None or not len(kpis):
        return None
    trends = {r["kpi"]: r for r in kpis.trend.to_pylist() if all(r[d] is None for d in kpis.dimensions)}
    lines, todo = [], []
    improve = kpis.improve.to_pylist()
    for name, rows in kpis.totals().items():
        row = last_whole(rows) or rows[-1]
        definition = kpis.definitions[name]
        whole = [r for r in rows if r["status"] in ("met", "missed") and not r["partial"]]
        met = f"{sum(r['status'] == 'met' for r in whole)} of {len(whole)}" if whole else ""
        title = definition.get("title", name)
        lines.append([
            f'<a href="#{_anchor("kpi", name)}">{escape(title)}</a>', f'<span class="one">{escape(kpis.written_period(row))}</span>', f"<b>{escape(kpis.written(name, row['value'])) or 'no data'}</b>",
            escape(kpis.written_interval(row)), escape(kpis.written(name, row["target"])), status(row), met, _trend(trends.get(name), definition) + spark([r["value"] for r in rows][-24:]),
        ])  # fmt: skip
        actions = [i for i in improve if (i["kpi"], i["period"], i["campaign"]) == (name, row["period"], row["campaign"])]
        if actions:
            todo.append(f"<h3>{escape(title)}</h3><ul class=\"do\">{''.join(map(_action, actions))}</ul>")
    text = table(["KPI", "period", "value>", "95 % interval>", "target>", "status", "met in>", "trend"], lines, "The last whole period with a value")
    if todo:
        text += "<h3>What to do, where a target was missed</h3>" + "".join(todo).replace("<h3>", "<p><b>").replace("</h3>", "</b></p>")
    return Section("scorecard", "Scorecard", text)


def _action(row: Row) -> str:
    return f"<li>{escape(row['action'])}" + (f' <span class="soft">(workflow {escape(row["workflow"])})</span>' if row["workflow"] else "") + "</li>"


def _trend(trend: Row | None, definition: Row) -> str:
    if trend is None:
        return ""
    if trend["trend"] == "none":
        return '<span class="soft">no trend </span>' if trend["p"] is not None else ""
    kind = "good" if trend["better"] else "bad"
    return f'<span class="{kind}">{"↗" if trend["trend"] == "rising" else "↘"} {trend["trend"]}, {"better" if trend["better"] else "worse"} </span>'


def kpi_cards(playbook: Playbook, history: History, run: Run | None, kpis: Kpis | None, end: Instant | None, by: Dimensions) -> Section | None:
    """A card a KPI: its course, its parts, why it changed."""
    if kpis is None or not len(kpis):
        return None
    rows = kpis.to_pylist()
    cards = []
    for name, totals in kpis.totals().items():
        definition = kpis.definitions[name]
        unit, every = definition.get("unit", ""), definition["every"]
        written = functools.partial(_short, unit=unit)
        row = last_whole(totals) or totals[-1]
        title = definition.get("title", name)
        words = f"{title}: {kpis.written(name, row['value']) or 'no data'} in {kpis.written_period(row)}" + (f", target {kpis.written(name, row['target'])}, {row['status']}" if row["target"] is not None else "")
        if every == "campaign":
            chart = spans(totals, lambda r: r["campaign"], written, words)
        else:
            chart = over_time(totals[-60:], kpis.written_period, written, words)
        said = [escape(kpis.written_period(row))]
        if counts := _values.counts(row, definition):
            said.append(escape(counts))
        if between := kpis.written_interval(row):
            said.append(f"95 % interval {escape(between)}")
        if row["immature"]:
            said.append(f"{_count(row['immature'], 'contact')} too young to count")
        if definition.get("scope"):
            said.append(f"of {escape(definition['scope'])}")
        goal = f"<p>target {escape(kpis.written(name, row['target']))} {status(row)}</p>" if row["target"] is not None else ""
        cells = [r for r in rows if r["kpi"] == name and (r["period"], r["campaign"]) == (row["period"], row["campaign"]) and any(r[d] is not None for d in kpis.dimensions)]
        cards.append(
            f'<article class="card"><h3 id="{_anchor("kpi", name)}">{escape(title)}</h3><p class="big">{escape(kpis.written(name, row["value"])) or "no data"}</p>'
            f'<p class="soft small">{" · ".join(said)}</p>{goal}{chart}{_course(kpis, name, totals)}{_cells(kpis, name, cells)}{_why(playbook, history, run, kpis, name, totals, end, by)}</article>'
        )
    return Section("kpis", "KPIs", f'<div class="cards">{"".join(cards)}</div>')


def _short(x: float, unit: str) -> str:
    """On an axis."""
    if unit == "percent":
        return f"{100 * x:.3g} %"
    return f"{x:,.0f}" if abs(x) >= 100 or float(x).is_integer() else f"{x:.3g}"


def _course(kpis: Kpis, name: str, totals: list[Row]) -> str:
    """The numbers of the chart."""
    definition = kpis.definitions[name]
    lines = [
        [escape(kpis.written_period(r)), escape(kpis.written(name, r["value"])), escape(_values.counts(r, definition)), escape(kpis.written_interval(r)), escape(kpis.written(name, r["target"])), status(r)]
        for r in totals[-24:]
    ]
    return f"<details><summary>By period</summary>{_filled(['period', 'value>', 'of>', 'interval>', 'target>', 'status'], lines)}</details>"


def _filled(columns: list[str], lines: list[list[str]], caption: str = "") -> str:
    """A table without the columns that hold nothing."""
    kept = [c for c in range(len(columns)) if c == 0 or any(line[c] for line in lines)]
    return table([columns[c] for c in kept], [[line[c] for c in kept] for line in lines], caption)


def _cells(kpis: Kpis, name: str, cells: list[Row]) -> str:
    if not cells:
        return ""
    definition = kpis.definitions[name]
    mine = [d for d in kpis.dimensions if any(r[d] is not None for r in cells)]
    there = sorted((r for r in cells if r["value"] is not None), key=lambda r: -(r["denominator"] if _values.counts(r, definition) and r["denominator"] is not None else abs(r["value"])))
    lines = [[escape(" · ".join(str(r[d]) for d in mine if r[d] is not None)), escape(kpis.written(name, r["value"])), escape(_values.counts(r, definition)), escape(kpis.written_interval(r))] for r in there[:CELLS]]
    rest = [f"and {len(there) - CELLS} more"] if len(there) > CELLS else []
    rest += [f"{len(cells) - len(there)} without data"] if len(cells) > len(there) else []
    return (_filled([", ".join(mine), "value>", "of>", "interval>"], lines) if lines else "") + (f'<p class="soft small">{", ".join(rest)}</p>' if rest else "")


def _why(playbook: Playbook, history: History, run: Run | None, kpis: Kpis, name: str, totals: list[Row], end: Instant | None, by: Dimensions) -> str:
    """Why the last whole period differs from the one before; nothing where that cannot be said."""
    whole = [r for r in totals if r["value"] is not None and not r["partial"]]
    if len(whole) < 2 or kpis.definitions[name]["every"] == "campaign" or not (by or kpis.definitions[name].get("by") or playbook.segments):
        return ""
    try:
        found = playbook.diagnose(history, name, whole[-1]["period"], whole[-2]["period"], by, run=run, end=end)
    except Error:
        return ""
    unit = kpis.definitions[name].get("unit", "")
    lines = [
        [escape(r["cell"]), *(escape(_values.change(r[x], unit, kpis.currency)) for x in ("effect", "mix", "rate"))]
        for r in found.parts.to_pylist()
        if r["cell"] is not None and r["effect"] is not None
    ][:CELLS]  # fmt: skip
    parts = table(["cell", "effect>", "by its share>", "by its value>"], lines) if lines else ""
    costs = [[escape(r["cell"]), escape(_values.value(r["spend"], "money", kpis.currency)), f"{r['count']:,.6g}", escape(kpis.written(name, r["cost"])) or "none came", escape(_values.interval(r["low"], r["high"], unit, kpis.currency))] for r in found.costs.to_pylist()]
    bought = table(["", "spent>", "came>", "each cost>", "interval>"], costs, "What each cost, the cheapest first") if costs else ""
    return f'<p class="small">{escape(found.summary())}</p><details><summary>Why it changed</summary>{parts}{bought}</details>'


# --- who, how far, what happened --------------------------------------------------------------------------------------------
def segments(playbook: Playbook, history: History, at: Instant | None) -> Section | None:
    if not playbook.segments:
        return None
    lines = []
    for r in playbook.sizes(history, at).to_pylist():
        share = r["share"] or 0.0
        title = r["title"] or r["segment"]
        lines.append([escape(title), f"{r['members']:,}", _share(share), bar((share, ""), words=f"{_share(share)} of all"), f"{r['unknown']:,}", escape(", ".join(playbook.segments[r["segment"]].channels))])
    text = _filled(["segment", "members>", "of all>", "", "unknown>", "channels"], lines, "Who is in at the end. Unknown: an attribute that the question needs was never given.")
    return Section("segments", "Segments", text)


def funnels(playbook: Playbook, history: History, at: Instant | None, end: Instant | None) -> Section | None:
    rows = playbook.stages(history, at).to_pylist()
    out = _event_funnels(playbook, history, end)
    if not rows and not out:
        return None
    said = '<p class="soft">How far members have come. The first part of a bar stands at the stage, the second went beyond it.</p>' if rows else ""
    for segment, group in itertools.groupby(rows, key=lambda r: r["segment"]):
        of = list(group)
        first = of[0]["reached"] or 1
        title = playbook.segments[segment].title or segment
        lines, before = [], None
        for r in of:
            step = _share(r["reached"] / before) if before else ""
            words = f"{_share(r['reached'] / first)} reached it, {_share(r['standing'] / first)} stand there"
            lines.append([escape(r["stage"]), f"{r['reached']:,}", _share(r["reached"] / first), step, bar((r["standing"] / first, ""), ((r["reached"] - r["standing"]) / first, "pale"), words=words), f"{r['standing']:,}"])
            before = r["reached"]
        out.append(table(["stage", "reached>", "of the first>", "of the stage before>", "", "stand there>"], lines, f"{title}: {of[0]['funnel']}"))
    return Section("funnels", "Funnels", said + "".join(out))


def _event_funnels(playbook: Playbook, history: History, end: Instant | None) -> list[str]:
    """Those whose steps are events, as far as the page looks, where they say no period themselves."""
    from .._funnel import funnel as measure

    out = []
    for name, funnel in playbook.to_dict().get("funnels", {}).items():
        if "steps" not in funnel:
            continue
        rules: dict[str, Any] = {k: x for k, x in funnel.items() if k not in ("steps", "within", "title")}
        if end is not None and "period" not in rules:
            rules["end"] = end
        found = measure(history, [(s["name"], s["event"]) for s in funnel["steps"]], funnel.get("within"), playbook=playbook, **rules)
        cells: dict[tuple[Any, ...], list[Row]] = {}
        for r in found.to_pylist():
            cells.setdefault(tuple(r[d] for d in found.dimensions), []).append(r)
        whole, *parts = cells.items()
        parts.sort(key=lambda part: -part[1][0]["units"])
        lines = []
        for cell, rows in [whole, *parts[:CELLS]]:
            named = [escape("all" if rows is whole[1] else " · ".join(map(str, cell)))] if found.dimensions else []
            for r in rows:
                compared = ["", ""] if r["step"] == 1 else [_share(r["share_of_previous"]), escape(_values.interval(r["low"], r["high"], "percent"))]
                lines.append([*named, f"{r['step']}", escape(str(r["name"])), f"{r['units']:,}", _share(r["share"]), bar((r["share"] or 0.0, ""), words=f"{_share(r['share'])} came this far"), *compared])
        within = f", within {funnel['within']}" if "within" in funnel else ""
        head = [*([", ".join(found.dimensions)] if found.dimensions else []), "step>", "event", "came>", "share>", "", "of the step before>", "95 % interval>"]
        rest = f'<p class="soft small">and {len(parts) - CELLS} more</p>' if len(parts) > CELLS else ""
        out.append(table(head, lines, f"{funnel.get('title', name)}{within}") + rest)
    return out


def _share(x: float | None) -> str:
    return _values.value(x, "percent")


def workflows(playbook: Playbook, run: Run | None) -> Section | None:
    if not playbook.workflows:
        return None
    steps = [] if run is None else run.steps.to_pylist()
    out = []
    for name, workflow in playbook.workflows.items():
        lines = []
        for r in steps:
            if r["workflow"] == name:
                held = sum(n for column, n in r.items() if column.startswith("suppressed_"))
                lines.append([escape(r["step"]), escape(r["phase"] or ""), *(f"{r[x]:,}" for x in ("entered", "moved_on", "goal", "exited", "waiting", "sent", "deferred")), f"{held:,}"])
        numbers = table(["step", "phase", "entered>", "went on>", "goal>", "exited>", "waiting>", "sent>", "deferred>", "suppressed>"], lines) if lines else ""
        out.append(f'<h3>{escape(workflow.title or name)}</h3><div class="picture wide">{workflow.to_svg(run)}</div>' + (f"<details><summary>By step</summary>{numbers}</details>" if numbers else ""))
    return Section("workflows", "Workflows", "".join(out))


def cohorts(playbook: Playbook, history: History, last: Instant | None, selector: str | None) -> Section | None:
    """By month of the first such event, who was active again in the months after: the `new(…)` of the KPIs, where none is named."""
    from .._retention import retention

    values = " ".join(str(k["value"]) for k in playbook.to_dict().get("kpis", {}).values())
    if selector is None:
        found = re.search(r"\bnew\(([^()]+)\)", values)
        if found is None:
            return None
        selector = found[1]
    kept = retention(history, selector, to=last, playbook=playbook)
    rows = [r for r in kept.to_pylist() if r["size"]]
    zone, lines = playbook.timezone, []
    for cohort, of in [(when, list(group)) for when, group in itertools.groupby(rows, key=lambda r: r["cohort"])][-COHORTS:]:
        cells = [_heat(r) for r in of[1:COHORTS]]
        lines.append([escape(_values.period(cohort, "month", zone)), f"{of[0]['size']:,}", *cells, *[""] * (COHORTS - 1 - len(cells))])
    if not lines:
        return None
    again = next((r for r in kept.again.to_pylist() if r["cohort"] is None), None)
    said = f"{again['again']:,} of {again['size']:,} came back at some time ({_share(again['share'])})." if again and again["share"] is not None else ""
    text = _filled(["first in", "size>", *(f"+{k}>" for k in range(1, COHORTS))], lines, f"{selector}: of those who began in a month, who did it again so many months later")
    return Section("cohorts", "Cohorts", f'<p class="soft">A month counts once it is over. {said}</p>{text}')


def _heat(row: Row) -> str:
    """A share, on a ground as deep as it is great."""
    if row["share"] is None:
        return ""
    return f'<span class="heat" style="background:rgba(var(--heat),{min(row["share"] * 1.5, 0.6):.2f})">{row["share"]:.0%}</span>'


def coverage(playbook: Playbook, history: History, at: Instant | None) -> Section | None:
    rows = playbook.coverage(history, at).to_pylist()
    if not rows:
        return None
    lines = []
    for r in rows:
        share = r["share"] or 0.0
        title = playbook.segments[r["segment"]].title or r["segment"]
        lines.append([escape(title), escape(r["group"]), f"<code>{escape(r['expression'])}</code>", f"{r['present']:,} of {r['members']:,}", bar((share, ""), words=f"{share:.0%}")])
    return Section("coverage", "Data to collect", table(["segment", "group", "what", "there>", ""], lines, "For how many members each piece is there"))


# --- what the caller adds -----------------------------------------------------------------------------------------------------
def more(name: str, what: Any, numbers: Any = None) -> Section:
    """A section of any result: its picture, where it has one, and its table (or other `numbers`)."""
    parts = []
    summary = getattr(what, "summary", None)
    if callable(summary) and isinstance(said := summary(), str):
        parts.append(f"<p>{escape(said)}</p>")
    if hasattr(what, "plot"):
        parts.append(f'<div class="paper">{_picture(what, name)}</div>')
    numbers = what if numbers is None else numbers
    rows = numbers.to_pylist() if hasattr(numbers, "to_pylist") else []
    if rows:
        columns = list(rows[0])
        number = {c: all(isinstance(r[c], (int, float, type(None))) and not isinstance(r[c], bool) for r in rows) for c in columns}
        lines = [[escape(_cell(r[c])) for c in columns] for r in rows[:60]]
        shown = table([c + (">" if number[c] else "") for c in columns], lines) + (f'<p class="soft small">and {len(rows) - 60:,} rows more</p>' if len(rows) > 60 else "")
        parts.append(shown if not hasattr(what, "plot") else f"<details><summary>The numbers</summary>{shown}</details>")
    if not parts:
        raise TypeError(f"report(add=…): {name!r} is a {type(what).__name__}; give tables and results, which have to_pylist() or plot()")
    return Section(_anchor("added", name), name, "".join(parts))


def _cell(x: Any) -> str:
    if x is None:
        return ""
    if isinstance(x, bool):
        return "yes" if x else "no"
    if isinstance(x, int):
        return f"{x:,}"
    return _values.value(x) if isinstance(x, float) else str(x)


def _picture(what: Any, name: str) -> str:
    """What its `plot` draws, as SVG on paper."""
    import matplotlib
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    what.plot(ax=figure.subplots())
    file = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name, "font.family": "sans-serif"}):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    # Every picture calls its parts alike; a page has each name once.
    svg = re.sub(r'(\bid="|href="#|url\(#)', lambda m: f"{m[1]}p{zlib.crc32(name.encode()):x}-", file.getvalue())
    return f'<svg role="img" aria-label="{escape(name)}" ' + svg[svg.index("<svg") + 5 :]
