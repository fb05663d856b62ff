"""Journeys by brute force: an event loop over all contacts with one clock, written from design §4 to §6 and the readings of
conformance/journeys_shared.json. Slow, plain, and shares no code with the library.

A case has the form of journeys_shared.json. `run(case)` gives (actions, journeys), dicts with instants in microseconds.
What time alone changes is not computed: everyone is looked at again at every instant at which it could (`instants_after`).
"""

import datetime
import heapq
import itertools
import json
import re

from dateutil import rrule
from journey_twin_predicate import alone_from, matches, named, typed
from journey_twin_steps import Contact, Entry, Journey, Now, Steps
from journey_twin_text import parse, parse_selector
from journey_twin_time import DAY, Duration, Instant, at, date_plus, instant, local, moment, plus, read_instant

BEGINNING = read_instant("1900-01-01T00:00:00Z")


class CircleError(Exception):
    """More than 1,000 things caused at one instant."""


class Loop(Steps):
    def __init__(self, case, most_at_once):
        self.case, self.playbook, self.most_at_once = case, case["playbook"], most_at_once
        self.zone, self.policies = self.playbook["timezone"], self.playbook.get("policies", {})
        workflows = self.playbook["workflows"]
        self.order = sorted(workflows, key=lambda n: (-workflows[n].get("priority", 0), n.encode()))
        self.workflows = workflows
        self.contacts, self.accounts, self.agenda, self.schedules = {}, {}, [], {}
        self.actions, self.journeys, self.t = [], [], BEGINNING
        self.until = read_instant(case["until"])
        self.durations, self.words, self.literals, self.selectors = used(self.playbook)
        self.zones = zones_of(case)
        self.text = json.dumps({k: x for k, x in self.playbook.items() if k != "types"})

    # --- the clock ----------------------------------------------------------------------------------------------------
    def run(self):
        inputs = list(self.inputs())
        begins = [self.case["from"]] if self.case.get("from") else [i["at"] for i in self.case["inputs"]]
        start = self.start = min(map(read_instant, begins), default=BEGINNING)
        for k, (t, contact, entry) in enumerate(inputs):
            heapq.heappush(self.agenda, (t, 0, k, contact, entry))
        began = False
        while not began or self.agenda and self.agenda[0][0] <= self.until:
            if not began and not (self.agenda and self.agenda[0][0] < start):
                began = True
                self.baseline(start)
                continue
            self.t, phase, _, who, entry = heapq.heappop(self.agenda)
            if phase == 0:
                self.arrive(self.t, who, entry, began)
            elif began:
                while self.agenda and self.agenda[0][:4] == (self.t, 1, 0, who):
                    heapq.heappop(self.agenda)
                self.time_passes(self.t, self.contacts[who])

    def inputs(self):
        """(when it is handled, contact or None, entry), in the order in which they come."""
        case, arrival, out, ids = self.case, self.case.get("order") == "arrival", [], set()
        for name, attributes in case.get("accounts", {}).items():
            out.append((BEGINNING, ("account", name), Entry(BEGINNING, attributes=attributes)))
        for name, attributes in case["contacts"].items():
            since = read_instant(attributes["created_at"]) if "created_at" in attributes else BEGINNING
            out.append((since, name, Entry(since, attributes=attributes)))
        for i in case["inputs"]:
            happened = read_instant(i["at"])
            handled = read_instant(i.get("arrives", i["at"])) if arrival else happened
            if "set" in i:
                who = i["set"].get("contact") or ("account", i["set"]["account"])
                out.append((handled, who, Entry(happened, attributes=i["set"]["attributes"])))
                continue
            if "enter" in i:
                rest = dict(i["enter"])
                out.append((handled, rest.pop("contact"), Entry(happened, "$enter", rest)))
                continue
            e = i["event"]
            if e.get("id") is not None and e["id"] in ids:
                continue
            ids.add(e.get("id"))
            out.append((handled, e["contact"], Entry(happened, e["name"], e.get("properties"))))
        return sorted(out, key=lambda x: x[0])

    def note(self, contact, entry):
        """Looks at the contact again whenever what just came could change an answer."""
        for t in (self.t, *self.instants_after(entry)):   # what came in late may be all that is known of a contact
            self.look_again(contact, t)

    def look_again(self, contact, t):
        if t >= self.t:
            heapq.heappush(self.agenda, (t, 1, 0, contact.name, None))

    def instants_after(self, entry):
        for x in [entry.at, *entry.properties.values(), *entry.attributes.values()]:
            if isinstance(x, datetime.date):
                x = at(x, datetime.time(), self.zone)
            if isinstance(x, Instant):
                for d in [Duration("0s"), *self.durations]:
                    for t in (plus(x, d, self.zone), plus(x, -d, self.zone)):
                        yield from (t, t + 1)

    def every_hour(self, contact, zone):
        hour = local(self.start, zone).replace(minute=0, second=0, microsecond=0)
        while (t := instant(hour, zone)) <= self.until:
            self.look_again(contact, t)
            hour += datetime.timedelta(hours=1)

    def contact(self, name):
        if name not in self.contacts:
            contact = self.contacts[name] = Contact(name)
            for t in self.literals:
                self.look_again(contact, t)
            if "calendar" in self.words:
                day = local(self.start, self.zone).date()
                while (t := at(day, datetime.time(), self.zone)) <= self.until:
                    self.look_again(contact, t)
                    day += datetime.timedelta(days=1)
            if "clock" in self.words:
                for zone in sorted(self.zones):
                    self.every_hour(contact, zone)
            for workflow in self.order:
                for t in self.scheduled(self.workflows[workflow]["trigger"]):
                    self.look_again(contact, t)
        return self.contacts[name]

    def scheduled(self, trigger):
        """The instants of a schedule up to the end."""
        if not isinstance(trigger, dict) or "schedule" not in trigger:
            return []
        rule = trigger["schedule"], trigger["from"]
        if rule not in self.schedules:
            clocks = rrule.rrulestr(rule[0], dtstart=datetime.datetime.fromisoformat(rule[1]))
            self.schedules[rule] = list(itertools.takewhile(lambda t: t <= self.until + 2 * DAY, (instant(c, self.zone) for c in clocks)))
        return self.schedules[rule]

    def baseline(self, start):
        self.t = start
        for contact in self.contacts.values():
            now = Now(self, contact, start)
            for name in self.order:
                if segment := self.segment_of(name):
                    contact.member[name] = now.segment(segment)
            for name in self.order:
                for t in self.dates(name, now):
                    self.look_again(contact, t)

    # --- inputs -------------------------------------------------------------------------------------------------------
    def arrive(self, t, who, entry, running):
        if isinstance(who, tuple):
            log = self.accounts.setdefault(who[1], [])
            entry.place = len(log)
            log.append(entry)
            concerned = [c for c in self.contacts.values() if Now(self, c, t).attribute("account") == who[1]]
        else:
            contact = self.contact(who)
            entry.place = len(contact.log)
            contact.log.append(entry)
            concerned = [contact]
        for contact in concerned:
            for known in (entry, *self.accounts.get(entry.attributes.get("account"), [])):   # what an account that it joins has seen
                self.note(contact, known)
            # What the playbook does not read is no look of its own (docs/semantics.md).
            if running and (self.reads(entry.attributes) if entry.name is None else any(named(s, entry.name) for s in self.selectors)):
                self.handle(t, contact, entry)
                self.settle(t, contact)

    def reads(self, attributes):
        """Whether one of them is written anywhere in the playbook, or is what local time and accounts hang on."""
        return any(name in ("timezone", "account") or re.search(rf"\b{name}\b", self.text) for name in attributes)

    def handle(self, t, contact, entry):
        """Running journeys, then triggers."""
        mine = entry.place < len(contact.log) and contact.log[entry.place] is entry   # else an account's
        contact.place = entry.place + 1 if mine else len(contact.log)
        for j in self.running(contact):
            if j.outcome == "running":
                self.look(t, j, entry)
        for name in self.order:
            self.trigger(t, contact, name, entry)
        for name in self.order:
            for due in self.dates(name, Now(self, contact, t)):
                self.look_again(contact, due)

    def settle(self, t, contact):
        """What was caused, first caused first handled."""
        n = 0
        while contact.queue:
            n += 1
            if n > self.most_at_once:
                raise CircleError
            caused = contact.queue.pop(0)
            if isinstance(caused, Entry):
                self.handle(t, contact, caused)
            else:
                contact.place, name, event = caused
                self.start_workflow(t, contact, name, event)

    def cause(self, contact, entry):
        entry.place = len(contact.log)
        contact.log.append(entry)
        contact.queue.append(entry)
        self.note(contact, entry)

    def running(self, contact):
        mine = [j for j in contact.journeys if j.outcome == "running"]
        return sorted(mine, key=lambda j: (self.order.index(j.workflow), j.number))

    # --- triggers -----------------------------------------------------------------------------------------------------
    def segment_of(self, name):
        trigger = self.workflows[name]["trigger"]
        return isinstance(trigger, dict) and (trigger.get("enters") or trigger.get("leaves"))

    def trigger(self, t, contact, name, entry):
        """By an input (`entry`), or by time alone (None)."""
        trigger, now = self.workflows[name]["trigger"], Now(self, contact, t)
        if trigger == "hand":
            if entry and entry.name == "$enter" and entry.properties.get("workflow") == name:
                self.start_workflow(t, contact, name, entry)
        elif "event" in trigger:
            selector = parse_selector(trigger["event"])
            if "without" in selector:   # at A + D; an A that came too late for that at its arrival
                for e in now.events():
                    begins = alone_from(selector, e, now) if matches(selector, e, now) else None
                    if begins is not None and (begins == t and self.first_time(contact, name, t, e) if entry is None else e is entry and begins < t):
                        self.start_workflow(t, contact, name, e)
            elif entry and entry.name and matches(selector, entry, now):
                self.start_workflow(t, contact, name, entry)
        elif segment := self.segment_of(name):
            was, is_in = contact.member.get(name, False), now.segment(segment)
            contact.member[name] = is_in
            if (is_in and not was) if "enters" in trigger else (was and not is_in):
                self.start_workflow(t, contact, name, None)
        elif entry is None and t in (self.dates(name, now) if "date" in trigger else self.scheduled(trigger)) and self.first_time(contact, name, t):
            self.start_workflow(t, contact, name, None)

    def first_time(self, contact, *what):
        new = what not in contact.fired
        contact.fired.add(what)
        return new

    def dates(self, name, now):
        """The instants of a date trigger, as the contact's attributes are now."""
        trigger = self.workflows[name]["trigger"]
        if not isinstance(trigger, dict) or "date" not in trigger:
            return []
        x = now.attribute(trigger["date"])
        if x is None:
            return []
        days = [x]
        if trigger.get("every") == "year" and isinstance(x, Instant) and "at" not in trigger:
            days = [plus(x, Duration(f"{k}y"), self.zone) for k in range(2040 - moment(x).year)]
        elif trigger.get("every") == "year":
            day = local(x, now.contact_zone()).date() if isinstance(x, Instant) else x
            leap = (day.month, day.day) == (2, 29)
            days = [day.replace(year=y, day=28 if leap and not (y % 4 == 0 and (y % 100 != 0 or y % 400 == 0)) else day.day) for y in range(day.year, 2040)]
        return [date_plus(d, trigger.get("offset"), trigger.get("at"), now.contact_zone(), self.zone) for d in days]

    def start_workflow(self, t, contact, name, event):
        workflow, now = self.workflows[name], Now(self, contact, t, trigger=event)
        if not now.exists() or ("audience" in workflow and not now.holds(workflow["audience"])):
            return
        before = [j for j in contact.journeys if j.workflow == name]
        again, key = workflow.get("reentry", "once"), None
        running = any(j.outcome == "running" for j in before)
        if again == "once" and before or again == "after_exit" and running:
            return
        if isinstance(again, dict) and "after" in again and before and (running or t < plus(before[-1].entered[0], Duration(again["after"]), self.zone)):
            return
        if isinstance(again, dict) and "each" in again:
            key = event.properties.get(again["each"]) if event else None
            if key is None or any(j.key == key for j in before):
                return
        j = Journey(name, len(before) + 1, contact, t, event, key)
        contact.journeys.append(j)
        self.journeys.append(j)
        self.go(t, j, workflow["first"])

    # --- time ---------------------------------------------------------------------------------------------------------
    def time_passes(self, t, contact):
        going = True
        while going:   # a journey's timer, then what it caused, then the next
            going = False
            for j in self.running(contact):
                contact.place = len(contact.log)
                if self.look(t, j, None):
                    going = True
                    self.settle(t, contact)
                    break
        for name in self.order:
            contact.place = len(contact.log)
            self.trigger(t, contact, name, None)
            self.settle(t, contact)
        for name in self.order:
            for due in self.dates(name, Now(self, contact, t)):
                if due > t:
                    self.look_again(contact, due)


def zones_of(x, key=None):
    """Every zone a case names."""
    if isinstance(x, (dict, list)):
        return set().union(*(zones_of(y, k) for k, y in (x.items() if isinstance(x, dict) else ((key, y) for y in x))))
    return {x} if key == "timezone" and isinstance(x, str) and x != "text" else set()


def used(playbook):
    """Of all predicates: durations, kinds of words, literal instants (what time alone can change them by), and the events they read."""
    durations, words, literals, selectors = {}, set(), set(), set()

    def tree(x):
        if isinstance(x, Duration):
            durations[x.n, x.unit] = x
        elif isinstance(x, str) and len(x) >= 10 and x[:4].isdigit():
            x = typed(x)
            literals.add(at(x, datetime.time(), playbook["timezone"]) if isinstance(x, datetime.date) else x)
        elif isinstance(x, (tuple, list)):
            if x and x[0] in ("this", "previous", "start_of"):
                words.add("calendar")
            if x and x[0] in ("hour", "weekday", "day", "month"):
                words.add("clock")
            if x and x[0] == "first_ever":
                selectors.add("any")
            for y in x:
                tree(y)
        elif isinstance(x, dict):
            selectors.add(x["event"])
            for y in x.values():
                tree(y)

    def walk(x, key=None):
        if isinstance(x, dict):
            for k, y in x.items():
                walk(y, key if key == "consent" or key == "segments" and k != "where" and isinstance(y, str) else k)
        elif isinstance(x, list):
            for y in x:
                walk(y, key)
        elif isinstance(x, str) and key in ("audience", "goal", "exit", "where", "when", "if", "holdout", "consent", "segments", "expr"):
            tree(parse(x))
        elif isinstance(x, str) and key in ("event", "wait_for"):
            tree(parse_selector(x))

    walk(playbook)
    if any(w["trigger"] == "hand" for w in playbook["workflows"].values()):
        selectors.add("$enter")
    return list(durations.values()), words, literals, selectors


def run(case, most_at_once=1000):
    loop = Loop(case, most_at_once)
    loop.run()
    journeys = [{"contact": j.contact.name, "workflow": j.workflow, "journey": j.number, "entered_at": j.entered[0], "left_at": j.left,
                 "outcome": j.outcome, "at_step": j.step, "key": j.key} for j in loop.journeys]  # fmt: skip
    return loop.actions, journeys
