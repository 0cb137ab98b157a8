"""Four surfaces over a plane to descend on: a bowl, a ravine, a saddle, and Rosenbrock's valley."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from inkgrad.errors import OptionError

__all__ = ["SURFACES", "Contour", "Surface", "surface"]

Line = tuple[tuple[float, float], ...]

GRID = 81
"""Points from bottom to top at which a surface is known to its contours, and half as many as from left to right."""
LEVELS = 14


@dataclass(frozen=True)
class Contour:
    """Where a surface has one height.

    Attributes:
        level: the height.
        lines: each a tuple of (x, y).
    """

    level: float
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Surface:
    """A function of two numbers.

    Attributes:
        name: bowl, ravine, saddle or rosenbrock.
        formula: for people.
        at: computes it, of two tensors or two arrays.
        box: (left, right, bottom, top), the part to look at.
        start: where a descent begins, (x, y).
        minima: where it is least.
        least: how low that is.
        steps: how many a descent usually makes.
        rates: optimizer -> learning rates too small, right and too large for it here: still on its way after `steps`;
            arrived by then; diverged, or leapt up. On Rosenbrock's valley those without momentum do not arrive at any.
        bend: contours stand at equal distances of (height - least) ** (1 / bend).
    """

    name: str
    formula: str
    at: Callable[[Any, Any], Any]
    box: tuple[float, float, float, float]
    start: tuple[float, float]
    minima: tuple[tuple[float, float], ...]
    least: float
    steps: int
    rates: Mapping[str, tuple[float, float, float]]
    bend: float = 2.0

    def contours(self) -> tuple[Contour, ...]:
        """Lines of equal height, from the lowest up.

        >>> lines = surface("bowl").contours()
        >>> x, y = lines[3].lines[0][0]
        >>> abs(surface("bowl").at(x, y) - lines[3].level) < 0.01
        True
        """
        from contourpy import contour_generator

        left, right, bottom, top = self.box
        x, y = np.linspace(left, right, 2 * GRID - 1), np.linspace(bottom, top, GRID)
        height = self.at(*np.meshgrid(x, y)) - self.least
        generator = contour_generator(x, y, height)
        levels = float(height.max()) * (np.arange(1, LEVELS + 1) / (LEVELS + 1)) ** self.bend
        lines = ((float(level) + self.least, tuple(map(_line, generator.lines(level)))) for level in levels)
        return tuple(Contour(level, found) for level, found in lines if found)


def _line(points: Any) -> Line:
    return tuple((round(float(x), 3), round(float(y), 3)) for x, y in points)


_RULES = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam")


def _rates(*rates: tuple[float, float, float]) -> dict[str, tuple[float, float, float]]:
    return dict(zip(_RULES, rates, strict=True))


_ALL = (
    Surface(
        "bowl",
        "x²/2 + y²/2",
        lambda x, y: x * x / 2 + y * y / 2,
        (-6.0, 6.0, -3.0, 3.0),
        (-5.0, 2.0),
        ((0.0, 0.0),),
        0.0,
        80,
        _rates(
            (0.01, 0.3, 2.2),
            (0.001, 0.1, 4.2),
            (0.001, 0.2, 2.0),
            (0.1, 1.5, 40.0),
            (0.02, 0.15, 5.0),
            (0.02, 0.5, 20.0),
        ),
    ),
    Surface(
        "ravine",
        "x²/200 + y²",
        lambda x, y: x * x / 200 + y * y,
        (-10.0, 10.0, -4.0, 4.0),
        (-8.0, 2.0),
        ((0.0, 0.0),),
        0.0,
        300,
        _rates(
            (0.01, 0.9, 1.1),
            (0.001, 0.3, 2.2),
            (0.001, 0.3, 1.0),
            (0.05, 1.0, 20.0),
            (0.003, 0.07, 3.0),
            (0.005, 0.3, 20.0),
        ),
    ),
    Surface(
        "saddle",
        "x²/2 + y⁴/4 − y²/2",
        lambda x, y: x * x / 2 + y * y * y * y / 4 - y * y / 2,
        (-3.0, 3.0, -1.5, 1.5),
        (-2.5, 0.02),
        ((0.0, -1.0), (0.0, 1.0)),
        -0.25,
        80,
        _rates(
            (0.01, 0.3, 2.2),
            (0.001, 0.1, 4.2),
            (0.001, 0.1, 2.0),
            (0.05, 0.7, 20.0),
            (0.01, 0.07, 3.0),
            (0.01, 0.2, 10.0),
        ),
    ),
    Surface(
        "rosenbrock",
        "(1 − x)² + 100 (y − x²)²",
        lambda x, y: (1 - x) * (1 - x) + 100 * (y - x * x) * (y - x * x),
        (-2.4, 2.4, -0.6, 1.8),
        (-1.2, 1.0),
        ((1.0, 1.0),),
        0.0,
        400,
        _rates(
            (0.0002, 0.0025, 0.01),
            (0.00003, 0.0015, 0.02),
            (0.00003, 0.001, 0.01),
            (0.02, 0.7, 10.0),
            (0.0005, 0.01, 3.0),
            (0.003, 0.5, 10.0),
        ),
        bend=5.0,
    ),
)
SURFACES = {one.name: one for one in _ALL}
"""By name. The last is of Rosenbrock, The Computer Journal 3 (1960)."""


def surface(name: str) -> Surface:
    """One of `SURFACES`.

    Raises:
        OptionError: there is none of that name.

    >>> surface("rosenbrock").at(1.0, 1.0)
    0.0
    """
    if name not in SURFACES:
        raise OptionError(f"there is no surface {name!r}; there are {', '.join(SURFACES)}")
    return SURFACES[name]
