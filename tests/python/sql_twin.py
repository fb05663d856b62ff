"""Predicates said twice: as our text, and as SQL for DuckDB, by hand and from no compiler of ours.

`Writer(rng, at, …).truth(depth)` gives a pair (text, sql). The SQL is an expression about the row `c` of a table of contacts as of `at`, with
the tables `ev` (contact, name, ts, seq, properties) and `at` cut into it. Histories are in `history(rng)`.
"""

import datetime

UTC = datetime.timezone.utc
ORIGIN = datetime.datetime(2024, 1, 15, tzinfo=UTC)
MICRO = datetime.timedelta(microseconds=1)
DURATIONS = {"1h": "1 HOUR", "12h": "12 HOUR", "1d": "1 DAY", "3d": "3 DAY", "7d": "7 DAY", "30d": "30 DAY", "1mo": "1 MONTH", "1q": "3 MONTH"}
FIXED = {"1h": 3600, "12h": 43200, "1d": 86400, "3d": 259200, "7d": 604800, "30d": 2592000}
TEXTS = ("x", "y", "yes", "", "Roma")
EVENTS = ("a", "b", "c", "ab")
PROPERTIES = {"ch": "text", "other": "text", "amount": "decimal", "n": "integer", "flag": "boolean"}
ATTRIBUTES = {"city": "text", "plan": "text", "age": "integer", "score": "decimal", "vip": "boolean", "joined": "instant", "tags": "list"}
OF_ACCOUNTS = {"size": "integer", "tier": "text"}
TYPES = {f"contact.{k}": t for k, t in ATTRIBUTES.items()} | {f"account.{k}": t for k, t in OF_ACCOUNTS.items()} | {f"{e}.{p}": t for e in EVENTS for p, t in PROPERTIES.items()}


def cell(rng, kind):
    if rng.random() < 0.25:
        return None
    return {
        "text": lambda: rng.choice(TEXTS),
        "integer": lambda: rng.randrange(-2, 5),
        "decimal": lambda: rng.randrange(-8, 20) / 4,   # sums are exact in any order
        "boolean": lambda: rng.random() < 0.5,
        "list": lambda: rng.sample(TEXTS, rng.randrange(1, 4)),
        "instant": lambda: (ORIGIN + rng.randrange(80) * datetime.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }[kind]()


def history(rng, contacts=25):
    """Records in order of arrival; at one instant that is their order. Where contacts are few, some have many events: the passes
    then search, where else they count along.
    """
    records, most = [], rng.choice([3, 14] if contacts > 5 else [14, 50])
    for k in range(contacts):
        for _ in range(rng.randrange(4)):
            traits = {n: cell(rng, t) for n, t in ATTRIBUTES.items() if rng.random() < 0.5}
            records.append(("set", k, moment(rng), traits))
        for _ in range(rng.choice([0, 0, 1, 2])):
            traits = {n: cell(rng, t) for n, t in OF_ACCOUNTS.items() if rng.random() < 0.6}
            records.append(("group", k, moment(rng), {"": rng.choice("XYZ")} | traits))
        for _ in range(rng.randrange(most)):
            records.append((rng.choice(EVENTS), k, moment(rng), {n: cell(rng, t) for n, t in PROPERTIES.items()}))
    rng.shuffle(records)
    return records


def moment(rng):
    return ORIGIN + rng.choice([
        datetime.timedelta(days=rng.randrange(80)), datetime.timedelta(hours=rng.randrange(24 * 80)), datetime.timedelta(seconds=rng.randrange(86400 * 80)),
    ])  # fmt: skip


def instant_near(rng, records):
    """An instant, and the length of time that is just over then for something that happened."""
    d = rng.choice(list(FIXED))
    return rng.choice(records)[2] + datetime.timedelta(seconds=FIXED[d]) + rng.choice([-1, 0, 0, 1]) * MICRO, d


def stamp(t):
    return f"TIMESTAMP '{t:%Y-%m-%d %H:%M:%S.%f}'"


def quoted(text):
    return '"' + text + '"', "'" + text + "'"


class Writer:
    """`near`: the length of time it likes best; `instants`: those at which something happened. Both put questions where answers change."""

    def __init__(self, rng, at, near="1d", instants=()):
        self.rng, self.at, self.near, self.instants, self.aliases = rng, at, near, instants, 0
        self.segments = {}

    def length(self, of):
        return self.near if self.rng.random() < 0.5 else self.rng.choice(list(of))

    def moment(self):
        if not self.instants or self.rng.random() < 0.3:
            return moment(self.rng)
        return self.rng.choice(self.instants) + self.rng.choice([-1, 0, 0, 1]) * MICRO

    def pick(self, *makers):
        return self.rng.choice(makers)()

    # ---- a question about the contact, or (`e`, an alias) about an event
    def truth(self, depth, e=None):
        r = self.rng
        if depth <= 0 or r.random() < 0.15:
            return self.leaf_truth(e)
        a, b = (lambda: self.truth(depth - 1, e)), (lambda: self.truth(depth - 1, e))

        def joined(word):
            parts = [a() for _ in range(r.choice([2, 2, 3]))]
            return f" {word} ".join(f"({t})" for t, _ in parts), f" {word} ".join(f"({s})" for _, s in parts)

        def negated():
            t, s = a()
            return f"not ({t})", f"NOT ({s})"

        def chosen():
            (p, ps), (x, xs), (y, ys) = a(), a(), b()
            return f"if({p}, {x}, {y})", f"CASE WHEN ({ps}) THEN ({xs}) ELSE ({ys}) END"

        makers = [lambda: joined("and"), lambda: joined("or"), negated, chosen, lambda: self.comparison(depth, e), lambda: self.comparison(depth, e)]
        if e is None:
            makers += [self.event_truth, self.event_truth, self.sequence, lambda: self.segment(depth)]
        return self.pick(*makers)

    def leaf_truth(self, e):
        r = self.rng
        if e is None:
            return self.pick(lambda: self.attribute("boolean"), lambda: self.comparison(0, e), self.event_truth, lambda: self.presence(e))
        return self.pick(lambda: self.prop(e, "boolean"), lambda: self.comparison(0, e), lambda: self.presence(e)) if r.random() < 0.9 else self.first_ever(e)

    def presence(self, e):
        t, s = self.operand(self.rng.choice(["text", "integer", "decimal"]), 0, e)
        return self.rng.choice([(f"exists({t})", f"({s}) IS NOT NULL"), (f"missing({t})", f"({s}) IS NULL")])

    def comparison(self, depth, e):
        r = self.rng
        if e is None and r.random() < 0.25:
            return self.pick(self.time_comparison, self.instants_compared, self.listed)
        kind = r.choice(["text", "integer", "decimal", "mixed"])
        left, right = ("integer", "decimal") if kind == "mixed" else (kind, kind)
        (x, xs), (y, ys) = self.operand(left, depth, e), self.operand(right, depth, e)

        def between():
            z, zs = self.operand(right, depth, e)
            return f"({x}) between ({y}) and ({z})", f"(({xs}) >= ({ys}) AND ({xs}) <= ({zs}))"

        def member():
            word = r.choice(["in", "not in"])
            items = [self.literal(right) for _ in range(r.randrange(1, 4))]
            return f"({x}) {word} [{', '.join(t for t, _ in items)}]", f"({xs}) {word.upper()} ({', '.join(s for _, s in items)})"

        op = r.choice(["==", "!=", "<", "<=", ">", ">="])
        makers = [lambda: (f"({x}) {op} ({y})", f"({xs}) {'=' if op == '==' else '<>' if op == '!=' else op} ({ys})")] * 3 + [between, member]
        if kind == "text":
            lit, lits = quoted(r.choice(["x", "y", "e", "Ro", "es"]))
            makers += [
                lambda: (f"({x}) contains {lit}", f"contains(({xs}), {lits})"),
                lambda: (f"({x}) starts_with {lit}", f"starts_with(({xs}), {lits})"),
                lambda: (f"({x}) ends_with {lit}", f"ends_with(({xs}), {lits})"),
                lambda: (f'({x}) matches "^[xy]|o"', f"regexp_matches(({xs}), '^[xy]|o')"),
            ]
        return self.pick(*makers)

    def listed(self):
        r = self.rng
        items = [quoted(t) for t in r.sample(TEXTS, r.randrange(1, 4))]
        texts, sqls = f"[{', '.join(t for t, _ in items)}]", f"[{', '.join(s for _, s in items)}]"
        return r.choice([
            (f"tags has_any {texts}", f"list_has_any(c.tags, {sqls})"), (f"tags has_all {texts}", f"list_has_all(c.tags, {sqls})"),
            (f"tags contains {items[0][0]}", f"list_contains(c.tags, {items[0][1]})"), (f"{items[0][0]} in tags", f"list_contains(c.tags, {items[0][1]})"),
        ])  # fmt: skip

    # ---- instants of the contact
    def instant(self, depth=1):
        r = self.rng

        def event():
            (which, order), name, (where, where_sql), window, e = r.choice([("first_time", "min"), ("last_time", "max")]), r.choice(EVENTS), self.filter("e"), self.window("e"), "e"
            return f"{which}({name}{where}{window[0]})", f"(SELECT {order}({e}.ts) FROM ev {e} WHERE {e}.contact = c.id AND {e}.name = '{name}' AND {where_sql} AND {window[1]})"

        def changed():
            name = r.choice(list(ATTRIBUTES))
            return f"changed_time({name})", f"c.{name}_changed"

        def moved():
            (x, xs), d, sign = self.instant(depth - 1), self.length(DURATIONS), r.choice("+-")
            return f"({x}) {sign} {d}", f"({xs}) {sign} INTERVAL {DURATIONS[d]}"

        def start():
            (x, xs), unit = self.instant(depth - 1), r.choice(["day", "week", "month", "quarter", "year"])
            return f"start_of({unit}, {x})", f"CAST(date_trunc('{unit}', {xs}) AS TIMESTAMP)"

        makers = [lambda: ("joined", "c.joined"), lambda: ("now", stamp(self.at)), event, changed]
        return self.pick(*makers, *([moved, start] if depth > 0 else []))

    def instants_compared(self):
        (x, xs), (y, ys), op = self.instant(), self.instant(), self.rng.choice(["==", "!=", "<", "<=", ">", ">="])
        return f"({x}) {op} ({y})", f"({xs}) {'=' if op == '==' else '<>' if op == '!=' else op} ({ys})"

    def time_comparison(self):
        name, window = self.rng.choice(EVENTS), self.window("e")
        which, order = self.rng.choice([("first_time", "min"), ("last_time", "max")])
        where, where_sql = self.filter("e")
        d, (op, op_sql) = self.length(FIXED), self.rng.choice([(">", ">"), ("<=", "<="), ("==", "=")])
        text = f"now - {which}({name}{where}{window[0]}) {op} {d}"
        seen = f"(SELECT {order}(e.ts) FROM ev e WHERE e.contact = c.id AND e.name = '{name}' AND {where_sql} AND {window[1]})"
        return text, f"({stamp(self.at)} - {seen}) {op_sql} INTERVAL {FIXED[d]} SECOND"

    # ---- values
    def literal(self, kind):
        r = self.rng
        if kind == "text":
            return quoted(r.choice(TEXTS))
        x = str(r.randrange(-2, 5)) if kind == "integer" else repr(r.randrange(-8, 20) / 4)
        return x, f"CAST({x} AS {'BIGINT' if kind == 'integer' else 'DOUBLE'})"

    def operand(self, kind, depth, e):
        r = self.rng
        if r.random() < 0.3:
            return self.literal(kind)
        makers = [lambda: self.attribute(kind)] if e is None else [lambda: self.prop(e, kind), lambda: self.prop(e, kind), lambda: self.attribute(kind, "contact.")]
        if depth > 0:
            makers.append(lambda: self.computed(kind, depth - 1, e))
        if e is None:
            makers += [lambda: self.aggregate(kind)] * 2
        return self.pick(*makers)

    def computed(self, kind, depth, e):
        (x, xs), (y, ys) = self.operand(kind, depth, e), self.operand(kind, depth, e)
        if kind == "text":
            return self.rng.choice([
                (f"lower({x})", f"lower({xs})"), (f"upper({x})", f"upper({xs})"), (f"coalesce({x}, {y})", f"coalesce(({xs}), ({ys}))"),
            ])  # fmt: skip
        choices = [(f"({x}) + ({y})", f"({xs}) + ({ys})"), (f"({x}) - ({y})", f"({xs}) - ({ys})"), (f"({x}) * ({y})", f"({xs}) * ({ys})"),
                   (f"abs({x})", f"abs({xs})"), (f"coalesce({x}, {y})", f"coalesce(({xs}), ({ys}))")]  # fmt: skip
        if kind == "decimal":
            choices.append((f"({x}) / ({y})", f"CAST(({xs}) AS DOUBLE) / nullif(({ys}), 0)"))
        else:
            t, s = self.operand("text", 0, e)
            choices.append((f"length({t})", f"length({s})"))
            if e is None:
                (t, s), part = self.instant(), self.rng.choice(["year", "month", "day", "weekday", "hour"])
                choices += [(f"{part}({t})", f"{'isodow' if part == 'weekday' else part}({s})"), ("length(tags)", "len(c.tags)")]
        return self.rng.choice(choices)

    def attribute(self, kind, prefix=""):
        if self.rng.random() < 0.15 and kind in OF_ACCOUNTS.values():
            name = next(n for n, t in OF_ACCOUNTS.items() if t == kind)
            return f"account.{name}", f"c.account_{name}"
        name = self.rng.choice([n for n, t in ATTRIBUTES.items() if t == kind])
        return prefix + name, f"c.{name}"

    def prop(self, e, kind):
        name = self.rng.choice([n for n, t in PROPERTIES.items() if t == kind])
        return name, f"{e}.{name}"

    def first_ever(self, e):
        other = self.alias()
        name = self.rng.choice(["ch", "other"])
        (lit, lits) = quoted(self.rng.choice(TEXTS))
        return f"first_ever({name} == {lit})", (
            f"CASE WHEN {e}.{name} = {lits} THEN NOT EXISTS (SELECT 1 FROM ev {other} WHERE {other}.contact = {e}.contact AND {other}.{name} = {lits}"
            f" AND ({other}.ts, {other}.seq) < ({e}.ts, {e}.seq)) ELSE {e}.{name} = {lits} END"
        )

    # ---- events
    def alias(self):
        self.aliases += 1
        return f"e{self.aliases}"

    def filter(self, e):
        if self.rng.random() < 0.5:
            return "", "TRUE"
        t, s = self.truth(self.rng.choice([0, 0, 1]), e)
        return f" where {t}", f"({s})"

    def window(self, e):
        r, at = self.rng, stamp(self.at)

        def last():
            d = self.length(DURATIONS)
            return f", last {d}", f"{e}.ts + INTERVAL {DURATIONS[d]} > {at}"

        def span():
            a, b = sorted((self.moment(), self.moment()))
            b += MICRO   # an empty window is an error
            return f', between "{a:%Y-%m-%dT%H:%M:%S.%fZ}" and "{b:%Y-%m-%dT%H:%M:%S.%fZ}"', f"({e}.ts >= {stamp(a)} AND {e}.ts < {stamp(b)})"

        def since():
            a = self.moment()
            return r.choice([(f', since "{a:%Y-%m-%dT%H:%M:%S.%fZ}"', f"{e}.ts >= {stamp(a)}"), (f', before "{a:%Y-%m-%dT%H:%M:%S.%fZ}"', f"{e}.ts < {stamp(a)}")])

        def calendar():
            unit = r.choice(["day", "week", "month", "quarter", "year"])
            start = f"date_trunc('{unit}', {at})"
            back = {"quarter": "3 MONTH"}.get(unit, f"1 {unit.upper()}")
            return r.choice([(f", this {unit}", f"{e}.ts >= {start}"), (f", previous {unit}", f"({e}.ts >= {start} - INTERVAL {back} AND {e}.ts < {start})")])

        return r.choice([lambda: ("", "TRUE"), last, last, span, since, calendar])()

    def selected(self, e, prop=""):
        """(text inside the parentheses, SQL from `FROM` on)."""
        r = self.rng
        name, (where, where_sql), (window, window_sql) = r.choice(EVENTS), self.filter(e), self.window(e)
        names = f"{e}.name = '{name}'"
        if r.random() < 0.1 and not where:
            name, names = r.choice([("any", "TRUE"), ("a*", f"{e}.name IN ('a', 'ab')")])
        without, without_sql = "", "TRUE"
        if r.random() < 0.15 and name != "any":
            other, b, key = self.alias(), r.choice(EVENTS), r.choice(["ch", "n"])
            d = None if r.random() < 0.2 else self.length(FIXED)
            bound = "" if d is None else f" AND {other}.ts <= {e}.ts + INTERVAL {FIXED[d]} SECOND"
            late = "TRUE" if d is None else f"{stamp(self.at)} >= {e}.ts + INTERVAL {FIXED[d]} SECOND"
            without = f" without {b} on {key}" + (f" within {d}" if d else "")
            without_sql = (f"({e}.{key} IS NOT NULL AND {late} AND NOT EXISTS (SELECT 1 FROM ev {other} WHERE {other}.contact = {e}.contact"
                           f" AND {other}.name = '{b}' AND {other}.{key} = {e}.{key} AND ({other}.ts, {other}.seq) > ({e}.ts, {e}.seq){bound}))")  # fmt: skip
        text = f"{name}{prop}{where}{without}{window}"
        return text, f"FROM ev {e} WHERE {e}.contact = c.id AND {names} AND {where_sql} AND {without_sql} AND {window_sql}"

    def event_truth(self):
        e = self.alias()
        text, rest = self.selected(e)
        return self.rng.choice([(f"did({text})", f"EXISTS (SELECT 1 {rest})"), (f"never({text})", f"NOT EXISTS (SELECT 1 {rest})")])

    def aggregate(self, kind):
        r, e = self.rng, self.alias()
        if kind == "integer" and r.random() < 0.6:
            text, rest = self.selected(e)
            return f"count({text})", f"(SELECT count(*) {rest})"
        if kind == "integer" and r.random() < 0.3:
            name = r.choice(list(PROPERTIES))
            text, rest = self.selected(e, f".{name}")
            return f"distinct({text})", f"(SELECT count(DISTINCT {e}.{name}) {rest})"
        name = r.choice([n for n, t in PROPERTIES.items() if t == kind])
        text, rest = self.selected(e, f".{name}")
        choices = [(f"min({text})", f"(SELECT min({e}.{name}) {rest})"), (f"max({text})", f"(SELECT max({e}.{name}) {rest})"),
                   (f"first({text})", f"(SELECT arg_min_null({e}.{name}, ({e}.ts, {e}.seq)) {rest})"),
                   (f"last({text})", f"(SELECT arg_max_null({e}.{name}, ({e}.ts, {e}.seq)) {rest})")]  # fmt: skip
        if kind != "text":
            choices.append((f"sum({text})", f"(SELECT coalesce(sum({e}.{name}), 0) {rest})"))
        if kind == "decimal":
            choices.append((f"avg({text})", f"(SELECT avg({e}.{name}) {rest})"))
        return r.choice(choices)

    def sequence(self):
        r = self.rng
        steps = [self.alias() for _ in range(r.choice([2, 2, 3]))]
        texts, conditions = [], []
        for e in steps:
            name, (where, where_sql), (window, window_sql) = r.choice(EVENTS), self.filter(e), ("", "TRUE")
            texts.append(f"{name}{where}{window}")
            conditions += [f"{e}.contact = c.id", f"{e}.name = '{name}'", where_sql, window_sql]
        for x, y in zip(steps, steps[1:], strict=False):
            conditions.append(f"({x}.ts, {x}.seq) < ({y}.ts, {y}.seq)")
        d = None if r.random() < 0.2 else self.length(DURATIONS)
        if d:
            conditions.append(f"{steps[-1]}.ts <= {steps[0]}.ts + INTERVAL {DURATIONS[d]}")
        return f"sequence({', '.join(texts)}{', within ' + d if d else ''})", f"EXISTS (SELECT 1 FROM {', '.join('ev ' + e for e in steps)} WHERE {' AND '.join(conditions)})"

    def segment(self, depth):
        name = f"s{len(self.segments)}"
        self.segments[name] = ""   # taken, before what it asks names others
        text, sql = self.truth(depth - 1)
        self.segments[name] = text
        return f'segment("{name}")', f"coalesce(({sql}), FALSE)"
