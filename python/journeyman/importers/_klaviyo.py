"""Klaviyo: flows, in the JSON of its API (`definition` of a flow)."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from ._common import JSON, Import, Maker, at, either, event, every, in_the_form_of, kind_of, loaded, mapping

SIGNS = {"equals": "==", "not-equals": "!=", "greater-than": ">", "greater-than-or-equal": ">=", "less-than": "<", "less-than-or-equal": "<=",
         "contains": "contains", "starts-with": "starts_with", "ends-with": "ends_with"}  # fmt: skip
UNITS = {"second": "s", "minute": "m", "hour": "h", "day": "d", "week": "w", "month": "mo", "year": "y"}
CHANNELS = {"send-email": "email", "send-sms": "sms", "send-push-notification": "push", "send-mobile-push": "push", "send-whatsapp": "whatsapp"}
SMART = {"email": "16h", "sms": "24h", "push": "24h", "whatsapp": "24h"}   # their smart sending, unless an account says otherwise


def klaviyo(source: JSON | str | os.PathLike[str], names: Mapping[str, str] | None = None, timezone: str = "UTC") -> Import:
    """A playbook from a flow of Klaviyo: what GET /api/flows/{id}?additional-fields[flow]=definition answers, or the definition alone.

    `source` is their JSON, its text, or a file. `names`: by id, what metrics are called in the history (`{"RESQ6t": "Started Checkout"}`).
    `timezone` is where local times are meant when a contact has no zone. Raises ValueError when there are no actions in it.
    """
    with in_the_form_of("Klaviyo", "flow"):
        given = loaded(source)
        root, name = "", "flow"
        if "data" in given:
            attributes = given["data"]["attributes"]
            root, name, given = "data.attributes.definition.", attributes.get("name") or "flow", attributes.get("definition") or {}
        return _Reader(given, root, name, names or {}, timezone).made()


def unit_of(text: str) -> str:
    return UNITS[text.rstrip("s") if text != "s" else "second"]


class _Reader(Maker):
    def __init__(self, flow: JSON, root: str, name: str, names: Mapping[str, str], timezone: str) -> None:
        super().__init__("klaviyo", timezone)
        if not mapping(flow).get("actions"):
            raise ValueError("no flow of Klaviyo: there are no `actions` (ask for additional-fields[flow]=definition)")
        self.names, self.root, self.smart = names, root, set[str]()
        workflow: dict[str, Any] = {}
        self.trigger(workflow, flow.get("triggers") or [], f"{root}triggers")
        self.reentry(workflow, mapping(flow.get("reentry_criteria")), f"{root}reentry_criteria")
        self.filter(workflow, mapping(flow.get("profile_filter")), f"{root}profile_filter")
        actions = {self.identity(a): (a, f"{root}actions[{k}]") for k, a in enumerate(flow["actions"])}
        workflow["first"] = str(flow.get("entry_action_id") or next(iter(actions)))
        workflow["steps"] = {}
        for identity, (action, place) in actions.items():
            self.action(workflow["steps"], identity, action, place)
        self.playbook["workflows"][name] = workflow
        if self.smart:
            self.playbook["policies"]["caps"] = [{"channel": c, "at_most": 1, "per": SMART[c]} for c in sorted(self.smart)]
            self.read(f"{root}actions", "smart_sending", "smart sending is a cap of one message in 16 hours (e-mail) or 24 (other channels) on every send of the channel")

    @staticmethod
    def identity(action: Mapping[str, Any]) -> str:
        return str(action.get("id") or action["temporary_id"])

    def metric(self, identity: str, place: str) -> str:
        if identity not in self.names:
            self.read(place, "metric", f"the metric `{identity}` has no name here: it is the event of that name; say what it is called with `names`")
        return self.names.get(identity, identity)

    # --- who begins ---------------------------------------------------------------------------------------------------
    def trigger(self, workflow: dict[str, Any], triggers: list[Any], place: str) -> None:
        trigger = mapping(triggers[0]) if triggers else {}
        kind, inside = trigger.get("type"), f"{place}[0]"
        if kind == "metric":
            name = self.metric(trigger["id"], at(inside, "id"))
            where = self.properties(name, mapping(trigger.get("trigger_filter")), at(inside, "trigger_filter"))
            workflow["trigger"] = {"event": event(name) | ({"where": where} if where is not None else {})}
        elif kind in ("list", "segment"):
            name = str(trigger["id"])
            self.playbook["segments"][name] = {"where": self.elsewhere(kind, name, at(inside, "id"))}
            workflow["trigger"] = {"enters": name}
        else:
            self.lost(inside if trigger else place, "trigger", f"a trigger `{kind}` is not carried over; contacts are entered by hand")
            workflow["trigger"] = "hand"

    def reentry(self, workflow: dict[str, Any], again: Mapping[str, Any], place: str) -> None:
        if not again:
            by_event = isinstance(workflow["trigger"], dict) and "event" in workflow["trigger"]
            workflow["reentry"] = "after_exit" if by_event else "once"
            self.read(place, "reentry", "no re-entry criteria: again after the last journey has ended" if by_event else "no re-entry criteria: once")
        elif again["unit"] == "alltime":
            workflow["reentry"] = "once" if again["duration"] == 1 else "after_exit"
        else:
            workflow["reentry"] = {"after": f"{again['duration']}{unit_of(again['unit'])}"}

    def filter(self, workflow: dict[str, Any], given: Mapping[str, Any], place: str) -> None:
        """A profile filter is asked on entry, and again before every action: who no longer qualifies leaves."""
        groups = given.get("condition_groups") or []
        if not groups:
            return
        at_entry = [self.group(g, f"{place}.condition_groups[{k}]") for k, g in enumerate(groups) if not self.since_start(g)]
        if at_entry:
            workflow["audience"] = every(at_entry)
        workflow["exit"] = {"if": [every(self.group(g, f"{place}.condition_groups[{k}]") for k, g in enumerate(groups)), False, True]}

    @staticmethod
    def since_start(group: Mapping[str, Any]) -> bool:
        return any(mapping(c.get("timeframe_filter")).get("operator") == "flow-start" for c in group["conditions"])

    # --- conditions ---------------------------------------------------------------------------------------------------
    def conditions(self, given: Mapping[str, Any], place: str) -> Any:
        """Groups hold together, of the conditions of a group one is enough."""
        groups = given.get("condition_groups") or []
        if not groups:
            self.lost(place, "condition", "a filter without conditions is never yes")
            return False
        return every(self.group(g, f"{place}.condition_groups[{k}]") for k, g in enumerate(groups))

    def group(self, group: Mapping[str, Any], place: str) -> Any:
        return either(self.condition(mapping(c), f"{place}.conditions[{k}]") for k, c in enumerate(group["conditions"]))

    def condition(self, c: Mapping[str, Any], place: str) -> Any:
        kind = c.get("type")
        if kind == "profile-property":
            name = re.sub(r"""^(?:properties|location)\[['"]?(.*?)['"]?\]$""", r"\1", c["property"])
            return self.compared(lambda t: self.attribute(name, t, place), mapping(c["filter"]), at(place, "filter"))
        if kind == "profile-metric":
            return self.counted(c, place)
        if kind == "profile-marketing-consent":
            consent = mapping(c["consent"])
            x = self.attribute(f"can_receive_{consent['channel']}", "yes/no", place)
            self.read(place, "consent", f"consent to {consent['channel']} is the attribute `{x['attr']}` (yes/no); set it in the history")
            return x if consent.get("can_receive_marketing", True) else {"not": {"coalesce": [x, False]}}
        if kind in ("profile-group-membership", "profile-no-group-membership"):
            member = either(self.elsewhere("list", str(g), at(place, "group_ids")) for g in c["group_ids"])
            return member if c.get("is_member", kind == "profile-group-membership") else {"not": {"coalesce": [member, False]}}
        if kind == "profile-random-sample":
            return {"<": [{"bucket": place}, c["percentage"] / 100]}
        if kind == "profile-not-in-flow":
            return True   # what re-entry says
        self.lost(place, "condition", f"a condition `{kind}` has no counterpart; it is never yes")
        return False

    def counted(self, c: Mapping[str, Any], place: str) -> Any:
        name = self.metric(c["metric_id"], at(place, "metric_id"))
        selector = event(name)
        filters = []
        for k, f in enumerate(c.get("metric_filters") or []):
            inside, prop = f"{place}.metric_filters[{k}]", f.get("property") or f["field"]
            filters.append(self.compared(lambda t, prop=prop, inside=inside: self.property_(name, prop, t, inside), mapping(f["filter"]), at(inside, "filter")))
        if filters:
            selector["where"] = every(filters)
        selector |= self.window(mapping(c.get("timeframe_filter")), at(place, "timeframe_filter"))
        wanted = mapping(c["measurement_filter"])
        if c.get("measurement", "count") == "count":
            measured: Any = {"count": selector}
        else:
            self.typed(f"{name}.$value", "decimal", place)
            measured = {"sum": selector | {"property": "$value"}}
        return {SIGNS[wanted["operator"]]: [measured, wanted["value"]]}

    def window(self, time: Mapping[str, Any], place: str) -> dict[str, Any]:
        kind = time.get("operator", "alltime")
        if kind == "flow-start":
            return {"since_entry": True}
        if kind in ("in-the-last", "in-last"):
            return {"last": f"{time['quantity']}{unit_of(time['unit'])}"}
        if kind in ("after", "before") and time.get("date"):
            return {"since" if kind == "after" else "before": time["date"]}
        if kind == "between" and time.get("start") and time.get("end"):
            return {"between": [time["start"], time["end"]]}
        if kind not in ("alltime", "over-all-time"):
            self.lost(place, "timeframe", f"a time frame `{kind}` is not carried over; all time is taken")
        return {}

    def compared(self, operand: Any, f: Mapping[str, Any], place: str) -> Any:
        kind, operator, value = f.get("type"), f.get("operator", ""), f.get("value")
        if kind == "existence" or operator in ("is-set", "not-set", "is-not-set"):
            return {"exists" if operator == "is-set" else "missing": operand("text")}
        if kind == "date" and operator in ("in-the-last", "in-last"):
            since = {"-": [{"now": []}, {"duration": f"{f['quantity']}{unit_of(f['unit'])}"}]}
            return {"and": [{">=": [operand("instant"), since]}, {"<=": [operand("instant"), {"now": []}]}]}
        if operator in ("in", "not-in") and isinstance(value, list):
            return {"in" if operator == "in" else "not in": [operand("text"), value]}
        if operator.removeprefix("not-") in ("contains", "starts-with", "ends-with") and operator not in SIGNS:
            return {"not": {SIGNS[operator.removeprefix("not-")]: [operand("text"), value]}}
        if operator in SIGNS and not isinstance(value, list) and kind != "date":
            return {SIGNS[operator]: [operand("decimal" if kind == "numeric" else kind_of(value)), value]}
        self.lost(place, "operator", f"`{operator}` of a {kind} has no counterpart; it is never yes")
        return False

    def properties(self, name: str, given: Mapping[str, Any], place: str) -> Any:
        """A filter of an event's properties, or None: there is none."""
        groups = given.get("condition_groups") or []
        out = []
        for k, group in enumerate(groups):
            parts = []
            for i, c in enumerate(group["conditions"]):
                inside, prop = f"{place}.condition_groups[{k}].conditions[{i}]", c.get("field") or c.get("property")
                parts.append(self.compared(lambda t, prop=prop, inside=inside: self.property_(name, prop, t, inside), mapping(c["filter"]), at(inside, "filter")))
            out.append(either(parts))
        return every(out) if out else None

    # --- actions ------------------------------------------------------------------------------------------------------
    def action(self, steps: dict[str, Any], identity: str, action: Mapping[str, Any], place: str) -> None:
        kind, data, links = action["type"], mapping(action.get("data")), mapping(action.get("links"))
        inside, following = at(place, "data"), str(links.get("next") or "end")
        if kind in CHANNELS:
            steps[identity] = self.message(CHANNELS[kind], mapping(data.get("message")), data, inside) | {"next": following}
        elif kind == "time-delay":
            self.delay(steps, identity, data, inside, following)
        elif kind in ("conditional-split", "trigger-split"):
            if kind == "conditional-split":
                asks = self.conditions(mapping(data.get("profile_filter")), at(inside, "profile_filter"))
            else:
                asks = self.of_trigger(mapping(data.get("trigger_filter")), at(inside, "trigger_filter"))
            steps[identity] = {"branch": [{"if": asks, "then": str(links.get("next_if_true") or "end")}], "else": str(links.get("next_if_false") or "end")}
        elif kind == "update-profile":
            steps[identity] = {"set": self.changes(data.get("profile_operations") or [], at(inside, "profile_operations")), "next": following}
        elif kind == "send-webhook":
            steps[identity] = {"webhook": data.get("url") or mapping(data.get("message")).get("url") or identity, "next": following}
        elif kind == "send-internal-alert":
            message = mapping(data.get("message"))
            steps[identity] = {"task": message.get("subject_line") or message.get("name") or "Alert", "owner": ", ".join(message.get("to_emails") or []) or "team", "due": "1d", "next": following}
        else:
            self.lost(place, "action", f"an action `{kind}` has no counterpart; journeys pass through it")
            steps[identity] = {"wait": "0s", "next": str(links.get("next") or links.get("next_if_true") or "end")}
        if mapping(mapping(data.get("message")).get("additional_filters")).get("condition_groups"):
            self.lost(f"{inside}.message.additional_filters", "filter", "the filter of one message is not carried over; put a branch before the send")

    def of_trigger(self, given: Mapping[str, Any], place: str) -> Any:
        """A split by what the trigger's event says."""
        out = []
        for k, group in enumerate(given.get("condition_groups") or []):
            parts = []
            for i, c in enumerate(group["conditions"]):
                inside, prop = f"{place}.condition_groups[{k}].conditions[{i}]", c.get("field") or c.get("property")

                def operand(kind: str, c: Any = c, prop: Any = prop, inside: str = inside) -> Any:
                    self.typed(f"{self.metric(c['metric_id'], inside)}.{prop}", kind, inside)
                    return {"trigger": prop}

                parts.append(self.compared(operand, mapping(c["filter"]), at(inside, "filter")))
            out.append(either(parts))
        return every(out) if out else False

    def message(self, channel: str, message: Mapping[str, Any], data: Mapping[str, Any], place: str) -> dict[str, Any]:
        made: dict[str, Any] = {"send": channel, "template": str(message.get("template_id") or message.get("name") or message.get("subject_line") or channel)}
        if message.get("transactional"):
            made["transactional"] = True
        elif message.get("smart_sending_enabled"):
            self.smart.add(channel)
        if data.get("status") in ("draft", "manual"):
            self.read(at(place, "status"), "status", "a message that is not live is sent all the same")
        return made

    def delay(self, steps: dict[str, Any], identity: str, data: Mapping[str, Any], place: str, following: str) -> None:
        unit, value, more = unit_of(data["unit"]), data["value"], data.get("secondary_value") or 0
        days = [d[:3] for d in data.get("delay_until_weekdays") or []]
        until = (data.get("delay_until_time") or "")[:5]
        if len(days) == 7:
            days = []
        if data.get("timezone") not in (None, "profile"):
            self.read(at(place, "timezone"), "timezone", "local times are the contact's where the attribute `timezone` gives a zone")
        if unit == "d" and until and not more:
            steps[identity] = {"wait": {"days": value, "until": until} | ({"on": days} if days else {}), "next": following}
            return
        smaller = {"d": ("h", 24), "h": ("m", 60)}.get(unit)
        length = f"{value}{unit}" if not more or not smaller else f"{value * smaller[1] + more}{smaller[0]}"
        if not days:
            steps[identity] = {"wait": length, "next": following}
            return
        steps[identity] = {"wait": length, "next": f"{identity} weekday"}
        steps[f"{identity} weekday"] = {"wait": {"on": days} | ({"until": until} if until else {}), "next": following}

    def changes(self, operations: list[Any], place: str) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for k, o in enumerate(operations):
            name = re.sub(r"""^properties\[['"]?(.*?)['"]?\]$""", r"\1", str(o["property_key"]))
            if o.get("operator") == "delete":
                made[name] = None
                self.playbook["types"].setdefault(f"contact.{name}", "text")
            elif o.get("property_type") == "list":
                self.lost(f"{place}[{k}]", "list_property", f"adding to or taking from the list `{name}` is not carried over")
            else:
                made[name] = o.get("property_value")
                self.typed(f"contact.{name}", kind_of(made[name]), f"{place}[{k}]")
        if not made:
            made = {"updated_by_flow": True}
            self.typed("contact.updated_by_flow", "yes/no", place)
        return made
