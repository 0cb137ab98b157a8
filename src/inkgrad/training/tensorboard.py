"""`TensorBoard`: the log of a training for TensorBoard."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.data import Samples, contact_sheet, linear_scaling
from inkgrad.errors import OptionError
from inkgrad.models import filter_sheet
from inkgrad.random import default_rng
from inkgrad.training.callbacks import Callback
from inkgrad.training.event_file import EventFile, require_tensorboardx
from inkgrad.training.tensorboard_graph import graph_def

if TYPE_CHECKING:
    from PIL import Image

    from inkgrad.training.trainer import Trainer

__all__ = ["TensorBoard"]

_BINS = 64
_DIGITS = 32  # on a sheet


class TensorBoard(Callback):
    """Writes what `tensorboard --logdir FOLDER` shows; the training itself stays the same to the last bit.

    | tag | is |
    |---|---|
    | `loss/steps` | mean loss of the last `every_steps` steps |
    | `loss/train`, `accuracy/train` | of each epoch, as in the history |
    | `loss/validation`, `accuracy/validation` | likewise |
    | `training/learning_rate` | of the next step, every `every_steps` steps and after each epoch |
    | `training/gradient_norm` | √Σ g² over all parameters, after clipping, every `every_steps` steps |
    | `training/images_per_second` | of each epoch |
    | `parameters/NAME`, `gradients/NAME` | histogram after each epoch; the gradient is that of its last step |
    | `images/training` | training images as the network may see them, with changes drawn anew |
    | `images/misread` | validation images that were misread, the surest mistakes first |
    | `images/filters` | weights of the first layer |

    The graph is that of the step's operations, in boxes by name scope. A training that continues from a checkpoint
    writes another file of events; TensorBoard then forgets steps after that checkpoint, so that each step shows once.
    For that the callback stands before `Checkpointing`.

    Args:
        folder: where the log goes; made if missing. One folder for each training.
        every_steps: how often losses, learning rates and norms of gradients are written between epochs.

    Raises:
        OptionError: tensorboardX is not installed, or `every_steps` is below 1.

    The hooks raise StorageError if the log cannot be written.

    >>> import tempfile, inkgrad as ig
    >>> train, validation, _ = ig.data.load("digits")
    >>> net = ig.models.build("two-layer", rng=ig.default_rng(0))
    >>> step = ig.training.TrainStep(net, ig.nn.cross_entropy, ig.optim.SGD(net, learning_rate=0.1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = TensorBoard(folder)
    ...     history = ig.training.Trainer(step, train, validation=validation, callbacks=[log]).fit(epochs=1)
    ...     [path.name for path in Path(folder).iterdir()]
    ['events.out.tfevents.0000000001']
    """

    def __init__(self, folder: str | os.PathLike[str], *, every_steps: int = 20) -> None:
        require_tensorboardx()
        if every_steps < 1:
            raise OptionError(f"TensorBoard needs every_steps of at least 1, but got {every_steps}")
        self.folder = Path(folder)
        self.every_steps = every_steps
        self._file: EventFile | None = None
        self._loss_sum = 0.0  # over the steps since the last loss was written
        self._steps = 0
        self._last: dict[str, Any] = {"step": 0, "scalars": {}}

    def on_start(self, trainer: "Trainer") -> None:
        """Begin a file, with the graph unless an earlier file of the folder has it."""
        like = trainer.train if isinstance(trainer.train, Samples) else None
        drawn = graph_def(trainer.step, like).SerializeToString()
        # Within an epoch the present step is told anew, as an earlier file may hold an end of the epoch at it.
        within = not trainer.history or trainer.history[-1]["step"] < trainer.step_count
        self._file = EventFile(self.folder, step=trainer.step_count + (not within))
        if self._file.first or trainer.step_count == 0:
            self._file.write(graph_def=drawn)
        if within and self._last["step"] == trainer.step_count:
            self._scalars(trainer.step_count, self._last["scalars"])
        self._file.flush()

    def on_step(self, trainer: "Trainer") -> None:
        """Add up the loss, and write it if it is time."""
        self._loss_sum += trainer.last_loss
        self._steps += 1
        if trainer.step_count % self.every_steps:
            return
        optimizer = trainer.step.optimizer
        scalars = {
            "loss/steps": self._loss_sum / self._steps,
            "training/learning_rate": optimizer.learning_rate,
            "training/gradient_norm": _norm(gradient for _, _, gradient in _parameters(trainer)),
        }
        self._scalars(trainer.step_count, scalars)
        self._last = {"step": trainer.step_count, "scalars": scalars}
        self._loss_sum, self._steps = 0.0, 0

    def on_epoch(self, trainer: "Trainer", record: dict[str, Any]) -> None:
        """Write the record's figures, the histograms and the images."""
        scalars = {"training/images_per_second": record["images_per_second"]}
        for name in ("loss", "accuracy"):
            for split, key in (("train", name), ("validation", f"validation_{name}")):
                if key in record:
                    scalars[f"{name}/{split}"] = record[key]
        if trainer.step_count % self.every_steps:  # else it is there already
            scalars["training/learning_rate"] = record["learning_rate"]
        self._scalars(trainer.step_count, scalars)
        for name, weights, gradient in _parameters(trainer):
            self._histogram(trainer.step_count, f"parameters/{name}", weights)
            if gradient is not None:
                self._histogram(trainer.step_count, f"gradients/{name}", gradient)
        for name, picture in (
            ("training", _training_sheet(trainer)),
            ("misread", _misread_sheet(trainer)),
            ("filters", _filters(trainer)),
        ):
            if picture is not None:
                self._image(trainer.step_count, f"images/{name}", picture)
        self._flush()

    def on_end(self, trainer: "Trainer") -> None:
        """End the file."""
        del trainer
        if self._file is not None:
            file, self._file = self._file, None
            file.close()

    def state(self) -> dict[str, Any]:
        """The losses since the last one that was written; what was written is on the disk before a checkpoint is."""
        self._flush()
        return {"loss_sum": self._loss_sum, "steps": self._steps, "last": self._last}

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue the sum."""
        self._loss_sum, self._steps, self._last = state["loss_sum"], state["steps"], state["last"]

    def _flush(self) -> None:
        if self._file is not None:
            self._file.flush()

    def _write(self, step: int, summary: Any) -> None:
        assert self._file is not None
        self._file.write(step=step, summary=summary)

    def _scalars(self, step: int, values: dict[str, float]) -> None:
        from tensorboardX.proto.summary_pb2 import Summary

        self._write(step, Summary(value=[Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]))

    def _histogram(self, step: int, tag: str, values: NDArray[Any]) -> None:
        from tensorboardX.summary import histogram

        finite = values[np.isfinite(values)]
        if finite.size:
            self._write(step, histogram(tag, finite, bins=_BINS))

    def _image(self, step: int, tag: str, picture: "Image.Image") -> None:
        from tensorboardX.summary import image

        self._write(step, image(tag, np.asarray(picture), dataformats="HWC"))


def _parameters(trainer: "Trainer") -> Iterator[tuple[str, NDArray[Any], NDArray[Any] | None]]:
    """(name, weights, gradient of the last step or None) of each parameter."""
    for name, parameter in trainer.step.net.named_parameters():
        yield name, parameter.data, parameter.grad


def _norm(arrays: Iterator[NDArray[Any] | None]) -> float:
    return float(np.sqrt(sum(float(np.vdot(array, array)) for array in arrays if array is not None)))


def _training_sheet(trainer: "Trainer") -> "Image.Image | None":
    """The first training images, changed as the loader changes them, by a generator of this sheet's own."""
    loader = trainer.loader
    if isinstance(loader.dataset, Samples):
        return None
    images = loader.dataset.images[:_DIGITS]
    if loader.augmentation is not None:
        rng = default_rng(trainer.step_count)
        changed = loader.augmentation.apply(linear_scaling().apply(images)[:, 0], rng)
        images = np.rint(changed.clip(0, 1) * 255).astype(np.uint8)
    return contact_sheet(images)


def _misread_sheet(trainer: "Trainer") -> "Image.Image | None":
    """By how much the logit of the class that was read exceeds that of the true one."""
    data, logits = trainer.validation, trainer.validation_logits
    if data is None or isinstance(data, Samples) or logits is None:
        return None
    rows, read = np.arange(len(data)), logits.argmax(axis=1)
    margin = logits[rows, read] - logits[rows, data.labels]
    worst = [i for i in np.argsort(-margin, kind="stable")[:_DIGITS] if read[i] != data.labels[i]]
    if not worst:
        return None
    captions = [f"{data.classes[data.labels[i]]} as {data.classes[read[i]]}" for i in worst]
    return contact_sheet(data.images[worst], labels=captions)


def _filters(trainer: "Trainer") -> "Image.Image | None":
    """Those of the first layer whose weights are pictures."""
    for name, module in trainer.step.net.named_modules():
        if getattr(getattr(module, "weight", None), "ndim", 0) in (2, 4):
            return filter_sheet(module, title=f"{name} {type(module).__name__}".lstrip())
    return None
