"""Two purchases as computational graphs, as in Saito's "Deep Learning from Scratch" (2016), chapter 5.

How much more would we pay if an apple cost one more, if we took one apple more, if the tax rose? Each answer is a
gradient of the price, and one walk backwards gives them all. Every purchase comes twice: with tensors, which
record the graph, and with the layers of `inkgrad.lessons.layers`, driven by hand.

| purchase | price | gradients |
|---|---|---|
| 2 apples at 100, tax factor 1.1 | 220 | apple price 2.2, apple count 110, tax 200 |
| the same and 3 oranges at 150 | 715 | apple price 2.2, apple count 110, orange price 3.3, orange count 165, tax 650 |
"""

from dataclasses import dataclass

from inkgrad.autodiff.tensor import Tensor
from inkgrad.lessons.layers import AddLayer, MultiplyLayer

__all__ = [
    "Purchase",
    "Receipt",
    "apples",
    "apples_and_oranges",
    "apples_and_oranges_with_layers",
    "apples_with_layers",
]


@dataclass(frozen=True, eq=False)
class Purchase:
    """A purchase as tensors, before `price.backward()`.

    Attributes:
        price: what is to be paid, a tensor of shape ().
        inputs: the tensors it was computed from by name, of shape () too; their `grad` answers the questions.
    """

    price: Tensor
    inputs: dict[str, Tensor]


@dataclass(frozen=True)
class Receipt:
    """A purchase computed with layers, forwards and backwards.

    Attributes:
        price: what is to be paid.
        gradients: d(price)/d(input) by the input's name.
    """

    price: float
    gradients: dict[str, float]


def apples() -> Purchase:
    """2 apples at 100 with tax: price = apple_price apple_count tax = 220.

    >>> purchase = apples()
    >>> purchase.price.backward()
    >>> print(purchase.price.data, {name: float(tensor.grad.round(4)) for name, tensor in purchase.inputs.items()})
    220.0 {'apple_price': 2.2..., 'apple_count': 110.0, 'tax': 200.0}
    """
    inputs = _inputs(apple_price=100.0, apple_count=2.0, tax=1.1)
    cost = inputs["apple_price"] * inputs["apple_count"]
    return Purchase(cost * inputs["tax"], inputs)


def apples_and_oranges() -> Purchase:
    """2 apples at 100 and 3 oranges at 150 with tax: (100 x 2 + 150 x 3) x 1.1 = 715.

    >>> purchase = apples_and_oranges()
    >>> purchase.price.backward()
    >>> print(purchase.price.data, purchase.inputs["tax"].grad)
    715.0 650.0
    """
    inputs = _inputs(apple_price=100.0, apple_count=2.0, orange_price=150.0, orange_count=3.0, tax=1.1)
    apple_cost = inputs["apple_price"] * inputs["apple_count"]
    orange_cost = inputs["orange_price"] * inputs["orange_count"]
    return Purchase((apple_cost + orange_cost) * inputs["tax"], inputs)


def apples_with_layers() -> Receipt:
    """The purchase of `apples` with two multiply layers, forwards and then backwards in reverse order.

    >>> receipt = apples_with_layers()
    >>> round(receipt.price), {name: round(gradient, 6) for name, gradient in receipt.gradients.items()}
    (220, {'apple_price': 2.2, 'apple_count': 110.0, 'tax': 200.0})
    """
    cost_layer, tax_layer = MultiplyLayer(), MultiplyLayer()

    cost = cost_layer.forward(100.0, 2.0)
    price = tax_layer.forward(cost, 1.1)

    d_cost, d_tax = tax_layer.backward(1.0)
    d_apple_price, d_apple_count = cost_layer.backward(d_cost)
    return Receipt(price, {"apple_price": d_apple_price, "apple_count": d_apple_count, "tax": d_tax})


def apples_and_oranges_with_layers() -> Receipt:
    """The purchase of `apples_and_oranges` with three multiply layers and one that adds.

    >>> receipt = apples_and_oranges_with_layers()
    >>> round(receipt.price), round(receipt.gradients["orange_price"], 6), receipt.gradients["tax"]
    (715, 3.3, 650.0)
    """
    apple_layer, orange_layer, sum_layer, tax_layer = MultiplyLayer(), MultiplyLayer(), AddLayer(), MultiplyLayer()

    apple_cost = apple_layer.forward(100.0, 2.0)
    orange_cost = orange_layer.forward(150.0, 3.0)
    cost = sum_layer.forward(apple_cost, orange_cost)
    price = tax_layer.forward(cost, 1.1)

    d_cost, d_tax = tax_layer.backward(1.0)
    d_apple_cost, d_orange_cost = sum_layer.backward(d_cost)
    d_orange_price, d_orange_count = orange_layer.backward(d_orange_cost)
    d_apple_price, d_apple_count = apple_layer.backward(d_apple_cost)
    gradients = {
        "apple_price": d_apple_price,
        "apple_count": d_apple_count,
        "orange_price": d_orange_price,
        "orange_count": d_orange_count,
        "tax": d_tax,
    }
    return Receipt(price, gradients)


def _inputs(**values: float) -> dict[str, Tensor]:
    return {name: Tensor(value, requires_grad=True, name=name) for name, value in values.items()}
