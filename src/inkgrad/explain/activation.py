"""Grad-CAM: where the last maps of a network are that speak for a class."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.autodiff import Array, Tensor
from inkgrad.errors import OptionError
from inkgrad.explain.subject import Subject, gradient_of, intercept
from inkgrad.models import Classifier
from inkgrad.nn import Conv2d, Module, feature_maps

__all__ = ["grad_cam"]


def grad_cam(
    model: Module | Classifier,
    image: NDArray[np.uint8],
    target: int | None = None,
    *,
    layer: str | None = None,
) -> NDArray[np.float32]:
    """Where the maps of a layer speak for the target, as one coarse map.

    ReLU(sum over k of w_k A_k), with the layer's maps A_k and w_k, the mean over all places of the gradient of the
    score for A_k (Selvaraju et al. 2017, arXiv 1610.02391). The image is seen as it is, not in a classifier's other
    views.

    Args:
        model: a classifier; or a network that takes pixels / 255.
        image: uint8 (28, 28), white ink on black.
        target: the index of the class that is asked about; by default the one that the model answers.
        layer: the path of a layer that gives maps, as `nn.feature_maps` names it; by default the last one of the size
            that the last convolution gives.

    Returns:
        float32 (h, w) of the layer's maps, at least 0.

    Raises:
        ShapeError: an image of another shape or dtype.
        OptionError: a target that is none of the classes, or a layer that gives no maps.

    >>> import inkgrad as ig
    >>> digits, image = ig.models.pretrained("digits"), ig.data.load_digits()[0].images[0]
    >>> grad_cam(digits, image).shape
    (7, 7)
    """
    subject = Subject(model, image, target)
    x = subject.classifier.scaling.apply(subject.image[None])
    found = feature_maps(subject.network, x)
    name = _last_maps(subject.network, found) if layer is None else layer
    if name not in found or found[name].ndim != 4:
        there = ", ".join(one for one, value in found.items() if value.ndim == 4) or "no layer"
        raise OptionError(f"grad_cam needs a layer that gives maps, but got {name!r}; here {there} does")
    maps = Tensor(found[name], requires_grad=True)

    def instead(_layer: Module, *_inputs: Any) -> Tensor:
        return maps

    intercept(dict(subject.network.named_modules())[name], instead)
    gradient = gradient_of(subject.network(x)[:, subject.target], maps)
    weights = gradient.mean(axis=(2, 3), keepdims=True)
    return np.asarray(np.maximum((weights * maps.data).sum(axis=1)[0], np.float32(0)))


def _last_maps(network: Module, found: dict[str, Array]) -> str:
    """The last layer with maps as large as those of the last convolution: its activation, not what is pooled of it."""
    convolutions = {name for name, module in network.named_modules() if isinstance(module, Conv2d)}
    last = [name for name in found if name in convolutions]
    if not last:
        raise OptionError("grad_cam needs a network with convolutions, and this one has none")
    size = found[last[-1]].shape[2:]
    return [name for name, maps in found.items() if maps.ndim == 4 and maps.shape[2:] == size][-1]
