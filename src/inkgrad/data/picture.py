"""Any picture of one digit -> 28x28, white ink on black: the one preprocessing."""

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import Images
from inkgrad.data.decode import PictureSource, decode
from inkgrad.data.form import has_form, to_form
from inkgrad.data.ink import find_ink

__all__ = ["normalize_digit", "read_picture", "to_digit"]

_LUMINANCE = np.array([0.299, 0.587, 0.114])
_SAMPLES = 20_000


def to_digit(source: PictureSource) -> Images | None:
    """Turn any picture of one digit into MNIST's form.

    Any common format, size, color and polarity will do; see `read_picture` for how it is decoded, `find_ink`
    for how paper and ink are told apart and `to_form` for the form.

    Args:
        source: a path, the bytes of a file, a PIL image or an array.

    Returns:
        uint8 (28, 28), white ink on black; None if there is no ink.

    Raises:
        ImageError: the picture cannot be decoded.

    >>> paper = np.full((80, 60, 3), (250, 240, 200), np.uint8)
    >>> to_digit(paper) is None
    True
    >>> paper[20:60, 28:33] = (20, 30, 120)
    >>> digit = to_digit(paper)
    >>> digit.shape, int(digit[14, 14]), int(digit[0, 0])
    ((28, 28), 255, 0)
    """
    return normalize_digit(read_picture(source))


def normalize_digit(gray: Images) -> Images | None:
    """Bring a gray picture of one digit, uint8 (h, w), to MNIST's form; None if there is no ink.

    What has that form already comes back as it is.

    >>> normalize_digit(np.full((50, 50), 9, np.uint8)) is None
    True
    """
    if has_form(gray):
        return gray
    ink = find_ink(gray)
    return None if ink is None else to_form(ink)


def read_picture(source: PictureSource) -> Images:
    """Read a picture as gray levels in which the ink shows.

    Gray is the luminance, unless the picture differs more in color than in brightness, as red ink does on
    paper of an equally bright green: then it is the position along the color axis on which it differs most.

    Args:
        source: a path, the bytes of a file, a PIL image or an array.

    Returns:
        uint8 (h, w).

    Raises:
        ImageError: the picture cannot be decoded.

    >>> read_picture(np.full((1, 2, 3), 7, np.uint8))
    array([[7, 7]], dtype=uint8)
    """
    pixels = decode(source)
    return pixels if pixels.ndim == 2 else _gray(pixels)


def _gray(pixels: NDArray[np.uint8]) -> Images:
    red, green, blue = pixels[:, :, 0], pixels[:, :, 1], pixels[:, :, 2]
    if np.array_equal(red, green) and np.array_equal(green, blue):
        return np.ascontiguousarray(red)
    weights = _LUMINANCE
    flat = pixels.reshape(-1, 3)
    sample = flat[:: max(1, len(flat) // _SAMPLES)].astype(np.float64)
    covariance = np.cov(sample, rowvar=False, bias=True)
    variances, axes = np.linalg.eigh(covariance)
    luminance_variance = float(_LUMINANCE @ covariance @ _LUMINANCE)
    # Along the gray axis the luminance varies by a third of the distance in color; far less means color.
    if luminance_variance < 0.08 * variances[-1]:
        axis = axes[:, -1]
        weights = axis if axis.sum() >= 0 else -axis
    gray = pixels.astype(np.float32) @ weights.astype(np.float32)
    if weights is not _LUMINANCE:
        low, high = float(gray.min()), float(gray.max())
        gray = (gray - low) * min(1.0, 255 / max(high - low, 1.0))
    return np.clip(np.rint(gray), 0, 255).astype(np.uint8)
