"""A computational graph as a standalone SVG picture."""

from collections.abc import Sequence
from html import escape

from inkgrad.autodiff.graph import Direction, Graph, GraphNode
from inkgrad.autodiff.graph_layout import Point, place
from inkgrad.autodiff.graph_text import BORDER, FILL, GRADIENT, INK, MUTED, VALUE, Line, lines

__all__ = ["to_svg"]

FONT = "Helvetica, Arial, sans-serif"
FONT_SIZE = 11
LINE_HEIGHT = 15
PADDING = 8
MARGIN = 16
LEGEND_HEIGHT = 26
LEGEND_WIDTH = 390
# Nobody knows the reader's font; its widest usual substitute, DejaVu Sans, needs this much for a character.
CHARACTER = 6.7
BOLD_CHARACTER = 7.5


def to_svg(graph: Graph, direction: Direction) -> str:
    """See `Graph.to_svg`."""
    texts = [lines(node) for node in graph.nodes]
    sizes = [_size(text) for text in texts]
    layout = place(sizes, [(edge.source, edge.target) for edge in graph.edges], direction)
    width = max(layout.size[0], LEGEND_WIDTH) + 2 * MARGIN
    height = layout.size[1] + 2 * MARGIN + LEGEND_HEIGHT
    out = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" font-family="{FONT}" font-size="{FONT_SIZE}">',
        f"<title>{escape(repr(graph).strip('<>'))}</title>",
        '<defs><marker id="inkgrad-arrow" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" markerHeight="8" '
        'markerUnits="userSpaceOnUse" orient="auto">'
        f'<path d="M0.5 0.8 L7.5 4 L0.5 7.2 Z" fill="{MUTED}"/></marker></defs>',
        '<rect class="paper" width="100%" height="100%" fill="#FFFFFF"/>',
        f'<g transform="translate({MARGIN} {MARGIN})">',
        f'<g class="edges" fill="none" stroke="{MUTED}" stroke-width="1.1">',
        *(f'<path d="{_path(curve)}" marker-end="url(#inkgrad-arrow)"/>' for curve in layout.curves),
        "</g>",
    ]
    for node, text, size, center in zip(graph.nodes, texts, sizes, layout.centers, strict=True):
        out += _box(node, text, size, center)
    out += ["</g>", *_legend(height - MARGIN), "</svg>", ""]
    return "\n".join(out)


def _size(text: Sequence[Line]) -> Point:
    widest = max(len(line.text) * (BOLD_CHARACTER if line.bold else CHARACTER) for line in text)
    return round(widest + 2 * PADDING, 1), len(text) * LINE_HEIGHT + 2 * PADDING - 4


def _path(curve: Sequence[Point]) -> str:
    (x, y), *rest = curve
    return f"M{x:.1f} {y:.1f} C" + " ".join(f"{x:.1f} {y:.1f}" for x, y in rest)


def _box(node: GraphNode, text: Sequence[Line], size: Point, center: Point) -> list[str]:
    left, top = center[0] - size[0] / 2, center[1] - size[1] / 2
    dashes = ' stroke-dasharray="3 2"' if node.kind == "constant" else ""
    out = [
        f'<g class="node {node.kind}" data-id="{node.id}">',
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{size[0]:.1f}" height="{size[1]:.1f}" '
        f'rx="{7 if node.kind == "op" else 2}" fill="{FILL[node.kind]}" stroke="{BORDER[node.kind]}"{dashes}/>',
    ]
    for i, line in enumerate(text):
        y = top + PADDING + FONT_SIZE - 2 + i * LINE_HEIGHT
        weight = ' font-weight="bold"' if line.bold else ""
        out.append(
            f'<text x="{center[0]:.1f}" y="{y:.1f}" text-anchor="middle" fill="{line.color}"{weight}>'
            f"{escape(line.text)}</text>"
        )
    return [*out, "</g>"]


def _legend(y: float) -> list[str]:
    """What colors and frames mean, in the lower left corner."""
    out = ['<g class="legend">']
    words = (("= value (forward)", VALUE, 120), ("∂ gradient (backward)", GRADIENT, 145))
    x = float(MARGIN)
    for text, color, width in words:
        out.append(f'<text x="{x:.0f}" y="{y:.0f}" fill="{color}">{text}</text>')
        x += width
    for kind, text, width in (("leaf", "leaf", 42), ("constant", "constant", 0)):
        dashes = ' stroke-dasharray="3 2"' if kind == "constant" else ""
        out.append(
            f'<path d="M{x:.0f} {y - 9:.0f} h12 v10 h-12 Z" fill="{FILL[kind]}" stroke="{BORDER[kind]}"{dashes}/>'
            f'<text x="{x + 17:.0f}" y="{y:.0f}" fill="{INK}">{text}</text>'
        )
        x += width + 17
    return [*out, "</g>"]
