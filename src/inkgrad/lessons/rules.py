"""What each operation of an expression computes, and its rule backward, as formulas to read.

In a formula x and y are the inputs, z is the result, and g = dL/dz is the gradient that arrives. [x > 0] is 1 where
that holds and else 0. The numbers beside a formula are the engine's own; nothing is computed by these texts.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["RULES", "Rule", "filled", "number"]


class Rule(NamedTuple):
    """The formulas of one operation.

    Attributes:
        symbol: of its node in a picture.
        forward: the value.
        backward: the gradient that goes to each input.
    """

    symbol: str
    forward: str
    backward: tuple[str, ...]


RULES = {
    "add": Rule("+", "x + y", ("g", "g")),
    "subtract": Rule("−", "x − y", ("g", "−g")),
    "multiply": Rule("×", "x · y", ("g · y", "g · x")),
    "divide": Rule("÷", "x / y", ("g / y", "−g · z / y")),
    "power": Rule("xʸ", "x ** y", ("g · y · x ** (y − 1)", "g · z · log x")),
    "negative": Rule("−x", "−x", ("−g",)),
    "exp": Rule("exp", "exp(x)", ("g · z",)),
    "log": Rule("log", "log(x)", ("g / x",)),
    "relu": Rule("relu", "relu(x)", ("g · [x > 0]",)),
    "sigmoid": Rule("sigmoid", "sigmoid(x)", ("g · z · (1 − z)",)),
}

_LETTER = re.compile(r"(?<!\w)(−?)([gxyz])(?!\w)")


def filled(formula: str, values: Mapping[str, float]) -> str:
    """A formula with numbers in place of its letters; negative ones in parentheses.

    >>> filled("−g · z / y", {"g": 1.1, "z": 650.0, "y": -2.0})
    '−1.1 · 650 / (−2)'
    """

    def put(match: re.Match[str]) -> str:
        text = number(values[match[2]])
        alone = formula[match.start() - 1 : match.start()] == "(" and formula[match.end() : match.end() + 1] == ")"
        if text.startswith("−") and not alone and (match[1] or match.start() > 0):
            text = f"({text})"
        return match[1] + text

    return _LETTER.sub(put, formula)


def number(value: float) -> str:
    """Six significant digits.

    >>> number(715.0000000000001), number(-0.00012345678), number(1.5e300)
    ('715', '−0.000123457', '1.5e+300')
    """
    return f"{value:.6g}".replace("-", "−")
