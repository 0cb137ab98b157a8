"""`inkgrad train`."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from inkgrad.cli.output import emit_json, say
from inkgrad.data import NAMES, Augmentation, load, mixture_parts
from inkgrad.errors import DivergenceError, OptionError
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
from inkgrad.training.distillation import load_teacher
from inkgrad.training.progress import Progress
from inkgrad.training.tuning import parse_setting
from inkgrad.training.tuning.space import overridden

_EXTENDABLE = ("epochs", "steps")
GUESSING = 1.5  # times the share of right answers by guessing, below which a training has failed


def run(
    choices: dict[str, Any],
    given: set[str],
    *,
    out: Path | None,
    resume: bool,
    checkpoint_seconds: float,
    tensorboard: bool,
    doctor: bool,
    assignments: Sequence[str],
    json: bool,
    distributed: str | None = None,
) -> None:
    """Train, or go on training, and say where the model is; `given` names the choices that were typed."""

    def decide() -> tuple[Settings, Path]:
        return _decided({name: value for name, value in choices.items() if name in given}, assignments, out, resume)

    kept = {"resume": resume, "checkpoint_seconds": checkpoint_seconds}
    beside = {"tensorboard": tensorboard, "doctor": doctor}
    if distributed is None:
        _warn_of_mpiexec()
        _train(*decide(), kept, beside, json=json, command="inkgrad train --resume")
        return
    from inkgrad.cli.train_together import together

    with together(decide) as (world, (settings, folder), command):
        _train(settings, folder, kept | {"group": world}, beside, json=json, command=command)


def _decided(
    typed: dict[str, Any], assignments: Sequence[str], out: Path | None, resume: bool
) -> tuple[Settings, Path]:
    """The settings and the folder of the run."""
    if resume and out is None:
        raise OptionError("--resume needs --out with the folder of the run to continue")
    typed = _parsed(typed)
    if resume and out is not None:
        if assignments:
            raise OptionError("--set changes a setting, but a run to resume keeps its own; leave --set out")
        settings = _merged(saved_settings(out), lasting_paths(typed))
    else:
        settings = _new(typed, assignments)
    return settings, out or free_folder(settings.model)


def _train(
    settings: Settings,
    folder: Path,
    kept: dict[str, Any],
    wanted: dict[str, bool],
    *,
    json: bool,
    command: str,
) -> None:
    """Train and tell; `kept` is what a run takes beside its settings, `command` what continues it."""
    first = "group" not in kept or kept["group"].rank == 0
    beside = _Beside(folder, resume=kept["resume"], **wanted)
    if first:
        _warn_of_teacher(settings)
    training = start_run(
        folder,
        settings,
        load(settings.data, train_on=settings.train_on),
        callbacks=beside.callbacks if first else lambda _: [],
        announce=lambda number: say(
            f"member {number + 1} of {settings.members}, seed {settings.seed + number}", error=True
        ),
        **kept,
    )
    try:
        last = training.train()
    except KeyboardInterrupt:
        if first and training.resumable:
            say(f"a checkpoint is saved; continue with: {command} --out {folder}", error=True)
        raise
    except DivergenceError as error:
        raise DivergenceError(f"{error}; for more: inkgrad doctor {folder}") from error
    if first:
        _tell_all(training, last, beside, json=json)


def _tell_all(training: Run | EnsembleRun, last: dict[str, Any], beside: "_Beside", *, json: bool) -> None:
    """What came out, and what to do next."""
    settings, folder = training.settings, training.folder
    if json:
        emit_json(
            {"out": str(folder), "model": str(folder / MODEL_FILE), "parameters": training.parameter_count} | last
        )
        return
    _tell(training, last)
    beside.tell()
    split = "" if settings.train_on == "all" or "validation_accuracy" not in last else " --split validation"
    say(f"next: inkgrad evaluate {folder}{split}")


class _Beside:
    """What is called beside a training: progress, and the doctor and a log for TensorBoard where they are wanted."""

    def __init__(self, folder: Path, *, tensorboard: bool, doctor: bool, resume: bool) -> None:
        self._folder, self._doctor = folder, doctor
        # A run that has a log goes on with it; so do all members of an ensemble where one has.
        parts = [folder, *folder.glob("member-*")] if resume else []
        self._logged = tensorboard or any((part / "tensorboard").is_dir() for part in parts)

    def callbacks(self, part: Path) -> list[Callback]:
        """For the run in a folder: this one, or a member of it."""
        return [
            Progress(),
            *([Doctor()] if self._doctor else []),
            *([TensorBoard(part / "tensorboard")] if self._logged else []),
        ]

    def tell(self) -> None:
        """Say where the log is."""
        if self._logged:
            log = self._folder / "tensorboard"
            say(f"log for: tensorboard --logdir {log if log.is_dir() else self._folder}")


def _warn_of_mpiexec() -> None:
    """Whoever forgets --distributed makes the same training several times."""
    from inkgrad.distributed import started_together

    if (count := started_together()) > 1:
        say(f"{count} processes were started, each trains alone; for one training: --distributed mpi", error=True)


def _warn_of_teacher(settings: Settings) -> None:
    """A teacher that has seen the validation part makes its student's validation figures too good."""
    if settings.teacher is None or settings.train_on == "all":
        return
    taught = load_teacher(settings.teacher).header.get("training", {}).get("settings", {})
    if taught.get("train_on") == "all":
        say("the teacher has learned from the validation part too, so validation figures will flatter", error=True)


def _tell(training: Run | EnsembleRun, last: dict[str, Any]) -> None:
    settings, splits, folder = training.settings, training.splits, training.folder
    name = settings.model if settings.members == 1 else f"an ensemble of {settings.members} {settings.model}"
    steps = _counted(last["step"])
    say(f"trained {name} ({training.parameter_count:,} parameters) for {steps} on {splits.train.name}")
    if settings.members > 1 and "validation_accuracy" in last:
        alone = ", ".join(f"{one:.2%}" for one in last["members_validation_accuracy"])
        say(f"validation accuracy of the members alone: {alone}")
    if "validation_accuracy" in last:
        ways = len(settings.ways())
        views = f", each in {ways} views" if ways > 1 else ""
        say(f"validation accuracy {last['validation_accuracy']:.2%} on {len(splits.validation):,} images{views}")
        if last["validation_accuracy"] < GUESSING / len(splits.train.classes):
            say(f"this is hardly better than guessing; to see why: inkgrad doctor {folder}", error=True)
    say(f"model {folder / MODEL_FILE}" + (f", history {folder / 'history.png'}" if settings.members == 1 else ""))


def with_recipe(typed: dict[str, Any]) -> dict[str, Any]:
    """The recipe's settings under those that were typed; epochs and steps stand in for each other."""
    if typed.get("recipe") is None:
        return typed
    values = read_recipe(typed["recipe"])
    if "epochs" in typed or "steps" in typed:
        values = {name: value for name, value in values.items() if name not in _EXTENDABLE}
    return values | typed


def assigned(assignments: Sequence[str], given: set[str]) -> dict[str, Any]:
    """What --set says; `given` names the options that were typed beside it."""
    values: dict[str, Any] = {}
    for field, value in map(parse_setting, assignments):
        if field in values or field.partition(".")[0] in given:
            raise OptionError(f"{field} is given twice; give it once")
        values[field] = value
    return values


def _new(typed: dict[str, Any], assignments: Sequence[str]) -> Settings:
    """The settings of a new run."""
    fields = with_recipe(typed)
    if "augmentation" in fields:
        fields = fields | {"augmentation": fields["augmentation"].as_json()}
    return Settings.from_json(lasting_paths(overridden(fields, assigned(assignments, set(typed)))))


def lasting_paths(values: dict[str, Any]) -> dict[str, Any]:
    """With paths that still lead there from another folder."""
    values = dict(values)
    if values.get("data") is not None:
        values["data"] = _lasting(values["data"])
    if values.get("teacher") is not None:
        values["teacher"] = str(Path(values["teacher"]).resolve())
    return values


def _parsed(typed: dict[str, Any]) -> dict[str, Any]:
    """Widths as numbers, normalizations as a list, augmentation as a record."""
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
    return values


def _lasting(data: str) -> str:
    """The name of a data set, or a path that still leads to it from another folder."""
    parts = mixture_parts(data)
    first = parts[0].name
    if first in NAMES or not Path(first).exists():
        return data
    parts[0] = parts[0]._replace(name=str(Path(first).resolve()))
    return "+".join(f"{part.times}*{part.name}" if part.times > 1 else part.name for part in parts)


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


def free_folder(name: str) -> Path:
    """runs/NAME, or runs/NAME-2 and so on where that is taken."""
    folder, number = Path("runs") / name, 1
    while folder.exists():
        number += 1
        folder = Path("runs") / f"{name}-{number}"
    return folder
