"""The backward pass: sums, ownership, memory, depth, and its errors."""

import gc
import weakref

import numpy as np
import pytest

import inkgrad as ig
from inkgrad import ops
from inkgrad.autodiff import differentiable
from inkgrad.errors import GraphError, ShapeError


def leaf(*values, dtype=np.float64):
    return ig.Tensor(list(values), requires_grad=True, dtype=dtype)


# Shared parts


def test_diamond():
    x = leaf(3.0)
    y = x * x
    ((y + 1) * (y * 2)).sum().backward()  # 2 x^4 + 2 x^2
    assert x.grad.tolist() == [8 * 27 + 4 * 3]


def test_a_node_waits_for_all_its_consumers():
    """A long and a short way to the same node: its pull-back runs once, with the whole sum."""
    calls = []

    @differentiable
    def watched(x):
        return x * 2, (lambda g: (calls.append(g.copy()), g * 2)[1],)

    x = leaf(1.0)
    y = watched(x)
    z = y
    for _ in range(5):
        z = z * 1.0
    (y + z + y).sum().backward()
    assert [c.tolist() for c in calls] == [[3]]
    assert x.grad.tolist() == [6]


@pytest.mark.parametrize("op, expected", [(ops.add, 2), (ops.multiply, 6), (ops.subtract, 0), (ops.maximum, 1)])
def test_one_tensor_twice_in_one_op(op, expected):
    x = leaf(3.0)
    op(x, x).sum().backward()
    assert x.grad.tolist() == [expected]


def test_one_tensor_many_times_in_one_op():
    x = leaf(1.0, 2.0)
    (ops.concatenate([x, x, x]) * np.arange(6.0)).sum().backward()
    assert x.grad.tolist() == [6, 9]
    x = ig.Tensor(np.eye(2) * 2, requires_grad=True)
    (x @ x).sum().backward()
    assert x.grad.tolist() == [[4, 4], [4, 4]]


def test_two_results_of_one_input():
    x = leaf(1.0)
    a, b = x * 2, x * 3
    a.sum().backward()
    b.sum().backward()
    assert x.grad.tolist() == [5]


# .grad


def test_gradients_add_up_over_backward_passes():
    x = leaf(1.0, 2.0)
    for expected in ([2, 4], [4, 8], [6, 12]):
        (x * x).sum().backward()
        assert x.grad.tolist() == expected
    x.grad = None
    (x * x).sum().backward()
    assert x.grad.tolist() == [2, 4]


def test_a_gradient_kept_from_the_first_pass_does_not_change_in_the_second():
    x = leaf(1.0)
    x.sum().backward()
    first = x.grad
    x.sum().backward()
    assert first.tolist() == [1]
    assert x.grad.tolist() == [2]


def test_gradients_of_a_sum_share_no_memory():
    p, q = leaf(1.0, 2.0), leaf(3.0, 4.0)
    ((p + q) * 1.0).sum().backward()
    assert p.grad is not q.grad
    assert not np.shares_memory(p.grad, q.grad)
    p.grad += 0.1 * p.data
    assert q.grad.tolist() == [1, 1]


def test_no_gradient_shares_memory_with_anything():
    p, q, r = leaf(1.0, 2.0), leaf(3.0, 4.0), leaf(5.0, 6.0)
    g = np.array([1.0, 2.0])
    y = ops.reshape(p + (q + r), shape=(2,))
    y.backward(g)
    arrays = [p.grad, q.grad, r.grad, g, p.data, q.data, r.data, y.data]
    for i, one in enumerate(arrays[:3]):
        assert one.flags.owndata
        assert not any(np.shares_memory(one, other) for j, other in enumerate(arrays) if i != j)
    p.grad[:] = 7
    assert (q.grad.tolist(), r.grad.tolist(), g.tolist()) == ([1, 2], [1, 2], [1, 2])


def test_the_gradient_that_was_passed_is_not_kept():
    x = leaf(1.0, 2.0)
    g = np.ones(2)
    x.backward(g)
    assert not np.shares_memory(x.grad, g)


def test_gradients_can_lie_where_someone_wants_them():
    x = leaf(1.0, 2.0)
    flat = np.full(5, 9.0)
    x.grad_storage = flat[1:3]
    (x * 2).sum().backward()
    assert x.grad is x.grad_storage
    (x * 3).sum().backward()
    assert flat.tolist() == [9, 5, 5, 9, 9]
    x.grad = None
    (x * 4).sum().backward()
    assert flat.tolist() == [9, 4, 4, 9, 9]


def test_no_axes():
    x = ig.Tensor(2.0, requires_grad=True)
    for expected in (4, 8):
        (x * x).backward()
        assert isinstance(x.grad, np.ndarray)
        assert x.grad.dtype == np.float32
        assert x.grad.shape == ()
        assert x.grad == expected


def test_only_who_asked_gets_a_gradient():
    x, y = leaf(1.0), ig.Tensor([2.0], dtype=np.float64)
    z = x * y
    z.sum().backward()
    assert x.grad.tolist() == [2]
    assert y.grad is None
    assert z.grad is None


def test_the_result_may_be_a_leaf():
    x = leaf(3.0)
    x.backward()
    assert x.grad.tolist() == [1]


def test_a_leaf_that_is_gone_is_skipped():
    x = leaf(1.0)
    y = x * leaf(2.0)
    gc.collect()
    y.sum().backward()
    assert x.grad.tolist() == [2]


def test_new_data_of_a_leaf_before_backward():
    x = leaf(3.0)
    x.data = np.array([5.0])
    (x * x).sum().backward()
    assert x.grad.tolist() == [10]


@pytest.mark.parametrize("gradient", [[1, 2], (1.0, 2.0), np.array([1.0, 2.0]), np.array([1, 2], np.float32)])
def test_a_gradient_takes_the_dtype_of_the_result(gradient):
    for dtype in (np.float32, np.float64):
        x = leaf(1.0, 1.0, dtype=dtype)
        (x * 3).backward(gradient)
        assert x.grad.tolist() == [3, 6]
        assert x.grad.dtype == dtype


def test_a_tensor_as_gradient_takes_the_dtype_too():
    x = leaf(1.0, 1.0, dtype=np.float32)
    (x * 3).backward(ig.Tensor(np.array([1.0, 2.0])))
    assert x.grad.tolist() == [3, 6]
    assert x.grad.dtype == np.float32


# Depth and memory

DEEP = 100_000


@pytest.mark.slow
def test_a_chain_of_a_hundred_thousand_operations():
    x = leaf(1.0, 2.0)
    y = x
    for _ in range(DEEP):
        y = y + 1.0
    y.sum().backward()
    assert x.grad.tolist() == [1, 1]


@pytest.mark.slow
def test_a_chain_that_is_dropped_without_backward():
    x = leaf(1.0)
    y = x
    for _ in range(DEEP):
        y = y + 1.0
    end = weakref.ref(y)
    del y
    gc.collect()
    assert end() is None
    assert x.grad is None


def test_a_chain_with_two_branches_at_every_step():
    x = leaf(1.0)
    y = x
    for _ in range(2_000):  # 2^2000 paths
        y = (y + y) * 0.5
    y.sum().backward()
    assert x.grad.tolist() == [1]


def test_pull_backs_are_freed_after_backward():
    @differentiable
    def keeping(x):
        kept = np.ones(4)
        seen.append(weakref.ref(kept))
        return x * 2, (lambda g: g * 2 * kept[0],)

    seen = []
    x = leaf(1.0)
    y = keeping(x)
    z = (y * 3).sum()
    gc.collect()
    assert seen[0]() is not None
    z.backward()
    assert seen[0]() is None  # without the garbage collector, although y and z live
    assert x.grad.tolist() == [6]


def test_pull_backs_are_freed_as_the_pass_goes():
    """When the first op's turn comes, what the later ones held is gone."""
    refs, alive = [], []

    @differentiable
    def first(x):
        return x * 1, (lambda g: (alive.extend(r() is not None for r in refs), g)[1],)

    @differentiable
    def keeping(x):
        kept = np.ones(4)
        refs.append(weakref.ref(kept))
        return x * 1, (lambda g: g * kept[0],)

    y = first(leaf(1.0))
    for _ in range(3):
        y = keeping(y)
    y.sum().backward()
    assert alive == [False] * 3


@pytest.mark.slow
def test_pull_backs_of_inputs_that_need_none_are_dropped_at_once():
    @differentiable
    def product(a, b):
        kept_a, kept_b = np.ones(4), np.ones(4)
        refs[:] = [weakref.ref(kept_a), weakref.ref(kept_b)]
        return a * b, (lambda g: g * b * kept_b[0], lambda g: g * a * kept_a[0])

    refs = []
    y = product(ig.Tensor([1.0], dtype=np.float64), leaf(2.0))
    gc.collect()
    assert [r() is not None for r in refs] == [True, False]
    with ig.no_grad():
        product(leaf(1.0), leaf(2.0))
    gc.collect()
    assert [r() is not None for r in refs] == [False, False]
    assert y.requires_grad


def test_values_within_the_graph_are_freed():
    x = leaf(1.0)
    middle = x * 2
    value = weakref.ref(middle.data)
    y = (middle * 3).sum()
    del middle
    assert value() is not None  # the graph holds it
    y.backward()
    assert value() is None


def test_a_graph_goes_with_its_result():
    x = leaf(1.0)
    y = ops.tanh(x * 2)
    value = weakref.ref(y.data)
    del y
    assert value() is None  # no reference cycle


# Errors


def test_a_second_backward_pass_is_refused():
    x = leaf(1.0)
    y = ops.exp(x).sum()
    y.backward()
    with pytest.raises(GraphError, match=r"backward reached sum, whose pull-backs an earlier .* used and freed"):
        y.backward()
    assert x.grad.tolist() == [np.e]


def test_a_graph_partly_used_up_is_refused_before_anything_changes():
    x, w = leaf(1.0), leaf(2.0)
    shared = ops.exp(x)
    (shared * 2).sum().backward()
    before = x.grad.copy()
    with pytest.raises(GraphError, match="backward reached exp"):
        (shared * w).sum().backward()
    assert x.grad.tolist() == before.tolist()
    assert w.grad is None


def test_more_than_one_number_needs_a_gradient():
    with pytest.raises(GraphError, match=r"this tensor has shape \(2,\); reduce it with sum\(\) or mean\(\)"):
        (leaf(1.0, 2.0) * 2).backward()
    with pytest.raises(GraphError, match=r"shape \(0,\)"):
        (ig.Tensor(np.empty(0), requires_grad=True) * 2).backward()


def test_one_element_in_any_shape_needs_none():
    x = ig.Tensor(np.ones((1, 1)), requires_grad=True)
    (x * 3).backward()
    assert x.grad.tolist() == [[3]]


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 1), (1, 2)])
def test_a_gradient_of_another_shape_is_refused(shape):
    x = leaf(1.0, 2.0)
    with pytest.raises(ShapeError, match=r"needs a gradient of shape \(2,\), but this has"):
        (x * 2).backward(np.ones(shape))
    assert x.grad is None


def test_a_second_derivative_is_refused():
    x = leaf(1.0)
    with pytest.raises(GraphError, match=r"first derivatives only: pass gradient.detach\(\)"):
        (x * 2).backward(x * 3)
    (x * 2).backward((x * 3).detach())
    assert x.grad.tolist() == [6]


def test_backward_of_what_was_not_recorded_is_refused():
    with pytest.raises(GraphError, match="computed from none that requires a gradient, or under no_grad"):
        ig.Tensor([1.0]).backward()


def wrong(pullback, **options):
    @differentiable(**options)
    def crooked(x, y):
        return x * y, (lambda g: g * y, pullback)

    with ig.name_scope("head.0"):
        return crooked(leaf(1.0, 2.0), leaf(3.0, 4.0)).sum()


@pytest.mark.parametrize("broadcasts", [False, True])
@pytest.mark.parametrize(
    "pullback, got",
    [
        (lambda g: np.ones(3), r"float64 \(3,\)"),
        (lambda g: np.ones(()), r"float64 \(\)"),
        (lambda g: g.astype(np.float32), r"float32 \(2,\)"),
        (lambda g: g > 0, r"bool \(2,\)"),
    ],
    ids=["shape", "no-axes", "dtype", "bool"],
)
def test_a_wrong_pull_back_is_named(pullback, got, broadcasts):
    expected = rf"pull-back of crooked in head\.0 for input 1 must give float64 \(2,\), but gave {got}"
    with pytest.raises(ShapeError, match=expected):
        wrong(pullback, broadcasts=broadcasts).backward()


def test_a_gradient_with_more_axes_is_wrong_unless_the_op_broadcasts():
    with pytest.raises(ShapeError, match=r"but gave float64 \(3, 2\)"):
        wrong(lambda g: np.ones((3, 2))).backward()
    wrong(lambda g: np.ones((3, 2)), broadcasts=True).backward()
