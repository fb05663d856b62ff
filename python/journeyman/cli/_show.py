"""Tables on the screen for people, as JSON and CSV for machines."""

from __future__ import annotations

import csv
import dataclasses
import datetime
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable
from rich.text import Text

from .._table import Table

ROWS = 60
Row = Mapping[str, Any]


@dataclasses.dataclass
class Sheet:
    """A table that a command prints."""

    name: str
    rows: Table | Sequence[Row]
    title: str = ""
    shown: Sequence[Row] | None = None
    """The rows as people see them (default: as they are); a `Text` keeps its colours."""
    beside: bool = False
    """Goes with the main table: CSV, which has room for one, leaves it out."""

    def columns(self) -> list[str]:
        return self.rows.columns if isinstance(self.rows, Table) else list(dict.fromkeys(name for row in self.rows for name in row))

    def all(self) -> Sequence[Row]:
        return self.rows.to_pylist() if isinstance(self.rows, Table) else self.rows


@dataclasses.dataclass
class Printer:
    """Prints the result of a command on standard output."""

    json: bool
    csv: bool

    def __post_init__(self) -> None:
        if self.json and self.csv:
            raise typer.BadParameter("give --json or --csv, not both")

    @property
    def for_people(self) -> bool:
        return not (self.json or self.csv)

    def print(self, *sheets: Sheet) -> None:
        if self.json:
            json.dump({s.name: [{k: _plain(v) for k, v in row.items()} for row in s.all()] for s in sheets}, sys.stdout, ensure_ascii=False, indent=1)
            sys.stdout.write("\n")
        elif self.csv:
            main = [s for s in sheets if not s.beside]
            if len(main) != 1:
                raise typer.BadParameter(f"CSV has room for one table, here are {', '.join(s.name for s in main)}; ask for one, or for --json")
            write_csv(main[0].columns(), main[0].all())
        else:
            for sheet in sheets:
                show(sheet)


def screen() -> Console:
    """As wide as the terminal; without one, as wide as what is printed."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=1000)


def show(sheet: Sheet) -> None:
    rows = sheet.all() if sheet.shown is None else sheet.shown
    columns = sheet.columns() if sheet.shown is None else list(dict.fromkeys(name for row in rows for name in row))
    filled = [c for c in columns if any(row.get(c) not in (None, "") for row in rows)] if rows else columns
    table = RichTable(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in filled:
        number = all(isinstance(row.get(name), (int, float, type(None))) for row in rows)
        table.add_column(escape(name), justify="right" if number else "left")
    for row in rows[:ROWS]:
        table.add_row(*(cell(row.get(name)) for name in filled))
    out = screen()
    out.print(escape(sheet.title or sheet.name), style="bold")
    if out.is_terminal:
        out.print(table)
    else:
        with out.capture() as text:
            out.print(table)
        sys.stdout.writelines(line.rstrip() + "\n" for line in text.get().splitlines())
    if len(rows) > ROWS:
        out.print(f"… and {len(rows) - ROWS:,} rows more; --csv or --json writes them all", style="dim")
    out.print()


def cell(x: Any) -> Text:
    """A value as people write it."""
    if isinstance(x, Text):
        return x
    if x is None:
        return Text("")
    if isinstance(x, bool):
        return Text("yes" if x else "no")
    if isinstance(x, int):
        return Text(f"{x:,}")
    if isinstance(x, float):
        return Text(f"{x:,.4g}" if abs(x) < 1000 else f"{x:,.1f}")
    if isinstance(x, datetime.timedelta):
        return Text(span(x))
    if isinstance(x, datetime.datetime):
        return Text(x.strftime("%Y-%m-%d %H:%M:%S"))
    return Text(str(x))


def span(d: datetime.timedelta) -> str:
    """The two largest units of a duration."""
    seconds = round(d.total_seconds())
    parts = []
    for name, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        if seconds >= size:
            parts.append(f"{seconds // size}{name}")
            seconds %= size
    return " ".join(parts[:2]) or "0s"


def _plain(x: Any) -> Any:
    """For JSON and CSV: an instant in UTC as ISO text, a duration as its seconds."""
    if isinstance(x, datetime.datetime):
        return x.isoformat().replace("+00:00", "Z")
    if isinstance(x, datetime.date):
        return x.isoformat()
    if isinstance(x, datetime.timedelta):
        return x.total_seconds()
    return x


def write_csv(columns: Iterable[str], rows: Iterable[Row]) -> None:
    write = csv.writer(sys.stdout, lineterminator="\n")
    names = list(columns)
    write.writerow(names)
    for row in rows:
        cells = (_plain(row.get(name)) for name in names)
        write.writerow(["true" if c is True else "false" if c is False else json.dumps(c, ensure_ascii=False) if isinstance(c, list) else c for c in cells])
