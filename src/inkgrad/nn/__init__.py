"""Layers, initial weights, losses, and model files."""

from inkgrad.autodiff.ops import binary_cross_entropy, cross_entropy, mean_squared_error, sigmoid_squared_error
from inkgrad.nn import init
from inkgrad.nn.activation import GELU, LeakyReLU, LogSoftmax, ReLU, Sigmoid, Softmax, Softplus, Tanh
from inkgrad.nn.container import Flatten, Residual, Sequential
from inkgrad.nn.dropout import Dropout
from inkgrad.nn.linear import Linear
from inkgrad.nn.module import Buffer, Module, Parameter
from inkgrad.nn.normalization import BatchNorm1d, LayerNorm
from inkgrad.nn.state import load_state, state_of

__all__ = [
    "GELU",
    "BatchNorm1d",
    "Buffer",
    "Dropout",
    "Flatten",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "Module",
    "Parameter",
    "ReLU",
    "Residual",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "binary_cross_entropy",
    "cross_entropy",
    "init",
    "load_state",
    "mean_squared_error",
    "sigmoid_squared_error",
    "state_of",
]
