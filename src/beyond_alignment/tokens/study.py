"""A study of arms on one data set: the scores of every arm, fold and seed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import joblib
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.progress import track

from beyond_alignment.benchmark.store import PointStore
from beyond_alignment.datasets.console import terminal_console
from beyond_alignment.experts.compute import Device, resolve_device
from beyond_alignment.tokens.arms import GRANULARITIES, Arm, get_arm
from beyond_alignment.tokens.baseline import fit_min_mae
from beyond_alignment.tokens.contrastive import ClipResult, run_clip
from beyond_alignment.tokens.fold_parts import join_arm, join_clip
from beyond_alignment.tokens.folds import TileFold
from beyond_alignment.tokens.linear_probe import probe_folds
from beyond_alignment.tokens.plan import TokenPlan
from beyond_alignment.tokens.run import ArmResult, run_arm
from beyond_alignment.tokens.scores import METRICS, score_genes
from beyond_alignment.tokens.tiles import Tiles

Call = tuple[Callable[..., Any], tuple, dict[str, Any]]
MIN_MAE, RIDGE = "min_mae", "ridge_core"
REFERENCES = {MIN_MAE: "Min-MAE, best core gene", RIDGE: "Ridge on core counts"}

_MODULES = (
    "arm_inputs", "arms", "batches", "clip_pair", "contrastive", "conv_stem", "expression_encoders", "fold", "frozen",
    "fusion_layers", "network", "plan", "pooling", "scaling", "training", "vision", "vision_weights",
)  # fmt: skip
TOKEN_CODE = (*(f"tokens/{name}.py" for name in _MODULES), "experts/compute.py", "experts/schedule.py")
"""What the points of the page depend on, for the store: ``open_store(profile, code=TOKEN_CODE, data=False)``."""


@dataclass(frozen=True)
class Comparison:
    """Scores of arms on one data set.

    Attributes
    ----------
    scores
        A row an arm, fold and seed: arm, label, fold, seed, the mean over genes of spearman, pearson, mse and mae,
        n_constant (genes left out), n_tiles.
    genes
        A row an arm, fold, seed and gene: the four scores.
    arms
        A row an arm: arm, label, trained_parameters, vision, best_epoch (mean over folds and seeds), epochs, seconds.
    predictions
        log1p counts out of fold (tile, gene), averaged over seeds, by arm.
    embeddings
        Of the tested tiles of each fold (test tile, feature), with the first seed, by arm.
    """

    scores: pd.DataFrame
    genes: pd.DataFrame
    arms: pd.DataFrame
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
    store: PointStore | None = None,
    n_jobs: int = 1,
) -> Comparison:
    """Train arms on folds and score them, with Min-MAE and a ridge regression on core counts beside them.

    Parameters
    ----------
    tiles, folds, device, store
        As in :func:`run_arm`.
    arms
        Names in ``ARMS``, or arms of your own.
    plan
        Settings of all arms.
    image_epochs
        Epochs, at most, of arms whose images pass through the vision transformer in each step, which cost most; those
        of the plan when None. Their warm-up is cut to what leaves one epoch.
    seeds
        Each arm runs once for each.
    n_jobs
        Processes of one thread on a CPU, which share arms, seeds and, of arms that train on images, folds; a GPU is
        used by one process.

    Raises
    ------
    InputError
        As :func:`run_arm`.
    """
    chosen = [get_arm(arm) for arm in arms]
    cells = [
        (arm, seed, part)
        for arm, seed in product(chosen, seeds)
        for part in ([folds] if _light(arm) else [[fold] for fold in folds])
    ]
    cells.sort(key=lambda cell: _light(cell[0]))  # the heavy ones first
    calls = [
        joblib.delayed(run_arm)(
            tiles, arm, part, seed=seed, device=device, store=store, plan=_plan(plan, arm, image_epochs),
            progress=False,
        )
        for arm, seed, part in cells
    ]  # fmt: skip
    parts: dict[tuple[Arm, int], list[ArmResult]] = {}
    for result in _side_by_side(calls, "arms, seeds and folds", n_jobs=n_jobs, device=device):
        parts.setdefault((result.arm, result.seed), []).append(result)
    results = [join_arm(own) for own in parts.values()]
    results.sort(key=lambda result: (chosen.index(result.arm), result.seed))
    found: dict[str, list[NDArray]] = {}
    for result in results:
        found.setdefault(result.arm.name, []).append(result.predictions)
    references = reference_predictions(tiles, folds)
    tables = [
        *(scores_of_run(tiles, folds, name, REFERENCES[name], 0, values) for name, values in references.items()),
        *(scores_of_run(tiles, folds, r.arm.name, r.arm.label, r.seed, r.predictions) for r in results),
    ]
    return Comparison(
        scores=pd.concat([scores for scores, _ in tables], ignore_index=True),
        genes=pd.concat([genes for _, genes in tables], ignore_index=True),
        arms=pd.DataFrame(_about(chosen, results, plan, image_epochs)),
        predictions=references | {name: np.mean(values, axis=0) for name, values in found.items()},
        embeddings={result.arm.name: result.embeddings for result in results if result.seed == seeds[0]},
    )


def reference_predictions(tiles: Tiles, folds: Sequence[TileFold]) -> dict[str, NDArray[np.float32]]:
    """Predict out of fold without a network: Min-MAE, and a ridge regression on log1p counts of core genes by tile.

    Parameters
    ----------
    tiles
        The data set.
    folds
        Both are fitted on their training tiles; the penalty of the ridge is chosen on the validation part.

    Returns
    -------
    dict
        log1p counts (tile, gene) by name; NaN in the rows of tiles that no fold tests.
    """
    core = tiles.core_per_tile()
    copied = np.full(tiles.targets.shape, np.nan, dtype=np.float32)
    for fold in folds:
        copied[fold.test] = fit_min_mae(tiles, fold.train).predict(core[fold.test])
    return {MIN_MAE: copied, RIDGE: probe_folds(np.log1p(core), tiles.targets, folds)}


def _side_by_side(calls: Sequence[Call], what: str, *, n_jobs: int, device: Device) -> list[Any]:
    """Run calls in processes of one thread, on a GPU one after the other; a terminal shows how far they are."""
    jobs = n_jobs if resolve_device(device).type == "cpu" else 1
    with joblib.parallel_config(backend="loky", n_jobs=jobs, inner_max_num_threads=1):
        runs = joblib.Parallel(return_as="generator")(calls)
        return list(track(runs, what, total=len(calls), console=terminal_console(), transient=True))


def _light(arm: Arm) -> bool:
    """Say whether images do not pass through the vision transformer in each step."""
    return arm.vision is None or arm.cached


def _plan(plan: TokenPlan, arm: Arm, image_epochs: int | None) -> TokenPlan:
    """Return the settings of an arm."""
    if image_epochs is None or _light(arm):
        return plan
    return replace(plan, epochs=image_epochs, warmup_epochs=min(plan.warmup_epochs, image_epochs - 1))


def scores_of_run(
    tiles: Tiles, folds: Sequence[TileFold], arm: str, label: str, seed: int, predictions: NDArray
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the scores of one run: a row a fold, and a row a fold and gene.

    Parameters
    ----------
    tiles, folds
        As they were run.
    arm, label, seed
        What the rows say of it.
    predictions
        log1p counts out of fold (tile, gene).
    """
    rows, genes = [], []
    for fold in folds:
        scored = score_genes(tiles.targets[fold.test], predictions[fold.test], tiles.addon_genes)
        where = {"arm": arm, "label": label, "fold": fold.name, "seed": seed}
        rows.append({**where, **scored.mean(), "n_constant": len(scored.constant), "n_tiles": len(fold.test)})
        genes.append(scored.per_gene.reset_index().assign(**where)[[*where, "gene", *METRICS]])
    return pd.DataFrame(rows), pd.concat(genes, ignore_index=True)


def _about(
    arms: Sequence[Arm], results: Sequence[ArmResult], plan: TokenPlan, image_epochs: int | None
) -> Iterator[dict[str, object]]:
    """Say of each arm what was trained, and for how long."""
    for arm in arms:
        own = [result for result in results if result.arm == arm]
        best = [epoch for result in own for epoch in result.best_epochs]
        limit = _plan(plan, arm, image_epochs).epochs
        yield {
            "arm": arm.name,
            "label": arm.label,
            "trained_parameters": own[0].trained_parameters,
            "vision": own[0].vision.split(",")[0] or "none",
            "epochs": limit,
            "best_epoch": float(np.mean(best)),
            "at_the_end": int(sum(epoch == limit for epoch in best)),
            "seconds": float(sum(result.seconds for result in own)),
        }


def run_clips(
    tiles: Tiles,
    folds: Sequence[TileFold],
    *,
    plan: TokenPlan,
    seeds: Sequence[int] = (0,),
    device: Device = "auto",
    store: PointStore | None = None,
    retrieval_batch: int = 64,
    n_jobs: int = 1,
) -> list[ClipResult]:
    """Run CLIP with tile vectors and with tokens, each for every seed.

    Parameters
    ----------
    tiles, folds, plan, device, store, retrieval_batch
        As in :func:`run_clip`.
    seeds, n_jobs
        As in :func:`compare_arms`.

    Raises
    ------
    InputError
        As :func:`run_clip`.
    """
    cells = list(product(GRANULARITIES, seeds, folds))
    settings = {"device": device, "store": store, "plan": plan, "retrieval_batch": retrieval_batch}
    calls = [joblib.delayed(run_clip)(tiles, how, [fold], seed=seed, **settings) for how, seed, fold in cells]
    found: list[ClipResult] = _side_by_side(calls, "CLIP", n_jobs=n_jobs, device=device)
    n = len(folds)
    return [join_clip(found[start : start + n]) for start in range(0, len(found), n)]
