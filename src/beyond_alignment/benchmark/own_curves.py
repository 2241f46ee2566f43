"""Learning curves on one's own data: two embeddings, a label and the units that folds keep whole."""

from collections.abc import Sequence

import numpy as np
from anndata import AnnData
from sklearn.model_selection import GroupKFold

from beyond_alignment import keys
from beyond_alignment.benchmark.cells import Bench
from beyond_alignment.benchmark.curve_problems import CurveProblems
from beyond_alignment.benchmark.problem import Contest, make_problem
from beyond_alignment.errors import InputError
from beyond_alignment.tasks.splits import Split


def own_problem(
    adata: AnnData,
    *,
    name: str,
    expression: str,
    morphology: str,
    label: str,
    groups: str,
    methods: Sequence[str],
    n_seeds: int,
    n_folds: int = 5,
) -> CurveProblems:
    """Pose the learning curves of data that are in no registry.

    Parameters
    ----------
    adata
        Reads ``obsm["X_<expert>"]`` of both experts, ``obs[label]``, ``obs[groups]``, ``obs["section"]`` and positions.
    name
        Of the task, in tables.
    expression, morphology
        Experts, as their embeddings are named.
    label
        Column of classes; spots without one are left out.
    groups
        Column of donors, or sections, that folds keep whole.
    methods
        Contestants.
    n_seeds
        Seeds 0, 1, ...
    n_folds
        Folds; no more than there are groups.

    Raises
    ------
    InputError
        An embedding or a column is missing, or there are fewer than two groups or classes.
    """
    names = {"embedding": [keys.embedding(expression), keys.embedding(morphology)], "column": [label, groups]}
    absent = [one for one in names["embedding"] if one not in adata.obsm]
    absent += [one for one in names["column"] if one not in adata.obs]
    if absent:
        raise InputError(f"The data of {name} lack {', '.join(absent)}: embed with both experts, and add the label.")
    spots = adata[adata.obs[label].notna().to_numpy() & adata.obs[groups].notna().to_numpy()].copy()
    values = spots.obs[label].astype(str).to_numpy(dtype=object)
    units = spots.obs[groups].astype(str).to_numpy()
    n_units = len(np.unique(units))
    if n_units < 2 or len(np.unique(values)) < 2:
        raise InputError(f"{name} has {n_units} of {groups} and {len(np.unique(values))} classes: bring two of each.")
    spots.obs[keys.DONOR] = units
    pair = tuple(np.asarray(spots.obsm[one]) for one in names["embedding"])
    folds = GroupKFold(min(n_folds, n_units)).split(pair[0], groups=units)
    splits = tuple(Split(f"fold {number + 1}", train, test) for number, (train, test) in enumerate(folds))
    bench = Bench(make_problem(spots, values, split="donor"), (pair[0], pair[1]), splits)
    contests = (
        Contest(name, "donor", method, expression, morphology, seed) for method in methods for seed in range(n_seeds)
    )
    return CurveProblems({name: bench}, dict.fromkeys(contests, name))
