"""The words and colors of a node in a picture: the same for DOT and SVG."""

from typing import NamedTuple

import numpy as np

from inkgrad.autodiff.graph import GraphNode
from inkgrad.autodiff.tensor import Array

__all__ = ["BORDER", "FILL", "GRADIENT", "INK", "MUTED", "VALUE", "Line", "lines", "summary"]

# Blue and vermilion of Okabe and Ito's palette, which all kinds of color vision tell apart, darkened until
# text in them has a contrast of at least 5 to 1 with the fills below. Symbols say the same without color.
VALUE = "#005A9C"
GRADIENT = "#A63F00"
INK = "#1F2328"
MUTED = "#59636E"
BORDER = {"leaf": "#1F2328", "constant": "#8C959F", "op": "#8C959F"}
FILL = {"leaf": "#FFF8E1", "constant": "#F3F4F6", "op": "#FFFFFF"}

FEW = 4  # elements that are printed one by one
LONGEST = 28  # characters of a name


class Line(NamedTuple):
    """A line of text in a node."""

    text: str
    color: str
    bold: bool = False


def lines(node: GraphNode, *, scope: bool = True) -> list[Line]:
    """Name, scope if wanted, shape, value and gradient of a node, in this order; what it has not is left out."""
    found = [Line(_shortened(node.title), INK, bold=True)]
    if scope and node.scope:
        found.append(Line(f"in {_shortened(node.scope)}", MUTED))
    if node.value.size > FEW:
        found.append(Line(f"shape {node.shape}", MUTED))
    found.append(Line(f"= {summary(node.value)}", VALUE))
    if node.gradient is not None:
        found.append(Line(f"∂ {summary(node.gradient)}", GRADIENT))
    return found


def summary(array: Array) -> str:
    """A few numbers in full, of many the mean with the smallest and the largest.

    >>> summary(np.array([[1.5, 2.0]])), summary(np.arange(10.0))
    ('[[1.5 2]]', 'mean 4.5, 0 … 9')
    """
    if array.size <= FEW:
        return _listed(array)
    with np.errstate(all="ignore"):  # NaN and infinity are shown as they are
        low, mean, high = (float(part) for part in (array.min(), array.mean(), array.max()))
    return f"mean {_number(mean)}, {_number(low)} … {_number(high)}"


def _listed(array: Array) -> str:
    if array.ndim == 0:
        return _number(float(array))
    return f"[{' '.join(_listed(part) for part in array)}]"


def _number(value: float) -> str:
    if not np.isfinite(value):
        return str(value)
    text = f"{value:.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.4g}"
    return text.replace("-", "−")


def _shortened(name: str) -> str:
    """The end of a long name says more than its beginning: "…encoder.layers.11.attention"."""
    name = "".join(c if c.isprintable() else "�" for c in name)  # control characters are no XML
    return name if len(name) <= LONGEST else "…" + name[1 - LONGEST :]
