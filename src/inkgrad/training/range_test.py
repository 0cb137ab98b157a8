"""The learning-rate range test: which rates make a network learn, in a few hundred steps."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.errors import DivergenceError, OptionError, RunError
from inkgrad.optim import Constant
from inkgrad.training.checkpoint import training_kept
from inkgrad.training.threads import blas_threads
from inkgrad.training.trainer import Trainer

__all__ = ["RangeTest", "range_test"]

_TOGETHER = 5  # losses in the mean that tells whether they run away
_LIMIT = 4.0  # times the lowest mean
_LEAST_FALL = 0.05  # of the first loss; less is chance


@dataclass(frozen=True)
class RangeTest:
    """The losses of a range test, and what they suggest.

    Attributes:
        rates: float64 (n,), the learning rate of each step, rising.
        losses: float64 (n,), the loss of each step, before its update.
        smoothed: float64 (n,), the losses smoothed by a Gaussian over the logarithm of the rate.
        ran_away: whether the loss ran away before the highest rate.
        steepest: the rate at which the smoothed loss falls fastest over the logarithm of the rate.
        minimum: the rate at which the smoothed loss is lowest.
    """

    rates: NDArray[np.float64]
    losses: NDArray[np.float64]
    smoothed: NDArray[np.float64]
    ran_away: bool
    steepest: float
    minimum: float

    @property
    def suggestion(self) -> float:
        """A base rate to begin with: where the loss falls fastest, but at most a tenth of the rate of its minimum."""
        return min(self.steepest, self.minimum / 10)

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON holds it."""
        return {
            "suggestion": self.suggestion,
            "steepest": self.steepest,
            "minimum": self.minimum,
            "ran_away": self.ran_away,
            "rates": self.rates.tolist(),
            "losses": self.losses.tolist(),
            "smoothed": self.smoothed.tolist(),
        }


def range_test(
    trainer: Trainer, *, lowest: float = 1e-6, highest: float = 10.0, steps: int = 200, smoothing: float = 0.02
) -> RangeTest:
    """Train with a rate that rises exponentially, until the loss runs away (Smith 2015, arXiv 1506.01186).

    Step i of n is made at lowest * (highest / lowest)^(i / (n - 1)). The test ends early where the mean of five losses
    exceeds four times the lowest such mean, or where anything becomes NaN or infinite. Afterwards weights, optimizer,
    order of the images and random generators are what they were before.

    Args:
        trainer: the training in question; its batch size, optimizer, penalties and augmentation count.
        lowest: the first rate.
        highest: the last.
        steps: updates from the one to the other.
        smoothing: standard deviation of the Gaussian, as a share of all steps.

    Raises:
        OptionError: rates that do not rise, too few steps, or a negative smoothing.
        RunError: the loss hardly falls, so there is nothing to suggest.

    >>> import inkgrad as ig
    >>> trainer = ig.training.assemble(ig.training.Settings(optimizer="adam"), ig.data.load("digits"))
    >>> found = range_test(trainer, steps=100)
    >>> 1e-4 < found.suggestion <= found.minimum < 1
    True
    """
    _check(lowest, highest, steps, smoothing)
    rates = np.geomspace(lowest, highest, steps)
    losses = np.array(_losses(trainer, rates))
    tried = rates[: len(losses)]
    if len(losses) < _TOGETHER:
        raise RunError(f"the loss is lost at once, at a learning rate of {lowest:g}; begin lower")
    smoothed = _smoothed(losses, max(smoothing * steps, 1e-3))
    best = int(smoothed.argmin())
    if smoothed[best] > (1 - _LEAST_FALL) * smoothed[0]:
        raise RunError(
            f"the loss hardly fell between the learning rates {tried[0]:.3g} and {tried[-1]:.3g} (from "
            f"{smoothed[0]:.3g} to {smoothed[best]:.3g}), so there is nothing to suggest; try other rates or more steps"
        )
    if best == len(tried) - 1 and len(tried) == steps:
        raise RunError(
            f"the loss still fell at the highest learning rate, {highest:g}, so there is nothing to suggest yet; test "
            f"higher ones (--highest)"
        )
    falling = np.gradient(smoothed, np.log(tried))[: best + 1]
    return RangeTest(tried, losses, smoothed, len(tried) < steps, float(tried[falling.argmin()]), float(tried[best]))


def _check(lowest: float, highest: float, steps: int, smoothing: float) -> None:
    if not 0 < lowest < highest < math.inf:
        raise OptionError(
            f"the learning rates of a range test must rise from above 0, but go from {lowest:g} to {highest:g}"
        )
    if steps < 10:
        raise OptionError(f"a range test needs at least 10 steps, but got {steps}")
    if not 0 <= smoothing < 1:
        raise OptionError(f"the smoothing of a range test must be from 0 to below 1, but is {smoothing:g}")


def _losses(trainer: Trainer, rates: NDArray[np.float64]) -> list[float]:
    """The loss of each step, as long as it does not run away."""
    step, losses, lowest = trainer.step, list[float](), math.inf
    schedule, training = step.optimizer.schedule, step.net.training
    with training_kept(trainer), blas_threads(trainer.largest_product()):
        step.net.train()
        try:
            for rate, batch in zip(rates, _batches(trainer), strict=False):
                step.optimizer.schedule = Constant(float(rate))
                losses.append(step(*batch))
                mean = sum(losses[-_TOGETHER:]) / _TOGETHER
                if len(losses) < _TOGETHER:
                    continue
                lowest = min(lowest, mean)
                if mean > _LIMIT * lowest:
                    break
        except DivergenceError:
            pass
        finally:
            step.optimizer.schedule = schedule
            if not training:
                step.net.eval()
    return losses


def _batches(trainer: Trainer) -> Iterator[Any]:
    """Batches without an end, epoch after epoch."""
    while True:
        yield from trainer.batches()


def _smoothed(losses: NDArray[np.float64], deviation: float) -> NDArray[np.float64]:
    """By a Gaussian of so many steps; a filter that looks to both sides does not lag behind."""
    from scipy.ndimage import gaussian_filter1d

    smoothed: NDArray[np.float64] = gaussian_filter1d(losses, deviation, mode="nearest")
    return smoothed
