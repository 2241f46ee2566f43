"""Loading a data set, or as much of it as can be had, and saying what is absent."""

import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import anndata as ad

from beyond_alignment import keys
from beyond_alignment.datasets import crc_visium, her2st, mob, xenium_breast_crop
from beyond_alignment.datasets.fetch import Unavailable, fetch, find
from beyond_alignment.datasets.registry import OVERVIEW, DataFile, DataSet, data_set
from beyond_alignment.datasets.tables import Files, finish
from beyond_alignment.errors import InputError
from beyond_alignment.project import MIRROR_VARIABLE

OVERVIEW_SECTIONS = ("A1", "A2")
READERS: dict[str, Callable[[DataSet, Mapping[str, Files]], ad.AnnData]] = {
    "her2st": her2st.read,
    "mob": mob.read,
    "crc_visium": crc_visium.read,
}
STORES = {"xenium_breast_crop": xenium_breast_crop.STORE}
_OFFLINE = "is in neither the cache nor the mirror, and the network could not be reached"
_log = logging.getLogger(__name__)


def load(
    name: str | DataSet,
    *,
    sections: Iterable[str] | None = None,
    progress: bool = True,
    cache: str | Path | None = None,
    mirror: str | Path | None = None,
    images: bool = True,
    overview: Iterable[str] = OVERVIEW_SECTIONS,
    network: bool = True,
) -> Any:
    """Load a data set from the cache, the mirror or the network, in this order.

    Parameters
    ----------
    name
        ``"her2st"``, ``"mob"``, ``"crc_visium"`` or ``"xenium_breast_crop"``, or a record of its own.
    sections
        Sections to load, in this order. Without them every section that can be had is loaded, and a warning and
        ``uns["dataset"]["sections_absent"]`` name the others with the reason; a section that is named must be there.
    progress
        Show a bar on a terminal while downloading.
    cache, mirror
        As in ``fetch``.
    images
        Whether a section needs its H&E image. Without, HER2ST has counts of all 36 sections.
    overview
        Sections of HER2ST whose 2000-pixel overview frame is taken as image instead of the full-resolution JPEG.
    network
        Whether the network may be used; once it could not be reached it is not tried again within the call.

    Returns
    -------
    AnnData or SpatialData
        SpatialData for ``xenium_breast_crop``. AnnData: ``X`` raw counts (spot, gene), CSR float32, over the union of
        the sections' genes with 0 for genes that a section does not list; ``var_names`` unique symbols; ``obs``:
        section, donor (categorical), array_x, array_y, and pathologist (HER2ST) or bacterial_umis (CRC);
        ``obsm["spatial"]``: (x, y) in full-resolution pixels; ``obsm["composition"]`` (HER2ST: spot, cell type);
        ``uns["spatial"][section]``: ``scalefactors`` (microns_per_pixel, spot_diameter_fullres in full-resolution
        pixels, tissue_image_scalef) and ``metadata["image"]``, the image's path in the registry, the last of both
        only with ``images``; ``uns["dataset"]``: name, licence, source, sections_present, sections_absent.

    Raises
    ------
    InputError
        If the data set, a section or an overview is unknown, a named section or everything is absent, or a mirror's or
        a downloaded file is damaged.
    """
    record = _readable(name)
    chosen = record.choose(sections)
    overview = _overview(record, overview)
    have: dict[str, dict[DataFile, Path]] = {}
    absent: dict[str, str] = {}
    offline = False
    for section in chosen:
        try:
            held = {}
            for file in record.needed(section, images=images, overview=overview):
                held[file] = fetch(
                    record, file.path, cache=cache, mirror=mirror, progress=progress, network=network and not offline
                )
            have[section] = held
        except Unavailable as error:
            if sections is not None:
                msg = f"Section {section} of {record.name} is absent: {error}"
                raise InputError(msg) from error
            offline = offline or error.offline
            absent[section] = f"{error.file} {_OFFLINE if offline else error.reason}"
    if not have:
        msg = (
            f"No section of {record.name} can be had: {next(iter(absent.values()))}; set {MIRROR_VARIABLE} or connect."
        )
        raise InputError(msg)
    if absent:
        _log.warning(
            "%s: %d of %d sections are absent (%s); first reason: %s",
            record.name,
            len(absent),
            len(chosen),
            ", ".join(absent),
            next(iter(absent.values())),
        )
    if record.name in STORES:
        (held,) = have.values()
        return xenium_breast_crop.read(_store(held, STORES[record.name]))
    roles = {section: {file.role: path for file, path in held.items()} for section, held in have.items()}
    adata = READERS[record.name](record, roles)
    finish(adata, record, {s: _image(held, s in overview) for s, held in have.items()})
    adata.uns[keys.DATASET] = {
        "name": record.name,
        "licence": record.licence,
        "source": record.source,
        "sections_present": list(have),
        "sections_absent": absent,
    }
    return adata


def at_hand(
    name: str | DataSet,
    *,
    sections: Iterable[str] | None = None,
    cache: str | Path | None = None,
    mirror: str | Path | None = None,
    images: bool = True,
    overview: Iterable[str] = OVERVIEW_SECTIONS,
) -> tuple[str, ...]:
    """Return the sections whose every raw file is, verified, in the cache or the mirror; nothing is downloaded.

    Parameters
    ----------
    name, sections, cache, mirror, images, overview
        As in ``load``.

    Raises
    ------
    InputError
        If the data set, a section or an overview is unknown.
    """
    record = _readable(name)
    overview = _overview(record, overview)
    return tuple(
        section
        for section in record.choose(sections)
        if all(
            find(file, cache=cache, mirror=mirror) for file in record.needed(section, images=images, overview=overview)
        )
    )


def _readable(name: str | DataSet) -> DataSet:
    """Return the record of a data set that has a reader."""
    record = data_set(name)
    if record.name not in READERS and record.name not in STORES:
        msg = f"{record.name} is no tissue: load takes {', '.join([*READERS, *STORES])}."
        raise InputError(msg)
    return record


def _overview(record: DataSet, overview: Iterable[str]) -> frozenset[str]:
    """Return the sections read from their overview frame, which must exist."""
    held = {section for file in record.files if file.role == OVERVIEW for section in file.sections}
    asked = frozenset([overview] if isinstance(overview, str) else overview)
    if not held:
        return frozenset()
    if unknown := sorted(asked - held):
        msg = f"{record.name} has no overview frame of {', '.join(unknown)}: it has {', '.join(sorted(held))}."
        raise InputError(msg)
    return asked


def _image(held: Mapping[DataFile, Path], overview: bool) -> DataFile | None:
    """Return the record of the image that a section was loaded with."""
    role = OVERVIEW if overview else "image"
    return next((file for file in held if file.role == role), None)


def _store(held: Mapping[DataFile, Path], name: str) -> Path:
    """Return the folder of a zarr store from the paths of its files."""
    path = next(path for file, path in held.items() if file.path == f"{name}/.zgroup")
    return path.parent
