"""The table: every operation, kernel, layer and optimizer as a row that the batteries run over.

Inputs are seeded by the row's name and built so that no kink lies near: no zeros for relu, distinct values for
max. A row names the same thing in NumPy and, where PyTorch has it, in PyTorch; the twin takes the torch module
as its first argument, so that this table imports without it.
"""

import itertools
import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import special

from inkgrad import kernels, nn, ops, optim
from inkgrad.errors import InputError, OptionError, ShapeError

Array = np.ndarray


class Draw:
    """Seeded inputs that keep away from kinks."""

    def __init__(self, seed: str) -> None:
        self.rng = np.random.default_rng(zlib.crc32(seed.encode()))

    def normal(self, *shape: int) -> Array:
        return self.rng.normal(size=shape)

    def away(self, *shape: int) -> Array:
        """Either sign, never within 0.1 of 0."""
        return self.rng.choice([-1.0, 1.0], size=shape) * self.rng.uniform(0.2, 2.0, size=shape)

    def positive(self, *shape: int) -> Array:
        return self.rng.uniform(0.3, 2.5, size=shape)

    def distinct(self, *shape: int) -> Array:
        """All values at least 0.1 apart."""
        count = int(np.prod(shape))
        return (0.25 * (self.rng.permutation(count) - count // 2) + 0.07).reshape(shape)

    def labels(self, n: int, k: int) -> Array:
        return self.rng.integers(k, size=n)

    def sequences(self, n: int, k: int, length: int, blank: int = 0) -> Array:
        """Labels (n, length) in 0..k-1 without the blank, equal neighbours among them, with -1 behind the last."""
        labels = self.rng.integers(max(k - 1, 1), size=(n, length))
        ends = self.rng.integers(length + 1, size=(n, 1))
        return np.where(np.arange(length) < ends, labels + (labels >= blank), -1)

    def simplex(self, n: int, k: int) -> Array:
        return self.rng.dirichlet(np.ones(k), size=n)


@dataclass(frozen=True)
class OpCase:
    """One way to call one operation.

    Attributes:
        op: its name in `inkgrad.ops`.
        variant: which way.
        call: from tensors to a tensor.
        inputs: float64 arrays, those to differentiate.
        numpy: the value again, in NumPy, from the same arrays.
        torch: the value again, in PyTorch: torch module, tensors -> tensor; None where it has no such function.
        refuses: the error that the inputs must raise, for rows without a value.
    """

    op: str
    variant: str
    call: Callable[..., Any]
    inputs: tuple[Array, ...]
    numpy: Callable[..., Any] | None = None
    torch: Callable[..., Any] | None = None
    refuses: type[InputError] | None = None

    @property
    def id(self) -> str:
        return f"{self.op}-{self.variant}"


OPS: list[OpCase] = []


def op(
    name: str,
    variant: str,
    inputs: Callable[[Draw], tuple[Array, ...]],
    call: Callable[..., Any],
    numpy: Callable[..., Any] | None = None,
    torch: Callable[..., Any] | None = None,
    refuses: type[InputError] | None = None,
) -> None:
    OPS.append(OpCase(name, variant, call, inputs(Draw(f"{name}-{variant}")), numpy, torch, refuses))


# Arithmetic. The binary ones broadcast; their rows for the property tests are in BROADCASTING.

UNARY: dict[str, tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any], str]] = {
    "negative": (ops.negative, np.negative, lambda t, x: -x, "normal"),
    "exp": (ops.exp, np.exp, lambda t, x: t.exp(x), "normal"),
    "log": (ops.log, np.log, lambda t, x: t.log(x), "positive"),
    "sqrt": (ops.sqrt, np.sqrt, lambda t, x: t.sqrt(x), "positive"),
    "abs": (ops.abs, np.abs, lambda t, x: t.abs(x), "away"),
    "relu": (ops.relu, lambda x: np.where(x > 0, x, 0.0), lambda t, x: t.relu(x), "away"),
    "sigmoid": (ops.sigmoid, special.expit, lambda t, x: t.sigmoid(x), "normal"),
    "tanh": (ops.tanh, np.tanh, lambda t, x: t.tanh(x), "normal"),
    "erf": (ops.erf, special.erf, lambda t, x: t.erf(x), "normal"),
    "gelu": (
        ops.gelu,
        lambda x: x * 0.5 * (1 + special.erf(x / np.sqrt(2))),
        lambda t, x: t.nn.functional.gelu(x),
        "normal",
    ),
    "softplus": (
        ops.softplus,
        lambda x: np.logaddexp(0, x),
        lambda t, x: t.logaddexp(x, t.zeros_like(x)),  # PyTorch's softplus is linear above a threshold
        "normal",
    ),
    "leaky_relu": (
        ops.leaky_relu,
        lambda x: np.where(x > 0, x, 0.01 * x),
        lambda t, x: t.nn.functional.leaky_relu(x),
        "away",
    ),
}
for _name, (_call, _numpy, _torch, _domain) in UNARY.items():
    for _variant, _shape in {"matrix": (3, 4), "0d": (), "one": (1, 1), "empty": (0, 3)}.items():
        op(_name, _variant, lambda d, s=_shape, k=_domain: (getattr(d, k)(*s),), _call, _numpy, _torch)
op(
    "leaky_relu",
    "slope",
    lambda d: (d.away(5, 2),),
    lambda x: ops.leaky_relu(x, slope=0.3),
    lambda x: np.where(x > 0, x, 0.3 * x),
    lambda t, x: t.nn.functional.leaky_relu(x, 0.3),
)
op(
    "sigmoid",
    "large",
    lambda d: (np.array([-800.0, -90.0, 90.0, 800.0]),),
    ops.sigmoid,
    special.expit,
    lambda t, x: t.sigmoid(x),
)
op(
    "softplus",
    "large",
    lambda d: (np.array([-800.0, -60.0, 60.0, 800.0]),),
    ops.softplus,
    lambda x: np.logaddexp(0, x),
    lambda t, x: t.logaddexp(x, t.zeros_like(x)),
)

# name: op, NumPy, PyTorch, domain of the first and of the second input
BROADCASTING: dict[str, tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any], str, str]] = {
    "add": (ops.add, np.add, lambda t, a, b: a + b, "normal", "normal"),
    "subtract": (ops.subtract, np.subtract, lambda t, a, b: a - b, "normal", "normal"),
    "multiply": (ops.multiply, np.multiply, lambda t, a, b: a * b, "normal", "normal"),
    "divide": (ops.divide, np.divide, lambda t, a, b: a / b, "normal", "away"),
    "power": (ops.power, np.power, lambda t, a, b: a**b, "positive", "normal"),
    "maximum": (ops.maximum, np.maximum, lambda t, a, b: t.maximum(a, b), "distinct", "shifted"),
    "minimum": (ops.minimum, np.minimum, lambda t, a, b: t.minimum(a, b), "distinct", "shifted"),
}


def draw(d: Draw, domain: str, shape: tuple[int, ...]) -> Array:
    """Values of a domain; "shifted" ones never come near "distinct" ones."""
    return d.distinct(*shape) + 0.125 if domain == "shifted" else getattr(d, domain)(*shape)


for _name, (_call, _numpy, _torch, _da, _db) in BROADCASTING.items():
    for _variant, (_sa, _sb) in {
        "same": ((3, 4), (3, 4)),
        "row": ((3, 4), (4,)),
        "column": ((3, 1), (2, 1, 4)),
        "0d-right": ((3, 2), ()),
        "0d-left": ((), (2, 3)),
        "0d": ((), ()),
        "one": ((1, 1), (1,)),
        "empty": ((0, 3), (1, 3)),
        "empty-summed": ((1, 3), (0, 1)),
    }.items():
        op(
            _name,
            _variant,
            lambda d, sa=_sa, sb=_sb, da=_da, db=_db: (draw(d, da, sa), draw(d, db, sb)),
            _call,
            _numpy,
            _torch,
        )
    op(_name, "mismatch", lambda d: (d.positive(2, 3), d.positive(4)), _call, refuses=ShapeError)
op(
    "power",
    "square",
    lambda d: (d.away(3, 4),),
    lambda x: ops.power(x, 2),
    lambda x: x * x,
    lambda t, x: x**2,
)
op(
    "power",
    "root",
    lambda d: (d.positive(3, 4),),
    lambda x: ops.power(x, 0.3),
    lambda x: np.exp(0.3 * np.log(x)),
    lambda t, x: x**0.3,
)
op(
    "power",
    "of-a-number",
    lambda d: (d.normal(3, 4),),
    lambda x: ops.power(1.7, x),
    lambda x: np.exp(np.log(1.7) * x),
    lambda t, x: 1.7**x,
)
op(
    "clip",
    "both",
    lambda d: (d.distinct(4, 5),),
    lambda x: ops.clip(x, -1.0, 1.0),
    lambda x: np.minimum(np.maximum(x, -1.0), 1.0),
    lambda t, x: t.clamp(x, -1.0, 1.0),
)
op("clip", "low", lambda d: (d.distinct(4, 5),), lambda x: ops.clip(x, low=-0.7), lambda x: np.maximum(x, -0.7))
op(
    "clip",
    "high",
    lambda d: (d.distinct(4, 5),),
    lambda x: ops.clip(x, high=0.7),
    lambda x: np.minimum(x, 0.7),
    lambda t, x: t.clamp(x, max=0.7),
)
op("clip", "neither", lambda d: (d.distinct(3),), ops.clip, lambda x: x)
op("clip", "0d", lambda d: (d.normal(),), lambda x: ops.clip(x, 5, 6), lambda x: np.asarray(5.0))
op("clip", "empty", lambda d: (d.normal(2, 0),), lambda x: ops.clip(x, 0, 1), lambda x: x)
_BOUND = np.linspace(-1, 1, 5) + 0.015
op(
    "clip",
    "array-bounds",
    lambda d: (d.distinct(4, 5),),
    lambda x: ops.clip(x, _BOUND, _BOUND + 1),
    lambda x: np.minimum(np.maximum(x, _BOUND), _BOUND + 1),
    lambda t, x: t.clamp(x, t.as_tensor(_BOUND, dtype=x.dtype), t.as_tensor(_BOUND + 1, dtype=x.dtype)),
)
op(
    "clip",
    "bounds-broadcast-x",
    lambda d: (d.distinct(1, 5),),
    lambda x: ops.clip(x, np.array([[-0.5], [0.1]])),
    lambda x: np.maximum(x, np.array([[-0.5], [0.1]])),
)
_CHOICE = np.array([[True, False, True], [False, False, True]])
for _variant, (_sa, _sb) in {"same": ((2, 3), (2, 3)), "broadcast": ((3,), (2, 1)), "0d": ((), ())}.items():
    op(
        "where",
        _variant,
        lambda d, sa=_sa, sb=_sb: (d.normal(*sa), d.normal(*sb)),
        lambda a, b: ops.where(_CHOICE, a, b),
        lambda a, b: np.where(_CHOICE, a, b),
        lambda t, a, b: t.where(t.as_tensor(_CHOICE), a, b),
    )
op(
    "where",
    "number",
    lambda d: (d.normal(2, 3),),
    lambda a: ops.where(_CHOICE, a, -7.5),
    lambda a: np.where(_CHOICE, a, -7.5),
)
op("where", "one-condition", lambda d: (d.normal(2), d.normal(2)), lambda a, b: ops.where(True, a, b), lambda a, b: a)
op(
    "where",
    "empty",
    lambda d: (d.normal(0, 3), d.normal(3)),
    lambda a, b: ops.where(False, a, b),
    lambda a, b: np.empty((0, 3)),
)

# Shapes

op(
    "reshape",
    "tuple",
    lambda d: (d.normal(2, 6),),
    lambda x: ops.reshape(x, shape=(3, 4)),
    lambda x: x.reshape(3, 4),
    lambda t, x: x.reshape(3, 4),
)
op(
    "reshape",
    "minus-one",
    lambda d: (d.normal(2, 3, 2),),
    lambda x: ops.reshape(x, shape=(2, -1)),
    lambda x: x.reshape(2, -1),
    lambda t, x: x.reshape(2, -1),
)
op(
    "reshape",
    "flat",
    lambda d: (d.normal(2, 3),),
    lambda x: ops.reshape(x, shape=-1),
    lambda x: x.ravel(),
    lambda t, x: x.reshape(-1),
)
op(
    "reshape",
    "0d",
    lambda d: (d.normal(1, 1),),
    lambda x: ops.reshape(x, shape=()),
    lambda x: x.reshape(()),
    lambda t, x: x.reshape(()),
)
op(
    "reshape",
    "empty",
    lambda d: (d.normal(0, 4),),
    lambda x: ops.reshape(x, shape=(2, 0)),
    lambda x: x.reshape(2, 0),
    lambda t, x: x.reshape(2, 0),
)
op("reshape", "mismatch", lambda d: (d.normal(2, 3),), lambda x: ops.reshape(x, shape=(4,)), refuses=ShapeError)
for _axes in (None, (0, 2, 1), (2, 0, 1), (-1, 0, -2)):
    op(
        "transpose",
        str(_axes),
        lambda d: (d.normal(2, 3, 4),),
        lambda x, a=_axes: ops.transpose(x, axes=a),
        lambda x, a=_axes: np.transpose(x, a),
        lambda t, x, a=_axes: x.permute(a or (2, 1, 0)),
    )
op("transpose", "0d", lambda d: (d.normal(),), lambda x: ops.transpose(x, axes=()), lambda x: x)
op("transpose", "vector", lambda d: (d.normal(3),), ops.transpose, lambda x: x, lambda t, x: x.T if x.ndim == 2 else x)
op("transpose", "empty", lambda d: (d.normal(0, 3),), ops.transpose, np.transpose, lambda t, x: x.T)
op("transpose", "too-few", lambda d: (d.normal(2, 3),), lambda x: ops.transpose(x, axes=(0,)), refuses=ShapeError)
op("transpose", "outside", lambda d: (d.normal(2, 3),), lambda x: ops.transpose(x, axes=(0, 2)), refuses=ShapeError)

INDEXES: dict[str, Any] = {
    "int": 1,
    "negative-int": -2,
    "numpy-int": np.int64(2),
    "slice": slice(1, 3),
    "step": slice(None, None, 2),
    "negative-step": slice(None, None, -1),
    "empty-slice": slice(3, 3),
    "ellipsis": (Ellipsis, 1),
    "none": (slice(None), None, 2),
    "basic-tuple": (1, slice(None), slice(0, 4, 3)),
    "to-0d": (1, 2, 3),
    "nothing": (),
    "mask": np.arange(60).reshape(4, 3, 5) % 3 == 0,
    "row-mask": np.array([True, False, True, True]),
    "empty-mask": np.zeros(4, bool),
    "mask-and-slice": (np.array([True, False, True, False]), slice(None), 1),
    "bool": True,
    "repeats": np.array([0, 2, 2, 0, -1]),
    "list": [1, 1, 3],
    "two-arrays": (np.array([0, 3, 3]), np.array([1, 2, 2])),
    "outer": (np.array([[0], [3]]), np.array([[1, 2, 1]])),
    "split-arrays": (np.array([0, 1, 0]), slice(None), np.array([4, 4, 4])),
    "array-and-ellipsis": (Ellipsis, np.array([4, 4, 0])),
    "no-rows": np.array([], np.int64),
}
for _variant, _index in INDEXES.items():
    op(
        "getitem",
        _variant,
        lambda d: (d.normal(4, 3, 5),),
        lambda x, i=_index: x[i] if hasattr(x, "backward") else ops.getitem(x, index=i),
        lambda x, i=_index: x[i],
        None if _variant == "negative-step" else lambda t, x, i=_index: x[_torch_index(t, i)],
    )
op("getitem", "empty", lambda d: (d.normal(0, 3),), lambda x: ops.getitem(x, index=slice(0, 2)), lambda x: x[0:2])


def _torch_index(torch: Any, index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple(_torch_index(torch, i) for i in index)
    if isinstance(index, np.integer):
        return int(index)
    return torch.as_tensor(index) if isinstance(index, np.ndarray | list) else index


for _axis in (0, 1, -1):
    op(
        "concatenate",
        f"axis{_axis}",
        lambda d, a=_axis: tuple(np.moveaxis(d.normal(n, 2, 3), 0, a) for n in (2, 1, 0, 3)),
        lambda *xs, a=_axis: ops.concatenate(xs, axis=a),
        lambda *xs, a=_axis: np.concatenate(xs, axis=a),
        lambda t, *xs, a=_axis: t.cat(xs, dim=a),
    )
    op(
        "stack",
        f"axis{_axis}",
        lambda d: (d.normal(2, 3), d.normal(2, 3), d.normal(2, 3)),
        lambda *xs, a=_axis: ops.stack(xs, axis=a),
        lambda *xs, a=_axis: np.stack(xs, axis=a),
        lambda t, *xs, a=_axis: t.stack(xs, dim=a),
    )
op("concatenate", "one", lambda d: (d.normal(2),), lambda x: ops.concatenate([x]), lambda x: x)
op(
    "concatenate",
    "mismatch",
    lambda d: (d.normal(2, 3), d.normal(2, 4)),
    lambda *xs: ops.concatenate(xs),
    refuses=ShapeError,
)
op(
    "concatenate",
    "axis-outside",
    lambda d: (d.normal(2, 3),),
    lambda *xs: ops.concatenate(xs, axis=2),
    refuses=ShapeError,
)
op("concatenate", "0d", lambda d: (d.normal(), d.normal()), lambda *xs: ops.concatenate(xs), refuses=ShapeError)
op("concatenate", "none", lambda d: (), lambda: ops.concatenate([]), refuses=ShapeError)
op("stack", "0d", lambda d: (d.normal(), d.normal()), lambda *xs: ops.stack(xs), lambda *xs: np.stack(xs))
op("stack", "empty", lambda d: (d.normal(0, 2), d.normal(0, 2)), lambda *xs: ops.stack(xs), lambda *xs: np.stack(xs))
op("stack", "mismatch", lambda d: (d.normal(2), d.normal(3)), lambda *xs: ops.stack(xs), refuses=ShapeError)
op("stack", "axis-outside", lambda d: (d.normal(2), d.normal(2)), lambda *xs: ops.stack(xs, axis=3), refuses=ShapeError)
op("stack", "none", lambda d: (), lambda: ops.stack([]), refuses=ShapeError)

WIDTHS: dict[str, tuple[Any, list[int]]] = {  # NumPy's form and PyTorch's, which starts at the last axis
    "int": (1, [1, 1, 1, 1]),
    "zero": (0, [0, 0, 0, 0]),
    "pair": ((2, 1), [2, 1, 2, 1]),
    "each": (((1, 0), (0, 3)), [0, 3, 1, 0]),
    "one-pair": (((1, 2),), [1, 2, 1, 2]),
    "columns": (((1,), (2,)), [2, 2, 1, 1]),
}
for _variant, (_width, _flat) in WIDTHS.items():
    op(
        "pad",
        _variant,
        lambda d: (d.normal(2, 3),),
        lambda x, w=_width: ops.pad(x, width=w),
        lambda x, w=_width: np.pad(x, w),
        lambda t, x, w=_flat: t.nn.functional.pad(x, w),
    )
op(
    "pad",
    "value",
    lambda d: (d.normal(2, 3),),
    lambda x: ops.pad(x, width=2, value=-0.3),
    lambda x: np.pad(x, 2, constant_values=-0.3),
    lambda t, x: t.nn.functional.pad(x, [2, 2, 2, 2], value=-0.3),
)
op("pad", "empty", lambda d: (d.normal(0, 3),), lambda x: ops.pad(x, width=1), lambda x: np.zeros((2, 5)))
op("pad", "negative", lambda d: (d.normal(2, 3),), lambda x: ops.pad(x, width=-1), refuses=ShapeError)
op("pad", "too-many", lambda d: (d.normal(2, 3),), lambda x: ops.pad(x, width=((1, 1),) * 3), refuses=ShapeError)
for _variant, (_from, _to) in {
    "rows": ((3,), (2, 3)),
    "columns": ((2, 1), (2, 4)),
    "0d": ((), (2, 2)),
    "same": ((2,), (2,)),
    "to-empty": ((1, 3), (0, 3)),
}.items():
    op(
        "broadcast_to",
        _variant,
        lambda d, s=_from: (d.normal(*s),),
        lambda x, s=_to: ops.broadcast_to(x, shape=s),
        lambda x, s=_to: np.broadcast_to(x, s),
        lambda t, x, s=_to: t.broadcast_to(x, s),
    )
op(
    "broadcast_to",
    "mismatch",
    lambda d: (d.normal(2, 3),),
    lambda x: ops.broadcast_to(x, shape=(2,)),
    refuses=ShapeError,
)

# Reductions: every form of axis, with and without keepdims

AXES = (None, 0, 2, -1, (0, 2), (-2,), (0, 1, 2), ())
REDUCTIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any], str]] = {
    "sum": (ops.sum, np.sum, lambda t, x, a, k: t.sum(x, a, keepdim=k), "normal"),
    "mean": (ops.mean, np.mean, lambda t, x, a, k: t.mean(x, a, keepdim=k), "normal"),
    "max": (ops.max, np.max, lambda t, x, a, k: t.amax(x, a, keepdim=k), "distinct"),
    "variance": (ops.variance, np.var, lambda t, x, a, k: t.var(x, a, correction=0, keepdim=k), "normal"),
    "logsumexp": (
        ops.logsumexp,
        lambda x, axis, keepdims: special.logsumexp(x, axis=axis, keepdims=keepdims) if axis != () else x,
        lambda t, x, a, k: t.logsumexp(x, a, keepdim=k),
        "normal",
    ),
}
for _name, (_call, _numpy, _torch, _domain) in REDUCTIONS.items():
    for _axis in AXES:
        for _keep in (False, True):
            op(
                _name,
                f"{_axis}{'-keepdims' if _keep else ''}",
                lambda d, k=_domain: (getattr(d, k)(3, 2, 4),),
                lambda x, f=_call, a=_axis, k=_keep: f(x, axis=a, keepdims=k),
                lambda x, f=_numpy, a=_axis, k=_keep: f(x, axis=a, keepdims=k),
                None  # PyTorch reads () as "all axes"
                if _axis == ()
                else lambda t, x, f=_torch, a=_axis, k=_keep: f(t, x, (0, 1, 2) if a is None else a, k),
            )
    op(
        _name,
        "list",
        lambda d, k=_domain: (getattr(d, k)(3, 2),),
        lambda x, f=_call: f(x, axis=[0, 1]),
        lambda x, f=_numpy: f(x, axis=(0, 1), keepdims=False),
    )
    op(
        _name,
        "0d",
        lambda d, k=_domain: (getattr(d, k)(),),
        _call,
        lambda x, n=_name: np.zeros(()) if n == "variance" else x,
    )
    op(
        _name,
        "one",
        lambda d, k=_domain: (getattr(d, k)(1, 3, 1),),
        lambda x, f=_call: f(x, axis=(0, 2)),
        lambda x, f=_numpy: f(x, axis=(0, 2), keepdims=False),
    )
    op(
        _name,
        "empty-elsewhere",
        lambda d, k=_domain: (getattr(d, k)(0, 3),),
        lambda x, f=_call: f(x, axis=1),
        lambda x: np.zeros(0),
    )
    op(
        _name,
        "axis-outside",
        lambda d, k=_domain: (getattr(d, k)(2, 3),),
        lambda x, f=_call: f(x, axis=2),
        refuses=ShapeError,
    )
    op(
        _name,
        "axis-twice",
        lambda d, k=_domain: (getattr(d, k)(2, 3),),
        lambda x, f=_call: f(x, axis=(0, -2)),
        refuses=ShapeError,
    )
op(
    "sum",
    "empty",
    lambda d: (d.normal(0, 3),),
    lambda x: ops.sum(x, axis=0),
    lambda x: np.zeros(3),
    lambda t, x: x.sum(0),
)
op(
    "logsumexp",
    "empty",
    lambda d: (d.normal(0, 3),),
    lambda x: ops.logsumexp(x, axis=0),
    lambda x: np.full(3, -np.inf),
    lambda t, x: t.logsumexp(x, 0),
)
op(
    "logsumexp",
    "large",
    lambda d: (900 * d.normal(3, 4),),
    lambda x: ops.logsumexp(x, axis=1),
    lambda x: special.logsumexp(x, axis=1),
    lambda t, x: t.logsumexp(x, 1),
)
for _name in ("mean", "max", "variance"):
    op(_name, "empty", lambda d: (d.normal(0, 3),), lambda x, n=_name: getattr(ops, n)(x, axis=0), refuses=ShapeError)

for _name, _numpy in {"softmax": special.softmax, "log_softmax": special.log_softmax}.items():
    for _axis in (0, 1, -1):
        op(
            _name,
            f"axis{_axis}",
            lambda d: (d.normal(3, 2, 4),),
            lambda x, n=_name, a=_axis: getattr(ops, n)(x, axis=a),
            lambda x, f=_numpy, a=_axis: f(x, axis=a),
            lambda t, x, n=_name, a=_axis: getattr(t, n)(x, a),
        )
    op(
        _name,
        "large",
        lambda d: (300 * d.distinct(3, 4),),
        getattr(ops, _name),
        lambda x, f=_numpy: f(x, axis=-1),
        lambda t, x, n=_name: getattr(t, n)(x, -1),
    )
    op(
        _name,
        "one",
        lambda d: (d.normal(3, 1),),
        getattr(ops, _name),
        lambda x, f=_numpy: f(x, axis=-1),
        lambda t, x, n=_name: getattr(t, n)(x, -1),
    )
    op(_name, "no-rows", lambda d: (d.normal(0, 3),), getattr(ops, _name), lambda x: np.empty((0, 3)))
    op(_name, "no-classes", lambda d: (d.normal(3, 0),), getattr(ops, _name), lambda x: np.empty((3, 0)))
    op(
        _name,
        "axis-outside",
        lambda d: (d.normal(2, 3),),
        lambda x, n=_name: getattr(ops, n)(x, axis=2),
        refuses=ShapeError,
    )

# Matrix products

MATMULS: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "matrices": ((3, 4), (4, 2)),
    "vectors": ((4,), (4,)),
    "vector-matrix": ((4,), (4, 3)),
    "matrix-vector": ((3, 4), (4,)),
    "vector-batch": ((4,), (2, 4, 3)),
    "batch-vector": ((2, 3, 4), (4,)),
    "batch": ((2, 3, 4), (2, 4, 5)),
    "batch-matrix": ((2, 3, 4), (4, 5)),
    "matrix-batch": ((3, 4), (2, 4, 5)),
    "broadcast-batch": ((2, 1, 3, 4), (5, 4, 2)),
    "one": ((1, 1), (1, 1)),
    "empty-inner": ((2, 0), (0, 3)),
    "empty-outer": ((0, 4), (4, 3)),
    "empty-batch": ((0, 2, 3), (3, 2)),
}
for _variant, (_sa, _sb) in MATMULS.items():
    op(
        "matmul",
        _variant,
        lambda d, sa=_sa, sb=_sb: (d.normal(*sa), d.normal(*sb)),
        ops.matmul,
        lambda a, b: np.matmul(a, b),
        lambda t, a, b: t.matmul(a, b),
    )
for _variant, (_sa, _sb) in {"inner": ((2, 3), (4, 2)), "0d": ((), (2, 3)), "batches": ((2, 3, 4), (3, 4, 2))}.items():
    op(
        "matmul",
        f"mismatch-{_variant}",
        lambda d, sa=_sa, sb=_sb: (d.normal(*sa), d.normal(*sb)),
        ops.matmul,
        refuses=ShapeError,
    )

ACTIVATIONS: dict[str, Callable[..., Any]] = {
    "identity": lambda z: z,
    "relu": lambda z: np.where(z > 0, z, 0),
    "sigmoid": special.expit,
    "tanh": np.tanh,
}


def _away_affine(d: Draw, n: int, i: int, o: int, bias: bool) -> tuple[Array, ...]:
    """x, weight and bias whose product keeps away from the kink of relu."""
    while True:
        x, weight, b = d.normal(n, i), d.normal(o, i), d.normal(o)
        z = x @ weight.T + (b if bias else 0)
        if not (np.abs(z) < 0.1).any():
            return (x, weight, b) if bias else (x, weight)


for _activation, _function in ACTIVATIONS.items():
    for _variant, (_n, _i, _o, _bias) in {
        "bias": (3, 5, 4, True),
        "no-bias": (3, 5, 4, False),
        "one": (1, 1, 1, True),
        "no-rows": (0, 5, 4, True),
        "no-inputs": (2, 0, 3, True),
        "no-outputs": (2, 3, 0, True),
    }.items():
        op(
            "affine",
            f"{_activation}-{_variant}",
            lambda d, n=_n, i=_i, o=_o, b=_bias: _away_affine(d, n, i, o, b),
            lambda *xs, a=_activation: ops.affine(*xs, activation=a),
            lambda x, w, b=0.0, f=_function: f(x @ w.T + b),
            lambda t, x, w, b=None, a=_activation: (lambda z: z if a == "identity" else getattr(t, a)(z))(
                t.nn.functional.linear(x, w, b)
            ),
        )
op("affine", "mismatch", lambda d: (d.normal(2, 3), d.normal(4, 5)), ops.affine, refuses=ShapeError)
op("affine", "vector", lambda d: (d.normal(3), d.normal(4, 3)), ops.affine, refuses=ShapeError)
op("affine", "bias-shape", lambda d: (d.normal(2, 3), d.normal(4, 3), d.normal(3)), ops.affine, refuses=ShapeError)
op("affine", "weight-0d", lambda d: (d.normal(2, 3), d.normal()), ops.affine, refuses=ShapeError)

# Normalization

STATISTICS = (np.array([0.3, -0.2, 1.1]), np.array([0.8, 1.9, 0.4]))


def _batch_norm(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Array:
    axes = (0, *range(2, x.ndim))
    shape = (1, -1, *([1] * (x.ndim - 2)))
    mean, var = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    return (x - mean) / np.sqrt(var + eps) * gamma.reshape(shape) + beta.reshape(shape)


for _variant, _shape in {
    "dense": (6, 3),
    "images": (4, 3, 2, 5),
    "one-pixel": (5, 3, 1, 1),
    "sequence": (4, 3, 2),
}.items():
    op(
        "batch_norm",
        _variant,
        lambda d, s=_shape: (d.normal(*s), d.away(3), d.normal(3)),
        ops.batch_norm,
        _batch_norm,
        lambda t, x, g, b: t.nn.functional.batch_norm(x, None, None, g, b, training=True),
    )
    op(
        "batch_norm_inference",
        _variant,
        lambda d, s=_shape: (d.normal(*s), d.away(3), d.normal(3)),
        lambda x, g, b: ops.batch_norm_inference(x, g, b, mean=STATISTICS[0], variance=STATISTICS[1]),
        lambda x, g, b, s=_shape: (
            (x - _channels(STATISTICS[0], s)) / np.sqrt(_channels(STATISTICS[1], s) + 1e-5) * _channels(g, s)
            + _channels(b, s)
        ),
        lambda t, x, g, b: t.nn.functional.batch_norm(
            x, *(t.as_tensor(s, dtype=x.dtype) for s in STATISTICS), g, b, training=False
        ),
    )


def _channels(values: Array, shape: tuple[int, ...]) -> Array:
    return values.reshape(1, -1, *([1] * (len(shape) - 2)))


op(
    "batch_norm",
    "eps",
    lambda d: (d.normal(6, 3), d.away(3), d.normal(3)),
    lambda x, g, b: ops.batch_norm(x, g, b, eps=0.5),
    lambda x, g, b: _batch_norm(x, g, b, 0.5),
    lambda t, x, g, b: t.nn.functional.batch_norm(x, None, None, g, b, training=True, eps=0.5),
)
op("batch_norm", "single", lambda d: (d.normal(1, 3), d.away(3), d.normal(3)), ops.batch_norm, lambda x, g, b: b[None])
op("batch_norm", "empty", lambda d: (d.normal(0, 3), d.away(3), d.normal(3)), ops.batch_norm, refuses=ShapeError)
op("batch_norm", "vector", lambda d: (d.normal(3), d.away(3), d.normal(3)), ops.batch_norm, refuses=ShapeError)
op("batch_norm", "channels", lambda d: (d.normal(4, 2), d.away(3), d.normal(3)), ops.batch_norm, refuses=ShapeError)
op(
    "batch_norm_inference",
    "empty",
    lambda d: (d.normal(0, 3), d.away(3), d.normal(3)),
    lambda x, g, b: ops.batch_norm_inference(x, g, b, mean=STATISTICS[0], variance=STATISTICS[1]),
    lambda x, g, b: np.empty((0, 3)),
)
op(
    "batch_norm_inference",
    "channels",
    lambda d: (d.normal(4, 2), d.away(3), d.normal(3)),
    lambda x, g, b: ops.batch_norm_inference(x, g, b, mean=STATISTICS[0], variance=STATISTICS[1]),
    refuses=ShapeError,
)
for _variant, (_shape, _inner) in {
    "rows": ((4, 5), (5,)),
    "images": ((2, 3, 4), (3, 4)),
    "deep": ((2, 3, 5), (5,)),
    "whole": ((5,), (5,)),
    "no-rows": ((0, 5), (5,)),
}.items():
    op(
        "layer_norm",
        _variant,
        lambda d, s=_shape, i=_inner: (d.normal(*s), d.away(*i), d.normal(*i)),
        ops.layer_norm,
        lambda x, g, b: _layer_norm(x, g, b, 1e-5),
        lambda t, x, g, b: t.nn.functional.layer_norm(x, g.shape, g, b),
    )


def _layer_norm(x: Array, gamma: Array, beta: Array, eps: float) -> Array:
    axes = tuple(range(-gamma.ndim, 0))
    mean, var = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    return (x - mean) / np.sqrt(var + eps) * gamma + beta


op(
    "layer_norm",
    "eps",
    lambda d: (d.normal(4, 5), d.away(5), d.normal(5)),
    lambda x, g, b: ops.layer_norm(x, g, b, eps=0.3),
    lambda x, g, b: _layer_norm(x, g, b, 0.3),
    lambda t, x, g, b: t.nn.functional.layer_norm(x, g.shape, g, b, eps=0.3),
)
op(
    "layer_norm",
    "one",
    lambda d: (d.normal(3, 1), d.away(1), d.normal(1)),
    ops.layer_norm,
    lambda x, g, b: np.repeat(b[None], 3, axis=0),
)
op("layer_norm", "empty", lambda d: (d.normal(3, 0), d.normal(0), d.normal(0)), ops.layer_norm, refuses=ShapeError)
op("layer_norm", "mismatch", lambda d: (d.normal(3, 4), d.normal(5), d.normal(5)), ops.layer_norm, refuses=ShapeError)
op("layer_norm", "0d", lambda d: (d.normal(3, 4), d.normal(), d.normal()), ops.layer_norm, refuses=ShapeError)
op("layer_norm", "beta", lambda d: (d.normal(3, 4), d.normal(4), d.normal(3, 4)), ops.layer_norm, refuses=ShapeError)

# Images: convolution and pooling


def _windows(x: Array, size: Any, stride: Any, padding: Any, outside: float = 0.0) -> Array:
    """(n, c, oh, ow, kh, kw) by going through all positions."""
    (kh, kw), (sh, sw), (ph, pw) = ((v, v) if isinstance(v, int) else v for v in (size, stride, padding))
    wide = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=outside)
    rows = range(0, wide.shape[2] - kh + 1, sh)
    columns = range(0, wide.shape[3] - kw + 1, sw)
    out = np.empty((*x.shape[:2], len(rows), len(columns), kh, kw))
    for r, top in enumerate(rows):
        for s, left in enumerate(columns):
            out[:, :, r, s] = wide[:, :, top : top + kh, left : left + kw]
    return out


def _convolution(x: Array, weight: Array, bias: Any = None, stride: Any = 1, padding: Any = 0) -> Array:
    y = np.einsum("ncrsij,ocij->nors", _windows(x, weight.shape[2:], stride, padding), weight)
    return y if bias is None else y + bias[:, None, None]


# shapes of x and of the weight, whether there is a bias, options, whether PyTorch takes it
CONVOLUTIONS: dict[str, tuple[tuple[int, ...], tuple[int, ...], bool, dict[str, Any], bool]] = {
    "plain": ((2, 3, 6, 5), (4, 3, 3, 2), True, {}, True),
    "no-bias": ((2, 3, 6, 5), (4, 3, 3, 2), False, {}, True),
    "stride": ((2, 2, 7, 8), (3, 2, 3, 3), True, {"stride": 2}, True),
    "padding": ((2, 2, 4, 5), (3, 2, 3, 3), True, {"padding": 1}, True),
    "pairs": ((2, 2, 7, 6), (3, 2, 3, 2), True, {"stride": (2, 3), "padding": (0, 2)}, True),
    "rest": ((2, 1, 8, 9), (2, 1, 3, 3), True, {"stride": 4, "padding": 1}, True),
    "stride-over-size": ((2, 2, 7, 7), (3, 2, 2, 2), False, {"stride": 3}, True),
    "whole": ((2, 3, 4, 5), (2, 3, 4, 5), True, {}, True),
    "larger-than-image": ((2, 2, 2, 3), (3, 2, 5, 5), True, {"padding": 2}, True),
    "pixels": ((2, 3, 4, 5), (4, 3, 1, 1), True, {}, True),
    "pixels-stride": ((2, 3, 5, 4), (4, 3, 1, 1), False, {"stride": 2}, True),
    "one": ((1, 1, 1, 1), (1, 1, 1, 1), True, {}, True),
    "no-images": ((0, 2, 4, 5), (3, 2, 3, 3), True, {"padding": 1}, True),
    "no-channels": ((2, 0, 4, 5), (3, 0, 3, 3), True, {}, False),
    "no-outputs": ((2, 2, 4, 5), (0, 2, 3, 3), True, {}, False),
}
for _variant, (_sx, _sw, _bias, _options, _twin) in CONVOLUTIONS.items():
    op(
        "conv2d",
        _variant,
        lambda d, x=_sx, w=_sw, b=_bias: (d.normal(*x), d.normal(*w), *([d.normal(w[0])] if b else [])),
        lambda *xs, o=_options: ops.conv2d(*xs, **o),
        lambda *xs, o=_options: _convolution(*xs, **o),
        (lambda t, *xs, o=_options: t.nn.functional.conv2d(*xs, **o)) if _twin else None,
    )
for _variant, (_sx, _sw, _options, _error) in {
    "channels": ((2, 3, 6, 5), (4, 2, 3, 3), {}, ShapeError),
    "rows": ((2, 784), (4, 1, 3, 3), {}, ShapeError),
    "no-channel-axis": ((2, 28, 28), (4, 1, 3, 3), {}, ShapeError),
    "weight-matrix": ((2, 3, 6, 5), (4, 3), {}, ShapeError),
    "weight-empty": ((2, 3, 6, 5), (4, 3, 0, 2), {}, ShapeError),
    "kernel-too-large": ((2, 3, 4, 5), (4, 3, 5, 3), {}, ShapeError),
    "kernel-too-wide": ((2, 3, 4, 5), (4, 3, 3, 8), {"padding": 1}, ShapeError),
    "no-pixels": ((2, 3, 0, 5), (4, 3, 1, 1), {"padding": 1}, ShapeError),
    "stride-0": ((2, 3, 6, 5), (4, 3, 3, 3), {"stride": 0}, OptionError),
    "stride-real": ((2, 3, 6, 5), (4, 3, 3, 3), {"stride": 1.5}, OptionError),
    "padding-negative": ((2, 3, 6, 5), (4, 3, 3, 3), {"padding": (0, -1)}, OptionError),
    "padding-of-three": ((2, 3, 6, 5), (4, 3, 3, 3), {"padding": (0, 1, 1)}, OptionError),
}.items():
    op(
        "conv2d",
        f"refused-{_variant}",
        lambda d, x=_sx, w=_sw: (d.normal(*x), d.normal(*w)),
        lambda *xs, o=_options: ops.conv2d(*xs, **o),
        refuses=_error,
    )
op(
    "conv2d",
    "refused-bias",
    lambda d: (d.normal(2, 3, 6, 5), d.normal(4, 3, 3, 3), d.normal(3)),
    ops.conv2d,
    refuses=ShapeError,
)

POOLS: dict[str, tuple[tuple[int, ...], dict[str, Any], bool]] = {  # shape, options, whether PyTorch takes it
    "half": ((2, 3, 4, 6), {"size": 2}, True),
    "rest": ((2, 3, 5, 7), {"size": 2}, True),
    "overlapping": ((2, 2, 7, 6), {"size": 3, "stride": 2}, True),
    "padding": ((2, 2, 5, 6), {"size": 3, "stride": 2, "padding": 1}, True),
    "half-padded": ((1, 2, 3, 3), {"size": 2, "stride": 1, "padding": 1}, True),
    "pairs": ((2, 2, 6, 7), {"size": (3, 2), "stride": (1, 3), "padding": (1, 0)}, True),
    "gaps": ((2, 2, 7, 7), {"size": 2, "stride": 3}, True),
    "whole": ((2, 3, 4, 5), {"size": (4, 5)}, True),
    "one": ((1, 1, 1, 1), {"size": 1}, True),
    "no-images": ((0, 2, 4, 5), {"size": 2}, True),
    "no-channels": ((2, 0, 4, 5), {"size": 2}, False),
}
for _variant, (_shape, _options, _twin) in POOLS.items():
    _full = {"stride": _options["size"], "padding": 0} | _options
    op(
        "max_pool2d",
        _variant,
        lambda d, s=_shape: (d.distinct(*s),),
        lambda x, o=_options: ops.max_pool2d(x, **o),
        lambda x, o=_full: _windows(x, **o, outside=-np.inf).max(axis=(4, 5)),
        (lambda t, x, o=_full: t.nn.functional.max_pool2d(x, o["size"], o["stride"], o["padding"])) if _twin else None,
    )
    op(
        "average_pool2d",
        _variant,
        lambda d, s=_shape: (d.normal(*s),),
        lambda x, o=_options: ops.average_pool2d(x, **o),
        lambda x, o=_full: _windows(x, **o).mean(axis=(4, 5)),
        (lambda t, x, o=_full: t.nn.functional.avg_pool2d(x, o["size"], o["stride"], o["padding"])) if _twin else None,
    )
for _name in ("max_pool2d", "average_pool2d"):
    for _variant, (_shape, _options, _error) in {
        "rows": ((2, 784), {"size": 2}, ShapeError),
        "too-large": ((2, 3, 4, 5), {"size": 5}, ShapeError),
        "no-pixels": ((2, 3, 4, 0), {"size": 2, "padding": 1}, ShapeError),
        "size-0": ((2, 3, 4, 5), {"size": 0}, OptionError),
        "stride-0": ((2, 3, 4, 5), {"size": 2, "stride": (1, 0)}, OptionError),
        "padding-negative": ((2, 3, 4, 5), {"size": 2, "padding": -1}, OptionError),
        "padding-over-half": ((2, 3, 4, 5), {"size": 3, "padding": 2}, OptionError),
        "size-text": ((2, 3, 4, 5), {"size": "22"}, OptionError),
    }.items():
        op(
            _name,
            f"refused-{_variant}",
            lambda d, s=_shape: (d.normal(*s),),
            lambda x, n=_name, o=_options: getattr(ops, n)(x, **o),
            refuses=_error,
        )
for _variant, _shape in {"images": (2, 3, 4, 5), "one-pixel": (2, 3, 1, 1), "no-images": (0, 3, 4, 5)}.items():
    op(
        "global_average_pool2d",
        _variant,
        lambda d, s=_shape: (d.normal(*s),),
        ops.global_average_pool2d,
        lambda x: x.sum(axis=(2, 3)) / (x.shape[2] * x.shape[3]),
        lambda t, x: x.mean((2, 3)),
    )
for _variant, _shape in {"rows": (2, 3), "no-pixels": (2, 3, 0, 4)}.items():
    op(
        "global_average_pool2d",
        f"refused-{_variant}",
        lambda d, s=_shape: (d.normal(*s),),
        ops.global_average_pool2d,
        refuses=ShapeError,
    )

# Noise


@dataclass(frozen=True)
class OneMask:
    """The same seed at every call."""

    p: float
    whole_channels: bool = False

    def next_seed(self) -> int:
        return 123456789012


for _variant, (_shape, _source, _masked) in {
    "source": ((3, 4), OneMask(0.5), (3, 4)),
    "source-images": ((2, 3, 2, 2), OneMask(0.5), (2, 3, 2, 2)),
    "source-0d": ((), OneMask(0.25), ()),
    "source-empty": ((0, 4), OneMask(0.5), (0, 4)),
    "source-channels": ((3, 4, 2, 2), OneMask(0.5, True), (3, 4, 1, 1)),
    "source-features": ((3, 4), OneMask(0.5, True), (3, 4)),
}.items():
    op(
        "dropout",
        _variant,
        lambda d, s=_shape: (d.normal(*s),),
        lambda x, m=_source: ops.dropout(x, mask=m),
        lambda x, m=_source, s=_masked: x * kernels.dropout_mask.reference(m.next_seed(), s, m.p),
    )
op(
    "dropout",
    "source-no-channels",
    lambda d: (d.normal(3),),
    lambda x: ops.dropout(x, mask=OneMask(0.5, True)),
    refuses=ShapeError,
)
MASK = np.array([[0.0, 1.25, 1.25, 0.0], [1.25, 1.25, 0.0, 1.25]])
op(
    "dropout",
    "mask",
    lambda d: (d.normal(2, 4),),
    lambda x: ops.dropout(x, mask=MASK),
    lambda x: x * MASK,
    lambda t, x: x * t.as_tensor(MASK, dtype=x.dtype),
)
op(
    "dropout",
    "per-channel",
    lambda d: (d.normal(2, 4),),
    lambda x: ops.dropout(x, mask=MASK[:1]),
    lambda x: x * MASK[:1],
)
op("dropout", "bool", lambda d: (d.normal(2, 4),), lambda x: ops.dropout(x, mask=MASK > 0), lambda x: x * (MASK > 0))
op("dropout", "empty", lambda d: (d.normal(0, 4),), lambda x: ops.dropout(x, mask=MASK[:0]), lambda x: x)
op("dropout", "mismatch", lambda d: (d.normal(2, 3),), lambda x: ops.dropout(x, mask=MASK), refuses=ShapeError)
op("dropout", "mask-larger", lambda d: (d.normal(1, 4),), lambda x: ops.dropout(x, mask=MASK), refuses=ShapeError)

# Losses

LABELS = np.array([2, 0, 3, 3, 1])
SOFT = Draw("soft targets").simplex(5, 4)
CLASS_WEIGHTS = np.array([0.5, 2.0, 1.0, 0.25])
SAMPLE_WEIGHTS = np.array([1.0, 0.0, 2.5, 0.5, 1.0])


def _cross_entropy(z: Array, targets: Array, smoothing: float, classes: Any, samples: Any, reduction: str) -> Any:
    log_p = special.log_softmax(z, axis=1)
    n, k = z.shape
    w_class = np.ones(k) if classes is None else classes
    w_sample = np.ones(n) if samples is None else samples
    losses, total = np.zeros(n), 0.0
    for i in range(n):
        hard = targets.ndim == 1
        t = np.eye(k)[targets[i]] if hard else targets[i]
        t = (1 - smoothing) * t + smoothing / k
        losses[i] = -w_sample[i] * np.sum(w_class * t * log_p[i])
        total += w_sample[i] * (w_class[targets[i]] if hard else 1.0)
    return {"none": losses, "sum": losses.sum(), "mean": losses.sum() / total}[reduction]


def _torch_cross_entropy(
    t: Any, z: Any, targets: Array, smoothing: float, classes: Any, samples: Any, reduction: str
) -> Any:
    target = t.as_tensor(targets) if targets.ndim == 1 else t.as_tensor(targets, dtype=z.dtype)
    weight = None if classes is None else t.as_tensor(classes, dtype=z.dtype)
    function = t.nn.functional.cross_entropy
    if samples is None:
        return function(z, target, weight=weight, label_smoothing=smoothing, reduction=reduction)
    w = t.as_tensor(samples, dtype=z.dtype)
    losses = w * function(z, target, weight=weight, label_smoothing=smoothing, reduction="none")
    if reduction == "none":
        return losses
    total = (w * weight[target]).sum() if weight is not None and targets.ndim == 1 else w.sum()
    return losses.sum() if reduction == "sum" else losses.sum() / total


for _kind, _targets in {"labels": LABELS, "soft": SOFT}.items():
    for _smoothing in (0.0, 0.1, 1.0):
        for _classes in (None, CLASS_WEIGHTS):
            for _samples in (None, SAMPLE_WEIGHTS):
                for _reduction in ("mean", "sum", "none"):
                    _args = (_targets, _smoothing, _classes, _samples, _reduction)
                    op(
                        "cross_entropy",
                        f"{_kind}-{_smoothing}{'' if _classes is None else '-classes'}"
                        f"{'' if _samples is None else '-samples'}-{_reduction}",
                        lambda d: (d.normal(5, 4),),
                        lambda z, a=_args: ops.cross_entropy(
                            z, a[0], label_smoothing=a[1], class_weights=a[2], sample_weights=a[3], reduction=a[4]
                        ),
                        lambda z, a=_args: _cross_entropy(z, *a),
                        lambda t, z, a=_args: _torch_cross_entropy(t, z, *a),
                    )
op(
    "cross_entropy",
    "large",
    lambda d: (400 * d.distinct(5, 4),),
    lambda z: ops.cross_entropy(z, LABELS),
    lambda z: _cross_entropy(z, LABELS, 0, None, None, "mean"),
)
op(
    "cross_entropy",
    "int32-labels",
    lambda d: (d.normal(5, 4),),
    lambda z: ops.cross_entropy(z, LABELS.astype(np.int32)),
    lambda z: _cross_entropy(z, LABELS, 0, None, None, "mean"),
)
op(
    "cross_entropy",
    "uint8-labels",
    lambda d: (d.normal(5, 4),),
    lambda z: ops.cross_entropy(z, LABELS.astype(np.uint8)),
    lambda z: _cross_entropy(z, LABELS, 0, None, None, "mean"),
)
op(
    "cross_entropy",
    "list-labels",
    lambda d: (d.normal(5, 4),),
    lambda z: ops.cross_entropy(z, LABELS.tolist()),
    lambda z: _cross_entropy(z, LABELS, 0, None, None, "mean"),
)
op(
    "cross_entropy",
    "strided-labels",
    lambda d: (d.normal(5, 4),),
    lambda z: ops.cross_entropy(z, np.repeat(LABELS, 2)[::2]),
    lambda z: _cross_entropy(z, LABELS, 0, None, None, "mean"),
)
op(
    "cross_entropy",
    "one-class",
    lambda d: (d.normal(3, 1),),
    lambda z: ops.cross_entropy(z, [0, 0, 0]),
    lambda z: np.zeros(()),
)
op(
    "cross_entropy",
    "one-row",
    lambda d: (d.normal(1, 4),),
    lambda z: ops.cross_entropy(z, [2]),
    lambda z: _cross_entropy(z, np.array([2]), 0, None, None, "mean"),
)
op(
    "cross_entropy",
    "no-rows-sum",
    lambda d: (d.normal(0, 4),),
    lambda z: ops.cross_entropy(z, np.empty(0, int), reduction="sum"),
    lambda z: np.zeros(()),
)
op(
    "cross_entropy",
    "no-rows-none",
    lambda d: (d.normal(0, 4),),
    lambda z: ops.cross_entropy(z, np.empty(0, int), reduction="none"),
    lambda z: np.zeros(0),
)
op(
    "cross_entropy",
    "no-rows-mean",
    lambda d: (d.normal(0, 4),),
    lambda z: ops.cross_entropy(z, np.empty(0, int)),
    refuses=OptionError,
)
op(
    "cross_entropy",
    "no-classes",
    lambda d: (d.normal(2, 0),),
    lambda z: ops.cross_entropy(z, [0, 0]),
    refuses=ShapeError,
)
op(
    "cross_entropy",
    "label-too-large",
    lambda d: (d.normal(2, 4),),
    lambda z: ops.cross_entropy(z, [0, 4]),
    refuses=ShapeError,
)
op(
    "cross_entropy",
    "label-negative",
    lambda d: (d.normal(2, 4),),
    lambda z: ops.cross_entropy(z, [0, -1]),
    refuses=ShapeError,
)
op(
    "cross_entropy",
    "labels-too-few",
    lambda d: (d.normal(2, 4),),
    lambda z: ops.cross_entropy(z, [0]),
    refuses=ShapeError,
)
op(
    "cross_entropy",
    "labels-real",
    lambda d: (d.normal(2, 4),),
    lambda z: ops.cross_entropy(z, [0.0, 1.5]),
    refuses=ShapeError,
)
op("cross_entropy", "vector", lambda d: (d.normal(4),), lambda z: ops.cross_entropy(z, [0]), refuses=ShapeError)
op(
    "cross_entropy",
    "smoothing-outside",
    lambda d: (d.normal(2, 4),),
    lambda z: ops.cross_entropy(z, [0, 1], label_smoothing=1.5),
    refuses=OptionError,
)
op(
    "cross_entropy",
    "reduction-unknown",
    lambda d: (d.normal(2, 4),),
    lambda z: ops.cross_entropy(z, [0, 1], reduction="product"),
    refuses=OptionError,
)
op(
    "cross_entropy",
    "weights-zero",
    lambda d: (d.normal(2, 4),),
    lambda z: ops.cross_entropy(z, [0, 1], sample_weights=[0, 0]),
    refuses=OptionError,
)
op(
    "cross_entropy",
    "weights-negative",
    lambda d: (d.normal(2, 4),),
    lambda z: ops.cross_entropy(z, [0, 1], sample_weights=[1, -1]),
    refuses=ShapeError,
)
op(
    "cross_entropy",
    "class-weights-short",
    lambda d: (d.normal(2, 4),),
    lambda z: ops.cross_entropy(z, [0, 1], class_weights=[1, 1]),
    refuses=ShapeError,
)

for _variant, (_sa, _sb) in {
    "same": ((3, 4), (3, 4)),
    "broadcast": ((3, 4), (4,)),
    "0d": ((), ()),
    "one": ((1, 1), (1, 1)),
}.items():
    op(
        "mean_squared_error",
        _variant,
        lambda d, sa=_sa, sb=_sb: (d.normal(*sa), d.normal(*sb)),
        ops.mean_squared_error,
        lambda a, b: np.mean((a - b) ** 2),
        lambda t, a, b: ((a - b) ** 2).mean(),
    )
op(
    "mean_squared_error",
    "samples",
    lambda d: (d.normal(5, 3), d.normal(5, 3)),
    lambda a, b: ops.mean_squared_error(a, b, sample_weights=SAMPLE_WEIGHTS),
    lambda a, b: np.average(np.mean((a - b) ** 2, axis=1), weights=SAMPLE_WEIGHTS),
    lambda t, a, b: (((a - b) ** 2).mean(1) * t.as_tensor(SAMPLE_WEIGHTS, dtype=a.dtype)).sum() / SAMPLE_WEIGHTS.sum(),
)
op(
    "mean_squared_error",
    "samples-broadcast",
    lambda d: (d.normal(5, 1), d.normal(1, 3)),
    lambda a, b: ops.mean_squared_error(a, b, sample_weights=SAMPLE_WEIGHTS),
    lambda a, b: np.average(np.mean((a - b) ** 2, axis=1), weights=SAMPLE_WEIGHTS),
)
for _variant, _weights, _error in (
    ("samples-short", [1, 1], ShapeError),
    ("samples-negative", [1, 1, -1], ShapeError),
    ("samples-zero", [0, 0, 0], OptionError),
):
    op(
        "mean_squared_error",
        _variant,
        lambda d: (d.normal(3, 2), d.normal(3, 2)),
        lambda a, b, w=_weights: ops.mean_squared_error(a, b, sample_weights=w),
        refuses=_error,
    )
op(
    "mean_squared_error",
    "empty",
    lambda d: (d.normal(0, 3), d.normal(0, 3)),
    ops.mean_squared_error,
    refuses=ShapeError,
)
op(
    "mean_squared_error",
    "mismatch",
    lambda d: (d.normal(2, 3), d.normal(4)),
    ops.mean_squared_error,
    refuses=ShapeError,
)

PROBABILITIES = Draw("probabilities").rng.uniform(size=(3, 4)).round(2)
op(
    "binary_cross_entropy",
    "matrix",
    lambda d: (d.normal(3, 4),),
    lambda z: ops.binary_cross_entropy(z, PROBABILITIES),
    lambda z: np.mean(-PROBABILITIES * np.log(special.expit(z)) - (1 - PROBABILITIES) * np.log(special.expit(-z))),
    lambda t, z: t.nn.functional.binary_cross_entropy_with_logits(z, t.as_tensor(PROBABILITIES, dtype=z.dtype)),
)
op(
    "binary_cross_entropy",
    "list",
    lambda d: (d.normal(3),),
    lambda z: ops.binary_cross_entropy(z, [0.1, 1, 0]),
    lambda z: np.mean(np.logaddexp(0, z) - z * np.array([0.1, 1, 0])),
)
op(
    "binary_cross_entropy",
    "large",
    lambda d: (np.array([-500.0, 500.0]),),
    lambda z: ops.binary_cross_entropy(z, [1, 0]),
    lambda z: np.asarray(500.0),
)
op(
    "binary_cross_entropy",
    "0d",
    lambda d: (d.normal(),),
    lambda z: ops.binary_cross_entropy(z, 1.0),
    lambda z: np.logaddexp(0, -z),
)
op(
    "binary_cross_entropy",
    "empty",
    lambda d: (d.normal(0),),
    lambda z: ops.binary_cross_entropy(z, np.empty(0)),
    refuses=ShapeError,
)
op(
    "binary_cross_entropy",
    "mismatch",
    lambda d: (d.normal(3),),
    lambda z: ops.binary_cross_entropy(z, [1.0]),
    refuses=ShapeError,
)
BINARY = Draw("binary targets").rng.uniform(size=(5, 4)).round(2)
op(
    "binary_cross_entropy",
    "samples",
    lambda d: (d.normal(5, 4),),
    lambda z: ops.binary_cross_entropy(z, BINARY, sample_weights=SAMPLE_WEIGHTS),
    lambda z: np.average(np.mean(np.logaddexp(0, z) - z * BINARY, axis=1), weights=SAMPLE_WEIGHTS),
    lambda t, z: (
        t.nn.functional.binary_cross_entropy_with_logits(
            z, t.as_tensor(BINARY, dtype=z.dtype), weight=t.as_tensor(SAMPLE_WEIGHTS, dtype=z.dtype)[:, None]
        )
        * len(SAMPLE_WEIGHTS)
        / SAMPLE_WEIGHTS.sum()
    ),
)
PAIRS = Draw("true and taught").simplex(10, 4).reshape(5, 2, 4)
for _temperature, _weight in ((2.0, 0.9), (1.0, 0.5), (4.0, 1.0), (3.0, 0.0)):
    op(
        "distillation_loss",
        f"temperature {_temperature:g}, weight {_weight:g}",
        lambda d: (d.normal(5, 4),),
        lambda z, t=_temperature, a=_weight: ops.distillation_loss(z, PAIRS, temperature=t, weight=a),
        lambda z, t=_temperature, a=_weight: (
            -(1 - a) * np.mean(np.sum(PAIRS[:, 0] * special.log_softmax(z, axis=1), axis=1))
            - a * t**2 * np.mean(np.sum(PAIRS[:, 1] * special.log_softmax(z / t, axis=1), axis=1))
        ),
        lambda torch, z, t=_temperature, a=_weight: (
            (1 - a) * torch.nn.functional.cross_entropy(z, torch.as_tensor(PAIRS[:, 0], dtype=z.dtype))
            + a * t**2 * torch.nn.functional.cross_entropy(z / t, torch.as_tensor(PAIRS[:, 1], dtype=z.dtype))
        ),
    )
for _name, _targets, _options in (
    ("shape", SOFT, {}),
    ("temperature", PAIRS, {"temperature": 0.0}),
    ("weight", PAIRS, {"weight": 1.5}),
):
    op(
        "distillation_loss",
        f"bad {_name}",
        lambda d: (d.normal(5, 4),),
        lambda z, q=_targets, o=_options: ops.distillation_loss(z, q, **o),
        refuses=OptionError if _options else ShapeError,
    )
op(
    "sigmoid_squared_error",
    "labels",
    lambda d: (d.normal(5, 4),),
    lambda z: ops.sigmoid_squared_error(z, LABELS),
    lambda z: np.mean(np.sum((special.expit(z) - np.eye(4)[LABELS]) ** 2, axis=1) / 2),
    lambda t, z: ((t.sigmoid(z) - t.nn.functional.one_hot(t.as_tensor(LABELS), 4)) ** 2).sum(1).mean() / 2,
)
op(
    "sigmoid_squared_error",
    "samples",
    lambda d: (d.normal(5, 4),),
    lambda z: ops.sigmoid_squared_error(z, LABELS, sample_weights=SAMPLE_WEIGHTS),
    lambda z: np.average(np.sum((special.expit(z) - np.eye(4)[LABELS]) ** 2, axis=1) / 2, weights=SAMPLE_WEIGHTS),
    lambda t, z: (
        (
            (((t.sigmoid(z) - t.nn.functional.one_hot(t.as_tensor(LABELS), 4)) ** 2).sum(1) / 2)
            * t.as_tensor(SAMPLE_WEIGHTS, dtype=z.dtype)
        ).sum()
        / SAMPLE_WEIGHTS.sum()
    ),
)
op(
    "sigmoid_squared_error",
    "one",
    lambda d: (d.normal(1, 1),),
    lambda z: ops.sigmoid_squared_error(z, [0]),
    lambda z: ((special.expit(z) - 1) ** 2).sum() / 2,
)
op(
    "sigmoid_squared_error",
    "empty",
    lambda d: (d.normal(0, 4),),
    lambda z: ops.sigmoid_squared_error(z, np.empty(0, int)),
    refuses=ShapeError,
)
op(
    "sigmoid_squared_error",
    "vector",
    lambda d: (d.normal(4),),
    lambda z: ops.sigmoid_squared_error(z, [0]),
    refuses=ShapeError,
)
op(
    "sigmoid_squared_error",
    "label-outside",
    lambda d: (d.normal(2, 4),),
    lambda z: ops.sigmoid_squared_error(z, [0, 4]),
    refuses=ShapeError,
)
op(
    "sigmoid_squared_error",
    "labels-real",
    lambda d: (d.normal(2, 4),),
    lambda z: ops.sigmoid_squared_error(z, [0.0, 1.5]),
    refuses=ShapeError,
)

CTC_TARGETS = np.array([[1, 2, -1], [3, -1, -1], [2, 2, -1], [-1, -1, -1], [1, 2, 3]])
CTC_LENGTHS = np.array([4, 2, 3, 1, 3])


def alignments(z: Array, target: list[int], blank: int) -> list[tuple[tuple[int, ...], float]]:
    """Every way to write a target as one label for each step, with the logarithm of its probability."""
    log_p = special.log_softmax(z, axis=1)
    found = []
    for path in itertools.product(range(z.shape[1]), repeat=len(z)):
        merged = [label for label, _ in itertools.groupby(path)]
        if [label for label in merged if label != blank] == target:
            found.append((path, float(sum(log_p[i, label] for i, label in enumerate(path)))))
    return found


def _ctc(z: Array, targets: Any, lengths: Any = None, blank: int = 0, reduction: str = "mean") -> Any:
    losses = np.zeros(len(z))
    for i, sample in enumerate(z):
        steps = sample if lengths is None else sample[: lengths[i]]
        target = [label for label in targets[i] if label >= 0]
        losses[i] = -special.logsumexp([value for _, value in alignments(steps, target, blank)])
    return {"none": losses, "sum": losses.sum(), "mean": losses.sum() / max(len(z), 1)}[reduction]


def _torch_ctc(t: Any, z: Any, targets: Any, lengths: Any = None, blank: int = 0, reduction: str = "mean") -> Any:
    rows = [[int(label) for label in row if label >= 0] for row in targets]
    steps = t.full((len(rows),), z.shape[1]) if lengths is None else t.as_tensor(lengths)
    flat, counts = t.tensor([label for row in rows for label in row]), t.tensor([len(row) for row in rows])
    p = t.log_softmax(z, 2).transpose(0, 1)
    losses = t.nn.functional.ctc_loss(p, flat, steps, counts, blank=blank, reduction="none")
    return {"none": losses, "sum": losses.sum(), "mean": losses.mean()}[reduction]


for _lengths in (None, CTC_LENGTHS):
    for _reduction in ("mean", "sum", "none"):
        op(
            "ctc_loss",
            f"{_reduction}{'' if _lengths is None else '-lengths'}",
            lambda d: (d.normal(5, 4, 4),),
            lambda z, m=_lengths, r=_reduction: ops.ctc_loss(z, CTC_TARGETS, m, reduction=r),
            lambda z, m=_lengths, r=_reduction: _ctc(z, CTC_TARGETS, m, 0, r),
            lambda t, z, m=_lengths, r=_reduction: _torch_ctc(t, z, CTC_TARGETS, m, 0, r),
        )
for _variant, _shape, _targets, _given, _blank in (
    ("last-blank", (5, 4, 4), CTC_TARGETS - (CTC_TARGETS > 0), CTC_TARGETS - (CTC_TARGETS > 0), 3),
    ("middle-blank", (2, 5, 3), np.array([[0, 2, 0], [2, 2, -1]]), np.array([[0, 2, 0], [2, 2, -1]]), 1),
    ("int32", (5, 4, 4), CTC_TARGETS, CTC_TARGETS.astype(np.int32), 0),
    ("uint8", (2, 3, 4), [[1, 2], [3, 3]], np.array([[1, 2], [3, 3]], np.uint8), 0),
    ("list", (5, 4, 4), CTC_TARGETS, CTC_TARGETS.tolist(), 0),
    ("strided", (5, 4, 4), CTC_TARGETS, np.repeat(CTC_TARGETS, 2, axis=1)[:, ::2], 0),
    ("one-step", (2, 1, 3), [[2], [-1]], [[2], [-1]], 0),
    ("no-room-to-spare", (1, 5, 3), [[1, 1, 1]], [[1, 1, 1]], 0),
):
    op(
        "ctc_loss",
        _variant,
        lambda d, s=_shape: (d.normal(*s),),
        lambda z, y=_given, b=_blank: ops.ctc_loss(z, y, blank=b),
        lambda z, y=_targets, b=_blank: _ctc(z, y, None, b),
        lambda t, z, y=_targets, b=_blank: _torch_ctc(t, z, y, None, b),
    )
op(
    "ctc_loss",
    "large",
    lambda d: (100 * d.distinct(5, 4, 4),),
    lambda z: ops.ctc_loss(z, CTC_TARGETS),
    lambda z: _ctc(z, CTC_TARGETS),
)
op(
    "ctc_loss",
    "lengths-by-name",
    lambda d: (d.normal(5, 4, 4),),
    lambda z: ops.ctc_loss(z, CTC_TARGETS, lengths=CTC_LENGTHS.tolist()),
    lambda z: _ctc(z, CTC_TARGETS, CTC_LENGTHS),
)
for _variant, _shape, _targets, _lengths in (
    ("no-targets", (2, 3, 4), np.empty((2, 0), int), None),
    ("no-targets-list", (2, 3, 4), [[], []], None),
    ("no-length", (2, 3, 4), [[1], [-1]], [2, 0]),
    ("no-steps", (2, 0, 4), [[-1], [-1]], None),
    ("only-the-blank", (2, 3, 1), [[-1], [-1]], None),
    ("no-samples", (0, 3, 4), np.empty((0, 2), int), None),
):
    op(
        "ctc_loss",
        _variant,
        lambda d, s=_shape: (d.normal(*s),),
        lambda z, y=_targets, m=_lengths: ops.ctc_loss(z, y, m, reduction="sum"),
        lambda z, y=_targets, m=_lengths: _ctc(z, y, m, 0, "sum"),
    )
for _variant, _shape, _arguments, _options, _error in (
    ("matrix", (3, 4), ([[1], [1], [1]],), {}, ShapeError),
    ("no-classes", (2, 3, 0), ([[-1], [-1]],), {}, OptionError),
    ("blank-outside", (2, 3, 4), ([[1], [1]],), {"blank": 4}, OptionError),
    ("blank-negative", (2, 3, 4), ([[1], [1]],), {"blank": -1}, OptionError),
    ("reduction-unknown", (2, 3, 4), ([[1], [1]],), {"reduction": "product"}, OptionError),
    ("no-samples-mean", (0, 3, 4), (np.empty((0, 2), int),), {}, OptionError),
    ("label-too-large", (2, 3, 4), ([[1], [4]],), {}, ShapeError),
    ("label-blank", (2, 3, 4), ([[1], [0]],), {}, ShapeError),
    ("label-negative", (2, 3, 4), ([[1], [-2]],), {}, ShapeError),
    ("label-behind", (2, 3, 4), ([[1, 2], [-1, 2]],), {}, ShapeError),
    ("targets-real", (2, 3, 4), ([[1.0], [2.0]],), {}, ShapeError),
    ("targets-flat", (2, 3, 4), ([1, 2],), {}, ShapeError),
    ("targets-ragged", (2, 3, 4), ([[1], [2, 1]],), {}, ShapeError),
    ("targets-too-few", (2, 3, 4), ([[1]],), {}, ShapeError),
    ("lengths-too-few", (2, 3, 4), ([[1], [1]], [3]), {}, ShapeError),
    ("lengths-too-large", (2, 3, 4), ([[1], [1]], [3, 4]), {}, ShapeError),
    ("lengths-negative", (2, 3, 4), ([[1], [-1]], [3, -1]), {}, ShapeError),
    ("lengths-real", (2, 3, 4), ([[1], [1]], [3.0, 3.0]), {}, ShapeError),
    ("target-too-long", (2, 3, 4), ([[1, 2, 3, 1], [1, -1, -1, -1]],), {}, ShapeError),
    ("repeats-too-long", (2, 3, 4), ([[1, 2], [1, 1]], [2, 2]), {}, ShapeError),
):
    op(
        "ctc_loss",
        _variant,
        lambda d, s=_shape: (d.normal(*s),),
        lambda z, a=_arguments, o=_options: ops.ctc_loss(z, *a, **o),
        refuses=_error,
    )

CTC_GUIDES = np.array([[-1, 1, -1, 2], [3, 0, -1, -1], [-1, -1, -1, -1], [0, -1, -1, 0], [3, 2, 1, -1]])


def _guided_ctc(z: Array, targets: Any, weight: float = 0.5, blank: int = 0, reduction: str = "mean") -> Any:
    guides, labels = np.split(np.asarray(targets), [z.shape[1]], axis=1)
    losses = _ctc(z, labels, None, blank, "none")
    log_p = special.log_softmax(np.asarray(z, float), axis=2)
    for i, t in np.argwhere(guides >= 0):
        losses[i] -= weight * log_p[i, t, guides[i, t]]
    return {"none": losses, "sum": losses.sum(), "mean": losses.sum() / max(len(z), 1)}[reduction]


def _torch_guided_ctc(
    t: Any, z: Any, targets: Any, weight: float = 0.5, blank: int = 0, reduction: str = "mean"
) -> Any:
    guides, labels = np.split(np.asarray(targets), [z.shape[1]], axis=1)
    losses = _torch_ctc(t, z, labels, None, blank, "none")
    steps = t.nn.functional.cross_entropy(z.transpose(1, 2), t.tensor(guides), ignore_index=-1, reduction="none")
    losses = losses + weight * steps.sum(1)
    return {"none": losses, "sum": losses.sum(), "mean": losses.mean()}[reduction]


for _variant, _options in {
    **{reduction: {"reduction": reduction} for reduction in ("mean", "sum", "none")},
    "weight": {"weight": 2.5},
    "no-weight": {"weight": 0},
}.items():
    op(
        "guided_ctc_loss",
        _variant,
        lambda d: (d.normal(5, 4, 4),),
        lambda z, o=_options: ops.guided_ctc_loss(z, np.hstack([CTC_GUIDES, CTC_TARGETS]), **o),
        lambda z, o=_options: _guided_ctc(z, np.hstack([CTC_GUIDES, CTC_TARGETS]), **o),
        lambda t, z, o=_options: _torch_guided_ctc(t, z, np.hstack([CTC_GUIDES, CTC_TARGETS]), **o),
    )
for _variant, _shape, _targets, _blank in (
    ("no-labels", (2, 3, 4), [[-1, 0, 2], [1, -1, -1]], 0),
    ("last-blank", (2, 3, 4), [[-1, 3, 2, 0, 1], [1, -1, -1, 2, -1]], 3),
    ("no-samples", (0, 3, 4), np.empty((0, 5), int), 0),
):
    op(
        "guided_ctc_loss",
        _variant,
        lambda d, s=_shape: (d.normal(*s),),
        lambda z, y=_targets, b=_blank: ops.guided_ctc_loss(z, y, blank=b, reduction="sum"),
        lambda z, y=_targets, b=_blank: _guided_ctc(z, y, 0.5, b, "sum"),
    )
op(
    "guided_ctc_loss",
    "large",
    lambda d: (100 * d.distinct(5, 4, 4),),
    lambda z: ops.guided_ctc_loss(z, np.hstack([CTC_GUIDES, CTC_TARGETS])),
    lambda z: _guided_ctc(z, np.hstack([CTC_GUIDES, CTC_TARGETS])),
)
for _variant, _shape, _targets, _options, _error in (
    ("matrix", (3, 4), [[-1, 1]] * 3, {}, ShapeError),
    ("fewer-than-steps", (2, 3, 4), [[-1, -1]] * 2, {}, ShapeError),
    ("one-for-all", (2, 3, 4), [[-1, -1, -1, 1]], {}, ShapeError),
    ("of-several-lengths", (2, 3, 4), [[-1, -1, -1, 1], [-1, -1, -1]], {}, ShapeError),
    ("floats", (2, 3, 4), [[-1.0, -1.0, -1.0, 1.0]] * 2, {}, ShapeError),
    ("guide-too-large", (2, 3, 4), [[-1, 4, -1, 1]] * 2, {}, ShapeError),
    ("guide-negative", (2, 3, 4), [[-1, -2, -1, 1]] * 2, {}, ShapeError),
    ("label-blank", (2, 3, 4), [[-1, -1, -1, 0]] * 2, {}, ShapeError),
    ("too-long", (2, 3, 4), [[-1, -1, -1, 1, 1, 1]] * 2, {}, ShapeError),
    ("weight-negative", (2, 3, 4), [[-1, -1, -1, 1]] * 2, {"weight": -0.5}, OptionError),
    ("weight-infinite", (2, 3, 4), [[-1, -1, -1, 1]] * 2, {"weight": np.inf}, OptionError),
    ("blank-outside", (2, 3, 4), [[-1, -1, -1, 1]] * 2, {"blank": 4}, OptionError),
    ("reduction-unknown", (2, 3, 4), [[-1, -1, -1, 1]] * 2, {"reduction": "product"}, OptionError),
    ("no-samples-mean", (0, 3, 4), np.empty((0, 5), int), {}, OptionError),
):
    op(
        "guided_ctc_loss",
        _variant,
        lambda d, s=_shape: (d.normal(*s),),
        lambda z, y=_targets, o=_options: ops.guided_ctc_loss(z, y, **o),
        refuses=_error,
    )

WITH_VALUE = [case for case in OPS if case.refuses is None]
REFUSED = [case for case in OPS if case.refuses is not None]


# Kernels


@dataclass(frozen=True)
class KernelCase:
    """One call of one kernel.

    Attributes:
        kernel: its name in `inkgrad.kernels`.
        variant: which call.
        arguments: from a Draw and a dtype to the arguments.
        changes: the positions of the arrays that it changes in place.
        dtypes: those that it is made for.
    """

    kernel: str
    variant: str
    arguments: Callable[[Draw, Any], tuple[Any, ...]]
    changes: tuple[int, ...] = ()
    dtypes: tuple[str, ...] = field(default=("float32", "float64"))

    @property
    def id(self) -> str:
        return f"{self.kernel}-{self.variant}"

    def make(self, dtype: str) -> tuple[Any, ...]:
        """Fresh arguments, the same at every call."""
        return self.arguments(Draw(self.id), np.dtype(dtype))


KERNELS: list[KernelCase] = []


def kernel(name: str, variant: str, arguments: Callable[[Draw, Any], tuple[Any, ...]], **options: Any) -> None:
    KERNELS.append(KernelCase(name, variant, arguments, **options))


for _activation in ACTIVATIONS:
    for _shape in ((), (0,), (1,), (7,), (3, 5), (2, 3, 5), (4, 0), (33, 17)):
        kernel(
            "activation_forward",
            f"{_activation}-{_shape}",
            lambda d, t, s=_shape, a=_activation: (4 * d.normal(*s).astype(t), a),
        )
        kernel(
            "activation_backward",
            f"{_activation}-{_shape}",
            lambda d, t, s=_shape, a=_activation: (
                d.normal(*s).astype(t),
                np.asarray(ACTIVATIONS[a](d.normal(*s)), t),
                a,
            ),
        )
    for _n, _i, _o in ((1, 1, 1), (3, 5, 4), (0, 5, 4), (3, 0, 4), (3, 5, 0), (33, 17, 65)):
        for _bias in (True, False):
            kernel(
                "affine_forward",
                f"{_activation}-{_n}x{_i}x{_o}{'-bias' if _bias else ''}",
                lambda d, t, n=_n, i=_i, o=_o, b=_bias, a=_activation: (
                    d.normal(n, i).astype(t),
                    d.normal(o, i).astype(t),
                    d.normal(o).astype(t) if b else None,
                    a,
                ),
            )
for _n, _k in ((1, 1), (5, 4), (0, 4), (33, 10), (7, 17)):
    for _scale in (1, 40):
        kernel(
            "cross_entropy_of_labels",
            f"{_n}x{_k}x{_scale}",
            lambda d, t, n=_n, k=_k, s=_scale: (s * d.normal(n, k).astype(t), d.labels(n, k), d.positive(n).astype(t)),
        )
        kernel(
            "cross_entropy_of_targets",
            f"{_n}x{_k}x{_scale}",
            lambda d, t, n=_n, k=_k, s=_scale: (s * d.normal(n, k).astype(t), d.positive(n, k).astype(t)),
        )
for _n, _t, _k, _l in ((5, 9, 4, 3), (1, 1, 1, 0), (0, 4, 3, 2), (3, 0, 2, 2), (20, 20, 11, 5), (2, 300, 17, 9)):
    for _blank in {0, _k - 1}:
        for _scale in (1, 40, 300):  # where the loss is large, all is done in logarithms
            kernel(
                "ctc_loss",
                f"{_n}x{_t}x{_k}x{_l}x{_scale}-{_blank}",
                lambda d, t, n=_n, m=_t, k=_k, most=_l, s=_scale, b=_blank: (
                    s * d.normal(n, m, k).astype(t),
                    d.sequences(n, k, min(most, m // 2), b),
                    d.rng.integers(2 * min(most, m // 2), m + 1, size=n),
                    b,
                ),
            )
kernel(
    "ctc_loss",
    "impossible",
    lambda d, t: (d.normal(3, 3, 4).astype(t), np.array([[1, 1], [1, 2], [2, -1]]), np.array([2, 2, 0]), 0),
)
for _n, _d, _b in ((1, 1, 1), (6, 5, 3), (6, 784, 4), (6, 0, 3), (6, 5, 0), (0, 5, 0)):
    for _scaling in ((1 / 255, 0.0), (2 / 255, -1.0), (1 / (255 * 0.3081), -0.1307 / 0.3081)):
        kernel(
            "gather_scaled",
            f"{_n}x{_d}x{_b}-{_scaling[0]:.4f}",
            lambda d, t, n=_n, w=_d, b=_b, s=_scaling: (
                d.rng.integers(256, size=(n, w), dtype=np.uint8),
                d.rng.integers(n, size=b) if b else np.empty(0, np.int64),
                *s,
            ),
            dtypes=("float32",),
        )
kernel(
    "gather_scaled",
    "negative-indices",
    lambda d, t: (d.rng.integers(256, size=(4, 3), dtype=np.uint8), np.array([-1, 0, -4]), 0.5, 1.0),
    dtypes=("float32",),
)
kernel(
    "gather_scaled",
    "int32-indices",
    lambda d, t: (d.rng.integers(256, size=(4, 3), dtype=np.uint8), np.array([1, 0], np.int32), 0.5, 1.0),
    dtypes=("float32",),
)


for _n, _h, _w, _a, _b in ((2, 5, 4, 5, 4), (3, 28, 28, 28, 28), (1, 1, 1, 2, 3), (2, 3, 6, 9, 1), (0, 4, 4, 4, 4)):
    for _far in (0.3, 1.0, 4.0):  # within the image, at its rim, and far outside
        kernel(
            "warp",
            f"{_n}x{_h}x{_w}-{_a}x{_b}-{_far}",
            lambda d, t, n=_n, h=_h, w=_w, a=_a, b=_b, far=_far: (
                d.normal(n, h, w).astype(t),
                ((h - 1) / 2 + far * h * d.rng.uniform(-1, 1, (n, a, b))).astype(t),
                ((w - 1) / 2 + far * w * d.rng.uniform(-1, 1, (n, a, b))).astype(t),
            ),
        )
kernel(
    "warp",
    "on-pixels",
    lambda d, t: (d.normal(1, 3, 4).astype(t), *(np.array(m, t)[None] for m in np.mgrid[-1:4, -1:5])),
)


def _normalized(name: str, d: Draw, t: Any, shape: tuple[int, ...], inner: tuple[int, ...]) -> tuple[Any, ...]:
    x, gamma, beta = (a.astype(t) for a in (d.normal(*shape), d.away(*inner), d.normal(*inner)))
    if name.endswith("forward"):
        return x, gamma, beta, 1e-5
    forward = getattr(kernels, name.replace("backward", "forward")).reference
    return d.normal(*shape).astype(t), gamma, forward(x, gamma, beta, 1e-5)[1]


for _direction in ("forward", "backward"):
    for _shape in ((1, 1), (5, 3), (5, 3, 4), (3, 2, 4, 5), (33, 17)):
        kernel(
            f"batch_norm_{_direction}",
            str(_shape),
            lambda d, t, s=_shape, n=f"batch_norm_{_direction}": _normalized(n, d, t, s, (s[1],)),
        )
    for _shape, _inner in (((1, 1), (1,)), ((5, 3), (3,)), ((0, 3), (3,)), ((2, 3, 4), (3, 4)), ((4,), (4,))):
        kernel(
            f"layer_norm_{_direction}",
            f"{_shape}-{_inner}",
            lambda d, t, s=_shape, i=_inner, n=f"layer_norm_{_direction}": _normalized(n, d, t, s, i),
        )


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else value


def _drawn(d: Draw, t: Any, *shapes: tuple[int, ...]) -> list[Array]:
    return [d.normal(*shape).astype(t) for shape in shapes]


for _variant, (_sx, _sw, _bias, _options, _) in {
    **CONVOLUTIONS,
    "blocks": ((70, 6, 14, 14), (5, 6, 5, 5), True, {"padding": 2}, True),  # more than one block of columns
}.items():
    _step, _around = _pair(_options.get("stride", 1)), _pair(_options.get("padding", 0))
    _sy = (
        *(_sx[0], _sw[0]),
        *((n + 2 * p - k) // s + 1 for n, k, s, p in zip(_sx[2:], _sw[2:], _step, _around, strict=True)),
    )
    kernel(
        "conv2d_forward",
        _variant,
        lambda d, t, x=_sx, w=_sw, b=_bias, s=_step, p=_around: (
            *_drawn(d, t, x, w),
            d.normal(w[0]).astype(t) if b else None,
            s,
            p,
        ),
    )
    kernel(
        "conv2d_input_gradient",
        _variant,
        lambda d, t, x=_sx, w=_sw, y=_sy, s=_step, p=_around: (*_drawn(d, t, y, w), x, s, p),
    )
    kernel(
        "conv2d_weight_gradient",
        _variant,
        lambda d, t, x=_sx, w=_sw, y=_sy, s=_step, p=_around: (*_drawn(d, t, y, x), w[2:], s, p),
    )


def _pooled(name: str, d: Draw, t: Any, shape: tuple[int, ...], window: tuple[Any, Any, Any]) -> tuple[Any, ...]:
    x = d.distinct(*shape).astype(t)
    if name.endswith("forward"):
        return x, *window
    y, chosen = kernels.max_pool2d_forward.reference(x, *window)
    g = d.normal(*y.shape).astype(t)
    return (g, chosen, shape, *window) if name.startswith("max") else (g, shape, *window)


for _name in ("max_pool2d_forward", "max_pool2d_backward", "average_pool2d_forward", "average_pool2d_backward"):
    for _variant, (_shape, _options, _) in POOLS.items():
        _window = tuple(
            _pair(v) for v in (_options["size"], _options.get("stride", _options["size"]), _options.get("padding", 0))
        )
        kernel(
            _name,
            _variant,
            lambda d, t, n=_name, s=_shape, w=_window: _pooled(n, d, t, s, w),
        )
for _shape in ((), (0,), (1,), (1000,), (5, 3), (2, 3, 4, 5), (3, 0, 2)):
    for _p in (0.0, 0.3, 0.5, 1 - 2**-53):
        kernel(
            "dropout_mask",
            f"{_shape}-{_p}",
            lambda d, t, s=_shape, p=_p: (int(d.rng.integers(2**63)), s, p),
            dtypes=("float32",),
        )

for _n in (0, 1, 7, 1000):
    for _momentum, _nesterov in ((0.0, False), (0.9, False), (0.9, True), (0.0, True)):
        kernel(
            "sgd_update",
            f"{_n}-{_momentum}{'-nesterov' if _nesterov else ''}",
            lambda d, t, n=_n, m=_momentum, v=_nesterov: (*(d.normal(n).astype(t) for _ in range(3)), 0.1, m, v),
            changes=(0, 2),
        )
    kernel(
        "adagrad_update",
        str(_n),
        lambda d, t, n=_n: (d.normal(n).astype(t), d.normal(n).astype(t), d.positive(n).astype(t), 0.1, 1e-8),
        changes=(0, 2),
    )
    kernel(
        "rmsprop_update",
        str(_n),
        lambda d, t, n=_n: (d.normal(n).astype(t), d.normal(n).astype(t), d.positive(n).astype(t), 0.1, 0.95, 1e-8),
        changes=(0, 2),
    )
    for _decay, _step in ((0.0, 1), (0.01, 1), (0.01, 1000)):
        kernel(
            "adam_update",
            f"{_n}-{_decay}-{_step}",
            lambda d, t, n=_n, w=_decay, k=_step: (
                *(d.normal(n).astype(t) for _ in range(3)),
                d.positive(n).astype(t),
                *(0.01, 0.9, 0.999, 1e-8, w, k),
            ),
            changes=(0, 2, 3),
        )


# Instructions: what plans run


@dataclass(frozen=True)
class InstructionCase:
    """One run of one instruction.

    Attributes:
        instruction: its name.
        variant: which run.
        items: from a Draw to its words: numbers, and arrays, of which it gets the address; a list of arrays stands for
            a table of their addresses, None for no array.
        numpy: from the items to what the arrays at some positions hold afterwards, masked where that may be anything;
            all other arrays stay as they are.
    """

    instruction: str
    variant: str
    items: Callable[[Draw], tuple[Any, ...]]
    numpy: Callable[..., dict[int, Any]]

    @property
    def id(self) -> str:
        return f"{self.instruction}-{self.variant}"

    def make(self) -> tuple[Any, ...]:
        """Fresh items, the same at every call."""
        return self.items(Draw(self.id))


INSTRUCTIONS: list[InstructionCase] = []
NOT_ARITHMETIC = {"ask", "each_image", "lead", "meet", "run", "serve"}  # tested where programs and threads are


def instruction(
    name: str, variant: str, items: Callable[[Draw], tuple[Any, ...]], numpy: Callable[..., dict[int, Any]]
) -> None:
    INSTRUCTIONS.append(InstructionCase(name, variant, items, numpy))


def _floats(array: Any) -> Array:
    return np.asarray(array, np.float32)


def _relu(x: Array, wanted: Any = True) -> Array:
    return np.where(x < 0, np.float32(0), x) if wanted else x  # NaN passes


def _anything(array: Array) -> Any:
    """Scratch: whatever is left in it."""
    return np.ma.masked_all(array.shape, array.dtype)


ACTIVATION_CODES = {"relu": 1, "sigmoid": 2, "tanh": 3}

for _variant, (_n, _size) in {"some": (3, 7), "long": (2, 65), "none": (0, 5)}.items():
    instruction(
        "zero",
        _variant,
        lambda d, n=_n, s=_size: (n, s, _floats(d.normal(n, s))),
        lambda n, s, y: {2: np.zeros((n, s))},
    )
    instruction(
        "copy",
        _variant,
        lambda d, n=_n, s=_size: (n, s, _floats(d.normal(n, s)), _floats(d.normal(n, s))),
        lambda n, s, x, y: {3: x},
    )
    instruction(
        "accumulate",
        _variant,
        lambda d, n=_n, s=_size: (n, s, _floats(d.normal(n, s)), _floats(d.normal(n, s))),
        lambda n, s, x, y: {3: y + x},
    )
    for _wanted in (0, 1):
        instruction(
            "add",
            f"{_variant}-{_wanted}",
            lambda d, n=_n, s=_size, r=_wanted: (n, s, *(_floats(d.normal(n, s)) for _ in range(3)), r),
            lambda n, s, a, b, y, r: {4: _relu(a + b, r)},
        )
    for _activation, _code in ACTIVATION_CODES.items():
        instruction(
            "activate",
            f"{_activation}-{_variant}",
            lambda d, n=_n, s=_size, k=_code: (n, s, k, _floats(4 * d.normal(n, s)), _floats(d.normal(n, s))),
            lambda n, s, k, x, y, a=_activation: {4: ACTIVATIONS[a](x)},
        )
        instruction(
            "activate_backward",
            f"{_activation}-{_variant}",
            lambda d, n=_n, s=_size, k=_code, a=_activation: (
                *(n, s, k),
                _floats(ACTIVATIONS[a](d.normal(n, s))),
                _floats(d.normal(n, s)),
            ),
            lambda n, s, k, y, g, a=_activation: {4: kernels.activation_backward.reference(g, y, a)},
        )
_SPOILED = _floats([np.nan, np.inf, -np.inf, -0.0, 0.0, 1e-40, -1e-40, 3e38])
instruction(
    "activate",
    "relu-special",
    lambda d: (1, 8, 1, _SPOILED, np.ones(8, np.float32)),
    lambda n, s, k, x, y: {4: _relu(x)},
)
instruction(
    "activate_backward",
    "relu-special",
    lambda d: (1, 8, 1, _floats([0, -1, 1, 0, np.nan, 2, 0, 1]), _SPOILED),
    lambda n, s, k, y, g: {4: _floats([0, 0, -np.inf, 0, 0, 1e-40, 0, 3e38])},
)
instruction(
    "add",
    "special",
    lambda d: (1, 8, _SPOILED, np.zeros(8, np.float32), np.ones(8, np.float32), 1),
    lambda n, s, a, b, y, r: {4: _relu(a)},
)


instruction(
    "activate",
    "in-place",
    lambda d: (3, 7, 2, *[_floats(d.normal(3, 7))] * 2),
    lambda n, s, k, x, y: {3: special.expit(x), 4: special.expit(x)},
)
for _first, _last, _threads, _resume in ((0, 20, 1, 0), (3, 17, 3, 0), (3, 17, 2, 1), (5, 5, 3, 1)):
    instruction(
        "sum_parts",
        f"{_first}-{_last}-{_threads}-{_resume}",
        lambda d, f=_first, e=_last, t=_threads, r=_resume: (
            *(f, e, t, [_floats(d.normal(20)) for _ in range(t)]),
            *(_floats(d.normal(20)), _floats([3.0]), r),
        ),
        lambda f, e, t, parts, y, squares, r: _sum_parts(f, e, parts, y, squares, r),
    )


def _sum_parts(first: int, last: int, parts: list[Array], y: Array, squares: Array, resume: int) -> dict[int, Any]:
    y = y.copy()
    for part in parts[1:]:
        y[first:last] += part[first:last]
    return {4: y, 5: (y[first:last].astype(float) ** 2).sum() + (squares if resume else 0)}


for _n, _pixels, _depth, _whole, _p in (
    *((2, 5, 3, 0, 0.5), (2, 5, 3, 1, 0.5), (3, 1, 33, 0, 0.25), (1, 4, 16, 1, 0.9)),
    *((2, 1, 20, 0, 0.0), (0, 3, 3, 0, 0.5), (2, 3, 3, 0, 1 - 2**-53)),
):
    for _same in (False, True):
        instruction(
            "drop",
            f"{_n}x{_pixels}x{_depth}-{_whole}-{_p}{'-in-place' if _same else ''}",
            lambda d, n=_n, q=_pixels, c=_depth, w=_whole, p=_p, same=_same: _dropped(d, n, q, c, w, p, same),
            lambda start, n, q, c, w, seeds, threshold, scale, x, y, p=_p: (
                {9: x * _drop_mask(start, n, q, c, w, seeds, p)}
                | ({8: x * _drop_mask(start, n, q, c, w, seeds, p)} if x is y else {})
            ),
        )


def _dropped(d: Draw, n: int, pixels: int, c: int, whole: int, p: float, same: bool) -> tuple[Any, ...]:
    seeds = d.rng.integers(2**32, size=2, dtype=np.uint32)
    x = _floats(d.normal(n, pixels, c))
    y = x if same else _floats(d.normal(n, pixels, c))
    return 7, n, pixels, c, whole, seeds, int(np.floor(p * 2**32)), _floats([1 / (1 - p)]), x, y


def _drop_mask(start: int, n: int, pixels: int, c: int, whole: int, seeds: Array, p: float) -> Array:
    """That of images start.. of a batch, from (n, c, pixels) to (n, pixels, c)."""
    seed = int(seeds[0]) | int(seeds[1]) << 32
    if whole:
        mask = kernels.dropout_mask.reference(seed, (start + n, c, 1), p)
    else:
        mask = kernels.dropout_mask.reference(seed, (start + n, c, pixels), p)
    return mask[start:].swapaxes(1, 2)


# Statistics

for _n, _rows, _columns, _resume in ((3, 4, 5, 0), (3, 4, 5, 1), (0, 4, 5, 0), (0, 4, 5, 1), (2, 1, 33, 0)):
    instruction(
        "sum_columns",
        f"{_n}x{_rows}x{_columns}-{_resume}",
        lambda d, n=_n, r=_rows, c=_columns, k=_resume: (
            *(n, r, c, _floats(d.normal(n, r, c)), _floats(d.normal(c)), k),
        ),
        lambda n, r, c, x, y, k: {4: x.sum(axis=(0, 1), dtype=float) + (y if k else 0)},
    )
for _wanted in (0, 1):
    instruction(
        "first_values",
        str(_wanted),
        lambda d, w=_wanted: (w, 5, _floats(d.normal(3, 5)), _floats(d.normal(5))),
        lambda w, c, x, y: {3: x[0]} if w else {},
    )
    instruction(
        "scale_shift",
        str(_wanted),
        lambda d, w=_wanted: (
            *(2, 3, 17, _floats(d.normal(17)), _floats(d.normal(17)), w),
            *(_floats(d.normal(2, 3, 17)), _floats(d.normal(2, 3, 17))),
        ),
        lambda n, p, c, scale, shift, w, x, y: {7: _relu(x * scale + shift, w)},
    )
    for _bias in (True, False):
        instruction(
            "fold_norm",
            f"{_wanted}-{_bias}",  # all outputs, or some of them
            lambda d, w=_wanted, b=_bias: (
                *(2 * w, 7 - w, 9, _floats(d.normal(7, 9)), _floats(d.normal(7)) if b else None),
                *(_floats(d.normal(7)), _floats(d.positive(7)), np.array([1e-3])),
                *(_floats(d.normal(*s)) for s in ((7,), (7,), (7, 9), (7,))),
            ),
            lambda *items: _fold_norm(*items),
        )


def _fold_norm(
    first: int,
    last: int,
    size: int,
    weight: Array,
    bias: Any,
    mean: Array,
    variance: Array,
    eps: Array,
    gamma: Array,
    beta: Array,
    folded: Array,
    shift: Array,
) -> dict[int, Any]:
    scale = gamma.astype(float) / np.sqrt(variance.astype(float) + eps)
    folded, shift = folded.astype(float), shift.astype(float)
    part = slice(first, last)
    folded[part] = (weight * scale[:, None])[part]
    shift[part] = (beta + ((0 if bias is None else bias) - mean.astype(float)) * scale)[part]
    return {10: folded, 11: shift}


for _n, _pixels, _depth in ((3, 4, 5), (2, 1, 17), (0, 4, 3), (1, 50, 1)):
    _name = f"{_n}x{_pixels}x{_depth}"
    instruction(
        "sum_moments",
        _name,
        lambda d, n=_n, p=_pixels, c=_depth: (
            *(n, p, c, _floats(3 + d.normal(n, p, c)), _floats(3 + d.normal(c))),
            *(d.normal(2, c), _floats(d.normal(2, c))),
        ),
        lambda n, p, c, x, shift, part, sums: {5: _moments(x, shift), 6: _anything(sums)},
    )
    for _relu_wanted in (0, 1):
        instruction(
            "norm_forward",
            f"{_name}-{_relu_wanted}",
            lambda d, n=_n, p=_pixels, c=_depth, r=_relu_wanted: _norm_forward_items(d, n, p, c, r),
            lambda *items: _norm_forward(*items),
        )
        instruction(
            "sum_products",
            f"{_name}-{_relu_wanted}",
            lambda d, n=_n, p=_pixels, c=_depth, r=_relu_wanted: (
                *(n, p, c, _floats(d.normal(n, p, c)), _floats(d.normal(2, c)), _floats(d.positive(c))),
                *(_floats(d.normal(n, p, c)), _floats(d.normal(n, p, c)), d.normal(2, c), _floats(d.normal(2, c)), r),
            ),
            lambda *items: _sum_products(*items),
        )
    for _same in (False, True):
        instruction(
            "norm_backward",
            f"{_name}{'-in-place' if _same else ''}",
            lambda d, n=_n, p=_pixels, c=_depth, same=_same: _norm_backward_items(d, n, p, c, same),
            lambda *items: _norm_backward(*items),
        )
instruction(
    "part_to_gradients",
    "some",
    lambda d: (17, d.normal(2, 17), _floats(d.normal(17)), _floats(d.normal(17))),
    lambda c, part, gamma, beta: {2: part[1], 3: part[0]},
)


def _moments(x: Array, shift: Array) -> Array:
    distance = (x - shift).astype(float)
    return np.stack([distance.sum(axis=(0, 1)), (distance**2).sum(axis=(0, 1))])


def _norm_forward_items(d: Draw, n: int, pixels: int, c: int, relu: int) -> tuple[Any, ...]:
    """A thread's part of a batch, of which another thread has another part."""
    x, others, shift = (
        _floats(2 + d.normal(n, pixels, c)),
        _floats(2 + d.normal(2, pixels, c)),
        _floats(2 + d.normal(c)),
    )
    parts = [_moments(x, shift), _moments(others, shift)]
    numbers = (np.array([float((n + 2) * pixels)]), np.array([1e-5]), _floats(d.normal(c)), _floats(d.normal(c)))
    return (
        n,
        pixels,
        c,
        x,
        shift,
        parts,
        2,
        *numbers,
        *(_floats(d.normal(*s)) for s in ((2, c), (c,), (n, pixels, c))),
        relu,
    )


def _norm_forward(
    n: int,
    pixels: int,
    c: int,
    x: Array,
    shift: Array,
    parts: list[Array],
    threads: int,
    total: Array,
    eps: Array,
    gamma: Array,
    beta: Array,
    mean: Array,
    deviation: Array,
    y: Array,
    relu: int,
) -> dict[int, Any]:
    first, second = sum(parts) / total
    variance = np.maximum(second - first**2, 0)
    made = 1 / np.sqrt(variance + eps)
    out = (x - (shift + first)) * made * gamma + beta
    return {11: np.stack([shift + first, variance]), 12: made, 13: _relu(out, relu)}


def _sum_products(
    n: int,
    pixels: int,
    c: int,
    x: Array,
    mean: Array,
    deviation: Array,
    y: Array,
    g: Array,
    part: Array,
    sums: Array,
    relu: int,
) -> dict[int, Any]:
    g = np.where(y <= 0, np.float32(0), g) if relu else g
    products = g.astype(float) * ((x - mean[0]) * deviation)
    return {7: g, 8: np.stack([g.sum(axis=(0, 1), dtype=float), products.sum(axis=(0, 1))]), 9: _anything(sums)}


def _norm_backward_items(d: Draw, n: int, pixels: int, c: int, same: bool) -> tuple[Any, ...]:
    x, g = _floats(d.normal(n, pixels, c)), _floats(d.normal(n, pixels, c))
    head = (n, pixels, c, x, _floats(d.normal(2, c)), _floats(d.positive(c)), _floats(d.normal(c)))
    tail = (np.array([(n + 1.0) * pixels]), _floats(d.normal(3, c)), g, g if same else _floats(d.normal(n, pixels, c)))
    return *head, [d.normal(2, c) for _ in range(2)], 2, *tail


def _norm_backward(
    n: int,
    pixels: int,
    c: int,
    x: Array,
    mean: Array,
    deviation: Array,
    gamma: Array,
    parts: list[Array],
    threads: int,
    total: Array,
    scratch: Array,
    g: Array,
    out: Array,
) -> dict[int, Any]:
    first, second = sum(parts) / total
    wanted = gamma * deviation * (g - first - (x - mean[0]) * deviation * second)
    return {10: _anything(scratch), 12: wanted} | ({11: wanted} if out is g else {})


# Losses and what they decide


def _loss(d: Draw, n: int, k: int, scale: float, labels: Any = None) -> tuple[Any, ...]:
    labels = d.labels(n, k) if labels is None else np.asarray(labels)
    return n, k, _floats(scale * d.normal(n, k)), labels


def _judged(d: Draw, n: int, k: int, weighted: bool) -> tuple[Any, ...]:
    """Whether images have weights, these, the scale, and room for gradient and loss."""
    weights = _floats(2 ** np.rint(d.normal(n)) * (np.arange(n) != 1)) if weighted else None
    return int(weighted), weights, _floats([0.25]), _floats(d.normal(n, k)), d.normal(2)


def _told(losses: Array, slopes: Array, weights: Any, scale: Array) -> dict[int, Any]:
    """Gradient and loss as the items have them, from those of each image."""
    each = np.ones(len(losses)) if weights is None else weights.astype(float)
    return {7: scale * each[:, None] * slopes, 8: np.array([(each * losses).sum(), 0.0])}


for _n, _k, _scale in ((5, 4, 1), (3, 1, 1), (0, 4, 1), (4, 17, 30), (1, 10, 200)):
    for _weighted in (False, True):
        for _smoothing in (0.0, 0.1):
            instruction(
                "softmax_cross_entropy",
                f"{_n}x{_k}x{_scale}-{_smoothing}-{_weighted}",
                lambda d, n=_n, k=_k, s=_scale, q=_smoothing, w=_weighted: (
                    *_loss(d, n, k, s),
                    *_judged(d, n, k, w),
                    _floats([q]),
                ),
                lambda *items: _softmax_cross_entropy(*items),
            )
            instruction(
                "softmax_cross_entropy_of_targets",
                f"{_n}x{_k}x{_scale}-{_smoothing}-{_weighted}",
                lambda d, n=_n, k=_k, s=_scale, q=_smoothing, w=_weighted: (
                    *(n, k, _floats(s * d.normal(n, k)), _floats(d.simplex(n, k))),
                    *_judged(d, n, k, w),
                    _floats([q]),
                ),
                lambda *items: _soft_cross_entropy(*items),
            )
        instruction(
            "squared_error_of_sigmoid",
            f"{_n}x{_k}x{_scale}-{_weighted}",
            lambda d, n=_n, k=_k, s=_scale, w=_weighted: (*_loss(d, n, k, min(s, 3)), *_judged(d, n, k, w)),
            lambda *items: _squared_error_of_sigmoid(*items),
        )
        instruction(
            "squared_error",
            f"{_n}x{_k}x{_scale}-{_weighted}",
            lambda d, n=_n, k=_k, s=_scale, w=_weighted: (
                *(n, k, _floats(s * d.normal(n, k)), _floats(d.normal(n, k))),
                *_judged(d, n, k, w),
            ),
            lambda *items: _squared_error(*items),
        )
        instruction(
            "binary_cross_entropy",
            f"{_n}x{_k}x{_scale}-{_weighted}",
            lambda d, n=_n, k=_k, s=_scale, w=_weighted: (
                *(n, k, _floats(s * d.normal(n, k)), _floats(special.expit(d.normal(n, k)))),
                *_judged(d, n, k, w),
            ),
            lambda *items: _binary_cross_entropy(*items),
        )
    for _smoothing in (0.0, 0.1):
        instruction(
            "distillation",
            f"{_n}x{_k}x{_scale}-{_smoothing}",
            lambda d, n=_n, k=_k, s=_scale, q=_smoothing: (
                *(n, k, _floats(s * d.normal(n, k)), _floats(d.simplex(2 * n, k).reshape(n, 2, k))),
                *_judged(d, n, k, False),
                _floats([1 + 10 * q, 0.9 - q]),
            ),
            lambda *items: _distillation(*items),
        )
for _label in (4, -1, 2**62):
    instruction(
        "softmax_cross_entropy",
        f"label {_label}",
        lambda d, o=_label: (*_loss(d, 3, 4, 1, [1, o, 3]), *_judged(d, 3, 4, False), _floats([0.1])),
        lambda *items: {7: _anything(items[7]), 8: np.ma.array([0.0, 1.0], mask=[True, False])},
    )
    instruction(
        "squared_error_of_sigmoid",
        f"label {_label}",
        lambda d, o=_label: (*_loss(d, 3, 4, 1, [1, o, 3]), *_judged(d, 3, 4, False)),
        lambda *items: {7: _anything(items[7]), 8: np.ma.array([0.0, 1.0], mask=[True, False])},
    )


def _soft_cross_entropy(
    n: int,
    k: int,
    z: Array,
    targets: Array,
    weighted: int,
    weights: Any,
    scale: Array,
    gradient: Array,
    loss: Array,
    smoothing: Array,
) -> dict[int, Any]:
    z, s = z.astype(float), float(smoothing[0])
    targets = (1 - s) * targets + s / k
    losses = -(targets * special.log_softmax(z, axis=1)).sum(axis=1)
    return _told(losses, special.softmax(z, axis=1) - targets, weights, scale)


def _distillation(
    n: int,
    k: int,
    z: Array,
    targets: Array,
    weighted: int,
    weights: Any,
    scale: Array,
    gradient: Array,
    loss: Array,
    settings: Array,
) -> dict[int, Any]:
    z, (t, a) = z.astype(float), settings.astype(float)
    losses = -(1 - a) * (targets[:, 0] * special.log_softmax(z, axis=1)).sum(axis=1)
    losses -= a * t * t * (targets[:, 1] * special.log_softmax(z / t, axis=1)).sum(axis=1)
    slopes = (1 - a) * (special.softmax(z, axis=1) - targets[:, 0])
    slopes += a * t * (special.softmax(z / t, axis=1) - targets[:, 1])
    return _told(losses, slopes, weights, scale)


def _softmax_cross_entropy(n: int, k: int, z: Array, labels: Array, *rest: Any) -> dict[int, Any]:
    return _soft_cross_entropy(n, k, z, np.eye(k)[labels], *rest)


def _squared_error_of_sigmoid(
    n: int, k: int, z: Array, labels: Array, weighted: int, weights: Any, scale: Array, gradient: Array, loss: Array
) -> dict[int, Any]:
    y = special.expit(z.astype(float))
    d = y - np.eye(k)[labels]
    return _told((d * d).sum(axis=1) / 2, d * y * (1 - y), weights, scale)


def _squared_error(
    n: int, k: int, p: Array, targets: Array, weighted: int, weights: Any, scale: Array, gradient: Array, loss: Array
) -> dict[int, Any]:
    d = p.astype(float) - targets
    return _told((d * d).mean(axis=1), 2 * d / k, weights, scale)


def _binary_cross_entropy(
    n: int, k: int, z: Array, targets: Array, weighted: int, weights: Any, scale: Array, gradient: Array, loss: Array
) -> dict[int, Any]:
    z, t = z.astype(float), targets.astype(float)
    losses = (np.logaddexp(0, z) - t * z).mean(axis=1)
    return _told(losses, (special.expit(z) - t) / k, weights, scale)


def _ctc_items(
    d: Draw, n: int, t: int, k: int, scale: float, blank: int, targets: Any, guides: Any = None
) -> tuple[Any, ...]:
    targets = np.asarray(targets)
    width = targets.shape[1]
    told = np.empty((n, 0), int) if guides is None else np.asarray(guides)
    sizes = np.array([t, k, width, blank, told.shape[1]])
    scratch = d.normal(2 * t * k + (t + 2) * (2 * width + 1))
    z, gradient = _floats(scale * d.normal(n, t, k)), _floats(d.normal(n, t, k))
    both = np.ascontiguousarray(np.hstack([told, targets]))
    return n, t * k, z, both, sizes, scratch, _floats([0.25]), gradient, d.normal(2), _floats([0.75])


def _ctc_instruction(
    n: int,
    size: int,
    z: Array,
    targets: Array,
    sizes: Array,
    scratch: Array,
    scale: Array,
    gradient: Array,
    loss: Array,
    weight: Array,
) -> dict[int, Any]:
    lengths, guides = np.full(n, sizes[0]), targets[:, : sizes[4]]
    labels = np.ascontiguousarray(targets[:, sizes[4] :])
    losses, slopes = kernels.ctc_loss.reference(z.astype(float), labels, lengths, int(sizes[3]))
    log_p = special.log_softmax(z.astype(float), axis=2)
    for i, t in np.argwhere(guides >= 0):
        losses[i] -= weight[0] * log_p[i, t, guides[i, t]]
        slopes[i, t] += weight[0] * (np.exp(log_p[i, t]) - np.eye(z.shape[2])[guides[i, t]])
    return {5: _anything(scratch), 7: scale * slopes, 8: np.array([losses.sum(), 0.0])}


for _n, _t, _k, _l in ((5, 9, 4, 3), (1, 1, 1, 0), (0, 4, 3, 2), (7, 20, 11, 5), (2, 300, 17, 9)):
    for _scale in (1, 40, 300):
        instruction(
            "ctc",
            f"{_n}x{_t}x{_k}x{_l}x{_scale}",
            lambda d, n=_n, t=_t, k=_k, m=_l, s=_scale: _ctc_items(d, n, t, k, s, k - 1, d.sequences(n, k, m, k - 1)),
            _ctc_instruction,
        )
        instruction(
            "ctc",
            f"guided-{_n}x{_t}x{_k}x{_l}x{_scale}",
            lambda d, n=_n, t=_t, k=_k, m=_l, s=_scale: _ctc_items(
                d, n, t, k, s, k - 1, d.sequences(n, k, m, k - 1), d.rng.integers(-1, k, (n, t))
            ),
            _ctc_instruction,
        )
_CTC_WRONG = {
    "too large": [4, -1, -1],
    "huge": [2**62, -1, -1],
    "blank": [1, 0, -1],
    "negative": [1, -2, -1],
    "behind": [-1, 1, -1],
    "too long": [2, 2, 1],
}
_GUIDES_WRONG = {"guide too large": [-1, 4, 0], "guide huge": [-1, 2**62, 0], "guide negative": [-2, -1, 1]}
for _variant, _label, _guide in (
    *((name, label, None) for name, label in _CTC_WRONG.items()),
    *((name, [1, -1, -1], guide) for name, guide in _GUIDES_WRONG.items()),
):
    instruction(
        "ctc",
        f"label {_variant}",
        lambda d, y=_label, c=_guide: _ctc_items(
            d, 3, 3, 4, 1, 0, [[1, 2, -1], y, [3, -1, -1]], None if c is None else [[-1, -1, -1], c, [0, 1, 2]]
        ),
        lambda *items: {
            5: _anything(items[5]),
            7: _anything(items[7]),
            8: np.ma.array([0.0, 1.0], mask=[True, False]),
        },
    )


for _variant, (_squares, _losses, _go) in {
    "good": ((1.0, 2.0), ((3.0, 0.0), (-4.0, 0.0)), 1),
    "gradient": ((1.0, np.inf), ((3.0, 0.0), (4.0, 0.0)), 0),
    "nan": ((np.nan, 1.0), ((3.0, 0.0), (4.0, 0.0)), 0),
    "loss": ((1.0, 1.0), ((np.inf, 0.0), (-np.inf, 0.0)), 0),
    "label": ((1.0, 1.0), ((3.0, 0.0), (4.0, 1.0)), 0),
}.items():
    instruction(
        "judge",
        _variant,
        lambda d, s=_squares, e=_losses: (2, [_floats([v]) for v in s], [np.array(v) for v in e], np.array([7])),
        lambda threads, squares, losses, go, wanted=_go: {3: np.array([wanted])},
    )

# Updates: the instruction, its numbers, the kernel that says what it does, and that kernel's other arguments
for _name, _variant, _numbers, _kernel, _arguments in (
    ("sgd", "plain", (0.1, 0.0, 0.0), kernels.sgd_update, (0.1, 0.0, False)),
    ("sgd", "momentum", (0.1, 0.9, 0.0), kernels.sgd_update, (0.1, 0.9, False)),
    ("sgd", "nesterov", (0.1, 0.9, 1.0), kernels.sgd_update, (0.1, 0.9, True)),
    ("adagrad", "plain", (0.1, 1e-8), kernels.adagrad_update, (0.1, 1e-8)),
    ("rmsprop", "plain", (0.1, 0.9, 0.1, 1e-8), kernels.rmsprop_update, (0.1, 0.9, 1e-8)),
    (
        *("adam", "plain"),
        (0.1 / (1 - 0.9**3), 1 - 0.1 * 0.02, 0.9, 0.1, 0.99, 0.01, 1 / np.sqrt(1 - 0.99**3), 1e-8),
        *(kernels.adam_update, (0.1, 0.9, 0.99, 1e-8, 0.02, 3)),
    ),
):
    for _first, _last, _go in ((0, 37, 1), (5, 21, 1), (0, 37, 0), (9, 9, 1)):
        instruction(
            _name,
            f"{_variant}-{_first}-{_last}-{_go}",
            lambda d, go=_go, f=_first, e=_last, k=_numbers, name=_name: (
                *(np.array([go]), f, e, _floats(k), _floats(d.normal(37)), _floats(d.normal(37))),
                *((_floats(d.normal(37)),) if name == "adam" else ()),
                _floats(d.positive(37)),
            ),
            lambda go, f, e, numbers, *arrays, k=_kernel, a=_arguments: _updated(go, f, e, arrays, k, a),
        )


def _updated(
    go: Array, first: int, last: int, arrays: tuple[Array, ...], kernel: Any, arguments: Any
) -> dict[int, Any]:
    arrays = tuple(array.copy() for array in arrays)
    if go[0]:
        kernel.reference(*(array[first:last] for array in arrays), *arguments)
    return {4: arrays[0]} | {6 + i: array for i, array in enumerate(arrays[2:])}


# Images, with the channels last


def _window_table(x: tuple[int, int, int], size: Any, stride: Any, padding: Any) -> tuple[Array, tuple[int, int]]:
    """The geometry of a pooling of images (h, w, c), and the lengths of what comes out."""
    (kh, kw), steps, around = _pair(size), _pair(stride), _pair(padding)
    out = tuple((n + 2 * p - k) // s + 1 for n, k, s, p in zip(x[:2], (kh, kw), steps, around, strict=True))
    i, j = np.mgrid[:kh, :kw]
    return np.array([*out, kh, kw, *steps, *around, *((i * x[1] + j) * x[2]).ravel()]), (out[0], out[1])


def _first_last(x: Array) -> Array:
    """(n, h, w, c) -> (n, c, h, w)."""
    return x.transpose(0, 3, 1, 2)


def _last_first(x: Array) -> Array:
    return x.transpose(0, 2, 3, 1)


def _pool_items(d: Draw, name: str, shape: tuple[int, ...], window: Any, relu: int, ties: bool) -> tuple[Any, ...]:
    n, h, w, c = shape
    geometry, out = _window_table((h, w, c), *window)
    x = _floats(d.rng.integers(-2, 3, shape) if ties else d.distinct(*shape))
    y, g = _floats(d.normal(n, *out, c)), _floats(d.normal(n, *out, c))
    if name == "max_pool":
        return n, h, w, c, geometry, x, y, np.zeros(y.shape, np.uint8), relu
    if name == "mean_pool":
        return n, h, w, c, geometry, x, y
    if name == "mean_unpool":
        return n, h, w, c, geometry, g, x
    pooled, chosen = (_last_first(a) for a in kernels.max_pool2d_forward.reference(_first_last(x), *map(_pair, window)))
    frame = _floats(d.normal(n, h + 3, w + 2, c))  # the image with its upper left corner at 2, 1
    return n, c, geometry, np.ascontiguousarray(pooled), chosen.astype(np.uint8), g, frame, h + 3, w + 2, 2, 1, relu


def _pool(name: str, items: tuple[Any, ...], shape: tuple[int, ...], window: Any) -> dict[int, Any]:
    window = tuple(map(_pair, window))
    if name == "max_pool":
        y, chosen = kernels.max_pool2d_forward.reference(_first_last(items[5]), *window)
        return {6: _relu(_last_first(y), items[8]), 7: _last_first(chosen).astype(np.uint8)}
    if name == "mean_pool":
        return {6: _last_first(kernels.average_pool2d_forward.reference(_first_last(items[5]), *window))}
    n, h, w, c = shape
    g = _first_last(items[5])
    if name == "mean_unpool":
        return {6: _last_first(kernels.average_pool2d_backward.reference(g, (n, c, h, w), *window))}
    g = np.where(_first_last(items[3]) > 0, g, 0) if items[11] else g
    chosen = _first_last(items[4].astype(np.int32))
    out = np.zeros(items[6].shape)
    out[:, 2 : 2 + h, 1 : 1 + w] = _last_first(kernels.max_pool2d_backward.reference(g, chosen, (n, c, h, w), *window))
    return {6: out}


for _name in ("max_pool", "max_unpool", "mean_pool", "mean_unpool"):
    for _variant, (_shape, _window, _relu_wanted, _ties) in {
        "half": ((2, 6, 8, 5), (2, 2, 0), 0, False),
        "half-relu": ((2, 6, 8, 17), (2, 2, 0), 1, False),
        "half-ties": ((2, 6, 8, 33), (2, 2, 0), 0, True),
        "half-rest": ((1, 7, 5, 16), (2, 2, 0), 1, False),
        "half-overlapping": ((1, 6, 6, 3), (2, 1, 0), 1, True),
        "half-padded": ((1, 5, 5, 3), (2, 2, 1), 1, False),
        "thirds": ((2, 7, 8, 3), (3, 2, 1), 0, True),
        "pairs": ((2, 6, 7, 4), ((3, 2), (1, 3), (1, 0)), 1, False),
        "gaps": ((1, 7, 7, 2), (2, 3, 0), 0, False),
        "one": ((1, 3, 3, 2), (1, 1, 0), 1, False),
        "whole": ((2, 4, 5, 3), ((4, 5), 1, 0), 0, False),
        "no-images": ((0, 4, 4, 3), (2, 2, 0), 0, False),
    }.items():
        if _name in ("mean_pool", "mean_unpool") and _variant in ("half-relu", "half-ties"):
            continue
        instruction(
            _name,
            _variant,
            lambda d, k=_name, s=_shape, w=_window, r=_relu_wanted, t=_ties: _pool_items(d, k, s, w, r, t),
            lambda *items, k=_name, s=_shape, w=_window: _pool(k, items, s, w),
        )
for _variant, _values in {"nan": np.nan, "infinity": np.inf, "all": -np.inf}.items():
    for _window in ((2, 2, 0), (3, 2, 1)):
        instruction(
            "max_pool",
            f"{_variant}-{_window[0]}",
            lambda d, v=_values, w=_window: _spoiled_pool(d, v, w),
            lambda *items, w=_window: _pool("max_pool", items, (2, 6, 6, 3), w),
        )


def _spoiled_pool(d: Draw, value: float, window: Any) -> tuple[Any, ...]:
    items = _pool_items(d, "max_pool", (2, 6, 6, 3), window, 0, False)
    items[5][d.rng.random(items[5].shape) < (1 if value == -np.inf else 0.4)] = value
    return items


for _variant, (_shape, _top, _stride, _frame) in {
    "padding": ((2, 4, 5, 3), (1, 2), (1, 1), (6, 9)),
    "strided": ((2, 3, 2, 17), (2, 0), (2, 3), (7, 4)),
    "none": ((2, 3, 2, 1), (0, 0), (1, 1), (3, 2)),
    "no-images": ((0, 3, 2, 2), (1, 1), (1, 1), (5, 4)),
}.items():
    instruction(
        "spread",
        _variant,
        lambda d, s=_shape, a=_top, b=_stride, f=_frame: (
            *(*s, *a, *b, *f, _floats(d.normal(*s)), _floats(d.normal(s[0], *f, s[3]))),
        ),
        lambda n, h, w, c, top, left, sy, sx, tall, wide, x, y: {11: _spread(x, top, left, sy, sx, tall, wide)},
    )


def _spread(x: Array, top: int, left: int, sy: int, sx: int, tall: int, wide: int) -> Array:
    n, h, w, c = x.shape
    y = np.zeros((n, tall, wide, c))
    y[:, top : top + h * sy : sy, left : left + w * sx : sx][:, :h, :w] = x
    return y


def _packed(name: str, first: int, last: int, weight: Array, packed: Array) -> dict[int, Any]:
    """weight (o, c, k); only the outputs first..last are packed."""
    order = {"pack_forward": (2, 1, 0), "pack_backward": (2, 0, 1), "pack_patches": (0, 2, 1)}[name]
    axis, packed = order.index(0), packed.copy()
    wanted = weight.transpose(order)
    wanted = wanted[::-1] if name == "pack_backward" else wanted
    part = tuple(slice(first, last) if i == axis else slice(None) for i in range(3))
    packed.reshape(wanted.shape)[part] = wanted[part]
    return {6: packed}


for _c, _window, _o in ((3, 6, 5), (1, 25, 17), (17, 1, 4), (2, 9, 1)):
    for _first, _last in sorted({(0, _o), (_o // 2, _o), (0, 0)}):
        for _name in ("pack_forward", "pack_backward", "pack_patches"):
            instruction(
                _name,
                f"{_c}x{_window}x{_o}-{_first}-{_last}",
                lambda d, c=_c, k=_window, o=_o, f=_first, e=_last: (
                    *(f, e, c, k, o, _floats(d.normal(o, c, k)), _floats(d.normal(o, c, k))),
                ),
                lambda f, e, c, k, o, weight, packed, name=_name: _packed(name, f, e, weight, packed),
            )
    instruction(
        "unpack_gradient",
        f"{_c}x{_window}x{_o}",
        lambda d, c=_c, k=_window, o=_o: (c, k, o, _floats(d.normal(k, c, o)), _floats(d.normal(o, c, k))),
        lambda c, k, o, packed, gradient: {4: packed.transpose(2, 1, 0)},
    )
    instruction(
        "unpack_patches",
        f"{_c}x{_window}x{_o}",
        lambda d, c=_c, k=_window, o=_o: (c, k, o, _floats(d.normal(o, k, c)), _floats(d.normal(o, c, k))),
        lambda c, k, o, packed, gradient: {4: packed.transpose(0, 2, 1)},
    )


def _list_items(d: Draw, outputs: int, positions: int, relu: int, bias: bool) -> tuple[Any, ...]:
    """A third of the gradients is zero, and one is not a number."""
    y, g = _floats(d.normal(positions, outputs)), _floats(d.normal(positions, outputs))
    g[d.rng.random(g.shape) < 0.3] = 0
    if positions > 2:
        y[1, 0], g[1, 0] = 1, np.nan
    index = d.rng.integers(4, size=y.shape, dtype=np.uint8)
    scratch = (
        np.zeros(outputs, np.int64),
        np.zeros((outputs, positions), np.int64),
        _floats(d.normal(outputs, positions)),
    )
    head = (outputs, positions, 100 * np.arange(positions), np.array([0, 1, 10, 11]), y, index, g, relu)
    return *head, *scratch, _floats(d.normal(outputs)) if bias else None


def _listed(
    outputs: int,
    positions: int,
    origins: Array,
    shifts: Array,
    y: Array,
    index: Array,
    g: Array,
    relu: int,
    counts: Array,
    offsets: Array,
    values: Array,
    bias: Any,
) -> dict[int, Any]:
    offsets, values, counts = _anything(offsets), _anything(values), np.zeros(outputs, np.int64)
    sums = np.zeros(outputs)
    for o in range(outputs):
        for p in range(positions):
            if g[p, o] != 0 and (not relu or y[p, o] > 0):
                offsets[o, counts[o]] = origins[p] + shifts[index[p, o]]
                values[o, counts[o]] = g[p, o]
                counts[o] += 1
                sums[o] += g[p, o]
    return {8: counts, 9: offsets, 10: values} | ({} if bias is None else {11: bias + sums})


for _o, _positions, _relu_wanted, _bias in ((3, 9, 0, True), (17, 4, 1, True), (1, 1, 0, False), (5, 0, 1, True)):
    instruction(
        "list_gradients",
        f"{_o}x{_positions}-{_relu_wanted}",
        lambda d, o=_o, p=_positions, r=_relu_wanted, b=_bias: _list_items(d, o, p, r, b),
        lambda *items: _listed(*items),
    )


def patch_items(d: Draw, name: str, outputs: int, rows: int, length: int) -> tuple[Any, ...]:
    """Windows of `rows` lines of `length` floats in an image whose lines are 5 floats longer."""
    positions, stride = 6, length + 5
    size = (rows + 3) * stride
    counts = d.rng.integers(positions + 1, size=outputs)
    offsets = d.rng.integers(size - (rows - 1) * stride - length + 1, size=(outputs, positions))
    values = _floats(d.normal(outputs, positions))
    head = (outputs, positions, rows, length, stride)
    weights = _floats(d.normal(outputs, rows, length))
    if name == "sum_patches":
        return *head, _floats(d.normal(size)), counts, offsets, values, weights
    return *head, size, counts, offsets, values, weights, _floats(d.normal(size))


def patches(
    name: str,
    outputs: int,
    positions: int,
    rows: int,
    length: int,
    stride: int,
    x: Any,
    counts: Array,
    offsets: Array,
    values: Array,
    weights: Array,
    out: Any = None,
) -> dict[int, Any]:
    within = np.add.outer(stride * np.arange(rows), np.arange(length))
    if name == "sum_patches":
        total = weights.astype(float)
        for o in range(outputs):
            for i in range(counts[o]):
                total[o] += values[o, i] * x[offsets[o, i] + within]
        return {9: total}
    image = np.zeros(x)
    for o in range(outputs):
        for i in range(counts[o]):
            image[offsets[o, i] + within] += values[o, i] * weights[o]
    return {10: image}


def window_items(d: Draw, outputs: int, rows: int, length: int, relu: int = 1, kinds: int = 4) -> tuple[Any, ...]:
    """Behind each of 5 positions `kinds` windows, of which each output chose one; some gradients are 0."""
    positions, stride = 5, length + 7
    size = (rows + 3) * stride
    last = size - (rows - 1) * stride - length - 3
    origins, shifts = d.rng.integers(last + 1, size=positions), d.rng.integers(4, size=kinds)
    y, g = (_floats(d.normal(positions, outputs)) for _ in range(2))
    g[d.rng.random(g.shape) < 0.3] = 0
    index = d.rng.integers(kinds, size=(positions, outputs)).astype(np.uint8)
    head = (outputs, positions, rows, length, stride, size, origins, shifts, kinds, y, index, g, relu)
    room = np.zeros(kinds * (2 * outputs + 1), np.int64)
    return *head, _floats(d.normal(outputs, rows, length)), _floats(d.normal(size)), room


def added_windows(
    outputs: int,
    positions: int,
    rows: int,
    length: int,
    stride: int,
    size: int,
    origins: Array,
    shifts: Array,
    kinds: int,
    y: Array,
    index: Array,
    g: Array,
    relu: int,
    weights: Array,
    out: Array,
    room: Array,
) -> dict[int, Any]:
    within = np.add.outer(stride * np.arange(rows), np.arange(length))
    image = np.zeros(size)
    for p, o in np.ndindex(positions, outputs):
        if not relu or y[p, o] > 0:
            np.add.at(image, origins[p] + shifts[index[p, o]] + within, g[p, o] * weights[o].astype(float))
    return {14: image, 15: _anything(room)}


for _rows, _length, _outputs, _cut, _kinds in (
    *((3, 20, 9, 1, 4), (5, 10, 6, 1, 4), (5, 30, 16, 0, 4), (5, 40, 24, 1, 9), (3, 96, 8, 1, 4)),
    *((2, 70, 3, 0, 1), (1, 5, 1, 1, 2), (4, 33, 0, 1, 4)),
):
    instruction(
        "add_windows",
        f"{_rows}x{_length}x{_outputs}-{_cut}-{_kinds}",
        lambda d, r=_rows, n=_length, o=_outputs, k=_kinds, cut=_cut: window_items(d, o, r, n, cut, k),
        lambda *items: added_windows(*items),
    )


for _name in ("sum_patches", "add_patches"):
    for _rows, _length in ((3, 9), (5, 5), (5, 30), (3, 96), (1, 1)):
        instruction(
            _name,
            f"{_rows}x{_length}",
            lambda d, n=_name, r=_rows, s=_length: patch_items(d, n, 4, r, s),
            lambda *items, n=_name: patches(n, *items),
        )

# Products


def product_items(
    d: Draw,
    m: int,
    t: int,
    n: int,
    *,
    images: int = 1,
    start: int = 0,
    relu: int = 0,
    shared: bool = False,
    panel: bool = False,
) -> tuple[Any, ...]:
    """A product of matrices whose elements lie apart, with 3 floats between the rows of B and C."""
    from inkgrad.kernels.numba_cpu.multiply import PANEL

    a, b, c = (_floats(d.normal(images, *s)) for s in ((2 * m, t + 1), (t, n + 3), (m, n + 3)))
    rows, steps = 2 * (t + 1) * np.arange(m), d.rng.permutation(t)
    table = steps | (n + 3) * np.arange(t) << 32
    c = c[0] if shared else c
    extra = (_floats(d.normal(t, PANEL)), steps | PANEL * np.arange(t) << 32) if panel else (None, None)
    sizes = (2 * m * (t + 1), t * (n + 3))
    head = (images, m, t, n, a, sizes[0], rows, table, b, sizes[1], c, n + 3, 0 if shared else m * (n + 3), start)
    return *head, _floats(d.normal(n)) if start == 1 else None, relu, *extra


def product(
    images: int,
    m: int,
    t: int,
    n: int,
    a: Array,
    a_stride: int,
    rows: Array,
    steps: Array,
    b: Array,
    b_stride: int,
    c: Array,
    ldc: int,
    c_stride: int,
    start: int,
    bias: Any,
    relu: int,
    panel: Any,
    order: Any,
) -> dict[int, Any]:
    out = c.astype(float).reshape(-1)
    for image in range(images):
        left = a.reshape(-1)[image * a_stride + rows[:, None] + (steps & 0xFFFFFFFF)[None]].astype(float)
        right = b.reshape(-1)[image * b_stride + (steps >> 32)[:, None] + np.arange(n)[None]].astype(float)
        place = image * c_stride + ldc * np.arange(m)[:, None] + np.arange(n)[None]
        begin = out[place] if start == 2 or (image and not c_stride) else bias if start == 1 else 0
        with np.errstate(invalid="ignore"):
            out[place] = _relu(left @ right + begin, relu)
    return {10: out.reshape(c.shape)} | ({} if panel is None else {16: _anything(panel)})


for _variant, (_m, _t, _n, _options) in {
    "plain": (7, 5, 18, {}),
    "bias": (7, 5, 18, {"start": 1}),
    "bias-relu": (13, 9, 65, {"start": 1, "relu": 1}),
    "resumed": (7, 5, 18, {"start": 2}),
    "resumed-rest": (13, 5, 70, {"start": 2}),
    "images": (9, 5, 18, {"images": 3, "start": 1, "relu": 1}),
    "images-shared": (9, 5, 18, {"images": 3, "shared": True}),
    "images-shared-bias": (13, 5, 70, {"images": 2, "shared": True, "start": 1}),
    "panel": (13, 20, 70, {"panel": True}),
    "panel-bias": (5, 20, 130, {"panel": True, "start": 1, "relu": 1}),
    "no-images": (5, 3, 4, {"images": 0}),
    "no-rows": (0, 3, 4, {}),
    "no-columns": (3, 3, 0, {}),
    "no-terms": (7, 0, 20, {"start": 1}),
    "no-terms-zero": (7, 0, 20, {}),
}.items():
    instruction(
        "multiply",
        _variant,
        lambda d, m=_m, t=_t, n=_n, o=_options: product_items(d, m, t, n, **o),
        lambda *items: product(*items),
    )


def row_items(d: Draw, m: int, t: int, n: int, bias: bool = True, relu: int = 0) -> tuple[Any, ...]:
    """A (m, t) and B (n, t), rows some floats apart."""
    a, b, c = (_floats(d.normal(*s)) for s in ((m, t + 2), (n, t + 3), (m, n + 1)))
    head = (m, n, t, a, t + 2, b, t + 3, c, n + 1)
    return *head, int(bias), _floats(d.normal(n)) if bias else None, relu


def row_product(
    m: int,
    n: int,
    t: int,
    a: Array,
    lda: int,
    b: Array,
    ldb: int,
    c: Array,
    ldc: int,
    has_bias: int,
    bias: Any,
    relu: int,
) -> dict[int, Any]:
    out = c.astype(float)
    with np.errstate(invalid="ignore"):
        out[:, :n] = _relu(a[:, :t].astype(float) @ b[:, :t].T + (bias if has_bias else 0), relu)
    return {7: out}


for _variant, (_m, _t, _n, _bias, _relu_wanted) in {
    "bias": (5, 20, 7, True, 0),
    "no-bias": (5, 20, 7, False, 0),
    "relu": (9, 33, 13, True, 1),
    "no-rows": (0, 3, 4, True, 0),
    "no-columns": (3, 3, 0, False, 0),
    "no-terms": (3, 0, 7, True, 0),
}.items():
    instruction(
        "multiply_rows",
        _variant,
        lambda d, m=_m, t=_t, n=_n, b=_bias, r=_relu_wanted: row_items(d, m, t, n, b, r),
        lambda *items: row_product(*items),
    )


def image_items(
    d: Draw,
    n: int,
    pixels: int,
    outputs: int,
    *,
    bias: bool = True,
    relu: int = 0,
    zeros: float = 0.6,
) -> tuple[Any, ...]:
    """Images many of whose pixels are 0, some of them in all images; rows of the result some floats apart."""
    x = sparse_images(d, n, pixels, zeros)
    head = (n, pixels, outputs, x, _floats(d.normal(pixels, outputs)), _floats(d.normal(n, outputs + 2)), outputs + 2)
    return *head, int(bias), _floats(d.normal(outputs)) if bias else None, relu, np.zeros(pixels + 32, np.int64)


def sparse_images(d: Draw, n: int, pixels: int, zeros: float) -> Array:
    x = _floats(d.normal(n, pixels))
    x[d.rng.random(x.shape) < zeros] = 0
    x[:, : pixels // 3] = 0
    return x


def image_product(
    n: int,
    pixels: int,
    outputs: int,
    x: Array,
    turned: Array,
    y: Array,
    ldy: int,
    has_bias: int,
    bias: Any,
    relu: int,
    steps: Array,
) -> dict[int, Any]:
    out = y.astype(float)
    with np.errstate(invalid="ignore"):
        out[:, :outputs] = _relu(x.astype(float) @ turned + (bias if has_bias else 0), relu)
    return {5: out, 10: _anything(steps)}


for _variant, (_n, _pixels, _outputs, _options) in {
    "bias": (7, 20, 18, {}),
    "no-bias": (13, 50, 70, {"bias": False}),
    "relu": (25, 31, 5, {"relu": 1}),
    "two-blocks-of-columns": (25, 31, 200, {"relu": 1}),
    "one-image": (1, 40, 70, {}),
    "all-zero": (9, 12, 17, {"zeros": 1.0}),
    "no-zeros": (9, 1, 17, {"zeros": 0.0}),
    "no-images": (0, 5, 6, {}),
    "no-outputs": (3, 5, 0, {"bias": False}),
}.items():
    instruction(
        "multiply_images",
        _variant,
        lambda d, n=_n, p=_pixels, k=_outputs, o=_options: image_items(d, n, p, k, **o),
        lambda *items: image_product(*items),
    )


def with_images_items(d: Draw, n: int, pixels: int, outputs: int, zeros: float = 0.6) -> tuple[Any, ...]:
    x = sparse_images(d, n, pixels, zeros)
    head = (n, pixels, outputs, _floats(d.normal(n, outputs + 3)), outputs + 3, x, _floats(d.normal(outputs, pixels)))
    return *head, np.zeros(n + 32, np.int64), np.zeros(n + 16, np.uint32), _floats(d.normal(16, outputs))


def with_images(
    n: int,
    pixels: int,
    outputs: int,
    g: Array,
    ldg: int,
    x: Array,
    gradient: Array,
    steps: Array,
    patterns: Array,
    block: Array,
) -> dict[int, Any]:
    wanted = g[:, :outputs].astype(float).T @ x
    return {6: wanted, 7: _anything(steps), 8: _anything(patterns), 9: _anything(block)}


for _variant, (_n, _pixels, _outputs, _zeros) in {
    "some": (7, 20, 18, 0.6),
    "wide": (5, 48, 70, 0.6),
    "more-than-go-together": (1030, 21, 18, 0.6),
    "all-zero": (4, 33, 16, 1.0),
    "no-zeros": (6, 7, 3, 0.0),
    "no-images": (0, 20, 5, 0.5),
    "no-outputs": (3, 20, 0, 0.5),
}.items():
    instruction(
        "multiply_with_images",
        _variant,
        lambda d, n=_n, p=_pixels, k=_outputs, z=_zeros: with_images_items(d, n, p, k, z),
        lambda *items: with_images(*items),
    )


def transpose_items(d: Draw, n: int, rows: int, columns: int, first: int, last: int) -> tuple[Any, ...]:
    return n, first, last, rows, columns, _floats(d.normal(n, rows, columns)), _floats(d.normal(n, columns, rows))


def transposed(n: int, first: int, last: int, rows: int, columns: int, x: Array, y: Array) -> dict[int, Any]:
    y = y.copy()
    y[:, :, first:last] = x[:, first:last].swapaxes(1, 2)
    return {6: y}


for _n, _rows, _columns, _first, _last in (
    *((1, 5, 7, 0, 5), (3, 16, 16, 0, 16), (2, 33, 20, 0, 33), (1, 40, 33, 16, 33)),
    *((1, 40, 33, 5, 23), (1, 17, 1, 0, 17), (1, 1, 17, 0, 1), (0, 5, 7, 0, 5), (1, 5, 7, 2, 2)),
):
    instruction(
        "transpose",
        f"{_n}x{_rows}x{_columns}-{_first}-{_last}",
        lambda d, n=_n, r=_rows, c=_columns, f=_first, e=_last: transpose_items(d, n, r, c, f, e),
        lambda *items: transposed(*items),
    )


# Layers


@dataclass(frozen=True)
class LayerCase:
    """One layer, built in one way.

    Attributes:
        layer: its name in `inkgrad.nn`.
        variant: which way.
        make: from a generator to a layer.
        inputs: the shape of its input.
        state: name -> shape of every parameter and buffer, in order.
        buffers: the names among them that are not trained.
        torch: from the torch module to a module with the same parameters and buffers in the same order; None where
            PyTorch has none or a test of its own compares it.
        frozen: how many numbers of the parameters never change.
    """

    layer: str
    variant: str
    make: Callable[[np.random.Generator], Any]
    inputs: tuple[int, ...]
    state: dict[str, tuple[int, ...]]
    buffers: tuple[str, ...] = ()
    torch: Callable[[Any], Any] | None = None
    frozen: int = 0

    @property
    def id(self) -> str:
        return f"{self.layer}-{self.variant}"

    def build(self, dtype: Any = np.float32) -> Any:
        """The layer with seeded weights, biases included, away from kinks; running variances are positive."""
        d = Draw(self.id)
        layer = self.make(d.rng).astype(dtype)
        for name, member in layer.named_state():
            values = d.positive(*member.data.shape) if name.endswith("running_var") else d.away(*member.data.shape)
            member.data = values.astype(dtype)
        return layer

    def x(self, dtype: Any = np.float32) -> Array:
        return Draw(f"{self.id} input").away(*self.inputs).astype(dtype)


LAYERS: list[LayerCase] = []


def layer(
    name: str,
    variant: str,
    make: Callable[[np.random.Generator], Any],
    inputs: tuple[int, ...],
    state: dict[str, tuple[int, ...]] | None = None,
    torch: Callable[[Any], Any] | None = None,
    buffers: tuple[str, ...] = (),
    frozen: int = 0,
) -> None:
    LAYERS.append(LayerCase(name, variant, make, inputs, state or {}, buffers, torch, frozen))


for _name in ("ReLU", "Sigmoid", "Tanh", "GELU", "LeakyReLU"):
    layer(_name, "default", lambda rng, n=_name: getattr(nn, n)(), (3, 4), torch=lambda t, n=_name: getattr(t.nn, n)())
layer("Softplus", "default", lambda rng: nn.Softplus(), (3, 4), torch=lambda t: t.nn.Softplus(threshold=1e6))
layer("LeakyReLU", "slope", lambda rng: nn.LeakyReLU(0.2), (3, 4), torch=lambda t: t.nn.LeakyReLU(0.2))
for _name in ("Softmax", "LogSoftmax"):
    layer(_name, "last", lambda rng, n=_name: getattr(nn, n)(), (3, 4), torch=lambda t, n=_name: getattr(t.nn, n)(-1))
    layer(
        _name,
        "first",
        lambda rng, n=_name: getattr(nn, n)(axis=0),
        (3, 4),
        torch=lambda t, n=_name: getattr(t.nn, n)(0),
    )
layer("Flatten", "images", lambda rng: nn.Flatten(), (3, 2, 4, 5), torch=lambda t: t.nn.Flatten())
layer("Flatten", "rows", lambda rng: nn.Flatten(), (3, 4), torch=lambda t: t.nn.Flatten())
layer("Flatten", "empty", lambda rng: nn.Flatten(), (0, 2, 4), torch=lambda t: t.nn.Flatten())
layer("Dropout", "half", lambda rng: nn.Dropout(0.5, rng=rng), (6, 5))
layer("Dropout", "none", lambda rng: nn.Dropout(0.0, rng=rng), (6, 5), torch=lambda t: t.nn.Dropout(0.0))
layer(
    "Linear",
    "bias",
    lambda rng: nn.Linear(4, 3, rng=rng),
    (5, 4),
    {"weight": (3, 4), "bias": (3,)},
    lambda t: t.nn.Linear(4, 3),
)
layer(
    "Linear",
    "no-bias",
    lambda rng: nn.Linear(4, 3, rng=rng, bias=False),
    (5, 4),
    {"weight": (3, 4)},
    lambda t: t.nn.Linear(4, 3, bias=False),
)
layer("Linear", "no-rows", lambda rng: nn.Linear(4, 3, rng=rng), (0, 4), {"weight": (3, 4), "bias": (3,)})
_NORM = {"weight": (3,), "bias": (3,), "running_mean": (3,), "running_var": (3,)}
for _variant, _options in {"default": {}, "options": {"eps": 0.1, "momentum": 0.3}}.items():
    layer(
        "BatchNorm1d",
        _variant,
        lambda rng, o=_options: nn.BatchNorm1d(3, **o),
        (6, 3),
        _NORM,
        lambda t, o=_options: t.nn.BatchNorm1d(3, **o),
        buffers=("running_mean", "running_var"),
    )
    layer(
        "BatchNorm2d",
        _variant,
        lambda rng, o=_options: nn.BatchNorm2d(3, **o),
        (2, 3, 4, 5),
        _NORM,
        lambda t, o=_options: t.nn.BatchNorm2d(3, **o),
        buffers=("running_mean", "running_var"),
    )
layer(
    "BatchNorm2d",
    "one-image",
    lambda rng: nn.BatchNorm2d(3),
    (1, 3, 2, 3),
    _NORM,
    lambda t: t.nn.BatchNorm2d(3),
    buffers=("running_mean", "running_var"),
)
layer(
    "LayerNorm",
    "rows",
    lambda rng: nn.LayerNorm(4),
    (5, 4),
    {"weight": (4,), "bias": (4,)},
    lambda t: t.nn.LayerNorm(4),
)
layer(
    "LayerNorm",
    "images",
    lambda rng: nn.LayerNorm((3, 4), eps=0.1),
    (2, 3, 4),
    {"weight": (3, 4), "bias": (3, 4)},
    lambda t: t.nn.LayerNorm((3, 4), eps=0.1),
)
for _name in ("ReLU", "Sigmoid", "Tanh", "GELU"):  # the first three are fused with the layer before them
    layer(
        "Sequential",
        _name,
        lambda rng, n=_name: nn.Sequential(
            nn.Flatten(), nn.Linear(6, 5, rng=rng), getattr(nn, n)(), nn.Linear(5, 2, rng=rng)
        ),
        (4, 2, 3),
        {"layers.1.weight": (5, 6), "layers.1.bias": (5,), "layers.3.weight": (2, 5), "layers.3.bias": (2,)},
        lambda t, n=_name: t.nn.Sequential(t.nn.Flatten(), t.nn.Linear(6, 5), getattr(t.nn, n)(), t.nn.Linear(5, 2)),
    )
layer(
    "Sequential",
    "normalized",
    lambda rng: nn.Sequential(nn.Linear(4, 3, rng=rng, bias=False), nn.BatchNorm1d(3), nn.Tanh()),
    (6, 4),
    {"layers.0.weight": (3, 4)} | {f"layers.1.{name}": shape for name, shape in _NORM.items()},
    lambda t: t.nn.Sequential(t.nn.Linear(4, 3, bias=False), t.nn.BatchNorm1d(3), t.nn.Tanh()),
    buffers=("layers.1.running_mean", "layers.1.running_var"),
)

for _variant, (_size, _options) in {
    "plain": (3, {}),
    "padded": (5, {"padding": 2}),
    "stride": (3, {"stride": 2, "padding": 1}),
    "pairs": ((2, 3), {"stride": (1, 2), "padding": (1, 0)}),
}.items():
    layer(
        "Conv2d",
        _variant,
        lambda rng, k=_size, o=_options: nn.Conv2d(2, 3, k, rng=rng, **o),
        (4, 2, 5, 6),
        {"weight": (3, 2, *_pair(_size)), "bias": (3,)},
        lambda t, k=_size, o=_options: t.nn.Conv2d(2, 3, k, **o),
    )
layer(
    "Conv2d",
    "no-bias",
    lambda rng: nn.Conv2d(2, 3, 3, rng=rng, bias=False),
    (4, 2, 5, 6),
    {"weight": (3, 2, 3, 3)},
    lambda t: t.nn.Conv2d(2, 3, 3, bias=False),
)
layer(
    "Conv2d",
    "no-images",
    lambda rng: nn.Conv2d(2, 3, 3, rng=rng),
    (0, 2, 5, 6),
    {"weight": (3, 2, 3, 3), "bias": (3,)},
    lambda t: t.nn.Conv2d(2, 3, 3),
)
CONNECTIONS = np.array([[True, False, True], [False, True, True]])


def _torch_partial(t: Any) -> Any:
    class Partial(t.nn.Conv2d):
        def forward(self, x: Any) -> Any:
            mask = t.as_tensor(CONNECTIONS, dtype=x.dtype)[:, :, None, None]
            return t.nn.functional.conv2d(x, self.weight * mask, self.bias)

    return Partial(3, 2, 3)


layer(
    "Conv2d",
    "partial",
    lambda rng: nn.Conv2d(3, 2, 3, rng=rng, connections=CONNECTIONS),
    (4, 3, 5, 6),
    {"weight": (2, 3, 3, 3), "bias": (2,)},
    _torch_partial,
    frozen=18,
)
for _name, _torch_name in {"MaxPool2d": "MaxPool2d", "AveragePool2d": "AvgPool2d"}.items():
    for _variant, _options in {"half": (2,), "overlapping": (3, 2, 1), "pairs": ((3, 2), (1, 2), (1, 0))}.items():
        layer(
            _name,
            _variant,
            lambda rng, n=_name, o=_options: getattr(nn, n)(*o),
            (3, 2, 6, 7),
            torch=lambda t, n=_torch_name, o=_options: getattr(t.nn, n)(*o),
        )
    layer(
        _name,
        "no-images",
        lambda rng, n=_name: getattr(nn, n)(2),
        (0, 2, 6, 7),
        torch=lambda t, n=_torch_name: getattr(t.nn, n)(2),
    )
layer(
    "GlobalAveragePool2d",
    "images",
    lambda rng: nn.GlobalAveragePool2d(),
    (3, 2, 4, 5),
    torch=lambda t: t.nn.Sequential(t.nn.AdaptiveAvgPool2d(1), t.nn.Flatten()),
)


def _torch_scaled(t: Any) -> Any:
    class Scaled(t.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight, self.bias = t.nn.Parameter(t.ones(3)), t.nn.Parameter(t.zeros(3))

        def forward(self, x: Any) -> Any:
            mean = t.nn.functional.avg_pool2d(x, 2)
            return mean * self.weight[:, None, None] + self.bias[:, None, None]

    return Scaled()


layer(
    "ScaledAveragePool2d",
    "half",
    lambda rng: nn.ScaledAveragePool2d(3, 2),
    (4, 3, 5, 6),
    {"weight": (3,), "bias": (3,)},
    _torch_scaled,
)
layer("Dropout2d", "half", lambda rng: nn.Dropout2d(0.5, rng=rng), (3, 4, 2, 3))
layer("Dropout2d", "none", lambda rng: nn.Dropout2d(0.0, rng=rng), (3, 4, 2, 3), torch=lambda t: t.nn.Dropout2d(0.0))
layer(
    "Sequential",
    "images",
    lambda rng: nn.Sequential(
        nn.Conv2d(1, 2, 3, rng=rng, bias=False),
        nn.BatchNorm2d(2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(2, 3, 2, rng=rng),
        nn.LeakyReLU(),
        nn.GlobalAveragePool2d(),
    ),
    (3, 1, 7, 8),
    {
        "layers.0.weight": (2, 1, 3, 3),
        **{f"layers.1.{name}": (2,) for name in _NORM},
        "layers.4.weight": (3, 2, 2, 2),
        "layers.4.bias": (3,),
    },
    lambda t: t.nn.Sequential(
        *(t.nn.Conv2d(1, 2, 3, bias=False), t.nn.BatchNorm2d(2), t.nn.ReLU(), t.nn.MaxPool2d(2)),
        *(t.nn.Conv2d(2, 3, 2), t.nn.LeakyReLU(), t.nn.AdaptiveAvgPool2d(1), t.nn.Flatten()),
    ),
    buffers=("layers.1.running_mean", "layers.1.running_var"),
)


def _torch_residual(t: Any, body: Any, shortcut: Any) -> Any:
    class Sum(t.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.shortcut = body, shortcut

        def forward(self, x: Any) -> Any:
            return (x if self.shortcut is None else self.shortcut(x)) + self.body(x)

    return Sum()


layer(
    "Residual",
    "identity",
    lambda rng: nn.Residual(nn.Linear(4, 4, rng=rng)),
    (5, 4),
    {"body.weight": (4, 4), "body.bias": (4,)},
    lambda t: _torch_residual(t, t.nn.Linear(4, 4), None),
)
layer(
    "Residual",
    "shortcut",
    lambda rng: nn.Residual(nn.Sequential(nn.Linear(4, 3, rng=rng), nn.Tanh()), nn.Linear(4, 3, rng=rng, bias=False)),
    (5, 4),
    {"body.layers.0.weight": (3, 4), "body.layers.0.bias": (3,), "shortcut.weight": (3, 4)},
    lambda t: _torch_residual(t, t.nn.Sequential(t.nn.Linear(4, 3), t.nn.Tanh()), t.nn.Linear(4, 3, bias=False)),
)


# Optimizers


class Weights(nn.Module):
    """Parameters and nothing else, for optimizers to work on."""

    def __init__(self, **arrays: Array) -> None:
        for name, array in arrays.items():
            setattr(self, name, nn.Parameter(array))


@dataclass(frozen=True)
class OptimizerCase:
    """One optimizer with one set of options.

    Attributes:
        optimizer: its name in `inkgrad.optim`.
        variant: which options.
        options: without the learning rate.
        rate: a learning rate that suits the table's problems.
        rule: the published equations for one weight in plain numbers: (w, g, rate, t, state) -> new w, where t counts
            from 1 and the state is a dictionary of its own, empty at first.
        torch: from (torch module, parameters, rate) to PyTorch's optimizer.
        rosenbrock: a rate for Rosenbrock's valley.
        matrix_rule: as `rule`, for whole matrices (m, n) in float64 but the last of a network, where they have one.
        rounding: how far PyTorch's update may be off, relative to the weights; None: as far as its dtype rounds.
    """

    optimizer: str
    variant: str
    options: dict[str, Any]
    rate: float
    rule: Callable[[float, float, float, int, dict[str, float]], float]
    torch: Callable[[Any, Any, float], Any]
    rosenbrock: float
    matrix_rule: Callable[[Any, Any, float, int, dict[str, Any]], Any] | None = None
    rounding: float | None = None

    @property
    def id(self) -> str:
        return f"{self.optimizer}-{self.variant}"

    def make(self, module: Any, rate: Any = None, **more: Any) -> Any:
        return getattr(optim, self.optimizer)(module, self.rate if rate is None else rate, **self.options, **more)


def _momentum(momentum: float, nesterov: bool) -> Callable[..., float]:
    def rule(w: float, g: float, rate: float, t: int, state: dict[str, float]) -> float:
        v = state["v"] = momentum * state.get("v", 0.0) + g
        return w - rate * (g + momentum * v if nesterov else v)

    return rule


def _adagrad(w: float, g: float, rate: float, t: int, state: dict[str, float]) -> float:
    state["s"] = state.get("s", 0.0) + g * g
    return w - rate * g / (math.sqrt(state["s"]) + 1e-10)


def _rmsprop(decay: float, eps: float) -> Callable[..., float]:
    def rule(w: float, g: float, rate: float, t: int, state: dict[str, float]) -> float:
        state["s"] = decay * state.get("s", 0.0) + (1 - decay) * g * g
        return w - rate * g / (math.sqrt(state["s"]) + eps)

    return rule


def _adam(beta1: float, beta2: float, eps: float, decay: float) -> Callable[..., float]:
    def rule(w: float, g: float, rate: float, t: int, state: dict[str, float]) -> float:
        m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
        s = state["s"] = beta2 * state.get("s", 0.0) + (1 - beta2) * g * g
        w -= rate * decay * w
        return w - rate * (m / (1 - beta1**t)) / (math.sqrt(s / (1 - beta2**t)) + eps)

    return rule


def _muon(momentum, decay):
    """Momentum whose singular values go five times through Jordan's polynomial; its size as Liu et al. have it."""

    def rule(w, g, rate, t, state):
        m = state["m"] = momentum * state.get("m", 0.0) + (1 - momentum) * g
        u = (1 - momentum) * g + momentum * m
        left, s, right = np.linalg.svd(u, full_matrices=False)
        s = s / np.sqrt((u * u).sum())
        for _ in range(5):
            s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
        return w * (1 - rate * decay) - rate * 0.2 * np.sqrt(max(w.shape)) * (left * s @ right)

    return rule


def _torch_muon(momentum, weight_decay, betas=(0.9, 0.999)):
    """PyTorch's for all matrices but the last, and its AdamW for the others."""

    class Both:
        def __init__(self, torch, parameters, rate):
            matrices = [p for p in parameters if p.ndim > 1][:-1]
            rest = [p for p in parameters if all(p is not m for m in matrices)]
            self.parts = [
                torch.optim.Muon(
                    matrices, rate, momentum=momentum, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"
                ),
                torch.optim.AdamW(rest, rate, betas=betas, weight_decay=weight_decay),
            ]

        def step(self):
            for part in self.parts:
                part.step()

    return Both


OPTIMIZERS: list[OptimizerCase] = [
    OptimizerCase("SGD", "plain", {}, 0.1, _momentum(0.0, False), lambda t, p, r: t.optim.SGD(p, r), 1e-3),
    OptimizerCase(
        "SGD",
        "momentum",
        {"momentum": 0.9},
        0.02,
        _momentum(0.9, False),
        lambda t, p, r: t.optim.SGD(p, r, momentum=0.9),
        2e-4,
    ),
    OptimizerCase(
        "SGD",
        "nesterov",
        {"momentum": 0.9, "nesterov": True},
        0.02,
        _momentum(0.9, True),
        lambda t, p, r: t.optim.SGD(p, r, momentum=0.9, nesterov=True),
        2e-4,
    ),
    OptimizerCase("AdaGrad", "default", {}, 0.3, _adagrad, lambda t, p, r: t.optim.Adagrad(p, r, eps=1e-10), 0.3),
    OptimizerCase(
        "RMSProp", "default", {}, 0.01, _rmsprop(0.99, 1e-8), lambda t, p, r: t.optim.RMSprop(p, r, alpha=0.99), 1e-3
    ),
    OptimizerCase(
        "RMSProp",
        "options",
        {"decay": 0.9, "eps": 1e-3},
        0.01,
        _rmsprop(0.9, 1e-3),
        lambda t, p, r: t.optim.RMSprop(p, r, alpha=0.9, eps=1e-3),
        1e-3,
    ),
    OptimizerCase("Adam", "default", {}, 0.05, _adam(0.9, 0.999, 1e-8, 0.0), lambda t, p, r: t.optim.Adam(p, r), 0.02),
    OptimizerCase(
        "Adam",
        "options",
        {"beta1": 0.8, "beta2": 0.95, "eps": 1e-4},
        0.05,
        _adam(0.8, 0.95, 1e-4, 0.0),
        lambda t, p, r: t.optim.Adam(p, r, betas=(0.8, 0.95), eps=1e-4),
        0.02,
    ),
    OptimizerCase(
        "AdamW",
        "default",
        {},
        0.05,
        _adam(0.9, 0.999, 1e-8, 0.01),
        lambda t, p, r: t.optim.AdamW(p, r, weight_decay=0.01),
        0.02,
    ),
    OptimizerCase(
        "AdamW",
        "options",
        {"weight_decay": 0.3, "beta2": 0.9},
        0.05,
        _adam(0.9, 0.9, 1e-8, 0.3),
        lambda t, p, r: t.optim.AdamW(p, r, betas=(0.9, 0.9), weight_decay=0.3),
        0.02,
    ),
    OptimizerCase(
        "AdamW",
        "no-decay",
        {"weight_decay": 0.0},
        0.05,
        _adam(0.9, 0.999, 1e-8, 0.0),
        lambda t, p, r: t.optim.AdamW(p, r, weight_decay=0.0),
        0.02,
    ),
    OptimizerCase(
        "Muon",
        "default",
        {},
        0.05,
        _adam(0.9, 0.999, 1e-8, 0.01),
        _torch_muon(momentum=0.95, weight_decay=0.01),
        0.02,
        _muon(0.95, 0.01),
        5e-3,  # PyTorch makes matrices orthogonal in bfloat16
    ),
    OptimizerCase(
        "Muon",
        "options",
        {"momentum": 0.8, "weight_decay": 0.3, "beta2": 0.9},
        0.05,
        _adam(0.9, 0.9, 1e-8, 0.3),
        _torch_muon(momentum=0.8, weight_decay=0.3, betas=(0.9, 0.9)),
        0.02,
        _muon(0.8, 0.3),
        5e-3,
    ),
]

# The other public names of the two packages, each tested in a file of its own.
NOT_LAYERS = {"feature_maps", "Buffer", "Module", "Parameter", "init", "load_state", "state_of"}
NOT_LAYERS |= {"Automaton", "beam_search", "greedy_decode", "sure_sequence"}
LOSSES = {
    "binary_cross_entropy",
    "cross_entropy",
    "ctc_loss",
    "distillation_loss",
    "guided_ctc_loss",
    "mean_squared_error",
    "sigmoid_squared_error",
}
NOT_OPTIMIZERS = {
    "schedules": {"Constant", "Cosine", "Exponential", "OneCycle", "Schedule", "Step", "WarmUp"},
    "clipping": {"Clip", "ClipByGlobalNorm", "ClipByValue"},
    "penalties": {"L1", "L2", "Penalty"},
    "averaging": {"MovingAverage"},
    "battery": {"Optimizer"},
}
