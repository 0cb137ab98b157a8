"""The plots of the model cards of the weights that ship."""

from collections.abc import Mapping, Sequence
from typing import Any

import harness
from matplotlib import rc_context
from matplotlib.figure import Figure

IMAGES = harness.HERE.parent / "docs" / "images"
STYLE = {"svg.hashsalt": "inkgrad", "font.size": 9}
COLORS = {"mnist validation": "#0072b2", "mnist test": "#56b4e9", "hwd1000": "#d55e00", "semeion": "#009e73"}


def draw(cases: Mapping[str, Mapping[str, Any]]) -> None:
    """Both plots of results/shipped.json, a panel for each of the weights."""
    with rc_context(STYLE):
        _save(_reliability(cases), "shipped-reliability.svg")
        _save(_robustness(cases), "shipped-robustness.svg")


def _reliability(cases: Mapping[str, Mapping[str, Any]]) -> Figure:
    """The share that is right beside the mean confidence, bin by bin; the larger a mark, the more digits."""
    figure = Figure(figsize=(4.2 * len(cases), 4.2), layout="constrained")
    for panel, (name, found) in enumerate(cases.items()):
        axes = figure.add_subplot(1, len(cases), panel + 1)
        axes.plot([0, 1], [0, 1], color="0.7", linewidth=1, zorder=0)
        for dataset, bins in found["reliability"].items():
            total = sum(bins["count"])
            sizes = [8 + 300 * (count / total) ** 0.5 / 4 for count in bins["count"]]
            color = COLORS[dataset]
            axes.plot(bins["confidence"], bins["accuracy"], color=color, linewidth=0.8, alpha=0.5)
            label = f"{dataset}, error {bins['error']:.2f} %"
            axes.scatter(bins["confidence"], bins["accuracy"], s=sizes, color=color, alpha=0.8, label=label)
        axes.set(title=f"{name}", xlabel="confidence", ylabel="share that is right", xlim=(0, 1.03), ylim=(-0.03, 1.03))
        axes.legend(loc="upper left", fontsize=8, markerscale=0.5)
    return figure


def draw_reliability(bins: Sequence[tuple[float, float, int]], what: str, name: str) -> None:
    """Of bins of equal size the mean confidence and the share that is right, with a 95 % interval (Wilson 1927)."""
    with rc_context(STYLE):
        figure = Figure(figsize=(4.2, 4.2), layout="constrained")
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color="0.7", linewidth=1, zorder=0)
        for confidence, right, count in bins:
            middle = (right + 1.92 / count) / (1 + 3.84 / count)
            reach = 1.96 / (1 + 3.84 / count) * (right * (1 - right) / count + 0.96 / count**2) ** 0.5
            axes.plot([confidence] * 2, [middle - reach, middle + reach], color="#0072b2", linewidth=1)
        axes.scatter([one[0] for one in bins], [one[1] for one in bins], color="#0072b2", zorder=2)
        axes.set(title=what, xlabel="confidence", ylabel="share that is right", xlim=(0, 1.03), ylim=(0, 1.03))
        _save(figure, name)


def _robustness(cases: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Points that each change costs."""
    names = list(next(iter(cases.values()))["changed"])[1:]
    figure = Figure(figsize=(7.5, 0.34 * len(names) + 1), layout="constrained")
    axes = figure.add_subplot()
    height = 0.8 / len(cases)
    for index, (name, found) in enumerate(cases.items()):
        lost = [found["changed"]["as they are"] - found["changed"][change] for change in names]
        places = [place + (index - (len(cases) - 1) / 2) * height for place in range(len(names))]
        axes.barh(places, lost, height, label=name, color=("#0072b2", "#e69f00")[index % 2])
    axes.axvline(1.5, color="0.4", linewidth=1, linestyle="--")
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel("points of accuracy lost on the last 10,000 training digits of MNIST; dashed: 1.5")
    axes.legend()
    return figure


def _save(figure: Figure, name: str) -> None:
    figure.savefig(IMAGES / name, metadata={"Date": None})
