"""Fits and crossovers of all learning curves of a run, as tables."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from beyond_alignment.benchmark.crossover import Crossover, crossover_of_fits, crossover_of_points
from beyond_alignment.benchmark.curve_fit import CurveFit, fit_curve
from beyond_alignment.benchmark.scoreboard import UNIMODAL
from beyond_alignment.errors import InputError

Curve = tuple[str, str, str]
"""Task, split and method."""
CROSSOVERS = ("points", "fits")


def curve_scores(curves: pd.DataFrame, *, metric: str) -> dict[Curve, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return the sizes (size,) and scores (size, seed) of each curve.

    Parameters
    ----------
    curves
        From :func:`beyond_alignment.benchmark.run_curves`: task, split, method, fraction, seed, metric, value,
        n_train.
    metric
        The score.

    Raises
    ------
    InputError
        There are no rows of the metric, or a curve has two rows of a fraction and seed.
    """
    rows = curves[curves["metric"] == metric]
    if rows.empty:
        raise InputError(f"The curves hold no {metric}; they hold {', '.join(sorted(set(curves['metric'])))}.")
    if rows.duplicated(["task", "split", "method", "fraction", "seed"]).any():
        raise InputError("A curve has two scores of one fraction and seed; pass the curves of one pair of experts.")
    found = {}
    for key, part in rows.groupby(["task", "split", "method"], sort=False):
        wide = part.pivot_table(index="fraction", columns="seed", values="value", dropna=False)
        sizes = part.groupby("fraction")["n_train"].mean().loc[wide.index]
        found[key] = sizes.to_numpy(dtype=np.float64), wide.to_numpy(dtype=np.float64)
    return found


def fit_curves(
    curves: pd.DataFrame, *, metric: str, ceiling: float = 1.0, n_bootstrap: int = 1000, seed: int = 0
) -> dict[Curve, CurveFit]:
    """Fit every curve; the parameters are those of :func:`curve_scores` and :func:`fit_curve`."""
    return {
        key: fit_curve(sizes, scores, ceiling=ceiling, n_bootstrap=n_bootstrap, seed=seed)
        for key, (sizes, scores) in curve_scores(curves, metric=metric).items()
    }


def fit_table(fits: Mapping[Curve, CurveFit]) -> pd.DataFrame:
    """Return one row a curve: its parameters with intervals, and the score at ten times its largest size.

    Parameters
    ----------
    fits
        From :func:`fit_curves`.
    """
    rows = []
    for (task, split, method), fit in fits.items():
        far = fit.predict(10 * float(fit.sizes[-1]))
        row: dict[str, object] = {"task": task, "split": split, "method": method, "trend": fit.trend}
        for name in ("exponent", "asymptote", "amplitude"):
            low, high = getattr(fit, f"{name}_interval")
            row |= {name: getattr(fit, name), f"{name}_low": low, f"{name}_high": high}
        row |= {"identified": fit.identified, "misfit": fit.misfit, "n_seeds": fit.n_seeds}
        row |= {"at": far.n, "predicted": far.value, "predicted_low": far.low, "predicted_high": far.high}
        rows.append(row | {"extrapolated": far.extrapolated, "statement": fit.statement})
    return pd.DataFrame(rows)


def find_crossovers(
    curves: pd.DataFrame,
    fits: Mapping[Curve, CurveFit],
    *,
    metric: str,
    fused: Sequence[str],
    unimodal: Sequence[str] = UNIMODAL,
    horizon: float = 10.0,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> dict[Curve, dict[str, Crossover]]:
    """Find where each fusion method overtakes the best unimodal path, from points and from fits.

    Parameters
    ----------
    curves
        As of :func:`curve_scores`.
    fits
        Of the same curves.
    metric
        The score.
    fused
        Fusion methods; those that a task lacks are left out there.
    unimodal
        Unimodal paths, fine-tuned ones among them; those that a task lacks are left out there.
    horizon
        How many times the largest size the fits are compared up to.
    n_bootstrap, seed
        Of the replicates over points.

    Raises
    ------
    InputError
        A task has no unimodal path, or one of other sizes or seeds than a fusion method.
    """
    scores = curve_scores(curves, metric=metric)
    found: dict[Curve, dict[str, Crossover]] = {}
    for task, split, method in scores:
        if method not in fused:
            continue
        paths = [(task, split, name) for name in unimodal if (task, split, name) in scores]
        if not paths:
            raise InputError(f"No unimodal curve of {task}; pass one of {', '.join(unimodal)}.")
        sizes, mine = scores[task, split, method]
        if odd := next((path for path in paths if scores[path][1].shape != mine.shape), None):
            shapes = " and ".join(" x ".join(map(str, values.shape)) for values in (mine, scores[odd][1]))
            raise InputError(
                f"{method} and {odd[2]} of {task} do not pair: they have {shapes} sizes x seeds; run the same of both, "
                f"or leave {odd[2]} out of the unimodal paths."
            )
        others = np.stack([scores[path][1] for path in paths])
        measured = crossover_of_points(sizes, mine, others, n_bootstrap=n_bootstrap, seed=seed)
        fitted = crossover_of_fits(fits[task, split, method], *(fits[path] for path in paths), horizon=horizon)
        found[task, split, method] = {"points": measured, "fits": fitted}
    return found


def crossover_table(found: Mapping[Curve, Mapping[str, Crossover]]) -> pd.DataFrame:
    """Return one row a task, split and fusion method: the crossing in words and the shares of both outcomes.

    Parameters
    ----------
    found
        From :func:`find_crossovers`.
    """
    rows = []
    for (task, split, method), ways in found.items():
        row: dict[str, object] = {"task": task, "split": split, "method": method}
        for way in CROSSOVERS:
            one = ways[way]
            row |= {way: one.words, f"{way}_never": one.share_never, f"{way}_from_start": one.share_always}
            row |= {f"{way}_extrapolated": one.extrapolated}
        rows.append(row)
    return pd.DataFrame(rows)
