"""Several Python threads, several processes, and the threads that run plans."""

import multiprocessing
import os
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

import inkgrad as ig
import plans
from inkgrad import nn, optim
from inkgrad.errors import OptionError
from inkgrad.kernels.numba_cpu import elementwise
from inkgrad.kernels.numba_cpu.threads import run_on_threads
from inkgrad.kernels.threads import thread_count, use_threads
from inkgrad.models import Classifier, build
from inkgrad.training import TrainStep


def at_once(*functions):
    """What the functions give, each called in a thread of its own, all at the same time."""
    results, barrier = [None] * len(functions), threading.Barrier(len(functions))

    def call(i, function):
        barrier.wait()
        try:
            results[i] = function()
        except BaseException as error:
            results[i] = error

    running = [threading.Thread(target=call, args=(i, f)) for i, f in enumerate(functions)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


def lenet5(seed=0):
    return build("lenet5", rng=ig.default_rng(seed)).eval()


def images(n, seed):
    return plans.batch(n, seed=seed)[0]


def predictions(net, batches, times=8):
    """The logits of all batches, several times over; an answer that changes is an error."""
    first = None
    for _ in range(times):
        with ig.no_grad():
            answers = [net(x).data for x in batches]
        if first is not None:
            for one, other in zip(first, answers, strict=True):
                np.testing.assert_array_equal(one, other)
        first = answers
    return first


def test_many_threads_predict_with_one_network_and_with_several():
    """Each gets the answers to its own images, to the last bit those that it gets when it is alone."""
    nets = [lenet5(0), lenet5(1)]
    work = [(nets[i % 2], [images(n, 10 * i + n) for n in (40, 1, 100)]) for i in range(6)]
    for net, batches in work:
        for x, logits in zip(batches, predictions(net, batches, 2), strict=True):
            assert plans.away(logits, plans.eagerly(net, x)) <= 1e-5
    alone = [predictions(net, batches, 1) for net, batches in work]
    together = at_once(*(lambda net=net, batches=batches: predictions(net, batches) for net, batches in work))
    for one, other in zip(together, alone, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_the_first_prediction_of_a_network_in_many_threads_at_once():
    net, x = lenet5(), images(40, 0)
    expected = plans.eagerly(net, x)
    for logits in at_once(*(lambda: predictions(net, [x], 1)[0] for _ in range(6))):
        assert plans.away(logits, expected) <= 1e-5


def test_a_classifier_is_safe_to_use_from_many_threads():
    digits = Classifier(lenet5())
    pictures = np.random.default_rng(0).integers(0, 256, (50, 28, 28), np.uint8)
    expected = digits.predict(pictures)
    for answer in at_once(*(lambda: digits.predict(pictures) for _ in range(4))):
        np.testing.assert_array_equal(answer, expected)


def trained(name, seed, steps=12):
    """The weights of a network after some steps, as bytes."""
    net = build(name, rng=ig.default_rng(seed))
    step = TrainStep(net, nn.cross_entropy, optim.SGD(net, 0.05, momentum=0.9))
    for i in range(steps):
        step(*plans.batch(24, seed=seed + i))
        assert step.fallback is None
    return b"".join(array.tobytes() for array in nn.state_of(net).values())


def test_one_thread_trains_while_others_train_and_predict():
    """Bit for bit as when each is alone."""
    net, x = lenet5(5), images(60, 5)
    alone = trained("mlp", 1), trained("lenet5", 2), predictions(net, [x])
    together = at_once(lambda: trained("mlp", 1), lambda: trained("lenet5", 2), lambda: predictions(net, [x], 40))
    assert together[0] == alone[0]
    assert together[1] == alone[1]
    np.testing.assert_array_equal(together[2][0], alone[2][0])


def test_results_of_steps_belong_to_the_caller():
    (step, _), batches = (
        plans.twins(lambda: build("mlp", rng=ig.default_rng(0))),
        [plans.batch(9, seed=i) for i in (0, 1)],
    )
    step(*batches[0])
    logits, kept = step.logits, step.logits.copy()
    step(*batches[1])
    assert not np.shares_memory(step.logits, logits)
    np.testing.assert_array_equal(logits, kept)


# Bit by bit


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("name", ["mlp", "lenet5", "tiny"])
def test_the_same_seed_and_threads_give_the_same_bits(name, n):
    with plans.threads(n):
        assert trained(name, 3, 4) == trained(name, 3, 4)


@pytest.mark.parametrize("name", ["mlp", "lenet5"])
def test_more_threads_differ_by_rounding_alone(name):
    weights = []
    for n in (1, 2, 3):
        with plans.threads(n):
            weights.append(np.frombuffer(trained(name, 3, 4), np.float32))
    start = np.frombuffer(trained(name, 3, 0), np.float32)
    for other in weights[1:]:
        assert np.linalg.norm(other - weights[0]) <= 1e-4 * np.linalg.norm(weights[0] - start)


# How many threads


def test_use_threads_decides_before_the_environment_and_the_cores(monkeypatch):
    use_threads(None)
    monkeypatch.delenv("INKGRAD_THREADS", raising=False)
    monkeypatch.delenv("NUMBA_NUM_THREADS", raising=False)
    cores = thread_count()
    assert 1 <= cores <= (os.cpu_count() or 1)
    monkeypatch.setenv("INKGRAD_THREADS", "3")
    assert thread_count() == 3
    use_threads(5)
    assert thread_count() == 5
    use_threads(None)
    assert thread_count() == 3
    monkeypatch.setenv("INKGRAD_THREADS", "")
    assert thread_count() == cores
    monkeypatch.setenv("NUMBA_NUM_THREADS", "1")  # as joblib's workers have it
    assert thread_count() == 1
    monkeypatch.setenv("NUMBA_NUM_THREADS", str(10 * cores))
    assert thread_count() == cores
    monkeypatch.setenv("INKGRAD_THREADS", "3")
    assert thread_count() == 3


@pytest.mark.parametrize("value", [0, -1, 2.5, "2", "many", [2]])
def test_use_threads_refuses_what_is_no_number_of_threads(value):
    with pytest.raises(OptionError, match="use_threads needs"):
        use_threads(value)
    assert thread_count() == 2  # as before


@pytest.mark.parametrize("value", ["0", "-2", "two", "2.5", " 2"])
def test_a_wrong_number_in_the_environment_is_told_at_prediction(monkeypatch, value):
    use_threads(None)
    monkeypatch.setenv("INKGRAD_THREADS", value)
    with pytest.raises(OptionError, match="INKGRAD_THREADS must be a number from 1 to 256"):
        predictions(lenet5(), [images(100, 0)])


def test_the_number_of_threads_may_change_between_steps():
    planned, eager = plans.twins(lambda: build("mlp", rng=ig.default_rng(0)))
    for i, n in enumerate((2, 1, 4, 3, 2)):
        use_threads(n)
        batch = plans.batch(10, seed=i)
        assert planned(*batch) == pytest.approx(eager(*batch), rel=1e-4)
        assert planned.fallback is None
    net = planned.net.eval()
    for n in (2, 1, 4, 3):
        use_threads(n)
        with ig.no_grad():
            assert plans.away(net(batch[0]).data, plans.eagerly(net, batch[0])) <= 1e-5


def test_helpers_that_have_gone_to_sleep_wake_up():
    """They wait awake for about a millisecond; afterwards they must be woken, and before they must not be missed."""
    source, done = np.array([7.0], np.float32), np.zeros(3, np.float32)
    words = [np.array([1, 1, source.ctypes.data, done.ctypes.data + 4 * i]) for i in range(3)]
    tables = [np.array([elementwise.copy.address, each.ctypes.data]) for each in words]
    entries = [np.array([1, table.ctypes.data]) for table in tables]
    pause = threading.Event()
    for turn in range(300):
        done[:] = 0
        run_on_threads([entry.ctypes.data for entry in entries])
        assert done.tolist() == [7.0, 7.0, 7.0]
        pause.wait(0.00003 * (turn % 100))


# Processes


COMMON = """
    import os, sys
    import numpy as np
    import inkgrad as ig
    from inkgrad import nn, optim
    from inkgrad.kernels.threads import use_threads
    from inkgrad.models import build
    from inkgrad.training import TrainStep
    use_threads(2)

    rng = np.random.default_rng(0)
    images, labels = rng.random((40, 1, 28, 28), dtype=np.float32), rng.integers(10, size=40)

    def prepare():
        net = build("lenet5", rng=ig.default_rng(0))
        return TrainStep(net, nn.cross_entropy, optim.SGD(net, 0.05, momentum=0.9))

    def go_on(step):
        '''Two more steps and a prediction, as bytes.'''
        step.net.train()
        for _ in range(2):
            step(images, labels)
            assert step.fallback is None, step.fallback
        with ig.no_grad():
            logits = step.net.eval()(images)
            assert step.net.fallback is None, step.net.fallback
        return logits.data.tobytes()
"""


def script(tmp_path, body, *, timeout=120):
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(COMMON) + textwrap.dedent(body))
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_forked_child_trains_and_predicts(tmp_path):
    """After a planned step of the parent, with its helpers asleep or awake; and the parent goes on as well."""
    assert script(
        tmp_path,
        """
        step = prepare()
        go_on(step)
        for _ in range(3):
            here, there = os.pipe()
            child = os.fork()
            if child == 0:
                os.write(there, go_on(step))
                os._exit(0)
            mine = go_on(step)
            theirs = os.read(here, 10**6)
            assert os.waitpid(child, 0)[1] == 0
            assert mine == theirs
        print("done")
        """,
    ) == ["done"]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_fork_in_the_middle_of_another_threads_prediction(tmp_path):
    """Whatever the other thread holds at that moment, the child has threads and locks of its own."""
    assert script(
        tmp_path,
        """
        import threading
        step, other = prepare(), prepare()
        go_on(step), go_on(other)
        stop = threading.Event()

        def predict():
            with ig.no_grad():
                while not stop.is_set():
                    step.net(images)

        thread = threading.Thread(target=predict)
        thread.start()
        try:
            for _ in range(20):
                child = os.fork()
                if child == 0:
                    with ig.no_grad():
                        step.net(images), other.net.eval()(images)
                    go_on(other)
                    os._exit(0)
                assert os.waitpid(child, 0)[1] == 0
        finally:
            stop.set()
            thread.join()
        print("done")
        """,
    ) == ["done"]


@pytest.mark.slow
@pytest.mark.parametrize("method", sorted({"fork", "spawn"} & set(multiprocessing.get_all_start_methods())))
def test_workers_of_multiprocessing(tmp_path, method):
    assert script(
        tmp_path,
        f"""
        import multiprocessing

        def work(seed):
            return go_on(prepare())

        if __name__ == "__main__":
            mine = go_on(prepare())
            with multiprocessing.get_context("{method}").Pool(2) as pool:
                assert pool.map(work, range(3)) == [mine] * 3
            print("done")
        """,
    ) == ["done"]


INTERRUPTED = """
import signal, time, numpy as np, inkgrad as ig
def interrupt(*_):
    raise KeyboardInterrupt
signal.signal(signal.SIGALRM, interrupt)
ig.use_threads(2)
first, last = (ig.nn.Linear(*sizes, rng=ig.default_rng(0)) for sizes in ((8, 16), (16, 10)))
net = ig.nn.Sequential(first, ig.nn.ReLU(), last)
step = ig.training.TrainStep(net, ig.nn.cross_entropy, ig.optim.SGD(net, 0.01))
images, labels = np.random.default_rng(0).random((40, 8), np.float32), np.arange(40) % 10
step(images, labels)
times, count, end = np.random.default_rng(1), 0, time.monotonic() + 3
while time.monotonic() < end:
    try:
        signal.setitimer(signal.ITIMER_REAL, times.uniform(2e-5, 4e-4))
        while True:
            step(images, labels)
    except KeyboardInterrupt:
        count += 1
signal.setitimer(signal.ITIMER_REAL, 0)
assert step.fallback is None and np.isfinite(step(images, labels))
print(count)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(__import__("signal"), "setitimer"), reason="no such timer on this system")
def test_ctrl_c_at_any_moment_leaves_no_thread_waiting():
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 50


FORK_WHILE_LOADING = """
import os, sys, time, numpy as np, inkgrad as ig
from inkgrad.nn import prediction
net = ig.models.build("lenet5", rng=ig.default_rng(0)).eval()
images = np.zeros((50, 1, 28, 28), np.float32)
prediction.PATIENCE = 0.0
with ig.no_grad():
    net(images)  # the loading begins
time.sleep(float(sys.argv[1]))
child = os.fork()
if child == 0:
    step = ig.training.TrainStep(net.train(), ig.nn.cross_entropy, ig.optim.SGD(net, 0.01))
    step(images, np.zeros(50, np.int64))
    os._exit(0 if step.fallback is None else 3)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize("wait", ["0", "0.1", "0.3"])
def test_a_fork_while_kernels_are_loaded_in_the_background(wait):
    command = [sys.executable, "-c", FORK_WHILE_LOADING, wait]
    running = subprocess.Popen(command, start_new_session=True)
    try:
        assert running.wait(timeout=60) == 0
    finally:
        if running.poll() is None:
            os.killpg(running.pid, 9)  # with its child
