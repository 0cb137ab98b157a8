"""`Classifier`: a trained network with all that turns pixels into answers."""

import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.autodiff import no_grad, ops
from inkgrad.data import DIGITS, Projection, Scaling, linear_scaling, normalize, to_digit
from inkgrad.errors import ShapeError
from inkgrad.models.views import View, seen
from inkgrad.nn import Module

__all__ = ["Classification", "Classifier", "network_logits"]

BATCH = 1000


@dataclass(frozen=True)
class Classification:
    """The answer for one picture.

    Attributes:
        value: the class's index, for digits the digit itself; None: no digit is there.
        label: the class's name, or None.
        confidence: the probability of that class, 0 without one.
        probabilities: float32 (classes,), all 0 without a digit.
        image: uint8 (28, 28), what the network saw, or None.
    """

    value: int | None
    label: str | None
    confidence: float
    probabilities: NDArray[np.float32]
    image: NDArray[np.uint8] | None

    @property
    def runner_up(self) -> int | None:
        """The index of the second most probable class."""
        return None if self.value is None else int(np.argsort(-self.probabilities, kind="stable")[1])


def network_logits(net: Module, images: NDArray[np.uint8], scaling: Scaling) -> NDArray[np.float32]:
    """Logits of uint8 images (n, 28, 28) in prediction mode -> float32 (n, k); the layers' modes stay as they were."""
    training = [module for _, module in net.named_modules() if module.training]
    net.eval()
    try:
        with no_grad():
            parts = [net(scaling.apply(images[i : i + BATCH])).data for i in range(0, max(len(images), 1), BATCH)]
    finally:
        for module in training:
            module.training = True
    return np.concatenate(parts)


@dataclass
class Classifier:
    """A network in prediction mode, its preprocessing and the names of its classes; safe to use from many threads.

    Attributes:
        network: the network.
        scaling: from bytes to floats.
        classes: the name of each class.
        probabilities: how logits become probabilities, "softmax" or "sigmoid".
        header: what else the model file says: metrics, how it was trained.
        normalizations: names of what is done to each image first; see `data.normalize`.
        projection: what keeps the principal components of each image, after that.
        views: in which ways each image is seen at last; the probabilities are averaged.
    """

    network: Module
    scaling: Scaling = field(default_factory=linear_scaling)
    classes: tuple[str, ...] = DIGITS
    probabilities: str = "softmax"
    header: dict[str, Any] = field(default_factory=dict)
    normalizations: tuple[str, ...] = ()
    projection: Projection | None = None
    views: tuple[View, ...] = (View(),)

    def __post_init__(self) -> None:
        self.network.eval()

    def predict_logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 (n, 28, 28), white ink on black -> float32 (n, k).

        With several views they are logarithms of the averaged probabilities.
        """
        images = np.asarray(images)
        if images.ndim != 3 or images.shape[1:] != (28, 28) or images.dtype != np.uint8:
            raise ShapeError(
                f"a classifier needs uint8 images (n, 28, 28), white ink on black, but got {images.dtype} "
                f"{images.shape}; classify() takes any picture"
            )
        images = normalize(images, self.normalizations)
        if self.projection is not None:
            images = self.projection.apply(images)
        several = [network_logits(self.network, view, self.scaling) for view in seen(images, self.views)]
        if len(several) == 1:
            return several[0]
        mean = np.mean([self._softened(z) for z in several], axis=0)
        return np.asarray(np.log(np.maximum(mean, np.float32(1e-30))), np.float32)

    def predict_proba(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 (n, 28, 28) -> float32 (n, k); rows sum to 1."""
        logits = self.predict_logits(images)
        return self._softened(logits) if len(self.views) == 1 else np.exp(logits)

    def _softened(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.probabilities == "sigmoid":  # independent outputs, scaled to sum to 1
            logits = np.log(np.maximum(ops.sigmoid(logits).data, np.float32(1e-30)))
        return ops.softmax(logits).data.astype(np.float32, copy=False)

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.int64]:
        """uint8 (n, 28, 28) -> int64 (n,), the most probable class of each."""
        return np.asarray(self.predict_logits(images).argmax(axis=1), dtype=np.int64)

    def classify(self, picture: Any) -> Classification:
        """The digit in a picture: a file of any common format, bytes, an array or a Pillow image of any size.

        Raises:
            ImageError: it cannot be read as an image.
        """
        image = to_digit(os.fspath(picture) if isinstance(picture, os.PathLike) else picture)
        if image is None:
            return Classification(None, None, 0.0, np.zeros(len(self.classes), np.float32), None)
        probabilities = self.predict_proba(image[None])[0]
        best = int(probabilities.argmax())
        return Classification(best, self.classes[best], float(probabilities[best]), probabilities, image)
