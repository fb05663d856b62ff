"""What a journey does, for journey_twin.py: steps, waits, sends and their gates (design W3, W5, W6)."""

from journey_twin_predicate import evaluate, matches, typed
from journey_twin_text import parse, parse_selector
from journey_twin_time import DAY, Duration, Instant, date_plus, period, plus, quiet_until, wait_until

WAITING = object()
KINDS = {"send", "wait", "wait_for", "branch", "split", "set", "emit", "task", "webhook", "start", "exit"}


def outcomes(step):
    given = step["wait_for"]
    if isinstance(given, list):
        return given
    return [(given if isinstance(given, dict) else {"event": given}) | {"then": step.get("then")}]


def stable_hash(*parts):
    """FNV-1a with SplitMix64's finalizer, each text closed by ff 00."""
    x, mask = 0xCBF29CE484222325, (1 << 64) - 1
    for part in parts:
        for byte in part.to_bytes(8, "little") if isinstance(part, int) else part.encode() + b"\xff\x00":
            x = (x ^ byte) * 0x100000001B3 & mask
    x = (x + 0x9E3779B97F4A7C15) & mask
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & mask
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & mask
    return ((x ^ (x >> 31)) >> 11) * 2.0**-53


class Entry:
    """Something that happened: an event, or a change of attributes. `place` is when it was seen."""

    def __init__(self, happened, name=None, properties=None, attributes=None):
        self.at, self.name, self.place = Instant(happened), name, None
        self.properties = {k: typed(x) for k, x in (properties or {}).items()}
        self.attributes = {k: typed(x) for k, x in (attributes or {}).items()}


class Contact:
    def __init__(self, name):
        self.name, self.log, self.journeys, self.sends, self.member = name, [], [], [], {}
        self.queue = []   # what steps caused, not yet handled as input
        self.place = 0    # what comes from here on in the log is handled after the present input or timer
        self.fired = set()   # triggers by time that came: one a workflow, instant (and event)


class Journey:
    def __init__(self, name, number, contact, t, trigger, key):
        self.workflow, self.number, self.contact, self.trigger, self.key = name, number, contact, trigger, key
        self.entered, self.left, self.outcome, self.step = (t, contact.place), None, "running", None
        self.reached, self.due, self.zone = {}, None, None


class Now:
    """What one contact's predicates see at one instant."""

    def __init__(self, loop, contact, t, journey=None, event=None, trigger=None):
        self.loop, self.contact, self.t, self.journey, self.event, self.triggered = loop, contact, Instant(t), journey, event, trigger
        self.zone, self.week_starts = loop.zone, loop.playbook.get("week_starts", "monday")

    def about(self, event):
        return Now(self.loop, self.contact, self.t, self.journey, event, self.triggered)

    def seen(self, log):
        return sorted((e for e in log if e.at <= self.t), key=lambda e: (e.at, e.place))

    def events(self):
        return [e for e in self.seen(self.contact.log) if e.name is not None]

    def change(self, name):
        """The latest change of an attribute, by its own time."""
        log = self.contact.log
        if name.startswith("account."):
            account = self.attribute("account")
            log, name = self.loop.accounts.get(account, []), name[8:]
        found = [e for e in self.seen(log) if name in e.attributes]
        return (found[-1] if found else None), found, name

    def attribute(self, name):
        last, _, name = self.change(name)
        return last.attributes[name] if last else None

    def changed_time(self, name):
        """Since when it has its present value; setting the same value again is no change."""
        last, found, name = self.change(name)
        if last is None or last.attributes[name] is None:
            return None
        since = last
        for e in reversed(found):
            if e.attributes[name] != last.attributes[name]:
                break
            since = e
        return since.at

    def contact_zone(self):
        return self.attribute("timezone") or self.attribute("account.timezone") or self.zone

    def exists(self):
        return any(e.at <= self.t for e in self.contact.log)

    def holds(self, text):
        return evaluate(parse(text), self) is True

    def value(self, x):
        """A literal of a playbook, or {expr: …}."""
        return evaluate(parse(x["expr"]), self) if isinstance(x, dict) else typed(x)

    def segment(self, name):
        definition = self.loop.playbook["segments"][name]
        plain = Now(self.loop, self.contact, self.t)
        return self.exists() and plain.holds(definition["where"] if isinstance(definition, dict) else definition)

    def consent(self, channel):
        policy = self.loop.policies.get("consent", {}).get(channel)
        return True if policy is None else evaluate(parse(policy), Now(self.loop, self.contact, self.t))

    def bucket(self, salt):
        return stable_hash(salt, self.contact.name)

    def trigger(self, name):
        event = self.journey.trigger if self.journey else self.triggered
        return event.properties.get(name) if event else None

    def entry(self):
        return self.journey.entered if self.journey else None

    def reached(self, step):
        return self.journey.reached.get(step) if self.journey else None


class Steps:
    """The part of the loop that is about one journey. `look_again` and `cause` are the loop's."""

    def leave(self, t, j, outcome):
        j.outcome, j.left = outcome, t

    def ends(self, t, j):
        """Goal, then exit."""
        workflow, now = self.workflows[j.workflow], Now(self, j.contact, t, j)
        for word, outcome in (("goal", "goal"), ("exit", "exited")):
            if word in workflow and now.holds(workflow[word]):
                self.leave(t, j, outcome)
                return True
        return False

    def go(self, t, j, name):
        """From a step on, until something has to be waited for."""
        while True:
            if name in (None, "end"):
                return self.leave(t, j, "completed")
            j.step, j.due = name, None
            j.reached[name] = (t, j.contact.place)
            if self.ends(t, j):
                return None
            name = self.take(t, j, self.workflows[j.workflow]["steps"][name])
            if name is WAITING:
                if j.due is not None:
                    self.look_again(j.contact, j.due)
                return None
            if j.outcome != "running":
                return None

    def look(self, t, j, entry):
        """One look at a journey that waits, on an input or (None) at an instant. Whether anything came of it."""
        if self.ends(t, j):
            return True
        step = self.workflows[j.workflow]["steps"][j.step]
        ends_wait = (self.sent if "send" in step else self.waited if "wait" in step else self.awaited)(t, j, step, entry)
        if ends_wait is WAITING:
            return False
        if ends_wait is not self:   # a send that was deferred once more stays where it is
            self.go(t, j, ends_wait)
        return True

    def take(self, t, j, step):
        """Does a step: the next one's name, or WAITING."""
        contact, now, (kind,) = j.contact, Now(self, j.contact, t, j), set(step) & KINDS
        if kind == "send":
            return WAITING if self.send(t, j, step) == "deferred" else step.get("next")
        if kind == "wait":
            j.due, j.zone = self.due(t, j, step["wait"], now), now.contact_zone()
            return step.get("next") if j.due is not None and j.due <= t else WAITING
        if kind == "wait_for":
            for outcome in outcomes(step):
                if "when" in outcome and now.holds(outcome["when"]):
                    return outcome.get("then")
            j.due = plus(t, Duration(step["timeout"]), self.zone) if "timeout" in step else None
            return WAITING
        if kind == "branch":
            return next((b["then"] for b in step["branch"] if now.holds(b["if"])), step.get("else"))
        if kind == "split":
            x = stable_hash(0, j.workflow, j.step, contact.name) * sum(b["weight"] for b in step["split"])
            for b in step["split"]:
                x -= b["weight"]
                if x < 0:
                    return b["then"]
        if kind == "set":
            values = {k: now.value(x) for k, x in step["set"].items()}
            self.act(t, j, step, "done", values=values)
            self.cause(contact, Entry(t, attributes=values))
        if kind == "emit":
            values = {k: now.value(x) for k, x in step.get("properties", {}).items()}
            self.cause(contact, Entry(t, step["emit"], {k: x for k, x in values.items() if x is not None}))
        if kind == "task":
            self.act(t, j, step, "done", owner=step["owner"], due=plus(t, Duration(step["due"]), self.zone), values=self.with_values(step, now))
        if kind == "webhook":
            self.act(t, j, step, "done", values=self.with_values(step, now))
        if kind == "start":
            contact.queue.append((len(contact.log), step["start"], j.trigger))
        if kind == "exit":
            return self.leave(t, j, "exited")
        return step.get("next")

    def with_values(self, step, now):
        return {k: now.value(x) for k, x in step.get("with", {}).items()}

    def act(self, t, j, step, status, **more):
        (kind,) = set(step) & KINDS
        self.actions.append({"contact": j.contact.name, "workflow": j.workflow, "journey": j.number, "step": j.step, "at": t, "kind": kind, "status": status,
                             "phase": step.get("phase"), "template": step.get("template") or step.get("task") or step.get("webhook"), "key": j.key, "reason": None, "until": None, "channel": None,
                             "owner": None, "due": None, "values": {}} | more)  # fmt: skip

    # --- waits --------------------------------------------------------------------------------------------------------
    def due(self, t, j, wait, now):
        if isinstance(wait, str):
            return plus(t, Duration(wait), self.zone)
        if "date" not in wait:
            return wait_until(wait, t, now.contact_zone())
        name = wait["date"]
        x = now.trigger(name[8:]) if name.startswith("trigger.") else now.attribute(name)
        return None if x is None else date_plus(x, wait.get("offset"), wait.get("at"), now.contact_zone(), self.zone)

    def waited(self, t, j, step, entry):
        now, was = Now(self, j.contact, t, j), j.due
        moved = now.contact_zone() != j.zone
        if isinstance(step["wait"], dict) and ("date" in step["wait"] or moved):
            j.due, j.zone = self.due(t, j, step["wait"], now), now.contact_zone()
            if j.due is not None:
                self.look_again(j.contact, j.due)
        if j.due is None or j.due > t or (entry is not None and j.due == was):
            return WAITING   # timers come after inputs
        return step.get("next")

    def awaited(self, t, j, step, entry):
        now = Now(self, j.contact, t, j)
        since, _ = j.reached[j.step]
        for outcome in outcomes(step):
            if "when" in outcome:
                if now.holds(outcome["when"]):
                    return outcome.get("then")
            elif entry is not None and entry.name is not None and entry.at >= since:   # what a step before this one emitted is handled after it
                same = j.key is None or entry.properties.get(self.workflows[j.workflow]["reentry"]["each"]) == j.key
                if same and matches(parse_selector(outcome["event"]), entry, now):
                    return outcome.get("then")
        return step.get("else") if entry is None and j.due is not None and j.due <= t else WAITING

    # --- sends --------------------------------------------------------------------------------------------------------
    def sent(self, t, j, step, entry):
        if entry is not None or j.due > t:
            return WAITING
        if self.send(t, j, step) == "deferred":
            self.look_again(j.contact, j.due)
            return self
        return step.get("next")

    def send(self, t, j, step):
        channel, status, reason, until = self.gates(t, j, step)
        self.act(t, j, step, status, channel=channel, reason=reason, until=until, values=self.with_values(step, Now(self, j.contact, t, j)))
        if status == "sent" and not step.get("transactional"):
            j.contact.sends.append((t, channel))
        j.due = until
        return status

    def gates(self, t, j, step):
        """(channel, status, reason, until)."""
        now, policies = Now(self, j.contact, t), self.policies
        channels = step["send"] if isinstance(step["send"], list) else [step["send"]]
        if step["send"] == "preferred":
            lists = [s["channels"] for n, s in self.playbook["segments"].items() if isinstance(s, dict) and s.get("channels") and now.segment(n)]
            channels = lists[0] if lists else []
        consent = policies.get("consent", {})

        def wanted(channel):
            if step.get("transactional"):
                names = [f"{channel}.transactional"]
            else:
                names = [channel, f"{channel}.{step['topic']}"] if "topic" in step else [channel]
            return all(now.holds(consent[n]) for n in names if n in consent)

        channel = next((c for c in channels if wanted(c)), None)
        if channel is None:
            return (channels[0] if channels else None), "suppressed", "consent", None
        if step.get("transactional"):
            return channel, "sent", None, None
        if "holdout" in policies and now.holds(policies["holdout"]):
            return channel, "suppressed", "holdout", None
        quiet = policies.get("quiet_hours", [])
        quiet = [q for q in (quiet if isinstance(quiet, list) else [quiet]) if q.get("channel") in (None, channel)]
        until = t
        while until < t + 30 * DAY and (ends := [e for e in (quiet_until(q, until, now.contact_zone()) for q in quiet) if e is not None]):
            until = max(ends)
        if until >= t + 30 * DAY:   # it never ends
            return channel, "suppressed", "quiet_hours", None
        if until > t:
            return channel, "deferred", "quiet_hours", until
        room = [r for r in (self.room(t, cap, channel, now) for cap in policies.get("caps", [])) if r is not None]
        if False in room:
            return channel, "suppressed", "cap", None
        if room:
            return channel, "deferred", "cap", max(room)
        return channel, "sent", None, None

    def room(self, t, cap, channel, now):
        """None: there is room. False: suppressed. Else the first instant with room."""
        if cap.get("channel") not in (None, channel):
            return None
        if cap["at_most"] == 0:
            return False
        mine = sorted(s for s, c in now.contact.sends if cap.get("channel") in (None, c))
        if cap["per"] in ("day", "week", "month", "quarter", "year"):
            low, high = period(cap["per"], t, now.contact_zone(), 0, now.week_starts)
            mine, first = [s for s in mine if low <= s <= t], high
        else:
            d = Duration(cap["per"])
            mine = [s for s in mine if t < plus(s, d, self.zone)]
            first = sorted(plus(s, d, self.zone) for s in mine)[-cap["at_most"]] if len(mine) >= cap["at_most"] else None   # a month from the 30th can end after one from the 31st
        if len(mine) < cap["at_most"]:
            return None
        return first if cap.get("when_full") == "defer" else False
