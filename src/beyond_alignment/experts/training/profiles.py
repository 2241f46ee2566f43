"""How long and on how much the project's own experts are trained: quick, reference and full."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from beyond_alignment.errors import InputError

Profile = TypeVar("Profile")


@dataclass(frozen=True)
class TrainingPlan:
    """The optimiser and its schedule.

    Attributes
    ----------
    epochs
        Epochs; a checkpoint and a row of the curve are written after each.
    steps_per_epoch
        Optimiser steps of an epoch.
    learning_rate
        Highest rate of the cosine schedule.
    warmup
        Share of all steps over which the rate rises.
    weight_decay
        Of AdamW, on matrices alone.
    clip
        Largest norm of a gradient.
    seed
        Of initial weights and of everything drawn.
    """

    epochs: int
    steps_per_epoch: int
    learning_rate: float
    warmup: float = 0.05
    weight_decay: float = 0.05
    clip: float = 1.0
    seed: int = 0


@dataclass(frozen=True)
class TissueVitProfile:
    """How ``tissue_vit`` is trained.

    Attributes
    ----------
    plan
        Optimiser and schedule.
    batch
        Pairs of views in a step.
    group
        Pairs of one section and field within the batch: a view is told from those of its group alone, so that the
        stain of a section is of no help; places that overlap by half are not told apart.
    keep
        Share of the patches of a view that the network sees in training.
    temperature
        Of the contrastive loss.
    stain, colour
        Strength of the stain and of the colour augmentation, 0 for none.
    shift
        Largest distance between the centres of two views along an axis, as a share of the field of view.
    """

    plan: TrainingPlan
    batch: int = 192
    group: int = 64
    keep: float = 0.5
    temperature: float = 0.2
    stain: float = 0.05
    colour: float = 0.15
    shift: float = 0.2


@dataclass(frozen=True)
class GeneTransformerProfile:
    """How ``gene_transformer`` is built and trained.

    Attributes
    ----------
    plan
        Optimiser and schedule; its steps per epoch are 0 where an epoch is one pass over the spots.
    batch
        Spots in a step.
    genes
        Most variable genes that are read and predicted.
    dimension, depth, heads
        Features of the embedding, blocks, attention heads.
    visible
        Least and largest share of the genes that a spot shows in training; the others are predicted.
    validation_section
        A section of the training donors that is only watched, never trained on.
    """

    plan: TrainingPlan
    batch: int = 64
    genes: int = 768
    dimension: int = 192
    depth: int = 4
    heads: int = 6
    visible: tuple[float, float] = (0.15, 0.35)
    validation_section: str = "E3"


TISSUE_VIT_PROFILES: dict[str, TissueVitProfile] = {
    "quick": TissueVitProfile(TrainingPlan(epochs=4, steps_per_epoch=60, learning_rate=5e-4)),
    "reference": TissueVitProfile(TrainingPlan(epochs=16, steps_per_epoch=75, learning_rate=7e-4)),
    "full": TissueVitProfile(
        TrainingPlan(epochs=100, steps_per_epoch=100, learning_rate=1.5e-3), batch=2048, group=128
    ),
}

GENE_TRANSFORMER_PROFILES: dict[str, GeneTransformerProfile] = {
    "quick": GeneTransformerProfile(
        TrainingPlan(epochs=2, steps_per_epoch=0, learning_rate=1e-3), genes=512, dimension=128, depth=3, heads=4
    ),
    "reference": GeneTransformerProfile(
        TrainingPlan(epochs=10, steps_per_epoch=0, learning_rate=1e-3), genes=512, dimension=128, depth=3, heads=4
    ),
    "full": GeneTransformerProfile(
        TrainingPlan(epochs=200, steps_per_epoch=0, learning_rate=1e-3),
        batch=256,
        genes=2048,
        dimension=256,
        depth=6,
        heads=8,
    ),
}


def choose_profile(profile: str | Profile, profiles: Mapping[str, Profile]) -> tuple[str, Profile]:
    """Return the name and the settings of a profile given by its name or as settings of one's own.

    Raises
    ------
    InputError
        If there is no profile of that name.
    """
    if not isinstance(profile, str):
        return next((name for name, known in profiles.items() if known == profile), "own"), profile
    if profile not in profiles:
        msg = f"There is no training profile {profile!r}; choose one of {', '.join(profiles)}."
        raise InputError(msg)
    return profile, profiles[profile]
