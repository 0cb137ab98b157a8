"""The model card of a run: what the network is, how it came to be, what it can do and what it cannot."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from inkgrad.data import DIGITS, HANDS, NONDIGITS, PRINTED, TRAINED, Dataset, mixture_parts
from inkgrad.models import NAMED, Ensemble, Network
from inkgrad.training.command import train_command
from inkgrad.training.metrics import Evaluation
from inkgrad.training.recipes import RECIPE_FILE
from inkgrad.training.settings import DECAYING, MOMENTUM, MUON_MOMENTUM, WEIGHT_DECAY, Settings

__all__ = ["CARD_FILE", "model_card"]

CARD_FILE = "MODEL_CARD.md"

_USE = """## Use

The commands with a file or `.` in them are meant for the folder of this card.

```sh
inkgrad classify --model . picture.png
```

```python
import inkgrad as ig

classifier = ig.models.load(".")
print(classifier.classify("picture.png").label)
```

Pictures of any size and color are brought to the form of the training images first. Arrays must have that form
themselves: uint8 (n, 28, 28), white ink on black."""

_SOURCES = {
    "mnist": "MNIST: Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, *Gradient-based learning applied to document "
    "recognition*, Proceedings of the IEEE 86 (1998). License of the data: Creative Commons Attribution-ShareAlike "
    "3.0, Y. LeCun and C. Cortes. Written in the United States, by employees of the Census Bureau and by high-school "
    "students.",
    "digits": "The test part of E. Alpaydin and C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI Machine "
    "Learning Repository (1998), as scikit-learn ships it, enlarged from 8x8. License of the data: Creative Commons "
    "Attribution 4.0. Written by 13 people.",
}


def model_card(
    settings: Settings,
    train: Dataset,
    net: Network | Ensemble,
    *,
    file_bytes: int,
    histories: Sequence[Sequence[Mapping[str, Any]]],
    evaluation: Evaluation | None,
    machine: Mapping[str, Any],
) -> str:
    """The card as Markdown, after M. Mitchell et al., "Model cards for model reporting" (2019, arXiv 1810.03993).

    Args:
        settings: how it was trained.
        train: what it was trained on.
        net: what was trained; for an ensemble all of it.
        file_bytes: the size of the model file.
        histories: of each network one record an epoch, at least one.
        evaluation: on the validation images, None if there are none.
        machine: `processor`, `cores`, `threads` and the versions of `inkgrad`, `python`, `numpy`, `scipy`, `numba`.
    """
    parts = [
        f"# {_name(settings)} on {train.name}",
        f"A neural network that reads {_what(train.known_classes)}, trained by inkgrad {machine['inkgrad']}.",
        _network(settings, net, file_bytes),
        _USE,
        _measured(evaluation, histories, settings),
        _limits(settings, train),
        _data(settings, train),
        _training(settings, histories, machine),
        _again(settings),
    ]
    return "\n\n".join(parts) + "\n"


def _wrapped(text: str, begin: str = "") -> str:
    return textwrap.fill(
        text,
        120,
        initial_indent=begin,
        subsequent_indent=" " * len(begin),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _table(rows: Mapping[str, str]) -> str:
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())])


def _name(settings: Settings) -> str:
    return settings.model if settings.members == 1 else f"An ensemble of {settings.members} {settings.model}"


def _network(settings: Settings, net: Network | Ensemble, file_bytes: int) -> str:
    one = net.members[0] if isinstance(net, Ensemble) else net
    options = ", ".join(f"{name} {value}" for name, value in one.options.items())
    named = NAMED[settings.model]
    summary = f": {named.summary}" if named.options.items() <= one.options.items() else ""  # of its usual options
    together = (
        {} if settings.members == 1 else {"members": f"{settings.members}; the mean of their probabilities counts"}
    )
    views = (
        {}
        if len(settings.ways()) == 1
        else {"views of each image": f"{len(settings.ways())}; the mean of the probabilities counts"}
    )
    size = f"{file_bytes / 1e6:.2f} MB" if file_bytes >= 1e5 else f"{file_bytes / 1e3:.1f} kB"
    return _table(
        {
            "network": f"`{settings.model}`{summary}",
            "built with": options,
            "trained parameters": f"{net.parameter_count():,}",
            **together,
            **views,
            "file": f"`model.safetensors`, {size}",
        }
    )


def _what(classes: Sequence[str]) -> str:
    return "single handwritten digits" if tuple(classes) == DIGITS else f"images of {len(classes)} classes"


def _range(values: Sequence[float], words: str) -> str:
    """One figure, or the least and the most of several."""
    texts = list(dict.fromkeys(format(value, words) for value in (min(values), max(values))))
    return " to ".join(texts)


def _measured(
    evaluation: Evaluation | None, histories: Sequence[Sequence[Mapping[str, Any]]], settings: Settings
) -> str:
    correct = _range([history[-1]["accuracy"] for history in histories], ".2%")
    learned = f"{correct} of the training images were read correctly in the last epoch, while the "
    learned += "weights changed" + (" and the images were altered at random." if _augmented(settings) else ".")
    unseen = "The test images were not looked at: `inkgrad evaluate .` measures on them; do that once, at the very end."
    if evaluation is None:
        figures = "No images were kept aside for validation, so nothing is known of unseen ones yet."
        return "\n\n".join(["## Measured", figures, _wrapped(learned), _wrapped(unseen)])
    low, high = evaluation.interval
    figures = _table(
        {
            "validation images": f"{evaluation.n:,}, of them misread: {evaluation.n - evaluation.correct:,}",
            "accuracy": f"{evaluation.accuracy:.2%}, 95 % interval {low:.2%} to {high:.2%} (Wilson)",
            "expected calibration error": f"{evaluation.calibration_error:.2%}",
            "log loss": f"{evaluation.log_loss:.4f}",
            "most often misread": _misread(evaluation),
        }
    )
    chosen = "The validation images were not learned from. Where settings were chosen by their figures, these flatter."
    return "\n\n".join(["## Measured", figures, _wrapped(learned), _wrapped(f"{chosen} {unseen}")])


def _misread(evaluation: Evaluation) -> str:
    names = evaluation.classes
    pairs = [
        f"{names[true]} as {names[read]} ({'once' if times == 1 else f'{times} times'})"
        for true, read, times in evaluation.most_confused[:3]
    ]
    return ", ".join(pairs) or "none"


def _limits(settings: Settings, train: Dataset) -> str:
    classes = train.known_classes
    known = "the digits 0 to 9" if tuple(classes) == DIGITS else f"its classes ({', '.join(classes)})"
    random = (
        "It has seen images changed at random, as listed below" if _augmented(settings) else "It has seen no others"
    )
    refuses = (
        "It has learned from drawn examples what is no digit, and refuses what is below a threshold of its digit "
        "probability. What resembles none of the examples may be read as a digit all the same."
        if train.rejects
        else f"It knows {known} and nothing else. It cannot refuse: a letter, two digits in one picture, a scribble or "
        "a photograph gets one of these answers too, often with high confidence. Only a picture without any ink is "
        "answered with none."
    )
    points = [
        "It is meant for one character at a time: 28x28 pixels, white ink on black, upright and placed as the training "
        f"images are. {random}.",
        refuses,
        "People and countries write differently. Habits that are rare in its data (a crossed 7, for one that learned "
        "American digits) may be read worse than the figures above say. So may printed digits, broken strokes, and "
        "pictures with lines or other marks.",
        "A confidence is no guarantee. Where a misread digit does harm, a person has to check.",
    ]
    return "\n".join(["## What it is for, and what not", "", *(_wrapped(point, "- ") for point in points)])


def _data(settings: Settings, train: Dataset) -> str:
    rows = {
        "source": f"`{settings.data}`, of it `{train.name}`",
        "images": f"{len(train):,}, 28x28",
        "fingerprint (SHA-256)": f"`{train.fingerprint()}`",
        "normalization of each image": ", ".join(settings.normalize) or "none",
        **({} if settings.pca is None else {"principal components kept": f"{settings.pca}"}),
        "scaling of pixels": settings.scaling,
    }
    if settings.calibrate:
        rows["calibration"] = "a temperature" + (" and a threshold" if train.rejects else "")
        rows["calibration"] += ", fitted to the validation images, by which the figures above flatter"
    return "\n\n".join(["## Data", _table(rows), *(_wrapped(source) for source in _sources(settings.data))])


def _sources(data: str) -> list[str]:
    """Where each part of the data comes from, and its terms."""
    parts = mixture_parts(data)
    return [_source(part.name, alone=len(parts) == 1) for part in parts]


def _source(name: str, *, alone: bool) -> str:
    if name in HANDS:
        hand = HANDS[name]
        return f"`{name}`: {hand.digits}; {hand.origin}. Terms: {hand.terms}."
    if name == NONDIGITS:
        return f"`{name}`: drawn by inkgrad from a fixed seed, as a class behind the digits: {', '.join(TRAINED)}."
    if name == PRINTED:
        return f"`{name}`: digits of free fonts (DejaVu, STIX, Computer Modern, Hershey), drawn from a fixed seed."
    known = _SOURCES.get(name, "Origin, license and writers of these data are not known to inkgrad.")
    return known if alone or name in _SOURCES else f"`{name}`: {known}"


def _training(settings: Settings, histories: Sequence[Sequence[Mapping[str, Any]]], machine: Mapping[str, Any]) -> str:
    epochs = _range([history[-1]["epoch"] for history in histories], "g")
    steps = _range([history[-1]["step"] for history in histories], ",")
    seconds = sum(record["seconds"] for history in histories for record in history)
    took = f"{seconds / 60:.1f} minutes" if seconds >= 60 else f"{seconds:.1f} seconds"
    versions = ", ".join(f"{name} {machine[name]}" for name in ("inkgrad", "python", "numpy", "scipy", "numba"))
    threads = f"{machine['threads']} thread{'' if machine['threads'] == 1 else 's'}"
    rows = {
        "length": f"{epochs} epoch{'' if epochs == '1' else 's'}, {steps} steps of {settings.batch_size} images"
        + (" for each member" if settings.members > 1 else ""),
        "loss": _loss(settings),
        "optimizer": _optimizer(settings),
        "schedule of the learning rate": _schedule(settings),
        "average of the weights": "none" if settings.average is None else f"decay {settings.average:g}",
        "augmentation": ", ".join(f"{k} {v:g}" for k, v in settings.augmentation.as_json().items()) or "none",
        **({"mixup": f"alpha {settings.mixup:g}"} if settings.mixup else {}),
        "seed": str(settings.seed) + (f" to {settings.seed + settings.members - 1}" if settings.members > 1 else ""),
        "time": f"{took} of training alone",
        "machine": f"{machine['processor']}, {machine['cores']} cores, {threads}",
        "versions": versions,
    }
    path = "history.png" if settings.members == 1 else "member-0/history.png"
    of = "" if settings.members == 1 else " of the first member"
    picture = f"![loss, accuracy and learning rate{of} over the epochs]({path})"
    return "\n\n".join(["## Training", _table(rows), picture])


def _loss(settings: Settings) -> str:
    name = str(getattr(NAMED[settings.model].loss, "__name__", "loss")).replace("_", " ")
    extras = {"label smoothing": settings.label_smoothing, "L1": settings.l1, "L2": settings.l2}
    if settings.teacher is not None:
        name = f"{settings.teacher_weight:g} of it distillation from `{settings.teacher}` at temperature "
        name += f"{settings.temperature:g}, the rest cross entropy"
    return ", ".join([name, *(f"{name} {value:g}" for name, value in extras.items() if value)])


def _optimizer(settings: Settings) -> str:
    momentum = {"momentum": MOMENTUM, "nesterov": MOMENTUM, "muon": MUON_MOMENTUM}.get(settings.optimizer)
    decay = WEIGHT_DECAY if settings.optimizer in DECAYING else None
    extras = {
        "momentum": momentum if settings.momentum is None else settings.momentum,
        "weight decay": decay if settings.weight_decay is None else settings.weight_decay,
        "gradient clipped to norm": settings.clip_norm,
        "components of the gradient clipped to": settings.clip_value,
    }
    named = [f"{name} {value:g}" for name, value in extras.items() if value is not None]
    return ", ".join([settings.optimizer, f"learning rate {settings.rate:g}", *named])


def _schedule(settings: Settings) -> str:
    rise = f", after a rise over {settings.warmup_steps:,} steps" if settings.warmup_steps else ""
    return f"{settings.schedule}{rise}"


def _augmented(settings: Settings) -> bool:
    return bool(settings.augmentation.as_json()) or settings.mixup > 0


def _again(settings: Settings) -> str:
    rest = (
        f"`inkgrad train --recipe {RECIPE_FILE}` does the same from this folder. Either makes a run in a folder of its "
        "own, below the current one. With the same versions and number of threads, on the same kind of machine, the "
        "weights are the same, bit for bit."
    )
    return f"## Make it again\n\n```sh\n{train_command(settings)}\n```\n\n{_wrapped(rest)}"
