"""A program keeps to the arrays that it is given at each run, wherever they lie."""

import platform

import numpy as np
import pytest

from inkgrad.kernels.numba_cpu import elementwise
from inkgrad.kernels.numba_cpu.control import run
from inkgrad.plan.program import Program
from inkgrad.plan.words import Place


class Owner:
    """Of an array that is replaced from run to run."""

    def __init__(self):
        self.data = np.zeros(3, np.float32)


def test_arrays_that_only_a_loop_over_images_names_are_followed():
    """Everything that the instructions around the loop name stays where it is."""
    owner, out = Owner(), np.zeros(3, np.float32)
    program = Program(capacity=4, threads=1)
    sums = program.shared_new(3)
    program.emit(elementwise.zero, 1, 3, sums)
    with program.each_image():
        program.emit(elementwise.accumulate, 1, 3, Place(0, 12, "images"), sums)
        program.emit(elementwise.accumulate, 1, 3, Place(0, 0, owner), sums)
    program.emit(elementwise.copy, 1, 3, sums, Place(0, 0, "out"))
    program.lay_out()
    kept = []
    for value in (1.0, 2.0, 3.0):
        images = np.full((4, 3), value, np.float32)
        kept.append(images)
        owner.data = np.full(3, 10 * value, np.float32)
        for _ in range(2):
            (entry,) = program.bind(4, {"images": images.ctypes.data, "out": out.ctypes.data})
            run(entry)
            assert out.tolist() == [44 * value] * 3


@pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64"), reason="other processors are left as they are"
)
def test_what_is_smaller_than_normal_numbers_is_zero_in_a_program_and_nowhere_else():
    """It would take a hundred times as long to compute with, and decaying averages are full of it."""
    small, total = np.full(3, 1e-40, np.float32), np.zeros(3, np.float32)
    program = Program(capacity=1, threads=1)
    program.emit(elementwise.accumulate, 1, 3, program.shared(small), program.shared(total))
    program.lay_out()
    (entry,) = program.bind(1, {})
    run(entry)
    assert total.tolist() == [0, 0, 0]
    assert (small + total > 0).all()
    assert (small * np.float32(0.5) > 0).all()
