"""Results in order, in bounded memory, whatever becomes of a process."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fake_work import Refusing, Starting, Unreadable, died, refuse_in_two_words, start_double, stillborn
from inkgrad.errors import OptionError, RunError, StorageError
from inkgrad.reading.workers import LOOK_AHEAD, Crew, Done, in_order

NOT_POSIX = pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX's")


def alive(number):
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
def test_results_come_in_order(tmp_path):
    rng = random.Random(0)
    tasks = [("sleep", 0.02 * rng.random()) if rng.random() < 0.7 else Done(i) for i in range(60)]
    tasks[0] = ("sleep", 2.0)  # so that the other process is there before all is done
    expected = [task.result if isinstance(task, Done) else task[1] for task in tasks]
    found = list(in_order(tasks, Starting(tmp_path), died, jobs=2))
    assert [value if isinstance(value, int) else value[0] for value in found] == expected
    assert len(start_ready := Starting(tmp_path).ready()) == 2
    assert not any(map(alive, start_ready))


def test_no_process_is_started_for_nothing(tmp_path):
    start = Starting(tmp_path)
    assert list(in_order([Done(1), Done(2)], start, died, jobs=2)) == [1, 2]
    assert start.ready() == []
    assert len(list(in_order([Done(1), ("sleep", 0.0)], start, died, jobs=2))) == 2
    assert len(start.ready()) == 1


@pytest.mark.parametrize("jobs", [1, 2])
def test_tasks_are_asked_for_as_they_are_needed(jobs):
    asked = 0

    def tasks():
        nonlocal asked
        for asked in range(1, 501):
            yield asked if asked % 3 else Done(2 * asked)

    for count, result in enumerate(in_order(tasks(), start_double, died, jobs=jobs), 1):
        assert result == 2 * count
        assert asked - count <= LOOK_AHEAD * jobs
    assert count == 500


def test_large_tasks_and_results_do_not_wait_for_each_other(tmp_path):
    tasks = [("large", bytes(300_000)) for _ in range(12)]
    assert [len(value) for value, _ in in_order(tasks, Starting(tmp_path), died, jobs=2)] == [300_000] * 12


@pytest.mark.slow
@NOT_POSIX
@pytest.mark.parametrize("jobs", [1, 2])
def test_what_ends_its_process_ends_nothing_else(tmp_path, jobs):
    start = Starting(tmp_path)
    some = [("sleep", 0.001 * i) for i in range(5)]
    tasks = [("die", 1), *some, ("die", 2)]
    found = [value for value, _ in in_order(tasks, start, died, jobs=jobs)]
    assert found == [("died", task, -signal.SIGKILL) if task[0] == "die" else task[1] for task in tasks]
    assert len(start.ready()) >= 4  # each was tried twice
    assert not any(map(alive, start.ready()))


@pytest.mark.slow
@NOT_POSIX
def test_what_ends_its_process_is_tried_again_alone(tmp_path):
    (tmp_path / "ready").mkdir()
    start = Starting(tmp_path / "ready")
    tasks = [("wait", 2), ("busy", 0.3), ("die unless alone", 7), *[("busy", 0.05)] * 6]
    found = [value for value, _ in in_order(tasks, start, died, jobs=2)]
    assert found == [2, 0.3, 7, *[0.05] * 6]
    assert (tmp_path / "died").exists()


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_what_takes_too_long(tmp_path, jobs):
    start = Starting(tmp_path)
    tasks = [("sleep", 0.0), ("sleep", 300.0), ("sleep", 0.1), ("sleep", 0.2)]
    found = [value for value, _ in in_order(tasks, start, died, jobs=jobs, seconds=1.5)]
    assert found == [0.0, ("died", tasks[1], None), 0.1, 0.2]
    assert not any(map(alive, start.ready()))


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_what_a_task_raises_ends_all_where_its_result_would_come(tmp_path, jobs):
    start = Starting(tmp_path)
    # It is raised long before the one before it is done.
    tasks = [("sleep", 0.0), ("sleep", 1.0), ("raise", StorageError("full")), *[("sleep", 0.0)] * 100]
    found = in_order(tasks, start, died, jobs=jobs)
    assert [next(found)[0] for _ in range(2)] == [0.0, 1.0]
    with pytest.raises(StorageError, match="full"):
        list(found)
    assert not any(map(alive, start.ready()))


def test_a_task_that_cannot_be_unpickled(tmp_path):
    start = Starting(tmp_path)
    found = in_order([("sleep", 0.0), ("sleep", Unreadable()), ("sleep", 0.0)], start, died, jobs=1)
    assert next(found)[0] == 0.0
    with pytest.raises(RunError, match=r"taken over by another process \(LookupError: nothing of that name\); rep"):
        next(found)
    assert not any(map(alive, start.ready()))


@pytest.mark.slow
@NOT_POSIX
def test_processes_that_stay_for_further_tasks(tmp_path):
    start = Starting(tmp_path)
    with Crew(start, died, jobs=1) as crew:
        first = [process for _, process in crew.in_order([("sleep", 0.0), ("sleep", 0.0)])]
        assert [process for _, process in crew.in_order([("sleep", 0.0)])] == first[:1]
        assert [value for value, _ in crew.in_order([("die", 1), ("sleep", 0.0)])][1] == 0.0
        assert list(crew.in_order([])) == []
        assert any(map(alive, start.ready()))
    assert not any(map(alive, start.ready()))


@pytest.mark.parametrize(
    ("start", "raised", "words"),
    [
        (Refusing(OptionError("no model")), OptionError, "no model"),
        (refuse_in_two_words, RunError, "unexpected TwoWordsError: no way; report it, please"),
    ],
)
def test_what_cannot_be_started_raises(start, raised, words):
    with pytest.raises(raised, match=words):
        list(in_order([1], start, died, jobs=2))


@pytest.mark.slow
def test_processes_that_never_begin():
    with pytest.raises(RunError, match="3 processes ended before they could begin, the last with status 3, perhaps"):
        list(in_order([1], stillborn, died, jobs=2))


def test_who_stops_asking_ends_the_processes(tmp_path):
    start = Starting(tmp_path)
    found = in_order([("wait", 2), ("sleep", 0.0), *[("sleep", 60.0)] * 10], start, died, jobs=2)
    next(found), next(found)  # the others sleep now
    began = time.monotonic()
    found.close()
    assert time.monotonic() - began < 30
    assert not any(map(alive, start.ready()))


ALONE = """
import sys
from pathlib import Path
from fake_work import Starting, died
from inkgrad.reading.workers import in_order
if __name__ == "__main__":
    tasks = [("wait", 2), ("sleep", 0.1), *[("sleep", 300.0)] * 10]
    for value, _ in in_order(tasks, Starting(Path(sys.argv[1])), died, jobs=2):
        print(value, flush=True)
"""


@pytest.mark.slow
@NOT_POSIX
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_processes_end_with_the_one_that_started_them(tmp_path, number):
    paths = os.pathsep.join(path for path in sys.path if path)
    command = [sys.executable, "-c", ALONE, tmp_path]
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"PYTHONPATH": paths}, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert [running.stdout.readline() for _ in range(2)] == ["2\n", "0.1\n"]
    if number == signal.SIGINT:
        os.killpg(running.pid, number)  # as the terminal does: to all of them
    else:
        running.kill()
    _, said = running.communicate(timeout=60)
    assert said.count("Traceback") == (number == signal.SIGINT)  # its own, none of the others
    deadline = time.monotonic() + 30
    while any(alive(int(path.name)) for path in tmp_path.iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
