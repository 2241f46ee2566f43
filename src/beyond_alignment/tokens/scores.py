"""Scores of predicted genes: gene by gene over tiles, then averaged over genes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from beyond_alignment.correlations import pearson_columns
from beyond_alignment.errors import InputError

METRICS = ("spearman", "pearson", "mse", "mae")


@dataclass(frozen=True)
class GeneScores:
    """Scores over the tiles of one test set; a gene whose prediction is one value in all tiles correlates by 0.

    Attributes
    ----------
    per_gene
        A row a gene that varies: spearman, pearson, mse, mae; indexed by gene.
    constant
        Genes with one value in all tiles: no correlation is defined, and they are left out of all four.
    """

    per_gene: pd.DataFrame
    constant: tuple[str, ...]

    def mean(self) -> dict[str, float]:
        """Average each score over genes."""
        return {name: float(self.per_gene[name].mean()) for name in METRICS}


def score_genes(truth: NDArray[np.floating], predicted: NDArray[np.floating], genes: Sequence[str]) -> GeneScores:
    """Score predictions with Spearman, Pearson, mean squared and mean absolute error.

    Parameters
    ----------
    truth, predicted
        (tile, gene), log1p of counts.
    genes
        Names (gene,).

    Raises
    ------
    InputError
        Shapes differ, a value is not finite, there are fewer than two tiles, or no gene varies.
    """
    y, p = (np.asarray(values, dtype=np.float64) for values in (truth, predicted))
    if y.shape != p.shape or y.ndim != 2 or y.shape[1] != len(genes) or len(y) < 2:
        raise InputError(
            f"Truth of shape {y.shape}, predictions of shape {p.shape} and {len(genes)} genes do not fit: "
            "give both as (tile, gene), two tiles at least."
        )
    if not (np.isfinite(y).all() and np.isfinite(p).all()):
        raise InputError("Truth or predictions hold NaN or infinity: a model that diverged cannot be scored.")
    varies = np.ptp(y, axis=0) > 0
    if not varies.any():
        raise InputError(f"None of {len(genes)} genes varies over {len(y)} tiles: score more tiles.")
    y, p = y[:, varies], p[:, varies]
    error = p - y
    table = pd.DataFrame(
        {
            "spearman": pearson_columns(rankdata(y, axis=0), rankdata(p, axis=0)),
            "pearson": pearson_columns(y, p),
            "mse": (error**2).mean(axis=0),
            "mae": np.abs(error).mean(axis=0),
        },
        index=pd.Index(np.asarray(genes, dtype=object)[varies], name="gene"),
    )
    return GeneScores(
        per_gene=table,
        constant=tuple(str(gene) for gene, kept in zip(genes, varies, strict=True) if not kept),
    )
