"""Scores every frozen expert alone on every task, with the folds, the probe and the tiles of the benchmark."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import joblib
import numpy as np
from anndata import AnnData
from numpy.typing import ArrayLike, NDArray

from beyond_alignment import keys
from beyond_alignment.benchmark.embeddings import COUNTS_EXPERT
from beyond_alignment.benchmark.metrics import Score, score, tile_weights
from beyond_alignment.benchmark.paired_scores import ExpertScores, collect_scores
from beyond_alignment.benchmark.predictions import Predictions, by_fold, join_folds
from beyond_alignment.benchmark.problem import Problem, pose
from beyond_alignment.benchmark.runner import out_of_fold
from beyond_alignment.benchmark.scoreboard import chance_macro_f1
from beyond_alignment.benchmark.store import PointStore
from beyond_alignment.benchmark.unseen import donors_tested, fold_embeddings, without_donors
from beyond_alignment.experts import EXPERTS
from beyond_alignment.experts.embed import field_name
from beyond_alignment.tasks import get_task
from beyond_alignment.tasks.labels import absence
from beyond_alignment.tasks.registry import TASKS, SplitKind
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
    donor is high, the mean of the others is low.

    Returns
    -------
    tuple
        The mean, and each fold's.
    """
    each = [score(part, drawn.of(part.tiles))["pearson"] for part in parts]
    mean = np.mean([np.r_[one.value, one.replicates] for one in each], axis=0)
    return Score(IN_FOLD, float(mean[0]), mean[1:]), each


def expert_scores(
    tissue: AnnData,
    *,
    experts: Sequence[str] | None = None,
    unseen: Mapping[str, Mapping[str, str]] | None = None,
    tasks: Sequence[str] | None = None,
    splits: Sequence[SplitKind] | None = None,
    n_replicates: int = 500,
    seed: int = 0,
    store: PointStore | None = None,
    n_jobs: int = 1,
) -> ExpertScores:
    """Score every expert alone on every task of a tissue.

    Folds, probe and scores are those of the benchmark: at most fifty principal components and a linear model, fitted on
    training spots. The intervals resample tiles of the tissue, so they speak of other places in these sections, not of
    other donors.

    Parameters
    ----------
    tissue
        Reads ``obsm["X_<expert>"]``, the labels, sections, donors and coordinates.
    experts
        Names; all that the tissue holds when None.
    unseen
        Further experts, each with its embedding donor by donor from ``unseen_variants``: every fold is scored with the
        network that never saw its test donor.
    tasks
        Names; all that the tissue is labelled for when None.
    splits
        Those to run where a task allows them; the main split of each task when None.
    n_replicates
        Bootstrap replicates.
    seed
        Of the probes and the replicates.
    store
        Where finished points are kept.
    n_jobs
        Processes, -1 for one a core; for few experts their start costs more than they save.

    Raises
    ------
    InputError
        If an expert is missing, or a task has no labels.
    """
    variants = dict(unseen or {})
    names = (*(experts or experts_of(tissue)), *variants)
    carried = [name for name, task in TASKS.items() if not task.imputes and not absence(tissue, name)]
    posed = [_posed(tissue, task, split) for task in tasks or carried for split in _splits(task, splits)]
    jobs = _jobs(tissue, names, variants, posed, seed=seed, store=store)
    found = joblib.Parallel(n_jobs=n_jobs)(jobs)
    drawn = draw_tiles(tissue, n_replicates=n_replicates, seed=seed)
    chance = {(task, split): chance_of(one, seed=seed) for (task, split, *_), one in zip(posed, found, strict=False)}
    pairs = [(expert, problem) for expert in names for problem in posed]
    return collect_scores(
        (describe(tissue, expert, task, split, one, metric, chance[task, split]), result)
        for (expert, (task, split, _, folds)), one in zip(pairs, found, strict=True)
        for metric, result in _scores(one, folds, drawn).items()
    )


Posed = tuple[str, SplitKind, Problem, tuple[Split, ...]]


def _splits(task: str, splits: Sequence[SplitKind] | None) -> list[SplitKind]:
    """Return the splits to run of a task."""
    allowed = get_task(task).splits
    return list(allowed[:1]) if splits is None else [split for split in allowed if split in splits]


def _posed(tissue: AnnData, task: str, split: SplitKind) -> Posed:
    """Return a task's problem and folds under a split."""
    spots, problem = pose(tissue, task, split=split)
    return task, split, problem, split_task(spots, task, split)


def _scores(found: Predictions, folds: Sequence[Split], drawn: TissueDraws) -> dict[str, Score]:
    """Return all scores of a task."""
    scores = score(found, drawn.of(found.tiles))
    return scores if found.classes else {**scores, IN_FOLD: in_fold(by_fold(found, folds), drawn)[0]}


def _jobs(
    tissue: AnnData,
    experts: Sequence[str],
    variants: Mapping[str, Mapping[str, str]],
    posed: Sequence[Posed],
    *,
    seed: int,
    store: PointStore | None,
) -> Iterator[tuple]:
    """Yield what predicts each task from each expert."""
    donors = tissue.obs[keys.DONOR].astype(str).to_numpy()
    tested = [donors_tested(donors[problem.positions], folds) for _, _, problem, folds in posed]
    for expert in experts:
        method = f"{modality_read(tissue, expert).replace('unknown', 'morphology')}_only"
        whole = iter(fold_embeddings(tissue, expert, [test for task in tested for test in task], variants.get(expert)))
        for task, split, problem, folds in posed:
            own = [next(whole) for _ in folds]
            cut = {id(values): values[problem.positions] for values in own}  # one copy of what folds share
            parts = [cut[id(values)] for values in own]
            key = {"probe": "expert", "expert": expert, "task": task, "split": split, "seed": seed}
            yield joblib.delayed(_predict)(problem, parts, folds, method, seed=seed, key=key, store=store)


def _predict(
    problem: Problem,
    parts: Sequence[NDArray[np.float32]],
    folds: Sequence[Split],
    method: str,
    *,
    seed: int,
    key: dict[str, object],
    store: PointStore | None,
) -> Predictions:
    """Predict every spot from the fold that held it out, with the embedding of that fold."""
    if all(x is parts[0] for x in parts):
        x = parts[0]
        return out_of_fold(problem, (x, x), folds, method, seed=seed, key=key | {"x": digest(x)}, store=store)
    found = []
    for x, fold in zip(parts, folds, strict=True):
        own = key | {"x": digest(x), "fold": fold.name}
        found.append(out_of_fold(problem, (x, x), [fold], method, seed=seed, key=own, store=store))
    return join_folds(found)


def describe(
    tissue: AnnData,
    expert: str,
    task: str,
    split: SplitKind,
    found: Predictions,
    metric: str,
    chance: dict[str, float],
) -> dict[str, object]:
    """Return the columns that go with a score of a registered task."""
    record, reads = get_task(task), modality_read(tissue, expert)
    return {
        "expert": expert,
        "task": task,
        "split": split,
        "reads": reads,
        "made_from": record.made_from,
        "same_source": reads == record.made_from,
        "main": metric == MAIN_METRIC[record.kind] and split == record.splits[0],
        "chance": chance[metric],
        "n": len(found.positions),
        "n_tiles": len(np.unique(found.tiles)),
        "n_sections": len(np.unique(found.strata)),
    }
