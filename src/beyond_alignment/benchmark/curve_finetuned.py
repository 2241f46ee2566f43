"""Learning curves of fine-tuned single experts: from raw input where it is at hand, else of a named surrogate."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray

from beyond_alignment import keys
from beyond_alignment.benchmark.cells import Bench
from beyond_alignment.benchmark.curve_problems import CurveProblems, pose_curves
from beyond_alignment.benchmark.finetuned_cells import RawInput, finetuned_cell
from beyond_alignment.benchmark.plan import field_um
from beyond_alignment.benchmark.predictions import Arrays
from beyond_alignment.benchmark.problem import Contest
from beyond_alignment.benchmark.runner import gather
from beyond_alignment.benchmark.scaling import FRACTIONS, subset
from beyond_alignment.benchmark.scoreboard import score_contest
from beyond_alignment.errors import InputError
from beyond_alignment.experts.finetuning import (
    FinetuneSettings,
    VitStages,
    enter_spots,
    raw_patches,
    starting_tissue_vit,
)
from beyond_alignment.experts.finetuning.raw_spots import raw_absence, raw_counts
from beyond_alignment.experts.finetuning.stages import Stages
from beyond_alignment.experts.finetuning.starting_weights import starting_gene_transformer
from beyond_alignment.experts.record import Modality
from beyond_alignment.study import each
from beyond_alignment.tasks import get_task

Place = tuple[Contest, float, int]
"""A contest, a fraction and a fold."""
SURROGATES = ("surrogate_expression", "surrogate_morphology")
FINETUNED = ("finetuned_expression", "finetuned_morphology")
SURROGATE_CURVES = FinetuneSettings(n_blocks=1, learning_rates=(1e-3,), epochs=30, patience=5, batch_size=128)
FINETUNE_CURVES = FinetuneSettings(way="lora", n_blocks=1, learning_rates=(1e-3,), epochs=10, patience=3)
"""Cheaper than the defaults of either, for a curve is many runs: one learning rate and one inner split."""


def surrogate_curves(
    problems: CurveProblems,
    contests: Sequence[Contest],
    *,
    fractions: Sequence[float] = FRACTIONS,
    n_replicates: int = 500,
    settings: FinetuneSettings = SURROGATE_CURVES,
    n_jobs: int = 1,
) -> pd.DataFrame:
    """Score a perceptron over a frozen embedding, the stand-in for a fine-tuned expert, on the subsets of the others.

    Parameters
    ----------
    problems
        Where they compete.
    contests
        Their ``method`` is one of :data:`SURROGATES`; the seed draws the subsets and the order of the spots.
    fractions
        Shares of the training spots.
    n_replicates
        Bootstrap replicates of each point, over tiles.
    settings
        How to train; the seed is that of a contest.
    n_jobs
        Processes, of one thread each.

    Returns
    -------
    pandas.DataFrame
        One row a contest, fraction and metric: value, ``draws``, n_train, and over folds the sums of seconds and
        ``operations`` (floating-point), the means of trained ``parameters`` and of ``epochs``, and ``folds``.

    Raises
    ------
    InputError
        A method is no surrogate.
    """
    _check(contests, SURROGATES)

    def read(contest: Contest) -> list[RawInput]:
        bench = problems.of(contest)
        frozen = bench.pair[0 if contest.method.endswith("expression") else 1]
        return [RawInput(np.asarray(frozen, dtype=np.float32), None)] * len(bench.splits)

    return _curves(problems, contests, read, settings, fractions, n_replicates, n_jobs)


def finetuned_curves(
    data_sets: Mapping[str, AnnData],
    contests: Sequence[Contest],
    *,
    fractions: Sequence[float] = FRACTIONS,
    n_replicates: int = 500,
    settings: FinetuneSettings = FINETUNE_CURVES,
    n_jobs: int = 1,
) -> pd.DataFrame:
    """Score experts that are fine-tuned from raw input, on the subsets that the other methods got.

    Inner splits by donor, section or block choose the penalty of the starting probe and the epoch to stop at, on
    training spots alone. ``finetuned_morphology`` starts from the variant of ``tissue_vit`` that was kept from the
    donors of the test spots, ``finetuned_expression`` from ``gene_transformer``, which must have seen none of them.

    Parameters
    ----------
    data_sets
        Releases by name.
    contests
        Their ``method`` is one of :data:`FINETUNED`.
    fractions, n_replicates, settings, n_jobs
        As in :func:`surrogate_curves`.

    Returns
    -------
    pandas.DataFrame
        As of :func:`surrogate_curves`.

    Raises
    ------
    InputError
        A method is unknown, the raw input is not at hand, or no network was kept from the test donors.
    """
    _check(contests, FINETUNED)
    problems = pose_curves(data_sets, contests)

    def read(contest: Contest) -> list[RawInput]:
        spots = data_sets[get_task(contest.task).data_set]
        bench = problems.of(contest)
        chosen = spots[bench.problem.positions]
        donors = chosen.obs[keys.DONOR].astype(str).to_numpy()
        if contest.method.endswith("expression"):
            stages, bins = raw_counts(chosen, starting_gene_transformer(tested_donors=list(np.unique(donors))))
            return [_entered(stages, bins, settings)] * len(bench.splits)
        models = [starting_tissue_vit(tested_donors=list(np.unique(donors[split.test]))) for split in bench.splits]
        patches = raw_patches(chosen, models[0], field_of_view_um=field_um(contest.morphology))
        variants = {model.expert.name: VitStages(model) for model in models}
        entered = {name: _entered(stages, patches, settings) for name, stages in variants.items()}
        return [entered[model.expert.name] for model in models]

    return _curves(problems, contests, read, settings, fractions, n_replicates, n_jobs)


def raw_reasons(data_sets: Mapping[str, AnnData], contests: Sequence[Contest]) -> dict[Contest, str]:
    """Say of each contest of :data:`FINETUNED` why it cannot read its raw input; an empty sentence where it can.

    Parameters
    ----------
    data_sets
        Releases by name.
    contests
        As of :func:`finetuned_curves`.
    """
    reasons: dict[tuple[str, Modality], str] = {}
    found: dict[Contest, str] = {}
    for contest in contests:
        name = get_task(contest.task).data_set
        modality: Modality = "expression" if contest.method.endswith("expression") else "morphology"
        if (name, modality) not in reasons:
            absent = raw_absence(data_sets[name], modality=modality)
            reasons[name, modality] = absent or (_unread(data_sets[name]) if modality == "expression" else "")
        found[contest] = reasons[name, modality]
    return found


def _unread(spots: AnnData) -> str:
    """Say why ``gene_transformer`` cannot read the counts of a data set, such as those of another species."""
    try:
        raw_counts(spots[:1], starting_gene_transformer(tested_donors=[]))
    except InputError as error:
        return str(error)
    return ""


def _check(contests: Sequence[Contest], known: Sequence[str]) -> None:
    """Refuse a method that is not fine-tuned in this way."""
    if unknown := [contest.method for contest in contests if contest.method not in known]:
        raise InputError(f"{unknown[0]!r} is not fine-tuned here; choose {' or '.join(known)}.")


def _curves(
    problems: CurveProblems,
    contests: Sequence[Contest],
    read: Callable[[Contest], Sequence[RawInput]],
    settings: FinetuneSettings,
    fractions: Sequence[float],
    n_replicates: int,
    n_jobs: int,
) -> pd.DataFrame:
    """Run every cell, one input in memory at a time, and score every point."""
    alike: dict[tuple[str, str], list[Contest]] = {}
    for contest in contests:
        alike.setdefault((problems.named[contest], contest.method), []).append(contest)
    cells: dict[Place, Arrays] = {}
    for (name, method), mine in alike.items():
        inputs, bench = read(mine[0]), problems.benches[name]
        places = [(c, float(share), fold) for c in mine for share in fractions for fold in range(len(bench.splits))]
        rows = [
            {"given": inputs[fold], "problem": bench.problem, "settings": replace(settings, seed=c.seed)}
            | {"split": subset(bench.splits[fold], bench.problem.labels, fraction=share, seed=c.seed)}
            for c, share, fold in places
        ]
        what = f"{method} of {mine[0].task}"
        cells |= {places[n]: found for n, found in each(finetuned_cell, rows, n_jobs=n_jobs, what=what)}
    return pd.DataFrame(
        row
        for contest in contests
        for share in map(float, fractions)
        for row in _rows(contest, share, problems.of(contest), cells, n_replicates)
    )


def _entered(stages: Stages, raw: NDArray, settings: FinetuneSettings) -> RawInput:
    """Run what no fit trains once for all of them."""
    found = enter_spots(stages, raw, n_blocks=settings.n_blocks)
    return RawInput(found.tokens, found.stages, found.seconds, found.flops)


def _rows(
    contest: Contest, fraction: float, bench: Bench, cells: Mapping[Place, Arrays], n_replicates: int
) -> list[dict[str, object]]:
    """Return one row a metric of one point."""
    parts = [cells[contest, fraction, fold] for fold in range(len(bench.splits))]
    arrays = {name: np.concatenate([part[name] for part in parts]) for name in ("probability", "guess", "frequency")}
    spent = np.stack([part["spent"] for part in parts])  # (fold, seconds operations parameters epochs spots)
    scores = score_contest(gather(bench.problem, bench.splits, arrays), n_replicates=n_replicates)
    cost = {"seconds": float(spent[:, 0].sum()), "operations": float(spent[:, 1].sum())}
    cost |= {"parameters": float(spent[:, 2].mean()), "epochs": float(spent[:, 3].mean()), "folds": len(spent)}
    key = {**vars(contest), "fraction": fraction, "n_train": float(spent[:, 4].mean())}
    return [
        key | {"metric": name, "value": found.value, "draws": found.replicates} | cost for name, found in scores.items()
    ]
