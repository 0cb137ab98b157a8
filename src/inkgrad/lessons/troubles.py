"""What goes wrong in deep networks, and what helps: trainings in small parts, and what each layer does meanwhile."""

import copy
import math
from dataclasses import dataclass

import numpy as np

from inkgrad.autodiff.modes import no_grad
from inkgrad.autodiff.tensor import Array, Tensor
from inkgrad.errors import DivergenceError
from inkgrad.kernels import use_backend
from inkgrad.lessons.courses import Courses
from inkgrad.lessons.deep import CLIP, DECAY, DeepNetwork, Switches
from inkgrad.lessons.digits import scaled_digits
from inkgrad.lessons.limits import RUNAWAY
from inkgrad.nn import cross_entropy
from inkgrad.optim import L2, SGD, ClipByGlobalNorm
from inkgrad.random import default_rng

__all__ = ["CASES", "PARTS", "UPDATES", "Case", "Histogram", "LayerState", "Stage", "stage"]

UPDATES = 10
"""Updates of a part, with 50 digits behind each."""
PARTS = 41
"""The first is before training."""
BATCH = 50
PROBE = 200  # digits whose activations and gradients are shown
BINS = 31
MAGNITUDES = (-12.0, 4.0)  # powers of ten between which gradients are counted
SILENT = 1e-3  # a unit whose output varies by less over the digits says nothing
ALIKE = 1e-6  # units whose outputs differ by less are the same


@dataclass(frozen=True)
class Case:
    """A trouble.

    Attributes:
        switches: how to get into it.
        remedies: what helps, each as the switches to change.
    """

    switches: Switches
    remedies: tuple[dict[str, object], ...]


CASES = {
    "vanishing": Case(
        Switches(depth=8, activation="sigmoid", start="xavier"),
        ({"batch_norm": True}, {"residual": True}, {"activation": "tanh"}),
    ),
    "exploding": Case(
        Switches(depth=8, activation="relu", start="large", rate=0.02),
        ({"start": "he"}, {"batch_norm": True}, {"clip": True}),
    ),
    "symmetric": Case(Switches(depth=2, activation="tanh", start="equal"), ({"start": "xavier"},)),
    "dead": Case(Switches(depth=4, activation="relu", start="he", rate=0.5), ({"rate": 0.02}, {"batch_norm": True})),
    "plateau": Case(
        Switches(depth=4, activation="tanh", start="small"),
        ({"start": "xavier"}, {"batch_norm": True}),
    ),
    "overfitting": Case(
        Switches(depth=2, activation="relu", start="he", rate=0.02, digits=60),
        ({"digits": 1000}, {"dropout": True}, {"weight_decay": True}),
    ),
}
"""By name; each is better off with any one of its remedies."""


@dataclass(frozen=True)
class Histogram:
    """How many values lie in each of equal parts of low..high; those beyond are counted at the ends."""

    low: float
    high: float
    counts: tuple[int, ...]


@dataclass(frozen=True)
class LayerState:
    """What a hidden layer does with 200 digits.

    Attributes:
        activations: of all its units and digits; on the same scale in all layers.
        spread: their standard deviation.
        gradients: log10 |dL/dw| of its weights that have a gradient.
        norm: of the gradient of its weights.
        clipped: the same after clipping, as the optimizer gets it; as `norm` where the gradient is not clipped.
        weights: the norm of its weights.
        none: the share of its weights whose gradient is 0.
        silent: units that answer all digits alike.
        distinct: units that are not copies of others.
    """

    activations: Histogram
    spread: float
    gradients: Histogram
    norm: float
    clipped: float
    weights: float
    none: float
    silent: int
    distinct: int


@dataclass(frozen=True)
class Stage:
    """A moment of a training.

    Attributes:
        updates: made so far.
        loss: of the digits that it learns from.
        test_loss: of 360 others.
        accuracy, test_accuracy: the shares of them that it gets right.
        layers: the hidden layers; none where numbers have ended.
        diverged: the update after which the loss was beyond bounds; None if it is not.
    """

    updates: int
    loss: float | None
    test_loss: float | None
    accuracy: float
    test_accuracy: float
    layers: tuple[LayerState, ...]
    diverged: int | None


def stage(switches: Switches, number: int) -> Stage:
    """A training after 10 (number - 1) updates, float32; the same on every call.

    Args:
        switches: network and training.
        number: 1 to 41; 1 is before training.

    Raises:
        OptionError: there is no such part.

    >>> before = stage(Switches(depth=8, activation="sigmoid"), 1)
    >>> before.layers[0].norm < 1e-3 * before.layers[-1].norm
    True
    """
    return _COURSES.piece(switches, number)


class _Run:
    """A training on its way."""

    def __init__(self, switches: Switches) -> None:
        self.switches = switches
        self.rng = default_rng(0)
        self.net = DeepNetwork(switches, self.rng)
        clip = ClipByGlobalNorm(CLIP) if switches.clip else None
        self.optimizer = SGD(self.net, switches.rate, momentum=0.9, clip=clip)
        self.penalty = L2(DECAY) if switches.weight_decay else None
        self.first: float | None = None
        self.diverged: int | None = None

    def part(self) -> Stage:
        with use_backend("reference"), np.errstate(all="ignore"):
            if self.first is not None:
                self._train()
            return self._look()

    def _train(self) -> None:
        images, labels = _digits(self.switches.digits)
        for _ in range(UPDATES):
            if self.diverged is not None:
                return
            batch = self.rng.choice(len(images), BATCH, replace=False)
            self.optimizer.zero_grad()
            loss = cross_entropy(self.net(images[batch]), labels[batch])
            if self.penalty is not None:
                loss = loss + self.penalty(self.net)
            loss.backward()
            try:
                self.optimizer.step()
            except DivergenceError:
                self.diverged = self.optimizer.step_count

    def _look(self) -> Stage:
        loss, accuracy = self._judged(*_digits(self.switches.digits))
        test_loss, test_accuracy = self._judged(*scaled_digits()[1])
        if self.first is None:
            self.first = loss if loss is not None else math.inf
        if self.diverged is None and (loss is None or loss > RUNAWAY * max(self.first, 1.0)):
            self.diverged = self.optimizer.step_count
        layers = () if loss is None else self._layers()
        return Stage(self.optimizer.step_count, loss, test_loss, accuracy, test_accuracy, layers, self.diverged)

    def _judged(self, images: Array, labels: Array) -> tuple[float | None, float]:
        self.net.eval()
        with no_grad():
            logits = self.net(images)
            loss = cross_entropy(logits, labels).item()
        self.net.train()
        return loss if math.isfinite(loss) else None, float((logits.data.argmax(axis=1) == labels).mean())

    def _layers(self) -> tuple[LayerState, ...]:
        """Of a backward pass as in training, from which nothing stays but its numbers."""
        images, labels = (some[:PROBE] for some in _digits(self.switches.digits))
        self.optimizer.zero_grad()
        net = copy.deepcopy(self.net)  # so that running statistics and random generators stay as they are
        outputs = net.layers(images)
        cross_entropy(net.logits(outputs[-1]), labels).backward()
        values = [output.data for output in outputs]
        gradients = [np.asarray(parameter.grad) for _, parameter in net.named_parameters()]
        if not all(np.isfinite(array).all() for array in (*values, *gradients)):
            return ()
        scale = _clipped(gradients) if self.switches.clip else 1.0
        low, high = min(float(v.min()) for v in values), max(float(v.max()) for v in values)
        return tuple(_told(v, weight, scale, low, high) for v, weight in zip(values, net.weights(), strict=True))


def _clipped(gradients: list[Array]) -> float:
    """What is left of the norm of a gradient when it is clipped."""
    whole = np.concatenate([gradient.ravel() for gradient in gradients]).astype(np.float64)
    before = float(np.linalg.norm(whole))
    ClipByGlobalNorm(CLIP)(whole)
    return float(np.linalg.norm(whole)) / before if before else 1.0


def _told(values: Array, weight: Tensor, scale: float, low: float, high: float) -> LayerState:
    gradient = np.asarray(weight.grad)
    norm = float(np.linalg.norm(gradient.astype(np.float64)))
    magnitudes = np.abs(gradient[gradient != 0]).astype(np.float64)
    return LayerState(
        _histogram(values, low, high),
        float(values.std(dtype=np.float64)),
        _histogram(np.log10(magnitudes), *MAGNITUDES),
        norm,
        norm * scale,
        float(np.linalg.norm(weight.data.astype(np.float64))),
        1 - magnitudes.size / gradient.size,
        int((np.ptp(values, axis=0) < SILENT).sum()),
        _distinct(values),
    )


def _histogram(values: Array, low: float, high: float) -> Histogram:
    high = high if high > low else low + 1
    counts, _ = np.histogram(np.clip(values, low, high), BINS, (low, high))
    return Histogram(low, high, tuple(int(count) for count in counts))


def _distinct(values: Array) -> int:
    """How many columns are no copies of one before them."""
    kept: list[Array] = []
    for column in values.T:
        if not any(np.abs(column - other).max() <= ALIKE * max(1.0, np.abs(other).max()) for other in kept):
            kept.append(column)
    return len(kept)


def _digits(count: int) -> tuple[Array, Array]:
    (images, labels), _ = scaled_digits()
    return images[:count], labels[:count]


_COURSES: Courses[Switches, _Run, Stage] = Courses(_Run, _Run.part, PARTS, kept=16)
