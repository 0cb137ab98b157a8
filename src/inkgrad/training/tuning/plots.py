"""Pictures of a tuning, as SVG bytes."""

from typing import TYPE_CHECKING, Any

import numpy as np

from inkgrad.training.plots import BLUE, GREY, ORANGE, SKY, render
from inkgrad.training.tuning.result import Tuned
from inkgrad.training.tuning.space import Choice, Space

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_importance", "plot_parameters", "plot_trials", "words"]

_LEAST_ERROR = 1e-4
_TICKS = (0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.997, 0.998, 0.999, 0.9995, 0.9999)


def plot_trials(tuned: Tuned) -> bytes:
    """Draw the metric of every trial in the order in which they began, and the best one so far."""
    return render(lambda figure: _draw_trials(figure, tuned), (9, 3.6), "svg")


def plot_importance(tuned: Tuned) -> bytes:
    """Draw each field's share as a bar."""
    return render(lambda figure: _draw_importance(figure, tuned), (6.5, 1 + 0.34 * len(tuned.importance)), "svg")


def plot_parameters(tuned: Tuned, space: Space) -> bytes:
    """Draw the metric against each field that was searched; the darker, the later the trial."""
    rows, columns = _grid(len(space.fields))
    return render(lambda figure: _draw_parameters(figure, tuned, space), (3.2 * max(columns, 2), 2.9 * rows), "svg")


def _grid(panels: int) -> tuple[int, int]:
    """Rows and columns for so many panels."""
    columns = 2 if panels == 4 else min(panels, 3)
    return -(-panels // columns), columns


def _draw_trials(figure: "Figure", tuned: Tuned) -> None:
    axes = figure.add_subplot()
    numbers, values = _points(tuned, "complete")
    if numbers:
        better = np.maximum if tuned.metric == "accuracy" else np.minimum
        best = better.accumulate(np.array(values, np.float64))
        axes.step([*numbers, len(tuned.trials) - 1], [*best, best[-1]], where="post", color=BLUE, label="best so far")
    axes.plot(numbers, values, "o", color=BLUE, markersize=5, label="complete")
    for state, color in (("pruned", GREY), ("diverged", ORANGE)):
        ended = _points(tuned, state)
        if ended[0]:
            axes.plot(*ended, "x", color=color, label=state)
    axes.set(xlabel="trial", ylabel=f"validation {tuned.metric}")
    _scale(axes, tuned)
    _whole(axes)
    axes.legend(loc="best")


def _draw_importance(figure: "Figure", tuned: Tuned) -> None:
    from matplotlib.ticker import PercentFormatter

    axes = figure.add_subplot()
    names, shares = list(tuned.importance)[::-1], list(tuned.importance.values())[::-1]
    bars = axes.barh(names, shares, color=SKY)
    axes.bar_label(bars, labels=[f"{share:.0%}" for share in shares], padding=3)
    axes.set_xlim(0, max(shares) * 1.15)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.grid(axis="y", visible=False)


def _draw_parameters(figure: "Figure", tuned: Tuned, space: Space) -> None:
    panels = figure.subplots(*_grid(len(space.fields)), squeeze=False, sharey=True)
    for axes, field in zip(panels.flat, space.fields, strict=False):
        _draw_parameter(axes, tuned, space, field)
    for axes in panels.flat[len(space.fields) :]:
        axes.set_visible(False)
    for row in panels:
        row[0].set_ylabel(f"validation {tuned.metric}")
    _scale(panels[0, 0], tuned)


def _draw_parameter(axes: "Axes", tuned: Tuned, space: Space, field: str) -> None:
    domain = space.fields[field]
    shown = [t for t in tuned.trials if t.value is not None and field in t.params and t.state != "running"]
    places: list[Any] = [t.params[field] for t in shown]
    if isinstance(domain, Choice):
        labels = [words(value) for value in domain.values]
        places = [domain.values.index(value) for value in places]
        long = max(map(len, labels)) * len(labels) > 24
        axes.set_xticks(range(len(labels)), labels, rotation=30 if long else 0, ha="right" if long else "center")
        axes.set_xlim(-0.5, len(labels) - 0.5)
    elif domain.log:
        axes.set_xscale("log")
    for complete, mark in ((True, "o"), (False, "x")):
        kept = [i for i, t in enumerate(shown) if (t.state == "complete") is complete]
        late = [shown[i].number for i in kept]
        style: dict[str, Any] = {"c": late, "cmap": "Blues", "vmin": -len(tuned.trials) / 2, "vmax": len(tuned.trials)}
        style |= {"edgecolors": BLUE, "linewidths": 0.6} if complete else {}
        axes.scatter([places[i] for i in kept], [shown[i].value or 0.0 for i in kept], marker=mark, **style)
    axes.set_xlabel(field)


def _points(tuned: Tuned, state: str) -> tuple[list[int], list[float]]:
    """Numbers and values of the trials that ended so and have a value."""
    pairs = [(t.number, t.value) for t in tuned.trials if t.state == state and t.value is not None]
    return [number for number, _ in pairs], [value for _, value in pairs]


def _scale(axes: "Axes", tuned: Tuned) -> None:
    """By the logarithm of the error, or of the loss, where the trials differ much: else one bad one hides the rest."""
    from matplotlib.ticker import FixedLocator, PercentFormatter

    values = np.array([trial.value for trial in tuned.trials if trial.value is not None])
    if tuned.metric == "loss":
        if values.size and 0 < 3 * values.min() < values.max():
            axes.set_yscale("log")
        return
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    errors = np.maximum(1 - values, _LEAST_ERROR)
    if values.size and errors.max() > 3 * errors.min():
        axes.set_yscale("function", functions=(_nines, lambda place: 1 - 10.0**-place))
        axes.yaxis.set_major_locator(FixedLocator(_TICKS))
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        low, high = _nines(values.min()), _nines(values.max())
        margin = 0.06 * (high - low)
        axes.set_ylim(1 - 10.0 ** (margin - low), 1 - 10.0 ** (-margin - high))


def _nines(accuracy: Any) -> Any:
    """How many nines an accuracy has, -log10 of its error."""
    return -np.log10(np.maximum(1 - accuracy, _LEAST_ERROR))


def _whole(axes: "Axes") -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def words(value: Any) -> str:
    """A value as people read it."""
    if isinstance(value, tuple):
        return "+".join(map(str, value)) or "none"
    if isinstance(value, float):
        return f"{value:.4g}"
    return "none" if value is None else str(value)
