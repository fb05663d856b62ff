"""The embedder's own loop: the host keeps each contact's state, gives inputs as they come, and takes the actions."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from . import _convert, _core
from ._convert import Instant
from ._error import Error

Moves = Mapping[str, Mapping[str, str]]
"""Workflow to a mapping of steps of the old version to steps of the new one."""
_TIMES = ("at", "until", "due", "entered_at", "reached_at")
_KINDS = {"track": "event", "page": "event", "screen": "event", "identify": "attributes", "group": "account"}


def _with_times(row: dict[str, Any]) -> dict[str, Any]:
    return {k: _convert.when(v) if k in _TIMES and v is not None else v for k, v in row.items()}


class ContactState:
    """One contact, for a host that keeps it itself: what predicates can still see, journeys, sends that caps still count. Starts empty.

    `always`: the contact existed before the first input (give what is known of it by `Compiled.see`, then `begin`).
    """

    def __init__(self, id: str = "", *, always: bool = False) -> None:
        self._core = _core._ContactState(id, always)

    @property
    def id(self) -> str:
        """What chance and the keys of actions are made of."""
        return self._core.id

    @property
    def next_due(self) -> datetime.datetime | None:
        """When time alone may do something: advance to it then. None: never."""
        due = self._core.next_due
        return None if due is None else _convert.when(due)

    @property
    def journeys(self) -> list[dict[str, Any]]:
        """Those that run: workflow, version, journey, step, entered_at, reached_at (the step), until (its end at the latest)."""
        return [_with_times(j) for j in self._core.journeys()]

    @property
    def events_kept(self) -> int:
        """How many events some predicate can still see."""
        return self._core.events_kept

    def copy(self) -> ContactState:
        """The same, apart."""
        out = ContactState.__new__(ContactState)
        out._core = self._core.copy()
        return out

    def to_json(self) -> str:
        """All of it as text, to be read by `Compiled.read`."""
        return self._core.to_json()

    def __repr__(self) -> str:
        return f"<ContactState {self.id}: {len(self.journeys)} journeys, due {self.next_due}>"


class Compiled:
    """The workflows of a playbook, ready to run: `Playbook.compiled`. Holds no contact and no clock.

    >>> workflows = playbook.compiled()
    >>> anna = jm.ContactState("anna")
    >>> for action in workflows.advance(anna, {"type": "track", "event": "cart_started", "timestamp": "2026-03-02T09:00:00Z"}): ...
    >>> workflows.advance(anna, anna.next_due)          # time passes by an input too
    """

    def __init__(self, core: _core._Compiled) -> None:
        self._core = core

    @property
    def versions(self) -> dict[str, str]:
        """Workflow to version: the hash of its definition and of all it refers to."""
        return self._core.versions

    def advance(self, state: ContactState, input: Mapping[str, Any] | Instant) -> list[dict[str, Any]]:
        """One input, in order of arrival; changes the state, and returns the actions as `Run.actions` has them (`values` as a dict).

        `input` is a record as in `History.from_records` (type track, page, screen, identify or group, timestamp, receivedAt), or an instant:
        all inputs up to it were given, and the timers up to it, included, are due. When this raises, the state is as it was.
        Raises `Error`: `input.record`, `type.mismatch`, `workflow.circle`, `state.version`.
        """
        if not isinstance(input, Mapping):
            return self._actions(state, "tick", _convert.instant(input), "", {}, None)
        kind, at, name, values = _understood(input)
        arrived = input.get("receivedAt")
        return self._actions(state, kind, at, name, values, _convert.instant_or_none(arrived))

    def _actions(self, state: ContactState, kind: str, at: str, name: str, values: dict[str, Any], arrived: str | None) -> list[dict[str, Any]]:
        return [_with_times(a) for a in self._core.advance(state._core, kind, at, name, values, arrived)]

    def see(self, state: ContactState, record: Mapping[str, Any]) -> None:
        """What happened before the contact begins: it starts nothing. An identify without a timestamp: attributes it always had."""
        self._core.see(state._core, *_understood(record))

    def begin(self, state: ContactState, start: Instant) -> None:
        """From here on journeys may start: who is in a segment now has not entered it. Without it the first input begins."""
        self._core.begin(state._core, _convert.instant(start))

    def upgrade(self, state: ContactState, at: Instant, moves: Moves | None = None) -> list[dict[str, Any]]:
        """Moves the journeys of one contact to these workflows, all or none; returns the actions of steps that are entered (docs/semantics.md).

        What the new version would have done by `at` is due then. Raises `Error` (`upgrade.refused`) for a journey that has no place to land;
        the state is then as it was.
        """
        return [_with_times(a) for a in self._core.upgrade(state._core, _convert.instant(at), _moves(moves))]

    def read(self, json: str) -> ContactState:
        """A saved state. Raises `Error`: `state.json`, or `state.version` when a journey runs in a version that is not this one's."""
        out = ContactState.__new__(ContactState)
        out._core = self._core.read(json)
        return out


def _moves(moves: Moves | None) -> dict[str, dict[str, str]]:
    return {w: dict(steps) for w, steps in (moves or {}).items()}


def _understood(record: Mapping[str, Any]) -> tuple[str, str, str, dict[str, Any]]:
    kind = record.get("type")
    if kind not in _KINDS:
        raise Error("input.record", "type", f"{kind!r} is no type of a record; give {', '.join(_KINDS)}, or an instant for time alone")
    at = record.get("timestamp")
    if at is None and kind != "identify":
        raise Error("input.record", "timestamp", "a record needs its timestamp")
    name = str(record.get("event", "")) if kind == "track" else kind
    values = dict(record.get("properties" if _KINDS[kind] == "event" else "traits") or {})
    return _KINDS[kind], "" if at is None else _convert.instant(at), name, values
