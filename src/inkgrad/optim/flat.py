"""All parameters of a network in one flat buffer, and all their gradients in another."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inkgrad.errors import OptionError
from inkgrad.kernels.memory import aligned

__all__ = ["FlatParameters", "HasParameters", "Trainable"]

SUMS = 8  # numbers that travel with a gradient


class Trainable(Protocol):
    """What an optimizer needs of a parameter."""

    data: NDArray[Any]
    requires_grad: bool
    grad: NDArray[Any] | None
    grad_storage: NDArray[Any] | None


class HasParameters(Protocol):
    """What an optimizer needs of a network."""

    def named_parameters(self) -> Iterator[tuple[str, Any]]:
        """(name, parameter) in a fixed order."""
        ...


class FlatParameters:
    """Lets parameters live in one buffer: each `data` becomes a view of it, and `backward` fills views of another.

    An update is then one pass over one array, however many parameters there are. Whoever puts another array
    into `parameter.data` is followed: its values are copied back into the buffer.

    Attributes:
        weights: (n,), all parameters one after the other.
        gradient: (n,), their gradients; 0 where a parameter has none.
        message: (n + 8,), the gradient with room behind it for a few sums that travel with it.
        windows: name -> where in both buffers a parameter lies.
    """

    def __init__(self, module: HasParameters) -> None:
        if not hasattr(module, "named_parameters"):
            raise OptionError(
                f"an optimizer takes a network with named_parameters(), but got a {type(module).__name__}; put the "
                f"parameters into an nn.Module as attributes"
            )
        named = list(module.named_parameters())
        if not named:
            raise OptionError(f"{type(module).__name__} has no parameters, so there is nothing to optimize")
        dtypes = {parameter.data.dtype for _, parameter in named}
        if len(dtypes) > 1:
            raise OptionError(
                f"an optimizer needs parameters of one dtype, but {type(module).__name__} has "
                f"{' and '.join(sorted(str(d) for d in dtypes))}; use module.astype(...)"
            )
        self.names = [name for name, _ in named]
        self._parameters: list[Trainable] = [parameter for _, parameter in named]
        sizes = [parameter.data.size for parameter in self._parameters]
        ends = np.cumsum(sizes).tolist()
        places = [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]
        self.windows = dict(zip(self.names, places, strict=True))
        self._make_views()

    def _make_views(self) -> None:
        """The buffers, and each parameter's part of them."""
        size, dtype = sum(parameter.data.size for parameter in self._parameters), self._parameters[0].data.dtype
        self.weights, self.message = aligned(size, dtype), aligned(size + SUMS, dtype)
        self.gradient = self.message[:size]
        self._weight_views: list[NDArray[Any]] = []
        self._gradient_views: list[NDArray[Any]] = []
        for parameter, window in zip(self._parameters, self.windows.values(), strict=True):
            shape = parameter.data.shape
            self._weight_views.append(self.weights[window].reshape(shape))
            self._gradient_views.append(self.gradient[window].reshape(shape))
        self.adopt()

    def __getstate__(self) -> dict[str, Any]:
        """Without the buffers and their views, which a copy makes anew of its parameters."""
        made = ("weights", "message", "gradient", "_weight_views", "_gradient_views")
        return {name: value for name, value in vars(self).items() if name not in made}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._make_views()

    def adopt(self) -> None:
        """Make every `data` our view, keeping its values, and every gradient arrive in ours."""
        for name, parameter, view, gradient in zip(
            self.names, self._parameters, self._weight_views, self._gradient_views, strict=True
        ):
            if parameter.data is not view:
                if parameter.data.shape != view.shape or parameter.data.dtype != view.dtype:
                    raise OptionError(
                        f"{name} was {view.dtype} {view.shape} when the optimizer was made, but is now "
                        f"{parameter.data.dtype} {parameter.data.shape}; make a new optimizer"
                    )
                view[...] = parameter.data
                parameter.data = view
            parameter.grad_storage = gradient

    def take(self, used: Sequence[bool]) -> None:
        """Say that the buffer holds new gradients of the parameters in use; the others have none."""
        for parameter, wanted, view in zip(self._parameters, used, self._gradient_views, strict=True):
            parameter.grad = view if wanted else None

    def wanted(self) -> list[bool]:
        """Whether a gradient is wanted of each parameter."""
        return [parameter.requires_grad for parameter in self._parameters]

    @property
    def parameters(self) -> tuple[Trainable, ...]:
        """The parameters in their order."""
        return tuple(self._parameters)

    def clear(self) -> None:
        """Set every parameter's gradient to None."""
        self.adopt()
        for parameter in self._parameters:
            parameter.grad = None

    def collect(self) -> list[slice]:
        """Bring all gradients into the buffer; the stretches of it whose parameters have one."""
        self.adopt()
        stretches: list[slice] = []
        for parameter, window, view in zip(self._parameters, self.windows.values(), self._gradient_views, strict=True):
            if parameter.grad is None:
                view[...] = 0
                continue
            if parameter.grad is not view:
                view[...] = parameter.grad
            if stretches and stretches[-1].stop == window.start:
                stretches[-1] = slice(stretches[-1].start, window.stop)
            else:
                stretches.append(window)
        return stretches

    def first_not_finite(self) -> str | None:
        """The name of the first parameter whose gradient holds NaN or infinity, None if all are finite."""
        # One product tells; only where it overflows is each gradient looked at.
        with np.errstate(over="ignore", invalid="ignore"):
            if np.isfinite(np.dot(self.gradient, self.gradient)):
                return None
        for name, view in zip(self.names, self._gradient_views, strict=True):
            if not np.isfinite(view).all():
                return name
        return None
