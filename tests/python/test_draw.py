"""Pictures of workflows: nothing missing, nothing overlaps, everything escaped, the numbers those of the run."""

import datetime
import itertools
import pathlib
import random
import re
import time
import xml.etree.ElementTree as ET

import journeyman as jm
import pytest
from journeyman import _draw, _draw_svg
from journeyman._draw_layout import Item, Link, lay_out

SKILLTIME = pathlib.Path(__file__).parents[2] / "examples" / "skilltime"
SVG = "{http://www.w3.org/2000/svg}"
WAIT_FOR = {"wait_for": [{"event": "a", "then": "x"}, {"when": "did(b)", "then": "y"}], "timeout": "3d", "else": "end"}


def made_up(seed, count=30):
    """A workflow of every kind of step, each leading some steps on."""
    draw = random.Random(seed)
    names = [f"step_{k}" for k in range(count)]
    steps = {}
    for k, name in enumerate(names):

        def on(k=k):
            to = k + 1 + int(draw.random() ** 2 * 5)
            return names[to] if to < count else "end"

        steps[name] = draw.choice([
            lambda: {"send": "email", "template": "a_template_with_a_rather_long_name_that_must_be_cut", "next": on()},
            lambda: {"send": ["sms", "email"], "next": on()},
            lambda: {"wait": "3d", "next": on()},
            lambda: {"wait_for": [{"event": 'email_opened where message == "a" and channel == "b"', "then": on()}, {"event": "purchase", "then": on()}], "timeout": "3d", "else": on()},
            lambda: {"wait_for": {"when": "did(purchase, since entry)"}, "timeout": "1w", "then": on(), "else": on()},
            lambda: {"branch": [{"if": 'city in ["Roma", "Milano"]', "then": on()}, {"if": "skill > 3", "then": on()}], "else": on()},
            lambda: {"split": [{"weight": 50, "then": on()}, {"weight": 50, "then": "end"}]},
            lambda: {"task": "Call the person", "owner": "sales", "due": "2d", "next": on()},
            lambda: {"webhook": "https://example.com/hook", "next": on()},
            lambda: {"set": {"score": {"expr": "coalesce(score, 0) + 1"}, "stage": "warm"}, "next": on()},
            lambda: {"emit": "lead_scored", "next": on()},
            lambda: {"start": "other", "next": on()},
            lambda: {"exit": True},
        ])() | {"phase": draw.choice(["", "one", "two", "三段階"])}  # fmt: skip
    return {"trigger": {"event": "x"}, "first": names[0], "steps": steps}


def texts(svg):
    """Of each text on the picture: left, top, right, bottom, by the measure of the drawing itself."""
    for e in ET.fromstring(svg).iter(f"{SVG}text"):
        size, x, y = float(e.get("font-size")), float(e.get("x")), float(e.get("y"))
        width = _draw_svg.width_of(e.text, size)
        left = x - width / 2 if e.get("text-anchor") == "middle" else x
        yield left, y - size * 0.8, left + width, y + size * 0.2, e.text


def overlaps(boxes):
    boxes = list(boxes)
    return [(a[4], b[4]) for k, a in enumerate(boxes) for b in boxes[k + 1 :] if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]]


def points_on(path):
    """Along a path of M, V and C (absolute), some points of it."""
    at = (0.0, 0.0)
    for command, numbers in re.findall(r"([MVC])([^MVC]*)", path):
        n = [float(x) for x in numbers.split()]
        if command == "M":
            at = (n[0], n[1])
            continue
        end = (at[0], n[0]) if command == "V" else (n[4], n[5])
        c, d = (at, end) if command == "V" else ((n[0], n[1]), (n[2], n[3]))
        for k in range(21):
            t = k / 20
            yield tuple(at[i] * (1 - t) ** 3 + 3 * c[i] * t * (1 - t) ** 2 + 3 * d[i] * t * t * (1 - t) + end[i] * t**3 for i in (0, 1))
        at = end


@pytest.mark.parametrize("seed", range(12))
def test_nothing_overlaps(seed):
    svg = _draw.Drawing("made_up", made_up(seed)).to_svg()
    boxes = list(texts(svg))
    assert overlaps(boxes) == []
    root = ET.fromstring(svg)
    width, height = float(root.get("width")), float(root.get("height"))
    assert all(min(left, top) >= 0 and right <= width and bottom <= height for left, top, right, bottom, _ in boxes)
    struck = [b[4] for path in root.iter(f"{SVG}path") if path.get("class") == "jm-line" for x, y in points_on(path.get("d")) for b in boxes if b[0] < x < b[2] and b[1] < y < b[3]]
    assert struck == []


def test_the_check_of_overlaps_can_fail():
    assert overlaps([(0, 0, 10, 10, "a"), (9, 9, 20, 20, "b")]) == [("a", "b")]


@pytest.mark.parametrize("seed", range(12))
def test_every_step_and_way_is_there(seed):
    drawing = _draw.Drawing("made_up", made_up(seed))
    svg = drawing.to_svg()
    root = ET.fromstring(svg)
    written = {e.text for e in root.iter(f"{SVG}text")}
    assert set(made_up(seed)["steps"]) <= written
    assert sum(p.get("class") == "jm-line" for p in root.iter(f"{SVG}path")) == len(drawing.ways)
    for kind in _draw.KINDS:
        assert f"jm-{_draw_svg.FAMILY[kind]}-box" in svg


def test_ways_of_every_kind_of_step():
    ways = {
        "send": ({"send": "email", "next": "x"}, [("", "x", "next")]),
        "no next": ({"wait": "1d"}, [("", "$end", "next")]),
        "wait_for": (WAIT_FOR, [("a", "x", "then"), ("did(b)", "y", "then"), ("after 3d", "$end", "timeout")]),
        "one event": ({"wait_for": "purchase", "then": "x"}, [("purchase", "x", "then")]),
        "branch": ({"branch": [{"if": "p", "then": "x"}, {"if": "q", "then": "x"}], "else": "y"}, [("p or q", "x", "if"), ("else", "y", "else")]),
        "split": ({"split": [{"weight": 1, "then": "x"}, {"weight": 3, "then": "end"}]}, [("25 %", "x", "split"), ("75 %", "$end", "split")]),
        "exit": ({"exit": True}, []),
    }
    for name, (step, expected) in ways.items():
        drawing = _draw.Drawing("w", {"first": "s", "steps": {"s": step, "x": {"exit": True}, "y": {"exit": True}}})
        assert [(w.words, w.target, w.outcome) for w in drawing.ways if w.source == "s"] == expected, name


def test_what_others_wrote_is_escaped():
    evil = '</title><script>alert("1")</script>&\x01'
    definition = {
        "title": evil, "trigger": {"event": evil}, "first": "a",
        "steps": {"a": {"wait_for": [{"event": evil, "then": "b"}], "timeout": "1d", "else": "b", "title": evil, "phase": evil}, "b": {"task": evil, "owner": evil, "due": "1d"}},
    }  # fmt: skip
    drawing = _draw.Drawing(evil, definition)
    svg = drawing.to_svg()
    ET.fromstring(svg)
    assert "<script" not in svg
    assert "<script" not in drawing.to_mermaid()
    assert '\\"1\\"' in drawing.to_dot()
    assert drawing.to_dot().replace('\\"', "").count('"') % 2 == 0


def test_a_wrong_workflow_is_drawn_too():
    """One looks at the picture to see what is wrong."""
    circle = {"first": "a", "steps": {"a": {"wait": "1d", "next": "b"}, "b": {"branch": [{"if": "p", "then": "a"}, {"if": "q", "then": "b"}], "else": "nosuch"}, "alone": {"exit": True}}}
    drawing = _draw.Drawing("w", circle)
    svg = drawing.to_svg()
    assert drawing.nodes["nosuch"].kind == "unknown"
    assert {"a", "b", "alone", "nosuch"} <= {e.text for e in ET.fromstring(svg).iter(f"{SVG}text")}
    assert overlaps(texts(svg)) == []
    assert _draw.Drawing("w", {"steps": {}}).to_svg()


def test_layers_run_downwards_and_phases_are_bands():
    nodes = {n: Item(10, 10, 10) for n in "abcdef"}
    links = [Link(*pair, (0, 0)) for pair in ["ab", "bc", "ac", "cd", "be", "ef", "df"]]
    layers, bands = lay_out(nodes, links, dict(zip("abcdef", "112212", strict=True)), 5)
    assert all(nodes[link.source].layer < nodes[link.target].layer for link in links)
    assert [(b.group, b.first) for b in bands] == [("1", 0), ("2", 6)]
    assert nodes["e"].layer < nodes["c"].layer
    for layer in layers:
        for left, right in itertools.pairwise(layer):
            assert right.x - right.left - (left.x + left.right) >= 5 - 1e-9


def test_a_phase_that_comes_back_is_two_bands():
    nodes = {n: Item(10, 10, 10) for n in "abc"}
    _, bands = lay_out(nodes, [Link("a", "b", (0, 0)), Link("b", "c", (0, 0))], {"a": "1", "b": "2", "c": "1"}, 5)
    assert [b.group for b in bands] == ["1", "2", "1"]


@pytest.fixture(scope="module")
def skilltime():
    tables = {t: SKILLTIME / "history" / f"{t}.parquet" for t in ("contacts", "events", "accounts", "spend")}
    playbook = jm.Playbook.load(SKILLTIME / "webinar.yaml")
    return playbook, playbook.replay(jm.History(**tables))


def test_numbers_are_those_of_the_run(skilltime):
    playbook, run = skilltime
    drawing = playbook.workflows["webinar"].draw(run)
    edges = {(e["from"] or "$entry", e["to"] or "$end", e["outcome"]): e["count"] for e in run.edges.to_pylist()}
    drawn = {(w.source, w.target, w.outcome): w.count for w in drawing.ways if w.count}
    assert drawn == {k: n for k, n in edges.items() if k in drawn}
    # What is not on a line left the workflow in the middle of a step, and stands at the step.
    assert {outcome for (_, to, outcome) in edges.keys() - drawn.keys()} <= {"goal", "exited"}
    steps = {s["step"]: s for s in run.steps.to_pylist()}
    for way in drawing.ways:
        if way.source != "$entry":
            assert way.share == pytest.approx(way.count / steps[way.source]["entered"])
    times = {(e["from"], e["to"], e["outcome"]): e["time_p50"] for e in run.edges.to_pylist()}
    spent = [w for w in drawing.ways if w.count and times[w.source if w.source != "$entry" else None, w.target if w.target != "$end" else None, w.outcome]]
    assert len(spent) > 3 and all(w.numbers.endswith(f" · {_draw.short_time(w.time)}") for w in spent)
    entered = next(w for w in drawing.ways if w.source == "$entry")
    assert entered.count == len(run.journeys)
    for text in (drawing.to_svg(), drawing.to_mermaid(), drawing.to_dot()):
        assert f"{entered.count:,}" in text
        assert f"{steps['opened']['entered']:,} came" in text
    assert overlaps(texts(drawing.to_svg())) == []


def test_a_notebook_gets_mermaid_svg_and_text_but_no_html(skilltime):
    workflow = skilltime[0].workflows["webinar"]
    for shown in (workflow._repr_mimebundle_(), workflow.draw(skilltime[1])._repr_mimebundle_()):
        assert sorted(shown) == ["image/svg+xml", "text/plain", "text/vnd.mermaid"]
    assert not hasattr(workflow, "_repr_html_")


def test_it_says_in_words_what_it_shows(skilltime):
    root = ET.fromstring(skilltime[0].workflows["webinar"].to_svg())
    assert root.find(f"{SVG}title").text == "Workflow webinar"
    said = root.find(f"{SVG}desc").text
    for step in skilltime[0].workflows["webinar"].steps:
        assert step in said
    assert "after 3d: reminder" in said
    assert root.get("role") == "img"


def test_dark_screens_are_thought_of(skilltime):
    assert "prefers-color-scheme:dark" in skilltime[0].workflows["webinar"].to_svg()


def test_saved_by_the_ending_of_the_name(skilltime, tmp_path):
    drawing = skilltime[0].workflows["webinar"].draw()
    for ending, begins in ((".svg", "<svg"), (".mmd", "flowchart"), (".dot", "digraph")):
        drawing.save(tmp_path / f"w{ending}")
        assert (tmp_path / f"w{ending}").read_text(encoding="utf-8").startswith(begins)
    with pytest.raises(jm.Error, match="endings"):
        drawing.save(tmp_path / "w.png")


def test_a_large_workflow_is_drawn_in_time_but_not_unasked():
    drawing = _draw.Drawing("w", made_up(1, 250))
    begun = time.process_time()
    assert overlaps(texts(drawing.to_svg())) == []
    assert time.process_time() - begun < 60
    assert sorted(drawing._repr_mimebundle_()) == ["text/plain"]


def test_short_times():
    seconds = {0: "< 1s", 45: "45s", 60: "1m", 5400: "1h 30m", 86400: "1d", 252_000: "2d 22h", 86_460: "1d", 3_661: "1h 1m"}
    assert {s: _draw.short_time(datetime.timedelta(seconds=s)) for s in seconds} == seconds
