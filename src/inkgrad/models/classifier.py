"""`Classifier`: a trained network with all that turns pixels into answers."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.autodiff import no_grad, ops
from inkgrad.data import DIGITS, Projection, Scaling, linear_scaling, normalize, to_digit
from inkgrad.errors import OptionError, ShapeError
from inkgrad.models.views import View, seen
from inkgrad.nn import Module

__all__ = ["Classification", "Classifier", "Refusal", "network_logits", "network_outputs", "probabilities_of"]

BATCH = 1000


@dataclass(frozen=True)
class Classification:
    """The answer for one picture.

    Attributes:
        value: the class's index, for digits the digit itself; None: no digit is there.
        label: the class's name, or None.
        confidence: the probability of that class, 0 without one.
        probabilities: float32 (classes,), all 0 where there is no ink.
        image: uint8 (28, 28), what the network saw, or None.
        digit_probability: that it is a digit at all; None of a network that has not learned what is none.
    """

    value: int | None
    label: str | None
    confidence: float
    probabilities: NDArray[np.float32]
    image: NDArray[np.uint8] | None = field(repr=False)
    digit_probability: float | None = None

    @property
    def runner_up(self) -> int | None:
        """The index of the second most probable class."""
        return None if self.value is None else int(np.argsort(-self.probabilities, kind="stable")[1])


def network_outputs(net: Module, batches: Iterable[NDArray[np.float32]]) -> NDArray[np.float32]:
    """What a network gives in prediction mode for one batch after the other; its layers' modes stay as they were."""
    training = [module for _, module in net.named_modules() if module.training]
    net.eval()
    try:
        with no_grad():
            parts = [net(batch).data for batch in batches]
    finally:
        for module in training:
            module.training = True
    return np.concatenate(parts)


def network_logits(net: Module, images: NDArray[np.uint8], scaling: Scaling) -> NDArray[np.float32]:
    """Logits of uint8 images (n, 28, 28) in prediction mode -> float32 (n, k); the layers' modes stay as they were."""
    starts = range(0, max(len(images), 1), BATCH)
    return network_outputs(net, (scaling.apply(images[i : i + BATCH]) for i in starts))


def probabilities_of(logits: NDArray[Any], kind: str = "softmax") -> NDArray[Any]:
    """(n, k) -> (n, k) of the same dtype, whose rows sum to 1: by softmax, or as sigmoids that are scaled to do so."""
    if kind == "sigmoid":
        logits = np.log(np.maximum(ops.sigmoid(logits).data, np.float32(1e-30)))
    return ops.softmax(logits).data


@dataclass(frozen=True)
class Refusal:
    """The network's last output stands for what is none of the classes.

    Attributes:
        threshold: the least probability of being one of them at which `classify` gives a value.
    """

    threshold: float = 0.5


@dataclass
class Classifier:
    """A network in prediction mode, its preprocessing and the names of its classes; safe to use from many threads.

    Attributes:
        network: the network.
        scaling: from bytes to floats.
        classes: the name of each class; what is none of them has no name.
        probabilities: how logits become probabilities, "softmax" or "sigmoid".
        header: what else the model file says: metrics, how it was trained.
        normalizations: names of what is done to each image first; see `data.normalize`.
        projection: what keeps the principal components of each image, after that.
        views: in which ways each image is seen at last; the probabilities are averaged.
        refusal: how what is none of the classes is refused; None where the network has no output for it.
        temperature: what logits are divided by, so that probabilities are as often right as they say (Guo et al. 2017,
            arXiv 1706.04599).
    """

    network: Module
    scaling: Scaling = field(default_factory=linear_scaling)
    classes: tuple[str, ...] = DIGITS
    probabilities: str = "softmax"
    header: dict[str, Any] = field(default_factory=dict)
    normalizations: tuple[str, ...] = ()
    projection: Projection | None = None
    views: tuple[View, ...] = (View(),)
    refusal: Refusal | None = None
    temperature: float = 1.0

    def __post_init__(self) -> None:
        self.network.eval()

    @property
    def refuses(self) -> bool:
        """Whether it has learned what is none of the classes."""
        return self.refusal is not None

    def predict_logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 (n, 28, 28), white ink on black -> float32 (n, k), divided by the temperature.

        With several views they are logarithms of the averaged probabilities.
        """
        return self._calibrated(self._outputs(images))

    def predict_proba(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 (n, 28, 28) -> float32 (n, k); rows sum to 1. If it is a digit: see `digit_probability`."""
        return self._probabilities(self._outputs(images))

    def digit_probability(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 (n, 28, 28) -> float32 (n,): the probability that it is one of the classes at all.

        Raises:
            OptionError: the network has not learned what is none of them.
        """
        if self.refusal is None:
            raise OptionError(
                "this network has not learned what is no digit; take models.pretrained('digits'), or train on a "
                "mixture with nondigits"
            )
        return _known(self._outputs(images))

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.int64]:
        """uint8 (n, 28, 28) -> int64 (n,), the most probable class of each."""
        return np.asarray(self.predict_logits(images).argmax(axis=1), dtype=np.int64)

    def classify(self, picture: Any) -> Classification:
        """The digit in a picture: a file of any common format, bytes, an array or a Pillow image of any size.

        Raises:
            ImageError: it cannot be read as an image.
        """
        return self.classify_forms([to_digit(os.fspath(picture) if isinstance(picture, os.PathLike) else picture)])[0]

    def classify_forms(self, images: Sequence[NDArray[np.uint8] | None]) -> list[Classification]:
        """The digits in what `to_digit` made of pictures, uint8 (28, 28) or None each; many together are faster."""
        there = [image for image in images if image is not None]
        if there:
            outputs = self._outputs(np.stack(there))
            probabilities = self._probabilities(outputs)
            known = _known(outputs) if self.refuses else np.ones(len(there), np.float32)
        answers, seen = [], 0
        for image in images:
            if image is None:
                answers.append(self._refused(np.zeros(len(self.classes), np.float32), None, 0.0))
                continue
            answers.append(self._answer(probabilities[seen], image, float(known[seen])))
            seen += 1
        return answers

    def _answer(self, probabilities: NDArray[np.float32], image: NDArray[np.uint8], known: float) -> Classification:
        if self.refusal is not None and known < self.refusal.threshold:
            return self._refused(probabilities, image, known)
        best = int(probabilities.argmax())
        sure = known if self.refuses else None
        return Classification(best, self.classes[best], float(probabilities[best]), probabilities, image, sure)

    def _refused(
        self, probabilities: NDArray[np.float32], image: NDArray[np.uint8] | None, known: float
    ) -> Classification:
        return Classification(None, None, 0.0, probabilities, image, known if self.refuses else None)

    def _outputs(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """All outputs of the network, as they are, or the logarithms of what several views say on average."""
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

    def _calibrated(self, outputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """The logits of the classes alone."""
        logits = outputs if self.refusal is None else outputs[:, :-1]
        return logits if self.temperature == 1 else logits / np.float32(self.temperature)

    def _probabilities(self, outputs: NDArray[np.float32]) -> NDArray[np.float32]:
        logits = self._calibrated(outputs)
        return self._softened(logits) if len(self.views) == 1 else ops.softmax(logits).data

    def _softened(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        return probabilities_of(logits, self.probabilities).astype(np.float32, copy=False)


def _known(outputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """1 minus the probability of the last output."""
    others = outputs[:, :-1]
    top = others.max(axis=1)
    # The logarithm of what all the others say together, against the last.
    together = top + np.log(np.exp(others - top[:, None]).sum(axis=1))
    return np.asarray(ops.sigmoid(together - outputs[:, -1]).data, np.float32)
