"""Random playbooks over random histories, in the form of conformance/journeys_shared.json, for test_journey_twin.py.

Zones, nights when clocks change, instants exactly at deadlines and a microsecond beside them, ties, late inputs.
"""

import datetime
import random

from journey_twin_time import DAY, FIXED, Duration, Instant, at, moment, plus

ZONES = ("UTC", "Europe/Rome", "America/New_York", "America/St_Johns", "Asia/Kolkata", "Pacific/Apia", "Australia/Lord_Howe", "Africa/Cairo", "America/Sao_Paulo")
# Nights when clocks change somewhere, ends of months and years, and a leap day.
DAYS = ("2026-03-27", "2026-10-23", "2026-03-06", "2026-10-30", "2026-04-03", "2026-10-02", "2026-01-29", "2026-12-29", "2024-02-27", "2011-12-28", "2026-04-22")
LENGTHS = ("1h", "90m", "2h", "12h", "1d", "36h", "2d", "3d", "1w", "1mo")
CLOCKS = ("00:00", "02:30", "08:00", "09:00", "21:00", "23:30")
TYPES = {"contact.plan": "text", "contact.points": "integer", "contact.vip": "yes/no", "contact.renewal": "day", "contact.renews_at": "instant", "contact.timezone": "text",
         "account.plan": "text", "account.timezone": "text", "contact.created_at": "instant"} | {
    f"{e}.{p}": t for e in ("x", "xs", "y", "z", "m0", "m1") for p, t in (("amount", "integer"), ("k", "text"), ("on", "day"))}  # fmt: skip


def text_of(t):
    return moment(t).isoformat().replace("+00:00", "Z")


class Maker:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.zone = self.one(ZONES)
        self.origin = datetime.date.fromisoformat(self.one(DAYS))
        self.marks = [Instant(at(self.origin, datetime.time(9), self.zone))]   # instants from which others follow
        self.segments = {}

    def one(self, choices):
        return self.rng.choice(list(choices))

    def maybe(self, p):
        return self.rng.random() < p

    # --- time ---------------------------------------------------------------------------------------------------------
    def instant(self):
        if self.maybe(0.4):
            t = plus(self.one(self.marks), Duration(self.one(LENGTHS[:-1])), self.zone)
        elif self.maybe(0.25):
            t = self.one(self.marks)
        else:
            day = self.origin + datetime.timedelta(days=self.rng.randrange(6))
            t = at(day, datetime.time.fromisoformat(self.one(CLOCKS)), self.one((self.zone, self.one(ZONES))))
            t += self.one((0, 0, self.rng.randrange(DAY)))
        t = Instant(t + self.one((0, 0, 0, 1, -1)))
        self.marks.append(t)
        return t

    # --- predicates ---------------------------------------------------------------------------------------------------
    def selector(self, flow, aggregate=False):
        options = ["x", "x", "y", "z", "m0", "x*", "x where amount >= 2", 'y where k == "k1"', "x where amount > contact.points", 'xs where amount in [1, 3] and not (k == "k2")']
        if flow and flow["event"]:
            options += ["x where k == trigger.k", "y where k == trigger.k"]
        if aggregate:
            options += ["x without y on k within 2h", "x without y where amount > 1 on k", "x without z on k within 1d", "any", "x where hour(event.time) >= 9", "any where first_ever(amount >= 2)", 'x* where event.name == "xs"', "x where event.time > now - 1d"]
        return self.one(options)

    def window(self, flow):
        d = self.one(LENGTHS)
        options = ["", "", f", last {d}", f", last {d}", ", this day", ", previous day", ", this week", ", previous week", ", this month", ", previous month", ", this quarter", f', since "{self.origin + datetime.timedelta(days=2)}"',
                   f', before "{self.origin + datetime.timedelta(days=3)}"']  # fmt: skip
        if flow:
            options += [", since entry"] * 5 + [f', since step("{self.one(flow["steps"])}")'] * 2
        return self.one(options)

    def predicate(self, flow=None, depth=0):
        s, w, n, d = (lambda: self.selector(flow, True)), (lambda: self.window(flow)), self.rng.randrange(1, 4), self.one(LENGTHS[:-1])
        if depth < 2 and self.maybe(0.25):
            a, b = self.predicate(flow, depth + 1), self.predicate(flow, depth + 1)
            return self.one([f"({a}) and ({b})", f"({a}) or ({b})", f"not ({a})"])
        options = [
            lambda: f'plan == "{self.one("ab")}"', lambda: f"points >= {n}", lambda: "vip", lambda: "missing(plan)", lambda: "exists(points)", lambda: f"points + 1 > {n}",
            lambda: f"did({s()}{w()})", lambda: f"did({s()}{w()})", lambda: f"never({s()}{w()})", lambda: f"count({s()}{w()}) >= {n}", lambda: f"count({s()}{w()}) == {n - 1}",
            lambda: f"sum({self.one(['x', 'y'])}.amount{w()}) >= {n}", lambda: f"max(x.amount{w()}) < 3", lambda: f"last(x.amount{w()}) >= 2", lambda: f'first(y.k{w()}) == "k1"',
            lambda: f"distinct(x.k{w()}) >= 2", lambda: f"avg(x.amount{w()}) > 1.5",
            lambda: f"now - last_time({self.one(['x', 'y'])}) > {d}", lambda: f"now - last_time(x) >= {d}", lambda: f"now - changed_time(plan) < {d}", lambda: f"now < renews_at + {d}",
            lambda: f"renews_at - now <= {d}", lambda: "renewal <= now", lambda: f'renewal >= "{self.origin}"', lambda: "hour(now) >= 9", lambda: "weekday(now) <= 3", lambda: "day(now) == 1",
            lambda: f"sequence(x, {self.selector(flow)}, within {d})", lambda: "sequence(x, y, z)", lambda: f'bucket("{self.one("pq")}") < 0.5', lambda: 'consent("email")', lambda: 'account.plan == "a"',
            lambda: "coalesce(points, 0) >= 1", lambda: "if(vip, points, 2) >= 2", lambda: "first_time(x) < now - 1d",
            lambda: "month(now) >= 4", lambda: "last_time(x) >= start_of(week, now)", lambda: "renews_at < start_of(day, now)", lambda: "now - changed_time(account.plan) < 2d", lambda: 'consent("sms") or vip',
        ]  # fmt: skip
        if self.segments:
            options += [lambda: f'segment("{self.one(self.segments)}")'] * 3
        if flow and flow["event"]:
            options += [lambda: f"trigger.amount >= {n}", lambda: 'trigger.k == "k1"']
        return self.one(options)()

    def expression(self, flow):
        options = ["points + 1", "count(x)", "now + 1d", "plan", "last(x.amount)", "coalesce(points, 7)"]
        return {"expr": self.one(options + (["trigger.amount"] if flow["event"] else []))}

    # --- playbook -----------------------------------------------------------------------------------------------------
    def policies(self):
        made = {}
        if self.maybe(0.3):
            made["consent"] = {k: self.one(["vip", 'plan == "a"', "never(z)", "did(x)"]) for k in ("email", "sms", "email.news", "email.transactional") if self.maybe(0.5)}
        if self.maybe(0.2):
            made["holdout"] = self.one(['bucket("h") < 0.5', 'plan == "b"', "points > 2"])
        quiet = lambda: {"from": self.one(CLOCKS), "to": self.one(CLOCKS[1:])}  # noqa: E731
        if self.maybe(0.4):
            made["quiet_hours"] = quiet()
            if self.maybe(0.5):
                made["quiet_hours"] = [quiet() | ({"channel": "email"} if self.maybe(0.4) else {}) | ({"on": self.rng.sample(["mon", "wed", "fri", "sat", "sun"], 2)} if self.maybe(0.4) else {})
                                       for _ in range(self.rng.randrange(1, 3))]  # fmt: skip
            quiets = made["quiet_hours"] if isinstance(made["quiet_hours"], list) else [made["quiet_hours"]]
            for q in quiets:
                if q["from"] == q["to"] and self.maybe(0.7):   # else the whole day
                    q["to"] = "12:00"
        if self.maybe(0.7):
            made["caps"] = [{"at_most": self.one((1, 1, 1, 2, 0)), "per": self.one((*LENGTHS[2:], "1mo", "day", "day", "week", "month", "quarter", "year"))}
                            | ({"channel": self.one(("email", "sms"))} if self.maybe(0.4) else {}) | ({"when_full": self.one(("defer", "suppress"))} if self.maybe(0.6) else {})
                            for _ in range(self.rng.randrange(1, 3))]  # fmt: skip
        return made

    def trigger(self):
        choice = self.rng.random()
        if choice < 0.6:
            return {"event": self.one(["x", "x", "x", "x", "y", "m0", "m1", "x where amount >= 2", "x*", "y where amount > contact.points", "x without y on k within 2h"])}
        if choice < 0.8 and self.segments:
            return {self.one(("enters", "leaves")): self.one(self.segments)}
        if choice < 0.9:
            made = {"date": self.one(("renewal", "renewal", "renews_at", "renews_at", "created_at"))}
            if self.maybe(0.5):
                made["offset"] = self.one("+-") + self.one(("1h", "1d", "24h", "36h", "1w", "1mo", "1q"))
            if self.maybe(0.5):
                made["at"] = self.one(CLOCKS)
            if self.maybe(0.3):
                made["every"] = "year"
            return made
        if choice < 0.95:
            rule = self.one(("FREQ=DAILY;COUNT=3", "FREQ=DAILY;INTERVAL=2", "FREQ=WEEKLY;BYDAY=SU,MO", "FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=HOURLY;INTERVAL=5;COUNT=9",
                             "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "FREQ=MONTHLY;BYDAY=-1FR,1MO", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU;COUNT=5", "FREQ=YEARLY;BYMONTH=2,4,10;BYMONTHDAY=29,-1",
                             f"FREQ=DAILY;BYHOUR=2,3,9;BYMINUTE=0,30;BYSETPOS=1,-1;UNTIL={self.origin + datetime.timedelta(days=4):%Y%m%d}T093000"))  # fmt: skip
            return {"schedule": rule, "from": f"{self.origin + datetime.timedelta(days=self.rng.randrange(3))}T{self.one(CLOCKS)}"}
        return "hand"

    def reentry(self, event):
        options = ["once", "after_exit", "after_exit", {"after": self.one(LENGTHS[2:])}]
        return self.one(options + [{"each": "k"}] * 3 + [{"each": "amount"}, {"each": "on"}] if event else options)

    def step(self, flow, k, names, workflows):
        later = [f"s{i}" for i in range(k + 1, len(flow["steps"]))]
        to = lambda: self.one([*later, "end"]) if later and self.maybe(0.9) else "end"  # noqa: E731
        nearest = (later or ["end"])[0] if self.maybe(0.8) else to()
        more = {} if nearest == "end" and self.maybe(0.5) else {"next": nearest}
        if self.maybe(0.2):
            more["phase"] = self.one(("education", "decision"))
        kind = self.one(["send"] * 7 + ["wait"] * 4 + ["wait_for"] * 4 + ["branch", "branch", "split", "set", "set", "emit", "task", "webhook", "start", "exit"])
        if kind == "send":
            made = {"send": self.one(["email", "email", "sms", ["email", "sms"], *(["preferred"] if any("channels" in s for s in self.segments.values()) else [])])}
            if self.maybe(0.2):
                made["topic"] = "news"
            if self.maybe(0.2):
                made["transactional"] = True
            return made | ({"template": "t"} if self.maybe(0.5) else {}) | ({"with": {"v": self.expression(flow)}} if self.maybe(0.3) else {}) | more
        if kind == "wait":
            if self.maybe(0.4):
                return {"wait": self.one(LENGTHS[:6])} | more
            if self.maybe(0.3):
                name = self.one(("renewal", "renews_at", "created_at", *(("trigger.on",) if flow["event"] else ())))
                return {"wait": {"date": name} | ({"offset": self.one("+-") + self.one(("1h", "1d", "24h", "36h", "1mo"))} if self.maybe(0.5) else {}) | ({"at": self.one(CLOCKS)} if self.maybe(0.4) else {})} | more
            made = {n: x for n, x in (("until", self.one(CLOCKS)), ("on", self.rng.sample(["mon", "tue", "thu", "sat", "sun"], 2)), ("days", self.rng.randrange(3))) if self.maybe(0.5)}
            return {"wait": made or {"until": "09:00"}} | more
        if kind == "wait_for":
            timeout = {"timeout": self.one(LENGTHS), "else": to()} if self.maybe(0.8) else {}
            del_next = {n: x for n, x in more.items() if n != "next"}
            if self.maybe(0.4):
                return {"wait_for": self.selector(flow), "then": to()} | timeout | del_next
            if self.maybe(0.4):
                return {"wait_for": {"when": self.predicate(flow)}, "then": to()} | timeout | del_next
            outcome = lambda: ({"event": self.selector(flow)} if self.maybe(0.6) else {"when": self.predicate(flow)}) | {"then": to()}  # noqa: E731
            return {"wait_for": [outcome() for _ in range(self.rng.randrange(1, 4))]} | timeout | del_next
        if kind == "branch":
            return {"branch": [{"if": self.predicate(flow), "then": to()} for _ in range(self.rng.randrange(1, 3))], "else": to()}
        if kind == "split":
            return {"split": [{"weight": self.one((1, 2, 0.5)), "then": to()} for _ in range(self.rng.randrange(2, 4))]}
        if kind == "set":
            choice = self.one([{"points": {"expr": "coalesce(points, 0) + 1"}}, {"points": 0}, {"plan": self.one("ab")}, {"plan": None}, {"vip": self.maybe(0.5)}, {"timezone": self.one(ZONES)},
                               {"renews_at": {"expr": "now + 1d"}}, {"plan": "b", "points": {"expr": "count(x)"}}])  # fmt: skip
            return {"set": choice} | more
        if kind == "emit":
            properties = {n: x for n, x in (("amount", self.one((1, 2, {"expr": "points"}))), ("k", self.one(("k1", {"expr": "last(x.k)"})))) if self.maybe(0.6)}
            return {"emit": self.one(("m0", "m1", "y")), "properties": properties} | more
        if kind == "task":
            return {"task": "call", "owner": "sales", "due": self.one(LENGTHS)} | ({"with": {"v": self.expression(flow)}} if self.maybe(0.3) else {}) | more
        if kind == "webhook":
            return {"webhook": "https://hook.example", "with": {"points": {"expr": "points"}, "n": 1}} | more
        after = [n for n in names if n not in workflows]
        if kind == "start" and after:
            return {"start": self.one(after)} | more
        return {"exit": True} if self.maybe(0.5) else {"send": "email"} | more

    def workflow(self, name, names, workflows):
        trigger = self.trigger()
        flow = {"event": isinstance(trigger, dict) and "event" in trigger, "steps": [f"s{k}" for k in range(self.rng.randrange(1, 7))]}
        steps = {}
        for k, s in enumerate(flow["steps"]):
            steps[s] = self.step(flow, k, names, [*workflows, name])
        made = {"trigger": trigger, "first": "s0", "steps": steps}
        if self.maybe(0.25):
            made["audience"] = self.predicate()
        if self.maybe(0.3):
            made["goal"] = self.predicate(flow)
        if self.maybe(0.2):
            made["exit"] = self.predicate(flow)
        if self.maybe(0.8):
            made["reentry"] = self.reentry(flow["event"])
        if self.maybe(0.3):
            made["priority"] = self.one((-1, 1, 2))
        return made

    def make_playbook(self):
        for name in self.rng.sample(["s", "t", "u"], self.rng.randrange(0, 4)):
            made = self.predicate()
            self.segments[name] = {"where": made} | ({"channels": self.one((["email", "sms"], ["sms"]))} if self.maybe(0.5) else {})
        names = self.rng.sample(["a", "b", "B", "c", "aa"], self.rng.randrange(1, 4))
        workflows = {}
        for name in names:
            workflows[name] = self.workflow(name, names, workflows)
        return {"timezone": self.zone, "types": TYPES, "segments": self.segments, "policies": self.policies(), "workflows": workflows,
                **({"week_starts": "sunday"} if self.maybe(0.2) else {})}  # fmt: skip

    # --- history ------------------------------------------------------------------------------------------------------
    def attributes(self):
        day = lambda: str(self.origin + datetime.timedelta(days=self.rng.randrange(-2, 8)))  # noqa: E731
        every = {"plan": lambda: self.one("ab"), "points": lambda: self.rng.randrange(5), "vip": lambda: self.maybe(0.6), "renewal": day,
                 "renews_at": lambda: text_of(self.instant()), "timezone": lambda: self.one(ZONES)}  # fmt: skip
        return {n: make() for n, make in every.items() if self.maybe(0.35)}

    def make_input(self, contacts, accounts):
        made, who = {"at": self.instant()}, self.one(contacts)
        choice = self.rng.random()
        if choice < 0.7:
            properties = {n: x for n, x in (("amount", self.rng.randrange(1, 4)), ("k", self.one(("k1", "k2"))), ("on", str(self.origin + datetime.timedelta(days=self.rng.randrange(6))))) if self.maybe(0.7)}
            made["event"] = {"contact": who, "name": self.one(["x"] * 4 + ["xs", "y", "y", "z", "m0"]), "properties": properties}
            if self.maybe(0.1):
                made["event"] |= {"id": "e1"}
        elif choice < 0.9:
            attributes = self.attributes()
            if self.maybe(0.15):
                attributes = {"account": self.one(accounts)} if accounts else attributes
            elif attributes and self.maybe(0.3):
                attributes[self.one(attributes)] = None
            made["set"] = {"contact": who, "attributes": attributes or {"plan": "a"}}
        elif choice < 0.96 and accounts:
            made["set"] = {"account": self.one(accounts), "attributes": {"plan": self.one("ab")} if self.maybe(0.6) else {"timezone": self.one(ZONES)}}
        else:
            made["enter"] = {"contact": who, "workflow": self.one(["a", "b", "B", "c", "aa"])}
        return made

    def make(self):
        playbook = self.make_playbook()
        accounts = {n: {k: x for k, x in (("plan", self.one("ab")), ("timezone", self.one(ZONES))) if self.maybe(0.5)} for n in ("acme", "bond")[: self.rng.randrange(3)]}
        names = ["anna", "bea", "ciro"][: self.rng.randrange(1, 4)]
        # Somebody has every attribute: clearing what nobody in a history has had is no change there (docs/semantics.md).
        contacts = {"zoe": {"plan": "b", "points": 1, "vip": False, "renewal": "2020-02-29", "renews_at": "2020-01-01T00:00:00Z", "timezone": "UTC"}}
        for n in names:
            if self.maybe(0.8):
                contacts[n] = self.attributes() | ({"account": self.one(accounts)} if accounts and self.maybe(0.5) else {})
                if self.maybe(0.15):
                    contacts[n]["created_at"] = text_of(self.instant())
        inputs = [self.make_input(names, list(accounts)) for _ in range(self.rng.randrange(3, 22))]
        case = {"playbook": playbook, "contacts": contacts, "accounts": accounts, "order": self.one(("event", "event", "arrival"))}
        for i in inputs:
            i["arrives"] = i["at"] + (0 if self.maybe(0.7) else self.one((1, FIXED["h"], DAY, self.rng.randrange(3 * DAY))))
        inputs.sort(key=lambda i: i["arrives"])
        first, last = min(i["at"] for i in inputs), max(i["arrives"] for i in inputs)
        case["until"] = text_of(last + self.one((0, 1, DAY, 3 * DAY, 9 * DAY)))
        if self.maybe(0.4):
            case["from"] = text_of(min(self.one((first, first - 1, first + DAY, self.one(self.marks), first - 2 * DAY)), last))
        case["inputs"] = [i | {"at": text_of(i["at"]), "arrives": text_of(i["arrives"])} for i in inputs]
        return case


def random_case(seed):
    return Maker(seed).make()
