"""Nonlinearities. At its kink relu's gradient is 0, as PyTorch's."""

import numpy as np

from inkgrad import kernels
from inkgrad.autodiff.differentiable import Recorded, differentiable
from inkgrad.autodiff.tensor import Array

__all__ = ["erf", "gelu", "leaky_relu", "log_softmax", "relu", "sigmoid", "softmax", "softplus", "tanh"]


@differentiable
def relu(x: Array) -> Recorded:
    """max(x, 0); relu'(0) = 0."""
    y = kernels.activation_forward(x, "relu")
    return y, (lambda g: kernels.activation_backward(g, y, "relu"),)


@differentiable
def leaky_relu(x: Array, *, slope: float = 0.01) -> Recorded:
    """x where positive, else slope x (Maas et al. 2013); the gradient at 0 is the slope."""
    factor = np.where(x > 0, x.dtype.type(1), x.dtype.type(slope))
    return x * factor, (lambda g: g * factor,)


@differentiable
def sigmoid(x: Array) -> Recorded:
    """1 / (1 + e^-x), without overflow; dx = y (1 - y)."""
    y = kernels.activation_forward(x, "sigmoid")
    return y, (lambda g: kernels.activation_backward(g, y, "sigmoid"),)


@differentiable
def tanh(x: Array) -> Recorded:
    """The hyperbolic tangent; dx = 1 - y^2."""
    y = kernels.activation_forward(x, "tanh")
    return y, (lambda g: kernels.activation_backward(g, y, "tanh"),)


@differentiable
def gelu(x: Array) -> Recorded:
    """x Phi(x), Phi the normal distribution's cumulative function: the exact form (Hendrycks and Gimpel 2016)."""
    from scipy.special import ndtr  # here, as importing SciPy takes longer than most programs need it

    cumulative = ndtr(x).astype(x.dtype, copy=False)

    def pull_back(g: Array) -> Array:
        density = np.exp(x * x * x.dtype.type(-0.5)) * x.dtype.type(1 / np.sqrt(2 * np.pi))
        return np.asarray(g * (cumulative + x * density))

    return x * cumulative, (pull_back,)


@differentiable
def erf(x: Array) -> Recorded:
    """2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x; dx = 2 / sqrt(pi) e^(-x^2)."""
    from scipy import special

    value = special.erf(x).astype(x.dtype, copy=False)
    return value, (lambda g: g * np.exp(-x * x) * x.dtype.type(2 / np.sqrt(np.pi)),)


@differentiable
def softplus(x: Array) -> Recorded:
    """log(1 + e^x), without overflow; dx = sigmoid(x)."""
    value = np.maximum(x, x.dtype.type(0)) + np.log1p(np.exp(-np.abs(x)))
    return value, (lambda g: g * kernels.activation_forward(x, "sigmoid"),)


@differentiable
def softmax(x: Array, *, axis: int = -1) -> Recorded:
    """e^x / sum e^x along an axis; dx = y (g - sum g y)."""
    y = np.exp(_log_softmax(x, axis))
    return y, (lambda g: y * (g - (g * y).sum(axis=axis, keepdims=True)),)


@differentiable
def log_softmax(x: Array, *, axis: int = -1) -> Recorded:
    """x - log sum e^x along an axis; dx = g - softmax(x) sum g."""
    y = _log_softmax(x, axis)
    return y, (lambda g: g - np.exp(y) * g.sum(axis=axis, keepdims=True),)


def _log_softmax(x: Array, axis: int) -> Array:
    if x.size == 0:
        return x.copy()
    shifted = x - x.max(axis=axis, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True)))
