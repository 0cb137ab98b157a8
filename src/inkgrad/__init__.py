"""Recognize handwritten digits with neural networks trained by their own backpropagation.

Everything loads on first use (PEP 562), so that `import inkgrad` costs nothing.

>>> import inkgrad as ig
>>> x = ig.Tensor([1.0, 2.0], requires_grad=True)
>>> (x * x).sum().backward()
>>> x.grad
array([2., 4.], dtype=float32)
"""

import importlib
from typing import TYPE_CHECKING, Any

from inkgrad.version import __version__

if TYPE_CHECKING:
    from inkgrad import (
        autodiff,
        data,
        errors,
        estimator,
        explain,
        export,
        kernels,
        lessons,
        models,
        nn,
        optim,
        reading,
        training,
    )
    from inkgrad.autodiff import Tensor, name_scope, no_grad, ops
    from inkgrad.autodiff.check import check_gradients
    from inkgrad.autodiff.differentiable import differentiable
    from inkgrad.autodiff.graph import graph
    from inkgrad.kernels.threads import use_threads
    from inkgrad.models import show
    from inkgrad.random import default_rng
    from inkgrad.reading import Reader


_LAZY = {
    "Reader": "inkgrad.reading",
    "Tensor": "inkgrad.autodiff",
    "check_gradients": "inkgrad.autodiff.check",
    "default_rng": "inkgrad.random",
    "differentiable": "inkgrad.autodiff",
    "graph": "inkgrad.autodiff.graph",
    "name_scope": "inkgrad.autodiff",
    "no_grad": "inkgrad.autodiff",
    "ops": "inkgrad.autodiff",
    "show": "inkgrad.models",
    "use_threads": "inkgrad.kernels.threads",
}
_ROOMS = (
    "autodiff",
    "data",
    "errors",
    "estimator",
    "explain",
    "export",
    "kernels",
    "lessons",
    "models",
    "nn",
    "optim",
    "reading",
    "training",
)

__all__ = [
    "Reader",
    "Tensor",
    "__version__",
    "autodiff",
    "check_gradients",
    "data",
    "default_rng",
    "differentiable",
    "errors",
    "estimator",
    "explain",
    "export",
    "graph",
    "kernels",
    "lessons",
    "models",
    "name_scope",
    "nn",
    "no_grad",
    "ops",
    "optim",
    "reading",
    "show",
    "training",
    "use_threads",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        value = getattr(importlib.import_module(_LAZY[name]), name)
    elif name in _ROOMS:
        value = importlib.import_module(f"inkgrad.{name}")
    else:
        raise AttributeError(f"module 'inkgrad' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
