"""Optuna's study in the folder of a tuning: what comes next, what was reported, what is to be pruned.

One process alone opens it, the one that was started; those that train only talk to it. So SQLite serves well: what it
has committed survives a killed process and a full disk whole, which a file that lines are appended to does not. A study
that several such processes share is another: `SharedStudy`.
"""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from inkgrad.errors import CheckpointError, OptionError, StorageError
from inkgrad.training.tuning.result import Metric, Outcome, Pruner, State, TrialRecord

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.trial import FrozenTrial, Trial

__all__ = ["STUDY_FILE", "STUDY_NAME", "Study", "file_url", "require"]

STUDY_FILE = "study.sqlite3"
STUDY_NAME = "inkgrad"
_DECIDED = "pruning"  # the attribute of a trial with what was decided: epoch -> whether to prune
_STATES: dict[str, State] = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "refused", "RUNNING": "running"}


def require(name: str) -> Any:
    """A module of the extra `tune`.

    Raises:
        OptionError: it is not installed.
    """
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise OptionError(f'tuning needs {package}; install it with: pip install "inkgrad[tune]"') from error


def file_url(path: Path) -> str:
    """The URL of a SQLite file, as Optuna takes it."""
    url = require("sqlalchemy.engine").URL.create("sqlite", database=str(path.absolute()))
    rendered: str = url.render_as_string(hide_password=False)
    return rendered


class Study:
    """A study in a database, made if there is none.

    The sampler is Optuna's TPE (Bergstra et al. 2011, multivariate as in Falkner et al. 2018), seeded anew for each
    trial from the seed and the trial's number, so that a study that goes on after an end of any kind chooses what it
    would have chosen.

    Args:
        url: that of the database, as SQLAlchemy takes it.
        place: the database in words.
        metric: "accuracy" is to be high, "loss" low.
        pruner: "median" ends a trial whose best epoch so far is worse than the median of the others at that epoch,
            from the second epoch of the sixth trial on; "hyperband" is Li et al. 2018 with 1 to `epochs` epochs.
        epochs: the most that a trial has.
        seed: of the sampler.
        name: that of the study.
        options: of Optuna's `RDBStorage`.
    """

    def __init__(
        self,
        url: str,
        place: str,
        *,
        metric: Metric,
        pruner: Pruner,
        epochs: int,
        seed: int,
        name: str = STUDY_NAME,
        **options: Any,
    ) -> None:
        optuna = require("optuna")
        require("sqlalchemy")
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._optuna, self._seed, self._place, self._name = optuna, seed, place, name
        self._direction = "maximize" if metric == "accuracy" else "minimize"
        self._pruner = _pruner(optuna, pruner, epochs)
        with self._stored():
            self._storage = optuna.storages.RDBStorage(url, **options)
            self._study = optuna.create_study(
                study_name=name,
                storage=self._storage,
                direction=self._direction,
                pruner=self._pruner,
                load_if_exists=True,
            )
            self._id = self._storage.get_study_id_from_name(name)
        copy = self._copy()
        copy.ask()
        # Hyperband makes its brackets when it is first asked; a search that goes on must have them from the start.
        self._pruner.prune(copy, copy.get_trials()[-1])

    def close(self) -> None:
        """Close the file."""
        self._storage.remove_session()
        self._storage.engine.dispose()

    def __len__(self) -> int:
        """How many trials have begun."""
        return len(self._trials())

    def unfinished(self) -> dict[int, dict[str, Any]]:
        """Number -> parameters of the trials that have begun and not ended."""
        running = self._optuna.trial.TrialState.RUNNING
        return {trial.number: dict(trial.params) for trial in self._trials() if trial.state == running}

    def ask(self, suggest: "Callable[[Trial], Any]") -> tuple[int, dict[str, Any]]:
        """Begin the next trial; returns its number and its parameters.

        The values are drawn in a copy in memory and stored with the trial at once: no trial ever has some of them only.
        """
        number = len(self)
        drawn = self._drawn(suggest, [self._seed, number])
        self._begin(params=drawn.params, distributions=drawn.distributions)
        return number, dict(drawn.params)

    def _drawn(self, suggest: "Callable[[Trial], Any]", seeds: list[int]) -> "FrozenTrial":
        """The next trial as it would be, drawn in a copy."""
        rng = np.random.Generator(np.random.PCG64(seeds))
        copy = self._copy(seed=int(rng.integers(2**32)))
        suggest(copy.ask())
        drawn: FrozenTrial = copy.get_trials(deepcopy=False)[-1]
        return drawn

    def _begin(self, **content: Any) -> None:
        """Store a trial that begins."""
        begun = self._optuna.trial.create_trial(state=self._optuna.trial.TrialState.RUNNING, **content)
        with self._stored():
            self._study.add_trial(begun)

    def report(self, number: int, epoch: int, value: float) -> bool:
        """Note the metric after an epoch, from 1; returns whether the trial is to be pruned.

        What was decided about an epoch holds if the epoch is made again after a resumption. It is decided in a copy in
        memory and stored with all that the pruner remembers of it at once, so that no end leaves half of it.
        """
        trial = self._trials()[number]
        if str(epoch) in trial.user_attrs.get(_DECIDED, {}):
            return bool(trial.user_attrs[_DECIDED][str(epoch)])
        with self._stored():
            stored = self._trial(number)
            if epoch not in trial.intermediate_values:
                stored.report(value, epoch)
        copy = self._copy()
        prune = bool(self._pruner.prune(copy, copy.get_trials()[number]))
        remembered = copy.get_trials(deepcopy=False)[number]
        decided = trial.user_attrs.get(_DECIDED, {}) | {str(epoch): prune, "memory": remembered.system_attrs}
        with self._stored():
            stored.set_user_attr(_DECIDED, decided)
        return prune

    def tell(self, number: int, outcome: Outcome) -> None:
        """Note how a trial ended. A diverged one counts as pruned, so that the search turns away from it."""
        states = self._optuna.trial.TrialState
        with self._stored():
            trial = self._trial(number)
            if outcome.message is not None:
                trial.set_user_attr("message", outcome.message[:1000])
            if outcome.state == "diverged":
                trial.set_user_attr("diverged", True)
            if outcome.state == "complete":
                self._study.tell(number, outcome.value)
            else:
                self._study.tell(number, state=states.FAIL if outcome.state == "refused" else states.PRUNED)

    def records(self, values: Callable[[dict[str, Any]], dict[str, Any]]) -> tuple[TrialRecord, ...]:
        """All trials; `values` turns parameters as they are stored into those of settings."""
        return tuple(_record(trial, values(dict(trial.params))) for trial in self._trials())

    def importance(self) -> dict[str, float]:
        """Field -> its share, largest first, by PED-ANOVA (Watanabe et al. 2023); empty below four complete trials."""
        import warnings

        complete = [t for t in self._trials() if t.state == self._optuna.trial.TrialState.COMPLETE]
        if len(complete) < 4 or len({t.value for t in complete}) < 2:
            return {}
        evaluator = self._optuna.importance.PedAnovaImportanceEvaluator()
        with warnings.catch_warnings():  # about fields that few trials have
            warnings.simplefilter("ignore")
            shares = self._optuna.importance.get_param_importances(self._study, evaluator=evaluator)
        return {name: float(share) for name, share in shares.items()}

    def _copy(self, seed: int = 0) -> Any:
        """The study in memory, with a sampler of its own and what the pruner remembers of each trial."""
        optuna = self._optuna
        sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True)
        copy = optuna.create_study(
            study_name=self._name, direction=self._direction, sampler=sampler, pruner=self._pruner
        )
        with self._stored():
            trials = self._study.get_trials()
        for trial in trials:
            trial.system_attrs = trial.system_attrs | trial.user_attrs.get(_DECIDED, {}).get("memory", {})
            copy.add_trial(trial)
        return copy

    def _trials(self) -> "list[FrozenTrial]":
        with self._stored():
            trials: list[FrozenTrial] = self._study.get_trials(deepcopy=False)
        return trials

    def _trial(self, number: int) -> "Trial":
        identifier = self._storage.get_trial_id_from_study_id_trial_number(self._id, number)
        trial: Trial = self._optuna.trial.Trial(self._study, identifier)
        return trial

    @contextlib.contextmanager
    def _stored(self) -> Iterator[None]:
        """Errors of the database in this project's words."""
        failures = (self._optuna.exceptions.StorageInternalError, require("sqlalchemy.exc").SQLAlchemyError)
        try:
            yield
        except failures as error:
            cause = str(getattr(error.__cause__ or error, "orig", None) or error.__cause__ or error)
            if "not a database" in cause or "malformed" in cause:
                raise CheckpointError(
                    f"{self._place} is damaged: {cause}; start a new tuning in another folder"
                ) from error
            raise StorageError(
                f"cannot write {self._place}: {cause}; what was there before is unchanged, continue with --resume"
            ) from error


def _pruner(optuna: Any, name: Pruner, epochs: int) -> "BasePruner":
    made: BasePruner
    if name == "median":
        made = optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=2)
    elif name == "hyperband":
        made = optuna.pruners.HyperbandPruner(min_resource=1, max_resource=max(epochs, 1), reduction_factor=3)
    else:
        made = optuna.pruners.NopPruner()
    return made


def _record(trial: "FrozenTrial", params: dict[str, Any]) -> TrialRecord:
    epochs = tuple(trial.intermediate_values[step] for step in sorted(trial.intermediate_values))
    state = "diverged" if trial.user_attrs.get("diverged") else _STATES[trial.state.name]
    if state == "refused" and "message" not in trial.user_attrs:  # whoever refuses says why
        state = "lost"
    value = trial.value if trial.value is not None else (epochs[-1] if epochs else None)
    return TrialRecord(trial.number, state, params, value, epochs, trial.user_attrs.get("message"))
