"""Every network, layer and operation as ONNX, run by ONNX Runtime."""

import numpy as np
import pytest

import cases
import inkgrad as ig
from inkgrad import nn, ops
from inkgrad.errors import OptionError
from inkgrad.export.emit import EMITTERS
from inkgrad.export.graph import OPSET, Graph
from inkgrad.export.trace import run
from inkgrad.export.write import write_calls
from inkgrad.models.rows import build_rows

onnx = pytest.importorskip("onnx", reason="onnx is not installed")

NEAR = 1e-5


def distance(got, expected):
    assert got.shape == expected.shape
    if np.array_equal(got, expected):  # infinite ones, too
        return 0.0
    return np.linalg.norm((got - expected).ravel()) / max(np.linalg.norm(expected.ravel()), 1e-30)


def settled(net, rng):
    """Statistics of batches that are not those at the start."""
    for name, member in net.named_state():
        if "running" in name:
            member.data = rng.uniform(0.5, 1.5, member.data.shape).astype(np.float32)
    return net


@pytest.mark.parametrize("name", [*ig.models.NAMED, "rows"])
def test_networks_give_the_same_logits_and_come_back(name, runtime):
    rng = ig.default_rng(1)
    net = settled(build_rows(rng=rng, width=8) if name == "rows" else ig.models.build(name, rng=rng), rng)
    shape = (3, 1, 40, 104) if name == "rows" else (5, 1, 28, 28)
    images = rng.random(shape, dtype=np.float32)
    model = ig.export.to_onnx(net)
    assert net.training  # as it was
    with ig.no_grad():
        expected = net.eval()(images).data
        again = ig.export.from_onnx(model)
        assert distance(runtime(model, images)["logits"], expected) < NEAR
        assert distance(again(images).data, expected) < NEAR
    state = {name: array for name, array in nn.state_of(net).items() if name in dict(again.named_state())}
    assert len(state) >= 2
    second = ig.export.to_onnx(again)
    assert distance(runtime(second, images)["logits"], expected) < NEAR
    assert [node.op_type for node in second.graph.node] == [node.op_type for node in model.graph.node]


def test_the_reader_that_ships(runtime):
    net = ig.Reader.pretrained().recognizer.net
    strips = ig.default_rng(0).random((2, 1, 40, 208), dtype=np.float32)
    with ig.no_grad():
        expected = net(strips).data
    assert distance(runtime(ig.export.to_onnx(net), strips)["logits"], expected) < NEAR


LAYERS = [pytest.param(case, id=case.id) for case in cases.LAYERS]


@pytest.mark.parametrize("case", LAYERS)
def test_every_layer(case, runtime):
    layer, x = case.build(), case.x()
    model = ig.export.to_onnx(layer, input_shape=x.shape[1:])
    with ig.no_grad():
        expected = layer.eval()(x).data
        again = ig.export.from_onnx(model)
        assert distance(again(x).data, expected) < NEAR
    if x.size:
        assert distance(runtime(model, x)["output"], expected) < NEAR
        assert distance(runtime(ig.export.to_onnx(again), x)["output"], expected) < NEAR


def test_every_layer_has_an_exporter():
    exported = {case.layer for case in cases.LAYERS}
    assert set(nn.__all__) - cases.NOT_LAYERS - cases.LOSSES == exported


# Operations that no network in prediction mode has.
TRAINING = {"batch_norm", "dropout", *cases.LOSSES}


class Calls(nn.Module):
    """An operation of the table as a network."""

    def __init__(self, call):
        self.call = call

    def forward(self, *inputs):
        return self.call(*inputs)


def test_every_operation_has_an_exporter():
    assert set(ops.__all__) - TRAINING == set(EMITTERS)


OPS = [pytest.param(case, id=case.id) for case in cases.OPS if case.op not in TRAINING and not case.refuses]
LISTS = "only numbers, slices, None and ... can be its index"


@pytest.mark.parametrize("case", OPS)
def test_every_operation(case, runtime):
    inputs = [np.asarray(x, np.float32) for x in case.inputs]
    with ig.no_grad():
        expected = case.call(*inputs).data
    model = whole_model(case.call, inputs)
    if model is None or (case.inputs[0].ndim == 4 and case.inputs[0].shape[1] == 0):
        return  # ONNX Runtime takes no images without channels
    assert distance(runtime(model, *inputs)["y"], expected) < NEAR


def whole_model(call, inputs):
    """The operation on inputs of exactly these shapes; None where its index takes elements in a list."""
    helper, net, graph = onnx.helper, Calls(call), Graph()
    traced = run(net, inputs)
    names = [graph.name(f"x{i}") for i in range(len(inputs))]
    try:
        (result,) = write_calls(net, graph, (traced, traced), names, np.float32)
    except OptionError as error:
        assert LISTS in str(error)
        return None
    graph.node("Identity", [result], ["y"], "last", {})
    made = helper.make_graph(
        graph.nodes,
        "operation",
        [helper.make_tensor_value_info(name, 1, x.shape) for name, x in zip(names, inputs, strict=True)],
        [helper.make_tensor_value_info("y", 1, None)],
        [onnx.numpy_helper.from_array(array, name) for name, array in graph.constants.items()],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)


def test_an_estimator_is_told_to_give_its_network():
    from inkgrad.estimator import NetworkClassifier

    fitted = NetworkClassifier(max_iter=1, random_state=0).fit(np.eye(4), [0, 1, 0, 1])
    with pytest.raises(OptionError, match=r"a Classifier, but got NetworkClassifier; give its network_$"):
        ig.export.to_onnx(fitted)
    with pytest.raises(OptionError, match=r"but got str$"):
        ig.export.to_onnx("lenet5")
