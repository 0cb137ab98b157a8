"""Twins of the kernels compiled by Numba for the CPU: float32, C-contiguous; anything else runs the reference."""

from inkgrad.kernels.numba_cpu import affine, cross_entropy, ctc, gather, update, warp
from inkgrad.kernels.numba_cpu.jit import start

start()

__all__ = ["affine", "cross_entropy", "ctc", "gather", "update", "warp"]
