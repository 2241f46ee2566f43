"""The studies of the page on embeddings: what a point of each is and which points there are."""

import json
from functools import cache
from typing import Any

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse

from beyond_alignment import keys
from beyond_alignment.benchmark.embedding_quality import agreement, effective_rank, near_pairs, nearest
from beyond_alignment.benchmark.embeddings import embedding
from beyond_alignment.benchmark.expert_probes import experts_at, experts_of, modality_read, score_expert
from beyond_alignment.benchmark.gene_probes import predict_genes
from beyond_alignment.benchmark.section_reading import donors_with_sections, read_section
from beyond_alignment.benchmark.unseen import UNSEEN
from beyond_alignment.datasets.release import MANIFEST, read_release
from beyond_alignment.experts.embed import field_name
from beyond_alignment.project import root
from beyond_alignment.tasks.registry import get_task, task_set
from beyond_alignment.tasks.release import FIELDS_UM
from beyond_alignment.tasks.splits import microns

DATA_SETS = ("her2st", "mob", "crc_visium")
GENE_TASKS = {"her2st": "genes", "mob": "mob_genes", "crc_visium": "crc_genes"}
FIELD_UM = 200  # the one field of view that every data set is embedded at
OWN = "tissue_vit"

SCORE_TOLERANCE = 0.002  # other processors moved 1e-7; one spot on the other side of a class moves 0.001
NEIGHBOUR_TOLERANCE = 0.001  # neighbours at nearly equal distance
EXACT = 1e-4

SCORE_CHECK = (
    {"data_set": "her2st", "task": "niche", "expert": f"{OWN}_{UNSEEN}_200um"},  # a network a donor
    {"data_set": "her2st", "task": "composition", "expert": "mobilenetv2_600um"},  # targets, correlated in a fold
    {"data_set": "her2st", "task": "region", "expert": "hallmark"},  # blocks of one section
    {"data_set": "mob", "task": "mob_mixing", "expert": "pca"},  # components of the counts of the training spots
    {"data_set": "crc_visium", "task": "crc_ring_150um", "expert": "colour_200um"},
)
GENE_CHECK = (
    {"data_set": "her2st", "expert": f"{OWN}_{UNSEEN}_200um"},  # fixed genes
    {"data_set": "mob", "expert": "hallmark"},  # genes chosen in training spots
)
SECTION_CHECK = ({"expert": "colour_200um", "donor": "A"}, {"expert": "hallmark", "donor": "C"})
RANK_CHECK = ({"expert": "hallmark"}, {"expert": "tissue_vit_200um"})
AGREEMENT_CHECK = ({"first": "hallmark", "second": "pca"}, {"first": "pca", "second": "tissue_vit_200um"})


def release_hashes(*data_sets: str) -> dict[str, str]:
    """Return the hash of each release that a study reads."""
    files = json.loads((root() / "data" / MANIFEST).read_text(encoding="utf-8"))["files"]
    return {name: files[f"{name}.h5ad"]["sha256"] for name in data_sets or DATA_SETS}


@cache
def released(data_set: str) -> AnnData:
    """Read a release once."""
    return read_release(data_set)


def scored_experts(data_set: str) -> tuple[str, ...]:
    """Return the experts of a release, with the image network that is kept from the donor scored."""
    fields = FIELDS_UM[data_set]
    names = experts_at(released(data_set), fields)
    return (*names, *(field_name(f"{OWN}_{UNSEEN}", field) for field in fields))


def score_plan() -> list[dict[str, str]]:
    """Return every expert on every task of its data set but the imputation of genes."""
    tasks = [task for task in map(get_task, task_set("all")) if not task.imputes]
    return [
        {"data_set": task.data_set, "task": task.name, "expert": expert}
        for task in tasks
        for expert in scored_experts(task.data_set)
    ]


def expert_score(data_set: str, task: str, expert: str, *, n_replicates: int, seed: int) -> list[dict[str, Any]]:
    """Score an expert alone on a task."""
    return score_expert(released(data_set), expert, task, n_replicates=n_replicates, seed=seed)


def gene_plan() -> list[dict[str, str]]:
    """Return every expert of every data set."""
    return [{"data_set": name, "expert": expert} for name in DATA_SETS for expert in scored_experts(name)]


def gene_prediction(data_set: str, expert: str, *, n_replicates: int, seed: int) -> list[dict[str, Any]]:
    """Predict genes from an expert: on HER2ST those that vary most in donors scored nowhere, else in each fold."""
    tissue = released(data_set)
    fixed = list(tissue.var_names) if data_set == "her2st" else None
    return predict_genes(tissue, expert, genes=fixed, n_replicates=n_replicates, seed=seed)


def section_plan() -> list[dict[str, str]]:
    """Return every expert of HER2ST in every donor of several sections."""
    tissue = released("her2st")
    return [{"expert": name, "donor": donor} for name in experts_of(tissue) for donor in donors_with_sections(tissue)]


def section_reading(expert: str, donor: str, *, buffer_um: float, n_replicates: int, seed: int) -> dict[str, Any]:
    """Read which section of a donor a spot is from."""
    options = {"buffer_um": buffer_um, "n_replicates": n_replicates, "seed": seed}
    return read_section(released("her2st"), expert, donor, **options)


def rank_plan() -> list[dict[str, str]]:
    """Return every expert of HER2ST."""
    return [{"expert": name} for name in experts_of(released("her2st"))]


def expert_rank(expert: str) -> dict[str, Any]:
    """Return how many directions an embedding uses."""
    x = embedding(released("her2st"), expert)
    reads = modality_read(released("her2st"), expert)
    return {"reads": reads, "dimension": x.shape[1], "effective_rank": effective_rank(x), "n": len(x)}


def agreement_plan() -> list[dict[str, str]]:
    """Return every pair of experts of HER2ST at the field of view that all data sets have."""
    names = experts_at(released("her2st"), [FIELD_UM])
    return [{"first": a, "second": b} for i, a in enumerate(names) for b in names[i + 1 :]]


def neighbour_agreement(first: str, second: str, *, k: int, apart_um: float) -> dict[str, Any]:
    """Compare the nearest spots that two experts name within a section, spots with overlapping patches left out."""
    near, sections = _barred(apart_um)
    return agreement(_nearest(first, k, apart_um), _nearest(second, k, apart_um), near=near, groups=sections)


@cache
def _barred(apart_um: float) -> tuple[sparse.csr_array, NDArray]:
    """Return the pairs of spots whose patches overlap, and the section of each spot."""
    tissue = released("her2st")
    sections = tissue.obs[keys.SECTION].astype(str).to_numpy()
    return near_pairs(microns(tissue), sections, within_um=apart_um), sections


@cache
def _nearest(expert: str, k: int, apart_um: float) -> NDArray[np.intp]:
    """Return the nearest spots of each spot."""
    near, sections = _barred(apart_um)
    return nearest(embedding(released("her2st"), expert), k=k, near=near, groups=sections)
