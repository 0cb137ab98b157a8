"""An evaluation as one HTML page that needs nothing but itself."""

import base64
import html
import io
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.errors import ShapeError
from inkgrad.files import write_atomically
from inkgrad.training.metrics import Evaluation
from inkgrad.training.plots import plot_confusion, plot_per_class, plot_reliability

__all__ = ["write_report"]

_MOST_TILES = 200
_MOST_PAIRS = 12

_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --card: #f6f8fa;
  --wrong: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171b; --ink: #e8eaed; --soft: #a3abb5; --line: #3a414a;
  --card: #1f242a; --wrong: #ff9a8f; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 1.25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; }
p { max-width: 44rem; margin: .5rem 0 1rem; } b { color: var(--wrong); }
.soft, figcaption, caption { color: var(--soft); font-size: .9rem; text-align: left; }
caption { padding-bottom: .4rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 0; }
.figures div { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem; }
.figures dt { color: var(--soft); font-size: .9rem; } .figures dd { margin: 0; }
.figures .value { font-size: 1.6rem; font-weight: 600; line-height: 1.3; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr)); gap: 1.5rem; }
figure { margin: 0; } figcaption { margin-top: .4rem; } .scroll { overflow-x: auto; }
.plot { display: block; max-width: 100%; height: auto; background: #fff; border: 1px solid var(--line);
  border-radius: .5rem; padding: .5rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } .wide { width: 100%; }
th, td { padding: .3rem .75rem; border-bottom: 1px solid var(--line); text-align: right; }
thead th { color: var(--soft); font-size: .9rem; } th:first-child { text-align: left; }
.wide th[scope=row] { overflow-wrap: anywhere; min-width: 5rem; vertical-align: top; }
.details td { text-align: left; overflow-wrap: anywhere; width: 80%; }
details { margin-top: 1rem; } summary { cursor: pointer; } details .scroll { margin-top: .75rem; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(5.5rem, 1fr)); gap: .75rem; padding: 0;
  list-style: none; }
.gallery li { line-height: 1.35; overflow-wrap: anywhere; }
.gallery img { display: block; width: 100%; height: auto; image-rendering: pixelated; border: 1px solid var(--line);
  border-radius: .25rem; }
@media print { .gallery li, figure, tr { break-inside: avoid; } }
"""


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
) -> Path:
    """Write what a classifier did as one page: figures, plots and the images that it got wrong.

    The page is one HTML file with its pictures inside. It loads nothing, runs no script and follows the reader's choice
    of light or dark. Of the images predicted wrongly, it shows the 200 most confident ones.

    Args:
        path: where the page goes.
        evaluation: of these labels and probabilities.
        title: the heading.
        images: uint8 (n, 28, 28), white ink on black.
        labels: int64 (n,).
        probabilities: floats (n, k).
        classes: k names.
        details: what to say about model, data, split, date, command, in this order.

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
        _details(details),
    ]
    return write_atomically(path, _page(title, sections))


def _page(title: str, sections: Iterable[str]) -> str:
    heading, body = _escape(title), "\n".join(section for section in sections if section)
    # The policy makes the browser itself refuse whatever a name smuggled past the escaping.
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{heading}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{heading}</h1>
{body}
</main>
</body>
</html>
"""


def _headline(evaluation: Evaluation) -> str:
    n, (low, high) = evaluation.n, evaluation.interval
    wrong = n - evaluation.correct
    share = _percent_by(n)
    entries = [
        ("Accuracy", share(evaluation.accuracy), f"95% interval {share(low)} to {share(high)}"),
        ("Images", f"{n:,}", f"{evaluation.correct:,} predicted correctly"),
        ("Wrong", f"{wrong:,}", f"{share(wrong / n)} of the images"),
        ("Calibration error", f"{100 * evaluation.calibration_error:.2f}%", "mean gap between confidence and accuracy"),
        ("Log loss", f"{evaluation.log_loss:.4f}", "nats an image"),
    ]
    cells = "".join(
        f'<div><dt>{name}</dt><dd class="value">{_escape(value)}</dd><dd class="soft">{_escape(note)}</dd></div>'
        for name, value, note in entries
    )
    return f'<dl class="figures">{cells}</dl>'


def _per_class(evaluation: Evaluation) -> str:
    share = _percent_by(max(100, int(evaluation.support.max())))
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
    table = _table(
        "wide",
        "Precision: of the images read as a class, how many are one. "
        "Recall: of the images of a class, how many were read as it.",
        ("Class", "Precision", "Recall", "Images"),
        rows,
    )
    plot = _plot(plot_per_class(evaluation), "Precision and recall of every class; the figures are in the table.", "")
    return f'<section><h2>Each class</h2><div class="pair"><div class="scroll">{table}</div>{plot}</div></section>'


def _confusions(evaluation: Evaluation) -> str:
    names, pairs = evaluation.classes, evaluation.most_confused
    plot = _plot(
        plot_confusion(evaluation),
        "Confusion matrix; the counts are in the table below.",
        "Rows are the true classes, columns the predicted ones. Blue: correct; orange: wrong, darker if more often.",
    )
    listed = (
        _table(
            "wide",
            _most("Confused pairs of classes, most often first", len(pairs), _MOST_PAIRS),
            ("True", "Read as", "Images"),
            [(names[pair.true], names[pair.predicted], f"{pair.times:,}") for pair in pairs[:_MOST_PAIRS]],
        )
        if pairs
        else "<p>No image was predicted wrongly.</p>"
    )
    whole = _table(
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
    plot = _plot(
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
    return (
        f"<section><h2>Predicted wrongly</h2><p>{_most('Images, the most confident first', len(wrong), _MOST_TILES)} "
        f"Each with its true class → <b>what it was read as</b>, the confidence in that, and its number in the data, "
        f'from 0.</p><ul class="gallery">{tiles}</ul></section>'
    )


def _tile(image: NDArray[np.uint8], index: int, true: str, predicted: str, confidence: float) -> str:
    said = _percent(confidence, 1)
    alt = _escape(f"Image {index}: {true}, read as {predicted}, {said} sure")
    note = f"{_escape(said)}, no.&nbsp;{index}"
    return (
        f'<li><img src="data:image/png;base64,{_base64(_png(image))}" alt="{alt}" width="28" height="28">'
        f'{_escape(true)} → <b>{_escape(predicted)}</b><br><span class="soft">{note}</span></li>'
    )


def _details(details: Mapping[str, str]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{_escape(name)}</th><td>{_escape(value)}</td></tr>' for name, value in details.items()
    )
    return f'<section><h2>Details</h2><table class="wide details">{rows}</table></section>' if rows else ""


def _table(style: str, caption: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of plain texts; the first cell of a row is its heading."""
    head = "".join(f'<th scope="col">{_escape(text)}</th>' for text in header)
    body = "".join(
        f'<tr><th scope="row">{_escape(first)}</th>{"".join(f"<td>{_escape(text)}</td>" for text in rest)}</tr>'
        for first, *rest in rows
    )
    return (
        f'<table class="{style}"><caption>{_escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _plot(svg: bytes, alt: str, caption: str) -> str:
    # As an image and not inline: the identifiers inside one SVG cannot collide with those of the next.
    picture = f'<img class="plot" src="data:image/svg+xml;base64,{_base64(svg)}" alt="{_escape(alt)}">'
    return f"<figure>{picture}{f'<figcaption>{_escape(caption)}</figcaption>' if caption else ''}</figure>"


def _most(what: str, count: int, shown: int) -> str:
    rest = f"; the first {shown} are shown, {count - shown:,} more are not" if count > shown else ""
    return f"{what}: {count:,}{rest}."


def _percent_by(n: int) -> Callable[[float], str]:
    """Writes shares of n images with as many decimals as one image is worth: one of 10,000 is 0.01%."""
    return lambda share: _percent(share, max(0, math.ceil(math.log10(n)) - 2))


def _percent(share: float, decimals: int) -> str:
    """Rounded, but never up to all or down to none."""
    step = 10.0**-decimals
    text = f"{100 * share:.{decimals}f}"
    if share < 1 and float(text) >= 100:
        return f">{100 - step:.{decimals}f}%"
    if share > 0 and float(text) == 0:
        return f"<{step:.{decimals}f}%"
    return f"{text}%"


def _escape(text: str) -> str:
    # Names of files may hold bytes that are no UTF-8, as lone surrogates; a page may not.
    return html.escape(text.encode("utf-8", "replace").decode().replace("\0", "?"))


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _png(image: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


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
