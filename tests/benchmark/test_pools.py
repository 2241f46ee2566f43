"""The grid on two Dask workers: the same numbers, and a worker that is killed costs none of them."""

import os
import signal

import numpy as np
import pytest

from beyond_alignment.benchmark import PointStore, run_grid
from beyond_alignment.errors import InputError
from tests.benchmark.stand_ins import CONTESTS, two_bits

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def data():
    return two_bits()


@pytest.fixture(scope="module")
def reference(data):
    return run_grid(data, CONTESTS)


@pytest.fixture(scope="module")
def cluster():
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with distributed.LocalCluster(**options, silence_logs=50) as running:
        yield running


def same(first, second):
    return all(
        np.array_equal(one.probability, other.probability)
        for one, other in zip(first.predictions, second.predictions, strict=True)
    )


def test_two_workers_give_what_one_process_gives(data, reference, cluster):
    found = run_grid(data, CONTESTS, scheduler=cluster.scheduler_address, cells_at_once=3)
    assert found.failures.empty
    assert same(found, reference)


def test_a_killed_worker_costs_nothing(data, reference, cluster, tmp_path):
    """Both workers hold the problem or run batches; one is killed as soon as the first cell is kept."""
    with distributed.Client(cluster.scheduler_address, set_as_default=False) as client:
        before = set(client.run(os.getpid).values())

    class Deadly(PointStore):
        killed = False

        def keep(self, key, arrays):
            if not self.killed:
                type(self).killed = True
                os.kill(min(before), signal.SIGKILL)
            return super().keep(key, arrays)

    store = Deadly(tmp_path)
    found = run_grid(data, CONTESTS, store=store, scheduler=cluster.scheduler_address, cells_at_once=1)
    assert store.killed
    assert found.failures.empty
    assert same(found, reference)
    assert len(list(tmp_path.glob("*.npz"))) == len(CONTESTS) * 3


def test_an_address_where_nobody_listens_is_said(data, monkeypatch):
    monkeypatch.setattr("beyond_alignment.benchmark.pools.CONNECT_SECONDS", 1)
    with pytest.raises(InputError, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        run_grid(data, CONTESTS[:1], scheduler="tcp://127.0.0.1:9")
