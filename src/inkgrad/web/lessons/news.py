"""What a page that watches a training is told, as server-sent events."""

import asyncio
import dataclasses
import json
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from inkgrad.web.trainings import BEAT_SECONDS, Trainings, Watched, Watcher

if TYPE_CHECKING:
    from inkgrad.lessons.course import News
    from inkgrad.lessons.glimpse import Glimpse

__all__ = ["EVENTS", "beginning", "news", "state_told"]

_EVERY_SECONDS = 0.1

EVENTS = """event: begin
data: {"training": "M1s5kJH0qQfYq2zX", "watcher": 1, "network": "two-layer", "data": "digits", "layers": [...]}

event: state
data: {"running": true, "learning_rate": 0.1, "pace": 20, "digit": 3, "reason": "", "detail": "", "watchers": 1}

event: course
data: {"every": 1, "points": [{"step": 1, "loss": 2.3, "mean": 2.3, "rate": 0.1, "norms": [...]}], "latest": {...}, ...}

event: glimpse
data: {"step": 1, "label": 3, "probabilities": [...], "image": {...}, "layers": [...]}

event: beat
data: {}

"""
"""An example of what is sent; numbers and maps are left out."""


def beginning(training: Watched) -> dict[str, Any]:
    """What does not change of a training."""
    from inkgrad.lessons.live import MOST_STEPS

    live = training.live
    layers = [{"name": name, "kind": kind, "shape": shape} for name, kind, shape in live.layers]
    told = {name: getattr(live.settings, name) for name in ("network", "data", "optimizer", "batch_size")}
    steps = {"steps_an_epoch": live.steps_an_epoch(), "most_steps": MOST_STEPS}
    return {"training": training.name} | told | {"layers": layers} | steps


def state_told(training: Watched) -> dict[str, Any]:
    """What may change of it, and how many pages watch."""
    return dataclasses.asdict(training.live.current) | {"watchers": len(training.watchers)}


async def news(training: Watched, watcher: Watcher, trainings: Trainings) -> AsyncIterator[bytes]:
    """Events until the training is over, or the page has gone."""
    try:
        yield _event("begin", beginning(training) | {"watcher": watcher.number})
        since = measured_since = -1
        latest: Any = None
        state: dict[str, Any] = {}
        shown: Any = None
        beat = time.monotonic()
        while watcher.number in training.watchers:
            over = training.over or trainings.closed
            found = training.live.news(since, measured_since)
            if found.latest is not latest or found.measures:
                latest = found.latest
                since = found.points[-1].step if found.points else since
                measured_since = found.measures[-1].step if found.measures else measured_since
                yield _event("course", _course(found))
            if found.glimpse is not None and found.glimpse is not shown:
                shown = found.glimpse
                yield _event("glimpse", _glimpse(shown))
            told = dataclasses.asdict(found.state) | {"watchers": len(training.watchers)}
            if told != state:
                state = told
                yield _event("state", state)
            if over:
                return
            if time.monotonic() - beat >= BEAT_SECONDS:
                beat = time.monotonic()
                yield _event("beat", {})
            await asyncio.sleep(_EVERY_SECONDS)
    finally:
        training.leave(watcher)


def _event(name: str, data: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, allow_nan=False)}\n\n".encode()


def _course(found: "News") -> dict[str, Any]:
    return {
        "every": found.every,
        "points": [dataclasses.asdict(point) for point in found.points],
        "measured_every": found.measured_every,
        "measures": [dataclasses.asdict(measure) for measure in found.measures],
        "latest": None if found.latest is None else dataclasses.asdict(found.latest),
        "measured": None if found.measured is None else dataclasses.asdict(found.measured),
    }


def _glimpse(seen: "Glimpse") -> dict[str, Any]:
    from inkgrad.explain import packed

    layers = [
        {"name": layer.name, "kind": layer.kind, "shape": layer.shape, "columns": layer.columns}
        | {"weights": packed(layer.weights), "activations": packed(layer.activations)}
        for layer in seen.layers
    ]
    told = {"step": seen.step, "label": seen.label, "image": packed(seen.image)}
    return told | {"probabilities": seen.probabilities.tolist(), "layers": layers}
