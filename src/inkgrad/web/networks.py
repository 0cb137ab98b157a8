"""The networks of a server, loaded once, and the one thread in which they answer."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inkgrad.web.batching import Batcher

if TYPE_CHECKING:
    from inkgrad.models import Classification, Classifier

__all__ = ["Networks", "named"]

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

    async def classify(self, name: str, picture: Any) -> "Classification":
        """The digit in an array of pixels.

        Raises:
            FullError: too many are waiting.
        """
        answer: Classification = await self._batchers[name](picture)
        return answer

    def answer_once(self) -> None:
        """Load the default network, and let it answer one image and many, before anyone waits for it."""
        import numpy as np

        image = np.zeros((28, 28), np.uint8)
        image[6:22, 12:16] = 255
        for count in (1, _TOGETHER):
            self._answers(self.default, [image] * count)

    def close(self) -> None:
        """Answer no more."""
        self.thread.shutdown(wait=False, cancel_futures=True)

    def _answers(self, name: str, pictures: Sequence[Any]) -> list[Any]:
        from inkgrad.data import to_digit
        from inkgrad.errors import ImageError

        classifier = self.classifier(name)
        forms: list[Any] = []
        for picture in pictures:
            try:
                forms.append(to_digit(picture))
            except ImageError as error:
                forms.append(error)
        answers = iter(classifier.classify_forms([form for form in forms if not isinstance(form, ImageError)]))
        return [form if isinstance(form, ImageError) else next(answers) for form in forms]


def named(model: Path | None) -> "tuple[str, Classifier] | None":
    """The classifier that was named when the server was started.

    Raises:
        ModelFileError: there is none.
    """
    from inkgrad.models import MODEL_FILE, PRETRAINED, load

    if model is None or (str(model) in PRETRAINED and not (model.is_file() or (model / MODEL_FILE).is_file())):
        return None
    return model.stem, load(model)
