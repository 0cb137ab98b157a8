"""How much a network from a file may compute for each of its inputs: a bound on memory, whatever the file says."""

import math
from collections.abc import Sequence
from contextvars import ContextVar

from inkgrad.errors import ShapeError

__all__ = ["MOST_NUMBERS", "Budget", "budget", "claim"]

MOST_NUMBERS = 1 << 26
"""Numbers that one pass may compute for one input, all results together; a large network of photos needs a third."""


class Budget:
    """What a pass may still compute.

    Args:
        inputs: how many inputs it has at once.
    """

    def __init__(self, inputs: int) -> None:
        self.left = MOST_NUMBERS * max(inputs, 1)

    def take(self, count: int) -> None:
        """Count a result.

        Raises:
            ShapeError: it is too large.
        """
        self.left -= count
        if self.left < 0:
            raise ShapeError(f"it would compute more than {MOST_NUMBERS:,} numbers for one input, which is refused")


budget: ContextVar[Budget | None] = ContextVar("inkgrad_onnx_budget", default=None)


def claim(shape: Sequence[int]) -> None:
    """Ask for a result of this shape before it is made.

    Raises:
        ShapeError: it is too large.
    """
    there = budget.get()
    if there is not None:
        there.take(math.prod(int(n) for n in shape))
