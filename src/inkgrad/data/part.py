"""Which part of each batch a process takes, where several train one network together."""

from dataclasses import dataclass

__all__ = ["Part"]


@dataclass(frozen=True)
class Part:
    """Part number `index`, from 0, of `count`: parts are stretches of a batch, in order, equal but for one image.

    A batch of fewer images than parts is not divided: each part is all of it.

    >>> [Part(i, 3).of(8) for i in range(3)]
    [slice(0, 2, None), slice(2, 5, None), slice(5, 8, None)]
    >>> Part(2, 3).of(2), Part(2, 3).copies(2)
    (slice(0, 2, None), 3)
    """

    index: int = 0
    count: int = 1

    def of(self, images: int) -> slice:
        """Which of so many images it is."""
        if images < self.count:
            return slice(0, images)
        return slice(images * self.index // self.count, images * (self.index + 1) // self.count)

    def copies(self, images: int) -> int:
        """How many parts hold each of so many images."""
        return self.count if images < self.count else 1
