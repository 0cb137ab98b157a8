"""How good a difference quotient is, by its step: too large a step bends, too small a step rounds."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from inkgrad.autodiff.modes import no_grad
from inkgrad.autodiff.tensor import Array, Tensor
from inkgrad.errors import DivergenceError, InputError, OptionError
from inkgrad.lessons.expressions import Expression

__all__ = ["STEPS", "Curve", "StepErrors", "step_errors"]

STEPS = tuple(10.0 ** -(k / 2) for k in range(2, 25))
"""1e-1, 3.2e-2, 1e-2 ... 1e-12."""


@dataclass(frozen=True)
class Curve:
    """The error of one kind of quotient.

    Attributes:
        kind: "central" (f(x + h) - f(x - h)) / 2h, or "one-sided" (f(x + h) - f(x)) / h.
        dtype: "float32" or "float64", what f is computed in.
        errors: the relative error at each of the steps, None where f has no value there.
        best: the step with the smallest error; None if f has no value at any.
        expected: the step that theory takes for the best, up to a factor that depends on f: the cube root of the
            dtype's epsilon for central quotients, its square root for one-sided ones.
    """

    kind: str
    dtype: str
    errors: tuple[float | None, ...]
    best: float | None
    expected: float


@dataclass(frozen=True)
class StepErrors:
    """What `step_errors` measures.

    Attributes:
        steps: h.
        gradient: that of backpropagation, in float64.
        curves: central and one-sided, each in float32 and float64.
    """

    steps: tuple[float, ...]
    gradient: float
    curves: tuple[Curve, ...]


def step_errors(expression: Expression, x: float) -> StepErrors:
    """Difference quotients of an expression beside the gradient of backpropagation.

    A central quotient is wrong by h^2 |f'''| / 6 because f bends, and by about eps |f| / h because f is rounded; a
    one-sided one by h |f''| / 2 and 2 eps |f| / h. Source: Press et al., Numerical Recipes, 3rd edition (2007), 5.7.

    Args:
        expression: of one name.
        x: where.

    Raises:
        OptionError: it has more names than one.
        DivergenceError: it or its gradient has no finite value at x.
        InputError: its gradient is 0 at x, so that there is no relative error.

    >>> found = step_errors(Expression("x**3"), 1.0)
    >>> single, double = (curve.best for curve in found.curves if curve.kind == "central")
    >>> found.gradient, 1e-3 < single < 1e-1, 1e-6 < double < 1e-4
    (3.0, True, True)
    """
    if len(expression.names) != 1:
        raise OptionError(
            f"the quotient is for an expression of one name, but this has {len(expression.names)}: "
            f"{', '.join(expression.names)}"
        )
    gradient = next(iter(expression.walk({expression.names[0]: x}).gradients.values()))
    if gradient == 0:
        raise InputError(f"the gradient is 0 at {x:g}, and a relative error of 0 says nothing; choose another point")
    curves = [_curve(expression, x, gradient, kind, dtype) for dtype in ("float32", "float64") for kind in _ORDERS]
    return StepErrors(STEPS, gradient, tuple(curves))


_ORDERS = {"central": 3, "one-sided": 2}


def _curve(expression: Expression, x: float, gradient: float, kind: str, dtype: str) -> Curve:
    errors = tuple(_error(expression, x, gradient, kind, dtype, step) for step in STEPS)
    known = [(error, step) for error, step in zip(errors, STEPS, strict=True) if error is not None]
    best = min(known)[1] if known else None
    return Curve(kind, dtype, errors, best, float(np.finfo(dtype).eps) ** (1 / _ORDERS[kind]))


def _error(expression: Expression, x: float, gradient: float, kind: str, dtype: str, step: float) -> float | None:
    real = np.dtype(dtype).type
    try:
        with np.errstate(all="ignore"):
            ahead = real(x) + real(step)
            behind = real(x) - real(step) if kind == "central" else real(x)
            width = real(2 * step) if kind == "central" else real(step)  # as one writes it, not as it was rounded
            quotient = (_value(expression, ahead, dtype) - _value(expression, behind, dtype)) / width
    except DivergenceError:
        return None
    error = abs(float(quotient) - gradient) / abs(gradient)
    return error if math.isfinite(error) else None


def _value(expression: Expression, x: float, dtype: DTypeLike) -> Array:
    with no_grad():
        return expression(Tensor(x, dtype=dtype)).data
