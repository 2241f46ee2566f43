"""Frozen unimodal experts of morphology and expression."""

from beyond_alignment.experts.architectures import build_morphology
from beyond_alignment.experts.compute import resolve_device
from beyond_alignment.experts.embed import FIELDS_UM, embed_expression, embed_gene_transformer, field_name
from beyond_alignment.experts.embedding_file import (
    EmbeddingFile,
    attach_embedding,
    read_embedding_file,
    write_embedding_file,
)
from beyond_alignment.experts.expression import FrozenPCA, fit_frozen_pca, hallmark_scores
from beyond_alignment.experts.extraction import Extraction, embed_slide
from beyond_alignment.experts.gene_names import GeneMatch, match_genes
from beyond_alignment.experts.loading import load_morphology
from beyond_alignment.experts.morphology import (
    FrozenModel,
    mobilenetv2,
)
from beyond_alignment.experts.registry import EXPERTS, Expert, get_expert
from beyond_alignment.experts.slides import Slide, open_slide
from beyond_alignment.experts.structure import (
    between_group_share,
    centre_within,
    display_components,
    rv_matrix,
)
from beyond_alignment.experts.tissue_embedding import Reading, TissueEmbedding, embed_readings, embed_tissue

__all__ = [
    "EXPERTS",
    "FIELDS_UM",
    "EmbeddingFile",
    "Expert",
    "Extraction",
    "FrozenModel",
    "FrozenPCA",
    "GeneMatch",
    "Reading",
    "Slide",
    "TissueEmbedding",
    "attach_embedding",
    "between_group_share",
    "build_morphology",
    "centre_within",
    "display_components",
    "embed_expression",
    "embed_gene_transformer",
    "embed_readings",
    "embed_slide",
    "embed_tissue",
    "field_name",
    "fit_frozen_pca",
    "get_expert",
    "hallmark_scores",
    "load_morphology",
    "match_genes",
    "mobilenetv2",
    "open_slide",
    "read_embedding_file",
    "resolve_device",
    "rv_matrix",
    "write_embedding_file",
]
