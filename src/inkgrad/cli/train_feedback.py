"""`inkgrad train --from-feedback`."""

from pathlib import Path
from typing import Any

from inkgrad.cli.model import chosen_model
from inkgrad.cli.output import emit_json, say
from inkgrad.cli.train import free_folder
from inkgrad.data import NONDIGITS, Dataset, load, mixture_parts, mnist_folder
from inkgrad.errors import OptionError, RunError
from inkgrad.feedback import Store, database_named
from inkgrad.feedback.corrections import Corrections, corrections
from inkgrad.feedback.tuning import Measured, fine_tune, measured
from inkgrad.models import MODEL_FILE, Classifier, save_classifier

TAKEN = ("data", "epochs", "batch_size", "learning_rate", "seed", "out", "start", "database", "replace")
EPOCHS = 10
RATE = 0.0003
NAME = "feedback"  # of the run's folder
TITLES = {
    "learned": "corrections learned",
    "held_out": "corrections held out",
    "original": "validation digits of --data",
    "mnist": "MNIST validation digits",
}
FORGOTTEN = {"original": 0.01, "mnist": 0.01}  # the share of what was known that a model may lose and still replace


def run(choices: dict[str, Any], given: set[str], *, json: bool) -> None:
    """Teach a trained network the corrections, and say what became better and what worse."""
    _check(choices, given)
    start: Path | None = choices["start"]
    target = _target(start) if choices["replace"] else (choices["out"] or free_folder(NAME)) / MODEL_FILE
    if target.exists() and not choices["replace"]:
        raise OptionError(f"{target} exists; name another --out")
    classifier = chosen_model(start)
    found = _found(choices["database"], classifier)
    splits = load(_data(choices["data"], classifier))
    parts = _parts(found, splits.validation)
    before = {name: measured(classifier, part) for name, part in parts.items()}
    tuned = fine_tune(
        classifier,
        found,
        splits.train,
        epochs=EPOCHS if choices["epochs"] is None else choices["epochs"],
        batch_size=choices["batch_size"],
        learning_rate=RATE if choices["learning_rate"] is None else choices["learning_rate"],
        seed=choices["seed"],
        tell=lambda epoch, loss: say(f"epoch {epoch}  loss {loss:.4f}", error=True),
    )
    say("measuring what it reads now", error=True)
    after = {name: measured(tuned, part) for name, part in parts.items()}
    if choices["replace"]:
        _refuse_worse(target, before, after)
    told = {
        "model": str(target),
        "learned": len(found.learned),
        "held_out": len(found.held_out),
        "unused": found.unused,
        "before": {name: _told(one) for name, one in before.items()},
        "after": {name: _told(one) for name, one in after.items()},
    }
    training = {**classifier.header.get("training", {}), "feedback": {**told, "start": str(start or "digits")}}
    save_classifier(target, tuned, metrics=classifier.header.get("metrics"), training=training)
    emit_json(told) if json else _tell(told, target)


def _check(choices: dict[str, Any], given: set[str]) -> None:
    if not choices["from_feedback"]:
        names = ", ".join(f"--{name}" for name in ("start", "database", "replace") if choices[name])
        raise OptionError(f"{names} belongs to corrections; give --from-feedback, too")
    if "distributed" in given:
        raise OptionError("--from-feedback trains in one process; leave --distributed and mpiexec out")
    others = sorted(given - {*TAKEN, "from_feedback", "json"})
    if others:
        names = ", ".join("--" + name.replace("_", "-") for name in others)
        raise OptionError(f"{names} cannot be given together with --from-feedback; leave it out")
    if choices["replace"] and choices["out"] is not None:
        raise OptionError("--out cannot be given together with --replace; leave one out")


def _target(start: Path | None) -> Path:
    """The file that is to be replaced."""
    file = None if start is None else start / MODEL_FILE if start.is_dir() else start
    if file is None or not file.is_file():
        raise OptionError(f"--replace needs --start with a model of your own, but {start or 'digits'} is none")
    return file


def _found(database: str | None, classifier: Classifier) -> Corrections:
    store = Store(database_named(database), create=False)
    try:
        return corrections(store.entries(), rejects=classifier.refuses)
    finally:
        store.close()


def _data(data: str, classifier: Classifier) -> str:
    """With what is no digit, if the network refuses that."""
    drawn = classifier.refuses and NONDIGITS not in {part.name for part in mixture_parts(data)}
    return f"{data}+{NONDIGITS}" if drawn else data


def _parts(found: Corrections, validation: Dataset) -> dict[str, Dataset]:
    """What is measured on; MNIST's validation digits where they are at hand, as nothing is downloaded for it."""
    parts = {"learned": found.learned, "held_out": found.held_out, "original": validation}
    if any(mnist_folder().glob("train-images?idx3-ubyte*")):
        parts["mnist"] = load("mnist").validation
    return parts


def _refuse_worse(target: Path, before: dict[str, Measured], after: dict[str, Measured]) -> None:
    """Raise a RunError where a model would be replaced by one that is worse."""
    for name, title in TITLES.items():
        if name in before and after[name].right < before[name].right - FORGOTTEN.get(name, 0) * before[name].of:
            raise RunError(
                f"{title}: {before[name].right:,} of {before[name].of:,} right before, {after[name].right:,} after, so "
                f"{target} is not replaced; collect more corrections, or lower --learning-rate"
            )


def _told(one: Measured) -> dict[str, Any]:
    return {"right": one.right, "of": one.of, "accuracy": one.accuracy}


def _tell(told: dict[str, Any], target: Path) -> None:
    unused = f", {told['unused']:,} not used" if told["unused"] else ""
    say(f"learned from {told['learned']:,} corrections, measured on {told['held_out']:,} held out{unused}")
    for key, name in TITLES.items():
        if key not in told["before"]:
            say(f"{name}: not at hand")
        elif of := told["before"][key]["of"]:
            before, after = (told[when][key]["right"] for when in ("before", "after"))
            say(f"{name}: {before:,} of {of:,} right before, {after:,} after")
        else:
            say(f"{name}: none yet")
    say(f"model {target}")
    say(f"next: inkgrad serve --model {target if target.name != MODEL_FILE else target.parent}")
