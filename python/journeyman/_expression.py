"""Predicates and what they are built of: frozen nodes; `==` builds a comparison, `.equals()` compares trees."""

from __future__ import annotations

import datetime
import json
from collections.abc import Container, Iterable, Mapping
from typing import Any

from . import _convert, _core
from ._convert import Duration, Instant
from ._error import Error

_PARENTHESES = "put parentheses round each comparison: (a == 1) & (b == 2)"


class Expression:
    """A value asked of one contact at one instant; a predicate when its answer is yes, no or unknown.

    `str(e)` is its canonical text, `e.equals(f)` compares the trees. Combine with `& | ~`, not with `and or not`.
    """

    __slots__ = ("_core",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, core: _core._Expression) -> None:
        self._core = core

    @staticmethod
    def from_json(tree: str | Mapping[str, Any]) -> Expression:
        """Reads the JSON form (docs/predicates.md), as text or as the dictionary it stands for."""
        return Expression(_core._Expression.from_json(tree if isinstance(tree, str) else _json(tree)))

    def to_json(self) -> str:
        """The JSON form; `Expression.from_json` of it equals this expression."""
        return self._core.json()

    def equals(self, other: Expression) -> bool:
        """Whether both are the same tree, however they were written."""
        return self._core.equals(other._core)

    def __bool__(self) -> bool:
        raise TypeError(
            "a predicate has no truth of its own; ask history.select(predicate, at=…). Write & for and, | for or, ~ for not, "
            ".in_([…]) for in, .between(a, b) for a <= x <= b, and .equals(other) to compare two trees"
        )

    def __str__(self) -> str:
        return self._core.text()

    def __repr__(self) -> str:
        return f"predicate({self._core.text()!r})"

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return predicate, (self._core.text(),)

    def _with(self, name: str, other: Any) -> Expression:
        return Expression(self._core.operate(name, literal(other)))

    def __eq__(self, other: object) -> Expression:  # type: ignore[override]
        return self._with("==", other)

    def __ne__(self, other: object) -> Expression:  # type: ignore[override]
        return self._with("!=", other)

    def __lt__(self, other: Any) -> Expression:
        return self._with("<", other)

    def __le__(self, other: Any) -> Expression:
        return self._with("<=", other)

    def __gt__(self, other: Any) -> Expression:
        return self._with(">", other)

    def __ge__(self, other: Any) -> Expression:
        return self._with(">=", other)

    def __add__(self, other: Any) -> Expression:
        return self._with("+", _quantity(other))

    def __radd__(self, other: Any) -> Expression:
        return _quantity(other) + self

    def __sub__(self, other: Any) -> Expression:
        return self._with("-", _quantity(other))

    def __rsub__(self, other: Any) -> Expression:
        return _quantity(other) - self

    def __mul__(self, other: Any) -> Expression:
        return self._with("*", other)

    def __rmul__(self, other: Any) -> Expression:
        return Expression(literal(other)) * self

    def __truediv__(self, other: Any) -> Expression:
        return self._with("/", other)

    def __rtruediv__(self, other: Any) -> Expression:
        return Expression(literal(other)) / self

    def __neg__(self) -> Expression:
        return Expression(self._core.minus())

    def __and__(self, other: Expression | bool) -> Expression:
        return Expression(_condition(self).operate("and", _condition(other)))

    def __rand__(self, other: bool) -> Expression:
        return Expression(_condition(other).operate("and", _condition(self)))

    def __or__(self, other: Expression | bool) -> Expression:
        return Expression(_condition(self).operate("or", _condition(other)))

    def __ror__(self, other: bool) -> Expression:
        return Expression(_condition(other).operate("or", _condition(self)))

    def __invert__(self) -> Expression:
        return Expression(_condition(self).not_())

    def in_(self, items: Iterable[Any]) -> Expression:
        """Whether the value is one of `items`."""
        return Expression(self._core.operate("in", _items(items)))

    def not_in(self, items: Iterable[Any]) -> Expression:
        """Whether the value is none of `items`."""
        return Expression(self._core.operate("not in", _items(items)))

    def between(self, low: Any, high: Any) -> Expression:
        """Whether the value lies between both, ends included."""
        return Expression(self._core.between(literal(low), literal(high)))

    def contains(self, part: Any) -> Expression:
        """Whether the text holds `part`, or the list has it."""
        return self._with("contains", part)

    def has_any(self, items: Iterable[Any]) -> Expression:
        """Whether the list has at least one of `items`."""
        return Expression(self._core.operate("has_any", _items(items)))

    def has_all(self, items: Iterable[Any]) -> Expression:
        """Whether the list has all of `items`."""
        return Expression(self._core.operate("has_all", _items(items)))

    def starts_with(self, text: str) -> Expression:
        """Whether the text begins so."""
        return self._with("starts_with", text)

    def ends_with(self, text: str) -> Expression:
        """Whether the text ends so."""
        return self._with("ends_with", text)

    def matches(self, pattern: str) -> Expression:
        """Whether the regular expression (RE2) is found in the text."""
        return self._with("matches", pattern)

    def exists(self) -> Expression:
        """Whether there is a value."""
        return Expression(self._core.exists())

    def missing(self) -> Expression:
        """Whether there is none."""
        return Expression(self._core.missing())


Predicate = Expression


def _json(tree: Any) -> str:
    try:
        return json.dumps(tree, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as e:
        raise Error("predicate.syntax", "#", f"this cannot be written as JSON: {e}") from None


def literal(x: Any) -> _core._Expression:
    if isinstance(x, Expression):
        return x._core
    if isinstance(x, Selector):
        raise TypeError(f"{x!r} says which events, not what of them; ask .count(), .did(), .sum(…), .last_time() …")
    if hasattr(x, "item") and not isinstance(x, (str, datetime.date)):   # numpy
        x = x.item()
    if x is None:
        raise TypeError("nothing equals a missing value; ask .missing() or .exists()")
    if isinstance(x, bool):
        return _core._Expression.boolean(x)
    if isinstance(x, int):
        if not -(2**63) <= x < 2**63:
            raise Error("input.number", "", f"{x} does not fit 64 bits")
        return _core._Expression.integer(x)
    if isinstance(x, float):
        return _core._Expression.decimal(x)
    if isinstance(x, str):
        return _core._Expression.literal_text(x)
    if isinstance(x, datetime.datetime):
        return _core._Expression.instant(_convert.instant(x))
    if isinstance(x, datetime.date):
        return _core._Expression.literal_text(x.isoformat())
    if isinstance(x, datetime.timedelta):
        return _core._Expression.microseconds(x // datetime.timedelta(microseconds=1))
    if isinstance(x, (list, tuple, set, frozenset)):
        return _items(x)
    raise TypeError(f"{x!r} cannot stand in a predicate; use text, numbers, yes/no, dates, durations or lists of them")


def _items(items: Iterable[Any]) -> _core._Expression:
    if isinstance(items, Expression):
        return items._core
    if isinstance(items, str):
        raise TypeError(f"a list is wanted; write [{items!r}]")
    values = sorted(items) if isinstance(items, (set, frozenset)) else items
    return _core._Expression.items([literal(x) for x in values])


def _condition(x: Any) -> _core._Expression:
    if isinstance(x, bool) or (isinstance(x, Expression) and x._core.may_be_condition()):
        return literal(x)
    raise TypeError(f"{x!r} is no condition; {_PARENTHESES}")


def _quantity(x: Any) -> Expression:
    """In sums a text that has the form of a duration is one: `now + "5d"`."""
    if isinstance(x, str) and _core._is_duration(x):
        return duration(x)
    return Expression(literal(x))


def _selector(s: Selector | str, events: Container[str] | None = None) -> _core._Selector:
    """`events`: those that are known. Then `purchase.amount` is the property of an event, as it is inside `sum(…)`, unless an event has that whole name."""
    if isinstance(s, Selector):
        return s._core
    if not isinstance(s, str):
        raise TypeError(f"{s!r} is no selector; give one, or its text")
    made = _core._Selector.parse(s)
    tree = json.loads(made.json())
    name = tree if isinstance(tree, str) else tree.get("event", "")
    return made if events is None or "." not in name or name in events else _core._Selector.parse_property(s)


def _predicate(p: Expression | str, *, in_event: bool = False) -> _core._Expression:
    if isinstance(p, Expression):
        return p._core
    if isinstance(p, str):
        return _core._Expression.parse(p, in_event)
    raise TypeError(f"{p!r} is no predicate; give one, or its text")


class Selector:
    """Which events: `event("purchase").where(prop("amount") >= 50).last("30d").count() >= 2`. Every call gives a new one."""

    __slots__ = ("_core",)

    def __init__(self, core: _core._Selector) -> None:
        self._core = core

    @staticmethod
    def parse(text: str) -> Selector:
        """From its text: `purchase where channel == "ads", last 30d`. A property follows a name in quotes: `"purchase".amount`."""
        return Selector(_core._Selector.parse(text))

    @staticmethod
    def from_json(tree: str | Mapping[str, Any]) -> Selector:
        """Reads the JSON form (docs/predicates.md), as text or as the dictionary it stands for."""
        return Selector(_core._Selector.from_json(tree if isinstance(tree, str) else _json(tree)))

    def to_json(self) -> str:
        """The JSON form; `Selector.from_json` of it equals this selector."""
        return self._core.json()

    def equals(self, other: Selector) -> bool:
        """Whether both are the same, however they were written."""
        return self._core.equals(other._core)

    def __bool__(self) -> bool:
        raise TypeError("a selector has no truth of its own; ask .did()")

    def __str__(self) -> str:
        return self._core.text()

    def __repr__(self) -> str:
        return f"selector({self._core.text()!r})"

    def property(self, name: str) -> Selector:
        """The property that .sum(), .last() and the like look at."""
        return Selector(self._core.property(name))

    def where(self, condition: Expression | str) -> Selector:
        """Only events for which it is yes; bare names in a text are properties. A second one is `and`."""
        return Selector(self._core.where(_predicate(condition, in_event=True)))

    def without(self, other: Selector | str, on: str, within: Duration | None = None) -> Selector:
        """Only events that no event of `other` with the same `on` follows (within a time)."""
        core = other._core if isinstance(other, Selector) else _core._Selector.parse(other)
        return Selector(self._core.without(core, on, None if within is None else _convert.duration(within)))

    def since(self, start: Expression | Instant) -> Selector:
        """From an instant on, included."""
        return Selector(self._core.since(literal(start)))

    def before(self, end: Expression | Instant) -> Selector:
        """Until an instant, excluded."""
        return Selector(self._core.before(literal(end)))

    def between(self, start: Expression | Instant, end: Expression | Instant) -> Selector:
        """From an instant until another."""
        return Selector(self._core.between(literal(start), literal(end)))

    def this(self, unit: str) -> Selector:
        """In this day, week, month, quarter or year."""
        return Selector(self._core.this(unit))

    def previous(self, unit: str) -> Selector:
        """In the previous day, week, month, quarter or year."""
        return Selector(self._core.previous(unit))

    def since_entry(self) -> Selector:
        """Since the contact entered the workflow."""
        return Selector(self._core.since_entry())

    def since_step(self, step: str) -> Selector:
        """Since the contact reached a step of the workflow."""
        return Selector(self._core.since_step(step))

    def last(self, what: Duration | None = None) -> Any:
        """A duration ("30d", a timedelta): only events of that long until now. A property, or nothing: its last value."""
        if isinstance(what, datetime.timedelta) or (what is not None and _core._is_duration(what)):
            return Selector(self._core.last(_convert.duration(what)))
        if what is not None and what[:1].isdigit():
            raise Error("input.duration", "", f'"{what}" is no duration; write 30d, 1h30m or 1mo')
        return self._fold("last", what)

    def _fold(self, aggregate: str, property: str | None = None) -> Expression:
        return Expression(self._core.fold(aggregate, property or ""))

    def count(self) -> Expression:
        """How many there are."""
        return self._fold("count")

    def did(self) -> Expression:
        """Whether there is one."""
        return self._fold("did")

    def never(self) -> Expression:
        """Whether there is none."""
        return self._fold("never")

    def first_time(self) -> Expression:
        """The instant of the first."""
        return self._fold("first_time")

    def last_time(self) -> Expression:
        """The instant of the last."""
        return self._fold("last_time")

    def sum(self, property: str | None = None) -> Expression:
        """The sum of the property."""
        return self._fold("sum", property)

    def avg(self, property: str | None = None) -> Expression:
        """The mean of the property."""
        return self._fold("avg", property)

    def min(self, property: str | None = None) -> Expression:
        """The least value of the property."""
        return self._fold("min", property)

    def max(self, property: str | None = None) -> Expression:
        """The greatest value of the property."""
        return self._fold("max", property)

    def distinct(self, property: str | None = None) -> Expression:
        """How many different values the property has."""
        return self._fold("distinct", property)

    def first(self, property: str | None = None) -> Expression:
        """The first value of the property."""
        return self._fold("first", property)


def predicate(text: str) -> Expression:
    """Reads a predicate from its text (docs/semantics.md). Raises `Error` with the line and column of what is wrong."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Error("predicate.encoding", "1:1", "This text holds half a character (a lone surrogate), which UTF-8 cannot write.") from None
    return Expression(_core._Expression.parse(text))


def event(name: str) -> Selector:
    """Events of a name; `form_*` is every name that begins so."""
    return Selector(_core._Selector.event(name))


def any_event() -> Selector:
    """Events of every name."""
    return Selector(_core._Selector.any())


def attr(name: str) -> Expression:
    """An attribute of the contact; `account.x` is its account's."""
    return Expression(_core._Expression.attr(name))


def prop(name: str) -> Expression:
    """A property of the event that a `where` looks at."""
    return Expression(_core._Expression.prop(name))


def duration(d: Duration) -> Expression:
    """A duration, where a text would be taken for text: `now - event("login").last_time() > duration("60d")`."""
    return Expression(_core._Expression.duration(d)) if isinstance(d, str) else Expression(literal(d))


def sequence(*steps: Selector | str, within: Duration | None = None) -> Expression:
    """Whether the events happened in this order, all within a time when one is given."""
    cores = [s._core if isinstance(s, Selector) else _core._Selector.parse(s) for s in steps]
    return Expression(_core._Expression.sequence(cores, None if within is None else _convert.duration(within)))


now = Expression(_core._Expression.now())
