"""Finding the ink of a digit on whatever it was written on: paper, light, polarity, noise."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.components import choose_digit
from inkgrad.data.dataset import Images
from inkgrad.data.form import quantile
from inkgrad.data.light import grain, ink_sign, paper_and_shadows, paper_under

__all__ = ["find_ink"]

_LARGEST = 1024  # pixels on the longest side that are looked at
_EVEN = 8  # gray levels within which a background counts as even
_CLEAN = 2.5  # standard deviation, in gray levels, of an even background
_FAINTEST = 12  # gray levels between paper and the faintest ink
_SHADOW = 0.3  # of the shorter side: thicker than strokes
_CROP = 64  # pixels: what is smaller may be a digit and hardly any paper
_CONTINUES = 0.75  # share of ink pixels with two neighbors or more that are ink
_ABOVE_NOISE = 5  # standard deviations of the paper's own variation that ink must stand out by

Floats = NDArray[np.float32]


class _Contrast(NamedTuple):
    """How much darker or lighter than its background each pixel is, ink positive."""

    height: Floats
    noise: float
    floor: float


def find_ink(gray: Images) -> Images | None:
    """Find the ink of one digit in a picture.

    The background is what most of the border shows, or, in uneven light, what a closing wider than a
    stroke leaves; ink is what differs from it, to the side that stands out. Specks, frame lines and
    neighbors are removed.

    Args:
        gray: uint8 (h, w), dark on light or light on dark.

    Returns:
        uint8 (h', w'), white ink on black, every pixel that is not ink 0; None if there is no ink. Pictures
        of more than 1,024 pixels a side are shrunk to that.

    >>> picture = np.full((40, 40), 200, np.uint8)
    >>> picture[10:30, 18:21] = 90
    >>> ink = find_ink(picture)
    >>> int(ink[20, 19]), int(ink[0, 0]), find_ink(picture[:, :10])
    (255, 0, None)
    """
    gray = _shrink(gray)
    contrast = _even(gray)
    if contrast is None or _is_shadowed(contrast.height):
        contrast = _uneven(gray)
    height = contrast.height
    for _ in range(4):
        level = _ink_level(height, contrast)
        if level is None:
            return None
        strong, faint = _thresholds(height, level, contrast)
        digit, foreign = choose_digit(strong, faint)
        if not foreign.any():
            break
        # A black frame or a shadow may outshine a pencil: look again without it.
        height = np.where(foreign, np.float32(0), height)
    if digit is None or not _has_strokes(strong & digit):
        return None
    ink = np.where(digit & (height > contrast.floor), height, 0)
    full = quantile(ink[strong & digit], 0.9)
    if full < 240:
        ink = ink * (255 / full)
    return np.clip(np.rint(ink), 0, 255).astype(np.uint8)


def _shrink(gray: Images) -> Images:
    longest = max(gray.shape)
    if longest <= _LARGEST:
        return gray
    import cv2

    height, width = (max(1, round(side * _LARGEST / longest)) for side in gray.shape)
    return np.asarray(cv2.resize(gray, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _even(gray: Images) -> _Contrast | None:
    """The contrast to one background level, if there is one; exact for clean pictures."""
    border = np.concatenate([gray[0], gray[-1], gray[1:-1, 0], gray[1:-1, -1]])
    level = _background_level(gray, border)
    difference = gray.astype(np.float32) - np.float32(level)
    near = np.abs(difference) <= _EVEN
    share, at_border = float(near.mean()), float((np.abs(border - level) <= _EVEN).mean())
    # Ink may reach the border of a tight crop; but no camera gives so many pixels one level and most of the
    # others one that is far from it.
    apart = np.abs(difference)
    far = 0.4 * quantile(apart, 0.99)
    exact = apart <= 1
    drawn = bool(exact.mean() >= 0.15 and (apart > far).mean() >= (~exact & (apart <= far)).mean())
    if not (drawn or (at_border >= 0.6 and share >= 0.3)):
        return None
    paper = difference[near]
    spread = (quantile(paper, 0.84) - quantile(paper, 0.16)) / 2
    if spread > _CLEAN and not drawn:
        return None
    lighter = float(difference[difference > _EVEN].sum())
    darker = float(-difference[difference < -_EVEN].sum())
    height = np.maximum(difference if lighter > darker else -difference, 0)
    clean = bool((paper == 0).mean() > 0.9)
    return _Contrast(height, 0.0 if clean else spread, 0.0 if clean else _EVEN)


def _background_level(gray: Images, border: Images) -> float:
    """The level around which most of the picture and of its border lies."""
    levels = [np.bincount(part.ravel(), minlength=256) / part.size for part in (gray, border)]
    shares = np.convolve(levels[0] + levels[1] / 2, np.ones(2 * _EVEN + 1), "same")
    middle = int(np.argmax(shares))
    near = gray[np.abs(gray.astype(np.int16) - middle) <= _EVEN]
    return float(np.median(near))


def _is_shadowed(height: Floats) -> bool:
    """Whether what stands out is, at the border, thicker than any stroke: a shadow across even paper."""
    import cv2

    if min(height.shape) < _CROP:
        return False
    scale = 96 / max(height.shape)
    far = (height > 0.3 * quantile(height, 0.99)).astype(np.uint8)
    small = np.pad(cv2.resize(far, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST), 1)
    across = max(3, round(_SHADOW * min(small.shape)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (across, across))
    solid = cv2.morphologyEx(small, cv2.MORPH_OPEN, kernel)[1:-1, 1:-1]
    return any(bool(edge.any()) for edge in (solid[0], solid[-1], solid[:, 0], solid[:, -1]))


def _uneven(gray: Images) -> _Contrast:
    """The contrast to a background that changes over the picture."""
    import cv2

    lit = gray if ink_sign(gray) < 0 else 255 - gray  # dark ink on light paper
    noisy = grain(lit)
    if max(lit.shape) > 100:
        lit = np.asarray(cv2.medianBlur(np.ascontiguousarray(lit), 3), np.uint8)
        noisy *= 0.45  # so much of it passes the median
    paper = paper_under(lit) if min(lit.shape) < _CROP else paper_and_shadows(lit)
    # Paper in a shadow sends less light, and ink on it takes away as large a share.
    height = (paper - lit) * (quantile(paper, 0.9) / np.maximum(paper, 16))
    # Low quantiles are the paper's even where nearly half of a tight crop is ink.
    low, middle, level = (quantile(height, share) for share in (0.05, 0.3, 0.4))
    height -= np.float32(level)
    noise = (middle - low) / 1.12  # the distance of these two in a normal distribution
    if noise < 1:  # white cut off at 255 hides the noise on that side
        noise = 1.4826 * float(np.median(np.abs(height - np.median(height))))
    noise = max(noise, 0.8 * noisy)
    return _Contrast(np.maximum(height, 0), noise, max(_EVEN, 2 * noise))


def _ink_level(height: Floats, contrast: _Contrast) -> float | None:
    """How far full ink stands out, or None where nothing stands out from the noise."""
    above = height[height > max(_EVEN, 3.5 * contrast.noise)]
    if above.size < 4:
        return None
    level = quantile(above, 0.9)
    return level if level >= max(_FAINTEST, _ABOVE_NOISE * contrast.noise) else None


def _has_strokes(certain: NDArray[Any]) -> bool:
    """Whether ink goes on: in a stroke, however thin, nearly every pixel has two neighbors, in noise few have."""
    import cv2

    around = cv2.boxFilter(certain.astype(np.float32), -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
    return bool(certain.any()) and float((np.asarray(around)[certain] > 2.5).mean()) >= _CONTINUES


def _thresholds(height: Floats, level: float, contrast: _Contrast) -> tuple[NDArray[Any], NDArray[Any]]:
    """Masks of certain ink and of what may be its continuation."""
    import cv2

    scaled = np.clip(height * (255 / level), 0, 255).astype(np.uint8)
    otsu, _ = cv2.threshold(scaled, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    certain = min(max(otsu / 255, 0.3), 0.6) * level
    possible = max(0.35 * certain, 4 * contrast.noise, contrast.floor)
    certain = max(certain, possible)
    return height > certain, height > possible
