"""Networks of a few hundred numbers are trained on one thread: others spin, and cost fifty times as much."""

import pytest
import torch


@pytest.fixture(autouse=True, scope="package")
def _one_thread():
    torch.set_num_threads(1)
