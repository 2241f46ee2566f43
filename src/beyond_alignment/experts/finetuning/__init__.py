"""Fine-tuning of the unimodal experts on labelled spots: last blocks, low-rank adapters, or a named surrogate."""

from beyond_alignment.experts.finetuning.cost import Cost
from beyond_alignment.experts.finetuning.entered import Entered, EnteredStages, enter_spots
from beyond_alignment.experts.finetuning.finetune import Finetuned, finetune
from beyond_alignment.experts.finetuning.gene_stages import GeneStages, gene_stages
from beyond_alignment.experts.finetuning.loop import Diverged
from beyond_alignment.experts.finetuning.lora import LowRank, add_lora, merge_lora
from beyond_alignment.experts.finetuning.raw_spots import raw_absence, raw_counts, raw_patches
from beyond_alignment.experts.finetuning.selection import Chosen
from beyond_alignment.experts.finetuning.settings import FinetuneSettings
from beyond_alignment.experts.finetuning.stages import Stages, VitStages
from beyond_alignment.experts.finetuning.starting_weights import starting_gene_transformer, starting_tissue_vit
from beyond_alignment.experts.finetuning.surrogate import (
    SURROGATE,
    SURROGATE_SETTINGS,
    EmbeddingStages,
    finetune_surrogate,
)

__all__ = [
    "SURROGATE",
    "SURROGATE_SETTINGS",
    "Chosen",
    "Cost",
    "Diverged",
    "EmbeddingStages",
    "Entered",
    "EnteredStages",
    "FinetuneSettings",
    "Finetuned",
    "GeneStages",
    "LowRank",
    "Stages",
    "VitStages",
    "add_lora",
    "enter_spots",
    "finetune",
    "finetune_surrogate",
    "gene_stages",
    "merge_lora",
    "raw_absence",
    "raw_counts",
    "raw_patches",
    "starting_gene_transformer",
    "starting_tissue_vit",
]
