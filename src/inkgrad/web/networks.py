"""The networks of a server, loaded once, and the one thread in which they answer."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inkgrad.web.batching import Batcher

if TYPE_CHECKING:
    from inkgrad.models import Classification, Classifier

__all__ = ["Networks", "form_of", "named"]

_TOGETHER = 32  # images of one call: what waits at the same time, and not so many that the first waits long


class Networks:
    """Classifiers by name; the first name is the default.

    They answer in one thread: what comes in at the same time is put into one call.

    Args:
        given: a classifier that was named when the server was started, and its name; None for those of the package.
        most_waiting: images that may wait.
    """

    def __init__(self, given: "tuple[str, Classifier] | None", most_waiting: int) -> None:
        from inkgrad.models import PRETRAINED

        self._loaded: dict[str, Classifier] = {} if given is None else {given[0]: given[1]}
        self.names = tuple(dict.fromkeys((*self._loaded, *PRETRAINED)))
        self._lock = threading.Lock()
        self._most_waiting = most_waiting
        self.thread = ThreadPoolExecutor(1, "inkgrad-network")
        self._batchers = {
            name: Batcher[Any, Any](
                lambda some, name=name: self._answers(name, some),  # type: ignore[misc]
                self.thread,
                most_waiting=most_waiting,
                most_together=_TOGETHER,
            )
            for name in self.names
        }

    @property
    def default(self) -> str:
        """The name of the network that answers where none is named."""
        return self.names[0]

    @property
    def full(self) -> bool:
        """Whether as many images wait as may."""
        return sum(batcher.waiting for batcher in self._batchers.values()) >= self._most_waiting

    def classifier(self, name: str) -> "Classifier":
        """A network, loaded at its first use."""
        from inkgrad.models import pretrained

        with self._lock:
            if name not in self._loaded:
                self._loaded[name] = pretrained(name)
            return self._loaded[name]

    async def classify(self, name: str, digit: Any) -> "Classification":
        """The answer for a digit, as `web.pictures` gives it.

        Raises:
            FullError: too many are waiting.
        """
        answer: Classification = await self._batchers[name](digit)
        return answer

    def answer_once(self) -> None:
        """Load the default network, and let it answer one image and many, before anyone waits for it."""
        import numpy as np

        image = np.zeros((28, 28), np.float32)
        image[6:22, 12:16] = 255
        for count in (1, _TOGETHER):
            self._answers(self.default, [image] * count)

    def close(self) -> None:
        """Answer no more."""
        self.thread.shutdown(wait=False, cancel_futures=True)

    def _answers(self, name: str, digits: Sequence[Any]) -> list[Any]:
        return self.classifier(name).classify_forms([form_of(digit) for digit in digits])


def form_of(digit: Any) -> Any:
    """What a network takes of a digit as `web.pictures` gives it: uint8 (28, 28), or None where there is no ink."""
    from inkgrad.data import to_digit

    return digit if digit is None or digit.dtype == "uint8" else to_digit(digit)


def named(model: Path | None) -> "tuple[str, Classifier] | None":
    """The classifier that was named when the server was started.

    Raises:
        ModelFileError: there is none.
    """
    from inkgrad.models import MODEL_FILE, PRETRAINED, load

    if model is None or (str(model) in PRETRAINED and not (model.is_file() or (model / MODEL_FILE).is_file())):
        return None
    return model.stem, load(model)
