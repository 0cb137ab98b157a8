"""`to_onnx`: a network as an ONNX model."""

import os
from typing import Any

import numpy as np

from inkgrad.data.numbers import STRIP_HEIGHT
from inkgrad.errors import OptionError
from inkgrad.export.extra import onnx_module
from inkgrad.export.graph import OPSET, Graph
from inkgrad.export.network import OnnxNetwork
from inkgrad.export.preprocessing import write_classifier, write_rows
from inkgrad.export.trace import Shape, Traced, traced
from inkgrad.export.write import write_calls
from inkgrad.files import write_atomically
from inkgrad.models import Classifier, Ensemble, Network
from inkgrad.models.rows import RowNetwork
from inkgrad.nn import Module
from inkgrad.version import __version__

__all__ = ["to_onnx"]

_IR = 8  # of 2022, as the operators are
_DIGIT: Shape = (1, 28, 28)


def to_onnx(
    net: Module | Classifier,
    path: str | os.PathLike[str] | None = None,
    *,
    preprocessing: bool = False,
    input_shape: Shape | None = None,
) -> Any:
    """A network in prediction mode as an ONNX model, for operators of version 17.

    The number of inputs is free. Nodes and weights are named by the paths of their modules, as "layers.0/Conv" and
    "layers.0.weight". The network stays as it is, its mode too.

    Args:
        net: a network, a layer, or a `Classifier`. Of a module of one's own every operation of its `forward` must be
            one of `inkgrad.ops`.
        path: where to write the model, whole or not at all; None to write nothing.
        preprocessing: whether pixels go in, uint8 with white ink on black: for a `Classifier` (n, 28, 28), through its
            normalizations, projection, views, scaling, temperature and refusal, to "logits" and "probabilities" (n, k),
            and "digit_probability" (n,) where it refuses what is no digit; for the reader's network (n, 40, w), to
            "logits" and "log_probabilities" (n, w / 4, labels).
        input_shape: of one input, with None for an axis of any length; by default (1, 28, 28), (1, 40, None) for the
            reader's network, and for a network that `from_onnx` gave its own.

    Returns:
        The `onnx.ModelProto`, checked by `onnx.checker`. A network takes "images", float32 (n, 1, 28, 28), and gives
        "logits"; another module takes "input" and gives "output".

    Raises:
        OptionError: the package `onnx` is missing, an operation or an input shape that cannot be exported, or
            preprocessing of a module that has none.
        StorageError: the file could not be written.

    >>> import inkgrad as ig
    >>> model = to_onnx(ig.models.build("mlp", rng=ig.default_rng(0)))
    >>> [node.name for node in model.graph.node]
    ['layers.0/Flatten', 'layers.1/Gemm', 'layers.2/Relu', 'layers.3/Gemm']
    """
    classifier, module = (net, net.network) if isinstance(net, Classifier) else (None, net)
    if not isinstance(module, Module):
        raise OptionError(
            f"to_onnx takes a network, a layer or a Classifier, but got {type(net).__name__}"
            f"{'; give its network_' if hasattr(net, 'network_') else ''}"
        )
    graph = Graph()
    if preprocessing:
        interface = _with_pixels(graph, module, classifier, input_shape)
    else:
        interface = _bare(graph, module, input_shape)
    model = _model(graph, interface, module, classifier)
    if path is not None:
        write_atomically(path, model.SerializeToString())
    return model


class _Interface:
    """The inputs and outputs of a graph: (name, type, lengths or names of axes) each."""

    def __init__(self) -> None:
        self.inputs: list[tuple[str, Any, list[Any]]] = []
        self.outputs: list[tuple[str, Any, list[Any]]] = []


def _dtype(net: Module) -> Any:
    parameter = next((p for _, p in net.named_parameters()), None)
    return np.dtype(np.float32) if parameter is None else parameter.dtype


def _shapes(net: Module, given: Shape | None) -> list[Shape]:
    if given is not None:
        return [tuple(given)]
    if isinstance(net, OnnxNetwork):
        if other := [name for name, kind, _ in net.program.inputs if kind.kind != "f"]:
            raise OptionError(f"its input {other[0]} takes no floats; a network of floats alone can be exported again")
        return [shape[1:] for _, shape in net.inputs]
    return [(1, STRIP_HEIGHT, None)] if isinstance(net, RowNetwork) else [_DIGIT]


def _bare(graph: Graph, net: Module, given: Shape | None) -> _Interface:
    """The network alone, from floats to its outputs."""
    shapes, dtype = _shapes(net, given), _dtype(net)
    count = net.inputs[0][1][0] if isinstance(net, OnnxNetwork) and given is None and net.inputs else None
    runs = traced(net, shapes, dtype, count=count)
    named = isinstance(net, Network | Ensemble)
    if isinstance(net, OnnxNetwork):
        inputs, outputs = [name for name, _ in net.inputs], list(net.outputs)
    else:
        inputs = ["images" if named else "input"]
        result = "logits" if named else "output"
        outputs = [f"{result}_{i}" if i else result for i in range(len(runs[0].outputs))]
    inputs = [graph.name(name) for name in inputs]
    results = _renamed(graph, write_calls(net, graph, runs, inputs, dtype), outputs)
    interface = _Interface()
    for i, (name, shape) in enumerate(zip(inputs, shapes, strict=True)):
        axes = [count or "n", *(f"{name}_{axis}" if n is None else n for axis, n in enumerate(shape, start=1))]
        interface.inputs.append((name, runs[0].inputs[i].dtype, axes))
    for i, name in enumerate(results):
        interface.outputs.append((name, dtype, _free(runs, i, name)))
    return interface


def _free(runs: tuple[Traced, Traced], i: int, name: str) -> list[Any]:
    """The lengths of an output's axes, with names for those that depend on the size of the input."""
    first, second = (run.outputs[i].shape for run in runs)
    batch = tuple(run.inputs[0].shape[0] for run in runs)
    lengths = zip(first, second, strict=True)
    return [a if a == b else "n" if (a, b) == batch else f"{name}_{axis}" for axis, (a, b) in enumerate(lengths)]


def _renamed(graph: Graph, results: list[str], wanted: list[str]) -> list[str]:
    """Outputs by the names they should have; what a node does not give, or gives twice, passes through Identity."""
    made = {name for node in graph.nodes for name in node.output}
    names = []
    for result, name in zip(results, wanted, strict=True):
        chosen = graph.name(name)
        if result in made and results.count(result) == 1:
            graph.rename(result, chosen)
        else:
            graph.node("Identity", [result], [chosen], graph.name("Identity"), {})
        names.append(chosen)
    return names


def _with_pixels(graph: Graph, net: Module, classifier: Classifier | None, given: Shape | None) -> _Interface:
    """From bytes through all that comes before and after the network."""
    if given is not None:
        raise OptionError("a model with preprocessing takes uint8 images; leave input_shape out")
    interface, dtype = _Interface(), _dtype(net)
    if dtype != np.float32:
        raise OptionError(f"preprocessing gives float32, but the network is {dtype}; bring it there with astype")
    if classifier is None and not isinstance(net, RowNetwork):
        raise OptionError(
            f"{type(net).__name__} says nothing of preprocessing; give the Classifier that models.load or "
            "models.pretrained gives"
        )
    pixels = graph.name("pixels")
    runs = traced(net, _shapes(net, None), dtype)

    def written(name: str) -> str:
        return write_calls(net, graph, runs, [name], dtype)[0]

    if classifier is not None:
        interface.inputs.append((pixels, np.uint8, ["n", *_DIGIT[1:]]))
        k = int(runs[0].outputs[0].shape[-1])
        results = write_classifier(graph, classifier, pixels, written, k)
    else:
        interface.inputs.append((pixels, np.uint8, ["n", STRIP_HEIGHT, "width"]))
        results = write_rows(graph, pixels, written)
    for name, (result, axes) in results.items():
        (chosen,) = _renamed(graph, [result], [name])
        interface.outputs.append((chosen, np.float32, axes))
    return interface


def _model(graph: Graph, interface: _Interface, net: Module, classifier: Classifier | None) -> Any:
    onnx = onnx_module()
    helper, arrays = onnx_module("onnx.helper"), onnx_module("onnx.numpy_helper")

    def described(name: str, dtype: Any, axes: list[Any]) -> Any:
        return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), axes)

    made = helper.make_graph(
        graph.nodes,
        str(getattr(net, "architecture", "") or type(net).__name__),
        [described(*one) for one in interface.inputs],
        [described(*one) for one in interface.outputs],
        [arrays.from_array(array, name) for name, array in graph.constants.items()],
    )
    model = helper.make_model(
        made,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=_IR,
        producer_name="inkgrad",
        producer_version=__version__,
    )
    if classifier is not None:
        helper.set_model_props(model, {"classes": ",".join(classifier.classes)})
    onnx.checker.check_model(model, full_check=True)
    return model
