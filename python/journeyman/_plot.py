"""Plots of tables: each takes a Matplotlib `ax`, or makes one, and returns it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

BLUE, PALE, GREEN, RED, GREY = "#2f6fc4", "#b9d0ee", "#2c8450", "#c0392b", "#888888"
STATUS = {"met": GREEN, "missed": RED}
Rows = list[dict[str, Any]]


def axes(ax: Any, width: float, height: float) -> Any:
    """The one given, or a new one."""
    if ax is not None:
        return ax
    import matplotlib.pyplot

    return matplotlib.pyplot.subplots(figsize=(width, height), layout="constrained")[1]


def _bare(ax: Any, *sides: str) -> None:
    ax.spines[list(sides)].set_visible(False)


def sizes(rows: Rows, ax: Any) -> Any:
    ax = axes(ax, 7, 1 + 0.4 * len(rows))
    places = range(len(rows))
    ax.barh(places, [r["members"] for r in rows], color=BLUE)
    for y, r in zip(places, rows, strict=True):
        share = "" if r["share"] is None else f" ({r['share']:.1%})"
        ax.annotate(f"{r['members']:,}{share}", (r["members"], y), (4, 0), textcoords="offset points", va="center", fontsize="small")
    own = {"segment", "title", "contacts", "members", "unknown", "share", "share_of_members"}
    cells = [[str(x) for name, x in r.items() if name not in own and x is not None] for r in rows]   # of a breakdown
    ax.set_yticks(places, [" · ".join([r["title"] or r["segment"], *cell]) for r, cell in zip(rows, cells, strict=True)])
    ax.set(xlabel="members", ylim=(len(rows) - 0.5, -0.5))
    ax.margins(x=0.2)
    _bare(ax, "top", "right")
    return ax


def stages(rows: Rows, segments: Sequence[str], ax: Any) -> Any:
    unknown = set(segments) - {r["segment"] for r in rows}
    if unknown:
        raise ValueError(f"no stages of {', '.join(sorted(unknown))}; there are those of {', '.join(dict.fromkeys(r['segment'] for r in rows))}")
    rows = [r for r in rows if not segments or r["segment"] in segments]
    groups = [(segment, list(group)) for segment, group in itertools.groupby(rows, key=lambda r: r["segment"])]
    ax = axes(ax, 7, 1 + 0.34 * (len(rows) + len(groups)))
    y, ticks = 0.0, []
    for segment, group in groups:
        ax.text(0, y, segment, weight="bold", va="center")
        first = group[0]["reached"]
        for r in group:
            y += 1
            ax.barh(y, r["reached"], color=PALE)
            ax.barh(y, r["standing"], color=BLUE)
            share = f" ({r['reached'] / first:.1%})" if first else ""
            ax.annotate(f"{r['reached']:,}{share}", (r["reached"], y), (4, 0), textcoords="offset points", va="center", fontsize="small")
            ticks.append((y, r["stage"]))
        y += 1.3
    ax.set_yticks([t for t, _ in ticks], [name for _, name in ticks])
    ax.set(xlabel="members that reached the stage; darker: that stand there", ylim=(y - 0.6, -0.8))
    ax.margins(x=0.2)
    _bare(ax, "top", "right")
    return ax


def kpi(name: str, rows: Rows, by: str | None, definition: dict[str, Any], zone: str, ax: Any) -> Any:
    """The rows of one KPI, of one dimension or none."""
    ax = axes(ax, 8, 3.2)
    campaigns = definition.get("every") == "campaign"
    _in_units(ax.xaxis if campaigns else ax.yaxis, definition.get("unit", ""))
    ax.set_title(definition.get("title", name), loc="left", fontsize="medium")
    _bare(ax, "top", "right")
    if campaigns:
        _campaigns(rows, by, ax)
        return ax
    lines: dict[Any, Rows] = {}
    for r in rows:
        lines.setdefault(r[by] if by else None, []).append(r)
    for k, (value, line) in enumerate(lines.items()):
        _line(line, zone, BLUE if by is None else f"C{k}", None if by is None else str(value), ax)
    targets = [r for r in next(iter(lines.values()), []) if r["target"] is not None]
    if targets and by is None:
        ax.step(_when(targets, zone), [r["target"] for r in targets], where="mid", color=GREY, linestyle="--", linewidth=1, label="target")
    if by or targets:
        ax.legend(frameon=False, fontsize="small", title=by)
    import matplotlib.dates

    dates: Any = matplotlib.dates   # which has no types
    locator = dates.AutoDateLocator()
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    return ax


def _when(rows: Rows, zone: str) -> list[Any]:
    """The first day of each period, on the playbook's calendar."""
    return [r["period"].astimezone(ZoneInfo(zone)).replace(tzinfo=None) for r in rows]


def _line(rows: Rows, zone: str, colour: str, label: str | None, ax: Any) -> None:
    nan = float("nan")   # where Matplotlib leaves a gap
    values = [nan if r["value"] is None else r["value"] for r in rows]
    when = _when(rows, zone)
    ax.plot(when, values, color=colour, linewidth=1.2, label=label)
    if label is None:
        bounded = [r["low"] is not None and r["high"] is not None for r in rows]
        low, high = ([r[side] if b else nan for r, b in zip(rows, bounded, strict=True)] for side in ("low", "high"))
        ax.fill_between(when, low, high, color=colour, alpha=0.15, linewidth=0)
    for x, y, r in zip(when, values, rows, strict=True):
        shade = colour if label is not None else STATUS.get(r["status"], colour)
        # A period that is not over is hollow.
        ax.plot(x, y, marker="o", markersize=5, color=shade, markerfacecolor="none" if r["partial"] else shade)


def _campaigns(rows: Rows, by: str | None, ax: Any) -> None:
    rows = [r for r in rows if r["value"] is not None]
    for y, r in enumerate(rows):
        colour = STATUS.get(r["status"], BLUE)
        if r["low"] is not None and r["high"] is not None:
            ax.plot([r["low"], r["high"]], [y, y], color=colour, linewidth=1.2)
        ax.plot(r["value"], y, marker="o", color=colour, markerfacecolor="none" if r["partial"] else colour)
        if r["target"] is not None:
            ax.plot([r["target"]] * 2, [y - 0.35, y + 0.35], color=GREY, linestyle="--", linewidth=1)
    ax.set_yticks(range(len(rows)), [r["campaign"] + (f", {r[by]}" if by else "") for r in rows])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.margins(x=0.1)


def _in_units(axis: Any, unit: str) -> None:
    from matplotlib.ticker import FuncFormatter, PercentFormatter

    if unit == "percent":
        axis.set_major_formatter(PercentFormatter(1))
    elif unit == "money":
        axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
    elif unit:
        axis.set_label_text(unit)
