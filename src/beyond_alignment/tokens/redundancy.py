"""How redundant each add-on gene is with the core panel."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler

from beyond_alignment.correlations import cross_correlations
from beyond_alignment.errors import InputError
from beyond_alignment.fusion.ridge import ridge_path
from beyond_alignment.tokens.folds import TileFold
from beyond_alignment.tokens.tiles import Tiles

PENALTIES = (0.01, 0.1, 1.0, 10.0, 100.0)


def redundancy_with_core(tiles: Tiles, fold: TileFold) -> pd.DataFrame:
    """Measure how much of each add-on gene the core genes hold, from training and validation tiles alone.

    Both measures are of counts in whole tiles, log1p. ``ridge_r2`` is the R2 on validation tiles of a ridge regression
    on all core genes, fitted on training tiles; its penalty, one for all genes, is the one with the best mean R2 there.
    ``largest_r`` is the largest absolute Pearson correlation with a single core gene over training tiles; it shares no
    model with what it is held against. Test tiles are not looked at.

    Parameters
    ----------
    tiles
        All tiles.
    fold
        Reads ``train`` and ``validation``.

    Returns
    -------
    pandas.DataFrame
        gene, ridge_r2, largest_r, nearest (the core gene of the largest correlation); a gene that is constant in either
        part is left out.

    Raises
    ------
    InputError
        No gene varies in both parts.
    """
    core = np.log1p(tiles.core_per_tile().astype(np.float64))
    targets = tiles.targets.astype(np.float64)
    varies = (np.ptp(targets[fold.train], axis=0) > 0) & (np.ptp(targets[fold.validation], axis=0) > 0)
    if not varies.any():
        raise InputError(f"No add-on gene varies in training and validation of {fold.name}: use more tiles.")
    targets = targets[:, varies]
    scaled = StandardScaler().fit(core[fold.train]).transform(core)
    fits = ridge_path(scaled[fold.train], targets[fold.train], PENALTIES)
    seen, truth = scaled[fold.validation], targets[fold.validation]
    r2 = [_r2(truth, seen @ coefficients.T + intercept) for coefficients, intercept in fits]
    correlation = np.abs(cross_correlations(core[fold.train], targets[fold.train]))  # (core gene, add-on gene)
    return pd.DataFrame(
        {
            "gene": np.asarray(tiles.addon_genes)[varies],
            "ridge_r2": max(r2, key=np.mean),
            "largest_r": correlation.max(axis=0),
            "nearest": np.asarray(tiles.core_genes)[correlation.argmax(axis=0)],
        }
    )


def _r2(truth: NDArray[np.float64], predicted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 less the share of the variance that is not predicted (gene,)."""
    return 1.0 - ((truth - predicted) ** 2).sum(axis=0) / ((truth - truth.mean(axis=0)) ** 2).sum(axis=0)
