"""A program keeps to the arrays that it is given at each run, wherever they lie."""

import numpy as np

from inkgrad.kernels.numba_cpu import elementwise
from inkgrad.kernels.numba_cpu.control import run
from inkgrad.plan.program import Place, Program


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
