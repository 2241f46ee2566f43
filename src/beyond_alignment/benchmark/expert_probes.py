"""Scores a frozen expert alone on a task, with the folds, the probe and the tiles of the benchmark."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from anndata import AnnData
from numpy.typing import ArrayLike, NDArray

from beyond_alignment import keys
from beyond_alignment.benchmark.embeddings import COUNTS_EXPERT
from beyond_alignment.benchmark.metrics import Score, score, tile_weights
from beyond_alignment.benchmark.predictions import Predictions, by_fold, join_folds
from beyond_alignment.benchmark.problem import Problem, pose
from beyond_alignment.benchmark.runner import out_of_fold
from beyond_alignment.benchmark.scoreboard import chance_macro_f1
from beyond_alignment.benchmark.unseen import donors_tested, fold_embeddings, variants_named, without_donors
from beyond_alignment.experts.embed import field_name
from beyond_alignment.experts.registry import EXPERTS
from beyond_alignment.tasks.registry import SplitKind, get_task
from beyond_alignment.tasks.splits import Split, split_task, tiles

IN_FOLD = "pearson_in_fold"
MAIN_METRIC = {"classification": "macro_f1", "regression": IN_FOLD}


@dataclass(frozen=True)
class TissueDraws:
    """How often each tile of a tissue counts in each replicate, whatever part of it a task labels.

    Attributes
    ----------
    names
        Tiles, sorted (tile,).
    weights
        (1 + replicate, tile).
    """

    names: NDArray[np.str_]
    weights: NDArray[np.float64]

    def of(self, scored: ArrayLike) -> NDArray[np.float64]:
        """Return the weights of the tiles of the scored spots, in sorted order of their names."""
        return self.weights[:, np.searchsorted(self.names, np.unique(np.asarray(scored)))]


def draw_tiles(tissue: AnnData, *, n_replicates: int, seed: int = 0) -> TissueDraws:
    """Draw tiles of the whole tissue, so that the replicates of all its tasks are paired."""
    names = tiles(tissue)
    sections = tissue.obs[keys.SECTION].astype(str).to_numpy()
    return TissueDraws(np.unique(names), tile_weights(names, sections, n_replicates=n_replicates, seed=seed))


def experts_of(tissue: AnnData) -> tuple[str, ...]:
    """Return the names of the experts that a tissue holds, components of its counts among them.

    A network that was kept from some donors stands for itself in their folds alone, and is not among them.
    """
    named = sorted(str(key)[2:] for key in tissue.obsm if str(key).startswith("X_"))
    held = [name for name in named if not without_donors(tissue, name)]
    counted = [COUNTS_EXPERT] if tissue.X is not None and COUNTS_EXPERT not in held else []
    return (*held, *counted)


def experts_at(tissue: AnnData, fields_um: Sequence[int]) -> tuple[str, ...]:
    """Return the experts of a tissue, those that read the image at some fields of view (microns) alone."""
    ends = tuple(field_name("", field) for field in fields_um)
    return tuple(name for name in experts_of(tissue) if name.endswith(ends) or not name.endswith("um"))


def modality_read(tissue: AnnData, expert: str) -> str:
    """Return what an expert reads: ``expression``, ``morphology``, or ``unknown`` for one that says it nowhere.

    Reads ``uns["<expert>"]["params"]``, entries ``modality`` and ``expert``; else the name decides.
    """
    params = tissue.uns.get(expert, {}).get("params", {})
    if "modality" in params:
        return str(params["modality"])
    named = [name for name in EXPERTS if expert == name or expert.startswith(f"{name}_")]
    record = EXPERTS.get(str(params.get("expert", max(named, key=len, default=""))))
    return record.modality if record else "unknown"


def digest(values: NDArray) -> str:
    """Return a short hash of an array: part of the key of whatever was computed from it."""
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()[:16]


def chance_of(found: Predictions, *, seed: int = 0) -> dict[str, float]:
    """Return what guessing by the class frequencies of training scores, metric by metric."""
    if not found.classes:
        return {"pearson": 0.0, "r2": 0.0, IN_FOLD: 0.0}
    hits = found.frequency[np.arange(len(found.truth)), found.truth.astype(np.intp)]
    return {"macro_f1": chance_macro_f1(found, seed=seed)[0], "accuracy": float(hits.mean()), "bits": 0.0}


def in_fold(parts: Sequence[Predictions], drawn: TissueDraws) -> tuple[Score, list[Score]]:
    """Correlate predicted and true targets within each fold, and average over targets and then over folds.

    Correlated over all folds at once, the mean of the training spots counts against every prediction: where a held-out
    donor is high, the mean of the others is low. Returns the mean, and each fold's.
    """
    each = [score(part, drawn.of(part.tiles))["pearson"] for part in parts]
    mean = np.mean([np.r_[one.value, one.replicates] for one in each], axis=0)
    return Score(IN_FOLD, float(mean[0]), mean[1:]), each


def score_expert(
    tissue: AnnData,
    expert: str,
    task: str,
    *,
    split: SplitKind | None = None,
    n_replicates: int = 500,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Score an expert alone on a task of a tissue: a record a metric, the main one with its draws.

    Folds, probe and scores are those of the benchmark: at most fifty principal components and a linear model, fitted on
    training spots. The intervals resample tiles of the tissue, so they speak of other places in these sections, not of
    other donors. A name such as ``tissue_vit_unseen_200um`` scores every fold with the network that never saw its test
    donor. The main split of the task is run where no other is asked for.
    """
    record = get_task(task)
    kind = split or record.splits[0]
    spots, problem = pose(tissue, task, split=kind)
    folds = split_task(spots, task, kind)
    found = _predict(tissue, expert, problem, folds, seed=seed)
    drawn = draw_tiles(tissue, n_replicates=n_replicates, seed=seed)
    scores = score(found, drawn.of(found.tiles))
    if not found.classes:
        scores[IN_FOLD] = in_fold(by_fold(found, folds), drawn)[0]
    chance = chance_of(found, seed=seed)
    same = described(tissue, expert, record.made_from) | {"split": kind, **sizes([found])}
    main = MAIN_METRIC[record.kind] if kind == record.splits[0] else ""
    return [
        {"metric": metric, "main": metric == main, **same, **as_columns(one, keep=metric == main)}
        | {"chance": chance[metric]}
        for metric, one in scores.items()
    ]


def described(tissue: AnnData, expert: str, made_from: str) -> dict[str, Any]:
    """Return what an expert reads and what a label was made from; a label of the same source is not independent."""
    reads = modality_read(tissue, expert)
    return {"reads": reads, "made_from": made_from, "same_source": reads == made_from}


def sizes(parts: Sequence[Predictions]) -> dict[str, int]:
    """Return the numbers of spots, tiles and sections that were scored."""
    tile, section = ([getattr(part, name) for part in parts] for name in ("tiles", "strata"))
    n_tiles, n_sections = (len(np.unique(np.concatenate(names))) for names in (tile, section))
    return {"n": sum(len(part.positions) for part in parts), "n_tiles": n_tiles, "n_sections": n_sections}


def as_columns(found: Score, *, keep: bool) -> dict[str, Any]:
    """Return a score with its interval (95 %) and, where they are to be kept, its draws."""
    low, high = found.interval()
    drawn = {"draws": found.replicates.astype(np.float32)} if keep else {}
    return {"value": found.value, "low": low, "high": high, **drawn}


def method_of(tissue: AnnData, expert: str) -> str:
    """Return the unimodal method that probes an expert."""
    return f"{modality_read(tissue, expert).replace('unknown', 'morphology')}_only"


def _predict(tissue: AnnData, expert: str, problem: Problem, folds: Sequence[Split], *, seed: int) -> Predictions:
    """Predict every spot from the fold that held it out, with the embedding of that fold."""
    donors = tissue.obs[keys.DONOR].astype(str).to_numpy()[problem.positions]
    variants: Mapping[str, str] | None = variants_named(tissue, expert)
    parts = fold_embeddings(tissue, expert, donors_tested(donors, folds), variants)
    method, rows = method_of(tissue, expert), problem.positions
    if variants is None:
        x = parts[0][rows]
        return out_of_fold(problem, (x, x), folds, method, seed=seed)
    cut = [values[rows] for values in parts]
    return join_folds(
        [out_of_fold(problem, (x, x), [fold], method, seed=seed) for x, fold in zip(cut, folds, strict=True)]
    )
