"""Networks from ONNX files: they predict, are looked at, learn and are written again."""

import re
from pathlib import Path

import numpy as np
import pytest

import inkgrad as ig
from inkgrad.autodiff.check import check_gradients
from inkgrad.data.sheet import contact_sheet
from inkgrad.errors import ModelFileError, OptionError, ShapeError
from inkgrad.export import OnnxNetwork
from inkgrad.export.operators import OPERATORS, Attributes

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
helper = onnx.helper


def graph_of(nodes, inputs, outputs=("y",), weights=None, *, opset=17, kind=1):
    """A model of a few nodes: inputs as name -> shape."""
    arrays = {name: np.asarray(array) for name, array in (weights or {}).items()}
    made = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(name, kind, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, kind, None) for name in outputs],
        [onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)])


@pytest.fixture
def lenet():
    return ig.models.build("lenet5", rng=ig.default_rng(0))


@pytest.mark.parametrize(
    ("constant", "kind"),
    [({"value_float": 2.5}, 1), ({"value_floats": [1.0, 2.5]}, 1), ({"value_int": 3}, 7), ({"value_ints": [3, 4]}, 7)],
)
def test_constants_that_are_plain_numbers(constant, kind):
    (value,) = constant.values()
    nodes = [helper.make_node("Constant", [], ["c"], **constant), helper.make_node("Add", ["x", "c"], ["y"])]
    net = ig.export.from_onnx(graph_of(nodes, {"x": ["n", 2]}, kind=kind))
    x = np.ones((3, 2), helper.tensor_dtype_to_np_dtype(kind))
    got = net(x)
    np.testing.assert_array_equal(getattr(got, "data", got), x + value)


def test_the_page_lists_exactly_the_operators_that_are_known():
    page = (Path(__file__).parents[2] / "docs" / "onnx.md").read_text(encoding="utf-8")
    rows = re.search(r"\| operators \| \|\n\|---\|---\|\n((?:\|.*\n)+)", page)[1].splitlines()
    listed = [name for row in rows for name in row.split("|")[2].strip().split(", ")]
    assert sorted(listed) == sorted({*OPERATORS, "Constant"})


def test_layers_are_those_of_the_package(lenet):
    net = ig.export.from_onnx(ig.export.to_onnx(lenet))
    assert [type(layer) for layer in lenet.layers] == [type(layer) for _, layer in net.named_modules()][1:]
    assert not any(module.training for _, module in net.named_modules())
    for (name, ours), (other, theirs) in zip(lenet.named_state(), net.named_state(), strict=True):
        assert name == other
        np.testing.assert_array_equal(ours.data, theirs.data)
        assert not np.shares_memory(ours.data, theirs.data)


def test_it_learns_and_is_written_again(lenet, runtime, tmp_path):
    net = ig.export.from_onnx(ig.export.to_onnx(lenet))
    images, labels = ig.default_rng(1).random((32, 1, 28, 28), dtype=np.float32), np.arange(32) % 10
    step = ig.training.TrainStep(net.train(), ig.nn.cross_entropy, ig.optim.SGD(net, learning_rate=0.05))
    losses = [step(images, labels) for _ in range(12)]
    assert losses[-1] < losses[0]
    assert step.fallback is None  # planned, as any network here
    with ig.no_grad():
        expected = net.eval()(images).data
    ig.export.to_onnx(net, tmp_path / "tuned.onnx")
    got = runtime(tmp_path / "tuned.onnx", images)["logits"]
    assert np.linalg.norm(got - expected) / np.linalg.norm(expected) < 1e-5
    assert np.abs(expected - lenet.eval()(images).data).max() > 1e-3


def test_it_learns_what_the_network_it_came_from_learns(lenet):
    images, labels = ig.default_rng(1).random((16, 1, 28, 28), dtype=np.float32), np.arange(16) % 10
    nets = [ig.export.from_onnx(ig.export.to_onnx(lenet)).train(), lenet]
    losses = []
    for net in nets:
        step = ig.training.TrainStep(net, ig.nn.cross_entropy, ig.optim.SGD(net, learning_rate=0.1), plan=False)
        losses.append([step(images, labels) for _ in range(3)])
    np.testing.assert_allclose(*losses, rtol=1e-6)


def test_it_can_be_looked_at(lenet):
    net = ig.export.from_onnx(ig.export.to_onnx(lenet))
    image = np.zeros((28, 28), np.uint8)
    image[5:20, 10:14] = 255
    assert ig.show(net, image).size == ig.show(lenet, image).size
    assert ig.show(vars(net)["layers.0"]).mode == "RGB"
    loss = ig.nn.cross_entropy(net(np.zeros((1, 1, 28, 28), np.float32)), np.array([3]))
    assert "layers.0" in str(ig.graph(loss).to_dot())
    assert "layers.9: Linear(weight (84, 120)" in repr(net)
    assert contact_sheet(image[None]) is not None


def test_a_classifier_around_it(lenet):
    classifier = ig.models.Classifier(ig.export.from_onnx(ig.export.to_onnx(lenet)))
    images = ig.default_rng(0).integers(256, size=(5, 28, 28), dtype=np.uint8)
    np.testing.assert_allclose(
        classifier.predict_proba(images), ig.models.Classifier(lenet).predict_proba(images), rtol=1e-5, atol=1e-7
    )
    model = ig.export.to_onnx(classifier, preprocessing=True)
    assert [one.name for one in model.graph.output] == ["logits", "probabilities"]


def test_weights_beside_the_file(lenet, tmp_path):
    model = ig.export.to_onnx(lenet)
    path = tmp_path / "net.onnx"
    onnx.save(ig.export.to_onnx(lenet), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    images = ig.default_rng(0).random((2, 1, 28, 28), dtype=np.float32)
    with ig.no_grad():
        np.testing.assert_array_equal(ig.export.from_onnx(path)(images).data, ig.export.from_onnx(model)(images).data)
    loaded = onnx.load(path, load_external_data=False)
    with pytest.raises(ModelFileError, match=r"weights in a file 'weights.bin'; load the model from its file"):
        ig.export.from_onnx(loaded)
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(ModelFileError, match=r"'weights.bin', which is missing; keep both files together"):
        ig.export.from_onnx(path)


def test_names_of_any_kind():
    nodes = [
        helper.make_node("Gemm", ["x", "forward.weight", "forward.bias"], ["a"], transB=1),
        helper.make_node("Relu", ["a"], ["b"], name="training"),
        helper.make_node("MatMul", ["b", "program"], ["c"], name="/a/b/c/"),
        helper.make_node("Relu", ["c"], ["y"], name="/a/b/d"),
    ]
    weights = {
        "forward.weight": np.ones((2, 3), np.float32),
        "forward.bias": np.ones(2, np.float32),
        "program": np.ones((2, 2), np.float32),
    }
    net = ig.export.from_onnx(graph_of(nodes, {"x": ["n", 3]}, weights=weights))
    assert [name for name, _ in net.named_parameters()] == ["Gemm_0.weight", "Gemm_0.bias", "program_2"]
    assert net([[1.0, 1.0, 1.0]]).data.tolist() == [[8.0, 8.0]]
    assert [name for name, _ in net.named_modules()] == ["", "Gemm_0", "training_2", "a.b", "a.b.d"]


def test_a_weight_that_two_nodes_share_stays_one(runtime):
    weight = np.eye(3, dtype=np.float32) * 2
    nodes = [helper.make_node("Gemm", ["x", "w"], ["a"]), helper.make_node("Gemm", ["a", "w"], ["y"], transB=1)]
    model = graph_of(nodes, {"x": ["n", 3]}, weights={"w": weight})
    net = ig.export.from_onnx(model)
    assert [name for name, _ in net.named_parameters()] == ["w"]
    x = ig.default_rng(0).random((4, 3), dtype=np.float32)
    np.testing.assert_allclose(net(x).data, 4 * x)
    net(x).sum().backward()
    assert net.w.grad is not None
    np.testing.assert_allclose(runtime(ig.export.to_onnx(net), x)["y"], 4 * x)


def test_half_floats_compute_as_floats():
    weight = np.arange(6, dtype=np.float16).reshape(2, 3)
    model = graph_of([helper.make_node("MatMul", ["x", "w"], ["y"])], {"x": ["n", 2]}, weights={"w": weight}, kind=10)
    net = ig.export.from_onnx(model)
    assert net([[1.0, 1.0]]).data.tolist() == [[3.0, 5.0, 7.0]]
    assert net.w.dtype == np.float32
    bits = onnx.TensorProto(name="w", data_type=16, dims=[2], raw_data=np.array([0x3F80, 0xC000], "<u2").tobytes())
    model = graph_of([helper.make_node("Add", ["x", "w"], ["y"])], {"x": ["n", 2]})
    model.graph.initializer.append(bits)
    assert ig.export.from_onnx(model)([[0.0, 0.0]]).data.tolist() == [[1.0, -2.0]]
    listed = onnx.TensorProto(name="w", data_type=10, dims=[2], int32_data=[0x3C00, 0xC000])
    model.graph.initializer[0].CopyFrom(listed)
    assert ig.export.from_onnx(model)([[0.0, 0.0]]).data.tolist() == [[1.0, -2.0]]


def test_several_inputs_and_outputs(runtime):
    nodes = [helper.make_node("Add", ["a", "b"], ["sum"]), helper.make_node("Mul", ["a", "b"], ["product"])]
    model = graph_of(nodes, {"a": ["n", 2], "b": ["n", 2]}, ("sum", "product"))
    net = ig.export.from_onnx(model)
    total, product = net([[1.0, 2.0]], [[3.0, 4.0]])
    assert (total.data.tolist(), product.data.tolist()) == ([[4.0, 6.0]], [[3.0, 8.0]])
    again = ig.export.to_onnx(net)
    results = runtime(again, *[np.full((3, 2), v, np.float32) for v in (2, 5)])
    assert {name: array[0, 0] for name, array in results.items()} == {"sum": 7, "product": 10}
    with pytest.raises(ShapeError, match="takes 2 inputs, a, b, but got 1"):
        net([[1.0, 2.0]])
    with pytest.raises(ShapeError, match=r"input b is \(n, 2\), but got \(1, 3\)"):
        net([[1.0, 2.0]], [[1.0, 2.0, 3.0]])


def test_a_fixed_number_of_inputs_stays_fixed(runtime):
    nodes = [helper.make_node("Reshape", ["x", "shape"], ["y"])]
    net = ig.export.from_onnx(graph_of(nodes, {"x": [2, 3, 2]}, weights={"shape": np.array([2, 6])}))
    again = ig.export.to_onnx(net)
    assert again.graph.input[0].type.tensor_type.shape.dim[0].dim_value == 2
    assert runtime(again, np.ones((2, 3, 2), np.float32))["y"].shape == (2, 6)


def test_dropouts_may_share_their_ratio():
    nodes = [helper.make_node("Dropout", ["x", "r"], ["a"]), helper.make_node("Dropout", ["a", "r"], ["y"])]
    net = ig.export.from_onnx(graph_of(nodes, {"x": ["n", 1000]}, weights={"r": np.float32(0.5)}))
    x = np.ones((1, 1000), np.float32)
    assert abs((net.train()(x).data == 0).mean() - 0.75) < 0.1
    np.testing.assert_array_equal(net.eval()(x).data, x)


def test_dropout_and_batch_normalization_work_in_training():
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"]),
        helper.make_node("BatchNormalization", ["a", "s", "b", "m", "v"], ["c"], momentum=0.75, epsilon=1e-3),
        helper.make_node("Dropout", ["c", "ratio"], ["y"]),
    ]
    ones = dict.fromkeys("sbmv", np.ones(2, np.float32))
    weights = {"w": np.ones((2, 1, 1, 1), np.float32), **ones, "ratio": np.float32(0.25)}
    net = ig.export.from_onnx(graph_of(nodes, {"x": ["n", 1, 4, 4]}, weights=weights))
    norm, dropout = [module for _, module in net.named_modules()][2:]
    assert (norm.momentum, norm.eps, dropout.p) == (0.25, pytest.approx(1e-3), 0.25)
    x = ig.default_rng(0).normal(size=(50, 1, 4, 4)).astype(np.float32)
    assert abs((net.train()(x).data == 0).mean() - 0.25) < 0.05
    assert abs(norm.running_mean.data[0] - 0.75) < 0.05
    assert (net.eval()(x).data == 0).mean() < 0.01


def test_an_operator_that_is_not_known_is_named():
    for node, said in [
        (helper.make_node("Det", ["x"], ["y"]), "the operator 'Det' is not known"),
        (helper.make_node("Relu", ["x"], ["y"], domain="com.example"), "the operator 'Relu' of 'com.example' is not"),
    ]:
        with pytest.raises(ModelFileError, match=said):
            ig.export.from_onnx(graph_of([node], {"x": ["n", 2]}))


@pytest.mark.parametrize("opset", [5, 1000])
def test_versions_that_are_not_known(opset):
    with pytest.raises(ModelFileError, match=f"version {opset} of ONNX's operators, but versions 6 to"):
        ig.export.from_onnx(graph_of([helper.make_node("Relu", ["x"], ["y"])], {"x": ["n", 2]}, opset=opset))


def test_what_is_no_model(tmp_path):
    with pytest.raises(ModelFileError, match="there is no ONNX file at"):
        ig.export.from_onnx(tmp_path / "none.onnx")
    with pytest.raises(ModelFileError, match="is no ordinary file"):
        ig.export.from_onnx(tmp_path)
    with pytest.raises(OptionError, match=r"the path of a file or an onnx\.ModelProto, but got int"):
        ig.export.from_onnx(3)
    assert isinstance(ig.export.from_onnx(graph_of([helper.make_node("Relu", ["x"], ["y"])], {"x": [2]})), OnnxNetwork)


# Gradients of the operators that are made of several operations, in float64.
DISTINCT = np.random.default_rng(0).permutation(np.arange(30.0)).reshape(1, 1, 5, 6)
GRADIENTS = {
    "conv-1d": ("Conv", {"strides": [2], "pads": [1, 2]}, [(2, 2, 7), (3, 2, 3), (3,)]),
    "conv-groups": ("Conv", {"group": 2, "dilations": [2, 1], "pads": [1, 0, 0, 1]}, [(2, 4, 6, 5), (4, 2, 2, 3)]),
    "conv-3d": ("Conv", {"strides": [2, 1, 1], "pads": [1] * 6}, [(1, 2, 4, 3, 3), (2, 2, 2, 2, 2), (2,)]),
    "conv-same": ("Conv", {"auto_pad": "SAME_UPPER", "strides": [2, 2]}, [(1, 1, 5, 4), (2, 1, 2, 3)]),
    "average-ceil": ("AveragePool", {"kernel_shape": [3, 2], "strides": [2, 2], "ceil_mode": 1}, [(1, 2, 6, 5)]),
    "average-3d": ("AveragePool", {"kernel_shape": [2, 2, 2], "pads": [1, 0, 1, 0, 1, 0]}, [(1, 1, 3, 3, 3)]),
    "gemm": ("Gemm", {"alpha": 0.5, "beta": 2.0, "transA": 1}, [(3, 2), (3, 4), (1, 4)]),
    "pad-reflect": ("Pad", {"mode": "reflect"}, [(2, 4), np.array([1, 2, 0, -1])]),
    "erf": ("Erf", {}, [(3, 4)]),
    "max-dilated": ("MaxPool", {"kernel_shape": [2, 2], "dilations": [2, 2]}, [DISTINCT]),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients_of_composed_operators(name):
    kind, values, given = GRADIENTS[name]
    rng = np.random.default_rng(1)
    arrays = [rng.normal(size=one) if isinstance(one, tuple) else np.asarray(one) for one in given]
    moved = [array for array in arrays if array.dtype.kind == "f"]
    rest = [array for array in arrays if array.dtype.kind != "f"]
    check_gradients(lambda *x: OPERATORS[kind](Attributes(values), *x, *rest), *moved)
