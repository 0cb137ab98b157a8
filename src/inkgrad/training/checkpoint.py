"""Checkpoints: all of a training in one file, so that it continues bit for bit."""

import contextlib
import functools
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from inkgrad.errors import CheckpointError, DivergenceError, OptionError
from inkgrad.nn import load_state, state_of
from inkgrad.nn.state import read_arrays, write_arrays
from inkgrad.training.callbacks import Callback
from inkgrad.training.group import Group

if TYPE_CHECKING:
    from inkgrad.training.trainer import Trainer

__all__ = [
    "CHECKPOINT_FILE",
    "Checkpointing",
    "identity",
    "load_checkpoint",
    "save_checkpoint",
    "spread_state",
    "training_kept",
]

CHECKPOINT_FILE = "checkpoint.safetensors"


def save_checkpoint(path: str | os.PathLike[str], trainer: "Trainer") -> None:
    """Write weights, buffers, optimizer, averages, position in the epoch and all generators, whole or not at all.

    Raises:
        StorageError: the file could not be written; an older checkpoint stays as it was.
    """
    header, arrays = _capture(trainer)
    header["identity"] = identity(trainer)
    write_arrays(path, "checkpoint", json.loads(json.dumps(header, default=_plain)), arrays)


def load_checkpoint(path: str | os.PathLike[str], trainer: "Trainer") -> None:
    """Put a training back to where `save_checkpoint` found it.

    Raises:
        ModelFileError: there is no checkpoint, or it is damaged.
        CheckpointError: it belongs to another model, optimizer, schedule, batch size or data set; nothing is changed.
    """
    header, arrays = read_arrays(path, "checkpoint")
    expected, found = identity(trainer), dict(header.get("identity") or {})
    for key, value in expected.items():
        if found.get(key) != value:
            raise CheckpointError(
                f"{path} belongs to another training: its {key.replace('_', ' ')} is {_short(found.get(key))}, here it "
                f"is {_short(value)}; resume with the settings of that run or start a new one with another --out"
            )
    kept = _capture(trainer)
    try:
        _apply(trainer, header, arrays, str(path))
    except (KeyError, TypeError, ValueError) as error:
        _apply(trainer, *kept, "the state before")
        raise CheckpointError(
            f"{path} is damaged or of another inkgrad: {type(error).__name__} {error}; start a new run with another "
            f"--out"
        ) from error


def spread_state(group: Group, trainer: "Trainer") -> None:
    """Bring all processes of a group to the state of rank 0."""
    kept = group.first(_capture(trainer) if group.rank == 0 else None)
    if group.rank:
        header, arrays = kept
        _apply(trainer, header, arrays, "the state of rank 0")


@contextlib.contextmanager
def training_kept(trainer: "Trainer") -> Iterator[None]:
    """Whatever is trained inside the `with` block is as if it had not been: all that a checkpoint holds is put back."""
    kept = _capture(trainer)
    try:
        yield
    finally:
        _apply(trainer, *kept, "the state before")


def _capture(trainer: "Trainer") -> tuple[dict[str, Any], dict[str, Any]]:
    """All of a training: what JSON holds, and the arrays."""
    step = trainer.step
    arrays = {f"net.{name}": array for name, array in state_of(step.net).items()}
    arrays |= {f"optimizer.{name}": array for name, array in step.optimizer.state_arrays().items()}
    if step.average is not None:
        arrays |= {f"average.{name}": array for name, array in step.average.state_arrays().items()}
    generators = {name: rng.bit_generator.state for name, rng in step.net.named_generators()}
    return {"trainer": trainer.state(), "generators": generators}, arrays


def _apply(trainer: "Trainer", header: dict[str, Any], arrays: dict[str, Any], source: str) -> None:
    """Put a training into a state that `_capture` gave."""
    step = trainer.step
    load_state(step.net, _part(arrays, "net."), source=source)
    step.optimizer.load_state_arrays(_part(arrays, "optimizer."))
    if step.average is not None:
        step.average.load_state_arrays(_part(arrays, "average."))
    for name, rng in step.net.named_generators():
        rng.bit_generator.state = header["generators"][name]
    trainer.load_state(header["trainer"])


class Checkpointing(Callback):
    """Saves a checkpoint after each epoch, every so many seconds, and when Ctrl-C ends the training.

    After an error nothing is saved: the last good checkpoint stays.
    """

    def __init__(self, path: str | os.PathLike[str], *, every_seconds: float = 60.0) -> None:
        if not every_seconds >= 0:
            raise OptionError(f"the seconds between checkpoints must not be negative, but are {every_seconds:g}")
        self.path = Path(path)
        self.every_seconds = every_seconds
        self._last = time.monotonic()

    def on_start(self, trainer: "Trainer") -> None:
        """Start the clock."""
        del trainer
        self._last = time.monotonic()

    def on_step(self, trainer: "Trainer") -> None:
        """Save if it is time."""
        if time.monotonic() - self._last >= self.every_seconds:
            self.save(trainer)

    def on_epoch(self, trainer: "Trainer", record: dict[str, Any]) -> None:
        """Save."""
        del record
        self.save(trainer)

    def on_interrupt(self, trainer: "Trainer") -> None:
        """Save."""
        self.save(trainer)

    def save(self, trainer: "Trainer") -> None:
        """Save now.

        Raises:
            DivergenceError: the weights or buffers are no longer finite; the last good checkpoint stays.
        """
        for name, member in trainer.step.net.named_state():
            if not np.isfinite(member.data).all():
                optimizer = trainer.step.optimizer
                raise DivergenceError(
                    f"training diverged: {name} holds NaN or infinity after step {trainer.step_count}; lower the "
                    f"learning rate (now {optimizer.learning_rate:g}) or clip the gradient"
                )
        save_checkpoint(self.path, trainer)
        self._last = time.monotonic()


def identity(trainer: "Trainer") -> dict[str, Any]:
    """What must be the same for a training to continue."""
    step = trainer.step
    optimizer = step.optimizer
    return {
        "model": {name: list(member.data.shape) for name, member in step.net.named_state()},
        "architecture": [getattr(step.net, "architecture", ""), getattr(step.net, "options", {})],
        "data": trainer.fingerprint,
        "batch_size": trainer.loader.batch_size,
        "scaling": trainer.loader.scaling.as_json(),
        "augmentation": None if trainer.loader.augmentation is None else trainer.loader.augmentation.as_json(),
        "mixup": trainer.loader.mixup,
        "teacher": None if trainer.distillation is None else trainer.distillation.fingerprint,
        "loss": _loss_name(step.loss),
        "optimizer": _settings(optimizer),
        "penalties": [_settings(penalty) for penalty in step.penalties],
        "average": None if step.average is None else step.average.decay,
        "layers": [_settings(module) for _, module in step.net.named_modules()],
    }


def _loss_name(loss: Any) -> str:
    """The function's name, with the options that were bound to it."""
    if isinstance(loss, functools.partial):
        options = "".join(f", {name}={value!r}" for name, value in sorted(loss.keywords.items()))
        return f"{_loss_name(loss.func)}{options}"
    return str(getattr(loss, "__name__", type(loss).__name__))


def _settings(thing: Any) -> list[Any]:
    """The class and the plain numbers of an object, such as an optimizer with its schedule."""
    plain = {k: v for k, v in vars(thing).items() if isinstance(v, bool | int | float | str) and not k.startswith("_")}
    plain |= {k: list(v) for k, v in vars(thing).items() if isinstance(v, tuple) and all(isinstance(i, str) for i in v)}
    for key in ("step_count", "training", "count"):
        plain.pop(key, None)
    nested = {k: _settings(v) for k, v in vars(thing).items() if k in ("schedule", "after", "clip") and v is not None}
    return [type(thing).__name__, plain, nested]


def _part(arrays: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):  # the key of a generator such as Philox or MT19937
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no place in a checkpoint's header")


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= 80 else text[:77] + "..."
