"""Model files: safetensors with a header that says what the network is and how it came to be."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.data import NORMALIZATIONS, SIDE, Projection, Scaling
from inkgrad.errors import ModelFileError, OptionError
from inkgrad.models.classifier import Classifier, Refusal
from inkgrad.models.ensemble import ENSEMBLE, Ensemble, empty_ensemble
from inkgrad.models.named import NAMED, build
from inkgrad.models.network import Network
from inkgrad.models.views import View, views_as_json, views_from
from inkgrad.nn.state import load_state, read_arrays, state_of, write_arrays
from inkgrad.random import default_rng

__all__ = ["MODEL_FILE", "load", "save", "save_classifier"]

MODEL_FILE = "model.safetensors"
PROJECTION = "projection."


def save(
    path: str | os.PathLike[str],
    net: Network | Ensemble,
    *,
    scaling: Scaling,
    classes: tuple[str, ...],
    normalizations: Sequence[str] = (),
    projection: Projection | None = None,
    views: tuple[View, ...] = (View(),),
    refusal: Refusal | None = None,
    temperature: float = 1.0,
    metrics: Mapping[str, Any] | None = None,
    training: Mapping[str, Any] | None = None,
) -> None:
    """Write a model file, whole or not at all.

    Args:
        path: the file.
        net: a network that `build` made, or an ensemble of such.
        scaling: the preprocessing it was trained with.
        classes: the name of each class.
        normalizations: names of what is done to each image first.
        projection: what keeps the principal components of each image, after that.
        views: in which ways each image is seen, for test-time augmentation.
        refusal: how what is none of the classes is refused, by a network with an output for it.
        temperature: what logits are divided by.
        metrics: what was measured, as JSON holds it.
        training: how it was trained, as JSON holds it.

    Raises:
        OptionError: the network is none of the named ones, so a file could not tell how to build it.
        StorageError: the file could not be written.
    """
    if not isinstance(net, Ensemble) and (not isinstance(net, Network) or net.architecture not in NAMED):
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
        "views": views_as_json(views),
        "refusal": None if refusal is None else asdict(refusal),
        "temperature": temperature,
        "metrics": dict(metrics or {}),
        "training": dict(training or {}),
    }
    arrays = state_of(net)
    if projection is not None:
        arrays |= {name: getattr(projection, name.removeprefix(PROJECTION)) for name in _projection_names()}
    write_arrays(path, "model", header, arrays)


def save_classifier(
    path: str | os.PathLike[str],
    classifier: Classifier,
    *,
    metrics: Mapping[str, Any] | None = None,
    training: Mapping[str, Any] | None = None,
) -> None:
    """Write the model file that loads into this classifier; see `save`."""
    save(
        path,
        classifier.network,  # type: ignore[arg-type]  # looked at there
        scaling=classifier.scaling,
        classes=classifier.classes,
        normalizations=classifier.normalizations,
        projection=classifier.projection,
        views=classifier.views,
        refusal=classifier.refusal,
        temperature=classifier.temperature,
        metrics=metrics,
        training=training,
    )


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
        views = views_from(header.get("views", views_as_json((View(),))))
        refusal, temperature = _calibration(header)
        net = _empty(path, name, options)
    except ModelFileError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(f"{path} has a damaged header: {type(error).__name__} {error}") from error
    if len(classes) + (refusal is not None) != net.options["classes"]:
        raise ModelFileError(
            f"{path} has a damaged header: it names {len(classes)} classes for {net.options['classes']} outputs"
        )
    projection = _projection(path, arrays)
    load_state(net, {n: a for n, a in arrays.items() if not n.startswith(PROJECTION)}, source=str(path))
    kind = "softmax" if name == ENSEMBLE else NAMED[name].probabilities
    return Classifier(net, scaling, classes, kind, header, normalizations, projection, views, refusal, temperature)


def _calibration(header: Mapping[str, Any]) -> tuple[Refusal | None, float]:
    """How a model refuses, and its temperature; files of earlier versions have neither."""
    saved, temperature = header.get("refusal"), float(header.get("temperature", 1.0))
    refusal = None if saved is None else Refusal(float(saved["threshold"]))
    if not 0 < temperature < float("inf"):
        raise ValueError(f"a temperature of {temperature}")
    if refusal is not None and not 0 <= refusal.threshold <= 1:
        raise ValueError(f"a threshold of {refusal.threshold}")
    return refusal, temperature


def _empty(path: Path, name: str, options: dict[str, Any]) -> Network | Ensemble:
    """The network that the header describes, with fresh weights."""
    names = [str(m["architecture"]) for m in options["members"]] if name == ENSEMBLE else [name]
    for one in names:
        if one not in NAMED:
            raise ModelFileError(
                f"{path} holds a network {one!r} that this inkgrad does not know; it knows {', '.join(NAMED)}"
            )
    return empty_ensemble(options) if name == ENSEMBLE else build(name, rng=default_rng(0), **options)


def _projection_names() -> list[str]:
    return [PROJECTION + field.name for field in fields(Projection)]


def _projection(path: Path, arrays: Mapping[str, NDArray[Any]]) -> Projection | None:
    """The projection in a model file, if it holds one that is whole."""
    if not any(name.startswith(PROJECTION) for name in arrays):
        return None
    mean, components, explained = (np.asarray(arrays.get(name, ()), np.float32) for name in _projection_names())
    k = len(components)
    if (mean.shape, components.shape, explained.shape) != ((SIDE, SIDE), (k, SIDE, SIDE), (k,)):
        raise ModelFileError(
            f"{path} holds a projection that does not fit together: a mean {mean.shape}, components "
            f"{components.shape}, shares {explained.shape}"
        )
    return Projection(mean, components, explained)
