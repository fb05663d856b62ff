"""Histories, and questions about their contacts."""

from __future__ import annotations

import datetime
import json
import os
import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from . import _convert, _core
from ._convert import Instant
from ._error import Error, Problem, Problems
from ._explain import Explanation
from ._expression import Expression, _predicate
from ._table import Table

if TYPE_CHECKING:
    from ._playbook import Playbook, Segment


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
    """Contacts, accounts, events and spend: what happened. Built once, then only asked.

    Each table is a path (.csv, also compressed as .csv.gz, .parquet, .arrow, .feather), a DataFrame, anything that speaks Arrow's PyCapsule interface, a dict of
    columns or a list of dicts:

    - contacts: contact_id, attributes…, [account_id], [created_at]; with a `timestamp` it is a log of changes
    - events: contact_id, event, timestamp, properties…, [event_id], [arrived_at], [sequence]
    - accounts: account_id, attributes…; with a `timestamp` it is a log of changes
    - spend: timestamp, amount, [channel], [campaign], [segment], …

    `columns` renames, for all tables or one: {"contact_id": "user_id"}, {"events": {"timestamp": "ts"}}; `types` declares:
    {"contact.renewal": "day"}; `formats` reads other forms of time: {"won_date": "%m/%d/%Y %H:%M"}; `timezone` is that of instants
    without one, which are rejected otherwise. What could not be used is in `rejected`. Errors: `Error` when a table cannot be read.
    """

    def __init__(
        self,
        contacts: Any = None,
        events: Any = None,
        accounts: Any = None,
        spend: Any = None,
        columns: Mapping[str, str | Mapping[str, str]] | None = None,
        types: Mapping[str, str] | None = None,
        formats: Mapping[str, str] | None = None,
        timezone: str | None = None,
    ) -> None:
        tables = {"contacts": contacts, "events": events, "accounts": accounts, "spend": spend}
        renamed: dict[str, dict[str, str]] = {"": {}}
        for name, theirs in (columns or {}).items():
            if isinstance(theirs, str):
                renamed[""][name] = theirs
            else:
                renamed[name] = dict(theirs)
        c, e, a, s = (_convert.table(t, what) for what, t in tables.items())
        self._core = _core._History.from_tables(c, e, a, s, renamed, dict(types or {}), dict(formats or {}), timezone)

    @classmethod
    def _of(cls, core: _core._History) -> History:
        made = cls.__new__(cls)
        made._core = core
        return made

    @classmethod
    def from_records(
        cls,
        records: Iterable[Mapping[str, Any]] | str | os.PathLike[str],
        spend: Any = None,
        *,
        types: Mapping[str, str] | None = None,
        timezone: str | None = None,
    ) -> History:
        """From records in the Segment spec (identify, track, page, screen, group): dicts, or the path of a JSON Lines file.

        `types` names types that JSON cannot say: {"contact.renewal": "day", "purchase.code": "text"}.
        `timezone` is the zone of timestamps without one; without it they are rejected. What could not be used is in `rejected`.
        `spend` is a table as the constructor takes it.
        """
        declared = dict(types or {})
        spent = _convert.arrow_stream(spend, "spend")
        if isinstance(records, (str, os.PathLike)):
            return cls._of(_core._History.from_records_file(os.fspath(records), spent, declared, timezone))
        lines = "\n".join(json.dumps(r, default=_convert.json_cell) for r in records)
        return cls._of(_core._History.from_records_text(lines, spent, declared, timezone))

    @property
    def span(self) -> tuple[datetime.datetime, datetime.datetime] | None:
        """First and last instant of events, changes and spend, in UTC; None when there are none."""
        first, last = self._core.first_instant(), self._core.last_instant()
        return None if first is None or last is None else (_convert.when(first), _convert.when(last))

    @property
    def contacts_count(self) -> int:
        """How many contacts there are."""
        return self._core.contacts_count()

    @property
    def events_count(self) -> int:
        """How many events there are."""
        return self._core.events_count()

    @property
    def schema(self) -> dict[str, Any]:
        """Names and types: {"contact": {…}, "account": {…}, "events": {event: {property: type}}}."""
        return {"contact": self._core.attribute_types(), "account": self._core.account_types(), "events": self._core.event_types()}

    @property
    def rejected(self) -> Table:
        """table, row, reason, example: the rows that could not be used, at most 1,000 a reason."""
        return Table(self._core.rejected())

    @property
    def rejected_counts(self) -> Table:
        """table, reason, rows: how many could not be used."""
        return Table(self._core.rejected_counts())

    def contacts(self, at: Instant | None = None) -> Table:
        """One row a contact that exists at `at`, with its attributes as of then (default: at the end)."""
        return Table(self._core.contacts(None if at is None else _convert.instant(at)))

    def accounts(self, at: Instant | None = None) -> Table:
        """One row an account, with its attributes as of `at` (default: at the end)."""
        return Table(self._core.accounts(None if at is None else _convert.instant(at)))

    def events(self) -> Table:
        """One row an event, by contact, instant and order."""
        return Table(self._core.events())

    def spend(self) -> Table:
        """One row an amount spent, by instant."""
        return Table(self._core.spend())

    def select(
        self,
        predicate: Expression | Segment | str,
        at: Instant | None = None,
        *,
        segments: Mapping[str, Expression | str] | None = None,
        timezone: str = "UTC",
        playbook: Playbook | None = None,
        threads: int | None = None,
    ) -> Selection:
        """The contacts for whom `predicate` is yes at `at` (default: the end of the history).

        A predicate, its text, or a segment of a playbook. `segment("name")`, consents, types and the zone of calendar windows and bare
        dates are those of `playbook` (a segment brings its own); without one, `segments` and `timezone` say them.
        `threads` may share the contacts (default: one); the answer is the same.
        """
        asked, playbook = _asked(predicate, playbook)
        if playbook is not None:
            _only_one(segments)
            return playbook._select(self, asked, self._at(at), threads or 1)
        named = {k: _predicate(v) for k, v in (segments or {}).items()}
        for p in self._core.check(asked, named, timezone):
            if p.severity == "warning":
                warnings.warn(p.message, stacklevel=2)
        return Selection(self._core.select(asked, self._at(at), named, timezone, threads or 1))

    def check(self, predicate: Expression | str, *, segments: Mapping[str, Expression | str] | None = None, timezone: str = "UTC") -> Problems:
        """What the type check finds in a predicate, all at once: unknown names, wrong types, and events never seen as warnings."""
        named = {k: _predicate(v) for k, v in (segments or {}).items()}
        return Problems(Problem(p) for p in self._core.check(_predicate(predicate), named, timezone))

    def membership(
        self,
        predicate: Expression | Segment | str,
        start: Instant,
        end: Instant,
        *,
        segments: Mapping[str, Expression | str] | None = None,
        timezone: str = "UTC",
        playbook: Playbook | None = None,
    ) -> Table:
        """contact_id, entered_at, left_at: each stay of each contact within [start, end), to the microsecond.

        Who is in at `start` has entered then; `left_at` is missing for who is still in at `end`. The other arguments are those of `select`.
        """
        asked, playbook = _asked(predicate, playbook)
        if playbook is not None:
            _only_one(segments)
            return playbook._membership(self, asked, start, end)
        named = {k: _predicate(v) for k, v in (segments or {}).items()}
        return Table(self._core.membership(asked, _convert.instant(start), _convert.instant(end), named, timezone))

    def explain(
        self,
        predicate: Expression | Segment | str,
        contact: str | int,
        at: Instant | None = None,
        *,
        segments: Mapping[str, Expression | str] | None = None,
        timezone: str = "UTC",
        playbook: Playbook | None = None,
    ) -> Explanation:
        """Why a contact is in, is not, or may be: a tree of clauses, the events that decided them, and when time alone changes the answer.

        The arguments are those of `select`. Prints as a tree. Raises `Error` (name.unknown) for a contact who is not in the history.
        """
        asked, playbook = _asked(predicate, playbook)
        if playbook is not None:
            _only_one(segments)
            return Explanation(playbook._core.explain(self._core, asked, str(contact), self._at(at)))
        named = {k: _predicate(v) for k, v in (segments or {}).items()}
        return Explanation(self._core.explain(asked, str(contact), self._at(at), named, timezone))

    def _at(self, at: Instant | None) -> str:
        if at is not None:
            return _convert.instant(at)
        last = self._core.last_instant()
        if last is None:
            raise Error("input.instant", "at", "the history holds no instant, so it has no end to ask at; give `at`")
        return last

    def __repr__(self) -> str:
        lost = sum(row["rows"] for row in self.rejected_counts.to_pylist())
        return f"<History of {self.contacts_count:,} contacts and {self.events_count:,} events{f'; rejected: {lost:,}, see .rejected' if lost else ''}>"


def _asked(predicate: Expression | Segment | str, playbook: Playbook | None) -> tuple[_core._Expression, Playbook | None]:
    from ._playbook import Segment  # which knows histories

    if isinstance(predicate, Segment):
        return predicate.where._core, playbook or predicate._playbook
    return _predicate(predicate), playbook


def _only_one(segments: object) -> None:
    if segments is not None:
        raise TypeError("give `playbook` or `segments`, not both: a playbook has its own segments")
