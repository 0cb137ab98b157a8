"""Convolution against loops over every index."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cases
import inkgrad as ig
from inkgrad import kernels, ops
from inkgrad.kernels.reference import convolution
from inkgrad.kernels.reference.window import padded, unpadded, window_count

# x, weight, stride, padding
SHAPES = [
    ((2, 2, 4, 5), (3, 2, 3, 2), (1, 1), (0, 0)),
    ((2, 1, 5, 4), (2, 1, 3, 3), (2, 1), (1, 1)),
    ((1, 2, 2, 3), (1, 2, 4, 3), (1, 2), (2, 0)),
    ((3, 2, 1, 1), (2, 2, 1, 1), (1, 1), (0, 0)),
    ((2, 1, 6, 6), (1, 1, 2, 2), (4, 3), (0, 0)),
]


def terms(shape, weight, stride, padding):
    """Every product of the sum: (index of y, index of the weight, index of x)."""
    (n, c, h, w), (o, _, kh, kw) = shape, weight
    rows, columns = (window_count(*of) for of in ((h, kh, stride[0], padding[0]), (w, kw, stride[1], padding[1])))
    for a, b, r, s in itertools.product(range(n), range(o), range(rows), range(columns)):
        for d, i, j in itertools.product(range(c), range(kh), range(kw)):
            top, left = r * stride[0] + i - padding[0], s * stride[1] + j - padding[1]
            if 0 <= top < h and 0 <= left < w:
                yield (a, b, r, s), (b, d, i, j), (a, d, top, left)


def out_shape(shape, weight, stride, padding):
    lengths = (window_count(*of) for of in zip(shape[2:], weight[2:], stride, padding, strict=True))
    return shape[0], weight[0], *lengths


@pytest.mark.parametrize("shape, weight, stride, padding", SHAPES)
@pytest.mark.parametrize("bias", [True, False])
def test_forward_and_gradients_are_the_sums(shape, weight, stride, padding, bias):
    d = cases.Draw(f"loops {shape}")
    x, w, b = d.normal(*shape), d.normal(*weight), d.normal(weight[0]) if bias else None
    g = d.normal(*out_shape(shape, weight, stride, padding))
    y, dx, dw = np.zeros(g.shape), np.zeros(shape), np.zeros(weight)
    if bias:
        y += b[:, None, None]
    for of_y, of_w, of_x in terms(shape, weight, stride, padding):
        y[of_y] += w[of_w] * x[of_x]
        dx[of_x] += g[of_y] * w[of_w]
        dw[of_w] += g[of_y] * x[of_x]
    close = {"rtol": 1e-12, "atol": 1e-13}
    np.testing.assert_allclose(kernels.conv2d_forward.reference(x, w, b, stride, padding), y, **close)
    np.testing.assert_allclose(kernels.conv2d_input_gradient.reference(g, w, shape, stride, padding), dx, **close)
    size = weight[2:]
    np.testing.assert_allclose(kernels.conv2d_weight_gradient.reference(g, x, size, stride, padding), dw, **close)


@pytest.mark.parametrize("block", [1, 200, 1000])
def test_the_size_of_the_blocks_does_not_matter(block, monkeypatch):
    d = cases.Draw("blocks")
    x, w, b = d.normal(7, 2, 5, 5), d.normal(3, 2, 3, 3), d.normal(3)
    g = d.normal(7, 3, 5, 5)
    window = ((1, 1), (1, 1))

    def all_three():
        yield kernels.conv2d_forward.reference(x, w, b, *window)
        yield kernels.conv2d_input_gradient.reference(g, w, x.shape, *window)
        yield kernels.conv2d_weight_gradient.reference(g, x, (3, 3), *window)

    whole = list(all_three())
    monkeypatch.setattr(convolution, "BLOCK", block)
    for got, expected in zip(all_three(), whole, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-13)


def test_a_large_batch_needs_no_large_matrix():
    import tracemalloc

    x, w = np.zeros((200, 8, 28, 28), np.float32), np.zeros((4, 8, 5, 5), np.float32)
    tracemalloc.start()
    try:
        y = kernels.conv2d_forward.reference(x, w, None, (1, 1), (0, 0))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < y.nbytes + 12 * 2**20  # all columns at once are 92 MB


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_shapes_and_adjoints(data):
    """For any geometry: the shape is the formula's, and <g, conv(x, w)> = <dx, x> = <dw, w>, as it is bilinear."""
    n, c, o = (data.draw(st.integers(0, 3)) for _ in range(3))
    size, stride = (data.draw(st.tuples(st.integers(1, 4), st.integers(1, 4))) for _ in range(2))
    padding = data.draw(st.tuples(st.integers(0, 3), st.integers(0, 3)))
    h, w = (data.draw(st.integers(max(1, k - 2 * p), 8)) for k, p in zip(size, padding, strict=True))
    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=(n, c, h, w)), rng.normal(size=(o, c, *size))
    images, kernel = ig.Tensor(x, requires_grad=True), ig.Tensor(weight, requires_grad=True)
    y = ops.conv2d(images, kernel, stride=stride, padding=padding)
    rows, columns = (
        math.floor((length + 2 * p - k) / s) + 1 for length, k, s, p in zip((h, w), size, stride, padding, strict=True)
    )
    assert y.shape == (n, o, rows, columns)
    assert min(rows, columns) >= 1
    g = rng.normal(size=y.shape)
    y.backward(g)
    total = (g * y.data).sum()
    np.testing.assert_allclose([(images.grad * x).sum(), (kernel.grad * weight).sum()], total, rtol=1e-9, atol=1e-9)


def test_a_spoiled_pixel_spoils_what_sees_it_and_no_more():
    x = np.zeros((2, 1, 5, 5), np.float32)
    x[1, 0, 2, 2] = np.nan
    y = kernels.conv2d_forward.reference(x, np.ones((1, 1, 3, 3), np.float32), None, (1, 1), (1, 1))
    assert np.isnan(y).sum() == 9
    assert np.isnan(y[1, 0, 1:4, 1:4]).all()


def test_padding_and_back():
    x = cases.Draw("padding").normal(2, 3, 4)
    wide = padded(x, (1, 2), -7)
    np.testing.assert_array_equal(wide, np.pad(x, ((0, 0), (1, 1), (2, 2)), constant_values=-7))
    np.testing.assert_array_equal(unpadded(wide, (1, 2)), x)
    assert padded(x, (0, 0)) is x
