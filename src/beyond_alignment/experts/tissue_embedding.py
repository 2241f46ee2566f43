"""Embeds the tissue around every spot of a data set, section by section, into AnnData."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from beyond_alignment import keys
from beyond_alignment.errors import InputError
from beyond_alignment.experts.compute import Device, Precision
from beyond_alignment.experts.extraction import (
    BATCH_SIZE,
    Advance,
    Edge,
    Extraction,
    embed_slide,
    embed_stored,
)
from beyond_alignment.experts.morphology import FrozenModel
from beyond_alignment.experts.patch_stream import StoredPatches
from beyond_alignment.experts.record import Expert
from beyond_alignment.experts.section_images import SectionImage, section_images

_EACH = ("image", "image_sha256", "slide_microns_per_pixel", "n_padded", "n_dropped")


@dataclass(frozen=True)
class TissueEmbedding:
    """What was embedded.

    Attributes
    ----------
    name
        The embedding is ``obsm["X_<name>"]``.
    adata
        The spots that were kept, with the embedding and its provenance.
    n_padded, n_dropped, n_cached
        Summed over sections; a spot without a stored patch is dropped.
    notes
        What a reader must know of the images, in sentences.
    """

    name: str
    adata: AnnData
    n_padded: int
    n_dropped: int
    n_cached: int
    notes: tuple[str, ...]


def embed_tissue(
    adata: AnnData,
    *,
    model: FrozenModel,
    field_of_view_um: float | None = None,
    image: Path | None = None,
    microns_per_pixel: float | None = None,
    base: Path | None = None,
    edge: Edge = "pad",
    device: Device = "auto",
    batch_size: int = BATCH_SIZE,
    workers: int | None = None,
    precision: Precision = "auto",
    cache_dir: Path | None = None,
    progress: bool = True,
) -> TissueEmbedding:
    """Embed the square of tissue around every spot.

    Parameters
    ----------
    adata
        As ``read_folder`` or ``load`` return it, or one's own; what is read of it: see ``section_images``. It is not
        changed where spots are dropped; else ``obsm["X_<name>"]`` and ``uns["<name>"]["params"]`` are added.
    model
        From ``load_morphology``.
    field_of_view_um
        Width of the square; with it, the name is ``<expert>_<field>um``, without it the expert's own and its name.
    image, microns_per_pixel, base
        As in ``section_images``.
    edge, device, batch_size, workers, precision, cache_dir
        As in ``embed_slide``.
    progress
        Show what is done and the time to go.

    Raises
    ------
    InputError
        As ``section_images`` and ``embed_slide`` say, or no spot is left.
    """
    expert = model.expert
    name = expert.name if field_of_view_um is None else f"{expert.name}_{field_of_view_um:g}um"
    values = np.full((adata.n_obs, expert.dimension), np.nan, dtype=np.float32)
    kept = np.zeros(adata.n_obs, dtype=bool)
    parts: dict[str, Extraction] = {}
    options: dict[str, Any] = {
        "model": model, "device": device, "batch_size": batch_size, "workers": workers, "precision": precision,
        "cache_dir": cache_dir,
    }  # fmt: skip
    with _bar(adata.n_obs, expert.name, shown=progress) as advance:
        for found in section_images(adata, image=image, microns_per_pixel=microns_per_pixel, base=base):
            with found.opened:
                if isinstance(found.opened, StoredPatches):
                    _same_field(found.opened, field_of_view_um)
                    part = _spots_of_patches(adata, found, embed_stored(found.opened, advance=advance, **options))
                else:
                    part = embed_slide(
                        found.opened, found.centres_px, field_of_view_um=field_of_view_um, edge=edge, advance=advance,
                        **options,
                    )  # fmt: skip
            values[found.rows], kept[found.rows], parts[found.section] = part.values, part.kept, part
    if not kept.any():
        raise InputError("No spot is left: all squares reach over the edge, or no patch has the name of a spot.")
    chosen = adata if kept.all() else adata[kept].copy()
    chosen.obsm[keys.embedding(name)] = values[kept]
    chosen.uns[name] = {"params": _record(expert) | _provenance(parts)}
    n_padded, n_dropped, n_cached = (
        sum(getattr(part, count) for part in parts.values()) for count in ("n_padded", "n_dropped", "n_cached")
    )
    notes = tuple(dict.fromkeys(note for part in parts.values() for note in part.provenance["image_notes"]))
    return TissueEmbedding(name, chosen, n_padded, n_dropped, n_cached, notes)


def _record(expert: Expert) -> dict[str, Any]:
    """Return what is written of an expert beside its embedding."""
    return {
        "expert": expert.name,
        "source": expert.source,
        "revision": expert.revision,
        "licence": expert.licence,
        "input": expert.input_description,
        "fitted_on": expert.fitted_on,
    }


def _same_field(patches: StoredPatches, wanted: float | None) -> None:
    """Check that stored patches have the width that is asked for."""
    stored = patches.field_of_view_um
    if wanted is not None and abs(wanted / stored - 1.0) > 0.01:
        raise InputError(
            f"The patches of {patches.path.name} are {stored:g} um wide, not {wanted:g} um: leave the field of view "
            "out, or give the slide."
        )


def _spots_of_patches(adata: AnnData, found: SectionImage, stored: Extraction) -> Extraction:
    """Put embeddings of stored patches into the order of the spots, by name."""
    opened = found.opened
    assert isinstance(opened, StoredPatches)
    place = {name: row for row, name in enumerate(opened.names)}
    names = [str(adata.obs_names[row]) for row in found.rows]
    rows = np.array([place.get(name, place.get(name.removeprefix(f"{found.section}_"), -1)) for name in names], int)
    kept = rows >= 0
    values: NDArray[np.float32] = np.full((len(rows), stored.values.shape[1]), np.nan, dtype=np.float32)
    values[kept] = stored.values[rows[kept]]
    n_dropped = int((~kept).sum())
    provenance = stored.provenance | {"n_padded": 0, "n_dropped": n_dropped}
    return Extraction(values, kept, 0, n_dropped, stored.n_cached, provenance)


def _provenance(parts: dict[str, Extraction]) -> dict[str, Any]:
    """Join the provenance of the sections: what they share, and lists of what each has of its own."""
    records = [part.provenance for part in parts.values()]
    shared = {key: value for key, value in records[0].items() if key not in (*_EACH, "image_notes")}
    notes = sorted({note for record in records for note in record["image_notes"]})
    lists = {key: [record[key] for record in records] for key in _EACH if all(key in record for record in records)}
    return shared | {"sections": list(parts), **lists, **({"image_notes": notes} if notes else {})}


@contextmanager
def _bar(total: int, name: str, *, shown: bool) -> Iterator[Advance]:
    """Show a bar and the time to go."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=True, disable=not shown) as bar:
        job = bar.add_task(name, total=total)
        yield lambda number: bar.advance(job, number)
