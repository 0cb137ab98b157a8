"""From the recognizer's output to the most probable number, among those that are expected."""

from inkgrad.autodiff import TensorLike
from inkgrad.data.numbers import LABELS
from inkgrad.errors import ShapeError
from inkgrad.nn import beam_search
from inkgrad.reading.expect.expected import Expectation

__all__ = ["decode_expected", "decode_free"]


def decode_expected(
    log_probabilities: TensorLike, expectation: Expectation | None, *, beam: int = 16
) -> list[tuple[list[int], float]]:
    """The most probable numbers among those that are expected.

    Args:
        log_probabilities: (t, LABELS) of one number, such as `log_softmax` of the recognizer's logits.
        expectation: what is expected; all is possible without one.
        beam: how many beginnings are followed at once.

    Returns:
        At most `beam` pairs (labels, logarithm of the probability), the most probable first. The probability is that of
        the labels among all that could be read, not only among those expected: what is expected but not there stays
        improbable. Empty if nothing that is expected is short enough for t steps.

    Raises:
        ShapeError: log probabilities that are not (t, LABELS).
        OptionError: a beam below 1, NaN or infinity.

    >>> import numpy as np
    >>> from inkgrad.data.numbers import written_as
    >>> from inkgrad.reading import expect_list
    >>> p = np.full((3, LABELS), 0.01)
    >>> p[0, 2], p[1, 0], p[2, 8], p[2, 2] = 0.81, 0.81, 0.5, 0.32  # surely 1, then 7 or 1
    >>> [written_as(labels) for labels, _ in decode_expected(np.log(p), expect_list(["11", "19"]), beam=99)][:2]
    ['11', '19']
    >>> written_as(decode_free(np.log(p))[0])
    '17'
    """
    shape = tuple(getattr(log_probabilities, "shape", ()))
    if len(shape) != 2 or shape[1] != LABELS:
        raise ShapeError(f"log probabilities of a number are (t, {LABELS}), but they have shape {shape}")
    return beam_search(log_probabilities, beam=beam, allow=None if expectation is None else expectation.allowed)


def decode_free(log_probabilities: TensorLike, *, beam: int = 16) -> tuple[list[int], float]:
    """The most probable number of all, whatever is expected: its labels and the logarithm of its probability.

    It may have no labels at all, where nothing was written. Arguments and errors are those of `decode_expected`.
    """
    return decode_expected(log_probabilities, None, beam=beam)[0]
