"""Every operation that PyTorch has too: value and every gradient agree."""

import numpy as np
import pytest

import cases
import inkgrad as ig
from inkgrad import kernels, ops

pytestmark = pytest.mark.oracle

TOLERANCES = {"float32": 1e-5, "float64": 1e-12}
TWINNED = [pytest.param(case, id=case.id) for case in cases.WITH_VALUE if case.torch is not None]
MODES = (("reference", "float64"), ("reference", "float32"), ("numba_cpu", "float32"))


def agree(got, expected, dtype):
    """The norm of the difference is small beside PyTorch's norm; what is not finite is the same."""
    expected = np.asarray(expected)
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype == dtype
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(got[~finite], expected[~finite])
    difference = np.linalg.norm((got[finite].astype(np.float64) - expected[finite]).ravel())
    size = np.linalg.norm(expected[finite].astype(np.float64).ravel())
    # Where a gradient cancels to nothing, there is no norm to compare with: an absolute bound of one rounding.
    assert difference <= TOLERANCES[dtype] * size + np.finfo(dtype).eps, (difference, size)


@pytest.mark.parametrize("backend, dtype", MODES)
@pytest.mark.parametrize("case", TWINNED)
def test_value_and_gradients(case, backend, dtype, torch):
    arrays = [x.astype(dtype) for x in case.inputs]
    theirs = [torch.tensor(x, requires_grad=True) for x in arrays]
    expected = case.torch(torch, *theirs)
    g = cases.Draw(f"{case.id} cotangent").away(*expected.shape).astype(dtype)
    expected.backward(torch.tensor(g))
    ours = [ig.Tensor(x, requires_grad=True) for x in arrays]
    with kernels.use_backend(backend):
        value = case.call(*ours)
        value.backward(g)
    agree(value.data, expected.detach().numpy(), dtype)
    for tensor, other in zip(ours, theirs, strict=True):
        agree(tensor.grad, other.grad.numpy(), dtype)


def test_which_operations_have_a_twin():
    """Everything but the mask forms of dropout is compared in at least one row."""
    assert {case.op for case in cases.WITH_VALUE if case.torch is not None} == set(ops.__all__)


TIES = {
    "relu": (ops.relu, lambda t, x: t.relu(x), [[-1.0, -0.0, 0.0, 1.0]]),
    "abs": (ops.abs, lambda t, x: t.abs(x), [[-1.0, -0.0, 0.0, 1.0]]),
    "leaky_relu": (ops.leaky_relu, lambda t, x: t.nn.functional.leaky_relu(x), [[-1.0, 0.0, 1.0]]),
    "maximum": (ops.maximum, lambda t, a, b: t.maximum(a, b), [[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]),
    "minimum": (ops.minimum, lambda t, a, b: t.minimum(a, b), [[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]),
    "max": (
        lambda x: ops.max(x, axis=1),
        lambda t, x: t.amax(x, 1),
        [[[3.0, 3.0, 1.0], [0.0, 0.0, 0.0], [1.0, 2.0, 2.0]]],
    ),
    "max-all": (ops.max, lambda t, x: t.amax(x), [[[3.0, 3.0], [1.0, 3.0]]]),
    "clip": (lambda x: ops.clip(x, 0, 1), lambda t, x: t.clamp(x, 0, 1), [[-1.0, 0.0, 0.5, 1.0, 2.0]]),
    "power": (ops.power, lambda t, a, b: a**b, [[0.0, 0.0, 0.0, 2.0], [0.0, 1.0, 2.0, 0.0]]),
    "max_pool2d": (
        lambda x: ops.max_pool2d(x, size=2),
        lambda t, x: t.nn.functional.max_pool2d(x, 2),
        [[[[[1.0, 1.0, 0.0, 2.0], [1.0, 1.0, 2.0, 2.0]], [[0.0, -0.0, -1.0, -1.0], [-0.0, 0.0, -1.0, -1.0]]]]],
    ),
    "max_pool2d-overlapping": (
        lambda x: ops.max_pool2d(x, size=3, stride=1, padding=1),
        lambda t, x: t.nn.functional.max_pool2d(x, 3, 1, 1),
        [np.arange(48).reshape(2, 2, 3, 4) % 3],
    ),
    "max_pool2d-lowest": (
        lambda x: ops.max_pool2d(x, size=2, padding=1),
        lambda t, x: t.nn.functional.max_pool2d(x, 2, padding=1),
        [np.full((1, 1, 3, 3), -np.inf)],
    ),
    "max_pool2d-nan": (
        lambda x: ops.max_pool2d(x, size=2),
        lambda t, x: t.nn.functional.max_pool2d(x, 2),
        [[[[[np.nan, 1.0, 0.0, np.nan], [1.0, np.nan, 2.0, np.inf]]]]],
    ),
    "logsumexp": (
        lambda x: ops.logsumexp(x, axis=1),
        lambda t, x: t.logsumexp(x, 1),
        [[[-np.inf, 0.0], [1.0, 1.0]]],
    ),
}


@pytest.mark.parametrize("backend, dtype", MODES)
@pytest.mark.parametrize("name", TIES)
def test_ties(name, backend, dtype, torch):
    call, twin, points = TIES[name]
    arrays = [np.array(p, dtype) for p in points]
    theirs = [torch.tensor(x, requires_grad=True) for x in arrays]
    twin(torch, *theirs).sum().backward()
    ours = [ig.Tensor(x, requires_grad=True) for x in arrays]
    with kernels.use_backend(backend):
        call(*ours).sum().backward()
    for tensor, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(tensor.grad, other.grad.numpy(), rtol=1e-6)
