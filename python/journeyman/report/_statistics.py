"""The statistics that a playbook's `report` asks for."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from .._attribution import attribution
from .._error import Error
from .._experiment import experiment
from .._lifetime_value import lifetime_value
from .._survival import survival
from ._page import Section
from ._sections import _anchor, more

if TYPE_CHECKING:
    from .._history import History
    from .._playbook import Playbook
    from .._run import Run

KINDS: dict[str, Any] = {"experiment": experiment, "attribution": attribution, "lifetime_value": lifetime_value, "survival": survival}


def answers(playbook: Playbook, history: History, run: Run | None, last: str | None) -> dict[str, Any]:
    """Title to result, or to the `Error` that says why there is none. `last`: up to where all is known."""
    out: dict[str, Any] = {}
    for title, part in playbook.to_dict().get("report", {}).items():
        [(name, settings)] = part.items()
        asked = {k: {m: tuple(x) if isinstance(x, list) else x for m, x in v.items()} if k in ("metrics", "before") else v for k, v in settings.items()}
        if last is not None:
            asked.setdefault("until", last)
        try:
            out[title] = KINDS[name](_source(name == "experiment" and "split" in asked, history, run), **asked, playbook=playbook)
        except Error as e:
            out[title] = e
    return out


def _source(of_split: bool, history: History, run: Run | None) -> Any:
    if of_split:
        if run is None:
            raise Error("statistics.run", "split", "who went which way only a run knows: give one, as in playbook.report(history, run)")
        return run
    return history if run is None else run.history


def statistics(playbook: Playbook, history: History, run: Run | None, last: str | None) -> list[Section]:
    """A section each: what was found in words, the picture, the numbers. Where nothing can be said, why."""
    return [
        Section(_anchor("statistic", title), title, f'<p class="soft">{escape(found.message)}</p>') if isinstance(found, Error) else more(title, found, getattr(found, "groups", None))
        for title, found in answers(playbook, history, run, last).items()
    ]
