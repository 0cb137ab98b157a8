"""The weights that come with the package."""

from importlib.resources import as_file, files
from importlib.resources.abc import Traversable

from inkgrad.errors import OptionError
from inkgrad.models.classifier import Classifier
from inkgrad.models.file import load

__all__ = ["PRETRAINED", "pretrained", "weights_file"]

PRETRAINED = ("digits", "tiny")
"""Their names."""


def pretrained(name: str = "digits") -> Classifier:
    """A network that has learned digits of many hands, and what is none, as it comes with the package.

    `digits` is the default wherever a digit is read; `tiny` takes no more than 40 kB. Their model cards stand in the
    documentation; `inkgrad train --recipe digits` makes them again.

    Args:
        name: one of `PRETRAINED`.

    Returns:
        A classifier of its own for each call.

    Raises:
        OptionError: there are no such weights.

    >>> import numpy as np
    >>> classifier = pretrained("tiny")
    >>> classifier.predict_proba(np.zeros((1, 28, 28), np.uint8)).shape
    (1, 10)
    """
    if name not in PRETRAINED:
        raise OptionError(f"there are no weights {name!r} in the package; there are {' and '.join(PRETRAINED)}")
    with as_file(weights_file(name)) as path:
        return load(path)


def weights_file(name: str) -> Traversable:
    """Where some of the weights lie in the package; inside a zip file it is not a path."""
    return files("inkgrad") / "models" / "weights" / f"{name}.safetensors"
