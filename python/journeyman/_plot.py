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
        ax.set_xlim(_reach(rows, ax.get_xlim()))
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
    ax.set_ylim(_reach(rows, ax.get_ylim()))
    import matplotlib.dates

    dates: Any = matplotlib.dates   # which has no types
    locator = dates.AutoDateLocator()
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    return ax


def _reach(rows: Rows, drawn: tuple[float, float]) -> tuple[float, float]:
    """The limits of the axis of values: intervals may be cut, so that one that is hardly known does not flatten all the rest."""
    seen = [x for r in rows for x in (r["value"], r["target"]) if x is not None]
    if not seen:
        return drawn
    low, high = min(seen), max(seen)
    room = max(high - low, abs(high) / 2, abs(low) / 2) or 1
    return max(drawn[0], low - room), min(drawn[1], high + room)


def diagnosis(rows: Rows, definition: dict[str, Any], name: str, ax: Any) -> Any:
    """A bar a cell of one dimension: what it did to the KPI, mix and rate apart."""
    whole, cells = rows[0], [r for r in rows[1:] if r["effect"]]
    ax = axes(ax, 7, 1.4 + 0.36 * len(cells))
    for y, r in enumerate(cells):
        parts = [(r["effect"], BLUE)] if r["mix"] is None else [(r["mix"], PALE), (r["rate"], BLUE)]
        ends = {True: 0.0, False: 0.0}   # parts of one sign stand end to end
        for x, colour in parts:
            ax.barh(y, x, left=ends[x > 0], color=colour)
            ends[x > 0] += x
        ax.plot(r["effect"], y, marker="d", color="black", markersize=4)
    ax.axvline(0, color=GREY, linewidth=0.8)
    ax.set_yticks(range(len(cells)), [r["cell"] for r in cells])
    ax.set_ylim(max(len(cells), 1) - 0.5, -0.5)
    _in_units(ax.xaxis, definition.get("unit", ""))
    split = "pale: by its share, dark: by its value; " if whole["mix"] is not None else ""
    ax.set_xlabel(f"effect on the change ({split}diamond: both)" if split else "effect on the change")
    ax.set_title(f"{definition.get('title', name)}, by {whole['dimension']}", loc="left", fontsize="medium")
    ax.margins(x=0.1)
    _bare(ax, "top", "right")
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
