"""What a method costs: seconds, trained parameters and floating-point operations of one fit, and how they grow."""

import multiprocessing
import resource
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.stats import ortho_group
from sklearn.base import clone
from threadpoolctl import threadpool_limits
from torch.utils.flop_counter import FlopCounterMode

from beyond_alignment.benchmark.cells import Bench, FitMany
from beyond_alignment.benchmark.problem import inner_groups
from beyond_alignment.errors import InputError
from beyond_alignment.fusion import Fusion, make_fusion
from beyond_alignment.fusion.neural import NeuralFusion
from beyond_alignment.fusion.pairs import TrainingSet
from beyond_alignment.fusion.together import Failure, fit_together
from beyond_alignment.fusion.training import n_trained
from beyond_alignment.study import each

CHUNK_ROWS = 20_000
N_DONORS = 20
NOISE = 0.3
Size = tuple[int, int, int]
SIZE_COLUMNS = ("n", "features_1", "features_2", "method", "seconds", "peak_gb", "operations", "sources_gb")


def fit_cost(estimator: Fusion, given: TrainingSet, fit_many: FitMany = fit_together) -> dict[str, float]:
    """Fit one estimator twice, once for its seconds and once to count its operations.

    Parameters
    ----------
    estimator
        Unfitted; left as it is.
    given
        What it is fitted on.
    fit_many
        How; :func:`~beyond_alignment.fusion.tuning.fit_tuned` counts what the choice of hyper-parameters costs too.

    Returns
    -------
    dict
        ``seconds`` on one thread; trained ``parameters``, those of the probe where nothing else is trained;
        ``operations``, floating-point, two for a multiplication and addition: matrix products in training and probes
        are counted, element-wise steps and principal components are not.

    Raises
    ------
    InputError
        The estimator cannot be fitted.
    """
    with threadpool_limits(1):
        start = time.perf_counter()
        found = fit_many([clone(estimator)], [given])[0]
        seconds = time.perf_counter() - start
        if isinstance(found, Failure):
            raise InputError(f"A method cannot be fitted, so it has no cost: {found.reason}")
        with FlopCounterMode(display=False) as counter:
            fit_many([clone(estimator)], [given])
    size = n_trained(found.network_) if isinstance(found, NeuralFusion) else found.n_parameters_
    return {"seconds": seconds, "parameters": float(size), "operations": float(counter.get_total_flops())}


def method_costs(
    bench: Bench,
    methods: Sequence[str],
    *,
    fit_many: FitMany = fit_together,
    fold: int = 0,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure methods on the training spots of one fold.

    Parameters
    ----------
    bench
        Where they compete.
    methods
        Names of fusion methods.
    fit_many
        How each is fitted, as in :func:`fit_cost`.
    fold
        Number of the fold.
    seed
        Of the methods.

    Returns
    -------
    pandas.DataFrame
        One row a method: method, n, seconds, parameters, operations.
    """
    rows = bench.splits[fold].train
    pair = bench.pair[0][rows], bench.pair[1][rows]
    given = TrainingSet(pair, bench.problem.labels[rows], inner_groups(bench.problem, rows))
    found = []
    for method in methods:
        cost = fit_cost(make_fusion(method, kind=bench.problem.kind, seed=seed), given, fit_many)
        found.append({"method": method, "n": len(rows), **cost})
    return pd.DataFrame(found)


def size_study(sizes: Sequence[Size], methods: Sequence[str], *, device: str = "cpu") -> pd.DataFrame:
    """Measure one fit of each method at each size, probe and its choice on inner folds included, in its own process.

    Parameters
    ----------
    sizes
        Spots, features of the first source, features of the second; 71,000 x (1,536 + 512) is the paper's lung.
    methods
        Names of fusion methods.
    device
        Where networks are trained, on one thread.

    Returns
    -------
    pandas.DataFrame
        One row a size and method, :data:`SIZE_COLUMNS`: seconds of the fit, the most resident memory (2^30 bytes),
        operations as :func:`fit_cost` counts them on a sample of at most 2,000 spots, where networks make as many
        updates.
    """
    plan: list[dict[str, Any]] = [{"size": size, "method": method} for size in sizes for method in methods]
    found = dict(each(partial(_alone, device=device), plan, what="sizes"))
    rows = [(*row["size"], row["method"], *found[i], on_disk_gb(row["size"])) for i, row in enumerate(plan)]
    return pd.DataFrame(rows, columns=list(SIZE_COLUMNS))


def _alone(size: Size, method: str, *, device: str) -> list[float]:
    """Measure in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measure, (size, method, device))


def _measure(size: Size, method: str, device: str) -> list[float]:
    """Return seconds and the most resident memory of a fit, and the operations of a small one."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        y, groups = write_sources(folder, size, seed=0)
        pair = tuple(np.load(folder / f"{source}.npy") for source in ("x1", "x2"))
    given = TrainingSet((pair[0], pair[1]), _named(y), groups)
    options: dict[str, Any] = {"device": device} if isinstance(make_fusion(method), NeuralFusion) else {}
    estimator = make_fusion(method, **options)
    with threadpool_limits(1):
        start = time.perf_counter()
        found = fit_together([clone(estimator)], [given])[0]
        seconds = time.perf_counter() - start
    if isinstance(found, Failure):
        raise InputError(f"{method} cannot be fitted on {size[0]:,} spots: {found.reason}")
    peak = _peak_gb()
    few = np.random.default_rng(0).permutation(len(y))[:2000]
    with FlopCounterMode(display=False) as counter:
        fit_together([clone(estimator)], [given.subset(few)])
    return [seconds, peak, float(counter.get_total_flops())]


def _peak_gb() -> float:
    """Return the most memory that was resident, of this program and not of the one that started it."""
    status = Path("/proc/self/status")
    if status.is_file():
        lines = dict(line.split(":", 1) for line in status.read_text(encoding="ascii").splitlines())
        return int(lines["VmHWM"].split()[0]) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _named(y: NDArray[np.int64]) -> NDArray[np.str_]:
    """Return classes as names."""
    return np.array([f"class {value}" for value in range(int(y.max()) + 1)])[y]


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


def on_disk_gb(size: Size) -> float:
    """Return what both sources take on disk, GB."""
    n, first, second = size
    return 4 * n * (first + second) / 2**30
