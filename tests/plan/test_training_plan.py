"""A planned training step does what the same step does operation by operation."""

import copy

import numpy as np
import pytest

import inkgrad as ig
import plans
from inkgrad import nn, optim
from inkgrad.errors import DivergenceError, OptionError
from inkgrad.kernels.threads import use_threads


def test_more_threads_than_outputs_of_a_divided_layer():
    """Some threads have nothing to do there."""
    with plans.threads(4):
        planned, eager = plans.twins(lambda: plans.dense(75 * 75, 3, 5), loss=smoothed)
        for count in (9, 2):
            images, _ = plans.batch(count, (1, 75, 75))
            labels = np.arange(count) % 5
            assert planned(images, labels) == pytest.approx(eager(images, labels), rel=1e-5)
            assert planned.fallback is None
            plans.assert_gradients_agree(planned.net, eager.net)


def smoothed(logits, labels):
    """A loss whose gradient never vanishes, so that relative errors of gradients stay errors of rounding."""
    return nn.cross_entropy(logits, labels, label_smoothing=0.2)


# Layers whose weights are divided among the threads


@pytest.mark.parametrize(
    ("widths", "between"),
    [
        pytest.param((784, 260, 260, 10), nn.Sigmoid, id="two in a row"),
        pytest.param((784, 20, 20, 20, 3300, 10), nn.Tanh, id="behind small ones"),
        pytest.param((784, 30, 2200, 10), nn.ReLU, id="in the middle"),
    ],
)
def test_layers_divided_among_the_threads(widths, between):
    """Many times over, as threads that do not wait for each other are right most of the time."""
    planned, eager = plans.twins(lambda: plans.dense(*widths, between=between), loss=smoothed)
    start = nn.state_of(planned.net)
    for count in (12, 3, 1, 13):
        images, labels = plans.batch(count, seed=count)
        nn.load_state(eager.net, start)
        loss = eager(images, labels)
        for _ in range(5):
            nn.load_state(planned.net, start)
            assert planned(images, labels) == pytest.approx(loss, rel=1e-5)
            assert planned.fallback is None
            plans.assert_gradients_agree(planned.net, eager.net)


# Where there is no plan, the eager way runs, and `fallback` says why


@ig.differentiable
def relu(x):
    """Another function than ours of this name."""
    slope = np.where(x > 0, np.float32(1), np.float32(0.3))
    return x * slope, (lambda g: g * slope,)


@ig.differentiable
def cube(x):
    return x**3, (lambda g: g * 3 * x**2,)


class Flat(nn.Module):
    """A dense layer and what a subclass makes of its input and output."""

    def __init__(self):
        self.flatten, self.dense = nn.Flatten(), nn.Linear(36, 10, rng=ig.default_rng(0))

    def before(self, x):
        return x

    def after(self, h):
        return h

    def forward(self, x):
        return self.after(self.dense(self.before(self.flatten(x))))


class WithNamesake(Flat):
    def after(self, h):
        return relu(h)


class WithOwnOperation(Flat):
    def before(self, x):
        return cube(x)


class ReadsValues(Flat):
    def after(self, h):
        return h * float(1 / (1 + np.abs(h.data).max()))


class ReadsOneValue(Flat):
    def after(self, h):
        return h if float(h.mean()) > 1e9 else h * 2


class TwiceOneLayer(Flat):
    def after(self, h):
        return self.dense(ig.ops.concatenate([h, h, h, h[:, :6]], axis=1))


class SharedLayer(Flat):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(10, 10, rng=ig.default_rng(1))

    def after(self, h):
        return self.inner(ig.ops.tanh(self.inner(h)))


class FrozenNorm(Flat):
    """Trained with the running statistics of a batch normalization, behind a dense layer."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(10).eval()
        self.norm.running_var.data[...] = np.linspace(0.5, 4, 10)
        self.norm.weight.data[...] = np.linspace(-2, 2, 10)

    def after(self, h):
        return self.norm(h)


class FrozenNormOfImages(FrozenNorm):
    """Before everything."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(36).eval()

    def before(self, x):
        return self.norm(x)

    def after(self, h):
        return h


class FrozenNormOfConvolution(nn.Module):
    def __init__(self):
        rng = ig.default_rng(0)
        self.convolution, self.norm = nn.Conv2d(1, 3, 3, rng=rng), nn.BatchNorm2d(3).eval()
        self.norm.running_var.data[...] = 3
        self.dense = nn.Linear(48, 10, rng=rng)

    def forward(self, x):
        return self.dense(nn.Flatten()(ig.ops.relu(self.norm(self.convolution(x)))))


class FrozenNormOfDividedLayer(FrozenNorm):
    def __init__(self):
        super().__init__()
        rng = ig.default_rng(0)
        self.dense, self.norm, self.last = (
            nn.Linear(36, 460, rng=rng),
            nn.BatchNorm1d(460).eval(),
            nn.Linear(460, 10, rng=rng),
        )
        self.norm.weight.data[...] = np.linspace(-2, 2, 460)

    def after(self, h):
        return self.last(self.norm(h))


def looking_at_another(logits, labels):
    """A loss that computes another one too."""
    nn.cross_entropy(logits, labels, label_smoothing=0.5)
    return nn.cross_entropy(logits, labels)


def weighted(logits, labels):
    return nn.cross_entropy(logits, labels, class_weights=np.arange(1, 11, dtype=np.float32))


REFUSED = {
    "own operation": (WithOwnOperation, nn.cross_entropy, "the operation cube of"),
    "own operation with a name of ours": (WithNamesake, nn.cross_entropy, "the operation relu of"),
    "values": (ReadsValues, nn.cross_entropy, "looks at the values"),
    "one value": (ReadsOneValue, nn.cross_entropy, "looks at the values"),
    "one layer twice": (SharedLayer, nn.cross_entropy, "a parameter is used twice"),
    "one layer twice, put together": (TwiceOneLayer, nn.cross_entropy, "the operation"),
    "frozen normalization": (FrozenNorm, nn.cross_entropy, "running statistics"),
    "frozen normalization of images": (FrozenNormOfImages, nn.cross_entropy, "running statistics"),
    "frozen normalization of a convolution": (FrozenNormOfConvolution, nn.cross_entropy, "running statistics"),
    "frozen normalization of a divided layer": (FrozenNormOfDividedLayer, nn.cross_entropy, "running statistics"),
    "class weights": (Flat, weighted, "a cross-entropy with weights of classes"),
    "two losses": (Flat, looking_at_another, "more than one loss"),
    "half a loss": (Flat, lambda z, y: nn.cross_entropy(z, y) * 0.5, "the operation multiply"),
    "made targets": (Flat, lambda z, y: nn.mean_squared_error(z, np.eye(10)[y]), "something else than float32 targets"),
    "another kind of loss": (Flat, lambda z, y: ig.ops.mean(z * z), "the operation"),
    "a sum": (Flat, lambda z, y: nn.cross_entropy(z, y, reduction="sum"), "no mean"),
    "changed labels": (Flat, lambda z, y: nn.cross_entropy(z, 9 - y), "neither an input"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_without_a_plan_the_eager_way_runs_and_says_why(case):
    make, loss, why = REFUSED[case]
    planned, eager = plans.twins(make, loss)
    for count in (6, 3, 9):
        images, labels = plans.batch(count, (1, 6, 6), seed=count)
        assert planned(images, labels) == eager(images, labels)
        assert why in planned.fallback
    for (_, one), (_, other) in zip(planned.net.named_state(), eager.net.named_state(), strict=True):
        np.testing.assert_array_equal(one.data, other.data)


class Counts(Flat):
    """Remembers how often it was called, and goes another way every second time."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def after(self, h):
        self.calls += 1
        return h if self.calls % 2 else ig.ops.tanh(h)


class Noisy(Flat):
    """Draws noise of its own in each forward pass."""

    def __init__(self):
        super().__init__()
        self.rng = ig.default_rng(5)

    def before(self, x):
        return x + self.rng.standard_normal(x.shape).astype(np.float32)


class Choosy(Flat):
    """Refuses the batches that a trial run is made with."""

    def before(self, x):
        assert x.shape[0] > 2
        return x


class Lazy(Flat):
    """Builds a part of itself when it is first called."""

    def __init__(self):
        super().__init__()
        self.activation = None

    def after(self, h):
        if self.activation is None:
            self.activation = nn.Tanh()
        return self.activation(h)


@pytest.mark.parametrize(
    ("make", "why"),
    [(Counts, "changes attributes"), (Noisy, "neither an input"), (Choosy, "a trial run failed")],
)
def test_a_trial_run_leaves_no_trace(make, why):
    planned, eager = plans.twins(make)
    for count in (6, 6, 3, 9, 9, 9):
        images, labels = plans.batch(count, (1, 6, 6), seed=count)
        assert planned(images, labels) == eager(images, labels)
        assert why in planned.fallback
    assert getattr(planned.net, "calls", 6) == 6


def test_a_part_that_is_built_once_is_planned_afterwards():
    planned, eager = plans.twins(Lazy)
    images, labels = plans.batch(6, (1, 6, 6))
    losses = [(planned(images, labels), eager(images, labels)) for _ in range(3)]
    np.testing.assert_allclose(*zip(*losses, strict=True), rtol=1e-5)
    assert planned.fallback is None


# Batches that are no good, or not as plans need them


def flat():
    return plans.dense(784, 24, 10)


def normalized():
    rng = ig.default_rng(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 9, rng=rng), nn.BatchNorm1d(9), nn.Linear(9, 10, rng=rng))


def spoiled(images, labels):
    images[3, 0, 5, 5] = np.nan
    return images, labels


def too_large(images, labels):
    images[2] = 3e38
    return images, labels


BAD = {
    "label too large": (flat, lambda x, y: (x, np.where(y == y[1], 10, y))),
    "label negative": (flat, lambda x, y: (x, np.where(y == y[1], -1, y))),
    "nan": (flat, spoiled),
    "infinite loss": (flat, too_large),
    "other size": (flat, lambda x, y: (x[:, :, :20], y)),
    "rows": (flat, lambda x, y: (x[:, 0, 0], y)),
    "no images": (flat, lambda x, y: (x[:0], y[:0])),
    "too few labels": (flat, lambda x, y: (x, y[:-1])),
    "labels in columns": (flat, lambda x, y: (x, y[:, None])),
    "real labels": (flat, lambda x, y: (x, y.astype(np.float32))),
    "one image for statistics": (normalized, lambda x, y: (x[:1], y[:1])),
    "text": (flat, lambda x, y: ("images", y)),
}


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("case", BAD)
def test_mistakes_are_told_as_the_eager_way_tells_them(case, n):
    """Nothing has changed then, and the next good batch is planned as ever."""
    make, spoil = BAD[case]
    with plans.threads(n):
        planned, eager = plans.twins(make, optimizer=lambda net: optim.SGD(net, 0.1, momentum=0.9))
        images, labels = plans.batch(8)
        for step in (planned, eager):
            step(images, labels)
        before, state = nn.state_of(planned.net), planned.optimizer.state_arrays()
        told = []
        for step in (planned, eager):
            with pytest.raises(Exception) as caught:
                step(*spoil(images.copy(), labels.copy()))
            told.append((caught.type, str(caught.value)))
        assert told[0] == told[1]
        for name, array in (nn.state_of(planned.net) | planned.optimizer.state_arrays()).items():
            np.testing.assert_array_equal(array, (before | state)[name])
        assert planned(images, labels) == pytest.approx(eager(images, labels), rel=1e-5)
        assert planned.fallback is None
        plans.assert_states_agree(planned.net, eager.net)


OTHER = {
    "every second image": (lambda x, y: (np.repeat(x, 2, axis=0)[::2], y), None),
    "every second label": (lambda x, y: (x, np.repeat(y, 2)[::2]), None),
    "columns first": (lambda x, y: (np.asfortranarray(x), y), None),
    "read only": (lambda x, y: (np.frombuffer(x.tobytes(), np.float32).reshape(x.shape), y), None),
    "doubles": (lambda x, y: (x.astype(np.float64), y), "the images are float64"),
    "bytes": (lambda x, y: ((255 * x).astype(np.uint8), y), "the images are uint8"),
    "labels of 4 bytes": (lambda x, y: (x, y.astype(np.int32)), None),
    "lists": (lambda x, y: (x.tolist(), y.tolist()), "no arrays"),
}


@pytest.mark.parametrize("case", OTHER)
def test_other_batches_are_trained_on_alike_and_are_no_hindrance_for_the_next(case):
    change, why = OTHER[case]
    planned, eager = plans.twins(flat)
    images, labels = plans.batch(8)
    for turn in range(4):  # with the odd one first, too
        given = change(images, labels) if turn % 2 == 0 else (images, labels)
        kept = [a.copy() if isinstance(a, np.ndarray) else a for a in given]
        assert planned(*given) == pytest.approx(eager(*given), rel=1e-5)
        np.testing.assert_array_equal(given[0], kept[0])
        if turn % 2 == 0 and why is not None:
            assert why in planned.fallback
        else:
            assert planned.fallback is None
    plans.assert_states_agree(planned.net, eager.net)


def test_an_overflow_in_a_penalty_is_told():
    def make():
        net = flat()
        net.layers[1].weight.data[0, 0] = 1e25
        return net

    planned, eager = plans.twins(make, penalties=[optim.L2(1.0)])
    images, labels = plans.batch(8)
    images[..., 0, 0] = 0
    before = nn.state_of(planned.net)
    told = []
    for step in (planned, eager):
        with pytest.raises(DivergenceError) as caught:
            step(images, labels)
        told.append(str(caught.value))
    assert told[0] == told[1]
    for name, array in nn.state_of(planned.net).items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize("value", ["many", "0", "-1", "1.5"])
def test_a_wrong_number_of_threads_in_the_environment_is_told(monkeypatch, value):
    use_threads(None)
    monkeypatch.setenv("INKGRAD_THREADS", value)
    (planned, _), (images, labels) = plans.twins(flat), plans.batch(8)
    with pytest.raises(OptionError, match=f"INKGRAD_THREADS must be a number from 1 to 256, but is '{value}'"):
        planned(images, labels)


def test_a_step_can_be_copied():
    """The copy and the original go their own ways."""
    (one, _), (images, labels) = plans.twins(flat), plans.batch(8)
    one(images, labels)
    other = copy.deepcopy(one)
    assert one(images, labels) == other(images, labels)
    one(images, labels)
    assert one.fallback is None
    assert other.fallback is None
    lower = other(images, labels)
    assert one(images, labels) < lower


# What is changed between two steps counts at the next


def with_dropout():
    rng = ig.default_rng(0)
    return nn.Sequential(
        *(nn.Conv2d(1, 4, 3, rng=rng, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(64, 20, rng=rng), nn.ReLU(), nn.Dropout(0.5, rng=ig.default_rng(1)), nn.Linear(20, 10, rng=rng)),
    )


def thaw(step, number, wanted):
    list(step.net.named_parameters())[number][1].requires_grad = wanted


CHANGES = {
    "a weight in place": lambda step: step.net.layers[0].weight.data.__imul__(1.5),
    "another weight array": lambda step: setattr(step.net.layers[8].weight, "data", step.net.layers[8].weight.data * 2),
    "another bias array": lambda step: setattr(step.net.layers[5].bias, "data", step.net.layers[5].bias.data + 0.5),
    "another state": lambda step: nn.load_state(step.net, {n: a * 0.9 for n, a in nn.state_of(step.net).items()}),
    "a rate of dropout": lambda step: setattr(step.net.layers[7], "p", 0.25),
    "no dropout": lambda step: setattr(step.net.layers[7], "p", 0.0),
    "a layer in the list": lambda step: step.net.layers.__setitem__(6, nn.Tanh()),
    "a layer less": lambda step: step.net.layers.pop(7),
    "frozen weights": lambda step: [thaw(step, number, False) for number in (0, 1, 3)],
    "frozen and thawed": lambda step: [thaw(step, 0, False), step(*plans.batch(9, (1, 10, 10))), thaw(step, 0, True)],
    "dropout in prediction mode": lambda step: step.net.layers[7].eval(),
    "prediction mode and back": lambda step: (step.net.eval(), step.net.train()),
    "an eps": lambda step: setattr(step.net.layers[1], "eps", 0.1),
    "a momentum of statistics": lambda step: setattr(step.net.layers[1], "momentum", 0.9),
    "another learning rate": lambda step: setattr(step.optimizer, "schedule", optim.Constant(0.3)),
    "another momentum": lambda step: setattr(step.optimizer, "momentum", 0.1),
    "clipping": lambda step: setattr(step.optimizer, "clip", optim.ClipByGlobalNorm(0.01)),
    "another loss": lambda step: setattr(step, "loss", smoothed),
    "another optimizer": lambda step: setattr(step, "optimizer", optim.RMSProp(step.net, 0.01)),
    "a penalty": lambda step: setattr(step, "penalties", (optim.L2(0.1),)),
}


@pytest.mark.parametrize("case", CHANGES)
def test_changes_count_at_the_next_step(case):
    planned, eager = plans.twins(with_dropout, optimizer=lambda net: optim.SGD(net, 0.05, momentum=0.8))
    for turn in range(4):
        images, labels = plans.batch(9, (1, 10, 10), turn)
        assert planned(images, labels) == pytest.approx(eager(images, labels), rel=1e-4)
        assert planned.fallback is None
        plans.assert_gradients_agree(planned.net, eager.net, 1e-3)
        plans.assert_states_agree(planned.net, eager.net, 1e-3)
        if turn == 1:
            for step in (planned, eager):
                CHANGES[case](step)


def test_a_head_alone_is_trained_by_an_optimizer_of_its_own():
    planned, eager = plans.twins(flat, optimizer=lambda net: optim.SGD(net.layers[3], 0.1))
    for turn in range(3):
        images, labels = plans.batch(9, seed=turn)
        for step in (planned, eager):
            step.net.layers[1].weight.data = step.net.layers[1].weight.data * np.float32(0.9)  # by whomever
        assert planned(images, labels) == pytest.approx(eager(images, labels), rel=1e-5)
        assert planned.fallback is None
        plans.assert_states_agree(planned.net, eager.net)
    for step in (planned, eager):
        step.net.layers[1].weight.data = np.asfortranarray(step.net.layers[1].weight.data)
    assert planned(images, labels) == pytest.approx(eager(images, labels), rel=1e-5)
    assert planned.fallback is not None
    plans.assert_states_agree(planned.net, eager.net)
