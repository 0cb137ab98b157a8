"""From a parsed ONNX graph to a network: its nodes are checked, and become layers."""

from collections import Counter
from typing import Any

import numpy as np

from inkgrad.autodiff import Array, Tensor
from inkgrad.errors import ModelFileError
from inkgrad.export.network import OnnxNetwork, OperatorLayer, Program, ProgramStep
from inkgrad.export.operators import OPERATORS, Attributes
from inkgrad.export.recognize import layer_for
from inkgrad.export.tensors import Reader, dtype_name, told
from inkgrad.nn import Dropout, Module, Parameter
from inkgrad.random import default_rng

__all__ = ["assembled"]

_MOST_NODES = 10_000
_NESTED = (5, 9, 10, 11, 12, 13, 14)  # types of attributes that are graphs, types, or several tensors
_FIXED = {  # inputs that are no weights: they are not trained
    "BatchNormalization": {3, 4},
    "Clip": {1, 2},
    "Dropout": {1, 2},
    "Pad": {1, 2, 3},
    "Cast": {0},
    "Where": {0},
}


def assembled(graph: Any, version: int, reader: Reader) -> OnnxNetwork:
    """The network of a graph.

    Raises:
        ModelFileError: the graph is damaged, or has something that is not known.
    """
    return _Assembly(graph, version, reader).network()


class _Assembly:
    def __init__(self, graph: Any, version: int, reader: Reader) -> None:
        self.graph = graph
        self.version = version
        self.reader = reader
        self.members: dict[str, Any] = {}
        self.weights: dict[str, str] = {}
        self.constants: dict[str, Any] = {}
        self.steps: list[ProgramStep] = []
        if len(graph.sparse_initializer):
            raise self.refused("it has sparse weights, which are not read here")
        if len(graph.node) > _MOST_NODES:
            raise self.refused(f"it has {len(graph.node):,} nodes, more than {_MOST_NODES:,}")
        self.arrays: dict[str, Array] = {one.name: reader.array(one) for one in graph.initializer}
        if len(self.arrays) < len(graph.initializer) or "" in self.arrays:
            raise self.refused("two of its weights have one name, or one has none")
        self.outputs = [one.name for one in graph.output]
        uses = Counter(name for node in graph.node for name in node.input)
        self.uses = uses + Counter(self.outputs)

    def refused(self, why: str) -> ModelFileError:
        return ModelFileError(f"{self.reader.name} cannot become a network: {why}")

    def network(self) -> OnnxNetwork:
        inputs = [one for one in self.graph.input if one.name not in self.arrays]
        known = {one.name for one in inputs} | self.arrays.keys()
        if len(known) < len(inputs) + len(self.arrays):
            raise self.refused("two of its inputs have one name")
        described = tuple((one.name, *self._type(one)) for one in inputs)
        for number, node in enumerate(self.graph.node):
            self._check(node, known)
            known.update(name for name in node.output if name)
            self._take(node, number)
        if not self.outputs or (lost := [name for name in self.outputs if name not in known]):
            raise self.refused(f"nothing computes its output {told(lost[0])}" if self.outputs else "it has no output")
        for name in self.outputs:  # a weight that is handed on as it is
            if name in self.arrays:
                self._hold(name, trained=False)
        outputs = tuple((one.name, self._type(one)[0]) for one in self.graph.output)
        program = Program(described, outputs, self._with_last_uses(), self.weights, self.constants)
        return OnnxNetwork(program, self.members)

    def _type(self, one: Any) -> tuple[Any, tuple[int | None, ...] | None]:
        """The dtype of an input or output, and the lengths of its axes, None where they are free."""
        tensor = one.type.tensor_type if one.type.WhichOneof("value") == "tensor_type" else None
        kind = None if tensor is None else dtype_name(tensor.elem_type)
        if tensor is None or kind is None:
            raise self.refused(f"{told(one.name)} is of a type that is not known; tensors of numbers are")
        if not tensor.HasField("shape"):
            return np.dtype(kind), None
        axes = [dim.dim_value if dim.HasField("dim_value") and dim.dim_value > 0 else None for dim in tensor.shape.dim]
        return np.dtype(kind), tuple(axes)

    def _check(self, node: Any, known: set[str]) -> None:
        if node.domain not in ("", "ai.onnx"):
            raise self.refused(f"the operator {told(node.op_type)} of {told(node.domain)} is not known")
        if node.op_type != "Constant" and node.op_type not in OPERATORS:
            raise self.refused(f"the operator {told(node.op_type)} is not known; docs/onnx.md lists those that are")
        if lost := [name for name in node.input if name and name not in known]:
            raise self.refused(f"the node {told(node.name)} ({node.op_type}) needs {told(lost[0])} before it is there")
        given = [name for name in node.output if name]
        if not given or len(set(given)) < len(given) or (twice := known.intersection(given)):
            name = told(next(iter(twice))) if given and len(set(given)) == len(given) else told(node.name)
            raise self.refused(f"the node {told(node.name)} ({node.op_type}) gives {name} a second time, or nothing")

    def _attributes(self, node: Any) -> Attributes:
        values: dict[str, Any] = {}
        for one in node.attribute:
            if one.type in _NESTED:
                raise self.refused(f"the node {told(node.name)} ({node.op_type}) has graphs or types in it")
            plain = {1: "f", 2: "i", 7: "ints", 6: "floats"}.get(one.type)
            if one.type == type(one).TENSOR:
                values[one.name] = self.reader.array(one.t)
            elif one.type == type(one).STRING:
                values[one.name] = one.s.decode("utf-8", "replace")
            elif one.type == type(one).STRINGS:
                values[one.name] = [s.decode("utf-8", "replace") for s in one.strings]
            elif plain is not None:
                value = getattr(one, plain)
                values[one.name] = list(value) if plain in ("ints", "floats") else value
            else:
                raise self.refused(f"the node {told(node.name)} ({node.op_type}) has an attribute of no known type")
        return Attributes(values, self.version, len(node.output))

    def _take(self, node: Any, number: int) -> None:
        """Make a layer of a node, or a constant."""
        attributes = self._attributes(node)
        if node.op_type == "Constant":
            self._constant(node, attributes)
            return
        fixed = _FIXED.get(node.op_type, set())
        alone = [self._alone(name, fixed=place in fixed) for place, name in enumerate(node.input)]
        layer = layer_for(node.op_type, attributes, alone)
        name = self._name(node, number, layer)
        if isinstance(layer, Dropout):
            layer.rng = default_rng(number)  # one of its own, or all would drop the same units
        if layer is None:
            layer = OperatorLayer(node.op_type, attributes)
            for place, used in enumerate(node.input):
                if used in self.arrays:
                    self._hold(used, trained=place not in fixed)
            inputs = tuple(node.input)
        else:
            inputs = tuple(node.input[:1])
        self.members[name] = layer
        self.steps.append(ProgramStep(name, node.op_type, inputs, tuple(node.output), ()))

    def _alone(self, name: str, *, fixed: bool) -> Array | None:
        """A constant that no other node uses; one that is not trained may be used by several."""
        if self.uses[name] > 1 and not fixed:
            return None
        held = self.constants.get(name)
        return self.arrays.get(name, held.data if isinstance(held, Tensor) else None)

    def _constant(self, node: Any, attributes: Attributes) -> None:
        if len(attributes.values) != 1 or len(node.output) != 1:
            raise self.refused(f"the constant {told(node.name)} has not one value")
        ((key, value),) = attributes.values.items()
        kinds = {"value_float": np.float32, "value_floats": np.float32, "value_int": np.int64, "value_ints": np.int64}
        if key != "value" and key not in kinds:
            raise self.refused(f"the constant {told(node.name)} is {told(key)}, which is not known")
        if key == "value" and not isinstance(value, np.ndarray):
            raise self.refused(f"the constant {told(node.name)} is no tensor")
        array = np.asarray(value, kinds.get(key))
        self.constants[node.output[0]] = Tensor(array) if array.dtype.kind == "f" else array

    def _hold(self, name: str, *, trained: bool) -> None:
        """Keep an array of the file as a parameter if it is a weight, else as a constant."""
        array = self.arrays[name]
        if name in self.weights:
            return
        if trained and array.dtype.kind == "f" and array.ndim:
            self.constants.pop(name, None)
            self.weights[name] = self._free(name)
            self.members[self.weights[name]] = Parameter(array)
        elif name not in self.constants:
            self.constants[name] = Tensor(array) if array.dtype.kind == "f" else array

    def _name(self, node: Any, number: int, layer: Module | None) -> str:
        """What a layer is called: as its weight says, or the module in its node's name, or after its operator."""
        weight = node.input[1] if layer is not None and len(node.input) > 1 else ""
        module = weight.rpartition(".")[0] if weight in self.arrays else ""
        path = node.name.strip("/")
        for wanted in (module, path.rpartition("/")[0].replace("/", "."), path.replace("/", ".")):
            if wanted and self._free(wanted) == wanted:
                return wanted
        return self._free(path.replace("/", ".") or f"{node.op_type}_{number}")

    def _free(self, wanted: str) -> str:
        """A name for an attribute that nothing else has."""
        wanted = "".join(c if c.isprintable() else "_" for c in wanted[:120])
        name, number = wanted, 1
        while name in self.members or hasattr(OnnxNetwork, name) or name in ("program", "training", ""):
            number += 1
            name = f"{wanted}_{number}"
        return name

    def _with_last_uses(self) -> tuple[ProgramStep, ...]:
        """The steps, each with the values that nothing needs after it."""
        kept, steps = set(self.outputs), []
        for step in reversed(self.steps):
            last = {name for name in (*step.inputs, *step.outputs) if name and name not in kept}
            kept |= last
            steps.append(ProgramStep(step.layer, step.kind, step.inputs, step.outputs, tuple(sorted(last))))
        return tuple(reversed(steps))
