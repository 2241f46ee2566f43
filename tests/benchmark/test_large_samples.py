"""The cost of an estimate."""

import numpy as np

from beyond_alignment.benchmark import large_samples as module
from beyond_alignment.benchmark.large_samples import CHUNK_ROWS, large_samples, write_sources
from tests.benchmark.stand_ins import Here


def test_sources_are_written_by_chunks_and_the_label_needs_both(tmp_path):
    n = CHUNK_ROWS + 500
    y, groups = write_sources(tmp_path, (n, 24, 8), seed=0)
    x1, x2 = (np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in ("x1", "x2"))
    assert (x1.shape, x2.shape, x1.dtype, x2.dtype) == ((n, 24), (n, 8), np.float32, np.float32)
    assert len(np.unique(groups)) == 20
    assert set(y) == {0, 1, 2, 3, 4}
    plane = np.linalg.svd(np.asarray(x2) - x2.mean(axis=0), full_matrices=False)[2][:2].T
    spread = np.asarray(x2) @ plane
    assert np.linalg.norm(spread, axis=1).min() > 2  # four clusters at a distance from the centre: two bits
    frequencies = np.bincount(y) / n
    assert np.abs(frequencies - [0.25, 0.25, 0.25, 0.125, 0.125]).max() < 0.02


def test_seconds_and_memory_are_measured(monkeypatch):
    monkeypatch.setattr(module.multiprocessing, "get_context", lambda kind: Here())
    found = large_samples([(400, 12, 6)], n_bootstrap=20, threads=1)
    assert found.loc[0, ["n", "features_1", "features_2", "classes", "replicates"]].tolist() == [400, 12, 6, 5, 20]
    assert found.at[0, "seconds"] > 0
    assert 0.05 < found.at[0, "peak_gb"] < 16


def test_no_size_is_an_empty_table():
    assert large_samples([]).empty
