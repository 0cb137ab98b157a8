"""A tuning and what it leaves: trials, the best settings, the report; and that it goes on after any end."""

import json
import sqlite3
import sys

import numpy as np
import pytest

from inkgrad.data import Splits
from inkgrad.errors import CheckpointError, OptionError, RunError, StorageError
from inkgrad.training import Run, Settings, Tuning, TuningSettings, read_recipe, saved_settings, saved_tuning
from inkgrad.training.tuning import tuning as module
from inkgrad.training.tuning.lock import only_one

BASE = Settings(model="two-layer", hidden=(8,), epochs=3, batch_size=50, seed=3)
SEARCH = ("learning_rate=1e-3..1:log", "batch_size=25,50", "augmentation.rotation=0..10")


def tune(folder, small, *, search=SEARCH, base=BASE, **options):
    settings = TuningSettings(base, search, options.pop("metric", "accuracy"), options.pop("pruner", "median"))
    return Tuning(folder, settings, small, **{"trials": 4} | options)


@pytest.fixture(scope="module")
def done(tmp_path_factory, small):
    folder = tmp_path_factory.mktemp("tuned") / "new" / "folder"
    return folder, tune(folder, small, trials=9).run()


def test_a_tuning_leaves_all_that_it_promises(done, small):
    folder, tuned = done
    assert {path.name for path in folder.iterdir()} == {
        *("best.toml", "report.html", "study.sqlite3", "trials", "trials.json", "tuning.json", "tuning.lock")
    }
    assert saved_tuning(folder).search == SEARCH
    assert json.loads((folder / "trials.json").read_text()) == json.loads(json.dumps(tuned.as_json()))
    assert [trial.number for trial in tuned.trials] == list(range(9))
    assert tuned.count("complete") + tuned.count("pruned") == 9
    for trial in tuned.trials:
        kept = folder / "trials" / f"{trial.number:04d}"
        assert sorted(path.name for path in kept.iterdir()) == ["history.jsonl", "recipe.toml", "settings.json"]
        history = [json.loads(line) for line in (kept / "history.jsonl").read_text().splitlines()]
        assert tuple(line["validation_accuracy"] for line in history) == trial.epochs
        assert trial.value == trial.epochs[-1]
        assert (len(history) == 3) == (trial.state == "complete")
        settings = saved_settings(kept)
        assert settings.learning_rate == trial.params["learning_rate"]
        assert settings.augmentation.rotation == trial.params["augmentation.rotation"]
    assert tuned.best.value == max(trial.value for trial in tuned.trials if trial.state == "complete")
    assert set(tuned.importance) == {"learning_rate", "batch_size", "augmentation.rotation"}
    assert sum(tuned.importance.values()) == pytest.approx(1)


def test_the_best_settings_give_the_best_figure_again(done, small, tmp_path):
    folder, tuned = done
    settings = Settings(**read_recipe(str(folder / "best.toml")))
    last = Run(tmp_path / "again", settings, small).train()
    assert last["validation_accuracy"] == tuned.best.value


def test_the_report_shows_every_trial_and_loads_nothing(done):
    folder, tuned = done
    page = (folder / "report.html").read_text()
    assert page.count("data:image/svg+xml") == 3
    assert "http" not in page.replace("http-equiv", "")
    table = page.partition("All trials")[2]
    for trial in tuned.trials:
        assert f'<th scope="row">{trial.number}</th><td>{trial.value:.2%}</td><td>{trial.state}</td>' in table
    assert f"Trial {tuned.best.number}, as a recipe in best.toml." in page


@pytest.mark.slow
def test_the_same_seed_makes_the_same_trials(done, small, tmp_path):
    again = tune(tmp_path / "a", small, trials=9).run()
    assert again == done[1]
    other = tune(tmp_path / "b", small, trials=1, base=Settings(**vars(BASE) | {"seed": 4})).run()
    assert other.trials[0].params != again.trials[0].params


class Killed(BaseException):
    """What nobody catches."""


class Killer:
    """Ends the process, so to speak, at each event once."""

    def __init__(self):
        self.seen = set()

    def die(self, *event):
        if event not in self.seen:
            self.seen.add(event)
            raise Killed

    def on_epoch(self, number, epoch, value):
        self.die("epoch", number, epoch)

    def on_trial(self, record, tuned):
        self.die("trial", record.number)


@pytest.mark.slow
@pytest.mark.parametrize("pruner", ["median", "hyperband"])
def test_whatever_ends_it_and_how_often_it_goes_on_bit_for_bit(small, tmp_path, monkeypatch, pruner):
    """The end comes before each report, after each report, before and after each word on a trial."""
    whole = tune(tmp_path / "whole", small, trials=8, pruner=pruner).run()
    assert whole.count("pruned")
    folder, killer, resume, ends = tmp_path / "killed", Killer(), False, 0
    for name in ("report", "tell", "ask"):
        inner = getattr(module.Study, name)

        def dying(self, *given, inner=inner, name=name):
            answer = inner(self, *given)
            killer.die(name, answer[0] if name == "ask" else given[:2])
            return answer

        monkeypatch.setattr(module.Study, name, dying)
    while True:
        try:
            tuned = tune(folder, small, trials=8, pruner=pruner, resume=resume, listener=killer).run()
            break
        except Killed:
            resume, ends = True, ends + 1
    assert ends > 30
    assert tuned == whole
    assert (folder / "trials.json").read_bytes() == (tmp_path / "whole" / "trials.json").read_bytes()
    assert not list(folder.rglob("*.safetensors"))


@pytest.mark.slow
def test_more_trials_and_none_at_all(small, tmp_path):
    first = tune(tmp_path, small, trials=2).run()
    (tmp_path / "report.html").unlink()
    assert tune(tmp_path, small, trials=2, resume=True).run() == first
    assert (tmp_path / "report.html").exists()
    more = tune(tmp_path, small, trials=3, resume=True).run()
    assert more.trials[:2] == first.trials
    assert len(more.trials) == 3


@pytest.mark.slow
def test_trials_that_diverge_or_cannot_be_are_told_and_passed(small, tmp_path):
    search = ("learning_rate=1e30,1e-2", "clip_norm=none,1000", "clip_value=none,1000")
    base = Settings(**vars(BASE) | {"optimizer": "sgd", "hidden": (64,)})
    tuned = tune(tmp_path, small, search=search, base=base, trials=14).run()
    states = {trial.state: trial for trial in tuned.trials}
    assert {"diverged", "refused", "complete"} <= set(states)
    assert "lower the learning rate" in states["diverged"].message
    assert states["diverged"].params["learning_rate"] == 1e30
    assert states["refused"].message == "clip either by norm or by value, not both"
    assert tuned.best.params["learning_rate"] == 1e-2
    assert not list(tmp_path.rglob("*.safetensors"))


def test_nothing_complete(small, tmp_path):
    tuned = tune(tmp_path, small, search=("learning_rate=1e30..1e31",), trials=2).run()
    assert tuned.best is None
    assert tuned.importance == {}
    assert not (tmp_path / "best.toml").exists()
    assert "No trial is complete." in (tmp_path / "report.html").read_text()


@pytest.mark.slow
def test_losses_are_minimized_and_only_where_they_are_the_same(small, tmp_path):
    tuned = tune(tmp_path / "a", small, metric="loss").run()
    assert tuned.best.value == min(trial.value for trial in tuned.trials if trial.state == "complete")
    for search in ("label_smoothing=0..0.1", "model=two-layer,two-layer-sigmoid"):
        with pytest.raises(OptionError, match="losses cannot be compared; take the metric accuracy"):
            tune(tmp_path / "b", small, metric="loss", search=(search,))
    assert not (tmp_path / "b").exists()


@pytest.mark.slow
def test_two_processes_make_the_trials_of_one_as_long_as_these_are_drawn_at_random(small, tmp_path):
    one = tune(tmp_path / "one", small, trials=6, pruner="none").run()
    two = tune(tmp_path / "two", small, trials=6, pruner="none", processes=2).run()
    assert two == one


def test_nothing_of_another_is_overwritten(small, tmp_path, done):
    with pytest.raises(OptionError, match="holds a tuning already; continue it with --resume or choose another --out"):
        tune(done[0], small)
    Run(tmp_path / "run", BASE, small).train()
    with pytest.raises(OptionError, match=r"holds settings\.json of something else; choose another --out"):
        tune(tmp_path / "run", small)
    (tmp_path / "file").touch()
    with pytest.raises(OptionError, match="is a file, but a tuning needs a folder"):
        tune(tmp_path / "file", small)


def test_what_cannot_be_resumed(small, tmp_path, done):
    with pytest.raises(CheckpointError, match=r"there is no tuning to resume in .*: it has no tuning\.json"):
        tune(tmp_path, small, resume=True)
    with pytest.raises(CheckpointError, match="has other settings; resume with those it has"):
        tune(done[0], small, resume=True, metric="loss")
    others = Splits(small.train[:100], small.validation, small.test), Splits(small.train, small.test, small.test)
    for other in others:
        with pytest.raises(CheckpointError, match="was made with other data than"):
            tune(done[0], other, resume=True)
    (tmp_path / "tuning.json").write_text('{"settings": {}}')
    with pytest.raises(CheckpointError, match=r"tuning\.json is damaged: KeyError"):
        saved_tuning(tmp_path)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"trials": 0}, "a tuning needs trials of at least 1, but got 0"),
        ({"processes": 0}, "a tuning needs processes of at least 1, but got 0"),
        ({"metric": "speed"}, "metric 'speed' is not known; there are accuracy, loss"),
        ({"pruner": "axe"}, "pruner 'axe' is not known; there are median, hyperband, none"),
        ({"base": Settings(train_on="all")}, "needs validation data, but train-on all leaves none"),
    ],
)
def test_options_that_cannot_be(small, tmp_path, options, words):
    with pytest.raises(OptionError, match=words):
        tune(tmp_path / "new", small, **options)
    assert not (tmp_path / "new").exists()


def test_validation_data_are_needed(small, tmp_path):
    with pytest.raises(OptionError, match=r"a search needs validation data, but .* comes with none"):
        tune(tmp_path, Splits(small.train, small.validation[:0], small.test))


def test_the_extra_is_named_where_it_is_missing(small, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(OptionError, match=r'tuning needs optuna; install it with: pip install "inkgrad\[tune\]"'):
        tune(tmp_path, small)


def test_one_tuning_a_folder(small, tmp_path):
    with only_one(tmp_path), pytest.raises(OptionError, match="another process is tuning in"):
        tune(tmp_path, small).run()
    tune(tmp_path, small, trials=1).run()


def test_a_damaged_study_is_told(small, tmp_path):
    tune(tmp_path, small, trials=1).run()
    path = tmp_path / "study.sqlite3"
    path.write_bytes(b"none" * 1000)
    with pytest.raises(CheckpointError, match=r"study\.sqlite3 is damaged: .*not a database"):
        tune(tmp_path, small, trials=2, resume=True).run()
    assert path.read_bytes() == b"none" * 1000


@pytest.mark.slow
def test_a_study_that_cannot_be_written_ends_the_run(small, tmp_path):
    tune(tmp_path, small, trials=1).run()
    other = sqlite3.connect(tmp_path / "study.sqlite3", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StorageError, match=r"cannot write .*study\.sqlite3: database is locked; .* --resume"):
        tune(tmp_path, small, trials=2, resume=True).run()
    other.close()
    assert len(tune(tmp_path, small, trials=2, resume=True).run().trials) == 2


@pytest.mark.slow
def test_a_trial_that_fails_in_its_process_ends_the_run(small, tmp_path):
    tuning = tune(tmp_path, small, processes=2)
    (tmp_path / "trials").mkdir()
    (tmp_path / "trials" / "0001").mkdir()
    (tmp_path / "trials" / "0001" / "settings.json").mkdir()  # cannot be written
    with pytest.raises(RunError, match=r"cannot write .*settings\.json"):
        tuning.run()
    (tmp_path / "trials" / "0001" / "settings.json").rmdir()
    assert len(tune(tmp_path, small, processes=2, resume=True).run().trials) == 4


@pytest.mark.slow
def test_the_figures_are_those_of_the_validation_part(small, tmp_path):
    """Whatever the test part holds, nothing of it is seen."""
    spoiled = Splits(small.train, small.validation, small.test[:0])
    assert tune(tmp_path / "a", spoiled, trials=2).run() == tune(tmp_path / "b", small, trials=2).run()
    assert np.isfinite([trial.value for trial in tune(tmp_path / "a", small, trials=2, resume=True).run().trials]).all()
