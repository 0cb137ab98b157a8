"""Sheets on tables: their corners, under shadows too, and what is none."""

import cv2
import numpy as np
import pytest

from inkgrad.random import default_rng
from inkgrad.reading.sheet import find_sheet

CORNERS = np.array([[140.0, 60], [930, 100], [880, 610], [70, 660]])


def lying(corners=CORNERS, table=90, paper=225):
    picture = np.full((700, 1000), table, np.uint8)
    cv2.fillPoly(picture, [np.rint(corners).astype(np.int32)], paper)
    noise = default_rng(0).normal(0, 4, picture.shape)
    return np.clip(cv2.GaussianBlur(picture, (0, 0), 1.2) + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("at", [250, 500, 700])
@pytest.mark.parametrize("left", [0.45, 0.7, 1.0])
def test_a_shadow_may_fall_across(at, left):
    x, y = np.meshgrid(np.arange(1000), np.arange(700))
    light = 1 - (1 - left) * np.clip((x + 0.4 * y - at) / 20, 0, 1)
    found = find_sheet((lying() * light).astype(np.uint8))
    assert found is not None
    assert np.abs(found - CORNERS).max() < 10


def test_its_rim_is_left_out():
    found = find_sheet(lying())
    assert all(cv2.pointPolygonTest(CORNERS.astype(np.float32), corner.tolist(), False) > 0 for corner in found)


def test_a_sheet_may_go_on_beyond_the_picture():
    found = find_sheet(lying(np.array([[140.0, -50], [930, -50], [880, 610], [70, 660]])))
    assert np.abs(found[2:] - [[880, 610], [70, 660]]).max() < 10
    assert found[:2, 1].max() <= 1


def test_falling_light_shadows_and_dim_pages_are_no_sheet():
    x, y = np.meshgrid(np.linspace(-1, 1, 1000), np.linspace(-1, 1, 700))
    assert find_sheet((230 - 90 * (x**2 + y**2)).astype(np.uint8)) is None
    shaded = 230 * (1 - 0.4 * np.clip((x + y / 2) / 0.04, 0, 1))
    assert find_sheet(shaded.astype(np.uint8)) is None
    assert find_sheet(np.full((700, 1000), 200, np.uint8)) is None
