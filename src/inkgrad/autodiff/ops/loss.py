"""Losses: from predictions and targets to one number to descend on."""

import functools
from typing import Any, Literal, TypeAlias

import numpy as np

from inkgrad import kernels
from inkgrad.autodiff.differentiable import Recorded, differentiable
from inkgrad.autodiff.tensor import Array, Tensor, as_array
from inkgrad.errors import OptionError, ShapeError

__all__ = ["binary_cross_entropy", "cross_entropy", "distillation_loss", "mean_squared_error", "sigmoid_squared_error"]

Reduction: TypeAlias = Literal["mean", "sum", "none"]


@differentiable(constants=("targets",))
def cross_entropy(
    logits: Array,
    targets: Any,
    *,
    label_smoothing: float = 0.0,
    class_weights: Any = None,
    sample_weights: Any = None,
    reduction: Reduction = "mean",
) -> Recorded:
    """-sum_c w_c t_c log softmax(z)_c of each sample, averaged: softmax and cross-entropy in one.

    Args:
        logits: (n, k).
        targets: integer labels (n,) in 0..k-1, or soft targets (n, k), rows of probabilities.
        label_smoothing: s in 0..1; t becomes (1 - s) t + s / k (Szegedy et al. 2016).
        class_weights: (k,), not negative.
        sample_weights: (n,), not negative.
        reduction: "mean" divides by the sum of the weights (sample times class weight of the label; for soft
            targets the class weights do not count there, as in PyTorch), "sum" adds, "none" gives (n,).

    Raises:
        ShapeError: shapes that do not fit, labels outside 0..k-1.
        OptionError: smoothing outside 0..1, an unknown reduction, weights that sum to 0.
    """
    weights, normalizer, hard, soft = _weighted_targets(logits, targets, label_smoothing, class_weights, sample_weights)
    if reduction not in ("mean", "sum", "none"):
        raise OptionError(f"a loss is reduced by 'mean', 'sum' or 'none', but got {reduction!r}")
    if hard is not None:
        losses, gradient = kernels.cross_entropy_of_labels(logits, hard, weights)
    else:
        losses, gradient = kernels.cross_entropy_of_targets(logits, soft)
    if reduction == "none":
        return losses, (lambda g: g[:, None] * gradient,)
    scale = logits.dtype.type(1 if reduction == "sum" else 1 / _positive(normalizer))
    return np.add.reduce(losses) * scale, (lambda g: gradient * (g * scale),)


def _weighted_targets(
    logits: Array, targets: Any, smoothing: float, class_weights: Any, sample_weights: Any
) -> tuple[Array, float, Array | None, Array]:
    """Per-sample weights, what the mean divides by, and either labels or targets with all weights in them."""
    if logits.ndim != 2:
        raise ShapeError(f"cross_entropy needs logits (n, k), but they have shape {logits.shape}")
    if not 0 <= smoothing <= 1:
        raise OptionError(f"label_smoothing lies in 0..1, but is {smoothing}")
    n, k = logits.shape
    targets = np.asarray(as_array(targets) if isinstance(targets, Tensor) else targets)
    per_sample = _weights("sample_weights", sample_weights, n, logits.dtype)
    per_class = None if class_weights is None else _weights("class_weights", class_weights, k, logits.dtype)
    if targets.dtype.kind in "iub" and targets.ndim == 1:
        labels = check_labels(targets, n, k)
        if per_class is None and smoothing == 0:
            total = n if sample_weights is None else float(per_sample.sum())
            return per_sample, total, labels, per_sample
        normalizer = float((per_sample * (1 if per_class is None else per_class[labels])).sum())
        dense = np.zeros((n, k), logits.dtype)
        dense[np.arange(n), labels] = 1
    elif targets.shape == (n, k):
        normalizer = float(per_sample.sum())
        dense = targets.astype(logits.dtype)
    else:
        raise ShapeError(
            f"cross_entropy needs integer labels of shape ({n},) or soft targets of shape ({n}, {k}), "
            f"but got {targets.dtype} of shape {targets.shape}"
        )
    if smoothing:
        dense = dense * logits.dtype.type(1 - smoothing) + logits.dtype.type(smoothing / k)
    dense = dense * per_sample[:, None] if per_class is None else dense * per_sample[:, None] * per_class
    return per_sample, normalizer, None, dense


def check_labels(labels: Array, n: int, k: int) -> Array:
    """Labels as int64 (n,), each in 0..k-1, or an error."""
    if labels.shape != (n,) or labels.dtype.kind not in "iub":
        raise ShapeError(f"{n} samples need integer labels ({n},), but they are {labels.dtype} of shape {labels.shape}")
    labels = labels.astype(np.int64, copy=False)
    if n and np.maximum.reduce(labels.view(np.uint64)) >= k:  # negative ones are huge as unsigned
        wrong = labels[(labels < 0) | (labels >= k)][0]
        raise ShapeError(f"labels lie in 0..{k - 1} for {k} logits, but one is {wrong}")
    return labels


def _weights(name: str, weights: Any, length: int, dtype: Any) -> Array:
    if weights is None:
        return _ones(length, dtype)
    array = as_array(weights, dtype)
    if array.shape != (length,) or (array < 0).any():
        raise ShapeError(f"{name} must have shape ({length},) and not be negative, but have shape {array.shape}")
    return array


@functools.lru_cache(maxsize=8)
def _ones(length: int, dtype: Any) -> Array:
    """Read-only, as many losses share it."""
    ones = np.ones(length, dtype)
    ones.flags.writeable = False
    return ones


def _positive(normalizer: float) -> float:
    if not normalizer > 0:
        raise OptionError("the mean of a loss needs at least one sample and weights that do not sum to 0")
    return normalizer


@differentiable(constants=("targets",))
def distillation_loss(logits: Array, targets: Any, *, temperature: float = 2.0, weight: float = 0.9) -> Recorded:
    """mean [(1 - a) CE(t, softmax(z)) + a T^2 CE(q, softmax(z/T))]: learning from a teacher's answers and the truth.

    Hinton, Vinyals and Dean 2015, arXiv 1503.02531. dz = [(1 - a) (softmax(z) - t) + a T (softmax(z/T) - q)] / n.

    Args:
        logits: (n, k).
        targets: (n, 2, k), rows of probabilities: the true ones t, and the teacher's q at the same temperature.
        temperature: T, above 0.
        weight: a in 0..1.

    Raises:
        ShapeError: shapes that do not fit.
        OptionError: a temperature or a weight that is impossible.
    """
    if not 0 < temperature < float("inf") or not 0 <= weight <= 1:
        raise OptionError(
            f"distillation needs a temperature above 0 and a weight in 0..1, but got {temperature} and {weight}"
        )
    t = as_array(targets, logits.dtype)
    if logits.ndim != 2 or len(logits) == 0 or t.shape != (len(logits), 2, logits.shape[1]):
        raise ShapeError(
            f"distillation_loss needs logits (n, k), at least one row, and targets (n, 2, k), but got {logits.shape} "
            f"and {t.shape}"
        )
    real = logits.dtype.type
    mine, theirs = real(1 - weight), real(weight * temperature**2)
    hard, hard_gradient = kernels.cross_entropy_of_targets(logits, t[:, 0])
    soft, soft_gradient = kernels.cross_entropy_of_targets(logits / real(temperature), t[:, 1])
    gradient = mine * hard_gradient + theirs / real(temperature) * soft_gradient
    scale = real(1 / len(logits))
    return np.add.reduce(mine * hard + theirs * soft) * scale, (lambda g: gradient * (g * scale),)


def _shares(sample_weights: Any, shape: tuple[int, ...], dtype: Any) -> Array:
    """w_i / sum of w, to be multiplied with (n, ...): 1 / n without weights."""
    n = shape[0] if shape else 1
    if sample_weights is None:
        return np.full((), 1 / n, dtype)
    weights = _weights("sample_weights", sample_weights, n, dtype)
    shares: Array = weights * dtype.type(1 / _positive(float(weights.sum(dtype=np.float64))))
    return shares.reshape(n, *(1,) * (len(shape) - 1)) if shape else shares[0]


@differentiable(broadcasts=True)
def mean_squared_error(prediction: Array, target: Array, *, sample_weights: Any = None) -> Recorded:
    """mean (p - t)^2 over all elements; dp = 2 (p - t) / n.

    With sample_weights w (n,), not negative, sum_i w_i mean_j (p_ij - t_ij)^2 / sum_i w_i.
    """
    difference = prediction - target
    if difference.size == 0:
        raise ShapeError("mean_squared_error of no elements does not exist")
    shares = _shares(sample_weights, difference.shape, prediction.dtype)
    slope = difference * (shares * prediction.dtype.type(2 * _rows(difference) / difference.size))
    return (difference * slope).sum() / 2, (lambda g: slope * g, lambda g: slope * -g)


def _rows(array: Array) -> int:
    return len(array) if array.ndim else 1


@differentiable(constants=("targets",))
def binary_cross_entropy(logits: Array, targets: Any, *, sample_weights: Any = None) -> Recorded:
    """mean [softplus(z) - t z], the cross-entropy of sigmoid(z) with t in 0..1; dz = (sigmoid(z) - t) / n.

    logits of any shape, targets of the same one. With sample_weights w (n,), not negative, the means of the samples
    count by w_i / sum_i w_i.
    """
    t = as_array(targets, logits.dtype)
    if t.shape != logits.shape or t.size == 0:
        raise ShapeError(
            f"binary_cross_entropy needs targets of the logits' shape {logits.shape}, at least one, but got {t.shape}"
        )
    zero = logits.dtype.type(0)
    losses = np.maximum(logits, zero) - logits * t + np.log1p(np.exp(-np.abs(logits)))
    shares = _shares(sample_weights, logits.shape, logits.dtype) * logits.dtype.type(_rows(logits) / logits.size)
    return (losses * shares).sum(), (lambda g: (kernels.activation_forward(logits, "sigmoid") - t) * (g * shares),)


@differentiable(constants=("labels",))
def sigmoid_squared_error(logits: Array, labels: Any, *, sample_weights: Any = None) -> Recorded:
    """mean over samples of sum_c (sigmoid(z)_c - onehot_c)^2 / 2, the classic loss before cross-entropy.

    The output's sigmoid belongs to the loss, so that the network gives logits like every other. logits (n, k),
    integer labels (n,); dz = (y - t) y (1 - y) / n. With sample_weights w (n,), not negative, the samples count by
    w_i / sum_i w_i.
    """
    if logits.ndim != 2 or len(logits) == 0:
        raise ShapeError(f"sigmoid_squared_error needs logits (n, k), at least one row, but got {logits.shape}")
    n, k = logits.shape
    checked = check_labels(np.asarray(labels), n, k)
    y = kernels.activation_forward(logits, "sigmoid")
    difference = y.copy()
    difference[np.arange(n), checked] -= 1
    shares = _shares(sample_weights, logits.shape, logits.dtype)
    value = (np.square(difference) * shares).sum() / 2
    return value, (lambda g: difference * y * (1 - y) * (g * shares),)
