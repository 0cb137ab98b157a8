"""PyTorch, imported plainly: where it is missing these tests fail rather than skip."""

import pytest


@pytest.fixture(scope="session")
def torch():
    import torch

    torch.set_num_threads(1)
    return torch
