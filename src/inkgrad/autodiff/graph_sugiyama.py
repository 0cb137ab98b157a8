"""Layered layout without Graphviz, by the pure-Python package grandalf."""

import warnings
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from inkgrad.autodiff.graph import Direction
from inkgrad.autodiff.graph_layout import Layout, Point, Size

__all__ = ["place_by_grandalf"]

BETWEEN_LAYERS = 40.0
WITHIN_LAYER = 18.0
LANE = 10.0  # the width kept free for a line that passes a layer


def place_by_grandalf(sizes: Sequence[Size], edges: Sequence[tuple[int, int]], direction: Direction) -> Layout:
    """As `graph_layout.place`: layers, few crossings and straight lines after Sugiyama, Brandes and Köpf.

    >>> layout = place_by_grandalf([(60, 30), (60, 30)], [(0, 1)], "down")
    >>> layout.size, layout.centers
    ((60.0, 100.0), [(30.0, 15.0), (30.0, 85.0)])
    """
    # grandalf knows downwards only; to the right is downwards with the axes swapped.
    swap = direction == "right"
    turned = [(h, w) if swap else (w, h) for w, h in sizes]
    pairs = list(dict.fromkeys(edges))  # grandalf wants each pair once
    index = {pair: i for i, pair in enumerate(pairs)}
    sugiyama, vertices, lanes = _run(turned, pairs)
    extents = _spread(sugiyama)
    left = min(v.view.xy[0] - v.view.w / 2 for layer in sugiyama.layers for v in layer)
    right = max(v.view.xy[0] + v.view.w / 2 for layer in sugiyama.layers for v in layer)

    def out(x: float, y: float) -> Point:
        return (float(y), float(x - left)) if swap else (float(x - left), float(y))

    ways = [lanes(index[edge]) for edge in edges]
    ports = _ports(edges, ways, vertices)
    curves = []
    for i, (source, target) in enumerate(edges):
        points = [(ports[i, source], vertices[source].view.xy[1] + turned[source][1] / 2)]
        for rank, lane in ways[i]:
            points += [(lane.view.xy[0], extents[rank][0]), (lane.view.xy[0], extents[rank][1])]
        points.append((ports[i, target], vertices[target].view.xy[1] - turned[target][1] / 2))
        curves.append([out(x, y) for x, y in _smooth(points)])
    size = out(right, extents[-1][1])
    return Layout(size, [out(*v.view.xy) for v in vertices], curves)


def _run(sizes: Sequence[Size], pairs: Sequence[tuple[int, int]]) -> tuple[Any, list[Any], Any]:
    """The layout, a vertex for each box, and a function from a pair's index to its (rank, dummy) on the way."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its compilation on the first import, by newer Pythons
        from grandalf.graphs import Edge, Graph, Vertex
        from grandalf.layouts import SugiyamaLayout, VertexViewer
    vertices = [Vertex(i) for i in range(len(sizes))]
    for vertex, (w, h) in zip(vertices, sizes, strict=True):
        vertex.view = VertexViewer(w, h)
    links = [Edge(vertices[source], vertices[target]) for source, target in pairs]
    sugiyama = SugiyamaLayout(Graph(vertices, links).C[0])
    sugiyama.xspace, sugiyama.yspace = WITHIN_LAYER, BETWEEN_LAYERS
    sugiyama.dw, sugiyama.dh = LANE, 0.0
    targets = {target for _, target in pairs}
    # optimize: inputs stand beside the operation that takes them first, not all at the beginning.
    sugiyama.init_all(roots=[v for i, v in enumerate(vertices) if i not in targets], inverted_edges=[], optimize=True)
    sugiyama.draw()

    def lanes(i: int) -> list[tuple[int, Any]]:
        on_the_way = sorted(sugiyama.ctrls.get(links[i], {}).items())
        return on_the_way[1:-1]  # without its two ends

    return sugiyama, vertices, lanes


def _spread(sugiyama: Any) -> list[tuple[float, float]]:
    """Push apart what grandalf put too close in a layer; the upper and lower end of each layer."""
    extents = []
    for layer in sugiyama.layers:
        row = sorted(layer, key=lambda v: (v.view.xy[0], layer.index(v)))
        for before, v in pairwise(row):
            nearest = before.view.xy[0] + (before.view.w + v.view.w) / 2 + WITHIN_LAYER
            v.view.xy = (max(v.view.xy[0], nearest), v.view.xy[1])
        extents.append((min(v.view.xy[1] - v.view.h / 2 for v in row), max(v.view.xy[1] + v.view.h / 2 for v in row)))
    return extents


def _ports(
    edges: Sequence[tuple[int, int]], ways: Sequence[list[tuple[int, Any]]], vertices: Sequence[Any]
) -> dict[tuple[int, int], float]:
    """Across the flow, where each edge leaves its source and enters its target: side by side, none crossing."""
    ports: dict[tuple[int, int], float] = {}
    for end in (0, 1):
        at: defaultdict[int, list[tuple[float, int]]] = defaultdict(list)
        for i, edge in enumerate(edges):
            following = [lane for _, lane in ways[i]] or [vertices[edge[1 - end]]]
            at[edge[end]].append((following[-end].view.xy[0], i))
        for v, here in at.items():
            for k, (_, i) in enumerate(sorted(here)):
                ports[i, v] = vertices[v].view.xy[0] + vertices[v].view.w * ((k + 1) / (len(here) + 1) - 0.5)
    return ports


def _smooth(points: Sequence[Point]) -> list[Point]:
    """Bézier control points through `points` that leave and reach each along the flow, so never cut a box."""
    curve = [points[0]]
    for (x0, y0), (x1, y1) in pairwise(points):
        middle = (y0 + y1) / 2
        curve += [(x0, middle), (x1, middle), (x1, y1)]
    return curve
