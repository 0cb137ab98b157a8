"""JAX's twin of a network: the whole step is one compiled function, and the buffers of the weights are donated.

Images are handled as (n, h, w, c), the order that XLA's convolutions on a CPU are made for, and turned back to
(n, c, h, w) where they are flattened.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from networks import Layer, Weights

Parameters = dict[str, jax.Array]


def versions() -> dict[str, Any]:
    return {"jax": jax.__version__, "devices": str(jax.devices())}


def parameters(layers: Sequence[Layer], weights: Weights) -> Parameters:
    """The weights; those of convolutions as (kh, kw, in, out)."""
    made = {}
    for layer in layers:
        for part in ("weight", "bias"):
            if part in layer:
                array = weights[layer[part]]
                made[layer[part]] = jnp.asarray(array.transpose(2, 3, 1, 0) if array.ndim == 4 else array)
    return made


def forward(layers: Sequence[Layer], p: Parameters, x: jax.Array, key: jax.Array) -> jax.Array:
    """Logits in training mode of x (n, h, w, c)."""
    for number, layer in enumerate(layers):
        x = _apply(layer, p, x, jax.random.fold_in(key, number) if layer["kind"] == "dropout" else key)
    return x


def _apply(layer: Layer, values: Parameters, x: jax.Array, key: jax.Array) -> jax.Array:
    kind = layer["kind"]
    weight = values[layer["weight"]] if "weight" in layer else None
    bias = values[layer["bias"]] if "bias" in layer else jnp.zeros((), x.dtype)
    if kind == "linear":
        return x @ weight.T + bias
    if kind == "conv":
        padding = [(p, p) for p in layer["padding"]]
        axes = ("NHWC", "HWIO", "NHWC")
        return lax.conv_general_dilated(x, weight, layer["stride"], padding, dimension_numbers=axes) + bias
    if kind == "max_pool":
        padding = [(0, 0), *((p, p) for p in layer["padding"]), (0, 0)]
        return lax.reduce_window(x, -jnp.inf, lax.max, (1, *layer["size"], 1), (1, *layer["stride"], 1), padding)
    if kind == "dropout":
        kept = 1 - layer["p"]
        return jnp.where(jax.random.bernoulli(key, kept, x.shape), x / kept, 0)
    if kind == "flatten":
        return (x.transpose(0, 3, 1, 2) if x.ndim == 4 else x).reshape(len(x), -1)
    functions = {"relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh}
    return functions[kind](x)


def train_step(
    layers: Sequence[Layer],
    weights: Weights,
    batches: Sequence[tuple[np.ndarray, np.ndarray]],
    kind: str,
    rate: float,
) -> tuple[Callable[[int], object], Callable[[], object]]:
    """(one step of training on the batch of a number, which may still run when it returns; what waits for it)."""
    if kind != "sgd":
        raise ValueError("only SGD with momentum is written here")
    data = [(jnp.asarray(images.transpose(0, 2, 3, 1)), jnp.asarray(labels)) for images, labels in batches]

    def loss(p: Parameters, images: jax.Array, labels: jax.Array, key: jax.Array) -> jax.Array:
        logs = jax.nn.log_softmax(forward(layers, p, images, key))
        return -jnp.take_along_axis(logs, labels[:, None], axis=1).mean()

    def update(p: Parameters, v: Parameters, images: jax.Array, labels: jax.Array, number: int) -> Any:
        value, g = jax.value_and_grad(loss)(p, images, labels, jax.random.fold_in(jax.random.key(0), number))
        v = jax.tree.map(lambda a, b: 0.9 * a + b, v, g)
        return jax.tree.map(lambda a, b: a - rate * b, p, v), v, value

    compiled = jax.jit(update, donate_argnums=(0, 1))
    p = parameters(layers, weights)
    state: list[Any] = [p, jax.tree.map(jnp.zeros_like, p), None]

    def step(number: int) -> None:
        images, labels = data[number % len(data)]
        state[:] = compiled(state[0], state[1], images, labels, number)

    return step, lambda: jax.block_until_ready(state)
