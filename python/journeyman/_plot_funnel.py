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
