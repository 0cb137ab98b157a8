"""The course of a training, in as many points as can be drawn: of a long one, every second, every fourth and so on."""

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from inkgrad.lessons.glimpse import Glimpse

__all__ = ["LiveState", "Measure", "News", "Point", "Thinned"]


@dataclass(frozen=True)
class Point:
    """A step.

    Attributes:
        step: its number, from 1.
        loss: of its batch, before the update.
        mean: of the losses of the last 25 steps.
        rate: the learning rate of the update.
        norms: of each layer with weights the norm of the loss's gradient by them, the root of the sum of squares.
    """

    step: int
    loss: float
    mean: float
    rate: float
    norms: tuple[float, ...]


@dataclass(frozen=True)
class Measure:
    """How well the network does on digits that it does not learn from.

    Attributes:
        step: after how many steps.
        loss: the mean loss, None where it is not finite.
        accuracy: share of digits that are read right.
        training: the same share of what was trained on in this epoch so far; None before the first step.
    """

    step: int
    loss: float | None
    accuracy: float
    training: float | None


@dataclass(frozen=True)
class LiveState:
    """What can be changed, and whether it goes on.

    Attributes:
        running: it makes steps; else it waits.
        learning_rate: of the next step.
        pace: steps a second at most; None for as many as can be made.
        digit: which digit's way through the network is looked at: the first of its kind in the test part.
        reason: why it has ended, empty before: "finished", "diverged", "unwatched", "idle", "failed" or what `end` was
            told.
        detail: where it diverged or failed, what the engine says.
    """

    running: bool
    learning_rate: float
    pace: float | None
    digit: int
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, eq=False)
class News:
    """What has happened since someone looked last.

    Attributes:
        state: as it is now.
        points: of steps.
        every: only multiples of this are kept of the steps, of those before too.
        measures: on digits that are not learned from.
        measured_every: likewise.
        glimpse: the newest one, None before the first.
        latest: the newest step, whether it is kept or not.
        measured: the newest measure, likewise.
    """

    state: LiveState
    points: list[Point]
    every: int
    measures: list[Measure]
    measured_every: int
    glimpse: Glimpse | None
    latest: Point | None
    measured: Measure | None


class _Stepped(Protocol):
    @property
    def step(self) -> int: ...


Item = TypeVar("Item", bound=_Stepped)


class Thinned(Generic[Item]):
    """Items whose step is a multiple of `every`, which doubles whenever there are too many.

    Args:
        most: items.
        every: at first.

    >>> points = Thinned[Measure](4)
    >>> for step in range(1, 11):
    ...     points.add(Measure(step, 0.0, 0.0, None))
    >>> points.every, [point.step for point in points.since(0)], [point.step for point in points.since(6)]
    (4, [4, 8], [8])
    """

    def __init__(self, most: int, every: int = 1) -> None:
        self.most, self.every = most, every
        self._items: list[Item] = []

    def add(self, item: Item) -> None:
        """Keep an item if its step is one of those."""
        if item.step % self.every:
            return
        self._items.append(item)
        if len(self._items) > self.most:
            self.every *= 2
            self._items = [one for one in self._items if one.step % self.every == 0]

    def since(self, step: int) -> list[Item]:
        """Those after a step."""
        return [one for one in self._items if one.step > step]
