"""Estimators of the decomposition where the truth is known: donors differ, the same laws without, and no donors."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from beyond_alignment.errors import InputError
from beyond_alignment.information.estimate import PID_ESTIMATORS, TERMS, estimate_pid
from beyond_alignment.simulate import SCENARIOS, draw

TILE_UM = 500.0
"""Side of the square tiles that the bootstrap resamples: some 25 spots each, as on tissue."""
DONORS, ALIKE, PLAIN = "donors differ", "same law, donors alike", "no donors"
SHOWN = (DONORS, PLAIN)
DONORS_SIZE, PLAIN_SIZE, TWIN_SIZE = 2400, 4000, 400
SEEDS = {"posterior": 2, "cvx": 1, "gaussian": 1, "batch": 1}
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
    return [
        dict(zip(COLUMNS, (estimator, name, setting, n, s), strict=True))
        for s in range(SEEDS[estimator])
        for name in names
    ]


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
    return values | {"p_synergy": found.p_synergy, "p_interaction": found.p_interaction}


def finished(table: pd.DataFrame) -> pd.DataFrame:
    """Return the runs of full size, without the twins that a check repeats."""
    return table[table["n"] != TWIN_SIZE]


def by_scenario(table: pd.DataFrame) -> pd.DataFrame:
    """Return means over seeds: estimator, setting, scenario, true_sis, sis with its interval, and the largest error.

    ``largest`` is the largest of the mean absolute errors of redundancy, both unique parts and synergy, in bits;
    ``noise`` whether there is nothing to be found.
    """
    rows = []
    for (estimator, setting, scenario), part in finished(table).groupby(
        ["estimator", "setting", "scenario"], sort=False
    ):
        answered = part[part["refused"].fillna("") == ""]
        errors = {term: (answered[term] - answered[f"true_{term}"]).abs().mean() for term in FOUR}
        row = {"estimator": estimator, "setting": setting, "scenario": scenario, "runs": len(part)}
        row |= {"refused": len(part) - len(answered), "noise": bool(part["true_I12"].mean() < NOTHING)}
        row |= {name: answered[name].mean() for name in ("true_sis", "sis", "sis_low", "sis_high", "I12")}
        rows.append(row | {"largest": max(errors.values())})
    return pd.DataFrame(rows)


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row an estimator and setting: errors in bits, coverage of 95 % intervals, and false finds."""
    scenarios = by_scenario(table)
    rows = []
    for (estimator, setting), part in finished(table).groupby(["estimator", "setting"], sort=False):
        own = scenarios[(scenarios["estimator"] == estimator) & (scenarios["setting"] == setting)]
        answered = part[part["refused"].fillna("") == ""]
        told = answered[answered["true_I12"] > NOTHING]
        row = {"estimator": estimator, "setting": setting, "n": int(part["n"].max()), "scenarios": len(own)}
        row |= {"runs": len(part), "refused": len(part) - len(answered)}
        row |= {"seeds": int(part.groupby("scenario")["seed"].nunique().min()), "largest": own["largest"].mean()}
        row |= {"error_sis": (told["sis"] - told["true_sis"]).abs().mean()}
        row |= {f"coverage_{term}": _coverage(answered, term) for term in ("sis", *FOUR)}
        nothing = answered["true_synergy"] < NOTHING
        row |= {"false_finds": (answered.loc[nothing, "p_synergy"] < ALPHA).mean()}
        row |= {"found": (answered.loc[~nothing, "p_synergy"] < ALPHA).mean()}
        noise = answered[answered["true_I12"] < NOTHING]
        row |= {"noise_I12": noise["I12"].mean(), "noise_finds": (noise["p_synergy"] < ALPHA).mean()}
        rows.append(row)
    return pd.DataFrame(rows)


def _coverage(rows: pd.DataFrame, term: str) -> float:
    """Share of intervals that hold the truth."""
    truth = rows[f"true_{term}"]
    return float(((rows[f"{term}_low"] <= truth + NOTHING) & (truth - NOTHING <= rows[f"{term}_high"])).mean())


def numbers(table: pd.DataFrame) -> dict[str, Any]:
    """Return what the prose says of this book's estimator."""
    every = summary(table)
    ours = every.set_index(["estimator", "setting"]).loc["posterior"]
    differ, alike, plain = (ours.loc[name] for name in (DONORS, ALIKE, PLAIN))
    return {
        "error_donors": {"value": differ["largest"], "n": int(differ["runs"]), "unit": "bits"},
        "error_alike": {"value": alike["largest"], "n": int(alike["runs"]), "unit": "bits"},
        "noise_bits": {"value": differ["noise_I12"], "unit": "bits", "digits": 4},
        "noise_finds": differ["noise_finds"],
        "coverage_sis": differ["coverage_sis"],
        "coverage_synergy": differ["coverage_synergy"],
        "coverage_redundancy": differ["coverage_redundancy"],
        "coverage_redundancy_alike": alike["coverage_redundancy"],
        "error_sis_plain": {"value": plain["error_sis"], "n": int(plain["runs"])},
        "false_finds_plain": plain["false_finds"],
        "n_seeds": int(ours["seeds"].min()),
        "n_seeds_field": int(every.loc[every["estimator"] != "posterior", "seeds"].min()),
        "n_scenarios": int(differ["scenarios"] + plain["scenarios"]),
    }
