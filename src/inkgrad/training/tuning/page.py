"""A tuning as one HTML page that needs nothing but itself."""

import os
from collections.abc import Mapping
from pathlib import Path

from inkgrad.files import write_atomically
from inkgrad.training import report_page as parts
from inkgrad.training.tuning.plots import plot_importance, plot_parameters, plot_trials, words
from inkgrad.training.tuning.result import TrialRecord, Tuned
from inkgrad.training.tuning.space import Space

__all__ = ["write_tuning_report"]

_MOST_TRIALS = 200


def write_tuning_report(path: str | os.PathLike[str], tuned: Tuned, space: Space, details: Mapping[str, str]) -> Path:
    """Write what a tuning found as one page: the best trial, the trials, and what matters.

    Args:
        path: where the page goes.
        tuned: what was found.
        space: what was searched.
        details: what to say about data and settings, in this order.

    Returns:
        The path written.

    Raises:
        StorageError: the page cannot be written; a page that was there before stays.
    """
    sections = [_headline(tuned), _best(tuned), _history(tuned), _importance(tuned)]
    sections += [_parameters(tuned, space), _table(tuned, space), parts.details(details)]
    return write_atomically(path, parts.page(f"Search of hyper-parameters: {space.base.model}", sections))


def _said(tuned: Tuned, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.2%}" if tuned.metric == "accuracy" else f"{value:.4f}"


def _headline(tuned: Tuned) -> str:
    best = tuned.best
    entries = [
        ("Best", _said(tuned, best.value if best else None), f"validation {tuned.metric}, last epoch"),
        ("Trials", f"{len(tuned.trials):,}", f"{tuned.count('complete'):,} complete"),
        ("Pruned", f"{tuned.count('pruned'):,}", "ended early as worse than others"),
        ("Diverged", f"{tuned.count('diverged'):,}", "the loss ran away"),
    ]
    return parts.figures(entries)


def _best(tuned: Tuned) -> str:
    best = tuned.best
    if best is None:
        return "<section><h2>Best trial</h2><p>No trial is complete.</p></section>"
    rows = [(field, words(value)) for field, value in best.params.items()]
    caption = f"Trial {best.number}, as a recipe in best.toml."
    note = (
        "It was chosen by this figure, so the figure flatters it. Train with other seeds to see how much is chance, "
        "and measure on the test part once, at the end."
    )
    table = parts.table("", caption, ("Setting", "Value"), rows)
    return f"<section><h2>Best trial</h2>{table}<p>{note}</p></section>"


def _history(tuned: Tuned) -> str:
    plot = parts.plot(
        plot_trials(tuned),
        f"Validation {tuned.metric} of every trial, and the best so far; the figures are in the table.",
        "Complete trials at their last epoch, others at the epoch that they ended with.",
    )
    return f"<section><h2>Trials</h2>{plot}</section>" if _drawable(tuned) else ""


def _drawable(tuned: Tuned) -> bool:
    return any(trial.value is not None for trial in tuned.trials)


def _importance(tuned: Tuned) -> str:
    if not tuned.importance:
        return (
            "<section><h2>Importance</h2><p>It takes at least four complete trials that differ to tell which setting "
            "matters.</p></section>"
        )
    shares = ", ".join(f"{name} {share:.0%}" for name, share in tuned.importance.items())
    plot = parts.plot(
        plot_importance(tuned),
        f"Importance of each setting: {shares}.",
        "PED-ANOVA (Watanabe et al. 2023): how far the values of the best tenth of the trials differ from those of all "
        "of them, within the ranges searched. Few trials tell little.",
    )
    return f"<section><h2>Importance</h2>{plot}</section>"


def _parameters(tuned: Tuned, space: Space) -> str:
    if not _drawable(tuned):
        return ""
    plot = parts.plot(
        plot_parameters(tuned, space),
        f"Validation {tuned.metric} against each setting that was searched; the figures are in the table.",
        "Dots: complete. Crosses: ended early. Darker: later.",
    )
    return f"<section><h2>Each setting</h2>{plot}</section>"


def _table(tuned: Tuned, space: Space) -> str:
    sign = -1 if tuned.metric == "accuracy" else 1

    def place(trial: TrialRecord) -> tuple[bool, bool, float]:
        return trial.state != "complete", trial.value is None, sign * (trial.value or 0.0)

    fields = list(space.fields)
    rows = [
        (
            str(trial.number),
            _said(tuned, trial.value),
            trial.state,
            str(len(trial.epochs)),
            *(words(trial.params[field]) if field in trial.params else "–" for field in fields),
        )
        for trial in sorted(tuned.trials, key=place)[:_MOST_TRIALS]
    ]
    caption = parts.most("Trials, the best first", len(tuned.trials), _MOST_TRIALS)
    table = parts.table("wide", caption, ("Trial", tuned.metric.capitalize(), "State", "Epochs", *fields), rows)
    return f'<section><h2>All trials</h2><div class="scroll">{table}</div></section>'
