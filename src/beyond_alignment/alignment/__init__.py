"""What alignment of frozen embeddings can find, and what it keeps."""

from beyond_alignment.alignment.angles import principal_angles
from beyond_alignment.alignment.canonical import CanonicalCorrelation
from beyond_alignment.alignment.retained import information_retained
from beyond_alignment.alignment.spectral import SpectralCeiling, spectral_ceiling

__all__ = [
    "CanonicalCorrelation",
    "SpectralCeiling",
    "information_retained",
    "principal_angles",
    "spectral_ceiling",
]
