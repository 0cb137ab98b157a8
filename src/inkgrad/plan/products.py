"""The words of `multiply`, by name."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.kernels.numba_cpu.multiply import PANEL, START_AT_ZERO, multiply
from inkgrad.plan.program import Program
from inkgrad.plan.words import Place, Word

__all__ = ["emit_product", "steps_of"]

FAR = 2048  # floats between the rows of B from which on a panel pays


def steps_of(program: Program, steps: NDArray[np.int64], columns: NDArray[np.int64]) -> Place:
    """A table of where each term's factors lie: `steps` in A, `columns` in B."""
    return program.table(steps.reshape(-1) | columns.reshape(-1) << 32)


def emit_product(
    program: Program,
    *,
    m: int | Word,
    t: int | Word,
    n: int | Word,
    a: Place,
    rows: NDArray[np.int64],
    steps: NDArray[np.int64],
    b: Place,
    columns: NDArray[np.int64] | list[NDArray[np.int64]],
    c: Place,
    ldc: int,
    images: int | Word = 1,
    a_stride: int = 0,
    c_stride: int = 0,
    start: int = START_AT_ZERO,
    bias: Place | None = None,
    relu: bool = False,
) -> None:
    """C[i, :] = sum over k of A[rows[i] + steps[k]] B[columns[k] :], with i < m, k < t and n columns; see `multiply`.

    `columns` may be one array for each thread.
    """
    panel: Any = 0
    order: Any = 0
    if isinstance(columns, list):
        tables = [steps_of(program, steps, each).base for each in columns]
        table = Place(tuple(base for base in tables if isinstance(base, int)))
    else:
        table = steps_of(program, steps, columns)
        if columns.size > 1 and columns.reshape(-1)[1] - columns.reshape(-1)[0] >= FAR:
            panel = program.local(columns.size * PANEL)
            order = steps_of(program, steps, np.arange(columns.size) * PANEL)
    program.emit(
        multiply,
        *(images, m, t, n, a, a_stride, program.table(rows.reshape(-1)), table, b, 0),
        *(c, ldc, c_stride, start, 0 if bias is None else bias, int(relu), panel, order),
    )
