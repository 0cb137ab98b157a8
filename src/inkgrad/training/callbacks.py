"""What happens beside a training: each callback looks at the trainer after a step or an epoch."""

from typing import TYPE_CHECKING, Any

from inkgrad.errors import OptionError

if TYPE_CHECKING:
    from inkgrad.training.trainer import Trainer

__all__ = ["Callback", "EarlyStopping"]


class Callback:
    """Base of all callbacks; every hook does nothing until a subclass writes it.

    A callback that has a state of its own gives it to checkpoints by `state` and takes it back by `load_state`.
    """

    def on_start(self, trainer: "Trainer") -> None:
        """Called before the first step, or the first after a resumption."""

    def on_step(self, trainer: "Trainer") -> None:
        """Called after each step."""

    def on_epoch(self, trainer: "Trainer", record: dict[str, Any]) -> None:
        """Called after each epoch with its record of the history; also after the last steps of an unfinished one."""

    def on_interrupt(self, trainer: "Trainer") -> None:
        """Called after the step or the validation in which Ctrl-C was pressed, before KeyboardInterrupt is raised."""

    def on_end(self, trainer: "Trainer") -> None:
        """Called when the training ends, also by an error or Ctrl-C."""

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps of this callback, as JSON holds it."""
        return {}

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from what `state` gave."""


class EarlyStopping(Callback):
    """Stops when the validation loss has not improved for `patience` epochs in a row.

    The weights are the last ones, not the best: choosing an epoch by its figures flatters them.

    Args:
        patience: epochs without an improvement.
        minimum_improvement: by how much a loss must be below the best one to count.
        measure: which figure of an epoch's record is looked at, such as "loss", that of the training.
    """

    def __init__(
        self, patience: int = 3, *, minimum_improvement: float = 0.0, measure: str = "validation_loss"
    ) -> None:
        if patience < 1:
            raise OptionError(f"EarlyStopping needs a patience of at least 1 epoch, but got {patience}")
        self.patience = patience
        self.minimum_improvement = minimum_improvement
        self.measure = measure
        self.best = float("inf")
        self.waited = 0

    def on_start(self, trainer: "Trainer") -> None:
        """Stay stopped where the training continues from a checkpoint of its end."""
        self._stop_if_due(trainer)

    def on_epoch(self, trainer: "Trainer", record: dict[str, Any]) -> None:
        """Compare this epoch's loss with the best so far."""
        if self.measure not in record:
            raise OptionError(
                "early stopping needs validation data, but this training has none"
                if self.measure.startswith("validation")
                else f"early stopping looks at {self.measure!r}, which no epoch's record has"
            )
        if record[self.measure] < self.best - self.minimum_improvement:
            self.best, self.waited = record[self.measure], 0
            return
        self.waited += 1
        self._stop_if_due(trainer)

    def _stop_if_due(self, trainer: "Trainer") -> None:
        if self.waited >= self.patience:
            trainer.stop(f"the {self.measure.replace('_', ' ')} has not improved for {self.waited} epochs")

    def state(self) -> dict[str, Any]:
        """The best loss and how long ago it was."""
        return {"best": None if self.best == float("inf") else self.best, "waited": self.waited}

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue counting."""
        self.best = float("inf") if state["best"] is None else state["best"]
        self.waited = state["waited"]
