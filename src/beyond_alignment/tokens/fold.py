"""One arm on one fold: trained, stopped by the validation part, and its predictions of tiles that it did not see."""

import hashlib
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from beyond_alignment.benchmark.expert_probes import digest as hash_of
from beyond_alignment.benchmark.store import Arrays, PointStore
from beyond_alignment.errors import InputError
from beyond_alignment.experts.compute import resolve_precision
from beyond_alignment.tokens.arm_inputs import ArmInputs, FrozenCache, build_network
from beyond_alignment.tokens.batches import TileBatches
from beyond_alignment.tokens.network import TokenNetwork
from beyond_alignment.tokens.plan import TokenPlan
from beyond_alignment.tokens.scaling import fit_target_scale
from beyond_alignment.tokens.training import fit_rows

CURVE = ("epoch", "learning_rate", "loss", "validation")
CHECKPOINTS = "checkpoints"
Tell = Callable[[dict[str, float]], None]


class FoldRows(Protocol):
    """The tiles of one fold (tile,): positions to train on, to stop by, and to predict."""

    @property
    def train(self) -> NDArray[np.intp]:
        """Return the tiles that parameters are fitted on."""

    @property
    def validation(self) -> NDArray[np.intp]:
        """Return the tiles that choose the epoch."""

    @property
    def test(self) -> NDArray[np.intp]:
        """Return the tiles that are predicted."""


def check_folds(folds: Sequence[FoldRows], n_tiles: int) -> None:
    """Refuse folds whose parts overlap, or that predict a tile twice.

    Raises
    ------
    InputError
        With the first fold that is wrong.
    """
    tested = np.zeros(n_tiles, dtype=np.int64)
    for number, rows in enumerate(folds):
        parts = [np.asarray(part) for part in (rows.train, rows.validation, rows.test)]
        if not all(map(len, parts)):
            sizes = ", ".join(str(len(part)) for part in parts)
            raise InputError(f"Fold {number} has {sizes} tiles to train, to stop by and to test: each part needs some.")
        every = np.concatenate(parts)
        if len(np.unique(every)) != len(every) or (every < 0).any() or (every >= n_tiles).any():
            raise InputError(f"Fold {number} names a tile twice, or one of {n_tiles} that is not there: split anew.")
        np.add.at(tested, parts[2], 1)
    if (tested > 1).any():
        twice = int((tested > 1).sum())
        raise InputError(f"{twice} tiles are tested in more than one fold: each may be predicted once.")


def fold_point(
    inputs: ArmInputs,
    cache: FrozenCache,
    rows: FoldRows,
    *,
    seed: int,
    store: PointStore,
    digest: str,
    tell: Tell,
) -> Arrays:
    """Return what one fold gives: from the store, from its last checkpoint on, or from the start.

    Parameters
    ----------
    inputs, cache
        Of the arm and of the data set.
    rows
        Of the fold.
    seed
        Of weights, order of tiles and dropout.
    store
        Keeps finished folds.
    digest
        Of the data.
    tell
        Called after each epoch.

    Returns
    -------
    dict
        predictions (test tile, gene) in log1p counts; embeddings (test tile, feature); curve (epoch, number) in the
        order of ``CURVE``; best_epoch, trained_parameters, parameters and seconds.
    """
    plan = cache.plan
    key = {
        "what": "arm of token-level fusion",
        "arm": asdict(inputs.arm),
        "plan": asdict(plan),
        "vision": inputs.vision,
        "embeddings": {name: hash_of(values) for name, values in cache.given.items()},
        "data": digest,
        "rows": [hash_of(np.asarray(part)) for part in (rows.train, rows.validation, rows.test)],
        "seed": seed,
        "precision": computed_with(plan, cache.device),
    }
    fingerprint = {name: str(value) for name, value in key.items()}
    name = hashlib.sha256(str(sorted(fingerprint.items())).encode()).hexdigest()[:24]
    folder = None if store.folder is None else store.folder / CHECKPOINTS / name
    point = store.get(key, lambda: _train(inputs, cache, rows, seed, folder, fingerprint, tell))
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)  # the fold is finished
    return point


def _train(
    inputs: ArmInputs,
    cache: FrozenCache,
    rows: FoldRows,
    seed: int,
    folder: Path | None,
    fingerprint: dict[str, str],
    tell: Tell,
) -> Arrays:
    """Train and predict."""
    started = time.perf_counter()
    plan, device, tiles = cache.plan, cache.device, cache.tiles
    network = build_network(inputs, cache, seed=seed)
    scale = fit_target_scale(tiles.targets[rows.train], plan.targets)
    targets = torch.from_numpy(scale.scaled(tiles.targets)).to(device)
    call = torch.compile(network) if plan.compiled and device.type == "cuda" else network

    def loss_of(part: Tensor) -> Tensor:
        """Return the mean squared error over tiles and genes."""
        return functional.mse_loss(call(inputs.batches.of(part)).float(), targets[part.to(device)])

    train_rows, validation_rows, test_rows = (
        torch.from_numpy(np.asarray(part, dtype=np.int64)) for part in (rows.train, rows.validation, rows.test)
    )
    training = fit_rows(
        network,
        loss_of,
        groups=network.parameter_groups(head_rate=plan.head_rate, backbone_rate=plan.backbone_rate),
        train_rows=train_rows,
        validation_rows=validation_rows,
        plan=plan,
        seed=seed,
        device=device,
        folder=folder,
        fingerprint=fingerprint,
        after_epoch=tell,
    )
    outputs, embeddings = predict(network, inputs.batches, test_rows, plan=plan, device=device)
    return {
        "predictions": scale.restored(outputs),
        "embeddings": embeddings,
        "curve": np.array([[row[name] for name in CURVE] for row in training.curve]),
        "best_epoch": np.array(training.best_epoch),
        "trained_parameters": np.array(network.n_parameters()),
        "parameters": np.array(network.n_parameters(trained=False)),
        "seconds": np.array(time.perf_counter() - started),
    }


def predict(
    network: TokenNetwork, batches: TileBatches, rows: Tensor, *, plan: TokenPlan, device: torch.device
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the outputs of a network for some tiles (tile, gene), and its embeddings of them (tile, feature)."""
    network.eval()
    half = resolve_precision(plan.precision, device) == "bfloat16"
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=half):
        embedded = [network.embed(batches.of(part)) for part in rows.split(plan.batch_size)]
        outputs = [network.head(part).float().cpu() for part in embedded]
    return torch.cat(outputs).numpy(), torch.cat([part.float().cpu() for part in embedded]).numpy()


def computed_with(plan: TokenPlan, device: torch.device) -> str:
    """Return the numbers that are computed with, and where, for the key of a point."""
    return f"{resolve_precision(plan.precision, device)} on {device.type}"
