"""Pictures of a training and of an evaluation, as PNG or SVG bytes.

Drawn with matplotlib's object interface in its default style, whatever style the process has set; equal input gives
equal bytes. The colors are Okabe and Ito's, which people with any color vision can tell apart.
"""

import io
import math
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.errors import DataError
from inkgrad.training.metrics import Evaluation

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_confusion", "plot_history", "plot_per_class", "plot_reliability", "render"]

BLUE, SKY, ORANGE, GREEN, GREY = "#0072B2", "#56B4E9", "#D55E00", "#009E73", "#777777"
_STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#999999",
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 11,
    "figure.dpi": 100,
    "font.size": 10,
    "grid.color": "#e6e6e6",
    "legend.frameon": False,
    "savefig.dpi": 144,
    "svg.fonttype": "none",  # text stays text: smaller files, and the viewer's fonts know every script
    "svg.hashsalt": "inkgrad",
}
_MOST_NUMBERS = 30  # classes up to which a confusion matrix has room for its counts
# The style is global to matplotlib, so two threads must not draw at once.
_DRAWING = threading.Lock()

_Series = tuple[NDArray[np.float64], NDArray[np.float64]]


def plot_history(history: Sequence[Mapping[str, Any]]) -> bytes:
    """Draw loss, accuracy and learning rate over the epochs.

    Args:
        history: the lines of a training's history; those of `kind` "epoch" (or of no kind) are drawn, by `epoch`. Drawn
            keys: `loss`, `accuracy`, `validation_loss`, `validation_accuracy`, `learning_rate`; each may be absent
            from some lines or all.

    Returns:
        A PNG.

    Raises:
        DataError: no epoch is in the history.

    >>> plot_history([{"kind": "epoch", "epoch": 1, "loss": 0.31, "accuracy": 0.91}])[1:4]
    b'PNG'
    """
    lines = [line for line in history if line.get("kind", "epoch") == "epoch" and "epoch" in line]
    if not lines:
        raise DataError("the history has no finished epoch, so there is nothing to draw; train at least one epoch")
    return render(lambda figure: _draw_history(figure, lines), (9, 5.2), "png")


def plot_confusion(evaluation: Evaluation) -> bytes:
    """Draw the confusion matrix: hits in blue by recall, errors in orange by count, so that rare errors show.

    Returns:
        An SVG; from 31 classes on without the counts.

    >>> from inkgrad.training.metrics import evaluate_predictions
    >>> b"</svg>" in plot_confusion(evaluate_predictions(np.array([0, 1]), np.eye(2), "ab"))
    True
    """
    side = min(5.5, 2.6 + 0.3 * len(evaluation.classes)) if len(evaluation.classes) <= 12 else 7.5
    return render(lambda figure: _draw_confusion(figure, evaluation), (side, side), "svg")


def plot_reliability(evaluation: Evaluation) -> bytes:
    """Draw the reliability diagram (DeGroot and Fienberg 1983; Guo et al. 2017) above a histogram of confidences.

    Bars below the diagonal are bins in which the classifier was surer than it was right. The histogram has a
    logarithmic scale, because nearly all predictions of a good classifier lie in the last bin.

    Returns:
        An SVG.

    >>> from inkgrad.training.metrics import evaluate_predictions
    >>> b"</svg>" in plot_reliability(evaluate_predictions(np.array([0, 1]), np.eye(2), "ab"))
    True
    """
    return render(lambda figure: _draw_reliability(figure, evaluation), (5.2, 5.5), "svg")


def plot_per_class(evaluation: Evaluation) -> bytes:
    """Draw precision and recall of every class as two dots on a line.

    A class that never occurs has no dot for recall, one that is never predicted none for precision.

    Returns:
        An SVG.

    >>> from inkgrad.training.metrics import evaluate_predictions
    >>> b"</svg>" in plot_per_class(evaluate_predictions(np.array([0, 1]), np.eye(2), "ab"))
    True
    """
    height = 1.4 + 0.28 * len(evaluation.classes)
    return render(lambda figure: _draw_per_class(figure, evaluation), (5.5, height), "svg")


def render(draw: "Callable[[Figure], None]", size: tuple[float, float], form: str) -> bytes:
    """The picture that `draw` draws on a figure of so many inches, as "png" or "svg"."""
    import matplotlib.style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    nothing = {"Date": None, "Creator": None} if form == "svg" else {"Software": None}
    buffer = io.BytesIO()
    with _DRAWING, matplotlib.style.context(["default", _STYLE]), warnings.catch_warnings():
        # Class names of any script are measured with a font that may lack their glyphs; the viewer's has them.
        warnings.filterwarnings("ignore", r"Glyph .* missing from")
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(figure)
        draw(figure)
        figure.savefig(buffer, format=form, metadata=nothing)
    return buffer.getvalue()


def _draw_history(figure: "Figure", lines: list[Mapping[str, Any]]) -> None:
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    grid = figure.add_gridspec(2, 2, height_ratios=[3, 1])
    loss, accuracy = figure.add_subplot(grid[0, 0]), figure.add_subplot(grid[0, 1])
    rate = figure.add_subplot(grid[1, :])
    values = _curves(loss, lines, {"loss": "training", "validation_loss": "validation"})
    loss.set_title("Loss")
    if values.size and values.min() > 0 and values.max() > 10 * values.min():
        loss.set_yscale("log")
    _curves(accuracy, lines, {"accuracy": "training", "validation_accuracy": "validation"})
    accuracy.set_title("Accuracy")
    accuracy.set_ylim(top=min(accuracy.get_ylim()[1], 1.01))
    accuracy.yaxis.set_major_formatter(PercentFormatter(1.0))
    rates = _curves(rate, lines, {"learning_rate": ""})
    rate.set_title("Learning rate")
    if rates.size:
        rate.set_ylim(0, 1.15 * max(rates.max(), 1e-12))
    epochs = [line["epoch"] for line in lines]
    margin = max(0.5, 0.03 * (max(epochs) - min(epochs)))
    for axes in (loss, accuracy, rate):
        axes.set_xlim(min(epochs) - margin, max(epochs) + margin)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.set_xlabel("epoch")


def _curves(axes: "Axes", lines: list[Mapping[str, Any]], keys: Mapping[str, str]) -> NDArray[np.float64]:
    """Draw the keys that the history has; all values drawn are returned."""
    drawn = []
    for (key, label), color, dash in zip(keys.items(), (BLUE, ORANGE), ("-", "--"), strict=False):
        epochs, values = _series(lines, key)
        if values.size:
            mark = "o" if values.size <= 30 else ""
            axes.plot(
                epochs, values, dash, color=color, marker=mark, markersize=5, label=f"{label}, last {values[-1]:.4g}"
            )
            drawn.append(values)
    if not drawn:
        axes.text(0.5, 0.5, "not recorded", transform=axes.transAxes, ha="center", va="center", color=GREY)
        axes.set_yticks([])
        return np.zeros(0)
    if len(keys) > 1:
        axes.legend()
    return np.concatenate(drawn)


def _series(lines: list[Mapping[str, Any]], key: str) -> _Series:
    """The epochs that have a finite value of `key`, and the values."""
    pairs = [(line["epoch"], line[key]) for line in lines if line.get(key) is not None and math.isfinite(line[key])]
    table = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _draw_confusion(figure: "Figure", evaluation: Evaluation) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    counts, k = evaluation.confusion, len(evaluation.classes)
    errors = np.where(np.eye(k, dtype=bool), 0, counts)
    # The root keeps a single error visible beside a pair that is confused a hundred times.
    strength = np.sqrt(errors / max(1, errors.max()))
    hits = LinearSegmentedColormap.from_list("hits", ["white", SKY])
    misses = LinearSegmentedColormap.from_list("misses", ["white", ORANGE])
    colors = np.where(np.eye(k, dtype=bool)[..., None], hits(np.diag(evaluation.recall)), misses(0.9 * strength))
    colors[errors > 0] = misses(0.15 + 0.75 * strength[errors > 0])
    axes = figure.add_subplot()
    axes.imshow(colors, interpolation="nearest")
    axes.grid(False)
    axes.spines[:].set_visible(True)
    if k <= _MOST_NUMBERS:
        size = min(10, 110 / (k + 1))
        for row, column in np.argwhere(counts).tolist():
            axes.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=size)
    _name_classes(axes, evaluation.classes)
    axes.set(xlabel="predicted", ylabel="true")


def _name_classes(axes: "Axes", classes: Sequence[str]) -> None:
    names = [_printable(name) for name in classes]
    size = min(10, 400 / (len(names) + 1))
    turn = 0 if max(map(len, names)) <= 2 else 90
    # A class may be called "$5$", which is no formula.
    axes.set_xticks(range(len(names)), names, fontsize=size, rotation=turn, parse_math=False)
    axes.set_yticks(range(len(names)), names, fontsize=size, parse_math=False)


def _printable(name: str) -> str:
    """`name` without characters that XML forbids, and not too long for an axis."""
    clean = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name)
    return clean if len(clean) <= 20 else clean[:19] + "…"


def _draw_reliability(figure: "Figure", evaluation: Evaluation) -> None:
    from matplotlib.ticker import PercentFormatter

    table = evaluation.reliability
    grid = figure.add_gridspec(2, 1, height_ratios=[3, 1])
    upper = figure.add_subplot(grid[0])
    lower = figure.add_subplot(grid[1], sharex=upper)
    filled = table.count > 0
    left, width = table.edges[:-1][filled], np.diff(table.edges)[filled]
    bar: dict[str, Any] = {"align": "edge", "edgecolor": "white", "linewidth": 0.8}
    upper.bar(left, table.accuracy[filled], width, color=SKY, label="accuracy", **bar)
    upper.plot(
        table.confidence[filled], table.accuracy[filled], "o", color=ORANGE, markersize=4, label="at mean confidence"
    )
    upper.plot([0, 1], [0, 1], "--", color="#222222", linewidth=1, label="perfectly calibrated")
    upper.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="accuracy")
    figure.legend(*upper.get_legend_handles_labels(), loc="outside upper center", ncols=3, columnspacing=1)
    upper.tick_params(labelbottom=False)
    upper.yaxis.set_major_formatter(PercentFormatter(1.0))
    lower.bar(left, table.count[filled], width, color=GREEN, **bar)
    lower.set_yscale("log")
    lower.set_ylim(bottom=0.7)
    lower.set(xlabel="confidence in the predicted class", ylabel="images")
    lower.xaxis.set_major_formatter(PercentFormatter(1.0))


def _draw_per_class(figure: "Figure", evaluation: Evaluation) -> None:
    from matplotlib.ticker import PercentFormatter

    rows = np.arange(len(evaluation.classes))
    precision = np.where(evaluation.confusion.sum(axis=0) > 0, evaluation.precision, np.nan)
    recall = np.where(evaluation.support > 0, evaluation.recall, np.nan)
    axes = figure.add_subplot()
    axes.hlines(rows, np.fmin(precision, recall), np.fmax(precision, recall), color="#bbbbbb", linewidth=2)
    # Where the two are equal, both marks show.
    axes.plot(precision, rows, "o", color=BLUE, markersize=9, label="precision")
    axes.plot(recall, rows, "D", color=ORANGE, markersize=5, label="recall")
    axes.set_yticks(rows, [_printable(name) for name in evaluation.classes], parse_math=False)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    low = min(0.95, float(np.nanmin(np.fmin(precision, recall))))
    margin = 0.04 * (1 - low)
    axes.set_xlim(low - margin, 1 + margin)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=2)
