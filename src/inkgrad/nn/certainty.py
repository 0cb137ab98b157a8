"""The most likely sequence of labels without a search, where it is beyond doubt."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.autodiff import TensorLike, as_array
from inkgrad.errors import OptionError, ShapeError
from inkgrad.nn.automaton import Allowed, Automaton

__all__ = ["sequence_probability", "sure_sequence"]


def sure_sequence(
    log_probabilities: TensorLike,
    *,
    blank: int = 0,
    allow: Automaton | Allowed | tuple[Any, ...] | None = None,
    least: float = 0.5,
) -> tuple[list[int], float] | None:
    """The most likely sequence of labels, if the most likely alignment shows one of more than half of the probability.

    Two sequences cannot have more than half each. So what is found is what `beam_search` finds with the widest beam,
    and its probability is exact, at a tenth of the time. Where probability is spread further, a search has to tell.

    Args:
        log_probabilities: (t, k), such as `log_softmax` of one sample's logits.
        blank: the label that means none.
        allow: as for `beam_search`; nothing is found where the sequence is not allowed.
        least: how probable it must be, from 0.5 to 1.

    Returns:
        Its labels and the logarithm of the sum over its alignments; None if none is sure enough, or it is not allowed.

    Raises:
        ShapeError: log probabilities that are not (t, k), an automaton of other shapes.
        OptionError: a blank outside 0..k-1, a least probability outside 0.5..1.

    >>> labels, value = sure_sequence(np.log([[0.6, 0.4], [0.1, 0.9]]))
    >>> labels, round(float(np.exp(value)), 2)  # 0 1, 1 0 and 1 1
    ([1], 0.94)
    >>> sure_sequence(np.log([[0.6, 0.4], [0.1, 0.9]]), least=0.99) is None
    True
    """
    log_p = as_array(log_probabilities, np.float64)
    if log_p.ndim != 2:
        raise ShapeError(f"sure_sequence needs log probabilities (t, k) of one sample, but they have {log_p.shape}")
    if not 0 <= blank < log_p.shape[1]:
        raise OptionError(f"the blank is one of the labels 0..{log_p.shape[1] - 1}, but got {blank}")
    if not 0.5 <= least <= 1:
        raise OptionError(f"a sequence is sure from a probability of 0.5 to 1 on, but got {least:g}")
    best = log_p.argmax(axis=1)
    kept = best != blank
    kept[1:] &= best[1:] != best[:-1]
    labels = best[kept].tolist()
    if allow is not None and not Allowed.of(allow, log_p.shape[1], blank).accepts(labels):
        return None
    probability = sequence_probability(log_p, labels, blank)
    return (labels, float(np.log(probability))) if probability >= least and probability > 0.5 else None


def sequence_probability(log_p: NDArray[np.float64], labels: list[int], blank: int = 0) -> float:
    """The sum over all alignments of some labels; 0 where it is too small for a float64.

    Args:
        log_p: (t, k), logarithms of probabilities.
        labels: of the sequence.
        blank: the label that means none.

    >>> round(sequence_probability(np.log(np.full((2, 2), 0.5)), [1]), 2)
    0.75
    """
    states = np.full(2 * len(labels) + 1, blank)
    states[1::2] = labels
    skip = np.zeros(len(states))
    skip[1:2] = 1  # from the start to the first label
    skip[3::2] = states[3::2] != states[1:-2:2]  # from a label to another one without a blank between them
    rows = np.exp(log_p[:, states])
    # Two places stand before the states: what comes from there is 0, but for the start before the first step.
    before, after = np.zeros(len(states) + 2), np.zeros(len(states) + 2)
    before[1] = 1.0
    for row in rows:
        here = after[2:]
        np.multiply(before[:-2], skip, out=here)
        here += before[1:-1]
        here += before[2:]
        here *= row
        after[1] = 0.0
        before, after = after, before
    return float(before[-2:].sum()) if labels else float(rows.prod())
