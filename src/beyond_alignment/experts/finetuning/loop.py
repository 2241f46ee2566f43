"""One run of fine-tuning, epoch by epoch."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from beyond_alignment.experts.finetuning.activations import AT_ONCE, Activations
from beyond_alignment.experts.finetuning.head import Head, loss_of
from beyond_alignment.experts.finetuning.settings import FinetuneSettings, Kind
from beyond_alignment.experts.finetuning.stages import Stages
from beyond_alignment.experts.schedule import warm_cosine

CLIP = 1.0


class Diverged(FloatingPointError):
    """A loss or a gradient of fine-tuning is not finite."""


def run_epochs(
    spots: Activations,
    head: Head,
    rows: Tensor,
    y: Tensor,
    *,
    kind: Kind,
    rate: float,
    settings: FinetuneSettings,
) -> Iterator[float]:
    """Train the open part of a network and a head in place, one epoch for each value that is taken.

    AdamW under a rise and half a cosine laid out for all epochs of the settings, whenever the caller stops; gradients
    are clipped to a norm of 1. The order of the spots depends on the seed alone.
    """
    stages, device = spots.stages, spots.device
    trained = [value for module in (stages, head) for value in module.parameters() if value.requires_grad]
    adam = _adam(trained, rate, settings.weight_decay)
    generator = torch.Generator().manual_seed(settings.seed)
    size = min(settings.batch_size, len(rows))
    steps = settings.epochs * -(-len(rows) // size)
    step = 0
    for epoch in range(settings.epochs):
        _train_mode(stages, settings.n_blocks)
        total = torch.zeros((), device=device)
        torch.randint(1, (len(rows),), generator=generator)  # the stored points were computed in this order of spots
        for batch in torch.randperm(len(rows), generator=generator).split(size):
            for group in adam.param_groups:
                group["lr"] = rate * warm_cosine(step, steps, warmup=settings.warmup)
            part = rows[batch]
            outputs = head(stages.leave(spots.of(part), settings.n_blocks))
            loss = loss_of(outputs, y[part].to(device), kind=kind)
            adam.zero_grad(set_to_none=True)
            loss.backward()
            norm = nn.utils.clip_grad_norm_(trained, CLIP)
            if not math.isfinite(float(loss.detach() + norm)):
                stages.eval()
                msg = (
                    f"Fine-tuning {stages.name} at learning rate {rate:g} diverged in epoch {epoch + 1}: "
                    "its loss or gradient is not finite; try a lower rate."
                )
                raise Diverged(msg)
            adam.step()
            total += loss.detach() * len(part)
            step += 1
        stages.eval()
        yield float(total) / len(rows)


def outputs_of(spots: Activations, head: Head, rows: Tensor, n_blocks: int) -> Tensor:
    """Return the outputs of the head for spots (row, output), on the CPU."""
    with torch.inference_mode():
        return head(embed(spots, rows, n_blocks).to(spots.device)).cpu()


def embed(spots: Activations, rows: Tensor, n_blocks: int) -> Tensor:
    """Return the embedding of spots (row, feature) as the network is now, on the CPU."""
    with torch.inference_mode():
        return torch.cat([spots.stages.leave(spots.of(part), n_blocks).cpu() for part in rows.split(AT_ONCE)])


def _adam(trained: list[nn.Parameter], rate: float, decay: float) -> torch.optim.AdamW:
    """Return AdamW, without decay on biases, norms and other vectors."""
    matrices, vectors = ([p for p in trained if (p.ndim > 1) == wide] for wide in (True, False))
    groups = [{"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=rate)


def _train_mode(stages: Stages, n_blocks: int) -> None:
    """Set the trained blocks alone to training, so that nothing frozen drops or counts anything."""
    for block in stages.blocks[-n_blocks:]:
        block.train()
