"""Trains ``gene_transformer`` on counts of donors that are scored nowhere, by predicting hidden genes."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from anndata import AnnData
from torch import Tensor

from beyond_alignment import keys
from beyond_alignment.datasets import load
from beyond_alignment.datasets.registry import data_set
from beyond_alignment.errors import InputError
from beyond_alignment.experts.compute import Device, Precision, resolve_device, resolve_precision
from beyond_alignment.experts.gene_transformer import NAME, GeneTransformer, GeneTransformerShape
from beyond_alignment.experts.gene_values import GeneScale
from beyond_alignment.experts.training.loop import fit
from beyond_alignment.experts.training.masked_genes import SpotCounts, hidden_counts_loss, mask, prepare
from beyond_alignment.experts.training.profiles import (
    GENE_TRANSFORMER_PROFILES,
    GeneTransformerProfile,
    choose_profile,
)
from beyond_alignment.experts.training.run import TrainingRun, finish, hardware, trained_name

SCORED_DONORS = ("A", "B", "C")
METHOD = (
    "Each spot shows a random share of the most variable genes, each as the sum of an embedding of the gene and one of "
    "the bin of its value; from the CLS token alone the counts of all hidden genes are predicted, as a multinomial. "
    "Counts are thinned at random. In use all measured genes are shown."
)


def unpaired_counts() -> AnnData:
    """Load the counts of the HER2ST donors that are scored nowhere, D to H."""
    sections = [section for section in data_set("her2st").choose(None) if section[0] not in SCORED_DONORS]
    adata: AnnData = load("her2st", sections=sections, images=False, progress=False)
    return adata


def train_gene_transformer(
    *,
    out: Path,
    profile: str | GeneTransformerProfile = "quick",
    seed: int | None = None,
    device: Device = "auto",
    exclude_donors: Iterable[str] = (),
    precision: Precision = "auto",
    resume: bool = True,
    progress: bool = True,
    adata: AnnData | None = None,
) -> TrainingRun:
    """Train ``gene_transformer`` and write its weights (float16), its model card and its curve.

    Parameters
    ----------
    out
        Folder of ``gene_transformer.safetensors``, ``.json``, ``.md``, ``metrics.csv`` and the checkpoint; where donors
        are left out the first three are named ``gene_transformer_without_<donors>``.
    profile
        ``quick``, ``reference``, ``full``, or settings of one's own.
    seed
        In place of the profile's.
    device, precision
        Where and how to compute; ``auto`` trains in bfloat16 on a GPU.
    exclude_donors
        Donors left out beside A, B and C, which are scored and never seen.
    resume
        Go on from the checkpoint in ``out``.
    progress
        Show what is done and the time to go.
    adata
        Raw counts to train on in place of those of donors D to H; reads ``obs``: section, donor.

    Returns
    -------
    TrainingRun
        With curve columns loss (bits a hidden count), and of the watched section: watched_loss, and watched_gain, the
        bits a count less than what the mean profile of the training spots costs.

    Raises
    ------
    InputError
        If the profile is unknown, a scored donor is in the data, no spot is left, or the checkpoint is damaged or of
        other settings.
    """
    name, settings = choose_profile(profile, GENE_TRANSFORMER_PROFILES)
    if seed is not None:
        settings = replace(settings, plan=replace(settings.plan, seed=seed))
    target = resolve_device(device)
    used = resolve_precision(precision, target)
    excluded = tuple(sorted(set(exclude_donors)))
    tissue = _chosen(unpaired_counts() if adata is None else adata, excluded)
    spots, watched, scale = prepare(tissue, settings)
    plan = settings.plan
    if plan.steps_per_epoch == 0:
        plan = replace(plan, steps_per_epoch=max(1, len(spots.counts) // settings.batch))
    mean = torch.from_numpy(np.log(spots.counts.sum(axis=0) + 1.0))
    shape = GeneTransformerShape(
        len(scale.genes), scale.n_bins, settings.dimension, settings.depth, settings.heads
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed)
        network = GeneTransformer(shape)
        network.read_out.bias.data.copy_(mean - mean.mean())
    network.to(target)

    def step_loss(step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the cost of the hidden counts of a batch."""
        turn, within = divmod(step, max(1, len(spots.counts) // settings.batch))
        order = np.random.default_rng((plan.seed, 0, turn)).permutation(len(spots.counts))
        rng = np.random.default_rng((plan.seed, 1, step))
        rows = order[within * settings.batch : (within + 1) * settings.batch]
        low, high = settings.visible
        n_shown = max(1, round(rng.uniform(low, high) * shape.genes))
        batch = mask(spots, rows, scale, n_shown, rng, thin=True)
        logits = network.profile(network(batch.genes.to(target), batch.bins.to(target)))
        return hidden_counts_loss(logits, batch.hidden.to(target), batch.shown.to(target)), {}

    entries = _entries(tissue, settings.validation_section)
    curve = fit(
        network,
        step_loss,
        plan=plan,
        folder=out,
        fingerprint={"settings": asdict(settings), "sections": entries, "excluded": list(excluded)},
        device=target,
        examples_per_step=settings.batch,
        precision=used,
        resume=resume,
        progress=progress,
        validate=None if watched is None else _watch(network, watched, scale, settings, mean.to(target), target),
    )
    state = network.state_dict() | {
        f"scale.{key}": torch.from_numpy(getattr(scale, key)) for key in ("mean", "sd", "edges")
    }
    return finish(
        out,
        name=trained_name(NAME, excluded),
        state=state,
        about={"expert": NAME, "genes": scale.genes, "heads": shape.heads},
        curve=curve,
        card={
            "summary": f"A transformer over {shape.genes} genes in {shape.bins} bins ({shape.depth} blocks) that "
            f"embeds the raw counts of a spot as {shape.dimension} features, those of its CLS token.",
            "method": METHOD,
            "profile": name,
            "settings": asdict(settings),
            "data": entries,
            "donors": sorted(set(tissue.obs[keys.DONOR].astype(str))),
            "excluded_donors": sorted({*SCORED_DONORS, *excluded}) if adata is None else excluded,
            "labels_seen": False,
            "hardware": hardware(target),
            "precision": "bfloat16 mixed" if used == "bfloat16" else "float32",
            "dimension": shape.dimension,
            "licence": "CC BY 4.0, as the counts it was trained on",
            "limits": [
                "One technology and one organ: HER2-positive breast tumours on Spatial Transcriptomics arrays.",
                "Other human tissue is embedded by the genes that match; what it expresses beyond them is lost.",
                "Mouse genes are matched by upper-case symbol, a stand-in for orthologues; it never saw mouse tissue.",
                "Sections of one donor are neighbours: the watched section's donor is seen in training.",
            ],
        },
    )


def _chosen(adata: AnnData, excluded: tuple[str, ...]) -> AnnData:
    """Return the spots of the donors that may be seen."""
    donors = adata.obs[keys.DONOR].astype(str)
    if seen := sorted(set(donors) & set(SCORED_DONORS)):
        msg = f"Donor {', '.join(seen)} is scored and must not be trained on: leave its spots out."
        raise InputError(msg)
    if unknown := sorted(set(excluded) - set(donors) - set(SCORED_DONORS)):
        msg = f"Donor {', '.join(unknown)} is not in the data ({', '.join(sorted(set(donors)))}): exclude one of them."
        raise InputError(msg)
    kept = adata[~donors.isin(excluded).to_numpy()]
    if kept.n_obs == 0:
        msg = "No spot is left to train on: exclude fewer donors."
        raise InputError(msg)
    return kept


def _entries(adata: AnnData, watched: str) -> list[dict[str, Any]]:
    """Return what the card says of each section."""
    about = adata.uns.get(keys.DATASET, {})
    counted = adata.obs.groupby([keys.SECTION, keys.DONOR], observed=True).size()
    return [
        {
            "data_set": str(about.get("name", "own")),
            "section": str(section),
            "donor": str(donor),
            "spots": int(size),
            "use": "watched" if section == watched else "trained on",
            "source": str(about.get("source", "")),
            "licence": str(about.get("licence", "")),
        }
        for (section, donor), size in counted.items()
    ]


def _watch(
    network: GeneTransformer,
    watched: SpotCounts,
    scale: GeneScale,
    settings: GeneTransformerProfile,
    mean: Tensor,
    device: torch.device,
) -> Callable[[], dict[str, float]]:
    """Return what measures the watched section: always with the same genes hidden."""
    rng = np.random.default_rng((settings.plan.seed, 2))
    shown = max(1, round(sum(settings.visible) / 2 * len(scale.genes)))
    rows = np.array_split(np.arange(len(watched.counts)), max(1, len(watched.counts) // settings.batch))
    batches = [mask(watched, part, scale, shown, rng, thin=False) for part in rows]

    @torch.no_grad()
    def measure() -> dict[str, float]:
        """Return the cost in bits a count, and how much less it is than under the mean profile."""
        cost = base = counts = 0.0
        for batch in batches:
            hidden, seen = batch.hidden.to(device), batch.shown.to(device)
            weight = float(hidden.sum())
            logits = network.profile(network(batch.genes.to(device), batch.bins.to(device)))
            cost += weight * float(hidden_counts_loss(logits, hidden, seen))
            base += weight * float(hidden_counts_loss(mean.expand_as(hidden), hidden, seen))
            counts += weight
        return {"watched_loss": cost / counts, "watched_gain": (base - cost) / counts}

    return measure
