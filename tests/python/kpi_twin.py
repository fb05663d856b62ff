"""KPIs by brute force: over contacts, periods and cells, as design and docs/semantics.md say it. Slow, plain, and shares no code with the library.

A case is a dict: zone, contacts (id → attributes that hold always, or None: it exists from its first input), inputs in order of arrival
(at in microseconds, contact, event and properties, or attributes), spend, kpis, start, end. `table(case)` gives the rows.
"""

import bisect
import datetime
import itertools
import math
import zoneinfo

from scipy import stats

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
MICRO = datetime.timedelta(microseconds=1)
Z = 1.959963984540054


def micros(moment):
    return (moment - EPOCH) // MICRO


# --- periods ----------------------------------------------------------------------------------------------------------
def local_midnight(day, zone):
    """The first instant of a local day: a time the clocks skip moves forward by the gap, one that is there twice is the first."""
    naive = datetime.datetime(day.year, day.month, day.day)
    first = naive.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return micros(first)


def period_start(day, every):
    if every == "week":
        return day - datetime.timedelta(days=day.weekday())
    if every == "week from sunday":
        return day - datetime.timedelta(days=(day.weekday() + 1) % 7)
    if every == "month":
        return day.replace(day=1)
    if every == "quarter":
        return day.replace(day=1, month=(day.month - 1) // 3 * 3 + 1)
    return day.replace(day=1, month=1) if every == "year" else day


def step(day, every, by):
    if every == "day" or every.startswith("week"):
        return day + datetime.timedelta(days=by * (1 if every == "day" else 7))
    months = day.year * 12 + day.month - 1 + by * {"quarter": 3, "year": 12}.get(every, 1)
    return day.replace(year=months // 12, month=months % 12 + 1)


def periods(start, end, every, zone):
    """(from, to) from the period that holds `start` to the one that holds the last instant before `end`."""
    day = period_start((EPOCH + start * MICRO).astimezone(zone).date(), every)
    out = []
    while local_midnight(day, zone) < end:
        out.append((local_midnight(day, zone), local_midnight(step(day, every, 1), zone)))
        day = step(day, every, 1)
    before = (local_midnight(step(period_start((EPOCH + start * MICRO).astimezone(zone).date(), every), every, -1), zone), out[0][0])
    return before, out


def plus_months(at, months, zone):
    """By the local calendar, clamped at the end of the month (T3, T6)."""
    local = (EPOCH + at * MICRO).astimezone(zone).replace(tzinfo=None)
    first = step(local.date().replace(day=1), "month", months)
    last = step(first, "month", 1) - datetime.timedelta(days=1)
    return micros(datetime.datetime.combine(first.replace(day=min(local.day, last.day)), local.time()).replace(tzinfo=zone, fold=0).astimezone(UTC))


def year_before(start, every, zone):
    """The same calendar period one year before: of weeks, 52 weeks."""
    day = (EPOCH + start * MICRO).astimezone(zone).date()
    if every.startswith("week"):
        day -= datetime.timedelta(days=364)
    else:
        day = day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)
    return local_midnight(day, zone), local_midnight(step(day, every, 1), zone)


# --- facts ------------------------------------------------------------------------------------------------------------
class Contact:
    """One contact's inputs in order; what it knows at a place in that order."""

    def __init__(self, attributes, inputs):
        self.always, self.inputs = attributes or {}, inputs
        self.exists_from = -math.inf if attributes is not None else inputs[0]["at"]
        self.at = [i["at"] for i in inputs]

    def upto(self, t):
        """How many inputs are seen at the end of instant t."""
        return bisect.bisect_right(self.at, t)

    def attribute(self, name, place):
        x = self.always.get(name)
        for i in self.inputs[:place]:
            if "attributes" in i and name in i["attributes"]:
                x = i["attributes"][name]
        return x

    def events(self, name, place):
        return [i for i in self.inputs[:place] if i.get("event") == name]


# predicates: text → (contact, place, t) → bool
PREDICATES = {
    'audience == "B2C"': lambda c, place, t: c.attribute("audience", place) == "B2C",
    "count(a) >= 2": lambda c, place, t: len(c.events("a", place)) >= 2,
    "count(a) >= 1": lambda c, place, t: len(c.events("a", place)) >= 1,
    "did(b)": lambda c, place, t: len(c.events("b", place)) > 0,
    "did(a, last 3d)": lambda c, place, t: any(t < e["at"] + 3 * 86_400_000_000 for e in c.events("a", place)),
}
# selectors: text → (name, filter)
SELECTORS = {
    "a": ("a", lambda p: True),
    'a where ch == "x"': ("a", lambda p: p.get("ch") == "x"),
    "b": ("b", lambda p: True),
    "a where amount > 2": ("a", lambda p: p.get("amount") is not None and p["amount"] > 2),
}


def matches(selector, i):
    name, holds = SELECTORS[selector]
    return i.get("event") == name and holds(i["properties"])


DIMENSIONS = {
    "ch": lambda c, place, i: None if i is None else i["properties"].get("ch"),
    "contact.city": lambda c, place, i: c.attribute("city", place),
    "first_ch": lambda c, place, i: next((e["properties"].get("ch") for e in c.events("a", place)), None),
    "account.sector": lambda c, place, i: "steel" if c.attribute("account", place) == "acme" else None,
}


def text(x):
    return "(missing)" if x is None else str(x)


# --- measures: (contact id, amount, cell) for each thing that counts ----------------------------------------------------
def place_of(c, i):
    return c.inputs.index(i) + 1


class Reading:
    """One KPI over one span."""

    def __init__(self, case, kpi, span, end, name=None):
        self.case, self.kpi, self.end = case, kpi, end
        self.name, self.campaign = name, case["campaigns"].get(name)
        self.lo, self.hi = span[0], min(span[1], end)
        self.immature = []

    def cell(self, c, place, i):
        """The cells it stands in: one of each combination."""
        t = self.hi - 1 if i is None else i["at"]
        ways = []
        for d in self.kpi.get("by", []):
            if d == "segment":
                ways.append([s for s, p in self.case["segments"].items() if PREDICATES[p](c, place, t)] or ["(missing)"])
            elif d == "campaign":
                ways.append([n for n, x in self.case["campaigns"].items() if x["from"] <= t < x["to"] and (not x["where"] or PREDICATES[x["where"]](c, place, t))] or ["(missing)"])
            else:
                ways.append([text(DIMENSIONS[d](c, place, i))])
        return list(itertools.product(*ways))

    def in_scope(self, c, place, t):
        asked = [self.case["segments"][self.kpi["scope"]]] if "scope" in self.kpi else []
        if self.campaign and self.campaign["where"]:
            asked.append(self.campaign["where"])
        return all(PREDICATES[p](c, place, t) for p in asked)

    def seen(self):
        for k, c in self.case["people"].items():
            for place, i in enumerate(c.inputs, 1):
                if i["at"] < self.end:
                    yield k, c, place, i

    def counted(self, selector):
        for k, c, place, i in self.seen():
            if self.lo <= i["at"] < self.hi and matches(selector, i) and self.in_scope(c, place, i["at"]):
                yield k, c, place, i

    def firsts(self, selector):
        done = set()
        for k, c, place, i in self.seen():
            if matches(selector, i) and k not in done:
                done.add(k)
                if self.lo <= i["at"] < self.hi and self.in_scope(c, place, i["at"]):
                    yield k, c, place, i

    def events(self, selector):
        return [(k, 1, self.cell(c, place, i)) for k, c, place, i in self.counted(selector)]

    def sum(self, selector):
        return [(k, i["properties"]["amount"], self.cell(c, place, i)) for k, c, place, i in self.counted(selector) if i["properties"].get("amount") is not None]

    def contacts(self, selector):   # `table` counts each once
        return self.events(selector)

    def accounts(self, selector):
        found = [(c.attribute("account", place), self.cell(c, place, i)) for _, c, place, i in self.counted(selector)]
        return [(a, 1, cell) for a, cell in found if a is not None]

    def new(self, selector):
        return [(k, 1, self.cell(c, place, i)) for k, c, place, i in self.firsts(selector)]

    def members(self, predicate):
        t = self.hi - 1
        out = []
        if t < self.lo:   # a campaign that has not begun
            return out
        for k, c in self.case["people"].items():
            place = c.upto(t)
            if c.exists_from <= t and self.in_scope(c, place, t) and all(PREDICATES[p](c, place, t) for p in predicate.split(" and ")):
                out.append((k, 1, self.cell(c, place, None)))
        return out

    def cohort(self, a, b, within):
        """(contact, its cell, time from a to b or None), of the mature ones."""
        for k, c, place, i in self.firsts(a):
            cell = self.cell(c, place, i)
            until = plus_months(i["at"], within[0], zoneinfo.ZoneInfo(self.case["zone"])) if isinstance(within, tuple) else i["at"] + within
            if until >= self.end:
                self.immature.append((k, cell))
                continue
            after = [e for e in c.inputs[place:] if matches(b, e) and e["at"] <= until]
            yield k, cell, after[0]["at"] - i["at"] if after else None

    def spend(self, channel=None):
        """Amount and cell, of the spend that scope lets count."""
        out = []
        for s in self.case["spend"]:
            if channel is not None and s.get("ch") != channel or self.campaign and s.get("campaign") != self.name:
                continue
            if self.lo <= s["at"] < self.hi and ("scope" not in self.kpi or s.get("segment") == self.kpi["scope"]):
                cell = []
                for d in self.kpi.get("by", []):
                    cell.append(text(s.get({"ch": "ch", "first_ch": "ch", "segment": "segment", "campaign": "campaign"}.get(d, "no such column"))))
                out.append((None, s["amount"], [tuple(cell)]))
        return out

    def measure(self, m):
        kind, *rest = m
        if kind in ("starters", "converted", "elapsed"):
            a, b, within = rest
            found = list(self.cohort(a, b, within))
            if kind == "starters":
                return [(k, 1, cell) for k, cell, _ in found]
            return [(k, 1 if kind == "converted" else t / 1e6, cell) for k, cell, t in found if t is not None]
        return getattr(self, kind)(*rest)


# --- values -----------------------------------------------------------------------------------------------------------
def garwood(n):
    return (stats.chi2.ppf(0.025, 2 * n) / 2 if n else 0.0), stats.chi2.ppf(0.975, 2 * n + 2) / 2


def wilson(k, n):
    p, zz = k / n, Z * Z
    middle, half = (p + zz / (2 * n)) / (1 + zz / n), Z / (1 + zz / n) * math.sqrt(p * (1 - p) / n + zz / (4 * n * n))
    return (0.0 if k == 0 else middle - half), (1.0 if k == n else middle + half)


COUNTS = ("events", "contacts", "accounts", "new", "members", "starters", "converted")


def value_of(form, counted, n, proportion):
    """value, numerator, denominator, low, high of `form`: (m,), (m, m) for a division, ("minus", m, m), ("half", m)."""
    if form[0] == "half":
        value, _, _, low, high = value_of(form[1:], counted, n, proportion)
        return value / 2, value, 2.0, None if low is None else low / 2, None if high is None else high / 2
    totals = [math.fsum(x for _, x, _ in rows) for rows in counted]
    kinds = [m[0] for m in form if m != "minus"]
    if form[0] == "minus":
        value, gradient = totals[0] - totals[1], [1.0, -1.0]
    elif len(form) == 1:
        value, gradient = totals[0], [1.0]
        if kinds[0] in COUNTS:
            return value, None, None, *garwood(value)
        if kinds[0] == "spend":
            return value, None, None, value, value
    else:
        y, x = totals
        if x == 0:
            return None, y, x, None, None
        value = y / x
        if kinds[0] == "spend" and kinds[1] in COUNTS:
            low, high = garwood(x)
            return value, y, x, y / high, (y / low if low else None)
        if kinds[1] == "spend" and kinds[0] in COUNTS:
            low, high = garwood(y)
            return value, y, x, low / x, high / x
        if kinds == ["members", "members"]:   # a part by its form
            proportion = set(form[1][1].split(" and ")) <= set(form[0][1].split(" and "))
        if proportion and y <= x:
            return value, y, x, *wilson(y, x)
        gradient = [1 / x, -y / (x * x)]
    low = high = None
    if n >= 2 and "accounts" not in kinds:
        d = {}
        for g, kind, rows in zip(gradient, kinds, counted, strict=True):
            for k, x, _ in rows:
                if kind != "spend":
                    d[k] = d.get(k, 0.0) + g * x
        values = [*d.values()] + [0.0] * (n - len(d))
        mean = math.fsum(values) / n
        half = Z * math.sqrt(n / (n - 1) * math.fsum((v - mean) ** 2 for v in values))
        low, high = value - half, value + half
    both = (totals[0], totals[1]) if form[0] != "minus" and len(form) == 2 else (None, None)
    return value, *both, low, high


def prepared(case):
    inputs = sorted(case["inputs"], key=lambda i: i["at"])   # stable: order of arrival at one instant
    ids = {*case["contacts"], *(i["contact"] for i in inputs)}
    people = {}
    for k in sorted(ids):
        mine = [i for i in inputs if i["contact"] == k]
        if k in case["contacts"] or mine:
            people[k] = Contact(case["contacts"].get(k), mine)
    return case | {"people": people}


def first_instants(case):
    """Where the history may begin. To clear what nobody has had yet is no change."""
    had = set()
    for i in sorted(case["inputs"], key=lambda i: i["at"]):
        had |= {name for name, x in i.get("attributes", {}).items() if x is not None}
        if "event" in i or had & i["attributes"].keys():
            yield i["at"]
    yield from (s["at"] for s in case["spend"])


def table(case):
    """Rows of all KPIs: kpi, period (microseconds), partial, cell, value, numerator, denominator, low, high, immature, status, certain."""
    case = prepared(case)
    begins = -math.inf if any(case["contacts"].values()) else min(first_instants(case), default=math.inf)
    out = []
    for kpi in case["kpis"]:
        form = kpi["form"]
        measures = [m for m in form if m not in ("minus", "half")]
        if kpi["every"] == "campaign":
            before, names = None, [None, *case["campaigns"]]
            spans = [(x["from"], x["to"]) for x in case["campaigns"].values()]
        else:
            before, spans = periods(case["start"], case["end"], kpi["every"], zoneinfo.ZoneInfo(case["zone"]))
            names = [None] * (len(spans) + 1)
        readings, cells = [], set()
        for span, name in zip([before, *spans], names, strict=True):
            if span is None:
                readings.append(None)
                continue
            r = Reading(case, kpi, span, case["end"], name)
            counted = [r.measure(m) for m in measures]
            immature = {(k, tuple(of)) for k, of in r.immature}
            readings.append((span, counted, immature))
            if span is not before and kpi.get("by"):
                cells |= {cell for rows in counted for _, _, of in rows for cell in of} | {cell for _, of in immature for cell in of}

        def row(reading, cell, kpi=kpi, form=form, measures=measures):
            span, counted, immature = reading
            t = min(span[1], case["end"]) - 1
            n = sum(c.exists_from <= t for c in case["people"].values())
            mine = [[x for x in rows if cell is None or cell in x[2]] for rows in counted]
            # A contact, or an account, that occurs several times is one.
            mine = [list({k: (k, x, ()) for k, x, _ in rows}.values()) if m[0] in ("contacts", "accounts") else rows for m, rows in zip(measures, mine, strict=True)]
            return value_of(form, mine, n, kpi["proportion"]), len({k for k, c in immature if cell is None or cell in c})

        def compared(j, kpi=kpi, measures=measures, readings=readings):
            from_ = kpi["target"]["from"]
            if from_ == "previous":
                return readings[j - 1]
            zone = zoneinfo.ZoneInfo(case["zone"])
            span = year_before(readings[j][0][0], kpi["every"], zone) if from_ == "last_year" else tuple(micros(datetime.datetime.fromisoformat(from_[s])) for s in ("start", "end"))
            r = Reading(case, kpi, span, case["end"])
            return (span[0], min(span[1], case["end"])), [r.measure(m) for m in measures], set()

        for j, (span, _, _) in enumerate(readings[1:], 1):
            for cell in [None, *sorted(cells)]:
                (value, numerator, denominator, low, high), immature = row(readings[j], cell)
                found = {"kpi": kpi["name"], "period": span[0], "campaign": names[j], "partial": span[1] > case["end"], "cell": cell, "value": value,
                         "numerator": numerator, "denominator": denominator, "low": low, "high": high}  # fmt: skip
                if any(m[0] in ("starters", "converted", "elapsed") for m in measures):
                    found["immature"] = immature
                if "target" in kpi:
                    target = kpi["target"]
                    if isinstance(target, dict):
                        other = compared(j)
                        was = row(other, cell)[0][0] if other[0][1] > begins and other[0][1] > other[0][0] else None
                        sign = 1 if kpi["direction"] == "up" else -1
                        target = None if was is None else was * (1 + sign * target["change"])
                    found["target"] = target
                    if value is None or target is None:
                        found |= {"status": "no_data", "certain": False}
                    else:
                        met = value >= target if kpi["direction"] == "up" else value <= target
                        # An interval without an upper end excludes what lies below it only.
                        found |= {"status": "met" if met else "missed", "certain": low is not None and (target < low or (high is not None and target > high))}
                out.append(found)
    return out
