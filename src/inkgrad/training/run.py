"""A run: a folder with the settings, the history, checkpoints and the final model of one training."""

import contextlib
import json
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inkgrad.data import Dataset, Splits
from inkgrad.errors import CheckpointError, OptionError
from inkgrad.files import plain, write_atomically
from inkgrad.models import MODEL_FILE, NAMED, Classifier, Refusal, save_classifier
from inkgrad.training.assembly import Prepared, assemble
from inkgrad.training.benchmark import machine
from inkgrad.training.calibration import calibrated
from inkgrad.training.callbacks import Callback, EarlyStopping
from inkgrad.training.checkpoint import CHECKPOINT_FILE, Checkpointing, load_checkpoint
from inkgrad.training.group import Group, by_first
from inkgrad.training.metrics import Evaluation, evaluate_predictions
from inkgrad.training.model_card import CARD_FILE, model_card
from inkgrad.training.plots import plot_history
from inkgrad.training.recipes import RECIPE_FILE, write_recipe
from inkgrad.training.settings import Settings
from inkgrad.training.trainer import Trainer
from inkgrad.version import __version__

__all__ = ["Run", "check_folder", "evaluated", "origin", "saved_settings", "write_card", "write_settings"]

SETTINGS_FILE = "settings.json"
HISTORY_FILE = "history.jsonl"
PLOT_FILE = "history.png"


class HistoryFile(Callback):
    """Keeps `history.jsonl`, one line an epoch; written anew each time, so that it never holds half a line."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_start(self, trainer: Trainer) -> None:
        """Write what there is; after a resumption that is the history up to the checkpoint."""
        self._write(trainer)

    def on_epoch(self, trainer: Trainer, record: dict[str, Any]) -> None:
        """Write with the new line."""
        del record
        self._write(trainer)

    def _write(self, trainer: Trainer) -> None:
        write_atomically(self.path, "".join(json.dumps(plain(record)) + "\n" for record in trainer.history))


def saved_settings(folder: str | os.PathLike[str]) -> Settings:
    """The settings of the run in a folder.

    Raises:
        CheckpointError: the folder holds no run, or its settings cannot be read.
    """
    path = Path(folder) / SETTINGS_FILE
    if not path.is_file():
        raise CheckpointError(f"there is no run to resume in {folder}: it has no {SETTINGS_FILE}")
    try:
        return Settings.from_json(json.loads(path.read_text())["settings"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path} is damaged: {type(error).__name__} {error}") from error


def write_settings(folder: Path, settings: Settings) -> None:
    """What a run's folder says of its settings and of the versions that it is made with; and all of it as a recipe."""
    content = {"settings": settings.as_json(), "versions": versions()}
    write_atomically(folder / SETTINGS_FILE, json.dumps(content, indent=2) + "\n")
    write_recipe(folder / RECIPE_FILE, settings, comments=[f"All settings of a run of inkgrad {__version__}."])


def evaluated(classifier: Classifier, dataset: Dataset) -> Evaluation | None:
    """How a classifier reads a data set; None if that is empty."""
    if not len(dataset):
        return None
    return evaluate_predictions(dataset.labels, classifier.predict_proba(dataset.images), classifier.classes)


def check_folder(folder: Path, *, resume: bool) -> None:
    """Raise OptionError where a new run would replace files that are there."""
    if folder.exists() and not folder.is_dir():
        raise OptionError(f"{folder} is a file, but a run needs a folder; choose another --out")
    if resume:
        return
    if any((folder / name).exists() for name in (SETTINGS_FILE, CHECKPOINT_FILE, MODEL_FILE, "member-0")):
        raise OptionError(f"{folder} holds a run already; continue it with --resume or choose another --out")
    for name in (RECIPE_FILE, CARD_FILE):
        if (folder / name).exists():
            raise OptionError(f"{folder / name} is there already, and a run would replace it; choose another --out")


class Run:
    """One training in a folder of its own.

    Args:
        folder: where everything goes; made if missing.
        settings: what to do.
        splits: the data that the settings name.
        resume: continue the run that is there.
        checkpoint_seconds: the longest time between two checkpoints.
        callbacks: called beside the run's own.
        prepared: what `prepare` gave for these settings and data, where that was done before.
        group: the processes that make this run together; rank 0 alone reads and writes the folder.

    Raises:
        OptionError: the folder holds a run already, and `resume` is false.
        CheckpointError: there is nothing to resume, or the run there is another one.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        settings: Settings,
        splits: Splits,
        *,
        resume: bool = False,
        checkpoint_seconds: float = 60.0,
        callbacks: Sequence[Callback] = (),
        prepared: Prepared | None = None,
        group: Group | None = None,
    ) -> None:
        self.folder = Path(folder)
        self.settings = settings
        self.group = group
        self.checkpoint = self.folder / CHECKPOINT_FILE
        by_first(group, lambda: check_folder(self.folder, resume=resume))
        own: list[Callback] = [] if settings.early_stopping is None else [EarlyStopping(settings.early_stopping)]
        last = Checkpointing(self.checkpoint, every_seconds=checkpoint_seconds)
        history = HistoryFile(self.folder / HISTORY_FILE)
        self.trainer = assemble(settings, splits, [*own, *callbacks, history, last], prepared=prepared, group=group)
        self.splits = splits
        if resume:
            by_first(group, self._go_on)

    def _go_on(self) -> None:
        """From the checkpoint, if there is one: a run that was killed before its first starts over."""
        if self.checkpoint.exists():
            load_checkpoint(self.checkpoint, self.trainer)
        total, made = self.settings.total_steps(len(self.splits.train)), self.trainer.step_count
        if made > total:
            raise OptionError(
                f"the run in {self.folder} has made {made} steps already, more than the {total} asked for"
            )

    def train(self) -> dict[str, Any]:
        """Train to the end, write model, plot and model card; returns the last line of the history.

        In a group, rank 0 writes, and the others need not wait for it.

        Raises:
            DivergenceError: the last good checkpoint stays; no model is written.
            StorageError: a file could not be written.
            KeyboardInterrupt: Ctrl-C; a checkpoint has been saved.
        """
        last = self.fit()
        if self.group is not None and self.group.rank:
            return last
        with self._final() as classifier:
            if self.settings.calibrate:
                classifier = calibrated(classifier, self.splits.validation)
            evaluation = evaluated(classifier, self.splits.validation)
            if evaluation is not None and (len(self.settings.ways()) > 1 or self.settings.calibrate):
                # The history knows of one view, and of no temperature.
                last |= {"validation_accuracy": evaluation.accuracy, "validation_loss": evaluation.log_loss}
            save_classifier(
                self.folder / MODEL_FILE, classifier, metrics=last, training=origin(self.trainer, self.settings)
            )
        write_atomically(self.folder / PLOT_FILE, plot_history(self.trainer.history))
        net, histories = self.trainer.step.net, [self.trainer.history]
        write_card(self.folder, self.settings, self.splits.train, net, histories, evaluation)
        return last

    def fit(self) -> dict[str, Any]:
        """Train to the end without the model, the plot and the card: what a search wants of its trials.

        Raises:
            DivergenceError, StorageError, KeyboardInterrupt: as `train` does.
        """
        by_first(self.group, lambda: write_settings(self.folder, self.settings))
        self.trainer.fit(steps=self.settings.total_steps(len(self.splits.train)))
        return dict(self.trainer.history[-1])

    @property
    def parameter_count(self) -> int:
        """Trained numbers of the network."""
        return self.trainer.step.net.parameter_count()

    @property
    def resumable(self) -> bool:
        """Whether there is a checkpoint."""
        return self.checkpoint.exists()

    @contextlib.contextmanager
    def _final(self) -> Iterator[Classifier]:
        """The network as the model file will hold it, with averaged weights where there are any."""
        step = self.trainer.step
        with contextlib.nullcontext() if step.average is None else step.average.applied():
            yield Classifier(
                step.net,
                self.trainer.loader.scaling,
                self.splits.train.known_classes,
                NAMED[self.settings.model].probabilities,
                normalizations=self.settings.normalize,
                projection=self.trainer.projection,
                views=self.settings.ways(),
                refusal=Refusal() if self.splits.train.rejects else None,
            )


def write_card(
    folder: Path,
    settings: Settings,
    train: Dataset,
    net: Any,
    histories: Sequence[Sequence[Mapping[str, Any]]],
    evaluation: Evaluation | None,
) -> None:
    """Describe the model that a run has written into its folder; see `model_card`."""
    card = model_card(
        settings,
        train,
        net,
        file_bytes=(folder / MODEL_FILE).stat().st_size,
        histories=histories,
        evaluation=evaluation,
        machine=machine(),
    )
    write_atomically(folder / CARD_FILE, card)


def origin(trainer: Trainer, settings: Settings) -> dict[str, Any]:
    """What a model file says of how its network came to be."""
    teacher = {} if trainer.distillation is None else {"teacher": trainer.distillation.fingerprint}
    return {"settings": settings.as_json(), "versions": versions(), "data": trainer.fingerprint} | teacher


def versions() -> dict[str, str]:
    """Those that a run's results may depend on."""
    return {"inkgrad": __version__, "python": platform.python_version(), "numpy": np.__version__}
