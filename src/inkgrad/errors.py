"""The exceptions of inkgrad, drawn as a tree.

```
InkgradError
├── InputError (also ValueError)    a mistake in what was given; the command line exits with 2
│   ├── OptionError                 an option or argument with a value that cannot work
│   ├── ShapeError                  an array of the wrong shape or dtype
│   ├── GraphError                  a computational graph used in a way it cannot be
│   ├── DataError                   a data set that is missing, damaged or inconsistent
│   ├── ImageError                  an image file that cannot be read as one
│   ├── ModelFileError              a model file that is damaged, foreign or too new
│   └── CheckpointError             a checkpoint that does not belong to this training
└── RunError (also RuntimeError)    a run that failed on the way; the command line exits with 1
    ├── DivergenceError             loss, weights or input became NaN or infinite, or the loss ran away
    ├── StorageError                a file could not be written (disk full, no permission)
    └── GradientCheckError          a gradient differs from its numerical value
```

Every message is one sentence that names the thing, what was expected, what came and what to do.
"""

__all__ = [
    "CheckpointError",
    "DataError",
    "DivergenceError",
    "GradientCheckError",
    "GraphError",
    "ImageError",
    "InkgradError",
    "InputError",
    "ModelFileError",
    "OptionError",
    "RunError",
    "ShapeError",
    "StorageError",
]


class InkgradError(Exception):
    """Base of every error that inkgrad raises on purpose."""


class InputError(InkgradError, ValueError):
    """Something that was given cannot be used; giving something else helps."""


class OptionError(InputError):
    """An option or argument has a value that cannot work."""


class ShapeError(InputError):
    """An array has the wrong shape or dtype."""


class GraphError(InputError):
    """A computational graph is used in a way it cannot be."""


class DataError(InputError):
    """A data set is missing, damaged or inconsistent."""


class ImageError(InputError):
    """An image file cannot be read as an image."""


class ModelFileError(InputError):
    """A model file is damaged, of another architecture or of a newer format."""


class CheckpointError(InputError):
    """A checkpoint does not belong to the training that should continue from it."""


class RunError(InkgradError, RuntimeError):
    """A run failed on the way although its input was accepted."""


class DivergenceError(RunError):
    """Loss, weights or input became NaN or infinite, or the loss ran away."""


class StorageError(RunError):
    """A file could not be written; the file that was there before is untouched."""


class GradientCheckError(RunError):
    """A gradient differs from its numerical value by more than the tolerance."""
