"""The package `onnx`, which comes with the extra of the same name."""

import importlib
from typing import Any

from inkgrad.errors import OptionError

__all__ = ["onnx_module"]


def onnx_module(name: str = "onnx") -> Any:
    """A module of the package `onnx`.

    Raises:
        OptionError: the package is not installed.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "onnx":
            raise
        raise OptionError('ONNX files need the package onnx; install it with: pip install "inkgrad[onnx]"') from error
