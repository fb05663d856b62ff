"""What Python has for an instant, a duration and a table, as `_core` takes it."""

from __future__ import annotations

import datetime
import decimal
import os
import pathlib
import re
import zoneinfo
from typing import Any

from ._error import Error

Instant = str | datetime.datetime
"""ISO text with a zone, or an aware datetime (a pandas Timestamp is one)."""
Day = Instant | datetime.date
"""An instant, or a day (`2026-03-31`): its first instant in the zone that goes with it."""
Duration = str | datetime.timedelta
"""Text such as "30d", "1h30m" or "1mo", or a timedelta."""


_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def instant(at: Day, zone: str | None = None) -> str:
    """With a zone, a bare day is its first instant there."""
    if zone is not None and (type(at) is datetime.date or (isinstance(at, str) and _DAY.fullmatch(at))):
        try:
            day = datetime.datetime.fromisoformat(str(at))
        except ValueError as e:
            raise Error("input.instant", "", f"{str(at)!r} is no day: {e}") from e
        at = day.replace(tzinfo=zoneinfo.ZoneInfo(zone))   # one that the clocks skip moves forward by the gap, of two the first (T6)
    if isinstance(at, datetime.datetime):
        if at.tzinfo is None:
            raise Error("input.instant", "", f"{at} has no zone; give it one, such as tzinfo=datetime.timezone.utc")
        return at.astimezone(datetime.timezone.utc).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    if not isinstance(at, str):
        raise Error("input.instant", "", f"{at!r} is no instant; give ISO text with a zone, or an aware datetime")
    return at


def instant_or_none(at: Day | None, zone: str | None = None) -> str | None:
    """The same of what need not be given."""
    return None if at is None else instant(at, zone)


def when(at: str) -> datetime.datetime:
    """The instant of a text that `_core` wrote."""
    return datetime.datetime.fromisoformat(at.replace("Z", "+00:00"))


def duration(d: Duration) -> str:
    if not isinstance(d, datetime.timedelta):
        if not isinstance(d, str):
            raise Error("input.duration", "", f'{d!r} is no duration; write "7d", "1h30m" or "1mo", or give a timedelta')
        return d
    micros = d // datetime.timedelta(microseconds=1)
    return f"{micros}us" if micros % 1_000_000 else f"{micros // 1_000_000}s"


def json_cell(x: Any) -> Any:
    """For `json.dumps(default=…)`. An instant without a zone stays so: `timezone` says what it means, or it is rejected."""
    if isinstance(x, (datetime.datetime, datetime.date)):
        return x.isoformat()
    if isinstance(x, decimal.Decimal):
        return float(x)
    if hasattr(x, "item"):   # numpy
        return x.item()
    if isinstance(x, (set, frozenset)):
        return sorted(x)
    raise TypeError(f"{x!r} cannot stand in a record; use text, numbers, yes/no, dates or lists of text")


def table(source: Any, what: str) -> Any:
    """A table as `_core` takes it: the path of a CSV file, with what stands in it where it is compressed; else an Arrow stream."""
    if not isinstance(source, (str, os.PathLike)):
        return arrow_stream(source, what)
    path = pathlib.Path(os.fspath(source))
    if path.suffix == ".csv":
        return str(path)
    if path.suffixes[-2:-1] != [".csv"]:
        return arrow_stream(source, what)
    import pyarrow

    try:
        with pyarrow.input_stream(path, compression="detect") as file:
            return str(path), file.read()
    except (ValueError, OSError) as e:
        raise Error("input.file", str(path), f"the file of {what} cannot be read: {e}") from e


def _read(path: pathlib.Path, what: str) -> Any:
    if not path.exists():
        raise Error("input.file", str(path), f"the file of {what} cannot be read: it is not there")
    try:
        if path.suffix == ".csv":   # spend beside records; `_core` reads the other CSV files itself
            import pyarrow.csv

            empty = pyarrow.csv.ConvertOptions(null_values=[""], strings_can_be_null=True)
            return pyarrow.csv.read_csv(path, convert_options=empty)
        if path.is_dir() or path.suffix in (".parquet", ".pq"):
            import pyarrow.parquet

            return pyarrow.parquet.read_table(path)
        if path.suffix in (".arrow", ".feather", ".ipc"):
            import pyarrow.feather

            return pyarrow.feather.read_table(path)
    except (ValueError, OSError) as e:   # pyarrow's own are both
        raise Error("input.file", str(path), f"the file of {what} cannot be read: {e}") from e
    raise Error("input.file", str(path), "this kind of file is not known; give .csv, .parquet, .arrow or .feather, or an Arrow table")


def _library(source: Any) -> str:
    return type(source).__module__.partition(".")[0]


def arrow_stream(source: Any, what: str) -> Any:
    """A capsule with an Arrow stream: from a path, a list of dicts, a dict of columns, or what speaks the PyCapsule interface."""
    return None if source is None else arrow_source(source, what).__arrow_c_stream__()


def arrow_source(source: Any, what: str) -> Any:
    """What speaks the PyCapsule interface with a stream, from any of those."""
    if isinstance(source, (str, os.PathLike)):
        source = _read(pathlib.Path(os.fspath(source)), what)
    elif isinstance(source, (list, tuple, dict)) or _library(source) in ("pandas", "duckdb", "_duckdb") or hasattr(source, "__arrow_c_array__"):
        import pyarrow

        try:
            if isinstance(source, dict):
                source = pyarrow.table(source)
            elif isinstance(source, (list, tuple)):
                names = dict.fromkeys(name for row in source for name in row)
                source = pyarrow.table({name: [row.get(name) for row in source] for name in names})
            elif _library(source) == "pandas":
                source = pyarrow.Table.from_pandas(source, preserve_index=False)
            else:   # read to its end now: a connection of DuckDB has one open result, and the next table may be of the same one
                source = pyarrow.table(source)
        except (pyarrow.ArrowException, TypeError, AttributeError) as e:
            raise Error("input.table", what, f"this is no table: {e}") from e
    if not hasattr(source, "__arrow_c_stream__"):
        raise Error("input.table", what, f"a {type(source).__name__} is no table; give a path, a DataFrame, an Arrow table or a list of dicts")
    return source
