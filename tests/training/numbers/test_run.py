"""A training of a reader: batches of their seed and number, resumption bit for bit, signs that it guesses."""

from dataclasses import fields, replace

import numpy as np
import pytest

from inkgrad.data import Amount, Dataset, load_digits
from inkgrad.data.numbers import Composer, Hands, Paper, digits_of, written_as
from inkgrad.errors import CheckpointError, OptionError
from inkgrad.models.rows import build_rows, load_rows
from inkgrad.random import default_rng
from inkgrad.training.numbers import (
    STEPS,
    NumberData,
    NumberRun,
    NumberSettings,
    Real,
    Stream,
    guessed_signs,
    saved_number_settings,
)

CLEAN = Paper(**dict.fromkeys((f.name for f in fields(Paper)), 0.0))
SMALL = NumberSettings(steps=6, batch_size=2, width=2, real_from=0.5, seed=3)


@pytest.fixture(scope="module")
def data():
    composer = Composer([Hands(load_digits()[0])])
    rng = default_rng(0)
    made = [composer.compose(rng, text=text) for text in ("12", "305", "77", "2048")]
    amounts = [Amount(f"{i}.png", m.gray, m.text, m.boxes) for i, m in enumerate(made) if not m.light_ink]
    return NumberData(composer, amounts, [])


def test_a_batch_is_of_its_seed_and_number(data):
    one, other = (Stream(data.composer, batch_size=3, seed=5) for _ in range(2))
    list(one.batches(0, 2))
    (images, told), (again, same) = one.batch(7), other.batch(7)
    np.testing.assert_array_equal(images, again)
    np.testing.assert_array_equal(told, same)
    labels = told[:, STEPS:]
    assert images.shape == (3, 1, 40, 384)
    assert images.min() >= 0 and images.max() <= 1
    assert (np.diff((labels < 0).astype(int)) >= 0).all()  # nothing behind the first -1
    assert not np.array_equal(one.batch(8)[0], images)
    for (a, b), number in zip(one.batches(3, 6), range(3, 6), strict=True):
        np.testing.assert_array_equal(a, other.batch(number)[0])
        np.testing.assert_array_equal(b, other.batch(number)[1])


@pytest.mark.slow
def test_guides_are_labels_at_their_places(data):
    """Of digits of which only the fives have ink, ink is where a five is told to stand."""
    train, _ = load_digits()
    fives = np.where((train.labels == 5)[:, None, None], train.images, 0)
    fives[train.labels != 5, 8:20, 8:20] = 1  # next to nothing
    composer = Composer([Hands(Dataset(fives, train.labels, "fives"))], paper=CLEAN)
    images, told = Stream(composer, batch_size=16, seed=2).batch(0)
    guides = told[:, :STEPS]
    seen = images[:, 0].max(axis=1).reshape(len(images), STEPS, 4).max(axis=2)
    assert (guides == 6).sum() > 10
    assert (seen[guides == 6] > 0.5).mean() > 0.95
    assert (seen[(guides > 0) & (guides < 11) & (guides != 6)] > 0.5).mean() < 0.4
    _, told = Stream(data.composer, batch_size=16, seed=2).batch(0)
    guides, labels = told[:, :STEPS], told[:, STEPS:]
    for guide, label in zip(guides, labels, strict=True):
        rest = iter(label)
        assert all(one in rest for one in guide[guide > 0])  # in their order
    assert (guides > 0).sum() > 0.9 * (labels > 0).sum()  # of two in one step the other is told


def test_real_rows_are_among_the_others(data):
    stream = Stream(data.composer, batch_size=8, seed=5)
    stream.real, stream.share = [Real(data.train[0], "1.2")], 1.0
    _, told = stream.batch(0)
    assert all(set(written_as(row[row > 0]).split("1.2")) == {""} for row in told[:, STEPS:])
    assert all(set(written_as(row[row > 0]).split("12")) == {""} for row in told[:, :STEPS])  # nobody knows of signs


def test_a_resumed_run_ends_as_an_undisturbed_one(data, tmp_path):
    told = []
    whole = NumberRun(tmp_path / "whole", SMALL, data, tell=told.append)
    whole.train()
    assert told[-1]["step"] == 6
    assert saved_number_settings(tmp_path / "whole") == SMALL
    stopped = NumberRun(tmp_path / "stopped", SMALL, data)
    stopped.folder.mkdir()
    stop_at(stopped, 4)
    with pytest.raises(KeyboardInterrupt):
        stopped.train()
    assert not stopped.model.exists()
    again = NumberRun(tmp_path / "stopped", SMALL, data, resume=True)
    assert again.done == 4
    again.train()
    for (name, one), (_, other) in zip(whole.net.named_state(), again.net.named_state(), strict=True):
        np.testing.assert_array_equal(one.data, other.data, err_msg=name)
    images = default_rng(0).random((1, 1, 40, 128), dtype=np.float32)
    loaded, header = load_rows(again.model)
    np.testing.assert_array_equal(loaded(images).data, load_rows(whole.model)[0](images).data)
    assert header["training"]["settings"]["steps"] == 6


def stop_at(run, step):
    """Press Ctrl-C behind a step."""
    import _thread

    def pressed(images, labels, call=run.step):
        loss = call(images, labels)
        if run.done + 1 == step:
            _thread.interrupt_main()
        return loss

    run.step = pressed


def test_other_settings_and_folders(data, tmp_path):
    run = NumberRun(tmp_path, SMALL, data)
    run.train()
    with pytest.raises(OptionError, match="holds a run already; continue it with --resume"):
        NumberRun(tmp_path, SMALL, data)
    with pytest.raises(CheckpointError, match="has another seed; resume it with its own settings"):
        NumberRun(tmp_path, replace(SMALL, seed=4), data, resume=True)
    with pytest.raises(CheckpointError, match="no run to resume"):
        saved_number_settings(tmp_path / "nothing")
    with pytest.raises(OptionError, match="steps must be at least 1, but is 0"):
        NumberSettings(steps=0)


def test_a_run_starts_from_the_weights_of_another(data, tmp_path):
    first = NumberRun(tmp_path / "first", replace(SMALL, amounts=False), replace(data, train=[]))
    first.train()
    assert not first.stream.real
    settings = replace(SMALL, start=str(first.model), seed=9)
    second = NumberRun(tmp_path / "second", settings, data)
    for (name, one), (_, other) in zip(load_rows(first.model)[0].named_state(), second.net.named_state(), strict=True):
        np.testing.assert_array_equal(one.data, other.data, err_msg=name)
    second.train()
    assert second.stream.real
    first.model.unlink()
    NumberRun(tmp_path / "second", settings, data, resume=True)  # what it began with is not needed any more
    NumberRun(tmp_path / "third", replace(SMALL, width=3), data).train()
    with pytest.raises(OptionError, match="is 3 wide, but the network to train 2; give --width 3"):
        NumberRun(tmp_path / "fourth", replace(SMALL, start=str(tmp_path / "third" / "model.safetensors")), data)
    with pytest.raises(OptionError, match="needs no fold left out"):
        NumberSettings(amounts=False, fold=1)


def test_guessed_signs_keep_the_digits(data):
    net = build_rows(rng=default_rng(0), width=2).eval()
    for row in guessed_signs(net, [Real(amount, "") for amount in data.train]):
        assert digits_of(row.text) == row.amount.digits
