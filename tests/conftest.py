"""What several rooms' tests share."""

import pytest

from inkgrad.data import Dataset, load_mnist, mnist_folder
from inkgrad.errors import DataError


@pytest.fixture(scope="session")
def mnist() -> tuple[Dataset, Dataset]:
    """(train, test); nothing is downloaded for a test."""
    folder = mnist_folder()
    if not any(folder.glob("train-images-idx3-ubyte*")):
        pytest.skip(f"MNIST is not at {folder}; set INKGRAD_DATA to a folder that holds mnist/")
    try:
        return load_mnist()
    except DataError as error:
        pytest.fail(f"MNIST at {folder} cannot be read: {error}")
