"""Histories, and questions about their contacts."""

from __future__ import annotations

import datetime
import json
import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from . import _convert, _core, _segment_tools
from ._convert import Instant
from ._error import Error, Problem, Problems
from ._explain import Explanation
from ._expression import Expression, Selector, _predicate
from ._membership import SizesOverTime, Tracked
from ._segment_tools import Columns, Instants, Overlap, Profile
from ._table import Table

if TYPE_CHECKING:
    from ._playbook import Playbook, Segment


class Selection:
    """The contacts for whom a predicate was yes at an instant. Made by `History.select`."""

    def __init__(self, core: _core._Selection, history: History, at: str, words: _core._Vocabulary) -> None:
        self._core = core
        self._history = history._core   # as it was: the history may be appended to
        self._instant = at
        self._words = words

    @property
    def at(self) -> datetime.datetime:
        """The instant that was asked about."""
        return _convert.when(self._instant)

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

    def sample(self, n: int, seed: int = 0) -> Table:
        """contact_id, attributes… as of the instant: at most `n` of the members, sorted by id.

        Drawn by a hash of (seed, id): the same in every run and on every machine; a larger sample holds the smaller one, and who joins or
        leaves the selection changes nobody else's place. Errors: `ValueError` for a negative `n` or `seed`.
        """
        if n < 0 or seed < 0:
            raise ValueError("a sample has a size and a seed that are not negative")
        return Table(_core._sample(self._history, self._core, n, seed, self._instant))

    def sizes(self, by: Columns) -> Table:
        """DIMENSIONS…, contacts, members, unknown, share (members / contacts), share_of_members: the total, then each cell.

        `by` is an expression or several (`["city", "count(purchase)"]`, or a mapping of names to them). In the total the dimensions are
        missing; who lacks a value stands in the cell "(missing)". `contacts` are all those that exist at the instant; every cell that has
        some is there. Raises `Error`: those of the type check, and `sizes.by` for a name that stands twice.
        """
        return Table(_core._sizes(self._history, self._core, self._instant, _segment_tools.named(by)[0], self._words))

    def profile(self, columns: Columns = (), *, level: float = 0.95, most_values: int = 20) -> Profile:
        """What sets the members apart from all other contacts that exist, the most telling first.

        A row for each value of a text, item of a list, yes of a question, and for "(missing)": inside, share_inside (of all members), outside,
        share_outside (of all others), lift (the ratio of the shares), difference, low, high, stands_out. The interval of the difference is
        Newcombe's (1998, method 10, from Wilson's); `stands_out` is its end nearest to 0, 0 when it holds 0. At most `most_values` an expression.
        `.numbers` has a row for each number: mean_inside, mean_outside, their difference with Welch's interval (1947), and `stands_out` in
        pooled standard deviations. Durations are in days, days and instants in days before the instant, money in units.

        Default of `columns`: every attribute of contacts and accounts, and `did` and `count` of every event.
        Raises `Error`: those of the type check, and `profile.level` for a level not between 0 and 1.
        """
        named = _segment_tools.named(columns)[0]
        return Profile(_core._profile(self._history, self._core, self._instant, named, level, most_values, self._words))

    def __repr__(self) -> str:
        return f"<Selection of {self.count} contacts>"


class History:
    """Contacts, accounts, events and spend: what happened. Built at once, or appended to.

    Each table is a path (.csv, also compressed as .csv.gz, .parquet, .arrow, .feather), a DataFrame, anything that speaks Arrow's PyCapsule interface, a dict of
    columns or a list of dicts:

    - contacts: contact_id, attributes…, [account_id], [created_at]; with a `timestamp` it is a log of changes
    - events: contact_id, event, timestamp, properties…, [event_id], [arrived_at], [sequence]
    - accounts: account_id, attributes…; with a `timestamp` it is a log of changes
    - spend: timestamp, amount, [channel], [campaign], [segment], …

    `columns` renames, for all tables or one: {"contact_id": "user_id"}, {"events": {"timestamp": "ts"}}; `types` declares:
    {"contact.renewal": "day"}; `formats` reads other forms of time: {"won_date": "%m/%d/%Y %H:%M"}; `timezone` is that of instants
    without one, which are rejected otherwise. What could not be used is in `rejected`. Errors: `Error` when a table cannot be read.
    `threads` may share the rows of events (default: as many as there are cores); the history does not depend on it.
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
        threads: int | None = None,
    ) -> None:
        tables = {"contacts": contacts, "events": events, "accounts": accounts, "spend": spend}
        renamed: dict[str, dict[str, str]] = {"": {}}
        for name, theirs in (columns or {}).items():
            if isinstance(theirs, str):
                renamed[""][name] = theirs
            else:
                renamed[name] = dict(theirs)
        c, e, a, s = (_convert.table(t, what) for what, t in tables.items())
        self._core = _core._History.from_tables(c, e, a, s, renamed, dict(types or {}), dict(formats or {}), timezone, threads or 0)

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
        threads: int | None = None,
    ) -> History:
        """From records in the Segment spec (identify, track, page, screen, group): dicts, or the path of a JSON Lines file.

        `types` names types that JSON cannot say: {"contact.renewal": "day", "purchase.code": "text"}.
        `timezone` is the zone of timestamps without one; without it they are rejected. What could not be used is in `rejected`.
        `spend` is a table, and `threads` how many may share the work, as the constructor takes them.
        """
        declared = dict(types or {})
        spent = _convert.arrow_stream(spend, "spend")
        if isinstance(records, (str, os.PathLike)):
            return cls._of(_core._History.from_records_file(os.fspath(records), spent, declared, timezone, threads or 0))
        lines = "\n".join(json.dumps(r, default=_convert.json_cell) for r in records)
        return cls._of(_core._History.from_records_text(lines, spent, declared, timezone, threads or 0))

    def append(self, contacts: Any = None, events: Any = None, accounts: Any = None, spend: Any = None) -> History:
        """Adds what came later; this object then is the whole history, and is returned.

        Tables as the constructor takes them, read with the same `columns`, `types`, `formats` and `timezone`. The history becomes the one of all
        tables at once, each with the new rows after the earlier ones: late events take their place in time, an event id that is there already is
        rejected as duplicate, and so is a second row without `timestamp` of one contact; a column of whole numbers that gets decimals is of
        decimals. Selections, runs and tables made before stay as they were. Costs what the new rows and the streams they fall into take.
        Raises `Error` when a table cannot be read; the history is then as it was.
        """
        tables = {"contacts": contacts, "events": events, "accounts": accounts, "spend": spend}
        c, e, a, s = (_convert.table(t, what) for what, t in tables.items())
        self._core = self._core.append(c, e, a, s)
        return self

    def append_records(self, records: Iterable[Mapping[str, Any]] | str | os.PathLike[str]) -> History:
        """Adds records in the Segment spec, as `from_records` takes them, after all that is there; this object then is the whole history, and is returned."""
        if isinstance(records, (str, os.PathLike)):
            self._core = self._core.append_records_file(os.fspath(records))
        else:
            self._core = self._core.append_records_text("\n".join(json.dumps(r, default=_convert.json_cell) for r in records))
        return self

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
        return Table(self._core.contacts(_convert.instant_or_none(at)))

    def accounts(self, at: Instant | None = None) -> Table:
        """One row an account, with its attributes as of `at` (default: at the end)."""
        return Table(self._core.accounts(_convert.instant_or_none(at)))

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
        words, when = self._words(playbook, segments, timezone), self._at(at)
        if playbook is not None:
            return Selection(playbook._core.select(self._core, asked, when, threads or 1), self, when, words)
        named = {k: _predicate(v) for k, v in (segments or {}).items()}
        for p in self._core.check(asked, named, timezone):
            if p.severity == "warning":
                warnings.warn(p.message, stacklevel=2)
        return Selection(self._core.select(asked, when, named, timezone, threads or 1), self, when, words)

    def select_many(
        self,
        predicates: Columns,
        at: Instant | None = None,
        *,
        segments: Mapping[str, Expression | str] | None = None,
        timezone: str = "UTC",
        playbook: Playbook | None = None,
        threads: int | None = None,
    ) -> dict[str, Selection]:
        """Several predicates asked at once: name → the contacts for whom it is yes at `at` (default: the end of the history).

        Contacts are gone through once for all of them, and what predicates have in common is asked once, so that it takes less than asking
        one after the other. `predicates` maps names to predicates, or lists predicates (named by their texts) or segments of a playbook.
        The other arguments are those of `select`. Errors: those of the type check, placed "segments.NAME".
        """
        named = []
        for name, x in predicates.items() if isinstance(predicates, Mapping) else [(None, x) for x in predicates]:
            asked, playbook = _asked(x, playbook)
            named.append((name or getattr(x, "name", None) or asked.text(), asked))
        words, when = self._words(playbook, segments, timezone), self._at(at)
        found = _core._select_many(self._core, named, when, words, threads or 1)
        return {name: Selection(s, self, when, words) for (name, _), s in zip(named, found, strict=True)}

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
        begin, close = _convert.instant(start), _convert.instant(end)
        if playbook is not None:
            _only_one(segments)
            return Table(playbook._core.membership(self._core, asked, begin, close))
        named = {k: _predicate(v) for k, v in (segments or {}).items()}
        return Table(self._core.membership(asked, begin, close, named, timezone))

    def changes(
        self,
        predicate: Expression | Segment | str,
        start: Instant,
        end: Instant,
        *,
        segments: Mapping[str, Expression | str] | None = None,
        timezone: str = "UTC",
        playbook: Playbook | None = None,
    ) -> Table:
        """contact_id, at, change ("entered" or "left"): `membership` as a stream, in order of time, then of contact.

        Who is in at `start` has entered then, so that the changes, taken one after the other from nobody on, give who is in at any instant.
        """
        stays = self.membership(predicate, start, end, segments=segments, timezone=timezone, playbook=playbook)
        return Table(_core._changes(stays._core))

    def sizes(
        self,
        predicate: Expression | Segment | str,
        start: Instant,
        end: Instant,
        every: str | None = None,
        *,
        segments: Mapping[str, Expression | str] | None = None,
        timezone: str = "UTC",
        playbook: Playbook | None = None,
    ) -> SizesOverTime:
        """at, members: how many are in at `start` and after each change before `end`; `.plot()` draws it.

        `every` ("day", "week", "month", "quarter", "year") asks at `start` and at each beginning of such a unit instead, in `timezone` or the
        playbook's. The other arguments are those of `select`.
        """
        stays = self.membership(predicate, start, end, segments=segments, timezone=timezone, playbook=playbook)
        _, playbook = _asked(predicate, playbook)
        zone, sunday = (timezone, False) if playbook is None else (playbook.timezone, playbook._core.weeks_begin_on_sunday)
        return SizesOverTime(_core._sizes_over_time(stays._core, _convert.instant(start), _convert.instant(end), every, zone, sunday))

    def track(
        self,
        predicate: Expression | Segment | str,
        start: Instant,
        until: Instant | None = None,
        *,
        segments: Mapping[str, Expression | str] | None = None,
        timezone: str = "UTC",
        playbook: Playbook | None = None,
    ) -> Tracked:
        """Membership from `start` up to `until` (default: the last instant of the history), kept up to date by `.update()` after appends.

        The other arguments are those of `select`. Raises `Error` (predicate.window) when `until` lies before `start`.
        """
        asked, playbook = _asked(predicate, playbook)
        begin, end = _convert.instant(start), _convert.instant_or_none(until)
        if playbook is not None:
            _only_one(segments)
            return Tracked(self, playbook._core.track(self._core, asked, begin, end))
        named = {k: _predicate(v) for k, v in (segments or {}).items()}
        return Tracked(self, self._core.track(asked, begin, end, named, timezone))

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

    def overlap(
        self,
        segments: Columns,
        at: Instant | None = None,
        *,
        timezone: str = "UTC",
        playbook: Playbook | None = None,
    ) -> Overlap:
        """segment_a, segment_b, both, only_a, only_b, jaccard, share_of_a, share_of_b: how each pair of segments shares its members.

        `segments` maps names to predicates, or lists segments of a playbook. `.exclusive`: who is in no other; `.matrix`: counts for a
        heat map. Default of `at`: the end of the history. `Playbook.overlap` does it for all of a playbook's.
        """
        named, playbook = _segment_tools.named(segments, playbook)
        words = self._words(playbook, None if playbook else {name: Expression(e) for name, e in named}, timezone)
        return Overlap(_core._overlap(self._core, named, self._at(at), words))

    def rfm(
        self,
        event: Selector | str,
        amount: str = "",
        at: Instant | None = None,
        *,
        scores: int = 5,
        segments: Mapping[str, Expression | str] | None = None,
        timezone: str = "UTC",
        playbook: Playbook | None = None,
    ) -> Table:
        """contact_id, recency (a duration), frequency, monetary, r, f, m, score: how lately, how often and for how much.

        >>> history.rfm("purchase, last 365d", "amount", at="2026-03-31T00:00:00Z")

        One row for each contact with such an event by `at` (default: the end of the history): the time since the last one, how many, and the sum
        of the property `amount` (of the selector's own property when empty). r, f, m go from 1 to `scores` (5, the best) by quantiles among
        these rows; with l contacts below and e equal (itself among them) of n, the score is 1 + floor(scores · (l + e/2) / n), so equals share
        the score of the middle of their ranks. The latest is the best recency; `score` is the three digits as text. After Hughes (1994).
        Raises `Error`: those of the type check, and `rfm.scores` for fewer than 2 or more than 9.
        """
        selector = event._core if isinstance(event, Selector) else _core._Selector.parse(event)
        return Table(_core._rfm(self._core, selector, amount, self._at(at), scores, self._words(playbook, segments, timezone)))

    def to_features(
        self,
        columns: Columns,
        at: Instants | Any = None,
        *,
        until: Instant | None = None,
        segments: Mapping[str, Expression | str] | None = None,
        timezone: str = "UTC",
        playbook: Playbook | None = None,
        progress: Callable[[float], object] | None = None,
    ) -> Table:
        """A table of features as of a point in time: contact_id, [at], then a typed column for each expression.

        >>> history.to_features({"orders": "count(purchase, last 90d)", "city": "city"}, at="2026-03-31T00:00:00Z")
        >>> history.to_features(["sum(purchase.amount)", "did(refund)"], at="first_time(purchase) + 30d")

        `columns` are expressions, their texts or segments of a playbook; in a mapping with names of their own, else under their canonical text.
        `at` is one of

        - an instant (default: the end of the history): one row for each contact that exists then;
        - an expression of type instant or day, such as `first_time(form_submitted)`: each contact at its own; it is asked as of `until`
          (default: the end of the history), and a contact for whom it is missing or later than `until` has no row;
        - contact → instant, or a table with the columns contact_id and at (a contact may stand in several rows): one row for each, in
          their order; features of a contact that does not exist yet are missing.

        A row sees what had happened by its instant, that instant included, and nothing later; what comes after changes nothing in it.
        Questions are yes/no columns, missing where unknown; instants are in UTC; nothing is filled in. `progress` is called with the share
        that is done. Raises `Error`: those of the type check, `features.column` for a name that stands twice, `name.unknown` for a contact
        that is not in the history.
        """
        named, playbook = _segment_tools.named(columns, playbook)
        words = self._words(playbook, segments, timezone)
        if at is None or _segment_tools.is_instant(at):
            return Table(_core._features_at(self._core, named, self._at(at), words, progress))
        if isinstance(at, (str, Expression)):
            end = _convert.instant_or_none(until)
            return Table(_core._features_of(self._core, named, _predicate(at), end, words, progress))
        contacts, instants = _segment_tools.rows_of(at)
        return Table(_core._features_rows(self._core, named, contacts, instants, words, progress))

    def _words(self, playbook: Playbook | None, segments: Mapping[str, Expression | str] | None, timezone: str) -> _core._Vocabulary:
        if playbook is not None:
            _only_one(segments)
            return playbook._core.vocabulary(self._core)
        return _core._Vocabulary.of({k: _predicate(v) for k, v in (segments or {}).items()}, timezone)

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


def _warn_unseen(history: History, events: Iterable[Selector | _core._Selector | str], playbook: Playbook | None) -> None:
    """Warns of events that nobody ever had, with the nearest names. What a playbook names its own check reports."""
    for e in events if playbook is None else ():
        event = Selector.parse(e) if isinstance(e, str) else e if isinstance(e, Selector) else Selector(e)
        for p in history._core.check(_predicate(event.did()), {}, "UTC"):
            if p.code == "name.event":
                warnings.warn(p.message, stacklevel=3)


def _only_one(segments: object) -> None:
    if segments is not None:
        raise TypeError("give `playbook` or `segments`, not both: a playbook has its own segments")
