"""Model files: safetensors with a header that says what the network is and how it came to be."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from inkgrad.data import NORMALIZATIONS, Scaling
from inkgrad.errors import ModelFileError, OptionError
from inkgrad.models.classifier import Classifier
from inkgrad.models.named import NAMED, build
from inkgrad.models.network import Network
from inkgrad.nn.state import load_state, read_arrays, state_of, write_arrays
from inkgrad.random import default_rng

__all__ = ["MODEL_FILE", "load", "save"]

MODEL_FILE = "model.safetensors"


def save(
    path: str | os.PathLike[str],
    net: Network,
    *,
    scaling: Scaling,
    classes: tuple[str, ...],
    normalizations: Sequence[str] = (),
    metrics: Mapping[str, Any] | None = None,
    training: Mapping[str, Any] | None = None,
) -> None:
    """Write a model file, whole or not at all.

    Args:
        path: the file.
        net: a network that `build` made.
        scaling: the preprocessing it was trained with.
        classes: the name of each class.
        normalizations: names of what is done to each image first.
        metrics: what was measured, as JSON holds it.
        training: how it was trained, as JSON holds it.

    Raises:
        OptionError: the network is none of the named ones, so a file could not tell how to build it.
        StorageError: the file could not be written.
    """
    if not isinstance(net, Network) or net.architecture not in NAMED:
        raise OptionError(
            f"{type(net).__name__} was not built by models.build, so a model file cannot say how to build it again; "
            f"save its arrays with nn.state_of"
        )
    header = {
        "architecture": net.architecture,
        "options": net.options,
        "scaling": scaling.as_json(),
        "classes": list(classes),
        "normalizations": list(normalizations),
        "metrics": dict(metrics or {}),
        "training": dict(training or {}),
    }
    write_arrays(path, "model", header, state_of(net))


def load(path: str | os.PathLike[str]) -> Classifier:
    """The classifier in a model file, or in the run folder that holds one.

    Raises:
        ModelFileError: missing, damaged, of another architecture, or of a newer format.
    """
    path = Path(path)
    if path.is_dir():
        if not (path / MODEL_FILE).is_file():
            raise ModelFileError(
                f"the folder {path} holds no {MODEL_FILE}; finish its training first or name a model file"
            )
        path = path / MODEL_FILE
    header, arrays = read_arrays(path, "model")
    try:
        name, options = str(header["architecture"]), dict(header["options"])
        classes = tuple(str(c) for c in header["classes"])
        scaling = Scaling.from_json(header["scaling"])
        normalizations = tuple(str(n) for n in header.get("normalizations", ()))
        if unknown := [n for n in normalizations if n not in NORMALIZATIONS]:
            raise ModelFileError(f"{path} asks for a normalization {unknown[0]!r} that this inkgrad does not know")
        for part in ("metrics", "training"):
            said = header.setdefault(part, {})
            if not isinstance(said, dict) or not isinstance(said.get("settings", {}), dict):
                raise ModelFileError(f"{path} has a damaged header: {part} is {said!r} instead of fields")
        if name not in NAMED:
            raise ModelFileError(
                f"{path} holds a network {name!r} that this inkgrad does not know; it knows {', '.join(NAMED)}"
            )
        net = build(name, rng=default_rng(0), **options)
    except ModelFileError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(f"{path} has a damaged header: {type(error).__name__} {error}") from error
    if len(classes) != net.options["classes"]:
        raise ModelFileError(
            f"{path} has a damaged header: it names {len(classes)} classes for {net.options['classes']} outputs"
        )
    load_state(net, arrays, source=str(path))
    return Classifier(net, scaling, classes, NAMED[name].probabilities, header, normalizations)
