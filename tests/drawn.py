"""Networks drawn at random, from all layers that plans know, in all the sizes at which vectors end in the middle."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

import inkgrad as ig
from inkgrad import nn, ops

CHANNELS = (1, 3, 6, 17)
EPS = 0.01  # of normalizations, so that they do not blow up rounding errors where all samples are nearly the same
WIDTHS = (1, 2, 7, 15, 16, 17, 33, 48, 70)
ACTIVATIONS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}


class Fan(nn.Module):
    """One value with three consumers: x + a(x) + tanh(x)."""

    def __init__(self, part):
        self.part = part

    def forward(self, x):
        return ops.add(ops.add(x, self.part(x)), ops.tanh(x))


class Doubled(nn.Module):
    """relu(x) + relu(x), the same tensor on both sides."""

    def forward(self, x):
        h = ops.relu(x)
        return ops.add(h, h)


@dataclass
class Drawn:
    """A network as a list of what to build, so that it can be built again.

    Attributes:
        shape: of one image.
        parts: (name, arguments) of each layer.
        classes: logits.
        frozen: numbers of the parameters that are not trained.
        least: images in the smallest batch that it can be trained on.
    """

    shape: tuple[int, ...]
    parts: list
    classes: int
    frozen: tuple[int, ...]
    least: int

    def __call__(self):
        rng = ig.default_rng(11)
        net = nn.Sequential(*(_built(name, arguments, rng) for name, arguments in self.parts))
        for name, member in net.named_state():
            if member.data.ndim == 1:  # biases and normalizations do not start with 0 and 1
                low = 0.5 if name.endswith(("running_var", "weight")) else -0.5
                member.data[...] = rng.uniform(low, low + 1, member.data.shape)
        parameters = [parameter for _, parameter in net.named_parameters()]
        for number in self.frozen:
            parameters[number].requires_grad = False
        return net


def _built(name, arguments, rng):
    if name in ("Residual", "Fan"):
        inner = [_built(*part, rng) for part in arguments]
        return nn.Residual(*inner) if name == "Residual" else Fan(*inner)
    if name == "Sequential":
        return nn.Sequential(*(_built(*part, rng) for part in arguments))
    if name == "Doubled":
        return Doubled()
    values, options = arguments
    if name in ("Linear", "Conv2d"):
        options = options | {"rng": rng}
    if name.startswith("Dropout"):
        options = options | {"rng": ig.default_rng(int(rng.integers(1000)))}
    return getattr(nn, name)(*values, **options)


def _plain(name, *values, **options):
    return name, (values, options)


@st.composite
def networks(draw):
    """Images through up to three stages of convolution, then up to three dense layers; or rows of numbers."""
    parts = []
    if draw(st.booleans()):
        shape = (draw(st.sampled_from([1, 5, 16, 31, 64])),)
        features = shape[0]
    else:
        shape = (1, draw(st.integers(5, 12)), draw(st.integers(5, 12)))
        c, h, w = shape
        for _ in range(draw(st.integers(1, 3))):
            stage, (c, h, w) = draw(_stages(c, h, w))
            parts += stage
        if draw(st.integers(0, 3)) == 0:
            parts.append(_plain("GlobalAveragePool2d"))
            features = c
        else:
            parts.append(_plain("Flatten"))
            features = c * h * w
    for _ in range(draw(st.integers(0, 3))):
        stage, features = draw(_dense(features))
        parts += stage
    least = 3 if "BatchNorm" in repr(parts) else 1  # of two each is as far from the mean, and gradients vanish
    classes = draw(st.sampled_from([2, 10, 12]))
    parts.append(_plain("Linear", features, classes, bias=draw(st.booleans())))
    drawn = Drawn(shape, parts, classes, (), least)
    count = len(list(drawn().named_parameters()))
    if draw(st.booleans()):
        drawn.frozen = tuple(sorted(draw(st.sets(st.integers(0, count - 1), max_size=max(count - 1, 0)))))
        if len(drawn.frozen) == count:
            drawn.frozen = ()
    return drawn


@st.composite
def _stages(draw, c, h, w):
    """Layers on images (c, h, w), and the shape of what comes out."""
    parts = []
    normalized = draw(st.integers(0, 2)) == 0
    if draw(st.integers(0, 4)) == 0:
        parts.append(draw(_same_size(c)))
    else:
        out = draw(st.sampled_from(CHANNELS))
        size = draw(st.integers(1, 5)), draw(st.integers(1, 5))
        padding = draw(st.integers(0, min(2, size[0] - 1))), draw(st.integers(0, min(2, size[1] - 1)))
        size = min(size[0], h + 2 * padding[0]), min(size[1], w + 2 * padding[1])
        padding = min(padding[0], size[0] - 1), min(padding[1], size[1] - 1)
        stride = draw(st.sampled_from([(1, 1), (1, 1), (2, 2), (1, 2), (3, 1)]))
        bias = not normalized and draw(st.booleans())  # before a normalization its gradient is nothing but rounding
        parts.append(_plain("Conv2d", c, out, size, stride=stride, padding=padding, bias=bias))
        c, h, w = out, *_out((h, w), size, stride, padding)
    if normalized:
        parts.append(_plain("BatchNorm2d", c, momentum=0.3, eps=EPS))
    if draw(st.integers(0, 2)):
        parts.append(_plain(ACTIVATIONS[draw(st.sampled_from(sorted(ACTIVATIONS)))].__name__))
    if draw(st.booleans()):
        kind = draw(st.sampled_from(["MaxPool2d", "MaxPool2d", "AveragePool2d"]))
        size = draw(st.integers(1, min(3, h))), draw(st.integers(1, min(3, w)))
        stride = draw(st.integers(1, 3)), draw(st.integers(1, 3))
        padding = draw(st.integers(0, size[0] // 2)), draw(st.integers(0, size[1] // 2))
        if draw(st.booleans()) and min(h, w) >= 2:
            size, stride, padding = (2, 2), (2, 2), (0, 0)
        parts.append(_plain(kind, size, stride, padding))
        h, w = _out((h, w), size, stride, padding)
    if draw(st.integers(0, 4)) == 0:
        parts.append(_plain(draw(st.sampled_from(["Dropout", "Dropout2d"])), 0.4))
    return parts, (c, h, w)


def _out(lengths, size, stride, padding):
    return tuple((n + 2 * p - k) // s + 1 for n, k, s, p in zip(lengths, size, stride, padding, strict=True))


@st.composite
def _same_size(draw, c):
    """A part that keeps the shape of its images, within something that adds its input to it."""
    k = draw(st.sampled_from([1, 3]))
    body = (
        "Sequential",
        [_plain("Conv2d", c, c, k, padding=k // 2, bias=False), _plain("BatchNorm2d", c, eps=EPS), _plain("ReLU")],
    )
    if draw(st.booleans()):
        return "Residual", [body, _plain("Conv2d", c, c, 1, bias=False)][: draw(st.integers(1, 2))]
    return "Fan", [body]


@st.composite
def _dense(draw, features):
    """Layers on rows of numbers, and how many numbers come out."""
    parts = []
    kind, normalized = draw(st.integers(0, 5)), draw(st.integers(0, 3)) == 0
    if kind == 0:
        inner = ("Sequential", [_plain("Linear", features, features), _plain("Tanh")])
        parts.append((draw(st.sampled_from(["Residual", "Fan"])), [inner]))
    elif kind == 1:
        parts.append(("Doubled", ()))
    else:
        out = draw(st.sampled_from(WIDTHS))
        parts.append(_plain("Linear", features, out, bias=not normalized and draw(st.booleans())))
        features = out
    if normalized:
        parts.append(_plain("BatchNorm1d", features, eps=EPS))
    if draw(st.integers(0, 3)):
        parts.append(_plain(ACTIVATIONS[draw(st.sampled_from(sorted(ACTIVATIONS)))].__name__))
    if draw(st.integers(0, 3)) == 0:
        parts.append(_plain("Dropout", 0.3))
    return parts, features


def images_for(drawn, count, seed, share_of_zeros):
    """A batch for it: numbers of either sign, so many of them 0, and labels."""
    rng = np.random.default_rng(seed)
    images = rng.uniform(-1, 1, (count, *drawn.shape)).astype(np.float32)
    images[rng.random(images.shape) < share_of_zeros] = 0
    return images, rng.integers(drawn.classes, size=count)
