"""How each operation is written as ONNX."""

from inkgrad.export.emit import elementwise, layers, shape
from inkgrad.export.emit.step import EMITTERS, Emitter, Step, emits, same

_ = (elementwise, layers, shape)  # each registers what it writes

__all__ = ["EMITTERS", "Emitter", "Step", "emits", "same"]
