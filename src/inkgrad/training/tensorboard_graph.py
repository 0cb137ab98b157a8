"""The graph of a training step as TensorBoard's GraphDef."""

import collections
import copy
import re
from typing import Any

import numpy as np

from inkgrad.autodiff import Tensor
from inkgrad.autodiff.graph import Graph, GraphNode, graph
from inkgrad.data import SIDE, Samples
from inkgrad.nn import Module
from inkgrad.training.step import TrainStep

__all__ = ["graph_def", "step_graph"]

IMAGES = "images"
_OPS = {"leaf": "Parameter", "constant": "Const"}


def step_graph(step: TrainStep, count: int, like: Samples | None = None) -> Graph:
    """The recorded computation of the loss of `count` blank images, or of rows like some samples, penalties included.

    It is that of a copy of the network, so that neither generators nor running statistics of the training move.
    """
    shape = (1, SIDE, SIDE) if like is None else like.features.shape[1:]
    targets = (
        np.zeros(count, np.int64)
        if like is None
        else np.zeros_like(like.targets, shape=(count, *like.targets.shape[1:]))
    )
    net = copy.deepcopy(step.net).train()
    dtype = step.optimizer.parameters.weights.dtype
    # A gradient is asked of the images, so that what is done to them before the first weight is recorded too.
    images = Tensor(np.zeros((count, *shape), dtype), requires_grad=True, name=IMAGES)
    loss = step.loss(net(images), targets)
    for penalty in step.penalties:
        loss = loss + penalty(net)
    return graph(loss)


def graph_def(step: TrainStep, like: Samples | None = None) -> Any:
    """The graph of a training step on images, or on rows like some samples, a `tensorboardX.proto.graph_pb2.GraphDef`.

    Each operation, parameter and constant is a node. Its name holds the name scopes with the kinds of the modules, as
    "layers.3.Residual/body.Sequential/layers.0.Conv2d/conv2d", so that TensorBoard folds each module into one box. Its
    attribute `_output_shapes` is the shape of its value, in which the number of images is unknown.
    """
    from tensorboardX.proto.graph_pb2 import GraphDef
    from tensorboardX.proto.node_def_pb2 import NodeDef
    from tensorboardX.proto.versions_pb2 import VersionDef

    found, other = step_graph(step, 2, like), step_graph(step, 3, like)
    names = _names(found, step.net)
    inputs: dict[int, list[str]] = collections.defaultdict(list)
    for source, target, _ in found.edges:
        inputs[target].append(names[source])
    twins = other.nodes if len(other.nodes) == len(found.nodes) else found.nodes
    nodes = []
    for node, twin in zip(found.nodes, twins, strict=True):
        op = "Placeholder" if names[node.id] == IMAGES else _OPS.get(node.kind, node.op)
        shape = [a if a == b else -1 for a, b in zip(node.shape, twin.shape, strict=False)]
        nodes.append(
            NodeDef(name=names[node.id], op=op, input=inputs[node.id], attr={"_output_shapes": _shapes(shape)})
        )
    return GraphDef(node=nodes, versions=VersionDef(producer=22))


def _names(found: Graph, net: Module) -> dict[int, str]:
    """Node id -> its name, each once."""
    kinds = {path: type(module).__name__ for path, module in net.named_modules() if path}
    times: collections.Counter[str] = collections.Counter()
    names = {}
    for node in found.nodes:
        name = _name(node, kinds)
        times[name] += 1
        names[node.id] = name if times[name] == 1 else f"{name}_{times[name]}"
    return names


def _name(node: GraphNode, kinds: dict[str, str]) -> str:
    if node.kind == "leaf" and node.name == IMAGES:
        return IMAGES
    rooms, path = "", ""
    for part in filter(None, node.scope.split(".")):
        here = f"{path}.{part}" if path else part
        if here in kinds:
            rooms, path = f"{rooms}{part}.{kinds[here]}/", here
        elif any(known.startswith(f"{here}.") for known in kinds):  # "layers" of "layers.0"
            rooms, path = f"{rooms}{part}.", here
        else:  # a name scope that is no module
            rooms = f"{rooms}{part}/"
    return re.sub(r"[^A-Za-z0-9_./-]", "_", rooms + node.title)


def _shapes(shape: list[int]) -> Any:
    from tensorboardX.proto.attr_value_pb2 import AttrValue
    from tensorboardX.proto.tensor_shape_pb2 import TensorShapeProto

    one = TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in shape])
    return AttrValue(list=AttrValue.ListValue(shape=[one]))
