"""What an arm reads of a data set, ready for its folds: vision transformer, frozen embeddings, batches."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from beyond_alignment.errors import InputError
from beyond_alignment.tokens.arm_availability import missing
from beyond_alignment.tokens.arms import VIT, Arm
from beyond_alignment.tokens.batches import TileBatches
from beyond_alignment.tokens.frozen import expert_embedding, frozen_embedding
from beyond_alignment.tokens.network import Sizes, TokenNetwork
from beyond_alignment.tokens.plan import TokenPlan
from beyond_alignment.tokens.tiles import Tiles
from beyond_alignment.tokens.vision import PatchVit
from beyond_alignment.tokens.vision_weights import build_vit

Embeddings = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class ArmInputs:
    """An arm's view of a data set.

    Attributes
    ----------
    arm
        The arm.
    batches
        Hands out tiles.
    sizes
        Of the network.
    vision
        What its vision network is, in words; empty without one.
    """

    arm: Arm
    batches: TileBatches
    sizes: Sizes
    vision: str


class FrozenCache:
    """Embeddings of one data set by frozen vision networks, each computed when it is first asked for.

    Parameters
    ----------
    tiles
        The data set.
    device
        Where they are computed.
    plan
        Its precision.
    given
        Embeddings that are at hand, by the name of the expert (tile, feature).
    """

    def __init__(self, tiles: Tiles, *, device: torch.device, plan: TokenPlan, given: Embeddings | None = None) -> None:
        self.tiles, self.device, self.plan = tiles, device, plan
        self.given = dict(given or {})
        for name, values in self.given.items():
            if values.ndim != 2 or len(values) != len(tiles) or not np.isfinite(values).all():
                msg = f"The embedding {name}, {values.shape}, is not one finite row a tile of {len(tiles)}: embed all."
                raise InputError(msg)
        self._found: dict[str, NDArray[np.float32]] = {}
        self._refused: dict[str, InputError] = {}

    def check(self, arm: Arm) -> None:
        """Load the vision expert of an arm, where it has one; what cannot be had is asked for once.

        Raises
        ------
        InputError
            If its weights cannot be had, or do not fit the tiles.
        """
        name = arm.vision
        if name in (None, VIT):
            return
        use = f"{name}, {'embedding' if arm.cached else 'network'}"
        if use in self._refused:
            raise self._refused[use]
        try:
            if arm.cached:
                self.embedding(str(name), seed=0)
            else:
                self.vit(str(name), seed=0)
        except InputError as error:
            self._refused[use] = error
            raise

    def vit(self, name: str, *, seed: int) -> PatchVit:
        """Return a vision transformer for these tiles, ``vit`` being that of the plan."""
        chosen, weights = (self.plan.vit, self.plan.vit_weights) if name == VIT else (name, "auto")
        side = self.tiles.pixels.shape[1]
        return build_vit(chosen, input_px=side, patch_px=side // self.tiles.grid, seed=seed, weights=weights)

    def embedding(self, name: str, *, seed: int) -> tuple[NDArray[np.float32], str]:
        """Return the embedding of every tile by a frozen vision network (tile, feature), and what it is in words."""
        if name in self.given:
            return self.given[name], f"{name}, given"
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


def prepare(arm: Arm, cache: FrozenCache, *, seed: int, cached: bool = True) -> ArmInputs:
    """Gather what an arm reads.

    Parameters
    ----------
    arm
        The arm.
    cache
        Of the data set.
    seed
        Of random weights of the vision transformer.
    cached
        Whether an arm whose vision network is frozen and sees images alone reads its embedding, computed once, or
        passes the images through it in each step; the result is the same.

    Raises
    ------
    InputError
        If the arm lacks something, which is named.
    """
    tiles = cache.tiles
    if lacking := missing(arm, given=cache.given):
        raise InputError(f"The arm {arm.name} cannot run here: {'; '.join(lacking)}.")
    from_embedding = arm.cached and (cached or arm.vision != VIT)
    image, vision = cache.embedding(str(arm.vision), seed=seed) if from_embedding else (None, "")
    if arm.vision is not None and not from_embedding:
        vit = cache.vit(arm.vision, seed=seed)
        vision = vit.weights
        if arm.stage == "early" and vit.grid != tiles.grid:
            grids = f"{tiles.grid} x {tiles.grid} patches of transcripts, {vit.grid} x {vit.grid} of the image"
            raise InputError(f"The arm {arm.name} pairs {grids}: make tiles with the network's patch_px.")
    frozen = None if arm.expression in (None, "mlp") else cache.given[str(arm.expression)]
    batches = TileBatches(
        tiles,
        device=cache.device,
        images=arm.vision is not None and not from_embedding,
        granularity=arm.granularity,
        image_embedding=image,
        expression_embedding=frozen,
    )
    n_expression = frozen.shape[1] if frozen is not None else len(tiles.core_genes)
    sizes = Sizes(tiles.targets.shape[1], n_expression, 0 if image is None else image.shape[1])
    return ArmInputs(arm, batches, sizes, vision)


def build_network(inputs: ArmInputs, cache: FrozenCache, *, seed: int) -> TokenNetwork:
    """Build the network of an arm with weights drawn by seed, on the device of the cache."""
    arm = inputs.arm
    vit = cache.vit(str(arm.vision), seed=seed) if inputs.batches.pixels is not None else None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = TokenNetwork(arm, inputs.sizes, vit=vit, match_norm=cache.plan.match_norm)
    return network.to(cache.device)


def tiles_digest(tiles: Tiles) -> str:
    """Return a hash of all that an arm reads of a data set."""
    digest = hashlib.sha256()
    for values in (tiles.core.data, tiles.core.indices, tiles.core.indptr, tiles.targets):
        digest.update(np.ascontiguousarray(values).tobytes())
    for start in range(0, len(tiles), 256):
        digest.update(np.ascontiguousarray(tiles.pixels[start : start + 256]).tobytes())
    digest.update(f"{tiles.core_genes} {tiles.addon_genes} {tiles.grid}".encode())
    return digest.hexdigest()
