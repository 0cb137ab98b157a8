"""Networks to and from ONNX, the format that other frameworks and runtimes read."""

from inkgrad.export.exporting import to_onnx
from inkgrad.export.importing import from_onnx
from inkgrad.export.network import OnnxNetwork

__all__ = ["OnnxNetwork", "from_onnx", "to_onnx"]
