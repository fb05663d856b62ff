"""What the segment tools take and give: named columns, rows with instants of their own, tables with more than one part."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

from . import _convert, _core
from ._error import Error
from ._expression import Expression, _predicate
from ._table import Table

if TYPE_CHECKING:
    from ._playbook import Playbook, Segment

Columns = Iterable["Expression | Segment | str"] | Mapping[str, "Expression | Segment | str"]
"""Expressions, their texts, or segments of a playbook; with names of their own in a mapping."""
Instants = Expression | str | datetime.datetime | Mapping[Any, _convert.Instant]
"""One instant; an expression of type instant; contact → instant; or a table with the columns contact_id and at."""


class Overlap(Table):
    """How segments share their members: segment_a, segment_b, both, only_a, only_b, jaccard, share_of_a, share_of_b, a row for each pair."""

    def __init__(self, core: _core._Overlap) -> None:
        super().__init__(core.pairs)
        self.exclusive = Table(core.exclusive)
        """segment, members, exclusive, share: how many are in no other of the segments."""
        self.matrix = Table(core.matrix)
        """segment, then a column for each segment: how many are in both; on the diagonal the members."""


class Profile(Table):
    """What sets the members apart from the rest: a row for each value of an attribute and each event done, the most telling first.

    expression, value, inside, share_inside, outside, share_outside, lift, difference, low, high, stands_out.
    """

    def __init__(self, core: _core._Profile) -> None:
        super().__init__(core.values)
        self.numbers = Table(core.numbers)
        """expression, unit, inside, mean_inside, outside, mean_outside, difference, low, high, stands_out: a row for each number."""


def named(columns: Columns, playbook: Playbook | None = None) -> tuple[list[tuple[str, _core._Expression]], Playbook | None]:
    """Name → expression, and the playbook they are asked with: the one given, or the one that their segments are of."""
    from ._playbook import Segment  # which knows histories, which know us

    if isinstance(columns, (str, Expression, Segment)):
        columns = [columns]
    pairs = columns.items() if isinstance(columns, Mapping) else [(None, x) for x in columns]
    found = []
    for name, x in pairs:
        if isinstance(x, Segment):
            playbook = playbook or x._playbook
            found.append((x.name if name is None else name, _core._Expression.parse(f"segment({json.dumps(x.name, ensure_ascii=False)})")))
        else:
            e = _predicate(x)
            found.append((e.text() if name is None else name, e))
    return found, playbook


def is_instant(at: object) -> TypeGuard[_convert.Instant]:
    """One instant, not an expression: a datetime, or text that begins as a date does."""
    return isinstance(at, datetime.datetime) or (isinstance(at, str) and re.match(r"\s*[-+]?\d{4,}-\d\d-\d\d", at) is not None)


def rows_of(at: Any) -> tuple[list[str], list[int]]:
    """Contacts and their instants in microseconds, from a mapping or from a table with the columns contact_id and at."""
    if isinstance(at, Mapping) and not {"contact_id", "at"} <= set(at):
        return [str(k) for k in at], [_core._microseconds(_convert.instant(t)) for t in at.values()]
    import pyarrow

    table = pyarrow.table(_convert.arrow_source(at, "at"))
    for name in ("contact_id", "at"):
        if name not in table.column_names:
            raise Error("input.table", "at", f"the table of instants has no column `{name}`; it needs contact_id and at")
    ids, instants = table["contact_id"], table["at"]
    for name, column in (("contact_id", ids), ("at", instants)):
        if column.null_count:
            raise Error("input.table", "at", f"{column.null_count} rows of the table of instants lack `{name}`; leave them out")
    contacts: list[str] = ids.cast(pyarrow.string()).to_pylist()
    if pyarrow.types.is_timestamp(instants.type):
        if instants.type.tz is None:
            raise Error("input.instant", "at", "the instants of the table have no zone; give them one, such as UTC")
        return contacts, instants.cast(pyarrow.timestamp("us", "UTC"), safe=False).cast(pyarrow.int64()).to_pylist()
    return contacts, [_core._microseconds(_convert.instant(t)) for t in instants.to_pylist()]
