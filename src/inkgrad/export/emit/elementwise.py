"""Arithmetic and activations."""

import numpy as np

from inkgrad.export.emit.step import EMITTERS, Step, emits
from inkgrad.export.graph import Graph

_ALIKE = {
    "abs": "Abs",
    "add": "Add",
    "divide": "Div",
    "erf": "Erf",
    "exp": "Exp",
    "log": "Log",
    "matmul": "MatMul",
    "maximum": "Max",
    "minimum": "Min",
    "multiply": "Mul",
    "negative": "Neg",
    "power": "Pow",
    "relu": "Relu",
    "sigmoid": "Sigmoid",
    "softplus": "Softplus",
    "sqrt": "Sqrt",
    "subtract": "Sub",
    "tanh": "Tanh",
}


def _alike(g: Graph, step: Step) -> str:
    return g.add(_ALIKE[step.call.op], *step.names)


EMITTERS.update(dict.fromkeys(_ALIKE, _alike))


@emits("leaky_relu")
def _leaky_relu(g: Graph, step: Step) -> str:
    return g.add("LeakyRelu", *step.names, alpha=float(step.options.get("slope", 0.01)))


@emits("gelu")
def _gelu(g: Graph, step: Step) -> str:
    """x / 2 (1 + erf(x / sqrt 2)): ONNX has no operator of its own before version 20."""
    x = step.names[0]
    half, one, root = (g.constant(number, step.dtype) for number in (0.5, 1.0, np.sqrt(0.5)))
    share = g.add("Add", g.add("Erf", g.add("Mul", x, root)), one)
    return g.add("Mul", g.add("Mul", x, half), share)


@emits("softmax")
def _softmax(g: Graph, step: Step) -> str:
    return g.add("Softmax", *step.names, axis=int(step.options.get("axis", -1)))


@emits("log_softmax")
def _log_softmax(g: Graph, step: Step) -> str:
    return g.add("LogSoftmax", *step.names, axis=int(step.options.get("axis", -1)))


@emits("clip")
def _clip(g: Graph, step: Step) -> str:
    """Clip takes two numbers; bounds that are arrays become a maximum and a minimum."""
    x, (low, high) = step.names[0], (step.options[name] for name in ("low", "high"))
    if np.ndim(low) == 0 and np.ndim(high) == 0:
        bounds = ["" if bound is None else g.constant(bound, step.dtype) for bound in (low, high)]
        return g.add("Clip", x, *bounds)
    for kind, bound in (("Max", low), ("Min", high)):
        x = x if bound is None else g.add(kind, x, g.constant(bound, step.dtype))
    return x


@emits("where")
def _where(g: Graph, step: Step) -> str:
    return g.add("Where", *step.names)


@emits("affine")
def _affine(g: Graph, step: Step) -> str:
    """A dense layer, and the activation that was computed with it."""
    y = g.add("Gemm", *(name for name in step.names if name), transB=1)
    activation = step.options.get("activation", "identity")
    return y if activation == "identity" else g.add(activation.capitalize(), y)
