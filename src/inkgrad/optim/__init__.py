"""Optimizers, one class a published rule; schedules, clipping, penalties and averaging."""

from inkgrad.optim.adagrad import AdaGrad
from inkgrad.optim.adam import Adam, AdamW
from inkgrad.optim.averaging import MovingAverage
from inkgrad.optim.clipping import Clip, ClipByGlobalNorm, ClipByValue
from inkgrad.optim.muon import Muon
from inkgrad.optim.optimizer import Optimizer
from inkgrad.optim.penalties import L1, L2, Penalty
from inkgrad.optim.rmsprop import RMSProp
from inkgrad.optim.schedules import Constant, Cosine, Exponential, OneCycle, Schedule, Step, WarmUp
from inkgrad.optim.sgd import SGD

__all__ = [
    "L1",
    "L2",
    "SGD",
    "AdaGrad",
    "Adam",
    "AdamW",
    "Clip",
    "ClipByGlobalNorm",
    "ClipByValue",
    "Constant",
    "Cosine",
    "Exponential",
    "MovingAverage",
    "Muon",
    "OneCycle",
    "Optimizer",
    "Penalty",
    "RMSProp",
    "Schedule",
    "Step",
    "WarmUp",
]
