"""The weights behind an output: what each feature adds to the score of a class."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.autodiff import Tensor, no_grad
from inkgrad.errors import OptionError
from inkgrad.explain.subject import Subject, intercept
from inkgrad.models import Classifier
from inkgrad.nn import Linear, Module, feature_maps

__all__ = ["Contributions", "contributions"]


@dataclass(frozen=True)
class Contributions:
    """The last dense layer for one class: logit = sum of weights x features + bias.

    Attributes:
        target: the class.
        weights: float32, the row of the weight for this class, in the shape that the features have.
        features: float32, what the layer before gives: (c, h, w) where it gives maps, (1, 28, 28) where the layer sees
            the pixels, else (d,).
        bias: what is added.
        logit: the class's output.
    """

    target: int
    weights: NDArray[np.float32]
    features: NDArray[np.float32]
    bias: float
    logit: float

    @property
    def shares(self) -> NDArray[np.float32]:
        """What each feature adds: weights x features."""
        return self.weights * self.features


def contributions(model: Module | Classifier, image: NDArray[np.uint8], target: int | None = None) -> Contributions:
    """The weights behind the output of a class, and what each of them adds to it.

    The image is seen as it is, not in a classifier's other views, and the logit is not divided by its temperature.

    Args:
        model: a classifier; or a network that takes pixels / 255.
        image: uint8 (28, 28), white ink on black.
        target: the index of the class that is asked about; by default the one that the model answers.

    Returns:
        The class's weights and the features that they meet.

    Raises:
        ShapeError: an image of another shape or dtype.
        OptionError: a target that is none of the classes, or a network whose outputs are not those of a dense layer.

    >>> import inkgrad as ig
    >>> digits, image = ig.models.pretrained("digits"), ig.data.load_digits()[0].images[0]
    >>> found = contributions(digits, image)
    >>> found.weights.shape, bool(np.isclose(found.shares.sum() + found.bias, found.logit, rtol=1e-3))
    ((96, 3, 3), True)
    """
    subject = Subject(model, image, target)
    x = subject.classifier.scaling.apply(subject.image[None])
    maps = [value for value in feature_maps(subject.network, x).values() if value.ndim == 4]
    dense = [module for _, module in subject.network.named_modules() if isinstance(module, Linear)]
    seen: dict[int, Any] = {}
    for layer in dense:
        intercept(layer, _noting(seen))
    with no_grad():
        outputs = subject.network.forward(x)
    outputs = outputs.data if isinstance(outputs, Tensor) else outputs
    last = next((layer for layer in reversed(dense) if id(layer) in seen), None)
    if last is None or not np.array_equal(seen[id(last)][1], outputs):
        raise OptionError("contributions needs a network whose outputs are those of a Linear layer, and these are not")
    features = seen[id(last)][0][0]
    shape = next((value.shape[1:] for value in reversed([x, *maps]) if value[0].size == features.size), features.shape)
    bias = 0.0 if last.bias is None else float(last.bias.data[subject.target])
    weights = last.weight.data[subject.target].reshape(shape)
    logit = float(outputs[0, subject.target])
    return Contributions(subject.target, np.array(weights), np.array(features.reshape(shape)), bias, logit)


def _noting(seen: dict[int, Any]) -> Any:
    def call(layer: Module, *inputs: Any) -> Any:
        output = layer.forward(*inputs)
        seen[id(layer)] = (np.asarray(inputs[0].data), output.data)
        return output

    return call
