"""Where the boxes and lines of a picture go: by Graphviz if it is there, else by grandalf."""

import shutil
import subprocess
from collections import defaultdict, deque
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from inkgrad.autodiff.graph import Direction

__all__ = ["Layout", "Point", "Size", "place"]

Point: TypeAlias = tuple[float, float]
Size: TypeAlias = tuple[float, float]

PATIENCE = 30.0  # seconds that `dot` may take
INCH = 72.0  # Graphviz counts in inches of 72 points


class Layout(NamedTuple):
    """Positions, in points, y downwards.

    Attributes:
        size: width and height of the picture.
        centers: of each box.
        curves: of each edge, the control points of cubic Bézier curves joined end to end: 3 k + 1 of them, the
            first on the border of its source, the last on that of its target.
    """

    size: Size
    centers: list[Point]
    curves: list[list[Point]]


def place(sizes: Sequence[Size], edges: Sequence[tuple[int, int]], direction: Direction) -> Layout:
    """Lay out a connected graph without cycles in layers.

    Args:
        sizes: width and height of each box.
        edges: (source, target) as indices of boxes; may hold a pair more than once.
        direction: where the edges point.

    >>> layout = place([(60, 30), (60, 30)], [(0, 1)], "right")
    >>> layout.centers[0][0] < layout.centers[1][0], layout.centers[0][1] == layout.centers[1][1]
    (True, True)
    """
    placed = _by_graphviz(sizes, edges, direction)
    if placed is None:
        from inkgrad.autodiff.graph_sugiyama import place_by_grandalf  # not loaded where Graphviz is

        placed = place_by_grandalf(sizes, edges, direction)
    return placed


def _by_graphviz(sizes: Sequence[Size], edges: Sequence[tuple[int, int]], direction: Direction) -> Layout | None:
    """None if there is no `dot`, or it fails or takes too long: a picture is no reason for an error."""
    program = shutil.which("dot")
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, "-Tplain"],
            input=_source(sizes, edges, direction),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
        return _parsed(done.stdout, len(sizes), edges)
    except (OSError, subprocess.SubprocessError, ValueError, LookupError):
        return None


def _source(sizes: Sequence[Size], edges: Sequence[tuple[int, int]], direction: Direction) -> str:
    return "\n".join(
        [
            "digraph {",
            f"rankdir={'LR' if direction == 'right' else 'TB'}; nodesep=0.25; ranksep=0.45;",
            # Lines end on the borders; the picture draws the arrowheads.
            'node [shape=box, fixedsize=true, label=""]; edge [dir=none];',
            *(f"n{i} [width={w / INCH:.4f}, height={h / INCH:.4f}];" for i, (w, h) in enumerate(sizes)),
            *(f"n{source} -> n{target};" for source, target in edges),
            "}",
        ]
    )


def _parsed(plain: str, count: int, edges: Sequence[tuple[int, int]]) -> Layout:
    """Read `dot -Tplain`: https://graphviz.org/docs/outputs/plain/."""
    width = height = 0.0
    centers: dict[str, Point] = {}
    curves: defaultdict[tuple[str, str], deque[list[Point]]] = defaultdict(deque)

    def point(x: str, y: str) -> Point:
        return float(x) * INCH, height - float(y) * INCH

    for line in plain.splitlines():
        kind, *words = line.split()
        if kind == "graph":
            width, height = float(words[1]) * INCH, float(words[2]) * INCH
        elif kind == "node":
            centers[words[0]] = point(words[1], words[2])
        elif kind == "edge":
            numbers = words[3 : 3 + 2 * int(words[2])]
            curves[words[0], words[1]].append([point(*numbers[i : i + 2]) for i in range(0, len(numbers), 2)])
    return Layout(
        (width, height),
        [centers[f"n{i}"] for i in range(count)],
        [curves[f"n{source}", f"n{target}"].popleft() for source, target in edges],
    )
