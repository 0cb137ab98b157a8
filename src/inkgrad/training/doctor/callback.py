"""`Doctor`: the examination as a callback, while a training goes on."""

import sys
from collections.abc import Callable
from typing import Any

from inkgrad.errors import DivergenceError, OptionError
from inkgrad.training.callbacks import Callback
from inkgrad.training.doctor.diagnosis import Diagnosis
from inkgrad.training.doctor.examination import READ, diagnose
from inkgrad.training.doctor.findings import Finding
from inkgrad.training.trainer import Trainer

__all__ = ["Doctor"]


class Doctor(Callback):
    """Examines a training after its epochs, and tells each finding once, or again where it has become worse.

    The training is not changed: its weights are, bit for bit, those that it would have without the doctor.

    Args:
        every: epochs between two examinations; the last epoch is always examined.
        digits: how many digits are looked at each time. At the end up to 20,000 are read, for suspect labels.
        tell: called with each new finding and the epoch; by default it is printed on standard error.

    Attributes:
        found: (epoch, finding) of everything that was told.
        last: the last diagnosis, None before the first.

    >>> import inkgrad as ig
    >>> train, validation, _ = ig.data.load("digits")
    >>> net = ig.models.build("two-layer", rng=ig.default_rng(0))
    >>> net.layers[1].bias.data[...] = -10
    >>> step = ig.training.TrainStep(net, ig.nn.cross_entropy, ig.optim.SGD(net, learning_rate=0.1))
    >>> doctor = Doctor(tell=lambda finding, epoch: None)
    >>> history = ig.training.Trainer(step, train, callbacks=[doctor]).fit(epochs=1)
    >>> [(epoch, finding.name) for epoch, finding in doctor.found]
    [(1.0, 'dead-units')]
    """

    def __init__(
        self, every: int = 1, *, digits: int = 256, tell: Callable[[Finding, float], object] | None = None
    ) -> None:
        if every < 1 or digits < 1:
            raise OptionError(f"Doctor needs at least 1 epoch and 1 digit, but got every={every} and digits={digits}")
        self.every = every
        self.digits = digits
        self.tell = _print if tell is None else tell
        self.found: list[tuple[float, Finding]] = []
        self.last: Diagnosis | None = None

    def on_epoch(self, trainer: Trainer, record: dict[str, Any]) -> None:
        """Examine, if it is time."""
        end = trainer.step_count >= trainer.total_steps or trainer.stopped is not None
        if end or round(record["epoch"]) % self.every == 0:
            self._note(diagnose(trainer, digits=self.digits, read_most=READ if end else self.digits, labels_too=end))

    def on_end(self, trainer: Trainer) -> None:
        """Examine what is left of a training that diverged."""
        error = sys.exception()
        if isinstance(error, DivergenceError):
            self._note(
                diagnose(trainer, digits=self.digits, read_most=self.digits, failure=str(error), labels_too=False)
            )

    def _note(self, diagnosis: Diagnosis) -> None:
        self.last = diagnosis
        told = {(finding.name, finding.severity) for _, finding in self.found}
        for finding in diagnosis.findings:
            if (finding.name, finding.severity) not in told:
                self.found.append((diagnosis.epoch, finding))
                self.tell(finding, diagnosis.epoch)


def _print(finding: Finding, epoch: float) -> None:
    text = f"doctor, epoch {epoch:.2f}: {finding.severity}, {finding.name}. {finding.measured} {finding.advice}"
    print(text, file=sys.stderr, flush=True)  # noqa: T201  as the progress does
