"""Files from strangers: damaged, huge, or made to do harm."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import inkgrad as ig
from inkgrad.errors import InkgradError, InputError, ModelFileError, ShapeError
from inkgrad.export import guard

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
helper = onnx.helper


def model_of(nodes, weights=(), outputs=("y",)):
    made = helper.make_graph(
        nodes,
        "hostile",
        [helper.make_tensor_value_info("x", 1, ["n", 4])],
        [helper.make_tensor_value_info(name, 1, None) for name in outputs],
        list(weights),
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)])


def tensor(name="w", dims=(2,), kind=1, **fields):
    return onnx.TensorProto(name=name, dims=dims, data_type=kind, **fields)


ADD = [helper.make_node("Add", ["x", "w"], ["y"])]
RELU = [helper.make_node("Relu", ["x"], ["y"])]
SEGMENT = onnx.TensorProto.Segment(begin=0, end=1)


@pytest.mark.parametrize(
    ("weight", "said"),
    [
        (tensor(dims=[1 << 40], raw_data=b"1234"), "more than 268,435,456 bytes"),
        (tensor(dims=[1 << 62, 1 << 62]), "more than 268,435,456 bytes"),
        (tensor(dims=[-1]), "which no array has"),
        (tensor(dims=[1] * 40, raw_data=b"1234"), "which no array has"),
        (tensor(dims=[3], raw_data=b"1234"), "4 bytes for 3 numbers of float32"),
        (tensor(dims=[1 << 24]), "0 values for 16,777,216 numbers"),
        (tensor(kind=8, string_data=[b"a", b"b"]), "a type 8 that is not read here"),
        (tensor(kind=999), "a type 999 that is not read here"),
        (tensor(segment=SEGMENT, raw_data=b"12345678"), "segments"),
    ],
)
def test_tensors_that_lie_about_their_size(weight, said):
    with pytest.raises(ModelFileError, match=said):
        ig.export.from_onnx(model_of(ADD, [weight]))


def beside(location, **entries):
    weight = tensor(data_location=onnx.TensorProto.EXTERNAL)
    for key, value in {"location": location, **entries}.items():
        weight.external_data.add(key=key, value=value)
    return weight


@pytest.mark.parametrize(
    ("weight", "said"),
    [
        (beside("../secret.bin"), "no path within its folder"),
        (beside("/etc/passwd"), "no path within its folder"),
        (beside("a/../../secret.bin"), "no path within its folder"),
        (beside("..\\secret.bin"), "no path within its folder"),
        (beside(""), "no path within its folder"),
        (beside("a\0b"), "no path within its folder"),
        (beside("link.bin"), "leads out of its folder"),
        (beside("linked/secret.bin"), "leads out of its folder"),
        (beside("."), "which is missing"),
        (beside("here.bin", offset="-8"), "bytes -8 to 8"),
        (beside("here.bin", offset="9"), "bytes 9 to 8"),
        (beside("here.bin", length="999999999999"), "bytes 0 to 999999999999"),
        (beside("here.bin", offset="one"), "a place in the file 'here.bin' that is no number"),
        (beside("here.bin", length="4"), "4 bytes for 2 numbers"),
        (beside("a" * 1000), "cannot be found: File name too long"),
        (beside("round.bin"), "round.bin'"),  # which Python says is missing from 3.13 on
    ],
)
def test_weights_outside_the_folder_are_not_read(weight, said, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(bytes(8))
    (folder / "here.bin").write_bytes(bytes(8))
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    (folder / "linked").symlink_to(tmp_path)
    (folder / "round.bin").symlink_to("around.bin")
    (folder / "around.bin").symlink_to("round.bin")
    path = folder / "net.onnx"
    path.write_bytes(model_of(ADD, [weight]).SerializeToString())
    with pytest.raises(ModelFileError, match=said):
        ig.export.from_onnx(path)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (model_of([helper.make_node("Relu", ["no"], ["y"])]), "needs 'no' before it is there"),
        (model_of([*RELU, *RELU]), "a second time"),
        (model_of([helper.make_node("Relu", ["y"], ["y"])]), "needs 'y' before it is there"),
        (model_of([helper.make_node("Relu", ["x"], [])]), "a second time, or nothing"),
        (model_of(RELU, outputs=["z"]), "nothing computes its output 'z'"),
        (model_of(RELU, outputs=[]), "it has no output"),
        (model_of(ADD, [tensor(raw_data=bytes(8)), tensor(raw_data=bytes(8))]), "two of its weights have one name"),
        (model_of([helper.make_node("Constant", [], ["y"])]), "has not one value"),
        (model_of([helper.make_node("Constant", [], ["y"], value_string="a")]), "which is not known"),
        (model_of([helper.make_node("If", ["x"], ["y"], then_branch=model_of(RELU).graph)]), "'If' is not known"),
        (model_of([helper.make_node("Relu", ["x"], ["y"], g=model_of(RELU).graph)]), "has graphs or types in it"),
        (model_of([helper.make_node("\x1b[31mRed", ["x"], ["y"])]), r"'\\x1b\[31mRed' is not known"),
        (model_of([helper.make_node("A" * 5000, ["x"], ["y"])]), "the operator 'AAAA"),
        (model_of(RELU * 10_001), "10,001 nodes, more than 10,000"),
    ],
)
def test_graphs_that_are_none(model, said):
    with pytest.raises(ModelFileError, match=said) as caught:
        ig.export.from_onnx(model)
    assert len(str(caught.value)) < 400
    assert str(caught.value).isprintable()


def test_functions_sparse_weights_and_other_types():
    model = model_of(RELU)
    model.functions.add(name="f", domain="d")
    with pytest.raises(ModelFileError, match="has functions of its own, such as 'f'"):
        ig.export.from_onnx(model)
    model = model_of(RELU)
    model.graph.sparse_initializer.add()
    with pytest.raises(ModelFileError, match="sparse weights"):
        ig.export.from_onnx(model)
    model = model_of(RELU)
    model.graph.input[0].type.sequence_type.elem_type.tensor_type.elem_type = 1
    with pytest.raises(ModelFileError, match="'x' is of a type that is not known"):
        ig.export.from_onnx(model)
    model = model_of(RELU)
    del model.opset_import[:]
    with pytest.raises(ModelFileError, match="does not say which version"):
        ig.export.from_onnx(model)


def integers(name, values):
    return onnx.numpy_helper.from_array(np.asarray(values, np.int64), name)


DOUBLED = [helper.make_node("Concat", [f"a{i}" if i else "x"] * 2, [f"a{i + 1}"], axis=1) for i in range(40)]
IMAGE = helper.make_node("Reshape", ["x", "s"], ["i"])
SQUARE = integers("s", [1, 1, 2, 2])
POOL = {"kernel_shape": [1 << 19] * 2, "pads": [1 << 18] * 4}
BOMBS = {
    "ConstantOfShape": ([helper.make_node("ConstantOfShape", ["s"], ["y"])], [integers("s", [1 << 20, 1 << 20])]),
    "Expand": ([helper.make_node("Expand", ["x", "s"], ["y"])], [integers("s", [1 << 20, 1 << 20, 1, 1])]),
    "Pad": ([helper.make_node("Pad", ["x", "s"], ["y"])], [integers("s", [0, 1 << 40, 0, 1 << 40])]),
    "Concat": ([*DOUBLED, helper.make_node("Relu", ["a40"], ["y"])], []),
    "Add": (
        [
            helper.make_node("Reshape", ["x", "column"], ["c"]),
            helper.make_node("Concat", ["c"] * 5000, ["long"], axis=0),
            helper.make_node("Reshape", ["long", "row"], ["r"]),
            helper.make_node("Add", ["long", "r"], ["y"]),
        ],
        [integers("column", [-1, 1]), integers("row", [1, -1])],
    ),
    "Gather": (
        [helper.make_node("Gather", ["x", "s"], ["g"], axis=1), helper.make_node("Gather", ["g", "s"], ["y"], axis=0)],
        [integers("s", np.zeros(10_000))],
    ),
    "Conv": (
        [IMAGE, helper.make_node("Conv", ["i", "w"], ["y"], pads=[1 << 19] * 4, dilations=[1, 2])],
        [SQUARE, tensor(dims=[1, 1, 1, 1], raw_data=bytes(4))],
    ),
    "MaxPool": ([IMAGE, helper.make_node("MaxPool", ["i"], ["y"], **POOL)], [SQUARE]),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_before_they_go_off(name):
    net = ig.export.from_onnx(model_of(*BOMBS[name]))
    with ig.no_grad(), pytest.raises(ShapeError, match=f"{name}.*cannot run: it would compute more than 67,108,864"):
        net(np.zeros((1, 4), np.float32))


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def message(tag, content):
    return tag + varint(len(content)) + content


def nested(depth):
    """A graph in an attribute of a node of a graph, and so on."""
    content = b""
    for _ in range(depth):
        content = message(b"\x0a", message(b"\x2a", message(b"\x32", content)))
    return message(b"\x3a", content)


WIRE = {
    "nested": (nested(200), "parts within parts"),
    "empty nodes": (message(b"\x3a", b"\x0a\x00" * (1 << 23)), "more than 100,000 parts"),
    "packed numbers": (message(b"\x3a", message(b"\x2a", message(b"\x3a", b"\x01" * (17 << 20)))), "packed numbers"),
    "groups": (b"\x3b" * 1000, "damaged"),
    "endless number": (b"\xff" * 1000, "damaged"),
    "beyond the end": (b"\x3a" + varint(1 << 60), "damaged"),
    "empty": (b"", "it has no graph"),
    "text": (b"once upon a time there was a network", "damaged"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WIRE)
def test_bytes_that_would_unpack_to_much(name, tmp_path):
    content, said = WIRE[name]
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=said):
        ig.export.from_onnx(path)


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "net.onnx"
    with path.open("wb") as file:
        file.truncate(guard.MOST_BYTES + 1)
    with pytest.raises(ModelFileError, match="268,435,457 bytes, more than the 268,435,456"):
        ig.export.from_onnx(path)


def test_a_path_that_no_file_can_have():
    with pytest.raises(ModelFileError, match="cannot be read: File name too long"):
        ig.export.from_onnx("a" * 1000)


@pytest.fixture(scope="module")
def original():
    """A small model with many kinds of nodes."""
    net = ig.nn.Sequential(
        *(ig.nn.Conv2d(1, 2, 3, rng=ig.default_rng(0)), ig.nn.BatchNorm2d(2), ig.nn.GELU(), ig.nn.MaxPool2d(2)),
        *(ig.nn.ScaledAveragePool2d(2, 2), ig.nn.GlobalAveragePool2d(), ig.nn.Linear(2, 3, rng=ig.default_rng(1))),
    )
    return ig.export.to_onnx(net, input_shape=(1, 10, 10)).SerializeToString()


@st.composite
def damage(draw):
    """Changes to bytes: (place as a share, how many go, what comes) each, and the share that is kept at last."""
    one = st.tuples(st.floats(0, 1), st.integers(0, 8), st.binary(max_size=8))
    return draw(st.lists(one, min_size=1, max_size=6)), draw(st.floats(0.3, 2))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(change=damage())
def test_damaged_bytes_end_in_an_error_or_a_network(change, original, tmp_path):
    ends_well(change, original, tmp_path)


@pytest.mark.slow
@settings(max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(change=damage())
def test_damaged_bytes_many_times(change, original, tmp_path):
    ends_well(change, original, tmp_path)


def ends_well(change, original, folder):
    content, (edits, kept) = bytearray(original), change
    for share, gone, came in edits:
        at = int(share * len(content))
        content[at : at + gone] = came
    path = folder / "net.onnx"
    path.write_bytes(content[: int(kept * len(content))])
    try:
        net = ig.export.from_onnx(path)
    except ModelFileError as error:
        assert str(error).isprintable()
        return
    shapes = [tuple(1 if n is None else min(n, 12) for n in shape) for _, shape in net.inputs]
    try:
        with ig.no_grad(), np.errstate(all="ignore"):
            net(*[np.zeros(shape, np.float32) for shape in shapes])
    except InkgradError as error:
        assert isinstance(error, InputError)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux tells it")
def test_refusing_takes_little_memory(tmp_path):
    files = []
    for name in ("nested", "empty nodes", "packed numbers"):
        files.append(tmp_path / f"{name}.onnx")
        files[-1].write_bytes(WIRE[name][0])
    program = (
        "import resource, sys\nimport inkgrad as ig, onnx\nfrom inkgrad.errors import ModelFileError\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "for path in sys.argv[1:]:\n"
        "    try:\n        ig.export.from_onnx(path)\n        raise SystemExit(path)\n"
        "    except ModelFileError:\n        pass\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run([sys.executable, "-c", program, *files], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 100_000  # kilobytes
