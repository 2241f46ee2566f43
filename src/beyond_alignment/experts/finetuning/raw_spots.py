"""Raw patches and counts of the spots of a release, which itself holds embeddings: from the mirror or the cache."""

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from beyond_alignment import keys
from beyond_alignment.datasets import at_hand, data_sets, load
from beyond_alignment.errors import InputError
from beyond_alignment.experts.finetuning.gene_stages import GeneStages, gene_stages
from beyond_alignment.experts.gene_transformer import TrainedGeneTransformer
from beyond_alignment.experts.morphology import FrozenModel
from beyond_alignment.experts.patch_stream import SlidePatches
from beyond_alignment.experts.record import Modality
from beyond_alignment.experts.section_images import section_images
from beyond_alignment.experts.slides import Slide
from beyond_alignment.project import MIRROR_VARIABLE


def raw_absence(spots: AnnData, *, modality: Modality) -> str:
    """Say in a sentence why the raw input of spots is not at hand; empty where it is. Nothing is fetched."""
    name = str(spots.uns.get(keys.DATASET, {}).get("name", ""))
    if name not in {record.name for record in data_sets()}:
        return f"Raw input of {name or 'these spots'} is not known to the registry: pass patches or counts yourself."
    sections = _sections(spots, modality)
    here = at_hand(name, sections=sections, images=modality == "morphology")
    if absent := [section for section in sections if section not in here]:
        what = "H&E images" if modality == "morphology" else "counts"
        return (
            f"The {what} of section {', '.join(absent)} of {name} are in neither the cache nor a mirror: fetch them or "
            f"set {MIRROR_VARIABLE}; without them a surrogate over the frozen embedding is all that can be trained."
        )
    return ""


def raw_patches(spots: AnnData, model: FrozenModel, *, field_of_view_um: float) -> NDArray[np.uint8]:
    """Cut the patches of spots as they were cut for the frozen embedding.

    Parameters
    ----------
    spots
        Of a release.
    model
        Gives the size of its input in pixels.
    field_of_view_um
        Width of the square in microns.

    Returns
    -------
    NDArray[np.uint8]
        (spot, height, width, channel), in the order of the spots.

    Raises
    ------
    InputError
        If the images are not at hand, or a spot is not among those of the raw data.
    """
    raw = _raw(spots, "morphology")
    size = model.expert.input_px
    patches = np.empty((raw.n_obs, size, size, 3), dtype=np.uint8)
    for found in section_images(raw):
        with found.opened as image:
            assert isinstance(image, Slide)  # the registered data sets hold images, no stored patches
            source = SlidePatches(image, found.centres_px, field_of_view_um / image.scale())
            for row in source.order():
                patches[found.rows[row]] = source.cut(int(row), size)
    return patches


def raw_counts(spots: AnnData, trained: TrainedGeneTransformer) -> tuple[GeneStages, NDArray[np.uint8]]:
    """Return ``gene_transformer`` over the genes of a data set, and its spots as that reads them (spot, token).

    All sections are read, because which genes are measured in any of them decides which tokens there are.
    """
    return gene_stages(trained, _raw(spots, "expression"))


def _sections(spots: AnnData, modality: Modality) -> list[str]:
    """Return the sections to read: those of the spots; for counts all of the release, whose genes are joined."""
    own = sorted(spots.obs[keys.SECTION].astype(str).unique())
    whole = spots.uns[keys.DATASET].get("sections_present", own)
    return [str(section) for section in whole] if modality == "expression" else own


def _raw(spots: AnnData, modality: Modality) -> AnnData:
    """Load the raw data of spots, in their order."""
    if reason := raw_absence(spots, modality=modality):
        raise InputError(reason)
    name = str(spots.uns[keys.DATASET]["name"])
    sections, images = _sections(spots, modality), modality == "morphology"
    raw = load(name, sections=sections, images=images, progress=False, network=False)
    if lost := int((~spots.obs_names.isin(raw.obs_names)).sum()):
        raise InputError(f"{lost} of {spots.n_obs} spots are not in the raw data of {name}: give spots of its release.")
    return raw[spots.obs_names].copy()
