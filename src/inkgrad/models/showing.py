"""`show`: images, the filters of a layer, or what a network makes of an image, as one picture."""

import os
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from inkgrad.data.sheet import png_bytes
from inkgrad.data.sheet import show as show_images
from inkgrad.errors import OptionError
from inkgrad.files import write_atomically
from inkgrad.models.classifier import Classifier
from inkgrad.models.sheets import feature_sheet, filter_sheet
from inkgrad.nn import Module

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["show"]


def show(
    thing: Any,
    image: Any = None,
    *,
    labels: Sequence[str] | None = None,
    columns: int | None = None,
    scale: int | None = None,
    marked: Collection[int] | None = None,
    most: int = 32,
    zoom: int = 1,
    path: str | os.PathLike[str] | None = None,
) -> "Image.Image":
    """Make one picture of images, of a layer's filters, or of what each layer makes of an image.

    Notebooks show what is returned.

    Args:
        thing: uint8 images (n, h, w) or (h, w), for a contact sheet; a `Conv2d` or `Linear`, for its filters; or with
            an image a network, a layer or a `Classifier`, for its feature maps.
        image: uint8 (h, w), white ink on black, or floats (c, h, w) as the network takes them; see `feature_sheet`.
        labels: of a contact sheet, see `data.contact_sheet`.
        columns: likewise.
        scale: likewise; 2 by default.
        marked: likewise.
        most: how many channels of a layer are drawn.
        zoom: of filters and feature maps: pixels for each pixel, for screens of double density.
        path: where to save the picture as PNG.

    Returns:
        The picture, in RGB.

    Raises:
        ShapeError: images or an image of another shape or dtype.
        OptionError: something that has no picture, or an option that does not belong to it.
        StorageError: the file cannot be written.

    >>> from inkgrad.models import build
    >>> from inkgrad.random import default_rng
    >>> net = build("lenet5", rng=default_rng(0))
    >>> show(net.layers[0]).mode
    'RGB'
    >>> show(net, np.zeros((28, 28), np.uint8)).mode
    'RGB'
    """
    kind = type(thing).__name__
    if not isinstance(thing, Module | Classifier):
        if not isinstance(thing, np.ndarray):
            raise OptionError(
                f"show takes uint8 images, a layer, or a network with an image as show(net, image), but got {kind}"
            )
        if image is not None:
            raise OptionError("show takes one array of images; a second argument is the image that a network sees")
        scale = 2 if scale is None else scale
        return show_images(thing, labels=labels, columns=columns, scale=scale, marked=marked, path=path)
    for name, value in {"labels": labels, "columns": columns, "scale": scale, "marked": marked}.items():
        if value is not None:
            raise OptionError(f"{name} belongs to a contact sheet of images, but got {kind}; leave {name} out")
    if image is None:
        sheet = filter_sheet(thing, most=most, zoom=zoom)
    else:
        sheet = feature_sheet(thing, image, most=most, zoom=zoom)
    if path is not None:
        write_atomically(path, png_bytes(sheet))
    return sheet
