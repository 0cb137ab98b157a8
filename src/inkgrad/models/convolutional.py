"""Named convolutional networks: float32 (n, 1, 28, 28) -> logits (n, classes).

Weights before ReLU begin as He's, those before tanh and the logits as LeCun's.
"""

import numpy as np

from inkgrad.models.network import Network
from inkgrad.nn import (
    BatchNorm1d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAveragePool2d,
    Linear,
    MaxPool2d,
    Module,
    ReLU,
    Residual,
    ScaledAveragePool2d,
    Sequential,
    Tanh,
)
from inkgrad.nn.init import lecun_normal
from inkgrad.random import default_rng

__all__ = ["cnn", "lenet1", "lenet5", "lenet5_1998", "resnet", "simple_cnn", "tiny", "vgg"]

# LeCun et al. 1998, table I: the six maps that each of the sixteen maps of the third layer sees.
_TABLE_I = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5), (0, 1, 2, 3, 4, 5)),
)


def lenet5(*, rng: np.random.Generator, classes: int) -> Network:
    """LeNet-5 as it is built today: ReLU and max pooling, full connection, a linear output; 61,706 parameters.

    After LeCun, Bottou, Bengio and Haffner 1998, "Gradient-based learning applied to document recognition".
    """
    return Network(
        *(Conv2d(1, 6, 5, rng=rng, padding=2), ReLU(), MaxPool2d(2)),
        *(Conv2d(6, 16, 5, rng=rng), ReLU(), MaxPool2d(2), Flatten()),
        *(Linear(400, 120, rng=rng), ReLU(), Linear(120, 84, rng=rng), ReLU()),
        Linear(84, classes, rng=rng, init=lecun_normal),
    )


def lenet5_1998(*, rng: np.random.Generator, classes: int) -> Network:
    """LeNet-5 as it was published: 60,000 trained parameters up to its 84 features, and 850 of its output.

    LeCun, Bottou, Bengio and Haffner 1998: trainable subsampling, partial connection of the third layer by their
    table I, the fifth layer a convolution of 5x5 over 5x5. Simplified: tanh x for 1.7159 tanh(2/3 x), 28x28 padded by
    2 for images of 32x32, and a dense layer for the radial basis functions of the output.
    """
    connections = np.zeros((16, 6), bool)
    for one, seen in enumerate(_TABLE_I):
        connections[one, list(seen)] = True

    def convolution(inputs: int, outputs: int, padding: int = 0, table: np.ndarray | None = None) -> Conv2d:
        return Conv2d(inputs, outputs, 5, rng=rng, padding=padding, init=lecun_normal, connections=table)

    return Network(
        *(convolution(1, 6, padding=2), ScaledAveragePool2d(6, 2), Tanh()),
        *(convolution(6, 16, table=connections), ScaledAveragePool2d(16, 2), Tanh()),
        *(convolution(16, 120), Tanh(), Flatten()),
        *(Linear(120, 84, rng=rng, init=lecun_normal), Tanh()),
        Linear(84, classes, rng=rng, init=lecun_normal),
    )


def lenet1(*, rng: np.random.Generator, classes: int) -> Network:
    """LeNet-1, the network of 1990: two convolutions of 5x5, two subsamplings, one dense layer; 3,278 parameters.

    LeCun et al. 1990, "Handwritten digit recognition with a back-propagation network"; LeCun et al. 1995 name it.
    Simplified: each of the twelve maps of the second convolution sees all four maps before it, where each saw one or
    two (20 kernels instead of 48, 2,578 parameters), tanh x, after each subsampling, for a scaled one, and logits.
    """
    return Network(
        *(Conv2d(1, 4, 5, rng=rng, init=lecun_normal), ScaledAveragePool2d(4, 2), Tanh()),
        *(Conv2d(4, 12, 5, rng=rng, init=lecun_normal), ScaledAveragePool2d(12, 2), Tanh(), Flatten()),
        Linear(192, classes, rng=rng, init=lecun_normal),
    )


def cnn(*, rng: np.random.Generator, classes: int) -> Network:
    """Two convolutions of 3x3, max pooling, dropout and two dense layers; 1,199,882 parameters.

    The network of PyTorch's MNIST example (github.com/pytorch/examples/tree/main/mnist).
    """
    convolutions = (Conv2d(1, 32, 3, rng=rng), ReLU(), Conv2d(32, 64, 3, rng=rng), ReLU(), MaxPool2d(2))
    first = Linear(9216, 128, rng=rng)
    last = Linear(128, classes, rng=rng, init=lecun_normal)
    dropouts = [Dropout(p, rng=default_rng(int(rng.integers(2**63)))) for p in (0.25, 0.5)]
    return Network(*convolutions, dropouts[0], Flatten(), first, ReLU(), dropouts[1], last)


def resnet(*, rng: np.random.Generator, classes: int, width: int, depth: int) -> Network:
    """A residual network in three stages of `width`, 2 `width` and 4 `width` channels, `depth` blocks each.

    He, Zhang, Ren and Sun 2016, arXiv 1512.03385, their network for small images: a convolution of 3x3, blocks of two,
    strides of 2 between the stages, batch normalization, global average pooling. Where a block changes the shape, its
    shortcut is a convolution of 1x1.
    """
    layers: list[Module] = [*_normalized(1, width, rng=rng), ReLU()]
    channels = width
    for stage in range(3):
        for block in range(depth):
            outputs = width << stage
            stride = 2 if stage and not block else 1
            layers += [_block(channels, outputs, stride, rng), ReLU()]
            channels = outputs
    return Network(*layers, GlobalAveragePool2d(), Linear(channels, classes, rng=rng, init=lecun_normal))


def _block(inputs: int, outputs: int, stride: int, rng: np.random.Generator) -> Residual:
    first = _normalized(inputs, outputs, rng=rng, stride=stride)
    body = Sequential(*first, ReLU(), *_normalized(outputs, outputs, rng=rng))
    if inputs == outputs and stride == 1:
        return Residual(body)
    return Residual(body, Sequential(*_normalized(inputs, outputs, rng=rng, size=1, stride=stride)))


def _normalized(
    inputs: int, outputs: int, *, rng: np.random.Generator, size: int = 3, stride: int = 1
) -> tuple[Conv2d, BatchNorm2d]:
    """A convolution that keeps the image's size but for its stride, and batch normalization instead of a bias."""
    convolution = Conv2d(inputs, outputs, size, rng=rng, stride=stride, padding=size // 2, bias=False)
    return convolution, BatchNorm2d(outputs)


def simple_cnn(*, rng: np.random.Generator, classes: int) -> Network:
    """Ten convolutions of 3x3 without padding or pooling, 32 to 176 channels: M3 of An et al. 2020, arXiv 2008.10400.

    Batch normalization stands in for every bias, that of the output included.
    """
    layers: list[Module] = []
    channels = 1
    for outputs in range(32, 177, 16):
        layers += [Conv2d(channels, outputs, 3, rng=rng, bias=False), BatchNorm2d(outputs), ReLU()]
        channels = outputs
    last = Linear(channels * 8 * 8, classes, rng=rng, bias=False, init=lecun_normal)
    return Network(*layers, Flatten(), last, BatchNorm1d(classes))


def vgg(*, rng: np.random.Generator, classes: int, width: int) -> Network:
    """Three pairs of convolutions of 3x3 with `width`, 2 `width` and 4 `width` channels, max pooling after each pair.

    After Simonyan and Zisserman 2015, arXiv 1409.1556, with batch normalization, dropout and one dense layer.
    """
    layers: list[Module] = []
    channels = 1
    for stage in range(3):
        for outputs in (width << stage, width << stage):
            layers += [*_normalized(channels, outputs, rng=rng), ReLU()]
            channels = outputs
        layers.append(MaxPool2d(2))
    dropout = Dropout(0.3, rng=default_rng(int(rng.integers(2**63))))
    last = Linear(channels * 3 * 3, classes, rng=rng, init=lecun_normal)
    return Network(*layers, Flatten(), dropout, last)


def tiny(*, rng: np.random.Generator, classes: int) -> Network:
    """Four convolutions with batch normalization, global average pooling and a dense layer: 6,866 parameters."""

    def stage(inputs: int, outputs: int, size: int, padding: int) -> tuple[Module, ...]:
        convolution = Conv2d(inputs, outputs, size, rng=rng, padding=padding, bias=False)
        return convolution, BatchNorm2d(outputs), ReLU()

    return Network(
        *(*stage(1, 8, 5, 2), MaxPool2d(2)),
        *(*stage(8, 16, 3, 1), *stage(16, 16, 3, 1), MaxPool2d(2)),
        *(*stage(16, 20, 3, 0), GlobalAveragePool2d()),
        Linear(20, classes, rng=rng, init=lecun_normal),
    )
