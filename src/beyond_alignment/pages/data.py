"""Tables and numbers of the page on data, and the study of the raw counts behind them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray

from beyond_alignment import keys
from beyond_alignment.datasets.images import image_provenance, read_image
from beyond_alignment.datasets.loading import at_hand, load
from beyond_alignment.datasets.patches import extract_patches
from beyond_alignment.datasets.quality import normalise, quality_control, spatial_graph
from beyond_alignment.datasets.registry import DataSet, data_sets
from beyond_alignment.datasets.release import read_release
from beyond_alignment.datasets.scale import measured_microns_per_pixel
from beyond_alignment.datasets.transcripts import TranscriptsOnImage, transcripts_on_image
from beyond_alignment.tasks.registry import NEIGHBOUR_RADIUS_UM, get_task, task_set
from beyond_alignment.tasks.release import PAIRED_SECTIONS, REFERENCE_SECTIONS

RELEASES = ("her2st", "mob", "crc_visium")
XENIUM = "xenium_breast_crop"
RAW_SETTINGS = {"min_counts": 100, "min_genes": 50}
RAW_TOLERANCE = 1e-4
SHOWN_SHARES = ("cell_type", "niche")


def releases() -> dict[str, AnnData]:
    """Read the releases, with the neighbours of each spot."""
    found = {name: read_release(name) for name in RELEASES}
    for name, tissue in found.items():
        spatial_graph(tissue, radius_um=NEIGHBOUR_RADIUS_UM[name])
    return found


def raw_at_hand() -> dict[str, tuple[str, ...]]:
    """Return the sections of each data set whose raw files are at hand."""
    return {name: at_hand(name) for name in (*RELEASES, XENIUM)}


def raw_sections(held: Mapping[str, Sequence[str]], names: Mapping[str, Sequence[str]]) -> list[tuple[AnnData, str]]:
    """Load those of some sections that are at hand, with their image."""
    there = {name: [section for section in wanted if section in held[name]] for name, wanted in names.items()}
    loaded = {name: load(name, sections=found, network=False, progress=False) for name, found in there.items() if found}
    return [(loaded[name], section) for name, found in there.items() for section in found]


def patches(
    found: Sequence[tuple[AnnData, str]], names: Collection[str], *, fields_um: Sequence[int], seed: int
) -> dict[str, dict[float, NDArray[np.uint8]]]:
    """Cut the tissue around six spots of some sections at several fields of view: section -> field -> patches."""
    cut = {}
    for adata, section in ((adata, section) for adata, section in found if section in names):
        spots = adata[adata.obs[keys.SECTION] == section]
        some = spots[np.random.default_rng(seed).choice(spots.n_obs, size=6, replace=False)].copy()
        image = read_image(some, section)
        cut[section] = {
            float(field): extract_patches(some, section, field_of_view_um=field, image=image) for field in fields_um
        }
    return cut


def xenium_field() -> TranscriptsOnImage:
    """Load the field of Xenium."""
    return transcripts_on_image(load(XENIUM, network=False, progress=False))


# --- raw counts ------------------------------------------------------------------------------------------------------


def raw_plan() -> list[dict[str, str]]:
    """Return the sections of the release, and the field of Xenium."""
    sections = {record.name: tuple(record.sections) for record in data_sets() if record.name in (*RELEASES, XENIUM)}
    sections["her2st"] = PAIRED_SECTIONS
    return [{"data_set": name, "section": section} for name in (*RELEASES, XENIUM) for section in sections[name]]


def raw_check(held: Mapping[str, Collection[str]]) -> list[dict[str, str]]:
    """Return the points to compute anew: one a data set, of those that are at hand."""
    points = {"her2st": "A1", "mob": "MOB1", "crc_visium": "crc", XENIUM: "crop"}
    return [{"data_set": name, "section": section} for name, section in points.items() if section in held[name]]


def raw_counts(data_set: str, section: str, *, min_counts: int, min_genes: int) -> dict[str, Any]:
    """Return what the published counts of a section hold, before and after mild thresholds and normalisation."""
    if data_set == XENIUM:
        return _transcripts()
    adata = load(data_set, sections=[section], images=False, network=False, progress=False)
    (quality,) = quality_control(adata, min_counts=min_counts, min_genes=min_genes)[1].sections.values()
    before = np.asarray(adata.X.sum(axis=1)).ravel()
    after = np.asarray(np.expm1(normalise(adata).X).sum(axis=1)).ravel()
    depth = {"lowest_depth": before.min(), "highest_depth": before.max(), "depth_after": after[before > 0].mean()}
    return {**vars(quality), **{name: float(value) for name, value in depth.items()}}


def _transcripts() -> dict[str, Any]:
    """Return what the field of Xenium holds."""
    crop = load(XENIUM, network=False, progress=False)
    field, table = transcripts_on_image(crop), crop.tables["table"]
    height, width = (size * field.microns_per_pixel for size in field.image.shape[:2])
    counted = {"transcripts": len(field.transcripts), "features": int(field.transcripts["gene"].nunique())}
    sizes = {"width_um": width, "height_um": height, "um_per_pixel": field.microns_per_pixel}
    return {**counted, "cells": table.n_obs, "genes": table.n_vars, **sizes}


def depth_numbers(raw: pd.DataFrame) -> dict[str, Any]:
    """Return the numbers of the section on quality control, and of the field of Xenium."""
    spots, field = raw[raw["data_set"] != XENIUM], raw[raw["data_set"] == XENIUM].iloc[0]
    medians = spots.set_index("section")["median_counts"]
    dropped = spots["spots_before"].sum() - spots["spots_after"].sum()
    whole = {name: int(field[name]) for name in ("transcripts", "cells", "genes")}
    return {
        "n_dropped": int(dropped),
        "n_counted": int(spots["spots_before"].sum()),
        "depth_b4": int(medians["B4"]),
        "depth_c": int(medians[[name for name in medians.index if name.startswith("C")]].min()),
        "depth_low": int(spots["lowest_depth"].min()),
        "depth_high": int(spots["highest_depth"].max()),
        **{f"xenium_{name}": value for name, value in whole.items()},
        "xenium_width": round(field["width_um"]),
        "xenium_height": round(field["height_um"]),
    }


# --- what the releases hold ------------------------------------------------------------------------------------------


def catalogue(found: Mapping[str, AnnData]) -> pd.DataFrame:
    """Return a row a data set, with the median number of neighbours of its spots."""
    return pd.DataFrame([_described(record, found.get(record.name)) for record in data_sets() if record.sections])


def _described(record: DataSet, tissue: AnnData | None) -> dict[str, Any]:
    """Return the row of a data set."""
    return {
        "data set": record.name,
        "what": record.title,
        "species": record.species,
        "sections published": len(record.sections),
        "spots in the release": 0 if tissue is None else tissue.n_obs,
        "neighbours of a spot, median": "" if tissue is None else str(int(np.median(_degrees(tissue)))),
        "licence": record.licence,
        "from": record.source.partition("@")[0],
    }


def _degrees(tissue: AnnData) -> NDArray[np.intp]:
    """Return the number of neighbours of each spot."""
    return np.asarray(tissue.obsp["spatial_connectivities"].sum(axis=1)).ravel().astype(int)


def tissue_numbers(found: Mapping[str, AnnData]) -> dict[str, Any]:
    """Return how many sections there are and how many neighbours a spot has."""
    (record,) = (record for record in data_sets() if record.name == "her2st")
    obs = found["her2st"].obs
    degrees = {name: _degrees(tissue) for name, tissue in found.items()}
    return {
        "n_registered": len(record.sections),
        "n_paired": int(obs[keys.SECTION].nunique()),
        "n_paired_donors": int(obs[keys.DONOR].nunique()),
        "n_reference": len(REFERENCE_SECTIONS),
        **{f"neighbours_{name}": {"value": int(np.median(d)), "n": len(d)} for name, d in degrees.items()},
        "n_alone": int((degrees["her2st"] < 3).sum()),
    }


def sections(found: Mapping[str, AnnData], raw: pd.DataFrame) -> pd.DataFrame:
    """Return a row a section: spots, depth, and the size of a pixel as stated and as measured from the spots."""
    counted = raw.set_index("section")
    rows = []
    for name, section in ((name, section) for name, tissue in found.items() for section in tissue.uns[keys.SPATIAL]):
        own = counted.loc[section]
        factors = found[name].uns[keys.SPATIAL][section]["scalefactors"]
        stated = float(factors[keys.MICRONS_PER_PIXEL])
        measured = measured_microns_per_pixel(found[name], section)
        rows.append({
            "section": section,
            "spots": int(own["spots_before"]),
            "below the thresholds": int(own["spots_before"] - own["spots_after"]),
            "counts, median": f"{own['median_counts']:.0f}",
            "genes, median": f"{own['median_genes']:.0f}",
            "mitochondrial share": f"{own['mitochondrial_share']:.2f}",
            "µm per pixel, registry": stated,
            "measured": measured,
            "error, %": 100 * abs(measured / stated - 1),
            "image, µm per pixel": stated / float(factors[keys.IMAGE_SCALE]),
        })  # fmt: skip
    return pd.DataFrame(rows)


def scale_numbers(table: pd.DataFrame) -> dict[str, Any]:
    """Return how well the scale was measured, and how much coarser the images of donor A are."""
    error = table["error, %"].max()
    donor = table.set_index("section")["image, µm per pixel"].loc[list(PAIRED_SECTIONS)]
    first = [name for name in donor.index if name.startswith("A")]
    coarse, fine = donor[first].max(), donor.drop(first).min()
    return {
        "scale_error": {"value": float(error), "unit": "%", "digits": 2},
        "resolution_ratio": {"value": float(coarse / fine), "digits": 1},
        "coarse": {"value": float(coarse), "unit": "um/px", "digits": 2},
        "fine": {"value": float(fine), "unit": "um/px", "digits": 2},
    }


def images(found: Mapping[str, AnnData]) -> pd.DataFrame:
    """Say how the image of each section was made from the published files."""
    made = [(s, image_provenance(tissue, s)) for tissue in found.values() for s in tissue.uns[keys.SPATIAL]]
    return pd.DataFrame(made, columns=["section", "image"])


def labels(found: Mapping[str, AnnData]) -> pd.DataFrame:
    """Return a row a label: what it was made from, how many classes it has and on how many spots it stands."""
    rows = []
    for task in map(get_task, task_set("all")):
        tissue, key = found[task.data_set], keys.task(task.name)
        known = tissue.obs[key].dropna() if key in tissue.obs else None
        counted = {"classes": "numbers" if known is None else str(known.nunique())}
        counted["spots"] = str(tissue.n_obs if known is None else len(known))
        made_from = str(tissue.uns[key]["made_from"])
        row = {"task": task.name, "data set": task.data_set, "label": task.description, "made from": made_from}
        rows.append(row | counted)
    return pd.DataFrame(rows)


def class_shares(found: Mapping[str, AnnData]) -> pd.DataFrame:
    """Return the share of each class of the cell types and the niches, donor by donor."""
    obs = found["her2st"].obs
    parts = []
    for task in SHOWN_SHARES:
        known = obs[obs[keys.task(task)].notna()].astype(str)
        share = pd.crosstab(known[keys.task(task)], known[keys.DONOR], normalize="columns")
        share.columns = [f"donor {name}" for name in share.columns]
        parts.append(share.rename_axis("class").reset_index().assign(task=task.replace("_", " ")))
    whole = pd.concat(parts, ignore_index=True)
    return whole[["task", *(name for name in whole if name != "task")]]


def class_numbers(shares: pd.DataFrame) -> dict[str, Any]:
    """Return the share of epithelial spots in two donors."""
    row = shares[(shares["task"] == "cell type") & (shares["class"] == "Epithelial")].iloc[0]
    return {f"epithelial_{name.lower()}": {"value": float(row[f"donor {name}"]), "digits": 2} for name in "AB"}
