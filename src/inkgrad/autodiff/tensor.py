"""`Tensor`: an array that remembers how it was computed."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from inkgrad.errors import GraphError, ShapeError

if TYPE_CHECKING:
    from inkgrad.autodiff.node import Node

__all__ = ["OPS", "Array", "Tensor", "TensorLike", "as_array", "result_tensor"]

Array: TypeAlias = NDArray[Any]
TensorLike: TypeAlias = Union["Tensor", ArrayLike]

# Every differentiable operation by name, filled by `@differentiable`; the operators below look theirs up here,
# so that this module needs to know no operation.
OPS: dict[str, Callable[..., "Tensor"]] = {}

REAL = (np.dtype(np.float32), np.dtype(np.float64))


def as_array(value: TensorLike, dtype: DTypeLike | None = None) -> Array:
    """The array of a tensor, or `value` as a float array: float32 and float64 stay, the rest becomes float32.

    Raises:
        ShapeError: text, complex numbers or ragged lists.
    """
    if isinstance(value, Tensor):
        return value.data if dtype is None else value.data.astype(dtype, copy=False)
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ShapeError(f"a tensor needs numbers in a regular shape, but {error}") from None
    if array.dtype.kind not in "fiub":
        raise ShapeError(f"a tensor holds real numbers, but this is an array of dtype {array.dtype}")
    if dtype is None:
        # A Python float is no wish for float64; an array of float64 is.
        explicit = isinstance(value, np.ndarray | np.generic) and array.dtype in REAL
        dtype = array.dtype if explicit else np.float32
    return array.astype(dtype, copy=False)


class Tensor:
    """An array of float32 or float64 with, if asked for, the gradient of a later result for it.

    Operators and methods read as NumPy's do and return tensors; arrays and numbers may stand on either side
    and take the dtype of the tensor. Two tensors of different dtypes are an error, never a silent float64.
    Comparisons give plain boolean arrays.

    Args:
        data: numbers of any shape; an array of the right dtype is not copied.
        requires_grad: whether `backward` of a result fills `grad`.
        dtype: float32 or float64; by default that of a float array, else float32.
        name: shown in graphs.

    Attributes:
        data: the array.
        grad: after `backward`, an array of the same shape and dtype; sums up over backward passes until
            set to None. No two tensors share one. Under an optimizer it lies in the optimizer's flat buffer, which
            the next backward pass overwrites: copy what you want to keep.

    >>> x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> loss = (x ** 2).sum()
    >>> loss.backward()
    >>> x.grad
    array([2., 4., 6.], dtype=float32)
    """

    __slots__ = ("__weakref__", "data", "grad", "grad_storage", "name", "node", "requires_grad")
    __array_ufunc__ = None  # so that array * tensor asks the tensor

    def __init__(
        self,
        data: TensorLike,
        *,
        requires_grad: bool = False,
        dtype: DTypeLike | None = None,
        name: str | None = None,
    ) -> None:
        if dtype is not None and np.dtype(dtype) not in REAL:
            raise ShapeError(f"a tensor is float32 or float64, but dtype {np.dtype(dtype)} was asked for")
        self.data: Array = as_array(data, dtype)
        self.grad: Array | None = None
        self.grad_storage: Array | None = None  # where an optimizer wants the gradient to lie
        self.requires_grad = requires_grad
        self.node: Node | None = None
        self.name = name

    # What it is

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return self.data.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.data.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.data.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32 or float64."""
        return self.data.dtype

    def __repr__(self) -> str:
        body = np.array2string(self.data, separator=", ", prefix="Tensor(")
        grad = ", requires_grad=True" if self.requires_grad else ""
        dtype = "" if self.dtype == np.float32 else f", dtype={self.dtype}"
        return f"Tensor({body}{dtype}{grad})"

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator["Tensor"]:
        if self.data.ndim == 0:
            raise TypeError("a tensor of no axes cannot be iterated over")
        return (self[i] for i in range(len(self.data)))

    def __bool__(self) -> bool:
        return bool(self.data)

    def __float__(self) -> float:
        return float(self.data)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        return np.array(self.data, dtype=dtype, copy=copy)

    def item(self) -> float:
        """The value of a tensor of one element as a Python float."""
        return float(self.data.item())

    def detach(self) -> "Tensor":
        """A tensor on the same array that the graph does not reach beyond."""
        return Tensor(self.data, name=self.name)

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickles, which stand outside the graph: the copy of a result is as if detached."""
        leaf = self.node is None or self.node.leaf is not None
        return {"data": self.data, "grad": self.grad, "requires_grad": self.requires_grad and leaf, "name": self.name}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for key, value in state.items():
            setattr(self, key, value)
        self.node = None
        self.grad_storage = None

    # Gradients

    def backward(self, gradient: TensorLike | None = None) -> None:
        """Fill `grad` of every tensor with `requires_grad` that this one was computed from.

        Args:
            gradient: dL/d(this), of this shape; by default 1, for a tensor of one element.

        Raises:
            GraphError: nothing was recorded, the graph was used up by an earlier backward pass, `gradient` is
                missing for more than one element, or a second derivative is asked for.
        """
        from inkgrad.autodiff.backward import backward  # the one import upwards: methods need their machinery

        if isinstance(gradient, Tensor) and gradient.requires_grad:
            raise GraphError(
                "backward got a gradient that itself requires a gradient, which asks for a second derivative; "
                "inkgrad computes first derivatives only: pass gradient.detach()"
            )
        backward(self, None if gradient is None else as_array(gradient, self.dtype))

    # Operators, as NumPy's

    def __add__(self, other: TensorLike) -> "Tensor":
        return OPS["add"](self, other)

    def __radd__(self, other: TensorLike) -> "Tensor":
        return OPS["add"](other, self)

    def __sub__(self, other: TensorLike) -> "Tensor":
        return OPS["subtract"](self, other)

    def __rsub__(self, other: TensorLike) -> "Tensor":
        return OPS["subtract"](other, self)

    def __mul__(self, other: TensorLike) -> "Tensor":
        return OPS["multiply"](self, other)

    def __rmul__(self, other: TensorLike) -> "Tensor":
        return OPS["multiply"](other, self)

    def __truediv__(self, other: TensorLike) -> "Tensor":
        return OPS["divide"](self, other)

    def __rtruediv__(self, other: TensorLike) -> "Tensor":
        return OPS["divide"](other, self)

    def __pow__(self, other: TensorLike) -> "Tensor":
        return OPS["power"](self, other)

    def __rpow__(self, other: TensorLike) -> "Tensor":
        return OPS["power"](other, self)

    def __matmul__(self, other: TensorLike) -> "Tensor":
        return OPS["matmul"](self, other)

    def __rmatmul__(self, other: TensorLike) -> "Tensor":
        return OPS["matmul"](other, self)

    def __neg__(self) -> "Tensor":
        return OPS["negative"](self)

    def __pos__(self) -> "Tensor":
        return self

    def __abs__(self) -> "Tensor":
        return OPS["abs"](self)

    def __getitem__(self, index: Any) -> "Tensor":
        return OPS["getitem"](self, index=index)

    def __lt__(self, other: TensorLike) -> Array:
        return np.asarray(self.data < as_array(other, self.dtype))

    def __le__(self, other: TensorLike) -> Array:
        return np.asarray(self.data <= as_array(other, self.dtype))

    def __gt__(self, other: TensorLike) -> Array:
        return np.asarray(self.data > as_array(other, self.dtype))

    def __ge__(self, other: TensorLike) -> Array:
        return np.asarray(self.data >= as_array(other, self.dtype))

    def __eq__(self, other: object) -> Array:  # type: ignore[override]
        return np.asarray(self.data == (other if other is None else as_array(other, self.dtype)))  # type: ignore

    def __ne__(self, other: object) -> Array:  # type: ignore[override]
        return np.asarray(self.data != (other if other is None else as_array(other, self.dtype)))  # type: ignore

    __hash__ = object.__hash__

    # Methods, as NumPy's

    @property
    def T(self) -> "Tensor":  # noqa: N802
        """The axes in reverse order."""
        return OPS["transpose"](self, axes=None)

    def reshape(self, *shape: Any) -> "Tensor":
        """The same elements in another shape; one length may be -1."""
        return OPS["reshape"](self, shape=shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes: Any) -> "Tensor":
        """The axes in the given order, reversed by default."""
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        return OPS["transpose"](self, axes=order or None)

    def sum(self, axis: Any = None, *, keepdims: bool = False) -> "Tensor":
        """The sum over the given axes, all by default."""
        return OPS["sum"](self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Any = None, *, keepdims: bool = False) -> "Tensor":
        """The mean over the given axes, all by default."""
        return OPS["mean"](self, axis=axis, keepdims=keepdims)

    def max(self, axis: Any = None, *, keepdims: bool = False) -> "Tensor":
        """The maximum over the given axes; equal maxima share the gradient."""
        return OPS["max"](self, axis=axis, keepdims=keepdims)

    def var(self, axis: Any = None, *, keepdims: bool = False) -> "Tensor":
        """The population variance over the given axes."""
        return OPS["variance"](self, axis=axis, keepdims=keepdims)


def result_tensor(data: Array, node: "Node | None") -> Tensor:
    """The tensor of an operation's result; with a node it takes part in the graph. No checks, as this is hot."""
    tensor = Tensor.__new__(Tensor)
    tensor.data = data
    tensor.grad = None
    tensor.grad_storage = None
    tensor.requires_grad = node is not None
    tensor.node = node
    tensor.name = None
    return tensor
