"""Where the nodes and edges of a graph go in a picture that a page draws."""

import functools
import unicodedata
from typing import NamedTuple

from inkgrad.autodiff.graph import Direction, Graph, GraphNode
from inkgrad.autodiff.graph_layout import Layout, place
from inkgrad.lessons.rules import RULES

__all__ = ["Drawing", "NodeBox", "draw"]

HEIGHT = 62.0
NARROWEST = 92.0
CHARACTER = 9.0
MARGIN = 20.0


class NodeBox(NamedTuple):
    """A node: its middle, its width and height, and what stands in its first line."""

    title: str
    x: float
    y: float
    width: float
    height: float


class Drawing(NamedTuple):
    """A picture: its width and height, a box for each node, and for each edge the points of its Bézier curve."""

    width: float
    height: float
    boxes: tuple[NodeBox, ...]
    curves: tuple[tuple[tuple[float, float], ...], ...]


def draw(graph: Graph, direction: Direction) -> Drawing:
    """Lay out a graph of numbers; the same graph with other values gets the same picture.

    >>> from inkgrad.lessons import Expression
    >>> drawing = draw(Expression("2*x").walk({}).graph, "right")
    >>> [box.title for box in drawing.boxes], len(drawing.curves)
    (['2', 'x', '×'], 2)
    """
    titles = tuple(_title(node) for node in graph.nodes)
    edges = tuple((edge.source, edge.target) for edge in graph.edges)
    sizes = tuple((max(NARROWEST, _wide(title) * CHARACTER + MARGIN), HEIGHT) for title in titles)
    layout = _placed(sizes, edges, direction)
    boxes = tuple(NodeBox(t, *c, *size) for t, c, size in zip(titles, layout.centers, sizes, strict=True))
    return Drawing(*layout.size, boxes, tuple(tuple(curve) for curve in layout.curves))


def _title(node: GraphNode) -> str:
    return RULES[node.op].symbol if node.kind == "op" else node.title


def _wide(text: str) -> int:
    """Columns: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


@functools.lru_cache(maxsize=64)
def _placed(sizes: tuple[tuple[float, float], ...], edges: tuple[tuple[int, int], ...], direction: Direction) -> Layout:
    return place(sizes, edges, direction)
