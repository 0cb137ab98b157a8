"""Descents on a surface, by the package's own optimizers, step by step."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from inkgrad.autodiff.tensor import Tensor
from inkgrad.errors import DivergenceError, OptionError
from inkgrad.kernels import use_backend
from inkgrad.lessons.limits import check_rate
from inkgrad.lessons.surfaces import Surface
from inkgrad.nn import Module, Parameter
from inkgrad.optim import SGD, AdaGrad, Adam, Optimizer, RMSProp

__all__ = ["MOST_STEPS", "OPTIMIZERS", "Descent", "OutsideError", "Place", "descend", "optimizer"]

MOST_STEPS = 500
FAR = 1e6
"""A loss so many times the first one, or its distance from the least, is called divergence."""
NEAR = 1e-3
"""A descent has arrived where so much of the height it began at is left."""
LEAP = 10.0
"""A descent has leapt where it was so many times as high as it began."""

OPTIMIZERS: dict[str, Callable[[Module, float], Optimizer]] = {
    "sgd": lambda net, rate: SGD(net, rate),
    "momentum": lambda net, rate: SGD(net, rate, momentum=0.9),
    "nesterov": lambda net, rate: SGD(net, rate, momentum=0.9, nesterov=True),
    "adagrad": lambda net, rate: AdaGrad(net, rate),
    "rmsprop": lambda net, rate: RMSProp(net, rate, decay=0.9),
    "adam": lambda net, rate: Adam(net, rate),
}
"""The rules of the lessons; momentum is 0.9, and RMSProp forgets as fast."""


def optimizer(name: str, net: Module, rate: float) -> Optimizer:
    """One of `OPTIMIZERS` for a network.

    Raises:
        OptionError: there is none of that name, or the rate is not above 0 and at most 1,000,000.
    """
    if name not in OPTIMIZERS:
        raise OptionError(f"there is no optimizer {name!r}; there are {', '.join(OPTIMIZERS)}")
    check_rate(rate)
    return OPTIMIZERS[name](net, rate)


@dataclass(frozen=True)
class Place:
    """Where a descent is: x and y, the height there, and the gradient."""

    x: float
    y: float
    loss: float
    gradient: tuple[float, float]


@dataclass(frozen=True)
class Descent:
    """A path.

    Attributes:
        rate: the learning rate.
        places: the start, then one for each step; those of a path that diverges end where numbers end.
        arrived: the first step from which on nearly nothing of the height is left; None if there is none.
        diverged: the step at which the loss had grown beyond bounds; None if it never did.
        leapt: how many times as high as at the start it was, if that is 10 or more and it did not diverge; else None.
    """

    rate: float
    places: tuple[Place, ...]
    arrived: int | None
    diverged: int | None
    leapt: float | None


class OutsideError(OptionError):
    """A descent cannot begin there: `axis` is "x" or "y"."""

    def __init__(self, axis: str, message: str) -> None:
        super().__init__(message)
        self.axis = axis


class _Point(Module):
    def __init__(self, x: float, y: float) -> None:
        self.x = Parameter(np.array(x, np.float64))
        self.y = Parameter(np.array(y, np.float64))


def descend(
    surface: Surface, rule: str, rate: float, *, start: tuple[float, float] | None = None, steps: int | None = None
) -> Descent:
    """Walk down, in float64.

    Args:
        surface: where.
        rule: a name in `OPTIMIZERS`.
        rate: the learning rate.
        start: (x, y), by default the surface's own.
        steps: 1 to 500, by default the surface's own.

    Raises:
        OutsideError: the start is not in the surface's box.
        OptionError: one of the others cannot be.

    >>> from inkgrad.lessons.surfaces import surface
    >>> path = descend(surface("bowl"), "sgd", 0.5, steps=2)
    >>> [(place.x, place.y, place.loss) for place in path.places]
    [(-5.0, 2.0, 14.5), (-2.5, 1.0, 3.625), (-1.25, 0.5, 0.90625)]
    """
    x, y = surface.start if start is None else start
    for axis, value, (low, high) in (("x", x, surface.box[:2]), ("y", y, surface.box[2:])):
        if not low <= value <= high:
            raise OutsideError(
                axis,
                f"a descent on the {surface.name} begins with {axis} from {low:g} to {high:g}, but got {value:g}; "
                "begin inside the picture",
            )
    count = surface.steps if steps is None else steps
    if not 1 <= count <= MOST_STEPS:
        raise OptionError(f"a descent makes 1 to {MOST_STEPS} steps, but {count} were asked for")
    point = _Point(x, y)
    moved = optimizer(rule, point, rate)
    places, diverged = [_look(surface, point)], None
    for step in range(1, count + 1):
        place = _stepped(surface, point, moved)
        if place is None or abs(place.loss) > FAR * max(1.0, abs(places[0].loss)):
            diverged = step
        if place is not None:
            places.append(place)
        if diverged is not None:
            break
    if diverged is not None:
        return Descent(rate, tuple(places), None, diverged, None)
    return Descent(rate, tuple(places), _arrival(surface, places), None, _leap(surface, places))


def _look(surface: Surface, point: _Point) -> Place:
    """The gradient of the place is left in the point, for the next step."""
    for parameter in (point.x, point.y):
        parameter.grad = None
    with use_backend("reference"), np.errstate(all="ignore"):
        loss: Tensor = surface.at(point.x, point.y)
        loss.backward()
    x, y = point.x, point.y
    assert x.grad is not None and y.grad is not None  # the surface depends on both
    return Place(float(x.data), float(y.data), loss.item(), (float(x.grad), float(y.grad)))


def _stepped(surface: Surface, point: _Point, moved: Optimizer) -> Place | None:
    """The next place; None where numbers end."""
    try:
        with use_backend("reference"), np.errstate(all="ignore"):
            moved.step()
    except DivergenceError:
        return None
    place = _look(surface, point)
    known = (place.x, place.y, place.loss, *place.gradient)
    return place if all(math.isfinite(value) for value in known) else None


def _arrival(surface: Surface, places: list[Place]) -> int | None:
    """The first step of those at the end that are all near."""
    near = NEAR * (places[0].loss - surface.least)
    far = [step for step, place in enumerate(places) if place.loss - surface.least > near]
    first = far[-1] + 1 if far else 0
    return first if first < len(places) else None


def _leap(surface: Surface, places: list[Place]) -> float | None:
    first = places[0].loss - surface.least
    if first <= 0:
        return None  # it began at the minimum
    most = max(place.loss - surface.least for place in places) / first
    return most if most >= LEAP else None
