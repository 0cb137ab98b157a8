"""How fast theory says that descents converge, beside descents of the package's optimizers.

The function is a quadratic valley in 20 directions, f(w) = sum_j c_j w_j^2 / 2. Its curvatures c_j lie from mu to L = 1
evenly on a logarithmic scale, its least value is 0 at w = 0, and the start is at distance R = 1 from there, equally
far in each direction. So all that the theorems speak of is known. kappa = L / mu is the condition number.
"""

import functools
import math
from dataclasses import dataclass

import numpy as np

from inkgrad.autodiff import ops
from inkgrad.autodiff.tensor import Array
from inkgrad.errors import OptionError
from inkgrad.kernels import use_backend
from inkgrad.nn import Module, Parameter
from inkgrad.optim import SGD, Schedule
from inkgrad.random import default_rng

__all__ = ["CONDITIONS", "THEOREMS", "Convergence", "Rate", "convergence"]

DIRECTIONS = 20
CONDITIONS = (10, 100, 1000)
"""Condition numbers to choose from."""
NOISE = 0.5  # standard deviation of the gradient's noise, over all directions
RUNS = 8  # descents with noise whose mean is shown


@dataclass(frozen=True)
class Rate:
    """A descent beside what theory says of it.

    Attributes:
        name: gd, polyak, nesterov, decreasing or constant.
        measured: f(w_k) - f* at each of the steps.
        theory: its proven bound there; None where no theorem says that it goes to 0.
    """

    name: str
    measured: tuple[float, ...]
    theory: tuple[float, ...] | None


@dataclass(frozen=True)
class Convergence:
    """The descents of one theorem.

    Attributes:
        steps: k.
        rates: one or more descents.
    """

    steps: tuple[int, ...]
    rates: tuple[Rate, ...]


class _Valley(Module):
    """`runs` points that descend side by side, float64; none knows of the others."""

    def __init__(self, condition: float, runs: int = 1) -> None:
        self.w = Parameter(np.full((runs, DIRECTIONS), 1 / math.sqrt(DIRECTIONS)))
        self._curvatures = np.geomspace(1, 1 / condition, DIRECTIONS)

    def height(self, w: Array) -> float:
        """The mean of f over the points."""
        return float((self._curvatures * w * w).sum(axis=1).mean()) / 2

    def forward(self, pull: Array) -> object:
        """The sum of f(w) - pull w over the points: a random pull makes f's gradient noisy."""
        return ops.sum(self.w * self.w * self._curvatures) * 0.5 - ops.sum(self.w * pull)


class _Decreasing(Schedule):
    def __init__(self, first: float) -> None:
        self.first = first

    def __call__(self, step: int) -> float:
        return self.first / math.sqrt(step + 1)


def convergence(theorem: str, condition: int = 100) -> Convergence:
    """Descents and their theory.

    - convex: f(w_k) - f* <= L R^2 / 2k for gradient descent with rate 1/L (Beck and Teboulle 2009, theorem 3.1).
    - strongly-convex: <= L/2 ((kappa - 1) / (kappa + 1))^2k R^2 with rate 2 / (L + mu) (Nesterov 2004, theorem 2.1.15).
    - momentum: Nesterov's <= (1 - 1/sqrt(kappa))^k (f_0 - f* + mu/2 R^2) (2004, theorem 2.2.3); Polyak's heavy ball
      <= (1 + (1 + q) k)^2 q^2k (f_0 - f*) with q = (sqrt(kappa) - 1) / (sqrt(kappa) + 1), for quadratics (1964).
    - stochastic: <= (R^2 + G^2 sum rate_i^2) / 2 sum rate_i, about 1/sqrt(k), for the mean of the points weighted by
      their rates 1/sqrt(i), where G^2 bounds the mean squared gradient (Nemirovski et al. 2009, section 2.2).

    Args:
        theorem: one of `THEOREMS`.
        condition: kappa, one of `CONDITIONS`; convex and stochastic always take 1,000.

    Raises:
        OptionError: there is no such theorem or condition number.

    >>> found = convergence("convex")
    >>> all(f <= bound for f, bound in zip(found.rates[0].measured, found.rates[0].theory))
    True
    """
    if theorem not in THEOREMS:
        raise OptionError(f"there is no theorem {theorem!r}; there are {', '.join(THEOREMS)}")
    if condition not in CONDITIONS:
        raise OptionError(f"the condition number is one of {', '.join(map(str, CONDITIONS))}, but got {condition}")
    return _found(theorem, condition)


@functools.cache
def _found(theorem: str, condition: int) -> Convergence:
    with use_backend("reference"):
        return THEOREMS[theorem](condition)


def _convex(_: int) -> Convergence:
    steps = _spread(300)
    measured = _descent(_Valley(CONDITIONS[-1]), steps, 1.0)
    return Convergence(steps, (Rate("gd", measured, tuple(1 / (2 * k) for k in steps)),))


def _strongly_convex(condition: int) -> Convergence:
    steps = _even(condition)
    return Convergence(steps, (_gradient_descent(condition, steps),))


def _gradient_descent(condition: int, steps: tuple[int, ...]) -> Rate:
    factor = (condition - 1) / (condition + 1)
    measured = _descent(_Valley(condition), steps, 2 / (1 + 1 / condition))
    return Rate("gd", measured, tuple(factor ** (2 * k) / 2 for k in steps))


def _momentum(condition: int) -> Convergence:
    steps, root = _even(condition), math.sqrt(condition)
    factor = (root - 1) / (root + 1)
    valley = _Valley(condition)
    first = valley.height(valley.w.data)
    ball = _descent(valley, steps, 4 / (1 + 1 / root) ** 2, factor**2)
    ahead = _descent(_Valley(condition), steps, 1.0, factor, nesterov=True)
    return Convergence(
        steps,
        (
            _gradient_descent(condition, steps),
            Rate("polyak", ball, tuple(first * ((1 + (1 + factor) * k) * factor**k) ** 2 for k in steps)),
            Rate("nesterov", ahead, tuple((1 - 1 / root) ** k * (first + 0.5 / condition) for k in steps)),
        ),
    )


def _stochastic(_: int) -> Convergence:
    steps = _spread(600)
    start = _Valley(CONDITIONS[-1])
    squared = 2 * start.height(start.w.data) + NOISE**2  # |gradient|^2 <= 2 L f, and f does not grow on average
    first = 1 / math.sqrt(squared)
    rates = first / np.sqrt(np.arange(1, steps[-1] + 1))
    bounds = (1 + squared * np.cumsum(rates**2)) / (2 * np.cumsum(rates))
    return Convergence(
        steps,
        (
            Rate("decreasing", _noisy(steps, _Decreasing(first)), tuple(float(bounds[k - 1]) for k in steps)),
            Rate("constant", _noisy(steps, 0.5), None),
        ),
    )


def _descent(
    valley: _Valley, steps: tuple[int, ...], rate: float, momentum: float = 0.0, *, nesterov: bool = False
) -> tuple[float, ...]:
    """f after so many steps; for Nesterov's rule at the point before it looks ahead, of which the theorem speaks."""
    optimizer = SGD(valley, rate, momentum=momentum, nesterov=nesterov)
    heights = [valley.height(valley.w.data)]
    for _ in range(steps[-1]):
        before = valley.w.data.copy()
        optimizer.zero_grad()
        valley(np.zeros(1)).backward()
        gradient = valley.w.grad
        assert gradient is not None
        reached = before - rate * gradient
        optimizer.step()
        heights.append(valley.height(reached if nesterov else valley.w.data))
    return tuple(heights[k] for k in steps)


def _noisy(steps: tuple[int, ...], rate: float | Schedule) -> tuple[float, ...]:
    """The mean of f over `RUNS` descents with noise; where the rate falls, at the mean of the points so far."""
    valley, rng = _Valley(CONDITIONS[-1], RUNS), default_rng(0)
    optimizer = SGD(valley, rate)
    total, weight, heights = np.zeros_like(valley.w.data), 0.0, [valley.height(valley.w.data)]
    for _ in range(steps[-1]):
        weight += optimizer.learning_rate
        total += optimizer.learning_rate * valley.w.data
        optimizer.zero_grad()
        valley(rng.normal(0, NOISE / math.sqrt(DIRECTIONS), valley.w.shape)).backward()
        optimizer.step()
        heights.append(valley.height(valley.w.data if isinstance(rate, float) else total / weight))
    return tuple(heights[k] for k in steps)


def _spread(last: int) -> tuple[int, ...]:
    """Steps at about equal distances on a logarithmic scale, from 1."""
    return tuple(sorted({round(k) for k in np.geomspace(1, last, 30)}))


def _even(condition: int) -> tuple[int, ...]:
    last = {10: 40, 100: 120, 1000: 400}[condition]
    return tuple(range(0, last + 1, last // 40))


THEOREMS = {
    "convex": _convex,
    "strongly-convex": _strongly_convex,
    "momentum": _momentum,
    "stochastic": _stochastic,
}
"""By name."""
