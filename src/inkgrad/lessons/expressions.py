"""Expressions as computational graphs of the engine: every value, every gradient, and the rule that gave it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from inkgrad.autodiff import ops
from inkgrad.autodiff.check import check_parameters
from inkgrad.autodiff.check_report import Element
from inkgrad.autodiff.tensor import Array, Tensor
from inkgrad.errors import DivergenceError, InputError
from inkgrad.lessons.grammar import Term, parse
from inkgrad.lessons.rules import number
from inkgrad.lessons.walk import Walk, walk

__all__ = ["DEFAULT", "Expression"]

DEFAULT = 2.0
"""What a name stands for until something else is given."""

LARGEST = "1.8e308"


class Expression:
    """A formula of numbers, whose graph the engine records.

    Args:
        text: names, numbers, + - * / ** with parentheses, exp, log, relu, sigmoid; see `inkgrad.lessons.grammar`.

    Raises:
        InputError: the text is not in that grammar, has no name to differentiate for, or is too large.

    >>> price = Expression("(apples*100 + oranges*150)*tax")
    >>> price.names
    ('apples', 'oranges', 'tax')
    >>> walk = price.walk({"apples": 2, "oranges": 3, "tax": 1.1})
    >>> round(walk.result, 6), walk.gradients["tax"]
    (715.0, 650.0)
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.terms = parse(text)
        self.names = tuple(term.text for term in self.terms if term.kind == "name")
        if not self.names:
            raise InputError(f"{text.strip()!r} has no name to differentiate for; write one, as in 2*x")
        if not self.terms[-1].arguments:
            raise InputError(f"{text.strip()!r} computes nothing; write an operation, as in 2*{self.names[0]}")

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def __call__(self, *values: Tensor) -> Tensor:
        """The value, from a tensor for each name in the order of `names`; of any one dtype and shape.

        Raises:
            DivergenceError: a value on the way is not finite; the message names the operation and its inputs.

        >>> x = Tensor(3.0, dtype="float64", requires_grad=True)
        >>> y = Expression("x**2 + 1")(x)
        >>> y.backward()
        >>> float(y.data), float(x.grad)
        (10.0, 6.0)
        """
        given = dict(zip(self.names, values, strict=True))
        found: list[Tensor] = []
        for term in self.terms:
            if term.kind == "name":
                found.append(given[term.text])
            elif term.kind == "number":
                found.append(Tensor(term.number, dtype=values[0].dtype, name=term.text))
            else:
                found.append(_applied(term, [found[i] for i in term.arguments]))
        return found[-1]

    def inputs(self, values: Mapping[str, float]) -> dict[str, float]:
        """A number for each name: the one given, else 2.

        Raises:
            InputError: one is not finite.
        """
        found = {name: float(values.get(name, DEFAULT)) for name in self.names}
        for name, value in found.items():
            if not np.isfinite(value):
                raise InputError(f"{name} must be a finite number, but is {value}")
        return found

    def walk(self, values: Mapping[str, float]) -> Walk:
        """Forward and backward through the graph in float64, step by step.

        Args:
            values: a number for each name; 2 where none is given. Others are ignored.

        Raises:
            DivergenceError: a value or a gradient is not finite.
            InputError: an input is not finite.
        """
        inputs = self._leaves(values)
        with np.errstate(all="ignore"):  # what is not finite is said in words
            return walk(self(*inputs.values()), inputs)

    def numeric(self, values: Mapping[str, float]) -> dict[str, Element | None]:
        """Each gradient beside its difference quotient, by the package's own checker.

        None where the function is not defined a step away. At a kink of relu both sides differ, and are told.

        >>> element = Expression("x**2").numeric({"x": 3})["x"]
        >>> round(element.analytic, 6), round(element.numeric, 6), element.relative_error < 1e-6
        (6.0, 6.0, True)
        """
        leaves = self._leaves(values)
        found: dict[str, Element | None] = {}
        for name, leaf in leaves.items():
            try:
                with np.errstate(all="ignore"):
                    report = check_parameters([(name, leaf)], lambda: self(*leaves.values()), elementwise=True)
            except DivergenceError:
                found[name] = None
            else:
                worst = report.rows[0].worst
                found[name] = worst if worst is not None and np.isfinite(worst.numeric) else None
        return found

    def _leaves(self, values: Mapping[str, float]) -> dict[str, Tensor]:
        return {
            name: Tensor(value, dtype=np.float64, requires_grad=True, name=name)
            for name, value in self.inputs(values).items()
        }


_OPS: dict[str, Any] = {
    "add": ops.add,
    "subtract": ops.subtract,
    "multiply": ops.multiply,
    "divide": ops.divide,
    "power": ops.power,
    "negative": ops.negative,
    "exp": ops.exp,
    "log": ops.log,
    "relu": ops.relu,
    "sigmoid": ops.sigmoid,
}


def _applied(term: Term, inputs: list[Tensor]) -> Tensor:
    with np.errstate(all="ignore"):
        result: Tensor = _OPS[term.kind](*inputs)
    if not np.isfinite(result.data).all():
        raise DivergenceError(_trouble(term, [tensor.data for tensor in inputs]))
    result.name = term.text
    if result.node is not None:
        result.node.name = term.text  # what was written says more than the operation's name
    return result


def _trouble(term: Term, inputs: list[Array]) -> str:
    """Why an operation has no finite value."""
    x, y = (float(value.flat[0]) for value in (inputs[0], inputs[-1]))
    if term.kind == "divide" and y == 0:
        return f"{term.text} divides by zero; change the inputs so that the divisor is not 0"
    if term.kind == "log" and x <= 0:
        return f"{term.text} is the logarithm of {number(x)}; change the inputs so that it is above 0"
    if term.kind == "power" and x == 0 and y < 0:
        return f"{term.text} divides by zero: 0 to the power {number(y)}; change the inputs"
    if term.kind == "power" and x < 0 and not y.is_integer():
        return f"{term.text} is {number(x)} to the power {number(y)}, which is no real number; change the inputs"
    return f"{term.text} is larger than float64 holds ({LARGEST}); make the inputs smaller"
