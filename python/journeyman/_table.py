"""Tables of results."""

from __future__ import annotations

import html
import math
from typing import Any

from . import _core


class Table:
    """A table of results. Goes anywhere Arrow goes: `pyarrow.table(t)`, `polars.DataFrame(t)`, DuckDB."""

    def __init__(self, core: _core._Table) -> None:
        self._core = core

    def __len__(self) -> int:
        return self._core._rows()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._core._arrow_stream()

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        names: list[str] = self.to_arrow().column_names
        return names

    def to_arrow(self) -> Any:
        """As a `pyarrow.Table`."""
        import pyarrow

        return pyarrow.table(self)

    def to_pandas(self) -> Any:
        """As a `pandas.DataFrame`; instants are in UTC."""
        try:
            return self.to_arrow().to_pandas()
        except ModuleNotFoundError as e:
            raise ModuleNotFoundError("pandas is not installed: `pip install pandas`, or take .to_pylist() or .to_arrow()") from e

    def to_polars(self) -> Any:
        """As a `polars.DataFrame`."""
        try:
            import polars
        except ModuleNotFoundError as e:
            raise ModuleNotFoundError("Polars is not installed: `pip install polars`, or take .to_pylist() or .to_arrow()") from e
        return polars.from_arrow(self.to_arrow())

    def to_pylist(self) -> list[dict[str, Any]]:
        """As a list of dicts, one a row."""
        rows: list[dict[str, Any]] = self.to_arrow().to_pylist()
        return rows

    def __repr__(self) -> str:
        return self._core._text()

    def _repr_html_(self) -> str:
        shown = self.to_arrow().slice(0, 40)

        def line(tag: str, cells: list[Any]) -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(_shown(c)[:200])}</{tag}>" for c in cells) + "</tr>"

        body = "".join(line("td", list(row.values())) for row in shown.to_pylist()) if len(set(shown.column_names)) == shown.num_columns else ""
        return f"<table><thead>{line('th', shown.column_names)}</thead><tbody>{body}</tbody></table><p>{len(self):,} rows</p>"


def _shown(x: Any) -> str:
    """As a cell of a view: six digits, and two places at least."""
    if isinstance(x, float) and 1e-4 <= abs(x) < 1e15:
        return f"{round(x, max(2, 5 - math.floor(math.log10(abs(x)))))}"
    return "" if x is None else str(x)
