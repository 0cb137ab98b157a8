"""Instructions: compiled functions of one C signature, which a plan runs one after the other without Python.

An instruction takes the address of its words, int64 each: counts, strides, and addresses of arrays. It is compiled
when its address is first asked for, once per machine, as its machine code is cached on disk.
"""

import ctypes
import platform
import sys
import threading
from collections.abc import Callable
from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from inkgrad.kernels.numba_cpu.jit import FAST_MATH, of_this_version

__all__ = [
    "Instruction",
    "atomic_add",
    "atomic_load",
    "atomic_swap",
    "bytes_at",
    "call",
    "call_with",
    "doubles_at",
    "floats_at",
    "flush_denormals",
    "instruction",
    "integers_at",
    "relax",
    "restore_floats",
    "words_at",
]

WORDS = types.CPointer(types.int64)
SIGNATURE = types.void(WORDS)


class Instruction:
    """A function of the words of an instruction; `address` compiles it, or loads it from the cache, on first use."""

    def __init__(self, function: Callable[[Any], None], fast_math: set[str]) -> None:
        self.name = function.__name__
        self.__doc__ = function.__doc__
        self._function = function
        self._fast_math = fast_math
        self._compiled: Any = None
        self._callable: Callable[[int], None] | None = None
        self._lock = threading.Lock()

    def __call__(self, words: int) -> None:
        """Run it on the words at an address; other Python threads go on meanwhile."""
        if self._callable is None:
            self._callable = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self.address)
        self._callable(words)

    @property
    def ready(self) -> bool:
        """Whether it is compiled in this process."""
        return self._compiled is not None

    @property
    def address(self) -> int:
        """Where the machine code begins."""
        if self._compiled is None:
            with self._lock:
                self._compiled = self._compiled or self._compile()
        return int(self._compiled.address)

    def _compile(self) -> Any:
        options: dict[str, Any] = {"nopython": True, "fastmath": self._fast_math, "error_model": "numpy"}
        if self._function.__module__ not in sys.modules:  # code of no module, which a cache could not find again
            return numba.cfunc(SIGNATURE, **options)(self._function)
        try:
            return numba.cfunc(SIGNATURE, cache=True, **options)(of_this_version(self._function))
        except RuntimeError as error:
            if "cannot cache" not in str(error):
                raise
            return numba.cfunc(SIGNATURE, **options)(self._function)  # no folder can be written

    def __repr__(self) -> str:
        return f"<instruction {self.name}>"


def instruction(function: Callable[[Any], None]) -> Instruction:
    """Make an instruction of a function of words in Numba's subset of Python."""
    return Instruction(function, FAST_MATH)


def _pointer_to(element: Any) -> Any:
    """An intrinsic that turns an address into a pointer, indexed as `p[i]`."""

    @intrinsic
    def at(typing_context, address):  # type: ignore[no-untyped-def]
        def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
            return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

        return types.CPointer(element)(types.int64), codegen

    return at


floats_at = _pointer_to(types.float32)
bytes_at = _pointer_to(types.uint8)
words_at = _pointer_to(types.int64)
integers_at = _pointer_to(types.uint32)
doubles_at = _pointer_to(types.float64)


@intrinsic
def call(typing_context, address, words):  # type: ignore[no-untyped-def]
    """Run the instruction at `address` on the words at a pointer."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        function = ir.FunctionType(ir.VoidType(), [args[1].type])
        builder.call(builder.inttoptr(args[0], function.as_pointer()), [args[1]])
        return context.get_dummy_value()

    return types.void(types.int64, WORDS), codegen


@intrinsic
def call_with(typing_context, address, pointer, number):  # type: ignore[no-untyped-def]
    """Run a C function at `address` on an address and an int."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        word = ir.IntType(32)
        kind = ir.FunctionType(word, [ir.PointerType(), word])
        pointer = builder.inttoptr(args[1], ir.PointerType())
        builder.call(builder.inttoptr(args[0], kind.as_pointer()), [pointer, builder.trunc(args[2], word)])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen


@intrinsic
def atomic_add(typing_context, words, index, value):  # type: ignore[no-untyped-def]
    """Add to words[index] at once for all threads; returns the value before."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        place = builder.gep(args[0], [args[1]], source_etype=ir.IntType(64))
        return builder.atomic_rmw("add", place, args[2], "seq_cst")

    return types.int64(WORDS, types.int64, types.int64), codegen


@intrinsic
def atomic_swap(typing_context, words, index, value):  # type: ignore[no-untyped-def]
    """Put a value into words[index] at once for all threads; returns the value before."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        place = builder.gep(args[0], [args[1]], source_etype=ir.IntType(64))
        return builder.atomic_rmw("xchg", place, args[2], "seq_cst")

    return types.int64(WORDS, types.int64, types.int64), codegen


def _is_x86() -> bool:
    return platform.machine().lower() in ("x86_64", "amd64")


FLUSH_TO_ZERO = 0x8040  # of results, and of operands


@intrinsic
def flush_denormals(typing_context):  # type: ignore[no-untyped-def]
    """From now on numbers below 1.2e-38 count as 0 on this thread; returns the state before, for `restore_floats`.

    A processor takes a hundred times as long for each of them, and decaying averages of gradients are full of them.
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        if not _is_x86():
            return ir.IntType(32)(0)
        place = cgutils.alloca_once(builder, ir.IntType(32))
        _control_word(builder, "st", place)
        before = builder.load(place, typ=ir.IntType(32))
        builder.store(builder.or_(before, ir.IntType(32)(FLUSH_TO_ZERO)), place)
        _control_word(builder, "ld", place)
        return before

    return types.uint32(), codegen


@intrinsic
def restore_floats(typing_context, state):  # type: ignore[no-untyped-def]
    """Undo `flush_denormals`."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        if _is_x86():
            place = cgutils.alloca_once(builder, ir.IntType(32))
            builder.store(args[0], place)
            _control_word(builder, "ld", place)
        return context.get_dummy_value()

    return types.void(types.uint32), codegen


def _control_word(builder: Any, direction: str, place: Any) -> None:
    kind = ir.FunctionType(ir.VoidType(), [ir.PointerType()])
    builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.x86.sse.{direction}mxcsr"), [place])


@intrinsic
def relax(typing_context):  # type: ignore[no-untyped-def]
    """Tell the processor that this thread is waiting."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        if _is_x86():
            pause = cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(ir.VoidType(), []), "llvm.x86.sse2.pause"
            )
            builder.call(pause, [])
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def atomic_load(typing_context, words, index):  # type: ignore[no-untyped-def]
    """words[index] as other threads last left it."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        place = builder.gep(args[0], [args[1]], source_etype=ir.IntType(64))
        return builder.load_atomic(place, "seq_cst", 8, typ=ir.IntType(64))

    return types.int64(WORDS, types.int64), codegen
