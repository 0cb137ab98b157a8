from collections.abc import Callable

import cv2
import numpy as np
import pytest

from inkgrad.data import Dataset, load_digits


@pytest.fixture(scope="session")
def digits() -> tuple[Dataset, Dataset]:
    return load_digits()


@pytest.fixture(scope="session")
def written(digits: tuple[Dataset, Dataset]) -> Callable[..., np.ndarray]:
    """Draws a real digit large on paper: uint8 (h, w), dark ink."""

    def draw(index: int = 0, side: int = 140, paper: int = 255, ink: int = 0) -> np.ndarray:
        large = cv2.resize(digits[0].images[index], (side, side), interpolation=cv2.INTER_CUBIC)
        return np.rint(paper + (ink - paper) * (large / 255)).astype(np.uint8)

    return draw
