"""What a replay did."""

from __future__ import annotations

from . import _core
from ._history import History
from ._journey import Journey, Journeys
from ._table import Table


class Run:
    """What a playbook did, or would have done: tables of its actions and journeys. Made by `Playbook.replay`."""

    def __init__(self, core: _core._Run) -> None:
        self._core = core

    @property
    def actions(self) -> Table:
        """One row an action, by instant and contact.

        contact_id, workflow, version, journey, step, phase, kind, channel, template, at, status, reason, until, owner, due, values, key.
        `status` is sent, deferred (to `until`), suppressed (`reason`: consent, holdout, quiet_hours, cap) or done. `template` is a task's
        text and a webhook's URL too; `values` is a JSON object. A deferred send has several rows of one key.
        """
        return Table(self._core.actions())

    @property
    def journeys(self) -> Table:
        """One row a journey, by entry: contact_id, workflow, version, journey, entered_at, left_at, outcome, at_step, key.

        `outcome` is completed, goal, exited or running (`left_at` is missing); `key` is the value where re-entry is `each`.
        """
        return Table(self._core.journeys())

    @property
    def steps(self) -> Table:
        """One row a step: workflow, step, phase, entered, moved_on, completed, goal, exited, waiting, sent, deferred, suppressed_REASON.

        Then time_p25, time_p50, time_p75, time_p90: nearest-rank quantiles of the time spent there by those who left.
        """
        return Table(self._core.steps())

    @property
    def edges(self) -> Table:
        """How often each way was taken: workflow, from (missing: who enters), to (missing: who leaves), outcome, count, time_p50 (the median time spent before)."""
        return Table(self._core.edges())

    @property
    def splits(self) -> Table:
        """Each passage through a `split`: contact_id, workflow, step, journey, at, arm (the step it led to, or "end"). For `journeyman.experiment(run, split=…)`."""
        return Table(self._core.splits())

    @property
    def history(self) -> History:
        """The history with what the run did in it: attributes set, events emitted, and an event `$action` for each action."""
        return History._of(self._core.history())

    def explain(self, contact: object, workflow: str | None = None, journey: int | None = None) -> Journeys:
        """The journeys of one contact, told step by step: what happened, why this way, what is waited for, until when.

        Of all workflows, or one; all journeys, or the one of this number. Prints as text, has `.to_dicts()` and a notebook view.
        Raises `Error` (`name.unknown`) for a contact or a workflow that is not there.
        """
        return Journeys([Journey(j) for j in self._core.explain(str(contact), workflow or "", journey or 0)])

    @property
    def handled(self) -> int:
        """How many inputs were handled: events some workflow listens to, and timers."""
        return self._core.handled()

    def __repr__(self) -> str:
        return f"<Run of {len(self.journeys):,} journeys and {len(self.actions):,} actions>"
