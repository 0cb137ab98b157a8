"""What the processes of a group tell each other in each step: their gradients, and a few sums beside them."""

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.errors import DivergenceError
from inkgrad.nn import Module
from inkgrad.nn.normalization import has_batch_statistics, statistics_over_parts
from inkgrad.optim.flat import FlatParameters
from inkgrad.training.answers import right_answers
from inkgrad.training.group import Group, as_message

__all__ = ["Exchange"]

LOSS, CORRECT, ENDING, FAILED, SQUARES = range(5)  # the places of the sums behind the gradient
MOST_SQUARES = 1e30


class Exchange:
    """Makes the steps of several processes one: each differentiates its part of a batch, and one message sums it all.

    The loss of a batch is the mean over its images, so it is the sum of the parts' losses, each times its share.

    Args:
        group: the processes.
        net: the network.
        parameters: its flat gradient.
        wishes_to_end: whether this process has a reason to end the training.
        classes: whether right answers are counted.

    Attributes:
        share: how much of the batch lies here; set before each step.
        copies: how many processes hold the same images; set before each step.
        squares: the sum of the squares of this part's gradient, where it is known, and NaN elsewhere; after a step
            finite only if the gradient of the whole batch is.
        within: whether the processes also talk within the forward and the backward pass.
        passed: whether both passes of this step have been made here; set during the step.
        correct: the right answers to the last batch, each as much as it counts.
        ending: whether any process had a reason to end at the last step.
    """

    def __init__(
        self,
        group: Group,
        net: Module,
        parameters: FlatParameters,
        *,
        wishes_to_end: Callable[[], bool],
        classes: bool,
    ) -> None:
        self.share, self.copies, self.squares = 1.0, 1, math.nan
        self.within, self.passed = has_batch_statistics(net), False
        self.correct, self.ending = 0.0, False
        self._group, self._parameters = group, parameters
        self._wishes_to_end, self._classes = wishes_to_end, classes

    @contextlib.contextmanager
    def telling(self) -> Iterator[None]:
        """Tell the others of an error inside the `with` block, so that it is raised by all."""
        self.squares, self.passed = math.nan, False
        try:
            if self.within:
                with statistics_over_parts(self._group.add, lambda: self.copies):
                    yield
            else:
                yield
        except Exception as error:
            if (
                self.within and not self.passed
            ):  # the others may wait within their passes, where nothing else can be told
                raise
            sums = self._sums
            sums[:] = 0
            sums[FAILED] = 1
            self._group.add(self._parameters.message)
            raise self._first_of(error) from error

    @property
    def _sums(self) -> NDArray[Any]:
        return self._parameters.message[self._parameters.gradient.size :]

    def sum(
        self, loss: float, logits: NDArray[Any], labels: NDArray[Any], weights: NDArray[np.float32] | None
    ) -> float:
        """Sum the gradients, which have their shares already; returns the loss of the whole batch.

        Raises:
            DivergenceError: of another process.
        """
        self._parameters.collect()
        sums = self._sums
        sums[:] = 0
        sums[LOSS] = loss * self.share
        if self._classes and self.share:
            sums[CORRECT] = right_answers(logits, labels, weights) / self.copies
        sums[ENDING] = self._wishes_to_end()
        # Far from the largest number, so that a sum of finite gradients is finite too, and so is this sum.
        sums[SQUARES] = self.squares if self.squares < MOST_SQUARES else math.nan
        self._group.add(self._parameters.message)
        if sums[FAILED]:
            raise self._first_of(None)
        self.correct, self.ending = float(sums[CORRECT]), bool(sums[ENDING])
        self.squares = float(sums[SQUARES])
        return float(sums[LOSS])

    def _first_of(self, error: Exception | None) -> Exception:
        """The error of the first process that has one."""
        errors = self._group.all(None if error is None else as_message(error))
        return next((one for one in errors if one is not None), DivergenceError("another process failed"))
