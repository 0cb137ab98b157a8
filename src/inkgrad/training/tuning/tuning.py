"""`Tuning`: a search of hyper-parameters in a folder of its own."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from inkgrad.data import Splits
from inkgrad.errors import OptionError, StorageError
from inkgrad.files import write_atomically
from inkgrad.models import NAMED
from inkgrad.training.interrupt import Interruption
from inkgrad.training.recipes import write_recipe
from inkgrad.training.run import versions
from inkgrad.training.tuning.folder import check_new, check_saved, fingerprint
from inkgrad.training.tuning.lock import only_one
from inkgrad.training.tuning.page import write_tuning_report
from inkgrad.training.tuning.result import TUNING_FILE, Outcome, TrialRecord, Tuned, TuningSettings
from inkgrad.training.tuning.shared import Begun, SharedStudy, Storage, pause, take_over
from inkgrad.training.tuning.space import Space
from inkgrad.training.tuning.study import STUDY_FILE, Study, file_url, require
from inkgrad.training.tuning.trial import Job, clear, train_trial
from inkgrad.training.tuning.workers import train_in_processes

__all__ = ["BEST_FILE", "REPORT_FILE", "TRIALS_FILE", "Tuning"]

BEST_FILE = "best.toml"
REPORT_FILE = "report.html"
TRIALS_FILE = "trials.json"
TRIALS_FOLDER = "trials"
LOOK_AGAIN_SECONDS = 1.0  # for trials that were lost


class Listener(Protocol):
    """Whoever wants to hear how a tuning goes."""

    def on_epoch(self, number: int, epoch: int, value: float) -> None:
        """Called after each epoch of a trial."""

    def on_trial(self, record: TrialRecord, tuned: Tuned) -> None:
        """Called after each trial."""


class Tuning:
    """A search of hyper-parameters in a folder of its own.

    Each trial is a training in `trials/NUMBER` with checkpoints. A tuning that ended at any moment and in any way goes
    on with `resume`: trials in progress continue from their checkpoints. With one process, the trials are those of a
    tuning that was never stopped, bit for bit.

    Args:
        folder: where everything goes; made if missing.
        settings: what is searched, and what stays.
        splits: the data that the settings name; the test part is never looked at.
        trials: how many to make in all.
        processes: how many at a time.
        resume: continue the tuning that is there.
        checkpoint_seconds: the longest time between two checkpoints of a trial.
        listener: hears of each epoch and each trial.
        storage: of a study that other tunings share, with folders of their own: `trials` is then the number of all,
            each draws its share of them, and a trial whose process was killed is gone on with by another.

    Raises:
        OptionError: Optuna is not installed, the search cannot be, or the folder holds a tuning and `resume` is false.
        CheckpointError: there is nothing to resume, or the tuning there is another one.

    >>> import inkgrad as ig, tempfile
    >>> settings = TuningSettings(ig.training.Settings(model="two-layer", epochs=1), ("learning_rate=0.01..1:log",))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     tuned = Tuning(folder, settings, ig.data.load("digits"), trials=2).run()
    >>> len(tuned.trials), list(tuned.best.params)
    (2, ['learning_rate'])
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        settings: TuningSettings,
        splits: Splits,
        *,
        trials: int = 30,
        processes: int = 1,
        resume: bool = False,
        checkpoint_seconds: float = 60.0,
        listener: Listener | None = None,
        storage: Storage | None = None,
    ) -> None:
        require("optuna")
        if settings.base.members > 1:
            raise OptionError(f"a search trains one network at a time, but members is {settings.base.members}")
        for name, number in (("trials", trials), ("processes", processes)):
            if number < 1:
                raise OptionError(f"a tuning needs {name} of at least 1, but got {number}")
        self.folder = Path(folder)
        self.settings = settings
        self.splits = splits
        self.trials = trials
        self.processes = processes
        self.checkpoint_seconds = checkpoint_seconds
        self.listener = listener
        self.storage = storage
        self.space = Space(settings.base, settings.search)
        self._study: Study | None = None
        if not len(splits.validation):
            raise OptionError(f"a search needs validation data, but {splits.train.name} comes with none")
        self._check_metric()
        if storage is not None:
            storage.check()
        if resume:
            check_saved(self.folder, settings, splits, shared=storage is not None)
        else:
            check_new(self.folder)
        self.space.check(splits)

    def run(self) -> Tuned:
        """Make the trials that are missing, then write the report, the best settings and the list of trials.

        Raises:
            RunError: a file could not be written, or the process of a trial was killed.
            KeyboardInterrupt: Ctrl-C; the trials in progress have saved checkpoints.
        """
        self._make_folder()
        with only_one(self.folder):
            if self.storage is None:
                self._write_settings()  # before the study, which lies beside them
            self._study = self._open()
            try:
                if self.storage is not None:
                    self._write_settings()  # after it has let this search in, or the folder could not be used again
                self._tidy_up()
                self._train()
                tuned = self.tuned
                self._write(tuned)
            finally:
                self._study.close()
        return tuned

    def _check_metric(self) -> None:
        """Losses are compared only where they are the same function."""
        models = self.space.fields.get("model")
        losses = {NAMED[name].loss for name in models.ends} if models else set()
        if self.settings.metric == "loss" and ("label_smoothing" in self.space.fields or len(losses) > 1):
            raise OptionError(
                "the search changes what the loss is, so losses cannot be compared; take the metric accuracy"
            )

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"cannot make the folder {self.folder}: {error.strerror or error}") from error

    def _write_settings(self) -> None:
        content = {
            "settings": self.settings.as_json(),
            "trials": self.trials,
            "shared": self.storage is not None,
            "data": fingerprint(self.splits),
            "versions": versions() | {"optuna": require("optuna").__version__},
        }
        write_atomically(self.folder / TUNING_FILE, json.dumps(content, indent=2) + "\n")

    def _open(self) -> Study:
        base, epochs, images = self.settings.base, self.space.fields.get("epochs"), len(self.splits.train)
        longest = -(-base.total_steps(images) // -(-images // min(base.batch_size, images)))
        if epochs is not None:
            longest = int(max(epochs.ends))
        options: dict[str, Any] = {"metric": self.settings.metric, "pruner": self.settings.pruner}
        options |= {"epochs": longest, "seed": base.seed}
        if self.storage is None:
            path = self.folder / STUDY_FILE
            return Study(file_url(path), str(path), **options)
        said = self.settings.as_json()
        elsewhere = {name: value for name, value in said["base"].items() if name not in ("data", "recipe")}
        return SharedStudy(self.storage, said | {"base": elsewhere, "data": fingerprint(self.splits)}, **options)

    @property
    def study(self) -> Study:
        """Optuna's study; open while the tuning runs."""
        assert self._study is not None
        return self._study

    @property
    def tuned(self) -> Tuned:
        """What has been found so far."""
        return Tuned(self.settings.metric, self.study.records(self.space.values), self.study.importance())

    def _tidy_up(self) -> None:
        """Perhaps the end came between the last word on a trial and the removal of its checkpoint."""
        for record in self.study.records(self.space.values):
            if record.state != "running":
                clear(self._trial_folder(record.number))

    def _train(self) -> None:
        with Interruption() as ctrl_c:  # never within Optuna and its storage
            self._train_what_there_is(ctrl_c)
            study = self.study
            while isinstance(study, SharedStudy) and study.waits():  # what others make may be lost yet
                pause(LOOK_AGAIN_SECONDS, ctrl_c.check)
                self._train_what_there_is(ctrl_c)

    def _train_what_there_is(self, ctrl_c: Interruption) -> None:
        jobs = self._jobs()
        if self.processes > 1:
            train_in_processes(self.processes, self.splits, jobs, self._report, self._finished, ctrl_c)
            return
        for job in jobs:
            self._finished(job, train_trial(job, self.splits, self._report))
            ctrl_c.check()

    def _jobs(self) -> Iterator[Job]:
        """Trials that have begun and not ended, then new ones."""
        study = self.study
        if isinstance(study, SharedStudy):
            while (begun := study.begin(self.space.suggest, self.trials, self._trial_folder)) is not None:
                yield from self._shared_job(begun)
            return
        for number, stored in study.unfinished().items():
            if number < self.trials:
                yield from self._job(number, stored)
        while len(study) < self.trials:
            yield from self._job(*study.ask(self.space.suggest))

    def _shared_job(self, begun: Begun) -> Iterator[Job]:
        take_over(begun.before, self._trial_folder(begun.number))
        yield from self._job(begun.number, begun.params)

    def _job(self, number: int, stored: dict[str, Any]) -> Iterator[Job]:
        """The job of a trial; none where its settings cannot stand together, which is then noted."""
        folder = self._trial_folder(number)
        try:
            settings = self.space.settings(self.space.values(stored))
        except OptionError as error:
            self._end(number, Outcome("refused", message=str(error)))
            return
        yield Job(number, settings, folder, self.settings.key, self.checkpoint_seconds)

    def _trial_folder(self, number: int) -> Path:
        return self.folder / TRIALS_FOLDER / f"{number:04d}"

    def _report(self, number: int, epoch: int, value: float) -> bool:
        if self.listener is not None:
            self.listener.on_epoch(number, epoch, value)
        return self.study.report(number, epoch, value)

    def _finished(self, job: Job, outcome: Outcome) -> None:
        self._end(job.number, outcome)
        clear(job.folder)

    def _end(self, number: int, outcome: Outcome) -> None:
        self.study.tell(number, outcome)
        if self.listener is not None:
            records = self.study.records(self.space.values)
            self.listener.on_trial(records[number], Tuned(self.settings.metric, records, {}))

    def _write(self, tuned: Tuned) -> None:
        write_atomically(self.folder / TRIALS_FILE, json.dumps(tuned.as_json(), indent=2) + "\n")
        best = tuned.best
        if best is not None:
            said = f"{best.value:.2%}" if tuned.metric == "accuracy" else f"{best.value:.4f}"
            comments = [f"Trial {best.number}, the best of {len(tuned.trials)}: validation {tuned.metric} {said}."]
            write_recipe(self.folder / BEST_FILE, self.space.settings(best.params), comments=comments)
        write_tuning_report(self.folder / REPORT_FILE, tuned, self.space, self._details())

    def _details(self) -> dict[str, str]:
        base = self.settings.base
        fixed = {k: v for k, v in base.as_json().items() if v not in (None, (), {}) and k not in self.space.fields}
        found = versions() | {"optuna": require("optuna").__version__}
        return {
            "Data": f"{base.data}: {len(self.splits.train):,} images to learn from, "
            f"{len(self.splits.validation):,} to validate",
            "Searched": ", ".join(self.settings.search),
            "Fixed": ", ".join(f"{name}={value}" for name, value in fixed.items()),
            "Sampler": "TPE, multivariate",
            "Pruner": self.settings.pruner,
            **({} if self.storage is None else {"Study": f"{self.storage.study}, shared with others"}),
            "Versions": ", ".join(f"{name} {version}" for name, version in found.items()),
        }
