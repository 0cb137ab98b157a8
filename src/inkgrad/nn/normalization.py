"""Batch and layer normalization."""

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar

import numpy as np

from inkgrad.autodiff import Array, Tensor, TensorLike, as_array, ops
from inkgrad.autodiff.ops.window import check_images
from inkgrad.errors import OptionError, ShapeError
from inkgrad.nn.module import Buffer, Module, Parameter

__all__ = ["BatchNorm1d", "BatchNorm2d", "LayerNorm", "has_batch_statistics", "statistics_over_parts"]

Adder = Callable[[Array], None]
_parts: ContextVar[tuple[Adder, Callable[[], int]] | None] = ContextVar("inkgrad_parts", default=None)


@contextlib.contextmanager
def statistics_over_parts(add: Adder, copies: Callable[[], int] = lambda: 1) -> Iterator[None]:
    """Inside the `with` block, a batch in training is one part of a larger one, whose statistics count.

    Args:
        add: sums a float64 array over all parts in place; called as often for each part, in the same order.
        copies: how many parts hold the same samples; asked at each step.
    """
    token = _parts.set((add, copies))
    try:
        yield
    finally:
        _parts.reset(token)


def has_batch_statistics(net: Module) -> bool:
    """Whether a layer of the network normalizes by the statistics of the batch in training."""
    return any(isinstance(module, _BatchNorm) for _, module in net.named_modules())


class _BatchNorm(Module):
    """What batch normalization of rows and of images share; subclasses say which shapes they take."""

    def __init__(self, features: int, *, eps: float = 1e-5, momentum: float = 0.1) -> None:
        if features < 1 or not eps > 0 or not 0 <= momentum <= 1:
            raise OptionError(
                f"{type(self).__name__} needs features >= 1, eps > 0 and momentum in 0..1, "
                f"but got {features}, {eps} and {momentum}"
            )
        self.weight = Parameter(np.ones(features, np.float32))
        self.bias = Parameter(np.zeros(features, np.float32))
        self.running_mean = Buffer(np.zeros(features, np.float32))
        self.running_var = Buffer(np.ones(features, np.float32))
        self.eps = eps
        self.momentum = momentum

    def _check(self, shape: tuple[int, ...]) -> None:
        """Refuse a shape that the layer is not made for."""
        raise NotImplementedError

    def _normalized(self, x: TensorLike) -> Tensor:
        shape = x.shape if isinstance(x, Tensor) else as_array(x).shape
        self._check(shape)
        if not self.training:
            mean, variance = self.running_mean.data, self.running_var.data
            return ops.batch_norm_inference(x, self.weight, self.bias, mean=mean, variance=variance, eps=self.eps)
        parts = _parts.get()
        if parts is not None:
            add, copies = parts

            def follow(mean: Array, variance: Array, count: int) -> None:
                self._check_count(shape, count // copies())
                self._follow(mean, variance, count // copies())

            return ops.batch_norm(x, self.weight, self.bias, eps=self.eps, observe=follow, add=add)
        self._check_count(shape, shape[0] * math.prod(shape[2:]))
        return ops.batch_norm(x, self.weight, self.bias, eps=self.eps, observe=self._follow)

    def _check_count(self, shape: tuple[int, ...], count: int) -> None:
        if count < 2:
            raise ShapeError(
                f"{self._title} needs at least 2 {'pixels' if len(shape) > 2 else 'samples'} for a batch's "
                f"statistics, but got {count}; use larger batches or eval()"
            )

    def _follow(self, mean: Array, variance: Array, count: int) -> None:
        if not (np.isfinite(mean).all() and np.isfinite(variance).all()):
            return  # the step will be refused; what was learned before it stays
        unbiased = variance * (count / (count - 1))
        for buffer, new in ((self.running_mean, mean), (self.running_var, unbiased)):
            buffer.data = ((1 - self.momentum) * buffer.data + self.momentum * new).astype(buffer.data.dtype)


class BatchNorm1d(_BatchNorm):
    """gamma (x - mean) / sqrt(var + eps) + beta for each feature: (n, c) -> (n, c).

    In training mean and variance are the batch's, and the running ones follow by `momentum`; in prediction the
    running ones are used (Ioffe and Szegedy 2015). As in PyTorch the batch is normalized by the population's
    variance and the running variance follows the unbiased one.

    Attributes:
        weight, bias: gamma and beta, (c,).
        running_mean, running_var: buffers, (c,).
    """

    def _check(self, shape: tuple[int, ...]) -> None:
        if len(shape) != 2 or shape[1] != self.weight.shape[0]:
            advice = "; BatchNorm2d takes images" if len(shape) == 4 else ""
            raise ShapeError(f"{self._title} expects (n, {self.weight.shape[0]}), but got {shape}{advice}")

    def forward(self, x: TensorLike) -> Tensor:
        """x (n, c) -> (n, c); training needs at least two samples."""
        return self._normalized(x)


class BatchNorm2d(_BatchNorm):
    """gamma (x - mean) / sqrt(var + eps) + beta for each channel: (n, c, h, w) -> (n, c, h, w).

    Like `BatchNorm1d`, with statistics over the batch and all pixels of a channel.

    Attributes:
        weight, bias: gamma and beta, (c,).
        running_mean, running_var: buffers, (c,).
    """

    def _check(self, shape: tuple[int, ...]) -> None:
        check_images(self._title, shape, self.weight.shape[0])

    def forward(self, x: TensorLike) -> Tensor:
        """x (n, c, h, w) -> (n, c, h, w); training needs at least two pixels in each channel."""
        return self._normalized(x)


class LayerNorm(Module):
    """gamma (x - mean) / sqrt(var + eps) + beta over the last axes of each sample (Ba et al. 2016).

    Args:
        shape: the lengths of those axes, or one length.
        eps: keeps the root away from 0.

    Attributes:
        weight, bias: gamma and beta, of that shape.
    """

    def __init__(self, shape: int | Sequence[int], *, eps: float = 1e-5) -> None:
        lengths = (shape,) if isinstance(shape, int) else tuple(shape)
        if not lengths or min(lengths) < 1 or not eps > 0:
            raise OptionError(f"LayerNorm needs axes of length >= 1 and eps > 0, but got {lengths} and {eps}")
        self.weight = Parameter(np.ones(lengths, np.float32))
        self.bias = Parameter(np.zeros(lengths, np.float32))
        self.eps = eps

    def forward(self, x: TensorLike) -> Tensor:
        """x (..., *shape) -> the same shape."""
        return ops.layer_norm(x, self.weight, self.bias, eps=self.eps)
