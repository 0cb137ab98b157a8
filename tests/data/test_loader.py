"""Every image once an epoch, in an order that a checkpoint continues."""

import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkgrad.data import Dataset, Loader, Scaling
from inkgrad.errors import CheckpointError, OptionError
from inkgrad.random import default_rng


def numbered(n):
    """Images that say by their first two pixels which one they are."""
    images = np.zeros((n, 28, 28), np.uint8)
    images[:, 0, 0], images[:, 0, 1] = np.arange(n) % 256, np.arange(n) // 256
    return Dataset(images, np.arange(n) % 10, "numbered")


def loader(n=23, batch_size=5, seed=0, **options):
    rng = None if seed is None else default_rng(seed)
    return Loader(numbered(n), batch_size=batch_size, rng=rng, scaling=Scaling("linear", 1.0, 0.0), **options)


def numbers(images):
    return (images[:, 0, 0, 0] + 256 * images[:, 0, 0, 1]).astype(int).tolist()


def batches(loader, count):
    """The numbers of the images of the next batches, over the ends of epochs."""
    taken = []
    while len(taken) < count:
        for images, labels in loader:
            assert images.dtype == np.float32
            assert images.shape == (len(labels), 1, 28, 28)
            chosen = numbers(images)
            assert labels.tolist() == [number % 10 for number in chosen]
            taken.append(chosen)
            if len(taken) == count:
                break
        loader.finish_if_done()
    return taken


@pytest.mark.parametrize(("n", "size"), [(23, 5), (20, 5), (1, 1), (7, 7), (7, 100), (600, 1)])
def test_every_image_once_an_epoch(n, size):
    it = loader(n, size)
    orders = []
    for _ in range(3):
        epoch = batches(it, len(it))
        size_of_last = n % min(size, n) or min(size, n)
        assert [len(b) for b in epoch] == [min(size, n)] * (len(it) - 1) + [size_of_last]
        orders.append([*itertools.chain(*epoch)])
        assert sorted(orders[-1]) == list(range(n))
        assert it.position == 0
    if size >= n:  # one batch holds everything, in whatever order
        assert orders == [list(range(n))] * 3
    elif n > 5:
        assert orders[0] != orders[1] != orders[2] != list(range(n))


def test_the_seed_decides_the_order():
    assert batches(loader(seed=4), 15) == batches(loader(seed=4), 15)
    assert batches(loader(seed=4), 5) != batches(loader(seed=5), 5)


def test_without_a_generator_in_file_order():
    assert [*itertools.chain(*batches(loader(seed=None), 10))] == [*range(23), *range(23)]


@settings(deadline=None)
@given(st.integers(1, 30), st.integers(1, 12), st.integers(0, 40), st.booleans(), st.booleans())
def test_a_state_at_any_place_continues_with_the_same_batches(n, size, after, shuffled, finished):
    seed = 1 if shuffled else None
    whole = batches(loader(n, size, seed), after + 12)
    first = loader(n, size, seed)
    taken = 0
    while taken < after:
        for _ in first:
            taken += 1
            if taken == after:
                break
        if taken < after or finished:  # a checkpoint may be taken before the end of the epoch is noticed
            first.finish_if_done()
    state = json.loads(json.dumps(first.state()))
    again = loader(n, size, 99 if shuffled else None)
    again.load_state(state)
    again.finish_if_done()
    assert batches(again, 12) == whole[after:]


def test_a_loader_that_has_begun_can_be_put_elsewhere():
    first, second = loader(), loader()
    batches(first, 2)
    state = first.state()
    batches(second, 4)
    second.load_state(state)
    assert batches(second, 6) == batches(first, 6)


def test_a_state_does_not_change_with_the_loader():
    it = loader()
    batches(it, 2)
    state = it.state()
    held = json.dumps(state)
    batches(it, 9)
    assert json.dumps(state) == held


@pytest.mark.parametrize("size", [0, -3])
def test_a_batch_has_an_image(size):
    with pytest.raises(OptionError, match=f"the batch size must be at least 1, but is {size}"):
        loader(batch_size=size)


def test_no_images():
    with pytest.raises(OptionError, match="numbered has no images"):
        loader(0)


def test_a_state_of_something_else():
    state = loader().state()
    with pytest.raises(CheckpointError, match="does not fit"):
        loader(seed=None).load_state(state)
    with pytest.raises(CheckpointError, match="does not fit"):
        loader(5).load_state(state | {"position": 6})
    with pytest.raises(CheckpointError, match="of another generator"):
        loader().load_state(state | {"generator": {"bit_generator": "Philox"}})
