"""How each operation is planned, by the families of the operations."""

from inkgrad.plan.rules import convolution, dense, elementwise, loss, normalization, pooling, shape

__all__ = ["convolution", "dense", "elementwise", "loss", "normalization", "pooling", "shape"]
