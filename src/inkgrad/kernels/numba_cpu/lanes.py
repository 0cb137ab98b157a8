"""Vectors of 16 floats inside compiled kernels: loads, stores, and products that stay in registers.

The compiler's own vectorizer does not keep a tile of sums in registers; these few operations, written to LLVM
directly, do.
"""

from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.core import cgutils, config

__all__ = ["BYTES", "FLOAT", "INT", "LANES", "MASK", "OFFSETS", "POINTER", "VECTOR", "Lanes", "has_avx512"]

LANES = 16
FLOAT = ir.FloatType()
INT = ir.IntType(64)
VECTOR = ir.VectorType(FLOAT, LANES)
MASK = ir.VectorType(ir.IntType(1), LANES)
BYTES = ir.VectorType(ir.IntType(8), LANES)
POINTER = types.CPointer(types.float32)
OFFSETS = types.CPointer(types.int64)


def has_avx512() -> bool:
    """Whether machine code is made for a processor with AVX-512: Numba may be told to make it for another one."""
    name, features = getattr(config, "CPU_NAME", None), getattr(config, "CPU_FEATURES", None)
    if features is not None:
        return "+avx512f" in str(features).split(",")
    if name not in (None, llvmlite.binding.get_host_cpu_name()):
        return False
    return bool(llvmlite.binding.get_host_cpu_features().get("avx512f", False))


class Lanes:
    """Vector operations on one builder."""

    def __init__(self, builder: Any) -> None:
        self.builder = builder
        self.pointer = ir.PointerType()

    def declare(self, name: str, result: Any, arguments: list[Any]) -> Any:
        """A function of LLVM's."""
        return cgutils.get_or_insert_function(self.builder.module, ir.FunctionType(result, arguments), name)

    def at(self, base: Any, index: Any) -> Any:
        """The address of base[index]."""
        return self.builder.gep(base, [index], source_etype=FLOAT)

    def load(self, place: Any, mask: Any = None) -> Any:
        """16 floats, those that the mask leaves out as 0."""
        if mask is None:
            return self.builder.load(self.builder.bitcast(place, VECTOR.as_pointer()), align=4)
        function = self.declare("llvm.masked.load.v16f32.p0", VECTOR, [self.pointer, ir.IntType(32), MASK, VECTOR])
        return self.builder.call(function, [place, ir.IntType(32)(4), mask, VECTOR(None)])

    def scalar(self, base: Any, index: Any) -> Any:
        """base[index]."""
        return self.builder.load(self.at(base, index), align=4, typ=FLOAT)

    def store(self, value: Any, place: Any, mask: Any = None) -> None:
        """Write 16 floats, or those of the mask."""
        if mask is None:
            self.builder.store(value, self.builder.bitcast(place, VECTOR.as_pointer()), align=4)
            return
        function = self.declare(
            "llvm.masked.store.v16f32.p0", ir.VoidType(), [VECTOR, self.pointer, ir.IntType(32), MASK]
        )
        self.builder.call(function, [value, place, ir.IntType(32)(4), mask])

    def store_bytes(self, value: Any, place: Any, mask: Any) -> None:
        """Write 16 bytes, or those of the mask."""
        function = self.declare(
            "llvm.masked.store.v16i8.p0", ir.VoidType(), [BYTES, self.pointer, ir.IntType(32), MASK]
        )
        self.builder.call(function, [value, place, ir.IntType(32)(1), mask])

    def splat(self, scalar: Any) -> Any:
        """16 times one float."""
        first = self.builder.insert_element(VECTOR(ir.Undefined), scalar, ir.IntType(32)(0))
        zeros = ir.VectorType(ir.IntType(32), LANES)(None)
        return self.builder.shuffle_vector(first, VECTOR(ir.Undefined), zeros)

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        """a b + c, rounded once."""
        function = self.declare("llvm.fma.v16f32", VECTOR, [VECTOR, VECTOR, VECTOR])
        return self.builder.call(function, [a, b, c])

    def sum(self, vector: Any) -> Any:
        """The sum of all lanes."""
        function = self.declare("llvm.vector.reduce.fadd.v16f32", FLOAT, [FLOAT, VECTOR])
        return self.builder.call(function, [FLOAT(0.0), vector], fastmath=("reassoc",))

    def mask(self, count: Any) -> Any:
        """The first `count` lanes."""
        kind = ir.VectorType(INT, LANES)
        first = self.builder.insert_element(kind(ir.Undefined), count, ir.IntType(32)(0))
        zeros = ir.VectorType(ir.IntType(32), LANES)(None)
        spread = self.builder.shuffle_vector(first, kind(ir.Undefined), zeros)
        return self.builder.icmp_unsigned("<", kind(list(range(LANES))), spread)

    def positive(self, vector: Any) -> Any:
        """max(v, 0), with NaN passed on."""
        zero = VECTOR(None)
        return self.builder.select(self.builder.fcmp_ordered("<", vector, zero), zero, vector)
