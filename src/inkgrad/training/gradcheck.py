"""The gradient check of a whole network on real digits."""

import numpy as np

from inkgrad.autodiff import Tensor
from inkgrad.autodiff.check import GradientReport, check_parameters
from inkgrad.data import Dataset, linear_scaling
from inkgrad.errors import OptionError
from inkgrad.models import NAMED, build
from inkgrad.random import default_rng

__all__ = ["check_network"]


def check_network(
    name: str, dataset: Dataset, *, hidden: tuple[int, ...] | None = None, batch_size: int = 8, seed: int = 0
) -> GradientReport:
    """Compare backpropagation with central differences for each parameter of a fresh network, in float64.

    The loss is the network's own on the first `batch_size` images. Layers that draw at random are in prediction
    mode, as the loss must be the same each time. Biases, zero in a fresh network, are drawn away from 0: where the
    background is black, every unit of a convolution would lie exactly at the kink of ReLU.

    Raises:
        OptionError: an unknown network, or no images.

    >>> from inkgrad.data import load_digits
    >>> check_network("two-layer", load_digits()[0]).passed
    True
    """
    part = dataset[:batch_size]
    if batch_size < 1 or len(part) == 0:
        raise OptionError(f"a gradient check needs at least one image, but batch size {batch_size} gives {len(part)}")
    if seed < 0:
        raise OptionError(f"seed must not be negative, but is {seed}")
    rng = default_rng(seed)
    options = {} if hidden is None else {"hidden": list(hidden)}
    net = build(name, rng=rng, classes=len(dataset.classes), **options).astype(np.float64).eval()
    for _, parameter in net.named_parameters():
        if not parameter.data.any():
            signs = rng.choice((-1.0, 1.0), parameter.shape)
            parameter.data = np.asarray(signs * rng.uniform(0.05, 0.2, parameter.shape))
    images = Tensor(linear_scaling().apply(part.images), dtype=np.float64)
    return check_parameters(net.named_parameters(), lambda: NAMED[name].loss(net(images), part.labels), rng=rng)
