"""Machine code is kept on disk and used again, unless any file that it may be made of has changed."""

import importlib.util
import os
import subprocess
import sys

import numba
import numpy as np
import pytest

from inkgrad.kernels.numba_cpu import jit
from inkgrad.kernels.numba_cpu.native import Instruction

SOURCE = '''
"""An instruction in a file of its own."""
from inkgrad.kernels.numba_cpu.native import words_at

def twice(w):
    """y = 2 x."""
    words_at(w[1])[0] = 2 * words_at(w[0])[0]
'''


@pytest.fixture
def twice(tmp_path):
    path = tmp_path / "inkgrad_test_instruction.py"
    path.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    yield module.twice
    del sys.modules[path.stem]


def run(instruction):
    """The instruction's answer to 21, and whether its machine code came from the disk."""
    x, y = np.array([21]), np.zeros(1, np.int64)
    words = np.array([x.ctypes.data, y.ctypes.data])
    instruction(words.ctypes.data)
    return int(y[0]), instruction._compiled.cache_hits


def test_machine_code_is_kept_until_a_file_changes(twice, monkeypatch):
    assert run(Instruction(twice, set())) == (42, 0)
    assert run(Instruction(twice, set())) == (42, 1)
    monkeypatch.setattr(jit, "VERSION", ["that of another release"])
    assert run(Instruction(twice, set())) == (42, 0)
    assert run(Instruction(twice, set())) == (42, 1)


def test_kernels_with_arrays_likewise(twice, monkeypatch):
    def add(x):
        return x + 1

    add.__module__, path = twice.__module__, twice.__code__.co_filename
    code = compile("def add(x):\n    return x + 1\n", path, "exec")
    scope = dict(twice.__globals__)
    exec(code, scope)
    hits = []
    for version in ("one", "one", "other"):
        monkeypatch.setattr(jit, "VERSION", [version])
        kernel = jit.jit(numba.types.int64(numba.types.int64))(scope["add"])
        assert kernel(41) == 42
        hits.append(sum(kernel._compiled.stats.cache_hits.values()))
    assert hits == [0, 1, 0]


def test_every_file_counts(tmp_path):
    for name in ("one.py", "two.py", "notes.txt"):
        (tmp_path / name).write_text("content")
    before = jit.fingerprint(tmp_path)
    (tmp_path / "notes.txt").write_text("other content")
    assert jit.fingerprint(tmp_path) == before
    (tmp_path / "two.py").write_text("Content")
    assert jit.fingerprint(tmp_path) != before
    (tmp_path / "two.py").write_text("content")
    assert jit.fingerprint(tmp_path) == before
    (tmp_path / "two.py").rename(tmp_path / "three.py")
    assert jit.fingerprint(tmp_path) != before


OF_NO_MODULE = """
code = '''
from inkgrad.kernels.numba_cpu.native import floats_at, instruction
@instruction
def twice(w):
    x = floats_at(w[0])
    x[0] = 2 * x[0]
'''
import numpy as np
names = {"__name__": "a page of the documentation"}
exec(compile(code, __file__, "exec"), names)
x = np.ones(1, np.float32)
names["twice"](np.array([x.ctypes.data]).ctypes.data)
print(x[0])
"""


@pytest.mark.slow
def test_code_of_no_module_runs_in_every_process(tmp_path):
    """A cache could not find its module again."""
    script = tmp_path / "page.py"
    script.write_text(OF_NO_MODULE)
    for _ in range(2):
        environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
        done = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=False)
        assert done.stdout == "2.0\n", done.stderr
