"""Checking gradients against difference quotients, in float64."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from inkgrad.autodiff.check_report import Element, GradientReport, GradientRow
from inkgrad.autodiff.finite_difference import Comparison, Settings, random_signs
from inkgrad.autodiff.modes import is_recording
from inkgrad.autodiff.node import Node
from inkgrad.autodiff.tensor import Array, Tensor, TensorLike, as_array
from inkgrad.errors import DivergenceError, GraphError, InputError, OptionError, ShapeError
from inkgrad.random import default_rng

__all__ = ["Element", "GradientReport", "GradientRow", "check_gradients", "check_parameters"]


def check_gradients(
    f: Callable[..., Tensor],
    *arrays: TensorLike,
    rng: np.random.Generator | None = None,
    step: float = 1e-6,
    tolerance: float = 1e-6,
    elementwise: bool = False,
) -> GradientReport:
    """Check the backward pass of `f` against central differences, one random direction for each input.

    With L = sum_i c_i f(x)_i for a random c and a random direction d, the backward pass claims <dL/dx, d> and the
    quotient [L(x + h d) - L(x - h d)] / 2h measures it. That takes two evaluations for each input, however large
    (as in autograd's and Chainer's checkers), and sees a single wrong element, as no component of d is near 0.
    Where they differ, h / 100 is tried too, against kinks within the step; after a failure the wrong element is
    searched for by halving.

    Args:
        f: takes as many tensors as there are arrays, float64 here, and gives a tensor of any shape. It must give
            the same for the same input: pass noise such as a dropout mask in from outside.
        arrays: where to check, of any shapes and dtypes; computed with in float64. Keep away from kinks and ties.
        rng: draws the directions; by default `default_rng(0)`.
        step: h.
        tolerance: the relative error that still passes.
        elementwise: try each element alone; two evaluations for each.

    Returns:
        A report with a row for each input.

    Raises:
        GradientCheckError: a gradient is wrong; the message names the input and its worst element.
        DivergenceError: a value is NaN or infinite.
        InputError: `f` gives different results for the same input, or no tensor.
        OptionError: no arrays; a step or tolerance not above 0.
        GraphError: called under `no_grad`.

    >>> from inkgrad.autodiff import ops
    >>> report = check_gradients(lambda x, w: ops.tanh(x @ w), [[0.5, -1.0]], [[0.3], [0.2]])
    >>> report.passed, [row.name for row in report]
    (True, ['x', 'w'])
    """
    settings = Settings(step, tolerance, elementwise)
    rng = default_rng(0) if rng is None else rng
    if not arrays:
        raise OptionError("check_gradients needs at least one array to differentiate for: check_gradients(f, x)")
    names = _names(f, arrays)
    points = [_point(name, array) for name, array in zip(names, arrays, strict=True)]

    def evaluate(position: int, value: Array) -> Array:
        values = [*points[:position], value, *points[position + 1 :]]
        return _result(f(*(Tensor(v.copy()) for v in values))).data

    inputs = [Tensor(p.copy(), requires_grad=True, name=n) for n, p in zip(names, points, strict=True)]
    result = _recorded(lambda: f(*inputs))
    _same_again(result.data, evaluate(0, points[0]))
    cotangent = random_signs(result.shape, rng)
    gradients = _gradients(result, cotangent, inputs)

    def row(i: int) -> GradientRow:
        case = Comparison(names[i], points[i], gradients[i], lambda v: evaluate(i, v), cotangent, settings)
        return case.row(rng)

    report = GradientReport(tuple(row(i) for i in range(len(points))), tolerance)
    report.raise_if_failed()
    return report


def check_parameters(
    named: Iterable[tuple[str, Tensor]],
    loss: Callable[[], Tensor],
    *,
    rng: np.random.Generator | None = None,
    step: float = 1e-6,
    tolerance: float = 1e-6,
    elementwise: bool = False,
) -> GradientReport:
    """Check the gradient of a loss for each parameter; a failed row is reported, not raised.

    Args:
        named: (name, tensor) pairs, for instance `net.named_parameters()`; each tensor's data is float64. While
            the check runs, other arrays are put in its place; afterwards it is the very array it was, and `grad`
            is as it was.
        loss: takes nothing and gives the loss as a tensor of one element; computes the same each time.
        rng: draws the directions; by default `default_rng(0)`.
        step: of the difference quotient.
        tolerance: the relative error that still passes.
        elementwise: try each element alone.

    Returns:
        A report with a row for each parameter; `report.raise_if_failed()` makes an error of it.

    Raises:
        ShapeError: a parameter is not float64, or the loss is more than one number.
        DivergenceError: the loss is NaN or infinite.
        InputError: the loss differs from call to call, or is no tensor.
        OptionError: a step or tolerance not above 0.
        GraphError: called under `no_grad`.

    >>> w = Tensor([1.0, 2.0], dtype="float64", requires_grad=True)
    >>> check_parameters([("w", w)], lambda: (w * w).sum()).passed
    True
    """
    settings = Settings(step, tolerance, elementwise)
    rng = default_rng(0) if rng is None else rng
    parameters = list(named)
    for name, parameter in parameters:
        if parameter.dtype != np.float64:
            raise ShapeError(
                f"check_parameters needs float64, but {name} is {parameter.dtype}; "
                f"assign parameter.data = parameter.data.astype('float64') to each first"
            )
    result = _recorded(loss)
    if result.size != 1:
        raise ShapeError(f"check_parameters needs a loss of one number, but it has shape {result.shape}; take its mean")
    _same_again(result.data, _result(loss()).data)
    cotangent = np.ones(result.shape)
    gradients = _gradients(result, cotangent, [parameter for _, parameter in parameters])

    def row(name: str, parameter: Tensor, gradient: Array) -> GradientRow:
        point = parameter.data

        def evaluate(value: Array) -> Array:
            parameter.data = value
            try:
                return _result(loss()).data
            finally:
                parameter.data = point

        return Comparison(name, point, gradient, evaluate, cotangent, settings).row(rng)

    rows = tuple(row(name, p, gradient) for (name, p), gradient in zip(parameters, gradients, strict=True))
    return GradientReport(rows, tolerance)


def _names(f: Callable[..., Any], arrays: Sequence[TensorLike]) -> list[str]:
    """The tensors' own names, else those of f's parameters, else numbers."""
    try:
        signature = [p for p in inspect.signature(f).parameters.values() if p.kind is not p.KEYWORD_ONLY]
    except (TypeError, ValueError):  # some callables have none
        signature = []
    names = [f"input {i}" for i in range(len(arrays))]
    for i, parameter in enumerate(signature[: len(arrays)]):
        if parameter.kind is not parameter.VAR_POSITIONAL:
            names[i] = parameter.name
    return [(isinstance(a, Tensor) and a.name) or name for a, name in zip(arrays, names, strict=True)]


def _point(name: str, array: TensorLike) -> Array:
    value = as_array(array, np.float64).astype(np.float64)
    if not np.isfinite(value).all():
        raise DivergenceError(f"a gradient is checked at finite numbers, but {name} holds NaN or infinity")
    return value


def _recorded(compute: Callable[[], Tensor]) -> Tensor:
    if not is_recording():
        raise GraphError("a gradient check records what is computed, but was called under no_grad; call it outside")
    result = _result(compute())
    if not np.isfinite(result.data).all():
        raise DivergenceError(
            "the function to check gives NaN or infinity at the given point; choose a point inside its domain"
        )
    return result


def _result(result: Tensor) -> Tensor:
    if not isinstance(result, Tensor):
        raise InputError(f"the function to check must return a Tensor, but it returned {type(result).__name__}")
    if result.dtype != np.float64:
        raise ShapeError(
            f"gradients are checked in float64, but the function to check gave {result.dtype}; "
            f"let it keep the dtype of its inputs"
        )
    return result


def _same_again(first: Array, second: Array) -> None:
    # Sums may run in another order on another call; noise is far larger than that.
    if first.shape != second.shape or np.abs(first - second).max(initial=0) > 1e-12 * np.abs(first).max(initial=1):
        raise InputError(
            "the function to check gives different results for the same input; make it deterministic, "
            "for instance by drawing the dropout mask outside or by switching to eval mode"
        )


def _gradients(result: Tensor, cotangent: Array, wanted: Sequence[Tensor]) -> list[Array]:
    """dL/d(each), zeros where the result does not depend on it; the `grad` of every tensor stays as it was."""
    touched = {id(tensor): tensor for tensor in (*wanted, *_leaves(result))}.values()
    before = [(tensor, tensor.grad, tensor.grad_storage) for tensor in touched]
    try:
        for tensor in touched:
            tensor.grad = tensor.grad_storage = None
        if result.requires_grad:
            result.backward(cotangent)
        return [np.zeros(t.shape) if t.grad is None else t.grad for t in wanted]
    finally:
        for tensor, grad, storage in before:
            tensor.grad, tensor.grad_storage = grad, storage


def _leaves(result: Tensor) -> list[Tensor]:
    """The tensors whose `grad` a backward pass would fill."""
    found: list[Tensor] = []
    seen: set[Node] = set()
    stack = [] if result.node is None else [result.node]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        tensor = None if node.leaf is None else node.leaf()
        if tensor is not None:
            found.append(tensor)
        stack.extend(source for source, pullback in node.edges if pullback is not None)
    return found
