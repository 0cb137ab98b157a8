"""How far the next update would move the weights, for their size."""

import copy
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.errors import DivergenceError
from inkgrad.optim import Constant
from inkgrad.training.step import TrainStep

__all__ = ["UpdateMeasure", "measure_update"]


@dataclass(frozen=True)
class UpdateMeasure:
    """What one update does.

    Attributes:
        learning_rate: that of the update.
        ratios: parameter -> norm of its change / norm of its weights; of weight matrices and filters.
        refused: why the update could not be made, None if it could.
    """

    learning_rate: float
    ratios: dict[str, float]
    refused: str | None = None

    @property
    def median(self) -> float:
        """The middle one of the ratios, NaN without any."""
        return float(np.median(list(self.ratios.values()))) if self.ratios else math.nan


def measure_update(
    step: TrainStep, images: NDArray[np.float32], labels: NDArray[np.int64], *, learning_rate: float | None = None
) -> UpdateMeasure:
    """Make the next update on copies of network and optimizer, momentum and all; the training itself stays as it is.

    Args:
        step: the step of the training.
        images: float32, a batch as the network takes it.
        labels: int64 (n,).
        learning_rate: that of the update; by default the one the schedule has now.
    """
    net, optimizer = copy.deepcopy((step.net, step.optimizer))
    if learning_rate is not None:
        optimizer.schedule = Constant(learning_rate)
    net.train()
    twin = TrainStep(net, step.loss, optimizer, penalties=step.penalties, plan=False)
    before: dict[str, NDArray[Any]] = {n: p.data.copy() for n, p in net.named_parameters() if p.ndim > 1}
    rate = optimizer.learning_rate
    try:
        twin(images, labels)
    except DivergenceError as error:
        return UpdateMeasure(rate, {}, str(error))
    ratios = {
        name: float(np.linalg.norm(parameter.data - before[name]) / size)
        for name, parameter in net.named_parameters()
        if name in before and (size := float(np.linalg.norm(before[name]))) > 0
    }
    return UpdateMeasure(rate, ratios)
