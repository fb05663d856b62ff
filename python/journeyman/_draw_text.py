"""A drawing as text that other tools lay out: Mermaid and Graphviz."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._draw_svg import describe

if TYPE_CHECKING:
    from ._draw import Drawing, Node, Way

MERMAID = {   # the shape of each kind
    "send": '("{}")', "wait": '(["{}"])', "wait_for": '(["{}"])', "branch": '{{"{}"}}', "split": '{{{{"{}"}}}}', "task": '[/"{}"/]',
    "webhook": '[\\"{}"\\]', "set": '["{}"]', "emit": '>"{}"]', "start": '[["{}"]]', "exit": '(["{}"])', "entry": '(["{}"])',
    "end": '((("{}")))', "unknown": '["{}"]',
}  # fmt: skip
DOT = {
    "send": "box, style=rounded", "wait": "box, style=rounded, peripheries=1", "wait_for": "box, style=rounded, peripheries=2",
    "branch": "hexagon", "split": "hexagon, style=dashed", "task": "note", "webhook": "parallelogram", "set": "box", "emit": "cds",
    "start": "component", "exit": "box, style=bold", "entry": "oval", "end": "oval, style=bold", "unknown": "box, style=dotted",
}  # fmt: skip


def _lines(node: Node) -> list[str]:
    name = "" if node.kind in ("entry", "end") else node.name
    return [_short(line) for line in (node.does, name, node.detail, node.note) if line]


def _label(way: Way) -> list[str]:
    return [_short(line) for line in (way.words, way.numbers) if line]


def _short(text: str) -> str:
    return text if len(text) <= 100 else text[:99] + "…"


def _by_phase(drawing: Drawing) -> dict[str, list[Node]]:
    phases: dict[str, list[Node]] = {}
    for node in drawing.nodes.values():
        phases.setdefault(node.phase, []).append(node)
    return phases


def mermaid(drawing: Drawing) -> str:
    ids = {name: f"n{k}" for k, name in enumerate(drawing.nodes)}   # a step may have a name that Mermaid keeps for itself

    def safe(text: str) -> str:
        return "".join(f"#{ord(c)};" if c in '"#<>&`*_{}\\' else c for c in " ".join(text.split()) if c.isprintable())

    def node(n: Node) -> str:
        return ids[n.name] + MERMAID[n.kind].format("<br>".join(map(safe, _lines(n))))

    lines = ["flowchart TD", f"  accTitle: {safe('Workflow ' + drawing.title)}", f"  accDescr: {safe(describe(drawing))}"]
    for k, (phase, members) in enumerate(_by_phase(drawing).items()):
        indent = "    " if phase else "  "
        if phase:
            lines.append(f'  subgraph p{k}["{safe(phase)}"]')
        lines += [indent + node(n) for n in members]
        if phase:
            lines.append("  end")
    for way in drawing.ways:
        label = "<br>".join(map(safe, _label(way)))
        arrow = "-.->" if way.outcome in ("timeout", "else") else "-->"
        if label:
            arrow += f'|"{label}"|'
        lines.append(f"  {ids[way.source]} {arrow} {ids[way.target]}")
    return "\n".join([*lines, ""])


def dot(drawing: Drawing) -> str:
    def quoted(*lines: str) -> str:
        return '"' + "\\n".join(line.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") for line in lines) + '"'

    lines = [
        f"digraph {quoted(drawing.name)} {{",
        f"  label={quoted(drawing.title, *(f'{word}: {text}' for word, text in drawing.head))}; labelloc=t; labeljust=l;",
        '  node [fontname="sans-serif", fontsize=11]; edge [fontname="sans-serif", fontsize=10];',
    ]
    for k, (phase, members) in enumerate(_by_phase(drawing).items()):
        indent = "    " if phase else "  "
        if phase:
            lines.append(f"  subgraph cluster_{k} {{ label={quoted(phase)}; style=filled; color=gray95;")
        lines += [f"{indent}{quoted(n.name)} [label={quoted(*_lines(n))}, shape={DOT[n.kind]}];" for n in members]
        if phase:
            lines.append("  }")
    for way in drawing.ways:
        style = ", style=dashed" if way.outcome in ("timeout", "else") else ""
        lines.append(f"  {quoted(way.source)} -> {quoted(way.target)} [label={quoted(*_label(way))}{style}];")
    return "\n".join([*lines, "}", ""])
