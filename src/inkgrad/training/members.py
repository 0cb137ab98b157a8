"""A run of several networks that answer together as one model."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.data import Splits
from inkgrad.errors import CheckpointError
from inkgrad.files import write_atomically
from inkgrad.models import MODEL_FILE, Classifier, join, load, save_classifier
from inkgrad.training.assembly import Prepared, assemble, prepare
from inkgrad.training.calibration import calibrated
from inkgrad.training.callbacks import Callback
from inkgrad.training.metrics import Evaluation, evaluate_predictions
from inkgrad.training.model_card import CARD_FILE
from inkgrad.training.run import (
    HISTORY_FILE,
    SETTINGS_FILE,
    Run,
    check_folder,
    origin,
    saved_settings,
    write_card,
    write_settings,
)
from inkgrad.training.settings import Settings

__all__ = ["EnsembleRun", "accuracies_without_one", "start_run"]

MEMBERS_FILE = "members.json"
Callbacks = Callable[[Path], Sequence[Callback]]


def _no_callbacks(folder: Path) -> Sequence[Callback]:
    del folder
    return ()


class EnsembleRun:
    """`settings.members` runs in folders member-0, member-1 and so on, with seeds from `settings.seed` on.

    Each member is the run that the same settings with its seed and without `members` make. Their mean probabilities
    are the answer of the model in the run's own folder. Resumed, members that are done are not trained again, and the
    one in the middle goes on from its checkpoint.

    Args:
        folder: where everything goes; made if missing.
        settings: what to do.
        splits: the data that the settings name.
        resume: continue the run that is there.
        checkpoint_seconds: the longest time between two checkpoints.
        callbacks: makes what is called beside each member's own, for the folder that it is given.
        announce: told the number of each member, from 0, before it is trained.

    Raises:
        OptionError: the folder holds a run already, and `resume` is false.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        settings: Settings,
        splits: Splits,
        *,
        resume: bool = False,
        checkpoint_seconds: float = 60.0,
        callbacks: Callbacks = _no_callbacks,
        announce: Callable[[int], None] | None = None,
    ) -> None:
        self.folder = Path(folder)
        self._announce = announce
        self.settings = settings
        self.splits = splits
        self.parameter_count = 0
        self._checkpoint_seconds = checkpoint_seconds
        self._callbacks = callbacks
        check_folder(self.folder, resume=resume)

    @property
    def resumable(self) -> bool:
        """Whether there is something that a resumption would go on from."""
        return (self.folder / SETTINGS_FILE).exists()

    def train(self) -> dict[str, Any]:
        """Train all members, write the model; returns what was measured: of each member and of all together.

        Raises:
            DivergenceError: of a member; no model is written.
            StorageError: a file could not be written.
            KeyboardInterrupt: Ctrl-C; a checkpoint has been saved.
        """
        prepared = prepare(self.settings, self.splits)
        self._check(prepared)
        write_settings(self.folder, self.settings)
        members = [self._member(number, prepared) for number in range(self.settings.members)]
        whole = join(members)
        if self.settings.calibrate:
            whole = calibrated(whole, self.splits.validation)
        result, evaluation = self._measured(members, whole)
        training = {**members[0].header["training"], "settings": self.settings.as_json()}
        save_classifier(self.folder / MODEL_FILE, whole, metrics=result, training=training)
        self.parameter_count = whole.network.parameter_count()
        histories = [self._history(number) for number in range(self.settings.members)]
        write_card(self.folder, self.settings, self.splits.train, whole.network, histories, evaluation)
        write_atomically(self.folder / MEMBERS_FILE, json.dumps(result, indent=2) + "\n")
        return result

    def _check(self, prepared: Prepared) -> None:
        """Raise CheckpointError, with nothing written, where a member there is not one of this ensemble's."""
        expected: dict[str, Any] | None = None
        for number in range(self.settings.members):
            folder, settings = self._place(number)
            if not (folder / SETTINGS_FILE).exists():
                continue
            saved = saved_settings(folder)
            if replace(saved, recipe=settings.recipe, epochs=settings.epochs, steps=settings.steps) != settings:
                raise CheckpointError(
                    f"{folder} holds a run with other settings than the ensemble's; start a new one with another --out"
                )
            if not (folder / MODEL_FILE).exists():  # its checkpoint is looked at when it goes on
                continue
            if expected is None:
                expected = origin(assemble(settings, self.splits, prepared=prepared), settings)
            found = load(folder).header["training"]
            for key in ("data", "teacher"):
                if found.get(key) != expected.get(key):
                    raise CheckpointError(
                        f"the {key} of {folder} have changed since it was trained; put them back, or start a new "
                        f"ensemble with another --out"
                    )

    def _place(self, number: int) -> tuple[Path, Settings]:
        """Folder and settings of a member."""
        settings = replace(self.settings, members=1, seed=self.settings.seed + number, calibrate=False)
        return self.folder / f"member-{number}", settings

    def _member(self, number: int, prepared: Prepared) -> Classifier:
        """One member, trained if it is not yet, or not for so long."""
        folder, settings = self._place(number)
        begun = (folder / SETTINGS_FILE).exists()
        # The card is the last thing that a run writes.
        done = (folder / CARD_FILE).exists() and replace(saved_settings(folder), recipe=settings.recipe) == settings
        if not done:
            if self._announce is not None:
                self._announce(number)
            Run(
                folder,
                settings,
                self.splits,
                resume=begun,
                checkpoint_seconds=self._checkpoint_seconds,
                callbacks=self._callbacks(folder),
                prepared=prepared,
            ).train()
        return load(folder)

    def _history(self, number: int) -> list[dict[str, Any]]:
        folder, _ = self._place(number)
        return [json.loads(line) for line in (folder / HISTORY_FILE).read_text().splitlines()]

    def _measured(self, members: list[Classifier], whole: Classifier) -> tuple[dict[str, Any], Evaluation | None]:
        """Of each on the validation data, of all together, and of all without one, for each that is left out."""
        lasts = [member.header["metrics"] for member in members]
        result: dict[str, Any] = {"members": len(members), "step": sum(int(last.get("step", 0)) for last in lasts)}
        validation = self.splits.validation
        if not len(validation):
            return result, None
        answers = np.stack([_shares(member, validation.images) for member in members])
        plain = whole.temperature == 1 and not whole.refuses
        together = answers.mean(axis=0) if plain else whole.predict_proba(validation.images)
        evaluation = evaluate_predictions(validation.labels, together, whole.classes)
        result |= {"validation_loss": evaluation.log_loss, "validation_accuracy": evaluation.accuracy}
        result["members_validation_accuracy"] = [float(last["validation_accuracy"]) for last in lasts]
        if len(members) > 1:
            result["validation_accuracy_without_one"] = accuracies_without_one(answers, validation.labels)
        return result, evaluation


def _shares(member: Classifier, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The probability of each class, of which an ensemble takes the mean; below 1 in all where it may be none."""
    probabilities = member.predict_proba(images)
    return probabilities * member.digit_probability(images)[:, None] if member.refuses else probabilities


def accuracies_without_one(answers: NDArray[np.float32], labels: NDArray[np.int64]) -> list[float]:
    """Accuracy of the mean probabilities without each member in turn: answers (m, n, k) with m >= 2, labels (n,)."""
    left = [np.delete(answers, out, axis=0).mean(axis=0).argmax(axis=1) for out in range(len(answers))]
    return [float((one == labels).mean()) for one in left]


def start_run(
    folder: str | os.PathLike[str],
    settings: Settings,
    splits: Splits,
    *,
    callbacks: Callbacks = _no_callbacks,
    announce: Callable[[int], None] | None = None,
    **options: Any,
) -> Run | EnsembleRun:
    """The run that the settings ask for: of one network or of several."""
    if settings.members > 1:
        return EnsembleRun(folder, settings, splits, callbacks=callbacks, announce=announce, **options)
    return Run(folder, settings, splits, callbacks=callbacks(Path(folder)), **options)
