"""The table: every operation, kernel, layer and optimizer as a row that the batteries run over.

Inputs are seeded by the row's name and built so that no kink lies near: no zeros for relu, distinct values for
max. A row names the same thing in NumPy and, where PyTorch has it, in PyTorch; the twin takes the torch module
as its first argument, so that this table imports without it.
"""

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
    """

    optimizer: str
    variant: str
    options: dict[str, Any]
    rate: float
    rule: Callable[[float, float, float, int, dict[str, float]], float]
    torch: Callable[[Any, Any, float], Any]
    rosenbrock: float

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
]

# The other public names of the two packages, each tested in a file of its own.
NOT_LAYERS = {"Buffer", "Module", "Parameter", "init", "load_state", "state_of"}
LOSSES = {"binary_cross_entropy", "cross_entropy", "mean_squared_error", "sigmoid_squared_error"}
NOT_OPTIMIZERS = {
    "schedules": {"Constant", "Cosine", "Exponential", "OneCycle", "Schedule", "Step", "WarmUp"},
    "clipping": {"Clip", "ClipByGlobalNorm", "ClipByValue"},
    "penalties": {"L1", "L2", "Penalty"},
    "averaging": {"MovingAverage"},
    "battery": {"Optimizer"},
}
