"""A drawing as SVG: one file, no script, no ids (so that several stand in one page), dark where the reader's screen is."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterable, Iterator
from html import escape
from typing import TYPE_CHECKING

from ._draw_layout import Band, Item, Link, lay_out

if TYPE_CHECKING:
    from ._draw import Drawing, Node, Way

# Of the kinds of steps: fill and line, on a light ground and on a dark one.
COLOURS = {
    "message": (("send",), "#e7f0fd", "#2f6fc4", "#16293f", "#7fb2f0"),
    "time": (("wait", "wait_for"), "#fdf3dc", "#a8730a", "#36290d", "#e3b75b"),
    "choice": (("branch", "split"), "#f1eafb", "#7a4fc0", "#2b2140", "#bb9cf0"),
    "work": (("task", "webhook"), "#e4f5ea", "#2c8450", "#15311f", "#7fcf9c"),
    "change": (("set", "emit", "start"), "#e2f4f5", "#1e7f88", "#10302f", "#74c7cd"),
    "rim": (("entry", "end", "exit", "unknown"), "#f0f0f0", "#666666", "#2a2a2a", "#b0b0b0"),
}
FAMILY = {kind: family for family, (kinds, *_) in COLOURS.items() for kind in kinds}

MARGIN, GAP, ROW, RISE = 16.0, 14.0, 15.0, 12.0   # around the picture; beside text; the height of a line; between layers
MOST = 230.0   # width of a text in a node
SMALL, NORMAL, LARGE = 11.0, 13.0, 17.0   # sizes of text
NARROW, WIDE = "ijlI.,:;'|!() []ftr\"-", "mwMW@%=+<>~—…·"


def width_of(text: str, size: float) -> float:
    """At most so wide: the letters of DejaVu Sans, wider than those of most systems."""

    def em(letter: str) -> float:
        if unicodedata.combining(letter):
            return 0.0
        if unicodedata.east_asian_width(letter) in "WF":
            return 1.05
        return 0.43 if letter in NARROW else 0.99 if letter in WIDE else 0.80 if letter.isupper() else 0.66

    return size * sum(map(em, text))


def cut(text: str, size: float, width: float) -> str:
    """The text, or as much of it as `width` has room for, and `…`."""
    text = " ".join(text.split())
    if width_of(text, size) <= width:
        return text
    while text and width_of(text + "…", size) > width:
        text = text[:-1]
    return text.rstrip() + "…"


def wrap(text: str, size: float, width: float, lines: int) -> list[str]:
    """The text in at most so many lines of much the same length, broken between words; what is too long ends in `…`."""
    out = _wrapped(text, size, width, lines)
    narrow = width
    while len(out) > 1 and not out[-1].endswith("…"):   # a last line of one short word reads badly
        narrow -= size
        closer = _wrapped(text, size, narrow, lines)
        if len(closer) != len(out) or any(line.endswith("…") for line in closer):
            break
        out = closer
    return out


def _wrapped(text: str, size: float, width: float, lines: int) -> list[str]:
    words = text.split()
    out: list[str] = []
    while words and len(out) < lines - 1:
        many = 1
        while many < len(words) and width_of(" ".join(words[: many + 1]), size) <= width:
            many += 1
        out.append(cut(" ".join(words[:many]), size, width))
        words = words[many:]
    return [*out, cut(" ".join(words), size, width)] if words else out


class Box:
    """A node or a label, measured: its lines of text, with their classes and sizes."""

    def __init__(self, lines: Iterable[tuple[str, str, float]], least: float = 0.0) -> None:
        self.lines = list(lines)
        self.width = max([least, *(width_of(text, size) for text, _, size in self.lines)])
        self.height = ROW * len(self.lines)

    def draw(self, x: float, top: float, anchor: str) -> Iterator[str]:
        for k, (text, style, size) in enumerate(self.lines):
            yield f'<text class="{style}" x="{x:.1f}" y="{top + ROW * k + 11:.1f}" font-size="{size:g}" text-anchor="{anchor}">{_safe(text)}</text>'


def svg(drawing: Drawing) -> str:
    boxes = {name: Box(_lines(node), 70.0) for name, node in drawing.nodes.items()}
    labels = [Box(_label(way)) for way in drawing.ways]
    items = {name: Item(b.width / 2 + 18, b.width / 2 + 18, b.height + 14) for name, b in boxes.items()}
    links = [Link(w.source, w.target, (b.width, b.height)) for w, b in zip(drawing.ways, labels, strict=True)]
    groups = {name: f"${node.kind}" if node.kind in ("entry", "end") else node.phase for name, node in drawing.nodes.items()}
    layers, bands = lay_out(items, links, groups, GAP)
    bands = [b for b in bands if b.group and not b.group.startswith("$")]

    everything = [item for layer in layers for item in layer]
    gutter = max([0.0, *(width_of(cut(b.group, NORMAL, 150), NORMAL) + 2 * GAP for b in bands)])
    right = max(item.x + item.right for item in everything)
    left = min(item.x - item.left for item in everything)
    width = max(right - left + gutter + 2 * MARGIN, 420.0)
    shift = MARGIN + gutter + (width - gutter - 2 * MARGIN - (right - left)) / 2 - left
    for item in everything:
        item.x += shift

    head = list(_head(drawing, width - 2 * MARGIN))
    top = MARGIN + sum(size + 5 for _, _, size in head) + 8
    tops, heights = _rows(layers, top)
    height = tops[-1] + heights[-1] + MARGIN

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="jm" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}" '
        f'style="max-width:100%;height:auto" role="img" aria-label="{_safe("Workflow " + drawing.title)}" font-family="system-ui, -apple-system, Segoe UI, DejaVu Sans, sans-serif">',
        f"<title>{_safe('Workflow ' + drawing.title)}</title>",
        f"<desc>{_safe(describe(drawing))}</desc>",
        f"<style>{_style()}</style>",
        f'<rect class="jm-ground" width="{width:.0f}" height="{height:.0f}"/>',
    ]
    y = MARGIN
    for text, style, size in head:
        y += size + 5
        out.append(f'<text class="{style}" x="{MARGIN:g}" y="{y - 4:.1f}" font-size="{size:g}">{_safe(text)}</text>')
    entered = sum(way.count or 0 for way in drawing.ways if way.outcome == "entered")
    for k, band in enumerate(bands):
        out += _band(band, k, tops, heights, width)
    for way, link in zip(drawing.ways, links, strict=True):
        out += _line(way, link, entered, items, tops, heights)
    for label, link in zip(labels, links, strict=True):
        if link.points and label.lines:
            point = link.points[-1 if link.upward else 0]
            out += label.draw(point.x + 6, tops[point.layer] + (heights[point.layer] - label.height) / 2, "start")
    for name, node in drawing.nodes.items():
        item = items[name]
        out += _node(node, boxes[name], item, tops[item.layer] + (heights[item.layer] - item.height) / 2)
    return "\n".join([*out, "</svg>", ""])


def describe(drawing: Drawing) -> str:
    """The picture in words, for those who hear it."""
    head = [f"{word}: {text}" for word, text in drawing.head]
    steps = []
    for node in drawing.nodes.values():
        ways = [w for w in drawing.ways if w.source == node.name]
        if node.kind in ("entry", "end"):
            continue
        where = [f"{w.words + ': ' if w.words else ''}{'the end' if drawing.nodes[w.target].kind == 'end' else w.target}{f' ({w.numbers})' if w.numbers else ''}" for w in ways]
        steps.append(f"{node.name}{f' ({node.phase})' if node.phase else ''}, {node.does}{f' {node.detail}' if node.detail else ''}{', then ' + '; '.join(where) if where else ''}.")
    return ". ".join(head) + ". " + " ".join(steps)


def _lines(node: Node) -> Iterator[tuple[str, str, float]]:
    if node.kind in ("entry", "end"):
        yield node.does, "jm-name", NORMAL
    else:
        yield cut(node.does, SMALL, MOST), f"jm-kind jm-{FAMILY[node.kind]}", SMALL
        yield cut(node.name, NORMAL, MOST), "jm-name", NORMAL
    for line in wrap(node.detail, SMALL, MOST, 3):
        yield line, "jm-text", SMALL
    if node.note:
        yield node.note, "jm-count", SMALL


def _label(way: Way) -> Iterator[tuple[str, str, float]]:
    for line in wrap(way.words, SMALL, MOST - 20, 3):
        yield line, "jm-text", SMALL
    if way.numbers:
        yield way.numbers, "jm-count", SMALL


def _head(drawing: Drawing, width: float) -> Iterator[tuple[str, str, float]]:
    yield cut(drawing.title, LARGE, width), "jm-name", LARGE
    for word, text in drawing.head:
        for line in wrap(f"{word}: {text}", SMALL + 1, width, 4):
            yield line, "jm-text", SMALL + 1


def _rows(layers: list[list[Item]], top: float) -> tuple[list[float], list[float]]:
    """Top and height of each layer. Lines that go far aside get more room below a layer to do so."""
    tops, heights = [], []
    for layer in layers:
        heights.append(max((item.height for item in layer), default=0.0))
        tops.append(top)
        aside = max((abs(b.x - item.x) for item in layer for b in item.below), default=0.0)
        top += heights[-1] + min(4 * RISE, RISE + aside * 0.08)
    return tops, heights


def _band(band: Band, k: int, tops: list[float], heights: list[float], width: float) -> Iterator[str]:
    last = min(band.last, len(tops) - 1)
    top = tops[band.first] - 9
    bottom = tops[last + 1] - 9 if last + 1 < len(tops) else tops[last] + heights[last] + 9
    name = cut(band.group, NORMAL, 150)
    yield f'<rect class="jm-band{k % 2}" x="{MARGIN / 2:g}" y="{top:.1f}" width="{width - MARGIN:.1f}" height="{bottom - top:.1f}" rx="6"/>'
    yield f'<text class="jm-phase" x="{MARGIN + 2:g}" y="{top + 20:.1f}" font-size="{NORMAL:g}">{_safe(name)}<title>{_safe(band.group)}</title></text>'


def _line(way: Way, link: Link, entered: int, items: dict[str, Item], tops: list[float], heights: list[float]) -> Iterator[str]:
    """From the lower side of the source to the upper side of the target; straight down through the layers, aside between them."""
    source, target = items[way.source], items[way.target]
    if source is target:
        return
    ends = [(source, _port(source, link, link.upward)), (target, _port(target, link, not link.upward))]

    def sides(item: Item, x: float, downwards: bool) -> list[tuple[float, float]]:
        edges = [(x, tops[item.layer]), (x, tops[item.layer] + heights[item.layer])]
        return edges if downwards else edges[::-1]

    def rim(item: Item, x: float, below: bool) -> tuple[float, float]:
        middle = tops[item.layer] + heights[item.layer] / 2
        return x, middle + (item.height / 2 if below else -item.height / 2)

    down = not link.upward
    start, finish = rim(source, ends[0][1], down), rim(target, ends[1][1], not down)
    corners = [start, sides(source, start[0], down)[1]]
    for point in link.points:
        corners += sides(point, point.x, down)
    tip = 7 if down else -7
    corners += [sides(target, finish[0], down)[0], (finish[0], finish[1] - tip)]
    path = f"M{corners[0][0]:.1f} {corners[0][1]:.1f}"
    for (x0, y0), (x1, y1) in itertools.pairwise(corners):
        middle = (y0 + y1) / 2
        path += f"V{y1:.1f}" if abs(x1 - x0) < 0.05 else f"C{x0:.1f} {middle:.1f} {x1:.1f} {middle:.1f} {x1:.1f} {y1:.1f}"
    # Of all who entered, as many as took this way: so the main way is seen at once.
    thickness = 1.4 if way.count is None else 1.0 + 3.0 * way.count / max(1, entered)
    dashed = ' stroke-dasharray="5 4"' if way.outcome in ("timeout", "else") else ""
    x, y = finish
    words = " ".join(filter(None, [f"{'enter' if way.source.startswith('$') else way.source} → {way.target.lstrip('$')}", way.words, way.numbers]))
    yield f'<g><title>{_safe(words)}</title><path class="jm-line" d="{path}" stroke-width="{thickness:.2f}"{dashed}/>'
    yield f'<path class="jm-tip" d="M{x:.1f} {y:.1f}l-4 {-tip:g}h8z"/></g>'


def _port(item: Item, link: Link, above: bool) -> float:
    """Where the way touches the node: beside its neighbours, in their order."""
    near = item.above if above else item.below
    at_source = (link.points[0] if link.points else None) in near
    mine = link.points[0] if at_source else link.points[-1]
    order = sorted(near, key=lambda n: n.x)
    step = min(22.0, (item.left + item.right - 40) / max(1, len(order)))
    return item.x + (order.index(mine) - (len(order) - 1) / 2) * step


def _node(node: Node, box: Box, item: Item, top: float) -> Iterator[str]:
    x0, x1, y0, y1 = item.x - item.left, item.x + item.right, top, top + item.height
    family = f"jm-{FAMILY[node.kind]}-box"
    middle = (y0 + y1) / 2

    def rectangle(radius: float, inset: float = 0.0, more: str = "") -> str:
        return (
            f'<rect class="{family}" x="{x0 + inset:.1f}" y="{y0 + inset:.1f}" width="{x1 - x0 - 2 * inset:.1f}" '
            f'height="{y1 - y0 - 2 * inset:.1f}" rx="{radius:g}"{more}/>'
        )

    def polygon(*corners: tuple[float, float], more: str = "") -> str:
        return f'<polygon class="{family}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in corners)}"{more}/>'

    def bar(x: float) -> str:
        return f'<path class="{family}" d="M{x:.1f} {y0:.1f}V{y1:.1f}"/>'

    tip = 12.0
    hexagon = ((x0, middle), (x0 + tip, y0), (x1 - tip, y0), (x1, middle), (x1 - tip, y1), (x0 + tip, y1))
    shapes = {
        "send": [rectangle(7)],
        "wait": [rectangle(item.height / 2)],
        "wait_for": [rectangle(item.height / 2), rectangle(item.height / 2 - 3, 3, ' fill-opacity="0"')],
        "branch": [polygon(*hexagon)],
        "split": [polygon(*hexagon, more=' stroke-dasharray="6 3"')],
        "task": [rectangle(0), bar(x0 + 6)],
        "webhook": [polygon((x0 + tip, y0), (x1, y0), (x1 - tip, y1), (x0, y1))],
        "emit": [polygon((x0, y0), (x1 - tip, y0), (x1, middle), (x1 - tip, y1), (x0, y1))],
        "start": [rectangle(0), bar(x0 + 6), bar(x1 - 6)],
        "exit": [rectangle(7, more=' stroke-width="3"')],
        "entry": [rectangle(item.height / 2)],
        "end": [rectangle(item.height / 2, more=' stroke-width="3"')],
        "unknown": [rectangle(0, more=' stroke-dasharray="3 3"')],
    }
    said = " · ".join(filter(None, [node.name.lstrip("$"), node.does if node.kind not in ("entry", "end") else "", node.detail, node.phase, node.note]))
    yield f"<g><title>{_safe(said)}</title>"
    yield from shapes.get(node.kind, [rectangle(0)])
    yield from box.draw(item.x, top + 7, "middle")
    yield "</g>"


def _style() -> str:
    def rules(ground: str, ink: str, soft: str, bands: tuple[str, str], line: str, dark: bool) -> str:
        families = ""
        for family, (_, fill, stroke, dark_fill, dark_stroke) in COLOURS.items():
            f, s = (dark_fill, dark_stroke) if dark else (fill, stroke)
            families += f".jm-{family}-box{{fill:{f};stroke:{s}}}.jm-{family}{{fill:{s}}}"
        return (
            f".jm-ground{{fill:{ground}}}.jm-name{{fill:{ink};font-weight:600}}.jm-text{{fill:{soft}}}.jm-count{{fill:{ink}}}"
            f".jm-phase{{fill:{soft};font-weight:600}}.jm-band0{{fill:{bands[0]}}}.jm-band1{{fill:{bands[1]}}}"
            f".jm-line{{fill:none;stroke:{line}}}.jm-tip{{fill:{line}}}{families}"
        )

    light = rules("#ffffff", "#1b1b1f", "#55555e", ("#f6f6f9", "#eeeef3"), "#77777f", False)
    dark = rules("#17171b", "#ececf1", "#b4b4bf", ("#1f1f25", "#26262e"), "#9a9aa5", True)
    return f"{light}@media (prefers-color-scheme:dark){{{dark}}}"


def _safe(text: str) -> str:
    """For XML, which has no place for control characters either."""
    return escape("".join(c for c in text if c in "\t\n" or unicodedata.category(c) not in ("Cc", "Cs")), quote=True)
