"""From what people said to data, and from data to a network that has learned it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import inkgrad as ig
from inkgrad.data import Dataset, load, load_digits
from inkgrad.errors import OptionError
from inkgrad.feedback import Entry
from inkgrad.feedback.corrections import Corrections, corrections
from inkgrad.feedback.tuning import fine_tune, measured
from pictures import png


def said(images: np.ndarray, correct: str | None) -> list[Entry]:
    return [Entry(png(image), correct) for image in images]


@pytest.fixture(scope="module")
def upside_down() -> list[Entry]:
    """Sevens as nobody has shown them to the network."""
    digits = load_digits()[0]
    return said(digits.images[digits.labels == 7][:, ::-1], "7")


def test_what_was_said_last_of_a_picture_counts_and_what_is_no_digit_is_left_out() -> None:
    images = load_digits()[0].images[:6]
    entries = [
        *said(images[:2], "1"),
        *said(images[:1], "2"),
        *said(images[2:3], None),
        *said(images[3:4], "12"),
        *said(np.zeros((1, 28, 28), np.uint8), "3"),
        Entry(b"no picture", "4"),
    ]
    found = corrections(entries, rejects=True)
    labels = {
        image.tobytes(): int(label)
        for part in (found.learned, found.held_out)
        for image, label in zip(part.images, part.labels, strict=True)
    }
    assert labels == {images[0].tobytes(): 2, images[1].tobytes(): 1, images[2].tobytes(): 10}
    assert found.unused == 4
    without = corrections(entries, rejects=False)
    assert (len(without.learned) + len(without.held_out), without.unused) == (2, 5)


def test_a_picture_stays_held_out_when_others_come(upside_down: list[Entry]) -> None:
    some, all_ = corrections(upside_down[::2], rejects=False), corrections(upside_down, rejects=False)
    held, learned = ({i.tobytes() for i in part.images} for part in (all_.held_out, all_.learned))
    assert {image.tobytes() for image in some.held_out.images} <= held
    assert not held & learned and 0.1 < len(held) / len(upside_down) < 0.4


def test_a_network_learns_what_is_new_and_forgets_little(upside_down: list[Entry]) -> None:
    tiny = ig.models.pretrained("tiny")
    state = {name: member.data.copy() for name, member in tiny.network.named_state()}
    found = corrections(upside_down, rejects=tiny.refuses)
    splits = load("digits+nondigits")
    told: list[float] = []
    tuned = fine_tune(tiny, found, splits.train, learning_rate=0.003, tell=lambda epoch, loss: told.append(loss))
    before, after = measured(tiny, found.held_out), measured(tuned, found.held_out)
    assert before.accuracy is not None and before.accuracy < 0.3
    assert after.accuracy is not None and after.accuracy > 0.6
    known, kept = measured(tiny, splits.validation), measured(tuned, splits.validation)
    assert kept.right > 0.9 * known.right
    assert len(told) == 10 and told[-1] < told[0]
    last = max(int(name.split(".")[1]) for name in state)
    for name, member in tiny.network.named_state():
        assert np.array_equal(member.data, state[name])
    for name, member in tuned.network.named_state():
        assert np.array_equal(member.data, state[name]) == (not name.startswith(f"layers.{last}.")), name
    again = fine_tune(tiny, found, splits.train, learning_rate=0.003)
    images = found.held_out.images  # compiled kernels were loaded in between, which round otherwise
    np.testing.assert_allclose(again.predict_logits(images), tuned.predict_logits(images), atol=1e-3)


def test_what_cannot_be_learned_is_said(upside_down: list[Entry], monkeypatch: pytest.MonkeyPatch) -> None:
    tiny, digits = ig.models.pretrained("tiny"), load("digits").train
    found = corrections(upside_down[:8], rejects=True)
    nothing = Corrections(_none(found.learned), found.held_out, 0)
    for wrong, words in (({"epochs": 0}, "epochs"), ({"batch_size": 0}, "batch-size")):
        changed: dict[str, Any] = wrong
        with pytest.raises(OptionError, match=words):
            fine_tune(tiny, found, digits, **changed)
    with pytest.raises(OptionError, match="no corrections"):
        fine_tune(tiny, nothing, digits)
    joined = replace(tiny, network=ig.models.join([tiny, tiny]).network)
    with pytest.raises(OptionError, match="no last layer"):
        fine_tune(joined, found, digits)


def _none(data: Dataset) -> Dataset:
    return data[:0]
