"""From the output of a network trained by `ctc_loss` to labels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.autodiff import TensorLike, as_array
from inkgrad.errors import OptionError, ShapeError
from inkgrad.nn.automaton import Allowed, Automaton

__all__ = ["beam_search", "greedy_decode"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


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
    allow: Automaton | Allowed | tuple[Any, ...] | None = None,
    prune: float = 0.0,
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
            that it accepts are returned. Prefixes are ranked by how they can still be completed, too; those that can no
            longer be are dropped.
            `Allowed.of(automaton, k)` of `inkgrad.nn.automaton` saves the checks of a large one from search to search.
        prune: steps at which no label but the blank is as probable as this make no prefix longer, which saves most of
            the time where most steps are blank; the sums lack what is less probable. 0 leaves nothing out.

    Returns:
        At most `beam` pairs (labels, log probability), the most likely first; none if nothing is allowed or possible.

    Raises:
        ShapeError: log probabilities that are not (t, k), an automaton of other shapes.
        OptionError: a beam below 1, a blank outside 0..k-1, states that do not exist, NaN or infinity, a share to prune
            outside 0..1.

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
    if not 0 <= prune <= 1:
        raise OptionError(f"beam_search prunes labels less probable than 0 to 1, but got {prune:g}")
    if not (log_p < np.inf).all():
        raise OptionError("beam_search needs log probabilities below infinity, but one is NaN or infinite")
    allowed = Allowed.of(allow, k, blank)
    search, to_come = _Search(allowed, beam), allowed.lookahead.over(log_p)
    grows = _grows(log_p, blank, prune)
    for i in range(t):
        if grows[i]:
            search.step(log_p[i], to_come[i + 1])
        else:
            search.stay(log_p[i])
    total = np.logaddexp(search.closed, search.open)
    order = np.argsort(-total, kind="stable")
    ends = allowed.accepting[search.states] & (total > -np.inf)
    return [(list(search.prefixes[i]), float(total[i])) for i in order if ends[i]]


def _grows(log_p: Floats, blank: int, prune: float) -> list[bool]:
    """The steps at which a label is probable enough to make prefixes longer."""
    if prune == 0:
        return [True] * len(log_p)
    labels = np.delete(log_p, blank, axis=1)
    return [bool(grows) for grows in labels.max(axis=1, initial=-np.inf) >= np.log(prune)]


def _check_blank(blank: int, k: int) -> None:
    if not 0 <= blank < k:
        raise OptionError(f"the blank is one of the labels 0..{k - 1} of {k}, but got {blank}")


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

    def __init__(self, allowed: Allowed, beam: int) -> None:
        self.allowed, self.beam = allowed, beam
        self.known: dict[tuple[int, ...], int] = {(): 0}
        self.prefixes: list[tuple[int, ...]] = [()]
        self.last, self.states = np.array([allowed.blank]), np.array([allowed.start])
        self.open_at = allowed.lookahead.closed + self.states
        self.numbers, self.parents = np.array([0]), np.array([-1])
        self.closed, self.open = np.zeros(1), np.full(1, -np.inf)
        self._look_ahead()

    def _look_ahead(self) -> None:
        """What depends on the prefixes only, and stays from step to step as long as they do."""
        allowed = self.allowed
        self.numbered = np.arange(len(self.prefixes))
        self.after = allowed.transitions[self.states]
        self.behind = allowed.lookahead.behind[self.states]
        self.closed_at = allowed.lookahead.closed + self.states
        self.children, parents = np.nonzero(self.parents[:, None] == self.numbers)
        self.same = parents, self.last[self.children]  # what becomes a prefix that is there already

    def step(self, row: Floats, to_come: NDArray[np.float32]) -> None:
        """Go on by the log probabilities (k,) of a step, behind which so much is to come at the automaton's places."""
        total, of_last = np.logaddexp(self.closed, self.open), row[self.last]
        longer = total[:, None] + row
        longer[self.numbered, self.last] = self.closed + of_last  # equal labels need a blank between them
        self.closed, self.open = total + row[self.allowed.blank], self.open + of_last
        if self.children.size:
            self.open[self.children] = np.logaddexp(self.open[self.children], longer[self.same])
            longer[self.same] = -np.inf
        ranks = np.logaddexp(self.closed + to_come[self.closed_at], self.open + to_come[self.open_at])
        ranks_longer = longer + to_come[self.behind]
        least = ranks.min(initial=np.inf)
        grown, labels = np.nonzero(ranks_longer > (least if len(ranks) == self.beam else -np.inf))
        if grown.size or least == -np.inf:
            self._select(ranks, grown, labels, ranks_longer[grown, labels], longer[grown, labels])

    def stay(self, row: Floats) -> None:
        """Go on by the log probabilities (k,) of a step at which no prefix becomes longer."""
        self.closed = np.logaddexp(self.closed, self.open) + row[self.allowed.blank]
        self.open = self.open + row[self.last]

    def _select(self, ranks: Floats, grown: Integers, labels: Integers, ranks_longer: Floats, fresh: Floats) -> None:
        """Keep the best by their ranks of the prefixes and of those made of them by a label more."""
        both = np.concatenate([ranks, ranks_longer])
        best = np.argsort(-both, kind="stable")[: self.beam]
        best = best[both[best] > -np.inf]
        stay, new = best[best < len(ranks)], best[best >= len(ranks)] - len(ranks)
        self.closed = np.concatenate([self.closed[stay], np.full(len(new), -np.inf)])
        self.open = np.concatenate([self.open[stay], fresh[new]])
        self._take(stay, grown[new], labels[new])

    def _take(self, stay: Integers, grown: Integers, labels: Integers) -> None:
        """Keep some prefixes, and behind them take others with a label more."""
        fresh = [(*self.prefixes[i], c) for i, c in zip(grown.tolist(), labels.tolist(), strict=True)]
        self.prefixes = [self.prefixes[i] for i in stay.tolist()] + fresh
        numbers = [self.known.setdefault(prefix, len(self.known)) for prefix in fresh]
        self.parents = np.concatenate([self.parents[stay], self.numbers[grown]])
        self.numbers = np.concatenate([self.numbers[stay], np.array(numbers, np.int64)])
        self.last = np.concatenate([self.last[stay], labels])
        self.open_at = np.concatenate([self.open_at[stay], self.behind[grown, labels]])
        self.states = np.concatenate([self.states[stay], self.after[grown, labels]])
        self._look_ahead()
