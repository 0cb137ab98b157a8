"""`ig.graph` shows every value and every gradient of a computation."""

import numpy as np
import pytest

from graphs import network
from inkgrad import lessons
from inkgrad.autodiff import Tensor, ops
from inkgrad.autodiff.graph import graph
from inkgrad.errors import GraphError


def by_title(g):
    return {node.title: node for node in g.nodes}


# Values and gradients


def test_the_textbook_graph_has_every_value_and_gradient():
    purchase = lessons.apples_and_oranges()
    g = graph(purchase.price)
    assert all(node.gradient is None for node in g.nodes)
    assert "no gradients yet" in repr(g)
    purchase.price.backward()
    found = [(n.title, n.kind, n.shape, float(n.value), float(n.gradient)) for n in g.nodes]
    expected = [
        ("apple_price", "leaf", 100, 2.2),
        ("apple_count", "leaf", 2, 110),
        ("multiply", "op", 200, 1.1),
        ("orange_price", "leaf", 150, 3.3),
        ("orange_count", "leaf", 3, 165),
        ("multiply", "op", 450, 1.1),
        ("add", "op", 650, 1.1),
        ("tax", "leaf", 1.1, 650),
        ("multiply", "op", 715, 1),
    ]
    assert [(t, k, s) for t, k, s, _, _ in found] == [(t, k, ()) for t, k, _, _ in expected]
    assert [v for *_, v, _ in found] == pytest.approx([v for *_, v, _ in expected], rel=2e-7)
    assert [d for *_, d in found] == pytest.approx([d for *_, d in expected], rel=2e-7)
    assert g.edges == ((0, 2, 0), (1, 2, 1), (3, 5, 0), (4, 5, 1), (2, 6, 0), (5, 6, 1), (6, 8, 0), (7, 8, 1))
    assert repr(g) == "<Graph of 4 operations on 5 inputs: values and gradients>"
    assert repr(g.nodes[7]) == "<leaf 7 tax ()>"


def test_nodes_come_after_their_inputs_and_share_tensors():
    loss, weights = network()
    g = graph(loss)
    assert [node.id for node in g.nodes] == list(range(len(g.nodes)))
    assert all(source < target for source, target, _ in g.edges)
    weight = by_title(g)["weight0"]
    takers = [(g.nodes[e.target].op, e.position) for e in g.edges if e.source == weight.id]
    assert takers == [("affine", 1), ("multiply", 0), ("multiply", 1)]
    assert sum(node.title == "weight0" for node in g.nodes) == 1
    loss.backward()
    for node, tensor in ((by_title(g)[t.name], t) for t in weights):
        np.testing.assert_array_equal(node.value, tensor.data)
        np.testing.assert_array_equal(node.gradient, tensor.grad)


def test_inner_gradients_are_those_of_the_loss():
    x = Tensor([1.0, -2.0, 3.0], requires_grad=True, name="x")
    y = ops.relu(x)
    loss = (y * y).sum()
    g = graph(loss)
    loss.backward()
    node = by_title(g)["relu"]
    np.testing.assert_array_equal(node.value, [1, 0, 3])
    np.testing.assert_array_equal(node.gradient, [2, 0, 6])


def test_scopes_of_operations_leaves_and_constants():
    loss, _keep = network()
    g = graph(loss)
    scopes = {(node.title, node.scope) for node in g.nodes}
    assert {("affine", "layers.0"), ("constant", "layers.0"), ("weight1", "layers.1"), ("add", "")} <= scopes


def test_constants_have_values_and_never_gradients():
    x = Tensor(3.0, requires_grad=True)
    loss = x * 2 + np.float32(5)
    g = graph(loss)
    loss.backward()
    constants = [node for node in g.nodes if node.kind == "constant"]
    assert [float(node.value) for node in constants] == [2, 5]
    assert all(node.gradient is None for node in constants)


def test_a_second_look_after_backward_works_if_the_first_came_before():
    loss, _keep = network()
    graph(loss)
    loss.backward()
    again = graph(loss)
    assert again.nodes[-1].gradient is not None
    assert len(again.edges) == len(graph(loss).edges)


def test_watching_changes_no_gradient():
    plain, plain_weights = network()
    plain.backward()
    watched, weights = network()
    graph(watched)
    watched.backward()
    for a, b in zip(plain_weights, weights, strict=True):
        np.testing.assert_array_equal(a.grad, b.grad)


def test_a_deep_graph_needs_no_recursion():
    x = Tensor(1.0, requires_grad=True)
    y = x
    for _ in range(3000):
        y = y + 1.0
    assert len(graph(y).nodes) == 6001


def test_after_backward_it_is_too_late():
    loss, _keep = network()
    loss.backward()
    with pytest.raises(GraphError, match=r"call ig\.graph\(loss\) before loss\.backward\(\)"):
        graph(loss)


def test_a_refused_graph_marks_nothing():
    x = Tensor([1.0], requires_grad=True)
    half = x * 2
    half.sum().backward()
    loss = (half + x * 3).sum()
    with pytest.raises(GraphError, match="before"):
        graph(loss)
    assert not loss.node.watched


@pytest.mark.parametrize("tensor", [Tensor(1.0), Tensor(1.0, requires_grad=True), Tensor(1.0) * 2, 5.0])
def test_a_tensor_without_a_graph_is_told(tensor):
    with pytest.raises(GraphError, match="has no graph"):
        graph(tensor)
