"""What becomes of digits that are cut, turned or crowded."""

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import SIDE, Dataset, Images
from inkgrad.data.form import crop_to_ink, to_form
from inkgrad.data.nondigits import glyphs, strokes
from inkgrad.errors import DataError

__all__ = ["beside", "crowd", "letter_piece", "opened", "pair", "piece", "remnant", "ringed", "struck", "turned"]

_KEPT = (0.2, 0.49)
_TRIES = 100  # before the digits that will do are looked for one by one
_SLIM = 2.3  # times as long as wide, from which on a piece is a straight stroke
_UPRIGHT = 0.5  # share of its length by which a stroke must rise to be a one
_ONE = (3.5, 0.8, 14)  # as long and as upright, and pixels high: what is taken for a one by any eye
_MIRRORED = (3, 4, 6, 7, 9)
_STRUCK = (2, 3, 4, 5, 6, 8, 9)  # a struck 0 or 7 is one still, as many write them
_LYING = (2, 3, 4, 5, 6, 7, 8, 9)


def piece(digits: Dataset, labels: tuple[int, ...], rng: np.random.Generator) -> Images:
    """Less than half of the ink of a digit with one of the labels, cut off along a line.

    Every other one stays where it was, the others are brought to MNIST's form; but all of 0 stay: large, they are ones.
    Pieces that are digits to any eye, straight strokes and closed rings, are left out.
    """
    for _ in range(_TRIES):
        image, label = _drawn(digits, labels, rng)
        cut = _cut_off(image, rng)
        if not _is_digit(cut):
            break
    return to_form(cut) if label and cut.any() and rng.random() < 0.5 else cut


def remnant(digits: Dataset, labels: tuple[int, ...], rng: np.random.Generator, *, all_of_them: bool = False) -> Images:
    """Less than half of the ink of a digit, cut off along a line, where it stood.

    Straight upright strokes as high as digits, which are ones to any eye, are left out unless `all_of_them` are wanted.
    """
    for _ in range(_TRIES):
        cut = _cut_off(_drawn(digits, labels, rng)[0], rng)
        if all_of_them or not _is_one(cut):
            break
    return cut


def letter_piece(digits: Dataset, rng: np.random.Generator) -> Images:
    """Less than half of the ink of a letter of another script or of none, unless it is a digit to any eye."""
    del digits
    drawing = (glyphs.foreign_letter, glyphs.other_letter, strokes.invented_letter)
    for _ in range(_TRIES):
        cut = _cut_off(to_form(drawing[rng.integers(len(drawing))](rng)), rng)
        if cut.any() and not _is_digit(cut):
            break
    return to_form(cut) if cut.any() and rng.random() < 0.5 else cut


def opened(digits: Dataset, rng: np.random.Generator) -> Images:
    """A zero that lacks a quarter of its ring, more or less."""
    image, _ = _drawn(digits, (0,), rng)
    y, x = np.mgrid[:SIDE, :SIDE]
    mass = image / max(float(image.sum(dtype=np.int64)), 1.0)
    angle = np.arctan2(y - float((mass * y).sum()), x - float((mass * x).sum()))
    away = np.abs((angle - rng.uniform(-np.pi, np.pi) + np.pi) % (2 * np.pi) - np.pi)
    return to_form(np.where(away < np.radians(rng.uniform(35, 70)), 0, image).astype(np.uint8))


def struck(digits: Dataset, rng: np.random.Generator) -> Images:
    """A digit that somebody has struck out: by one or two bars, by a cross or by a zigzag."""
    import cv2

    image = cv2.resize(_drawn(digits, _STRUCK, rng)[0], (4 * SIDE, 4 * SIDE), interpolation=cv2.INTER_CUBIC)
    rows, columns = np.flatnonzero(image.max(axis=1) > 100), np.flatnonzero(image.max(axis=0) > 100)
    if not rows.size:
        return np.asarray(image[::4, ::4], np.uint8)
    low = np.array([columns[0], rows[0]]) - rng.uniform(0, 14, 2)
    size = np.array([columns[-1], rows[-1]]) + rng.uniform(0, 14, 2) - low
    kind, at = rng.integers(4), rng.uniform(0.35, 0.65)
    upright = [((x, 0.0), (x + rng.normal(0, 0.05), 1.0)) for x in ((at,) if kind == 0 else (at - 0.09, at + 0.09))]
    lines = (
        upright,
        upright,
        [((0.0, 0.0), (1.0, 1.0)), ((0.0, 1.0), (1.0, 0.0))],
        [((0.2 * i, float(i % 2)), (0.2 * (i + 1), float((i + 1) % 2))) for i in range(5)],
    )[kind]
    pen = int(rng.integers(5, 12))
    for line in lines:
        path = low + np.array(line) * size
        cv2.polylines(image, [np.rint(path * 16).astype(np.int32)], False, 255, pen, cv2.LINE_AA, 4)
    return to_form(np.asarray(image, np.uint8))


def ringed(digits: Dataset, rng: np.random.Generator) -> Images:
    """A digit in a ring around it; a part of one would hardly differ from a zero."""
    import cv2

    inside = _drawn(digits, None, rng)[0]
    canvas = np.zeros((4 * SIDE, 4 * SIDE), np.uint8)
    side = int(SIDE * rng.uniform(1.6, 2.4))
    at = (4 * SIDE - side) // 2
    canvas[at : at + side, at : at + side] = cv2.resize(inside, (side, side), interpolation=cv2.INTER_CUBIC)
    radii = 2 * SIDE * rng.uniform(0.6, 0.9, 2)
    middle, axes = (2 * SIDE, 2 * SIDE), (int(radii.min()), int(radii.max()))
    cv2.ellipse(canvas, middle, axes, rng.uniform(-20, 20), 0, 360, 255, int(rng.integers(3, 9)), cv2.LINE_AA)
    return to_form(canvas)


def _is_digit(cut: Images) -> bool:
    """Whether a piece is a one or a zero to any eye: a straight upright stroke or a ring."""
    import cv2

    ink = (cut > 60).astype(np.uint8)
    if not ink.any():
        return False
    contours, kinds = cv2.findContours(ink, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    if any(kind[3] >= 0 and len(contour) > 3 for contour, kind in zip(contours, kinds[0], strict=True)):
        return True
    slim, upright, _ = as_stroke(ink)
    return slim > _SLIM and upright > _UPRIGHT


def _is_one(cut: Images) -> bool:
    return all(value >= least for value, least in zip(as_stroke(cut > 60), _ONE, strict=True))


def as_stroke(ink: NDArray[np.bool_] | NDArray[np.uint8]) -> tuple[float, float, float]:
    """How many times ink is as long as wide, by which share of its length it rises, and how many pixels it is high."""
    places = np.argwhere(ink).astype(np.float64)
    if len(places) < 4:
        return 0.0, 0.0, 0.0
    spreads, directions = np.linalg.eigh(np.cov(places.T))
    long, wide = np.sqrt(max(spreads[1], 1e-6)), np.sqrt(max(spreads[0], 0.08))
    return float(long / wide), float(abs(directions[0, 1])), float(np.ptp(places[:, 0]) + 1)


def _cut_off(image: Images, rng: np.random.Generator) -> Images:
    y, x = np.mgrid[:SIDE, :SIDE]
    angle = rng.uniform(0, 2 * np.pi)
    along = np.cos(angle) * x + np.sin(angle) * y
    order = np.argsort(along, axis=None)
    ink = np.cumsum(image.reshape(-1)[order], dtype=np.float64)
    last = int(np.searchsorted(ink, rng.uniform(*_KEPT) * ink[-1]))
    return np.where(along <= along.reshape(-1)[order[max(last - 1, 0)]], image, 0).astype(np.uint8)


def turned(digits: Dataset, rng: np.random.Generator) -> Images:
    """A digit lying on its side, or one of those that are none in a mirror."""
    if rng.random() < 0.5:
        return np.ascontiguousarray(_drawn(digits, _MIRRORED, rng)[0][:, ::-1])
    lying = np.rot90(_drawn(digits, _LYING, rng)[0], int(rng.choice([1, 3])))
    return np.ascontiguousarray(lying)


def crowd(digits: Dataset, rng: np.random.Generator) -> Images:
    """Three or four digits in a row, two above each other, or two of which one covers the other in part."""
    kind = rng.integers(3)
    if kind == 0:
        row = [crop_to_ink(_drawn(digits, None, rng)[0]) for _ in range(rng.integers(3, 5))]
        return to_form(_in_a_row(row, int(rng.integers(-2, 5))))
    upper, lower = (crop_to_ink(_drawn(digits, None, rng)[0]) for _ in range(2))
    if kind == 1:
        return to_form(np.ascontiguousarray(_in_a_row([upper.T, lower.T], int(rng.integers(-2, 5))).T))
    canvas = np.zeros((2 * SIDE, 2 * SIDE), np.uint8)
    angle, away = rng.uniform(0, 2 * np.pi), rng.uniform(4, 9)
    for image, side in ((upper, -0.5), (lower, 0.5)):
        top = round(SIDE - image.shape[0] / 2 + side * away * np.sin(angle))
        left = round(SIDE - image.shape[1] / 2 + side * away * np.cos(angle))
        place = canvas[top : top + image.shape[0], left : left + image.shape[1]]
        np.maximum(place, image, out=place)
    return to_form(canvas)


def beside(digits: Dataset, rng: np.random.Generator) -> Images:
    """A digit and, on one of its sides, a letter or a sign."""
    import cv2

    digit = crop_to_ink(_drawn(digits, None, rng)[0])
    drawing = (glyphs.foreign_letter, glyphs.other_letter, glyphs.mathematical_symbol, strokes.invented_letter)
    other = crop_to_ink(drawing[rng.integers(len(drawing))](rng))
    scale = digit.shape[0] * rng.uniform(0.7, 1.2) / max(other.shape)
    size = max(2, round(other.shape[1] * scale)), max(2, round(other.shape[0] * scale))
    other = np.asarray(cv2.resize(other, size, interpolation=cv2.INTER_AREA), np.uint8)
    row = _in_a_row([digit, other] if rng.random() < 0.5 else [other, digit], int(rng.integers(-1, 5)))
    if rng.random() < 0.4:
        size = max(2, row.shape[1] // 2), row.shape[0]
        row = np.asarray(cv2.resize(row, size, interpolation=cv2.INTER_AREA), np.uint8)
    return to_form(row)


def pair(digits: Dataset, rng: np.random.Generator) -> Images:
    """Two digits side by side: in MNIST's form, or pressed together to half their width."""
    import cv2

    if rng.random() < 0.5:
        return to_form(
            _in_a_row([crop_to_ink(_drawn(digits, None, rng)[0]) for _ in range(2)], int(rng.integers(-1, 4)))
        )
    both = np.concatenate([_drawn(digits, None, rng)[0] for _ in range(2)], axis=1)
    return np.asarray(cv2.resize(both, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def _drawn(digits: Dataset, labels: tuple[int, ...] | None, rng: np.random.Generator) -> tuple[Images, int]:
    """A digit at random and its label, with one of the labels where there are any."""
    for _ in range(_TRIES if len(digits) else 0):
        image, label = digits[int(rng.integers(len(digits)))]
        if (labels is None or label in labels) and image.any():
            return image, label
    chosen = np.ones(len(digits), np.bool_) if labels is None else np.isin(digits.labels, labels)
    places = np.flatnonzero(chosen & digits.images.any(axis=(1, 2)))
    if not places.size:
        wanted = "any digit" if labels is None else f"a {' or '.join(map(str, labels))}"
        raise DataError(f"{digits.name} has no image of {wanted}, of which things that are no digits are made")
    image, label = digits[int(places[rng.integers(places.size)])]
    return image, label


def _in_a_row(images: list[Images], gap: int) -> Images:
    """From left to right, with a gap in pixels or, below 0, an overlap; upright in the middle."""
    height = max(image.shape[0] for image in images)
    row = np.zeros((height, sum(image.shape[1] + max(gap, 0) for image in images)), np.uint8)
    left = 0
    for image in images:
        top = (height - image.shape[0]) // 2
        place = row[top : top + image.shape[0], left : left + image.shape[1]]
        np.maximum(place, image, out=place)
        left += max(image.shape[1] + gap, 1)
    return row
