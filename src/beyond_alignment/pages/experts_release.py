"""The release on the page on embeddings: written from raw data, computed again in part, and where it is from."""

from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd
from anndata import AnnData

from beyond_alignment.datasets.loading import at_hand
from beyond_alignment.datasets.release import write_release
from beyond_alignment.pages.experts import DATA_SETS
from beyond_alignment.project import executed
from beyond_alignment.tasks.release import build_release
from beyond_alignment.tasks.verify_release import verify_release

VERIFY_SETTINGS = {"n_spots": 4, "seed": 0}
VERIFY_TOLERANCE = {"agreement": 5e-4, "max_difference": 0.02, "spread": 0.01}
CHECKED = ("mob", "crc_visium")  # HER2ST reads eighteen more sections and a transformer over all spots
BY_PATCH = "mobilenetv2|colour|vit"


def write_releases(recompute: str, *, device: str, seed: int) -> list[str]:
    """Build the releases from raw data where everything is to be computed; they lie in ``executed/data``."""
    names = DATA_SETS if recompute == "all" else ()
    for name in names:
        built = build_release(name, device=device, seed=seed, progress=False)  # type: ignore[arg-type]
        write_release(built, name, folder=executed() / "data")
    return list(names)


def raw_at_hand() -> dict[str, tuple[str, ...]]:
    """Return the sections of each data set whose raw files are at hand."""
    return {name: at_hand(name) for name in DATA_SETS}


def verify_plan() -> list[dict[str, str]]:
    """Return every data set."""
    return [{"data_set": name} for name in DATA_SETS]


def verify_check(held: Mapping[str, Collection[str]]) -> list[dict[str, str]]:
    """Return the data sets to compute again in every run: those that take seconds and whose raw files are at hand."""
    return [{"data_set": name} for name in CHECKED if held[name]]


def verify(data_set: str, *, n_spots: int, seed: int, device: str) -> list[dict[str, Any]]:
    """Compute labels, expression embeddings and the patches of some spots again, and compare them with the release."""
    where: Any = device
    table = verify_release(data_set, n_spots=n_spots, seed=seed, device=where, progress=False)
    return [{str(k): v for k, v in row.items()} for row in table.drop(columns="data_set").to_dict("records")]


def verified_table(verified: pd.DataFrame) -> pd.DataFrame:
    """Return a row a data set and kind of thing: how many were compared and how far apart the worst is."""
    kinds = {"patches": verified["what"].str.contains(BY_PATCH), "labels": verified["what"].str.startswith("task_")}
    kind = pd.Series("embeddings of counts", index=verified.index)
    for name, rows in kinds.items():
        kind[rows] = name
    rows = []
    for (data_set, what), part in verified.groupby(["data_set", kind], sort=False):
        measure = "spots with the same label, lowest share" if what == "labels" else "lowest cosine"
        counted = {"compared": len(part), "spots each": int(part["spots"].max()), "measure": measure}
        worst = {"worst": f"{part['agreement'].min():.4f}", "allowed": f"{part['tolerance'].max():g}"}
        rows.append({"data set": data_set, "what": what, **counted, **worst, "disagree": int((~part["agrees"]).sum())})
    return pd.DataFrame(rows)


def verified_numbers(verified: pd.DataFrame) -> dict[str, Any]:
    """Return how much was computed again and how far apart it is."""
    patches = verified[verified["what"].str.contains(BY_PATCH) & ~verified["what"].str.startswith("task_")]
    lowest, largest = patches["agreement"].min(), patches["max_difference"].max()
    return {
        "n_spots_each": VERIFY_SETTINGS["n_spots"],
        "n_recomputed": int(patches["spots"].sum()),
        "n_disagreeing": int((~verified["agrees"].astype(bool)).sum()),
        "lowest_cosine": {"value": float(lowest), "digits": 4},
        "largest_difference": {"value": float(largest), "digits": 3},
    }


def origins(found: Mapping[str, AnnData]) -> pd.DataFrame:
    """Return where each embedding of the release is from."""
    rows = []
    for name, tissue in found.items():
        for key, entry in sorted(tissue.uns.items()):
            if "params" not in entry:
                continue
            params = entry["params"]
            field, weights = params.get("field_of_view_um"), params.get("weights_sha256") or params.get("sha256") or ""
            rows.append({
                "data set": name,
                "embedding": key,
                "field of view, µm": "" if field is None or pd.isna(field) else f"{field:.0f}",
                "fitted on": params.get("fitted_on", ""),
                "weights sha256": str(weights)[:12],
                "licence": params.get("licence", ""),
            })  # fmt: skip
    return pd.DataFrame(rows)
