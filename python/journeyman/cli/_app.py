"""What all commands share: their options, how they end, what they print on standard error while they work."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import inspect
import os
import pathlib
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from .._error import Error, Problem
from .._history import History
from .._playbook import Playbook
from ._show import Printer

HELP = """Segments, workflows and KPIs of a playbook, over the history you have.

    journeyman check examples/skilltime/webinar.yaml --history examples/skilltime/history

Results go to standard output, everything else to standard error.

**Exit codes**: 0 done · 1 a definition or an input is wrong (`check` found errors) · 2 the command is wrong · 3 rows were rejected and
`--strict` was given · 130 interrupted (nothing half-written is left).
"""
app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="markdown", help=HELP)
said = Console(stderr=True, highlight=False, soft_wrap=True)
TABLES = ("contacts", "events", "accounts", "spend")
ENDINGS = (".parquet", ".pq", ".csv", ".csv.gz", ".arrow", ".feather", ".ipc")
SEVERITY = {"error": "red", "warning": "yellow", "note": "cyan"}


@dataclasses.dataclass
class Source:
    """The history, as the options name it."""

    history: pathlib.Path | None
    records: pathlib.Path | None
    contacts: pathlib.Path | None
    events: pathlib.Path | None
    accounts: pathlib.Path | None
    spend: pathlib.Path | None
    timezone: str | None
    types: list[str]
    columns: list[str]
    formats: list[str]
    strict: bool

    @property
    def given(self) -> bool:
        return any(x is not None for x in (self.history, self.records, self.contacts, self.events, self.accounts, self.spend))

    def read(self, strict: bool = True) -> History:
        """Says what was rejected; with `--strict` that ends the command, unless it says so itself (`strict=False`)."""
        if not self.given:
            raise typer.BadParameter("no history: give --history FOLDER, --records FILE, or --contacts and --events")
        with busy("reading the history"):
            history = self._from_records() if self.records is not None else self._from_tables()
        counts = history.rejected_counts.to_pylist()
        if strict and counts:
            reasons = ", ".join(f"{r['rows']:,} {r['table']} ({r['reason']})" for r in counts)
            said.print(f"rows rejected: {escape(reasons)}; `journeyman data` lists them", style="yellow")
            if self.strict:
                raise typer.Exit(3)
        return history

    def _from_records(self) -> History:
        if any(x is not None for x in (self.history, self.contacts, self.events, self.accounts)):
            raise typer.BadParameter("--records hold contacts, events and accounts; beside them there is only --spend")
        if self.columns or self.formats:
            raise typer.BadParameter("--columns and --formats are for tables; records have fixed names and ISO times")
        return History.from_records(str(self.records), self.spend, types=_pairs("--types", self.types), timezone=self.timezone)

    def _from_tables(self) -> History:
        tables: dict[str, Any] = {name: getattr(self, name) or self._in_folder(name) for name in TABLES}
        if self.history is not None and not any(tables.values()):
            raise Error("input.file", str(self.history), f"here is none of {', '.join(f'{t}.csv' for t in TABLES)} (nor .parquet, .arrow, .feather)")
        columns: dict[str, Any] = {}
        for name, theirs in _pairs("--columns", self.columns).items():
            table, dot, ours = name.partition(".")
            if dot and table in TABLES:
                columns.setdefault(table, {})[ours] = theirs
            else:
                columns[name] = theirs
        return History(**tables, columns=columns, types=_pairs("--types", self.types), formats=_pairs("--formats", self.formats), timezone=self.timezone)

    def _in_folder(self, name: str) -> pathlib.Path | None:
        if self.history is None:
            return None
        found = [f for f in (self.history / f"{name}{ending}" for ending in ENDINGS) if f.exists()]
        if len(found) > 1:
            raise Error("input.file", str(self.history), f"both {found[0].name} and {found[1].name} are here; keep one, or name it by --{name}")
        return found[0] if found else None


def _pairs(option: str, texts: list[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise typer.BadParameter(f"{option} {text}: write NAME=VALUE, and repeat the option for more")
        pairs[name] = value
    return pairs


def _option(kind: Any, name: str, help: str, default: Any = None) -> inspect.Parameter:
    described = Annotated[kind, typer.Option(f"--{name}", help=help, rich_help_panel="History")]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=described)


_FILE = pathlib.Path | None
HISTORY_OPTIONS = [
    _option(_FILE, "history", "folder with contacts, events, accounts, spend (.parquet, .csv, .arrow, .feather)"),
    _option(_FILE, "records", "JSON Lines in the Segment spec, instead of tables"),
    _option(_FILE, "contacts", "table: contact_id, attributes…"),
    _option(_FILE, "events", "table: contact_id, event, timestamp, properties…"),
    _option(_FILE, "accounts", "table: account_id, attributes…"),
    _option(_FILE, "spend", "table: timestamp, amount, channel…"),
    _option(str | None, "timezone", "of instants without a zone, such as Europe/Rome"),
    _option(list[str], "types", "NAME=TYPE, such as contact.renewal=day; repeat for more", []),
    _option(list[str], "columns", "NAME=YOURS, such as contact_id=user_id or events.timestamp=ts; repeat for more", []),
    _option(list[str], "formats", "COLUMN=FORMAT of times, such as won_date=%m/%d/%Y; repeat for more", []),
    inspect.Parameter(
        "strict", inspect.Parameter.KEYWORD_ONLY, default=False,
        annotation=Annotated[bool, typer.Option("--strict", help="exit with 3 when rows are rejected", rich_help_panel="History")],
    ),
]  # fmt: skip
PRINTER_OPTIONS = [
    inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Annotated[bool, typer.Option(f"--{name}", help=help)])
    for name, help in (("json", "write JSON, all columns and rows"), ("csv", "write CSV, all columns and rows"))
]


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Makes a command of it. A parameter `source` stands for the options of the history, `printer` for those of the output."""
    signature = inspect.signature(function, eval_str=True)
    own = [p for p in signature.parameters.values() if p.name not in ("source", "printer")]
    groups = {"source": (Source, HISTORY_OPTIONS), "printer": (Printer, PRINTER_OPTIONS)}
    mine = {name: group for name, group in groups.items() if name in signature.parameters}

    @functools.wraps(function)
    def run(**given: Any) -> None:
        for name, (made, options) in mine.items():
            given[name] = made(**{o.name: given.pop(o.name) for o in options})
        with _ending():
            function(**given)

    parameters = own + [p for _, options in mine.values() for p in options]
    ordered = sorted(parameters, key=lambda p: p.kind)
    run.__signature__ = signature.replace(parameters=ordered)   # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    del run.__wrapped__
    app.command()(run)
    return function


@contextlib.contextmanager
def _ending() -> Iterator[None]:
    try:
        yield
        sys.stdout.flush()
    except Error as e:
        said.print(escape(str(e)), style="red")
        raise typer.Exit(1) from e
    except KeyboardInterrupt as e:
        said.print("interrupted", style="red")
        raise typer.Exit(130) from e
    except BrokenPipeError as e:   # of `journeyman … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from e
    except OSError as e:
        said.print(escape(f"{e.filename or 'output'}: {e.strerror or e} [output.file]"), style="red")
        raise typer.Exit(1) from e


@contextlib.contextmanager
def busy(doing: str) -> Iterator[None]:
    """A spinner, where a person looks on."""
    if said.is_terminal:
        with said.status(doing):
            yield
    else:
        yield


@contextlib.contextmanager
def progress(doing: str) -> Iterator[Callable[[float], object] | None]:
    """A bar, where a person looks on: takes the share that is done."""
    if not said.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=said, transient=True) as bar:
        task = bar.add_task(doing, total=1.0)
        yield lambda share: bar.update(task, completed=share)


def problem_line(p: Problem) -> str:
    place = f"{escape(p.place)}: " if p.place else ""
    return f"{place}[{SEVERITY.get(p.severity, 'default')}]{p.severity}[/]: {escape(f'{p.message} [{p.code}]')}"


def checked(playbook: Playbook, history: History) -> None:
    """Ends the command when the playbook cannot run, with all that is wrong."""
    with busy("checking the playbook"):
        problems = playbook.check(history)
    if problems.errors:
        for p in problems:
            said.print(problem_line(p))
        raise typer.Exit(1)
    if problems:
        said.print(f"{len(problems)} warnings or notes; `journeyman check` lists them", style="yellow")


def main() -> None:
    """The `journeyman` command."""
    from . import _ask, _workflows  # noqa: F401 (which add their commands)

    with contextlib.suppress(ValueError):   # not in the main thread
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))   # so that what is half done is cleared away, as for Ctrl-C
    app()
