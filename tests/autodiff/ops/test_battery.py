"""Every operation of the table through one battery."""

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

import cases
import inkgrad as ig
from inkgrad import autodiff, kernels, ops
from inkgrad.autodiff.check import check_gradients
from inkgrad.autodiff.differentiable import Op

BACKENDS = ("reference", "numba_cpu")
# The twins take float32 only; float64 runs the reference under either.
MODES = (("reference", "float64"), ("reference", "float32"), ("numba_cpu", "float32"))
ROWS = [pytest.param(case, id=case.id) for case in cases.WITH_VALUE]
DIFFERENTIATED = [pytest.param(case, id=case.id) for case in cases.WITH_VALUE if case.inputs]


@pytest.fixture(params=BACKENDS)
def backend(request):
    with kernels.use_backend(request.param):
        yield request.param


def cotangent(case, shape, dtype=np.float64):
    rng = np.random.default_rng(zlib.crc32(case.id.encode()) + 1)
    return (rng.uniform(0.5, 1.5, size=shape) * rng.choice([-1, 1], size=shape)).astype(dtype)


def run(case, inputs, g=None):
    """Value, and the gradient of every input for g."""
    tensors = [ig.Tensor(x, requires_grad=True) for x in inputs]
    y = case.call(*tensors)
    g = cotangent(case, y.shape, y.dtype) if g is None else g
    y.backward(g)
    return y.data, [t.grad for t in tensors]


def close(got, expected, relative):
    """Same shape, and the norm of the difference small beside the expected norm."""
    assert got.shape == expected.shape
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(got[~finite], expected[~finite])
    difference = np.linalg.norm((got[finite].astype(np.float64) - expected[finite]).ravel())
    assert difference <= relative * (np.linalg.norm(expected[finite].ravel()) + 1e-3)


# Nothing public without a row


def test_every_public_operation_has_a_row():
    assert set(ops.__all__) == {case.op for case in cases.OPS}


def test_every_registered_operation_is_public():
    assert set(autodiff.OPS) == set(ops.__all__)


def test_every_broadcasting_operation_is_in_the_property_tests():
    broadcasting = {name for name, op in autodiff.OPS.items() if op.broadcasts}
    # Those with rules of their own have rows of their own.
    assert broadcasting - set(cases.BROADCASTING) <= {"where", "clip", "matmul", "mean_squared_error", "broadcast_to"}


def test_every_operation_has_a_row_with_a_value_and_numpy():
    with_value = {case.op for case in cases.WITH_VALUE}
    assert with_value == set(ops.__all__)
    assert [case.id for case in cases.WITH_VALUE if case.numpy is None] == []


def test_row_names_are_unique():
    names = [case.id for case in cases.OPS]
    assert len(names) == len(set(names))


# Values


@pytest.mark.parametrize("case", ROWS)
def test_value_is_numpys(case):
    expected = np.asarray(case.numpy(*case.inputs), dtype=np.float64)
    got = case.call(*(ig.Tensor(x) for x in case.inputs))
    assert got.shape == expected.shape
    np.testing.assert_allclose(got.data, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("case", ROWS)
def test_arrays_are_taken_where_tensors_are(case):
    got = case.call(*case.inputs)
    assert isinstance(got, ig.Tensor)
    assert not got.requires_grad
    np.testing.assert_array_equal(got.data, case.call(*(ig.Tensor(x) for x in case.inputs)).data)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in cases.REFUSED])
def test_what_has_no_value_is_refused(case):
    with pytest.raises(case.refuses) as caught:
        case.call(*(ig.Tensor(x, requires_grad=True) for x in case.inputs))
    assert type(caught.value) is case.refuses
    assert len(str(caught.value)) > 20
    assert caught.value.__cause__ is not caught.value


# Gradients


@pytest.mark.parametrize("case", [row for row in DIFFERENTIATED if row.id != "logsumexp-empty"])  # minus infinity
def test_gradients_are_those_of_difference_quotients(case):
    check_gradients(case.call, *case.inputs, rng=np.random.default_rng(0))


@pytest.mark.parametrize("case", ROWS)
def test_dtype_in_is_dtype_out(case):
    for backend, dtype in MODES:
        with kernels.use_backend(backend):
            value, gradients = run(case, [x.astype(dtype) for x in case.inputs])
        assert isinstance(value, np.ndarray)
        assert value.dtype == dtype
        for x, gradient in zip(case.inputs, gradients, strict=True):
            assert isinstance(gradient, np.ndarray)
            assert gradient.dtype == dtype
            assert gradient.shape == x.shape


@pytest.mark.parametrize("case", DIFFERENTIATED)
def test_float32_follows_float64(case):
    single = [x.astype(np.float32) for x in case.inputs]
    g = cotangent(case, case.call(*single).shape, np.float32)
    expected, expected_gradients = run(case, [x.astype(np.float64) for x in single], g.astype(np.float64))
    for backend in BACKENDS:
        with kernels.use_backend(backend):
            value, gradients = run(case, single, g)
        close(value, expected, 1e-5)
        for gradient, reference in zip(gradients, expected_gradients, strict=True):
            close(gradient, reference, 2e-5)


@pytest.mark.parametrize("case", DIFFERENTIATED)
def test_only_gradients_that_are_needed_are_computed(case, monkeypatch):
    op = autodiff.OPS[case.op]
    calls = []

    def counted(*arrays, **options):
        value, pullbacks = body(*arrays, **options)
        return value, [p and (lambda g, i=i, p=p: (calls.append(i), p(g))[1]) for i, p in enumerate(pullbacks)]

    body = op.body
    monkeypatch.setattr(op, "body", counted)
    for wanted in range(len(case.inputs)):
        tensors = [ig.Tensor(x, requires_grad=i == wanted) for i, x in enumerate(case.inputs)]
        calls.clear()
        y = case.call(*tensors)
        y.backward(np.ones(y.shape))
        assert len(calls) == 1
        assert [t.grad is not None for t in tensors] == [i == wanted for i in range(len(tensors))]
    tensors = [ig.Tensor(x) for x in case.inputs]
    assert not case.call(*tensors).requires_grad


@pytest.mark.parametrize("case", DIFFERENTIATED)
def test_gradient_of_one_input_does_not_depend_on_who_else_asks(case):
    _, together = run(case, case.inputs)
    for i, expected in enumerate(together):
        tensors = [ig.Tensor(x, requires_grad=i == j) for j, x in enumerate(case.inputs)]
        y = case.call(*tensors)
        y.backward(cotangent(case, y.shape))
        np.testing.assert_array_equal(tensors[i].grad, expected)


# Memory


@pytest.mark.parametrize("case", DIFFERENTIATED)
def test_inputs_and_incoming_gradient_are_never_changed(case):
    for backend, dtype in MODES:
        inputs = [x.astype(dtype) for x in case.inputs]
        before = [x.tobytes() for x in inputs]
        g = cotangent(case, case.call(*inputs).shape, dtype)
        g_before = g.tobytes()
        with kernels.use_backend(backend):
            value, gradients = run(case, inputs, g)
        assert [x.tobytes() for x in inputs] == before
        assert g.tobytes() == g_before
        for i, gradient in enumerate(gradients):
            assert gradient.flags.writeable
            assert not any(np.shares_memory(gradient, other) for other in (g, value, *inputs, *gradients[:i]))


def strided(x):
    if x.ndim == 0:
        return x.copy()
    wide = np.full([2 * n + 1 for n in x.shape], np.nan, x.dtype)
    view = wide[tuple(slice(1, None, 2) for _ in x.shape)]
    view[...] = x
    return view


def transposed(x):
    return x.T.copy().T


def backwards(x):
    flipped = (..., *(slice(None, None, -1) for _ in x.shape))
    return x[flipped].copy()[flipped]


def read_only(x):
    frozen = x.copy()
    frozen.setflags(write=False)
    return frozen


@pytest.mark.parametrize("case", DIFFERENTIATED)
def test_layout_does_not_matter(case):
    """Strided, transposed, reversed and read-only inputs and gradients give the same."""
    for backend, dtype in MODES:
        inputs = [x.astype(dtype) for x in case.inputs]
        with kernels.use_backend(backend):
            expected, expected_gradients = run(case, inputs)
            for layout in (strided, transposed, backwards, read_only):
                value, gradients = run(
                    case, [layout(x) for x in inputs], layout(cotangent(case, expected.shape, dtype))
                )
                close(value, expected, 1e-6 if dtype == "float32" else 1e-14)
                for gradient, reference in zip(gradients, expected_gradients, strict=True):
                    close(gradient, reference, 1e-6 if dtype == "float32" else 1e-14)


# Broadcasting


@pytest.mark.parametrize("name", cases.BROADCASTING)
@settings(max_examples=25, deadline=None)
@given(shapes=mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=3), seed=st.integers(0, 99))
def test_broadcasting_is_numpys(name, shapes, seed):
    call, numpy, _, *domains = cases.BROADCASTING[name]
    d = cases.Draw(f"{name} {seed}")
    a, b = (cases.draw(d, domain, shape) for domain, shape in zip(domains, shapes.input_shapes, strict=True))
    got = call(ig.Tensor(a), ig.Tensor(b))
    assert got.shape == shapes.result_shape
    np.testing.assert_allclose(got.data, numpy(a, b), rtol=1e-13)
    check_gradients(call, a, b, rng=d.rng)


@settings(max_examples=25, deadline=None)
@given(shapes=mutually_broadcastable_shapes(num_shapes=3, max_dims=3, min_side=0, max_side=3), seed=st.integers(0, 99))
def test_where_broadcasts_as_numpys(shapes, seed):
    d = cases.Draw(f"where {seed}")
    condition, a, b = (d.normal(*shape) for shape in shapes.input_shapes)
    got = ops.where(condition > 0, ig.Tensor(a), ig.Tensor(b))
    np.testing.assert_array_equal(got.data, np.where(condition > 0, a, b))
    check_gradients(lambda p, q: ops.where(condition > 0, p, q), a, b, rng=d.rng)


@settings(max_examples=25, deadline=None)
@given(shapes=mutually_broadcastable_shapes(signature="(n,k),(k,m)->(n,m)", max_dims=2, min_side=1, max_side=3))
def test_matmul_broadcasts_as_numpys(shapes):
    d = cases.Draw(f"matmul {shapes}")
    a, b = (d.normal(*shape) for shape in shapes.input_shapes)
    np.testing.assert_array_equal(ops.matmul(a, b).data, a @ b)
    check_gradients(ops.matmul, a, b, rng=d.rng)


@settings(max_examples=25, deadline=None)
@given(shapes=mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=1, max_side=3))
def test_mean_squared_error_broadcasts(shapes):
    d = cases.Draw(f"mse {shapes}")
    a, b = (d.normal(*shape) for shape in shapes.input_shapes)
    np.testing.assert_allclose(ops.mean_squared_error(a, b).data, ((a - b) ** 2).mean())
    check_gradients(ops.mean_squared_error, a, b, rng=d.rng)


# Ties are PyTorch's, in every backend


def gradient_at(call, *points, dtype=np.float32):
    tensors = [ig.Tensor(p, requires_grad=True, dtype=dtype) for p in points]
    call(*tensors).sum().backward()
    grads = [t.grad.tolist() for t in tensors]
    return grads[0] if len(grads) == 1 else grads


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ties(backend, dtype):
    assert gradient_at(ops.relu, [-0.0, 0.0, 1.0], dtype=dtype) == [0, 0, 1]
    assert gradient_at(ops.abs, [-2.0, -0.0, 0.0, 2.0], dtype=dtype) == [-1, 0, 0, 1]
    assert gradient_at(ops.maximum, [1.0, 2.0, 3.0], [3.0, 2.0, 1.0], dtype=dtype) == [[0, 0.5, 1], [1, 0.5, 0]]
    assert gradient_at(ops.minimum, [1.0, 2.0, 3.0], [3.0, 2.0, 1.0], dtype=dtype) == [[1, 0.5, 0], [0, 0.5, 1]]
    assert gradient_at(lambda x: ops.clip(x, 0, 1), [-1, 0, 0.5, 1, 2], dtype=dtype) == [0, 1, 1, 1, 0]
    assert gradient_at(ops.leaky_relu, [0.0], dtype=dtype) == [np.dtype(dtype).type(0.01)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_max_shares_among_equals(backend, dtype):
    point = [[3.0, 3.0, 1.0], [0.0, 0.0, 0.0], [1.0, 2.0, 2.0]]
    third = float(np.dtype(dtype).type(1) / 3)
    rows = gradient_at(lambda x: ops.max(x, axis=1), point, dtype=dtype)
    assert rows == [[0.5, 0.5, 0], [third, third, third], [0, 0.5, 0.5]]
    assert gradient_at(ops.max, point, dtype=dtype) == [[0.5, 0.5, 0], [0, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize("activation, slope", [("relu", 0), ("sigmoid", 0.25), ("tanh", 1), ("identity", 1)])
def test_affine_at_the_kink(backend, activation, slope):
    """The fused activation has the same derivative at 0 as the one alone."""

    def call(x, w, b):
        return ops.affine(x, w, b, activation=activation)

    x, w, b = gradient_at(call, [[2.0]], [[3.0]], [-6.0])
    assert (x, w, b) == ([[3 * slope]], [[2 * slope]], [slope])


def test_power_at_zero():
    x = ig.Tensor([0.0, 0.0, 0.0, 2.0], requires_grad=True)
    p = ig.Tensor([0.0, 1.0, 2.0, 0.0], requires_grad=True)
    (x**p).sum().backward()
    assert x.grad.tolist() == [0, 1, 0, 0]
    np.testing.assert_allclose(p.grad, [0, 0, 0, np.log(2)], rtol=1e-6)


# NaN and infinity stay visible


@pytest.mark.parametrize("op", [ops.relu, ops.sigmoid, ops.tanh, ops.gelu, ops.softplus, ops.abs, ops.leaky_relu])
def test_nan_passes(op, backend):
    with np.errstate(all="ignore"):
        assert np.isnan(op(ig.Tensor([np.nan, 1.0])).data).tolist() == [True, False]


@pytest.mark.parametrize("op, limits", [(ops.sigmoid, (0, 1)), (ops.tanh, (-1, 1)), (ops.softplus, (0, np.inf))])
def test_infinity_has_its_limit(op, limits, backend):
    assert op(ig.Tensor([-np.inf, np.inf])).data.tolist() == list(limits)


def test_logsumexp_of_minus_infinity():
    x = ig.Tensor([[-np.inf, -np.inf], [-np.inf, 0.0]], requires_grad=True)
    y = ops.logsumexp(x, axis=1)
    assert y.data.tolist() == [-np.inf, 0]
    y.backward(np.ones(2))
    assert x.grad.tolist() == [[0, 0], [0, 1]]


def test_cross_entropy_reads_a_tensor_of_soft_targets():
    z = cases.Draw("tensor targets").normal(5, 4)
    expected = ops.cross_entropy(z, cases.SOFT).data
    assert ops.cross_entropy(z, ig.Tensor(cases.SOFT)).data == expected


def test_constants_keep_the_precision_of_float64():
    x = ig.Tensor([1.0], dtype=np.float64)
    assert (x * 0.1).data.tolist() == [0.1]
    assert ops.clip(x, 0, 0.1).data.tolist() == [0.1]
    assert ops.add(0.1, x).data.tolist() == [1.1]
    assert ops.where([False], x, 0.1).data.tolist() == [0.1]
    z = np.zeros((1, 2))
    expected = np.log1p(np.exp(-1.0)) + 1 - 0.1
    np.testing.assert_allclose(ops.binary_cross_entropy(np.array([1.0]), [0.1]).data, expected, rtol=1e-15)
    weighted = ops.cross_entropy(z, [0], class_weights=[0.1, 0.1], reduction="sum").data
    np.testing.assert_allclose(weighted, 0.1 * np.log(2), rtol=1e-15)


def test_batch_norm_tells_its_statistics():
    x = cases.Draw("observe").normal(6, 3)
    told = []
    ops.batch_norm(x, np.ones(3), np.zeros(3), observe=lambda *given: told.append(given))
    ((mean, variance, count),) = told
    np.testing.assert_allclose(mean, x.mean(axis=0))
    np.testing.assert_allclose(variance, x.var(axis=0))
    assert count == 6


def test_ops_are_listed_as_op_objects():
    assert all(isinstance(op, Op) for op in autodiff.OPS.values())
