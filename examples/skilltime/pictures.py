"""Pictures of funnels and KPIs, as Matplotlib figures."""

import itertools
from zoneinfo import ZoneInfo

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

COLUMNS = {
    "kpi", "scope", "period", "campaign", "partial", "value", "numerator", "denominator", "low", "high", "immature", "target", "status", "certain",
}  # fmt: skip
BLUE, GREEN, RED, GREY = "#2f6f9f", "#3a8a4d", "#c0392b", "#999999"


def zone(playbook):
    return ZoneInfo(playbook.timezone)


def totals(kpis):
    """By KPI, its rows over all values of its dimensions, period by period."""
    dimensions = [c for c in kpis.columns if c not in COLUMNS]
    rows = [r for r in kpis.to_pylist() if all(r[d] is None for d in dimensions)]
    return {name: list(group) for name, group in itertools.groupby(rows, key=lambda r: r["kpi"])}


def spark(rows, width=10):
    """The last values, as a row of blocks."""
    values = [r["value"] for r in rows if r["value"] is not None][-width:]
    low, high = min(values, default=0), max(values, default=0)
    return "".join("▁▂▃▄▅▆▇█"[round(7 * (v - low) / (high - low))] if high > low else "▄" for v in values)


def funnels(stages):
    """For each segment, how many members reached each stage."""
    by_segment = {name: list(rows) for name, rows in itertools.groupby(stages.to_pylist(), key=lambda r: r["segment"])}
    figure = Figure(figsize=(3.2 * len(by_segment), 2.6), layout="constrained")
    for axes, (segment, rows) in zip(figure.subplots(1, len(by_segment), squeeze=False)[0], by_segment.items(), strict=True):
        most = max(r["reached"] for r in rows) or 1
        for n, r in enumerate(rows):
            share = r["reached"] / most
            axes.barh(n, share, left=(1 - share) / 2, color=BLUE, alpha=1 - 0.25 * n)
            axes.text(0.5, n - 0.42, f"{r['stage']}: {r['reached']:,} ({share:.0%})", ha="center", va="bottom", fontsize=8)
        axes.set(title=segment, ylim=(len(rows) - 0.4, -0.8), xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    return figure


def kpis(playbook, table):
    """One picture a KPI: values with their intervals, the target, and where it was met."""
    definitions = playbook.to_dict()["kpis"]
    by_kpi = totals(table)
    lines = -(-len(by_kpi) // 2)
    figure = Figure(figsize=(12, 2.6 * lines), layout="constrained")
    cells = figure.subplots(lines, 2, squeeze=False).flat
    for (name, rows), axes in zip(by_kpi.items(), cells, strict=False):
        definition = definitions[name]
        shown = [r for r in rows if r["value"] is not None]
        campaigns = definition["every"] == "campaign"
        x = [r["campaign"].replace("_", "\n") for r in shown] if campaigns else [r["period"].astimezone(zone(playbook)) for r in shown]
        values = [r["value"] for r in shown]
        colours = [{"met": GREEN, "missed": RED}.get(r["status"], BLUE) for r in shown]
        bounded = [(r["low"] if r["low"] is not None else r["value"], r["high"] if r["high"] is not None else r["value"]) for r in shown]
        if campaigns:
            axes.bar(x, values, color=colours, width=0.6)
        else:
            axes.fill_between(x, [low for low, _ in bounded], [high for _, high in bounded], color=BLUE, alpha=0.15, linewidth=0)
            axes.plot(x, values, color=BLUE, linewidth=1)
            axes.scatter(x, values, color=colours, s=14, zorder=3)
            most = max(values) if values else 1
            axes.set_ylim(0 if min(values, default=0) >= 0 else None, 1.6 * most)
        targets = [r["target"] for r in shown]
        if shown and targets[0] is not None:
            axes.plot(x, targets, color=GREY, linestyle="--", linewidth=1)
        axes.set_title(definition.get("title", name), fontsize=10, loc="left")
        axes.tick_params(labelsize=7)
        if definition.get("unit") == "percent":
            axes.yaxis.set_major_formatter(PercentFormatter(1, 0))
        elif definition.get("unit") == "money":
            axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"€ {v:,.0f}"))
        axes.spines[["top", "right"]].set_visible(False)
    for axes in cells:
        axes.set_axis_off()
    return figure
