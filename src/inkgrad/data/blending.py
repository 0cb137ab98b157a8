"""Images and labels blended in pairs."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["mixup"]


def mixup(
    images: NDArray[np.float32], labels: NDArray[np.int64], classes: int, alpha: float, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """x <- l x + (1 - l) x', t <- l t + (1 - l) t', with another image x' of the batch and l from Beta(alpha, alpha).

    Zhang, Cisse, Dauphin and Lopez-Paz 2018, arXiv 1710.09412; every image draws an l of its own.

    Args:
        images: (n, c, h, w).
        labels: int64 (n,).
        classes: k.
        alpha: above 0; at 0.2 most images stay nearly as they are, at 1 every share is as likely.
        rng: draws shares and partners.

    Returns:
        Blended images (n, c, h, w) and targets (n, k), rows of probabilities.

    >>> rng = np.random.default_rng(0)
    >>> images, targets = mixup(np.ones((2, 1, 28, 28), np.float32), np.array([0, 1]), 3, 0.2, rng)
    >>> targets.shape, bool((targets.sum(axis=1).round(6) == 1).all())
    ((2, 3), True)
    """
    n = len(images)
    share = rng.beta(alpha, alpha, n).astype(np.float32)
    partner = rng.permutation(n)
    wide = share[:, None, None, None]
    blended = wide * images + (1 - wide) * images[partner]
    targets = np.zeros((n, classes), np.float32)
    rows = np.arange(n)
    targets[rows, labels] = share
    targets[rows, labels[partner]] += 1 - share
    return blended, targets
