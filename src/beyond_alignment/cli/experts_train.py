"""``beyond-alignment experts train``: train the project's own experts, or go on where a training stopped."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from beyond_alignment.cli.book import Device
from beyond_alignment.cli.embed import Precision
from beyond_alignment.errors import InputError


class TrainedExpert(StrEnum):
    """Experts that are trained here."""

    tissue_vit = "tissue_vit"
    gene_transformer = "gene_transformer"
    nucleus_vit = "nucleus_vit"


EXPERT = typer.Argument(
    metavar="EXPERT", help="tissue_vit (H&E), gene_transformer (counts) or nucleus_vit (simulated H&E)."
)
PROFILE = typer.Option("--profile", help="quick (minutes), reference (half an hour on two cores) or full (a GPU).")
EXCLUDE = typer.Option("--exclude-donor", help="A donor that is not seen; may be given again.")
OUT = typer.Option("--out", file_okay=False, help="Folder of weights, card, curve and checkpoint.")
RESUME = typer.Option("--resume/--no-resume", help="Go on from the checkpoint in the folder, if there is one.")
PRECISION = typer.Option("--precision", help="auto: bfloat16 on a GPU, float32 elsewhere.")
SEED = typer.Option("--seed", min=0, max=2**32 - 1, help="Of initial weights and everything drawn.")


def train(
    expert: Annotated[TrainedExpert, EXPERT],
    profile: Annotated[str, PROFILE] = "quick",
    exclude_donor: Annotated[list[str] | None, EXCLUDE] = None,
    out: Annotated[Path | None, OUT] = None,
    device: Annotated[
        Device, typer.Option("--device", envvar="BEYOND_ALIGNMENT_DEVICE", help="Where to compute.")
    ] = Device.auto,
    precision: Annotated[Precision, PRECISION] = Precision.auto,
    resume: Annotated[bool, RESUME] = True,
    seed: Annotated[int, SEED] = 0,
) -> None:
    """Train an expert of the project's own: on tissue without any label, or on simulated tissue with its truth."""
    from beyond_alignment import tokens
    from beyond_alignment.experts import training

    excluded = tuple(sorted(set(exclude_donor or ())))
    if expert is TrainedExpert.nucleus_vit and excluded:
        raise InputError("nucleus_vit learns from simulated donors alone: leave out --exclude-donor.")
    common: dict[str, Any] = {
        "out": _folder(out, expert.value, profile, excluded),
        "profile": profile,
        "seed": seed,
        "device": device.value,
        "precision": precision.value,
        "resume": resume,
    }
    if expert is TrainedExpert.nucleus_vit:
        run = tokens.train_nucleus_vit(**common)
    elif expert is TrainedExpert.tissue_vit:
        run = training.train_tissue_vit(**common, exclude_donors=excluded)
    else:
        run = training.train_gene_transformer(**common, exclude_donors=excluded)
    typer.echo(f"Written: {run.weights} ({run.card.size / 1e6:.1f} MB, {run.card.hours:.2f} h of training)")


def _folder(out: Path | None, expert: str, profile: str, excluded: tuple[str, ...]) -> Path:
    """Return where a training writes, and refuse a place that is no folder before any time is spent."""
    from beyond_alignment.experts.training.run import trained_name
    from beyond_alignment.project import root

    if out is None:
        return root() / "executed" / "experts" / trained_name(f"{expert}_{profile}", excluded)
    above = next(folder for folder in (out.resolve(), *out.resolve().parents) if folder.exists())
    if not above.is_dir():
        raise InputError(f"{out} cannot be written: {above} is a file; give a folder.")
    return out
