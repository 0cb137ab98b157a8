"""All there is to see inside a network for one image, in numbers small enough to be sent to a page."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.autodiff import Array, Tensor
from inkgrad.errors import OptionError
from inkgrad.explain.activation import grad_cam
from inkgrad.explain.change import smallest_change
from inkgrad.explain.covering import occlusion
from inkgrad.explain.gradients import integrated_gradients, saliency
from inkgrad.explain.output import contributions
from inkgrad.models import Classifier
from inkgrad.nn import feature_maps

__all__ = ["PARTS", "look_inside", "packed"]


def look_inside(
    classifier: Classifier,
    image: NDArray[np.uint8],
    target: int | None = None,
    *,
    parts: Sequence[str] | None = None,
) -> dict[str, Any]:
    """What a network makes of an image, what it has learned, and why it answers as it does.

    Args:
        classifier: the classifier.
        image: uint8 (28, 28), white ink on black.
        target: the digit that the smallest change shall lead to; by default the nearest one.
        parts: which of `PARTS` are wanted; all by default.

    Returns:
        "value", the most probable class, which is explained; "refused", whether the classifier takes the image for none
        of them all the same; "probabilities" (classes,); "seen", the image; and for each part its key. Maps are as
        `packed` gives them. A part that this network does not have is None.

    Raises:
        ShapeError: an image of another shape or dtype.
        OptionError: there is no such part, or a target that is none of the classes or the answer itself.

    >>> import inkgrad as ig
    >>> digits, image = ig.models.pretrained("digits"), ig.data.load_digits()[0].images[0]
    >>> inside = look_inside(digits, image, parts=["layers", "grad_cam"])
    >>> inside["value"], inside["layers"][0]["maps"]["shape"], inside["grad_cam"]["shape"]
    (0, [24, 28, 28], [1, 7, 7])
    """
    chosen = list(PARTS) if parts is None else list(parts)
    if unknown := [part for part in chosen if part not in PARTS]:
        raise OptionError(f"there is no part {unknown[0]!r} inside a network; there are {', '.join(PARTS)}")
    answer = classifier.classify_forms([image])[0]
    value = int(answer.probabilities.argmax())
    glance = _Glance(classifier, image, value, target)
    found = {"value": value, "refused": answer.value is None, "probabilities": answer.probabilities, "seen": image}
    found = {key: thing.tolist() if isinstance(thing, np.ndarray) else thing for key, thing in found.items()}
    for part in chosen:
        found[part] = PARTS[part](glance)
    return found


def packed(maps: Array) -> dict[str, Any]:
    """Maps (n, h, w) or (h, w) as bytes between their lowest and highest value.

    Returns:
        "shape" [n, h, w], "low", "high", and "data": base64 of n h w bytes, 0 for low to 255 for high.

    >>> packed(np.array([[0.0, 1.0], [2.0, 4.0]]))
    {'shape': [1, 2, 2], 'low': 0.0, 'high': 4.0, 'data': 'AECA/w=='}
    """
    maps = np.asarray(maps).reshape(-1, *maps.shape[-2:])
    low, high = float(maps.min()), float(maps.max())
    levels = np.rint((maps - low) * (255 / ((high - low) or 1))).clip(0, 255).astype(np.uint8)
    data = base64.b64encode(levels.tobytes()).decode("ascii")
    return {"shape": list(maps.shape), "low": low, "high": high, "data": data}


@dataclass(frozen=True)
class _Glance:
    classifier: Classifier
    image: NDArray[np.uint8]
    value: int
    target: int | None


def _layers(glance: _Glance) -> list[dict[str, Any]]:
    classifier = glance.classifier
    kinds = {name: type(module).__name__ for name, module in classifier.network.named_modules()}
    found = []
    for name, maps in feature_maps(classifier.network, classifier.scaling.apply(glance.image[None])).items():
        kind = kinds.get(name) or kinds[name.rpartition(" (")[0]]
        if kind != "Flatten":
            shown = maps[0] if maps.ndim == 4 else maps.reshape(1, 1, -1)
            found.append({"name": name, "kind": kind, "maps": packed(shown)})
    return found


def _filters(glance: _Glance) -> list[dict[str, Any]]:
    """Of each layer with a weight, a map for each pair of channels; "columns" is the number of channels in."""
    found = []
    for name, module in glance.classifier.network.named_modules():
        weight = getattr(module, "weight", None)
        if isinstance(weight, Tensor) and weight.ndim == 4:
            values = weight.data
            maps = packed(values.reshape(-1, *values.shape[2:]))
            found.append({"name": name, "kind": type(module).__name__, "columns": values.shape[1], "maps": maps})
    return found


def _winner(glance: _Glance) -> dict[str, Any] | None:
    try:
        found = contributions(glance.classifier, glance.image, glance.value)
    except OptionError:  # outputs of another kind
        return None
    told = {"value": found.target, "bias": found.bias, "logit": found.logit}
    arrays = {"weights": found.weights, "features": found.features, "shares": found.shares}
    return told | {name: packed(values if values.ndim == 3 else values[None, None]) for name, values in arrays.items()}


def _grad_cam(glance: _Glance) -> dict[str, Any] | None:
    try:
        return packed(grad_cam(glance.classifier, glance.image, glance.value))
    except OptionError:  # no convolutions
        return None


def _smallest_change(glance: _Glance) -> dict[str, Any] | None:
    change = smallest_change(glance.classifier, glance.image, glance.target)
    if change is None:
        return None
    changed, difference = packed(change.image), packed(change.difference)
    return {"value": change.value, "size": change.size, "image": changed, "difference": difference}


PARTS: dict[str, Callable[[_Glance], Any]] = {
    "layers": _layers,
    "filters": _filters,
    "winner": _winner,
    "gradient": lambda g: packed(saliency(g.classifier, g.image, g.value)),
    "integrated_gradients": lambda g: packed(integrated_gradients(g.classifier, g.image, g.value)),
    "grad_cam": _grad_cam,
    "occlusion": lambda g: packed(occlusion(g.classifier, g.image, g.value)),
    "smallest_change": _smallest_change,
}
"""What `look_inside` can tell, by name."""
