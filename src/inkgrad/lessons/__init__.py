"""Runnable lessons: computational graphs with numbers that can be followed by hand."""

from inkgrad.lessons.layers import AddLayer, MultiplyLayer
from inkgrad.lessons.textbook import (
    Purchase,
    Receipt,
    apples,
    apples_and_oranges,
    apples_and_oranges_with_layers,
    apples_with_layers,
)

__all__ = [
    "AddLayer",
    "MultiplyLayer",
    "Purchase",
    "Receipt",
    "apples",
    "apples_and_oranges",
    "apples_and_oranges_with_layers",
    "apples_with_layers",
]
