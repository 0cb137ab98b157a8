"""The naive layers compute the derivatives of a product and a sum."""

import pytest

from inkgrad.errors import GraphError
from inkgrad.lessons import AddLayer, MultiplyLayer


@pytest.mark.parametrize(("x", "y", "gradient"), [(100, 2, 1.1), (-3.5, 0.25, -2), (0, 7, 1), (7, 0, 1)])
def test_a_product_swaps_its_inputs(x, y, gradient):
    layer = MultiplyLayer()
    assert layer.forward(x, y) == x * y
    assert layer.backward(gradient) == (gradient * y, gradient * x)


def test_a_sum_passes_the_gradient_on():
    layer = AddLayer()
    assert layer.forward(200, 450) == 650
    assert layer.backward(1.1) == (1.1, 1.1)


@pytest.mark.parametrize("kind", [MultiplyLayer, AddLayer])
def test_gradients_agree_with_difference_quotients(kind):
    x, y, h = 3.0, -1.5, 1e-6
    layer = kind()
    numeric_x = (layer.forward(x + h, y) - layer.forward(x - h, y)) / (2 * h)
    numeric_y = (layer.forward(x, y + h) - layer.forward(x, y - h)) / (2 * h)
    layer.forward(x, y)
    assert layer.backward(1.0) == pytest.approx((numeric_x, numeric_y), abs=1e-8)


def test_layers_keep_their_own_inputs():
    first, second = MultiplyLayer(), MultiplyLayer()
    first.forward(2, 3)
    second.forward(5, 7)
    assert first.backward(1) == (3, 2)
    assert second.backward(1) == (7, 5)


def test_backward_belongs_to_the_last_forward():
    layer = MultiplyLayer()
    layer.forward(2, 3)
    layer.forward(5, 7)
    assert layer.backward(1) == (7, 5)


def test_backward_before_forward_is_told():
    with pytest.raises(GraphError, match=r"call forward\(x, y\) first"):
        MultiplyLayer().backward(1.0)
