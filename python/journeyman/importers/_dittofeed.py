"""Dittofeed: journeys and segments, in the JSON of its API (JourneyDefinition, SegmentDefinition)."""

from __future__ import annotations

import os
from typing import Any

from ._common import JSON, WEEKDAYS, Import, Maker, at, either, event, every, in_the_form_of, kind_of, length, loaded, mapping

CHANNELS = {"Email": "email", "Sms": "sms", "MobilePush": "push"}
TIMES = {"=": "==", ">=": ">=", "<": "<"}


def dittofeed(source: JSON | str | os.PathLike[str], timezone: str = "UTC") -> Import:
    """A playbook from a journey or segment of Dittofeed, or from `{"journeys": […], "segments": […], "userProperties": […]}`.

    `source` is their JSON, its text, or a file. `timezone` is where local times are meant when a contact has no zone.
    Raises ValueError when there is neither a journey nor a segment in it.
    """
    with in_the_form_of("Dittofeed", "journey or segment"):
        return _Reader(loaded(source), timezone).made()


def path_of(text: str) -> str:
    """Their paths may be JSON paths."""
    return text[2:] if text.startswith("$.") else text


class _Reader(Maker):
    def __init__(self, given: JSON, timezone: str) -> None:
        super().__init__("dittofeed", timezone)
        bundle = given if any(k in mapping(given) for k in ("journeys", "segments")) else None
        kept = mapping(mapping(given).get("definition"))
        if bundle is None:
            what = mapping(kept.get("entryNode")).get("type")
            if what is None:
                raise ValueError("neither a journey nor a segment: there is no `definition.entryNode`")
            bundle = {"journeys" if what in ("EntryNode", "EventEntryNode") else "segments": [given]}
            self.root = ""
        else:
            self.root = "bundle"
        self.properties = {p["id"]: mapping(p.get("definition")) for p in bundle.get("userProperties", [])}
        self.keyed: dict[str, tuple[dict[str, Any], str]] = {}   # segments that only mean something inside a journey
        self.names = {s["id"]: s.get("name") or s["id"] for s in bundle.get("segments", [])}
        for k, s in enumerate(bundle.get("segments", [])):
            self.segment(s, self.place("segments", k))
        for k, j in enumerate(bundle.get("journeys", [])):
            self.journey(j, self.place("journeys", k))

    def place(self, what: str, k: int) -> str:
        return "definition" if not self.root else f"{what}[{k}].definition"

    # --- segments -----------------------------------------------------------------------------------------------------
    def segment(self, resource: dict[str, Any], place: str) -> None:
        definition = resource["definition"]
        entry = definition["entryNode"]
        if entry["type"] == "KeyedPerformed":
            self.keyed[resource["id"]] = (entry, at(place, "entryNode"))
            return
        nodes = {n["id"]: (n, f"{place}.nodes[{k}]") for k, n in enumerate(definition.get("nodes", []))}
        self.playbook["segments"][self.names[resource["id"]]] = {"where": self.node(entry, at(place, "entryNode"), nodes)}

    def node(self, n: dict[str, Any], place: str, nodes: dict[str, Any]) -> Any:
        kind = n["type"]
        if kind in ("And", "Or"):
            children = [self.node(nodes[c][0], nodes[c][1], nodes) for c in n["children"] if c in nodes]
            for c in n["children"]:
                if c not in nodes:
                    self.lost(at(place, "children"), "node", f"there is no node `{c}`")
            return every(children) if kind == "And" else either(children)
        if kind == "Trait":
            name = path_of(n["path"])
            return self.compared(lambda t: self.attribute(name, t, place), n["operator"], at(place, "operator"))
        if kind == "Performed":
            return self.counted(self.selector(n["event"], n.get("properties", []), at(place, "properties")), n, place)
        if kind == "Email":
            self.typed(f"{n['event']}.templateId", "text", place)
            return self.counted(event(n["event"]) | {"where": {"==": [{"prop": "templateId"}, n["templateId"]]}}, n, place)
        if kind == "LastPerformed":
            chosen = self.selector(n["event"], n.get("whereProperties", []), at(place, "whereProperties"))
            wanted = n.get("hasProperties", [])
            if not wanted:
                return {"did": chosen}
            out = []
            for k, p in enumerate(wanted):
                name, inside = path_of(p["path"]), f"{place}.hasProperties[{k}]"
                out.append(self.compared(lambda t, name=name, inside=inside: self.last(chosen, n["event"], name, t, inside), p["operator"], at(inside, "operator")))
            return every(out)
        if kind == "RandomBucket":
            return {"<": [{"bucket": n["id"]}, n["percent"]]}
        if kind == "SubscriptionGroup":
            return self.subscribed(n["subscriptionGroupId"], n["subscriptionGroupType"], place)
        if kind == "Everyone":
            return True
        if kind == "Manual":
            return self.elsewhere("segment", n["id"], place)
        self.lost(place, "segment_node", f"a segment node `{kind}` has no counterpart; nobody is in it")
        return False

    def last(self, chosen: dict[str, Any], name: str, prop: str, kind: str, place: str) -> dict[str, Any]:
        self.typed(f"{name}.{prop}", kind, place)
        return {"last": chosen | {"property": prop}}

    def selector(self, name: str, properties: list[dict[str, Any]], place: str) -> dict[str, Any]:
        filters = []
        for k, p in enumerate(properties):
            prop = path_of(p["path"])
            filters.append(self.compared(lambda t, prop=prop: self.property_(name, prop, t, place), p["operator"], f"{place}[{k}].operator"))
        return event(name) | ({"where": every(filters)} if filters else {})

    def counted(self, selector: dict[str, Any], n: dict[str, Any], place: str) -> Any:
        times, sign = n.get("times", 1), TIMES[n.get("timesOperator", ">=")]
        if n.get("withinSeconds"):
            selector = selector | {"last": length(n["withinSeconds"])}
        if (times, sign) == (1, ">="):
            return {"did": selector}
        return {sign: [{"count": selector}, times]}

    def compared(self, operand: Any, operator: dict[str, Any], place: str) -> Any:
        """`operand(type)` compared as one of their operators says."""
        kind, value = operator["type"], operator.get("value")
        if kind in ("Equals", "NotEquals"):
            return {"==" if kind == "Equals" else "!=": [operand(kind_of(value)), value]}
        if kind in ("GreaterThanOrEqual", "LessThan"):
            return {">=" if kind == "GreaterThanOrEqual" else "<": [operand("decimal"), value]}
        if kind in ("Exists", "NotExists"):
            return {"exists" if kind == "Exists" else "missing": operand("text")}
        if kind == "Within":
            x = operand("instant")
            return {"and": [{">=": [x, {"-": [{"now": []}, {"duration": length(operator["windowSeconds"])}]}]}, {"<=": [x, {"now": []}]}]}
        if kind == "HasBeen":
            x = operand(kind_of(value))
            if "attr" in x:
                since = {"-": [{"now": []}, {"changed_time": x}]}
                sign = ">=" if operator["comparator"] == "GTE" else "<"
                return {"and": [{"==": [x, value]}, {sign: [since, {"duration": length(operator["windowSeconds"])}]}]}
        self.lost(place, "operator", f"the operator `{kind}` has no counterpart here; it is never yes")
        return False

    def subscribed(self, group: str, kind: str, place: str) -> Any:
        """OptIn: only who said yes. OptOut: all but who said no."""
        x = self.elsewhere("subscription", group, place)
        return x if kind == "OptIn" else {"coalesce": [x, True]}

    def asks(self, identity: str, place: str) -> Any:
        """Whether a contact is in a segment, asked inside a journey."""
        if identity in self.keyed:
            n, inside = self.keyed[identity]
            key = path_of(n["key"])
            chosen = self.selector(n["event"], n.get("properties", []), at(inside, "properties"))
            self.property_(n["event"], key, "text", inside)
            same = {"==": [{"prop": key}, {"trigger": self.key or key}]}
            where = every([same, chosen["where"]]) if "where" in chosen else same
            return self.counted(chosen | {"where": where, "since_entry": True}, n, inside)
        if identity in self.names:
            return {"segment": self.names[identity]}
        return self.elsewhere("segment", identity, place)

    # --- journeys -----------------------------------------------------------------------------------------------------
    def journey(self, resource: dict[str, Any], place: str) -> None:
        definition = resource["definition"]
        entry, inside = definition["entryNode"], at(place, "entryNode")
        made: dict[str, Any] = {}
        self.key: str | None = None
        if entry["type"] == "EventEntryNode":
            made["trigger"] = {"event": event(entry["event"])}
            if entry.get("key"):
                self.key = path_of(entry["key"])
                self.property_(entry["event"], self.key, "text", inside)
                made["reentry"] = {"each": self.key}
            else:
                made["reentry"] = "after_exit"
                self.read(inside, "reentry", "an event entry without a key: another journey begins once the last one has ended")
        else:
            name = self.names.get(entry["segment"])
            if name is None:
                name = entry["segment"]
                self.playbook["segments"].setdefault(name, {"where": self.elsewhere("segment", name, at(inside, "segment"))})
            made["trigger"] = {"enters": name}
            made["reentry"] = "after_exit" if entry.get("reEnter") else "once"
        made["first"] = self.target(entry["child"])
        made["steps"] = {}
        for k, n in enumerate(definition.get("nodes", [])):
            made["steps"][n["id"]] = self.step(n, f"{place}.nodes[{k}]")
        if made["first"] == "end":
            self.lost(inside, "empty", "the journey ends where it begins")
            made["first"], made["steps"] = "exit", {"exit": {"exit": True}}
        self.playbook["workflows"][resource.get("name") or resource.get("id") or "journey"] = made

    @staticmethod
    def target(child: str | None) -> str:
        return "end" if child in (None, "ExitNode") else str(child)

    def step(self, n: dict[str, Any], place: str) -> dict[str, Any]:
        kind = n["type"]
        following = {"next": self.target(n.get("child"))}
        if kind == "DelayNode":
            return {"wait": self.delay(n["variant"], at(place, "variant"))} | following
        if kind == "WaitForNode":
            outcomes = [{"when": self.asks(c["segmentId"], f"{place}.segmentChildren[{k}]"), "then": self.target(c["id"])} for k, c in enumerate(n["segmentChildren"])]
            return {"wait_for": outcomes, "timeout": length(n["timeoutSeconds"]), "else": self.target(n["timeoutChild"])}
        if kind == "MessageNode":
            return self.message(n, place) | following
        if kind == "SegmentSplitNode":
            v = n["variant"]
            return {"branch": [{"if": self.asks(v["segment"], at(place, "variant.segment")), "then": self.target(v["trueChild"])}], "else": self.target(v["falseChild"])}
        if kind == "RandomCohortNode":
            return {"split": [{"weight": c["percent"], "then": self.target(c["id"])} for c in n["children"]]}
        self.lost(place, "node", f"a node `{kind}` has no counterpart; journeys pass through it")
        return {"wait": "0s"} | following

    def delay(self, v: dict[str, Any], place: str) -> Any:
        if v["type"] == "Second":
            return length(v["seconds"])
        if v["type"] == "LocalTime":
            made: dict[str, Any] = {"until": f"{v['hour']:02}:{v.get('minute', 0):02}"}
            days = v.get("allowedDaysOfWeek")   # Sunday is 0
            if days and len(days) < 7:
                made["on"] = [WEEKDAYS[(d + 6) % 7] for d in sorted(days, key=lambda d: (d + 6) % 7)]
            return made
        identity = v["userProperty"]
        known = self.properties.get(identity, {})
        name = path_of(known["path"]) if known.get("type") == "Trait" else identity
        if known.get("type") != "Trait":
            self.read(place, "user_property", f"the user property `{identity}` is read as the attribute of that name, an instant")
        self.typed(f"contact.{name}", "instant", place)
        sign = "-" if v.get("offsetDirection") == "before" else "+"
        return {"date": name} | ({"offset": sign + length(v["offsetSeconds"])} if v.get("offsetSeconds") else {})

    def message(self, n: dict[str, Any], place: str) -> dict[str, Any]:
        v = n["variant"]
        if v["type"] == "Webhook":
            self.read(at(place, "variant"), "webhook", f"the address is in their template `{v['templateId']}`: the step names the template")
            return {"webhook": v["templateId"]}
        made = {"send": CHANNELS[v["type"]], "template": v["templateId"]}
        group = n.get("subscriptionGroupId")
        if group:
            made["topic"] = group
            self.playbook["policies"].setdefault("consent", {})[f"{made['send']}.{group}"] = self.elsewhere("subscription", group, at(place, "subscriptionGroupId"))
        return made
