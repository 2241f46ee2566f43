"""Tables and numbers of the page on embeddings."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray

from beyond_alignment import keys, project
from beyond_alignment.benchmark.expert_probes import experts_at
from beyond_alignment.benchmark.paired_scores import ALL_TASKS, beats, genes_as_task, shipping
from beyond_alignment.benchmark.unseen import UNSEEN
from beyond_alignment.experts.embed import field_name
from beyond_alignment.experts.model_card import ModelCard, read_model_card
from beyond_alignment.experts.registry import EXPERTS
from beyond_alignment.experts.structure import between_group_share, centre_within, display_components, rv_matrix
from beyond_alignment.pages.experts import FIELD_UM, GENE_TASKS, OWN, scored_experts
from beyond_alignment.tasks.registry import CORE_TASKS
from beyond_alignment.tasks.release import FIELDS_UM

USED = ("colour", "mobilenetv2", "tissue_vit", "pca", "hallmark", "gene_transformer")
GENES = "gene_transformer"
NETWORKS = ("mobilenetv2", f"{OWN}_{UNSEEN}", OWN)
LOSS, GENE_LOSS, PLACES, GAIN = "loss (nats)", "loss (bits a count)", "share of places found", "gain (bits a count)"

Claim = dict[str, Any]


# --- the experts -----------------------------------------------------------------------------------------------------


def registry() -> pd.DataFrame:
    """Return every expert that the registry has."""
    rows = [{name: getattr(record, name) for name in _COLUMNS} for record in EXPERTS.values()]
    return pd.DataFrame(rows).rename(columns=_COLUMNS)


_COLUMNS = {
    "name": "expert",
    "modality": "modality",
    "dimension": "features",
    "parameters": "parameters",
    "gated": "behind an agreement",
    "licence": "licence",
    "source": "source",
}


def used() -> pd.DataFrame:
    """Return the experts of this page."""
    return pd.DataFrame(
        {
            "expert": name,
            "features": str(EXPERTS[name].dimension),
            "parameters": f"{EXPERTS[name].parameters:,}",
            "reads": EXPERTS[name].input_description,
            "fitted on": EXPERTS[name].fitted_on,
            "licence": EXPERTS[name].licence,
        }
        for name in USED
    )


def cards() -> dict[str, ModelCard]:
    """Return the model cards of the networks trained here without labels."""
    every = (read_model_card(path) for path in sorted((project.root() / "data" / "experts").glob("*.json")))
    return {card.name: card for card in every if not card.labels_seen}


def trained(found: Mapping[str, ModelCard]) -> pd.DataFrame:
    """Return how each network was trained."""
    return pd.DataFrame(
        {
            "expert": name,
            "parameters": f"{card.parameters:,}",
            "MB": card.size / 1e6,
            "epochs": len(card.curve),
            "hours": card.hours,
            "on": card.hardware,
            "donors seen": ", ".join(card.donors),
            "kept from": ", ".join(card.excluded_donors) or "none",
        }
        for name, card in found.items()
    )


def training_curves(found: Mapping[str, ModelCard]) -> dict[str, pd.DataFrame]:
    """Return what was measured after each epoch, by network, under the words of an axis."""
    words = {"top1": PLACES, "watched_gain": GAIN}
    return {
        name: pd.DataFrame(card.curve).rename(columns={**words, "loss": GENE_LOSS if name == GENES else LOSS})
        for name, card in found.items()
    }


# --- what embeddings are made of -------------------------------------------------------------------------------------


def drawn(tissue: AnnData, fields_um: Sequence[int]) -> dict[str, NDArray]:
    """Return the embeddings that are drawn: those of trained experts."""
    names = (
        name for name in experts_at(tissue, fields_um) if "random" not in name and keys.embedding(name) in tissue.obsm
    )
    return {name: tissue.obsm[keys.embedding(name)] for name in sorted(names)}


def components(vectors: Mapping[str, NDArray]) -> dict[str, tuple[NDArray, NDArray]]:
    """Return two components of each embedding and the share of the variance in each."""
    return {name: display_components(values) for name, values in vectors.items()}


def group_shares(her2st: AnnData, mob: AnnData) -> pd.DataFrame:
    """Return the share of the variance of each embedding that lies between donors, sections and animals."""
    both = {"her2st": drawn(her2st, [100, 200, 600]), "mob": drawn(mob, [FIELD_UM])}
    columns = {
        "between donors": (both["her2st"], her2st.obs[keys.DONOR]),
        "between sections": (both["her2st"], her2st.obs[keys.SECTION]),
        "between the two animals (MOB)": (both["mob"], mob.obs[keys.DONOR]),
    }
    shares = {
        label: {name: between_group_share(values, groups.astype(str)) for name, values in vectors.items()}
        for label, (vectors, groups) in columns.items()
    }
    return pd.DataFrame(shares).sort_index()


def share_numbers(shares: pd.DataFrame) -> dict[str, Any]:
    """Return the shares that the prose names."""
    donor, animal = shares["between donors"], shares["between the two animals (MOB)"].dropna()
    named = {name: donor[name] for name in ("mobilenetv2_600um", "hallmark", "pca", "colour_600um")}
    found = {f"donor_share_{name}": float(value) for name, value in named.items()}
    found |= {"animal_share_low": float(animal.min()), "animal_share_high": float(animal.max())}
    return {key: {"value": value, "digits": 2} for key, value in found.items()}


def shared(tissue: AnnData) -> dict[str, pd.DataFrame]:
    """Return the RV coefficients of all pairs of embeddings, over all spots and with each donor's mean taken away."""
    vectors, donor = drawn(tissue, [100, 600]), tissue.obs[keys.DONOR].astype(str)
    within = {name: centre_within(values, donor) for name, values in vectors.items()}
    return {"all spots": rv_matrix(vectors), "within donors": rv_matrix(within)}


def shared_numbers(found: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Return the coefficients that the prose names."""
    whole, within = found["all spots"], found["within donors"]
    numbers = {
        "rv_all": whole.loc["pca", "mobilenetv2_600um"],
        "rv_within": within.loc["pca", "mobilenetv2_600um"],
        "rv_colour": within.loc["mobilenetv2_600um", "colour_600um"],
        "rv_hallmark": within.loc["pca", "hallmark"],
    }
    return {key: {"value": float(value), "digits": 2} for key, value in numbers.items()}


# --- what they are worth ---------------------------------------------------------------------------------------------


def main_scores(scores: pd.DataFrame, genes: pd.DataFrame) -> pd.DataFrame:
    """Return the main score of every expert on every task, genes among them, with its draws."""
    main = scores[scores["main"].astype(bool)]
    return pd.concat([main, genes_as_task(genes, GENE_TASKS)], ignore_index=True)


def at_one_field(main: pd.DataFrame) -> pd.DataFrame:
    """Return the scores of each data set's own labels and of genes, at the field of view that all data sets have."""
    ends = field_name("", FIELD_UM)
    tasks = (*CORE_TASKS, *GENE_TASKS.values())
    shown = main["expert"].str.endswith(ends) | ~main["expert"].str.endswith("um")
    return main[shown & main["task"].isin(tasks)]


def gene_correlations(genes: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the correlation of every gene of HER2ST, and the means of the folds, at that field of view."""
    own = genes[(genes["data_set"] == "her2st") & genes["expert"].isin(_at(FIELD_UM))]
    every = [
        pd.DataFrame({"expert": row.expert, "fold": row.fold, "gene": str(row.genes).split(), "r": row.r})
        for row in own.itertuples()
    ]
    return pd.concat(every, ignore_index=True), own.assign(r=own["value"])


def _at(field_um: int) -> tuple[str, ...]:
    """Return the scored experts of HER2ST at a field of view."""
    ends = field_name("", field_um)
    return tuple(name for name in scored_experts("her2st") if name.endswith(ends) or not name.endswith("um"))


def ships(main: pd.DataFrame) -> pd.DataFrame:
    """Say which experts beat what needs no training, each at its own field of view."""
    references = {GENES: ["hallmark", f"random_{GENES}"]}
    for field in FIELDS_UM["her2st"]:
        plain = [field_name(name, field) for name in ("colour", "random_vit")]
        references |= {field_name(name, field): plain if OWN in name else plain[:1] for name in NETWORKS}
    return shipping(main, references)


def ships_table(found: pd.DataFrame) -> pd.DataFrame:
    """Return the comparison as a reader sees it."""
    interval = [f"{low:.3f} to {high:.3f}" for low, high in zip(found["low"], found["high"], strict=True)]
    answer = {True: "yes", False: "no"}
    return pd.DataFrame(
        {
            "expert": found["expert"],
            "against": found["reference"],
            "score": found["value"],
            "score of the other": found["reference_value"],
            "difference": found["difference"],
            "95 %": interval,
            "beaten": found["beaten"].map(answer),
            "may be a default": found["default"].map(answer),
        }
    )


def advantage(main: pd.DataFrame) -> pd.DataFrame:
    """Compare the two networks trained here with what they should beat, task by task."""
    image = field_name(f"{OWN}_{UNSEEN}", FIELD_UM)
    pairs = [(image, field_name(name, FIELD_UM)) for name in ("colour", "mobilenetv2", "random_vit")]
    return beats(main, [*pairs, *((GENES, other) for other in ("pca", "hallmark", f"random_{GENES}"))])


def worth_numbers(
    main: pd.DataFrame, genes: pd.DataFrame, found: pd.DataFrame, compared: pd.DataFrame
) -> dict[str, Any]:
    """Return what the prose says of scores, defaults and differences."""
    image, wide = (field_name(f"{OWN}_{UNSEEN}", field) for field in (FIELD_UM, 600))
    wider = beats(main, [(wide, field_name("mobilenetv2", 600))])
    photographs = found[found["expert"] == field_name("mobilenetv2", FIELD_UM)].iloc[0]
    over_colour = compared[(compared["reference"] == field_name("colour", FIELD_UM)) & (compared["task"] != ALL_TASKS)]
    names = {
        "unseen_over_colour": (image, field_name("colour", FIELD_UM)),
        "unseen_over_random": (image, field_name("random_vit", FIELD_UM)),
        "unseen_over_mobilenet": (image, field_name("mobilenetv2", FIELD_UM)),
        "genes_over_hallmark": (GENES, "hallmark"),
        "genes_over_random": (GENES, f"random_{GENES}"),
        "genes_over_pca": (GENES, "pca"),
    }
    overall = compared[compared["task"] == ALL_TASKS].set_index(["expert", "reference"])
    rows = {key: overall.loc[pair] for key, pair in names.items()}
    rows |= {"mobilenet_over_colour": photographs, "unseen_over_mobilenet_600": wider.iloc[-1]}
    defaults = found.groupby("expert")["default"].all()
    first = genes[genes["data_set"] == "her2st"].iloc[0]
    return {
        "n_tasks": int(compared.loc[compared["task"] != ALL_TASKS, "task"].nunique()),
        "n_genes": len(str(first["genes"]).split()),
        "n_candidates": len(defaults),
        "n_default": int(defaults.sum()),
        "n_better": int((over_colour["verdict"] == "better").sum()),
        "n_worse": int((over_colour["verdict"] == "worse").sum()),
        **{key: (float(row["difference"]), float(row["low"]), float(row["high"])) for key, row in rows.items()},
    }


# --- apart from any task ---------------------------------------------------------------------------------------------


def rank_table(ranks: pd.DataFrame) -> pd.DataFrame:
    """Return how many directions each embedding uses, as a reader sees it."""
    return pd.DataFrame(
        {
            "expert": ranks["expert"],
            "reads": ranks["reads"],
            "features": ranks["dimension"],
            "directions used": [f"{rank:.1f}" for rank in ranks["effective_rank"]],
            "share of the features": [
                f"{r / d:.2f}" for r, d in zip(ranks["effective_rank"], ranks["dimension"], strict=True)
            ],
        }
    )


def agreement_matrix(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return how far each pair of experts names the same neighbours: (expert, expert)."""
    names = list(dict.fromkeys([*pairs["first"], *pairs["second"]]))
    matrix = pd.DataFrame(1.0, index=names, columns=names)
    for row in pairs.itertuples():
        matrix.loc[row.first, row.second] = matrix.loc[row.second, row.first] = row.agreement
    return matrix


def apart_numbers(pairs: pd.DataFrame, sections: pd.DataFrame) -> dict[str, Any]:
    """Return what the prose says of neighbours and of sections."""
    matrix, image = agreement_matrix(pairs), field_name(OWN, FIELD_UM)
    widest = sections[sections["expert"] == image].sort_values("excess").iloc[-1]
    leak = {"value": float(widest["value"]), "interval": (float(widest["low"]), float(widest["high"]))}
    return {
        "agreement_chance": float(pairs["chance"].iloc[0]),
        "agreement_image": float(matrix.loc["pca", image]),
        "agreement_expression": float(matrix.loc["pca", "hallmark"]),
        "n_leakage": len(sections),
        "n_leaking": int((sections["low"] > sections["chance"]).sum()),
        "leakage_image": {**leak, "n": int(widest["n"]), "digits": 2},
    }


def claims() -> list[Claim]:
    """Return the two claims that compare frozen foundation models with encoders trained for the task."""
    absent = "adapters of {} models are in the registry, but no weights that a clone without network could use"
    kinds = {"M4": "pathology", "M9": "single-cell foundation"}
    return [
        {"claim": claim, "measured": absent.format(kind), "data": "none", "verdict": "cannot be tested here"}
        for claim, kind in kinds.items()
    ]
