"""Membership over time: how many were in, and who is in while the history grows."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from . import _convert, _core, _plot
from ._convert import Instant
from ._table import Table

if TYPE_CHECKING:
    from ._history import History


class SizesOverTime(Table):
    """at, members: how many were in, from each instant on."""

    def plot(self, ax: Any = None, **how: Any) -> Any:
        """Draws the sizes as steps by Matplotlib; takes and returns its `ax`. `how` goes to its `step`."""
        ax = _plot.axes(ax, 7, 3)
        rows = self.to_arrow()
        ax.step(rows["at"].to_pylist(), rows["members"].to_pylist(), where="post", **how)
        ax.set_ylim(bottom=0)
        ax.set_ylabel("members")
        return ax


class Tracked:
    """Who is in, and has been in, from a start up to `until`, while the history is appended to. At any time what `membership` gives."""

    def __init__(self, history: History, core: _core._Tracked) -> None:
        self._history = history
        self._core = core

    def update(self, until: Instant | None = None) -> Table:
        """Takes in what was appended to the history since, up to `until` (default: its last instant; never back).

        Only contacts for whom something came, or for whom time alone changes something, are asked again. contact_id, change ("entered" or
        "left"): who is in now and was not before, and the other way.
        """
        return Table(self._core.update(self._history._core, _convert.instant_or_none(until)))

    @property
    def until(self) -> datetime.datetime:
        """Up to when it is known, included."""
        return _convert.when(self._core.until())

    @property
    def members(self) -> list[str]:
        """Ids of those that are in at `until`, sorted."""
        return self._core.members()

    @property
    def stays(self) -> Table:
        """contact_id, entered_at, left_at (missing while in), by contact and time."""
        return Table(self._core.stays())

    @property
    def changes(self) -> Table:
        """contact_id, at, change: the entries and exits in order of time, as they are known now; late events change what was."""
        return Table(self._core.changes())

    def __len__(self) -> int:
        return len(self.members)

    def __repr__(self) -> str:
        return f"<Tracked membership: {len(self):,} members at {self._core.until()}>"
