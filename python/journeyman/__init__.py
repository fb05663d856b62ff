"""Customer segments in process: one history, questions about contacts that are right to the microsecond.

>>> import journeyman as jm
>>> history = jm.History.from_records("events.jsonl")
>>> history.select('count(purchase, last 30d) >= 2', at="2026-03-31T00:00:00Z").ids
"""

from ._api import History, Predicate, Selection, Table, predicate
from ._error import Error

__all__ = ["Error", "History", "Predicate", "Selection", "Table", "predicate"]
__version__ = "0.1.0"
