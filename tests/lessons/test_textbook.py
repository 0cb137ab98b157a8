"""The two purchases have the textbook's prices and gradients, with tensors and with layers."""

import pytest

from inkgrad import lessons
from inkgrad.autodiff.check import check_gradients

APPLES = {"apple_price": 2.2, "apple_count": 110, "tax": 200}
BOTH = {"apple_price": 2.2, "apple_count": 110, "orange_price": 3.3, "orange_count": 165, "tax": 650}


@pytest.mark.parametrize(
    ("purchase", "price", "gradients"), [(lessons.apples, 220, APPLES), (lessons.apples_and_oranges, 715, BOTH)]
)
def test_tensors(purchase, price, gradients):
    bought = purchase()
    assert all(tensor.grad is None for tensor in bought.inputs.values())
    bought.price.backward()
    assert bought.price.item() == price  # exact in float32
    assert list(bought.inputs) == list(gradients)
    assert {name: tensor.name for name, tensor in bought.inputs.items()} == {name: name for name in gradients}
    assert {name: float(t.grad) for name, t in bought.inputs.items()} == pytest.approx(gradients, rel=2e-7)


@pytest.mark.parametrize(
    ("receipt", "price", "gradients"),
    [(lessons.apples_with_layers, 220, APPLES), (lessons.apples_and_oranges_with_layers, 715, BOTH)],
)
def test_layers(receipt, price, gradients):
    paid = receipt()
    assert paid.price == pytest.approx(price, rel=1e-15)
    assert list(paid.gradients) == list(gradients)
    assert paid.gradients == pytest.approx(gradients, rel=1e-15)


def test_every_call_is_a_new_purchase():
    first, second = lessons.apples(), lessons.apples()
    first.price.backward()
    assert second.inputs["tax"].grad is None


def test_the_checker_agrees():
    assert check_gradients(lambda p, n, q, m, tax: (p * n + q * m) * tax, 100, 2, 150, 3, 1.1).passed
