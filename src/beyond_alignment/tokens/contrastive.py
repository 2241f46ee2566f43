"""CLIP between tiles' images and transcripts: the retrieval that it allows, and what a linear probe reads from it."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from beyond_alignment.benchmark.expert_probes import digest as hash_of
from beyond_alignment.benchmark.store import Arrays, PointStore
from beyond_alignment.experts.compute import Device, resolve_device, resolve_precision
from beyond_alignment.tokens.arm_inputs import FrozenCache, tiles_digest
from beyond_alignment.tokens.arms import VIT
from beyond_alignment.tokens.batches import TileBatches
from beyond_alignment.tokens.clip_pair import ClipPair
from beyond_alignment.tokens.expression_encoders import Granularity
from beyond_alignment.tokens.fold import FoldRows, check_folds, computed_with
from beyond_alignment.tokens.linear_probe import probe_genes
from beyond_alignment.tokens.plan import TokenPlan
from beyond_alignment.tokens.retrieval import Retrieval, recall_at
from beyond_alignment.tokens.tiles import Tiles
from beyond_alignment.tokens.training import fit_rows


@dataclass(frozen=True)
class ClipResult:
    """CLIP pretraining over all folds.

    Attributes
    ----------
    granularity
        Of the transcripts.
    seed
        Of weights, order of tiles and dropout.
    retrieval
        Among the test tiles of each fold.
    predictions
        log1p counts of the add-on genes by a linear probe of both embeddings, out of fold (tile, gene); NaN in the rows
        of tiles that no fold tests.
    vision
        What the vision transformer started from, in words.
    seconds
        Of all folds.
    """

    granularity: Granularity
    seed: int
    retrieval: tuple[Retrieval, ...]
    predictions: NDArray[np.float32]
    vision: str
    seconds: float


def run_clip(
    tiles: Tiles,
    granularity: Granularity,
    folds: Sequence[FoldRows],
    *,
    seed: int = 0,
    device: Device = "auto",
    store: PointStore | None = None,
    plan: TokenPlan | None = None,
    retrieval_batch: int = 64,
    ks: Sequence[int] = (1, 5),
) -> ClipResult:
    """Pretrain on the training tiles of each fold, then retrieve among its test tiles and probe them.

    Parameters
    ----------
    tiles
        The data set.
    granularity
        Whether transcripts are read by tile or by patch, the embeddings of whose patches are averaged.
    folds
        Tiles to train on, to stop by and to test on.
    seed
        Of weights, order of tiles, dropout, and of the batches of the retrieval.
    device
        Where to train.
    store
        Keeps each finished fold; None keeps nothing.
    plan
        Settings; the defaults when None. Its ``batch_size`` is the number of tiles that are told apart.
    retrieval_batch
        Tiles among which a partner is looked for; at most those of a test part.
    ks
        Of recall at k.

    Raises
    ------
    InputError
        If folds overlap, a test part is smaller than a batch of the retrieval, or a loss is not finite.
    """
    used, target, points = plan or TokenPlan(), resolve_device(device), store or PointStore(None)
    check_folds(folds, len(tiles))
    digest, start = tiles_digest(tiles), FrozenCache(tiles, device=target, plan=used).vit(VIT, seed=seed).weights
    predictions = np.full(tiles.targets.shape, np.nan, dtype=np.float32)
    found, seconds, vision = [], 0.0, ""
    for rows in folds:
        key = {
            "what": "CLIP of tiles",
            "granularity": granularity,
            "plan": asdict(used),
            "vision": start,
            "data": digest,
            "rows": [hash_of(np.asarray(part)) for part in (rows.train, rows.validation, rows.test)],
            "seed": seed,
            "precision": computed_with(used, target),
        }
        point = points.get(key, lambda rows=rows: _pretrain(tiles, granularity, rows, seed, target, used))  # type: ignore[misc]
        image, transcripts = point["image"], point["transcripts"]
        found.append(recall_at(image[rows.test], transcripts[rows.test], ks=ks, batch_size=retrieval_batch, seed=seed))
        predictions[rows.test] = probe_genes(np.hstack([image, transcripts]), tiles.targets, rows)
        seconds, vision = seconds + float(point["seconds"]), str(point["vision"])
    return ClipResult(granularity, seed, tuple(found), predictions, vision, seconds)


def _pretrain(
    tiles: Tiles, granularity: Granularity, rows: FoldRows, seed: int, device: torch.device, plan: TokenPlan
) -> Arrays:
    """Train both encoders on one fold and embed every tile."""
    started = time.perf_counter()
    vit = FrozenCache(tiles, device=device, plan=plan).vit(VIT, seed=seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        pair = ClipPair(vit, len(tiles.core_genes)).to(device)
    batches = TileBatches(tiles, device=device, images=True, granularity=granularity)
    fit_rows(
        pair,
        lambda part: pair.loss(batches.of(part)),
        groups=pair.parameter_groups(head_rate=plan.head_rate, backbone_rate=plan.backbone_rate),
        train_rows=torch.from_numpy(np.asarray(rows.train, dtype=np.int64)),
        validation_rows=torch.from_numpy(np.asarray(rows.validation, dtype=np.int64)),
        plan=plan,
        seed=seed,
        device=device,
    )
    image, transcripts = _embed(pair, batches, len(tiles), plan, device)
    return {
        "image": image,
        "transcripts": transcripts,
        "vision": np.array(vit.weights),
        "seconds": np.array(time.perf_counter() - started),
    }


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
