"""One arm on one fold: trained, stopped by the validation part, and its predictions of tiles that it did not see."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from beyond_alignment.errors import InputError
from beyond_alignment.experts.compute import resolve_precision
from beyond_alignment.tokens.arm_inputs import FrozenCache, build_network, prepare
from beyond_alignment.tokens.arms import Arm
from beyond_alignment.tokens.batches import TileBatches
from beyond_alignment.tokens.folds import TileFold
from beyond_alignment.tokens.network import TokenNetwork
from beyond_alignment.tokens.plan import TokenPlan
from beyond_alignment.tokens.scaling import fit_target_scale
from beyond_alignment.tokens.training import Curve, fit_rows


@dataclass(frozen=True)
class ArmFold:
    """What an arm gives on a fold.

    Attributes
    ----------
    predictions
        log1p counts of the add-on genes of the test tiles (tile, gene).
    embeddings
        What the linear head reads of them (tile, feature).
    curve
        A row for each epoch: epoch, learning_rate, loss, validation.
    best_epoch
        Whose weights were kept, from 1.
    trained_parameters
        Parameters that are fitted to the targets.
    vision
        What its vision network is, in words.
    """

    predictions: NDArray[np.float32]
    embeddings: NDArray[np.float32]
    curve: Curve
    best_epoch: int
    trained_parameters: int
    vision: str


def check_folds(folds: Sequence[TileFold], n_tiles: int) -> None:
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


def fit_arm(cache: FrozenCache, arm: Arm, fold: TileFold, *, plan: TokenPlan, seed: int = 0) -> ArmFold:
    """Train an arm on the training tiles of a fold and predict its test tiles; the device is that of the cache.

    Raises
    ------
    InputError
        If the arm lacks something, or a loss is not finite.
    """
    tiles, device = cache.tiles, cache.device
    inputs = prepare(arm, cache, seed=seed)
    network = build_network(inputs, cache, seed=seed)
    scale = fit_target_scale(tiles.targets[fold.train], plan.targets)
    targets = torch.from_numpy(scale.scaled(tiles.targets)).to(device)

    def loss_of(part: Tensor) -> Tensor:
        """Return the mean squared error over tiles and genes."""
        return functional.mse_loss(network(inputs.batches.of(part)).float(), targets[part.to(device)])

    train, validation, test = (
        torch.from_numpy(np.asarray(part, dtype=np.int64)) for part in (fold.train, fold.validation, fold.test)
    )
    training = fit_rows(
        network,
        loss_of,
        groups=network.parameter_groups(head_rate=plan.head_rate, backbone_rate=plan.backbone_rate),
        train_rows=train,
        validation_rows=validation,
        plan=plan,
        seed=seed,
        device=device,
    )
    outputs, embeddings = predict(network, inputs.batches, test, plan=plan, device=device)
    return ArmFold(
        predictions=scale.restored(outputs),
        embeddings=embeddings,
        curve=training.curve,
        best_epoch=training.best_epoch,
        trained_parameters=network.n_parameters(),
        vision=inputs.vision,
    )


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
