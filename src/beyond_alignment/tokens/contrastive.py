"""CLIP between tiles' images and transcripts: the retrieval that it allows, and what a linear probe reads from it."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from beyond_alignment.experts.compute import resolve_precision
from beyond_alignment.tokens.arm_inputs import FrozenCache
from beyond_alignment.tokens.arms import VIT
from beyond_alignment.tokens.batches import TileBatches
from beyond_alignment.tokens.clip_pair import ClipPair
from beyond_alignment.tokens.expression_encoders import Granularity
from beyond_alignment.tokens.folds import TileFold
from beyond_alignment.tokens.linear_probe import probe_genes
from beyond_alignment.tokens.plan import TokenPlan
from beyond_alignment.tokens.retrieval import Retrieval, recall_at
from beyond_alignment.tokens.training import fit_rows


@dataclass(frozen=True)
class ClipFold:
    """What CLIP gives on a fold.

    Attributes
    ----------
    retrieval
        Among the test tiles.
    predictions
        log1p counts of the add-on genes of the test tiles by a linear probe of both embeddings (tile, gene).
    """

    retrieval: Retrieval
    predictions: NDArray[np.float32]


def fit_clip(
    cache: FrozenCache,
    granularity: Granularity,
    fold: TileFold,
    *,
    plan: TokenPlan,
    seed: int = 0,
    retrieval_batch: int = 64,
) -> ClipFold:
    """Pretrain on the training tiles of a fold, then retrieve among its test tiles and probe them.

    Parameters
    ----------
    cache
        Data set and device; its images are read by the vision transformer of its plan, which is trained.
    granularity
        Whether transcripts are read by tile or by patch, the embeddings of whose patches are averaged.
    fold
        Tiles to train on, to stop by and to test on.
    plan
        Settings; its ``batch_size`` is the number of tiles that are told apart.
    seed
        Of weights, order of tiles, dropout, and of the batches of the retrieval.
    retrieval_batch
        Tiles among which a partner is looked for; at most those of the test part.

    Raises
    ------
    InputError
        If the test part is smaller than a batch of the retrieval, or a loss is not finite.
    """
    tiles, device = cache.tiles, cache.device
    vit = cache.vit(VIT, seed=seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        pair = ClipPair(vit, len(tiles.core_genes)).to(device)
    batches = TileBatches(tiles, device=device, images=True, granularity=granularity)
    fit_rows(
        pair,
        lambda part: pair.loss(batches.of(part)),
        groups=pair.parameter_groups(head_rate=plan.head_rate, backbone_rate=plan.backbone_rate),
        train_rows=torch.from_numpy(np.asarray(fold.train, dtype=np.int64)),
        validation_rows=torch.from_numpy(np.asarray(fold.validation, dtype=np.int64)),
        plan=plan,
        seed=seed,
        device=device,
    )
    image, transcripts = _embed(pair, batches, len(tiles), plan, device)
    return ClipFold(
        retrieval=recall_at(image[fold.test], transcripts[fold.test], batch_size=retrieval_batch, seed=seed),
        predictions=probe_genes(np.hstack([image, transcripts]), tiles.targets, fold),
    )


def _embed(
    pair: ClipPair, batches: TileBatches, n: int, plan: TokenPlan, device: torch.device
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Embed every tile, by image and by transcripts (tile, feature)."""
    pair.eval()
    half = resolve_precision(plan.precision, device) == "bfloat16"
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=half):
        parts = [[z.cpu() for z in pair(batches.of(part))] for part in torch.arange(n).split(plan.batch_size)]
    image, transcripts = (torch.cat(side).numpy() for side in zip(*parts, strict=True))
    return image, transcripts
