"""Confidence that is right as often as it says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkgrad.errors import ModelFileError, OptionError
from inkgrad.models.rows import build_rows, load_rows, save_rows
from inkgrad.nn import state_of
from inkgrad.random import default_rng
from inkgrad.reading import Digit, Number, Reader
from inkgrad.reading.calibration import (
    SHARES,
    Calibration,
    fitted_calibration,
    fitted_threshold,
    rated,
    save_calibrated,
)


def test_a_fit_finds_what_was_put_in():
    rng = default_rng(0)
    logit = rng.normal(3, 2, 40_000)
    right = rng.random(len(logit)) < 1 / (1 + np.exp(-(0.6 * logit - 0.4)))
    found = fitted_calibration(1 / (1 + np.exp(-logit)), right)
    assert found.slope == pytest.approx(0.6, abs=0.03)
    assert found.offset == pytest.approx(-0.4, abs=0.06)


def test_certainty_stays_finite():
    for p in (0.0, 1.0):
        assert 0 <= Calibration(2.0, 1.0)(p) <= 1


def test_thresholds():
    known = Calibration(1, 0, ((0.01, 0.97), (0.05, 0.8)))
    assert known.threshold(0.01) == 0.97
    assert known.threshold(0.02) == 0.97
    assert known.threshold(0.5) == 0.8
    with pytest.raises(OptionError, match=r"only 0\.001 of the numbers are wrong: it was measured at 0\.01, 0\.05"):
        known.threshold(0.001)


def test_what_a_file_holds():
    assert Calibration.from_json(None) == Calibration()
    saved = {"slope": 0.5, "offset": 1, "thresholds": [[0.01, 0.9]]}
    assert Calibration.from_json(saved) == Calibration(0.5, 1.0, ((0.01, 0.9),))
    for damage in ({"slope": "steep"}, {"slope": float("nan")}, {"slope": -1}, {"thresholds": [[0.01, 1.1]]}):
        with pytest.raises(ModelFileError, match="damaged calibration"):
            Calibration.from_json(saved | damage)


def test_thresholds_are_found_as_far_as_they_can_be_kept():
    rng = default_rng(1)
    p = rng.random(2000)
    right = rng.random(2000) < p
    found = fitted_calibration(p, right, (0.0001, 0.05, 0.2))
    assert [share for share, _ in found.thresholds][-2:] == [0.05, 0.2]
    confidence = np.array([found(one) for one in p])
    for share, least in found.thresholds:
        read = confidence >= least
        assert (~right)[read].mean() <= share
        lower = confidence >= confidence[confidence < least].max()
        assert (~right)[lower].mean() > share or share == 0.2
    assert fitted_threshold(np.array([0.9, 0.9]), np.array([True, False]), 0.1) is None


@given(st.floats(0.2, 3), st.floats(-3, 3), st.lists(st.floats(0.01, 1), min_size=1, max_size=6))
def test_a_number_is_never_surer_than_its_digits(slope, offset, sure):
    box = ((0.0, 0.0),) * 4
    digits = tuple(Digit(7, p, ((1, 0.7 * (1 - p)), (9, 0.2 * (1 - p))), box) for p in sure)
    made = rated(Number("7" * len(sure), "7" * len(sure), min(sure), box, digits), Calibration(slope, offset))
    assert made.confidence == pytest.approx(min(digit.confidence for digit in made.digits))
    for digit in made.digits:
        assert digit.confidence + sum(p for _, p in digit.alternatives) <= 1 + 1e-9
        assert all(0 <= p <= digit.confidence for _, p in digit.alternatives)
    nothing = Number("7", "7", 0.0, box, digits[:1])
    assert rated(nothing, Calibration(slope, offset)).confidence == 0


def test_a_calibration_is_written_into_a_reader(tmp_path):
    path = tmp_path / "reader.safetensors"
    net = build_rows(rng=default_rng(0), width=4).eval()
    save_rows(path, net, reading={"note": "kept"}, training={"steps": 3})
    with pytest.raises(OptionError, match="it was never measured; give a confidence"):
        Reader.load(path).confidence_at_error(0.01)
    p = np.repeat([0.2, 0.6, 0.9, 0.97], 500)
    fitted = fitted_calibration(p, np.arange(2000) % 500 >= np.repeat([400, 150, 20, 1], 500), SHARES)
    assert save_calibrated(path, fitted) == path
    reader = Reader.load(path)
    assert reader.calibration == fitted
    assert reader.confidence_at_error(0.01) == dict(fitted.thresholds)[0.01] == fitted(0.97)
    again, header = load_rows(path)
    assert header["reading"]["note"] == "kept" and header["training"] == {"steps": 3}
    for name, array in state_of(net).items():
        np.testing.assert_array_equal(state_of(again)[name], array)
    other = save_calibrated(path, Calibration(2.0), out=tmp_path / "other.safetensors")
    assert Reader.load(other).calibration.slope == 2 and Reader.load(path).calibration == fitted


def test_a_damaged_calibration_is_told_with_its_file(tmp_path):
    path = tmp_path / "reader.safetensors"
    net = build_rows(rng=default_rng(0), width=4).eval()
    save_rows(path, net, reading={"calibration": {"slope": 1}}, training={})
    with pytest.raises(ModelFileError, match=r"reader\.safetensors: a reader has a damaged calibration: KeyError"):
        Reader.load(path)
    save_rows(path, net, reading={"calibration": "good"}, training={})
    with pytest.raises(ModelFileError, match="damaged calibration: TypeError"):
        Reader.load(path)
