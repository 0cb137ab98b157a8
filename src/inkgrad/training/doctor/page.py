"""A diagnosis as files: a page for people, and JSON."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import Images
from inkgrad.data.sheet import png_bytes
from inkgrad.files import plain, write_atomically
from inkgrad.training import report_page as parts
from inkgrad.training.doctor.diagnosis import Diagnosis
from inkgrad.training.doctor.findings import Finding
from inkgrad.training.doctor.labels import Suspect
from inkgrad.training.plots import plot_history

__all__ = ["JSON_FILE", "PAGE_FILE", "layer_rows", "write_diagnosis"]

PAGE_FILE = "doctor.html"
JSON_FILE = "doctor.json"

HEADER = ("Layer", "Units", "Output", "Gradient", "Update/weight", "Dead", "Saturated")

_OPTION = re.compile(r"--[a-z][a-z-]*(?: [a-z0-9.=,-]*[a-z0-9])?")
_QUOTED = re.compile(r"`([^`]+)`")
_CODE = '<code style="white-space: nowrap">{}</code>'

_LAYERS = (
    "Output: root mean square. Gradient: norm of the loss's gradient for the layer's output, over the digits. "
    "Update/weight: how far the next step moves the weights, by their size. Dead: units that are 0 for every digit. "
    "Saturated: outputs where sigmoid or tanh is flat."
)


def write_diagnosis(
    folder: str | os.PathLike[str],
    diagnosis: Diagnosis,
    *,
    title: str,
    images: Images,
    history: Sequence[Mapping[str, Any]] = (),
) -> tuple[Path, Path]:
    """Write `doctor.html` and `doctor.json`.

    Args:
        folder: where they go; made if missing.
        diagnosis: what was found.
        title: the heading of the page.
        images: uint8 (n, h, w), all training images, for the gallery of the suspects.
        history: one record an epoch, for the curves.

    Returns:
        Both paths, the page's first.

    Raises:
        StorageError: a file cannot be written.
    """
    sections = [
        _figures(diagnosis),
        _findings(diagnosis),
        _course(history),
        _layers(diagnosis),
        _gallery(diagnosis, images),
        _looked_for(diagnosis),
    ]
    page = write_atomically(Path(folder) / PAGE_FILE, parts.page(title, sections))
    text = json.dumps(plain(diagnosis.as_json()), indent=2) + "\n"
    return page, write_atomically(Path(folder) / JSON_FILE, text)


def layer_rows(diagnosis: Diagnosis) -> list[tuple[str, ...]]:
    """The table of the layers, as text; see `HEADER`."""
    ratios = {} if diagnosis.update is None else diagnosis.update.ratios
    rows: list[tuple[str, ...]] = []
    for layer in diagnosis.layers:
        own = [ratio for name, ratio in ratios.items() if name.rpartition(".")[0] == layer.name]
        rows.append(
            (
                layer.title,
                f"{layer.units:,}",
                f"{layer.output:.2g}",
                f"{layer.gradient:.2g}",
                f"{max(own):.1g}" if own else "",
                "" if layer.dead is None else f"{layer.dead:.0%}",
                "" if layer.saturated is None else f"{layer.saturated:.0%}",
            )
        )
    return rows


def _figures(diagnosis: Diagnosis) -> str:
    count = len(diagnosis.findings)
    entries = [("Findings", str(count), f"the worst: {diagnosis.worst}" if count else "nothing found")]
    entries.append(("Epoch", f"{diagnosis.epoch:.4g}", f"{diagnosis.step:,} steps"))
    for name, reading in (("Training", diagnosis.training), ("Validation", diagnosis.validation)):
        if reading is not None:
            share = parts.percent_by(len(reading))(reading.accuracy)
            entries.append((f"{name} digits", share, f"of {len(reading):,} read correctly"))
    return parts.figures(entries)


def _findings(diagnosis: Diagnosis) -> str:
    if not diagnosis.findings:
        return "<section><h2>Findings</h2><p>Nothing found.</p></section>"
    return f"<section><h2>Findings</h2>{''.join(map(_finding, diagnosis.findings))}</section>"


def _finding(finding: Finding) -> str:
    name = finding.name.replace("-", " ").capitalize()
    advice = _QUOTED.sub(_CODE.format(r"\1"), _OPTION.sub(_CODE.format(r"\g<0>"), parts.escape(finding.advice)))
    severity = f"<b>{finding.severity}</b>" if finding.severity == "serious" else finding.severity
    return (
        f"<h3>{parts.escape(name)} ({severity})</h3>"
        f'<p class="soft">{parts.escape(finding.meaning[:1].upper() + finding.meaning[1:])}.</p>'
        f"<p><i>Measured:</i> {parts.escape(finding.measured)}</p>"
        f"<p><i>To do:</i> {advice}</p>"
    )


def _course(history: Sequence[Mapping[str, Any]]) -> str:
    if len(history) < 2:
        return ""
    words = "Loss, accuracy and learning rate over the epochs."
    return f"<section><h2>Course</h2>{parts.picture(plot_history(history), 900, words, words)}</section>"


def _layers(diagnosis: Diagnosis) -> str:
    if not diagnosis.layers:
        return ""
    rate = (
        ""
        if diagnosis.update is None
        else f" The update is one at a learning rate of {diagnosis.update.learning_rate:g}."
    )
    rows = layer_rows(diagnosis)
    kept = [column for column in range(len(HEADER)) if any(row[column] for row in rows)]
    shown = [[row[column] for column in kept] for row in rows]
    table = parts.table("wide", _LAYERS + rate, [HEADER[column] for column in kept], shown)
    return f'<section><h2>Layer by layer</h2><div class="scroll">{table}</div></section>'


def _gallery(diagnosis: Diagnosis, images: Images) -> str:
    suspects, trusted = diagnosis.suspects, diagnosis.unjudged.get("suspect-labels")
    if not suspects:
        return ""
    if trusted is not None:
        suspects = tuple(replace(suspect, doubted=False) for suspect in suspects)
    doubted = sum(suspect.doubted for suspect in suspects)
    tiles = "".join(_tile(images[suspect.index], suspect) for suspect in suspects)
    others = " Those that are not red are hard to read, or few of their kind." if doubted else ""
    if trusted is not None:
        others = f" No label is doubted, as {parts.escape(trusted)}."
    return (
        "<section><h2>Training digits with the highest loss</h2>"
        f"<p>Each with its label → what it was read as, in <b>red</b> where the label is to be doubted ({doubted} of "
        f"these {len(suspects)}), its loss, and its number in the training set, from 0.{others}</p>"
        f'<ul class="gallery">{tiles}</ul></section>'
    )


def _tile(image: NDArray[np.uint8], suspect: Suspect) -> str:
    from PIL import Image

    png = parts.base64_of(png_bytes(Image.fromarray(np.ascontiguousarray(image))))
    read = parts.escape(suspect.predicted)
    alt = parts.escape(f"Digit {suspect.index}, labeled {suspect.label}, read as {suspect.predicted}")
    return (
        f'<li><img src="data:image/png;base64,{png}" alt="{alt}" width="28" height="28">'
        f"{parts.escape(suspect.label)} → {f'<b>{read}</b>' if suspect.doubted else read}<br>"
        f'<span class="soft">loss&nbsp;{suspect.loss:.2f}<br>no.&nbsp;{suspect.index}</span></li>'
    )


def _looked_for(diagnosis: Diagnosis) -> str:
    found = set(diagnosis.names)
    rows = [
        (name, "found" if name in found else diagnosis.unjudged.get(name, "not found")) for name in
        [*diagnosis.judged, *diagnosis.unjudged]
    ]  # fmt: skip
    cells = "".join(
        f'<tr><th scope="row">{parts.escape(name)}</th><td>{parts.escape(result)}</td></tr>' for name, result in rows
    )
    return (
        f'<section><h2>What was looked for</h2><table class="wide details">{cells}</table>'
        f'<p class="soft">Examined: {parts.escape(diagnosis.source)}.</p></section>'
    )
