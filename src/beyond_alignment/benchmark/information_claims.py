"""Claims of the score page, with verdicts by one stated rule each."""

import numpy as np
import pandas as pd

from beyond_alignment.benchmark.scaling_claims import TISSUE
from beyond_alignment.benchmark.score_agreement import (
    RankAgreement,
    gain_draws,
    published_draws,
    rank_over_tasks,
    term_draws,
)
from beyond_alignment.benchmark.tissue_information import TissueInformation
from beyond_alignment.benchmark.verdicts import LOCAL, LONG_RANGE, NOT_REPLICATED, REPLICATED, UNTESTABLE, a_gain
from beyond_alignment.information.advice import MATERIAL
from beyond_alignment.resampling import percentile_interval

Claim = dict[str, object]


def information_claims(
    gates: pd.DataFrame, found: TissueInformation, replicates: pd.DataFrame, *, fused: str = "concat"
) -> list[Claim]:
    """Return the records of the claims that the score page tests: B1, B2, B3, B9, B12 and B15.

    Parameters
    ----------
    gates
        From :func:`beyond_alignment.information.published_score_of_gates`.
    found
        Decompositions of the tasks.
    replicates
        Of the benchmark's main contests.
    fused
        The fusion method of the published score.
    """
    shares = term_draws(found, "sis")
    table = found.table.set_index("task")
    agreement = rank_over_tasks(published_draws(replicates, fused=fused), shares)
    gains = gain_draws(replicates, fused=fused)
    records = [
        _definitions(gates, agreement),
        _local(table),
        _niches(table),
        _gain_by_score(rank_over_tasks(shares, gains)),
        _strategy(table, gains),
        _range(table),
    ]
    return [record | {"seeds": 1} for record in records]


def mean_of_intervals(rows: pd.DataFrame, term: str) -> tuple[float, float, float]:
    """Return the mean of a term over tasks, with the means of the interval ends.

    That is the interval of a mean whose parts err together, the widest that they can have: tasks share their tissue.

    Parameters
    ----------
    rows
        Of the table of decompositions.
    term
        One of `TERMS`.
    """
    value, low, high = (float(rows[column].mean()) for column in (term, f"{term}_low", f"{term}_high"))
    return value, low, high


def difference_of_intervals(
    first: tuple[float, float, float], second: tuple[float, float, float]
) -> tuple[float, float, float]:
    """Return first less second of two (value, low, high), with the interval of Zou & Donner (2008), as if independent.

    Parameters
    ----------
    first, second
        Values with their intervals of one level.
    """
    value = first[0] - second[0]
    low = value - float(np.hypot(first[0] - first[1], second[2] - second[0]))
    high = value + float(np.hypot(first[2] - first[0], second[0] - second[1]))
    return value, low, high


def _definitions(gates: pd.DataFrame, agreement: RankAgreement) -> Claim:
    """B1, whether the two definitions of the score agree."""
    copy = gates.set_index("gate").loc["copy"]
    apart = float(copy["score"]) > MATERIAL > float(copy["synergy"])
    return {
        "claim": "B1",
        "measured": f"on COPY the published score is {copy['score']:.2f} where the synergy is {copy['synergy']:.2f} "
        "bits, on XOR (1 bit of synergy) it is undefined: they are not the same; over tissue tasks their rank "
        f"correlation is {agreement.value:+.2f}",
        "value": agreement.value,
        "interval": (agreement.low, agreement.high),
        "n": agreement.n,
        "data": f"exact distributions; {TISSUE}; n is the number of tasks",
        "verdict": NOT_REPLICATED if apart else a_gain(agreement.low, agreement.high),
    }


def _local(table: pd.DataFrame) -> Claim:
    """B2, whether the cell type has no synergy to speak of."""
    row = table.loc[LOCAL[0]]
    low, high = float(row["sis_low"]), float(row["sis_high"])
    verdict = REPLICATED if high < MATERIAL else NOT_REPLICATED if low > MATERIAL else UNTESTABLE
    return {
        "claim": "B2",
        "measured": f"S / I12 of the cell type {row['sis']:.2f} (for another tissue 0.08 is quoted), of which "
        f"interaction {row['sis_interaction']:.2f}; no synergy to speak of: under {MATERIAL:.2f}",
        "value": float(row["sis"]),
        "interval": (low, high),
        "n": int(row["n"]),
        "data": TISSUE,
        "verdict": verdict,
    }


def _niches(table: pd.DataFrame) -> Claim:
    """B3, how much there is for synergy-aware fusion to gain on niches."""
    far = table.loc[[task for task in LONG_RANGE if task in table.index]]
    value, low, high = mean_of_intervals(far, "synergy_interaction")
    return {
        "claim": "B3",
        "measured": f"interaction synergy of {len(far)} niche and domain tasks {value:.3f} bits on average, "
        "an estimate of the most that any fusion gains over an additive one; synergy-aware ones are not on this page",
        "value": value,
        "interval": (low, high),
        "n": len(far),
        "data": f"{TISSUE}; n is the number of tasks",
        "verdict": UNTESTABLE,
    }


def _gain_by_score(agreement: RankAgreement) -> Claim:
    """B9, whether tasks of higher score gain more."""
    return {
        "claim": "B9",
        "measured": f"rank correlation of S / I12 with the macro-F1 gain of concatenation {agreement.value:+.2f} over "
        f"{agreement.n} tasks: too few to tell, and concatenation is not synergy-aware",
        "value": agreement.value,
        "interval": (agreement.low, agreement.high),
        "n": agreement.n,
        "data": f"{TISSUE}; n is the number of tasks",
        "verdict": UNTESTABLE,
    }


def _strategy(table: pd.DataFrame, gains: pd.DataFrame) -> Claim:
    """B12, whether concatenation gains where the score says that one expert is enough."""
    below = [t for t in table.index if t in gains and table.at[t, "sis_high"] < MATERIAL]
    above = [t for t in below if percentile_interval(gains[t].to_numpy()[1:])[0] > 0]
    several = int(table["rows"].str.contains(" or ").sum())
    return {
        "claim": "B12",
        "measured": f"{len(below)} tasks lie below {MATERIAL:.2f} with their interval, and concatenation gains on "
        f"{len(above)} of them; {several} of {len(table)} intervals touch more than one row of the table, and the "
        "methods of its higher rows are not on this page",
        "value": float(len(above)),
        "n": len(below),
        "data": f"{TISSUE}; n is the number of tasks",
        "verdict": NOT_REPLICATED if above else UNTESTABLE,
    }


def _range(table: pd.DataFrame) -> Claim:
    """B15, whether the share of synergy is larger for tasks about the surroundings."""
    far = table.loc[[task for task in LONG_RANGE if task in table.index]]
    near = table.loc[[task for task in LOCAL if task in table.index]]
    value, low, high = difference_of_intervals(mean_of_intervals(far, "sis"), mean_of_intervals(near, "sis"))
    return {
        "claim": "B15",
        "measured": f"S / I12 of niche and domain tasks less that of the spot's own type {value:+.2f}",
        "value": value,
        "interval": (low, high),
        "n": len(far) + len(near),
        "data": f"{TISSUE}; n is the number of tasks",
        "verdict": a_gain(low, high),
    }
