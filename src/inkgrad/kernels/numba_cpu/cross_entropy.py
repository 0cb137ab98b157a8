"""Softmax, loss and gradient of each sample while its row of logits is in the cache."""

import math
from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from inkgrad.kernels.numba_cpu.jit import array, is_float32, jit, readonly
from inkgrad.kernels.reference.cross_entropy import cross_entropy_of_labels
from inkgrad.kernels.registry import implements


@jit(
    types.boolean(
        readonly(types.float32, 2),
        readonly(types.int64, 1),
        readonly(types.float32, 1),
        array(types.float32, 1),
        array(types.float32, 2),
    )
)
def _cross_entropy(logits, labels, weights, losses, gradient):  # type: ignore[no-untyped-def]
    n, k = logits.shape
    for i in range(n):
        label = labels[i]
        if label < 0 or label >= k:
            return False
        top = logits[i, 0]
        for c in range(1, k):
            top = max(top, logits[i, c])
        total = np.float32(0)
        for c in range(k):
            e = np.float32(math.exp(logits[i, c] - top))
            gradient[i, c] = e
            total += e
        scale = weights[i] / total
        miss = gradient[i, label] / total - np.float32(1)
        for c in range(k):
            gradient[i, c] *= scale
        gradient[i, label] = weights[i] * miss
        losses[i] = weights[i] * (np.float32(math.log(total)) - (logits[i, label] - top))
    return True


def _fits(logits: NDArray[Any], labels: NDArray[np.int64], weights: NDArray[Any]) -> bool:
    if not (is_float32(logits, weights) and labels.dtype == np.int64 and labels.flags.c_contiguous):
        return False
    return logits.ndim == 2 and logits.shape[1] > 0 and labels.shape == weights.shape == logits.shape[:1]


@implements(cross_entropy_of_labels, backend="numba_cpu", when=_fits)
def cross_entropy(
    logits: NDArray[Any], labels: NDArray[np.int64], weights: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    losses, gradient = np.empty(len(labels), np.float32), np.empty(logits.shape, np.float32)
    if not _cross_entropy(logits, labels, weights, losses, gradient):
        return cross_entropy_of_labels.reference(logits, labels, weights)  # says which label lies outside
    return losses, gradient
