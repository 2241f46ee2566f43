"""The grid on two Dask workers: the same numbers, and a worker that is killed costs none of them."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from beyond_alignment.benchmark.cells import fit_one_by_one
from beyond_alignment.benchmark.grid import run_grid
from beyond_alignment.errors import InputError
from tests.benchmark.stand_ins import CONTESTS, two_bits

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def data():
    return two_bits()


class Deadly:
    """Kills its own process the first time that it fits."""

    def __init__(self, mark):
        self.mark = Path(mark)

    def __call__(self, estimators, sets):
        try:
            self.mark.touch(exist_ok=False)
        except FileExistsError:
            return fit_one_by_one(estimators, sets)
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_worker_costs_nothing(data, tmp_path):
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with distributed.LocalCluster(**options, silence_logs=50) as cluster:
        deadly = Deadly(tmp_path / "killed")
        found = run_grid(data, CONTESTS, fit_many=deadly, scheduler=cluster.scheduler_address)
    assert deadly.mark.exists()
    assert found.failures.empty
    for one, other in zip(run_grid(data, CONTESTS).predictions, found.predictions, strict=True):
        np.testing.assert_array_equal(one.probability, other.probability)


def test_an_address_where_nobody_listens_is_said(data):
    with pytest.raises(InputError, match="No Dask scheduler answers at 'nowhere'"):
        run_grid(data, CONTESTS[:1], scheduler="nowhere")
