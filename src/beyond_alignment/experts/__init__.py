"""Frozen unimodal experts of morphology and expression."""

from beyond_alignment.experts.embedding_file import attach_embedding, read_embedding_file, write_embedding_file
from beyond_alignment.experts.registry import EXPERTS
from beyond_alignment.experts.structure import between_group_share, centre_within, display_components, rv_matrix

__all__ = [
    "EXPERTS",
    "attach_embedding",
    "between_group_share",
    "centre_within",
    "display_components",
    "read_embedding_file",
    "rv_matrix",
    "write_embedding_file",
]
