"""The spectral ceiling of every pair of experts on real tissue: against two nulls, and in units never seen."""

from collections.abc import Iterator
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray

from beyond_alignment import keys
from beyond_alignment.alignment.aligned_pair import AlignedPair
from beyond_alignment.alignment.reduced import ReducedPair
from beyond_alignment.alignment.spectral import spectral_ceiling
from beyond_alignment.benchmark.embeddings import embedding
from beyond_alignment.experts.embed import field_name
from beyond_alignment.pages.alignment.releases import FIELDS_UM, embeddings_read, release
from beyond_alignment.tasks.registry import SplitKind
from beyond_alignment.tasks.splits import make_splits, microns, tiles

EXPRESSION = {
    "her2st": ("pca", "hallmark", "gene_transformer"),
    "mob": ("pca", "hallmark"),  # of a mouse, whose genes the transformer does not know
    "crc_visium": ("pca", "hallmark", "gene_transformer"),
}
MORPHOLOGY = ("colour", "mobilenetv2", "tissue_vit", "random_vit")
PLAN = [
    {"data_set": name, "expression": reads, "morphology": sees, "field_um": FIELDS_UM[name]}
    for name, readers in EXPRESSION.items()
    for sees, reads in product(MORPHOLOGY, readers)
]
OPTIONS: dict[str, Any] = {
    "settings": {"n_components": 50, "n_permutations": 200, "n_bootstrap": 60, "seed": 0},
    "check": [
        {"data_set": "her2st", "expression": "hallmark", "morphology": "colour"},
        {"data_set": "mob", "expression": "pca", "morphology": "colour"},  # from counts
        {"data_set": "crc_visium", "expression": "hallmark", "morphology": "colour"},  # a single section
    ],
    "n_jobs": -1,
}
FEWEST_PERMUTATIONS = 20


def reads() -> dict[str, Any]:
    """Return the arrays that the ceilings are computed from."""
    found: dict[str, Any] = {}
    for name, readers in EXPRESSION.items():
        found |= embeddings_read(name, [*readers, *(field_name(expert, FIELDS_UM[name]) for expert in MORPHOLOGY)])
    return found


def ceiling(data_set: str, expression: str, morphology: str, field_um: int, **settings: int) -> dict[str, float | str]:
    """Measure how much linear cross-covariance a pair of experts shares on a release; see :func:`tissue_ceiling`."""
    tissue = release(data_set)
    views = embedding(tissue, expression), embedding(tissue, field_name(morphology, field_um))
    return tissue_ceiling(views, tissue, **settings)


def tissue_ceiling(
    views: tuple[NDArray[np.floating], NDArray[np.floating]],
    tissue: AnnData,
    *,
    n_components: int,
    n_permutations: int,
    n_bootstrap: int,
    seed: int,
) -> dict[str, float | str]:
    """Measure how much linear cross-covariance two embeddings share, and how much of it holds elsewhere.

    Each embedding is reduced to its leading principal components first, without a look at labels. Two nulls: pairs
    permuted within sections, for which spots are exchangeable, which smooth tissue is not, so that its threshold is
    too low; and pairs shifted along a curve through each section (``_spatial``), which keeps what is smooth smooth. The
    interval of the excess has the width of a bootstrap over tiles of 1 mm, with sections as they are, around the excess
    over permutation: resampling adds an upward bias of its own, which is taken off.

    ``held_out`` is a lower estimate of the population's ceiling from directions fitted on other sections (other
    stretches of a single one). ``transferred`` is measured in units that neither the reduction nor the directions have
    seen: the canonical correlations there, squared with their sign and summed over all directions; mean, smallest and
    largest unit. That is 0 on average where nothing is shared, at any number of samples; fitted directions that overlap
    in the new unit count twice.
    """
    reduced = ReducedPair(n_components=n_components, seed=seed).fit(views)
    first, second = (part.transform(x) for part, x in zip(reduced.parts_, views, strict=True))
    sections = tissue.obs[keys.SECTION].astype(str).to_numpy()
    n_sections = len(np.unique(sections))
    ceiling_of = partial(spectral_ceiling, first, second, seed=seed)
    permuted = ceiling_of(groups=sections, n_permutations=n_permutations, n_bootstrap=0, n_folds=0)
    shifted = ceiling_of(
        groups=sections if n_sections > 1 else None,  # without groups, folds are stretches of the curve
        positions=microns(tissue),
        n_permutations=n_permutations,
        n_bootstrap=0,
    )
    resampled = ceiling_of(groups=tiles(tissue), n_permutations=FEWEST_PERMUTATIONS, n_bootstrap=n_bootstrap, n_folds=0)
    assert shifted.held_out_ceiling is not None
    assert shifted.held_out_interval is not None
    assert resampled.interval is not None
    half_width = (resampled.interval[1] - resampled.interval[0]) / 2
    held_out = np.array(list(transferred_ceilings(views, tissue, n_components=n_components, seed=seed)))
    training, transferred = held_out.T
    return {
        "n": tissue.n_obs,
        "n_sections": n_sections,
        "n_donors": tissue.obs[keys.DONOR].astype(str).nunique(),
        "ceiling": permuted.ceiling,
        "null": permuted.null_ceiling,
        "excess": permuted.excess,
        "excess_low": permuted.excess - half_width,
        "excess_high": permuted.excess + half_width,
        "threshold": permuted.threshold,
        "rank": permuted.effective_rank,
        "p": permuted.p_value,
        "null_spatial": shifted.null_ceiling,
        "excess_spatial": shifted.excess,
        "threshold_spatial": shifted.threshold,
        "rank_spatial": shifted.effective_rank,
        "p_spatial": shifted.p_value,
        "held_out": shifted.held_out_ceiling,
        "held_out_low": shifted.held_out_interval[0],
        "held_out_high": shifted.held_out_interval[1],
        "n_units": len(held_out),
        "training": training.mean(),
        "transferred": transferred.mean(),
        "transferred_low": transferred.min(),
        "transferred_high": transferred.max(),
        "unit": held_out_unit(tissue),
    }


def held_out_unit(tissue: AnnData) -> SplitKind:
    """Return the widest unit of which a data set holds two: ``donor``, ``section``, else ``block``."""
    several = (kind for kind, key in _UNITS if tissue.obs[key].astype(str).nunique() > 1)
    return next(several, "block")


_UNITS: tuple[tuple[SplitKind, str], ...] = (("donor", keys.DONOR), ("section", keys.SECTION))


def transferred_ceilings(
    views: tuple[NDArray[np.floating], NDArray[np.floating]], tissue: AnnData, *, n_components: int = 50, seed: int = 0
) -> Iterator[tuple[float, float]]:
    """Yield, unit by unit, the ceiling in training and what of it holds in the unit that was held out.

    Parameters
    ----------
    views
        Both embeddings, each (spot, feature).
    tissue
        Reads donors, sections and coordinates.
    n_components
        Components kept of each embedding, and canonical directions, at most.
    seed
        Of the reduction and the blocks.
    """
    for split in make_splits(tissue, held_out_unit(tissue), seed=seed):
        train, test = ((views[0][rows], views[1][rows]) for rows in (split.train, split.test))
        model = AlignedPair(n_components, n_components=n_components, seed=seed).fit(train)
        held_out = model.correlations(test)
        yield float((model.canonical_.correlations_**2).sum()), float((held_out * np.abs(held_out)).sum())


def numbers(table: pd.DataFrame) -> dict[str, Any]:
    """Return what the prose says of the pairs."""
    left = table["transferred"] / table["ceiling"]
    return {
        "n_pairs": len(table),
        "n_above": int((table["p_spatial"] <= 0.05).sum()),
        "least_held": {"value": left.min(), "n": len(table)},
        "most_held": {"value": left.max(), "n": len(table)},
        "most_rank": int(table["rank"].max()),
        "most_rank_spatial": int(table["rank_spatial"].max()),
        "n_permutations": OPTIONS["settings"]["n_permutations"],
    }
