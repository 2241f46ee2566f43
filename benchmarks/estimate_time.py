"""What an estimate from samples costs: `python -m benchmarks.estimate_time`, on two quiet cores.

Prints seconds and the most memory of a fit with 200 replicates and of the default null at the size of our tissue, of a
fit at the size of large embeddings, and of the first call of a fresh installation, when the solver is compiled. Each
runs in a process of its own.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np

from beyond_alignment.information import estimate_pid

N_CLASSES, N_GROUPS = 5, 6
SIZES = {"tissue": (2_400, 64, 64), "large": (10_000, 1_536, 512)}
CASES = {"first call": ("tissue", 0), "fit": ("tissue", 0), "fit and null": ("tissue", 19), "large fit": ("large", 0)}


def measure(size: str, n_null: int) -> tuple[float, float]:
    """Estimate once; return seconds and the largest resident memory in GB."""
    n, first, second = SIZES[size]
    rng = np.random.default_rng(0)
    y = rng.integers(0, N_CLASSES, n)
    sources = [rng.standard_normal((n, width)) for width in (first, second)]
    for source in sources:
        source[np.arange(n), y] += 2.0
    start = time.perf_counter()
    estimate_pid(*sources, y, np.arange(n) * N_GROUPS // n, n_null=n_null)
    return time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> None:
    """Measure every case; the cache of compiled code is empty for the first and kept for the others."""
    with tempfile.TemporaryDirectory() as cache:
        for name, (size, n_null) in CASES.items():
            run = [sys.executable, "-m", "benchmarks.estimate_time", size, str(n_null)]
            given = os.environ | {"NUMBA_CACHE_DIR": cache}
            done = subprocess.run(run, env=given, text=True, capture_output=True, check=True)
            seconds, memory = map(float, done.stdout.split())
            print(f"{name:>14}: {seconds:6.1f} s, {memory:.1f} GB", flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(*measure(sys.argv[1], int(sys.argv[2])))
    else:
        main()
