"""Two versions of a playbook: compared over the same history, and the way from one to the other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from . import _core
from ._contact import ContactState, Moves, _moves
from ._run import Run
from ._table import Table

if TYPE_CHECKING:
    from ._playbook import Playbook


class Comparison:
    """What differs between two versions over the same history, as tables. Made by `Playbook.compare`."""

    def __init__(self, core: _core._Comparison) -> None:
        self.versions = Table(core.versions)
        """workflow, version_before, version_after, change: same, changed, added or removed."""
        self.contacts = Table(core.contacts)
        """contact_id, before, after, difference, change: whose messages (really sent) are more, fewer, other, or moved to other instants."""
        self.messages = Table(core.messages)
        """workflow, step, channel, template, before, after, difference."""
        self.partings = Table(core.partings)
        """workflow, step, before, after, journeys: the steps at which journeys first go on differently, and how many do."""
        self.parted = Table(core.parted)
        """contact_id, workflow, journey, step, at, before, after: the same, journey by journey; without a step it is in one version alone."""
        self.steps = Table(core.steps)
        """workflow, step, measure, before, after, difference: counts that differ."""
        self.kpis = Table(core.kpis)
        """kpi, scope, period, campaign, dimensions…, before, after, difference."""

    def __repr__(self) -> str:
        counts: dict[str, int] = {}
        for row in self.contacts.to_pylist():
            counts[row["change"]] = counts.get(row["change"], 0) + 1
        who = ", ".join(f"{n:,} {change}" for change, n in sorted(counts.items())) or "none other"
        return f"<Comparison: messages of contacts: {who}; {len(self.parted):,} journeys part>"

    def _repr_html_(self) -> str:
        parts = (("versions", self.versions), ("messages", self.messages), ("partings", self.partings), ("steps", self.steps))
        return "".join(f"<h4>{name}</h4>{table._repr_html_()}" for name, table in parts)


def plan_upgrade(old: Playbook, new: Playbook, states: Run | Iterable[ContactState], moves: Moves | None = None) -> Table:
    """Where each journey in flight would land under the new version, before anything moves.

    contact_id, workflow, version, journey, step, how, to_version, to_step, reason. `how`: unchanged (the version is the same), continues (its wait
    goes on, from when it began), enters (a step that `moves` names, anew), refused (`reason`: what has no place to land, and what would help).
    `states`: contacts that a host keeps, or a run: its journeys that run at its end. `moves`: {workflow: {old step: new step}}.
    Raises `Error` (`name.unknown`) for moves of workflows or steps that are not there.
    """
    to = new.compiled()._core
    if isinstance(states, Run):
        return Table(_core._plan_upgrade_of_run(states._core, to, _moves(moves)))
    return Table(_core._plan_upgrade(old.compiled()._core, to, [s._core for s in states], _moves(moves)))
