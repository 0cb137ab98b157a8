"""A learning-rate range test as a picture."""

from typing import TYPE_CHECKING

from inkgrad.training.plots import BLUE, GREEN, GREY, ORANGE, render
from inkgrad.training.range_test import RangeTest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_range_test"]


def plot_range_test(found: RangeTest) -> bytes:
    """Draw the loss against the learning rate, with the steepest descent, the minimum and the suggestion.

    Returns:
        A PNG.

    >>> import numpy as np
    >>> rates, losses = np.geomspace(1e-3, 1.0, 4), np.array([2.0, 1.0, 0.5, 3.0])
    >>> plot_range_test(RangeTest(rates, losses, losses, True, steepest=0.01, minimum=0.1))[1:4]
    b'PNG'
    """
    return render(lambda figure: _draw(figure, found), (8, 4.2), "png")


def _draw(figure: "Figure", found: RangeTest) -> None:
    axes = figure.add_subplot()
    axes.plot(found.rates, found.losses, color=GREY, linewidth=0.8, alpha=0.6, label="loss of each step")
    axes.plot(found.rates, found.smoothed, color=BLUE, linewidth=2, label="smoothed")
    for rate, color, mark, name in (
        (found.steepest, GREEN, "v", "steepest descent"),
        (found.minimum, ORANGE, "o", "minimum"),
    ):
        height = found.smoothed[abs(found.rates - rate).argmin()]
        axes.plot(rate, height, mark, color=color, markersize=8, label=f"{name}, {rate:.2g}")
    axes.axvline(found.suggestion, color="#222222", linestyle="--", label=f"suggested, {found.suggestion:.2g}")
    top, bottom = float(found.smoothed.max()), float(found.losses.min())
    axes.set_ylim(bottom - 0.05 * (top - bottom), top + 0.15 * (top - bottom))  # single losses may leave the picture
    axes.set_xscale("log")
    axes.set(xlabel="learning rate", ylabel="loss")
    axes.legend(loc="lower left")
