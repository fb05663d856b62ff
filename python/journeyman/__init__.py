"""Customer segments in process: one history, questions about contacts that are right to the microsecond.

>>> import journeyman as jm
>>> history = jm.History(contacts="contacts.csv", events="events.csv")
>>> history.select('count(purchase, last 30d) >= 2', at="2026-03-31T00:00:00Z").ids
>>> history.select(jm.event("purchase").last("30d").count() >= 2, at="2026-03-31T00:00:00Z").ids
"""

from ._error import Error
from ._expression import Expression, Predicate, Selector, any_event, attr, duration, event, now, predicate, prop, sequence
from ._history import History, Selection
from ._table import Table

__all__ = [
    "Error", "Expression", "History", "Predicate", "Selection", "Selector", "Table",
    "any_event", "attr", "duration", "event", "now", "predicate", "prop", "sequence",
]  # fmt: skip
__version__ = "0.1.0"
