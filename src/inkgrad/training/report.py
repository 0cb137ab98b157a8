"""An evaluation as one HTML page that needs nothing but itself."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.sheet import png_bytes
from inkgrad.errors import ShapeError
from inkgrad.files import write_atomically
from inkgrad.models import Classifier, feature_sheet, filter_sheet
from inkgrad.nn import Conv2d
from inkgrad.training import report_page as parts
from inkgrad.training.metrics import Evaluation
from inkgrad.training.plots import plot_confusion, plot_per_class, plot_reliability

__all__ = ["write_report"]

_MOST_TILES = 200
_MOST_PAIRS = 12
_MOST_CHANNELS = 16

_FILTERS = "The weights of the first convolution. Each filter gives large values where the image looks like it."


def write_report(
    path: str | os.PathLike[str],
    evaluation: Evaluation,
    *,
    title: str,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    probabilities: NDArray[np.floating[Any]],
    classes: Sequence[str],
    details: Mapping[str, str],
    classifier: Classifier | None = None,
) -> Path:
    """Write what a classifier did as one page: figures, plots and the images that it got wrong.

    The page is one HTML file with its pictures inside. It loads nothing, runs no script and follows the reader's choice
    of light or dark. Of the images predicted wrongly, it shows the 200 most confident ones. Of a network with
    convolutions, it shows the filters of the first one, and what each layer makes of an image that was read correctly.

    Args:
        path: where the page goes.
        evaluation: of these labels and probabilities.
        title: the heading.
        images: uint8 (n, 28, 28), white ink on black.
        labels: int64 (n,).
        probabilities: floats (n, k).
        classes: k names.
        details: what to say about model, data, split, date, command, in this order.
        classifier: whose layers are shown; by default none are.

    Returns:
        The path written.

    Raises:
        ShapeError: the arrays or names belong to another number of images or classes than the evaluation.
        StorageError: the page cannot be written; a page that was there before stays.

    >>> import tempfile
    >>> from inkgrad.training.metrics import evaluate_predictions
    >>> labels, probabilities = np.array([0, 1]), np.array([[0.9, 0.1], [0.7, 0.3]])
    >>> images = np.zeros((2, 28, 28), np.uint8)
    >>> evaluation = evaluate_predictions(labels, probabilities, "ab")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = write_report(Path(folder) / "report.html", evaluation, title="Two", images=images, labels=labels,
    ...                         probabilities=probabilities, classes="ab", details={"Split": "test"}).read_text()
    >>> "<h1>Two</h1>" in page
    True
    """
    _check(evaluation, images, labels, probabilities, classes)
    sections = [
        _headline(evaluation),
        _per_class(evaluation),
        _confusions(evaluation),
        _calibration(evaluation),
        _gallery(images, labels, probabilities, classes),
        "" if classifier is None else _layers(classifier, images, labels, probabilities),
        parts.details(details),
    ]
    return write_atomically(path, parts.page(title, sections))


def _headline(evaluation: Evaluation) -> str:
    n, (low, high) = evaluation.n, evaluation.interval
    wrong = n - evaluation.correct
    share = parts.percent_by(n)
    entries = [
        ("Accuracy", share(evaluation.accuracy), f"95% interval {share(low)} to {share(high)}"),
        ("Images", f"{n:,}", f"{evaluation.correct:,} predicted correctly"),
        ("Wrong", f"{wrong:,}", f"{share(wrong / n)} of the images"),
        ("Calibration error", f"{100 * evaluation.calibration_error:.2f}%", "mean gap between confidence and accuracy"),
        ("Log loss", f"{evaluation.log_loss:.4f}", "nats an image"),
    ]
    return parts.figures(entries)


def _per_class(evaluation: Evaluation) -> str:
    share = parts.percent_by(max(100, int(evaluation.support.max())))
    predicted = evaluation.confusion.sum(axis=0)
    rows = [
        (
            name,
            share(evaluation.precision[index]) if predicted[index] else "–",
            share(evaluation.recall[index]) if evaluation.support[index] else "–",
            f"{evaluation.support[index]:,}",
        )
        for index, name in enumerate(evaluation.classes)
    ]
    table = parts.table(
        "wide",
        "Precision: of the images read as a class, how many are one. "
        "Recall: of the images of a class, how many were read as it.",
        ("Class", "Precision", "Recall", "Images"),
        rows,
    )
    plot = parts.plot(
        plot_per_class(evaluation), "Precision and recall of every class; the figures are in the table.", ""
    )
    return f'<section><h2>Each class</h2><div class="pair"><div class="scroll">{table}</div>{plot}</div></section>'


def _confusions(evaluation: Evaluation) -> str:
    names, pairs = evaluation.classes, evaluation.most_confused
    plot = parts.plot(
        plot_confusion(evaluation),
        "Confusion matrix; the counts are in the table below.",
        "Rows are the true classes, columns the predicted ones. Blue: correct; orange: wrong, darker if more often.",
    )
    listed = (
        parts.table(
            "wide",
            parts.most("Confused pairs of classes, most often first", len(pairs), _MOST_PAIRS),
            ("True", "Read as", "Images"),
            [(names[pair.true], names[pair.predicted], f"{pair.times:,}") for pair in pairs[:_MOST_PAIRS]],
        )
        if pairs
        else "<p>No image was predicted wrongly.</p>"
    )
    whole = parts.table(
        "",
        "Rows: true class. Columns: predicted class.",
        ("true ↓ read as →", *names),
        [(name, *map(str, row)) for name, row in zip(names, evaluation.confusion.tolist(), strict=True)],
    )
    return (
        f'<section><h2>Confusions</h2><div class="pair">{plot}<div class="scroll">{listed}</div></div>'
        f'<details><summary>Confusion matrix as a table</summary><div class="scroll">{whole}</div></details></section>'
    )


def _calibration(evaluation: Evaluation) -> str:
    plot = parts.plot(
        plot_reliability(evaluation),
        "Reliability diagram: accuracy in each bin of the confidence, above how many images are in the bin.",
        "A bar below the diagonal: the classifier was surer than it was right. Above: it was right more often than it "
        "claimed. Bars over few images say little.",
    )
    return f"<section><h2>Calibration</h2>{plot}</section>"


def _gallery(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    probabilities: NDArray[np.floating[Any]],
    classes: Sequence[str],
) -> str:
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    if not wrong.size:
        return "<section><h2>Predicted wrongly</h2><p>None.</p></section>"
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:_MOST_TILES]
    tiles = "".join(
        _tile(images[i], int(i), classes[labels[i]], classes[predicted[i]], float(confidence[i])) for i in worst
    )
    count = parts.most("Images, the most confident first", len(wrong), _MOST_TILES)
    return (
        f"<section><h2>Predicted wrongly</h2><p>{count} Each with its true class → <b>what it was read as</b>, "
        f'the confidence in that, and its number in the data, from 0.</p><ul class="gallery">{tiles}</ul></section>'
    )


def _tile(image: NDArray[np.uint8], index: int, true: str, predicted: str, confidence: float) -> str:
    from PIL import Image

    said = parts.percent(confidence, 1)
    alt = parts.escape(f"Image {index}: {true}, read as {predicted}, {said} sure")
    note = f"{parts.escape(said)}, no.&nbsp;{index}"
    png = parts.base64_of(png_bytes(Image.fromarray(np.ascontiguousarray(image))))
    return (
        f'<li><img src="data:image/png;base64,{png}" alt="{alt}" width="28" height="28">'
        f'{parts.escape(true)} → <b>{parts.escape(predicted)}</b><br><span class="soft">{note}</span></li>'
    )


def _layers(
    classifier: Classifier,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    probabilities: NDArray[np.floating[Any]],
) -> str:
    first = next((found for found in classifier.network.named_modules() if isinstance(found[1], Conv2d)), None)
    if first is None:
        return ""
    name, layer = first
    shown = int((probabilities.argmax(axis=1) == labels).argmax())  # the first correct one; without any, the first
    class_of_it = classifier.classes[labels[shown]]
    filters = filter_sheet(layer, title=f"{name} Conv2d", most=_MOST_CHANNELS, zoom=2)
    maps = feature_sheet(classifier, images[shown], most=_MOST_CHANNELS, zoom=2)
    return (
        "<section><h2>What the layers see</h2>"
        + parts.picture(png_bytes(filters), filters.width // 2, "Filters of the first convolution.", _FILTERS)
        + parts.picture(
            png_bytes(maps),
            maps.width // 2,
            f"What each layer makes of image {shown}, {class_of_it}.",
            f"What each layer makes of image no. {shown}, {class_of_it}. The last one gives the logits of the classes.",
        )
        + "</section>"
    )


def _check(
    evaluation: Evaluation,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    probabilities: NDArray[np.floating[Any]],
    classes: Sequence[str],
) -> None:
    n, k = evaluation.n, len(evaluation.classes)
    if images.dtype != np.uint8 or images.ndim != 3:
        raise ShapeError(
            f"images of a report are {images.dtype} {images.shape}, expected uint8 (n, 28, 28); convert them"
        )
    if not (len(images) == n and labels.shape == (n,) and probabilities.shape == (n, k) and len(classes) == k):
        raise ShapeError(
            f"the evaluation is of {n} images and {k} classes, but with it came {len(images)} images, labels "
            f"{labels.shape}, probabilities {probabilities.shape} and {len(classes)} names; give those it was made of"
        )
