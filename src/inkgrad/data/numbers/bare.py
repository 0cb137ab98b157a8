"""The paper under what was written: pictures without their ink."""

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import Images

__all__ = ["without_ink"]


def without_ink(gray: Images, reach: int = 2) -> Images:
    """Paint over what is much darker than the paper around, with that paper.

    Patterns and printed lines of a cheque are fainter than its ink and mostly stay.

    Args:
        gray: uint8 (h, w), dark on light.
        reach: pixels around ink that are painted over, too.

    Returns:
        uint8 (h, w).

    >>> paper = np.full((40, 60), 200, np.uint8)
    >>> paper[10:30, 28:32] = 40
    >>> int(without_ink(paper).min()) > 190
    True
    """
    import cv2

    level = np.asarray(cv2.medianBlur(gray, min(max(3, (min(gray.shape) // 2) | 1), 31)), np.float32)
    darker = np.clip(level - gray, 0, 255).astype(np.uint8)
    threshold, _ = cv2.threshold(darker, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    ink: NDArray[np.uint8] = (darker > max(threshold * 0.8, 12)).astype(np.uint8)
    size = 2 * reach + 1
    ink = np.asarray(cv2.dilate(ink, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))), np.uint8)
    return np.asarray(cv2.inpaint(gray, ink, 3, cv2.INPAINT_TELEA), np.uint8)
