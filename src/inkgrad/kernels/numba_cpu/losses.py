"""Instructions that end a forward pass: the loss of each image and its gradient for the logits."""

import math

import numba
import numpy as np

from inkgrad.kernels.numba_cpu.native import doubles_at, floats_at, instruction, words_at

__all__ = [
    "binary_cross_entropy",
    "distillation",
    "softmax_cross_entropy",
    "softmax_cross_entropy_of_targets",
    "squared_error",
    "squared_error_of_sigmoid",
]


@numba.njit
def _weight_of(w, i):  # type: ignore[no-untyped-def]
    """The weight of image i: word 5 is where they lie, if word 4 says that there are any."""
    return floats_at(w[5])[i] if w[4] else np.float32(1)


@instruction
def softmax_cross_entropy(w):  # type: ignore[no-untyped-def]
    """(images, classes, logits, labels, weighted, weights, scale, gradient, loss, smoothing): sums losses into loss[0].

    Smoothed targets t = (1 - s) onehot + s / k; loss -sum t log softmax(z), gradient scale (softmax(z) - t), both
    times the image's weight. A label outside 0..k-1 raises loss[1].
    """
    classes, labels = w[1], words_at(w[3])
    smoothing, loss = floats_at(w[9])[0], doubles_at(w[8])
    share = smoothing / np.float32(classes)
    sum_of_losses = 0.0
    loss[1] = 0.0
    for i in range(w[0]):
        z, g, label = floats_at(w[2] + 4 * i * classes), floats_at(w[7] + 4 * i * classes), labels[i]
        weight = _weight_of(w, i)
        scale = floats_at(w[6])[0] * weight
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
            weight * ((np.float32(1) - smoothing) * one_hot + (smoothing * even if smoothing > 0 else np.float32(0)))
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
    """As of labels, of rows of targets, float32 (images, classes), in their place."""
    classes, smoothing, scale, loss = w[1], floats_at(w[9])[0], floats_at(w[6])[0], doubles_at(w[8])
    sum_of_losses = 0.0
    for i in range(w[0]):
        z, t = floats_at(w[2] + 4 * i * classes), floats_at(w[3] + 4 * i * classes)
        g, weight = floats_at(w[7] + 4 * i * classes), _weight_of(w, i)
        for c in range(classes):
            g[c] = np.float32(0)
        sum_of_losses += np.float64(weight * _add_soft(classes, z, t, g, smoothing, np.float32(1), scale * weight))
    loss[0] = sum_of_losses
    loss[1] = 0.0


@instruction
def distillation(w):  # type: ignore[no-untyped-def]
    """(images, classes, logits, targets, 0, 0, scale, gradient, loss, settings): sums losses into loss[0].

    Targets (images, 2, classes), true ones t and a teacher's q; settings temperature T and weight a; the loss is
    (1 - a) CE(t, softmax(z)) + a T^2 CE(q, softmax(z / T)).
    """
    classes, settings, scale, loss = w[1], floats_at(w[9]), floats_at(w[6])[0], doubles_at(w[8])
    temperature, weight = settings[0], settings[1]
    mine, theirs = np.float32(1) - weight, weight * temperature * temperature
    sum_of_losses = 0.0
    for i in range(w[0]):
        z, g = floats_at(w[2] + 4 * i * classes), floats_at(w[7] + 4 * i * classes)
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
    """(images, classes, logits, labels, weighted, weights, scale, gradient, loss): sums losses into loss[0].

    Of an image sum_c (sigmoid(z)_c - onehot_c)^2 / 2, times its weight. A label outside 0..k-1 raises loss[1].
    """
    classes, labels, loss = w[1], words_at(w[3]), doubles_at(w[8])
    one, half = np.float32(1), np.float32(0.5)
    sum_of_losses = 0.0
    loss[1] = 0.0
    for i in range(w[0]):
        z, g, label = floats_at(w[2] + 4 * i * classes), floats_at(w[7] + 4 * i * classes), labels[i]
        if label < 0 or label >= classes:
            loss[1] = 1.0
            continue
        weight = _weight_of(w, i)
        scale = floats_at(w[6])[0] * weight
        for c in range(classes):
            small = math.exp(-abs(z[c]))
            y = (one if z[c] >= np.float32(0) else small) / (one + small)
            d = y - one if c == label else y
            sum_of_losses += np.float64(weight * half * d * d)
            g[c] = scale * d * y * (one - y)
    loss[0] = sum_of_losses


@instruction
def squared_error(w):  # type: ignore[no-untyped-def]
    """(rows, outputs, predictions, targets, weighted, weights, scale, gradient, loss): sums losses into loss[0].

    Of a row mean_j (p_j - t_j)^2, times its weight; targets float32 (rows, outputs).
    """
    outputs, loss = w[1], doubles_at(w[8])
    sum_of_losses = 0.0
    for i in range(w[0]):
        p, t = floats_at(w[2] + 4 * i * outputs), floats_at(w[3] + 4 * i * outputs)
        g, share = floats_at(w[7] + 4 * i * outputs), _weight_of(w, i) / np.float32(outputs)
        rate = floats_at(w[6])[0] * (share + share)
        for j in range(outputs):
            d = p[j] - t[j]
            sum_of_losses += np.float64(share * d * d)
            g[j] = rate * d
    loss[0] = sum_of_losses
    loss[1] = 0.0


@instruction
def binary_cross_entropy(w):  # type: ignore[no-untyped-def]
    """(rows, outputs, logits, targets, weighted, weights, scale, gradient, loss): sums losses into loss[0].

    Of a row mean_j softplus(z_j) - t_j z_j, times its weight; targets float32 (rows, outputs) in 0..1.
    """
    outputs, loss, one = w[1], doubles_at(w[8]), np.float32(1)
    sum_of_losses = 0.0
    for i in range(w[0]):
        z, t = floats_at(w[2] + 4 * i * outputs), floats_at(w[3] + 4 * i * outputs)
        g, share = floats_at(w[7] + 4 * i * outputs), _weight_of(w, i) / np.float32(outputs)
        rate = floats_at(w[6])[0] * share
        for j in range(outputs):
            small = math.exp(-abs(z[j]))
            above = z[j] if z[j] > np.float32(0) or z[j] != z[j] else np.float32(0)
            sum_of_losses += np.float64(share * (above - t[j] * z[j] + math.log(one + small)))
            g[j] = rate * ((one if z[j] >= np.float32(0) else small) / (one + small) - t[j])
    loss[0] = sum_of_losses
    loss[1] = 0.0
