"""The dense layer: BLAS for the product, then bias and activation in one pass over the result."""

import math
from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from inkgrad.kernels.numba_cpu.jit import array, is_float32, jit, readonly
from inkgrad.kernels.reference.activation import ACTIVATIONS, Activation, activation_backward
from inkgrad.kernels.reference.affine import affine_forward
from inkgrad.kernels.registry import implements

_CODE = {name: code for code, name in enumerate(ACTIVATIONS)}  # identity 0, relu 1, sigmoid 2, tanh 3


@jit(types.void(array(types.float32, 2), readonly(types.float32, 1), types.int64))
def _bias_activation(y, bias, code):  # type: ignore[no-untyped-def]
    one = np.float32(1)
    zero = np.float32(0)
    for i in range(y.shape[0]):
        if code == 1:
            for j in range(y.shape[1]):
                v = y[i, j] + bias[j]
                y[i, j] = zero if v < zero else v  # NaN passes
        elif code == 2:
            for j in range(y.shape[1]):
                v = y[i, j] + bias[j]
                small = math.exp(-abs(v))
                y[i, j] = (one if v >= zero else small) / (one + small)
        elif code == 3:
            for j in range(y.shape[1]):
                y[i, j] = math.tanh(y[i, j] + bias[j])
        else:
            for j in range(y.shape[1]):
                y[i, j] += bias[j]


@jit(types.void(array(types.float32, 1), readonly(types.float32, 1), readonly(types.float32, 1), types.int64))
def _activation_backward(out, gradient, y, code):  # type: ignore[no-untyped-def]
    one = np.float32(1)
    zero = np.float32(0)
    if code == 1:
        for i in range(out.size):
            out[i] = zero if y[i] <= zero else gradient[i]  # 0 also of an infinite gradient
    elif code == 2:
        for i in range(out.size):
            out[i] = gradient[i] * (y[i] * (one - y[i]))
    else:
        for i in range(out.size):
            out[i] = gradient[i] * (one - y[i] * y[i])


def _fits(x: NDArray[Any], weight: NDArray[Any], bias: NDArray[Any] | None, activation: Activation) -> bool:
    if bias is None:
        return False
    if x.ndim != 2 or weight.ndim != 2 or bias.shape != weight.shape[:1]:
        return False
    return x.dtype == np.float32 and weight.dtype == np.float32 and is_float32(bias)


@implements(affine_forward, backend="numba_cpu", when=_fits)
def affine(x: NDArray[Any], weight: NDArray[Any], bias: NDArray[Any] | None, activation: Activation) -> NDArray[Any]:
    y = np.empty((x.shape[0], weight.shape[0]), np.float32)
    np.matmul(x, weight.T, out=y)
    _bias_activation(y, bias, _CODE[activation])
    return y


def _flat(gradient: NDArray[Any], y: NDArray[Any], activation: Activation) -> bool:
    return activation != "identity" and gradient.shape == y.shape and is_float32(gradient, y)


@implements(activation_backward, backend="numba_cpu", when=_flat)
def backward(gradient: NDArray[Any], y: NDArray[Any], activation: Activation) -> NDArray[Any]:
    out = np.empty(y.shape, np.float32)
    _activation_backward(out.reshape(-1), gradient.reshape(-1), y.reshape(-1), _CODE[activation])
    return out
