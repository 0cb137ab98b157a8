"""The backend through which ONNX's own test suite, and any other tool of `onnx.backend`, runs models.

>>> import inkgrad as ig
>>> model = ig.export.to_onnx(ig.models.build("mlp", rng=ig.default_rng(0)))
>>> prepare(model).run([np.zeros((2, 1, 28, 28), np.float32)])[0].shape
(2, 10)
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from inkgrad.autodiff import Array, Tensor, no_grad
from inkgrad.errors import ModelFileError
from inkgrad.export.extra import onnx_module
from inkgrad.export.importing import from_onnx
from inkgrad.export.network import OnnxNetwork

onnx_module()  # names the extra where the package is missing
from onnx.backend.base import Backend, BackendRep  # noqa: E402

__all__ = ["InkgradBackend", "Prepared", "prepare", "run_model", "run_node", "supports_device"]


class Prepared(BackendRep):
    """A network that takes and gives arrays."""

    def __init__(self, net: OnnxNetwork) -> None:
        self.net = net

    def run(self, inputs: Sequence[Any], **_: Any) -> tuple[Array, ...]:
        """Arrays in the order of the model's inputs -> arrays of its outputs, in the types that it says."""
        with no_grad():
            given = self.net(*inputs)
        results = given if isinstance(given, tuple) else (given,)
        arrays = [value.data if isinstance(value, Tensor) else np.asarray(value) for value in results]
        kinds = [kind for _, kind in self.net.program.outputs]
        return tuple(array.astype(kind, copy=False) for array, kind in zip(arrays, kinds, strict=True))


class InkgradBackend(Backend):
    """`onnx.backend.base.Backend` on the CPU."""

    @classmethod
    def is_compatible(cls, model: Any, device: str = "CPU", **_: Any) -> bool:
        """Whether the model has only what is known."""
        if not cls.supports_device(device):
            return False
        try:
            from_onnx(model)
        except ModelFileError:
            return False
        return True

    @classmethod
    def prepare(cls, model: Any, device: str = "CPU", **_: Any) -> Prepared:
        """The model, ready to run.

        Raises:
            ModelFileError: it has something that is not known.
        """
        if not cls.supports_device(device):
            raise ModelFileError(f"inkgrad runs on the CPU, but {device} was asked for")
        return Prepared(from_onnx(model))

    @classmethod
    def run_node(cls, node: Any, inputs: Sequence[Any], device: str = "CPU", outputs_info: Any = None, **_: Any) -> Any:
        """Run one node on arrays."""
        helper = onnx_module("onnx.helper")
        names = [name for name in node.input if name]

        def described(name: str, dtype: Any) -> Any:
            return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), None)

        arrays = [np.asarray(one) for one in inputs]
        results = outputs_info or [(arrays[0].dtype if arrays else np.dtype(np.float32), ())] * len(node.output)
        graph = helper.make_graph(
            [node],
            node.op_type or "node",
            [described(name, array.dtype) for name, array in zip(names, arrays, strict=True)],
            [described(name, dtype) for name, (dtype, _) in zip(node.output, results, strict=True)],
        )
        return cls.prepare(helper.make_model(graph), device).run(arrays)

    @classmethod
    def supports_device(cls, device: str) -> bool:
        """Whether it is the CPU."""
        return device.partition(":")[0] == "CPU"


prepare = InkgradBackend.prepare
run_model = InkgradBackend.run_model
run_node = InkgradBackend.run_node
supports_device = InkgradBackend.supports_device
