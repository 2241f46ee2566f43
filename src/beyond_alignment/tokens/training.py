"""The training loop of the arms: warm-up and cosine, early stopping."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from beyond_alignment.errors import InputError
from beyond_alignment.experts.compute import resolve_precision
from beyond_alignment.tokens.plan import TokenPlan, learning_rate

SEED_STRIDE = 1_000_003
Curve = list[dict[str, float]]
RowsLoss = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Training:
    """How a training went.

    Attributes
    ----------
    curve
        A row for each epoch: epoch, learning_rate (of the head), loss, validation.
    best_epoch
        The epoch whose weights were kept, from 1.
    """

    curve: Curve
    best_epoch: int


def fit_rows(
    module: nn.Module,
    loss_of: RowsLoss,
    *,
    groups: Sequence[dict[str, Any]],
    train_rows: Tensor,
    validation_rows: Tensor,
    plan: TokenPlan,
    seed: int,
    device: torch.device,
) -> Training:
    """Train a module in place, and leave it with the weights of its best epoch on the validation part.

    What is drawn in a step depends on the seed and the number of the step alone. On a CPU the same seed gives the same
    bytes.

    Parameters
    ----------
    module
        What is trained, on the device.
    loss_of
        Mean loss of some tiles (tile,), without axes; the module is in training or evaluation mode as is due.
    groups
        Groups of parameters of AdamW, each with its highest learning rate as ``peak``.
    train_rows, validation_rows
        Tiles (tile,).
    plan
        Settings.
    seed
        Of the order of the tiles and of dropout.
    device
        Where the module is.

    Raises
    ------
    InputError
        If a part is empty or a loss is not finite.
    """
    if not (len(train_rows) and len(validation_rows)):
        msg = f"{len(train_rows)} tiles to train on and {len(validation_rows)} to validate on: each part needs some."
        raise InputError(msg)
    half = resolve_precision(plan.precision, device) == "bfloat16"
    adam = torch.optim.AdamW(list(groups), weight_decay=plan.weight_decay, fused=True)
    trained = [value for value in module.parameters() if value.requires_grad]
    best = _copied(trained)
    curve: Curve = []
    batch = min(plan.batch_size, len(train_rows))
    for epoch in range(plan.epochs):
        if _stopped(curve, plan.patience):
            break
        module.train()
        order = torch.randperm(len(train_rows), generator=torch.Generator().manual_seed(seed * SEED_STRIDE + epoch))
        parts, total = train_rows[order].split(batch), torch.zeros((), device=device)
        for number, part in enumerate(parts):
            step = epoch * len(parts) + number
            for group in adam.param_groups:
                group["lr"] = learning_rate(plan, group["peak"], step, len(parts))
            total += _step(module, adam, loss_of, part, seed * SEED_STRIDE + step, plan.clip, device, half) * len(part)
        row = {"epoch": epoch + 1.0, "learning_rate": adam.param_groups[0]["lr"]}
        row["loss"] = float(total) / len(train_rows)
        row["validation"] = mean_loss(module, loss_of, validation_rows, batch=batch, device=device, half=half)
        if not math.isfinite(row["loss"] + row["validation"]):
            msg = f"The loss of epoch {epoch + 1} is not finite: lower head_rate and backbone_rate."
            raise InputError(msg)
        curve.append(row)
        if _best(curve) == len(curve):
            best = _copied(trained)
    with torch.no_grad():
        for value, kept in zip(trained, best, strict=True):
            value.copy_(kept)
    return Training(curve=curve, best_epoch=_best(curve))


def mean_loss(
    module: nn.Module, loss_of: RowsLoss, rows: Tensor, *, batch: int, device: torch.device, half: bool
) -> float:
    """Return the mean loss of tiles (tile,) in evaluation mode."""
    module.eval()
    total = torch.zeros((), device=device)
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=half):
        for part in rows.split(batch):
            total += loss_of(part) * len(part)
    return float(total) / len(rows)


def _step(
    module: nn.Module,
    adam: torch.optim.Optimizer,
    loss_of: RowsLoss,
    part: Tensor,
    seed: int,
    clip: float,
    device: torch.device,
    half: bool,
) -> Tensor:
    """Take one step of the optimiser and return its loss, which nothing waits for."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        (torch.manual_seed if device.type == "cuda" else torch.default_generator.manual_seed)(seed)
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            loss = loss_of(part)
    adam.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_([p for group in adam.param_groups for p in group["params"]], clip)
    adam.step()
    return loss.detach()


def _best(curve: Curve) -> int:
    """Return the epoch of the smallest validation loss, from 1; the first of equals."""
    return min(range(len(curve)), key=lambda i: curve[i]["validation"]) + 1


def _stopped(curve: Curve, patience: int) -> bool:
    """Say whether the last epochs brought nothing."""
    return bool(curve) and len(curve) - _best(curve) >= patience


def _copied(values: Sequence[Tensor]) -> list[Tensor]:
    """Return copies of weights."""
    return [value.detach().clone() for value in values]
