"""The model that a command names: a run's folder, a model file, or weights that come with the package."""

from pathlib import Path

from inkgrad.models import PRETRAINED, Classifier, load, pretrained

__all__ = ["chosen_model"]


def chosen_model(given: Path | None) -> Classifier:
    """What was named, or the weights that ship where nothing was; a folder or file comes before weights of its name."""
    if given is None:
        return pretrained()
    return pretrained(str(given)) if str(given) in PRETRAINED and not given.exists() else load(given)
