"""What an arm reads of a data set, ready for its folds: vision transformer, frozen embeddings, batches."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from beyond_alignment.errors import InputError
from beyond_alignment.tokens.arms import VIT, Arm
from beyond_alignment.tokens.batches import TileBatches
from beyond_alignment.tokens.frozen import expert_embedding, frozen_embedding
from beyond_alignment.tokens.network import Sizes, TokenNetwork
from beyond_alignment.tokens.plan import TokenPlan
from beyond_alignment.tokens.tiles import Tiles
from beyond_alignment.tokens.vision import PatchVit
from beyond_alignment.tokens.vision_weights import build_vit


@dataclass(frozen=True)
class ArmInputs:
    """An arm's view of a data set: its tiles in batches, the sizes of its network, and its vision in words."""

    arm: Arm
    batches: TileBatches
    sizes: Sizes
    vision: str


class FrozenCache:
    """A data set with its embeddings by frozen vision networks, each computed when it is first asked for.

    ``plan`` names the vision transformer and the precision.
    """

    def __init__(self, tiles: Tiles, *, device: torch.device, plan: TokenPlan) -> None:
        self.tiles, self.device, self.plan = tiles, device, plan
        self._found: dict[str, NDArray[np.float32]] = {}

    def vit(self, name: str, *, seed: int) -> PatchVit:
        """Return a vision transformer for these tiles, ``vit`` being that of the plan."""
        chosen, weights = (self.plan.vit, self.plan.vit_weights) if name == VIT else (name, "auto")
        side = self.tiles.pixels.shape[1]
        return build_vit(chosen, input_px=side, patch_px=side // self.tiles.grid, seed=seed, weights=weights)

    def embedding(self, name: str, *, seed: int) -> tuple[NDArray[np.float32], str]:
        """Return the embedding of every tile by a frozen vision network (tile, feature), and what it is in words."""
        if name != VIT:
            if name not in self._found:
                self._found[name] = expert_embedding(
                    name, self.tiles, device=self.device, precision=self.plan.precision
                )
            return self._found[name], name
        vit = self.vit(name, seed=seed)
        if vit.weights not in self._found:
            self._found[vit.weights] = frozen_embedding(
                vit, self.tiles, device=self.device, precision=self.plan.precision
            )
        return self._found[vit.weights], vit.weights


def prepare(arm: Arm, cache: FrozenCache, *, seed: int) -> ArmInputs:
    """Gather what an arm reads; ``seed`` is that of random weights of the vision transformer.

    An arm whose vision network is frozen and sees images alone reads its embedding, which is computed once.

    Raises
    ------
    InputError
        If the weights of its vision network cannot be had, or its patches are not those of the transcripts.
    """
    tiles = cache.tiles
    image, vision = cache.embedding(str(arm.vision), seed=seed) if arm.cached else (None, "")
    if arm.vision is not None and not arm.cached:
        vit = cache.vit(arm.vision, seed=seed)
        vision = vit.weights
        if arm.stage == "early" and vit.grid != tiles.grid:
            grids = f"{tiles.grid} x {tiles.grid} patches of transcripts, {vit.grid} x {vit.grid} of the image"
            raise InputError(f"The arm {arm.name} pairs {grids}: make tiles with the network's patch_px.")
    batches = TileBatches(
        tiles,
        device=cache.device,
        images=arm.vision is not None and not arm.cached,
        granularity=arm.granularity,
        image_embedding=image,
    )
    sizes = Sizes(tiles.targets.shape[1], len(tiles.core_genes), 0 if image is None else image.shape[1])
    return ArmInputs(arm, batches, sizes, vision)


def build_network(inputs: ArmInputs, cache: FrozenCache, *, seed: int) -> TokenNetwork:
    """Build the network of an arm with weights drawn by seed, on the device of the cache."""
    arm = inputs.arm
    vit = cache.vit(str(arm.vision), seed=seed) if inputs.batches.pixels is not None else None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = TokenNetwork(arm, inputs.sizes, vit=vit, match_norm=cache.plan.match_norm)
    return network.to(cache.device)
