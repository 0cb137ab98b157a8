"""Pooling against loops over windows."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cases
import inkgrad as ig
from inkgrad import kernels, ops

WINDOWS = {
    "half": ((2, 2), (2, 2), (0, 0)),
    "overlapping": ((3, 2), (1, 1), (1, 1)),
    "gaps": ((2, 1), (3, 3), (0, 0)),
    "rest": ((3, 3), (2, 2), (1, 0)),
}


def windows(shape, size, stride, padding):
    """(index of y, [index of x of each pixel inside, row by row])."""
    n, c, h, w = shape
    counts = [(length + 2 * p - k) // s + 1 for length, k, s, p in zip((h, w), size, stride, padding, strict=True)]
    for a, b, r, s in np.ndindex(n, c, *counts):
        top, left = r * stride[0] - padding[0], s * stride[1] - padding[1]
        inside = [
            (a, b, i, j)
            for i in range(max(top, 0), min(top + size[0], h))
            for j in range(max(left, 0), min(left + size[1], w))
        ]
        yield (a, b, r, s), inside


@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize("values", ["distinct", "ties", "lowest"])
def test_the_maximum_and_its_gradient(name, values):
    window, shape = WINDOWS[name], (2, 2, 6, 5)
    d = cases.Draw(f"pool {name}")
    x = {
        "distinct": d.distinct(*shape),
        "ties": d.labels(math.prod(shape), 3).reshape(shape).astype(float),
        "lowest": np.full(shape, -np.inf),
    }[values]
    y, chosen = kernels.max_pool2d_forward.reference(x, *window)
    assert chosen.dtype == np.int32
    g = d.normal(*y.shape)
    expected = np.zeros(shape)
    for of_y, inside in windows(shape, *window):
        best = max(x[i] for i in inside)
        assert y[of_y] == best
        expected[next(i for i in inside if x[i] == best)] += g[of_y]
    got = kernels.max_pool2d_backward.reference(g, chosen, shape, *window)
    np.testing.assert_allclose(got, expected, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("name", WINDOWS)
def test_the_average_and_its_gradient(name):
    (size, stride, padding), shape = WINDOWS[name], (2, 2, 6, 5)
    d = cases.Draw(f"average {name}")
    x = d.normal(*shape)
    y = kernels.average_pool2d_forward.reference(x, size, stride, padding)
    g = d.normal(*y.shape)
    expected = np.zeros(shape)
    for of_y, inside in windows(shape, size, stride, padding):
        assert y[of_y] == pytest.approx(sum(x[i] for i in inside) / math.prod(size), rel=1e-12)
        for i in inside:
            expected[i] += g[of_y] / math.prod(size)
    got = kernels.average_pool2d_backward.reference(g, shape, size, stride, padding)
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-14)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_shapes(data):
    """For any geometry: the formula's shape; a maximum is at least the mean; gradients keep their sum."""
    n, c = (data.draw(st.integers(0, 3)) for _ in range(2))
    size, stride = (data.draw(st.tuples(st.integers(1, 4), st.integers(1, 4))) for _ in range(2))
    padding = tuple(data.draw(st.integers(0, k // 2)) for k in size)
    h, w = (data.draw(st.integers(max(1, k - 2 * p), 8)) for k, p in zip(size, padding, strict=True))
    x = np.random.default_rng(0).uniform(0.5, 2, size=(n, c, h, w))
    rows, columns = (
        math.floor((length + 2 * p - k) / s) + 1 for length, k, s, p in zip((h, w), size, stride, padding, strict=True)
    )
    for op in (ops.max_pool2d, ops.average_pool2d):
        image = ig.Tensor(x, requires_grad=True)
        y = op(image, size=size, stride=stride, padding=padding)
        assert y.shape == (n, c, rows, columns)
        y.sum().backward()
        assert image.grad.min(initial=0) >= 0
        if op is ops.max_pool2d:
            assert image.grad.sum() == y.size
            mean = ops.average_pool2d(x, size=size, stride=stride, padding=padding)
            assert (y.data >= mean.data - 1e-12).all()
        elif padding == (0, 0):
            assert image.grad.sum() == pytest.approx(y.size)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ties_go_to_the_first(dtype):
    x = ig.Tensor([[[[1, 1, 0, 2], [1, 1, 2, 2]]]], dtype=dtype, requires_grad=True)
    ops.max_pool2d(x, size=2).backward([[[[1, 1]]]])
    assert x.grad.tolist() == [[[[1, 0, 0, 1], [0, 0, 0, 0]]]]


def test_infinite_gradients_stay_where_they_belong():
    x = ig.Tensor([[[[1, 2], [3, 0]]]], requires_grad=True)
    ops.max_pool2d(x, size=2).backward([[[[np.inf]]]])
    assert x.grad.tolist() == [[[[0, 0], [np.inf, 0]]]]


def test_nan_is_the_maximum():
    x = np.zeros((1, 1, 4, 4), np.float32)
    x[0, 0, 1, 1] = np.nan
    y, chosen = kernels.max_pool2d_forward.reference(x, (2, 2), (2, 2), (0, 0))
    assert np.isnan(y).ravel().tolist() == [True, False, False, False]
    assert chosen.ravel().tolist() == [3, 0, 0, 0]
    both, chosen = kernels.max_pool2d_forward.reference(np.full_like(x, np.nan), (2, 2), (2, 2), (0, 0))
    assert np.isnan(both).all()
    assert set(chosen.ravel()) == {3}
