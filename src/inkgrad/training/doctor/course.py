"""The course of a training: what its history says about how the loss went."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

__all__ = ["Course"]


@dataclass(frozen=True)
class Course:
    """The history of a training, whole epochs only: the mean over a few steps jumps about by chance.

    Attributes:
        losses: training loss of each epoch.
        validation: validation loss of each epoch, empty without validation data.
        learning_rates: after each epoch.
        first: the loss of the very first batch, NaN if it is not known.
        chance: the loss of guessing, NaN if it is not known.
        finished: whether the training has made all its steps.
    """

    losses: tuple[float, ...] = ()
    validation: tuple[float, ...] = ()
    learning_rates: tuple[float, ...] = ()
    first: float = math.nan
    chance: float = math.nan
    finished: bool = False

    @classmethod
    def of(
        cls, history: Sequence[Mapping[str, Any]], *, first: float | None, chance: float, finished: bool
    ) -> "Course":
        """From the lines of a history; null stands for NaN there."""
        whole = [line for line in history if abs(line.get("epoch", 0) - round(line.get("epoch", 0))) < 1e-3]

        def column(key: str) -> tuple[float, ...]:
            return tuple(math.nan if line[key] is None else float(line[key]) for line in whole if key in line)

        losses = column("loss")
        start = first if first is not None else losses[0] if losses else math.nan
        return cls(losses, column("validation_loss"), column("learning_rate"), start, chance, finished)

    @property
    def start(self) -> float:
        """The loss of a network that knows nothing: that of the first batch, or of guessing where that is more."""
        return max((value for value in (self.first, self.chance) if value > 0), default=math.nan)

    @property
    def progress(self) -> float:
        """By how much the last loss is below that of the first batch and that of guessing, as a share; NaN at first."""
        least = min((value for value in (self.first, self.chance) if value > 0), default=math.nan)
        return 1 - self.losses[-1] / least if self.losses else math.nan

    @property
    def peak(self) -> float:
        """The loss of the worst epoch, as a multiple of `start`."""
        return max(self.losses, default=math.nan) / self.start

    @property
    def jump(self) -> float:
        """The largest rise of the training loss from one epoch to the next, as a share of `start`."""
        return max((b - a for a, b in pairwise(self.losses)), default=0.0) / self.start

    @property
    def swing(self) -> float:
        """The largest rise of the validation loss that is followed by as large a fall, as a share of `start`."""
        values, widest = self.validation, 0.0
        for i, (a, b) in enumerate(pairwise(values)):
            fall = b - min(values[i + 2 :], default=b)
            widest = max(widest, min(b - a, fall))
        return widest / self.start

    @property
    def falling(self) -> float:
        """How much training and validation loss fell in the last epoch, the smaller of both, as a share."""
        series = [values for values in (self.losses, self.validation) if values]
        if not series or any(len(values) < 2 for values in series):
            return 0.0
        return min(1 - values[-1] / values[-2] if values[-2] > 0 else 0.0 for values in series)

    @property
    def rebound(self) -> float:
        """The last validation loss, as a multiple of the lowest one at least two epochs before; 1 without one."""
        lowest = min(self.validation[:-2], default=0.0)
        return self.validation[-1] / lowest if lowest > 0 else 1.0
