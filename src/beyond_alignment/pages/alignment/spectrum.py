"""The spectral ceiling of known truth by the number of samples."""

from itertools import product
from typing import Any

import pandas as pd

from beyond_alignment.alignment.spectral import spectral_ceiling
from beyond_alignment.simulate import N_SHARED, dialled_task

NOISE = 0.25
POPULATION = N_SHARED / (1 + NOISE**2) ** 2
"""Ceiling of the population: four shared bits in noise of 0.25 along every direction."""
SHOWN = 4000
PLAN = [{"n": n, "seed": seed} for n, seed in [*product((100, 1000, 10000), range(3)), (SHOWN, 0)]]
OPTIONS: dict[str, Any] = {
    "settings": {"n_permutations": 200},
    "check": [{"n": 100, "seed": 0}, {"n": SHOWN, "seed": 0}],
}


def spectrum(n: int, seed: int, n_permutations: int) -> dict[str, Any]:
    """Return the spectral ceiling of one draw of known truth, with its spectrum as arrays.

    ``next`` is the first correlation beyond those that the truth shares, ``held_out`` the ceiling's lower estimate from
    directions that were fitted on other samples.
    """
    task = dialled_task(0.5, n=n, noise=NOISE, seed=seed)
    found = spectral_ceiling(task.x1, task.x2, n_permutations=n_permutations, seed=seed, n_bootstrap=0)
    return {
        "top": float(found.singular_values[0]),
        "next": float(found.singular_values[N_SHARED]),
        "threshold": found.threshold,
        "rank": found.effective_rank,
        "ceiling": found.ceiling,
        "null": found.null_ceiling,
        "excess": found.excess,
        "held_out": found.held_out_ceiling,
        "correlations": found.singular_values,
        "permuted": found.null_singular_values,
    }


def shown(table: pd.DataFrame) -> dict[str, Any]:
    """Return the draw that the figure shows."""
    (row,) = table[(table["n"] == SHOWN) & (table["seed"] == 0)].to_dict("records")
    return row


def numbers(table: pd.DataFrame) -> dict[str, Any]:
    """Return what the prose says of the ceiling."""
    few = table[table["n"] == table["n"].min()]
    return {
        "rank": {"value": shown(table)["rank"], "n": SHOWN},
        "population": POPULATION,
        "fewest_drawn": int(few["n"].iloc[0]),
        "excess_few": {"value": few["excess"].mean(), "n": len(few)},
        "held_out_few": {"value": few["held_out"].mean(), "n": len(few)},
    }
