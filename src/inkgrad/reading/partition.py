"""Which parts of a row are numbers, decided together with what is expected of them."""

import itertools
import math
from collections.abc import Callable

from inkgrad.reading.grouping import Gap, Span

__all__ = ["fitting_spans"]

_BARE = 9  # pixels without ink at which numbers may be parted against what the gaps say
_MOST_CUTS = 5  # the widest of those
_MOST_PARTS = 6  # that may be joined
_AGAINST_GAPS = math.log(0.05)  # for each gap that is taken for the other kind than it looks

Worth = Callable[[Span], float]


def fitting_spans(gaps: list[Gap], steps: int, worth: Worth) -> list[Span]:
    """The parts of a row that together are worth most: numbers may be joined and parted against what the gaps say.

    Args:
        gaps: between the neighboring labels of the row.
        steps: of the row.
        worth: the logarithm of how probable it is that a span is one number that fits.
    """
    narrow = sorted((gap for gap in gaps if not gap.parts), key=lambda gap: gap.bare, reverse=True)[:_MOST_CUTS]
    cuts = sorted([gap for gap in gaps if gap.parts] + [gap for gap in narrow if gap.bare >= _BARE])
    edges = [0, *(gap.step for gap in cuts), steps]
    parts = [0, *itertools.accumulate(gap.parts for gap in cuts)]  # how many gaps that part lie before each edge
    best = [0.0] + [-math.inf] * (len(edges) - 1)
    came = [0] * len(edges)
    for end in range(1, len(edges)):
        against_end = 0.0 if end > len(cuts) or cuts[end - 1].parts else _AGAINST_GAPS
        for start in range(max(0, end - _MOST_PARTS), end):
            inside = parts[end - 1] - parts[start]
            value = best[start] + worth(Span(edges[start], edges[end])) + against_end + inside * _AGAINST_GAPS
            if value > best[end]:
                best[end], came[end] = value, start
    spans, end = [], len(edges) - 1
    while end:
        spans.append(Span(edges[came[end]], edges[end]))
        end = came[end]
    return spans[::-1]
