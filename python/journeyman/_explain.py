"""Why a predicate is what it is, for one contact."""

from __future__ import annotations

import datetime
import html
from typing import Any

from . import _convert, _core


class Explanation:
    """One clause of a predicate and its value, with the clauses it is made of. Prints as a tree; `to_dict()` is the same as data."""

    def __init__(self, core: _core._Explanation) -> None:
        self._core = core
        self.clause = core.clause
        """Its canonical text."""
        self.value = core.value
        """yes, no, unknown; of a clause that is no question its value as text, or missing."""
        self.changes_at: datetime.datetime | None = None if core.changes_at is None else _convert.when(core.changes_at)
        """When time alone will change the value; None: never, without new events or changes."""
        self.remark = core.remark
        """What is wanting."""
        self.events: list[dict[str, Any]] = [
            {"event": e.event, "at": _convert.when(e.at), "leaves_at": None if e.leaves_at is None else _convert.when(e.leaves_at)} for e in core.events
        ]
        """Of an aggregate: the events that count, the latest first, at most 20: event, at, leaves_at (when it no longer counts)."""
        self.events_count = core.events_count
        """How many count in all."""
        self.parts = [Explanation(p) for p in core.parts]

    def to_dict(self) -> dict[str, Any]:
        """The tree as dicts and lists."""
        parts = [p.to_dict() for p in self.parts]
        return {
            "clause": self.clause, "value": self.value, "changes_at": self.changes_at, "remark": self.remark,
            "events": self.events, "events_count": self.events_count, "parts": parts,
        }  # fmt: skip

    def __repr__(self) -> str:
        return self._core.text().rstrip()

    def _repr_html_(self) -> str:
        return f"<ul style='list-style:none;padding-left:0'>{self._html()}</ul>"

    def _html(self) -> str:
        mark = {"yes": "✓", "no": "✗", "unknown": "?"}.get(self.value, "=")
        text = f"{mark} <code>{html.escape(self.clause)}</code> <b>{html.escape(self.value)}</b>"
        if self.changes_at is not None:
            text += f" until {self.changes_at:%Y-%m-%d %H:%M:%S.%f} UTC"
        if self.remark:
            text += f" <i>({html.escape(self.remark)})</i>"
        below = "".join(
            f"<li>{html.escape(e['event'])} at {e['at']:%Y-%m-%d %H:%M:%S}" + (f", counts until {e['leaves_at']:%Y-%m-%d %H:%M:%S}" if e["leaves_at"] else "") + "</li>"
            for e in self.events
        )
        if self.events_count > len(self.events):
            below += f"<li>and {self.events_count - len(self.events):,} more</li>"
        below += "".join(p._html() for p in self.parts)
        return f"<li>{text}" + (f"<ul>{below}</ul>" if below else "") + "</li>"
