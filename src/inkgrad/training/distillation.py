"""Learning from a teacher: a network that was trained before."""

import functools
import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.autodiff import Tensor, no_grad, ops
from inkgrad.data import NO_DIGIT, Projection, Scaling
from inkgrad.errors import ModelFileError, OptionError
from inkgrad.models import Classifier, load
from inkgrad.nn import cross_entropy, distillation_loss, state_of

__all__ = ["Distillation", "load_teacher"]


def cross_entropy_or_distillation(logits: Tensor, targets: Any, *, temperature: float, weight: float) -> Tensor:
    """`distillation_loss` of a batch with a teacher's answers; plain cross-entropy of labels, as in validation."""
    if np.ndim(targets) == 3:
        return distillation_loss(logits, targets, temperature=temperature, weight=weight)
    return cross_entropy(logits, targets)


def load_teacher(path: str) -> Classifier:
    """The classifier in a model file or a run's folder, whose errors say that the teacher is meant.

    Raises:
        ModelFileError: it cannot be loaded.
    """
    try:
        return load(path)
    except ModelFileError as error:
        raise ModelFileError(f"the teacher cannot be loaded: {error}") from error


class Distillation:
    """A teacher's answers beside the labels of each batch (Hinton, Vinyals and Dean 2015, arXiv 1503.02531).

    The teacher sees the same images as the student, changed by the same augmentation.

    Args:
        teacher: a classifier with the same preprocessing as the student and probabilities by softmax; it looks at
            each image in one view.
        temperature: T of `nn.distillation_loss`.
        weight: share a of the loss that the teacher has.

    Attributes:
        loss: for the student's `TrainStep`.
    """

    def __init__(self, teacher: Classifier, *, temperature: float = 2.0, weight: float = 0.9) -> None:
        if not 0 < temperature < float("inf"):
            raise OptionError(f"temperature must be above 0, but is {temperature:g}")
        if not 0 <= weight <= 1:
            raise OptionError(f"teacher-weight must be from 0 to 1, but is {weight:g}")
        if teacher.probabilities != "softmax":
            raise OptionError("the teacher's probabilities are no softmax, so there is nothing to soften; take another")
        self.teacher = teacher
        self.temperature = temperature
        self.weight = weight
        self.loss = functools.partial(cross_entropy_or_distillation, temperature=temperature, weight=weight)

    def check(
        self,
        scaling: Scaling,
        classes: tuple[str, ...],
        normalizations: tuple[str, ...],
        projection: Projection | None,
    ) -> None:
        """Raise OptionError unless a student with this preprocessing and these classes can learn from the teacher."""
        teacher = self.teacher
        for name, mine, other in (
            ("classes", ", ".join(classes), ", ".join(teacher.classes + ((NO_DIGIT,) if teacher.refuses else ()))),
            ("scaling", scaling.as_json(), teacher.scaling.as_json()),
            ("normalization", ", ".join(normalizations) or "none", ", ".join(teacher.normalizations) or "none"),
            ("number of principal components", _count(projection), _count(teacher.projection)),
        ):
            if mine != other:
                raise OptionError(
                    f"a student sees images as its teacher does, but in {name} they differ: the teacher has {other}, "
                    f"here it is {mine}"
                )
        if projection is not None and not projection.same(teacher.projection):
            raise OptionError(
                "the principal components of the teacher's training images differ from those of these; train both on "
                "the same images"
            )

    def targets(self, images: NDArray[np.float32], labels: NDArray[Any]) -> NDArray[np.float32]:
        """Images (n, 1, 28, 28), labels (n,) or targets (n, k) -> (n, 2, k): the true rows, and the teacher's."""
        with no_grad():
            logits = self.teacher.network(images).data
        n, k = logits.shape
        pairs = np.zeros((n, 2, k), np.float32)
        if labels.ndim == 1:
            pairs[np.arange(n), 0, labels] = 1
        else:
            pairs[:, 0] = labels
        pairs[:, 1] = ops.softmax(logits / np.float32(self.temperature)).data
        return pairs

    @functools.cached_property
    def fingerprint(self) -> str:
        """That of the teacher's weights."""
        digest = hashlib.sha256()
        for name, array in state_of(self.teacher.network).items():
            digest.update(f"{name} {array.shape}".encode() + array.tobytes())
        return digest.hexdigest()[:16]


def _count(projection: Projection | None) -> str:
    return "none" if projection is None else str(len(projection.components))
