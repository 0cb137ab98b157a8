"""Plans of networks that give a row of logits for each step, trained by the CTC loss."""

import numpy as np
import pytest

import cases
import inkgrad as ig
import plans
from inkgrad import nn, optim
from inkgrad.errors import DivergenceError, ShapeError
from inkgrad.training import TrainStep

CLASSES = 6


class Reader(nn.Module):
    """Images (n, 1, 12, w) to logits (n, t, classes), with t the width after pooling."""

    def __init__(self, *layers, last=(3, 1)):
        rng = ig.default_rng(0)
        self.body = nn.Sequential(
            *(nn.Conv2d(1, 5, 3, rng=rng, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(
                nn.Conv2d(5, 7, 3, rng=rng, padding=1),
                *layers,
                nn.MaxPool2d((2, 1)),
                nn.Conv2d(7, CLASSES, last, rng=rng),
            ),
        )

    def forward(self, x):
        y = self.body(x)
        n, k, h, w = y.shape
        return self.after(y.reshape(n, k, h * w).transpose(0, 2, 1))

    def after(self, z):
        return z


class Bent(Reader):
    """More operations on rows of logits."""

    def __init__(self):
        super().__init__()
        self.dropout = nn.Dropout(0.3, rng=ig.default_rng(4))

    def after(self, z):
        h = ig.ops.tanh(z)
        return ig.ops.add(self.dropout(h), ig.ops.relu(z))


def batch(n, width=24, length=4, seed=0):
    images, _ = plans.batch(n, (1, 12, width), seed)
    return images, cases.Draw(f"sequences {seed}").sequences(n, CLASSES, length)


READERS = {
    "tanh": lambda: Reader(nn.Tanh()),
    "normalized": lambda: Reader(nn.BatchNorm2d(7), nn.ReLU()),
    "several rows": lambda: Reader(nn.ReLU(), last=(2, 3)),
    "more operations": Bent,
}


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("name", READERS)
def test_planned_equals_eager(name, n):
    """In batches that shrink and grow."""
    with plans.threads(n):
        planned, eager = plans.twins(READERS[name], nn.ctc_loss, lambda net: optim.SGD(net, 0.01))
        for seed, count in enumerate((9, 40, 3, 40)):
            nn.load_state(eager.net, nn.state_of(planned.net))
            images, targets = batch(count, seed=seed)
            assert planned(images, targets) == pytest.approx(eager(images, targets), rel=2e-5)
            assert planned.fallback is None
            assert plans.away(planned.logits, eager.logits) <= 1e-4
            assert planned.logits.shape[::2] == (count, CLASSES)
            plans.assert_gradients_agree(planned.net, eager.net, 2e-4)


def heavy(logits, targets):
    return nn.guided_ctc_loss(logits, targets, weight=3.0)


@pytest.mark.parametrize("loss", [nn.guided_ctc_loss, heavy])
def test_guides(loss):
    """Where it is told which labels stand at some steps."""
    planned, eager = plans.twins(READERS["normalized"], loss, lambda net: optim.SGD(net, 0.01))
    rng = np.random.default_rng(0)
    for seed, count in enumerate((9, 40, 3)):
        nn.load_state(eager.net, nn.state_of(planned.net))
        images, targets = batch(count, seed=seed)
        told = np.where(rng.random((count, 12)) < 0.3, rng.integers(0, CLASSES, (count, 12)), -1)
        targets = np.hstack([told, targets])
        assert planned(images, targets) == pytest.approx(eager(images, targets), rel=2e-5)
        assert planned.fallback is None
        plans.assert_gradients_agree(planned.net, eager.net, 2e-4)
    targets[1, 4] = CLASSES
    with pytest.raises(ShapeError, match="step 4 of sample 1"):
        planned(images, targets)
    with pytest.raises(ShapeError, match="first a label or -1 for each step"):
        planned(images, targets[:, :5])


def last_blank(logits, targets):
    return nn.ctc_loss(logits, targets, blank=CLASSES - 1)


def test_another_blank_and_no_targets():
    planned, eager = plans.twins(READERS["tanh"], last_blank)
    images, targets = batch(8)
    for labels in (np.where(targets > 0, targets - 1, targets), targets[:, :0], np.full_like(targets, -1)):
        assert planned(images, labels) == pytest.approx(eager(images, labels), rel=2e-5)
        assert planned.fallback is None


def test_it_learns():
    """Digits side by side, as bars of their own heights: the labels come out by greedy decoding."""
    rng = np.random.default_rng(0)
    targets = rng.integers(1, CLASSES, size=(40, 3))
    images = np.zeros((40, 1, 12, 24), np.float32)
    for image, row in zip(images[:, 0], targets, strict=True):
        for i, label in enumerate(row):
            image[12 - 2 * label :, 8 * i + 2 : 8 * i + 6] = 1
    net = Reader(nn.ReLU())
    step = TrainStep(net, nn.ctc_loss, optim.Adam(net, learning_rate=0.01))
    losses = [step(images, targets) for _ in range(150)]
    assert step.fallback is None
    assert losses[-1] < 0.05 * losses[0]
    net.eval()
    with ig.no_grad():
        logits = net(images).data
    decoded = nn.greedy_decode(logits)
    assert np.mean([got == row for got, row in zip(decoded, targets.tolist(), strict=True)]) > 0.9


@pytest.mark.parametrize("name", READERS)
def test_prediction(name):
    net = READERS[name]().eval()
    for count in (20, 1, 1, 7):
        images, _ = batch(count, seed=count)
        with ig.no_grad():
            logits = net(images).data
        assert plans.away(logits, plans.eagerly(net, images)) <= 1e-5
    assert net.fallback is None


BAD = {
    "label too large": [1, CLASSES, -1],
    "blank": [1, 0, -1],
    "behind": [-1, 1, -1],
    "too long": [3] * 7 + [-1],
}


@pytest.mark.parametrize("case", BAD)
def test_bad_targets_are_named_and_change_nothing(case):
    net = READERS["tanh"]()
    step = TrainStep(net, nn.ctc_loss, optim.SGD(net, 0.1))
    images, targets = batch(5, length=len(BAD[case]))
    targets[:, 4:] = -1
    step(images, targets)
    before = nn.state_of(net)
    before = {name: array.copy() for name, array in before.items()}
    targets[3] = BAD[case]
    with pytest.raises(ShapeError, match="sample 3"):
        step(images, targets)
    assert all((array == before[name]).all() for name, array in nn.state_of(net).items())
    assert step.fallback is None


def test_nan_is_named():
    net = READERS["tanh"]()
    step = TrainStep(net, nn.ctc_loss, optim.SGD(net, 0.1))
    images, targets = batch(5)
    step(images, targets)
    images[2, 0, 3, 3] = np.nan
    with pytest.raises(DivergenceError):
        step(images, targets)


class Raw(Reader):
    """Gives images, of which the loss makes steps."""

    def forward(self, x):
        return self.body(x)


class Turned(Reader):
    def forward(self, x):
        return self.body(x).reshape(x.shape[0], CLASSES, -1).transpose(2, 0, 1).transpose(1, 0, 2)


class NormalizedSteps(Reader):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(12)

    def after(self, z):
        return ig.ops.batch_norm(z, self.norm.weight, self.norm.bias)


def with_lengths(logits, targets):
    return nn.ctc_loss(logits, targets, np.full(len(targets), 10))


def of_images(images, targets):
    n, k, h, w = images.shape
    return nn.ctc_loss(images.reshape(n, k, h * w).transpose(0, 2, 1), targets)


REFUSED = {
    "lengths": (Reader, with_lengths, "a CTC loss with lengths"),
    "a sum": (Reader, lambda z, y: nn.ctc_loss(z, y, reduction="sum"), "no mean"),
    "changed targets": (Reader, lambda z, y: nn.ctc_loss(z, np.where(y > 0, y, -1)), "neither an input"),
    "images": (Raw, of_images, "the result is not"),
    "another order": (Turned, nn.ctc_loss, "only a transpose of images"),
    "normalized steps": (NormalizedSteps, nn.ctc_loss, "no image"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_without_a_plan_the_eager_way_runs_and_says_why(case):
    make, loss, why = REFUSED[case]
    planned, eager = plans.twins(make, loss)
    for count in (6, 3):
        images, targets = batch(count)
        assert planned(images, targets) == eager(images, targets)
        assert why in planned.fallback


def test_flattening_steps_moves_nothing():
    """Rows of channels lie one after the other, unlike images."""

    class Flat(Reader):
        def __init__(self):
            super().__init__()
            self.dense = nn.Linear(12 * CLASSES, 10, rng=ig.default_rng(1))

        def after(self, z):
            return self.dense(z.reshape(z.shape[0], -1))

    planned, eager = plans.twins(Flat)
    images, labels = plans.batch(9, (1, 12, 24))
    assert planned(images, labels) == pytest.approx(eager(images, labels), rel=2e-5)
    assert planned.fallback is None
    plans.assert_gradients_agree(planned.net, eager.net)
