"""The spectral ceiling of known truth by the number of samples."""

from collections.abc import Sequence

import pandas as pd

from beyond_alignment.alignment.spectral import spectral_ceiling
from beyond_alignment.information.known_truth.dial import N_SHARED, dialled_task

NOISE = 0.25
POPULATION = N_SHARED / (1 + NOISE**2) ** 2
"""Ceiling of the population: four shared bits in noise of 0.25 along every direction."""


def spectrum_by_size(sizes: Sequence[int], *, seeds: Sequence[int], n_permutations: int = 100) -> pd.DataFrame:
    """Return the spectral ceiling of known truth at several sample sizes.

    Parameters
    ----------
    sizes
        Numbers of samples n.
    seeds
        One draw each.
    n_permutations
        Of the null.

    Returns
    -------
    pandas.DataFrame
        One row a size and seed: top and next (the largest canonical correlation, and the first beyond those that the
        truth shares), threshold, rank, ceiling, null (ceiling under permutation), excess, held_out (its lower estimate
        from directions fitted on other samples) and population (the truth).
    """
    rows: list[dict[str, object]] = []
    for n in sizes:
        for seed in seeds:
            task = dialled_task(0.5, n=n, noise=NOISE, seed=seed)
            found = spectral_ceiling(task.x1, task.x2, n_permutations=n_permutations, seed=seed, n_bootstrap=0)
            rows.append(
                {"n": n, "seed": seed, "top": float(found.singular_values[0])}
                | {"next": float(found.singular_values[N_SHARED]), "threshold": found.threshold}
                | {"rank": found.effective_rank, "ceiling": found.ceiling, "null": found.null_ceiling}
                | {"excess": found.excess, "held_out": found.held_out_ceiling, "population": POPULATION}
            )
    return pd.DataFrame(rows)
