"""A contact's journeys, told step by step."""

from __future__ import annotations

import datetime
import html
from collections.abc import Iterator, Sequence
from typing import Any, overload

from . import _convert, _core
from ._explain import Explanation


def _when(at: str | None) -> datetime.datetime | None:
    return None if at is None else _convert.when(at)


def _shown(at: str | None) -> str:
    return "" if at is None else html.escape(at.replace("T", " ").replace("Z", " UTC"))


class Journey:
    """One journey: what happened, at what instant, why this way, what it waits for, until when. Prints as text; `to_dict()` is the same as data."""

    def __init__(self, core: _core._ExplainedJourney) -> None:
        self._core = core
        self.workflow = core.workflow
        self.number = core.number
        self.outcome = core.outcome
        """completed, goal, exited or running."""
        self.trigger = core.trigger
        """What started it."""
        self.entered_at = _convert.when(core.entered_at)
        self.left_at = _when(core.left_at)

    @property
    def steps(self) -> list[dict[str, Any]]:
        """One dict a stay at a step: step, kind, phase, reached_at, left_at, outcome, next, why, until, actions, questions.

        `actions`: channel, status, reason, why, at, until. `questions`: pairs of what is asked (goal, exit, choice 1, outcome 1, consent email,
        holdout) and its `Explanation`, as it stood when the journey moved on, or at the end of the run.
        """
        return [
            {
                "step": s.step, "kind": s.kind, "phase": s.phase or None, "reached_at": _convert.when(s.reached_at), "left_at": _when(s.left_at), "outcome": s.outcome,
                "next": s.next or None, "why": s.why, "until": _when(s.until),
                "actions": [
                    {"channel": a.channel or None, "status": a.status, "reason": a.reason or None, "why": a.why, "at": _convert.when(a.at), "until": _when(a.until)}
                    for a in s.actions
                ],
                "questions": [(what, Explanation(answer)) for what, answer in s.questions],
            }
            for s in self._core.steps
        ]  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """All of it as dicts and lists."""
        steps = [{**s, "questions": [{"what": what, **answer.to_dict()} for what, answer in s["questions"]]} for s in self.steps]
        return {
            "contact_id": self._core.contact, "workflow": self.workflow, "version": self._core.version, "journey": self.number, "key": self._core.key or None,
            "trigger": self.trigger, "entered_at": self.entered_at, "left_at": self.left_at, "outcome": self.outcome, "steps": steps,
        }  # fmt: skip

    def __repr__(self) -> str:
        return self._core.text().rstrip()

    def _repr_html_(self) -> str:
        rows = []
        for s in self._core.steps:
            done = "".join(
                f"<div>{html.escape(a.status)}{' by ' + html.escape(a.channel) if a.channel else ''}{' to ' + _shown(a.until) if a.until else ''}"
                f"{': ' + html.escape(a.why) if a.why else ''}</div>"
                for a in s.actions
            )
            asked = "".join(f"<details><summary>{html.escape(what)}: {html.escape(e.value)}</summary>{Explanation(e)._repr_html_()}</details>" for what, e in s.questions)
            went = html.escape(s.outcome + (f" → {s.next}" if s.next else "")) if s.left_at else "here"
            rows.append(
                f"<tr><td>{_shown(s.reached_at)}</td><td><b>{html.escape(s.step)}</b> <i>{html.escape(s.kind)}</i></td><td>{done}{asked}</td>"
                f"<td>{went}: {html.escape(s.why)}</td><td>{_shown(s.left_at)}</td></tr>"
            )
        head = f"{self._core.contact}: journey {self.number} through {self.workflow}, {self.outcome}; entered by {self.trigger}"
        names = "".join(f"<th>{n}</th>" for n in ("reached", "step", "what happened", "went on", "left"))
        return f"<div>{html.escape(head)}</div><table><tr>{names}</tr>{''.join(rows)}</table>"


class Journeys(Sequence[Journey]):
    """The journeys of one contact, by entry."""

    def __init__(self, all: list[Journey]) -> None:
        self._all = all

    def __len__(self) -> int:
        return len(self._all)

    @overload
    def __getitem__(self, k: int) -> Journey: ...
    @overload
    def __getitem__(self, k: slice) -> list[Journey]: ...
    def __getitem__(self, k: int | slice) -> Journey | list[Journey]:
        return self._all[k]

    def __iter__(self) -> Iterator[Journey]:
        return iter(self._all)

    def to_dicts(self) -> list[dict[str, Any]]:
        """All of it as dicts and lists."""
        return [j.to_dict() for j in self._all]

    def __repr__(self) -> str:
        return "\n".join(map(repr, self._all)) or "no journeys"

    def _repr_html_(self) -> str:
        return "".join(j._repr_html_() for j in self._all) or "no journeys"
