"""Operations of one's own."""

import numpy as np
import pytest

import inkgrad as ig
from inkgrad import autodiff
from inkgrad.autodiff import differentiable, shared
from inkgrad.autodiff.check import check_gradients
from inkgrad.errors import GraphError, OptionError, ShapeError


@differentiable
def scaled_sum(a, b, *, scale=2.0):
    """scale (a + b), of one shape."""
    real = a.dtype.type(scale)
    return (a + b) * real, (lambda g: g * real, lambda g: g * real)


@differentiable(broadcasts=True)
def product(a, b):
    return a * b, (lambda g: g * b, lambda g: g * a)


@differentiable(constants=("index",))
def pick(x, index):
    """x[:, index]"""

    def pull_back(g):
        out = np.zeros_like(x)
        out[np.arange(len(x)), index] = g
        return out

    return x[np.arange(len(x)), index], (pull_back,)


@differentiable
def optional(x, bias=None):
    y = x if bias is None else x + bias
    return y * 1, (lambda g: g, None if bias is None else lambda g: g)


def test_it_is_an_operation():
    a, b = np.array([1.0, 2.0]), np.array([3.0, 5.0])
    assert scaled_sum(a, b).data.tolist() == [8, 14]
    assert scaled_sum(a, b, scale=3).data.tolist() == [12, 21]
    assert scaled_sum.__doc__ == "scale (a + b), of one shape."
    assert scaled_sum.__name__ == scaled_sum.name == "scaled_sum"
    assert repr(scaled_sum) == "<op scaled_sum(a, b, *, scale=2.0)>"
    check_gradients(scaled_sum, a, b)


def test_a_users_operation_is_not_listed_among_ours():
    assert "scaled_sum" not in autodiff.OPS


def test_the_body_sees_arrays_of_one_dtype_never_a_tensor():
    seen = []

    @differentiable
    def looking(*arrays):
        seen.extend(arrays)
        return arrays[0] * 1, tuple(lambda g: g for _ in arrays)

    looking(ig.Tensor([1.0], dtype=np.float64), [2], 0.1, np.float32(3), np.array([4]))
    assert all(type(a) is np.ndarray and a.dtype == np.float64 for a in seen)
    assert seen[2] == 0.1


@pytest.mark.parametrize(
    "inputs, dtype",
    [
        ((1, 2), "float32"),
        ((0.1, [0.2]), "float32"),
        ((np.float64(0.1), 2), "float64"),
        ((np.zeros(1), np.zeros(1, np.float32)), "float64"),
        ((np.zeros(1, int), 1.0), "float32"),
        ((ig.Tensor(1.0), np.zeros(())), "float32"),
    ],
)
def test_dtype_of_the_result(inputs, dtype):
    assert product(*inputs).dtype == dtype


def test_broadcasts():
    a, b = ig.Tensor(np.ones((2, 3)), requires_grad=True), ig.Tensor(np.ones((3,)), requires_grad=True)
    product(a, b).sum().backward()
    assert b.grad.tolist() == [2, 2, 2]
    check_gradients(product, np.arange(6.0).reshape(2, 1, 3), np.arange(4.0).reshape(4, 1))


def test_without_broadcasts_a_repeated_input_is_refused():
    a, b = ig.Tensor(np.ones((2, 3)), requires_grad=True), ig.Tensor(np.ones((3,)), requires_grad=True)
    with pytest.raises(ShapeError, match=r"pull-back of scaled_sum for input 1 must give float64 \(3,\)"):
        scaled_sum(a, b).sum().backward()


def test_constants_reach_the_body_as_they_came():
    x = ig.Tensor(np.arange(6.0).reshape(3, 2), requires_grad=True)
    index = np.array([1, 0, 1], np.int8)
    y = pick(x, index)
    assert y.data.tolist() == [1, 2, 5]
    y.backward(np.array([1.0, 2.0, 3.0]))
    assert x.grad.tolist() == [[0, 1], [2, 0], [0, 3]]
    seen = []

    @differentiable(constants=("label",))
    def look(x, label):
        seen.append(label)
        return x * 1, (lambda g: g,)

    label = object()
    look([1.0], label)
    look([1.0], label=label)
    look(ig.Tensor([1.0]), ig.Tensor([2.0], dtype=np.float64))
    assert seen[0] is seen[1] is label
    assert type(seen[2]) is np.ndarray
    assert seen[2].dtype == np.float64


def test_constants_may_stand_first():
    @differentiable(constants=("scale",))
    def scaled(scale, x, y):
        return scale * x * y, (lambda g: scale * g * y, lambda g: scale * g * x)

    x, y = ig.Tensor([2.0], requires_grad=True), ig.Tensor([3.0], requires_grad=True)
    scaled(5, x, y).sum().backward()
    assert (x.grad.tolist(), y.grad.tolist()) == ([15], [10])
    assert [source.op for source, _ in scaled(5, x, 1.0).node.edges] == ["leaf", "constant"]


def test_constants_that_require_a_gradient_are_refused():
    labels = ig.Tensor([1.0, 0.0], requires_grad=True)

    @differentiable(constants=("t",))
    def times(x, t):
        return x * t, (lambda g: g * t,)

    x = ig.Tensor([2.0, 3.0], requires_grad=True)
    with pytest.raises(GraphError, match=r"times does not differentiate .* detach\(\)"):
        times(x, labels)
    times(x, labels.detach()).sum().backward()
    assert x.grad.tolist() == [1, 0]


def test_inputs_may_be_given_by_name():
    a, b = ig.Tensor([1.0], requires_grad=True), ig.Tensor([2.0], requires_grad=True)
    for call in (lambda: product(a, b=b), lambda: product(b=b, a=a)):
        a.grad = b.grad = None
        call().sum().backward()
        assert (a.grad.tolist(), b.grad.tolist()) == ([2], [1])
    scaled_sum(b=b, scale=5, a=a).sum().backward()
    assert a.grad.tolist() == [7]


def test_optional_inputs():
    x, b = ig.Tensor([1.0], requires_grad=True), ig.Tensor([2.0], requires_grad=True)
    for call in (lambda: optional(x), lambda: optional(x, None), lambda: optional(x, bias=None)):
        x.grad = None
        call().sum().backward()
        assert x.grad.tolist() == [1]
    optional(x, b).sum().backward()
    assert b.grad.tolist() == [1]


def test_a_wrong_call_is_pythons_error():
    with pytest.raises(TypeError):
        product([1.0])
    with pytest.raises(TypeError, match="unexpected keyword"):
        product([1.0], [2.0], scale=3)


def test_shapes_that_do_not_fit_are_told_with_op_and_scope():
    with pytest.raises(ShapeError, match=r"^product cannot work on shapes \(2,\) and \(3,\): "):
        product([1.0, 2.0], [1.0, 2.0, 3.0])
    with (
        ig.name_scope("encoder"),
        ig.name_scope("layers.0"),
        pytest.raises(ShapeError, match=r"^product in encoder\.layers\.0 cannot work on shapes \(2,\) and \(3,\): "),
    ):
        product([1.0, 2.0], [1.0, 2.0, 3.0])


def test_an_operations_own_error_keeps_its_type_and_tells_the_scope():
    with pytest.raises(OptionError, match="label_smoothing lies in") as caught:
        ig.ops.cross_entropy([[1.0, 2.0]], [0], label_smoothing=2)
    assert "encoder" not in str(caught.value)
    with ig.name_scope("encoder"), pytest.raises(OptionError, match=r"^in encoder: label_smoothing lies in"):
        ig.ops.cross_entropy([[1.0, 2.0]], [0], label_smoothing=2)
    with ig.name_scope("encoder"), pytest.raises(ShapeError, match=r"^in encoder: affine needs x"):
        ig.ops.affine(np.ones((2, 3)), np.ones((4, 5)))


def test_other_errors_of_the_body_pass():
    @differentiable
    def broken(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        broken([1.0])


def test_another_dtype_out_is_refused():
    @differentiable
    def widening(x):
        return x.astype(np.float64), (lambda g: g,)

    with pytest.raises(TypeError, match="widening made float64 out of float32; an op keeps the dtype"):
        widening([1.0])


def test_too_few_pull_backs_are_refused():
    @differentiable
    def lacking(a, b):
        return a + b, (lambda g: g,)

    assert lacking([1.0], [2.0]).data.tolist() == [3]
    with pytest.raises(TypeError, match="lacking has 2 inputs to differentiate, but 1 pull-backs"):
        lacking(ig.Tensor([1.0], requires_grad=True), [2.0])


def test_an_input_without_pull_back_may_not_want_a_gradient():
    @differentiable
    def one_way(a, b):
        return a * b, (lambda g: g * b, None)

    a, b = ig.Tensor([1.0], requires_grad=True), ig.Tensor([2.0], requires_grad=True)
    with pytest.raises(TypeError, match="one_way has no pull-back"):
        one_way(a, b)
    one_way(a, b.detach()).sum().backward()
    assert a.grad.tolist() == [2]


@pytest.mark.parametrize("returned", [3.0, (3.0, lambda g: g), (3.0, None)])
def test_a_body_gives_a_value_and_a_tuple(returned):
    @differentiable
    def odd(x):
        return returned

    with pytest.raises(TypeError, match="odd must return its value and a tuple of pull-backs"):
        odd([1.0])


def test_shared_computes_once_a_pass():
    calls = []

    @differentiable
    def pair(a, b):
        both = shared(lambda g: (calls.append(1), (g * 2, g * 3))[1])
        return 2 * a + 3 * b, (lambda g: both(g)[0], lambda g: both(g)[1])

    a, b = ig.Tensor([1.0], requires_grad=True), ig.Tensor([1.0], requires_grad=True)
    y = pair(a, b)
    y.backward()
    assert (a.grad.tolist(), b.grad.tolist(), len(calls)) == ([2], [3], 1)
    pair(a, b).backward()
    assert (a.grad.tolist(), len(calls)) == ([4], 2)


def test_a_result_that_is_the_input_itself_does_not_alias_gradients():
    @differentiable
    def identity(x):
        return x, (lambda g: g,)

    x = ig.Tensor([1.0, 2.0], requires_grad=True)
    y = identity(x)
    g = np.ones(2, np.float32)
    y.backward(g)
    assert not np.shares_memory(x.grad, g)
