"""Values of KPIs as people write them: the same on the command line, in reports and in plots."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "CHF": "CHF", "INR": "₹"}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
EVERY = {"day": "daily", "week": "weekly", "month": "monthly", "quarter": "quarterly", "year": "yearly", "campaign": "by campaign"}


def value(x: float | None, unit: str = "", currency: str = "") -> str:
    """`12.3 %` of a fraction, `€ 1,234.50` of money, else the number and its unit; nothing where it is missing."""
    if x is None:
        return ""
    if unit == "percent":
        return f"{100 * x:,.1f} %".replace("-", "−")
    if unit == "money":
        sign = SIGNS.get(currency, currency)
        return f"{'−' if x < 0 else ''}{sign + ' ' if sign else ''}{abs(x):,.2f}"
    number = (f"{x:,.0f}" if float(x).is_integer() else f"{x:,.1f}" if abs(x) >= 1000 else f"{x:,.4g}").replace("-", "−")
    return f"{number} {unit}" if unit else number


def change(x: float | None, unit: str = "", currency: str = "") -> str:
    """The same of a difference, with its sign; of a percentage in points."""
    if x is None:
        return ""
    text = f"{100 * abs(x):,.1f} points" if unit == "percent" else value(abs(x), unit, currency)
    return ("+" if x > 0 else "−" if x < 0 else "±") + text


def interval(low: float | None, high: float | None, unit: str = "", currency: str = "") -> str:
    """Both ends, with the unit once; nothing where there is none or it is a point."""
    if low is None or high is None or low == high:
        return ""
    first, last = value(low, unit, currency), value(high, unit, currency)
    if unit == "money":
        sign = SIGNS.get(currency, currency)
        return f"{first} – {last.removeprefix(f'{sign} ')}" if sign else f"{first} – {last}"
    end = " %" if unit == "percent" else f" {unit}"
    return f"{first.removesuffix(end)} – {last}"


_BY_A_CONSTANT = re.compile(r"/\s*[\d.]+[a-z]*\s*$")   # a mean in days: `elapsed(…) / converted(…) / 1d`


def counts(row: Mapping[str, Any], definition: Mapping[str, Any]) -> str:
    """Both sides of a ratio: `12 / 340`; nothing where it is divided by a constant."""
    if row["numerator"] is None or _BY_A_CONSTANT.search(str(definition["value"])):
        return ""
    return f"{row['numerator']:,.6g}" + ("" if row["denominator"] is None else f" / {row['denominator']:,.6g}")


def period(start: datetime.datetime | None, every: str, zone: str) -> str:
    """A period of this zone's calendar by its start: `2026-03-09`, `Mar 2026`, `2026 Q1`, `2026`."""
    if start is None:
        return ""
    local = start.astimezone(ZoneInfo(zone))
    if every == "quarter":
        return f"{local.year} Q{local.month // 3 + 1}"
    if every == "month":
        return f"{MONTHS[local.month - 1]} {local.year}"
    return f"{local.year}" if every == "year" else f"{local:%Y-%m-%d}"


def when(row: Mapping[str, Any], every: str, zone: str) -> str:
    """The period of a row, or its campaign; with … where it is not over."""
    name = row["campaign"] if row["period"] is None else period(row["period"], every, zone)
    return f"{name} …" if row["partial"] else str(name)
