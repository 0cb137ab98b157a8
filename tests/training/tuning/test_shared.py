"""Tunings that share a study, in real processes: nothing is tried twice, and nothing that was begun is lost."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from databases import postgres
from inkgrad.errors import CheckpointError, OptionError, StorageError
from inkgrad.training.tuning import Storage
from inkgrad.training.tuning import shared as module
from training.tuning.shared_worker import tuning

WORKER = Path(__file__).with_name("shared_worker.py")


@pytest.fixture(params=["file", pytest.param("postgresql", marks=pytest.mark.slow)])
def storage(request, tmp_path):
    if request.param == "file":
        yield str(tmp_path / "shared.sqlite3")
        return
    with postgres() as server:
        yield server.url


@pytest.fixture
def start():
    """Starts workers; those that still run at the end of the test are killed."""
    processes = []

    def begin(*words):
        environment = dict(os.environ) | {"INKGRAD_THREADS": "1"}
        processes.append(subprocess.Popen([sys.executable, WORKER, *map(str, words)], env=environment))
        return processes[-1]

    yield begin
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.wait()


def found(folder):
    return json.loads((folder / "trials.json").read_text())


@pytest.mark.slow
def test_two_processes_share_the_trials_of_one_study(start, storage, tmp_path):
    """Each makes its own, all know of all."""
    workers = [start(storage, tmp_path / name, 8, 1) for name in "ab"]
    assert [worker.wait(900) for worker in workers] == [0, 0]
    one, other = (found(tmp_path / name) for name in "ab")
    assert one == other
    assert [trial["number"] for trial in one["trials"]] == list(range(8))
    assert {trial["state"] for trial in one["trials"]} == {"complete"}
    assert len({json.dumps(trial["params"]) for trial in one["trials"]}) == 8
    made = [sorted(path.name for path in (tmp_path / name / "trials").iterdir()) for name in "ab"]
    assert sorted(made[0] + made[1]) == [f"{number:04d}" for number in range(8)]
    assert made[0] and made[1]
    assert (tmp_path / "a" / "best.toml").read_bytes() == (tmp_path / "b" / "best.toml").read_bytes()


@pytest.mark.slow
def test_a_killed_workers_trial_is_gone_on_with_from_its_checkpoint(start, storage, tmp_path):
    first = start(storage, tmp_path / "a", 1, 60)
    deadline = time.monotonic() + 120
    checkpoint = tmp_path / "a" / "trials" / "0000" / "checkpoint.safetensors"
    history = tmp_path / "a" / "trials" / "0000" / "history.jsonl"
    while not (checkpoint.exists() and history.exists() and len(history.read_text().splitlines()) > 3):
        assert first.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.wait()
    made = len(history.read_text().splitlines())
    second = start(storage, tmp_path / "b", 1, 60)
    assert second.wait(900) == 0
    lost, again = found(tmp_path / "b")["trials"]
    assert (lost["state"], again["state"]) == ("lost", "complete")
    assert lost["params"] == again["params"]
    assert again["epochs"][: len(lost["epochs"])] == lost["epochs"]
    assert len(again["epochs"]) == 60
    lines = (tmp_path / "b" / "trials" / "0001" / "history.jsonl").read_text().splitlines()
    seconds = [json.loads(line)["seconds"] for line in history.read_text().splitlines()[: made - 1]]
    assert [json.loads(line)["seconds"] for line in lines[: made - 1]] == seconds  # those epochs were not made again


@pytest.mark.slow
def test_what_is_lost_before_its_first_beat_is_found(storage, tmp_path, monkeypatch):
    """Killed between the trial's row and its first sign of life."""

    class Killed(BaseException):
        pass

    def die(*given, **more):
        raise Killed

    with monkeypatch.context() as patch:
        import optuna

        patch.setattr(optuna.storages.RDBStorage, "record_heartbeat", die)
        with pytest.raises(Killed):
            tuning(storage, tmp_path / "a", 2, 1).run()
    tuned = tuning(storage, tmp_path / "b", 2, 1).run()
    assert [trial.state for trial in tuned.trials] == ["lost", "complete", "complete"]
    assert tuned.trials[1].params == tuned.trials[0].params


def test_who_was_taken_for_dead_and_is_not_gives_way(tmp_path):
    """A process that was suspended for long finds its trial in other hands."""
    where = str(tmp_path / "shared.sqlite3")
    told = []

    class Suspends:
        def on_epoch(self, number, epoch, value):
            if epoch == 2 and not told:
                told.append(number)
                study = asleep.study
                for identifier in study._mine.values():
                    study._storage.set_trial_state_values(identifier, state=study._optuna.trial.TrialState.FAIL)

        def on_trial(self, record, tuned):
            pass

    asleep = tuning(where, tmp_path / "a", 1, 4, listener=Suspends())
    states = [(trial.state, len(trial.epochs)) for trial in asleep.run().trials]
    assert states == [("lost", 1), ("complete", 4)]


@pytest.mark.slow
@pytest.mark.parametrize("epochs", [0, 1])
def test_a_trial_that_ends_every_process_is_given_up_unless_it_gets_on(tmp_path, monkeypatch, epochs):
    """One that loses its process three times at the same place is not tried a fourth time."""
    from inkgrad.training.tuning import tuning as runs

    class Killed(BaseException):
        pass

    def killed(job, splits, report):
        if epochs:
            report(job.number, job.number + 1, 0.5)
        study = now.study
        failed = study._optuna.trial.TrialState.FAIL
        study._storage.set_trial_state_values(study._mine[job.number], state=failed)
        raise Killed

    where = str(tmp_path / "shared.sqlite3")
    with monkeypatch.context() as patch:
        patch.setattr(runs, "train_trial", killed)
        for name in "abc":
            now = tuning(where, tmp_path / name, 2, 4)
            with pytest.raises(Killed):
                now.run()
    trials = tuning(where, tmp_path / "d", 2, 4).run().trials
    assert [trial.state for trial in trials] == ["lost"] * 3 + ["complete"] * (1 + epochs)
    assert (trials[3].params == trials[2].params) == bool(epochs)


def test_a_checkpoint_of_a_lost_process_is_taken_over_whole_or_not_at_all(tmp_path, monkeypatch):
    before, folder = tmp_path / "before", tmp_path / "folder"
    before.mkdir()
    (before / "checkpoint.safetensors").write_bytes(b"x" * 1000)

    def full(source, target):
        target.write(source.read(10))
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(module.shutil, "copyfileobj", full)
        module.take_over(before, folder)
    assert not folder.exists() or not list(folder.iterdir())
    module.take_over(before, folder)
    assert [path.name for path in folder.iterdir()] == ["checkpoint.safetensors"]
    assert (folder / "checkpoint.safetensors").stat().st_size == 1000


@pytest.mark.slow
def test_nothing_is_tried_twice_and_an_exhausted_search_ends(tmp_path):
    tuned = tuning(str(tmp_path / "s"), tmp_path / "a", 30, 1, "batch_size=25,50,100", "optimizer=sgd,adam").run()
    params = [json.dumps(trial.params) for trial in tuned.trials]
    assert len(params) == len(set(params)) == 6


@pytest.mark.slow
def test_a_study_of_another_search_is_refused(tmp_path):
    where = str(tmp_path / "s")
    tuning(where, tmp_path / "a", 1, 1).run()
    with pytest.raises(CheckpointError, match=r"the study inkgrad in .* is of another tuning: its search is "):
        tuning(where, tmp_path / "b", 1, 1, "l2=0..1").run()
    fresh = tuning(where, tmp_path / "c", 1, 1, "l2=0..1")
    fresh.storage = Storage(where, "other")
    assert len(fresh.run().trials) == 1
    with pytest.raises(CheckpointError, match=r"shares a study with others; resume with its storage"):
        tuning(None, tmp_path / "a", 1, 1, resume=True)
    assert len(tuning(where, tmp_path / "a", 2, 1, resume=True).run().trials) == 2


@pytest.mark.parametrize(
    ("where", "error", "words"),
    [
        (
            "mysql://me@host/db",
            OptionError,
            "a storage is a file or a PostgreSQL database, but 'mysql://me@",
        ),
        ("://", OptionError, "is no URL; give a file or postgresql://USER@HOST/DATABASE"),
        ("/nowhere/at/all.sqlite3", OptionError, "the folder of the storage /nowhere/at/all.sqlite3 does not exist"),
        (
            "postgresql://me:secret@127.0.0.1:9/db",
            StorageError,
            r"the storage .*:\*\*\*@127.0.0.1:9/db does not answer",
        ),
    ],
)
def test_storages_that_cannot_be(tmp_path, where, error, words):
    with pytest.raises(error, match=words) as caught:
        tuning(where, tmp_path / "a", 1, 1).run()
    assert "secret" not in str(caught.value)


def test_the_driver_is_named_where_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(OptionError, match=r'needs psycopg; install it with: pip install "inkgrad\[postgresql\]"'):
        tuning("postgresql://me@host/db", tmp_path / "a", 1, 1).run()


@pytest.mark.slow
def test_several_processes_of_one_tuning_share_too(tmp_path):
    tuned = tuning(str(tmp_path / "s"), tmp_path / "a", 4, 1, processes=2).run()
    assert [trial.state for trial in tuned.trials] == ["complete"] * 4


@pytest.mark.slow
def test_beats_are_recorded_while_a_trial_lasts(tmp_path, monkeypatch):
    """Longer than the time after which a silent one is lost."""
    monkeypatch.setattr(module, "MISSED_BEATS", 2)

    class Slow:
        def on_epoch(self, number, epoch, value):
            time.sleep(1.5)
            with watching.study._locked():
                watching.study._find_lost()

        def on_trial(self, record, tuned):
            pass

    watching = tuning(str(tmp_path / "s"), tmp_path / "a", 1, 3, listener=Slow())
    assert [trial.state for trial in watching.run().trials] == ["complete"]
    assert Storage("s").beat_seconds == 10
