"""Layers, initial weights, losses, and model files."""

from inkgrad.autodiff.ops import (
    binary_cross_entropy,
    cross_entropy,
    ctc_loss,
    distillation_loss,
    guided_ctc_loss,
    mean_squared_error,
    sigmoid_squared_error,
)
from inkgrad.nn import init
from inkgrad.nn.activation import GELU, LeakyReLU, LogSoftmax, ReLU, Sigmoid, Softmax, Softplus, Tanh
from inkgrad.nn.automaton import Automaton
from inkgrad.nn.certainty import sure_sequence
from inkgrad.nn.container import Flatten, Residual, Sequential
from inkgrad.nn.convolution import Conv2d
from inkgrad.nn.decoding import beam_search, greedy_decode
from inkgrad.nn.dropout import Dropout, Dropout2d
from inkgrad.nn.features import feature_maps
from inkgrad.nn.linear import Linear
from inkgrad.nn.module import Buffer, Module, Parameter
from inkgrad.nn.normalization import BatchNorm1d, BatchNorm2d, LayerNorm
from inkgrad.nn.pooling import AveragePool2d, GlobalAveragePool2d, MaxPool2d, ScaledAveragePool2d
from inkgrad.nn.state import load_state, state_of

__all__ = [
    "GELU",
    "Automaton",
    "AveragePool2d",
    "BatchNorm1d",
    "BatchNorm2d",
    "Buffer",
    "Conv2d",
    "Dropout",
    "Dropout2d",
    "Flatten",
    "GlobalAveragePool2d",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MaxPool2d",
    "Module",
    "Parameter",
    "ReLU",
    "Residual",
    "ScaledAveragePool2d",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "beam_search",
    "binary_cross_entropy",
    "cross_entropy",
    "ctc_loss",
    "distillation_loss",
    "feature_maps",
    "greedy_decode",
    "guided_ctc_loss",
    "init",
    "load_state",
    "mean_squared_error",
    "sigmoid_squared_error",
    "state_of",
    "sure_sequence",
]
