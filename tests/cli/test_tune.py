"""`inkgrad tune`: what it says, kill -9, Ctrl-C, a full disk."""

import json
import os
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from inkgrad.training import saved_tuning

KEYS = {
    *("out", "recipe", "report", "metric", "value", "trial", "params", "importance"),
    *("trials", "complete", "pruned", "diverged", "refused", "lost"),
}
QUICK = ("--model", "two-layer", "--set", "hidden=8", "--epochs", 2)
SPACE = ("--search", "learning_rate=1e-3..1:log", "--search", "augmentation.rotation=0..10")


def test_json_is_one_object(inkgrad):
    ended = inkgrad("tune", *QUICK, *SPACE, "--trials", 3, "--seed", 5, "--json")
    assert ended.status == 0
    assert set(ended.json) == KEYS
    assert ended.json["out"] == "runs/tune-two-layer"
    assert ended.json["trials"] == ended.json["complete"] == 3
    assert set(ended.json["params"]) == {"learning_rate", "augmentation.rotation"}
    assert [line.split()[:3] for line in ended.err.splitlines()] == [["trial", str(n), "complete"] for n in range(3)]
    saved = saved_tuning("runs/tune-two-layer")
    assert (saved.base.model, saved.base.hidden, saved.base.epochs, saved.base.seed) == ("two-layer", (8,), 2, 5)


def test_the_best_settings_can_be_trained(inkgrad, tmp_path):
    (tmp_path / "work" / "mine.toml").write_text("epochs = 7\nbatch_size = 50\noptimizer = 'adamw'\n")
    ended = inkgrad("tune", "--recipe", "mine.toml", *QUICK, "--trials", 2, "--out", "t")
    assert ended.status == 0
    assert saved_tuning("t").search == (
        *("learning_rate=0.0001..0.01:log", "batch_size=32,64,128,256", "weight_decay=0.001..1:log"),
    )
    assert "best: trial" in ended.out
    assert ended.out.endswith("report t/report.html\nnext: inkgrad train --recipe t/best.toml\n")
    best = json.loads(Path("t/trials.json").read_text())
    trained = inkgrad("train", "--recipe", "t/best.toml", "--out", "again", "--json").json
    assert trained["validation_accuracy"] == best["trials"][best["best"]]["value"]
    assert trained["epoch"] == 2


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--search rate=1..2", "a training has no setting 'rate'"),
        ("--search learning_rate=0..1", "cannot search learning_rate: the learning rate must be positive"),
        ("--search batch_size=32", "needs a range or at least two values"),
        ("--set optimizer", "a setting is given as field=value"),
        ("--set optimizer=lion", "optimizer 'lion' is not known"),
        ("--set steps=3 --epochs 2", "either epochs or steps, not both"),
        ("--set seed=1 --set seed=2", "seed is given twice"),
        ("--trials 0", "a tuning needs trials of at least 1"),
        ("--resume", "--resume needs --out"),
        ("--resume --out nowhere", "there is no tuning to resume in nowhere: it has no tuning.json"),
        ("--set train_on=all", "a search needs validation data"),
        ("--metric loss --search label_smoothing=0..0.1", "losses cannot be compared"),
        ("--data nowhere", "there is no data set 'nowhere'"),
        ("--study mine", "--study names a study in a --storage"),
        ("--storage mysql://me@host/db", "a storage is a file or a PostgreSQL database"),
    ],
)
def test_mistakes_end_in_2_and_leave_nothing(inkgrad, tmp_path, line, words):
    ended = inkgrad("tune", *line.split())
    assert ended.status == 2
    assert words in ended.err
    assert ended.err.count("\n") == 1
    assert list((tmp_path / "work").iterdir()) == []


@pytest.mark.slow
def test_a_resumed_tuning_keeps_its_settings(inkgrad):
    assert inkgrad("tune", *QUICK, *SPACE, "--trials", 1, "--out", "t").status == 0
    for line, option in (
        (("--search", "l2=0..1"), "--search"),
        (("--set", "l2=0.1"), "--set"),
        (("--epochs", 3), "--epochs"),
        (("--metric", "loss"), "--metric"),
    ):
        ended = inkgrad("tune", "--resume", "--out", "t", *line)
        assert ended.status == 2
        assert f"{option} cannot be changed: the tuning to resume keeps its own settings" in ended.err
    assert inkgrad("tune", "--resume", "--out", "t", "--json").json["trials"] == 1
    assert inkgrad("tune", "--resume", "--out", "t", "--trials", 2, "--json").json["trials"] == 2
    assert inkgrad("tune", "--resume", "--out", "t", "--json").json["trials"] == 2
    assert "holds a tuning already" in inkgrad("tune", *QUICK, "--out", "t").err


@pytest.mark.slow
def test_two_searches_share_a_storage(inkgrad, tmp_path):
    shared = ("--storage", tmp_path / "shared.sqlite3", "--study", "mine")
    first = inkgrad("tune", *QUICK, *SPACE, *shared, "--trials", 2, "--out", "a", "--json").json
    second = inkgrad("tune", *QUICK, *SPACE, *shared, "--trials", 3, "--out", "b", "--json").json
    assert (first["trials"], second["trials"]) == (2, 3)
    assert [path.name for path in Path("b/trials").iterdir()] == ["0002"]
    other = inkgrad("tune", *QUICK, *shared, "--trials", 4, "--out", "c")
    assert other.status == 2
    assert "is of another tuning: its search is" in other.err
    other = inkgrad("tune", *QUICK, *SPACE, "--set", "l1=0.5", *shared, "--trials", 4, "--out", "c")
    assert other.status == 2
    assert "is of another tuning: its base l1 is 0.0, here it is 0.5; give all the same options" in other.err


@pytest.mark.slow
def test_no_complete_trial_ends_in_1(inkgrad):
    ended = inkgrad("tune", *QUICK, "--search", "learning_rate=1e30..1e31", "--trials", 2, "--out", "t")
    assert ended.status == 1
    assert "none of 2 trials is complete; the first of them: training " in ended.err
    assert "inkgrad tune --resume --out t --trials 4" in ended.err


# Processes that end before their time


LONG = (
    *("--model", "mlp", "--set", "hidden=32", "--set", "average=0.99", "--epochs", 4, "--trials", 8),
    *("--search", "batch_size=4,8", "--search", "learning_rate=1e-4..0.1:log", "--search", "optimizer=adam,momentum"),
)


def wait_for(condition, process, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.002)


def trials(folder):
    return (folder / "trials.json").read_bytes()


def checkpoint(folder, number):
    return folder / "trials" / f"{number:04d}" / "checkpoint.safetensors"


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """The trials of the long tuning when nothing happens to it."""
    from inkgrad.cli.main import main

    folder = tmp_path_factory.mktemp("uninterrupted") / "tuning"
    with pytest.raises(SystemExit):
        main(["tune", *map(str, LONG), "--out", str(folder)])
    return trials(folder)


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX's")
@pytest.mark.slow
def test_kill_9_in_the_middle_of_trials(inkgrad, process, tmp_path, uninterrupted):
    out = tmp_path / "t"
    for line, number in ((("tune", *LONG), 1), (("tune", "--resume"), 6)):
        running = process(*line, "--out", out, "--checkpoint-seconds", "0.02")
        wait_for(checkpoint(out, number).exists, running)
        running.send_signal(signal.SIGKILL)
        assert running.wait(30) == -signal.SIGKILL
        assert checkpoint(out, number).exists()
        assert not (out / "trials.json").exists()
    assert inkgrad("tune", "--resume", "--out", out).status == 0
    assert trials(out) == uninterrupted
    assert not list(out.rglob("*.safetensors"))
    assert not list(out.rglob(".*.part"))


@pytest.mark.skipif(os.name != "posix", reason="the signal is POSIX's")
@pytest.mark.slow
def test_ctrl_c_saves_and_says_how_to_go_on(inkgrad, process, tmp_path, uninterrupted):
    out = tmp_path / "t"
    running = process("tune", *LONG, "--out", out, "--checkpoint-seconds", "0.02", "--json")
    wait_for(checkpoint(out, 2).exists, running)
    running.send_signal(signal.SIGINT)
    told, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert f"what there is is saved; continue with: inkgrad tune --resume --out {out}\n" in said
    assert said.endswith("inkgrad: interrupted\n")
    assert "Traceback" not in said
    assert json.loads(told) == {"error": "interrupted", "status": 130}
    assert inkgrad("tune", "--resume", "--out", out).status == 0
    assert trials(out) == uninterrupted


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="the limit is POSIX's")
def test_a_full_disk(inkgrad, process, tmp_path):
    import resource

    line, out, whole = (*QUICK, *SPACE), tmp_path / "t", tmp_path / "whole"
    assert inkgrad("tune", *line, "--trials", 1, "--out", out).status == 0
    size = (out / "study.sqlite3").stat().st_size

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    full = process("tune", "--resume", "--trials", 60, "--out", out, preexec_fn=limit)
    _, said = full.communicate(timeout=120)
    assert full.returncode == 1
    assert said.splitlines()[-1].startswith(f"inkgrad: cannot write {out / 'study.sqlite3'}: ")
    assert said.splitlines()[-1].endswith("what was there before is unchanged, continue with --resume")
    assert "Traceback" not in said
    made = int(sqlite3.connect(out / "study.sqlite3").execute("select count(*) from trials").fetchone()[0])
    assert 1 <= made < 60
    assert inkgrad("tune", "--resume", "--trials", made + 1, "--out", out).status == 0
    assert inkgrad("tune", *line, "--trials", made + 1, "--out", whole).status == 0
    assert trials(out) == trials(whole)


def children(process):
    """The processes that a process has started and that still run."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = status.read_text().rpartition(")")
        except OSError:
            continue
        state, parent = rest.split()[:2]
        if int(parent) == process.pid and state != "Z":
            found.append(int(name.split()[0]))
    return found


def alive(number):
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("end", ["kill", "ctrl-c", "kill a worker"])
def test_several_processes_end_together_and_go_on(inkgrad, process, tmp_path, end):
    out = tmp_path / "t"
    line = ("--out", out, "--processes", 2, "--checkpoint-seconds", "0.02")
    running = process("tune", *LONG, *line, start_new_session=True)
    wait_for(lambda: len(list(out.glob("trials/*/checkpoint.safetensors"))) == 2, running)
    workers = [number for number in children(running) if b"spawn_main" in Path(f"/proc/{number}/cmdline").read_bytes()]
    assert len(workers) == 2
    if end == "kill":
        running.kill()
    elif end == "ctrl-c":
        os.killpg(running.pid, signal.SIGINT)  # as the terminal does: to all of them
    else:
        os.kill(workers[0], signal.SIGKILL)
    _, said = running.communicate(timeout=120)
    assert running.returncode == {"kill": -signal.SIGKILL, "ctrl-c": 130, "kill a worker": 1}[end]
    assert "Traceback" not in said
    if end == "kill a worker":
        assert "ended with status -9 before the trial did" in said
    deadline = time.monotonic() + 30
    while any(map(alive, workers)):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    resumed = inkgrad("tune", "--resume", *line, "--json")
    assert resumed.status == 0
    assert resumed.json["trials"] == 8
    assert resumed.json["complete"] + resumed.json["pruned"] == 8
    for trial in json.loads(trials(out))["trials"]:
        history = (out / "trials" / f"{trial['number']:04d}" / "history.jsonl").read_text().splitlines()
        assert [json.loads(line)["validation_accuracy"] for line in history] == trial["epochs"]
