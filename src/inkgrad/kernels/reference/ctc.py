"""Connectionist temporal classification: a loss for labels in order, of which nobody knows when each is there."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.kernels.reference.cross_entropy import log_softmax
from inkgrad.kernels.registry import kernel

Floats = NDArray[np.float64]


@kernel
def ctc_loss(
    logits: NDArray[Any], targets: NDArray[np.int64], lengths: NDArray[np.int64], blank: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Per-sample loss -log P, P the sum of the probabilities of all alignments, and its gradient.

    An alignment gives each step a label or the blank; equal neighbours become one label, then blanks go, and the
    target is left (Graves et al. 2006). Its states s are the target's labels with a blank before, between and behind
    them. With a_t(s) the probability that t steps end in s, and b_t(s) that the rest goes on from s to the end,

        P = sum_s a_t(s) b_t(s) for every t,
        dz_tc = softmax(z_t)_c - sum over the states s of label c of a_t(s) b_t(s) / P.

    All of it is computed in float64, in logarithms, whose sizes would leave float32 too few digits.

    Args:
        logits: (n, t, k).
        targets: int64 (n, l), labels in 0..k-1, none of them the blank, and -1 behind the last one.
        lengths: int64 (n,), how many steps of each sample count, in 0..t.
        blank: the label that means none.

    Returns:
        losses (n,), infinite where no alignment is possible; the gradient of each sample's loss for its own logits
        (n, t, k), 0 at steps that do not count.
    """
    n, t, k = logits.shape
    log_p = log_softmax(logits.astype(np.float64).reshape(n * t, k)).reshape(n, t, k)
    states, skips, ends = _states(targets, blank)
    emitted = np.take_along_axis(log_p, states[:, None, :], axis=2)
    before = _forward(emitted, skips)
    behind = _backward(emitted, skips, ends, lengths)
    total = np.logaddexp.reduce(before[lengths, np.arange(n)] + ends, axis=1)
    counts = (np.arange(t)[:, None] < lengths)[:, :, None]
    posterior = np.exp(np.where(counts, before[1:] + behind[1:] - total[:, None], -np.inf))
    gradient = np.exp(log_p).transpose(1, 0, 2)
    steps, samples = np.ogrid[:t, :n]
    np.subtract.at(gradient, (steps[:, :, None], samples[:, :, None], states), posterior)
    gradient = np.where(counts, gradient, 0.0).transpose(1, 0, 2)
    return (-total).astype(logits.dtype), gradient.astype(logits.dtype)


def _states(targets: NDArray[np.int64], blank: int) -> tuple[NDArray[np.int64], NDArray[np.bool_], Floats]:
    """The label of each state, whether it may follow the last but one, and 0 where an alignment may end, else -inf."""
    n, width = targets.shape
    states = np.full((n, 2 * width + 1), blank, np.int64)
    states[:, 1::2] = np.where(targets < 0, blank, targets)
    skips = np.zeros(states.shape, bool)
    skips[:, 3::2] = targets[:, 1:] != targets[:, :-1]  # between equal labels there has to be a blank
    last = 2 * (targets >= 0).sum(axis=1, keepdims=True)
    places = np.arange(2 * width + 1)
    ends = np.where((places == last) | (places == last - 1), 0.0, -np.inf)
    return states, skips, ends


def _forward(emitted: Floats, skips: NDArray[np.bool_]) -> Floats:
    """log a (t + 1, n, s); before the first step all is in the first blank."""
    n, t, size = emitted.shape
    a = np.full((t + 1, n, size), -np.inf)
    a[0, :, 0] = 0
    for i in range(t):
        come = np.logaddexp(a[i, :, 1:], a[i, :, :-1])
        a[i + 1, :, :1] = a[i, :, :1]
        a[i + 1, :, 1:] = come
        a[i + 1, :, 2:] = np.logaddexp(come[:, 1:], np.where(skips[:, 2:], a[i, :, :-2], -np.inf))
        a[i + 1] += emitted[:, i]
    return a


def _backward(emitted: Floats, skips: NDArray[np.bool_], ends: Floats, lengths: NDArray[np.int64]) -> Floats:
    """log b (t + 1, n, s); behind a sample's last step all is at the ends."""
    n, t, size = emitted.shape
    b = np.empty((t + 1, n, size))
    b[t] = ends
    for i in reversed(range(t)):
        go = emitted[:, i] + b[i + 1]
        b[i] = go
        b[i, :, :-1] = np.logaddexp(go[:, :-1], go[:, 1:])
        b[i, :, :-2] = np.logaddexp(b[i, :, :-2], np.where(skips[:, 2:], go[:, 2:], -np.inf))
        b[i] = np.where(i >= lengths[:, None], ends, b[i])
    return b
