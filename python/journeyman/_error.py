"""The error every bad definition and every bad input raises, and what a check finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import _core


class Error(ValueError):
    """A stable `code`, the `place` ("line:column", a file, a path in a definition), and a `message` with the remedy."""

    def __init__(self, code: str, place: str, message: str) -> None:
        super().__init__(f"{place + ': ' if place else ''}{message} [{code}]")
        self.code = code
        self.place = place
        self.message = message


class Problem:
    """One finding of a check: `code` (stable), `place` (file:line:column, or the path in the definition), `message` with the remedy, `severity`."""

    def __init__(self, core: _core._Problem) -> None:
        self.code = core.code
        self.place = core.place
        self.message = core.message
        self.severity = core.severity
        """"error", "warning" or "note"."""

    def __repr__(self) -> str:
        return f"{self.place + ': ' if self.place else ''}{self.severity}: {self.message} [{self.code}]"


class Problems(list[Problem]):
    """All findings of a check, in the order of the file. Prints one a line."""

    @property
    def errors(self) -> int:
        """How many of them keep the playbook from running."""
        return sum(p.severity == "error" for p in self)

    def __repr__(self) -> str:
        return "\n".join(map(repr, self)) or "no problems"
