"""The studies of the page on token-level fusion: plans, and what computes a point of each.

``large`` tissue is what the page shows; ``small`` tissue runs through the same code in seconds, for the check.
"""

from dataclasses import replace
from functools import cache
from typing import Any

import pandas as pd
import torch

from beyond_alignment.datasets.simulated_histology import Dials
from beyond_alignment.tokens.arm_inputs import FrozenCache
from beyond_alignment.tokens.arms import GRANULARITIES, get_arm
from beyond_alignment.tokens.breast_crop import breast_crop_tiles
from beyond_alignment.tokens.clusters import compare_clusters
from beyond_alignment.tokens.comparison import MIN_MAE, REFERENCES, fold_scores, plan_of, reference_predictions
from beyond_alignment.tokens.contrastive import fit_clip
from beyond_alignment.tokens.drawn_nuclei import perfect_readings
from beyond_alignment.tokens.fold import ArmFold, fit_arm
from beyond_alignment.tokens.folds import TileFold, disjoint_tiles, outer_folds
from beyond_alignment.tokens.plan import TokenPlan
from beyond_alignment.tokens.redundancy import redundancy_with_core
from beyond_alignment.tokens.simulated import SimulatedTiles, only, simulated_tiles
from beyond_alignment.tokens.tiles import Tiles

LARGE, SMALL, BREAST = "large", "small", "breast"
TISSUES = {LARGE: {"n_donors": 6, "size_um": 832.0}, SMALL: {"n_donors": 4, "size_um": 320.0}}
TRAINING = {
    LARGE: {"epochs": 40, "image_epochs": 12, "clip_epochs": 12, "retrieval_batch": 64},
    SMALL: {"epochs": 4, "image_epochs": 2, "clip_epochs": 2, "retrieval_batch": 8},
    BREAST: {"epochs": 40, "image_epochs": 12},
}
SETTINGS: dict[str, Any] = {"tissues": TISSUES, "training": TRAINING}
"""What all points of a study share; tiles are 128 um wide, at one micron a pixel, in patches of 16 pixels."""

ALL, REDUNDANT, UNIQUE, SYNERGY = "all", "redundant only", "unique only", "synergy only"
PROGRAMMES: dict[str, tuple[str, ...]] = {
    REDUNDANT: ("redundant",),
    UNIQUE: ("unique_expression", "unique_morphology"),
    SYNERGY: ("synergy",),
}
CO_LOCATION_UM = Dials().co_location_um
UNSEEN_UM = 4.0
"""Pixels of pictures that nobody reads; cells and transcripts are the same in any."""
SWEPT_UM = (20.0, 40.0, 80.0, 160.0, 320.0, 640.0)
TAUGHT, UNTAUGHT, OF_TISSUE = "taught", "untaught", "tissue_vit"

SINGLE = ("expression_token", "morphology_frozen")
LATE = ("late_concat_tile_frozen", "late_concat_token_frozen")
MAIN = (
    "expression_tile", *SINGLE, *LATE, "late_add_token_frozen", "late_add_tile_frozen", "morphology_trained",
    "late_concat_tile_trained", "late_concat_token_trained", "early_add_frozen", "early_add_trained",
    "early_concat_trained", "early_gated_trained", "early_cross_attention_trained",
)  # fmt: skip
DIALLED = (*SINGLE, *LATE, "early_add_trained")
BEST = ("morphology_frozen", "expression_token", "early_gated_trained")
"""The best arm of each kind on large tissue, whose embeddings are clustered."""

CHECKED = (
    (ALL, TAUGHT, "expression_tile"),
    (ALL, TAUGHT, "late_add_tile_frozen"),
    (ALL, UNTAUGHT, "late_concat_token_frozen"),
    (ALL, TAUGHT, "late_concat_tile_trained"),
    (ALL, TAUGHT, "early_add_frozen"),
    (ALL, TAUGHT, "early_concat_trained"),
    (ALL, TAUGHT, "early_gated_trained"),
    (ALL, TAUGHT, "early_cross_attention_trained"),
    (SYNERGY, TAUGHT, "early_add_trained"),
)
HOW: dict[str, Any] = {"settings": SETTINGS, "check": ({"tissue": SMALL},), "tolerance": 0.005}
"""How studies are run: trainings of a few steps differ by a millionth between processors, a rank by more at times."""


def score_plan() -> list[dict[str, Any]]:
    """Return the points of the study of scores: arms on folds of tissue, with an image expert."""
    rows = [(LARGE, ALL, TAUGHT, arm) for arm in MAIN]
    rows += [(LARGE, ALL, UNTAUGHT, arm) for arm in ("morphology_frozen", "late_concat_token_frozen")]
    rows += [(LARGE, name, TAUGHT, arm) for name in PROGRAMMES for arm in DIALLED]
    rows += [(BREAST, ALL, OF_TISSUE, arm) for arm in (*SINGLE, *LATE)]
    n_folds = {LARGE: TISSUES[LARGE]["n_donors"], BREAST: 4}
    every = [(*row, fold) for row in rows for fold in range(int(n_folds[row[0]]))]
    every += [(SMALL, *row, 0) for row in CHECKED]
    names = ("tissue", "programmes", "expert", "arm", "fold")
    return [{**dict(zip(names, row, strict=True)), "seed": 0} for row in every]


def score_arm(
    *, tissue: str, programmes: str, expert: str, arm: str, fold: int, seed: int,
    tissues: dict[str, Any], training: dict[str, Any], device: str,
) -> dict[str, Any]:  # fmt: skip
    """Train an arm on a fold and score the donor, or the block, that was held out."""
    data, folds = _tiles(tissue, programmes, tissues)
    found = _fitted(tissue, programmes, expert, arm, fold, seed, device, _Sizes(tissues, training))
    return {
        "held out": folds[fold].name,
        **fold_scores(data, folds[fold], found.predictions)[0],
        "trained_parameters": found.trained_parameters,
        "epochs": plan_of(_plan(expert, training[tissue]), get_arm(arm), training[tissue]["image_epochs"]).epochs,
        "best_epoch": found.best_epoch,
    }


def reader_plan() -> list[dict[str, Any]]:
    """Return the points of the study of what needs no network: references, and perfect readers of nuclei."""
    rows = [(LARGE, name, CO_LOCATION_UM) for name in (ALL, *PROGRAMMES)]
    rows += [(LARGE, SYNERGY, um) for um in SWEPT_UM if um != CO_LOCATION_UM]
    rows += [(SMALL, ALL, CO_LOCATION_UM), (SMALL, SYNERGY, 320.0), (BREAST, ALL, CO_LOCATION_UM)]
    return [dict(zip(("tissue", "programmes", "co_location_um"), row, strict=True)) for row in rows]


def score_readers(
    *, tissue: str, programmes: str, co_location_um: float, tissues: dict[str, Any], training: dict[str, Any]
) -> list[dict[str, Any]]:
    """Score Min-MAE, a ridge regression on core counts and, where nuclei were drawn, perfect readers of them."""
    made = None if tissue == BREAST else _made(tissue, programmes, tissues, co_location_um, UNSEEN_UM)
    data, folds = _breast() if made is None else _with_folds(made)
    readings = [reference_predictions(data, fold) for fold in folds]
    if made is not None:
        perfect = perfect_readings(made, folds)
        readings = [{**one, **other} for one, other in zip(readings, perfect, strict=True)]
    return [
        {
            "arm": name,
            "fold": number,
            "held out": folds[number].name,
            **fold_scores(data, folds[number], readings[number][name])[0],
            "n_train": len(folds[number].train),
            "n_disjoint": disjoint_tiles(data, folds[number].test),
        }
        for name in readings[0]
        for number in range(len(folds))
    ]


def gene_plan() -> list[dict[str, Any]]:
    """Return the points of the study of genes."""
    rows = ((LARGE, BEST[-1]), (LARGE, MIN_MAE), (SMALL, BEST[-1]), (SMALL, MIN_MAE))
    return [{"tissue": tissue, "arm": arm, "seed": 0} for tissue, arm in rows]


def score_each_gene(
    *, tissue: str, arm: str, seed: int, tissues: dict[str, Any], training: dict[str, Any], device: str
) -> list[dict[str, Any]]:
    """Score each gene, averaged over folds, beside how redundant it is with the core panel: measured, and as drawn."""
    data, folds = _tiles(tissue, ALL, tissues)
    sizes, scores = _Sizes(tissues, training), []
    for number, fold in enumerate(folds):
        if arm in REFERENCES:
            predicted = reference_predictions(data, fold)[arm]
        else:
            predicted = _fitted(tissue, ALL, TAUGHT, arm, number, seed, device, sizes).predictions
        scores.append(fold_scores(data, fold, predicted)[1]["spearman"])
    predictable = pd.concat(scores).groupby(level=0).mean().rename("spearman")
    redundancy = pd.concat([redundancy_with_core(data, fold) for fold in folds])
    measured = redundancy.groupby("gene")[["ridge_r2", "largest_r"]].mean()
    truth = _made(tissue, ALL, tissues).core_share.rename("core_share")
    table = measured.join(predictable, how="inner").join(truth).reset_index()
    return [dict(row) for row in table.to_dict("records")]


def cluster_plan() -> list[dict[str, Any]]:
    """Return the points of the study of clusters."""
    rows = [(LARGE, arm, fold) for arm in BEST for fold in range(int(TISSUES[LARGE]["n_donors"]))]
    rows.append((SMALL, "late_add_token_frozen", 1))
    return [dict(zip(("tissue", "arm", "fold"), row, strict=True)) | {"seed": 0} for row in rows]


def cluster_arm(
    *, tissue: str, arm: str, fold: int, seed: int, tissues: dict[str, Any], training: dict[str, Any], device: str
) -> dict[str, Any]:
    """Cluster the tiles of a donor that was held out by what the linear layer of an arm reads of them."""
    data, folds = _tiles(tissue, ALL, tissues)
    found = _fitted(tissue, ALL, TAUGHT, arm, fold, seed, device, _Sizes(tissues, training))
    table = compare_clusters(data, {arm: (found.embeddings,)}, [folds[fold]], seed=seed)
    return table.drop(columns=["arm", "fold"]).rename(columns={"group": "held out"}).to_dict("records")[0]


def clip_plan() -> list[dict[str, Any]]:
    """Return the points of the study of CLIP."""
    rows = [(LARGE, g, fold) for g in GRANULARITIES for fold in range(int(TISSUES[LARGE]["n_donors"]))]
    rows += [(SMALL, g, 0) for g in GRANULARITIES]
    return [dict(zip(("tissue", "granularity", "fold"), row, strict=True)) | {"seed": 0} for row in rows]


def score_clip(
    *, tissue: str, granularity: Any, fold: int, seed: int,
    tissues: dict[str, Any], training: dict[str, Any], device: str,
) -> dict[str, Any]:  # fmt: skip
    """Pretrain on a fold: the retrieval among its test tiles, both directions averaged, and the scores of a probe."""
    data, folds = _tiles(tissue, ALL, tissues)
    own = training[tissue]
    plan = replace(_plan(TAUGHT, {"epochs": own["clip_epochs"]}), batch_size=64)
    cache = FrozenCache(data, device=torch.device(device), plan=plan)
    asked = {"plan": plan, "seed": seed, "retrieval_batch": own["retrieval_batch"]}
    found = fit_clip(cache, granularity, folds[fold], **asked)
    recall = found.retrieval
    both = {k: (recall.image_to_transcripts[k] + recall.transcripts_to_image[k]) / 2 for k in recall.chance}
    return {
        "held out": folds[fold].name,
        **{f"recall_{k}": value for k, value in both.items()},
        **{f"chance_{k}": value for k, value in recall.chance.items()},
        **fold_scores(data, folds[fold], found.predictions)[0],
    }


# --- what several points share ---------------------------------------------------------------------------------------


class _Sizes:
    """Settings that a cache can look up by."""

    def __init__(self, tissues: dict[str, Any], training: dict[str, Any]) -> None:
        self.tissues, self.training = tissues, training

    def __hash__(self) -> int:
        return hash(repr((self.tissues, self.training)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Sizes) and (self.tissues, self.training) == (other.tissues, other.training)


@cache
def _fitted(
    tissue: str, programmes: str, expert: str, arm: str, fold: int, seed: int, device: str, sizes: _Sizes
) -> ArmFold:
    """Train an arm on a fold; scores, genes and clusters ask for the same."""
    _, folds = _tiles(tissue, programmes, sizes.tissues)
    training = sizes.training[tissue]
    plan = plan_of(_plan(expert, training), get_arm(arm), training["image_epochs"])
    return fit_arm(_frozen(tissue, programmes, expert, device, sizes), get_arm(arm), folds[fold], plan=plan, seed=seed)


@cache
def _frozen(tissue: str, programmes: str, expert: str, device: str, sizes: _Sizes) -> FrozenCache:
    """Return tiles with their embeddings by an image expert, each computed once."""
    data, _ = _tiles(tissue, programmes, sizes.tissues)
    return FrozenCache(data, device=torch.device(device), plan=_plan(expert, sizes.training[tissue]))


def _plan(expert: str, training: dict[str, int]) -> TokenPlan:
    """Return how arms are trained that read images by an expert."""
    return TokenPlan(
        vit=OF_TISSUE if expert == OF_TISSUE else "nucleus_vit",
        vit_weights="random" if expert == UNTAUGHT else "auto",
        epochs=training["epochs"],
        warmup_epochs=min(2, training["epochs"] - 1),
        patience=8,
        batch_size=32,
        head_rate=0.005,
        backbone_rate=0.0002,
        targets="standardised",
    )


def _tiles(tissue: str, programmes: str, tissues: dict[str, Any]) -> tuple[Tiles, tuple[TileFold, ...]]:
    """Return the tiles of a tissue and their folds."""
    return _breast() if tissue == BREAST else _with_folds(_made(tissue, programmes, tissues))


@cache
def _breast() -> tuple[Tiles, tuple[TileFold, ...]]:
    """Return the tiles of the real field, where its raw data are at hand, and its folds."""
    tiles = breast_crop_tiles(input_px=112)
    return tiles, outer_folds(tiles)


def _with_folds(made: SimulatedTiles) -> tuple[Tiles, tuple[TileFold, ...]]:
    """Return simulated tiles and folds that hold out each donor in turn."""
    return made.tiles, outer_folds(made.tiles, n_folds=len(made.fields))


def _made(
    tissue: str, programmes: str, tissues: dict[str, Any], co_location_um: float = CO_LOCATION_UM, um: float = 1.0
) -> SimulatedTiles:
    """Return the tiles of simulated donors."""
    return _simulated(programmes, co_location_um, um, tissues[tissue]["n_donors"], tissues[tissue]["size_um"])


@cache
def _simulated(programmes: str, co_location_um: float, um: float, n_donors: int, size_um: float) -> SimulatedTiles:
    """Simulate donors whose add-on genes follow some programmes, drawn in pixels of ``um`` microns."""
    dials = replace(Dials() if programmes == ALL else only(*PROGRAMMES[programmes]), co_location_um=co_location_um)
    return simulated_tiles(n_donors=n_donors, size_um=size_um, microns_per_pixel=um, dials=dials, input_px=128)
