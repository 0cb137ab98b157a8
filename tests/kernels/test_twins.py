"""Every twin of every kernel against the reference.

Tolerances: a twin may reorder sums and fuse a product with a sum, so that results differ by rounding. The norm of
the difference is at most 2e-6 of the reference's norm, and every single number is within 2e-5 of its own size plus
2e-6 of the largest. Bytes and what the reference promises to the last bit are equal to it.
"""

import inspect

import numpy as np
import pytest

import cases
from inkgrad import kernels

with kernels.use_backend("numba_cpu"):  # so that all twins are registered
    PAIRS = [(name, backend) for name, kernel in kernels.KERNELS.items() for backend in kernel.twins]
RELATIVE = 2e-6
EXACT = {"dropout_mask", "gather_scaled", "max_pool2d_forward"}


def test_every_public_kernel_has_a_row():
    public = {name for name in kernels.__all__ if isinstance(getattr(kernels, name), kernels.Kernel)}
    assert public == set(kernels.KERNELS) == {case.kernel for case in cases.KERNELS}


def test_row_names_are_unique():
    names = [case.id for case in cases.KERNELS]
    assert len(names) == len(set(names))


def test_some_kernels_have_twins():
    assert len(PAIRS) >= 8


def layouts(position, dtype):
    """Changes of layout of the argument at a position, by name."""

    def strided(x):
        wide = np.zeros([2 * n + 1 for n in x.shape], x.dtype)
        wide[tuple(slice(1, None, 2) for _ in x.shape)] = x
        return wide[(..., *(slice(1, None, 2) for _ in x.shape))]

    def reversed_(x):
        flipped = (..., *(slice(None, None, -1) for _ in x.shape))
        return x[flipped].copy()[flipped]

    return {"strided": strided, "transposed": lambda x: x.T.copy().T, "reversed": reversed_}


def leaves(value):
    """The arrays of a result, in order."""
    if isinstance(value, np.ndarray | np.generic):
        return [np.asarray(value)]
    if isinstance(value, tuple):
        return [leaf for part in value for leaf in leaves(part)]
    assert value is None or isinstance(value, int)
    return []


def same(got, expected, exact=False):
    assert type(got) is type(expected)
    for one, other in zip(leaves(got), leaves(expected), strict=True):
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        if exact:
            np.testing.assert_array_equal(one, other)
            continue
        finite = np.isfinite(other)
        np.testing.assert_array_equal(one[~finite], other[~finite])
        difference = np.abs(one[finite].astype(np.float64) - other[finite])
        size = np.abs(other[finite]).astype(np.float64)
        assert np.linalg.norm(difference) <= RELATIVE * np.linalg.norm(size) + 1e-30
        assert (difference <= 10 * RELATIVE * size + RELATIVE * size.max(initial=0)).all()


def compare(name, backend, arguments, changes=()):
    """Run twin and reference on copies; results, changed arrays and untouched arrays are compared."""
    kernel = kernels.KERNELS[name]

    def run(function):
        copies = [_copied(a) for a in arguments]
        with np.errstate(all="ignore"):
            result = function(*copies)
        for i, (before, after) in enumerate(zip(arguments, copies, strict=True)):
            if isinstance(before, np.ndarray) and i not in changes:
                assert after.tobytes() == before.tobytes(), f"argument {i} was changed"
        return result, tuple(copies[i] for i in changes)

    expected, expected_changes = run(kernel.reference)
    with kernels.use_backend(backend):
        got, got_changes = run(kernel)
    same(got, expected, name in EXACT)
    same(got_changes, expected_changes)


def _copied(argument):
    """A copy in the same memory layout and with the same permission."""
    if not isinstance(argument, np.ndarray):
        return argument
    copy = np.lib.stride_tricks.as_strided(argument).copy(order="K")
    if argument.strides != copy.strides and argument.size:
        base = np.zeros([2 * n + 1 for n in argument.shape], argument.dtype)
        copy = base[(..., *(slice(1, None, 2) for _ in argument.shape))]
        copy[...] = argument
    copy.setflags(write=argument.flags.writeable)
    return copy


PAIR_ROWS = [
    pytest.param(case, backend, dtype, id=f"{case.id}-{backend}-{dtype}")
    for name, backend in PAIRS
    for case in cases.KERNELS
    if case.kernel == name
    for dtype in case.dtypes
]


@pytest.mark.parametrize("case, backend, dtype", PAIR_ROWS)
def test_twin_equals_reference(case, backend, dtype):
    compare(case.kernel, backend, case.make(dtype), case.changes)


@pytest.mark.parametrize("case, backend, dtype", PAIR_ROWS)
def test_other_layouts(case, backend, dtype):
    arguments = case.make(dtype)
    arrays = [i for i, a in enumerate(arguments) if isinstance(a, np.ndarray) and a.ndim]
    for position in arrays:
        for layout in layouts(position, dtype).values():
            changed = [layout(a) if i == position else a for i, a in enumerate(arguments)]
            compare(case.kernel, backend, changed, case.changes)


@pytest.mark.parametrize("case", cases.KERNELS[::7], ids=lambda case: case.id)
def test_arguments_may_be_named(case):
    kernel = kernels.KERNELS[case.kernel]
    positional, arguments = case.make("float32"), case.make("float32")
    expected = kernel.reference(*positional)
    with kernels.use_backend("numba_cpu"):
        got = kernel(**dict(zip(inspect.signature(kernel.reference).parameters, arguments, strict=True)))
    same(got, expected)
    same(arguments[:1], positional[:1])


@pytest.mark.parametrize("case, backend, dtype", PAIR_ROWS)
def test_read_only_inputs(case, backend, dtype):
    """Memory maps and `np.frombuffer` give arrays that cannot be written."""
    arguments = case.make(dtype)
    for i, argument in enumerate(arguments):
        if isinstance(argument, np.ndarray) and i not in case.changes:
            argument.setflags(write=False)
    compare(case.kernel, backend, arguments, case.changes)


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(
    "case, backend",
    [pytest.param(*p.values[:2], id=p.id) for p in PAIR_ROWS if p.values[2] == "float32"],
)
def test_nan_and_infinity_flow_the_same(case, backend, special):
    """One spoiled number in each real argument in turn, first and last; zeros are included in the gradient."""
    arguments = case.make("float32")
    for position, argument in enumerate(arguments):
        if isinstance(argument, np.ndarray) and argument.dtype.kind == "f" and argument.size:
            for where in (0, -1):
                spoiled = argument.copy()
                spoiled.reshape(-1)[where] = special
                changed = [spoiled if i == position else a for i, a in enumerate(arguments)]
                compare(case.kernel, backend, changed, case.changes)


@pytest.mark.parametrize("name, backend", PAIRS)
def test_twin_has_the_references_signature(name, backend):
    kernel = kernels.KERNELS[name]
    reference, twin = inspect.signature(kernel.reference), inspect.signature(kernel.twins[backend].function)
    assert reference == twin


@pytest.mark.parametrize("name, backend", PAIRS)
def test_the_rows_reach_the_twin(name, backend):
    """Float32 rows run the twin, not the fallback; float64 rows the fallback."""
    twin = kernels.KERNELS[name].twins[backend]
    rows = [case for case in cases.KERNELS if case.kernel == name]
    assert any(twin.accepts(*case.make("float32")) for case in rows)
    assert not any(twin.accepts(*case.make("float64")) for case in rows if "float64" in case.dtypes)


@pytest.mark.parametrize("backend", ["reference", "numba_cpu"])
@pytest.mark.parametrize("label", [4, 1000, -5])
def test_labels_outside_are_refused_in_every_backend(backend, label):
    """Compiled code does not check its bounds; the kernel must."""
    logits, weights = np.zeros((2, 4), np.float32), np.ones(2, np.float32)
    with kernels.use_backend(backend), pytest.raises(IndexError):
        kernels.cross_entropy_of_labels(logits, np.array([0, label]), weights)


@pytest.mark.parametrize("backend", ["reference", "numba_cpu"])
def test_sequences_outside_are_refused_in_every_backend(backend):
    logits = np.zeros((2, 3, 4), np.float32)
    for label, length in ((4, 3), (2**40, 3), (1, 4)):
        with kernels.use_backend(backend), pytest.raises(IndexError):
            kernels.ctc_loss(logits, np.array([[1], [label]]), np.array([3, length]), 0)


@pytest.mark.parametrize("backend", ["reference", "numba_cpu"])
def test_indices_outside_are_refused_in_every_backend(backend):
    pixels = np.zeros((3, 4), np.uint8)
    for index in (3, -4):
        with kernels.use_backend(backend), pytest.raises(IndexError):
            kernels.gather_scaled(pixels, np.array([0, index]), 1.0, 0.0)


@pytest.mark.parametrize("backend", ["reference", "numba_cpu"])
def test_updates_refuse_arrays_of_different_lengths(backend):
    w, g, s = np.zeros(4, np.float32), np.zeros(9, np.float32), np.zeros(4, np.float32)
    calls = [
        lambda: kernels.sgd_update(w, g, s, 0.1, 0.9, False),
        lambda: kernels.adagrad_update(w, g, s, 0.1, 1e-8),
        lambda: kernels.rmsprop_update(w, g, s, 0.1, 0.9, 1e-8),
        lambda: kernels.adam_update(w, g, s, s.copy(), 0.1, 0.9, 0.999, 1e-8, 0.0, 1),
        lambda: kernels.sgd_update(g, w, s, 0.1, 0.9, False),
        lambda: kernels.adagrad_update(g, w, s, 0.1, 1e-8),
    ]
    with kernels.use_backend(backend):
        for call in calls:
            with pytest.raises(ValueError, match="broadcast"):
                call()
