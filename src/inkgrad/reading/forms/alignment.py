"""Pages aligned to a template: what a photo at an angle would be as a scan of the same sheet.

Points that look alike are found in both pictures (ORB: Rublee et al. 2011), and the perspective that brings most of
them onto each other is estimated with the false ones left out (RANSAC: Fischler and Bolles 1981), both by OpenCV. A
second round with the page as aligned so far makes the fit finer. A page that does not fit is refused rather than read
in the wrong places.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import Images
from inkgrad.errors import ImageError

__all__ = ["Template"]

_SIDE = 1600  # pixels of the longer side at which points are looked for
_POINTS = 4000
_FEWEST = 25  # points that must agree
_UNLIKE = 0.8  # how much nearer the nearest point must be than the second nearest
_WITHIN = 4.0  # pixels at that size, by which points that agree may miss
_NARROWEST = 64  # pixels of the shorter side, below which no points are looked for
_SQUEEZED = 0.05  # of the template's area that its picture on the page must have


class Template:
    """An empty form, to which pages are aligned.

    Args:
        pixels: uint8 (h, w) or (h, w, 3).
        name: in messages.

    Raises:
        ImageError: there is too little on it to recognize it by.
    """

    def __init__(self, pixels: Images, name: str) -> None:
        self.name = name
        self.height, self.width = pixels.shape[:2]
        gray, self._scale = _small(pixels)
        self._points, self._looks = _features(gray)
        if len(self._points) < 4 * _FEWEST:
            raise ImageError(
                f"the template {name} has only {len(self._points)} points to recognize it by, at least {4 * _FEWEST} "
                f"are needed; give one with more print on it, or more pixels"
            )

    def align(self, pixels: Images) -> Images:
        """The page as the template lies: of its size, with every field in its place.

        Args:
            pixels: uint8 (h, w) or (h, w, 3), in any position and at an angle.

        Returns:
            uint8 (height, width) or (height, width, 3) of the template; white where the page is cut off.

        Raises:
            ImageError: fewer than 25 points agree.
        """
        pixels = self._no_finer(pixels)
        matrix = self._onto(pixels)
        finer = self._onto(self._warp(pixels, matrix))
        return self._warp(pixels, finer @ matrix)

    def _onto(self, pixels: Images) -> NDArray[np.float64]:
        """float64 (3, 3): from points of a page to points of the template, both in whole size."""
        gray, scale = _small(pixels)
        here = np.diag([1 / self._scale, 1 / self._scale, 1])
        return here @ self._perspective(gray) @ np.diag([scale, scale, 1])

    def _no_finer(self, pixels: Images) -> Images:
        """A page of many more pixels than the template made smaller, as pixels in between would be left out."""
        import cv2

        scale = 1.5 * max(self.height, self.width) / max(pixels.shape[:2])
        if scale >= 1:
            return pixels
        return np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)

    def _warp(self, pixels: Images, matrix: NDArray[np.float64]) -> Images:
        import cv2

        size, white = (self.width, self.height), (255, 255, 255)
        return np.asarray(cv2.warpPerspective(pixels, matrix, size, flags=cv2.INTER_CUBIC, borderValue=white), np.uint8)

    def _perspective(self, gray: Images) -> NDArray[np.float64]:
        """float64 (3, 3): from points of a small page to points of the small template."""
        import cv2

        points, looks = _features(gray)
        pairs: list[tuple[int, int]] = []
        if len(points) > 1:
            for two in cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(looks, self._looks, k=2):
                if len(two) == 2 and two[0].distance < _UNLIKE * two[1].distance:
                    pairs.append((two[0].queryIdx, two[0].trainIdx))
        agree = 0
        if len(pairs) >= _FEWEST:
            there = np.array([points[page] for page, _ in pairs])
            here = np.array([self._points[template] for _, template in pairs])
            matrix, inliers = cv2.findHomography(there, here, cv2.RANSAC, _WITHIN, maxIters=5000, confidence=0.999)
            agree = 0 if matrix is None else int(inliers.sum())
            if matrix is not None and agree >= _FEWEST and self._is_plausible(matrix):
                return np.asarray(matrix, np.float64)
            agree = min(agree, _FEWEST - 1)
        raise ImageError(
            f"the page cannot be aligned to the template {self.name}: {agree} points agree, at least {_FEWEST} must; "
            f"take a sharper photo of the whole form"
        )

    def _is_plausible(self, matrix: NDArray[Any]) -> bool:
        """Whether the template lies on the page as a sheet can: not folded over, not mirrored, not almost a line."""
        import cv2

        wide, tall = self.width * self._scale, self.height * self._scale
        corners = np.array([[[0, 0], [wide, 0], [wide, tall], [0, tall]]], np.float64)
        try:
            placed = cv2.perspectiveTransform(corners, np.linalg.inv(matrix))[0]
        except np.linalg.LinAlgError:
            return False
        sides = np.roll(placed, -1, axis=0) - placed
        following = np.roll(sides, -1, axis=0)
        turns = sides[:, 0] * following[:, 1] - sides[:, 1] * following[:, 0]
        area = cv2.contourArea(placed.astype(np.float32))
        return bool((turns > 0).all()) and area > _SQUEEZED * wide * tall


def _small(pixels: Images) -> tuple[Images, float]:
    """Gray, at most 1,600 pixels on the longer side, with the factor of the size."""
    import cv2

    gray = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8) if pixels.ndim == 3 else pixels
    scale = min(1.0, _SIDE / max(gray.shape))
    if scale < 1:
        gray = np.asarray(cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    return gray, scale


def _features(gray: Images) -> tuple[list[tuple[float, float]], NDArray[np.uint8]]:
    """Points (x, y) and how each looks: uint8 (n, 32)."""
    import cv2

    if min(gray.shape) < _NARROWEST:
        return [], np.zeros((0, 32), np.uint8)
    points: Any
    looks: Any  # None without points
    points, looks = cv2.ORB.create(_POINTS, fastThreshold=10).detectAndCompute(np.ascontiguousarray(gray), None)
    if looks is None:
        return [], np.zeros((0, 32), np.uint8)
    return [(float(point.pt[0]), float(point.pt[1])) for point in points], np.asarray(looks, np.uint8)
