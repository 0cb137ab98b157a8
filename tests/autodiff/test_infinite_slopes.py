"""Where a branch was not taken, no gradient comes from it, not even an infinite one."""

import numpy as np
import pytest

import inkgrad as ig
from inkgrad import kernels, ops

BRANCHES = [
    lambda x: ops.relu(x),
    lambda x: ops.maximum(x, 0.0),
    lambda x: ops.clip(x, 0.0, None),
    lambda x: ops.where(x > 0, x, 0.0),
]


@pytest.mark.parametrize("backend", ["reference", "numba_cpu"])
@pytest.mark.parametrize("branch", BRANCHES)
def test_the_root_of_what_was_cut_off(backend, branch):
    x = ig.Tensor([-1.0, 4.0], requires_grad=True)
    with kernels.use_backend(backend), np.errstate(divide="ignore"):
        ops.sqrt(branch(x)).sum().backward()
    assert x.grad.tolist() == [0.0, 0.25]
