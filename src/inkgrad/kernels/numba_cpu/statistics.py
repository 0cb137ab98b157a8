"""Instructions that sum over the batch: biases' gradients and batch normalization, each channel for itself."""

import math

import numpy as np

from inkgrad.kernels.numba_cpu.native import doubles_at, floats_at, instruction, words_at

__all__ = ["fold_norm", "norm_backward", "norm_forward", "sum_columns", "sum_moments", "sum_products"]


@instruction
def sum_columns(w):  # type: ignore[no-untyped-def]
    """(images, rows, columns, x, y, resume): y[j] = sum of x[:, j] over images * rows, added to y if `resume`."""
    columns, y = w[2], floats_at(w[4])
    if w[5] == 0:
        for j in range(columns):
            y[j] = np.float32(0)
    for i in range(w[0] * w[1]):
        x = floats_at(w[3] + 4 * i * columns)
        for j in range(columns):
            y[j] += x[j]


@instruction
def first_values(w):  # type: ignore[no-untyped-def]
    """(wanted, channels, x, y): y = the first pixel of x, where wanted."""
    if w[0] != 0:
        x, y = floats_at(w[2]), floats_at(w[3])
        for c in range(w[1]):
            y[c] = x[c]


@instruction
def scale_shift(w):  # type: ignore[no-untyped-def]
    """(images, pixels, channels, scale, shift, relu, x, y): y = x scale + shift, each channel its own."""
    channels, scale, shift, relu = w[2], floats_at(w[3]), floats_at(w[4]), w[5]
    zero = np.float32(0)
    for i in range(w[0] * w[1]):
        x, y = floats_at(w[6] + 4 * i * channels), floats_at(w[7] + 4 * i * channels)
        for c in range(channels):
            v = x[c] * scale[c] + shift[c]
            y[c] = zero if relu != 0 and v < zero else v


@instruction
def sum_moments(w):  # type: ignore[no-untyped-def]
    """(images, pixels, channels, x, shift, part, sums): sums of d and d^2 with d = x - shift, in doubles.

    `sums` are those of one image, in floats, 2 channels long; `part` is (2, channels). Subtracting a value of the
    batch first keeps the difference of the two moments exact (Chan, Golub and LeVeque 1983).
    """
    pixels, channels = w[1], w[2]
    shift, part, sums = floats_at(w[4]), doubles_at(w[5]), floats_at(w[6])
    for c in range(2 * channels):
        part[c] = 0.0
    for image in range(w[0]):
        for c in range(2 * channels):
            sums[c] = np.float32(0)
        squares = floats_at(w[6] + 4 * channels)
        for p in range(pixels):
            x = floats_at(w[3] + 4 * (image * pixels + p) * channels)
            for c in range(channels):
                d = x[c] - shift[c]
                sums[c] += d
                squares[c] += d * d
        for c in range(2 * channels):
            part[c] += np.float64(sums[c])


@instruction
def norm_forward(w):  # type: ignore[no-untyped-def]
    """(images, pixels, channels, x, shift, parts, threads, total, eps, gamma, beta, mean, deviation, y, relu).

    y = gamma (x - mean) / sqrt(variance + eps) + beta, from the sums that every thread made; `mean` (2, channels)
    takes mean and variance, `deviation` 1 / sqrt(variance + eps).
    """
    pixels, channels, threads, relu = w[1], w[2], w[6], w[14]
    shift, parts, total, eps = floats_at(w[4]), words_at(w[5]), doubles_at(w[7])[0], doubles_at(w[8])[0]
    gamma, beta, mean, deviation = floats_at(w[9]), floats_at(w[10]), floats_at(w[11]), floats_at(w[12])
    for c in range(channels):
        first = 0.0
        second = 0.0
        for t in range(threads):
            part = doubles_at(parts[t])
            first += part[c]
            second += part[channels + c]
        middle = first / total
        variance = max(second / total - middle * middle, 0.0) if second == second else second
        mean[c] = np.float32(shift[c] + middle)
        mean[channels + c] = np.float32(variance)
        deviation[c] = np.float32(1.0 / math.sqrt(variance + eps))
    zero = np.float32(0)
    for i in range(w[0] * pixels):
        x, y = floats_at(w[3] + 4 * i * channels), floats_at(w[13] + 4 * i * channels)
        if relu != 0:
            for c in range(channels):
                v = (x[c] - mean[c]) * deviation[c] * gamma[c] + beta[c]
                y[c] = zero if v < zero else v
        else:
            for c in range(channels):
                y[c] = (x[c] - mean[c]) * deviation[c] * gamma[c] + beta[c]


@instruction
def sum_products(w):  # type: ignore[no-untyped-def]
    """(images, pixels, channels, x, mean, deviation, y, g, part, sums, relu): sums of g and of g x^, in doubles.

    With `relu` set g is first cleared where y <= 0, in place.
    """
    pixels, channels, relu = w[1], w[2], w[10]
    mean, deviation, part, sums = floats_at(w[4]), floats_at(w[5]), doubles_at(w[8]), floats_at(w[9])
    zero = np.float32(0)
    for c in range(2 * channels):
        part[c] = 0.0
    for image in range(w[0]):
        for c in range(2 * channels):
            sums[c] = zero
        products = floats_at(w[9] + 4 * channels)
        for p in range(pixels):
            place = 4 * (image * pixels + p) * channels
            x, y, g = floats_at(w[3] + place), floats_at(w[6] + place), floats_at(w[7] + place)
            if relu != 0:
                for c in range(channels):
                    g[c] = zero if y[c] <= zero else g[c]
            for c in range(channels):
                sums[c] += g[c]
                products[c] += g[c] * ((x[c] - mean[c]) * deviation[c])
        for c in range(2 * channels):
            part[c] += np.float64(sums[c])


@instruction
def norm_backward(w):  # type: ignore[no-untyped-def]
    """(images, pixels, channels, x, mean, deviation, gamma, parts, threads, total, scratch, g, out).

    out = gamma / std (g - mean(g) - x^ mean(g x^)); out may be g. `scratch` is (3, channels).
    """
    pixels, channels, threads = w[1], w[2], w[8]
    mean, deviation, gamma, parts = floats_at(w[4]), floats_at(w[5]), floats_at(w[6]), words_at(w[7])
    total, a, b, d = (
        doubles_at(w[9])[0],
        floats_at(w[10]),
        floats_at(w[10] + 4 * channels),
        floats_at(w[10] + 8 * channels),
    )
    for c in range(channels):
        first = 0.0
        second = 0.0
        for t in range(threads):
            part = doubles_at(parts[t])
            first += part[c]
            second += part[channels + c]
        a[c] = gamma[c] * deviation[c]
        b[c] = np.float32(first / total)
        d[c] = np.float32(second / total)
    for i in range(w[0] * pixels):
        x, g, out = (
            floats_at(w[3] + 4 * i * channels),
            floats_at(w[11] + 4 * i * channels),
            floats_at(w[12] + 4 * i * channels),
        )
        for c in range(channels):
            out[c] = a[c] * (g[c] - b[c] - (x[c] - mean[c]) * deviation[c] * d[c])


@instruction
def part_to_gradients(w):  # type: ignore[no-untyped-def]
    """(channels, part, gamma_gradient, beta_gradient): this thread's sums as its share of both gradients."""
    channels, part, gamma, beta = w[0], doubles_at(w[1]), floats_at(w[2]), floats_at(w[3])
    for c in range(channels):
        beta[c] = np.float32(part[c])
        gamma[c] = np.float32(part[channels + c])


@instruction
def fold_norm(w):  # type: ignore[no-untyped-def]
    """(first, last, size, weight, bias, mean, variance, eps, gamma, beta, folded, shift): normalization into weights.

    folded[o] = weight[o] gamma / sqrt(variance + eps), shift[o] = beta + (bias - mean) gamma / sqrt(variance + eps),
    for o in first..last; a bias at address 0 is none.
    """
    size, eps = w[2], doubles_at(w[7])[0]
    weight, mean, variance = floats_at(w[3]), floats_at(w[5]), floats_at(w[6])
    gamma, beta, folded, shift = floats_at(w[8]), floats_at(w[9]), floats_at(w[10]), floats_at(w[11])
    for o in range(w[0], w[1]):
        scale = np.float32(gamma[o] / math.sqrt(variance[o] + eps))
        bias = floats_at(w[4])[o] if w[4] != 0 else np.float32(0)
        shift[o] = beta[o] + (bias - mean[o]) * scale
        for i in range(size):
            folded[o * size + i] = weight[o * size + i] * scale
