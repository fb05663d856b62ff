"""Plots of funnels, retention and paths: each takes a Matplotlib `ax`, or makes one, and returns it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from ._plot import BLUE, PALE, Rows, _bare, axes


def funnel(rows: Rows, by: str | None, ax: Any) -> Any:
    steps = [r["name"] for r in rows if r[by] == rows[0][by]] if by else [r["name"] for r in rows]
    groups = [(value, list(group)) for value, group in itertools.groupby(rows, key=lambda r: r[by] if by else None)]
    ax = axes(ax, 7, 1 + 0.5 * len(rows))
    height = 0.8 / len(groups)
    for g, (value, group) in enumerate(groups):
        colour = BLUE if by is None else f"C{g}"
        for y, r in enumerate(group):
            place = y - 0.4 + (g + 0.5) * height
            if by is None and y:
                ax.barh(place, group[y - 1]["units"], height, color=PALE)   # who came to the step before
            ax.barh(place, r["units"], height, color=colour, label=str(value) if by and y == 0 else None)
            share = "" if r["share"] is None else f" ({r['share']:.1%})"
            ax.annotate(f"{r['units']:,}{share}", (r["units"], place), (4, 0), textcoords="offset points", va="center", fontsize="small")
    ax.set_yticks(range(len(steps)), steps)
    ax.set(xlabel="units that came to the step", ylim=(len(steps) - 0.5, -0.5))
    ax.margins(x=0.2)
    if by:
        ax.legend(frameon=False, fontsize="small", title=by)
    _bare(ax, "top", "right")
    return ax


def over_time(rows: Rows, dimensions: Sequence[str], ax: Any) -> Any:
    ax = axes(ax, 7, 3.2)
    unit, name = _unit(max((r["after_seconds"] for r in rows), default=0))
    for k, (key, group) in enumerate(itertools.groupby(rows, key=lambda r: tuple(r[d] for d in dimensions))):
        line = list(group)
        x = [0.0, *(r["after_seconds"] / unit for r in line)]
        total = all(v is None for v in key)
        ax.step(x, [0.0, *(r["share"] for r in line)], where="post", color=BLUE if total else f"C{k}", label="all" if total else " · ".join(map(str, key)))
        if total:
            bounds = [(r["low"], r["high"]) if r["low"] is not None else (r["share"], r["share"]) for r in line]
            ax.fill_between(x, [0.0, *(low for low, _ in bounds)], [0.0, *(high for _, high in bounds)], step="post", color=BLUE, alpha=0.15, linewidth=0)
    from matplotlib.ticker import PercentFormatter

    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.set(xlabel=f"{name} since the first of the two steps", ylabel="have come to the second", xlim=(0, None), ylim=(0, None))
    if dimensions:
        ax.legend(frameon=False, fontsize="small", title=" · ".join(dimensions))
    _bare(ax, "top", "right")
    return ax


def _unit(seconds: float) -> tuple[float, str]:
    for length, name in ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if seconds >= 2 * length:
            return length, name
    return 1.0, "seconds"


def _heat(ax: Any, shares: Sequence[Sequence[float | None]], texts: Sequence[Sequence[str]], most: float) -> None:
    """A cell a number; where there is none, hatching."""
    import matplotlib
    from matplotlib.patches import Rectangle

    colours = matplotlib.colormaps["Blues"]
    for y, row in enumerate(shares):
        for x, share in enumerate(row):
            level = 0.0 if share is None or not most else 0.85 * share / most
            ax.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor="none" if share is None else colours(level), edgecolor="white" if share is not None else "#dddddd", hatch=None if share is not None else "///", linewidth=1))
            if texts[y][x]:
                ax.text(x, y, texts[y][x], ha="center", va="center", fontsize="x-small", color="white" if level > 0.5 else "#222222")
    ax.set(xlim=(-0.5, max((len(r) for r in shares), default=1) - 0.5), ylim=(max(len(shares), 1) - 0.5, -0.5))
    ax.tick_params(length=0)
    _bare(ax, "top", "right", "left", "bottom")


def retention(rows: Rows, value: str, every: str, zone: str, ax: Any) -> Any:
    from zoneinfo import ZoneInfo

    form = {"hour": "%Y-%m-%d %H:%M", "day": "%Y-%m-%d", "week": "%Y-%m-%d", "month": "%Y-%m"}[every]
    cohorts: dict[Any, Rows] = {}
    for r in rows:
        cohorts.setdefault(r["cohort"], []).append(r)
    ax = axes(ax, 2.5 + 0.55 * max((len(c) for c in cohorts.values()), default=1), 1 + 0.35 * len(cohorts))
    table = [[r[value] for r in c] for c in cohorts.values()]
    later = [x for row in table for x in row[1:] if x is not None]
    texts = [["" if x is None else f"{x:.0%}" if value == "share" else f"{x:,.0f}" for x in row] for row in table]
    _heat(ax, [[None if x is None else min(x, max(later, default=1)) for x in row] for row in table], texts, max(later, default=1))
    columns = max(cohorts.values(), key=len, default=[])
    ax.set_xticks(range(len(columns)), [str(r["interval"]) if r["interval"] == r["last_interval"] else f"{r['interval']}–{r['last_interval']}" for r in columns])
    ax.set_yticks(range(len(cohorts)), [f"{when.astimezone(ZoneInfo(zone)).strftime(form)}   {c[0]['size']:,}" for when, c in cohorts.items()])
    ax.set(xlabel=f"{every}s after the start", ylabel=f"{every} of the start, and how many started")
    return ax


def sequences(rows: Rows, ax: Any) -> Any:
    from matplotlib.ticker import PercentFormatter

    ax = axes(ax, 7, 1 + 0.3 * len(rows))
    ax.barh(range(len(rows)), [r["share"] for r in rows], 0.7, color=BLUE)
    for y, r in enumerate(rows):
        ax.annotate(f"{r['paths']:,}", (r["share"], y), (4, 0), textcoords="offset points", va="center", fontsize="small")
    ax.set_yticks(range(len(rows)), [r["sequence"] for r in rows])
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    ax.set(xlabel="of all paths, and how many", ylim=(max(len(rows), 1) - 0.5, -0.5))
    ax.margins(x=0.1)
    _bare(ax, "top", "right")
    return ax


def transitions(names: Sequence[str], shares: Sequence[Sequence[float]], ax: Any) -> Any:
    rows, columns = names[:-1], names[1:]   # nothing goes into (start) or out of (end)
    ax = axes(ax, 2.5 + 0.6 * len(columns), 1.5 + 0.35 * len(rows))
    table = [[x or 0.0 for x in row[1:]] for row in shares[:-1]]
    _heat(ax, table, [[f"{x:.0%}" if x else "" for x in row] for row in table], 1)
    ax.set_xticks(range(len(columns)), columns, rotation=45, ha="right")
    ax.set_yticks(range(len(rows)), rows)
    ax.set(xlabel="comes next", ylabel="after")
    return ax


def sankey(rows: Rows, most: int, ax: Any) -> Any:
    from matplotlib.patches import PathPatch, Rectangle
    from matplotlib.path import Path

    ax = axes(ax, 9, 5)
    order = sorted({r["step"] for r in rows}, key=abs)
    kept: dict[int, set[str]] = {}
    for step in order:
        sums: dict[str, int] = {}
        for r in rows:
            if r["step"] == step:
                sums[r["to"]] = sums.get(r["to"], 0) + r["paths"]
        kept[step] = set(sorted(sums, key=lambda n: (-sums[n], n))[:most])
    flows: dict[tuple[int, str, str], int] = {}
    for r in rows:
        k = order.index(r["step"])
        source = r["from"] if k == 0 or r["from"] in kept[order[k - 1]] else "(other)"
        key = (k, source, r["to"] if r["to"] in kept[r["step"]] else "(other)")
        flows[key] = flows.get(key, 0) + r["paths"]
    nodes: dict[tuple[int, str], int] = {}
    for (k, source, to), n in flows.items():
        if k == 0:
            nodes[0, source] = nodes.get((0, source), 0) + n
        nodes[k + 1, to] = nodes.get((k + 1, to), 0) + n
    total = max(sum(n for (k, _), n in nodes.items() if k == 0), 1)
    places: dict[tuple[int, str], float] = {}
    for k in range(len(order) + 1):
        y = 0.0
        for node in sorted((x for x in nodes if x[0] == k), key=lambda x: (-nodes[x], x[1])):
            places[node] = y
            y += nodes[node] / total + 0.03
    forward = not order or order[0] > 0
    left, entered = dict.fromkeys(nodes, 0.0), dict.fromkeys(nodes, 0.0)
    for (k, source, to), n in sorted(flows.items(), key=lambda f: (f[0][0], places[f[0][0], f[0][1]], places[f[0][0] + 1, f[0][2]])):
        height = n / total
        a, b = places[k, source] + left[k, source], places[k + 1, to] + entered[k + 1, to]
        left[k, source] += height
        entered[k + 1, to] += height
        x0, x1 = (k + 0.12, k + 1.0) if forward else (-k, -k - 0.88)
        middle = (x0 + x1) / 2
        shape = Path([(x0, a), (middle, a), (middle, b), (x1, b), (x1, b + height), (middle, b + height), (middle, a + height), (x0, a + height), (x0, a)],
                     [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4, Path.LINETO, Path.CURVE4, Path.CURVE4, Path.CURVE4, Path.CLOSEPOLY])  # fmt: skip
        ax.add_patch(PathPatch(shape, facecolor=PALE, edgecolor="none", alpha=0.6))
    for (k, name), y in places.items():
        x = k if forward else -k
        ax.add_patch(Rectangle((x, y), 0.12, nodes[k, name] / total, color=BLUE if not name.startswith("(") else "#999999"))
        ax.annotate(f"{name} {nodes[k, name]:,}", (x + 0.15, y + nodes[k, name] / total / 2), va="center", fontsize="x-small")
    ax.set_xticks([k if forward else -k for k in range(len(order) + 1)], ["start", *(f"{s:+d}" for s in order)])
    ax.set_yticks([])
    ax.autoscale_view()
    ax.invert_yaxis()
    ax.margins(x=0.1)
    _bare(ax, "top", "right", "left")
    return ax
