"""Instructions that end a forward pass: the loss of each image and its gradient for the logits."""

import math

import numba
import numpy as np

from inkgrad.kernels.numba_cpu.native import doubles_at, floats_at, instruction, words_at

__all__ = [
    "distillation",
    "softmax_cross_entropy",
    "softmax_cross_entropy_of_targets",
    "squared_error_of_sigmoid",
]


@instruction
def softmax_cross_entropy(w):  # type: ignore[no-untyped-def]
    """(images, classes, logits, labels, smoothing, scale, gradient, loss): sums losses into loss[0].

    Smoothed targets t = (1 - s) onehot + s / k; loss -sum t log softmax(z), gradient scale (softmax(z) - t). A label
    outside 0..k-1 raises loss[1].
    """
    classes, labels = w[1], words_at(w[3])
    smoothing, scale, loss = floats_at(w[4])[0], floats_at(w[5])[0], doubles_at(w[7])
    share = smoothing / np.float32(classes)
    sum_of_losses = 0.0
    loss[1] = 0.0
    for i in range(w[0]):
        z, g, label = floats_at(w[2] + 4 * i * classes), floats_at(w[6] + 4 * i * classes), labels[i]
        if label < 0 or label >= classes:
            loss[1] = 1.0
            continue
        top = z[0]
        for c in range(1, classes):
            top = z[c] if z[c] > top or z[c] != z[c] else top
        total = np.float32(0)
        plain = np.float32(0)
        for c in range(classes):
            e = math.exp(z[c] - top)
            g[c] = e
            total += e
            plain += z[c] - top
        log_total = math.log(total)
        one_hot = log_total - (z[label] - top)
        even = log_total - plain / np.float32(classes)
        sum_of_losses += np.float64(
            (np.float32(1) - smoothing) * one_hot + (smoothing * even if smoothing > 0 else np.float32(0))
        )
        for c in range(classes):
            g[c] = scale * (g[c] / total - share)
        g[label] -= scale * (np.float32(1) - smoothing)
    loss[0] = sum_of_losses


@numba.njit
def _add_soft(classes, z, t, g, smoothing, temperature, factor):  # type: ignore[no-untyped-def]
    """-sum_c t_c log softmax(z/T)_c of one image, smoothed; adds to g its slope for z times `factor`."""
    one, share = np.float32(1), smoothing / np.float32(classes)
    top, mass = z[0], np.float32(0)
    for c in range(classes):
        top = z[c] if z[c] > top or z[c] != z[c] else top
        mass += (one - smoothing) * t[c] + share
    total, reached = np.float32(0), np.float32(0)
    for c in range(classes):
        lower = (z[c] - top) / temperature
        total += math.exp(lower)
        reached += ((one - smoothing) * t[c] + share) * lower
    rate = factor / temperature
    for c in range(classes):
        wanted = (one - smoothing) * t[c] + share
        g[c] += rate * (math.exp((z[c] - top) / temperature) / total * mass - wanted)
    return mass * math.log(total) - reached


@instruction
def softmax_cross_entropy_of_targets(w):  # type: ignore[no-untyped-def]
    """(images, classes, logits, targets, smoothing, scale, gradient, loss): as of labels, of rows of targets."""
    classes, smoothing, scale, loss = w[1], floats_at(w[4])[0], floats_at(w[5])[0], doubles_at(w[7])
    sum_of_losses = 0.0
    for i in range(w[0]):
        z, t = floats_at(w[2] + 4 * i * classes), floats_at(w[3] + 4 * i * classes)
        g = floats_at(w[6] + 4 * i * classes)
        for c in range(classes):
            g[c] = np.float32(0)
        sum_of_losses += np.float64(_add_soft(classes, z, t, g, smoothing, np.float32(1), scale))
    loss[0] = sum_of_losses
    loss[1] = 0.0


@instruction
def distillation(w):  # type: ignore[no-untyped-def]
    """(images, classes, logits, targets, settings, scale, gradient, loss): sums losses into loss[0].

    Targets (images, 2, classes), true ones t and a teacher's q; settings temperature T and weight a; the loss is
    (1 - a) CE(t, softmax(z)) + a T^2 CE(q, softmax(z / T)).
    """
    classes, settings, scale, loss = w[1], floats_at(w[4]), floats_at(w[5])[0], doubles_at(w[7])
    temperature, weight = settings[0], settings[1]
    mine, theirs = np.float32(1) - weight, weight * temperature * temperature
    sum_of_losses = 0.0
    for i in range(w[0]):
        z, g = floats_at(w[2] + 4 * i * classes), floats_at(w[6] + 4 * i * classes)
        true, teacher = floats_at(w[3] + 8 * i * classes), floats_at(w[3] + (8 * i + 4) * classes)
        for c in range(classes):
            g[c] = np.float32(0)
        hard = _add_soft(classes, z, true, g, np.float32(0), np.float32(1), scale * mine)
        soft = _add_soft(classes, z, teacher, g, np.float32(0), temperature, scale * theirs)
        sum_of_losses += np.float64(mine * hard + theirs * soft)
    loss[0] = sum_of_losses
    loss[1] = 0.0


@instruction
def squared_error_of_sigmoid(w):  # type: ignore[no-untyped-def]
    """(images, classes, logits, labels, scale, gradient, loss): sum_c (sigmoid(z)_c - onehot_c)^2 / 2 an image."""
    classes, labels, scale, loss = w[1], words_at(w[3]), floats_at(w[4])[0], doubles_at(w[6])
    one, half = np.float32(1), np.float32(0.5)
    sum_of_losses = 0.0
    loss[1] = 0.0
    for i in range(w[0]):
        z, g, label = floats_at(w[2] + 4 * i * classes), floats_at(w[5] + 4 * i * classes), labels[i]
        if label < 0 or label >= classes:
            loss[1] = 1.0
            continue
        for c in range(classes):
            small = math.exp(-abs(z[c]))
            y = (one if z[c] >= np.float32(0) else small) / (one + small)
            d = y - one if c == label else y
            sum_of_losses += np.float64(half * d * d)
            g[c] = scale * d * y * (one - y)
    loss[0] = sum_of_losses
