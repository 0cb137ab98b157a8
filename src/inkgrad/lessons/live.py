"""A training to be watched: it goes on step by step while someone looks, and can be changed on the way."""

import collections
import functools
import math
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from inkgrad.data import Dataset, linear_scaling
from inkgrad.errors import DivergenceError, InkgradError, OptionError
from inkgrad.kernels import use_backend
from inkgrad.lessons.course import LiveState, Measure, News, Point, Thinned
from inkgrad.lessons.glimpse import Glimpse, glimpse, gradient_norms, trained_layers
from inkgrad.lessons.limits import check_rate
from inkgrad.lessons.live_settings import AdjustableRate, LiveSettings, data_of, network_of, optimizer_of
from inkgrad.models import network_logits
from inkgrad.nn import cross_entropy
from inkgrad.random import default_rng
from inkgrad.training import Callback, Trainer, TrainStep

__all__ = ["IDLE_SECONDS", "MOST_STEPS", "LiveTraining"]

MOST_STEPS = 20_000
IDLE_SECONDS = 600.0
"""After which a training that waits, and that nobody changes, ends: others may want its place."""

TESTED = 500  # digits, at most
TEST_EVERY = 10  # steps
MOST_POINTS, MOST_MEASURES = 600, 300
MEAN_OF = 25  # steps
LOOK_SECONDS = 0.4  # between two glimpses into the network
WAIT_SECONDS = 0.1
PATIENCE_SECONDS = 5.0  # without anyone who watches


class LiveTraining(Callback):
    """A training by `Trainer` and `TrainStep`, on the plain kernels: nothing is compiled before the first step.

    Thread-safe: `run` works in one thread, everything else may be called in others.

    Args:
        settings: what to train.
        pace: steps a second at most; None for as many as can be made.
        most_steps: after which it is finished.
        attended: whether someone watches. While nobody does no step is made, and after five seconds it ends.
        idle_seconds: that it waits when it was told to wait and nothing is changed; then it ends.

    Attributes:
        settings: as given.

    Raises:
        OptionError: a learning rate outside of (0, 1,000,000], or a batch without images.

    >>> from inkgrad.lessons.live_settings import LiveSettings
    >>> training = LiveTraining(LiveSettings("two-layer", learning_rate=0.5), most_steps=60)
    >>> training.run()
    >>> news = training.news()
    >>> news.state.reason, len(news.points), news.measures[-1].accuracy > 0.7
    ('finished', 60, True)
    """

    def __init__(
        self,
        settings: LiveSettings,
        *,
        pace: float | None = None,
        most_steps: int = MOST_STEPS,
        attended: Callable[[], bool] = lambda: True,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        _check(settings.learning_rate, pace)
        if settings.batch_size < 1:
            raise OptionError(f"a batch needs 1 image or more, but batch_size is {settings.batch_size}; take 64, say")
        self.settings = settings
        self._most_steps, self._attended, self._idle_seconds = most_steps, attended, idle_seconds
        self._state = LiveState(True, settings.learning_rate, pace, 3)
        self._changed = threading.Condition()
        self._rate = AdjustableRate(settings.learning_rate)
        self._points, self._measures = Thinned[Point](MOST_POINTS), Thinned[Measure](MOST_MEASURES, TEST_EVERY)
        self._losses: collections.deque[float] = collections.deque(maxlen=MEAN_OF)
        self._glimpse: Glimpse | None = None
        self._latest: Point | None = None
        self._measured: Measure | None = None
        self._single = 0  # steps that were asked for one by one
        self._due = self._looked = 0.0
        self._attended_at = self._changed_at = time.monotonic()

    def run(self) -> None:
        """Train until it ends, in this thread."""
        detail, reason = "", "failed"
        if self.current.reason:  # it was ended before its thread had time for it
            return
        try:
            with use_backend("reference"), np.errstate(over="ignore", invalid="ignore"):
                trainer = self._trainer()
                trainer.fit(steps=self._most_steps)
            reason = "finished"
        except DivergenceError as error:
            reason, detail = "diverged", str(error)
        except InkgradError as error:
            detail = str(error)
        finally:
            self.end(reason, detail)

    def change(
        self,
        *,
        running: bool | None = None,
        learning_rate: float | None = None,
        pace: float | None = None,
        digit: int | None = None,
        step: bool = False,
    ) -> LiveState:
        """Change something from the next step on; what is not given stays. Of several who change, the last one wins.

        Args:
            running: let it go on or wait.
            learning_rate: of the steps to come.
            pace: steps a second at most.
            digit: whose way through the network is looked at.
            step: make one step and wait then; of several that are asked for at once, each is made.

        Raises:
            OptionError: a learning rate outside of (0, 1,000,000], or a pace that is not positive and finite.
        """
        _check(learning_rate, pace)
        given: dict[str, Any] = {"running": running, "learning_rate": learning_rate, "pace": pace, "digit": digit}
        with self._changed:
            if not self._state.reason:
                self._state = replace(self._state, **{name: new for name, new in given.items() if new is not None})
                if step:
                    self._state = replace(self._state, running=False)
                self._single = 0 if self._state.running else self._single + step
            self._changed_at = time.monotonic()
            self._due = min(self._due, time.monotonic() + self._pause)
            self._changed.notify_all()
            return self._state

    def end(self, reason: str = "ended", detail: str = "") -> None:
        """Make no further step. The reason that came first stays."""
        with self._changed:
            if not self._state.reason:
                self._state = replace(self._state, running=False, reason=reason, detail=detail)
            self._changed.notify_all()

    @property
    def current(self) -> LiveState:
        """What can be changed, as it is now."""
        return self._state

    def news(self, since: int = -1, measured_since: int = -1) -> News:
        """What has happened after these steps."""
        with self._changed:
            points, measures = self._points, self._measures
            told = points.since(since), points.every, measures.since(measured_since), measures.every
            return News(self._state, *told, self._glimpse, self._latest, self._measured)

    @functools.cached_property
    def layers(self) -> tuple[tuple[str, str, tuple[int, ...]], ...]:
        """Path, class and shape of the weight of each layer that has some, in the order of `Point.norms`."""
        found = trained_layers(network_of(self.settings))
        return tuple((path, kind, arrays[0].shape) for path, (kind, arrays) in found.items())

    @functools.cached_property
    def _data(self) -> tuple[Dataset, Dataset]:
        train, test = data_of(self.settings)
        return train, test[:TESTED]

    def steps_an_epoch(self) -> int:
        """Steps after which each image has been seen once."""
        return math.ceil(len(self._data[0]) / self.settings.batch_size)

    def _trainer(self) -> Trainer:
        settings, (train, _) = self.settings, self._data
        net = network_of(settings)
        step = TrainStep(net, cross_entropy, optimizer_of(settings, net, self._rate))
        rng = default_rng(settings.seed)
        return Trainer(step, train, callbacks=[self], batch_size=settings.batch_size, rng=rng)

    def on_start(self, trainer: Trainer) -> None:
        """Measure the network as it is before the first step."""
        self._measure(trainer)
        self._hold(trainer)

    def on_step(self, trainer: Trainer) -> None:
        """Note the step, and wait until the next one is due."""
        self._losses.append(trainer.last_loss)
        mean = sum(self._losses) / len(self._losses)
        norms = gradient_norms(trainer.step.net)
        point = Point(trainer.step_count, trainer.last_loss, mean, self._rate.rate, norms)
        with self._changed:
            self._latest = point
            self._points.add(point)
        if trainer.step_count % TEST_EVERY == 0:
            self._measure(trainer)
        if trainer.step_count < self._most_steps:
            self._hold(trainer)

    def on_end(self, trainer: Trainer) -> None:
        """A last look."""
        self._look(trainer)

    def _measure(self, trainer: Trainer) -> None:
        _, test = self._data
        logits = network_logits(trainer.step.net, test.images, linear_scaling())
        loss = cross_entropy(logits, test.labels).item()
        right = float((logits.argmax(axis=1) == test.labels).mean())
        training = float(trainer.record()["accuracy"]) if trainer.step_count else None
        found = Measure(trainer.step_count, loss if math.isfinite(loss) else None, right, training)
        with self._changed:
            self._measured = found
            self._measures.add(found)

    def _look(self, trainer: Trainer) -> None:
        _, test = self._data
        label = self._state.digit
        index = int((test.labels == label).argmax())
        net: Any = trainer.step.net
        found = glimpse(net, test.images[index], int(test.labels[index]), step=trainer.step_count)
        with self._changed:
            self._glimpse, self._looked = found, time.monotonic()

    @property
    def _pause(self) -> float:
        return 0.0 if self._state.pace is None else 1 / self._state.pace

    def _hold(self, trainer: Trainer) -> None:
        """Wait until the next step may be made, and look into the network now and then."""
        while True:
            with self._changed:
                seconds = self._seconds_to_wait()
                if self._state.reason:
                    trainer.stop(self._state.reason)
                    return
                look = self._is_stale(trainer, waits=seconds > 0)
                if seconds <= 0 and not look:
                    self._single = max(0, self._single - 1)
                    self._rate.rate = self._state.learning_rate
                    self._due = time.monotonic() + self._pause
                    return
                if not look:
                    self._changed.wait(min(seconds, WAIT_SECONDS))
            if look:
                self._look(trainer)

    def _seconds_to_wait(self) -> float:
        now = time.monotonic()
        if not self._attended():
            if now - self._attended_at > PATIENCE_SECONDS:
                self.end("unwatched")
            return WAIT_SECONDS
        self._attended_at = now
        if self._single:
            return 0.0
        if self._state.running:
            return self._due - now
        if now - self._changed_at > self._idle_seconds:
            self.end("idle")
        return WAIT_SECONDS

    def _is_stale(self, trainer: Trainer, *, waits: bool) -> bool:
        """Whether it is time for another look: now and then, and when it stands still or another digit was chosen."""
        seen = self._glimpse
        if seen is None or seen.label != self._state.digit:
            return True
        if seen.step == trainer.step_count:
            return False
        still = waits and not self._state.running
        return still or time.monotonic() - self._looked >= LOOK_SECONDS


def _check(learning_rate: float | None, pace: float | None) -> None:
    if learning_rate is not None:
        check_rate(learning_rate)
    if pace is not None and not 0 < pace < math.inf:
        raise OptionError(f"the pace must be positive and finite, but is {pace}; take 20, say")
