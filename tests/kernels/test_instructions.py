"""Every instruction of plans against NumPy: compiled code that checks no bounds, on arrays between guard zones.

Each array lies between numbers that no instruction may read or write: NaN for floats, so that what is read too far
shows in the result. Instructions sum in float32 in any order: the norm of a difference is at most 2e-6 of the norm.
"""

import importlib
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import cases
from inkgrad.kernels import numba_cpu
from inkgrad.kernels.numba_cpu.native import Instruction

GUARD = 37  # so that no array begins where a vector would like to


def all_instructions():
    modules = [
        importlib.import_module(f"{numba_cpu.__name__}.{m.name}") for m in pkgutil.iter_modules(numba_cpu.__path__)
    ]
    found = {id(v): v for module in modules for v in vars(module).values() if isinstance(v, Instruction)}
    return list(found.values())


INSTRUCTIONS = {instruction.name: instruction for instruction in all_instructions()}


def test_every_instruction_has_a_row():
    assert len(INSTRUCTIONS) == len(all_instructions())
    rows = {case.instruction for case in cases.INSTRUCTIONS}
    assert set(INSTRUCTIONS) == rows | cases.NOT_ARITHMETIC
    assert rows & cases.NOT_ARITHMETIC == set()


def test_row_names_are_unique():
    names = [case.id for case in cases.INSTRUCTIONS]
    assert len(names) == len(set(names))


class Guarded:
    """A copy of an array between guard zones."""

    def __init__(self, array):
        guard = np.nan if array.dtype.kind == "f" else 0
        self.whole = np.full(array.size + 2 * GUARD, guard, array.dtype)
        self.inner = self.whole[GUARD : GUARD + array.size].reshape(array.shape)
        self.inner[...] = array
        self.address = self.inner.ctypes.data

    def assert_guards(self):
        guards = np.concatenate([self.whole[:GUARD], self.whole[len(self.whole) - GUARD :]])
        assert (np.isnan(guards) if guards.dtype.kind == "f" else guards == 0).all(), "a guard zone was written to"


def run(instruction, items):
    """The arrays after a run, by position; guard zones are looked at."""
    guarded, words, kept = {}, [], []

    def address(array):
        if id(array) not in guarded:
            guarded[id(array)] = Guarded(array)
        return guarded[id(array)].address

    for item in items:
        if isinstance(item, list):
            kept.append(np.array([address(array) for array in item], np.int64))
            words.append(kept[-1].ctypes.data)
        else:
            words.append(0 if item is None else address(item) if isinstance(item, np.ndarray) else int(item))
    line = np.array(words, np.int64)
    instruction(line.ctypes.data)
    assert line.tolist() == words
    for array in guarded.values():
        array.assert_guards()
    return {
        i: [guarded[id(a)].inner for a in item] if isinstance(item, list) else guarded[id(item)].inner
        for i, item in enumerate(items)
        if isinstance(item, np.ndarray | list)
    }


def check(name, items, expected):
    """Run an instruction on copies of the items, and compare every array."""
    after = run(INSTRUCTIONS[name], items)
    for position, got in after.items():
        item = items[position]
        if position in expected:
            same(got, expected[position])
        elif isinstance(item, list):
            assert all(one.tobytes() == other.tobytes() for one, other in zip(got, item, strict=True))
        else:
            assert got.tobytes() == item.tobytes(), f"the array at {position} was changed"


def same(got, expected):
    wanted = ~np.ma.getmaskarray(expected)
    expected = np.broadcast_to(np.ma.getdata(expected), got.shape)
    if got.dtype.kind != "f":
        np.testing.assert_array_equal(got[wanted], expected[wanted])
        return
    one, other = got[wanted].astype(float), expected[wanted].astype(np.float32).astype(float)
    finite = np.isfinite(other)
    np.testing.assert_array_equal(one[~finite], other[~finite])
    difference, size = np.abs(one[finite] - other[finite]), np.abs(other[finite])
    assert np.linalg.norm(difference) <= 2e-6 * np.linalg.norm(size) + 1e-37
    assert (difference <= 2e-5 * size + 4e-6 * size.max(initial=0) + 1e-37).all()


@pytest.mark.parametrize("case", cases.INSTRUCTIONS, ids=lambda case: case.id)
def test_instruction(case):
    items = case.make()
    with np.errstate(all="ignore"):
        expected = case.numpy(*items)
    check(case.instruction, items, expected)


# Products of all sizes around those of the processor's vectors and of the tiles

HEIGHTS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 17, 25)
WIDTHS = (1, 2, 5, 6, 7, 12, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 70, 129)
TERMS = (1, 2, 15, 16, 17, 33, 70)


@pytest.mark.parametrize("n", WIDTHS)
def test_products_of_all_sizes(n):
    for m in HEIGHTS:
        for t in TERMS:
            draw = cases.Draw(f"{m} {t} {n}")
            start, relu, panel = (int(v) for v in draw.rng.integers([3, 2, 2]))
            items = cases.product_items(draw, m, t, n, start=start, relu=relu, panel=bool(panel))
            check("multiply", items, cases.product(*items))
            items = cases.row_items(draw, m, t, n, bool(start), relu)
            check("multiply_rows", items, cases.row_product(*items))


@pytest.mark.parametrize("n", WIDTHS)
def test_products_with_images_of_all_sizes(n):
    for images in HEIGHTS:
        for pixels in TERMS:
            draw = cases.Draw(f"{images} {pixels} {n}")
            relu, bias = (int(v) for v in draw.rng.integers([2, 2]))
            items = cases.image_items(draw, images, pixels, n, bias=bool(bias), relu=relu)
            check("multiply_images", items, cases.image_product(*items))
            items = cases.with_images_items(draw, images, pixels, n)
            check("multiply_with_images", items, cases.with_images(*items))


@pytest.mark.parametrize("name", ["sum_patches", "add_patches"])
@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 7])
def test_patches_of_all_sizes(name, rows):
    for length in range(1, 115):
        items = cases.patch_items(cases.Draw(f"{rows} {length}"), name, 2, rows, length)
        check(name, items, cases.patches(name, *items))


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 7])
def test_windows_of_all_sizes(rows):
    for length in range(1, 115):
        items = cases.window_items(cases.Draw(f"{rows} {length}"), 5, rows, length)
        check("add_windows", items, cases.added_windows(*items))


def test_transposition_of_all_sizes():
    for rows in (1, 2, 15, 16, 17, 31, 32, 33, 48, 50):
        for columns in (1, 2, 15, 16, 17, 31, 32, 33, 48, 50):
            for first, last in ((0, rows), (rows // 3, rows), (0, rows // 2)):
                items = cases.transpose_items(cases.Draw(f"{rows} {columns}"), 2, rows, columns, first, last)
                check("transpose", items, cases.transposed(*items))


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_come_through_products(special):
    """Also through the ReLU that follows at once, where a comparison with NaN must not lose it."""
    for n in (5, 33, 70):
        items = cases.product_items(cases.Draw(f"special {n}"), 13, 9, n, start=1, relu=1)
        items[4][0, 4] = special
        items[14][n // 2] = special
        check("multiply", items, cases.product(*items))
        items = cases.row_items(cases.Draw(f"special {n}"), 9, 20, n, True, 1)
        items[3][2, 7], items[5][n // 2, 3], items[10][0] = special, special, special
        check("multiply_rows", items, cases.row_product(*items))
        items = cases.image_items(cases.Draw(f"special {n}"), 13, 9, n, relu=1, zeros=0.0)
        items[3][:, :3] = 1  # what is 0 in every image is left out, whatever its weight
        items[3][4, 5], items[8][0] = special, special
        check("multiply_images", items, cases.image_product(*items))
        items = cases.with_images_items(cases.Draw(f"special {n}"), 9, 20, n, 0.0)
        items[5][:] = np.where(items[5] == 0, 1, items[5])
        items[3][2, 0], items[5][4, 5] = special, special
        with np.errstate(invalid="ignore"):
            check("multiply_with_images", items, cases.with_images(*items))


@pytest.mark.slow
def test_everything_on_a_processor_with_narrow_vectors(tmp_path):
    """This file and the plans, compiled for the oldest processor of this kind: other tiles, no masks in hardware."""
    environment = os.environ | {"NUMBA_CPU_NAME": "generic", "NUMBA_CACHE_DIR": str(tmp_path)}
    others = Path(__file__).parents[1] / "plan" / "test_equal_to_eager.py"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__, str(others)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout
