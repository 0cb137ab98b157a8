"""`inkgrad ensemble`."""

from collections.abc import Sequence
from pathlib import Path

from inkgrad.cli.model import chosen_model
from inkgrad.cli.output import emit_json, say
from inkgrad.errors import OptionError
from inkgrad.models import MODEL_FILE, join, save_classifier


def run(models: Sequence[Path], *, out: Path, json: bool) -> None:
    """Join trained models into one that answers with the mean of their probabilities."""
    if len(models) < 2:
        raise OptionError(f"an ensemble needs at least two models, but got {len(models)}")
    if len({model.resolve() for model in models}) < len(models):
        raise OptionError("an ensemble needs different models, but one is named twice")
    classifiers = [chosen_model(model) for model in models]
    if out.is_dir():
        out = out / MODEL_FILE
    if out.exists():
        raise OptionError(f"{out} is there already; choose another --out")
    whole = join(classifiers)
    settings = [one.header.get("training", {}).get("settings", {}) for one in classifiers]
    shared = {name: value for name, value in settings[0].items() if all(other.get(name) == value for other in settings)}
    if any(one.get("train_on") == "all" for one in settings):  # then the validation part is no longer unseen
        shared["train_on"] = "all"
    if shared.pop("calibrate", False):
        say("the members' temperatures do not hold for the ensemble: its confidences are not calibrated", error=True)
    save_classifier(out, whole, training={"settings": shared, "members": settings})
    count = len(whole.network.members)  # type: ignore[attr-defined]
    if json:
        emit_json({"model": str(out), "members": count, "parameters": whole.network.parameter_count()})
        return
    say(f"an ensemble of {count} networks ({whole.network.parameter_count():,} parameters): {out}")
    say(f"next: inkgrad evaluate {out}")
