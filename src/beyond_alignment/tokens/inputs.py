"""Checks of fields before tiles are cut from them: each failure says what to do."""

from collections.abc import Sequence
from difflib import get_close_matches

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from beyond_alignment.datasets.transcripts import TranscriptsOnImage
from beyond_alignment.errors import InputError

MAX_OUTSIDE = 0.05
# Coordinates in microns reach as far as the image does in microns; the last transcript lies a little before the edge.
_REACH = (0.93, 1.02)
_SAME_SCALE = 0.1
_MAP = "map them into the image with its affine, as transcripts_on_image and the readers of folders do"


def check_fields(fields: Sequence[TranscriptsOnImage], genes: Sequence[str], groups: Sequence[str]) -> None:
    """Check fields against each other and against the genes that are asked for.

    Parameters
    ----------
    fields
        Images with their transcripts.
    genes
        Core and add-on genes.
    groups
        Of each field.

    Raises
    ------
    InputError
        There is no field, a group is missing, a field is no image with transcripts in its pixels, or a gene is unknown.
    """
    if not fields or len(fields) != len(groups):
        raise InputError(f"{len(fields)} fields and {len(groups)} groups were given: give a group with each field.")
    for number, field in enumerate(fields):
        check_field(field, name=f"Field {number + 1} ({groups[number]})")
    _check_genes(fields, genes)


def check_field(field: TranscriptsOnImage, *, name: str = "The field") -> None:
    """Check that the transcripts of a field lie in the pixels of its image.

    Parameters
    ----------
    field
        Image with transcripts.
    name
        For messages.

    Raises
    ------
    InputError
        Image or table are of another form, a coordinate is not finite, or the transcripts are in another frame.
    """
    shape, table, scale = tuple(field.image.shape), field.transcripts, field.microns_per_pixel
    if len(shape) != 3 or shape[2] != 3:
        raise InputError(f"{name} has an image of shape {shape}: give (height, width, 3), RGB.")
    if not (np.isfinite(scale) and scale > 0):
        raise InputError(f"{name} has {scale} microns per pixel: give a positive number.")
    if missing := [column for column in ("gene", "x", "y") if column not in table.columns]:
        raise InputError(f"The transcripts of {name} lack the columns {', '.join(missing)}: give gene, x and y.")
    if not len(table):
        raise InputError(f"{name} has no transcripts: leave it out.")
    xy = table[["x", "y"]].to_numpy(dtype=np.float64)
    if bad := int((~np.isfinite(xy)).any(axis=1).sum()):
        raise InputError(f"{bad} of {len(xy)} transcripts of {name} have coordinates that are NaN: drop them.")
    if nameless := int(table["gene"].isna().sum()):
        raise InputError(f"{nameless} of {len(xy)} transcripts of {name} have no gene: drop them.")
    size = np.array([shape[1], shape[0]], dtype=np.float64)
    if fault := _fault_of_frame(xy, size, scale):
        raise InputError(f"{name}: {fault}.")


def _fault_of_frame(xy: NDArray[np.float64], size: NDArray[np.float64], scale: float) -> str | None:
    """Say in which frame the transcripts (transcript, axis) seem to be, where it is not that of the image."""
    low, high = xy.min(axis=0), xy.max(axis=0)
    said = (
        f"the transcripts span x {low[0]:.0f} to {high[0]:.0f} and y {low[1]:.0f} to {high[1]:.0f}, "
        f"the image {size[0]:.0f} x {size[1]:.0f} pixels of {scale:.3g} um"
    )
    if (high < 0).any() or (low > size).any():
        return f"{said}, which do not overlap: image and transcripts are in different frames; {_MAP}"
    reach = high / size
    in_microns = reach / scale
    if abs(scale - 1) > _SAME_SCALE and ((_REACH[0] <= in_microns) & (in_microns <= _REACH[1])).all():
        return f"{said}, {scale:.3g} times as much: the coordinates look like microns; {_MAP}"
    outside = _share_outside(xy, size)
    if outside <= MAX_OUTSIDE:
        return None
    if _share_outside(xy[:, ::-1], size) <= MAX_OUTSIDE:
        return f"{said}, which fits with x and y swapped: swap the two columns"
    if reach.max() <= (1 + _SAME_SCALE) * reach.min() and low.min() >= 0:
        return (
            f"{said}, {reach.mean():.2f} times as much on both axes: the coordinates look like pixels of another image "
            f"or resolution; {_MAP}"
        )
    if (negative := float((xy < 0).any(axis=1).mean())) > MAX_OUTSIDE:
        return f"{negative:.0%} of the transcripts have negative coordinates, left of or above the image; {_MAP}"
    return f"{outside:.0%} of the transcripts lie outside of the image, more than {MAX_OUTSIDE:.0%} ({said}): {_MAP}"


def _share_outside(xy: NDArray[np.float64], size: NDArray[np.float64]) -> float:
    """Return the share of transcripts that lie off the image."""
    return float(((xy < 0) | (xy >= size)).any(axis=1).mean())


def _check_genes(fields: Sequence[TranscriptsOnImage], genes: Sequence[str]) -> None:
    """Raise where no field has a gene, or where the panel of a field lacks it."""
    panels = [field.transcripts["gene"] for field in fields]
    stated = [isinstance(panel.dtype, pd.CategoricalDtype) for panel in panels]
    known = [
        set(panel.cat.categories if whole else panel.unique()) for panel, whole in zip(panels, stated, strict=True)
    ]
    everywhere = set().union(*known)
    if unknown := [gene for gene in genes if gene not in everywhere]:
        close = get_close_matches(str(unknown[0]), sorted(map(str, everywhere)), n=1)
        meant = f" (did you mean {close[0]}?)" if close else ""
        raise InputError(
            f"{len(unknown)} genes are in no field, such as {unknown[0]}{meant}: name genes that the fields have."
        )
    for number, (panel, whole) in enumerate(zip(known, stated, strict=True)):
        if whole and (lacking := [gene for gene in genes if gene not in panel]):
            raise InputError(
                f"The panel of field {number + 1} lacks {len(lacking)} genes that others have, such as {lacking[0]}: "
                "name genes that every field has."
            )
