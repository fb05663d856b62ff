"""Charts as SVG in the colours of the page, each with its words for who cannot see it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import Any

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 440, 190, 64, 12, 12, 26
Rows = Sequence[dict[str, Any]]


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers over a range."""
    span = (high - low) or abs(high) or 1.0
    raw = span / most
    power = 10 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 12) for k in range(first, math.floor(high / step + 1e-9) + 1)]


def _range(rows: Rows) -> tuple[float, float]:
    """Of what is drawn: values, targets, and intervals as far as they do not flatten the rest."""
    seen = [x for r in rows for x in (r["value"], r["target"]) if x is not None]
    low, high = min(seen), max(seen)
    room = max((high - low) / 2, abs(high) / 4, abs(low) / 4) or 1
    ends = [x for r in rows for x in (r["low"], r["high"]) if x is not None]
    low, high = max(min([low, *ends]), low - room), min(max([high, *ends]), high + room)
    return (0.0 if 0 <= low < high / 3 else low), high


def over_time(rows: Rows, label: Callable[[dict[str, Any]], str], written: Callable[[float], str], words: str) -> str:
    """One KPI by period: line, interval, target; a dot a period, hollow where it is not over."""
    if not any(r["value"] is not None for r in rows):
        return '<p class="soft">No data.</p>'
    low, high = _range(rows)
    high = high if high > low else low + (abs(low) or 1)

    def x(k: int) -> float:
        return LEFT + 8 + (WIDTH - LEFT - RIGHT - 16) * (k / (len(rows) - 1) if len(rows) > 1 else 0.5)

    def y(v: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - (min(max(v, low), high) - low) / (high - low))

    out = [f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(words)}">']
    for v in ticks(low, high):
        out.append(f'<line class="{"zero" if v == 0 else "grid"}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(v):.1f}" y2="{y(v):.1f}"/>')
        out.append(f'<text x="{LEFT - 6}" y="{y(v) + 4:.1f}" text-anchor="end">{escape(written(v))}</text>')
    every = max(1, math.ceil(len(rows) * (7 * max(len(label(r)) for r in rows) + 14) / (WIDTH - LEFT - RIGHT)))
    last = len(rows) - 1   # its label ends where the chart does, so the one before it keeps away
    for k in [last, *range(last - every - every // 2, -1, -every)]:
        anchor = "end" if k == last and last > 0 else "middle"
        at = WIDTH - RIGHT if anchor == "end" else x(k)
        out.append(f'<text x="{at:.1f}" y="{HEIGHT - 8}" text-anchor="{anchor}">{escape(label(rows[k]))}</text>')
    for run in _runs(rows, "low", "high"):
        up = [f"{x(k):.1f},{y(rows[k]['high']):.1f}" for k in run]
        down = [f"{x(k):.1f},{y(rows[k]['low']):.1f}" for k in reversed(run)]
        out.append(f'<polygon class="band" points="{" ".join(up + down)}"/>')
    for name, style in (("target", "target"), ("value", "line")):
        out += [f'<polyline class="{style}" points="{" ".join(f"{x(k):.1f},{y(rows[k][name]):.1f}" for k in run)}"/>' for run in _runs(rows, name) if len(run) > 1]
    for k, r in enumerate(rows):
        if r["value"] is not None:
            style = f"dot {r['status'] or ''}{' partial' if r['partial'] else ''}"
            said = f"{label(r)}: {written(r['value'])}" + (f", {r['status']}" if r["status"] else "")
            out.append(f'<circle class="{style}" cx="{x(k):.1f}" cy="{y(r["value"]):.1f}" r="{4 if len(rows) < 40 else 2.5}"><title>{escape(said)}</title></circle>')
    return "".join(out) + "</svg>"


def _runs(rows: Rows, *names: str) -> Iterator[list[int]]:
    """Places that follow each other and have all of these."""
    run: list[int] = []
    for k, r in enumerate(rows):
        if all(r[n] is not None for n in names):
            run.append(k)
        elif run:
            yield run
            run = []
    if run:
        yield run


def spans(rows: Rows, label: Callable[[dict[str, Any]], str], written: Callable[[float], str], words: str) -> str:
    """A value and its interval a row, one under the other: campaigns, channels."""
    rows = [r for r in rows if r["value"] is not None]
    if not rows:
        return '<p class="soft">No data.</p>'
    low, high = _range(rows)
    high = high if high > low else low + (abs(low) or 1)
    left, height = 150, 34 + 26 * len(rows)

    def x(v: float) -> float:
        return left + (WIDTH - left - RIGHT - 8) * (min(max(v, low), high) - low) / (high - low)

    out = [f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(words)}">']
    for v in ticks(low, high, 4):
        out.append(f'<line class="grid" x1="{x(v):.1f}" x2="{x(v):.1f}" y1="4" y2="{height - 24}"/>')
        inside = min(x(v), WIDTH - 3.5 * len(written(v)))   # the last one is not cut off
        out.append(f'<text x="{inside:.1f}" y="{height - 8}" text-anchor="middle">{escape(written(v))}</text>')
    for k, r in enumerate(rows):
        y = 18 + 26 * k
        name = label(r)
        out.append(f'<text x="{left - 10}" y="{y + 4}" text-anchor="end">{escape(name if len(name) < 22 else name[:21] + "…")}<title>{escape(name)}</title></text>')
        if r["low"] is not None and r["high"] is not None:
            out.append(f'<line class="span" x1="{x(r["low"]):.1f}" x2="{x(r["high"]):.1f}" y1="{y}" y2="{y}"/>')
        if r["target"] is not None:
            out.append(f'<line class="target" x1="{x(r["target"]):.1f}" x2="{x(r["target"]):.1f}" y1="{y - 10}" y2="{y + 10}"/>')
        style = f"dot {r['status'] or ''}{' partial' if r['partial'] else ''}"
        said = f"{name}: {written(r['value'])}"
        out.append(f'<circle class="{style}" cx="{x(r["value"]):.1f}" cy="{y}" r="4.5"><title>{escape(said)}</title></circle>')
    return "".join(out) + "</svg>"


def spark(values: Sequence[float | None]) -> str:
    """The last values as a line of a few letters' width; for the eye alone."""
    seen = [v for v in values if v is not None]
    if len(seen) < 2:
        return ""
    low, high = min(seen), max(seen)
    points = [f"{3 + 90 * k / (len(values) - 1):.1f},{21 - 18 * ((v - low) / (high - low) if high > low else 0.5):.1f}" for k, v in enumerate(values) if v is not None]
    return f'<svg class="spark" viewBox="0 0 96 24" aria-hidden="true"><polyline class="line" points="{" ".join(points)}"/></svg>'
