"""A company's customer lifecycle in process: segments (who), workflows (what happens to them), KPIs (how well it went).

>>> import journeyman as jm
>>> history = jm.History(contacts="contacts.csv", events="events.parquet")
>>> history.select('count(purchase, last 30d) >= 2', at="2026-03-31T00:00:00Z").ids
>>> history.select(jm.event("purchase").last("30d").count() >= 2, at="2026-03-31T00:00:00Z").ids
>>> playbook = jm.Playbook.load("skilltime.yaml")
>>> playbook.check(history)                      # every problem, with its place and remedy
>>> run = playbook.replay(history)               # run.journeys, run.steps, run.actions: tables
>>> playbook.kpis(history, run)

Answers are exact to the microsecond, see only what had happened by the instant asked about, and do not depend on the number of threads.
"""

from . import statistics
from ._attribution import Attribution, Markov, attribution
from ._compare import Comparison, plan_upgrade
from ._contact import Compiled, ContactState
from ._draw import Drawing
from ._error import Error, Problem, Problems
from ._experiment import Experiment, experiment
from ._explain import Explanation
from ._expression import Expression, Predicate, Selector, any_event, attr, duration, event, now, predicate, prop, sequence
from ._funnel import Funnel, funnel
from ._history import History, Selection
from ._journey import Journey, Journeys
from ._kpis import Diagnosis, Kpis, KpiState, merge_kpis
from ._lifetime_value import LifetimeValue, lifetime_value
from ._membership import SizesOverTime, Tracked
from ._paths import Paths, Transitions, paths
from ._playbook import Coverage, Playbook, Segment, Sizes, Stages, Workflow
from ._retention import Retention, conditions, conversion, nearest_base, retention
from ._run import Run
from ._segment_tools import Overlap, Profile
from ._survival import Logrank, Survival, survival
from ._table import Table

__all__ = [
    "Attribution", "Comparison", "Compiled", "ContactState", "Coverage", "Diagnosis", "Drawing", "Error", "Experiment", "Explanation",
    "Expression", "Funnel", "History", "Journey", "Journeys", "KpiState", "Kpis", "LifetimeValue", "Logrank", "Markov", "Overlap",
    "Paths", "Playbook", "Predicate", "Problem", "Problems", "Profile", "Retention", "Run", "Segment", "Selection", "Selector", "Sizes",
    "SizesOverTime", "Stages", "Survival", "Table", "Tracked", "Transitions", "Workflow",
    "any_event", "attr", "attribution", "conditions", "conversion", "duration", "event", "experiment", "funnel", "lifetime_value",
    "merge_kpis", "nearest_base", "now", "paths", "plan_upgrade", "predicate", "prop", "retention", "sequence", "statistics", "survival",
]  # fmt: skip
__version__ = "0.1.0"
