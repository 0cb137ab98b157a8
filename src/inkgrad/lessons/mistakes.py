"""Classic mistakes in pull-backs: operations of the engine whose value is right and whose gradient is wrong."""

import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from inkgrad.autodiff import ops
from inkgrad.autodiff.check import check_gradients
from inkgrad.autodiff.check_report import GradientReport
from inkgrad.autodiff.differentiable import Op, Recorded
from inkgrad.autodiff.tensor import Array, Tensor
from inkgrad.errors import GradientCheckError, OptionError
from inkgrad.random import default_rng

__all__ = ["MISTAKES", "Mistake", "mistake"]


@dataclass(frozen=True)
class Mistake:
    """An operation with a wrong pull-back.

    Attributes:
        name: such as "missing_transpose".
        body: value and pull-backs, as `ig.differentiable` takes them.
        wrong: the wrong part of its text.
        right: what should stand there.
        engine: the same by the engine's own operations, whose gradients are right.
        inputs: arrays to check it at, from a generator.
    """

    name: str
    body: Callable[..., Recorded]
    wrong: str
    right: str
    engine: Callable[..., Tensor]
    inputs: Callable[[np.random.Generator], tuple[Array, ...]]

    @property
    def source(self) -> str:
        """The text of the operation, wrong as it is."""
        return textwrap.dedent(inspect.getsource(self.body))

    @property
    def corrected_source(self) -> str:
        """The same with the right pull-back."""
        return self.source.replace(self.wrong, self.right)

    def check(self, *, corrected: bool = False) -> tuple[GradientReport | None, str]:
        """Check its gradients, element by element.

        Args:
            corrected: check the engine's own operations instead.

        Returns:
            (report, ""), or (None, what the check complains of).

        >>> report, complaint = mistake("forgotten_mask").check()
        >>> report is None, complaint[:27]
        (True, 'the gradient of x (4, 3) is')
        """
        # An Op of its own: `differentiable` would list it among the package's.
        f = self.engine if corrected else Op(self.body, broadcasts=False, constants=())
        try:
            return check_gradients(f, *self.inputs(default_rng(3)), elementwise=True), ""
        except GradientCheckError as error:
            return None, str(error)


def matmul(a: Array, b: Array) -> Recorded:
    return a @ b, (lambda g: g @ b, lambda g: a.T @ g)


def relu(x: Array) -> Recorded:
    return np.maximum(x, 0), (lambda g: g,)


def mean_squared_error(y: Array, t: Array) -> Recorded:
    n = len(y)
    value = ((y - t) ** 2).sum() / n
    return value, (lambda g: g * 2 * (y - t), lambda g: g * 2 * (t - y) / n)


def sigmoid(x: Array) -> Recorded:
    z = 1 / (1 + np.exp(-x))
    return z, (lambda g: g * x * (1 - x),)


def subtract(a: Array, b: Array) -> Recorded:
    return a - b, (lambda g: g, lambda g: g)


def add_bias(x: Array, b: Array) -> Recorded:
    return x + b, (lambda g: g, lambda g: g.mean(axis=0))


def square(x: Array) -> Recorded:
    return x * x, (lambda g: g * x,)


def softmax(x: Array) -> Recorded:
    z = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    return z, (lambda g: g * z * (1 - z),)


def _away(*shapes: tuple[int, ...]) -> Callable[[np.random.Generator], tuple[Array, ...]]:
    """Inputs of either sign, not near 0, where relu has its kink."""

    def inputs(rng: np.random.Generator) -> tuple[Array, ...]:
        sizes = (rng.uniform(0.2, 1.5, shape) for shape in shapes)
        return tuple(np.asarray(size * rng.choice((-1.0, 1.0), size.shape)) for size in sizes)

    return inputs


_X, _TWO = ((4, 3),), ((4, 3), (4, 3))

MISTAKES = (
    Mistake("missing_transpose", matmul, "g @ b,", "g @ b.T,", lambda a, b: a @ b, _away((4, 3), (3, 3))),
    Mistake("forgotten_mask", relu, "lambda g: g,", "lambda g: g * (x > 0),", ops.relu, _away(*_X)),
    Mistake(
        "not_divided",
        mean_squared_error,
        "g * 2 * (y - t),",
        "g * 2 * (y - t) / n,",
        lambda y, t: ((y - t) ** 2).sum() / len(y),
        _away(*_TWO),
    ),
    Mistake("input_for_output", sigmoid, "g * x * (1 - x)", "g * z * (1 - z)", ops.sigmoid, _away(*_X)),
    Mistake("wrong_sign", subtract, "lambda g: g)", "lambda g: -g)", lambda a, b: a - b, _away(*_TWO)),
    Mistake("mean_for_sum", add_bias, "g.mean(axis=0)", "g.sum(axis=0)", lambda x, b: x + b, _away((4, 3), (3,))),
    Mistake("used_twice", square, "g * x,", "g * x + g * x,", lambda x: x * x, _away(*_X)),
    Mistake(
        "only_diagonal",
        softmax,
        "g * z * (1 - z)",
        "z * (g - (g * z).sum(axis=1, keepdims=True))",
        ops.softmax,
        _away(*_X),
    ),
)
"""All of them, from the most frequent on."""


def mistake(name: str) -> Mistake:
    """The mistake of a name.

    Raises:
        OptionError: there is none.
    """
    found = next((one for one in MISTAKES if one.name == name), None)
    if found is None:
        raise OptionError(f"there is no mistake {name!r}; there are {', '.join(one.name for one in MISTAKES)}")
    return found
