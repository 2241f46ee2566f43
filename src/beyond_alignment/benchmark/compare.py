"""Asks of one's own data whether fusing two embeddings adds to the better one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from anndata import AnnData

from beyond_alignment import keys
from beyond_alignment.benchmark.embeddings import embedding
from beyond_alignment.benchmark.metrics import Score, tile_weights
from beyond_alignment.benchmark.metrics import score as score_predictions
from beyond_alignment.benchmark.problem import Problem
from beyond_alignment.benchmark.runner import out_of_fold
from beyond_alignment.errors import InputError
from beyond_alignment.fusion import CORE_METHODS, FUSION_METHODS
from beyond_alignment.fusion.probe import Kind
from beyond_alignment.information import sis_gain
from beyond_alignment.information.sis import SisGain, sis_gain_interval
from beyond_alignment.tasks.splits import leave_one_group_out


@dataclass(frozen=True)
class Comparison:
    """Scores of each expert and of each fusion on one label.

    Attributes
    ----------
    table
        One row a method and metric: value, low, high (95 %).
    sis_gain
        (joint - best unimodal) / best unimodal of the best fusion, on ``metric``; None where the better expert does not
        score above zero, so that the ratio has no meaning: compare the scores in ``table`` instead.
    fusion
        The fusion that the gain is of.
    metric
        ``macro_f1`` for labels, ``r2`` for numbers.
    n
        Spots that were scored.
    n_groups
        Groups that were held out in turn.
    """

    table: pd.DataFrame
    sis_gain: SisGain | None
    fusion: str
    metric: str
    n: int
    n_groups: int


def compare_fusion(
    adata: AnnData,
    *,
    expression: str,
    morphology: str,
    label: str,
    groups: str = keys.DONOR,
    methods: Sequence[str] = CORE_METHODS,
    n_replicates: int = 1000,
    seed: int = 0,
) -> Comparison:
    """Score two frozen experts and their fusions on a label, holding out each group in turn.

    Parameters
    ----------
    adata
        Reads ``obsm["X_<expert>"]`` of both experts, ``obs[label]`` (categories, or numbers for regression) and
        ``obs[groups]``. Spots without a label are left out.
    expression
        Name of the expression expert.
    morphology
        Name of the morphology expert.
    label
        Column of ``obs``.
    groups
        Column of ``obs`` whose groups are held out and resampled whole: the donor or the section, never the spot.
    methods
        Fusion methods, both experts alone among them.
    n_replicates
        Bootstrap replicates; groups are resampled.
    seed
        Of methods and replicates.

    Raises
    ------
    InputError
        If a key is missing, there are fewer than two groups, or a class is too thin to hold out.
    """
    for column in (label, groups):
        if column not in adata.obs:
            msg = f"obs[{column!r}] is missing; this data set holds {', '.join(map(str, adata.obs.columns)) or 'none'}."
            raise InputError(msg)
    known = adata.obs[label].notna().to_numpy() & adata.obs[groups].notna().to_numpy()
    spots = adata[known]
    values = spots.obs[label]
    numeric = pd.api.types.is_float_dtype(values)
    labels = values.to_numpy(dtype=float)[:, None] if numeric else values.astype(str).to_numpy(dtype=object)
    names = spots.obs[groups].astype(str).to_numpy()
    classes = () if numeric else tuple(sorted(set(labels)))
    kind: Kind = "regression" if numeric else "classification"
    problem = Problem(kind, labels, classes, (names,), names, np.full(len(names), ""), np.flatnonzero(known))
    pair = embedding(spots, expression), embedding(spots, morphology)
    splits = leave_one_group_out(names)
    weights = tile_weights(names, problem.strata, n_replicates=n_replicates, seed=seed)
    scores = {m: score_predictions(out_of_fold(problem, pair, splits, m, seed=seed), weights) for m in methods}
    rows = [
        {"method": m, "metric": s.metric, "value": s.value, "low": s.interval()[0], "high": s.interval()[1]}
        for m, found in scores.items()
        for s in found.values()
    ]
    metric = "r2" if numeric else "macro_f1"
    fused = [m for m in methods if FUSION_METHODS[m].family != "unimodal"]
    best = max(fused, key=lambda m: scores[m][metric].value)
    parts = [scores[m][metric] for m in (best, "expression_only", "morphology_only")]
    return Comparison(pd.DataFrame(rows), _gain(*parts), best, metric, spots.n_obs, len(splits))


def _gain(joint: Score, first: Score, second: Score) -> SisGain | None:
    """Return the gain with its interval, or None where it has no meaning."""
    try:
        value = float(sis_gain(joint.value, first.value, second.value))
        found = sis_gain_interval(joint.replicates, first.replicates, second.replicates)
    except InputError:
        return None
    return replace(found, value=value)
