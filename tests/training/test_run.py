"""Settings, and the folder of a run."""

import json

import numpy as np
import pytest

import inkgrad as ig
from inkgrad import optim
from inkgrad.autodiff.check_report import GradientReport
from inkgrad.data import Splits
from inkgrad.errors import CheckpointError, DivergenceError, OptionError
from inkgrad.models import MODEL_FILE
from inkgrad.training import CHECKPOINT_FILE, OPTIMIZERS, SCHEDULES, Callback, Run, Settings, assemble, saved_settings
from inkgrad.training.gradcheck import check_network
from inkgrad.training.progress import Progress
from inkgrad.training.quickstart import SAMPLES, write_samples

SMALL = {"model": "two-layer", "hidden": (8,), "batch_size": 50}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_optimizer_with_every_schedule(small, optimizer, schedule):
    settings = Settings(**SMALL, optimizer=optimizer, schedule=schedule, epochs=2, warmup_steps=2)
    made = assemble(settings, small).step.optimizer
    assert made.learning_rate == pytest.approx(OPTIMIZERS[optimizer] * (0.02 if schedule == "one-cycle" else 0.5))
    if schedule in ("cosine", "one-cycle"):  # warm-up and the rest end together, at 0
        assert made.schedule(8) == pytest.approx(0, abs=1e-12)
        assert made.schedule(7) > 0


def test_the_presets_of_sgd(small):
    kinds = {name: assemble(Settings(**SMALL, optimizer=name), small).step.optimizer for name in OPTIMIZERS}
    assert [(kinds[n].momentum, kinds[n].nesterov) for n in ("sgd", "momentum", "nesterov")] == [
        (0, False),
        (0.9, False),
        (0.9, True),
    ]
    assert type(kinds["adamw"]) is optim.AdamW


def test_all_settings_arrive(small):
    settings = Settings(
        **SMALL, l1=0.1, l2=0.2, clip_norm=3.0, average=0.9, scaling="standard", optimizer="adamw", weight_decay=0.3
    )
    trainer = assemble(settings, small)
    assert [p.strength for p in trainer.step.penalties] == [0.1, 0.2]
    assert trainer.step.optimizer.clip.limit == 3
    assert trainer.step.optimizer.weight_decay == 0.3
    assert trainer.step.average.decay == 0.9
    assert trainer.loader.scaling == ig.data.standardization(small.train)
    assert Settings.from_json(json.loads(json.dumps(settings.as_json()))) == settings


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"optimizer": "lion"}, "optimizer 'lion' is not known; there are sgd, momentum"),
        ({"model": "lenet"}, "model 'lenet' is not known; there are softmax-regression"),
        ({"schedule": "triangle"}, "schedule 'triangle' is not known"),
        ({"scaling": "none"}, "scaling 'none' is not known; there are linear, standard"),
        ({"epochs": 1, "steps": 1}, "either epochs or steps, not both"),
        ({"epochs": 0}, "epochs must be at least 1, but is 0"),
        ({"batch_size": 0}, "batch-size must be at least 1, but is 0"),
        ({"early_stopping": 0}, "early-stopping must be at least 1"),
        ({"learning_rate": 0.0}, "the learning rate must be positive and finite, but is 0"),
        ({"learning_rate": -0.5}, r"the learning rate must be positive and finite, but is -0\.5"),
        ({"learning_rate": float("nan")}, "must be positive and finite, but is nan"),
        ({"learning_rate": float("inf")}, "must be positive"),
        ({"l2": -1.0}, "l2 must not be negative"),
        ({"weight_decay": float("nan")}, "weight-decay must be finite and not negative, but is nan"),
        ({"seed": -1}, "seed must not be negative"),
        (
            {"optimizer": "adamw", "momentum": 0.9},
            "adamw has no momentum; choose the optimizer momentum, nesterov or muon",
        ),
        ({"optimizer": "sgd", "momentum": 0.0}, "sgd has no momentum"),
        ({"optimizer": "adam", "weight_decay": 0.1}, "adam has no weight decay; choose the optimizer adamw"),
        ({"clip_norm": 1.0, "clip_value": 1.0}, "either by norm or by value"),
        ({"early_stopping": 2, "train_on": "all"}, "early stopping needs validation data"),
    ],
)
def test_settings_that_cannot_be(values, words):
    with pytest.raises(OptionError, match=words):
        Settings(**values)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"clip_norm": 0.0}, "clip-norm must be positive and finite, but is 0"),
        ({"average": 1.0}, "average must be between 0 and 1, but is 1"),
        ({"momentum": 1.0}, "momentum must be from 0 to below 1, but is 1"),
        ({"optimizer": "nesterov", "momentum": 0.0}, "momentum above 0"),
    ],
)
def test_settings_that_no_part_takes(small, values, words):
    with pytest.raises(OptionError, match=words):
        assemble(Settings(**SMALL, **values), small)


def test_a_run_leaves_all_that_it_promises(tmp_path, small):
    folder = tmp_path / "new" / "run"
    settings = Settings(**SMALL, epochs=3, average=0.5)
    run = Run(folder, settings, small)
    last = run.train()
    assert sorted(p.name for p in folder.iterdir()) == [
        *("MODEL_CARD.md", "checkpoint.safetensors", "history.jsonl", "history.png", "model.safetensors"),
        *("recipe.toml", "settings.json"),
    ]
    lines = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    assert len(lines) == 3
    assert lines[-1] == last
    assert saved_settings(folder) == settings
    classifier = ig.models.load(folder)
    assert classifier.header["training"]["settings"] == json.loads(json.dumps(settings.as_json()))
    assert classifier.header["training"]["data"] == small.train.fingerprint()
    with run.trainer.step.average.applied():
        for name, array in ig.nn.state_of(run.trainer.step.net).items():
            np.testing.assert_array_equal(array, dict(classifier.network.named_state())[name].data)
    right = (classifier.predict(small.validation.images) == small.validation.labels).mean()
    assert right == last["validation_accuracy"]


@pytest.mark.parametrize("name", ["settings.json", CHECKPOINT_FILE, MODEL_FILE])
def test_nothing_of_another_run_is_overwritten(tmp_path, small, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(OptionError, match="holds a run already; continue it with --resume or choose another --out"):
        Run(tmp_path, Settings(**SMALL), small)
    assert (tmp_path / name).read_text() == "mine"
    with pytest.raises(OptionError, match="is a file, but a run needs a folder"):
        Run(tmp_path / name, Settings(**SMALL), small)


@pytest.mark.parametrize("name", ["recipe.toml", "MODEL_CARD.md"])
def test_no_file_of_the_users_own_is_replaced(tmp_path, small, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(
        OptionError, match=rf"{name} is there already, and a run would replace it; choose another --out"
    ):
        Run(tmp_path, Settings(**SMALL), small)
    assert (tmp_path / name).read_text() == "mine"


def test_a_finished_run_that_is_resumed_is_what_it_was(tmp_path, small):
    settings = Settings(**SMALL, epochs=2)
    Run(tmp_path, settings, small).train()
    files = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    Run(tmp_path, settings, small, resume=True).train()
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir() if p.name != "history.png"} == {
        name: content for name, content in files.items() if name != "history.png"
    }
    with pytest.raises(OptionError, match="has made 8 steps already, more than the 3 asked for"):
        Run(tmp_path, Settings(**SMALL, steps=3), small, resume=True)


def test_a_run_killed_before_its_first_checkpoint_starts_over(tmp_path, small):
    class Kill(Callback):
        def on_step(self, trainer):
            if trainer.step_count == 2:
                raise RuntimeError

    settings = Settings(**SMALL, epochs=2)
    with pytest.raises(RuntimeError):
        Run(tmp_path / "a", settings, small, callbacks=[Kill()]).train()
    assert not (tmp_path / "a" / CHECKPOINT_FILE).exists()
    Run(tmp_path / "a", settings, small, resume=True).train()
    Run(tmp_path / "b", settings, small).train()
    arrays = [ig.nn.state_of(ig.models.load(tmp_path / name).network) for name in "ab"]
    for name in arrays[0]:
        np.testing.assert_array_equal(arrays[0][name], arrays[1][name])


def test_divergence_keeps_the_last_good_checkpoint_and_writes_no_model(tmp_path, small):
    class Spoil(Callback):
        def on_step(self, trainer):
            if trainer.step_count == 6:
                trainer.step.net.layers[1].bias.data[0] = np.nan

    run = Run(tmp_path, Settings(**SMALL, epochs=3), small, callbacks=[Spoil()])
    with pytest.raises(DivergenceError, match=r"parameter layers\.1\.bias holds NaN"):
        run.train()
    assert not (tmp_path / MODEL_FILE).exists()
    assert Run(tmp_path, Settings(**SMALL, epochs=3), small, resume=True).trainer.step_count == 4


def test_no_run_to_resume(tmp_path):
    with pytest.raises(CheckpointError, match=r"there is no run to resume in .*: it has no settings\.json"):
        saved_settings(tmp_path)


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"settings": 3}', '{"settings": {"size": 3}}', '{"settings": []}']
)
def test_damaged_settings(tmp_path, content):
    (tmp_path / "settings.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"settings\.json is damaged"):
        saved_settings(tmp_path)


def test_the_history_is_json_whatever_happens(tmp_path, small):
    class Spoil(Callback):
        def on_epoch(self, trainer, record):
            record["loss"] = float("nan")

    run = Run(
        tmp_path, Settings(**SMALL, epochs=1), Splits(small.train, small.train[:0], small.test), callbacks=[Spoil()]
    )
    run.train()
    assert json.loads((tmp_path / "history.jsonl").read_text(), parse_constant=pytest.fail)["loss"] is None


# Beside the run


def test_progress_without_a_terminal_is_plain_lines(small, capsys):
    trainer = assemble(Settings(**SMALL), small, [Progress(every_seconds=0)])
    trainer.fit(epochs=2)
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert len(lines) == 10
    assert "50% done" in lines[3]
    assert lines[4].startswith("epoch   1.00  step      4  loss 2.")
    assert "validation: loss" in lines[4]
    assert "\x1b" not in err


@pytest.mark.slow
@pytest.mark.parametrize("name", ig.models.NAMED)
def test_every_named_network_has_right_gradients(small, name):
    report = check_network(name, small.train, batch_size=2 if name == "simple-cnn" else 8)
    assert isinstance(report, GradientReport)
    assert report.passed
    net = ig.models.build(name, rng=ig.default_rng(0))
    assert [(row.name, row.shape) for row in report] == [(n, p.shape) for n, p in net.named_parameters()]
    assert all(row.norm > 0 for row in report)


@pytest.mark.parametrize(("options", "words"), [({"batch_size": 0}, "at least one image"), ({"seed": -1}, "seed")])
def test_a_gradient_check_of_nothing(small, options, words):
    with pytest.raises(OptionError, match=words):
        check_network("mlp", small.train, **options)


def test_samples_differ_in_size_and_colors(tmp_path):
    from PIL import Image

    test = ig.data.load_digits()[1]
    written = write_samples(tmp_path, test)
    assert len(written) == len(SAMPLES)
    assert len({digit for _, digit in written}) >= 5
    sizes = set()
    for path, _ in written:
        with Image.open(path) as picture:
            sizes.add(picture.size)
        assert ig.data.to_digit(path) is not None
    assert len(sizes) == len(SAMPLES)
