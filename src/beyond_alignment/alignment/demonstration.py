"""What canonical correlation keeps of known truth, and of real tasks: the tables of the alignment page."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from beyond_alignment.alignment.reduced import ReducedPair
from beyond_alignment.alignment.spectral import spectral_ceiling
from beyond_alignment.alignment.told import information_told
from beyond_alignment.fusion.canonical import CanonicalCorrelation
from beyond_alignment.information import linear_embedding_task

RAW, ALIGNED = "raw concatenation", "aligned subspace"


def spectrum_by_size(sizes: Sequence[int], *, seeds: Sequence[int], n_permutations: int = 100) -> pd.DataFrame:
    """Return the spectral ceiling of the mixed known-truth task at several sample sizes.

    Parameters
    ----------
    sizes
        Numbers of samples n.
    seeds
        One draw each.
    n_permutations
        Of the null.

    Returns
    -------
    pandas.DataFrame
        One row a size and seed: top and second canonical correlation, threshold, effective rank, ceiling, ceiling under
        permutation, excess.
    """
    rows = []
    for n in sizes:
        for seed in seeds:
            task = linear_embedding_task("mixed", n=n, seed=seed)
            found = spectral_ceiling(task.x1, task.x2, n_permutations=n_permutations, seed=seed, n_bootstrap=0)
            top, second = found.singular_values[:2]
            rows.append(
                {
                    "n": n,
                    "seed": seed,
                    "top": float(top),
                    "second": float(second),
                    "threshold": found.threshold,
                    "rank": found.effective_rank,
                    "ceiling": found.ceiling,
                    "null": found.null_ceiling,
                    "excess": found.excess,
                }
            )
    return pd.DataFrame(rows)


def retained_by_size(sizes: Sequence[int], *, seeds: Sequence[int]) -> pd.DataFrame:
    """Return how much of each label of the mixed task the aligned subspace and the raw concatenation hold.

    The aligned subspace keeps one canonical direction a side: the one that the known truth shares.

    Parameters
    ----------
    sizes
        Numbers of samples n.
    seeds
        One draw each.

    Returns
    -------
    pandas.DataFrame
        One row a size, seed, representation, label and probe, with ``fraction`` of the label's entropy.
    """
    parts = []
    for n in sizes:
        for seed in seeds:
            task = linear_embedding_task("mixed", n=n, seed=seed)
            for name, transformer in ((RAW, None), (ALIGNED, CanonicalCorrelation(1))):
                kept = information_told(
                    (task.x1, task.x2), task.labels, task.groups, transformer=transformer, seed=seed
                )
                parts.append(kept.assign(n=n, seed=seed, representation=name))
    return pd.concat(parts, ignore_index=True)


def average_over_seeds(retained: pd.DataFrame) -> pd.DataFrame:
    """Return mean, smallest and largest fraction over seeds: one row a size, representation, label and probe."""
    keys = ["n", "representation", "label", "probe"]
    grouped = retained.groupby(keys, sort=False)["fraction"]
    return grouped.agg(fraction="mean", low="min", high="max", n_seeds="count").reset_index()


def retained_on_tissue(
    pair: tuple[NDArray[np.floating], NDArray[np.floating]],
    labels: Mapping[str, NDArray],
    groups: Mapping[str, NDArray],
    *,
    n_directions: int,
    seed: int = 0,
) -> pd.DataFrame:
    """Return how much of real labels the aligned subspace and the reduced concatenation hold under a linear probe.

    Parameters
    ----------
    pair
        Embeddings of both modalities, each (spot, feature).
    labels
        Labels by task; spots without one hold None or NaN.
    groups
        Groups by the name of the split, such as donor and section.
    n_directions
        k, canonical directions kept of each side.
    seed
        Of folds and intervals.

    Returns
    -------
    pandas.DataFrame
        One row a split, task and representation: bits, fraction of the label's entropy, its 95 % interval, n.
    """
    transformers = {RAW: ReducedPair(seed=seed), ALIGNED: CanonicalCorrelation(n_directions)}
    parts = []
    for split, group in groups.items():
        for task, values in labels.items():
            known = pd.notna(values)
            spots = tuple(x[known] for x in pair)
            for name, transformer in transformers.items():
                kept = information_told(
                    spots, {task: values[known]}, group[known], transformer=transformer, probes=("linear",), seed=seed
                )
                parts.append(kept.assign(split=split, representation=name))
    return pd.concat(parts, ignore_index=True)


def held_out_correlations(
    pair: tuple[NDArray[np.floating], NDArray[np.floating]], groups: NDArray, *, n_directions: int
) -> pd.DataFrame:
    """Return canonical correlations in the training groups and in the group that was held out.

    Parameters
    ----------
    pair
        Embeddings of both modalities, each (spot, feature).
    groups
        Donor or section (spot,).
    n_directions
        k, canonical directions.

    Returns
    -------
    pandas.DataFrame
        One row a held-out group and direction: correlation in training, and held out.
    """
    rows = []
    for name in np.unique(groups):
        test = groups == name
        model = CanonicalCorrelation(n_directions).fit((pair[0][~test], pair[1][~test]))
        held_out = model.correlations((pair[0][test], pair[1][test]))
        for direction in range(n_directions):
            rows.append(
                {
                    "held out": str(name),
                    "direction": direction + 1,
                    "training": float(model.correlations_[direction]),
                    "held-out": float(held_out[direction]),
                }
            )
    return pd.DataFrame(rows)
