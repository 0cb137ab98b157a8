"""How fast this machine trains and predicts, without peers; the peers are in the scripts of `benchmarks/`."""

import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from inkgrad.autodiff import no_grad
from inkgrad.data import linear_scaling, load_digits
from inkgrad.kernels import KERNELS, active_backend, load_backend
from inkgrad.models import NAMED, build
from inkgrad.optim import SGD
from inkgrad.random import default_rng
from inkgrad.training.step import TrainStep
from inkgrad.version import __version__

__all__ = ["TRAINED", "Measured", "kernels_without_twin", "machine", "measure", "plan_of"]

TRAINED = {"mlp": 128, "lenet5": 64, "cnn": 64}
"""Network -> the batch that its training is measured with."""

PREDICTED = 1000


@dataclass(frozen=True)
class Measured:
    """One figure.

    Attributes:
        network: its name.
        work: "train" or "predict".
        batch: images a call.
        images_per_second: median over the rounds.
        milliseconds: of a call, so of a training step or a prediction.
        plan: "planned", or why the work is done operation by operation.
    """

    network: str
    work: str
    batch: int
    images_per_second: float
    milliseconds: float
    plan: str


def measure(*, seconds: float = 0.4, warm: float = 2.0, rounds: int = 5, seed: int = 0) -> Iterator[Measured]:
    """Train and predict with each network in turn: SGD with momentum, then batches of 1,000 and single images.

    The images are the bundled digits.

    Args:
        seconds: of a round.
        warm: seconds of work before each measurement, as kernels may be compiled or loaded meanwhile.
        rounds: of each measurement; the median counts.
        seed: of the initial weights.
    """
    train, _ = load_digits()
    images = linear_scaling().apply(np.resize(train.images, (PREDICTED, *train.images.shape[1:])))
    labels = np.resize(train.labels, PREDICTED)
    for name, batch in TRAINED.items():
        net = build(name, rng=default_rng(seed))
        step = TrainStep(net, NAMED[name].loss, SGD(net, learning_rate=0.01, momentum=0.9))
        x, t = images[:batch].copy(), labels[:batch].copy()

        def train_once(step: TrainStep = step, x: Any = x, t: Any = t) -> object:
            return step(x, t)

        took = _seconds_a_call(train_once, seconds, warm, rounds)
        yield Measured(name, "train", batch, batch / took, 1000 * took, plan_of(step))
        net.eval()
        for size in (PREDICTED, 1):

            def predict_once(net: Any = net, x: Any = images[:size].copy()) -> object:  # noqa: B008
                with no_grad():
                    return net(x)

            took = _seconds_a_call(predict_once, seconds, warm, rounds)
            yield Measured(name, "predict", size, size / took, 1000 * took, plan_of(net))


def _seconds_a_call(call: Callable[[], object], seconds: float, warm: float, rounds: int) -> float:
    """The median over the rounds of the mean time of a call."""
    calls, start = 0, time.perf_counter()
    while calls < 2 or time.perf_counter() - start < warm:
        call()
        calls += 1
        if calls == 1:
            start = time.perf_counter()  # the first call may compile
    count = max(round(seconds * calls / (time.perf_counter() - start)), 1)
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(count):
            call()
        times.append((time.perf_counter() - start) / count)
    return statistics.median(times)


def plan_of(worker: object) -> str:
    """How a `TrainStep` or a network does its work: "planned", or why it goes operation by operation."""
    return getattr(worker, "fallback", "no plan") or "planned"


def kernels_without_twin() -> list[str]:
    """The kernels that run the reference, as the backend in force has no twin of them."""
    backend = active_backend()
    return sorted(name for name, kernel in KERNELS.items() if backend not in kernel.twins)


def machine() -> dict[str, Any]:
    """Processor, cores, threads, versions and the BLAS core that arithmetic runs on, as far as they are loaded."""
    import numba
    import scipy
    from threadpoolctl import threadpool_info

    from inkgrad.kernels.numba_cpu.threads import thread_count

    load_backend()
    blas = [
        f"{Path(info['filepath']).parent.name.removesuffix('.libs')}: {info['internal_api']} "
        f"{info.get('architecture', '?')}, {info['num_threads']} threads"
        for info in threadpool_info()
        if info["user_api"] == "blas"
    ]
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": thread_count(),
        "blas": blas,
        "backend": active_backend(),
        "inkgrad": __version__,
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "numba": numba.__version__,
        "python": platform.python_version(),
    }


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())
