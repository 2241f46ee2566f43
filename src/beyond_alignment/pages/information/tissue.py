"""Tissue taken apart: what both experts tell of a label within sections, donors or blocks, and its null."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from typing import Any, cast

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from beyond_alignment.benchmark.tissue_pairs import TissuePair
from beyond_alignment.fusion.reduction import Reduction
from beyond_alignment.information.advice import recommend_strategy
from beyond_alignment.information.estimate import ALPHA, DIFFERENCE, TERMS, estimate_pid
from beyond_alignment.information.power import KINDS, SHARES, plant, summarise
from beyond_alignment.pages.alignment.releases import SEED, pair_of, tasks_read
from beyond_alignment.tasks import get_task

MOST_FEATURES = 2000
"""Features of an embedding; counts of more genes are reduced to leading components, without a look at the labels."""
SECTIONS = ("niche_immune", "niche_epithelial", "niche_mixing", "niche", "cell_type", "composition")
"""Labels of tissue with several sections a donor: by section, and by donor as the second split."""
TASKS = (*SECTIONS, "domain", "region", "bacteria")
UNITS: Mapping[str, tuple[str, ...]] = {task: ("section", "donor") if task in SECTIONS else ("main",) for task in TASKS}
N_NULL, TWIN_NULL = 19, 1
NAMES: Mapping[str, str] = {
    "niche_immune": "niche: immune share",
    "niche_epithelial": "niche: epithelial share",
    "niche_mixing": "niche: mixing of cell types",
    "niche": "niche: class",
    "cell_type": "dominant cell type",
    "composition": "composition of the spot",
    "domain": "domain of the bulb",
    "region": "tumour region, one section",
    "bacteria": "bacteria",
}
TISSUES: Mapping[str, str] = {
    "niche_immune": "HER2ST",
    "domain": "MOB",
    "region": "HER2ST, one section",
    "bacteria": "CRC",
}
LESS = "joint model tells less than one source"
SOURCES = ("expression", "morphology")
PLAN = [
    *({"task": task, "unit": unit, "n_null": N_NULL} for task in TASKS for unit in UNITS[task]),
    {"task": "region", "unit": "main", "n_null": TWIN_NULL},
]
OPTIONS: dict[str, Any] = {
    "check": [{"n_null": TWIN_NULL}],
    # Another processor moves a term of 339 spots by some hundredths of a bit, and the end of an interval more.
    "tolerance": 0.1,
    "n_jobs": -1,
}
POWER_PAIRS = (
    ("niche_immune", "section"),
    ("niche_immune", "donor"),
    ("domain", "main"),
    ("region", "main"),
    ("bacteria", "main"),
)
"""One task for each tissue and unit: power depends on embeddings, groups and blocks, not on the label."""
N_DRAWS = 2
POWER_PLAN = [
    {"task": task, "unit": unit, "kind": kind, "share": share, "draw": draw}
    for draw in range(N_DRAWS)
    for (task, unit), kind, share in product(POWER_PAIRS, KINDS, SHARES)
]
POWER_OPTIONS: dict[str, Any] = {
    "check": [{"task": "region", "kind": "interaction", "share": SHARES[-1], "draw": 0}],
    "tolerance": {"estimate": 0.1, "synergy": 0.02, "sis": 0.02},
    "n_jobs": -1,
}


def reads() -> dict[str, Any]:
    """Return the arrays that both studies are computed from."""
    return tasks_read(TASKS)


def reduced_pair(task: str, unit: str) -> TissuePair:
    """Return a task given a unit, counts of many genes reduced to leading components without a look at the labels."""
    pair = pair_of(task, unit)
    first, second = (Reduction(seed=SEED).fit(x).transform(x) if x.shape[1] > MOST_FEATURES else x for x in pair.views)
    return replace(pair, views=cast(Any, (first, second)))


def decompose(task: str, unit: str, n_null: int) -> dict[str, Any]:
    """Return the decomposition of a task with its intervals and its null, on one thread."""
    pair = reduced_pair(task, unit)
    with threadpool_limits(1):
        found = estimate_pid(*pair.views, pair.labels, pair.groups, blocks=pair.tiles, n_null=n_null, seed=SEED)
    row = {name: value for name, value in pair.record().items() if name != "task"}
    row |= {"unit_name": row.pop("unit"), "group_information": found.group_information}
    for term in TERMS:
        row |= {term: found.value(term), **_ends(term, found.intervals[term])}
        row |= _ends(f"{term}_group", found.group_intervals.get(term, (np.nan, np.nan)))
        row |= {f"null_{term}": float(found.null[term].mean()), f"null_most_{term}": float(found.null[term].max())}
    strategy = recommend_strategy(found, names=SOURCES)
    row |= {name: getattr(found, name) for name in ("p_information", "p_synergy", "p_interaction")}
    row |= {"determined": int(found.sis is not None), "rows": " or ".join(one.name for one in strategy.rows)}
    return row | {"recommended": strategy.recommended, "reason": strategy.reason, "warnings": " ".join(found.warnings)}


def _ends(name: str, bounds: tuple[float, float]) -> dict[str, float]:
    """Return both ends of an interval by name."""
    return {f"{name}_low": bounds[0], f"{name}_high": bounds[1]}


def planted(task: str, unit: str, kind: str, share: float, draw: int) -> dict[str, Any]:
    """Plant a label of known synergy on the embeddings, groups and blocks of a task, and say whether it is found."""
    pair = reduced_pair(task, unit)
    with threadpool_limits(1):
        found = plant(*pair.views, pair.groups, pair.tiles, kind, share, seed=SEED + draw)
    row: dict[str, Any] = {"n": len(pair.classes), "unit_name": pair.unit, "found": int(found["found"])}
    return row | {name: float(found[name]) for name in ("synergy", "sis", "estimate")}


def whole(table: pd.DataFrame) -> pd.DataFrame:
    """Return the decompositions without the twin, with words: label, sis_words, advice."""
    rows = table[table["n_null"] == N_NULL].reset_index(drop=True)
    known = rows["determined"].astype(bool)
    less = rows["I12"] < rows[["I1", "I2"]].max(axis=1) - DIFFERENCE
    words = [
        f"{s:.2f} ({a:.2f} to {b:.2f})" for s, a, b in zip(rows["sis"], rows["sis_low"], rows["sis_high"], strict=True)
    ]
    return rows.assign(
        label=[
            f"{NAMES[t]} (from {m})" if m != "independent" else NAMES[t]
            for t, m in zip(rows["task"], rows["made_from"], strict=True)
        ],
        sis_words=pd.Series(words).where(known, "not determined").mask(less, LESS),
        advice=rows["recommended"].where(known, "no advice"),
    )


def numbers(shown: pd.DataFrame) -> dict[str, Any]:
    """Return what the prose says of tissue."""
    found = shown[shown["determined"].astype(bool) & (shown["p_synergy"] < ALPHA)]
    by = shown.set_index(["task", "unit"])
    section, donor, domain = by.loc[("niche", "section")], by.loc[("niche", "donor")], by.loc[("domain", "main")]

    def bits(row: pd.Series, term: str) -> dict[str, Any]:
        """Value of a term with its interval."""
        ends = (row[f"{term}_low"], row[f"{term}_high"])
        return {"value": row[term], "interval": ends, "n": int(row["n"]), "unit": "bits"}

    return {
        "n_rows": len(shown),
        "n_determined": int(shown["determined"].sum()),
        "n_synergy": len(found),
        "found_names": "; ".join(f"{r.label}, given the {r.unit_name}" for r in found.itertuples()) or "none",
        "n_less": int((shown["sis_words"] == LESS).sum()),
        "n_interaction": int((found["p_interaction"] < ALPHA).sum()),
        "n_spots_her2st": int(shown.loc[shown["data_set"] == "her2st", "n"].max()),
        "null_most": {"value": shown["null_I12"].max(), "unit": "bits"},
        "group_niche": {"value": section["group_information"], "n": int(section["n"]), "unit": "bits"},
        "told_niche": bits(section, "I12"),
        "told_niche_donor": bits(donor, "I12"),
        "told_domain": bits(domain, "I12"),
        "redundant_domain": bits(domain, "redundancy"),
    }


def power_numbers(least: pd.DataFrame) -> dict[str, Any]:
    """Return the smallest synergy of either kind that is found on any tissue, in bits, and where none planted is."""
    found = {kind: pd.to_numeric(least[f"smallest_{kind}"], errors="coerce") for kind in KINDS}
    return {
        f"least_{kind}": {"value": float(values.min()), "n": int(values.notna().sum()), "unit": "bits", "digits": 2}
        for kind, values in found.items()
    } | {"n_tissues": len(least), "n_unfound": int(found["interaction"].isna().sum()), "n_draws": N_DRAWS}


def smallest(plants: pd.DataFrame) -> pd.DataFrame:
    """Return the smallest synergy of either kind that each tissue and unit would show, in bits or in words."""
    rows = []
    for (task, _), part in plants.groupby(["task", "unit"], sort=False):
        table = summarise(part)
        data_set = get_task(task).data_set
        row = {"tissue": TISSUES.get(task, data_set), "unit": part["unit_name"].iloc[0], "n": int(part["n"].iloc[0])}
        row |= {"false": float(table.loc[table["share"] == 0, "power"].mean())}
        for kind, least in table.attrs["smallest"].items():
            most = table.loc[table["kind"] == kind, "synergy"].max()
            row[f"smallest_{kind}"] = f"more than {most:.2f}" if least is None else f"{least:.2f}"
        rows.append(row)
    return pd.DataFrame(rows)
