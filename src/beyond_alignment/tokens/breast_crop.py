"""The one real field at hand, a piece of a Xenium breast section, as small overlapping tiles."""

from pathlib import Path

from beyond_alignment.datasets import load, transcripts_on_image
from beyond_alignment.datasets.transcripts import TranscriptsOnImage
from beyond_alignment.tokens.genes import MIN_QUALITY, without_controls
from beyond_alignment.tokens.panel import Panel, split_panel
from beyond_alignment.tokens.tiles import Tiles, make_tiles

NAME = "xenium_breast_crop"
TILE_UM, STRIDE_UM = 32.0, 8.0
MIN_TRANSCRIPTS = 100
N_ADDON = 60
MIN_COUNT = 50


def breast_crop_field(*, cache: str | Path | None = None, mirror: str | Path | None = None) -> TranscriptsOnImage:
    """Load the field: transcripts of genes with a Phred score of 20 or more, in the pixels of its H&E image.

    Parameters
    ----------
    cache, mirror
        As in ``datasets.fetch``.

    Raises
    ------
    InputError
        The field cannot be had.
    """
    store = load(NAME, cache=cache, mirror=mirror)
    return without_controls(transcripts_on_image(store, min_quality=MIN_QUALITY))


def breast_crop_panel(field: TranscriptsOnImage) -> Panel:
    """Draw the add-on genes among those with enough transcripts to be measured; all other genes are core.

    How often a gene occurs is counted over the whole field: it decides what is scored, and fits nothing.
    """
    counts = field.transcripts["gene"].value_counts()
    often = sorted(counts.index[counts >= MIN_COUNT])
    drawn = split_panel(often, N_ADDON).addon
    return split_panel(sorted(counts.index), drawn)


def breast_crop_tiles(
    *,
    input_px: int = 224,
    patch_px: int = 16,
    cache: str | Path | None = None,
    mirror: str | Path | None = None,
) -> Tiles:
    """Cut the field into overlapping tiles of one group.

    The field is 192 x 163 um, smaller than one tile of Martinelli et al. (256 um): its tiles are an eighth as wide,
    hold a few cells each, and overlap. ``folds.disjoint_tiles`` says how few of them share no tissue.

    Parameters
    ----------
    input_px, patch_px
        As in :func:`tiles.make_tiles`.
    cache, mirror
        As in ``datasets.fetch``.

    Raises
    ------
    InputError
        The field cannot be had.
    """
    field = breast_crop_field(cache=cache, mirror=mirror)
    split = breast_crop_panel(field)
    return make_tiles(
        [field], core_genes=split.core, addon_genes=split.addon, groups=[NAME], tile_um=TILE_UM, stride_um=STRIDE_UM,
        input_px=input_px, patch_px=patch_px, min_transcripts=MIN_TRANSCRIPTS,
    )  # fmt: skip
