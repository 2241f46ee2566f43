"""The spectral ceiling of every pair of experts on real tissue: against two nulls, and in units never seen."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from beyond_alignment import keys
from beyond_alignment.alignment.aligned_pair import AlignedPair
from beyond_alignment.alignment.reduced import ReducedPair
from beyond_alignment.alignment.spectral import spectral_ceiling
from beyond_alignment.benchmark.embeddings import COUNTS_EXPERT, embedding
from beyond_alignment.benchmark.store import PointStore
from beyond_alignment.experts.embed import field_name
from beyond_alignment.tasks.registry import SplitKind
from beyond_alignment.tasks.splits import make_splits, microns, tiles

EXPRESSION = ("pca", "hallmark", "gene_transformer")
MORPHOLOGY = ("colour", "mobilenetv2", "tissue_vit", "random_vit")
VALUES = (
    *("n", "n_sections", "n_donors", "ceiling", "null", "excess", "excess_low", "excess_high", "threshold", "rank"),
    *("p", "null_spatial", "excess_spatial", "threshold_spatial", "rank_spatial", "p_spatial"),
    *("held_out", "held_out_low", "held_out_high"),
    *("n_units", "training", "transferred", "transferred_low", "transferred_high"),
)
COUNTED = ("n", "n_sections", "n_donors", "rank", "rank_spatial", "n_units")
FEWEST_PERMUTATIONS = 20


class ExpertPair(NamedTuple):
    """An expression expert beside a morphology expert on one data set.

    Attributes
    ----------
    data_set
        Name of the release.
    expression, morphology
        Experts; the latter without field of view.
    field_um
        Field of view, microns.
    """

    data_set: str
    expression: str
    morphology: str
    field_um: int

    def views(self, tissue: AnnData) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return both embeddings of all spots, each (spot, feature)."""
        return embedding(tissue, self.expression), embedding(tissue, field_name(self.morphology, self.field_um))


def expert_pairs(
    data_sets: Mapping[str, AnnData],
    *,
    expression: Sequence[str] = EXPRESSION,
    morphology: Sequence[str] = MORPHOLOGY,
    fields_um: Sequence[int] = (100, 200, 600),
) -> list[ExpertPair]:
    """List the pairs of experts that the data sets hold.

    Parameters
    ----------
    data_sets
        Releases by name; reads which embeddings are in ``obsm``. `pca` stands for counts where it has no embedding.
    expression, morphology
        Experts that are wanted; one that a data set does not hold is left out there.
    fields_um
        Fields of view that are wanted, microns; a data set that holds none of them is read at all of its own.
    """
    pairs = []
    for name, tissue in data_sets.items():
        held = [str(key)[2:] for key in tissue.obsm if str(key).startswith("X_")]
        readers = [e for e in expression if e in held or (e == COUNTS_EXPERT and tissue.X is not None)]
        for expert in morphology:
            own = sorted(int(found[1]) for key in held if (found := re.fullmatch(rf"{re.escape(expert)}_(\d+)um", key)))
            fields = [field for field in own if field in fields_um] or own
            pairs += [ExpertPair(name, reader, expert, field) for reader in readers for field in fields]
    return pairs


def tissue_ceilings(
    data_sets: Mapping[str, AnnData],
    pairs: Sequence[ExpertPair] | None = None,
    *,
    n_components: int = 50,
    n_permutations: int = 200,
    n_bootstrap: int = 100,
    seed: int = 0,
    store: PointStore | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Measure how much linear cross-covariance each pair of experts shares, and how much of it holds elsewhere.

    Each embedding is reduced to its leading principal components first, without a look at labels. Two nulls: pairs
    permuted within sections, for which spots are exchangeable, which smooth tissue is not, so that its threshold is
    too low; and pairs shifted along a curve through each section, which keeps what is smooth smooth. The interval has
    the width of a bootstrap over tiles of 1 mm, with sections as they are, around the excess over permutation:
    resampling adds an upward bias of its own, which is taken off.

    What transfers is measured in units that neither the reduction nor the directions have seen: the canonical
    correlations there, squared with their sign and summed over all directions. That is 0 on average where nothing is
    shared, at any number of samples; fitted directions that overlap in the new unit count twice.

    Parameters
    ----------
    data_sets
        Releases by name.
    pairs
        From :func:`expert_pairs`; all with its defaults when None.
    n_components
        Components kept of each embedding at most.
    n_permutations
        Of each null.
    n_bootstrap
        Bootstrap samples.
    seed
        Of permutations, bootstrap, reduction and blocks.
    store
        Where finished pairs are kept.
    progress
        Show on stderr how many pairs are done.

    Returns
    -------
    pandas.DataFrame
        One row a pair: `data_set`, `expression`, `morphology`, `field_um`; `n`, `n_sections`, `n_donors`; `ceiling`,
        `null` (mean under permutation), `excess` with `excess_low` and `excess_high` (95 %, tiles), `threshold`,
        `rank` and `p` under permutation; `null_spatial`, `excess_spatial`, `threshold_spatial`, `rank_spatial`,
        `p_spatial` under shifts; `held_out` with `held_out_low` and `held_out_high` (95 %), a lower estimate of the
        population's ceiling from directions fitted on other sections (other stretches of a single one), hence within
        donors where they have several sections; `unit` held out (``donor`` where there are two or more, else
        ``section``, else spatial ``block`` with a buffer of 600 um), `n_units`, `training` (ceiling in the training
        units, mean), `transferred` (mean over units) with `transferred_low` and `transferred_high` (smallest and
        largest unit).
    """
    kept = store or PointStore(None)
    options = {"n_components": n_components, "n_permutations": n_permutations, "n_bootstrap": n_bootstrap, "seed": seed}
    chosen = expert_pairs(data_sets) if pairs is None else pairs
    rows = []
    shown = track(chosen, "ceilings", console=Console(stderr=True), disable=not progress, transient=True)
    for pair in shown:
        tissue = data_sets[pair.data_set]

        def compute(pair: ExpertPair = pair, tissue: AnnData = tissue) -> dict[str, NDArray]:
            measured = _measured(pair, tissue, **options)
            return {"values": np.array([measured[name] for name in VALUES], dtype=np.float64)}

        found = kept.get({"run": "tissue ceiling", **pair._asdict(), **options}, compute)["values"].tolist()
        values = dict(zip(VALUES, found, strict=True))
        whole: dict[str, object] = {name: int(v) if name in COUNTED else v for name, v in values.items()}
        rows.append({**pair._asdict(), **whole, "unit": held_out_unit(tissue)})
    return pd.DataFrame(rows)


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


def _measured(
    pair: ExpertPair, tissue: AnnData, *, n_components: int, n_permutations: int, n_bootstrap: int, seed: int
) -> dict[str, float]:
    """Return the values of one pair."""
    views = pair.views(tissue)
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
    }
