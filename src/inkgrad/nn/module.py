"""`Module`: plain attributes, two marker types, and one walk over them."""

from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, TypeVar

import numpy as np

from inkgrad.autodiff import Tensor, TensorLike, as_array, is_recording
from inkgrad.autodiff.modes import current_scope, enter_scope, leave_scope, recorder_in_force
from inkgrad.errors import ShapeError
from inkgrad.nn.prediction import fallback_of, predict

__all__ = ["Buffer", "Module", "Parameter"]

M = TypeVar("M", bound="Module")

_root: ContextVar["Module | None"] = ContextVar("inkgrad_root", default=None)  # whose forward is running
LABELS = {"_label", "_has_labelled"}
_counts = [0, 0]


def changes() -> int:
    """How often an attribute of any module, its mode apart, has been given another value in this process."""
    return _counts[0]


def modes() -> int:
    """How often any module has changed between training and prediction."""
    return _counts[1]


class Parameter(Tensor):
    """A tensor that training changes. As an attribute of a module, in a list or in a dict, it is found by itself."""

    __slots__ = ()

    def __init__(self, data: TensorLike) -> None:
        super().__init__(data, requires_grad=True)


class Buffer:
    """State that is saved with a module but not trained, such as running statistics.

    Attributes:
        data: the array, float32, float64 or int64.
    """

    def __init__(self, data: Any) -> None:
        self.data = np.asarray(data) if np.asarray(data).dtype == np.int64 else as_array(data)


class Module:
    """A part of a network: set parameters, buffers and modules as attributes, and write `forward`.

    Nothing is registered. One walk over the attributes, through lists, tuples and dicts, finds everything in the
    order of definition and names it by its path, as "layers.0.weight".

    Attributes:
        training: whether layers such as dropout behave as in training; set by `train()` and `eval()`.
        plannable: whether plans may stand in for `forward`; a class whose `forward` depends on more than its input and
            the attributes of its modules sets it to False.

    >>> from inkgrad.nn import Linear, ReLU
    >>> from inkgrad.random import default_rng
    >>> class Net(Module):
    ...     def __init__(self, rng):
    ...         self.first = Linear(4, 3, rng=rng)
    ...         self.last = Linear(3, 2, rng=rng)
    ...     def forward(self, x):
    ...         return self.last(ReLU()(self.first(x)))
    >>> net = Net(default_rng(0))
    >>> [name for name, _ in net.named_parameters()]
    ['first.weight', 'first.bias', 'last.weight', 'last.bias']
    >>> net(np.ones((5, 4), np.float32)).shape
    (5, 2)
    """

    training: bool = True
    plannable: bool = True
    _label: str = ""  # its path within the module around it, for the scopes of a graph
    _has_labelled: bool = False
    frozen_count: int = 0  # how many numbers of its own parameters never change

    def __setattr__(self, name: str, value: Any) -> None:
        if self.__dict__.get(name, _counts) is not value and name not in LABELS:
            _counts[name == "training"] += 1
        object.__setattr__(self, name, value)

    def forward(self, *inputs: Any) -> Any:
        """The module's function; subclasses write it."""
        raise NotImplementedError(f"{type(self).__name__} has no forward(self, ...): write it to say what it computes")

    def __call__(self, *inputs: Any) -> Any:
        """Run `forward`, naming what it records after the path of each module."""
        if not is_recording():
            if not self.training and len(inputs) == 1 and recorder_in_force.get() is None:
                planned = predict(self, inputs[0])
                if planned is not None:
                    return planned
            return self.forward(*inputs)
        root = _root.get()
        if not self._label and root is not None:
            _label_children(root)  # a module that was added after the first call
        if self._label:
            token = enter_scope(self._label)
            try:
                return self.forward(*inputs)
            finally:
                leave_scope(token)
        if root is not None:
            return self.forward(*inputs)
        if not self._has_labelled:
            _label_children(self)
        mark = _root.set(self)
        try:
            return self.forward(*inputs)
        finally:
            _root.reset(mark)

    @property
    def _title(self) -> str:
        """Its kind and its path, for messages."""
        scope = current_scope()  # the whole path, while recording
        path = scope if self._label and scope.endswith(self._label) else self._label
        return f"{type(self).__name__} {path}".rstrip()

    def __repr__(self) -> str:
        """Its kind, the shapes of its own parameters and buffers, and its modules, each on a line."""
        own = [
            f"{name} {member.data.shape}"
            for name, member in vars(self).items()
            if isinstance(member, Parameter | Buffer)
        ]
        inner = [(name, member) for name, member in self.named_modules() if name]
        direct = [(n, m) for n, m in inner if not any(n.startswith(f"{other}.") for other, _ in inner)]
        lines = [f"{name}: {module!r}".replace("\n", "\n  ") for name, module in direct]
        body = ", ".join(own) + "".join(f"\n  {line}" for line in lines) + ("\n" if lines else "")
        return f"{type(self).__name__}({body})"

    # The one walk

    def named_members(self) -> Iterator[tuple[str, Any]]:
        """(path, member) of every parameter, buffer, module and random generator, each once, in definition order."""
        yield from _walk(self, "", set())

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """(path, parameter) in definition order; a shared one under its first path."""
        return ((name, member) for name, member in self.named_members() if isinstance(member, Parameter))

    def named_state(self) -> Iterator[tuple[str, Parameter | Buffer]]:
        """(path, parameter or buffer): what a model file holds."""
        return ((name, member) for name, member in self.named_members() if isinstance(member, Parameter | Buffer))

    def named_modules(self) -> Iterator[tuple[str, "Module"]]:
        """(path, module) of this module, under "", and all within it."""
        yield "", self
        yield from ((name, member) for name, member in self.named_members() if isinstance(member, Module))

    def named_generators(self) -> Iterator[tuple[str, np.random.Generator]]:
        """(path, generator) of the random generators that layers such as dropout draw from."""
        return ((name, member) for name, member in self.named_members() if isinstance(member, np.random.Generator))

    @property
    def fallback(self) -> str | None:
        """Why the last call in prediction mode under `no_grad` went the eager way; None if it was planned."""
        return fallback_of(self)

    def holders(self) -> dict[int, Any]:
        """The parameters and buffers by the id of the array that each holds now."""
        return {id(member.data): member for _, member in self.named_state()}

    def parameter_count(self) -> int:
        """How many numbers are trained."""
        frozen = sum(module.frozen_count for _, module in self.named_modules())
        return sum(parameter.size for _, parameter in self.named_parameters()) - frozen

    # Modes

    def train(self: M) -> M:
        """Put this module and all within it into training mode; returns itself."""
        return self._set_training(True)

    def eval(self: M) -> M:
        """Put this module and all within it into prediction mode; returns itself."""
        return self._set_training(False)

    def _set_training(self: M, training: bool) -> M:
        for _, module in self.named_modules():
            module.training = training
        return self

    def astype(self: M, dtype: Any) -> M:
        """Turn every parameter and floating-point buffer to float32 or float64 in place; returns itself.

        Raises:
            ShapeError: another dtype.
        """
        if np.dtype(dtype) not in (np.float32, np.float64):
            raise ShapeError(f"a network is float32 or float64, but {np.dtype(dtype)} was asked for")
        for _, member in self.named_state():
            if member.data.dtype.kind == "f":
                member.data = member.data.astype(dtype)
        for _, parameter in self.named_parameters():
            parameter.grad = parameter.grad_storage = None
        _counts[0] += 1  # as plans are for one dtype
        return self


def _label_children(root: Module) -> None:
    """Tell each module, and each parameter without a name, its path within the module around it, once."""
    root._has_labelled = True
    for _, module in root.named_modules():
        for name, member in _walk(module, "", set(), deep=False):
            if isinstance(member, Module):
                member._label = name
            elif isinstance(member, Parameter):
                member.name = member.name or name


def _walk(container: Any, prefix: str, seen: set[int], *, deep: bool = True) -> Iterator[tuple[str, Any]]:
    if isinstance(container, Module):
        members: Any = vars(container).items()
    elif isinstance(container, dict):
        members = container.items()
    else:
        members = enumerate(container)
    for key, member in members:
        path = f"{prefix}.{key}" if prefix else str(key)
        if isinstance(member, Parameter | Buffer | Module | np.random.Generator):
            if id(member) in seen:
                continue
            seen.add(id(member))
            yield path, member
        if isinstance(member, list | tuple | dict) or (deep and isinstance(member, Module)):
            yield from _walk(member, path, seen, deep=deep)
