"""What users call: thin shells around `_core`, which does the work."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from . import _core
from ._error import Error

Instant = str | datetime.datetime


def _instant(at: Instant) -> str:
    if isinstance(at, datetime.datetime):
        if at.tzinfo is None:
            raise Error("input.instant", "", f"{at} has no zone; give it one, such as tzinfo=datetime.timezone.utc")
        return at.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return at


class Table:
    """A table of results. Goes anywhere Arrow goes: `pyarrow.table(t)`, `polars.from_arrow(t)`, DuckDB."""

    def __init__(self, core: _core._Table) -> None:
        self._core = core

    def __len__(self) -> int:
        return self._core._rows()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._core._arrow_stream()

    def to_arrow(self) -> Any:
        """As a `pyarrow.Table`."""
        import pyarrow

        return pyarrow.table(self)

    def to_pandas(self) -> Any:
        """As a `pandas.DataFrame`; instants are in UTC."""
        return self.to_arrow().to_pandas()

    def to_polars(self) -> Any:
        """As a `polars.DataFrame`."""
        import polars

        return polars.from_arrow(self.to_arrow())

    def to_pylist(self) -> list[dict[str, Any]]:
        """As a list of dicts, one a row."""
        rows: list[dict[str, Any]] = self.to_arrow().to_pylist()
        return rows

    def __repr__(self) -> str:
        return self._core._text()


class Predicate:
    """A yes/no/unknown question about one contact at one instant. `str(p)` is its canonical text; `p.equals(q)` compares the trees."""

    def __init__(self, core: _core._Expression) -> None:
        self._core = core

    def equals(self, other: Predicate) -> bool:
        """Whether both are the same tree, however they were written."""
        return self._core.equals(other._core)

    def __bool__(self) -> bool:
        raise TypeError("a predicate has no truth of its own; ask history.select(predicate, at=…)")

    def __str__(self) -> str:
        return self._core.text()

    def __repr__(self) -> str:
        return f"predicate({self._core.text()!r})"


def predicate(text: str) -> Predicate:
    """Reads a predicate from its text (docs/semantics.md). Raises `Error` with the line and column of what is wrong."""
    return Predicate(_core._Expression.parse(text))


def _predicate(p: Predicate | str) -> _core._Expression:
    return (p if isinstance(p, Predicate) else predicate(p))._core


class Selection:
    """The contacts for whom a predicate was yes."""

    def __init__(self, core: _core._Selection) -> None:
        self._core = core

    @property
    def ids(self) -> list[str]:
        """Ids of those that are in, sorted."""
        return self._core.ids()

    @property
    def unknown_ids(self) -> list[str]:
        """Ids of those for whom the answer is unknown, sorted."""
        return self._core.unknown_ids()

    @property
    def count(self) -> int:
        """How many are in."""
        return self._core.count()

    def __len__(self) -> int:
        return self._core.count()

    def to_table(self) -> Table:
        """One column: contact_id."""
        return Table(self._core.table())

    def to_pandas(self) -> Any:
        """As a `pandas.DataFrame` of one column."""
        return self.to_table().to_pandas()

    def __repr__(self) -> str:
        return f"<Selection of {self.count} contacts>"


class History:
    """Contacts, accounts and events: what happened. Built once, then only asked."""

    def __init__(self, core: _core._History) -> None:
        self._core = core

    @staticmethod
    def from_records(
        records: Iterable[Mapping[str, Any]] | str | os.PathLike[str], *, types: Mapping[str, str] | None = None, timezone: str | None = None
    ) -> History:
        """From records in the Segment spec (identify, track, page, screen, group): dicts, or the path of a JSON Lines file.

        `types` names types that JSON cannot say: {"contact.renewal": "day", "purchase.code": "text"}.
        `timezone` is the zone of timestamps without one; without it they are rejected. What could not be used is in `rejected`.
        """
        declared = dict(types or {})
        if isinstance(records, (str, os.PathLike)):
            return History(_core._History.from_records_file(os.fspath(records), declared, timezone))
        lines = "\n".join(json.dumps(r, default=_instant) for r in records)
        return History(_core._History.from_records_text(lines, declared, timezone))

    @property
    def contacts_count(self) -> int:
        """How many contacts there are."""
        return self._core.contacts_count()

    @property
    def events_count(self) -> int:
        """How many events there are."""
        return self._core.events_count()

    @property
    def rejected(self) -> Table:
        """table, row, reason, example: the rows that could not be used."""
        return Table(self._core.rejected())

    def contacts(self, at: Instant | None = None) -> Table:
        """One row a contact that exists at `at`, with its attributes as of then (default: at the end)."""
        return Table(self._core.contacts(None if at is None else _instant(at)))

    def events(self) -> Table:
        """One row an event, by contact, instant and order."""
        return Table(self._core.events())

    def select(
        self, predicate: Predicate | str, at: Instant, *, segments: Mapping[str, Predicate | str] | None = None, timezone: str = "UTC"
    ) -> Selection:
        """The contacts for whom `predicate` is yes at `at`.

        `segments` are those that `segment("name")` refers to; `timezone` is the zone of calendar windows and bare dates.
        """
        named = {k: _predicate(v) for k, v in (segments or {}).items()}
        return Selection(self._core.select(_predicate(predicate), _instant(at), named, timezone))

    def membership(
        self,
        predicate: Predicate | str,
        start: Instant,
        end: Instant,
        *,
        segments: Mapping[str, Predicate | str] | None = None,
        timezone: str = "UTC",
    ) -> Table:
        """contact_id, entered_at, left_at: each stay of each contact within [start, end), to the microsecond.

        Who is in at `start` has entered then; `left_at` is missing for who is still in at `end`.
        """
        named = {k: _predicate(v) for k, v in (segments or {}).items()}
        return Table(self._core.membership(_predicate(predicate), _instant(start), _instant(end), named, timezone))
