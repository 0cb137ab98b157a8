"""Pictures of what a network has learned: the filters of a layer, and what each layer makes of an image."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from inkgrad.autodiff import Array, Tensor
from inkgrad.data import SIDE, linear_scaling
from inkgrad.data.panels import Panel, panel_sheet
from inkgrad.errors import OptionError, ShapeError
from inkgrad.models.classifier import Classifier
from inkgrad.nn import Module, feature_maps

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["feature_sheet", "filter_sheet"]

_COLORS = "Blue is below 0, white 0, orange above."
_MOST_ROWS = 1024  # of a matrix, and columns, and numbers of a vector
_NAMED = 32  # numbers of a vector up to which each has its name


def filter_sheet(layer: Any, *, title: str = "", most: int = 32, zoom: int = 1) -> "Image.Image":
    """Draw the weights of a layer in colors around zero, all on one scale.

    Of a convolution with one channel in, a tile for each channel out. Of one with several, a grid: a row for each
    channel out, a column for each channel in, and no tile where there is no connection. Of a dense layer on 784
    pixels, a tile of 28x28 for each output; of another one, its matrix.

    Args:
        layer: a module with a `weight` (out, in, kh, kw) or (out, in).
        title: the heading, by default the layer's kind.
        most: how many channels are drawn, out and in.
        zoom: pixels for each pixel, for screens of double density.

    Returns:
        The picture, in RGB.

    Raises:
        OptionError: the layer has no such weight, or `most` or `zoom` is below 1.

    >>> from inkgrad.nn import Conv2d
    >>> from inkgrad.random import default_rng
    >>> filter_sheet(Conv2d(1, 6, 5, rng=default_rng(0))).mode
    'RGB'
    """
    _check(most, zoom)
    weight = getattr(layer, "weight", None)
    if not isinstance(weight, Tensor) or weight.ndim not in (2, 4):
        raise OptionError(
            f"{type(layer).__name__} has no filters to show; show a Conv2d or Linear layer, "
            f"or a network with an image: show(net, image)"
        )
    title = title or type(layer).__name__
    values = weight.data
    if values.ndim == 2 and values.shape[1] == SIDE * SIDE:
        values = values.reshape(-1, 1, SIDE, SIDE)
    if values.ndim == 2:
        panel = _matrix(values, title)
    elif values.shape[1] == 1:
        panel = _row_of_filters(values[:, 0], title, most)
    else:
        panel = _grid_of_filters(values, title, most, getattr(layer, "mask", None))
    return panel_sheet([panel], footnote=f"{_COLORS} One scale for all weights.", zoom=zoom)


def _row_of_filters(values: Array, title: str, most: int) -> Panel:
    count, tall, wide = values.shape
    tiles = values[:most]
    note = f"{count} {'filter' if count == 1 else 'filters'} of {tall}x{wide}{_first(most, count)}"
    size = 84 if len(tiles) <= 10 else 56
    return Panel(title, note, tiles, size=size, captions=_numbers(len(tiles)), gap=10)


def _grid_of_filters(values: Array, title: str, most: int, mask: Array | None) -> Panel:
    out, into, tall, wide = values.shape
    grid = values[:most, :most]
    rows, columns = grid.shape[:2]
    return Panel(
        title,
        f"{tall}x{wide}; rows: {out} channels out{_first(most, out)}; columns: {into} in{_first(most, into)}",
        grid.reshape(-1, tall, wide),
        size=40 if columns <= 16 else 24,
        columns=columns,
        gap=4,
        rows_named=_numbers(rows),
        columns_named=_numbers(columns),
        missing=None if mask is None else mask[:rows, :columns, 0, 0].reshape(-1) == 0,
    )


def _matrix(values: Array, title: str) -> Panel:
    out, into = values.shape
    most = _MOST_ROWS
    note = f"rows: {out} outputs{_first(most, out)}; columns: {into} inputs{_first(most, into)}"
    return Panel(title, note, values[None, :most, :most], size=800, columns=1)


def feature_sheet(net: Module | Classifier, image: Any, *, most: int = 32, zoom: int = 1) -> "Image.Image":
    """Draw what each layer makes of one image in prediction mode, in colors around zero, each layer on its own scale.

    Layers that change nothing but the shape are left out.

    Args:
        net: a network, a layer or a classifier.
        image: uint8 (h, w), white ink on black, which a classifier scales by its own scaling, and a module by the
            linear one; or floats (h, w) or (c, h, w) as the network takes them.
        most: how many channels of a layer are drawn.
        zoom: pixels for each pixel, for screens of double density.

    Returns:
        The picture, in RGB.

    Raises:
        ShapeError: `image` is not one image, or none that the network takes.
        OptionError: `most` or `zoom` is below 1.

    >>> from inkgrad.nn import Conv2d
    >>> from inkgrad.random import default_rng
    >>> feature_sheet(Conv2d(1, 6, 5, rng=default_rng(0)), np.eye(28)).mode
    'RGB'
    """
    _check(most, zoom)
    pixels = _one_image(image)
    classes: Sequence[str] = ()
    scaling = linear_scaling()
    if isinstance(net, Classifier):
        classes, scaling, net = net.classes, net.scaling, net.network
    x = scaling.apply(pixels) if pixels.dtype == np.uint8 else pixels
    kinds = {name: type(module).__name__ for name, module in net.named_modules()}
    panels, before = [_image(pixels)], x
    for name, maps in feature_maps(net, x).items():
        if maps.size and maps.ndim > 1 and not np.may_share_memory(maps, before):
            kind = kinds.get(name) or kinds[name.rpartition(" (")[0]]  # the second call and later ones
            title = f"{name} {kind}".lstrip()
            flat = maps.ndim == 2 or maps[0, 0].size == 1
            panels.append(_vector(maps[0], title, classes) if flat else _maps(maps[0], title, most))
        before = maps
    return panel_sheet(panels, footnote=f"{_COLORS} Each layer has its own scale.", zoom=zoom)


def _one_image(image: Any) -> Array:
    """uint8 (1, h, w) or floats (1, c, h, w)."""
    pixels = np.asarray(image.data if isinstance(image, Tensor) else image)
    deep = 2 if pixels.dtype == np.uint8 else 3
    extra = pixels.shape[:-deep] if pixels.ndim > deep else ()
    if not (pixels.dtype == np.uint8 or pixels.dtype.kind == "f") or pixels.ndim < 2 or 0 in pixels.shape:
        raise ShapeError(
            f"an image to look through a network at is uint8 (h, w) or floats (c, h, w), but got {pixels.dtype} "
            f"{pixels.shape}; data.to_digit makes one of any picture"
        )
    if any(length != 1 for length in extra):
        raise ShapeError(
            f"a network is shown with one image at a time, but got {pixels.dtype} {pixels.shape}; "
            f"take one of them, as images[0]"
        )
    sides = pixels.shape[-deep:] if pixels.ndim >= deep else (1, *pixels.shape)
    return np.ascontiguousarray(pixels.reshape(1, *sides))


def _image(pixels: Array) -> Panel:
    tiles = pixels.reshape(-1, *pixels.shape[-2:])
    if tiles.dtype != np.uint8:  # from its darkest to its lightest
        low, high = np.nanmin(tiles), np.nanmax(tiles)
        tiles = np.nan_to_num((tiles - low) / ((high - low) or 1) * 255).clip(0, 255).astype(np.uint8)
    return Panel("image", _shape(tiles[0] if len(tiles) == 1 else tiles), tiles)


def _maps(maps: Array, title: str, most: int) -> Panel:
    """Of maps (c, h, w), or of one (h, w)."""
    tiles = maps.reshape(-1, *maps.shape[-2:])
    note = _shape(maps) + (f" (the first {most} channels shown)" if len(tiles) > most else "")
    return Panel(title, note, tiles[:most])


def _vector(values: Array, title: str, classes: Sequence[str]) -> Panel:
    values = values.reshape(-1)
    count = len(values)
    tiles = values[:_MOST_ROWS, None, None]
    note = f"{count}{_first(_MOST_ROWS, count)}"
    if count > _NAMED:
        return Panel(title, note, tiles, size=11, columns=64, gap=1)
    names = classes if len(classes) == count else _numbers(count)
    return Panel(title, note, tiles, size=28, captions=names)


def _shape(tiles: Array) -> str:
    return "x".join(map(str, tiles.shape))


def _numbers(count: int) -> list[str]:
    return [str(number) for number in range(count)]


def _first(most: int, count: int) -> str:
    return f" (the first {most} shown)" if count > most else ""


def _check(most: int, zoom: int) -> None:
    for name, value in (("most", most), ("zoom", zoom)):
        if value < 1:
            raise OptionError(f"{name} of a picture is {value}, expected at least 1; give a larger number")
