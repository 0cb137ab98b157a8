"""The class of every named network."""

from typing import Any

from inkgrad.nn import Module, Sequential

__all__ = ["Network"]


class Network(Sequential):
    """A named network: its layers, and what is needed to build it again.

    Attributes:
        architecture: the name it was built by.
        options: the arguments it was built with, as JSON holds them.
    """

    def __init__(self, *layers: Module) -> None:
        super().__init__(*layers)
        self.architecture = ""
        self.options: dict[str, Any] = {}
