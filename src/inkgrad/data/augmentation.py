"""Training images changed at random, anew each time that they are seen."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.appearance import (
    blurred,
    coarsened,
    inverted,
    lined,
    noisy,
    on_paper,
    speckled,
    thickened,
    with_cutout,
)
from inkgrad.data.distortion import distorted
from inkgrad.errors import OptionError

__all__ = ["Augmentation"]

TOGETHER = 64  # images at a time: the arrays in between stay in the cache, which more than pays for the calls

LIMITS = {
    "rotation": 180.0,
    "shift": 28.0,
    "scale": 0.9,
    "zoom": 9.0,
    "stretch": 1.0,
    "shear": 60.0,
    "elastic": 200.0,
    "elastic_sigma": 28.0,
    "thickness": 1.0,
    "coarse": 1.0,
    "blur": 5.0,
    "noise": 1.0,
    "contrast": 1.0,
    "background": 1.0,
    "lines": 1.0,
    "speckle": 1.0,
    "cutout": 27.0,
    "polarity": 1.0,
    "plain": 1.0,
}


@dataclass(frozen=True)
class Augmentation:
    """How much images are changed; 0 leaves them as they are. Each image draws its own values, evenly from the range.

    Attributes:
        rotation: degrees, to either side.
        shift: pixels, in both directions.
        scale: by a factor from 1 - scale to 1 + scale, height and width each.
        zoom: by a factor from 1 / (1 + zoom) to 1 + zoom, the same for height and width.
        stretch: probability that the ink is made wider or higher, up to as wide as high, as some scans are.
        shear: degrees of slant, to either side.
        elastic: pixels; the strength alpha of an elastic distortion (Simard et al. 2003).
        elastic_sigma: pixels; how far neighbours of an elastic distortion move together.
        thickness: share of the way to strokes a pixel thicker or thinner on every side.
        coarse: probability of a scan with few pixels, gray or black and white.
        blur: pixels; up to this standard deviation of a Gaussian blur.
        noise: up to this standard deviation of normal noise, with ink as 1.
        contrast: share of the ink's strength that may be lost.
        background: up to this brightness of the paper, changing evenly over the image.
        lines: probability of one or two straight lines through the image, as of ruled paper or boxes.
        speckle: up to this share of the pixels is black or white, whatever they were.
        cutout: pixels; the side of a square that is wiped out.
        polarity: probability of dark ink on bright paper.
        plain: share of the images of which only pixels are moved: the changes from thickness on leave them alone.

    >>> from inkgrad.random import default_rng
    >>> images = np.zeros((2, 28, 28), np.float32)
    >>> Augmentation(rotation=10, shift=2).apply(images, default_rng(0)).shape
    (2, 28, 28)
    """

    rotation: float = 0.0
    shift: float = 0.0
    scale: float = 0.0
    zoom: float = 0.0
    stretch: float = 0.0
    shear: float = 0.0
    elastic: float = 0.0
    elastic_sigma: float = 4.0
    thickness: float = 0.0
    coarse: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    contrast: float = 0.0
    background: float = 0.0
    lines: float = 0.0
    speckle: float = 0.0
    cutout: float = 0.0
    polarity: float = 0.0
    plain: float = 0.0

    def __post_init__(self) -> None:
        for name, most in LIMITS.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
                raise OptionError(f"augmentation {name} must be a number from 0 to {most:g}, but is {value!r}")
        if self.elastic and self.elastic_sigma < 0.1:
            raise OptionError(
                f"augmentation elastic needs an elastic_sigma of at least 0.1, but it is {self.elastic_sigma}"
            )
        if self.cutout != int(self.cutout):
            raise OptionError(f"augmentation cutout must be a whole number of pixels, but is {self.cutout}")

    def apply(self, images: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """New images, (n, h, w) float32 in 0..1 with ink as 1, from images of the same kind.

        What moves pixels is done in one step, so that they are interpolated once: first the elastic distortion, then
        shear, scale, zoom, stretch, rotation and shift; after that thickness, coarse, blur, contrast, background,
        lines, noise, speckle, cutout, polarity.
        """
        if self == NONE:
            return images
        parts = [self._changed(images[i : i + TOGETHER], rng) for i in range(0, max(len(images), 1), TOGETHER)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _changed(self, images: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        images = distorted(
            images,
            rng,
            rotation=self.rotation,
            shift=self.shift,
            scale=self.scale,
            zoom=self.zoom,
            stretch=self.stretch,
            shear=self.shear,
            elastic=self.elastic,
            elastic_sigma=self.elastic_sigma,
        )
        if not self.plain:
            return self._looking_otherwise(images, rng)
        changed = rng.random(len(images)) >= self.plain
        result = images.copy()
        result[changed] = self._looking_otherwise(images[changed], rng)
        return result

    def _looking_otherwise(self, images: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        if self.thickness:
            images = thickened(images, self.thickness, rng)
        if self.coarse:
            images = coarsened(images, self.coarse, rng)
        if self.blur:
            images = blurred(images, self.blur, rng)
        if self.contrast or self.background:
            images = on_paper(images, self.contrast, self.background, rng)
        if self.lines:
            images = lined(images, self.lines, rng)
        if self.noise:
            images = noisy(images, self.noise, rng)
        if self.speckle:
            images = speckled(images, self.speckle, rng)
        if self.cutout:
            images = with_cutout(images, int(self.cutout), rng)
        if self.polarity:
            images = inverted(images, self.polarity, rng)
        return images

    def as_json(self) -> dict[str, float]:
        """What differs from no augmentation at all."""
        return {name: value for name, value in asdict(self).items() if value != getattr(NONE, name)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Augmentation":
        """The augmentation that `as_json` described."""
        known = [field.name for field in fields(cls)]
        for name in values:
            if name not in known:
                raise OptionError(f"there is no augmentation {name!r}; there are {', '.join(known)}")
        return cls(**values)


NONE = Augmentation()
