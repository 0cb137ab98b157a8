"""Tensors read as NumPy's arrays do."""

import operator

import numpy as np
import pytest

import inkgrad as ig
from inkgrad.autodiff import OPS, as_array
from inkgrad.errors import ShapeError

BINARY = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]
OTHERS = {
    "int": 2,
    "float": 0.3,
    "bool": True,
    "numpy-float32": np.float32(0.3),
    "numpy-float64": np.float64(0.3),
    "numpy-int": np.int64(3),
    "0d-array": np.array(0.3),
    "array": np.array([0.3, 1.5, 2.5]),
    "int-array": np.array([3, 1, 2]),
    "float32-array": np.array([0.3, 1.5, 2.5], np.float32),
    "list": [0.3, 1.5, 2.5],
    "column": np.array([[0.3], [1.5]]),
    "0d-tensor": None,
}


def tensor(dtype=np.float32, **options):
    return ig.Tensor([0.5, 1.25, 2.0], dtype=dtype, **options)


# Making one


def test_dtype_of_what_is_given():
    assert ig.Tensor([1, 2]).dtype == np.float32
    assert ig.Tensor([1.0, 2.0]).dtype == np.float32
    assert ig.Tensor(0.1).dtype == np.float32
    assert ig.Tensor(True).dtype == np.float32
    assert ig.Tensor(np.arange(3)).dtype == np.float32
    assert ig.Tensor(np.zeros(3, np.float16)).dtype == np.float32
    assert ig.Tensor(np.zeros(3)).dtype == np.float64
    assert ig.Tensor(np.float64(3)).dtype == np.float64
    assert ig.Tensor(np.zeros(3, np.float32)).dtype == np.float32
    assert ig.Tensor(np.zeros(3), dtype=np.float32).dtype == np.float32
    assert ig.Tensor([0.1], dtype=np.float64).data[0] == 0.1


def test_an_array_of_the_right_dtype_is_not_copied():
    array = np.zeros(3, np.float32)
    assert ig.Tensor(array).data is array
    assert ig.Tensor(array, dtype="float32").data is array
    assert ig.Tensor(ig.Tensor(array)).data is array


@pytest.mark.parametrize("dtype", ["int64", "float16", "bool", "complex64"])
def test_other_dtypes_are_refused(dtype):
    with pytest.raises(ShapeError, match=f"a tensor is float32 or float64, but dtype {dtype} was asked for"):
        ig.Tensor([1.0], dtype=dtype)


@pytest.mark.parametrize("value", ["seven", [1.0, "seven"], 1j, None, object(), np.array(["a"])])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ShapeError, match="a tensor holds real numbers"):
        ig.Tensor(value)


def test_ragged_lists_are_refused():
    with pytest.raises(ShapeError, match="regular shape"):
        ig.Tensor([[1.0, 2.0], [3.0]])


def test_as_array():
    x = np.zeros(2)
    assert as_array(x) is x
    assert as_array(ig.Tensor(x)) is x
    assert as_array(ig.Tensor(x), np.float32).dtype == np.float32
    assert as_array(0.1, np.float64) == 0.1
    assert as_array([1, 2]).dtype == np.float32


def test_what_it_is():
    x = ig.Tensor(np.zeros((2, 3)), requires_grad=True, name="x")
    assert (x.shape, x.ndim, x.size, x.dtype, x.name, x.grad) == ((2, 3), 2, 6, np.float64, "x", None)
    assert len(x) == 2


def test_repr():
    assert repr(ig.Tensor([1.0, 2.5])) == "Tensor([1. , 2.5])"
    assert repr(tensor(np.float64, requires_grad=True)) == (
        "Tensor([0.5 , 1.25, 2.  ], dtype=float64, requires_grad=True)"
    )


# Operators


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("op", BINARY, ids=lambda op: op.__name__)
def test_operators_read_as_numpys_on_both_sides(op, name, dtype):
    """Numbers and arrays take the tensor's dtype; the result is a tensor whichever side it stands on."""
    other = ig.Tensor(0.3, dtype=dtype) if name == "0d-tensor" else OTHERS[name]
    plain = np.asarray(other.data if name == "0d-tensor" else other, dtype=dtype)
    x = tensor(dtype)
    for got, expected in ((op(x, other), op(x.data, plain)), (op(other, x), op(plain, x.data))):
        assert isinstance(got, ig.Tensor)
        assert got.dtype == dtype
        assert got.shape == expected.shape
        np.testing.assert_array_equal(got.data, expected)


@pytest.mark.parametrize("op", BINARY, ids=lambda op: op.__name__)
def test_operators_of_tensors_without_axes(op):
    got = op(ig.Tensor(3.0), ig.Tensor(2.0))
    assert got.shape == ()
    assert isinstance(got.data, np.ndarray)
    assert float(got) == op(3.0, 2.0)


def test_matmul_on_both_sides():
    a, b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    for got in (ig.Tensor(a) @ ig.Tensor(b), ig.Tensor(a) @ b, a @ ig.Tensor(b), ig.Tensor(a) @ b.tolist()):
        assert isinstance(got, ig.Tensor)
        np.testing.assert_array_equal(got.data, a @ b)


def test_unary_operators():
    x = ig.Tensor([-1.0, 2.0])
    assert (-x).data.tolist() == [1, -2]
    assert (+x).data.tolist() == [-1, 2]
    assert abs(x).data.tolist() == [1, 2]


def test_augmented_assignment_makes_a_new_tensor():
    x = before = tensor(requires_grad=True)
    x += 1
    assert x is not before
    assert before.data.tolist() == [0.5, 1.25, 2.0]
    x.sum().backward()
    assert before.grad.tolist() == [1, 1, 1]


@pytest.mark.parametrize("op", [*BINARY, operator.matmul], ids=lambda op: op.__name__)
def test_two_tensors_of_different_dtypes_are_refused(op):
    with pytest.raises(ShapeError, match=r"got tensors of float32 and float64; make them one dtype"):
        op(tensor(np.float32), tensor(np.float64))


@pytest.mark.parametrize("op", ["maximum", "minimum", "mean_squared_error", "where", "concatenate", "stack"])
def test_two_dtypes_are_refused_by_functions_too(op):
    a, b = tensor(np.float32), tensor(np.float64)
    call = {"where": lambda: ig.ops.where(True, a, b), "concatenate": lambda: ig.ops.concatenate([a, b])}
    call["stack"] = lambda: ig.ops.stack([a, b])
    with pytest.raises(ShapeError, match=rf"{op} got tensors of float32 and float64"):
        call.get(op, lambda: getattr(ig.ops, op)(a, b))()


def test_operands_that_are_no_numbers_are_refused():
    with pytest.raises(ShapeError, match="real numbers"):
        tensor() + "seven"


# Comparisons give plain arrays


@pytest.mark.parametrize(
    "op", [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne], ids=lambda op: op.__name__
)
def test_comparisons(op):
    x = tensor()
    for other in (1.25, [1.25, 1.25, 0.0], np.array([1.25, 1.25, 0.0], np.float32), tensor(), ig.Tensor(1.25)):
        plain = other.data if isinstance(other, ig.Tensor) else np.asarray(other, np.float32)
        got = op(x, other)
        assert type(got) is np.ndarray
        assert got.dtype == bool
        np.testing.assert_array_equal(got, op(x.data, plain))
        np.testing.assert_array_equal(op(other, x), op(plain, x.data))


def test_comparisons_at_full_precision():
    assert (ig.Tensor([0.1], dtype=np.float64) == 0.1).tolist() == [True]
    assert (ig.Tensor([0.1]) == 0.1).tolist() == [True]
    assert (ig.Tensor([0.1], dtype=np.float64) < 0.1 + 1e-12).tolist() == [True]


# As a container and as a number


def test_iteration():
    x = ig.Tensor(np.arange(6.0).reshape(3, 2), requires_grad=True)
    rows = list(x)
    assert [type(row) for row in rows] == [ig.Tensor] * 3
    (rows[0] * rows[2]).sum().backward()
    assert x.grad.tolist() == [[4, 5], [0, 0], [0, 1]]
    a, b, c = tensor()
    assert (a.item(), b.item(), c.item()) == (0.5, 1.25, 2.0)


def test_no_axes_no_iteration_and_no_length():
    with pytest.raises(TypeError):
        iter(ig.Tensor(1.0))
    with pytest.raises(TypeError):
        len(ig.Tensor(1.0))


def test_item_float_and_bool():
    assert ig.Tensor([[2.5]]).item() == 2.5
    assert type(ig.Tensor(2.5).item()) is float
    assert float(ig.Tensor(2.5)) == 2.5
    assert bool(ig.Tensor(0.0)) is False
    assert bool(ig.Tensor([1.0])) is True
    with pytest.raises(ValueError, match="size 1"):
        tensor().item()
    with pytest.raises(TypeError):
        float(tensor())
    with pytest.raises(ValueError, match="ambiguous"):
        bool(tensor())


def test_hash_is_by_identity():
    x, y = tensor(), tensor()
    assert len({x, y, x}) == 2
    assert {x: 1}[x] == 1


def test_as_a_numpy_array():
    x = tensor()
    assert np.asarray(x) is x.data
    assert np.asarray(x, dtype=np.float64).dtype == np.float64
    assert not np.shares_memory(np.array(x), x.data)
    assert np.array(x).tolist() == x.data.tolist()


def test_methods():
    a = np.arange(24.0).reshape(2, 3, 4) ** 1.5
    x = ig.Tensor(a)
    np.testing.assert_array_equal(x.T.data, a.T)
    for got in (x.reshape(4, 6), x.reshape((4, 6)), x.reshape(-1, 6), x.reshape([4, -1])):
        np.testing.assert_array_equal(got.data, a.reshape(4, 6))
    assert x.reshape(-1).shape == (24,)
    for got in (x.transpose(2, 0, 1), x.transpose((2, 0, 1)), x.transpose([2, 0, 1])):
        np.testing.assert_array_equal(got.data, a.transpose(2, 0, 1))
    np.testing.assert_array_equal(x.transpose().data, a.T)
    for name in ("sum", "mean", "max", "var"):
        np.testing.assert_allclose(getattr(x, name)().data, getattr(a, name)())
        np.testing.assert_allclose(
            getattr(x, name)((0, 2), keepdims=True).data, getattr(a, name)((0, 2), keepdims=True)
        )
        np.testing.assert_allclose(getattr(x, name)(axis=-1).data, getattr(a, name)(axis=-1))


def test_index_by_tensor_and_mask():
    x = tensor(requires_grad=True)
    y = x[ig.Tensor([2, 0, 2])]
    assert y.data.tolist() == [2.0, 0.5, 2.0]
    y.sum().backward()
    assert x.grad.tolist() == [1, 0, 2]
    assert x[x > 1].data.tolist() == [1.25, 2.0]


def test_an_index_outside_is_numpys_error():
    with pytest.raises(IndexError):
        tensor()[3]


def test_detach():
    x = tensor(requires_grad=True, name="x")
    d = x.detach()
    assert d.data is x.data
    assert d.name == "x"
    assert not d.requires_grad
    (x * x.detach()).sum().backward()
    assert x.grad.tolist() == x.data.tolist()
    assert not ((x * 2).detach() * 3).requires_grad


def test_operators_are_looked_up_by_names_that_exist():
    names = {"add", "subtract", "multiply", "divide", "power", "matmul", "negative", "abs", "getitem"}
    assert names | {"transpose", "reshape", "sum", "mean", "max", "variance"} <= set(OPS)
