"""What a grid of runs on known truth says of each estimator."""

from typing import Any

import numpy as np
import pandas as pd

from beyond_alignment.information.estimate import TERMS

ALPHA = 0.05
NOTHING = 1e-6
"""Bits below which a term is zero: the exact decomposition is certified to this."""


def summarise_calibration(rows: pd.DataFrame, *, timed: bool = True) -> pd.DataFrame:
    """Summarise the runs of each estimator at each size.

    Parameters
    ----------
    rows
        From :func:`beyond_alignment.pages.information_trial.calibrate`.
    timed
        Whether to say how long the runs took, which differs from one time to the next.

    Returns
    -------
    pandas.DataFrame
        One row an estimator and size: runs, scenarios, refused (runs without an answer); for every term ``error_``
        (mean absolute error), ``bias_`` (mean signed error) and ``coverage_`` (share of intervals that hold the truth);
        ``false_positives`` and ``false_positives_interaction`` (share of p-values below 0.05 where the term is zero),
        ``detected`` (where synergy is not zero); ``rank`` (mean over seeds of Spearman's correlation of estimated and
        true SIS over scenarios); ``seconds`` (median, which a busy spell does not move).
    """
    parts = [
        {"estimator": estimator, "n": n} | _summary(part) | {"rank": _rank(part), "seconds": part["seconds"].median()}
        for (estimator, n), part in rows.groupby(["estimator", "n"], sort=False)
    ]
    return pd.DataFrame(parts).drop(columns=[] if timed else ["seconds"])


def summarise_scenarios(rows: pd.DataFrame) -> pd.DataFrame:
    """Summarise the runs of each estimator at each size on each scenario.

    Parameters
    ----------
    rows
        From :func:`beyond_alignment.pages.information_trial.calibrate`.

    Returns
    -------
    pandas.DataFrame
        One row an estimator, size and scenario: ``true_sis``; means over seeds of sis, sis_low and sis_high; and the
        columns of :func:`summarise_calibration` that have a meaning for one scenario.
    """
    means = ["true_sis", "true_synergy", "true_synergy_interaction", "sis", "sis_low", "sis_high"]
    parts = []
    for (estimator, n, scenario), part in rows.groupby(["estimator", "n", "scenario"], sort=False):
        names = {"estimator": estimator, "n": n, "scenario": scenario}
        parts.append(names | part[means].mean().to_dict() | _summary(part))
    return pd.DataFrame(parts).drop(columns="scenarios")


def _summary(part: pd.DataFrame) -> dict[str, Any]:
    """Return errors, coverage and error rates of some runs."""
    answered = part[part["seconds"].notna()]
    found: dict[str, Any] = {"runs": len(part), "scenarios": part["scenario"].nunique()}
    found["refused"] = len(part) - len(answered)
    for term in TERMS:
        error = answered[term] - answered[f"true_{term}"]
        low, high = (answered[f"{term}_{end}"] for end in ("low", "high"))
        truth = answered[f"true_{term}"]
        held = ((low <= truth + NOTHING) & (truth - NOTHING <= high))[low.notna() & high.notna()]
        found |= {f"error_{term}": error.abs().mean(), f"bias_{term}": error.mean(), f"coverage_{term}": held.mean()}
    nothing = answered["true_synergy"] < NOTHING
    additive = answered["true_synergy_interaction"] < NOTHING
    found["false_positives"] = _positives(answered.loc[nothing, "p_synergy"])
    found["false_positives_interaction"] = _positives(answered.loc[additive, "p_interaction"])
    found["detected"] = _positives(answered.loc[~nothing, "p_synergy"])
    return found


def _positives(p: pd.Series) -> float:
    """Return the share of p-values below the level; NaN where there is none."""
    known = p.dropna()
    return float((known < ALPHA).mean()) if len(known) else float("nan")


def _rank(part: pd.DataFrame) -> float:
    """Return the mean over seeds of the rank correlation of estimate and truth over scenarios; NaN for under three."""
    if part["scenario"].nunique() < 3:
        return float("nan")
    seeds = [own["sis"].corr(own["true_sis"], method="spearman") for _, own in part.groupby("seed")]
    return float(np.mean(seeds))
