"""States and the files that hold them."""

import json

import numpy as np
import pytest
from safetensors.numpy import save

import inkgrad as ig
from inkgrad import nn
from inkgrad.errors import ModelFileError
from inkgrad.nn.state import FORMAT_VERSION, load_state, read_arrays, state_of, write_arrays


def net(seed=0):
    rng = ig.default_rng(seed)
    return nn.Sequential(nn.Linear(4, 3, rng=rng), nn.BatchNorm1d(3))


ARRAYS = {"weight": np.arange(6, dtype=np.float32).reshape(2, 3), "count": np.array(7)}


def test_a_state_is_a_copy():
    module = net()
    state = state_of(module)
    state["layers.0.weight"][:] = 9
    assert not (module[0].weight.data == 9).any()
    assert list(state) == [name for name, _ in module.named_state()]


def test_load_state_copies_into_the_arrays_that_are_there():
    one, other = net(0), net(1)
    arrays = [member.data for _, member in other.named_state()]
    state = state_of(one)
    load_state(other, state)
    for (name, member), array in zip(other.named_state(), arrays, strict=True):
        assert member.data is array
        assert not np.shares_memory(array, state[name])
        np.testing.assert_array_equal(array, state[name])


def test_all_differences_are_told_at_once_and_nothing_is_loaded():
    module = net()
    before = state_of(module)
    wrong = {name: array + 1 for name, array in before.items()}
    del wrong["layers.1.running_mean"]
    wrong["layers.0.bias"] = np.zeros(5, np.float32)
    wrong["layers.0.weight"] = np.zeros((4, 3), np.float64)
    wrong["layers.7.weight"] = np.zeros(1, np.float32)
    with pytest.raises(ModelFileError) as caught:
        load_state(module, wrong, source="runs/a.safetensors")
    text = str(caught.value)
    assert text.startswith("runs/a.safetensors does not fit Sequential: ")
    for part in (
        "layers.1.running_mean is missing",
        "layers.7.weight is not part of the network",
        "layers.0.bias has shape (5,) instead of (3,)",
        "layers.0.weight has shape (4, 3) instead of (3, 4)",
        "layers.0.weight has dtype float64 instead of float32",
    ):
        assert part in text
    for name, array in state_of(module).items():
        np.testing.assert_array_equal(array, before[name])


def test_a_file_gives_back_what_was_written(tmp_path):
    path = tmp_path / "new" / "a.safetensors"
    header = {"architecture": "mlp", "arguments": {"hidden": [128]}, "note": "für später", "nothing": None}
    write_arrays(path, "model", header, ARRAYS)
    got, arrays = read_arrays(str(path), "model")
    assert got == {"format": FORMAT_VERSION, "kind": "model", **header}
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        assert arrays[name].shape == array.shape
        np.testing.assert_array_equal(arrays[name], array)


def test_any_layout_is_written_right(tmp_path):
    x = np.arange(12.0).reshape(3, 4)
    arrays = {"transposed": x.T, "reversed": x[::-1], "strided": x[:, ::2], "empty": x[:0], "none": np.array(2.5)}
    write_arrays(tmp_path / "a", "checkpoint", {}, arrays)
    _, got = read_arrays(tmp_path / "a", "checkpoint")
    for name, array in arrays.items():
        np.testing.assert_array_equal(got[name], array)
        assert got[name].shape == array.shape


def test_a_missing_file_and_a_folder(tmp_path):
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(ModelFileError, match="there is no model file at "):
            read_arrays(path, "model")


def test_any_truncation_is_told(tmp_path):
    write_arrays(tmp_path / "a", "model", {}, ARRAYS)
    whole = (tmp_path / "a").read_bytes()
    for length in [*range(0, len(whole), 7), len(whole) - 1]:
        (tmp_path / "b").write_bytes(whole[:length])
        with pytest.raises(ModelFileError, match="is damaged or no safetensors file"):
            read_arrays(tmp_path / "b", "model")


def test_any_damage_to_the_header_is_told(tmp_path):
    write_arrays(tmp_path / "a", "model", {}, ARRAYS)
    whole = (tmp_path / "a").read_bytes()
    end = 8 + int.from_bytes(whole[:8], "little")
    for position in range(end):
        damaged = bytearray(whole)
        damaged[position] ^= 0x15
        (tmp_path / "b").write_bytes(damaged)
        try:
            header, arrays = read_arrays(tmp_path / "b", "model")
        except ModelFileError:
            continue
        assert header["kind"] == "model"  # a letter of a name, say
        assert len(arrays) == 2


@pytest.mark.parametrize("content", [b"", b"seven", b"\x80\x04N.", b"PK\x03\x04" + bytes(60), bytes(200)])
def test_foreign_files(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(ModelFileError, match="is damaged or no safetensors file"):
        read_arrays(tmp_path / "a", "model")


def test_a_safetensors_file_of_someone_else(tmp_path):
    for metadata in (None, {"format": "pt"}):
        (tmp_path / "a").write_bytes(save(ARRAYS, metadata=metadata))
        with pytest.raises(ModelFileError, match="not one that inkgrad wrote"):
            read_arrays(tmp_path / "a", "model")


@pytest.mark.parametrize(
    "header", ["", "{", "[]", "7", "null", "{}", '{"format": 1}', '{"kind": "model"}', '{"format": "x", "kind": "m"}']
)
def test_a_damaged_header(tmp_path, header):
    (tmp_path / "a").write_bytes(save(ARRAYS, metadata={"inkgrad": header}))
    with pytest.raises(ModelFileError, match="has a damaged header"):
        read_arrays(tmp_path / "a", "model")


def test_a_newer_format(tmp_path):
    header = json.dumps({"format": FORMAT_VERSION + 1, "kind": "model"})
    (tmp_path / "a").write_bytes(save(ARRAYS, metadata={"inkgrad": header}))
    with pytest.raises(ModelFileError, match=r"newer than this inkgrad understands .*update inkgrad"):
        read_arrays(tmp_path / "a", "model")


def test_another_kind(tmp_path):
    write_arrays(tmp_path / "a", "checkpoint", {}, ARRAYS)
    with pytest.raises(ModelFileError, match="is a checkpoint file, but a model file is needed"):
        read_arrays(tmp_path / "a", "model")


def test_a_dtype_that_numpy_lacks(tmp_path):
    header = json.dumps({"w": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}).encode()
    (tmp_path / "a").write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    with pytest.raises(ModelFileError):
        read_arrays(tmp_path / "a", "model")


def test_the_old_file_stays_when_writing_fails(tmp_path):
    write_arrays(tmp_path / "a", "model", {"note": 1}, ARRAYS)
    with pytest.raises(TypeError):
        write_arrays(tmp_path / "a", "model", {"note": object()}, ARRAYS)
    assert read_arrays(tmp_path / "a", "model")[0]["note"] == 1
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
