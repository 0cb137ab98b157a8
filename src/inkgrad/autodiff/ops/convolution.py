"""Convolution over images."""

from inkgrad import kernels
from inkgrad.autodiff.differentiable import Recorded, differentiable
from inkgrad.autodiff.ops.window import Lengths, check_images, check_window, pair_of
from inkgrad.autodiff.tensor import Array
from inkgrad.errors import ShapeError

__all__ = ["conv2d"]


@differentiable
def conv2d(
    x: Array, weight: Array, bias: Array | None = None, *, stride: Lengths = 1, padding: Lengths = 0
) -> Recorded:
    """y[n, o, r, s] = b[o] + sum over c, i, j of w[o, c, i, j] x[n, c, r sh + i - ph, s sw + j - pw].

    Kernels slide over images and are not flipped: a cross-correlation, as in every network library. LeCun et al.
    1989 trained such kernels by backpropagation.

    Args:
        x: (n, c, h, w), zeros around it.
        weight: (o, c, kh, kw).
        bias: (o,) or None.
        stride: steps between windows, for rows and columns or (rows, columns).
        padding: zeros on every side, likewise.

    Returns:
        (n, o, (h + 2 ph - kh) // sh + 1, (w + 2 pw - kw) // sw + 1).

    Raises:
        ShapeError: shapes that do not fit, or a kernel larger than the padded images.
        OptionError: a stride below 1 or a padding below 0.

    >>> import numpy as np
    >>> conv2d(np.ones((1, 1, 4, 4)), np.ones((1, 1, 3, 3))).data.tolist()
    [[[[9.0, 9.0], [9.0, 9.0]]]]
    """
    if weight.ndim != 4 or min(weight.shape[2:]) < 1:
        raise ShapeError(f"conv2d needs a weight (o, c, kh, kw) with kernels of 1x1 or more, but it is {weight.shape}")
    check_images("conv2d", x.shape, weight.shape[1])
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ShapeError(f"conv2d needs a bias of shape ({weight.shape[0]},), but it has {bias.shape}")
    steps, around = pair_of("conv2d", "stride", stride, least=1), pair_of("conv2d", "padding", padding, least=0)
    size = (weight.shape[2], weight.shape[3])
    check_window("conv2d", x.shape, size, steps, around)
    shape = x.shape
    return kernels.conv2d_forward(x, weight, bias, steps, around), (
        lambda g: kernels.conv2d_input_gradient(g, weight, shape, steps, around),
        lambda g: kernels.conv2d_weight_gradient(g, x, size, steps, around),
        None if bias is None else lambda g: g.sum(axis=(0, 2, 3)),
    )
