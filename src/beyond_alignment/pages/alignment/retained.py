"""What the aligned subspace keeps and loses of real tasks: bits in reach of a linear probe, and term by term."""

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import ortho_group
from sklearn.base import TransformerMixin
from threadpoolctl import threadpool_limits

from beyond_alignment.alignment.aligned_pair import AlignedPair
from beyond_alignment.alignment.reduced import ReducedPair
from beyond_alignment.alignment.retained_terms import information_retained
from beyond_alignment.alignment.told import information_told
from beyond_alignment.benchmark.tissue_pairs import TissuePair
from beyond_alignment.fusion.reduction import Reduction
from beyond_alignment.pages.alignment.releases import SEED, pair_of, tasks_read

TASKS = (
    "cell_type", "region", "niche", "niche_epithelial", "niche_immune", "niche_mixing", "domain", "bacteria",
)  # fmt: skip
RAW, ALIGNED = "concatenation", "aligned subspace"
N_COMPONENTS = 50
TOLD = [{"task": task, "directions": k} for task, k in product(TASKS, (0, 2, 10, 50))]
TOLD_OPTIONS: dict[str, Any] = {
    "check": [{"task": task, "directions": k} for task, k in (("region", 0), ("region", 2), ("domain", 10))],
    "n_jobs": -1,
}
TERMS = [*({"task": task, "every": 1} for task in TASKS), {"task": "domain", "every": 4}]
"""Tasks decomposed on all spots, and one on every fourth, which takes seconds."""
TERMS_OPTIONS: dict[str, Any] = {
    "version": 2,  # given the group
    "settings": {"directions": 10, "n_bootstrap": 100},
    "check": [{"every": 4}],
    # Another processor moves what is unique to one side, and synergy, by 0.02 bits, and ends of intervals by 0.07.
    "tolerance": {"before": 0.06, "after": 0.06}
    | {f"{name}{end}": 0.2 for name in ("before", "after") for end in ("_low", "_high")}
    | {f"kept{end}": 0.2 for end in ("", "_low", "_high")},
    "n_jobs": -1,
}


def reads() -> dict[str, Any]:
    """Return the arrays that both studies are computed from."""
    return tasks_read(TASKS)


def described(pair: TissuePair) -> dict[str, Any]:
    """Return what a table says of a task beside its name."""
    return {name: value for name, value in pair.record().items() if name != "task"}


def told(task: str, directions: int) -> dict[str, Any]:
    """Return the bits that a linear probe is told of a task, by the concatenation (0 directions) or after alignment."""
    pair = pair_of(task)
    return {**described(pair), **told_of(pair, directions)}


def told_of(pair: TissuePair, directions: int) -> dict[str, Any]:
    """Return the bits that a linear probe finds in one representation, with their interval over resampled units.

    Both embeddings are reduced to the same principal components in either case, and reduction and alignment are fitted
    anew on the training units of each fold, without a label. With as many directions as components nothing is dropped,
    so that what is then lost is the probe's.
    """
    options = {"n_components": N_COMPONENTS, "seed": SEED}
    model: TransformerMixin = AlignedPair(directions, **options) if directions else ReducedPair(**options)
    with threadpool_limits(1):
        table = information_told(pair.views, {"y": pair.classes}, pair.groups, transformer=model, seed=SEED)
    (row,) = table.to_dict("records")
    found = {name: float(row[name]) for name in ("bits", "fraction", "entropy")}
    found |= {f"{end}_bits": float(row[end] * row["entropy"]) for end in ("low", "high")}
    return {"representation": ALIGNED if directions else RAW, **found, "n_folds": int(row["n_folds"])}


def terms(task: str, every: int, directions: int, n_bootstrap: int) -> list[dict[str, Any]]:
    """Return each term of a task's decomposition before and after alignment, on all spots or every so many."""
    pair = pair_of(task)
    if every > 1:
        first, second = (view[::every] for view in pair.views)
        parts = {name: getattr(pair, name)[::every] for name in ("labels", "classes", "groups", "tiles")}
        pair = replace(pair, views=(first, second), **parts)
    return [{**described(pair), **row} for row in terms_of(pair, directions, n_bootstrap)]


def terms_of(pair: TissuePair, directions: int, n_bootstrap: int) -> list[dict[str, Any]]:
    """Return what :func:`~beyond_alignment.alignment.retained_terms.information_retained` does, a record a term.

    Both embeddings are reduced to principal components first, without a label. Before alignment these are turned at
    random, because the estimator scales every feature to one variance, and bare components would lose their order. A
    share is absent where the term is not there before alignment.
    """
    first, second = (_turned(x, n_components=N_COMPONENTS, seed=SEED) for x in pair.views)
    model = AlignedPair(directions, n_components=N_COMPONENTS, seed=SEED)
    with threadpool_limits(1):
        table = information_retained(
            (first, second), pair.classes, pair.groups, transformer=model, blocks=pair.tiles, n_bootstrap=n_bootstrap,
            seed=SEED,
        ).table  # fmt: skip
    return [
        {name: None if pd.isna(value) else value if name == "term" else float(value) for name, value in row.items()}
        for row in table.to_dict("records")
    ]


def _turned(x: NDArray[np.floating], *, n_components: int, seed: int) -> NDArray[np.float64]:
    """Reduce an embedding and turn it at random: the estimator would scale bare components to one variance."""
    z = Reduction(n_components=n_components, seed=seed).fit(x).transform(x)
    width = z.shape[1]
    return z @ ortho_group.rvs(width, random_state=seed) if width > 1 else z


def losses(table: pd.DataFrame) -> pd.DataFrame:
    """Return the bits of each task in the concatenation, and in the aligned subspace by its directions a side."""
    names = {0: RAW, **{k: f"{k} directions" for k in sorted(set(table["directions"]) - {0})}}
    places = {"task": "task", "made_from": "labels from", "unit": "unit held out"}
    wide = table.pivot_table(index=list(places), columns="directions", values="bits", sort=False).reset_index()
    wide["task"] = wide["task"].str.replace("_", " ")
    return wide.rename(columns={**places, **names})


def told_numbers(table: pd.DataFrame) -> dict[str, Any]:
    """Return what the prose says of the loss with the fewest directions."""
    fewest = int(table.loc[table["directions"] > 0, "directions"].min())
    wide = table.pivot_table(index="task", columns="directions", values="bits")
    loss = wide[0] - wide[fewest]
    return {
        "mean_loss": {"value": loss.mean(), "n": len(loss), "unit": "bits"},
        "n_losing": int((loss > 0).sum()),
        "n_losing_all": int((wide[0] > wide[wide.columns.max()]).sum()),
        "n_told": len(loss),
        "n_kept_directions": fewest,
    }


def terms_numbers(table: pd.DataFrame) -> dict[str, Any]:
    """Return on how many tasks there is synergy to lose."""
    known = table[table["kept"].notna() & table["term"].str.startswith("synergy")]
    return {"n_tested": table["task"].nunique(), "n_tested_synergy": known["task"].nunique()}
