"""What the importers share: problems with their place, names, lengths of time, and predicates as trees."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from journeyman._playbook import Playbook

JSON = Any
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclasses.dataclass(frozen=True)
class Problem:
    """Something that was not carried over, or only with a reading of ours: its `place` in their JSON, a code, a sentence.

    `severity` is `lost` (the playbook does less, or something else) or `read` (it does what we take it to mean).
    """

    place: str
    code: str
    message: str
    severity: str = "lost"

    def __str__(self) -> str:
        return f"{self.place}: {self.message} [{self.code}]"


@dataclasses.dataclass(frozen=True)
class Import:
    """A playbook made from another system's JSON, and what could not be carried over (`problems`, in the order of their file)."""

    playbook: Playbook
    problems: list[Problem]

    @property
    def lost(self) -> list[Problem]:
        return [p for p in self.problems if p.severity == "lost"]


class Maker:
    """A playbook in the making."""

    def __init__(self, system: str, timezone: str) -> None:
        self.system = system
        self.playbook: dict[str, Any] = {"timezone": timezone, "types": {}, "segments": {}, "policies": {}, "workflows": {}}
        self.problems: list[Problem] = []

    def lost(self, place: str, code: str, message: str) -> None:
        self.problems.append(Problem(place, f"{self.system}.{code}", message))

    def read(self, place: str, code: str, message: str) -> None:
        problem = Problem(place, f"{self.system}.{code}", message, "read")
        if problem not in self.problems:
            self.problems.append(problem)

    def typed(self, name: str, kind: str, place: str) -> None:
        """Declares what a name holds, so that the playbook can be checked without a history."""
        known = self.playbook["types"].setdefault(name, kind)
        if known != kind:
            self.lost(place, "type", f"`{name}` is used as {kind} here and as {known} elsewhere; compare it with one kind of value")

    def attribute(self, name: str, kind: str, place: str) -> dict[str, Any]:
        self.typed(f"contact.{name}", kind, place)
        return {"attr": name}

    def property_(self, event: str, name: str, kind: str, place: str) -> dict[str, Any]:
        self.typed(f"{event}.{name}", kind, place)
        return {"prop": name}

    def elsewhere(self, what: str, identity: str, place: str) -> dict[str, Any]:
        """Membership that is kept elsewhere: a yes/no attribute, for the host to set."""
        name = f"in_{what}_{identity}"
        self.read(place, what, f"who is in the {what} `{identity}` is not in this file: the attribute `{name}` (yes/no) says it; set it in the history")
        return self.attribute(name, "yes/no", place)

    def made(self) -> Import:
        return Import(Playbook.from_dict({k: x for k, x in self.playbook.items() if x}), self.problems)


def loaded(source: JSON | str | os.PathLike[str]) -> JSON:
    """Their JSON: as it was read, as text, or the path of a file."""
    if isinstance(source, (str, os.PathLike)):
        text = os.fspath(source)
        if not text.lstrip().startswith(("{", "[")):
            with open(text, encoding="utf-8") as f:
                return json.load(f)
        return json.loads(text)
    return source


@contextlib.contextmanager
def in_the_form_of(system: str, what: str) -> Iterator[None]:
    """What is missing, or of another kind than their form says, is an error that names it."""
    try:
        yield
    except KeyError as e:
        raise ValueError(f"not a {what} in the form of {system}: the key {e} is missing") from e
    except (TypeError, AttributeError, IndexError) as e:
        raise ValueError(f"not a {what} in the form of {system}: {e}") from e


def length(seconds: float) -> str:
    """Seconds as a duration of ours, in the largest unit that fits."""
    whole = round(seconds)
    for unit, n in (("d", 86400), ("h", 3600), ("m", 60)):
        if whole and whole % n == 0:
            return f"{whole // n}{unit}"
    return f"{whole}s"


def iso_length(text: str) -> str | None:
    """An ISO 8601 duration; months and years stand alone, for they are no number of days. None: it is none."""
    m = re.fullmatch(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", text)
    if not m or not any(m.groups()):
        return None
    years, months, weeks, days, hours, minutes, seconds = (int(x or 0) for x in m.groups())
    if years or months:
        return f"{years * 12 + months}mo" if not (weeks or days or hours or minutes or seconds) else None
    return length(((weeks * 7 + days) * 24 + hours) * 3600 + minutes * 60 + seconds)


def every(predicates: Iterable[Any]) -> Any:
    """All of them."""
    found = list(predicates)
    return found[0] if len(found) == 1 else {"and": found}


def either(predicates: Iterable[Any]) -> Any:
    """At least one of them."""
    found = list(predicates)
    return found[0] if len(found) == 1 else {"or": found}


def event(name: str) -> dict[str, Any]:
    """A selector of exactly this event, whatever its name looks like."""
    return {"event": {"name": name}} if name in ("any",) or name.endswith("*") else {"event": name}


def kind_of(x: Any) -> str:
    """The type of a literal."""
    if isinstance(x, bool):
        return "yes/no"
    return "decimal" if isinstance(x, (int, float)) else "text"


def at(place: str, key: str | int) -> str:
    """The place of what is inside."""
    if isinstance(key, int):
        return f"{place}[{key}]"
    return f"{place}.{key}" if place else key


def mapping(x: Any) -> Mapping[str, Any]:
    return x if isinstance(x, Mapping) else {}
