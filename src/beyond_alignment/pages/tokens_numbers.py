"""What the page on token-level fusion shows and says of its studies: tables, and the numbers of its prose."""

from typing import Any

import pandas as pd

from beyond_alignment.pages.tokens import (
    ALL,
    BEST,
    BREAST,
    CO_LOCATION_UM,
    LARGE,
    LATE,
    OF_TISSUE,
    PROGRAMMES,
    SWEPT_UM,
    SYNERGY,
    TAUGHT,
    TRAINING,
    UNTAUGHT,
)
from beyond_alignment.tokens.arm_scores import best_arm, fusion_and_rival, gain, mean_spearman
from beyond_alignment.tokens.arms import ARMS
from beyond_alignment.tokens.clusters import N_COMPONENTS
from beyond_alignment.tokens.comparison import MIN_MAE, REFERENCES, RIDGE
from beyond_alignment.tokens.drawn_nuclei import BOTH, IN_PATCH, IN_TILE, PERFECT_READERS, gain_of_perfect_readers
from beyond_alignment.tokens.tiles import Tiles

Numbers = dict[str, Any]
LABELS = {**{name: arm.label for name, arm in ARMS.items()}, **REFERENCES, **PERFECT_READERS}
GAINS = (
    "fusion less the better single modality",
    "the same, nuclei as drawn",
    "tokens less tile vectors, late concat",
    "early less late fusion, each at its best",
)


def large(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the tissue that the page shows."""
    return table[table["tissue"] == LARGE]


def arm_scores(
    scores: pd.DataFrame, readers: pd.DataFrame, *, tissue: str = LARGE, programmes: str = ALL, expert: str = TAUGHT
) -> pd.DataFrame:
    """Return arms and readers on one tissue: arm, label, fold, seed and scores."""
    arms = scores[(scores["tissue"] == tissue) & (scores["programmes"] == programmes) & (scores["expert"] == expert)]
    read = readers[(readers["tissue"] == tissue) & (readers["programmes"] == programmes)]
    read = read[read["co_location_um"] == CO_LOCATION_UM].assign(seed=0)
    table = pd.concat([read.drop(columns=["co_location_um", "n_train", "n_disjoint"]), arms], ignore_index=True)
    return table.assign(label=table["arm"].map(LABELS)).drop(columns=["tissue", "programmes", "expert"])


def expert_scores(scores: pd.DataFrame, readers: pd.DataFrame) -> pd.DataFrame:
    """Return the arms that were run with the image expert as it was taught and untaught; expression reads no image."""
    tables: list[pd.DataFrame] = []
    for expert in (TAUGHT, UNTAUGHT):
        table = arm_scores(scores, readers, expert=expert)
        if expert == UNTAUGHT:
            taught = tables[0]
            table = pd.concat([table, taught[taught["arm"] == "expression_token"]], ignore_index=True)
        shown = ("expression_token", "morphology_frozen", "late_concat_token_frozen", *REFERENCES)
        tables.append(table[table["arm"].isin(shown)].assign(setting=expert))
    return pd.concat(tables, ignore_index=True)


def dial_scores(scores: pd.DataFrame, readers: pd.DataFrame) -> pd.DataFrame:
    """Return the arms along the dials, one programme of the add-on genes at a time."""
    tables = [arm_scores(scores, readers, programmes=name).assign(setting=name) for name in PROGRAMMES]
    return pd.concat(tables, ignore_index=True)


def meeting_scores(readers: pd.DataFrame) -> pd.DataFrame:
    """Return perfect readers by how fast the pair of the exclusive or changes."""
    swept = (readers["tissue"] == LARGE) & (readers["programmes"] == SYNERGY) & readers["arm"].isin(PERFECT_READERS)
    return readers[swept]


def tissue_numbers(readers: pd.DataFrame, tiles: Tiles) -> Numbers:
    """Return how much tissue there is."""
    one = readers[(readers["tissue"] == LARGE) & (readers["programmes"] == ALL) & (readers["arm"] == RIDGE)]
    counts = {"n_tiles": one["n_tiles"].sum(), "n_disjoint": one["n_disjoint"].sum(), "n_train": one["n_train"].min()}
    counts |= {"n_donors": len(one), "n_core": len(tiles.core_genes), "n_addon": len(tiles.addon_genes)}
    return {name: int(value) for name, value in counts.items()}


def comparison_numbers(main: pd.DataFrame) -> Numbers:
    """Return what the comparison of all arms says."""
    means = mean_spearman(main)
    best = {kind: best_arm(main, kind) for kind in ("fusion", "expression", "morphology", "early", "late token")}
    late = best["late token"]
    return {
        "best_fusion": LABELS[best["fusion"]],
        "best_late": LABELS[late],
        **{kind: float(means[best[kind]]) for kind in ("fusion", "expression", "morphology")},
        "min_mae": float(means[MIN_MAE]),
        "ridge": float(means[RIDGE]),
        "ceiling_gain": gain_of_perfect_readers(main),
        "early_late": gain(main, best["early"], late),
        "early_linear": gain(main, best["early"], BOTH),
    }


def expert_numbers(experts: pd.DataFrame) -> Numbers:
    """Return what fusion gains, and what morphology reads, with the image expert taught and untaught."""
    found: Numbers = {}
    for name, rows in experts.groupby("setting"):
        found[f"{name}_gain"] = gain(rows, *fusion_and_rival(rows))
        found[f"{name}_morphology"] = float(mean_spearman(rows)["morphology_frozen"])
    return found


def dial_gains(dialled: pd.DataFrame) -> pd.DataFrame:
    """Return four differences for each setting of the dials: setting, what, gain, low, high."""
    rows = []
    for setting, part in dialled.groupby("setting", sort=False):
        found = (
            gain(part, *fusion_and_rival(part)),
            gain_of_perfect_readers(part),
            gain(part, LATE[1], LATE[0]),
            gain(part, best_arm(part, "early"), best_arm(part, "late")),
        )
        for what, values in zip(GAINS, found, strict=True):
            rows.append({"setting": setting, "what": what, **dict(zip(("gain", "low", "high"), values, strict=True))})
    return pd.DataFrame(rows)


def dial_table(gains: pd.DataFrame) -> pd.DataFrame:
    """Return the gains along the dials as a reader's table."""
    text = [f"{row.gain:+.3f} ({row.low:+.3f} to {row.high:+.3f})" for row in gains.itertuples()]
    wide = gains.assign(text=text).pivot(index="setting", columns="what", values="text")
    table = wide.loc[list(PROGRAMMES), list(GAINS)].rename_axis("add-on genes follow what is").reset_index()
    return table.rename_axis(columns=None)


def dial_numbers(gains: pd.DataFrame) -> Numbers:
    """Return what fusion, perfect readers and early fusion gain along the dials."""
    found: Numbers = {}
    for what, key in {GAINS[0]: "{}_gain", GAINS[1]: "{}_ceiling", GAINS[3]: "every_{}"}.items():
        for row in gains[gains["what"] == what].itertuples():
            found[key.format(str(row.setting).split()[0])] = (row.gain, row.low, row.high)
    return found


def meeting_numbers(swept: pd.DataFrame) -> Numbers:
    """Return what meeting in each patch tells beyond meeting in the tile, for the fastest and the slowest change."""
    found: Numbers = {}
    for name, um in {"fast": min(SWEPT_UM), "slow": max(SWEPT_UM)}.items():
        found[f"meeting_{name}"] = gain(swept[swept["co_location_um"] == um], IN_PATCH, IN_TILE)
        found[f"meeting_{name}_um"] = int(um)
    return found


def clip_numbers(clips: pd.DataFrame, main: pd.DataFrame) -> Numbers:
    """Return recall of CLIP, and what its linear probe gains over late concatenation with the frozen expert."""
    at = clips.groupby("granularity")[["recall_1", "recall_5", "chance_1", "chance_5"]].mean()
    found: Numbers = {"recall_chance": float(at["chance_1"].iloc[0]), "recall_chance_5": float(at["chance_5"].iloc[0])}
    both = pd.concat([main, clips.assign(arm="clip_" + clips["granularity"])])
    for name in ("tile", "token"):
        found[f"recall_{name}"] = float(at.loc[name, "recall_1"])
        found[f"recall_{name}_5"] = float(at.loc[name, "recall_5"])
        found[f"clip_{name}"] = gain(both, f"clip_{name}", f"late_concat_{name}_frozen")
    return found | {"retrieval_batch": TRAINING[LARGE]["retrieval_batch"]}


def gene_table(genes: pd.DataFrame) -> pd.DataFrame:
    """Return a row a gene of the large tissue, as the best fusion and Min-MAE (``copied``) predict it."""
    mine = large(genes)
    copied = mine[mine["arm"] == MIN_MAE].set_index("gene")["spearman"].rename("copied")
    return mine[mine["arm"] == BEST[-1]].join(copied, on="gene").drop(columns=["tissue", "arm", "seed"])


def rest_numbers(clips: pd.DataFrame, main: pd.DataFrame, table: pd.DataFrame, readers: pd.DataFrame) -> Numbers:
    """Return what the page says of retrieval, clusters, genes and the real field."""
    above = {"n_above": int((table["spearman"] > table["copied"]).sum()), "n_genes": len(table)}
    return {**clip_numbers(clips, main), **above, **breast_numbers(readers), "n_components": N_COMPONENTS}


def breast_table(scores: pd.DataFrame, readers: pd.DataFrame) -> pd.DataFrame:
    """Return the mean scores on the real field, to a second digit."""
    table = arm_scores(scores, readers, tissue=BREAST, expert=OF_TISSUE)
    means = table.groupby(["arm", "label"], sort=False)[["spearman", "pearson", "mse", "mae"]].mean()
    means = means.sort_values("spearman", ascending=False).reset_index()
    return means.drop(columns="arm").rename(columns={"label": "arm"})


def breast_numbers(readers: pd.DataFrame) -> Numbers:
    """Return how little tissue the real field is."""
    one = readers[(readers["tissue"] == BREAST) & (readers["arm"] == RIDGE)]
    return {"breast_tiles": int(one["n_tiles"].sum()), "breast_train": int(one["n_train"].min())}


def claim_numbers(records: list[Numbers]) -> Numbers:
    """Return the numbers of claims that the prose says."""
    keys = {"M1": "fusion_gain", "M2": "token_gain", "M7": "redundancy_rho"}
    return {keys[r["claim"]]: (r["value"], *r["interval"]) for r in records if r["claim"] in keys}
