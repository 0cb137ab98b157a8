"""Strips are seen through windows, which changes nothing of what is seen."""

import cv2
import numpy as np
import pytest

from inkgrad.autodiff import no_grad
from inkgrad.data.numbers import LABELS
from inkgrad.models.rows import STEP, build_rows, label_log_probabilities
from inkgrad.random import default_rng
from inkgrad.reading.recognizer import Recognizer, position


@pytest.fixture(scope="module")
def recognizer():
    net = build_rows(rng=default_rng(0), width=4)
    rng = default_rng(1)
    for _ in range(3):  # running statistics that are not those of a fresh network
        net(rng.random((8, 1, 40, 96), dtype=np.float32))
    return Recognizer(net.eval())


@pytest.mark.parametrize("width", [1, 167, 168, 169, 312, 313, 700])
def test_a_strip_is_seen_as_if_at_once(recognizer, width):
    strip = (255 * (default_rng(width).random((40, width)) < 0.1)).astype(np.uint8)
    (log_p,) = recognizer([strip])
    sheet = np.zeros((40, -(-(width + 96) // STEP) * STEP), np.uint8)
    sheet[:, 8 : 8 + width] = strip
    leaning = [
        cv2.warpAffine(sheet, np.array([[1, -s, 19.5 * s], [0, 1, 0]]), sheet.shape[::-1]) for s in (0, 0.2, -0.2)
    ]
    with no_grad():
        logits = recognizer.net(np.stack(leaning)[:, None] / np.float32(255)).data
    mean = np.maximum(label_log_probabilities(logits), np.log(1e-4)).mean(axis=0)
    expected = mean - np.logaddexp.reduce(mean, axis=1, keepdims=True)
    assert log_p.shape == (-(-(width + 16) // STEP), LABELS)
    np.testing.assert_allclose(log_p, expected[: len(log_p)], atol=2e-4)


def test_strips_do_not_mind_one_another(recognizer):
    rng = default_rng(2)
    strips = [rng.integers(0, 256, (40, width), np.uint8) for width in (30, 400, 90, 168)]
    for strip, log_p in zip(strips, recognizer(strips), strict=True):
        np.testing.assert_allclose(log_p, recognizer([strip])[0], atol=2e-4)
    assert recognizer([]) == []


def test_positions():
    assert [position(step) for step in (0, 1, 2.5)] == [-6.0, -2.0, 4.0]
