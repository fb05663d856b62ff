"""Numbers as sentences and tables: what the summaries of statistics share."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from . import _core
from ._table import Table

if TYPE_CHECKING:
    from ._playbook import Playbook


class _Rows(Table):
    """A table that Python made of rows."""

    def __init__(self, arrow: Any) -> None:
        self._arrow = arrow

    def __len__(self) -> int:
        return int(self._arrow.num_rows)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        stream: object = self._arrow.__arrow_c_stream__(requested_schema)
        return stream

    def __repr__(self) -> str:
        rows = [self._arrow.column_names, *([_cell(x) for x in r.values()] for r in self._arrow.slice(0, 40).to_pylist())]
        widths = [max(len(r[k]) for r in rows) for k in range(len(rows[0]))]
        return "\n".join("  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in rows)


def _cell(x: object) -> str:
    return "" if x is None else f"{x:.6g}" if isinstance(x, float) else str(x)


def table(rows: Iterable[Mapping[str, Any]], names: Iterable[str]) -> Table:
    """Of rows, with these columns."""
    import pyarrow

    rows = list(rows)
    return _Rows(pyarrow.table({n: [r.get(n) for r in rows] for n in names}))


def number(x: float | None) -> float | None:
    """None for what is no number."""
    return None if x is None or math.isnan(x) else x


def microseconds(unit: str) -> int:
    """Of a fixed length of time: "d", "7d", "1h"."""
    return _core._length_microseconds(unit if unit[:1].isdigit() else "1" + unit)


def dimensions(by: str | Iterable[str], playbook: Playbook | None) -> list[str]:
    """What to break down by; a dimension of the playbook by its name."""
    known = {} if playbook is None else playbook.to_dict().get("dimensions", {})
    return [known.get(name, {}).get("value", name) for name in ([by] if isinstance(by, str) else by)]


def percent(part: float, whole: float) -> str:
    return f"{part / whole:.1%}" if whole else "none"


def share(x: float, *, sign: bool = False) -> str:
    return f"{x:+.2%}" if sign else f"{x:.2%}"


def p(x: float) -> str:
    return "below 0.0001" if x < 0.0001 else f"{x:.3g}"


def between(low: float | None, high: float | None, level: float) -> str:
    """An interval in brackets, if there is one."""
    if low is None and high is None:
        return ""
    ends = f"from {low:.4g} on" if high is None else f"up to {high:.4g}" if low is None else f"{low:.4g} to {high:.4g}"
    return f" ({level:.0%} sure: {ends})"


def paragraph(text: str) -> str:
    return f"<p style=\"max-width:60em\">{html.escape(text)}</p>"
