"""Where the nodes of a graph go: in layers from top to bottom, after Sugiyama, Tagawa and Toda (1981).

1. Groups (the phases) become bands of layers, one below the other; within a band a node's layer is the longest way to it.
2. A way becomes a chain of points, one a layer. Between two layers of nodes lies a layer of labels, where a way's first point takes the
   room of its label: so no label meets a node, another label, or another way.
3. Order in a layer: the barycentre of the neighbours, up and down, keeping the order with the fewest crossings.
4. Places: towards the neighbours' mean, as near as the widths allow (least squares under minimal distances, by pooling adjacent violators).
   Then what follows one another without a fork is put straight below one another, as far as there is room.
"""

from __future__ import annotations

import bisect
import dataclasses
import graphlib
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence

SWEEPS, PATIENCE = 24, 6


@dataclasses.dataclass(eq=False)
class Item:
    """A node, or a point of a way. It takes [x - left, x + right] of its layer."""

    left: float
    right: float
    height: float
    layer: int = 0
    x: float = 0.0
    above: list[Item] = dataclasses.field(default_factory=list)
    below: list[Item] = dataclasses.field(default_factory=list)
    is_point: bool = False


@dataclasses.dataclass(eq=False)
class Link:
    """A way between two nodes; `points` are set by `lay_out`, from source to target."""

    source: str
    target: str
    label: tuple[float, float]
    """Width and height."""
    upward: bool = False
    points: list[Item] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Band:
    """The layers [first, last] of one group."""

    group: str
    first: int
    last: int


def lay_out(nodes: dict[str, Item], links: Sequence[Link], groups: dict[str, str], gap: float) -> tuple[list[list[Item]], list[Band]]:
    """Sets layer and x of every node and point. Returns the layers from top to bottom (nodes on even ones, labels between), and the bands.

    A link to itself is not laid out; one that closes a circle goes upwards.
    """
    _turn_circles(list(nodes), links)
    bands = _layers(nodes, links, groups)
    height = 1 + max((n.layer for n in nodes.values()), default=0)
    layers: list[list[Item]] = [[] for _ in range(height)]
    for node in nodes.values():
        layers[node.layer].append(node)
    for link in links:
        if link.source != link.target:
            _chain(nodes, link, layers)
    layers = _ordered(layers)
    _place(layers, gap)
    _straighten(layers, gap)
    return layers, bands


def _turn_circles(nodes: Iterable[str], links: Sequence[Link]) -> None:
    """Marks the links that lead back to a node on the way to them."""
    out: dict[str, list[Link]] = {}
    for link in links:
        out.setdefault(link.source, []).append(link)
    done: set[str] = set()
    for root in nodes:
        if root in done:
            continue
        way, path = {root}, [(root, iter(out.get(root, ())))]
        while path:
            node, rest = path[-1]
            for link in rest:
                if link.target in way:
                    link.upward = True
                elif link.target not in done:
                    way.add(link.target)
                    path.append((link.target, iter(out.get(link.target, ()))))
                    break
            else:
                path.pop()
                way.discard(node)
                done.add(node)


def _layers(nodes: dict[str, Item], links: Sequence[Link], groups: dict[str, str]) -> list[Band]:
    before: dict[str, set[str]] = {n: set() for n in nodes}
    for link in links:
        if link.source != link.target:
            low, high = (link.target, link.source) if link.upward else (link.source, link.target)
            before[high].add(low)
    bands: list[Band] = []
    left = list(graphlib.TopologicalSorter(before).static_order())
    first = 0
    while left:
        # The group that can be had whole, else the one whose turn it is as written.
        waiting = set(left)
        ready = dict.fromkeys(groups[n] for n in nodes if n in waiting and not before[n] & waiting)
        taken = {group: _reachable(left, before, groups, group) for group in ready}
        whole = [g for g, members in taken.items() if len(members) == sum(groups[n] == g for n in left)]
        group = (whole or list(ready))[0]
        for n in taken[group]:
            nodes[n].layer = max([first, *(nodes[b].layer + 2 for b in before[n])])
        last = max(nodes[n].layer for n in taken[group])
        bands.append(Band(group, first, last + 1))
        waiting -= set(taken[group])
        left = [n for n in left if n in waiting]
        first = last + 2
    return bands


def _reachable(left: list[str], before: dict[str, set[str]], groups: dict[str, str], group: str) -> list[str]:
    """Those of the group that wait for none but each other. `left` and the answer have none before what it waits for."""
    waiting, taken = set(left), []
    for n in left:
        if groups[n] == group and not before[n] & waiting:
            taken.append(n)
            waiting.discard(n)
    return taken


def _chain(nodes: dict[str, Item], link: Link, layers: list[list[Item]]) -> None:
    top, bottom = nodes[link.source], nodes[link.target]
    if link.upward:
        top, bottom = bottom, top
    labelled = bottom.layer - 1 if link.upward else top.layer + 1
    previous = top
    for layer in range(top.layer + 1, bottom.layer):
        width, height = link.label if layer == labelled else (0.0, 0.0)
        point = Item(8.0, 8.0 + width, height, layer, is_point=True)
        layers[layer].append(point)
        link.points.append(point)
        previous.below.append(point)
        point.above.append(previous)
        previous = point
    previous.below.append(bottom)
    bottom.above.append(previous)
    if link.upward:
        link.points.reverse()


def _ordered(layers: list[list[Item]]) -> list[list[Item]]:
    best, fewest = layers, _crossings(layers)
    current, idle = layers, 0
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        current = [list(layer) for layer in current]
        places = {id(item): float(k) for layer in current for k, item in enumerate(layer)}
        for layer in current if down else reversed(current):

            def centre(item: Item, down: bool = down, places: dict[int, float] = places) -> float:
                near = item.above if down else item.below
                return sum(places[id(n)] for n in near) / len(near) if near else places[id(item)]

            layer.sort(key=centre)   # stable: ties keep the written order
            places.update((id(item), float(k)) for k, item in enumerate(layer))
        crossings = _crossings(current)
        idle = 0 if crossings < fewest else idle + 1
        if crossings < fewest:
            best, fewest = current, crossings
        if fewest == 0 or idle == PATIENCE:
            break
    return best


def _crossings(layers: list[list[Item]]) -> int:
    count = 0
    for layer, below in itertools.pairwise(layers):
        place = {id(item): k for k, item in enumerate(below)}
        seen: list[int] = []   # sorted ends of the lines so far, from left to right
        for item in layer:
            ends = sorted(place[id(b)] for b in item.below)
            count += sum(len(seen) - bisect.bisect_right(seen, end) for end in ends)
            for end in ends:
                bisect.insort(seen, end)
    return count


def _place(layers: list[list[Item]], gap: float) -> None:
    for layer in layers:
        at = 0.0
        for item in layer:
            item.x = at + item.left
            at = item.x + item.right + gap
    for sweep in range(4 * SWEEPS):
        moved = 0.0
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            wanted, weights = [], []
            for item in layer:
                near = item.above + item.below
                # Points follow points the most, so that long ways are straight.
                pull = [4.0 if item.is_point and n.is_point else 1.0 for n in near]
                wanted.append(sum(w * n.x for w, n in zip(pull, near, strict=True)) / sum(pull) if near else item.x)
                weights.append(sum(pull) or 0.1)
            for item, x in zip(layer, _apart(layer, wanted, weights, gap), strict=True):
                moved = max(moved, abs(item.x - x))
                item.x = x
        if moved < 0.5:
            break


def _apart(layer: list[Item], wanted: list[float], weights: list[float], gap: float) -> list[float]:
    """The places nearest to the wanted ones (weighted least squares) at which the items, in their order, do not overlap."""
    shift = [0.0]
    for a, b in itertools.pairwise(layer):
        shift.append(shift[-1] + a.right + gap + b.left)
    pools: list[tuple[float, float, int]] = []   # mean, weight, how many
    for x, w, s in zip(wanted, weights, shift, strict=True):
        mean, weight, many = x - s, w, 1
        while pools and pools[-1][0] > mean:
            m, v, k = pools.pop()
            mean, weight, many = (mean * weight + m * v) / (weight + v), weight + v, many + k
        pools.append((mean, weight, many))
    means = [mean for mean, _, many in pools for _ in range(many)]
    return [m + s for m, s in zip(means, shift, strict=True)]


def _straighten(layers: list[list[Item]], gap: float) -> None:
    room = {}   # of an item: its neighbours in the layer
    for layer in layers:
        for k, item in enumerate(layer):
            room[id(item)] = (layer[k - 1] if k else None, layer[k + 1] if k + 1 < len(layer) else None)

    def bounds(item: Item) -> tuple[float, float]:
        before, after = room[id(item)]
        low = -math.inf if before is None else before.x + before.right + gap + item.left
        return low, math.inf if after is None else after.x - after.left - gap - item.right

    for run in [*sorted(_runs(layers), key=len, reverse=True)] * 3:
        rest = run
        while rest:
            low, high, many = -math.inf, math.inf, 0
            for item in rest:
                a, b = bounds(item)
                if max(low, a) > min(high, b):
                    break
                low, high, many = max(low, a), min(high, b), many + 1
            part, rest = rest[: max(1, many)], rest[max(1, many) :]
            if many:
                x = min(max(sum(item.x for item in part) / many, low), high)
                for item in part:
                    item.x = x


def _runs(layers: list[list[Item]]) -> Iterator[list[Item]]:
    """The longest chains without a fork, from above to below."""

    def only(item: Item) -> Item | None:
        follows = item.below[0] if len(item.below) == 1 else None
        return follows if follows is not None and len(follows.above) == 1 else None

    within = {id(only(item)) for layer in layers for item in layer}
    for layer in layers:
        for item in layer:
            if id(item) not in within:
                run, follows = [item], only(item)
                while follows is not None:
                    run.append(follows)
                    follows = only(follows)
                yield run
