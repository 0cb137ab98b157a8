"""Learning rates as functions of the step: step number (from 0) -> rate."""

import math
from abc import ABC, abstractmethod
from numbers import Real

from inkgrad.errors import OptionError

__all__ = ["Constant", "Cosine", "Exponential", "OneCycle", "Schedule", "Step", "WarmUp"]


class Schedule(ABC):
    """A learning rate for each step. The base rate is positive; the rate may reach 0 on the way."""

    @abstractmethod
    def __call__(self, step: int) -> float:
        """The rate of step number `step`, counted from 0."""


def _check_rate(rate: object) -> float:
    if not isinstance(rate, Real) or not 0 < float(rate) < math.inf:
        raise OptionError(f"the learning rate must be positive and finite, but is {rate!r}")
    return float(rate)


def _check_steps(name: str, steps: int) -> int:
    if steps < 1:
        raise OptionError(f"a schedule needs {name} of at least 1, but got {steps}")
    return int(steps)


class Constant(Schedule):
    """Always `rate`."""

    def __init__(self, rate: float) -> None:
        self.rate = _check_rate(rate)

    def __call__(self, step: int) -> float:
        """The rate, whatever the step."""
        del step
        return self.rate


class Step(Schedule):
    """rate * factor^(step // every): a drop by `factor` every so many steps.

    >>> [Step(1.0, every=2, factor=0.5)(i) for i in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    def __init__(self, rate: float, *, every: int, factor: float = 0.1) -> None:
        self.rate = _check_rate(rate)
        self.every = _check_steps("every", every)
        if not 0 <= factor <= 1:
            raise OptionError(f"Step needs a factor in 0..1, but got {factor}")
        self.factor = factor

    def __call__(self, step: int) -> float:
        """The rate of step number `step`."""
        return self.rate * float(self.factor ** (step // self.every))


class Exponential(Schedule):
    """rate * factor^(step / steps): smoothly down by `factor` over `steps` steps.

    >>> round(Exponential(1.0, steps=10, factor=0.01)(5), 3)
    0.1
    """

    def __init__(self, rate: float, *, steps: int, factor: float = 0.01) -> None:
        self.rate = _check_rate(rate)
        self.steps = _check_steps("steps", steps)
        if not 0 < factor <= 1:
            raise OptionError(f"Exponential needs a factor in (0, 1], but got {factor}")
        self.factor = factor

    def __call__(self, step: int) -> float:
        """The rate of step number `step`."""
        return self.rate * float(self.factor ** (step / self.steps))


class Cosine(Schedule):
    """Half a cosine from `rate` to `final` over `steps` steps (Loshchilov and Hutter 2017, arXiv 1608.03983).

    >>> [round(Cosine(1.0, steps=4)(i), 3) for i in range(6)]
    [1.0, 0.854, 0.5, 0.146, 0.0, 0.0]
    """

    def __init__(self, rate: float, *, steps: int, final: float = 0.0) -> None:
        self.rate = _check_rate(rate)
        self.steps = _check_steps("steps", steps)
        if not 0 <= final <= rate:
            raise OptionError(f"Cosine needs a final rate between 0 and {rate}, but got {final}")
        self.final = final

    def __call__(self, step: int) -> float:
        """The rate of step number `step`; `final` after the last."""
        part = min(step / self.steps, 1.0)
        return self.final + (self.rate - self.final) * (1 + math.cos(math.pi * part)) / 2


class WarmUp(Schedule):
    """A straight line up to the first rate of `after` over `steps` steps, then `after` from its beginning.

    >>> [WarmUp(Constant(1.0), steps=4)(i) for i in range(6)]
    [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    """

    def __init__(self, after: Schedule, *, steps: int) -> None:
        self.after = after
        self.steps = _check_steps("steps", steps)

    def __call__(self, step: int) -> float:
        """The rate of step number `step`."""
        if step < self.steps:
            return self.after(0) * (step + 1) / self.steps
        return self.after(step - self.steps)


class OneCycle(Schedule):
    """Up to `rate` over the first part of `steps`, then down to 0, both half a cosine (Smith 2018, arXiv 1708.07120).

    Args:
        rate: the highest rate.
        steps: the length of the whole.
        rise: the part of it that rises.
        start: the first rate as a part of the highest.

    >>> [round(OneCycle(1.0, steps=10, rise=0.2)(i), 2) for i in (0, 1, 2, 6, 10)]
    [0.04, 0.52, 1.0, 0.5, 0.0]
    """

    def __init__(self, rate: float, *, steps: int, rise: float = 0.25, start: float = 0.04) -> None:
        self.rate = _check_rate(rate)
        self.steps = _check_steps("steps", steps)
        if not (0 < rise < 1 and 0 < start <= 1):
            raise OptionError(f"OneCycle needs rise in (0, 1) and start in (0, 1], but got {rise} and {start}")
        self.rise = rise
        self.start = start

    def __call__(self, step: int) -> float:
        """The rate of step number `step`; 0 after the last."""
        peak = self.rise * self.steps
        if step < peak:
            low = self.rate * self.start
            return low + (self.rate - low) * (1 - math.cos(math.pi * step / peak)) / 2
        part = min((step - peak) / (self.steps - peak), 1.0)
        return self.rate * (1 + math.cos(math.pi * part)) / 2
