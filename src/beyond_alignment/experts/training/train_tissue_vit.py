"""Trains ``tissue_vit`` on the H&E of all sections at hand, by contrast of views (SimCLR)."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from beyond_alignment.datasets.registry import data_set
from beyond_alignment.experts.compute import Device, Precision, resolve_device, resolve_precision
from beyond_alignment.experts.embed import FIELDS_UM
from beyond_alignment.experts.tissue_vit import (
    DIMENSION,
    INPUT_PX,
    NAME,
    TIMM_NAME,
    normalise_patches,
    tissue_vit_module,
)
from beyond_alignment.experts.training.contrastive import contrastive_loss
from beyond_alignment.experts.training.loop import fit
from beyond_alignment.experts.training.profiles import TISSUE_VIT_PROFILES, TissueVitProfile, choose_profile
from beyond_alignment.experts.training.run import TrainingRun, finish, hardware, trained_name
from beyond_alignment.experts.training.tissue_images import TissueImage, read_tissue
from beyond_alignment.experts.training.views import ViewPairs

PROJECTION = 128
METHOD = (
    "SimCLR: two views of one place (shifted, turned, mirrored, scaled by 0.8 to 1.25, haematoxylin, eosin and colour "
    "jittered, some at half resolution), each with part of its patches left out, are told from the views of other "
    "places of the same section at the same field of view. Places are drawn from the whole tissue, not at spots alone. "
    "The projection head is dropped."
)


class ContrastiveViT(nn.Module):
    """The network with the projection head that only training uses.

    Parameters
    ----------
    keep
        Share of the patches that it sees.
    fused
        Whether attention is one fused kernel, whose gradient takes half of the time on a CPU.
    """

    def __init__(self, *, keep: float, fused: bool) -> None:
        super().__init__()
        backbone: Any = tissue_vit_module(keep=keep)
        for block in backbone.blocks:
            block.attn.fused_attn = fused
        self.backbone: nn.Module = backbone
        self.head = nn.Sequential(
            nn.Linear(DIMENSION, 2 * DIMENSION), nn.BatchNorm1d(2 * DIMENSION), nn.GELU(),
            nn.Linear(2 * DIMENSION, PROJECTION),
        )  # fmt: skip

    def forward(self, views: Tensor) -> Tensor:
        """Map RGB in [0, 1] (view, channel, height, width) to projections (view, feature)."""
        projections: Tensor = self.head(self.backbone(normalise_patches(views)))
        return projections


def train_tissue_vit(
    *,
    out: Path,
    profile: str | TissueVitProfile = "quick",
    seed: int | None = None,
    device: Device = "auto",
    exclude_donors: Iterable[str] = (),
    fields_um: Sequence[float] = FIELDS_UM,
    precision: Precision = "auto",
    resume: bool = True,
    progress: bool = True,
    images: Sequence[TissueImage] | None = None,
) -> TrainingRun:
    """Train ``tissue_vit`` and write its weights (float16), its model card and its curve.

    Parameters
    ----------
    out
        Folder of ``tissue_vit.safetensors``, ``.json``, ``.md``, ``metrics.csv`` and the checkpoint; where donors
        are left out the first three are named ``tissue_vit_without_<donors>``.
    profile
        ``quick``, ``reference``, ``full``, or settings of one's own.
    seed
        In place of the profile's.
    device, precision
        Where and how to compute; ``auto`` trains in bfloat16 on a GPU.
    exclude_donors
        Donors whose tissue is not seen, such as ``("B",)``.
    fields_um
        Fields of view in microns; each batch holds several.
    resume
        Go on from the checkpoint in ``out``.
    progress
        Show what is done and the time to go.
    images
        Tissue to train on in place of that at hand.

    Returns
    -------
    TrainingRun
        With curve columns loss (nats), top1 (share of views nearest to their place's other view).

    Raises
    ------
    InputError
        If the profile or a donor is unknown, no image is at hand, or the checkpoint is damaged or of other settings.
    """
    name, settings = choose_profile(profile, TISSUE_VIT_PROFILES)
    if seed is not None:
        settings = replace(settings, plan=replace(settings.plan, seed=seed))
    target = resolve_device(device)
    used = resolve_precision(precision, target)
    excluded = tuple(sorted(set(exclude_donors)))
    tell = (lambda text: print(text, flush=True)) if progress else (lambda text: None)
    tissue = list(images) if images is not None else read_tissue(
        fields_um=fields_um, input_px=INPUT_PX, exclude_donors=excluded, device=target, tell=tell
    )  # fmt: skip
    pairs = ViewPairs(tissue, settings, input_px=INPUT_PX)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.plan.seed)
        network = ContrastiveViT(keep=settings.keep, fused=target.type != "cpu").to(target)

    def step_loss(step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of a batch, and how often the right view was nearest."""
        with torch.autocast(target.type, enabled=False):
            first, second, rivals = pairs.draw(step)
        z1, z2 = network(torch.cat([first, second])).chunk(2)
        loss, top1 = contrastive_loss(z1, z2, rivals, temperature=settings.temperature)
        return loss, {"top1": top1}

    sections = [{**_entry(image), "fields_um": _fields(tissue, image)} for image in _sections(tissue)]
    curve = fit(
        network,
        step_loss,
        plan=settings.plan,
        folder=out,
        fingerprint={"settings": asdict(settings), "sections": sections, "excluded": list(excluded)},
        device=target,
        examples_per_step=2 * settings.batch,
        precision=used,
        resume=resume,
        progress=progress,
    )
    return finish(
        out,
        name=trained_name(NAME, excluded),
        state=network.backbone.state_dict(),
        about={"expert": NAME, "architecture": TIMM_NAME, "input_px": INPUT_PX, "excluded_donors": excluded},
        curve=curve,
        card={
            "summary": f"A ViT-tiny (timm {TIMM_NAME}, input {INPUT_PX} px) that embeds an H&E patch of "
            f"{', '.join(f'{f:g}' for f in sorted({i.field_um for i in tissue}))} um as {DIMENSION} features.",
            "method": METHOD,
            "profile": name,
            "settings": asdict(settings),
            "data": sections,
            "donors": sorted({image.donor for image in tissue}),
            "excluded_donors": excluded,
            "labels_seen": False,
            "hardware": hardware(target),
            "precision": "bfloat16 mixed" if used == "bfloat16" else "float32",
            "dimension": DIMENSION,
            "licence": "MIT; the images keep their own licences",
            "limits": [
                "Trained on few sections of few donors: it knows their stains, scanners and organs and no others.",
                "Sections that it was trained on are no test of how it carries over; compare with a variant without "
                "their donor.",
                "Sections scanned at 3 to 5 um per pixel show no nuclei; their small fields of view are blurred.",
                "For research on tissue; not for diagnosis.",
            ],
        },
    )


def _sections(tissue: Sequence[TissueImage]) -> list[TissueImage]:
    """Return the first image of each section."""
    return list({(image.data_set, image.section): image for image in reversed(tissue)}.values())[::-1]


def _fields(tissue: Sequence[TissueImage], of: TissueImage) -> str:
    """Return the fields of view of a section, as text."""
    fields = [image.field_um for image in tissue if (image.data_set, image.section) == (of.data_set, of.section)]
    return ", ".join(f"{field:g}" for field in fields)


def _entry(image: TissueImage) -> dict[str, Any]:
    """Return what the card says of a section."""
    record = data_set(image.data_set)
    return {
        "data_set": image.data_set,
        "section": image.section,
        "donor": image.donor,
        "tissue_mm2": round(image.area_mm2, 2),
        "source": record.source,
        "licence": record.licence,
    }
