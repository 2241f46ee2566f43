"""Self-supervised training of the project's own experts."""

from beyond_alignment.experts.training.train_gene_transformer import train_gene_transformer
from beyond_alignment.experts.training.train_tissue_vit import train_tissue_vit

__all__ = ["train_gene_transformer", "train_tissue_vit"]
