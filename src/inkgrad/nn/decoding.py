"""From the output of a network trained by `ctc_loss` to labels."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inkgrad.autodiff import TensorLike, as_array
from inkgrad.errors import OptionError, ShapeError

__all__ = ["Automaton", "beam_search", "greedy_decode"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Automaton(NamedTuple):
    """Which sequences of labels are allowed: a deterministic automaton that reads them.

    Attributes:
        transitions: integers (states, k), the state behind each label, -1 where the label is forbidden. The column of
            the blank is not read.
        accepting: bool (states,), where a sequence may end.
        start: the state before the first label.
    """

    transitions: Any
    accepting: Any
    start: int = 0


def greedy_decode(logits: TensorLike, blank: int = 0, *, lengths: Any = None) -> list[list[int]]:
    """The most likely alignment as labels: equal neighbours become one, then blanks go.

    Its labels need not be the most likely ones, as those may have many alignments; `beam_search` adds them up.

    Args:
        logits: (n, t, k); probabilities or their logarithms do as well.
        blank: the label that means none.
        lengths: integers (n,), how many steps of each sample count; all by default.

    Returns:
        n lists of labels.

    Raises:
        ShapeError: logits that are not (n, t, k), lengths that are not (n,).
        OptionError: a blank outside 0..k-1.

    >>> greedy_decode([[[0.1, 0.9], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6]]])  # 1 1 blank 1
    [[1, 1]]
    """
    z = as_array(logits)
    if z.ndim != 3:
        raise ShapeError(f"greedy_decode needs logits (n, t, k), but they have shape {z.shape}")
    _check_blank(blank, z.shape[2])
    best = z.argmax(axis=2)
    kept = best != blank
    kept[:, 1:] &= best[:, 1:] != best[:, :-1]
    if lengths is not None:
        counts = np.asarray(lengths)
        if counts.shape != z.shape[:1]:
            raise ShapeError(f"greedy_decode of {len(z)} samples needs lengths ({len(z)},), but got {counts.shape}")
        kept &= np.arange(z.shape[1]) < counts[:, None]
    return [row[keep].tolist() for row, keep in zip(best, kept, strict=True)]


def beam_search(
    log_probabilities: TensorLike,
    *,
    beam: int = 16,
    blank: int = 0,
    allow: "Automaton | tuple[Any, ...] | None" = None,
) -> list[tuple[list[int], float]]:
    """The most likely sequences of labels, each with the logarithm of the sum over its alignments.

    Prefix beam search (Hannun, Maas, Jurafsky and Ng 2014, arXiv 1408.2873, without a language model): after each step
    the `beam` most likely prefixes stay, with the probabilities of their alignments that end in the blank and of those
    that do not. A sum lacks the alignments through prefixes that were dropped on the way; with a beam as large as the
    number of prefixes it is exact.

    Args:
        log_probabilities: (t, k), such as `log_softmax` of one sample's logits; below infinity and no NaN.
        beam: how many prefixes stay, at least 1.
        blank: the label that means none.
        allow: an automaton, or a tuple (transitions, accepting) or (transitions, accepting, start); only sequences
            that it accepts are returned. Prefixes that can no longer be completed in the steps left are dropped early.

    Returns:
        At most `beam` pairs (labels, log probability), the most likely first; none if nothing is allowed or possible.

    Raises:
        ShapeError: log probabilities that are not (t, k), an automaton of other shapes.
        OptionError: a beam below 1, a blank outside 0..k-1, states that do not exist, NaN or infinity.

    >>> p = np.log([[0.6, 0.4], [0.6, 0.4]])  # the best alignment is two blanks, but label 1 has three others
    >>> [(labels, round(float(np.exp(value)), 2)) for labels, value in beam_search(p)]
    [([1], 0.64), ([], 0.36)]
    """
    log_p = as_array(log_probabilities, np.float64)
    if log_p.ndim != 2:
        raise ShapeError(f"beam_search needs log probabilities (t, k) of one sample, but they have shape {log_p.shape}")
    t, k = log_p.shape
    _check_blank(blank, k)
    if beam < 1:
        raise OptionError(f"beam_search needs a beam of at least 1 prefix, but got {beam}")
    if not (log_p < np.inf).all():
        raise OptionError("beam_search needs log probabilities below infinity, but one is NaN or infinite")
    transitions, accepting, start = _checked_automaton(allow, k)
    transitions[:, blank] = -1  # it makes no prefix longer
    search = _Search(transitions, _least_labels(transitions, accepting), beam, blank, start)
    for i in range(t):
        search.step(log_p[i], t - i - 1)
    total = np.logaddexp(search.closed, search.open)
    order = np.argsort(-total, kind="stable")
    return [
        (list(search.prefixes[i]), float(total[i])) for i in order if accepting[search.states[i]] and total[i] > -np.inf
    ]


def _check_blank(blank: int, k: int) -> None:
    if not 0 <= blank < k:
        raise OptionError(f"the blank is one of the labels 0..{k - 1} of {k}, but got {blank}")


def _checked_automaton(allow: Any, k: int) -> tuple[Integers, NDArray[np.bool_], int]:
    """Transitions (a copy), accepting states and the start; without an automaton everything is accepted."""
    if allow is None:
        return np.zeros((1, k), np.int64), np.ones(1, bool), 0
    if not isinstance(allow, tuple) or len(allow) not in (2, 3):
        raise ShapeError(f"allow is an automaton (transitions, accepting, start), but got {allow!r}")
    given = Automaton(*allow)
    transitions, accepting = np.asarray(given.transitions), np.asarray(given.accepting)
    states = len(transitions) if transitions.ndim else 0
    if transitions.shape != (states, k) or accepting.shape != (states,) or transitions.dtype.kind not in "iu":
        raise ShapeError(
            f"an automaton for {k} labels has integer transitions (states, {k}) and accepting (states,), but they are "
            f"{transitions.dtype} of shape {transitions.shape} and {accepting.shape}"
        )
    made, start = transitions.astype(np.int64), int(given.start)
    if not 0 <= start < states or made.max(initial=-1) >= states or made.min(initial=-1) < -1:
        raise OptionError(
            f"an automaton of {states} states goes to 0..{states - 1}, or to -1 for a forbidden label, but it starts "
            f"at {start} and goes to {made.min(initial=-1)}..{made.max(initial=-1)}"
        )
    return made, accepting.astype(bool), start


def _least_labels(transitions: Integers, accepting: NDArray[np.bool_]) -> Floats:
    """How many labels each state needs at least to come to an accepting one."""
    least = np.where(accepting, 0.0, np.inf)
    while True:
        further = np.where(transitions >= 0, least[transitions], np.inf).min(axis=1) + 1
        shorter = np.minimum(least, further)
        if (shorter == least).all():
            return least
        least = shorter


@dataclass
class _Search:
    """The prefixes that are followed, and the logarithms of the probabilities of their alignments.

    Attributes:
        prefixes: the labels of each.
        last: the last label of each, the blank of the empty one.
        states: where the automaton is behind each.
        numbers: that of each, the same whenever a prefix comes again.
        parents: the number of each without its last label, -1 for the empty one.
        closed: alignments that end in the blank.
        open: those that end in the last label.
    """

    transitions: Integers
    least: Floats
    beam: int
    blank: int
    start: int

    def __post_init__(self) -> None:
        self.known: dict[tuple[int, ...], int] = {(): 0}
        self.prefixes: list[tuple[int, ...]] = [()]
        self.last, self.states = np.array([self.blank]), np.array([self.start])
        self.numbers, self.parents = np.array([0]), np.array([-1])
        self.closed, self.open = np.zeros(1), np.full(1, -np.inf)

    def step(self, row: Floats, left: int) -> None:
        """Go on by the log probabilities (k,) of a step behind which so many are left."""
        total, places = np.logaddexp(self.closed, self.open), np.arange(len(self.prefixes))
        closed, still_open = total + row[self.blank], self.open + row[self.last]
        longer = total[:, None] + row
        longer[places, self.last] = self.closed + row[self.last]  # equal labels need a blank between them
        after = self.transitions[self.states]
        longer[(after < 0) | (self.least[after] > left)] = -np.inf
        children, parents = np.nonzero(self.parents[:, None] == self.numbers)
        same = parents, self.last[children]  # what becomes a prefix that is there already
        still_open[children] = np.logaddexp(still_open[children], longer[same])
        longer[same] = -np.inf
        hopeless = self.least[self.states] > left
        closed[hopeless] = still_open[hopeless] = -np.inf
        scores = np.concatenate([np.logaddexp(closed, still_open), longer.ravel()])
        best = np.argsort(-scores, kind="stable")[: self.beam]
        best = best[scores[best] > -np.inf]
        stay, new = best[best < len(places)], best[best >= len(places)]
        self.closed = np.concatenate([closed[stay], np.full(len(new), -np.inf)])
        self.open = np.concatenate([still_open[stay], scores[new]])
        self._take(stay, *np.divmod(new - len(places), len(row)), after)

    def _take(self, stay: Integers, grown: Integers, labels: Integers, after: Integers) -> None:
        """Keep some prefixes, and behind them take others with a label more."""
        fresh = [(*self.prefixes[i], int(c)) for i, c in zip(grown, labels, strict=True)]
        self.prefixes = [self.prefixes[i] for i in stay] + fresh
        numbers = [self.known.setdefault(prefix, len(self.known)) for prefix in fresh]
        self.parents = np.concatenate([self.parents[stay], self.numbers[grown]])
        self.numbers = np.concatenate([self.numbers[stay], np.array(numbers, np.int64)])
        self.last = np.concatenate([self.last[stay], labels])
        self.states = np.concatenate([self.states[stay], after[grown, labels]])
