"""One run of an estimator on one sample whose decomposition is known."""

import time

import numpy as np
from numpy.typing import NDArray

from beyond_alignment.errors import InputError
from beyond_alignment.information.estimators import estimate_pid
from beyond_alignment.information.known_truth.draw import draw
from beyond_alignment.information.pid import TERMS

TILE_UM = 500.0
"""Side of the square tiles that the bootstrap resamples: some 25 spots each, as on tissue."""

TRIAL_COLUMNS = (
    *(f"true_{term}" for term in TERMS),
    *TERMS,
    *(f"{term}_{end}" for term in TERMS for end in ("low", "high")),
    "p_synergy",
    "p_interaction",
    "n_warnings",
    "seconds",
)
"""What a trial measures: the truth, the estimate and the interval of each term in bits, and how it was got."""


def square_tiles(coordinates: NDArray[np.float64], groups: NDArray[np.int64], *, side_um: float) -> NDArray[np.intp]:
    """Return the tile of each sample (sample,): squares of a side in microns, each within one group."""
    cells = np.column_stack([groups, np.floor(coordinates / side_um)])
    return np.unique(cells, axis=0, return_inverse=True)[1].reshape(-1)


def trial(estimator: str, scenario: str, n: int, seed: int, *, n_bootstrap: int = 200) -> dict[str, float]:
    """Draw a sample of a scenario and estimate its decomposition, as on tissue: folds by donor, bootstrap by tile.

    Parameters
    ----------
    estimator
        Name of the method of :func:`beyond_alignment.information.estimate_pid`.
    scenario
        Name of a scenario of known truth.
    n
        Number of samples.
    seed
        Of the sample and of the estimator.
    n_bootstrap
        Bootstrap replicates.

    Returns
    -------
    dict
        `TRIAL_COLUMNS` to numbers; an estimator that refuses the sample leaves its own columns NaN.
    """
    sample = draw(scenario, n=n, seed=seed)
    exact = sample.pid
    values = dict.fromkeys(TRIAL_COLUMNS, float("nan"))
    values |= {f"true_{term}": float(getattr(exact, term)) for term in TERMS}
    blocks = square_tiles(sample.coordinates, sample.groups, side_um=TILE_UM)
    start = time.perf_counter()
    try:
        found = estimate_pid(
            sample.x1,
            sample.x2,
            sample.y,
            sample.groups,
            blocks=blocks,
            method=estimator,
            seed=seed,
            n_bootstrap=n_bootstrap,
        )
    except InputError:
        return values
    values["seconds"] = time.perf_counter() - start
    values |= {term: float(getattr(found.pid, term)) for term in TERMS}
    for term, (low, high) in found.intervals.items():
        values |= {f"{term}_low": float(low), f"{term}_high": float(high)}
    values |= {"p_synergy": found.p_synergy, "p_interaction": found.p_interaction}
    return values | {"n_warnings": float(len(found.warnings))}
