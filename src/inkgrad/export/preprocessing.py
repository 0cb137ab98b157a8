"""What stands before and after a network, as ONNX: from pixels to probabilities, as a `Classifier` computes it."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from inkgrad.data import SIDE, Projection, Scaling
from inkgrad.data.numbers import BLANK, LABELS, OTHER
from inkgrad.export.graph import Graph
from inkgrad.export.normalizing import normalized
from inkgrad.export.warping import Warp
from inkgrad.models import Classifier, View
from inkgrad.models.rows import RARER
from inkgrad.models.views import origins

__all__ = ["write_classifier", "write_rows"]

Written = Callable[[str], str]  # writes the network: the name of its input -> of its output
Results = dict[str, tuple[str, list[Any]]]  # output -> its name in the graph, and its axes

_LEAST = np.float32(1e-30)  # as `Classifier` has it


def write_classifier(g: Graph, classifier: Classifier, pixels: str, network: Written, k: int) -> Results:
    """From uint8 (n, 28, 28) to logits, probabilities and, where the network knows it, whether it is a digit.

    `k` is how many outputs the network has.
    """
    float32 = _Float(g)
    g.scope = "preprocessing"
    ink = g.add("Cast", pixels, to=1)
    for name in classifier.normalizations:
        g.scope = f"preprocessing/{name}"
        ink = normalized(g, name, ink)
    if classifier.projection is not None:
        g.scope = "preprocessing/projection"
        ink = _projected(g, classifier.projection, ink)
    g.scope = "preprocessing/views"
    seen = [_view(g, view, ink) for view in classifier.views]
    together = seen[0] if len(seen) == 1 else g.add("Concat", *seen, axis=0)
    g.scope = "preprocessing"
    outputs = network(_scaled(g, classifier.scaling, together))
    g.scope = "answer"
    if len(seen) > 1:  # (views n, k): the logarithm of the mean over the views
        each = _softened(g, classifier, outputs)
        apart = g.add("Reshape", each, g.integers([len(seen), -1, k]))
        mean = g.add("ReduceMean", apart, axes=[0], keepdims=0)
        outputs = g.add("Log", g.add("Max", mean, float32(_LEAST)))
    logits = outputs
    if classifier.refusal is not None:
        logits = g.slice(outputs, 0, -1, 1)
    if classifier.temperature != 1:
        logits = g.add("Div", logits, float32(classifier.temperature))
    proba = _softened(g, classifier, logits) if len(seen) == 1 else g.add("Softmax", logits, axis=-1)
    names = len(classifier.classes)
    results: Results = {"logits": (logits, ["n", names]), "probabilities": (proba, ["n", names])}
    if classifier.refusal is not None:
        others = g.add("ReduceLogSumExp", g.slice(outputs, 0, -1, 1), axes=[1], keepdims=0)
        last = g.add("Squeeze", g.slice(outputs, -1, 2**62, 1), g.integers([1]))
        results["digit_probability"] = (g.add("Sigmoid", g.add("Sub", others, last)), ["n"])
    g.scope = ""
    return results


def write_rows(g: Graph, pixels: str, network: Written) -> Results:
    """From uint8 (n, 40, w) to the logits of every step, and the logarithms of their probabilities."""
    g.scope = "preprocessing"
    scaled = _scaled(g, Scaling("linear", 1 / 255, 0.0), g.add("Cast", pixels, to=1))
    logits = network(scaled)
    g.scope = "answer"
    every = g.add("LogSoftmax", logits, axis=-1)
    written, other = g.slice(every, BLANK + 1, LABELS, 2), g.slice(every, OTHER, OTHER + 1, 2)
    rarer = g.add("Add", other, g.constant(math.log(RARER), np.float32))

    def together(*parts: str) -> str:
        return g.add("ReduceLogSumExp", g.add("Concat", *parts, axis=2), axes=[2], keepdims=1)

    scale = g.add("Sub", together(written, other), together(written, rarer))
    blank = together(g.slice(every, BLANK, BLANK + 1, 2), g.add("Add", rarer, scale))
    log_p = g.add("Concat", blank, g.add("Add", written, scale), axis=2)
    g.scope = ""
    return {"logits": (logits, ["n", "steps", LABELS + 1]), "log_probabilities": (log_p, ["n", "steps", LABELS])}


class _Float:
    """Numbers as constants of float32."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def __call__(self, value: Any) -> str:
        return self._graph.constant(value, np.float32)


def _scaled(g: Graph, scaling: Scaling, ink: str) -> str:
    """(n, h, w) -> (n, 1, h, w)."""
    y = g.add("Mul", ink, g.constant(scaling.scale, np.float32))
    if scaling.shift:
        y = g.add("Add", y, g.constant(scaling.shift, np.float32))
    return g.add("Unsqueeze", y, g.integers([1]))


def _view(g: Graph, view: View, ink: str) -> str:
    if view == View():
        return ink
    rows, columns = origins(view, SIDE, SIDE)
    return g.add("Round", Warp.constant(g, rows, columns)(ink))


def _projected(g: Graph, projection: Projection, ink: str) -> str:
    """In float64, as `Projection` does; its coordinates are rounded to float32."""
    rows = projection.components.reshape(len(projection.components), -1).astype(np.float64)
    mean = g.constant(projection.mean.reshape(-1), np.float64)
    double = np.float64
    flat = g.add("Sub", g.add("Cast", g.add("Flatten", ink), to=11), mean)
    coordinates = g.add("Cast", g.add("MatMul", flat, g.constant(rows.T, double)), to=1)
    back = g.add("MatMul", g.add("Cast", coordinates, to=11), g.constant(rows, double))
    pixels = g.add("Clip", g.add("Add", back, mean), g.constant(0, double), g.constant(255, double))
    return g.add("Reshape", g.add("Cast", g.add("Round", pixels), to=1), g.integers([-1, SIDE, SIDE]))


def _softened(g: Graph, classifier: Classifier, logits: str) -> str:
    if classifier.probabilities == "sigmoid":  # independent outputs, scaled to sum to 1
        logits = g.add("Log", g.add("Max", g.add("Sigmoid", logits), g.constant(_LEAST, np.float32)))
    return g.add("Softmax", logits, axis=-1)
