"""The loss of a sequence of labels, of which nobody knows when each of them is there."""

from typing import Any

import numpy as np

from inkgrad import kernels
from inkgrad.autodiff.differentiable import Recorded, differentiable
from inkgrad.autodiff.ops.loss import Reduction
from inkgrad.autodiff.tensor import Array
from inkgrad.errors import OptionError, ShapeError

__all__ = ["ctc_loss"]


@differentiable(constants=("targets", "lengths"))
def ctc_loss(
    logits: Array, targets: Any, lengths: Any = None, *, blank: int = 0, reduction: Reduction = "mean"
) -> Recorded:
    """-log sum over all alignments of prod_t softmax(z_t)_(label at t): connectionist temporal classification.

    Graves, Fernández, Gomez and Schmidhuber 2006, "Connectionist Temporal Classification". An alignment gives each
    step a label or the blank; equal neighbours become one label, then blanks go, and the target has to be left. The
    softmax is part of the loss: dz_tc = softmax(z_t)_c - the probability of label c at step t given the target.

    Args:
        logits: (n, t, k), for each of t steps k of them.
        targets: integers (n, l), labels in 0..k-1 without the blank, in order; shorter targets end with -1, which
            means no label, and a target may be empty.
        lengths: integers (n,), how many steps of each sample count, in 0..t; all by default.
        blank: the label that means none.
        reduction: "mean" over the samples, whatever the lengths of their targets; "sum"; "none" gives (n,).

    Raises:
        ShapeError: shapes that do not fit, labels outside 0..k-1, the blank or numbers behind a -1 as labels, a target
            that is longer than its steps allow: equal neighbours need a step between them.
        OptionError: a blank outside 0..k-1, an unknown reduction, a mean of no samples.

    >>> z = np.zeros((1, 3, 2))  # three steps, at each of which the blank 0 and the label 1 are as likely
    >>> loss = ctc_loss(z, [[1]])  # 6 of 8 alignments: all but 000 and 101
    >>> bool(np.isclose(loss.data, -np.log(6 / 8)))
    True
    """
    if logits.ndim != 3:
        raise ShapeError(f"ctc_loss needs logits (n, t, k), but they have shape {logits.shape}")
    n, t, k = logits.shape
    if reduction not in ("mean", "sum", "none"):
        raise OptionError(f"a loss is reduced by 'mean', 'sum' or 'none', but got {reduction!r}")
    if not 0 <= blank < k:
        raise OptionError(f"the blank of ctc_loss is one of the labels 0..{k - 1} of {k} logits, but got {blank}")
    labels, steps = _checked_targets(targets, n, k, blank), _checked_lengths(lengths, n, t)
    _check_room(labels, steps)
    losses, gradient = kernels.ctc_loss(logits, labels, steps, blank)
    if reduction == "none":
        return losses, (lambda g: g[:, None, None] * gradient,)
    if reduction == "mean" and n == 0:
        raise OptionError("the mean of ctc_loss needs at least one sample; take 'sum' for batches that may be empty")
    scale = logits.dtype.type(1 if reduction == "sum" else 1 / n)
    return np.add.reduce(losses) * scale, (lambda g: gradient * (g * scale),)


def _checked_targets(targets: Any, n: int, k: int, blank: int) -> Array:
    """Targets as int64 (n, l), with -1 behind the last label and nowhere else, or an error."""
    try:
        array = np.asarray(targets)
    except ValueError as error:  # lists of several lengths
        raise ShapeError("ctc_loss needs targets of one length; let shorter ones end with -1") from error
    if array.shape[:1] != (n,) or array.ndim != 2 or (array.dtype.kind not in "iu" and array.size):
        raise ShapeError(
            f"ctc_loss of {n} samples needs integer targets ({n}, l), shorter ones ending with -1, but they are "
            f"{array.dtype} of shape {array.shape}"
        )
    labels: Array = np.ascontiguousarray(array, np.int64)
    wrong = (labels < -1) | (labels >= k) | (labels == blank)
    if wrong.any():
        sample, place = np.argwhere(wrong)[0]
        raise ShapeError(
            f"labels of ctc_loss lie in 0..{k - 1} without the blank {blank}, with -1 for no label, but label {place} "
            f"of sample {sample} is {labels[sample, place]}"
        )
    late = (labels[:, 1:] >= 0) & (labels[:, :-1] < 0)
    if late.any():
        sample, place = np.argwhere(late)[0]
        raise ShapeError(
            f"targets of ctc_loss have -1 behind their last label only, but sample {sample} has -1 at {place} and "
            f"{labels[sample, place + 1]} behind it"
        )
    return labels


def _checked_lengths(lengths: Any, n: int, t: int) -> Array:
    """How many steps of each sample count, int64 (n,), or an error."""
    if lengths is None:
        return np.full(n, t, np.int64)
    array = np.asarray(lengths)
    if array.shape != (n,) or (array.dtype.kind not in "iu" and n):
        raise ShapeError(
            f"ctc_loss of {n} samples needs integer lengths ({n},), but they are {array.dtype} of shape {array.shape}"
        )
    steps: Array = np.ascontiguousarray(array, np.int64)
    wrong = np.flatnonzero((steps < 0) | (steps > t))
    if wrong.size:
        i = wrong[0]
        raise ShapeError(f"lengths of ctc_loss lie in 0..{t} for {t} steps, but that of sample {i} is {steps[i]}")
    return steps


def _check_room(labels: Array, steps: Array) -> None:
    """Raise ShapeError where a target needs more steps than there are: no alignment would be left."""
    there = labels >= 0
    repeats = (labels[:, 1:] == labels[:, :-1]) & there[:, 1:]
    needed = there.sum(axis=1) + repeats.sum(axis=1)
    short = np.flatnonzero(needed > steps)
    if short.size:
        i = short[0]
        raise ShapeError(
            f"the target of sample {i} needs at least {needed[i]} steps, one for each label and one between equal "
            f"neighbours, but it has {steps[i]}; give shorter targets, or a network with more steps"
        )
