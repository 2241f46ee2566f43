"""Trains ``nucleus_vit``: an image expert of simulated tissue, taught on donors that no study holds."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from beyond_alignment.errors import InputError
from beyond_alignment.experts.compute import Device, Precision, resolve_device, resolve_precision
from beyond_alignment.experts.training.loop import fit
from beyond_alignment.experts.training.profiles import TrainingPlan, choose_profile
from beyond_alignment.experts.training.run import TrainingRun, finish, hardware
from beyond_alignment.tokens.drawn_nuclei import nuclei_by_patch, nucleus_features
from beyond_alignment.tokens.simulated import SimulatedTiles, simulated_tiles
from beyond_alignment.tokens.vision import PatchVit
from beyond_alignment.tokens.vision_weights import NUCLEUS_VIT, VITS, build_vit

FIELDS_SEED = 7_000_000
"""Seed of the donors that it learns from; a study of another seed holds none of them."""
VALIDATION_DONORS = 2
SHAPES = ("size", "elongation", "chromatin")
METHOD = (
    "Supervised by the simulator: from each patch the network predicts how many nuclei of each cell type were drawn "
    "there and the sums of their size, elongation and chromatin, less the means of their types; from the whole tile "
    "their sums over patches. Tiles are turned and mirrored. The two linear heads are dropped. No transcript "
    "and no gene is seen."
)


@dataclass(frozen=True)
class NucleusVitProfile:
    """How ``nucleus_vit`` is trained.

    Attributes
    ----------
    plan
        Optimiser and schedule.
    n_donors
        Simulated donors, the last two of which are only watched.
    size_um
        Side of the field of each in microns.
    batch
        Tiles in a step.
    """

    plan: TrainingPlan
    n_donors: int
    size_um: float = 1000.0
    batch: int = 64


NUCLEUS_VIT_PROFILES: dict[str, NucleusVitProfile] = {
    "quick": NucleusVitProfile(TrainingPlan(epochs=4, steps_per_epoch=25, learning_rate=1e-3), 4, size_um=500.0),
    "reference": NucleusVitProfile(TrainingPlan(epochs=40, steps_per_epoch=70, learning_rate=1e-3), 24),
    "full": NucleusVitProfile(TrainingPlan(epochs=200, steps_per_epoch=100, learning_rate=1e-3), 100, batch=256),
}


class NucleusReader(nn.Module):
    """The network with the two heads that only training uses.

    Parameters
    ----------
    vit
        The vision transformer.
    n_features
        Features of a patch that are predicted.
    """

    def __init__(self, vit: PatchVit, n_features: int) -> None:
        super().__init__()
        self.vit = vit
        self.of_patch = nn.Linear(vit.width, n_features)
        self.of_tile = nn.Linear(vit.width, n_features)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Read uint8 RGB (tile, height, width, channel) as (tile, patch, feature) and (tile, feature)."""
        tokens = self.vit(images)
        return self.of_patch(tokens.patches), self.of_tile(tokens.pooled)


def train_nucleus_vit(
    *,
    out: Path,
    profile: str | NucleusVitProfile = "quick",
    seed: int | None = None,
    device: Device = "auto",
    precision: Precision = "auto",
    resume: bool = True,
    progress: bool = True,
) -> TrainingRun:
    """Train ``nucleus_vit`` and write its weights (float16), its model card and its curve.

    Parameters
    ----------
    out
        Folder of ``nucleus_vit.safetensors``, ``.json``, ``.md``, ``metrics.csv`` and the checkpoint.
    profile
        ``quick``, ``reference``, ``full``, or settings of one's own.
    seed
        Of initial weights and batches, in place of the profile's; the donors stay the same.
    device, precision
        Where and how to compute; ``auto`` trains in bfloat16 on a GPU.
    resume
        Go on from the checkpoint in ``out``.
    progress
        Show what is done and the time to go.

    Returns
    -------
    TrainingRun
        With curve columns loss and, on the donors that are only watched, the share of the variance between patches
        that is told of size, elongation, chromatin and, averaged, the numbers of each cell type (R squared).

    Raises
    ------
    InputError
        If the profile is unknown, leaves no donor to train on, or the checkpoint is damaged or of other settings.
    """
    name, settings = choose_profile(profile, NUCLEUS_VIT_PROFILES)
    if settings.n_donors <= VALIDATION_DONORS:
        msg = f"{settings.n_donors} donors, {VALIDATION_DONORS} of which are only watched: simulate more."
        raise InputError(msg)
    if seed is not None:
        settings = replace(settings, plan=replace(settings.plan, seed=seed))
    target = resolve_device(device)
    used = resolve_precision(precision, target)
    made = nucleus_tiles(settings.n_donors, settings.size_um)
    donors = list(dict.fromkeys(made.tiles.group.tolist()))
    watched = np.isin(made.tiles.group, donors[-VALIDATION_DONORS:])
    nuclei, rows = nuclei_by_patch(made), torch.from_numpy(np.flatnonzero(~watched))
    truth, whole = _standardised(nuclei, ~watched), _standardised(nuclei.sum(axis=1), ~watched)
    images, features = torch.from_numpy(np.asarray(made.tiles.pixels)), nucleus_features(made)
    vit = build_vit(NUCLEUS_VIT.name, input_px=NUCLEUS_VIT.input_px, seed=settings.plan.seed, weights="random")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.plan.seed)
        network = NucleusReader(vit, len(features)).to(target)

    def step_loss(_: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the squared error over patches and over tiles of a batch."""
        part = rows[torch.randint(len(rows), (settings.batch,))]
        picture, drawn = _turned(images[part], truth[part], int(torch.randint(8, ())))
        of_patch, of_tile = network(picture.to(target))
        tile = functional.mse_loss(of_tile, whole[part].to(target))
        return functional.mse_loss(of_patch, drawn.to(target)) + tile, {"tile_loss": tile}

    curve = fit(
        network,
        step_loss,
        plan=settings.plan,
        folder=out,
        fingerprint={"settings": asdict(settings), "fields_seed": FIELDS_SEED},
        device=target,
        examples_per_step=settings.batch,
        precision=used,
        resume=resume,
        progress=progress,
        validate=lambda: _told(network, images[watched], truth[watched], target),
    )
    return finish(
        out,
        name=NUCLEUS_VIT.name,
        state=vit.trunk.state_dict(),
        about={"expert": NUCLEUS_VIT.name, "architecture": VITS[NUCLEUS_VIT.name].architecture},
        curve=curve,
        card={
            "summary": "A vision transformer of four blocks behind a stem of convolutions that embeds a tile of 128 um "
            "of simulated H&E (128 px) as 128 features.",
            "method": METHOD,
            "profile": name,
            "settings": asdict(settings),
            "data": [_entry(settings, made)],
            "donors": [f"{len(donors) - VALIDATION_DONORS} simulated"],
            "excluded_donors": [],
            "labels_seen": True,
            "hardware": hardware(target),
            "precision": "bfloat16 mixed" if used == "bfloat16" else "float32",
            "dimension": NUCLEUS_VIT.dimension,
            "licence": NUCLEUS_VIT.licence,
            "limits": [
                "It knows simulated tissue and no other: real nuclei look different.",
                "It was told the truth that it reads; no model of real tissue is.",
                "Its donors are other ones than those of a study, drawn by the same rules.",
            ],
        },
    )


def nucleus_tiles(n_donors: int, size_um: float) -> SimulatedTiles:
    """Return tiles of the donors that the expert learns from, in the size that it reads."""
    side = float(NUCLEUS_VIT.input_px) * NUCLEUS_VIT.microns_per_pixel
    return simulated_tiles(
        n_donors=n_donors,
        size_um=size_um,
        tile_um=side,
        stride_um=side / 2,
        input_px=NUCLEUS_VIT.input_px,
        min_transcripts=0,
        seed=FIELDS_SEED,
    )


def _standardised(values: np.ndarray, train: np.ndarray) -> Tensor:
    """Return features (tile, feature) or (tile, patch, feature) in units of the training donors."""
    known = values[train].reshape(-1, values.shape[-1])  # (tile or patch, feature)
    mean, sd = known.mean(axis=0), known.std(axis=0)
    return torch.from_numpy(((values - mean) / np.where(sd > 0, sd, 1.0)).astype(np.float32))


def _turned(images: Tensor, truth: Tensor, symmetry: int) -> tuple[Tensor, Tensor]:
    """Turn and mirror images (tile, height, width, channel) and what is true of their patches, together."""
    side = round(truth.shape[1] ** 0.5)
    grid = truth.view(len(truth), side, side, -1)  # (tile, row, column, feature)
    both = [torch.rot90(part, symmetry % 4, (1, 2)) for part in (images, grid)]
    if symmetry >= 4:
        both = [part.flip(2) for part in both]
    return both[0].contiguous(), both[1].reshape(truth.shape)


def _told(network: NucleusReader, images: Tensor, truth: Tensor, device: torch.device) -> dict[str, float]:
    """Return the share of the variance between patches that is told, by what is asked."""
    with torch.inference_mode():
        found = torch.cat([network(part.to(device))[0].float().cpu() for part in images.split(128)])
    error, spread = ((found - truth) ** 2).mean(dim=(0, 1)), truth.var(dim=(0, 1), correction=0)
    share = (1.0 - error / spread.clamp_min(1e-12)).tolist()
    first = len(share) - len(SHAPES)
    told: Mapping[str, float] = dict(zip(SHAPES, share[first:], strict=True))
    return {"r2_cell_types": float(np.mean(share[:first])), **{f"r2_{what}": value for what, value in told.items()}}


def _entry(settings: NucleusVitProfile, made: SimulatedTiles) -> dict[str, object]:
    """Return what the card says of the tissue."""
    return {
        "data_set": "simulated tissue, default dials",
        "donors": settings.n_donors,
        "watched_only": VALIDATION_DONORS,
        "size_um": settings.size_um,
        "tiles": len(made.tiles),
        "seed": FIELDS_SEED,
        "source": "beyond_alignment.datasets.simulate_fields",
        "licence": "MIT",
    }
