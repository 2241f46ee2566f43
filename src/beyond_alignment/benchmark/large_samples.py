"""What an estimate costs, in seconds and memory, on samples as large as the paper's and larger."""

import multiprocessing
import resource
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.stats import ortho_group
from threadpoolctl import threadpool_limits

from beyond_alignment.information.estimate import estimate_pid
from beyond_alignment.study import each

CHUNK_ROWS = 20_000
N_DONORS = 20
NOISE = 0.3
LARGE_COLUMNS = ("n", "features_1", "features_2", "classes", "replicates", "folds", "seconds", "peak_gb", "sources_gb")
Size = tuple[int, int, int]


def write_sources(folder: Path, size: Size, *, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Write two sources as .npy files, chunk by chunk, and return labels and donors.

    Each source holds a shared bit and a private one, along directions of their own, in noise. The label has five
    classes: where the shared bit is 0 it is the private bit of the first source; where it is 1 it says whether both
    private bits agree, and two classes at random share those that do not.

    Parameters
    ----------
    folder
        Where ``x1.npy`` and ``x2.npy`` are written.
    size
        Samples and features of both sources.
    seed
        Of everything drawn.
    """
    n, *features = size
    rng = np.random.default_rng(seed)
    shared, first, second = rng.integers(0, 2, (3, n))
    y = np.where(shared == 0, first, np.where(first == second, 2, 3 + rng.integers(0, 2, n)))
    for name, width, private in (("x1", features[0], first), ("x2", features[1], second)):
        directions = ortho_group.rvs(min(width, 64), random_state=rng)[:2]
        out = np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.float32, (n, width))
        for start in range(0, n, CHUNK_ROWS):
            rows = slice(start, min(start + CHUNK_ROWS, n))
            bits = 2.0 * np.stack([shared[rows], private[rows]], axis=1) - 1
            values = NOISE * rng.standard_normal((len(bits), width), dtype=np.float32)
            values[:, : directions.shape[1]] += (3 * bits @ directions).astype(np.float32)
            out[rows] = values
        out.flush()
    return y, np.arange(n) * N_DONORS // n


def _measure(
    folder: Path, y: NDArray[np.int64], groups: NDArray[np.int64], n_bootstrap: int, threads: int
) -> list[float]:
    """Estimate once and return seconds and the largest resident memory, GB."""
    torch.set_num_threads(threads)
    x1, x2 = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("x1", "x2"))
    with threadpool_limits(threads):
        start = time.perf_counter()
        estimate_pid(x1, x2, y, groups, n_bootstrap=n_bootstrap)
        seconds = time.perf_counter() - start
    return [seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20]


def large_samples(
    sizes: Sequence[Size],
    *,
    n_bootstrap: int = 200,
    threads: int = 2,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure an estimate of each size, with the sources on disk, in a process of its own.

    Parameters
    ----------
    sizes
        Samples, features of the first source, features of the second.
    n_bootstrap
        Bootstrap replicates.
    threads
        Threads of the process.
    seed
        Of the samples.

    Returns
    -------
    pandas.DataFrame
        One row a size, `LARGE_COLUMNS`: seconds, and the most memory that was resident, which
        counts what the system mapped of the files; GB are 2^30 bytes.
    """
    plan = [{"size": size} for size in sizes]
    compute = partial(_sized, n_bootstrap=n_bootstrap, threads=threads, seed=seed)
    found = dict(each(compute, plan, what="sizes"))
    rows = [(*size, 5, n_bootstrap, 5, *found[i], on_disk_gb(size)) for i, size in enumerate(sizes)]
    return pd.DataFrame(rows, columns=list(LARGE_COLUMNS))


def on_disk_gb(size: Size) -> float:
    """Return what both sources take on disk, GB."""
    n, first, second = size
    return 4 * n * (first + second) / 2**30


def _sized(size: Size, *, n_bootstrap: int, threads: int, seed: int) -> list[float]:
    """Return seconds and memory of an estimate of one size, in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        y, groups = write_sources(folder, size, seed=seed)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            return pool.apply(_measure, (folder, y, groups, n_bootstrap, threads))
