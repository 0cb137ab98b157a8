"""`inkgrad tune`."""

from pathlib import Path
from typing import Any

from inkgrad.cli.output import emit_json, say
from inkgrad.cli.train import assigned, free_folder, lasting_paths, with_recipe
from inkgrad.data import load
from inkgrad.errors import OptionError, RunError
from inkgrad.training import Settings, Tuned, Tuning, TuningSettings, default_search, saved_tuning
from inkgrad.training.tuning import BEST_FILE, REPORT_FILE, Storage, with_values
from inkgrad.training.tuning.plots import words
from inkgrad.training.tuning.progress import TuningProgress
from inkgrad.training.tuning.result import saved_trials
from inkgrad.training.tuning.study import STUDY_NAME

__all__ = ["chosen_settings", "run"]


def run(
    choices: dict[str, Any],
    given: set[str],
    *,
    search: list[str],
    metric: Any,
    pruner: Any,
    trials: int | None,
    processes: int,
    out: Path | None,
    resume: bool,
    checkpoint_seconds: float,
    storage: str | None,
    study: str | None,
    json: bool,
) -> None:
    """Search, or go on searching, and say what is best; `given` names the options that were typed."""
    if study is not None and storage is None:
        raise OptionError("--study names a study in a --storage; give that too, or leave --study out")
    if resume:
        if out is None:
            raise OptionError("--resume needs --out with the folder of the tuning to continue")
        fixed = given & {*choices, "search", "metric", "pruner"}
        if fixed:
            option = "--set" if "assignments" in fixed else f"--{min(fixed)}"
            raise OptionError(
                f"{option} cannot be changed: the tuning to resume keeps its own settings; leave it out, or start a "
                f"new tuning with another --out"
            )
        settings, folder = saved_tuning(out), out
        trials = saved_trials(out) if trials is None else trials
    else:
        base = chosen_settings(choices, given)
        settings = TuningSettings(base, tuple(search) or default_search(base), metric, pruner)
        folder = out or free_folder(f"tune-{base.model}")
        trials = 30 if trials is None else trials
    splits = load(settings.base.data, train_on=settings.base.train_on)
    with TuningProgress(trials, settings.metric) as progress:
        tuning = Tuning(
            folder,
            settings,
            splits,
            trials=trials,
            processes=processes,
            resume=resume,
            checkpoint_seconds=checkpoint_seconds,
            listener=progress,
            storage=None if storage is None else Storage(storage, study or STUDY_NAME),
        )
        try:
            tuned = tuning.run()
        except KeyboardInterrupt:
            more = "" if storage is None else " with the same --storage"
            say(f"what there is is saved; continue with: inkgrad tune --resume --out {folder}{more}", error=True)
            raise
    if tuned.best is None:
        raise RunError(_nothing(tuned, folder))
    if json:
        emit_json(_as_json(tuned, folder))
    else:
        _print(tuned, folder)


def chosen_settings(choices: dict[str, Any], given: set[str]) -> Settings:
    """The settings from `recipe`, `data`, `model`, `epochs`, `seed` and `assignments` such as "optimizer=adam"."""
    fixed = assigned(choices["assignments"], given)
    typed = {name: choices[name] for name in given if name in choices and name != "assignments"}
    if {"epochs", "steps"} <= typed.keys() | fixed.keys():
        raise OptionError("give a training either epochs or steps, not both")
    return with_values(Settings(**lasting_paths(with_recipe(typed))), lasting_paths(fixed))


def _nothing(tuned: Tuned, folder: Path) -> str:
    said = next((trial.message for trial in tuned.trials if trial.message), None)
    why = f"; the first of them: {said}" if said else ""
    return (
        f"none of {len(tuned.trials)} trials is complete{why}; search other values, or make more trials with: inkgrad "
        f"tune --resume --out {folder} --trials {2 * max(len(tuned.trials), 1)}"
    )


def _as_json(tuned: Tuned, folder: Path) -> dict[str, Any]:
    best = tuned.best
    assert best is not None
    return {
        "out": str(folder),
        "recipe": str(folder / BEST_FILE),
        "report": str(folder / REPORT_FILE),
        "metric": f"validation_{tuned.metric}",
        "value": best.value,
        "trial": best.number,
        "params": best.params,
        "importance": tuned.importance,
        "trials": len(tuned.trials),
    } | {state: tuned.count(state) for state in ("complete", "pruned", "diverged", "refused", "lost")}


def _print(tuned: Tuned, folder: Path) -> None:
    best = tuned.best
    assert best is not None
    value = f"{best.value:.2%}" if tuned.metric == "accuracy" else f"{best.value:.4f}"
    ended = ", ".join(
        f"{n} {state}" for state in ("complete", "pruned", "diverged", "refused", "lost") if (n := tuned.count(state))
    )
    say(f"{len(tuned.trials)} trials: {ended}")
    say(f"best: trial {best.number}, validation {tuned.metric} {value}")
    for field, chosen in best.params.items():
        share = f"  importance {tuned.importance[field]:.0%}" if field in tuned.importance else ""
        say(f"  {field} = {words(chosen)}{share}")
    say(f"report {folder / REPORT_FILE}")
    say(f"next: inkgrad train --recipe {folder / BEST_FILE}")
