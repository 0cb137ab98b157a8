"""Runnable lessons: computational graphs with numbers that can be followed by hand."""

from inkgrad.lessons.drawing import Drawing, NodeBox, draw
from inkgrad.lessons.expressions import Expression
from inkgrad.lessons.layers import AddLayer, MultiplyLayer
from inkgrad.lessons.textbook import (
    Purchase,
    Receipt,
    apples,
    apples_and_oranges,
    apples_and_oranges_with_layers,
    apples_with_layers,
)
from inkgrad.lessons.walk import Backward, Forward, Part, Walk

__all__ = [
    "AddLayer",
    "Backward",
    "Drawing",
    "Expression",
    "Forward",
    "MultiplyLayer",
    "NodeBox",
    "Part",
    "Purchase",
    "Receipt",
    "Walk",
    "apples",
    "apples_and_oranges",
    "apples_and_oranges_with_layers",
    "apples_with_layers",
    "draw",
]
