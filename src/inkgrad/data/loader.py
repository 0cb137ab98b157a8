"""Mini-batches in a shuffled order that a checkpoint can continue."""

from collections.abc import Iterator
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.augmentation import Augmentation
from inkgrad.data.blending import mixup
from inkgrad.data.dataset import Dataset
from inkgrad.data.part import Part
from inkgrad.data.samples import Samples
from inkgrad.data.scaling import Scaling, linear_scaling
from inkgrad.errors import CheckpointError, OptionError

__all__ = ["Batch", "Loader"]

Batch: TypeAlias = tuple[NDArray[np.float32], NDArray[Any]] | tuple[NDArray[np.float32], NDArray[Any], NDArray[Any]]
"""What a training step takes: images with their labels and, where these differ, weights."""


class Loader:
    """Goes through a data set in mini-batches, in a new order each epoch.

    Images stay in memory as bytes; a batch is gathered and scaled in one pass. `Samples` are taken as they are. A batch
    that holds all of it, as in full-batch gradient descent, is the same read-only array each epoch, in file order.

    Args:
        dataset: what to go through; at least one image, or one row.
        batch_size: images a batch; the last batch of an epoch may be smaller.
        rng: draws the orders; None goes in file order.
        shuffle: whether the order is drawn; else `rng` is for changes to images alone.
        scaling: from bytes to floats, pixels / 255 by default.
        augmentation: how the images of each batch are changed at random first; needs `rng`.
        mixup: alpha of `mixup`, 0 for none; labels are then float32 targets (b, classes); needs `rng`.

    Attributes:
        position: how many images of the current epoch have been given out.
        shuffle: whether the order is drawn.
        part: which part of each batch is given out, all of it by default. Parts of the same epoch are those of the same
            batches; random changes are drawn for each part by itself.
        images: how many the whole batch had whose part was given out last.
        mass: how much these count together: their number, or the sum of their weights.
        share: how much of that lies in the part, 0 to 1; the shares of all parts sum to 1.

    >>> from inkgrad.random import default_rng
    >>> data = Dataset(np.zeros((5, 28, 28), np.uint8), np.arange(5), "five")
    >>> [len(labels) for _, labels in Loader(data, batch_size=2, rng=default_rng(0))]
    [2, 2, 1]
    """

    def __init__(
        self,
        dataset: Dataset | Samples,
        *,
        batch_size: int,
        rng: np.random.Generator | None = None,
        shuffle: bool = True,
        scaling: Scaling | None = None,
        augmentation: Augmentation | None = None,
        mixup: float = 0.0,
    ) -> None:
        if batch_size < 1:
            raise OptionError(f"the batch size must be at least 1, but is {batch_size}")
        if len(dataset) == 0:
            raise OptionError(f"{dataset.name} has no images to go through")
        if not 0 <= mixup < float("inf"):
            raise OptionError(f"mixup needs an alpha of at least 0, but got {mixup:g}")
        for name, wanted in (("augmentation", augmentation is not None), ("mixup", mixup > 0)):
            if wanted and rng is None:
                raise OptionError(f"{name} needs a random generator; give the loader rng=...")
        _check_changes(dataset, augmentation, mixup)
        self.dataset = dataset
        self.batch_size = min(batch_size, len(dataset))
        self.scaling = scaling or linear_scaling()
        self.augmentation = augmentation
        self.mixup = float(mixup)
        self.position = 0
        self.part = Part()
        self.images, self.mass, self.share = 0, 0.0, 1.0
        self._rng = rng
        self.shuffle = shuffle
        self._seed = 0  # of the changes to the images of the current epoch
        self._before: Any = None  # the generator's state before it drew the current order
        self._order: NDArray[np.int64] | None = None
        self._whole: tuple[Part, Batch] | None = None

    def __len__(self) -> int:
        """How many batches an epoch has."""
        return -(-len(self.dataset) // self.batch_size)

    @property
    def rng(self) -> np.random.Generator | None:
        """What draws the orders."""
        return self._rng

    @property
    def changes(self) -> bool:
        """Whether images are changed at random."""
        return self.augmentation is not None or self.mixup > 0

    def __iter__(self) -> Iterator[Batch]:
        """(images float32 (b, 1, 28, 28), labels int64 (b,)) from the current position to the end of the epoch.

        Of `Samples` their features, targets and, where these differ, weights.
        """
        if self._order is None:
            self._draw()
        order = self._order
        assert order is not None
        if self.batch_size == len(order) and self.position == 0 and not self.changes:
            self.position = len(order)
            yield self._all()
        while self.position < len(order):
            chosen = order[self.position : self.position + self.batch_size]
            stretch = self.part.of(len(chosen))
            own = chosen[stretch]
            batch = self._changed(own, self.position + stretch.start) if self.changes else self._plain(own)
            self.position += len(chosen)
            yield self._weighed(batch, chosen)
        self.finish_if_done()

    def _weighed(self, batch: Batch, chosen: NDArray[np.int64]) -> Batch:
        """The part of a batch, after a note of how much it is of all that was chosen."""
        self.images, copies = len(chosen), self.part.copies(len(chosen))
        weights = getattr(self.dataset, "weights", None)
        if weights is None:
            self.mass, self.share = float(len(chosen)), len(batch[0]) / (len(chosen) * copies)
            return batch
        images, labels, own = cast(tuple[NDArray[Any], NDArray[Any], NDArray[Any]], batch)
        self.mass = float(own.sum() if self.part.count == 1 else weights[chosen].sum())
        if self.part.count == 1:
            return batch
        within = float(own.sum())
        self.share = within / (self.mass * copies) if self.mass else 1 / self.part.count
        # Weights that are all 0 have no mean; any others do where the share is 0.
        return images, labels, own if within or not self.mass else np.ones_like(own)

    def _plain(self, chosen: NDArray[np.int64]) -> Batch:
        if isinstance(self.dataset, Samples):
            return cast(Batch, self.dataset.take(chosen))
        return self.scaling.apply(self.dataset.images, chosen), self.dataset.labels[chosen]

    def _changed(self, chosen: NDArray[np.int64], start: int) -> Batch:
        """Images whose changes depend on where in the epoch they begin, and on nothing before."""
        rng = np.random.Generator(np.random.PCG64([self._seed, start]))
        if self.augmentation is None:
            images, labels, *weights = self._plain(chosen)
        else:
            ink, labels, *weights = self._ink(chosen)
            images = self.scaling.rescale(self.augmentation.apply(ink[:, 0], rng))[:, None]
        if self.mixup:
            return mixup(images, labels, len(self.dataset.classes), self.mixup, rng)
        return cast(Batch, (images, labels, *weights))

    def _ink(self, chosen: NDArray[np.int64]) -> Batch:
        """As `_plain`, with ink in 0..1."""
        if isinstance(self.dataset, Samples):
            return self._plain(chosen)
        return linear_scaling().apply(self.dataset.images, chosen), self.dataset.labels[chosen]

    def _all(self) -> Batch:
        """The one batch of full-batch training, gathered once: within a batch the order is no matter. Read-only."""
        if self._whole is None or self._whole[0] != self.part:
            batch = self._plain(np.arange(len(self.dataset))[self.part.of(len(self.dataset))])
            for array in batch:
                array.flags.writeable = False
            self._whole = self.part, batch
        return self._weighed(self._whole[1], np.arange(len(self.dataset)))

    def finish_if_done(self) -> None:
        """Make ready for the next epoch if all images of this one have been given out."""
        if self._order is not None and self.position >= len(self._order):
            self.position = 0
            self._order = None

    def _draw(self) -> None:
        if self._rng is None:
            self._order = np.arange(len(self.dataset))
        else:
            self._before = self._rng.bit_generator.state
            self._order = np.arange(len(self.dataset))
            if self.shuffle:
                self._order = self._rng.permutation(len(self.dataset))
            if self.changes:
                self._seed = int(self._rng.integers(2**63))

    def state(self) -> dict[str, Any]:
        """Position and the generator's states, as JSON holds them; from them the same batches follow.

        `generator` is the present state, `before` that from which the order of the current epoch was drawn: others
        may draw from the same generator meanwhile.
        """
        inside = self._order is not None
        now = None if self._rng is None else self._rng.bit_generator.state
        return {
            "position": self.position,
            "inside": inside,
            "generator": now,
            "before": self._before if inside else now,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from what `state` gave.

        Raises:
            CheckpointError: the state belongs to another data set or another kind of generator.
        """
        if (state["generator"] is None) != (self._rng is None) or not 0 <= state["position"] <= len(self.dataset):
            raise CheckpointError("the saved position in the epoch does not fit this loader")
        if self._rng is not None:
            try:
                self._rng.bit_generator.state = state["generator"]
                self._rng.bit_generator.state = state["before"]
            except (ValueError, TypeError, KeyError) as error:
                raise CheckpointError(f"the saved order of the images is of another generator: {error}") from error
        self._order = None
        self.position = state["position"]
        if state["inside"]:
            self._draw()
        if self._rng is not None:
            self._rng.bit_generator.state = state["generator"]


def _check_changes(dataset: Dataset | Samples, augmentation: Augmentation | None, mixup: float) -> None:
    """Raise OptionError where samples are to be changed in a way that is made for images."""
    if not isinstance(dataset, Samples):
        return
    if mixup:
        raise OptionError(f"mixup blends images of a data set, but {dataset.name} are samples; leave it out")
    shape = dataset.features.shape[1:]
    if augmentation is not None and (len(shape) != 3 or shape[0] != 1):
        raise OptionError(f"augmentation changes images (n, 1, h, w), but {dataset.name} are rows of shape {shape}")
