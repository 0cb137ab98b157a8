"""Signs that stand among digits and are none, drawn with the pen that wrote the digits."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.form import crop_to_ink

__all__ = ["SIGNS", "drawn_sign"]

Ink: TypeAlias = NDArray[np.float32]
Points: TypeAlias = list[tuple[float, float]]

SIGNS = ".,-=#'/:$"
"""What may stand among digits and is none."""

_JOINED = 0.3  # of the signs "=" are one stroke, like a z
_WAVE = 0.2  # how far a dash may swing, in halves of it
_CROSSED = 0.12  # of the dashes are crossed by two short strokes
_ROOM = 1.2  # the side of the square that a sign is drawn in, in heights of a digit


def drawn_sign(character: str, height: float, pen: float, rng: np.random.Generator) -> tuple[Ink, float]:
    """The ink of a sign, float32 (h, w) in 0..1, and how far it stands above the line, in pixels.

    Args:
        character: one of `SIGNS`.
        height: of the digits beside it, in pixels.
        pen: the width of their strokes, in pixels.
        rng: where chance comes from.
    """
    import cv2

    side = max(8, round(height * _ROOM))
    canvas = np.zeros((side, side), np.uint8)
    strokes, dots, above = _shape(character, rng)
    for stroke in strokes:
        path = np.array(stroke) * side + rng.normal(0, 0.02 * side, (len(stroke), 2))
        thick = max(1, round(pen * (0.55 if character in "#$" else 1)))  # these have no room for a broad pen
        cv2.polylines(canvas, [np.rint(path * 16).astype(np.int32)], False, 255, thick, cv2.LINE_AA, 4)
    for x, y in dots:
        middle = round(side * x), round(side * y)
        cv2.circle(canvas, middle, max(1, round(pen * rng.uniform(0.5, 0.8))), 255, -1, cv2.LINE_AA)
    ink = crop_to_ink(canvas).astype(np.float32) / 255
    return np.asarray(ink, np.float32), above * height


def _shape(character: str, rng: np.random.Generator) -> tuple[list[Points], Points, float]:
    """Strokes and dots in a square of side 1, and the height above the line in heights of a digit."""
    half = rng.uniform(0.1, 0.3)
    if character == ".":
        return [], [(0.5, 0.5)], rng.uniform(-0.02, 0.05)
    if character == ",":
        return [[(0.55, 0.4), (0.45, 0.4 + half)]], [], -0.12
    if character == "'":
        return [[(0.55, 0.4), (0.45, 0.4 + half)]], [], 0.7
    if character == "-":
        crossed = (0.38, 0.5) if rng.random() < _CROSSED else ()
        across: list[Points] = [[(x, 0.68), (x + 0.12, 0.32)] for x in crossed]
        return [_dash(0.5, rng), *across], [], rng.uniform(0.25, 0.6)
    if character == "=":
        upper, lower = _dash(0.42, rng), _dash(0.42 + rng.uniform(0.12, 0.2), rng)
        joined = rng.random() < _JOINED
        return [upper + lower] if joined else [upper, lower], [], rng.uniform(0.2, 0.7)
    if character == "/":
        return [[(0.7, 0.05), (0.3, 0.95)]], [], 0.0
    if character == ":":
        return [], [(0.5, 0.35), (0.5, 0.75)], 0.15
    if character == "#":
        upright: list[Points] = [[(x + 0.06, 0.15), (x - 0.06, 0.85)] for x in (0.38, 0.62)]
        return upright + [[(0.2, y), (0.8, y)] for y in (0.38, 0.62)], [], 0.0
    return _dollar(), [], 0.0


def _dash(y: float, rng: np.random.Generator) -> Points:
    """A stroke across, as it ends an amount: short or long, level or rising, straight or in a wave."""
    half, rise, wave = rng.uniform(0.1, 0.45), rng.normal(0.12, 0.25), rng.uniform(0, _WAVE)
    across = np.linspace(-half, half, 4)
    return [(0.5 + x, y - rise * x + half * d) for x, d in zip(across, rng.normal(0, wave, 4), strict=True)]


def _dollar() -> list[Points]:
    angles = np.linspace(0.2, 1.5 * np.pi, 9)
    upper = [(0.5 + 0.2 * np.cos(a), 0.33 - 0.17 * np.sin(a)) for a in angles]
    lower_half = [(0.5 + 0.2 * np.cos(a), 0.67 - 0.17 * np.sin(a)) for a in np.linspace(0.5 * np.pi, -np.pi + 0.2, 9)]
    return [upper + lower_half, [(0.5, 0.05), (0.5, 0.95)]]
