"""Embeds the tissue around every spot of a data set, section by section, into AnnData."""

from collections.abc import Callable, Iterator, Sequence
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
from beyond_alignment.experts.embed import field_name
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


@dataclass(frozen=True)
class Reading:
    """An expert at a field of view.

    Attributes
    ----------
    model
        From ``load_morphology``.
    field_of_view_um
        Width of the square; the expert's own where None.
    """

    model: FrozenModel
    field_of_view_um: float | None = None

    @property
    def name(self) -> str:
        """``<expert>_<field>um``, or the expert's name where the field is its own."""
        expert = self.model.expert.name
        return expert if self.field_of_view_um is None else field_name(expert, self.field_of_view_um)


def embed_tissue(
    adata: AnnData, *, model: FrozenModel, field_of_view_um: float | None = None, **options: Any
) -> TissueEmbedding:
    """Embed the square of tissue around every spot with one expert.

    Parameters
    ----------
    adata, model, field_of_view_um
        As in :func:`embed_readings`, of one reading.
    **options
        Those of :func:`embed_readings`.
    """
    return embed_readings(adata, [Reading(model, field_of_view_um)], **options)[0]


def embed_readings(
    adata: AnnData,
    readings: Sequence[Reading],
    *,
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
) -> list[TissueEmbedding]:
    """Embed the square of tissue around every spot with several experts, opening the image of each section once.

    Parameters
    ----------
    adata
        As ``read_folder`` or ``load`` return it, or one's own; what is read of it: see ``section_images``. It is not
        changed where spots are dropped; else ``obsm["X_<name>"]`` and ``uns["<name>"]["params"]`` are added.
    readings
        Experts and fields of view; their names differ.
    image, microns_per_pixel, base
        As in ``section_images``.
    edge, device, batch_size, workers, precision, cache_dir
        As in ``embed_slide``.
    progress
        Show what is done and the time to go.

    Returns
    -------
    list of TissueEmbedding
        One a reading, all of the spots that every reading kept.

    Raises
    ------
    InputError
        As ``section_images`` and ``embed_slide`` say, or no spot is left.
    """
    values = [np.full((adata.n_obs, one.model.expert.dimension), np.nan, dtype=np.float32) for one in readings]
    kept = np.zeros((len(readings), adata.n_obs), dtype=bool)
    parts: list[dict[str, Extraction]] = [{} for _ in readings]
    options: dict[str, Any] = {
        "device": device, "batch_size": batch_size, "workers": workers, "precision": precision, "cache_dir": cache_dir,
    }  # fmt: skip
    with _bar(adata.n_obs * len(readings), shown=progress) as told:
        for found in section_images(adata, image=image, microns_per_pixel=microns_per_pixel, base=base):
            with found.opened:
                for number, one in enumerate(readings):
                    own = options | {"model": one.model, "advance": told(f"{found.section}, {one.name}")}
                    part = _embed_section(adata, found, one.field_of_view_um, edge, own)
                    values[number][found.rows], kept[number, found.rows] = part.values, part.kept
                    parts[number][found.section] = part
    whole = kept.all(axis=0)
    if not whole.any():
        raise InputError("No spot is left: all squares reach over the edge, or no patch has the name of a spot.")
    chosen = adata if whole.all() else adata[whole].copy()
    return [
        _written(chosen, one, embedded[whole], of) for one, embedded, of in zip(readings, values, parts, strict=True)
    ]


def _embed_section(
    adata: AnnData, found: SectionImage, field_um: float | None, edge: Edge, options: dict[str, Any]
) -> Extraction:
    """Embed the spots of one section."""
    if isinstance(found.opened, StoredPatches):
        _same_field(found.opened, field_um)
        return _spots_of_patches(adata, found, embed_stored(found.opened, **options))
    return embed_slide(found.opened, found.centres_px, field_of_view_um=field_um, edge=edge, **options)


def _written(
    chosen: AnnData, reading: Reading, values: NDArray[np.float32], parts: dict[str, Extraction]
) -> TissueEmbedding:
    """Write an embedding and its provenance into the data."""
    chosen.obsm[keys.embedding(reading.name)] = values
    params = reading.model.expert.provenance | _provenance(parts) | dict(reading.model.details)
    chosen.uns[reading.name] = {"params": params}
    n_padded, n_dropped, n_cached = (
        sum(getattr(part, count) for part in parts.values()) for count in ("n_padded", "n_dropped", "n_cached")
    )
    notes = tuple(dict.fromkeys(note for part in parts.values() for note in part.provenance["image_notes"]))
    return TissueEmbedding(reading.name, chosen, n_padded, n_dropped, n_cached, notes)


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
def _bar(total: int, *, shown: bool) -> Iterator[Callable[[str], Advance]]:
    """Show a bar with the time to go; what is yielded names the work at hand and returns what moves the bar."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=True, disable=not shown) as bar:
        job = bar.add_task("embedding", total=total)

        def told(what: str) -> Advance:
            bar.update(job, description=what)
            return lambda number: bar.advance(job, number)

        yield told
