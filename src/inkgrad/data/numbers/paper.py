"""What a number is written on, and what became of it: paper, lines, boxes, patterns, stamps, light, camera."""

from dataclasses import dataclass, fields, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import Images
from inkgrad.errors import OptionError

__all__ = ["HARD", "Paper", "boxed", "on_sheet", "taken"]

Gray: TypeAlias = NDArray[np.float32]

# A number that nobody can read teaches nothing, and measures nothing.
_FAINT = 0.6  # of the ink's strength: patterns and stamps at most
_PRINTED = 0.85  # of the ink's strength: lines and boxes at most
_ABOVE_NOISE = 6.0  # standard deviations of the noise by which ink stands out at least
_CROSSED = 0.25  # share of its length that a wall between boxes may run through ink
_INK = 0.4
_FINE = 24  # pixels: below numbers that are not higher lines are one pixel thick


@dataclass(frozen=True)
class Paper:
    """How often, or how much, each thing happens; 0 leaves it out.

    Attributes:
        dark: how dark the paper may be, 0 white to 1 black.
        shade: how much the light may change over the sheet.
        pattern: probability of wavy lines all over, as on cheques.
        ruled: probability of lines to write on.
        boxes: probability of a box for each digit, or of a comb.
        stamp: probability of a stamp across.
        pale: share of the ink's strength that may be lost.
        blur: pixels; up to this standard deviation.
        noise: up to this standard deviation, with black to white as 1.
        jpeg: probability of JPEG compression.
        negative: probability of light ink on dark paper.
    """

    dark: float = 0.5
    shade: float = 0.3
    pattern: float = 0.4
    ruled: float = 0.3
    boxes: float = 0.1
    stamp: float = 0.05
    pale: float = 0.5
    blur: float = 0.8
    noise: float = 0.05
    jpeg: float = 0.3
    negative: float = 0.05

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            most = 5.0 if field.name == "blur" else 1.0
            if not 0 <= value <= most:
                raise OptionError(f"{field.name} of a paper must be from 0 to {most:g}, but is {value!r}")


HARD = Paper(
    dark=0.6,
    shade=0.4,
    pattern=0.5,
    ruled=0.4,
    boxes=0.2,
    stamp=0.1,
    pale=0.5,
    blur=1.0,
    noise=0.06,
    jpeg=0.5,
    negative=0.1,
)
"""More of everything: the hard setting, to measure by."""


def on_sheet(ink: Gray, boxes: NDArray[np.float64], paper: Paper, rng: np.random.Generator) -> Images:
    """The gray picture of ink on paper.

    Args:
        ink: float32 (h, w), 0 none to 1 full.
        boxes: (digits, 4): left, top, width and height of each, for boxes and lines that know where they stand.
        paper: what may happen.
        rng: where chance comes from.

    Returns:
        uint8 (h, w).
    """
    shape = ink.shape
    sheet = _light(shape, paper, rng)
    strength = rng.uniform(1 - paper.pale, 1) * rng.uniform(0.7, 0.97)
    drawn = np.zeros(shape, np.float32)  # how much of the light lines and patterns take away
    if rng.random() < paper.pattern:
        drawn = np.maximum(drawn, np.minimum(_pattern(shape, rng), _FAINT * strength))
    if rng.random() < paper.ruled:
        drawn = np.maximum(drawn, np.minimum(_ruled(shape, boxes, rng), _PRINTED * strength))
    if rng.random() < paper.boxes:
        drawn = np.maximum(drawn, np.minimum(boxed(shape, boxes, rng, ink), _PRINTED * strength))
    if rng.random() < paper.stamp:
        drawn = np.maximum(drawn, np.minimum(_stamp(shape, rng), _FAINT * strength))
    gray = sheet * (1 - np.maximum(drawn, strength * ink))
    contrast = strength * float(sheet[ink > _INK].min(initial=1.0))
    return taken(gray, replace(paper, noise=min(paper.noise, contrast / _ABOVE_NOISE)), rng)


def _light(shape: tuple[int, ...], paper: Paper, rng: np.random.Generator) -> Gray:
    """Bare paper: a level, a slope and a dark corner."""
    h, w = shape
    y, x = np.mgrid[:h, :w].astype(np.float32)
    y, x = y / h - 0.5, x / w - 0.5
    angle = rng.uniform(0, 2 * np.pi)
    slope = rng.uniform(0, paper.shade) * (np.cos(angle) * x + np.sin(angle) * y)
    corner = rng.uniform(0, paper.shade) * ((x - rng.uniform(-0.5, 0.5)) ** 2 + (y - rng.uniform(-0.5, 0.5)) ** 2)
    level = 1 - paper.dark * rng.random() ** 1.5
    return np.asarray(np.clip(level + slope - corner, 0.1, 1), np.float32)


def _pattern(shape: tuple[int, ...], rng: np.random.Generator) -> Gray:
    """One or two sheaves of thin waves."""
    h, w = shape
    y, x = np.mgrid[:h, :w].astype(np.float32)
    drawn = np.zeros(shape, np.float32)
    for _ in range(rng.integers(1, 3)):
        angle, apart = rng.normal(0, 0.5), rng.uniform(2.5, 7)
        along, across = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
        wave = rng.uniform(0, 1.2) * np.sin(2 * np.pi * along / rng.uniform(12, 60) + rng.uniform(0, 6))
        bow = rng.uniform(-1, 1) * ((along - along.mean()) / max(w, 1)) ** 2 * 4
        phase = across / apart + wave + bow
        line = np.maximum(0, 1 - np.abs((phase - np.floor(phase)) - 0.5) * apart / rng.uniform(0.6, 1.3))
        drawn = np.maximum(drawn, rng.uniform(0.08, 0.35) * line.astype(np.float32))
    return drawn


def _ruled(shape: tuple[int, ...], boxes: NDArray[np.float64], rng: np.random.Generator) -> Gray:
    """A line under the digits, perhaps through them, and others at equal distances."""
    import cv2

    h, w = shape
    height = float(np.median(boxes[:, 3])) if len(boxes) else h / 2
    bottom = float(np.median(boxes[:, 1] + boxes[:, 3])) if len(boxes) else h * 0.8
    apart = height * rng.uniform(1.2, 2.2)
    slope, thick = rng.normal(0, 0.015), int(rng.integers(1, 3)) if height > _FINE else 1
    canvas = np.zeros(shape, np.uint8)
    first = bottom + rng.normal(0.05, 0.12) * height
    for number in range(-3, 4) if rng.random() < 0.5 else (0,):
        at = first + number * apart
        ends = np.array([[0, at], [w, at + slope * w]])
        cv2.polylines(canvas, [np.rint(ends * 16).astype(np.int32)], False, 255, thick, cv2.LINE_AA, 4)
    return canvas * np.float32(rng.uniform(0.25, 0.9) / 255)


def boxed(
    shape: tuple[int, ...], boxes: NDArray[np.float64], rng: np.random.Generator, ink: Gray | None = None
) -> Gray:
    """A box around all, with a stroke between each two digits, or a comb that is open above.

    Where ink is known, there is no stroke through a digit that reaches over to its neighbor.
    """
    import cv2

    canvas = np.zeros(shape, np.uint8)
    if len(boxes):
        height = float(np.median(boxes[:, 3]))
        room = height * rng.uniform(0.1, 0.3)
        top, bottom = float(boxes[:, 1].min()) - room, float((boxes[:, 1] + boxes[:, 3]).max()) + room
        centers = boxes[:, 0] + boxes[:, 2] / 2
        between = (centers[1:] + centers[:-1]) / 2
        if ink is not None:
            between = np.array([x for x in between if _ink_along(ink, x, top, bottom) <= _CROSSED])
        walls = [float(boxes[0, 0]) - room, *between, float(boxes[-1, 0] + boxes[-1, 2]) + room]
        low = bottom - (bottom - top) * rng.uniform(0.3, 0.6)
        comb = rng.random() < 0.4
        strokes = [((x, low if comb else top), (x, bottom)) for x in walls]
        strokes += [((walls[0], y), (walls[-1], y)) for y in ((bottom,) if comb else (top, bottom))]
        for stroke in strokes:
            cv2.polylines(canvas, [np.rint(np.array(stroke) * 16).astype(np.int32)], False, 255, 1, cv2.LINE_AA, 4)
    return canvas * np.float32(rng.uniform(0.3, 0.9) / 255)


def _ink_along(ink: Gray, x: float, top: float, bottom: float) -> float:
    """The share of an upright stroke that lies on ink."""
    column = ink[max(round(top), 0) : round(bottom) + 1, min(max(round(x), 0), ink.shape[1] - 1)]
    return float((column > _INK).mean()) if column.size else 0.0


def _stamp(shape: tuple[int, ...], rng: np.random.Generator) -> Gray:
    """Two rings around a word, in part outside."""
    import cv2

    h, w = shape
    canvas = np.zeros(shape, np.uint8)
    radius = int(h * rng.uniform(0.5, 1.2))
    middle = int(rng.integers(w)), int(rng.integers(h))
    for smaller in (0, max(2, radius // 6)):
        cv2.circle(canvas, middle, max(radius - smaller, 1), 255, 1, cv2.LINE_AA)
    word = "".join(chr(65 + int(letter)) for letter in rng.integers(0, 26, 5))
    at = (middle[0] - radius // 2, middle[1] + radius // 8)
    cv2.putText(canvas, word, at, cv2.FONT_HERSHEY_DUPLEX, radius / 60, 255, 1, cv2.LINE_AA)
    return canvas * np.float32(rng.uniform(0.2, 0.5) / 255)


def taken(gray: Gray, paper: Paper, rng: np.random.Generator) -> Images:
    """As a camera or a scanner sees it."""
    import cv2

    if (sigma := rng.uniform(0, paper.blur)) > 0.2:
        gray = np.asarray(cv2.GaussianBlur(gray, (0, 0), sigma), np.float32)
    noise = rng.uniform(0, paper.noise)
    gray = gray + rng.standard_normal(gray.shape, np.float32) * np.float32(noise)
    if rng.random() < paper.negative:
        gray = 1 - gray
    picture = np.clip(np.rint(gray * 255), 0, 255).astype(np.uint8)
    if rng.random() < paper.jpeg:
        _, content = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 95))])
        picture = np.asarray(cv2.imdecode(content, cv2.IMREAD_GRAYSCALE), np.uint8)
    return picture
