"""One journey by three engines: Journeyman, SimPy and SpiffWorkflow replay the same history, and must send the same messages.

    python bench/journeys.py [FOLDER] [--scale 0.05] [--contacts 2000] [--rounds 3] [--out results/journeys.json]

welcome; wait for email_opened, 2 d (else a reminder); follow-up; wait for purchase, 5 d (else a purchase reminder and 7 d more); post-sale after a purchase.
Started by form_submitted, once for each contact, or again after each exit. FOLDER holds what bench/data.py made (made at --scale where absent).
Peers get what suits them: lists of (instant, name) of the awaited events alone, prepared before the clock starts. SpiffWorkflow's timers read the wall clock,
so the driver says when a timeout has come, as a signal. One thread; processor time, the median of the rounds, in turns.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import statistics
import tempfile
import time
import xml.etree.ElementTree as ET
from collections import Counter
from importlib.metadata import version

import data as made
import journeyman as jm
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

DAY = 86_400_000_000
AWAITED = ("form_submitted", "email_opened", "purchase")
# place → what it waits for, how long, and what is sent and where it goes when that comes, or does not
PLACES = {
    "opened": ("email_opened", 2 * DAY, (("follow_up",), "buys"), (("reminder", "follow_up"), "buys")),
    "buys": ("purchase", 5 * DAY, (("post_sale",), None), (("purchase_reminder",), "buys_late")),
    "buys_late": ("purchase", 7 * DAY, (("post_sale",), None), ((), None)),
}
Histories = list[list[tuple[int, str]]]


def playbook(again: bool) -> jm.Playbook:
    send = lambda step, following: {step: {"send": "email", "next": following}}  # noqa: E731
    steps = {
        **send("welcome", "opened"),
        "opened": {"wait_for": "email_opened", "timeout": "2d", "then": "follow_up", "else": "reminder"},
        **send("reminder", "follow_up"),
        **send("follow_up", "buys"),
        "buys": {"wait_for": "purchase", "timeout": "5d", "then": "post_sale", "else": "purchase_reminder"},
        **send("purchase_reminder", "buys_late"),
        "buys_late": {"wait_for": "purchase", "timeout": "7d", "then": "post_sale", "else": "end"},
        **send("post_sale", "end"),
    }
    flow = {"trigger": {"event": "form_submitted"}, "reentry": "after_exit" if again else "once", "first": "welcome", "steps": steps}
    return jm.Playbook.from_dict({"timezone": "UTC", "workflows": {"webinar": flow}})


def chosen(folder: pathlib.Path, contacts: int) -> pa.Table:
    """All events of the first contacts that have a form_submitted."""
    events = pq.read_table(folder / "events.parquet", columns=["contact_id", "event", "timestamp"])
    events = events.set_column(1, "event", pc.cast(events["event"], pa.string())).set_column(0, "contact_id", pc.cast(events["contact_id"], pa.string()))
    ids = pc.unique(events.filter(pc.equal(events["event"], "form_submitted"))["contact_id"]).sort()[:contacts]
    return events.filter(pc.is_in(events["contact_id"], ids))


def lists(events: pa.Table) -> Histories:
    wanted = events.filter(pc.is_in(events["event"], pa.array(AWAITED))).sort_by([("contact_id", "ascending"), ("timestamp", "ascending")])
    out: dict[str, list[tuple[int, str]]] = {}
    for contact, name, at in zip(wanted["contact_id"].to_pylist(), wanted["event"].to_pylist(), pc.cast(wanted["timestamp"], pa.int64()).to_pylist(), strict=True):
        out.setdefault(contact, []).append((at, name))
    return list(out.values())


# --- SimPy ------------------------------------------------------------------------------------------------------------
def by_simpy(histories: Histories, again: bool) -> Counter[str]:
    import simpy

    env, sent = simpy.Environment(initial_time=min(h[0][0] for h in histories)), Counter()

    def journey(hopes):
        sent["welcome"] += 1
        place = "opened"
        while place:
            name, limit, came, late = PLACES[place]
            hopes[name] = hope = env.event()
            result = yield hope | env.timeout(limit)
            hopes.pop(name, None)
            messages, place = came if hope in result else late
            sent.update(messages)

    def contact(history):
        hopes, running = {}, None
        for at, name in history:
            yield env.timeout(at - env.now)
            if name in hopes:
                hopes.pop(name).succeed()
            elif name == "form_submitted" and (running is None or (again and not running.is_alive)):
                running = env.process(journey(hopes))
            if running is not None and not again and not running.is_alive:
                return

    for history in histories:
        env.process(contact(history))
    env.run()
    return sent


# --- SpiffWorkflow ----------------------------------------------------------------------------------------------------
def bpmn() -> bytes:
    """The journey as BPMN: each wait is an event-based gateway before two signals, the awaited one and the one that says it is late."""
    root = ET.Element("bpmn:definitions", {"xmlns:bpmn": "http://www.omg.org/spec/BPMN/20100524/MODEL", "id": "d", "targetNamespace": "http://bpmn.io/schema/bpmn"})
    process = ET.SubElement(root, "bpmn:process", {"id": "webinar", "isExecutable": "true"})
    nodes: dict[str, ET.Element] = {}

    def node(kind: str, name: str, signal: str | None = None) -> None:
        nodes[name] = ET.SubElement(process, f"bpmn:{kind}", {"id": name, "name": name})
        if signal:
            ET.SubElement(nodes[name], "bpmn:signalEventDefinition", {"id": f"{name}_signal", "signalRef": f"signal_{signal}"})
        if kind == "scriptTask":
            ET.SubElement(nodes[name], "bpmn:script").text = f"send('{name}')"

    def flow(*names: str) -> None:
        for a, b in zip(names, names[1:], strict=False):
            identity = f"{a}__{b}"
            ET.SubElement(process, "bpmn:sequenceFlow", {"id": identity, "sourceRef": a, "targetRef": b})
            nodes[a].insert(0, made_of("bpmn:outgoing", identity))
            nodes[b].insert(0, made_of("bpmn:incoming", identity))

    def made_of(tag: str, text: str) -> ET.Element:
        element = ET.Element(tag)
        element.text = text
        return element

    node("startEvent", "start")
    for name in ("end", "gone"):
        node("endEvent", name)
    for name in ("welcome", "reminder", "follow_up", "purchase_reminder", "post_sale"):
        node("scriptTask", name)
    for name in ("told", "sold"):
        node("exclusiveGateway", name)
    for place, (awaited, *_) in PLACES.items():
        node("eventBasedGateway", f"at_{place}")
        node("intermediateCatchEvent", f"{place}_came", awaited)
        node("intermediateCatchEvent", f"{place}_late", f"late_{place}")
    flow("start", "welcome", "at_opened", "opened_came", "told", "follow_up", "at_buys", "buys_came", "sold", "post_sale", "end")
    flow("at_opened", "opened_late", "reminder", "told")
    flow("at_buys", "buys_late", "purchase_reminder", "at_buys_late", "buys_late_came", "sold")
    flow("at_buys_late", "buys_late_late", "gone")
    for name in ("email_opened", "purchase", *(f"late_{p}" for p in PLACES)):
        ET.SubElement(root, "bpmn:signal", {"id": f"signal_{name}", "name": name})
    return ET.tostring(root)


def by_spiff(histories: Histories, again: bool) -> Counter[str]:
    from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
    from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine, TaskDataEnvironment
    from SpiffWorkflow.bpmn.specs.event_definitions.item_aware_event import SignalEventDefinition
    from SpiffWorkflow.bpmn.util import BpmnEvent
    from SpiffWorkflow.bpmn.workflow import BpmnWorkflow

    sent: Counter[str] = Counter()
    parser = BpmnParser()
    parser.add_bpmn_str(bpmn())
    spec = parser.get_spec("webinar")
    engine = PythonScriptEngine(environment=TaskDataEnvironment({"send": lambda name: sent.update([name])}))
    signals = {n: BpmnEvent(SignalEventDefinition(n)) for n in ("email_opened", "purchase", *(f"late_{p}" for p in PLACES))}

    for history in histories:
        place, since, workflow, ran = None, 0, None, False   # the driver keeps the place only to know which timeout is next

        def catch(workflow, name):
            workflow.catch(signals[name])
            workflow.do_engine_steps()

        for at, name in [*history, (1 << 62, "")]:
            while place and at > since + PLACES[place][1]:
                catch(workflow, f"late_{place}")
                since, place = since + PLACES[place][1], PLACES[place][3][1]
            if place is None:
                if name == "form_submitted" and (again or not ran):
                    workflow = BpmnWorkflow(spec, script_engine=engine)
                    workflow.do_engine_steps()
                    place, since, ran = "opened", at, True
            elif name == PLACES[place][0]:
                catch(workflow, name)
                since, place = at, PLACES[place][2][1]
    return sent


# --- measuring --------------------------------------------------------------------------------------------------------
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=pathlib.Path)
    parser.add_argument("--scale", type=float, default=0.05)
    parser.add_argument("--contacts", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent / "results" / "journeys.json")
    args = parser.parse_args()
    folder = args.folder or pathlib.Path(tempfile.gettempdir()) / f"journeyman-bench-{args.scale:g}"
    if not (folder / "events.parquet").exists():
        made.make(folder, args.scale)
    events = chosen(folder, args.contacts)
    histories, history = lists(events), jm.History(events=events)
    print(f"{len(histories):,} contacts, {len(events):,} events, {sum(map(len, histories)):,} of them awaited")
    results = []
    for again in (False, True):
        flow = playbook(again)

        def ours(flow=flow) -> Counter[str]:
            run = flow.replay(history, until="2027-06-01T00:00:00Z", threads=1)
            return Counter(run.actions.to_arrow()["step"].to_pylist())

        ways = {"Journeyman": ours, "SimPy": lambda again=again: by_simpy(histories, again), "SpiffWorkflow": lambda again=again: by_spiff(histories, again)}
        sent: dict[str, Counter[str]] = {}
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(args.rounds):
            for name, call in ways.items():
                began = time.process_time()
                sent[name] = call()
                times[name].append(time.process_time() - began)
        assert all(s == sent["Journeyman"] for s in sent.values()), sent
        journeys = sent["Journeyman"]["welcome"]
        seconds = {name: statistics.median(t) for name, t in times.items()}
        for name, t in seconds.items():
            what = "again after each exit" if again else "once"
            print(f"{what:24}{name:16}{t * 1e3:10.1f} ms ({min(times[name]) * 1e3:.1f} to {max(times[name]) * 1e3:.1f}){journeys / t:12,.0f} journeys/s{t / seconds['Journeyman']:9.1f} times ours")
            results.append({"again": again, "program": name, "seconds": t, "least": min(times[name]), "most": max(times[name]), "journeys": journeys, "times_ours": t / seconds["Journeyman"]})
    versions = {"journeyman": jm.__version__, "simpy": version("simpy"), "SpiffWorkflow": version("SpiffWorkflow")}
    args.out.parent.mkdir(exist_ok=True)
    args.out.write_text(json.dumps({"contacts": len(histories), "events": len(events), "versions": versions, "results": results}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
