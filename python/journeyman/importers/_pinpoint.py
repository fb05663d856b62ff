"""Amazon Pinpoint: journeys, in the JSON of GetJourney and CreateJourney."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import Any

from ._common import JSON, Import, Maker, at, either, event, every, in_the_form_of, iso_length, loaded, mapping

COMPARED = {"EQUAL": "==", "GREATER_THAN": ">", "GREATER_THAN_OR_EQUAL": ">=", "LESS_THAN": "<", "LESS_THAN_OR_EQUAL": "<="}
RECENT = {"HR_24": "24h", "DAY_7": "7d", "DAY_14": "14d", "DAY_30": "30d"}
CHANNELS = {"EMAIL": "email", "SMS": "sms", "PUSH": "push"}
KINDS = ("EMAIL", "SMS", "PUSH", "CUSTOM", "ContactCenter", "Wait", "ConditionalSplit", "MultiCondition", "RandomSplit", "Holdout")


def pinpoint(source: JSON | str | os.PathLike[str], segments: Mapping[str, JSON] | None = None, timezone: str | None = None) -> Import:
    """A playbook from a journey of Amazon Pinpoint: what GetJourney answers (`JourneyResponse`), or what CreateJourney takes (`WriteJourneyRequest`).

    `source` is their JSON, its text, or a file. `segments`: by id, what GetSegment answers, for the segments that the journey names. `timezone`: the playbook's zone by its
    name, summer time and all; without it, the schedule's, which is so many hours from UTC.
    Raises ValueError when there are no activities in it.
    """
    with in_the_form_of("Amazon Pinpoint", "journey"):
        given = loaded(source)
        for key in ("JourneyResponse", "WriteJourneyRequest"):
            if key in given:
                return _Reader(given[key], f"{key}.", segments or {}, timezone).made()
        return _Reader(given, "", segments or {}, timezone).made()


def zone_of(text: str) -> str | None:
    """`UTC+02` as an IANA zone, whose signs are the other way round."""
    m = re.fullmatch(r"UTC(?:([+-])(\d\d?)(?::?00)?)?", text or "UTC")
    if not m:
        return None
    hours = int(m[2] or 0)
    return f"Etc/GMT{'-' if m[1] == '+' else '+'}{hours}" if hours else "UTC"


class _Reader(Maker):
    def __init__(self, journey: JSON, root: str, segments: Mapping[str, JSON], timezone: str | None) -> None:
        super().__init__("pinpoint", "UTC")
        if not journey.get("Activities"):
            raise ValueError("no journey of Pinpoint: there are no `Activities`")
        self.segments = segments
        self.journey_, self.root = journey, root
        schedule = mapping(journey.get("Schedule"))
        zone = zone_of(schedule.get("Timezone", "UTC"))
        if zone is None and timezone is None:
            self.lost(f"{root}Schedule.Timezone", "timezone", f"`{schedule['Timezone']}` is no whole number of hours; give the zone's name as `timezone`. UTC is taken")
        self.playbook["timezone"] = timezone or zone or "UTC"
        workflow: dict[str, Any] = {}
        self.start(workflow, mapping(journey.get("StartCondition")), f"{root}StartCondition", schedule)
        self.limits(workflow, mapping(journey.get("Limits")), f"{root}Limits")
        self.quiet(mapping(journey.get("QuietTime")), f"{root}QuietTime")
        for key in ("OpenHours", "ClosedDays", "SendingSchedule"):
            if journey.get(key):
                self.lost(f"{root}{key}", "sending_hours", f"`{key}` is not carried over; `policies.quiet_hours` with `on` and `channel` can say it")
        if schedule.get("EndTime"):
            self.lost(f"{root}Schedule.EndTime", "end", "a journey has no end date here: replay it until then, or give it `exit: now >= …`")
        workflow["first"] = journey.get("StartActivity") or next(iter(journey["Activities"]))
        workflow["steps"] = {}
        for name, activity in journey["Activities"].items():
            self.activity(workflow["steps"], name, activity, f"{root}Activities.{name}")
        self.playbook["workflows"][journey.get("Name") or "journey"] = workflow

    # --- who begins ---------------------------------------------------------------------------------------------------
    def start(self, workflow: dict[str, Any], condition: Mapping[str, Any], place: str, schedule: Mapping[str, Any]) -> None:
        if by_event := mapping(condition.get("EventStartCondition")):
            dimensions = mapping(mapping(by_event.get("EventFilter")).get("Dimensions"))
            workflow["trigger"] = {"event": self.events(dimensions, f"{place}.EventStartCondition.EventFilter.Dimensions")}
            workflow["reentry"] = "after_exit"
            if by_event.get("SegmentId"):
                workflow["audience"] = self.segment(by_event["SegmentId"], f"{place}.EventStartCondition.SegmentId")
            return
        identity = mapping(condition.get("SegmentStartCondition")).get("SegmentId")
        if identity is None:
            self.lost(place, "start", "nothing says who begins; contacts are entered by hand")
            workflow["trigger"] = "hand"
            return
        inside = f"{place}.SegmentStartCondition.SegmentId"
        workflow["reentry"] = "once"
        every_ = iso_length(self.journey_.get("RefreshFrequency") or "")
        if self.journey_.get("RefreshOnSegmentUpdate") or not schedule.get("StartTime"):
            member = self.segment(identity, inside)
            if "segment" not in member:
                self.playbook["segments"][identity] = {"where": member}
            workflow["trigger"] = {"enters": member.get("segment", identity)}
            if not self.journey_.get("RefreshOnSegmentUpdate"):
                self.read(inside, "start", "no start time: whoever enters the segment begins, at that instant")
            return
        m = re.fullmatch(r"(\d+)([hd])", every_ or "")
        rule = f"FREQ={'HOURLY' if m[2] == 'h' else 'DAILY'};INTERVAL={m[1]}" if m else "FREQ=DAILY;COUNT=1"
        if every_ and not m:
            self.lost(f"{self.root}RefreshFrequency", "refresh", f"`{self.journey_['RefreshFrequency']}` is no whole number of hours; the segment is read once, at the start")
        workflow["trigger"] = {"schedule": rule, "from": self.local(schedule["StartTime"])}
        workflow["audience"] = self.segment(identity, inside)

    def local(self, text: str) -> str:
        if not text.endswith("Z") or self.playbook["timezone"] == "UTC":
            return text[:16]
        self.read(f"{self.root}Schedule.StartTime", "start_time", "a start in UTC is read as it stands, in the zone of the schedule")
        return text[:16]

    def limits(self, workflow: dict[str, Any], limits: Mapping[str, Any], place: str) -> None:
        caps = []
        if limits.get("DailyCap"):
            caps.append({"at_most": limits["DailyCap"], "per": "24h"})
        frame = mapping(limits.get("TimeframeCap"))
        if frame.get("Cap") and frame.get("Days"):
            caps.append({"at_most": frame["Cap"], "per": f"{frame['Days']}d"})
        if caps:
            self.playbook["policies"]["caps"] = caps
            self.read(place, "caps", "caps count the sends of all workflows of the playbook, not of this journey alone")
        again = limits.get("EndpointReentryCap")
        interval = iso_length(limits.get("EndpointReentryInterval") or "")
        if again == 1:
            workflow["reentry"] = "once"
        elif again is not None:
            workflow["reentry"] = {"after": interval} if interval else "after_exit"
            if again > 1:
                self.lost(at(place, "EndpointReentryCap"), "reentry", f"at most {again} journeys of a contact cannot be said; there is no such limit")
        for key in ("TotalCap", "MessagesPerSecond"):
            if limits.get(key):
                self.lost(at(place, key), "limit", f"`{key}` is not carried over")

    def quiet(self, quiet: Mapping[str, Any], place: str) -> None:
        if not (quiet.get("Start") and quiet.get("End")):
            return
        self.playbook["policies"]["quiet_hours"] = {"from": quiet["Start"][:5], "to": quiet["End"][:5]}
        if self.journey_.get("WaitForQuietTime") is False:
            self.lost(f"{self.root}WaitForQuietTime", "quiet_time", "sends in quiet hours wait for their end here; they are not dropped")
        if not self.journey_.get("LocalTime"):
            self.read(f"{self.root}LocalTime", "local_time", "quiet hours are in the contact's zone where the attribute `timezone` gives one")

    # --- conditions ---------------------------------------------------------------------------------------------------
    def events(self, dimensions: Mapping[str, Any], place: str) -> dict[str, Any]:
        """A selector of the events with these dimensions."""
        kind = mapping(dimensions.get("EventType"))
        names = kind.get("Values", [])
        filters: list[Any] = []
        if len(names) == 1 and kind.get("DimensionType", "INCLUSIVE") == "INCLUSIVE":
            selector, owner = event(names[0]), names[0]
        else:
            selector, owner = {"event": "any"}, ""
            within = {"in": [{"event.name": []}, list(names)]}
            filters += [within if kind.get("DimensionType", "INCLUSIVE") == "INCLUSIVE" else {"not": within}] if names else []
        for name, x in mapping(dimensions.get("Attributes")).items():
            for n in [owner] if owner else names:
                self.typed(f"{n}.{name}", "text", at(place, "Attributes"))
            filters.append(self.chosen({"prop": name}, x, f"{place}.Attributes.{name}"))
        for name, x in mapping(dimensions.get("Metrics")).items():
            for n in [owner] if owner else names:
                self.typed(f"{n}.{name}", "decimal", at(place, "Metrics"))
            filters.append({COMPARED[x["ComparisonOperator"]]: [{"prop": name}, x["Value"]]})
        return selector | ({"where": every(filters)} if filters else {})

    def chosen(self, operand: Any, x: Mapping[str, Any], place: str) -> Any:
        kind, values = x.get("AttributeType") or x.get("DimensionType") or "INCLUSIVE", list(x["Values"])
        if kind == "INCLUSIVE":
            return {"in": [operand, values]}
        if kind == "EXCLUSIVE":
            return {"not in": [operand, values]}
        if kind == "CONTAINS":
            return either({"contains": [operand, v]} for v in values)
        self.lost(place, "attribute_type", f"`{kind}` has no counterpart for a text; it is never yes")
        return False

    def segment(self, identity: str, place: str) -> dict[str, Any]:
        if identity not in self.segments:
            return self.elsewhere("segment", identity, place)
        given = mapping(self.segments[identity])
        given = mapping(given.get("SegmentResponse", given))
        name = given.get("Name") or identity
        if name not in self.playbook["segments"]:
            self.playbook["segments"][name] = {"where": False}
            self.playbook["segments"][name] = {"where": self.groups(given, f"segments.{identity}")}
        return {"segment": name}

    def groups(self, given: Mapping[str, Any], place: str) -> Any:
        if given.get("Dimensions"):
            return self.dimensions(given["Dimensions"], f"{place}.Dimensions")
        groups = mapping(given.get("SegmentGroups"))
        if not groups.get("Groups"):
            return self.elsewhere("segment", place.split(".")[-1], place)

        def none(parts: list[Any]) -> Any:
            return {"not": either(parts)}

        join: dict[str, Callable[[list[Any]], Any]] = {"ALL": every, "ANY": either, "NONE": none}
        out = []
        for k, g in enumerate(groups["Groups"]):
            inside = f"{place}.SegmentGroups.Groups[{k}]"
            parts = [self.dimensions(d, f"{inside}.Dimensions[{i}]") for i, d in enumerate(g.get("Dimensions", []))]
            made = join[g.get("Type", "ALL")](parts) if parts else True
            sources = [self.segment(s["Id"], f"{inside}.SourceSegments[{i}]") for i, s in enumerate(g.get("SourceSegments", []))]
            out.append(every([join[g.get("SourceType", "ALL")](sources), made]) if sources else made)
        return join[groups.get("Include", "ALL")](out)

    def dimensions(self, given: Mapping[str, Any], place: str) -> Any:
        """Of contacts: all of them have to hold."""
        out: list[Any] = []
        for group in ("Attributes", "UserAttributes"):
            for name, x in mapping(given.get(group)).items():
                out.append(self.chosen(self.attribute(name, "text", at(place, group)), x, f"{place}.{group}.{name}"))
        for name, x in mapping(given.get("Metrics")).items():
            out.append({COMPARED[x["ComparisonOperator"]]: [self.attribute(name, "decimal", at(place, "Metrics")), x["Value"]]})
        for group in ("Demographic", "Location"):
            for name, x in mapping(given.get(group)).items():
                if "Values" in mapping(x):
                    out.append(self.chosen(self.attribute(name, "text", at(place, group)), x, f"{place}.{group}.{name}"))
                else:
                    self.lost(f"{place}.{group}.{name}", "dimension", f"`{name}` is not carried over")
        if recency := mapping(mapping(given.get("Behavior")).get("Recency")):
            word = "did" if recency["RecencyType"] == "ACTIVE" else "never"
            out.append({word: {"event": "any", "last": RECENT[recency["Duration"]]}})
        return every(out) if out else True

    def condition(self, given: Mapping[str, Any], place: str) -> Any:
        """One SimpleCondition."""
        if by_event := given.get("EventCondition"):
            selector = self.events(mapping(by_event.get("Dimensions")), f"{place}.EventCondition.Dimensions")
            sent = by_event.get("MessageActivity")
            return {"did": selector | ({"since_step": sent} if sent else {"since_entry": True})}
        if by_segment := given.get("SegmentCondition"):
            return self.segment(by_segment["SegmentId"], f"{place}.SegmentCondition.SegmentId")
        if "SegmentDimensions" in given or "segmentDimensions" in given:
            return self.dimensions(given.get("SegmentDimensions") or given["segmentDimensions"], f"{place}.SegmentDimensions")
        self.lost(place, "condition", "an empty condition is never yes")
        return False

    # --- activities ---------------------------------------------------------------------------------------------------
    def activity(self, steps: dict[str, Any], name: str, given: Mapping[str, Any], place: str) -> None:
        kind = next((k for k in KINDS if given.get(k) is not None), None)
        if kind is None:
            self.lost(place, "activity", f"an activity of {sorted(given)} has no counterpart; the journey ends there")
            steps[name] = {"exit": True}
            return
        x, inside = mapping(given[kind]), at(place, kind)
        following = {"next": x.get("NextActivity") or "end"}
        if kind in CHANNELS:
            made: dict[str, Any] = {"send": CHANNELS[kind]} | ({"template": x["TemplateName"]} if x.get("TemplateName") else {})
            if mapping(x.get("MessageConfig")).get("MessageType") == "TRANSACTIONAL":
                made["transactional"] = True
            steps[name] = made | following
        elif kind == "CUSTOM":
            steps[name] = {"webhook": x.get("DeliveryUri") or x.get("TemplateName") or name} | following
        elif kind == "ContactCenter":
            self.read(inside, "contact_center", "a call is a task of the contact center, due within a day")
            steps[name] = {"task": "Call", "owner": "contact center", "due": "1d"} | following
        elif kind == "Wait":
            steps[name] = self.waits(mapping(x.get("WaitTime")), f"{inside}.WaitTime", following["next"])
        elif kind == "ConditionalSplit":
            condition = mapping(x.get("Condition"))
            parts = [self.condition(c, f"{inside}.Condition.Conditions[{k}]") for k, c in enumerate(condition.get("Conditions", []))]
            asks = (either if condition.get("Operator") == "ANY" else every)(parts) if parts else False
            branch = {"branch": [{"if": asks, "then": x.get("TrueActivity") or "end"}], "else": x.get("FalseActivity") or "end"}
            self.after_wait(steps, name, x, inside, branch)
        elif kind == "MultiCondition":
            branches = [{"if": self.condition(b["Condition"], f"{inside}.Branches[{k}].Condition"), "then": b.get("NextActivity") or "end"} for k, b in enumerate(x["Branches"])]
            self.after_wait(steps, name, x, inside, {"branch": branches, "else": x.get("DefaultActivity") or "end"})
        elif kind == "RandomSplit":
            steps[name] = {"split": [{"weight": b["Percentage"], "then": b.get("NextActivity") or "end"} for b in x["Branches"]]}
        else:
            steps[name] = {"split": [{"weight": x["Percentage"], "then": "end"}, {"weight": 100 - x["Percentage"], "then": following["next"]}]}

    def waits(self, time: Mapping[str, Any], place: str, following: str) -> dict[str, Any]:
        if time.get("WaitUntil"):
            return {"wait_for": {"when": {">=": [{"now": []}, time["WaitUntil"]]}}, "then": following}
        found = iso_length(time.get("WaitFor", ""))
        if found is None:
            self.lost(at(place, "WaitFor"), "wait", f"`{time.get('WaitFor')}` is no length of time we can read; there is no wait")
        return {"wait": found or "0s", "next": following}

    def after_wait(self, steps: dict[str, Any], name: str, x: Mapping[str, Any], place: str, branch: dict[str, Any]) -> None:
        """A split looks when its evaluation time is over."""
        time = mapping(x.get("EvaluationWaitTime"))
        if not time:
            steps[name] = branch
            return
        steps[name] = self.waits(time, at(place, "EvaluationWaitTime"), f"{name} split")
        steps[f"{name} split"] = branch
