"""What each operator of ONNX computes, made of the operations of `inkgrad.ops`, so that gradients flow through all."""

from inkgrad.export.operators import elementwise, pooling, products, shape
from inkgrad.export.operators.registry import OPERATORS, Attributes, Value, operator

_ = (elementwise, pooling, products, shape)  # each registers its operators

__all__ = ["OPERATORS", "Attributes", "Value", "operator"]
