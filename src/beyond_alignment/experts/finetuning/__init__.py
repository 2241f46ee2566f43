"""Fine-tuning of the unimodal experts on labelled spots: last blocks, low-rank adapters, or a named surrogate."""

from beyond_alignment.experts.finetuning.entered import enter_spots
from beyond_alignment.experts.finetuning.finetune import finetune
from beyond_alignment.experts.finetuning.raw_spots import raw_patches
from beyond_alignment.experts.finetuning.settings import FinetuneSettings
from beyond_alignment.experts.finetuning.stages import VitStages
from beyond_alignment.experts.finetuning.starting_weights import starting_tissue_vit
from beyond_alignment.experts.finetuning.surrogate import finetune_surrogate

__all__ = [
    "FinetuneSettings",
    "VitStages",
    "enter_spots",
    "finetune",
    "finetune_surrogate",
    "raw_patches",
    "starting_tissue_vit",
]
