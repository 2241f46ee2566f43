"""What alignment of frozen embeddings can find, and what it keeps."""

from beyond_alignment.alignment.ceiling_result import SpectralCeiling
from beyond_alignment.alignment.descent import angles_by_steps, found_subspaces
from beyond_alignment.alignment.linear_methods import LINEAR_METHODS
from beyond_alignment.alignment.reduced import ReducedPair
from beyond_alignment.alignment.spectral import spectral_ceiling
from beyond_alignment.alignment.spectrum_by_size import spectrum_by_size

__all__ = [
    "LINEAR_METHODS",
    "ReducedPair",
    "SpectralCeiling",
    "angles_by_steps",
    "found_subspaces",
    "spectral_ceiling",
    "spectrum_by_size",
]
