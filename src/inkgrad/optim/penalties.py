"""Penalties on large weights, as a part of the loss: what is logged is what is differentiated."""

from typing import Protocol

from inkgrad.autodiff import Tensor, ops
from inkgrad.errors import OptionError
from inkgrad.optim.flat import HasParameters

__all__ = ["L1", "L2", "Penalty"]


class Penalty(Protocol):
    """A term of the loss that depends on the network only."""

    def __call__(self, module: HasParameters) -> Tensor:
        """The penalty as a tensor of one element."""
        ...


class L2:
    """strength/2 * sum w^2 over the weights, not the biases: parameters of at least two axes."""

    def __init__(self, strength: float) -> None:
        self.strength = _check(strength)

    def __call__(self, module: HasParameters) -> Tensor:
        """The penalty as a tensor of one element."""
        return _total([ops.sum(w * w) for w in _weights(module)]) * (self.strength / 2)


class L1:
    """strength * sum |w| over the weights, not the biases; drives weights to 0."""

    def __init__(self, strength: float) -> None:
        self.strength = _check(strength)

    def __call__(self, module: HasParameters) -> Tensor:
        """The penalty as a tensor of one element."""
        return _total([ops.sum(ops.abs(w)) for w in _weights(module)]) * self.strength


def _check(strength: float) -> float:
    if not strength > 0:
        raise OptionError(f"a penalty needs a positive strength, but got {strength}")
    return strength


def _weights(module: HasParameters) -> list[Tensor]:
    weights = [parameter for _, parameter in module.named_parameters() if parameter.ndim > 1]
    if not weights:
        raise OptionError(f"{type(module).__name__} has no weights of two or more axes to penalize")
    return weights


def _total(terms: list[Tensor]) -> Tensor:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total
