"""The release on the page on embeddings: written from raw data, computed again in part, and where it is from."""

from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd
from anndata import AnnData

from beyond_alignment import keys
from beyond_alignment.datasets.loading import at_hand, load
from beyond_alignment.datasets.release import write_release
from beyond_alignment.experts.availability import availability
from beyond_alignment.experts.released import embed_released
from beyond_alignment.pages.experts import DATA_SETS, released
from beyond_alignment.project import executed
from beyond_alignment.tasks.release import FIELDS_UM, PAIRED_SECTIONS, PREPARE, build_release
from beyond_alignment.tasks.verify_release import compare_embeddings, compare_labels, draw_spots

VERIFY_SETTINGS = {"n_spots": 4, "seed": 0}
VERIFY_TOLERANCE = {"agreement": 5e-4, "max_difference": 0.02, "spread": 0.01}
PARTS = ("patches", "counts")  # patches of some spots; all embeddings of counts and all labels
CHECKED = ({"data_set": "her2st", "part": "patches"}, {"data_set": "mob", "part": "counts"})  # seconds, not minutes


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
    """Return both parts of every data set."""
    return [{"data_set": name, "part": part} for name in DATA_SETS for part in PARTS]


def verify_check(held: Mapping[str, Collection[str]]) -> list[dict[str, str]]:
    """Return what to compute again in every run: what takes seconds, and whose raw files and weights are at hand."""
    needed = {name: set(released(name).obs[keys.SECTION]) for name in DATA_SETS}
    whole = [point for point in CHECKED if needed[point["data_set"]] <= set(held[point["data_set"]])]
    network = availability("mobilenetv2").usable
    return [point for point in whole if network or point["part"] != "patches"]


def verify(data_set: str, part: str, *, n_spots: int, seed: int, device: str) -> list[dict[str, Any]]:
    """Compute a part of a release again from raw data, and compare."""
    stored = released(data_set)
    if part == "patches":
        named = PAIRED_SECTIONS if data_set == "her2st" else None
        adata = load(data_set, sections=named, network=False, progress=False)
        some = adata[draw_spots(adata, n_spots=n_spots, seed=seed)].copy()
        where: Any = device
        embed_released(some, fields_um=FIELDS_UM[data_set], device=where, progress=False)
        tables = [compare_embeddings(stored, some)]
    else:
        prepared = PREPARE[data_set](seed=seed, progress=False)
        tables = [compare_embeddings(stored, prepared), compare_labels(stored, prepared)]
    rows = pd.concat(tables, ignore_index=True).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def verified_table(verified: pd.DataFrame) -> pd.DataFrame:
    """Return a row a data set and kind of thing: how many were compared and how far apart the worst is."""
    kind = verified["part"].replace("counts", "embeddings of counts")
    kind[verified["what"].str.startswith("task_")] = "labels"
    rows = []
    for (data_set, what), part in verified.groupby(["data_set", kind], sort=False):
        measure = "spots with the same label, lowest share" if what == "labels" else "lowest cosine"
        counted = {"compared": len(part), "spots each": int(part["spots"].max()), "measure": measure}
        worst = {"worst": f"{part['agreement'].min():.4f}", "allowed": f"{part['tolerance'].max():g}"}
        rows.append({"data set": data_set, "what": what, **counted, **worst, "disagree": int((~part["agrees"]).sum())})
    return pd.DataFrame(rows)


def verified_numbers(verified: pd.DataFrame) -> dict[str, Any]:
    """Return how much was computed again and how far apart it is."""
    patches = verified[verified["part"] == "patches"]
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
