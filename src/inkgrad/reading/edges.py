"""Straight edges between a light area and what is darker around it, and the four-cornered areas that they bound."""

import itertools
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import Images

__all__ = ["DIM", "Corners", "contrast_along", "light_edges", "narrowed", "outline", "quads_of"]

DIM = 8
"""Gray levels by which dark parts are lightened, that noise in them is no contrast."""

_STEEP = 0.05  # of its light by which it changes at an edge, per pixel
_ASLANT = 50  # degrees that a side may be turned from level or upright
_VOTES = 0.2  # of the picture's shorter side that an edge must be long
_LINES = 4  # edges looked at for each side, the longest ones, and the border of the picture
_NEAR = (2.5, 1.5)  # pixels from a line within which points tell where it lies exactly, in two steps
_APART = (5.0, 5.0)  # pixels and degrees between two edges
_SHARES = (0.12, 0.97)  # of the picture that a sheet may cover
_FULL = 0.9  # of its four-cornered outline that a sheet fills
_SQUARE = 0.5  # most that the cosine of a sheet's corner may be
_BEYOND = 0.15  # of the picture by which a sheet's corners may lie outside
_POINTS = 20  # of each side that are looked at
_OFF = 3.0  # pixels on both sides of an edge that are compared

Corners: TypeAlias = NDArray[np.float64]
Floats: TypeAlias = NDArray[np.float32]
Mask: TypeAlias = NDArray[np.bool_]


def light_edges(small: Images) -> list[NDArray[np.float64]]:
    """Lines along which it becomes lighter to one side.

    Args:
        small: uint8 (h, w).

    Returns:
        For each side of a light area, top, right, bottom and left, lines (n, 3) as (a, b, c): a x + b y + c = 0, of
        which the last is the picture's border.
    """
    import cv2

    h, w = small.shape
    across: Floats = np.asarray(cv2.Sobel(small, cv2.CV_32F, 1, 0, ksize=3, scale=0.125), np.float32)
    down: Floats = np.asarray(cv2.Sobel(small, cv2.CV_32F, 0, 1, ksize=3, scale=0.125), np.float32)
    # An edge lies where the light changes most, but in the dark a small change is as much.
    least = _STEEP * (np.asarray(cv2.blur(small, (3, 3)), np.float32) + np.float32(DIM))
    borders = ((0, 1, 0), (1, 0, -w), (0, 1, -h), (1, 0, 0))
    lines = []
    for inward, along, angle, border in zip(
        (down, -across, -down, across), (across, down, across, down), (90, 0, 90, 0), borders, strict=True
    ):
        edge = (inward > least) & (np.abs(along) < np.tan(np.radians(_ASLANT)) * inward)
        thin = edge & _ridge(inward, upright=angle == 90)
        lines.append(np.array([*_lines(thin, angle), border], np.float64))
    return lines


def _ridge(height: Floats, *, upright: bool) -> Mask:
    """Where it is at least as high as on both sides, above and below or to the left and right."""
    axis = 0 if upright else 1
    return np.asarray((height >= np.roll(height, 1, axis)) & (height > np.roll(height, -1, axis)))


def _lines(edge: Mask, angle: int) -> list[tuple[float, float, float]]:
    """The longest straight lines in a mask, whose normals are within 50 degrees of an angle."""
    import cv2

    votes = max(20, round(_VOTES * min(edge.shape)))
    low, high = np.radians(angle - _ASLANT), np.radians(angle + _ASLANT)
    # OpenCV knows angles of 0 to 180 degrees only: what is upright is looked for level, in the picture laid over.
    seen = edge if angle == 90 else edge.T
    if angle != 90:
        low, high = np.radians(90 - _ASLANT), np.radians(90 + _ASLANT)
    mask = np.ascontiguousarray(seen).astype(np.uint8)
    found = cv2.HoughLines(mask, 1, np.pi / 180, votes, min_theta=float(low), max_theta=float(high))
    kept: list[tuple[float, float]] = []
    middle = np.array(seen.shape[::-1]) / 2
    for rho, theta in [] if found is None else np.asarray(found).reshape(-1, 2)[:200].tolist():
        at = rho - middle @ [np.cos(theta), np.sin(theta)]
        if all(
            abs(at - other + middle @ [np.cos(known), np.sin(known)]) > _APART[0]
            or abs(theta - known) > np.radians(_APART[1])
            for other, known in kept
        ):
            kept.append((rho, theta))
        if len(kept) == _LINES:
            break
    y, x = (place.astype(np.float64) + 0.5 for place in np.nonzero(seen))
    lines = [_fitted(x, y, rho, theta) for rho, theta in kept]
    return lines if angle == 90 else [(b, a, c) for a, b, c in lines]


def _fitted(x: NDArray[np.float64], y: NDArray[np.float64], rho: float, theta: float) -> tuple[float, float, float]:
    """The line (a, b, c) through the points near a level one, given in pixels by its distance and angle."""
    a, b = float(np.cos(theta)), float(np.sin(theta))
    slope, start = -a / b, (rho + 0.5 * (a + b)) / b
    for near in _NEAR:
        chosen = np.abs(slope * x + start - y) * b <= near
        if np.count_nonzero(chosen) >= 2 and np.ptp(x[chosen]) > 0:
            slope, start = (float(value) for value in np.polyfit(x[chosen], y[chosen], 1))
    return slope, -1.0, start


def quads_of(lines: list[NDArray[np.float64]], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """The four-cornered areas that a top, a right, a bottom and a left line bound, (n, 4, 2), clockwise."""
    chosen = np.array(list(itertools.product(*[range(len(of_side)) for of_side in lines])))
    sides = [of_side[chosen[:, place]] for place, of_side in enumerate(lines)]
    corners = np.stack([np.cross(sides[place - 1], sides[place]) for place in range(4)], axis=1)
    flat = np.abs(corners[..., 2]) < 1e-6
    corners = corners[..., :2] / np.where(flat, 1.0, corners[..., 2])[..., None]
    size = np.array(shape[::-1])
    near = (corners >= -_BEYOND * size) & (corners <= (1 + _BEYOND) * size)
    corners = corners[near.all(axis=(1, 2)) & ~flat.any(axis=1)]
    return np.asarray(corners[_shaped(corners, size)])


def _shaped(corners: NDArray[np.float64], size: NDArray[np.int64]) -> Mask:
    """Which of some (n, 4, 2) go around clockwise, have corners that are not too sharp, and are large enough."""
    ahead = np.roll(corners, -1, axis=1) - corners
    length = np.linalg.norm(ahead, axis=2)
    after = np.roll(ahead, -1, axis=1)
    turns = ahead[..., 0] * after[..., 1] - ahead[..., 1] * after[..., 0]
    scale = np.maximum(length * np.roll(length, -1, axis=1), 1e-6)
    slanted = np.abs((ahead * after).sum(axis=2)) / scale
    x, y = corners[..., 0], corners[..., 1]
    area = np.abs((x * np.roll(y, -1, axis=1) - y * np.roll(x, -1, axis=1)).sum(axis=1)) / 2
    return np.asarray((turns > 0).all(axis=1) & (slanted <= _SQUARE).all(axis=1) & (area >= _SHARES[0] * size.prod()))


def outline(light: Mask) -> Corners | None:
    """Four corners around the largest light area, clockwise, if it fills them."""
    import cv2

    contours, _ = cv2.findContours(light.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    contour = max(contours, key=cv2.contourArea)
    area = cv2.contourArea(contour)
    if not _SHARES[0] <= area / light.size <= _SHARES[1]:
        return None
    hull = cv2.convexHull(contour)
    for tolerance in (0.01, 0.02, 0.03, 0.05, 0.07):
        corners = cv2.approxPolyDP(hull, tolerance * cv2.arcLength(hull, True), True)
        if len(corners) <= 4:
            break
    if len(corners) != 4 or area < _FULL * cv2.contourArea(corners):
        return None
    found = np.asarray(corners, np.float64).reshape(4, 2) + 0.5
    middle = found - found.mean(axis=0)
    found = found[np.argsort(np.arctan2(middle[:, 1], middle[:, 0]))]
    return found if _shaped(found[None], np.array(light.shape[::-1]))[0] else None


def contrast_along(light: Floats, quads: NDArray[np.float64]) -> tuple[NDArray[np.float64], Mask]:
    """How much lighter it is inside than outside, at points of the sides.

    Args:
        light: float32 (h, w), the logarithm of the light.
        quads: (n, 4, 2), clockwise.

    Returns:
        (n, 4, points): the differences; and which of them lie in the picture.
    """
    ahead = np.roll(quads, -1, axis=1) - quads
    at = quads[:, :, None] + ahead[:, :, None] * np.linspace(0.08, 0.92, _POINTS)[:, None]
    unit = ahead / np.linalg.norm(ahead, axis=2, keepdims=True)
    inward = (np.stack([-unit[..., 1], unit[..., 0]], axis=-1) * _OFF)[:, :, None]
    inside, outside = np.floor(at + inward).astype(int), np.floor(at - inward).astype(int)
    size = np.array(light.shape[::-1])
    seen = ((np.minimum(inside, outside) >= 0) & (np.maximum(inside, outside) < size)).all(axis=-1)
    levels = [light[tuple(np.clip(p, 0, size - 1)[..., ::-1].transpose(3, 0, 1, 2))] for p in (inside, outside)]
    return np.asarray(levels[0] - levels[1], np.float64), np.asarray(seen)


def narrowed(corners: Corners, by: NDArray[np.float64]) -> Corners:
    """A four-cornered area (4, 2), clockwise, whose top, right, bottom and left are moved inward by so much.

    >>> narrowed(np.array([[0.0, 0], [9, 0], [9, 9], [0, 9]]), np.array([1.0, 0, 2, 0])).tolist()
    [[0.0, 1.0], [9.0, 1.0], [9.0, 7.0], [0.0, 7.0]]
    """
    ahead = np.roll(corners, -1, axis=0) - corners
    inward = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1) / np.linalg.norm(ahead, axis=1, keepdims=True)
    lines = np.concatenate([inward, -((inward * corners).sum(axis=1) + by)[:, None]], axis=1)
    met = np.cross(np.roll(lines, 1, axis=0), lines)
    return np.asarray(met[:, :2] / met[:, 2:] + 0.0)
