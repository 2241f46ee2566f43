"""Tissue: getting it, verifying it, reading it."""

from beyond_alignment.datasets.images import image_provenance, read_image
from beyond_alignment.datasets.loading import at_hand, load
from beyond_alignment.datasets.patches import extract_patches
from beyond_alignment.datasets.quality import normalise, quality_control, spatial_graph
from beyond_alignment.datasets.registry import data_sets
from beyond_alignment.datasets.release import read_release
from beyond_alignment.datasets.scale import measured_microns_per_pixel
from beyond_alignment.datasets.simulated_histology import simulate_field, simulate_fields
from beyond_alignment.datasets.transcripts import transcripts_on_image

__all__ = [
    "at_hand",
    "data_sets",
    "extract_patches",
    "image_provenance",
    "load",
    "measured_microns_per_pixel",
    "normalise",
    "quality_control",
    "read_image",
    "read_release",
    "simulate_field",
    "simulate_fields",
    "spatial_graph",
    "transcripts_on_image",
]
