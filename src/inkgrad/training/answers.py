"""How many answers of a network are right."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["right_answers"]


def right_answers(logits: NDArray[Any], labels: NDArray[Any], weights: NDArray[np.float32] | None = None) -> float:
    """The number of images whose largest logit is that of their class, or the sum of their weights.

    Args:
        logits: (n, k).
        labels: int64 (n,), or targets (n, k), or (n, 2, k) with a teacher's behind the true ones.
        weights: float32 (n,).

    >>> right_answers(np.eye(3), np.array([0, 1, 1]))
    2.0
    """
    if labels.ndim > 1:
        labels = (labels[:, 0] if labels.ndim > 2 else labels).argmax(axis=1)
    right = logits.argmax(axis=1) == labels
    return float(right.sum() if weights is None else right @ weights)
