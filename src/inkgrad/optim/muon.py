"""Muon: momentum whose matrices are made orthogonal."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad import kernels
from inkgrad.errors import OptionError
from inkgrad.kernels.memory import aligned
from inkgrad.optim.clipping import Clip
from inkgrad.optim.flat import HasParameters
from inkgrad.optim.optimizer import Optimizer, check_fraction, check_positive
from inkgrad.optim.schedules import Schedule

__all__ = ["Muon", "orthogonalize"]

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # Jordan's: steepest at 0, so that five rounds do
ROUNDS = 5
LEAST = 1e-7  # norm; momentum below it fades instead of being blown up to full size, so that idle layers come to rest
LIKE_ADAM = 0.2  # root mean square of AdamW's usual update, to which Muon's is brought (Liu et al. 2025)


def orthogonalize(matrix: NDArray[Any], *, rounds: int = ROUNDS) -> NDArray[Any]:
    """Nearly U V^T of the singular value decomposition U S V^T: all singular values end near 1, in 0.6..1.3.

    Of a matrix whose norm is below 1e-7 comes a smaller one.

    Newton-Schulz: X <- a X + (b A + c A^2) X with A = X X^T, from X = matrix / its Frobenius norm.

    Args:
        matrix: (m, n), floats.
        rounds: how often.

    >>> tilted = np.array([[3.0, 1.0], [0.0, 0.5]])
    >>> bool(np.abs(np.linalg.svd(orthogonalize(tilted))[1] - 1).max() < 0.4)
    True
    """
    real = matrix.dtype.type
    a, b, c = (real(coefficient) for coefficient in NEWTON_SCHULZ)
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    norm = float(np.linalg.norm(x.astype(np.float64)))  # squares of float32 would overflow, or vanish
    x = x / real(max(norm, LEAST))
    for _ in range(rounds):
        square = x @ x.T
        x = a * x + (b * square + c * (square @ square)) @ x
    return np.asarray(x.T if tall else x)


class Muon(Optimizer):
    """m <- b m + (1-b) g; u = (1-b) g + b m (Nesterov); w <- w - rate (0.2 sqrt(max(rows, columns)) O(u) + decay w).

    O is `orthogonalize`, so that the update turns every direction of a layer's input by as much. Jordan et al. 2024,
    https://kellerjordan.github.io/posts/muon/; the factor, by which the updates are as large as AdamW's and take its
    rates and decays, is that of Liu et al. 2025, arXiv 2502.16982. Convolutions are matrices (out, in kh kw).
    Everything that is no matrix, and the last matrix, which gives the logits, goes by AdamW.

    Attributes:
        matrices: the names of the parameters that go by Muon.

    >>> from inkgrad.nn import Linear, Sequential
    >>> from inkgrad.random import default_rng
    >>> rng = default_rng(0)
    >>> Muon(Sequential(Linear(4, 3, rng=rng), Linear(3, 2, rng=rng))).matrices
    ('layers.0.weight',)
    """

    kernel = "adam_update"
    elementwise = False
    state_names = ("momentum",)

    def __init__(
        self,
        module: HasParameters,
        learning_rate: float | Schedule = 0.002,
        *,
        momentum: float = 0.95,
        weight_decay: float = 0.01,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        matrices: Sequence[str] | None = None,
        clip: Clip | None = None,
    ) -> None:
        """`beta1`, `beta2` and `eps` are AdamW's, for what is no matrix.

        Args:
            module: the network.
            learning_rate: as AdamW's.
            momentum: b.
            weight_decay: of all parameters.
            beta1: AdamW's.
            beta2: AdamW's.
            eps: AdamW's.
            matrices: names of parameters of two axes or more; by default all but the last.
            clip: limits the gradient before it is used.

        Raises:
            OptionError: an impossible value, or a name that is no matrix of the network.
        """
        check_fraction("Muon", momentum=momentum, beta1=beta1, beta2=beta2)
        check_positive("Muon", eps=eps)
        if not weight_decay >= 0:
            raise OptionError(f"Muon needs a weight_decay of at least 0, but got {weight_decay}")
        named = list(module.named_parameters()) if hasattr(module, "named_parameters") else []
        possible = [name for name, parameter in named if parameter.data.ndim > 1]
        self.matrices = tuple(possible[:-1] if matrices is None else matrices)
        for name in self.matrices:
            if name not in possible:
                raise OptionError(f"Muon takes {', '.join(possible) or 'no parameter'} as matrices, but got {name!r}")
        super().__init__(module, learning_rate=learning_rate, clip=clip)
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.beta1 = beta1
        self.beta2 = beta2
        self.eps = eps
        self._rest: dict[str, slice] = {}  # where the squares of each other parameter lie
        end = 0
        for name, window in self.parameters.windows.items():
            if name not in self.matrices:
                size = window.stop - window.start
                self._rest[name], end = slice(end, end + size), end + size
        self.state["squares"] = aligned(end, self.parameters.weights.dtype)

    def arguments(self, rate: float, step: int) -> tuple[Any, ...]:
        """What AdamW's kernel takes."""
        return rate, self.beta1, self.beta2, self.eps, self.weight_decay, step

    def _update(self, stretches: Sequence[slice], rate: float) -> None:
        momentum, squares = self.state["momentum"], self.state["squares"]
        flat, arguments = self.parameters, self.arguments(rate, self.step_count)
        for name, parameter in zip(flat.names, flat.parameters, strict=True):
            window = flat.windows[name]
            if not any(s.start <= window.start and window.stop <= s.stop for s in stretches):
                continue
            weights, gradient, first = (array[window] for array in (flat.weights, flat.gradient, momentum))
            if name in self.matrices:
                self._turn(weights, gradient, first, parameter.data.shape, rate)
            else:
                kernels.adam_update(weights, gradient, first, squares[self._rest[name]], *arguments)

    def _turn(
        self,
        weights: NDArray[Any],
        gradient: NDArray[Any],
        momentum: NDArray[Any],
        shape: tuple[int, ...],
        rate: float,
    ) -> None:
        real = weights.dtype.type
        kept, new = real(self.momentum), real(1 - self.momentum)
        momentum *= kept
        momentum += new * gradient
        matrix = (new * gradient + kept * momentum).reshape(shape[0], -1)
        size = LIKE_ADAM * max(matrix.shape) ** 0.5
        weights *= real(1 - rate * self.weight_decay)
        weights -= real(rate * size) * orthogonalize(matrix).ravel()
