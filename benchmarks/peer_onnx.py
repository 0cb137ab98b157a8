"""A network as an ONNX file for ONNX Runtime, written node by node from its description and weights."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnxruntime
from networks import PARTS, Layer, Weights
from onnx import TensorProto, checker, helper, numpy_helper

OPERATORS = {"relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh", "flatten": "Flatten"}


def versions() -> dict[str, Any]:
    threads = onnxruntime.SessionOptions().intra_op_num_threads
    return {"onnxruntime": onnxruntime.__version__, "intra_op_threads": threads or "default: one a core"}


def model(layers: Sequence[Layer], weights: Weights) -> bytes:
    """The file: images float32 (n, 1, 28, 28) -> logits (n, classes), n free."""
    nodes, x = [], "images"
    for number, layer in enumerate(layers):
        if layer["kind"] == "dropout":
            continue
        y = f"y{number}"
        nodes.append(_node(layer, x, y))
        x = y
    used = [layer[part] for layer in layers for part in PARTS if part in layer]
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 1, 28, 28])],
        [helper.make_tensor_value_info(x, TensorProto.FLOAT, ["n", None])],
        [numpy_helper.from_array(np.ascontiguousarray(weights[name]), name) for name in used],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(made)
    data: bytes = made.SerializeToString()
    return data


def _node(layer: Layer, x: str, y: str) -> Any:
    kind = layer["kind"]
    inputs = [x, *(layer[part] for part in PARTS if part in layer)]
    if kind == "linear":
        return helper.make_node("Gemm", inputs, [y], transB=1)
    if kind == "conv":
        return helper.make_node("Conv", inputs, [y], pads=layer["padding"] * 2, strides=layer["stride"])
    if kind == "batch_norm":
        return helper.make_node("BatchNormalization", inputs, [y], epsilon=layer["eps"])
    if kind in ("max_pool", "average_pool"):
        operator = "MaxPool" if kind == "max_pool" else "AveragePool"
        pads = layer["padding"] * 2
        return helper.make_node(operator, inputs, [y], kernel_shape=layer["size"], strides=layer["stride"], pads=pads)
    return helper.make_node(OPERATORS[kind], inputs, [y])


def predictor(layers: Sequence[Layer], weights: Weights) -> Callable[[np.ndarray], np.ndarray]:
    """Images -> logits, by a session with ONNX Runtime's default options."""
    session = onnxruntime.InferenceSession(model(layers, weights), providers=["CPUExecutionProvider"])

    def predict(images: np.ndarray) -> np.ndarray:
        return session.run(None, {"images": images})[0]

    return predict
