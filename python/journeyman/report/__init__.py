"""One page a manager reads: `playbook.report(history, run, "report.html")`. Self-contained, no script, no network."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .. import _core
from .._error import Error
from .._files import whole_file
from .._kpis import Kpis
from ._page import page
from ._sections import cohorts, coverage, funnels, head, kpi_cards, more, scorecard, segments, workflows
from ._statistics import answers, statistics

if TYPE_CHECKING:
    from .._history import History
    from .._playbook import Dimensions, Playbook
    from .._run import Run

__all__ = ["answers", "write"]


def write(
    playbook: Playbook, history: History, run: Run | None, path: str | os.PathLike[str],
    start: str | None, end: str | None, by: Dimensions, title: str | None, cohorts_of: str | None, add: Mapping[str, Any],
) -> pathlib.Path:  # fmt: skip
    """Makes the page and writes it whole or not at all; see `Playbook.report`."""
    if end is None and history.span is None:
        raise Error("input.instant", "end", "the history holds no instant, so the page has no end to look from; give `end`")
    last = None if end is None else _core._just_before(end)   # `end` is out
    kpis: Kpis | None = None
    if playbook.to_dict().get("kpis"):
        kpis = playbook.kpis(history, run, start=start, end=end, by=by)
    parts = [
        head(playbook, history, run, kpis),
        scorecard(playbook, kpis),
        kpi_cards(playbook, history, run, kpis, end, by),
        segments(playbook, history, last),
        funnels(playbook, history, last, end),
        workflows(playbook, run),
        cohorts(playbook, history, last, cohorts_of),
        *statistics(playbook, history, run, last),
        coverage(playbook, history, last),
        *(more(name, what) for name, what in add.items()),
    ]
    text = page(title or playbook.name or "Report", [p for p in parts if p is not None])
    file = pathlib.Path(path)
    with whole_file(file) as made:
        made.write_text(text, encoding="utf-8")
    return file
