"""Every differentiable operation, as functions of tensors, arrays and numbers."""

from inkgrad.autodiff.ops.activation import (
    erf,
    gelu,
    leaky_relu,
    log_softmax,
    relu,
    sigmoid,
    softmax,
    softplus,
    tanh,
)
from inkgrad.autodiff.ops.arithmetic import (
    abs,
    add,
    clip,
    divide,
    exp,
    log,
    maximum,
    minimum,
    multiply,
    negative,
    power,
    sqrt,
    subtract,
    where,
)
from inkgrad.autodiff.ops.convolution import conv2d
from inkgrad.autodiff.ops.ctc import ctc_loss, guided_ctc_loss
from inkgrad.autodiff.ops.linear import affine, matmul
from inkgrad.autodiff.ops.loss import (
    binary_cross_entropy,
    cross_entropy,
    distillation_loss,
    mean_squared_error,
    sigmoid_squared_error,
)
from inkgrad.autodiff.ops.noise import dropout
from inkgrad.autodiff.ops.normalization import batch_norm, batch_norm_inference, layer_norm
from inkgrad.autodiff.ops.pooling import average_pool2d, global_average_pool2d, max_pool2d
from inkgrad.autodiff.ops.reduction import logsumexp, max, mean, sum, variance
from inkgrad.autodiff.ops.shape import broadcast_to, concatenate, getitem, pad, reshape, stack, transpose

__all__ = [
    "abs",
    "add",
    "affine",
    "average_pool2d",
    "batch_norm",
    "batch_norm_inference",
    "binary_cross_entropy",
    "broadcast_to",
    "clip",
    "concatenate",
    "conv2d",
    "cross_entropy",
    "ctc_loss",
    "distillation_loss",
    "divide",
    "dropout",
    "erf",
    "exp",
    "gelu",
    "getitem",
    "global_average_pool2d",
    "guided_ctc_loss",
    "layer_norm",
    "leaky_relu",
    "log",
    "log_softmax",
    "logsumexp",
    "matmul",
    "max",
    "max_pool2d",
    "maximum",
    "mean",
    "mean_squared_error",
    "minimum",
    "multiply",
    "negative",
    "pad",
    "power",
    "relu",
    "reshape",
    "sigmoid",
    "sigmoid_squared_error",
    "softmax",
    "softplus",
    "sqrt",
    "stack",
    "subtract",
    "sum",
    "tanh",
    "transpose",
    "variance",
    "where",
]
