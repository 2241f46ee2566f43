"""From how many paired spots a fusion leads the better expert."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import t

from beyond_alignment.benchmark.scoreboard import UNIMODAL
from beyond_alignment.resampling import percentile_interval

NEVER = "never within the range"
POINT = ["task", "split", "fraction"]


def mean_interval(values: Sequence[float] | pd.Series | np.ndarray) -> tuple[float, float, float]:
    """Return the mean of some values and its 95 % Student interval; no width for a single value.

    Parameters
    ----------
    values
        One a seed, or one a task.
    """
    numbers = np.asarray(values, dtype=np.float64)
    mean = float(numbers.mean())
    if len(numbers) < 2:
        return mean, mean, mean
    half = float(t.ppf(0.975, len(numbers) - 1) * numbers.std(ddof=1) / np.sqrt(len(numbers)))
    return mean, mean - half, mean + half


def lead_curve(curves: pd.DataFrame, *, fused: str, metric: str) -> pd.DataFrame:
    """Return the score of a fusion less that of the better expert on the same subsets, averaged over seeds.

    Which expert is the better one is decided by the mean over seeds at that fraction, not seed by seed, so that noise
    does not favour the experts. The interval resamples tiles, paired between the methods.

    Parameters
    ----------
    curves
        From :func:`beyond_alignment.benchmark.run_curves`.
    fused
        The fusion method.
    metric
        The score.

    Returns
    -------
    pandas.DataFrame
        One row a task, split and fraction: best expert, mean lead, low, high (95 %), n_train, n_seeds.
    """
    rows = []
    for point, part in curves[curves["metric"] == metric].groupby(POINT, sort=False):
        by_method = {str(name): found for name, found in part.groupby("method", sort=False)}
        best = max(UNIMODAL, key=lambda name: by_method[name]["value"].mean())
        draws = [np.mean(np.stack(by_method[name]["draws"].to_list()), axis=0) for name in (fused, best)]
        low, high = percentile_interval(draws[0] - draws[1])
        mean = float(by_method[fused]["value"].mean() - by_method[best]["value"].mean())
        sizes = {"n_train": float(part["n_train"].mean()), "n_seeds": int(part["seed"].nunique())}
        found = {"best": best, "mean": mean, "low": low, "high": high}
        rows.append(dict(zip(POINT, point, strict=True)) | found | sizes)
    return pd.DataFrame(rows)


def first_leads(lead: pd.DataFrame) -> pd.DataFrame:
    """Return the smallest number of training spots from which a fusion leads at every larger fraction too.

    Parameters
    ----------
    lead
        From :func:`lead_curve`.

    Returns
    -------
    pandas.DataFrame
        One row a task and split: training spots of the first lead, or ``never within the range``; lead at all spots.
    """
    rows = []
    for (task, split), part in lead.groupby(["task", "split"], sort=False):
        ordered = part.sort_values("fraction", ascending=False)
        ahead = (ordered["low"] > 0).cumprod().astype(bool)
        sizes = ordered.loc[ahead, "n_train"]
        whole = ordered.iloc[0]
        first = f"{sizes.min():.0f} spots" if len(sizes) else NEVER
        lead_at_all = {"lead at all": whole["mean"], "low": whole["low"], "high": whole["high"]}
        rows.append({"task": task, "split": split, "first lead": first} | lead_at_all)
    return pd.DataFrame(rows)
