"""Recording and name scopes: per thread, never global."""

import threading

import pytest

import inkgrad as ig
from inkgrad.autodiff import current_scope, is_recording
from inkgrad.errors import GraphError


def in_thread(function):
    result = []
    thread = threading.Thread(target=lambda: result.append(function()))
    thread.start()
    thread.join()
    return result[0]


def test_no_grad_as_a_block():
    x = ig.Tensor([1.0], requires_grad=True)
    with ig.no_grad():
        assert not is_recording()
        y = x * 2
    assert is_recording()
    assert not y.requires_grad
    assert y.node is None
    with pytest.raises(GraphError, match="under no_grad"):
        y.sum().backward()
    assert (x * 2).requires_grad


def test_no_grad_as_a_decorator():
    @ig.no_grad()
    def double(x):
        """Twice x."""
        return x * 2

    x = ig.Tensor([1.0], requires_grad=True)
    assert double.__doc__ == "Twice x."
    for _ in range(2):
        assert not double(x).requires_grad
        assert is_recording()


def test_no_grad_as_a_decorator_of_a_recursive_function():
    @ig.no_grad()
    def depth(n):
        return [is_recording(), *(depth(n - 1) if n else [])]

    assert depth(3) == [False] * 4
    assert is_recording()


def test_no_grad_nests():
    with ig.no_grad():
        with ig.no_grad():
            pass
        assert not is_recording()
    assert is_recording()


def test_no_grad_ends_with_an_error_too():
    with pytest.raises(RuntimeError, match="inside"), ig.no_grad():
        raise RuntimeError("inside")
    assert is_recording()


def test_no_grad_holds_in_this_thread_only():
    with ig.no_grad():
        assert in_thread(is_recording) is True
        assert in_thread(lambda: (ig.Tensor(1.0, requires_grad=True) * 2).requires_grad) is True
        assert not is_recording()


def test_scopes_nest_with_dots():
    assert current_scope() == ""
    with ig.name_scope("encoder"):
        assert current_scope() == "encoder"
        with ig.name_scope("layers.0"):
            assert current_scope() == "encoder.layers.0"
        assert current_scope() == "encoder"
    assert current_scope() == ""


def test_a_scope_ends_with_an_error_too():
    with pytest.raises(RuntimeError, match="inside"), ig.name_scope("a"):
        raise RuntimeError("inside")
    assert current_scope() == ""


def test_a_scope_holds_in_this_thread_only():
    with ig.name_scope("here"):
        assert in_thread(current_scope) == ""


def test_scopes_are_recorded():
    x = ig.Tensor([1.0], requires_grad=True)
    with ig.name_scope("a"), ig.name_scope("b"):
        y = x * 2
    assert y.node.scope == "a.b"
    assert "multiply in a.b" in repr(y.node)
    assert (x * 2).node.scope == ""
