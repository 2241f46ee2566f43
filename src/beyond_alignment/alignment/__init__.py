"""What alignment of frozen embeddings can find, and what it keeps."""

from beyond_alignment.alignment.ceiling_result import SpectralCeiling
from beyond_alignment.alignment.descent import canonical_angle, found_subspaces
from beyond_alignment.alignment.linear_methods import LINEAR_METHODS
from beyond_alignment.alignment.reduced import ReducedPair
from beyond_alignment.alignment.spectral import spectral_ceiling

__all__ = [
    "LINEAR_METHODS",
    "ReducedPair",
    "SpectralCeiling",
    "canonical_angle",
    "found_subspaces",
    "spectral_ceiling",
]
