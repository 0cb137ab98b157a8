"""One training of a reader of numbers, in a folder of its own."""

import contextlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from inkgrad.errors import CheckpointError, DivergenceError, OptionError
from inkgrad.files import plain, write_atomically
from inkgrad.models.rows import RowNetwork, build_rows, load_rows, save_rows
from inkgrad.nn import guided_ctc_loss, load_state, state_of
from inkgrad.nn.state import read_arrays, write_arrays
from inkgrad.optim import AdamW, MovingAverage, Muon, OneCycle
from inkgrad.random import default_rng
from inkgrad.training.diagnosis import RunawayLoss
from inkgrad.training.interrupt import Interruption
from inkgrad.training.numbers.data import NumberData
from inkgrad.training.numbers.real import Real, guessed_signs
from inkgrad.training.numbers.stream import Stream
from inkgrad.training.step import TrainStep
from inkgrad.training.threads import blas_threads

__all__ = ["NumberRun", "NumberSettings", "saved_number_settings"]

_SETTINGS, _HISTORY, _CHECKPOINT, _MODEL = (
    "settings.json",
    "history.jsonl",
    "checkpoint.safetensors",
    "model.safetensors",
)
_RECORDS = 200  # steps between two lines of the history
_CHECKPOINT_SECONDS = 60.0


@dataclass(frozen=True)
class NumberSettings:
    """How a reader of numbers is trained.

    Attributes:
        steps: of one batch each.
        batch_size: canvases a step.
        width: of the network.
        optimizer: "muon" or "adamw".
        learning_rate: the highest.
        weight_decay: of the optimizer.
        average: decay of the moving average of the weights.
        real: share of the rows that are real, once their signs are known.
        real_from: the part of the training before real rows.
        seed: of weights and data.
        fold: of the amounts, kept out; None for none.
        amounts: whether real rows, the amounts, are learned from at all.
        start: the model file of a reader whose weights are the first ones; None draws them.
    """

    steps: int = 11_000
    batch_size: int = 16
    width: int = 40
    optimizer: str = "muon"
    learning_rate: float = 0.003
    weight_decay: float = 0.05
    average: float = 0.998
    real: float = 0.3
    real_from: float = 0.2
    seed: int = 0
    fold: int | None = None
    amounts: bool = True
    start: str | None = None

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "width"):
            if getattr(self, name) < 1:
                raise OptionError(f"{name.replace('_', '-')} must be at least 1, but is {getattr(self, name)}")
        if self.optimizer not in ("muon", "adamw"):
            raise OptionError(f"a reader is trained by muon or adamw, but got {self.optimizer!r}")
        if self.fold is not None and not self.amounts:
            raise OptionError("a reader that learns from no amounts needs no fold left out; leave fold out")
        for name in ("real", "real_from", "average"):
            if not 0 <= getattr(self, name) < 1:
                raise OptionError(f"{name.replace('_', '-')} must be from 0 to below 1, but is {getattr(self, name)}")


def saved_number_settings(folder: str | os.PathLike[str]) -> NumberSettings:
    """The settings of the run in a folder.

    Raises:
        CheckpointError: the folder holds no run, or its settings cannot be read.
    """
    path = Path(folder) / _SETTINGS
    if not path.is_file():
        raise CheckpointError(f"there is no run to resume in {folder}: it has no {_SETTINGS}")
    try:
        return NumberSettings(**json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"{path} is damaged: {type(error).__name__} {error}") from error


def _first_network(settings: NumberSettings) -> RowNetwork:
    net = build_rows(rng=default_rng(settings.seed), width=settings.width)
    if settings.start is not None:
        start, _ = load_rows(settings.start)
        if start.options != net.options:
            raise OptionError(
                f"{settings.start} is {start.options['width']} wide, but the network to train {settings.width}; "
                f"give --width {start.options['width']}"
            )
        load_state(net, state_of(start), source=settings.start)
    return net


class NumberRun:
    """A training that can be stopped and resumed.

    Args:
        folder: where settings, history, checkpoint and model go.
        settings: how.
        data: what is learned from.
        resume: go on with what the folder holds.
        tell: called with each record of the history.
        since: the `time.perf_counter()` from which the seconds of the training count, as when loading the data began;
            by default its own start.

    Raises:
        OptionError: the folder holds a training already, and `resume` is false.
        CheckpointError: the checkpoint is another training's.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        settings: NumberSettings,
        data: NumberData,
        *,
        resume: bool = False,
        tell: Callable[[dict[str, Any]], None] | None = None,
        since: float | None = None,
    ) -> None:
        self.folder, self.settings, self.data, self.tell = Path(folder), settings, data, tell
        if not resume and any((self.folder / name).exists() for name in (_SETTINGS, _CHECKPOINT, _MODEL)):
            raise OptionError(f"{folder} holds a run already; continue it with --resume or choose another --out")
        begun = resume and (self.folder / _CHECKPOINT).exists()
        self.net = _first_network(replace(settings, start=None) if begun else settings)
        rate = OneCycle(settings.learning_rate, steps=settings.steps)
        kind = {"muon": Muon, "adamw": AdamW}[settings.optimizer]
        self.optimizer = kind(self.net, rate, weight_decay=settings.weight_decay)
        self.average = MovingAverage(self.net, decay=settings.average)
        self.step = TrainStep(self.net, guided_ctc_loss, self.optimizer, average=self.average)
        self.stream = Stream(data.composer, batch_size=settings.batch_size, seed=settings.seed)
        self.history: list[dict[str, Any]] = []
        self.done, self.seconds = 0, 0.0
        self._since = time.perf_counter() if since is None else since
        if begun:
            self._load()

    @property
    def model(self) -> Path:
        """Where the network is written to."""
        return self.folder / _MODEL

    def train(self) -> dict[str, Any]:
        """Train to the end and write the model; returns the last line of the history.

        Raises:
            DivergenceError: the loss became NaN or infinite or ran away; the last checkpoint stays.
            KeyboardInterrupt: Ctrl-C; a checkpoint has been saved.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self.folder / _SETTINGS, json.dumps(asdict(self.settings), indent=2) + "\n")
        self.net.train()
        with blas_threads(0), Interruption() as interruption:
            first_real = round(self.settings.real_from * self.settings.steps)
            halves = [end for end in (first_real, self.settings.steps) if end > self.done]
            for end in halves:
                if self.done >= first_real and self.data.train and not self.stream.real:
                    self._learn_signs()
                self._steps(end, interruption)
        self._save_model()
        return self.history[-1]

    def _learn_signs(self) -> None:
        """Let the network, as far as it has come, say what signs the real numbers have."""
        self.net.eval()
        with self.average.applied():
            self.stream.real = guessed_signs(self.net, [Real(a, a.digits) for a in self.data.train])
        self.net.train()
        self.stream.share = self.settings.real

    def _steps(self, end: int, interruption: Interruption) -> None:
        runaway, losses, saved = RunawayLoss(), [], time.monotonic()
        for images, told in self.stream.batches(self.done, end):
            losses.append(self.step(images, told))
            self.done += 1
            runaway.check(losses[-1], self.done, self.optimizer.learning_rate)
            if self.done % _RECORDS == 0 or self.done == end:
                self._count_seconds()
                self._record(float(np.mean(losses)))
                losses = []
            if interruption.asked or time.monotonic() - saved > _CHECKPOINT_SECONDS:
                self._count_seconds()
                saved = time.monotonic()
                self._save()
            if interruption.asked:
                raise KeyboardInterrupt
        self._save()

    def _count_seconds(self) -> None:
        now = time.perf_counter()
        self.seconds, self._since = self.seconds + now - self._since, now

    def _record(self, loss: float) -> None:
        record = {
            "step": self.done,
            "loss": loss,
            "learning_rate": self.optimizer.learning_rate,
            "seconds": self.seconds,
            "canvases_per_second": self.done * self.settings.batch_size / max(self.seconds, 1e-9),
        }
        self.history.append(record)
        lines = "".join(json.dumps(plain(one)) + "\n" for one in self.history)
        write_atomically(self.folder / _HISTORY, lines)
        if self.tell is not None:
            self.tell(record)

    def _save(self) -> None:
        """A checkpoint."""
        arrays = {f"net.{name}": array for name, array in state_of(self.net).items()}
        if not all(np.isfinite(array).all() for array in arrays.values()):
            raise DivergenceError(f"training diverged: weights are NaN or infinite after step {self.done}")
        arrays |= {f"optimizer.{name}": array for name, array in self.optimizer.state_arrays().items()}
        arrays |= {f"average.{name}": array for name, array in self.average.state_arrays().items()}
        signs = [row.text for row in self.stream.real]
        header = {"settings": asdict(self.settings), "done": self.done, "seconds": self.seconds, "signs": signs}
        write_arrays(self.folder / _CHECKPOINT, "checkpoint", header | {"history": plain(self.history)}, arrays)

    def _load(self) -> None:
        header, arrays = read_arrays(self.folder / _CHECKPOINT, "checkpoint")
        if header.get("settings") != asdict(self.settings):
            made_with = header.get("settings", {})
            changed = [
                f.name for f in fields(NumberSettings) if made_with.get(f.name) != getattr(self.settings, f.name)
            ]
            raise CheckpointError(
                f"the run in {self.folder} has another {', '.join(changed)}; resume it with its own settings"
            )

        def part(prefix: str) -> dict[str, Any]:
            return {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}

        load_state(self.net, part("net."), source=str(self.folder))
        self.optimizer.load_state_arrays(part("optimizer."))
        self.average.load_state_arrays(part("average."))
        self.done, self.seconds, self.history = int(header["done"]), float(header["seconds"]), list(header["history"])
        if header["signs"]:
            pairs = zip(self.data.train, header["signs"], strict=True)
            self.stream.real, self.stream.share = [Real(a, text) for a, text in pairs], self.settings.real

    def _save_model(self) -> None:
        self.net.eval()
        with contextlib.nullcontext() if self.done == 0 else self.average.applied():
            training = {"settings": asdict(self.settings), "history": plain(self.history[-1:])}
            save_rows(self.model, self.net, reading={}, training=training)
