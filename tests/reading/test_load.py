"""The model files that the command line reads with."""

import numpy as np
import pytest

from inkgrad.errors import ModelFileError
from inkgrad.models.rows import build_rows, save_rows
from inkgrad.nn.state import read_arrays, write_arrays
from inkgrad.reading.load import load_reader
from inkgrad.reading.reader import Reader


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "run" / "model.safetensors"
    path.parent.mkdir()
    save_rows(path, build_rows(rng=np.random.default_rng(0), width=4), reading={}, training={})
    return path


def test_a_file_or_the_folder_of_a_run(model):
    for named in (model, model.parent):
        assert isinstance(load_reader(named), Reader)


def test_missing_files(tmp_path):
    with pytest.raises(ModelFileError, match=r"there is no reader's model file .*none; check the path"):
        load_reader(tmp_path / "none")
    with pytest.raises(ModelFileError, match=r"the folder .* holds no model\.safetensors, expected the folder"):
        load_reader(tmp_path)


def test_files_of_which_nothing_can_be_read_with(model, tmp_path):
    whole = model.read_bytes()
    header, arrays = read_arrays(model, "model")
    for change, words in (
        (
            {"architecture": "mlp"},
            "holds a network 'mlp', expected 'rows', which reads numbers; name the file of",
        ),
        ({"reading": {"calibration": {"slope": "steep"}}}, "model.safetensors: a reader has a damaged calibration"),
        ({"reading": None}, "is damaged: its header has None as 'reading'; get or train it again"),
    ):
        write_arrays(tmp_path / "model.safetensors", "model", header | change, arrays)
        with pytest.raises(ModelFileError) as caught:
            load_reader(tmp_path)
        assert f"{tmp_path}/model.safetensors" in str(caught.value)
        assert words in str(caught.value)
    model.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelFileError, match=r"model\.safetensors is damaged or no safetensors file"):
        load_reader(model)
