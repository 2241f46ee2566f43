"""Tissue: getting it, verifying it, reading it."""

from beyond_alignment.datasets.fetch import fetch
from beyond_alignment.datasets.folders import read_folder
from beyond_alignment.datasets.genesets import hallmark_sets
from beyond_alignment.datasets.images import image_provenance, read_image
from beyond_alignment.datasets.loading import at_hand, load
from beyond_alignment.datasets.patches import extract_patches
from beyond_alignment.datasets.quality import QualityReport, normalise, quality_control, spatial_graph
from beyond_alignment.datasets.registry import DataFile, DataSet, data_set, data_sets
from beyond_alignment.datasets.release import read_release, write_release
from beyond_alignment.datasets.scale import measured_microns_per_pixel
from beyond_alignment.datasets.simulated_histology import Dials, SimulatedField, simulate_field, simulate_fields
from beyond_alignment.datasets.transcripts import TranscriptsOnImage, transcripts_on_image
from beyond_alignment.datasets.weights import weights_path

__all__ = [
    "DataFile",
    "DataSet",
    "Dials",
    "QualityReport",
    "SimulatedField",
    "TranscriptsOnImage",
    "at_hand",
    "data_set",
    "data_sets",
    "extract_patches",
    "fetch",
    "hallmark_sets",
    "image_provenance",
    "load",
    "measured_microns_per_pixel",
    "normalise",
    "quality_control",
    "read_folder",
    "read_image",
    "read_release",
    "simulate_field",
    "simulate_fields",
    "spatial_graph",
    "transcripts_on_image",
    "weights_path",
    "write_release",
]
