"""Softmax and cross-entropy as one function, with its gradient."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.kernels.registry import kernel


@kernel
def cross_entropy_of_labels(
    logits: NDArray[Any], labels: NDArray[np.int64], weights: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Per-sample loss -w log softmax(z)[label] and its gradient w (softmax(z) - onehot(label)).

    Args:
        logits: (n, k).
        labels: int64 (n,), each in 0..k-1.
        weights: (n,), the weight of each sample.

    Returns:
        losses (n,), gradient of each sample's loss for its own logits (n, k).
    """
    rows = np.arange(len(labels))
    log_p = log_softmax(logits)
    gradient = np.exp(log_p)
    gradient[rows, labels] -= 1
    return -weights * log_p[rows, labels], gradient * weights[:, None]


@kernel
def cross_entropy_of_targets(logits: NDArray[Any], targets: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Per-sample loss -sum_c t_c log softmax(z)_c and its gradient softmax(z) sum_c t_c - t.

    Args:
        logits: (n, k).
        targets: (n, k), not negative; weights are multiplied in, so rows need not sum to 1.

    Returns:
        losses (n,), gradient of each sample's loss for its own logits (n, k).
    """
    log_p = log_softmax(logits)
    losses = -(targets * log_p).sum(axis=1)
    return losses, np.exp(log_p) * targets.sum(axis=1, keepdims=True) - targets


def log_softmax(logits: NDArray[Any]) -> NDArray[Any]:
    """log softmax(z) of each row, (n, k)."""
    if logits.size == 0:
        return logits.copy()
    shifted = logits - logits.max(axis=1, keepdims=True)  # exp of at most 0 never overflows
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))
