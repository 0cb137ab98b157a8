"""Fine-tuning: a trained network learns from corrections, and forgets little of what it knew."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.data import Augmentation, Dataset, linear_scaling, normalize
from inkgrad.errors import OptionError
from inkgrad.feedback.corrections import Corrections
from inkgrad.models import NAMED, Classifier, Network, network_logits
from inkgrad.models.views import seen
from inkgrad.nn import Linear, Sequential
from inkgrad.optim import Adam, Cosine
from inkgrad.random import default_rng
from inkgrad.training import TrainStep

__all__ = ["Measured", "fine_tune", "measured"]

_COPIES = 8  # of each correction, all but the first changed a little
_LEAST = 2000  # original images to mix in
_TIMES = 2  # original images for each copy of a correction
_CHANGES = Augmentation(rotation=8, shift=1, scale=0.08, shear=8, elastic=8, thickness=0.4)


@dataclass(frozen=True)
class Measured:
    """How many of some images are answered rightly; what is no digit must be refused.

    Attributes:
        right: answered rightly.
        of: images.
    """

    right: int
    of: int

    @property
    def accuracy(self) -> float | None:
        """The share, 0 to 1; None of no images."""
        return self.right / self.of if self.of else None


def measured(classifier: Classifier, data: Dataset) -> Measured:
    """Count the right answers."""
    answers = classifier.classify_forms(list(data.images))
    none = len(classifier.classes)
    given = np.array([none if answer.value is None else answer.value for answer in answers], np.int64)
    return Measured(int((given == data.labels).sum()), len(data))


def fine_tune(
    classifier: Classifier,
    given: Corrections,
    original: Dataset,
    *,
    epochs: int = 10,
    batch_size: int = 128,
    learning_rate: float = 0.0003,
    seed: int = 0,
    tell: Callable[[int, float], None] = lambda _epoch, _loss: None,
) -> Classifier:
    """A network that has learned from corrections, too; the one that is given stays as it is.

    All layers but the last stay frozen, so that a handful of pictures cannot spoil what thousands have taught them.
    What they make of each image, in each view of the classifier, is computed once. The last layer goes on from where
    it is by Adam at a small learning rate that falls to 0. It learns the corrections, each in copies that are turned,
    moved and bent a little, among original images: for each copy two of them, and 2,000 at least.

    Args:
        classifier: of a named network whose last layer is linear.
        given: what to learn from; what is held out is not looked at.
        original: images like those that the network was trained on, with some that are no digit if it refuses them.
        epochs: times through both together.
        batch_size: images in each update.
        learning_rate: at the beginning.
        seed: draws the copies, the original images and the order.
        tell: called after each epoch with its number, from 1, and its mean loss.

    Raises:
        OptionError: there is nothing to learn from, or the network is of another kind.
    """
    if not len(given.learned):
        raise OptionError("there are no corrections of single digits to learn from; collect some first")
    for name, value in (("epochs", epochs), ("batch-size", batch_size)):
        if value < 1:
            raise OptionError(f"{name} must be at least 1, but is {value}")
    tuned = copy.deepcopy(classifier)
    head = _head(tuned)
    rng = default_rng(seed)
    features, labels = _together(tuned, given.learned, original, rng)
    updates = epochs * -(-len(labels) // batch_size)
    step = TrainStep(head, _loss(tuned), Adam(head, Cosine(learning_rate, steps=updates)))
    head.train()
    for epoch in range(epochs):
        order, losses = rng.permutation(len(labels)), []
        for start in range(0, len(order), batch_size):
            part = order[start : start + batch_size]
            losses.append(step(features[part], labels[part]))
        tell(epoch + 1, float(np.mean(losses)))
    head.eval()
    return tuned


def _head(classifier: Classifier) -> Linear:
    net = classifier.network
    if not isinstance(net, Network) or not isinstance(net.layers[-1], Linear):
        raise OptionError(f"{type(net).__name__} has no last layer to tune; name a network that was trained alone")
    return net.layers[-1]


def _loss(classifier: Classifier) -> Any:
    assert isinstance(classifier.network, Network)
    return NAMED[classifier.network.architecture].loss


def _together(
    classifier: Classifier, new: Dataset, original: Dataset, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """What the frozen layers make of copies of the corrections and of original images, with the labels."""
    ink = linear_scaling().apply(np.tile(new.images, (_COPIES - 1, 1, 1)))[:, 0]
    changed = np.rint(_CHANGES.apply(ink, rng) * 255).astype(np.uint8)
    count = min(len(original), max(_LEAST, _TIMES * _COPIES * len(new)))
    drawn = original[np.sort(rng.choice(len(original), count, replace=False))]
    images = np.concatenate([new.images, changed, drawn.images])
    labels = np.concatenate([np.tile(new.labels, _COPIES), drawn.labels])
    ways = _features(classifier, images)
    return np.concatenate(ways), np.tile(labels, len(ways))


def _features(classifier: Classifier, images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
    """What comes before the last layer, float32 (n, d), for each view of uint8 images (n, 28, 28)."""
    assert isinstance(classifier.network, Network)
    body = Sequential(*classifier.network.layers[:-1])
    images = normalize(images, classifier.normalizations)
    if classifier.projection is not None:
        images = classifier.projection.apply(images)
    return [network_logits(body, view, classifier.scaling) for view in seen(images, classifier.views)]
