"""ONNX's own test suite of backends, for the operators that digit networks use: all that it has for them."""

import functools
import unittest
import warnings
from pathlib import Path

import numpy as np
import pytest

import inkgrad as ig
from inkgrad.errors import ModelFileError
from inkgrad.export.operators import OPERATORS

onnx = pytest.importorskip("onnx", reason="onnx is not installed")

NAMED = [
    *("Conv", "Gemm", "MatMul", "Add", "Relu", "LeakyRelu", "Sigmoid", "Tanh", "Softmax", "MaxPool", "AveragePool"),
    *("GlobalAveragePool", "BatchNormalization", "Flatten", "Reshape", "Transpose", "Dropout", "Concat", "Pad", "Clip"),
    *("ReduceMean", "Identity", "Constant"),
]
KINDS = ("node", "simple", "pytorch-converted", "pytorch-operator")

# What cannot apply, and why.
LEFT_OUT = {
    "test_identity_opt": "an optional value: networks here compute with tensors",
    "test_identity_sequence": "a sequence of tensors: networks here compute with tensors",
    "test_training_dropout": "drops by the random numbers of whoever made the test; networks here drop in training",
    "test_training_dropout_default": "likewise",
    "test_training_dropout_default_mask": "likewise",
    "test_training_dropout_mask": "likewise",
}


@functools.cache
def suite():
    """operator -> names of its tests, and the tests themselves; the suite computes its cases when it is loaded."""
    from onnx.backend.test import BackendTest
    from onnx.backend.test.loader import load_model_tests

    from inkgrad.export import backend

    named = {}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for kind in KINDS:
            for case in load_model_tests(kind=kind):
                model = case.model or onnx.load(str(Path(case.model_dir) / "model.onnx"))
                kinds = {node.op_type for node in model.graph.node}
                if kinds <= set(NAMED):
                    named.setdefault(next(one for one in NAMED if one in kinds), []).append(case.name)
        cases = BackendTest(backend, __name__).test_cases.values()
    tests = {name.removesuffix("_cpu"): kind for kind in cases for name in dir(kind) if name.endswith("_cpu")}
    return named, tests


@pytest.mark.slow
@pytest.mark.parametrize("operator", NAMED)
def test_every_case_of_the_suite(operator):
    named, tests = suite()
    names = [name for name in named[operator] if name not in LEFT_OUT]
    assert names
    result = unittest.TestResult()
    for name in names:
        tests[name](f"{name}_cpu").run(result)
    assert [(str(case), text.splitlines()[-1]) for case, text in result.failures + result.errors + result.skipped] == []
    assert result.testsRun == len(names)


@pytest.mark.slow
def test_what_is_left_out_is_there_and_cannot_run():
    named, tests = suite()
    known = {name for names in named.values() for name in names}
    assert set(LEFT_OUT) <= known
    for name in LEFT_OUT:
        result = unittest.TestResult()
        tests[name](f"{name}_cpu").run(result)
        assert not result.wasSuccessful(), f"{name} passes: take it off the list"


def test_every_named_operator_is_known():
    assert set(NAMED) - {"Constant"} <= set(OPERATORS)


def test_the_backend_says_what_it_cannot():
    from inkgrad.export import backend

    node = onnx.helper.make_node("Det", ["x"], ["y"])
    graph = onnx.helper.make_graph(
        [node],
        "det",
        [onnx.helper.make_tensor_value_info("x", 1, [2, 2])],
        [onnx.helper.make_tensor_value_info("y", 1, [])],
    )
    model = onnx.helper.make_model(graph)
    assert not backend.InkgradBackend.is_compatible(model)
    with pytest.raises(ModelFileError, match="the operator 'Det' is not known"):
        backend.prepare(model)
    assert backend.supports_device("CPU") and not backend.supports_device("CUDA")
    with pytest.raises(ModelFileError, match="runs on the CPU"):
        backend.prepare(ig.export.to_onnx(ig.models.build("mlp", rng=ig.default_rng(0))), "CUDA")


def test_one_node_at_a_time():
    from inkgrad.export import backend

    node = onnx.helper.make_node("Gemm", ["a", "b"], ["y"], alpha=2.0)
    (y,) = backend.run_node(node, [np.eye(2, dtype=np.float32), np.ones((2, 3), np.float32)])
    np.testing.assert_array_equal(y, np.full((2, 3), 2, np.float32))
