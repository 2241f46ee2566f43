"""Estimates how long the reference grid takes on two cores: `python -m benchmarks.grid_time [method ...]`.

Every method is tuned and fitted on one fold of the size of our tissue with five seeds, as the grid does it, and its
processor seconds are multiplied by the number of folds. The plain loop trains each cell by itself: 7 trainings a cell,
where the grid makes 6 a fold and one a cell.
"""

import sys
import time
from collections.abc import Sequence

import torch

from benchmarks.fusion_speed import make_folds
from beyond_alignment.fusion import FUSION_METHODS, make_fusion, reduction
from beyond_alignment.fusion.tuning import fit_tuned

N_FOLDS = 135  # 38 tasks, each under its main split: 12 of 3 folds, 7 of 2, 9 of 5 and 10 of 4
N_SEEDS = 5
N_CORES = 2


def seconds_of_folds(name: str, *, n: int = 1800, n_folds: int = 3) -> float:
    """Return the processor seconds that one fold of a method takes with all seeds.

    Parameters
    ----------
    name
        Method.
    n
        Spots.
    n_folds
        Folds that are computed together; the first of them are enough to fill a round.
    """
    folds = make_folds(n=n, n_folds=n_folds)
    cells = [(seed, given) for given, _ in folds for seed in range(N_SEEDS)]
    reduction.forget()
    start = time.process_time()
    fit_tuned([make_fusion(name, seed=seed) for seed, _ in cells], [given for _, given in cells])
    return (time.process_time() - start) / n_folds


def main(names: Sequence[str]) -> None:
    """Print a line for each method, and the hours of them all."""
    torch.set_num_threads(1)
    total = 0.0
    print(f"{'method':20} {'s a fold':>9} {'s a cell':>9} {'minutes on two cores':>21}")
    for name in names:
        seconds = seconds_of_folds(name)
        total += seconds * N_FOLDS
        minutes = seconds * N_FOLDS / N_CORES / 60
        print(f"{name:20} {seconds:9.2f} {seconds / N_SEEDS:9.3f} {minutes:21.1f}", flush=True)
    print(f"{len(names)} methods, {N_FOLDS} folds, {N_SEEDS} seeds: {total / N_CORES / 3600:.2f} hours on two cores")


if __name__ == "__main__":
    main(sys.argv[1:] or list(FUSION_METHODS))
