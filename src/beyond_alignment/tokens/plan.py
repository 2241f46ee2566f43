"""How the arms are trained."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from beyond_alignment.errors import InputError
from beyond_alignment.experts.compute import Precision
from beyond_alignment.experts.schedule import warm_cosine
from beyond_alignment.tokens.vision_weights import Weights


@dataclass(frozen=True, kw_only=True)
class TokenPlan:
    """Settings of one training; the defaults are those of Martinelli et al. and of their public code.

    Attributes
    ----------
    vit
        Vision transformer of the arms that name none: ``vit_s_augreg``, ``vit_compact`` or a morphology expert.
    vit_weights
        Its weights, as in :func:`build_vit`.
    epochs
        At most.
    batch_size
        Tiles of a step.
    head_rate
        Highest learning rate of everything but the vision transformer.
    backbone_rate
        Highest learning rate of the vision transformer.
    final_rate
        Both rates start from it and end there.
    warmup_epochs
        Epochs over which the rates rise.
    weight_decay
        Of AdamW.
    clip
        Largest norm of a gradient.
    patience
        Epochs without a smaller loss on the validation part before a training stops; it keeps the best epoch.
    targets
        ``centred`` on the mean of the training tiles (the head then starts from it), ``standardised`` also to their
        standard deviation, so that each gene weighs the same, or ``raw``.
    match_norm
        Whether early addition scales a transcript token to the norm of its image token.
    precision
        ``auto`` is bfloat16 on a GPU and float32 elsewhere; weights stay float32.
    compiled
        Whether ``torch.compile`` is used on a GPU.
    """

    vit: str = "vit_s_augreg"
    vit_weights: Weights | Path = "auto"
    epochs: int = 35
    batch_size: int = 512
    head_rate: float = 1e-4
    backbone_rate: float = 1e-5
    final_rate: float = 1e-6
    warmup_epochs: int = 5
    weight_decay: float = 1e-3
    clip: float = 1.0
    patience: int = 10
    targets: Literal["centred", "standardised", "raw"] = "centred"
    match_norm: bool = True
    precision: Precision = "auto"
    compiled: bool = False

    def __post_init__(self) -> None:
        """Refuse a plan that cannot be followed."""
        if not 0 <= self.warmup_epochs < self.epochs:
            msg = f"A warm-up of {self.warmup_epochs} of {self.epochs} epochs leaves nothing to train: use fewer."
            raise InputError(msg)


def learning_rate(plan: TokenPlan, peak: float, step: int, steps_per_epoch: int) -> float:
    """Return the rate of a step: a straight rise over the warm-up, then half a cosine down to the final rate.

    final + (peak - final) f(step), f the common schedule of the package between 0 and 1.

    Parameters
    ----------
    plan
        Epochs, warm-up and final rate.
    peak
        Highest rate.
    step
        Number of the step, from 0.
    steps_per_epoch
        Steps of an epoch.
    """
    factor = warm_cosine(step, plan.epochs * steps_per_epoch, warmup=plan.warmup_epochs / plan.epochs)
    return plan.final_rate + (peak - plan.final_rate) * factor
