"""Estimators of the decomposition where the truth is known: donors that differ, the same laws without, and no donors."""

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beyond_alignment.errors import InputError
from beyond_alignment.information.estimate import PID_ESTIMATORS, TERMS, estimate_pid
from beyond_alignment.simulate import SCENARIOS, draw

TILE_UM = 500.0
"""Side of the square tiles that the bootstrap resamples: some 25 spots each, as on tissue."""
DONORS, ALIKE, PLAIN = "donors differ", "same law, donors alike", "no donors"
DONORS_SIZE, PLAIN_SIZE, TWIN_SIZE = 2400, 4000, 400
SEEDS = tuple(range(20))
REPLICATES, FEWER_REPLICATES = 200, 40
"""Of our own estimator, and of the others, one of which takes a minute for 200."""
COLUMNS = ("estimator", "scenario", "setting", "n", "seed")
MEASURED = tuple(term for term in TERMS if term != "synergy_raw")
ALPHA = 0.05
NOTHING = 1e-6
"""Bits below which a term is zero: the exact decomposition is certified to this."""
FOUR = ("redundancy", "unique1", "unique2", "synergy")


def _held_out(family: str) -> list[str]:
    """Names of the scenarios of a family that no estimator was tuned on."""
    return [name for name, one in SCENARIOS.items() if one.family == family and one.role == "held_out"]


def _rows(estimator: str, names: list[str], setting: str, n: int) -> list[dict[str, Any]]:
    """Rows of the plan of an estimator for every scenario and seed."""
    return [dict(zip(COLUMNS, (estimator, name, setting, n, s), strict=True)) for s in SEEDS for name in names]


PLAN = [
    *_rows("posterior", _held_out("donors"), DONORS, DONORS_SIZE),
    *_rows("posterior", _held_out("donors"), ALIKE, DONORS_SIZE),
    *_rows("posterior", _held_out("common"), PLAIN, PLAIN_SIZE),
    *(row for e in ("cvx", "gaussian", "batch") for row in _rows(e, _held_out("donors"), DONORS, DONORS_SIZE)),
    *(row for e in ("cvx", "gaussian", "batch") for row in _rows(e, _held_out("common"), PLAIN, PLAIN_SIZE)),
    *(dict(zip(COLUMNS, (e, "donors_noise_five", DONORS, TWIN_SIZE, 0), strict=True)) for e in PID_ESTIMATORS),
]
OPTIONS: dict[str, Any] = {"check": [{"n": TWIN_SIZE}], "tolerance": 0.02, "n_jobs": -1}


def square_tiles(coordinates: NDArray[np.float64], groups: NDArray[np.int64], *, side_um: float) -> NDArray[np.intp]:
    """Return the tile of each sample (sample,): squares of a side in microns, each within one group."""
    cells = np.column_stack([groups, np.floor(coordinates / side_um)])
    return np.unique(cells, axis=0, return_inverse=True)[1].reshape(-1)


def trial(estimator: str, scenario: str, setting: str, n: int, seed: int) -> dict[str, float | str]:
    """Draw a sample of a scenario and estimate its decomposition: folds by donor where they differ, bootstrap by tile.

    Returns the truth, the estimate and the interval of each term in bits, p-values and what the donor tells; an
    estimator that refuses the sample leaves its own columns NaN and says why in ``refused``.
    """
    sample = draw(scenario, n=n, seed=seed, donors=setting != ALIKE)
    exact = sample.pid
    values: dict[str, float | str] = {f"true_{term}": float(getattr(exact, term)) for term in MEASURED}
    values |= {"group_information": sample.group_information, "refused": ""}
    start = time.perf_counter()
    try:
        found = estimate_pid(
            sample.x1,
            sample.x2,
            sample.y,
            sample.groups if setting == DONORS else None,
            blocks=square_tiles(sample.coordinates, sample.groups, side_um=TILE_UM),
            method=estimator,
            seed=seed,
            n_bootstrap=REPLICATES if estimator == "posterior" else FEWER_REPLICATES,
            n_null=0,
        )
    except InputError as error:
        return values | {"refused": str(error)}
    values |= {term: found.value(term) for term in TERMS}
    for term, (low, high) in found.intervals.items():
        values |= {f"{term}_low": low, f"{term}_high": high}
    for term, (low, high) in found.group_intervals.items():
        values |= {f"{term}_group_low": low, f"{term}_group_high": high}
    return values | {
        "p_synergy": found.p_synergy,
        "p_interaction": found.p_interaction,
        "seconds": round(time.perf_counter() - start, 1),
    }
