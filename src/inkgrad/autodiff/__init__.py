"""Reverse-mode automatic differentiation of operations on arrays."""

from inkgrad.autodiff import ops
from inkgrad.autodiff.differentiable import Op, Recorded, differentiable, shared
from inkgrad.autodiff.modes import current_scope, is_recording, name_scope, no_grad
from inkgrad.autodiff.tensor import OPS, Array, Tensor, TensorLike, as_array

__all__ = [
    "OPS",
    "Array",
    "Op",
    "Recorded",
    "Tensor",
    "TensorLike",
    "as_array",
    "current_scope",
    "differentiable",
    "is_recording",
    "name_scope",
    "no_grad",
    "ops",
    "shared",
]
