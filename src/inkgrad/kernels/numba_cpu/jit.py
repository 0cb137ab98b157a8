"""Compiling on first use, once per machine."""

import hashlib
import threading
from collections.abc import Callable
from importlib.resources import files
from types import CellType, FunctionType
from typing import Any

import numba
import numpy as np
from numba import types
from numpy.typing import NDArray

__all__ = ["array", "is_float32", "jit", "of_this_version", "readonly", "start"]

# Sums may be reordered so that they vectorize; NaN and infinity keep their meaning, as divergence is found by them.
FAST_MATH = {"contract", "reassoc", "nsz"}


def fingerprint(folder: Any = None) -> str:
    """That of all source files that machine code is made of."""
    folder = files(__package__) if folder is None else folder
    sources = sorted((file.name, file.read_bytes()) for file in folder.iterdir() if file.name.endswith(".py"))
    return hashlib.sha256(repr(sources).encode()).hexdigest()


VERSION = [fingerprint()]


def of_this_version(function: Callable[..., Any]) -> Any:
    """The function for a compiler whose cache forgets machine code when any of our files has changed.

    Numba's own looks at the function's file, its code and what it encloses, but not at the functions of other files
    that were compiled into it. So this one encloses the fingerprint of all files.
    """
    code = function.__code__.replace(co_freevars=("version",))
    made = FunctionType(code, function.__globals__, function.__name__, None, (CellType(VERSION[0]),))
    made.__doc__ = function.__doc__
    return made


def array(dtype: Any, ndim: int) -> Any:
    """The Numba type of a C-contiguous array that the kernel writes to."""
    return types.Array(dtype, ndim, "C")


def readonly(dtype: Any, ndim: int) -> Any:
    """The Numba type of a C-contiguous array that the kernel only reads; it takes writable ones too."""
    return types.Array(dtype, ndim, "C", readonly=True)


class _Lazy:
    """A function compiled for one signature when it is first called."""

    def __init__(self, function: Callable[..., Any], signature: Any, fast_math: set[str]) -> None:
        self._function = function
        self._signature = signature
        self._fast_math = fast_math
        self._compiled: Callable[..., Any] | None = None
        self._lock = threading.Lock()
        self.__doc__ = function.__doc__

    def __call__(self, *args: Any) -> Any:
        if self._compiled is None:
            with self._lock:
                self._compiled = self._compiled or self._compile()
        return self._compiled(*args)

    def _compile(self) -> Callable[..., Any]:
        options: dict[str, Any] = {"nogil": True, "fastmath": self._fast_math, "error_model": "numpy"}
        try:
            compiled = numba.njit(self._signature, cache=True, **options)(of_this_version(self._function))
        except RuntimeError as error:
            if "cannot cache" not in str(error):
                raise
            # No folder can be written, neither the package's nor the user's: compile for this process only.
            compiled = numba.njit(self._signature, **options)(self._function)
        return compiled  # type: ignore[no-any-return]


def jit(signature: Any, *, exact: bool = False) -> Callable[[Callable[..., Any]], _Lazy]:
    """Compile the decorated function for `signature` on its first call and cache the machine code on disk.

    Args:
        signature: the Numba types.
        exact: round every operation as NumPy does, instead of fusing and reordering them.
    """
    return lambda function: _Lazy(function, signature, set() if exact else FAST_MATH)


@jit(types.int64(types.int64))
def _nothing(x):  # type: ignore[no-untyped-def]
    return x


def start() -> None:
    """Set up Numba's machinery, a third of a second whichever kernel comes first, before the first step is timed."""
    _nothing(0)


def is_float32(*arrays: NDArray[Any]) -> bool:
    """Whether every array is float32 and C-contiguous, as the compiled kernels need."""
    for a in arrays:  # noqa: SIM110  a plain loop, as this runs before every kernel
        if a.dtype != np.float32 or not a.flags.c_contiguous:
            return False
    return True
