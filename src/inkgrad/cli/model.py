"""The model that a command names: a run's folder, a model file, or weights that come with the package."""

from pathlib import Path

from inkgrad.errors import ModelFileError
from inkgrad.models import MODEL_FILE, PRETRAINED, Classifier, load, pretrained

__all__ = ["chosen_model"]


def chosen_model(given: Path | None) -> Classifier:
    """What was named, or the weights that ship where nothing was; a run or a file comes before weights of its name.

    Raises:
        ModelFileError: neither is there.
    """
    if given is None:
        return pretrained()
    if str(given) in PRETRAINED and not (given.is_file() or (given / MODEL_FILE).is_file()):
        return pretrained(str(given))
    if not given.exists() and len(given.parts) == 1:
        raise ModelFileError(
            f"there is no model {given}; name a run's folder, a model file, or weights that come with inkgrad: "
            + " or ".join(PRETRAINED)
        )
    return load(given)
