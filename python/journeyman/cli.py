"""The command line. Exit codes: 0 done; 1 a definition or input is wrong; 2 the command is; 3 rows were rejected and `--strict` was given."""

from __future__ import annotations

import csv
import pathlib
import sys
from typing import Annotated, Optional

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from ._error import Error
from ._history import History
from ._table import Table

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
_problems = Console(stderr=True)

File = Annotated[Optional[pathlib.Path], typer.Option(help="CSV, Parquet or Arrow file")]  # noqa: UP045 (typer reads it at run time)
Zone = Annotated[Optional[str], typer.Option(help="of instants without a zone, such as Europe/Rome")]  # noqa: UP045


def _history(records: pathlib.Path | None, contacts: pathlib.Path | None, events: pathlib.Path | None, timezone: str | None) -> History:
    if (records is None) == (contacts is None and events is None):
        raise typer.BadParameter("give --records, or --contacts and --events")
    if records is not None:
        return History.from_records(records, timezone=timezone)
    return History(contacts=contacts, events=events, timezone=timezone)


def _show(table: Table, title: str) -> None:
    rows = table.to_pylist()
    shown = RichTable(title=title)
    for name in table.columns:
        shown.add_column(name)
    for row in rows[:40]:
        shown.add_row(*("" if cell is None else escape(str(cell)) for cell in row.values()))
    Console().print(shown)


@app.command()
def data(
    records: Annotated[Optional[pathlib.Path], typer.Option(help="JSON Lines in the Segment spec")] = None,  # noqa: UP045
    contacts: File = None,
    events: File = None,
    timezone: Zone = None,
    strict: Annotated[bool, typer.Option(help="exit with 3 when rows were rejected")] = False,
) -> None:
    """What a history holds, and which rows could not be used."""
    history = _history(records, contacts, events, timezone)
    Console().print(f"{history.contacts_count:,} contacts, {history.events_count:,} events", highlight=False)
    for event, properties in history.schema["events"].items():
        Console().print(escape(f"  {event}: " + ", ".join(f"{n} ({t})" for n, t in properties.items())), highlight=False, soft_wrap=True)
    if len(history.rejected_counts):
        _show(history.rejected_counts, "rejected")
        if strict:
            raise typer.Exit(3)


@app.command()
def select(
    predicate: Annotated[str, typer.Argument(help="such as 'did(purchase, last 30d)'")],
    at: Annotated[str, typer.Option(help="the instant, such as 2026-03-31T00:00:00Z")],
    records: Annotated[Optional[pathlib.Path], typer.Option(help="JSON Lines in the Segment spec")] = None,  # noqa: UP045
    contacts: File = None,
    events: File = None,
    timezone: Zone = None,
    zone: Annotated[str, typer.Option(help="of calendar windows and bare dates")] = "UTC",
) -> None:
    """The ids of the contacts for whom a predicate is yes, as CSV on standard output."""
    found = _history(records, contacts, events, timezone).select(predicate, at=at, timezone=zone)
    write = csv.writer(sys.stdout, lineterminator="\n")
    write.writerow(["contact_id"])
    write.writerows([i] for i in found.ids)
    _problems.print(f"{found.count:,} in, {len(found.unknown_ids):,} unknown", highlight=False)


def main() -> None:
    """The `journeyman` command."""
    try:
        app()
    except Error as e:
        _problems.print(escape(str(e)), style="red", highlight=False, soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
