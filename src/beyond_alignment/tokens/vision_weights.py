"""The vision transformers that the arms run on, by name, and where their weights come from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from beyond_alignment.errors import InputError
from beyond_alignment.experts.checkpoints import fit, from_hub, read_state
from beyond_alignment.experts.loading import load_morphology
from beyond_alignment.experts.record import IMAGENET_MEAN, IMAGENET_SD, Colour, Expert
from beyond_alignment.experts.registry import get_expert
from beyond_alignment.experts.torchvision_operators import import_timm
from beyond_alignment.experts.weights_files import find_weights
from beyond_alignment.files import file_sha256
from beyond_alignment.tokens.conv_stem import ConvStem
from beyond_alignment.tokens.vision import PatchVit

PATCH_PX = 16
Weights = Literal["auto", "random"]

AUGREG = Expert(
    name="vit_small_patch16_224.augreg_in21k",
    modality="morphology",
    dimension=384,
    parameters=21_665_664,
    source="timm/vit_small_patch16_224.augreg_in21k",
    revision="main",
    licence="Apache-2.0",
    input_description="224 x 224 px RGB patch, mean and sd 0.5, class token",
    fitted_on="ImageNet-21k with labels",
    citation="dosovitskiy2021vit",
    input_px=224,
    mean=(0.5, 0.5, 0.5),
    sd=(0.5, 0.5, 0.5),
)
NUCLEUS_VIT = Expert(
    name="nucleus_vit",
    modality="morphology",
    dimension=128,
    parameters=915_984,
    source="data/experts/nucleus_vit.md",
    licence="MIT",
    input_description="128 x 128 px RGB tile of 128 um of simulated H&E, mean of the patch tokens",
    fitted_on="nuclei as drawn of simulated donors that no study holds",
    citation="xiao2021early",
    input_px=128,
    microns_per_pixel=1.0,
    mean=(0.5, 0.5, 0.5),
    sd=(0.5, 0.5, 0.5),
)


@dataclass(frozen=True)
class VitDefinition:
    """A vision transformer that is not one of the frozen experts.

    Attributes
    ----------
    architecture
        timm's name.
    arguments
        What differs from it.
    mean, sd
        Of its input, as in :class:`PatchVit`.
    published
        Record of its weights; None where it has none and starts from random numbers.
    stem
        Whether convolutions (:class:`ConvStem`) turn pixels into patch tokens, in the place of one linear map.
    """

    architecture: str
    arguments: Mapping[str, int | str] = field(default_factory=dict)
    mean: Colour = IMAGENET_MEAN
    sd: Colour = IMAGENET_SD
    published: Expert | None = None
    stem: bool = False


_COMPACT: Mapping[str, int | str] = {"embed_dim": 128, "depth": 4, "num_heads": 4}
VITS: dict[str, VitDefinition] = {
    "vit_s_augreg": VitDefinition("vit_small_patch16_224", mean=AUGREG.mean, sd=AUGREG.sd, published=AUGREG),
    "vit_compact": VitDefinition("vit_tiny_patch16_224", _COMPACT),
    "nucleus_vit": VitDefinition(
        *("vit_tiny_patch16_224", {**_COMPACT, "global_pool": "avg"}, NUCLEUS_VIT.mean, NUCLEUS_VIT.sd, NUCLEUS_VIT),
        stem=True,
    ),
}


def build_vit(
    name: str, *, input_px: int, patch_px: int = PATCH_PX, seed: int = 0, weights: Weights | Path = "auto"
) -> PatchVit:
    """Build a vision transformer for tiles of one size.

    Parameters
    ----------
    name
        ``vit_s_augreg`` (ViT-S/16, ImageNet-21k), ``vit_compact`` (4 blocks of 128 features, random),
        ``nucleus_vit`` (as small, behind convolutions, taught to read simulated nuclei), or a morphology expert that is
        a vision transformer, such as ``tissue_vit`` or ``phikon``.
    input_px
        Side of a tile in pixels; positions of published weights are resampled to its grid, those of experts are not.
    patch_px
        Side of a patch in pixels, for networks that have no published weights; those have theirs.
    seed
        Of random weights.
    weights
        ``auto``: the published ones where they are on this machine or the hub gives them, else random ones;
        ``random``; or a file. An expert has its own.

    Returns
    -------
    PatchVit
        On the CPU, every parameter open to training; its ``weights`` says what they are.

    Raises
    ------
    InputError
        If there is no network of that name, its weights do not fit, an expert reads tiles of another size, or the
        weights of ``nucleus_vit`` are not in ``data/experts``.
    """
    if name not in VITS:
        return _of_expert(name, input_px)
    definition = VITS[name]
    side = patch_px if definition.published is None else PATCH_PX
    if input_px % side:
        raise InputError(f"Tiles of {input_px} px do not divide into patches of {side}: change input_px or patch_px.")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        trunk: nn.Module = import_timm().create_model(
            definition.architecture,
            pretrained=False,
            num_classes=0,
            img_size=input_px,
            patch_size=side,
            **({"embed_layer": ConvStem} if definition.stem else {}),
            **definition.arguments,
        )
    found, about = _weights_file(definition, weights)
    if found is not None:
        state = {key: value for key, value in read_state(found).items() if not key.startswith("head.")}
        fit(trunk, _resampled(state, input_px // side), path=found, name=name)
    about = about or f"random, seed {seed}"
    vit = PatchVit(trunk, mean=definition.mean, sd=definition.sd, weights=about)
    return vit.train().requires_grad_(True)


def _of_expert(name: str, input_px: int) -> PatchVit:
    """Build the network of an expert with its weights."""
    try:
        expert = get_expert(name)
    except InputError as error:
        msg = f"There is no vision transformer {name!r}: choose {', '.join(VITS)} or a morphology expert."
        raise InputError(msg) from error
    if expert.input_px != input_px:
        msg = f"{expert.name} reads tiles of {expert.input_px} px, not {input_px}: make tiles with that input_px."
        raise InputError(msg)
    model = load_morphology(expert.name, device="cpu")
    vit = PatchVit(model.module, mean=expert.mean, sd=expert.sd, weights=f"{expert.name}, {model.source}")
    return vit.train().requires_grad_(True)


def _weights_file(definition: VitDefinition, weights: Weights | Path) -> tuple[Path | None, str]:
    """Return the file to load, or None for random numbers, and what it is in words."""
    if isinstance(weights, Path):
        return weights, f"{weights.name}, sha256 {file_sha256(weights)[:12]}"
    if weights == "random" or definition.published is None:
        return None, ""
    found = _published_file(definition.published)
    if found is None and not definition.published.on_hub:
        name = definition.published.name
        msg = f"The weights of {name} are not in data/experts: restore them, or ask for random ones."
        raise InputError(msg)
    return found, "" if found is None else f"{definition.published.name}, sha256 {file_sha256(found)[:12]}"


@cache
def _published_file(record: Expert) -> Path | None:
    """Return published weights from this machine or the hub, which is asked once."""
    if found := find_weights(record):
        return found[0]
    try:
        return from_hub(record) if record.on_hub else None
    except InputError:
        return None


def _resampled(state: Mapping[str, Tensor], grid: int) -> dict[str, Tensor]:
    """Return weights whose positions fit a grid; the class token's stays."""
    positions = state.get("pos_embed")
    if positions is None or positions.shape[1] == grid**2 + 1:
        return dict(state)
    import_timm()
    from timm.layers import resample_abs_pos_embed  # torchvision may need the schemas that import_timm declares

    return {**state, "pos_embed": resample_abs_pos_embed(positions, new_size=[grid, grid], num_prefix_tokens=1)}
