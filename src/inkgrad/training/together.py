"""A training by several processes, as the trainer of each sees it."""

import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from inkgrad.data import Part
from inkgrad.errors import DataError, OptionError, RunError
from inkgrad.training.checkpoint import identity, spread_state
from inkgrad.training.difference import first_difference
from inkgrad.training.exchange import Exchange
from inkgrad.training.group import Group
from inkgrad.version import __version__

if TYPE_CHECKING:
    from inkgrad.training.step import TrainStep
    from inkgrad.training.trainer import Trainer

__all__ = ["Together"]


class Together:
    """Keeps the trainers of a group in step: the same state, the same batches, the same end.

    Args:
        group: the processes.
        trainer: that of this process.

    Attributes:
        stopping: whether all know that the training ends before its time.
    """

    def __init__(self, group: Group, trainer: "Trainer") -> None:
        self._group = group
        self._trainer = trainer
        self.stopping = False
        self._asked: Callable[[], bool] = lambda: False
        self.exchange = Exchange(
            group,
            trainer.step.net,
            trainer.step.optimizer.parameters,
            wishes_to_end=self._wishes_to_end,
            classes=bool(trainer.train.classes),
        )
        trainer.loader.part = Part(group.rank, group.size)

    def begin(self, asked: Callable[[], bool]) -> None:
        """See that all train the same, and bring all to where rank 0 is.

        Args:
            asked: whether Ctrl-C was pressed here.

        Raises:
            DataError: a process sees other images than rank 0.
            OptionError: a process trains something else than rank 0.
        """
        self._asked = asked
        trainer, group = self._trainer, self._group
        every = group.all((group.described(), _settings(trainer)))
        for described, its in every[1:]:
            different = [key for key, value in every[0][1].items() if its.get(key) != value]
            if different:
                raise _other(described, different[0].replace("_", " "), every[0][1], its, different[0])
        spread_state(group, trainer)
        self._part_generators()
        trainer.step.exchange = self.exchange

    def end(self) -> None:
        """Let the step be that of one process again."""
        self._trainer.step.exchange = None

    def before_step(self) -> None:
        """Tell the exchange how much of the batch lies here."""
        loader = self._trainer.loader
        self.exchange.share, self.exchange.copies = loader.share, loader.part.copies(loader.images)

    def interrupted(self, *, at_end: bool = False) -> bool:
        """Whether Ctrl-C was pressed anywhere; also makes the trainers stop that have not been told to.

        Processes look at different moments. So a wish to end travels with the gradients, and what it was is asked only
        where there is one.
        """
        if not (self.exchange.ending or at_end):
            return False
        self.exchange.ending = False
        answers = self._group.all((self._asked(), self._trainer.stopped))
        self._stop(next((reason for _, reason in answers if reason is not None), None))
        return any(asked for asked, _ in answers)

    def agree(self) -> None:
        """After callbacks that may have stopped the trainer of rank 0: see that all stop, and that weights are equal.

        So are buffers, such as running statistics.

        Raises:
            RunError: the weights of a process are no longer those of rank 0.
        """
        trainer = self._trainer
        answers = self._group.all((self._group.described(), _checksum(trainer.step), trainer.stopped))
        for described, its, _ in answers[1:]:
            if its != answers[0][1]:
                raise RunError(
                    f"the weights on {described} are no longer those on rank 0 after step {trainer.step_count}: a sum "
                    f"of gradients came out differently there; run all ranks on machines of one kind with one MPI"
                )
        self._stop(answers[0][2])

    def _stop(self, reason: str | None) -> None:
        self._trainer.stopped, self.stopping = reason, reason is not None

    def _wishes_to_end(self) -> bool:
        return self._asked() or self._trainer.stopped is not None

    def _part_generators(self) -> None:
        """Those of the network, such as dropout's, draw other numbers on each rank: rank r is r jumps ahead.

        As all draw equally often, they stay so, and a checkpoint needs to know those of rank 0 only.
        """
        seen: set[int] = set()
        for name, rng in self._trainer.step.net.named_generators():
            if rng is self._trainer.loader.rng:
                raise OptionError(
                    f"{name} and the order of the images share a random generator, which a training by several "
                    f"processes cannot divide; give the trainer one of its own"
                )
            if self._group.rank == 0 or id(rng) in seen:
                continue
            seen.add(id(rng))
            jumped = getattr(rng.bit_generator, "jumped", None)
            if jumped is None:
                raise OptionError(
                    f"{name} is a {type(rng.bit_generator).__name__}, which cannot be divided among processes; use "
                    f"inkgrad.default_rng(seed)"
                )
            rng.bit_generator.state = jumped(self._group.rank).state


def _settings(trainer: "Trainer") -> dict[str, Any]:
    """What must be the same on all processes: more than what a training that goes on must share with its beginning."""
    return identity(trainer) | {
        "validation data": None if trainer.validation is None else trainer.validation.fingerprint(),
        "steps": trainer.total_steps,
        "shuffle": trainer.loader.shuffle,
        "precision": str(trainer.step.optimizer.parameters.weights.dtype),
        "version_of_inkgrad": __version__,
        "version_of_numpy": np.__version__,
    }


def _checksum(step: "TrainStep") -> int:
    found = 0
    for _, member in step.net.named_state():
        found = zlib.crc32(np.ascontiguousarray(member.data).data, found)
    return found


def _other(described: str, what: str, first: dict[str, Any], its: dict[str, Any], key: str) -> Exception:
    if key in ("data", "validation data"):
        kind = "training" if key == "data" else "validation"
        return DataError(
            f"{described} sees other {kind} data than rank 0: fingerprint {str(its.get(key))[:12]} instead of "
            f"{str(first.get(key))[:12]}; give every machine the same files"
        )
    if key.startswith("version_of"):
        return OptionError(
            f"{described} has {what} {its.get(key)}, rank 0 has {first.get(key)}; install the same on every machine"
        )
    path, one, other = first_difference(first.get(key), its.get(key))
    return OptionError(
        f"{described} has other {what} than rank 0: {path}{str(other)[:80]} instead of {str(one)[:80]}; "
        f"start all with the same command"
    )
