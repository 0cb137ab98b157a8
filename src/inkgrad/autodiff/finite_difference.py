"""Comparing a gradient with central difference quotients of the function that it belongs to."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from inkgrad.autodiff.check_report import Element, GradientRow
from inkgrad.autodiff.tensor import Array
from inkgrad.errors import DivergenceError, OptionError

__all__ = ["Comparison", "Settings", "random_signs"]

Evaluate: TypeAlias = Callable[[Array], Array]

# The step is tried again at a hundredth where the first does not agree. A kink (of relu, max, ...) that lies
# within the step spoils the quotient of a right gradient, but hardly ever lies within a hundredth of it too;
# a wrong gradient is wrong at either.
SECOND_STEP = 0.01
# Among millions of units some kink lies within any step. Which ones do depends on the direction, so that a right
# gradient agrees along one of several, and a wrong one along none.
OTHER_DIRECTIONS = 5

# A function value is known to about this many units in the last place of what changes in it.
UNITS = 8
# Below this size derivatives count as 0: a quotient at a flat point is not exactly 0.
SMALLEST = 1e-8
# Elements examined one by one to name the worst.
FEW = 128


@dataclass(frozen=True)
class Settings:
    """How to compare: the step, the relative error that still passes, and whether to try each element alone."""

    step: float
    tolerance: float
    elementwise: bool

    def __post_init__(self) -> None:
        for name, value in (("step", self.step), ("tolerance", self.tolerance)):
            if not (math.isfinite(value) and value > 0):
                raise OptionError(f"a gradient check needs a {name} above 0, but got {value}")


@dataclass(frozen=True)
class Probe:
    """A derivative along one direction from both sides, and their relative error."""

    analytic: float
    numeric: float
    error: float


def random_signs(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """A random direction, float64: magnitudes in 0.5..1.5, so that no element hides behind a factor near 0."""
    return np.asarray(rng.uniform(0.5, 1.5, shape) * rng.choice((-1.0, 1.0), shape))


class Comparison:
    """One input of a function with the gradient to check.

    The gradient belongs to L = sum_i c_i f(x)_i. Along a direction d it claims <gradient, d>; the central
    difference [L(x + h d) - L(x - h d)] / 2h measures the same up to O(h^2) (Nocedal and Wright 2006, section 8.1).

    Args:
        name: of the input, for messages.
        x: the point, float64.
        gradient: dL/dx, of the same shape.
        evaluate: f as a function of this input alone, giving a float64 array.
        cotangent: c, of the shape of f's result.
        settings: step, tolerance, mode.
    """

    def __init__(
        self, name: str, x: Array, gradient: Array, evaluate: Evaluate, cotangent: Array, settings: Settings
    ) -> None:
        self.name = name
        self.x = x
        self.gradient = gradient
        self.evaluate = evaluate
        self.cotangent = cotangent
        self.settings = settings

    def row(self, rng: np.random.Generator) -> GradientRow:
        """Compare along a random direction, or element by element, and name the worst element of a failure."""
        direction = random_signs(self.x.shape, rng)
        if not np.isfinite(self.gradient).all():
            return self._not_finite()
        if self.x.size == 0:
            return self._row(Probe(0.0, 0.0, 0.0), None)
        if self.settings.elementwise:
            worst = self._worst(range(self.x.size))
            return self._row(Probe(worst.analytic, worst.numeric, worst.relative_error), worst)
        probe = self._probe(direction)
        if self._good(probe):
            return self._row(probe, None)
        for _ in range(OTHER_DIRECTIONS):
            other = self._probe(random_signs(self.x.shape, rng))
            if self._good(other):
                return self._row(other, None)
        return self._row(probe, self._worst(self._suspects(direction)))

    def _row(self, probe: Probe, worst: Element | None) -> GradientRow:
        norm = float(np.linalg.norm(self.gradient))
        good = self._good(probe)
        return GradientRow(
            self.name, self.x.shape, norm, probe.analytic, probe.numeric, probe.error, passed=good, worst=worst
        )

    def _good(self, probe: Probe) -> bool:
        return probe.error <= self.settings.tolerance

    def _not_finite(self) -> GradientRow:
        at = int(np.flatnonzero(~np.isfinite(self.gradient))[0])
        value = float(self.gradient.flat[at])
        numeric = self._probe(self._alone(at)).numeric
        worst = Element(self._index(at), value, numeric, math.inf)
        return GradientRow(
            self.name, self.x.shape, math.inf, value, numeric, relative_error=math.inf, passed=False, worst=worst
        )

    def _probe(self, direction: Array) -> Probe:
        """The probe at the step or, if that does not agree and a hundredth of it does, at the latter."""
        probes: list[Probe] = []
        for step in (self.settings.step, self.settings.step * SECOND_STEP):
            probe = self._quotient(direction, step)
            if probe is not None and self._good(probe):
                return probe
            if probe is not None:
                probes.append(probe)
        if not probes:
            raise DivergenceError(
                f"the function to check becomes NaN or infinite a step of {self.settings.step:g} away from the given "
                f"{self.name}; choose inputs further from the edge of its domain, or a smaller step"
            )
        return probes[0]  # the larger step has the smaller rounding error

    def _quotient(self, direction: Array, step: float) -> Probe | None:
        ahead, behind = np.asarray(self.x + step * direction), np.asarray(self.x - step * direction)
        above, below = self.evaluate(ahead), self.evaluate(behind)
        if not (np.isfinite(above).all() and np.isfinite(below).all()):
            return None
        # Differences before sums: what did not change cancels exactly and adds no rounding error.
        change = above - below
        numeric = float((self.cotangent * change).sum()) / (2 * step)
        # Rounding makes the steps taken differ from the steps meant, so the taken ones are compared.
        analytic = float((self.gradient * (ahead - behind)).sum()) / (2 * step)
        # Rounding errors add up like random numbers, as the signs in the cotangent are random: a norm, not a sum.
        moving = np.maximum(np.abs(above), np.abs(below)) * (change != 0)
        rounding = UNITS * np.finfo(np.float64).eps * float(np.linalg.norm(self.cotangent * moving)) / step
        # The floor: differences that rounding of the values explains stay within the tolerance.
        floor = max(SMALLEST, rounding / self.settings.tolerance)
        return Probe(analytic, numeric, abs(analytic - numeric) / max(abs(analytic), abs(numeric), floor))

    def _suspects(self, direction: Array) -> Iterable[int]:
        """Few elements with a wrong one among them: halve the set, follow the half that is further off."""
        indices = np.arange(self.x.size)
        while indices.size > FEW:
            indices = max(np.array_split(indices, 2), key=lambda half: self._discrepancy(direction, half))
        return [int(i) for i in indices]

    def _discrepancy(self, direction: Array, indices: Array) -> float:
        part = np.zeros_like(direction)
        part.flat[indices] = direction.flat[indices]
        probe = self._probe(part)
        return abs(probe.analytic - probe.numeric)

    def _worst(self, indices: Iterable[int]) -> Element:
        worst: Element | None = None
        for at in indices:
            probe = self._probe(self._alone(at))
            if worst is None or probe.error > worst.relative_error:
                worst = Element(self._index(at), probe.analytic, probe.numeric, probe.error)
        assert worst is not None  # empty inputs never come here
        return worst

    def _alone(self, at: int) -> Array:
        direction = np.zeros_like(self.x)
        direction.flat[at] = 1
        return direction

    def _index(self, at: int) -> tuple[int, ...]:
        return tuple(int(i) for i in np.unravel_index(at, self.x.shape))
