"""The loss of a sequence of labels, of which nobody knows when each of them is there."""

from typing import Any

import numpy as np

from inkgrad import kernels
from inkgrad.autodiff.differentiable import Recorded, differentiable
from inkgrad.autodiff.ops.loss import Reduction
from inkgrad.autodiff.tensor import Array
from inkgrad.errors import OptionError, ShapeError

__all__ = ["GUIDE_WEIGHT", "ctc_loss", "guided_ctc_loss"]

GUIDE_WEIGHT = 0.5


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
    _check(logits, blank, reduction)
    n, t, k = logits.shape
    labels, steps = _checked_targets(targets, n, k, blank), _checked_lengths(lengths, n, t)
    _check_room(labels, steps)
    return _reduced(*kernels.ctc_loss(logits, labels, steps, blank), reduction)


@differentiable(constants=("targets",))
def guided_ctc_loss(
    logits: Array, targets: Any, *, blank: int = 0, weight: float = GUIDE_WEIGHT, reduction: Reduction = "mean"
) -> Recorded:
    """ctc_loss - weight * sum over the steps whose label c is known of log softmax(z_t)_c.

    Of some labels it may be known at which step they stand, as in numbers that were put together from digits. To say so
    keeps a network from being silent where it should not be: left alone, CTC makes a label a short peak wherever it
    likes, and a label without a peak is lost (Liu, Jin and Zhang 2018, "Connectionist Temporal
    Classification with Maximum Entropy Regularization", describe the peaks). dz_tc is that of `ctc_loss`, plus
    weight * (softmax(z_t) - onehot) at these steps.

    Args:
        logits: (n, t, k), for each of t steps k of them.
        targets: integers (n, t + l): first which label stands at each step, -1 where that is not known, in 0..k-1 with
            the blank; then the labels in order, as `ctc_loss` takes them.
        blank: the label that means none.
        weight: of the known steps, not negative.
        reduction: "mean" over the samples; "sum"; "none" gives (n,).

    Raises:
        ShapeError: as `ctc_loss`, and for fewer columns than steps.
        OptionError: as `ctc_loss`, and for a weight below 0.

    >>> z = np.zeros((1, 3, 2))
    >>> loss = guided_ctc_loss(z, [[-1, 1, -1, 1]], weight=1.0)  # label 1, at the step in the middle
    >>> bool(np.isclose(loss.data, -np.log(6 / 8) - np.log(1 / 2)))
    True
    """
    _check(logits, blank, reduction)
    if not (isinstance(weight, int | float) and 0 <= weight < np.inf):
        raise OptionError(f"the weight of guided_ctc_loss must be a number of at least 0, but is {weight!r}")
    n, t, k = logits.shape
    guides, labels = _checked_guides(targets, n, t, k, blank)
    steps = np.full(n, t, np.int64)
    _check_room(labels, steps)
    losses, gradient = kernels.ctc_loss(logits, labels, steps, blank)
    known = guides >= 0
    weights = np.full(int(known.sum()), weight, logits.dtype)
    of_steps, slopes = kernels.cross_entropy_of_labels(logits[known], guides[known], weights)
    np.add.at(losses, np.nonzero(known)[0], of_steps)
    gradient[known] += slopes
    return _reduced(losses, gradient, reduction)


def _check(logits: Array, blank: int, reduction: str) -> None:
    if logits.ndim != 3:
        raise ShapeError(f"ctc_loss needs logits (n, t, k), but they have shape {logits.shape}")
    if reduction not in ("mean", "sum", "none"):
        raise OptionError(f"a loss is reduced by 'mean', 'sum' or 'none', but got {reduction!r}")
    if not 0 <= blank < logits.shape[2]:
        k = logits.shape[2]
        raise OptionError(f"the blank of ctc_loss is one of the labels 0..{k - 1} of {k} logits, but got {blank}")


def _reduced(losses: Array, gradient: Array, reduction: Reduction) -> Recorded:
    if reduction == "none":
        return losses, (lambda g: g[:, None, None] * gradient,)
    if reduction == "mean" and not len(losses):
        raise OptionError("the mean of ctc_loss needs at least one sample; take 'sum' for batches that may be empty")
    scale = losses.dtype.type(1 if reduction == "sum" else 1 / len(losses))
    return np.add.reduce(losses) * scale, (lambda g: gradient * (g * scale),)


def _checked_guides(targets: Any, n: int, t: int, k: int, blank: int) -> tuple[Array, Array]:
    """What is known of the steps, int64 (n, t), and the targets, int64 (n, l), or an error."""
    try:
        array = np.asarray(targets)
    except ValueError as error:  # lists of several lengths
        raise ShapeError("guided_ctc_loss needs targets of one length; let shorter ones end with -1") from error
    if (
        array.shape[:1] != (n,)
        or array.ndim != 2
        or array.shape[1] < t
        or (array.dtype.kind not in "iu" and array.size)
    ):
        raise ShapeError(
            f"guided_ctc_loss of {n} samples with {t} steps needs integer targets ({n}, {t} + l), first a label or -1 "
            f"for each step, but they are {array.dtype} of shape {array.shape}"
        )
    guides: Array = np.ascontiguousarray(array[:, :t], np.int64)
    wrong = np.argwhere((guides < -1) | (guides >= k))
    if wrong.size:
        sample, step = wrong[0]
        raise ShapeError(
            f"what guided_ctc_loss is told of steps lies in 0..{k - 1}, with -1 for not known, but step {step} of "
            f"sample {sample} is {guides[sample, step]}"
        )
    return guides, _checked_targets(array[:, t:], n, k, blank)


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
