"""Whole funnels by brute force: who is counted, what is seen, and where a count belongs; the chains themselves are funnel_twin.py's. Shares nothing with the library."""

import datetime
import itertools
import math
import zoneinfo

from funnel_twin import Unit

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)


def add_months(t, months, zone):
    """t (seconds) and that many months, by the local calendar, clamped at month end (T3, T6)."""
    local = (EPOCH + datetime.timedelta(seconds=t)).astimezone(zone).replace(tzinfo=None)
    year, m = local.year + (local.month - 1 + months) // 12, (local.month - 1 + months) % 12 + 1
    last = (datetime.date(year + m // 12, m % 12 + 1, 1) - datetime.timedelta(days=1)).day
    return ((local.replace(year=year, month=m, day=min(local.day, last)).replace(tzinfo=zone, fold=0)).astimezone(UTC) - EPOCH).total_seconds()


class Question:
    """events: dicts in order of arrival with contact, t (seconds), kind, g, h, s (any of them None). steps and exclusions: (kinds, first ever only)."""

    def __init__(self, events, cities, steps, rules, q, zone):
        self.events, self.cities, self.steps, self.rules, self.q = events, cities, steps, rules, q
        self.n = len(steps)
        self.zone = zoneinfo.ZoneInfo(zone)
        ordered = sorted(events, key=lambda e: e["t"])   # stable
        self.first = {}                                  # of each contact, the first event of each set of kinds
        for kinds, _ in steps:
            for e in ordered:
                if e["kind"] in kinds:
                    self.first.setdefault((e["contact"], kinds), id(e))

    def selects(self, step, e):
        kinds, only_first = step
        return e["kind"] in kinds and (not only_first or self.first[e["contact"], kinds] == id(e))

    def seen(self):
        a, b = self.q.get("period", (-math.inf, math.inf))
        for e in sorted(self.events, key=lambda e: e["t"]):
            if a <= e["t"] <= b and (not self.q.get("where") or e["g"] == "p") and (not self.q.get("audience") or self.cities.get(e["contact"]) == "Roma"):
                yield e

    def units(self):
        """key → its events, in order."""
        unit = self.q.get("unit", ["contact"])
        fields = [{"contact": "contact", "entry": "contact"}.get(u, u) for u in unit]
        out = {}
        for e in self.seen():
            if all(e[f] is not None for f in fields):
                out.setdefault(tuple(str(e[f]) for f in fields), []).append(e)
        return out

    def chains_of(self, events, step_k=None, value=None):
        """The twin's unit of these events; step k only by those that carry the value."""
        of = []
        for e in events:
            steps = {s for s, step in enumerate(self.steps, 1) if self.selects(step, e)}
            if step_k is not None and text(e["g"]) != value:
                steps -= {step_k}
            of.append((e["t"], steps, {k for k, x in enumerate(self.rules.get("exclusions", [])) if e["kind"] == x["kind"]}))
        unit = Unit(of, self.n, self.rules)
        if self.q.get("months"):
            unit.window_of = lambda since: add_months(since, self.q["months"], self.zone) - since
        return unit

    def parts(self, events):
        """With held properties, the events of each value."""
        held = self.q.get("held", [])
        if not held:
            return [events]
        out = {}
        for e in events:
            if all(e[f] is not None for f in held):
                out.setdefault(tuple(e[f] for f in held), []).append(e)
        return list(out.values())

    def best(self, events, **more):
        """(level, or None where an exclusion left the unit out; instants) of the best part."""
        found = []
        for part in self.parts(events):
            level, instants = self.chains_of(part, **more).result()
            found.append((level, instants))
        whole = [f for f in found if f[0]]
        if not whole:
            return (None if any(f[0] is None for f in found) else 0), None
        return min(whole, key=lambda f: (-f[0], max(f[1].values()) if f[1] else 0))

    def immature(self, events):
        """Whether what may still come could take it to the end. Of ordered funnels, without exclusions and strict_increase."""
        if self.best(events)[0] in (0, self.n):
            return False
        end = min(max(e["t"] for e in self.events), self.q.get("period", (0, math.inf))[1]) + 1
        for part in self.parts(events):
            for k in range(1, self.n):
                unit = self.chains_of(part)
                unit.events += [(end, {s}, set()) for s in range(k + 1, self.n + 1)]
                if unit.result()[0] == self.n:
                    return True
        return False

    def entries(self, events):
        """Each start by itself, chains sharing no event, of events at instants of their own: (level, its first event, instants)."""
        for part in self.parts(events):
            used = set()
            for k, start in enumerate(part):
                if k in used or not self.selects(self.steps[0], start):
                    continue
                numbers = [j for j in range(k, len(part)) if j not in used]
                unit = self.chains_of([part[j] for j in numbers])
                unit.only = 0
                level, instants = unit.result()
                if level == self.n:
                    used |= {numbers[j] for j in unit.chosen}
                yield level, start, instants

    def table(self):
        """(cell or None for the total, step) → units; unit → level."""
        counts, levels = {}, {}
        by, attribution = self.q.get("by"), self.q.get("attribution", "first")
        left_out = self.q.get("censoring") == "left_out"

        def add(cell, level, instants):
            for k in range(1, (level or 0) + 1):
                if instants is None or k in instants:
                    counts[cell, k] = counts.get((cell, k), 0) + 1

        for key, events in self.units().items():
            if self.q.get("unit") == ["entry"]:
                for level, start, instants in self.entries(events):
                    add(None, level, instants)
                    if by and level:
                        add(text(start["g"]), level, instants)
                continue
            level, instants = self.best(events)
            levels["|".join(key) or "*"] = level
            if left_out and self.immature(events):
                continue
            add(None, level, instants)
            if not by:
                continue
            steps = [e for e in events if any(self.selects(s, e) for s in self.steps)]
            carriers = [e for e in events if self.selects(self.steps[int(attribution[5:]) - 1], e)] if attribution.startswith("step") else events
            for value in {text(e["g"]) for e in carriers}:
                if attribution in ("first", "last"):
                    if level and text(steps[0 if attribution == "first" else -1]["g"]) == value:
                        add(value, level, instants)
                elif attribution == "all_events":
                    add(value, *self.best([e for e in events if text(e["g"]) == value]))
                else:
                    k = int(attribution[5:])
                    there, at = self.best(events, step_k=k, value=value)
                    if there and there >= k and (at is None or k in at):
                        add(value, there, at)
        return counts, levels

    def times(self):
        """By step: seconds from the step before, over the units that took it."""
        out = {k: [] for k in range(2, self.n + 1)}
        for events in self.units().values():
            _, instants = self.best(events)
            for (_, a), (k, b) in itertools.pairwise(sorted((instants or {}).items())):
                out[k].append(b - a)
        return out


def text(x):
    return "(missing)" if x is None else str(x)
