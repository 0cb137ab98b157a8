"""`inkgrad export`."""

import numpy as np
import pytest

import inkgrad as ig

pytest.importorskip("onnx", reason="onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")


def ran(path, images):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_outputs()]
    return dict(zip(names, session.run(None, {session.get_inputs()[0].name: images}), strict=True))


def test_a_run_and_its_pixels(inkgrad, trained, tmp_path):
    images = ig.default_rng(0).integers(256, size=(3, 28, 28), dtype=np.uint8)
    classifier = ig.models.load(trained)
    bare = inkgrad("export", trained, tmp_path / "bare.onnx")
    assert bare.status == 0, bare.err
    assert bare.out.splitlines()[1:] == [
        "input  images: float32 (n, 1, 28, 28)",
        "output logits: float32 (n, 10)",
    ]
    np.testing.assert_allclose(
        ran(tmp_path / "bare.onnx", classifier.scaling.apply(images))["logits"],
        classifier.predict_logits(images),
        rtol=1e-4,
        atol=1e-5,
    )
    whole = inkgrad("export", trained, tmp_path / "whole.onnx", "--preprocessing", "--json")
    assert whole.status == 0, whole.err
    told = whole.json
    assert told["inputs"] == [{"name": "pixels", "dtype": "uint8", "shape": ["n", 28, 28]}]
    assert [one["name"] for one in told["outputs"]] == ["logits", "probabilities"]
    assert (told["opset"], told["preprocessing"], told["architecture"]) == (17, True, "mlp")
    assert told["bytes"] == (tmp_path / "whole.onnx").stat().st_size
    np.testing.assert_allclose(
        ran(tmp_path / "whole.onnx", images)["probabilities"], classifier.predict_proba(images), rtol=1e-4, atol=1e-6
    )


def test_the_reader_and_its_file(inkgrad, tmp_path):
    shipped = inkgrad("export", "reader", tmp_path / "reader.onnx", "--json")
    assert shipped.json["inputs"] == [{"name": "images", "dtype": "float32", "shape": ["n", 1, 40, "images_3"]}]
    net = ig.models.rows.build_rows(rng=ig.default_rng(0), width=2)
    ig.models.rows.save_rows(tmp_path / "model.safetensors", net, reading={}, training={})
    own = inkgrad("export", tmp_path, tmp_path / "own.onnx", "--preprocessing")
    assert own.status == 0, own.err
    assert (
        "output log_probabilities: float32 (n, steps, 20)" in own.out
        and "output logits: float32 (n, steps, 21)" in own.out
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (("digits", "digits.txt"), "digits.txt does not end in .onnx; name another"),
        (("nothing", "out.onnx"), "there is no model nothing; name a run's folder"),
        (("damaged", "out.onnx"), "damaged or no safetensors file"),
    ],
)
def test_mistakes(inkgrad, line, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "damaged").write_bytes(b"no model")
    ended = inkgrad("export", *line)
    assert (ended.status, said in ended.err) == (2, True), ended.err
    assert not list(tmp_path.glob("*.onnx"))


def test_an_output_that_cannot_be_written(inkgrad, tmp_path):
    (tmp_path / "file").write_text("")
    ended = inkgrad("export", "tiny", tmp_path / "file" / "out.onnx")
    assert (ended.status, "cannot write" in ended.err) == (1, True), ended.err


def test_without_the_extra(inkgrad, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    monkeypatch.setitem(__import__("sys").modules, "onnx.helper", None)
    ended = inkgrad("export", "tiny", tmp_path / "out.onnx")
    assert ended.status == 2
    assert 'install it with: pip install "inkgrad[onnx]"' in ended.err
