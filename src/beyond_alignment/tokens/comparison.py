"""Arms on one data set, side by side: the scores of every arm, fold and seed, with references that need no network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from beyond_alignment.experts.compute import Device, resolve_device
from beyond_alignment.study import each
from beyond_alignment.tokens.arm_inputs import FrozenCache
from beyond_alignment.tokens.arms import Arm, get_arm
from beyond_alignment.tokens.baseline import fit_min_mae
from beyond_alignment.tokens.fold import ArmFold, check_folds, fit_arm
from beyond_alignment.tokens.folds import TileFold
from beyond_alignment.tokens.linear_probe import probe_genes
from beyond_alignment.tokens.plan import TokenPlan
from beyond_alignment.tokens.scores import METRICS, score_genes
from beyond_alignment.tokens.tiles import Tiles

MIN_MAE, RIDGE = "min_mae", "ridge_core"
REFERENCES = {MIN_MAE: "Min-MAE, best core gene", RIDGE: "Ridge on core counts"}


@dataclass(frozen=True)
class Comparison:
    """Scores of arms on one data set.

    Attributes
    ----------
    scores
        A row an arm, fold and seed: arm, label, fold, seed, the mean over genes of spearman, pearson, mse and mae,
        n_constant (genes left out), n_tiles; of networks trained_parameters, vision, epochs (at most) and best_epoch.
    genes
        A row an arm, fold, seed and gene: the four scores.
    predictions
        log1p counts out of fold (tile, gene), averaged over seeds, by arm.
    embeddings
        Of the tested tiles of each fold (test tile, feature), with the first seed, by arm.
    """

    scores: pd.DataFrame
    genes: pd.DataFrame
    predictions: Mapping[str, NDArray[np.float32]]
    embeddings: Mapping[str, tuple[NDArray[np.float32], ...]]


def compare_arms(
    tiles: Tiles,
    arms: Sequence[str | Arm],
    folds: Sequence[TileFold],
    *,
    plan: TokenPlan,
    image_epochs: int | None = None,
    seeds: Sequence[int] = (0,),
    device: Device = "auto",
    n_jobs: int = 1,
) -> Comparison:
    """Train arms on folds and score them, with Min-MAE and a ridge regression on core counts beside them.

    Parameters
    ----------
    tiles
        The data set.
    arms
        Names in ``ARMS``, or arms of your own.
    folds
        Tiles to train on, to stop by and to predict; no tile may be predicted twice.
    plan
        Settings of all arms.
    image_epochs
        Epochs, at most, of arms whose images pass through the vision transformer in each step, which cost most; those
        of the plan when None. Their warm-up is cut to what leaves one epoch.
    seeds
        Each arm runs once for each.
    device
        Where to train.
    n_jobs
        Processes of one thread on a CPU, which share arms, seeds and, of arms that train on images, folds; a GPU is
        used by one process.

    Raises
    ------
    InputError
        If an arm is unknown or lacks something, folds overlap, or a loss is not finite.
    """
    check_folds(folds, len(tiles))
    chosen = [get_arm(arm) for arm in arms]
    every = tuple(range(len(folds)))
    cells: list[dict[str, Any]] = [
        {"arm": arm, "seed": seed, "which": which}
        for arm in sorted(chosen, key=lambda arm: arm.light)  # those that cost most first
        for seed in seeds
        for which in ([every] if arm.light else [(number,) for number in every])
    ]
    here = resolve_device(device)
    run = partial(_run, tiles, tuple(folds), plan, image_epochs, device)
    found: dict[tuple[str, int, int], ArmFold] = {}
    for cell, fitted in each(run, cells, n_jobs=n_jobs if here.type == "cpu" else 1, what="arms"):
        arm, seed, which = cells[cell].values()
        found |= {(arm.name, seed, number): fit for number, fit in zip(which, fitted, strict=True)}
    rows: list[dict[str, Any]] = []
    genes: list[pd.DataFrame] = []
    predictions = {name: np.full(tiles.targets.shape, np.nan, dtype=np.float32) for name in REFERENCES}
    for fold in folds:
        for name, values in reference_predictions(tiles, fold).items():
            predictions[name][fold.test] = values
            _score(tiles, fold, values, {"arm": name, "label": REFERENCES[name], "seed": 0}, rows, genes)
    for arm in chosen:
        mine = [np.full(tiles.targets.shape, np.nan, dtype=np.float32) for _ in seeds]
        for values, seed in zip(mine, seeds, strict=True):
            for number, fold in enumerate(folds):
                fit = found[arm.name, seed, number]
                values[fold.test] = fit.predictions
                about = {"trained_parameters": fit.trained_parameters, "vision": fit.vision.split(",")[0] or "none"}
                about |= {"epochs": plan_of(plan, arm, image_epochs).epochs, "best_epoch": fit.best_epoch}
                named = {"arm": arm.name, "label": arm.label, "seed": seed}
                _score(tiles, fold, fit.predictions, named, rows, genes, about)
        predictions[arm.name] = np.mean(mine, axis=0)
    return Comparison(
        scores=pd.DataFrame(rows),
        genes=pd.concat(genes, ignore_index=True),
        predictions=predictions,
        embeddings={
            arm.name: tuple(found[arm.name, seeds[0], number].embeddings for number in every) for arm in chosen
        },
    )


def _run(
    tiles: Tiles, folds: tuple[TileFold, ...], plan: TokenPlan, image_epochs: int | None, device: Device,
    *, arm: Arm, seed: int, which: tuple[int, ...],
) -> list[ArmFold]:  # fmt: skip
    """Train one arm with one seed on some folds."""
    cache = FrozenCache(tiles, device=resolve_device(device), plan=plan)
    own = plan_of(plan, arm, image_epochs)
    return [fit_arm(cache, arm, folds[number], plan=own, seed=seed) for number in which]


def plan_of(plan: TokenPlan, arm: Arm, image_epochs: int | None) -> TokenPlan:
    """Return the settings of an arm: fewer epochs where images pass through the vision transformer in each step."""
    if image_epochs is None or arm.light:
        return plan
    return replace(plan, epochs=image_epochs, warmup_epochs=min(plan.warmup_epochs, image_epochs - 1))


def reference_predictions(tiles: Tiles, fold: TileFold) -> dict[str, NDArray[np.float32]]:
    """Predict the test tiles of a fold without a network (test tile, gene), by name.

    Min-MAE copies core genes; a ridge regression reads log1p counts of core genes by tile, its penalty chosen on the
    validation part.
    """
    core = tiles.core_per_tile()
    copied = fit_min_mae(tiles, fold.train).predict(core[fold.test]).astype(np.float32)
    return {MIN_MAE: copied, RIDGE: probe_genes(np.log1p(core), tiles.targets, fold)}


def fold_scores(
    tiles: Tiles, fold: TileFold, predicted: NDArray[np.floating]
) -> tuple[dict[str, float | int], pd.DataFrame]:
    """Return the mean scores of predictions of a fold's test tiles (test tile, gene), and the scores of each gene."""
    scored = score_genes(tiles.targets[fold.test], predicted, tiles.addon_genes)
    return {**scored.mean(), "n_constant": len(scored.constant), "n_tiles": len(fold.test)}, scored.per_gene


def _score(
    tiles: Tiles, fold: TileFold, predicted: NDArray[np.floating], named: Mapping[str, Any],
    rows: list[dict[str, Any]], genes: list[pd.DataFrame], about: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """Add the scores of one arm on one fold to both tables."""
    found, by_gene = fold_scores(tiles, fold, predicted)
    where = {"arm": named["arm"], "label": named["label"], "fold": fold.name, "seed": named["seed"]}
    rows.append({**where, **found, **(about or {})})
    genes.append(by_gene.reset_index().assign(**where)[[*where, "gene", *METRICS]])
