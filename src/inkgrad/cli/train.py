"""`inkgrad train`."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from inkgrad.cli.output import emit_json, say
from inkgrad.data import NAMES, Augmentation, load
from inkgrad.errors import OptionError
from inkgrad.models import MODEL_FILE
from inkgrad.training import (
    Callback,
    Doctor,
    EnsembleRun,
    Run,
    Settings,
    TensorBoard,
    read_recipe,
    saved_settings,
    start_run,
)
from inkgrad.training.progress import Progress

_EXTENDABLE = ("epochs", "steps")


def run(
    choices: dict[str, Any],
    given: set[str],
    *,
    out: Path | None,
    resume: bool,
    checkpoint_seconds: float,
    tensorboard: bool,
    doctor: bool,
    json: bool,
) -> None:
    """Train, or go on training, and say where the model is; `given` names the choices that were typed."""
    if resume and out is None:
        raise OptionError("--resume needs --out with the folder of the run to continue")
    typed = _parsed({name: value for name, value in choices.items() if name in given})
    if resume and out is not None:
        settings = _merged(saved_settings(out), typed)
    else:
        settings = Settings(**with_recipe(typed))
    folder = out or free_folder(settings.model)
    logs: list[Path] = []

    def callbacks(part: Path) -> list[Callback]:
        """Of the run in a folder: this one, or a member of it."""
        log = _log(part, wanted=tensorboard, resume=resume)
        logs.extend([] if log is None else [log])
        return [Progress(), *([Doctor()] if doctor else []), *([] if log is None else [TensorBoard(log)])]

    splits = load(settings.data, train_on=settings.train_on)

    def announce(number: int) -> None:
        say(f"member {number + 1} of {settings.members}, seed {settings.seed + number}", error=True)

    training = start_run(
        folder,
        settings,
        splits,
        resume=resume,
        checkpoint_seconds=checkpoint_seconds,
        callbacks=callbacks,
        announce=announce,
    )
    try:
        last = training.train()
    except KeyboardInterrupt:
        if training.resumable:
            say(f"a checkpoint is saved; continue with: inkgrad train --resume --out {folder}", error=True)
        raise
    if json:
        emit_json(
            {"out": str(folder), "model": str(folder / MODEL_FILE), "parameters": training.parameter_count} | last
        )
        return
    _tell(training, last)
    if logs:
        say(f"log for: tensorboard --logdir {logs[0] if len(logs) == 1 else folder}")
    say(f"next: inkgrad evaluate {folder}")


def _tell(training: Run | EnsembleRun, last: dict[str, Any]) -> None:
    settings, splits, folder = training.settings, training.splits, training.folder
    name = settings.model if settings.members == 1 else f"an ensemble of {settings.members} {settings.model}"
    steps = _counted(last["step"])
    say(f"trained {name} ({training.parameter_count:,} parameters) for {steps} on {splits.train.name}")
    if settings.members > 1 and "validation_accuracy" in last:
        alone = ", ".join(f"{one:.2%}" for one in last["members_validation_accuracy"])
        say(f"validation accuracy of the members alone: {alone}")
    if "validation_accuracy" in last:
        say(f"validation accuracy {last['validation_accuracy']:.2%} on {len(splits.validation):,} images")
    say(f"model {folder / MODEL_FILE}" + (f", history {folder / 'history.png'}" if settings.members == 1 else ""))


def with_recipe(typed: dict[str, Any]) -> dict[str, Any]:
    """The recipe's settings under those that were typed; epochs and steps stand in for each other."""
    if typed.get("recipe") is None:
        return typed
    values = read_recipe(typed["recipe"])
    if "epochs" in typed or "steps" in typed:
        values = {name: value for name, value in values.items() if name not in _EXTENDABLE}
    return values | typed


def _parsed(typed: dict[str, Any]) -> dict[str, Any]:
    """Widths as numbers, augmentation as a record, and a path to the data that lasts."""
    values = dict(typed)
    if values.get("normalize") is not None:
        values["normalize"] = tuple(name.strip() for name in values["normalize"].split(",") if name.strip())
    if values.get("augmentation") is not None:
        values["augmentation"] = _augmentation(values["augmentation"])
    if values.get("hidden") is not None:
        try:
            values["hidden"] = tuple(int(width) for width in str(values["hidden"]).split(","))
        except ValueError:
            raise OptionError(f"--hidden takes widths such as 128 or 300,100, but got {values['hidden']!r}") from None
    if "data" in values:
        values["data"] = lasting(values["data"])
    if values.get("teacher") is not None:
        values["teacher"] = str(Path(values["teacher"]).resolve())
    return values


def lasting(data: str) -> str:
    """The name of a data set, or a path that still leads to it from another folder."""
    return data if data in NAMES or not Path(data).exists() else str(Path(data).resolve())


def _augmentation(text: str) -> Augmentation:
    """From what is typed, such as rotation=10,shift=2."""
    values = {}
    for part in filter(None, text.split(",")):
        name, equals, number = part.partition("=")
        if name.strip() in values:
            raise OptionError(f"--augment names {name.strip()} twice")
        try:
            values[name.strip()] = float(number)
        except ValueError:
            equals = ""
        if not equals:
            raise OptionError(f"--augment takes numbers such as rotation=10,shift=2, but got {part!r}")
    return Augmentation.from_json(values)


def _merged(saved: Settings, asked: dict[str, Any]) -> Settings:
    """The saved settings; what was typed must agree with them, but may ask for more epochs or steps."""
    for name, value in asked.items():
        before = getattr(saved, name)
        if name in _EXTENDABLE or value == before:
            continue
        raise OptionError(
            f"{_option(name)} is {_words(value)} here, but the run to resume has {_words(before)}; leave it "
            f"out, or start a new run with another --out"
        )
    longer = {name: asked[name] for name in _EXTENDABLE if name in asked}
    if longer and any(getattr(saved, name) != value for name, value in longer.items()) and saved.schedule != "constant":
        raise OptionError(
            f"the run to resume has a {saved.schedule} schedule made for its own length, so it cannot be prolonged; "
            f"leave --epochs and --steps out"
        )
    return replace(saved, **({"epochs": None, "steps": None} | longer)) if longer else saved


def _counted(steps: int) -> str:
    return f"{steps:,} step{'' if steps == 1 else 's'}"


def _option(name: str) -> str:
    return "--augment" if name == "augmentation" else f"--{name.replace('_', '-')}"


def _words(value: Any) -> str:
    """A setting as it is typed."""
    if isinstance(value, Augmentation):
        return ",".join(f"{name}={number:g}" for name, number in value.as_json().items()) or "none"
    if value == ():
        return "none"
    if isinstance(value, tuple):
        return ",".join(str(item) for item in value)
    return "its default" if value is None else str(value)


def _log(folder: Path, *, wanted: bool, resume: bool) -> Path | None:
    """Where the log for TensorBoard goes; a run that has one goes on with it."""
    log = folder / "tensorboard"
    return log if wanted or (resume and log.is_dir()) else None


def free_folder(name: str) -> Path:
    """runs/NAME, or runs/NAME-2 and so on where that is taken."""
    folder, number = Path("runs") / name, 1
    while folder.exists():
        number += 1
        folder = Path("runs") / f"{name}-{number}"
    return folder
