"""What ends the training of an estimator, and which weights it leaves."""

from typing import Any

from inkgrad.nn import load_state, state_of
from inkgrad.training import Callback, EarlyStopping, Trainer

__all__ = ["BestWeights", "stopping"]


class BestWeights(Callback):
    """Keeps the weights of the epoch with the least validation loss, and puts them back at the end."""

    def __init__(self) -> None:
        self.best = float("inf")
        self._kept: dict[str, Any] | None = None

    def on_epoch(self, trainer: Trainer, record: dict[str, Any]) -> None:
        """Keep this epoch's weights if they are the best so far."""
        if record["validation_loss"] < self.best:
            self.best, self._kept = record["validation_loss"], state_of(trainer.step.net)

    def on_end(self, trainer: Trainer) -> None:
        """Put the best ones back."""
        if self._kept is not None:
            load_state(trainer.step.net, self._kept)


def stopping(patience: int | None, tol: float, *, validated: bool) -> list[Callback]:
    """The callbacks that end a training which no longer gets better, by the validation loss where there is one."""
    if patience is None:
        return []
    measure = "validation_loss" if validated else "loss"
    ends = EarlyStopping(patience, minimum_improvement=tol, measure=measure)
    return [ends, BestWeights()] if validated else [ends]
