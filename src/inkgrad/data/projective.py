"""Projective maps of the plane, as 3x3 matrices: what a camera does to a flat sheet.

Coordinates count from the outer corner of the upper left pixel, whose middle is (0.5, 0.5).
"""

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import Images

__all__ = ["moved", "projective", "warped"]

Matrix = NDArray[np.float64]


def projective(source: NDArray[np.float64], target: NDArray[np.float64]) -> Matrix:
    """The matrix (3, 3) that takes four points (4, 2) to four others, in homogeneous coordinates.

    >>> square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    >>> projective(square, 2 * square + 1).round(9) + 0.0
    array([[2., 0., 1.],
           [0., 2., 1.],
           [0., 0., 1.]])
    """
    rows = []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    solved = np.linalg.solve(np.array(rows, np.float64), target.ravel())
    return np.append(solved, 1.0).reshape(3, 3)


def moved(points: NDArray[np.float64], matrix: Matrix) -> NDArray[np.float64]:
    """Where a matrix takes points (..., 2)."""
    ends = np.concatenate([points, np.ones((*points.shape[:-1], 1))], axis=-1) @ matrix.T
    return np.asarray(ends[..., :2] / ends[..., 2:], np.float64)


def warped(
    picture: Images, matrix: Matrix, size: tuple[int, int], *, smooth: bool = False, outside: int | None = None
) -> Images:
    """The picture of (width, height) whose pixels `matrix` takes to those of another one, uint8.

    Args:
        picture: uint8 (h, w).
        matrix: from the new picture to the old one.
        size: (width, height) of the new one.
        smooth: interpolate by cubics, for what becomes larger.
        outside: the level of what lies outside of the old one; None for that of its nearest pixel.
    """
    import cv2

    # OpenCV counts from the middles of pixels.
    half = np.array([[1.0, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    flags = (cv2.INTER_CUBIC if smooth else cv2.INTER_LINEAR) | cv2.WARP_INVERSE_MAP
    border = cv2.BORDER_REPLICATE if outside is None else cv2.BORDER_CONSTANT
    there = np.linalg.inv(half) @ matrix @ half
    new = cv2.warpPerspective(picture, there, size, flags=flags, borderMode=border, borderValue=float(outside or 0))
    return np.asarray(new, np.uint8)
