"""Connectionist temporal classification, sample by sample, as a kernel's twin and as an instruction of plans.

Probabilities are multiplied and added as they are, in float64. What falls below 1e-308 on the way is lost, but as no
probability is above 1, it adds less than that to the whole. So where the whole is above `TINY`, nothing is missing from
its digits; else the sample is done again in logarithms, which take thirty times as long.
"""

import math
from typing import Any

import numba
import numpy as np
from numba import types
from numpy.typing import NDArray

from inkgrad.kernels.numba_cpu.jit import array, is_float32, jit, readonly
from inkgrad.kernels.numba_cpu.native import doubles_at, floats_at, instruction, words_at
from inkgrad.kernels.reference import ctc as reference
from inkgrad.kernels.registry import implements

__all__ = ["ctc", "scratch_size"]

TINY = 1e-250


@numba.njit
def _softmax(z, count, classes, p, logarithms):  # type: ignore[no-untyped-def]
    """p = softmax(z) or its logarithm, row by row."""
    for row in range(0, count * classes, classes):
        top = np.float64(z[row])
        for c in range(row + 1, row + classes):
            value = np.float64(z[c])
            top = value if value > top or value != value else top
        total = 0.0
        for c in range(row, row + classes):
            p[c] = math.exp(np.float64(z[c]) - top)
            total += p[c]
        if logarithms:
            rest = top + math.log(total)
            for c in range(row, row + classes):
                p[c] = np.float64(z[c]) - rest
        else:
            scale = 1.0 / total
            for c in range(row, row + classes):
                p[c] *= scale


def _forward_pass(plus: Any, times: Any, zero: float, one: float) -> Any:
    """The forward pass on numbers that are added and multiplied so."""

    @numba.njit
    def forward(p, y, labels, steps, classes, blank, a):  # type: ignore[no-untyped-def]
        """a[t, s], (steps + 1, 2 labels + 1); gives P."""
        size = 2 * labels + 1
        a[0] = one
        for s in range(1, size):
            a[s] = zero
        for t in range(steps):
            old, new, row = t * size, (t + 1) * size, t * classes
            a[new] = times(a[old], p[row + blank])
            for j in range(labels):
                come = plus(a[old + 2 * j + 1], a[old + 2 * j])
                if j > 0 and y[j] != y[j - 1]:
                    come = plus(come, a[old + 2 * j - 1])
                a[new + 2 * j + 1] = times(come, p[row + y[j]])
                a[new + 2 * j + 2] = times(plus(a[old + 2 * j + 2], a[old + 2 * j + 1]), p[row + blank])
        end = steps * size + size - 1
        return plus(a[end], a[end - 1]) if labels > 0 else a[end]

    return forward


def _backward_pass(plus: Any, times: Any, share: Any, zero: float, one: float) -> Any:
    """The backward pass on numbers that are added and multiplied so; `share` is a product as a plain number."""

    @numba.njit
    def backward(p, y, labels, steps, classes, blank, a, inverse, b, posterior):  # type: ignore[no-untyped-def]
        """posterior[t, c], (steps, classes), by 1 / P; b (2 labels + 1,) is scratch."""
        size = 2 * labels + 1
        for s in range(size):
            b[s] = one if s >= size - 2 else zero
        for t in range(steps - 1, -1, -1):
            here, row = (t + 1) * size, t * classes
            for c in range(row, row + classes):
                posterior[c] = 0.0
            of_blank, p_blank = share(a[here], b[0], inverse), p[row + blank]
            b[0] = times(b[0], p_blank)
            for j in range(labels):
                c, s = row + y[j], 2 * j + 1
                posterior[c] += share(a[here + s], b[s], inverse)
                of_blank += share(a[here + s + 1], b[s + 1], inverse)
                b[s], b[s + 1] = times(b[s], p[c]), times(b[s + 1], p_blank)
            posterior[row + blank] = of_blank
            for j in range(labels):  # rising, so that what lies ahead is still that of the step behind
                b[2 * j] = plus(b[2 * j], b[2 * j + 1])
                b[2 * j + 1] = plus(b[2 * j + 1], b[2 * j + 2])
                if j + 1 < labels and y[j + 1] != y[j]:
                    b[2 * j + 1] = plus(b[2 * j + 1], b[2 * j + 3])

    return backward


@numba.njit
def _add(x, y):  # type: ignore[no-untyped-def]
    return x + y


@numba.njit
def _multiply(x, y):  # type: ignore[no-untyped-def]
    return x * y


@numba.njit
def _share(x, y, inverse):  # type: ignore[no-untyped-def]
    return x * y * inverse


@numba.njit
def _add_logarithms(x, y):  # type: ignore[no-untyped-def]
    if x < y:
        x, y = y, x
    return x if y == -np.inf else x + math.log1p(math.exp(y - x))


@numba.njit
def _share_of_logarithms(x, y, inverse):  # type: ignore[no-untyped-def]
    return math.exp(x + y + inverse)


_forward = _forward_pass(_add, _multiply, 0.0, 1.0)
_backward = _backward_pass(_add, _multiply, _share, 0.0, 1.0)
_log_forward = _forward_pass(_add_logarithms, _add, -math.inf, 0.0)
_log_backward = _backward_pass(_add_logarithms, _add, _share_of_logarithms, -math.inf, 0.0)


def scratch_size(steps: int, classes: int, width: int) -> int:
    """Floats of 8 bytes that one sample after the other takes: p, its posterior, b and a."""
    return 2 * steps * classes + (steps + 2) * (2 * width + 1)


@numba.njit
def _parts(scratch, size, width):  # type: ignore[no-untyped-def]
    """p, posterior, b and a at an address."""
    b = scratch + 16 * size
    return doubles_at(scratch), doubles_at(scratch + 8 * size), doubles_at(b), doubles_at(b + 8 * (2 * width + 1))


@numba.njit
def _labels(y, width, classes, blank):  # type: ignore[no-untyped-def]
    """How many labels there are before the first -1, or -1 if anything is no label."""
    count = 0
    while count < width and y[count] >= 0:
        if y[count] >= classes or y[count] == blank:
            return -1
        count += 1
    for j in range(count, width):
        if y[j] != -1:
            return -1
    return count


@numba.njit
def _sample(z, y, labels, count, steps, classes, blank, scale, p, posterior, a, b, g):  # type: ignore[no-untyped-def]
    """The loss of one sample of which `count` steps count; g becomes `scale` times its gradient."""
    _softmax(z, count, classes, p, False)
    total = _forward(p, y, labels, count, classes, blank, a)
    logarithms = not total > TINY  # also where it is NaN
    if logarithms:
        _softmax(z, count, classes, p, True)
        total = _log_forward(p, y, labels, count, classes, blank, a)
        _log_backward(p, y, labels, count, classes, blank, a, -total, b, posterior)
    else:
        _backward(p, y, labels, count, classes, blank, a, 1.0 / total, b, posterior)
    for i in range(count * classes):
        g[i] = np.float32(scale * ((math.exp(p[i]) if logarithms else p[i]) - posterior[i]))
    for i in range(count * classes, steps * classes):
        g[i] = np.float32(0)
    return -total if logarithms else -math.log(total)


@jit(
    types.boolean(
        readonly(types.float32, 3),
        readonly(types.int64, 2),
        readonly(types.int64, 1),
        types.int64,
        array(types.float64, 1),
        array(types.float32, 1),
        array(types.float32, 3),
    )
)
def _ctc_loss(logits, targets, lengths, blank, scratch, losses, gradient):  # type: ignore[no-untyped-def]
    n, steps, classes = logits.shape
    width, size = targets.shape[1], steps * classes
    p, posterior, b, a = _parts(scratch.ctypes.data, size, width)
    for i in range(n):
        y, count = words_at(targets.ctypes.data + 8 * i * width), lengths[i]
        labels = _labels(y, width, classes, blank)
        if labels < 0 or count < 0 or count > steps:
            return False
        z, g = floats_at(logits.ctypes.data + 4 * i * size), floats_at(gradient.ctypes.data + 4 * i * size)
        losses[i] = _sample(z, y, labels, count, steps, classes, blank, 1.0, p, posterior, a, b, g)
    return True


def _fits(logits: NDArray[Any], targets: NDArray[np.int64], lengths: NDArray[np.int64], blank: int) -> bool:
    if not (is_float32(logits) and targets.dtype == lengths.dtype == np.int64):
        return False
    if not (targets.flags.c_contiguous and lengths.flags.c_contiguous):
        return False
    return targets.ndim == 2 and lengths.shape == targets.shape[:1] == logits.shape[:1] and 0 <= blank < logits.shape[2]


@implements(reference.ctc_loss, backend="numba_cpu", when=_fits)
def ctc_loss(
    logits: NDArray[Any], targets: NDArray[np.int64], lengths: NDArray[np.int64], blank: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    losses, gradient = np.empty(len(logits), np.float32), np.empty(logits.shape, np.float32)
    scratch = np.empty(scratch_size(logits.shape[1], logits.shape[2], targets.shape[1]))
    if not _ctc_loss(logits, targets, lengths, blank, scratch, losses, gradient):
        return reference.ctc_loss.reference(logits, targets, lengths, blank)  # says which label lies outside
    return losses, gradient


@numba.njit
def _told(z, guides, steps, classes, scale, g):  # type: ignore[no-untyped-def]
    """sum over the steps t at which a label c is told of -log softmax(z_t)_c; `scale` times its gradient goes to g."""
    loss = 0.0
    for t in range(steps):
        if guides[t] < 0:
            continue
        row = t * classes
        top = np.float64(z[row])
        for c in range(row + 1, row + classes):
            value = np.float64(z[c])
            top = value if value > top or value != value else top
        total = 0.0
        for c in range(row, row + classes):
            total += math.exp(np.float64(z[c]) - top)
        loss += top + math.log(total) - np.float64(z[row + guides[t]])
        for c in range(row, row + classes):
            g[c] += np.float32(scale * math.exp(np.float64(z[c]) - top) / total)
        g[row + guides[t]] -= np.float32(scale)
    return loss


@numba.njit
def _are_guides(guides, steps, classes):  # type: ignore[no-untyped-def]
    good = True
    for t in range(steps):
        good &= -1 <= guides[t] < classes
    return good


@instruction
def ctc(w):  # type: ignore[no-untyped-def]
    """(images, size, logits, targets, sizes, scratch, scale, gradient, loss, weight): sums losses into loss[0].

    Logits (images, steps, classes), size = steps * classes; sizes (steps, classes, width, blank, guides); targets
    (images, guides + width): which label stands at each step, or -1, where guides = steps, none where guides = 0; then
    the labels, with -1 behind the last one. What is told of steps counts by weight[0]. A target with anything else, or
    one that is too long, raises loss[1].
    """
    size, sizes, scale, loss = w[1], words_at(w[4]), np.float64(floats_at(w[6])[0]), doubles_at(w[8])
    steps, classes, width, blank, guides = sizes[0], sizes[1], sizes[2], sizes[3], sizes[4]
    weight = np.float64(floats_at(w[9])[0])
    p, posterior, b, a = _parts(w[5], size, width)
    sum_of_losses = 0.0
    loss[1] = 0.0
    for i in range(w[0]):
        z, g = floats_at(w[2] + 4 * i * size), floats_at(w[7] + 4 * i * size)
        told = words_at(w[3] + 8 * i * (guides + width))
        y = words_at(w[3] + 8 * (i * (guides + width) + guides))
        labels = _labels(y, width, classes, blank)
        least = labels
        for j in range(1, labels):
            least += y[j] == y[j - 1]
        if labels < 0 or least > steps or not _are_guides(told, guides, classes):
            loss[1] = 1.0
            continue
        sum_of_losses += _sample(z, y, labels, steps, steps, classes, blank, scale, p, posterior, a, b, g)
        sum_of_losses += weight * _told(z, told, guides, classes, scale * weight, g)
    loss[0] = sum_of_losses
