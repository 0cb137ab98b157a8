"""What is explained: the scores of a model, as a function of the ink of one image."""

import copy
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.autodiff import Tensor, ops
from inkgrad.data import normalize
from inkgrad.errors import OptionError, ShapeError
from inkgrad.models import Classifier, View, network_logits
from inkgrad.models.views import seen, view_matrix
from inkgrad.nn import Module

__all__ = ["Subject", "gradient_of", "intercept"]

Images = NDArray[np.uint8]
_matrix = lru_cache(maxsize=16)(view_matrix)


class Subject:
    """A model and one image of a digit, with a copy of the network that is free to be differentiated and changed.

    The score of a class is its logit as `Classifier.predict_logits` gives it, before what several views say is put
    together: its mean over the views, each a linear map of the image. It does not flatten where a probability does.

    Args:
        model: a classifier; or a network that takes pixels / 255.
        image: uint8 (28, 28), white ink on black.
        target: the index of the class that is asked about; by default the one that the model answers.

    Attributes:
        classifier: the model.
        network: its copy in prediction mode; its parameters want no gradient.
        image: uint8 (28, 28) after the classifier's normalizations and projection: what its network sees.
        ink: the same as float32 in 0..1.
        target: the class that is asked about.

    Raises:
        ShapeError: an image of another shape or dtype.
        OptionError: a model without a network, or a target that is none of its classes.
    """

    def __init__(self, model: Module | Classifier, image: Images, target: int | None = None) -> None:
        network = model.network if isinstance(model, Classifier) else model
        if not isinstance(network, Module):
            raise OptionError(f"explain looks into a network or a Classifier with one, but got {type(model).__name__}")
        self.network: Module = copy.deepcopy(network).eval()
        for _, parameter in self.network.named_parameters():
            parameter.requires_grad = False
        self.classifier = model if isinstance(model, Classifier) else _as_classifier(self.network)
        self.image = self._prepared(image)
        self.ink = self.image.astype(np.float32) / 255
        self.target = self._class(target)

    def outputs(self, ink: Tensor) -> list[Tensor]:
        """The outputs of the network for ink (n, 28, 28) in each view, each (n, k)."""
        n, h, w = ink.shape
        scale = np.float32(255 * self.classifier.scaling.scale)
        shift = np.float32(self.classifier.scaling.shift)
        results = []
        for view in self.classifier.views:
            turned = ink if view == View() else ops.matmul(ink.reshape(n, h * w), _matrix(view, (h, w)))
            results.append(self.network((turned * scale + shift).reshape(n, 1, h, w)))
        return results

    def scores(self, ink: Tensor) -> Tensor:
        """The score of the target for each of the inks (n, 28, 28), differentiable -> (n,)."""
        several = [output[:, self.target] for output in self.outputs(ink)]
        return sum(several[1:], several[0]) * np.float32(1 / (len(several) * self.classifier.temperature))

    def scores_of(self, images: Images) -> NDArray[np.float32]:
        """The same of uint8 images (n, 28, 28), by the network's fast way -> float32 (n,)."""
        c = self.classifier
        several = [network_logits(c.network, view, c.scaling)[:, self.target] for view in seen(images, c.views)]
        return np.asarray(np.mean(several, axis=0) / c.temperature, np.float32)

    def _prepared(self, image: Images) -> Images:
        image = np.asarray(image)
        if image.shape != (28, 28) or image.dtype != np.uint8:
            raise ShapeError(
                f"an image to explain is uint8 (28, 28), white ink on black, but got {image.dtype} {image.shape}; "
                f"data.to_digit makes one of any picture"
            )
        images = normalize(image[None], self.classifier.normalizations)
        if self.classifier.projection is not None:
            images = self.classifier.projection.apply(images)
        return np.asarray(images[0], np.uint8)

    def _class(self, target: int | None) -> int:
        classes = len(self.classifier.classes)
        if target is None:
            logits = [network_logits(self.network, view, self.classifier.scaling) for view in self._views()]
            return int(np.mean(logits, axis=0)[0, :classes].argmax())
        if not 0 <= target < classes:
            raise OptionError(f"target must be a class from 0 to {classes - 1}, but is {target}")
        return int(target)

    def _views(self) -> list[Images]:
        return list(seen(self.image[None], self.classifier.views))


def _as_classifier(network: Module) -> Classifier:
    outputs = network(np.zeros((1, 1, 28, 28), np.float32)).shape[-1]
    return Classifier(network, classes=tuple(map(str, range(outputs))))


def intercept(layer: Module, call: Callable[..., Any]) -> None:
    """Have `call(layer, *inputs)` run wherever a layer of a private copy is called; it may ask `layer.forward`."""
    kind = type(layer)
    object.__setattr__(layer, "__class__", type(kind.__name__, (kind,), {"__call__": call}))


def gradient_of(score: Tensor, leaf: Tensor) -> NDArray[np.float32]:
    """d score / d leaf."""
    score.sum().backward()
    if leaf.grad is None:
        raise OptionError("the score of this network does not depend on what it is asked about")
    return np.asarray(leaf.grad, np.float32)
