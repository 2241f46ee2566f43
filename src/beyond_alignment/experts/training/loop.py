"""The training loop of the project's own experts: resumable, deterministic by seed, with the time to go."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch import Tensor, nn

from beyond_alignment.experts.training.checkpoint import Curve, read_checkpoint, write_checkpoint
from beyond_alignment.experts.training.profiles import TrainingPlan
from beyond_alignment.experts.training.schedule import learning_rate, optimiser
from beyond_alignment.files import write_text

CHECKPOINT = "checkpoint.safetensors"
METRICS = "metrics.csv"

StepLoss = Callable[[int], tuple[Tensor, dict[str, Tensor]]]


def fit(
    module: nn.Module,
    step_loss: StepLoss,
    *,
    plan: TrainingPlan,
    folder: Path,
    fingerprint: dict[str, Any],
    device: torch.device,
    examples_per_step: int,
    precision: Literal["float32", "bfloat16"],
    resume: bool = True,
    progress: bool = True,
    validate: Callable[[], dict[str, float]] | None = None,
) -> Curve:
    """Train a module, with a checkpoint and a row of ``metrics.csv`` after each epoch.

    All that is drawn in a step depends on the seed and the number of the step alone, so that a training that was
    killed goes on from its last whole epoch to the same weights as one that was not.

    Parameters
    ----------
    module
        What is trained, on ``device``.
    step_loss
        Number of a step -> its loss and what else is measured, as tensors without axes; it may draw from torch's
        global generator.
    plan
        Optimiser and schedule.
    folder
        Where the checkpoint and the curve go.
    fingerprint
        Settings and data that a checkpoint must share to be gone on with.
    device
        Where the module is.
    examples_per_step
        For the examples per second in the curve.
    precision
        Of the forward pass; weights stay float32.
    resume
        Whether to go on from a checkpoint in the folder.
    progress
        Show steps, loss and time to go.
    validate
        Called after each epoch; its numbers join the curve.

    Returns
    -------
    list
        A row for each epoch: epoch, learning_rate, loss, what was measured (means over the steps), seconds,
        examples_per_second.

    Raises
    ------
    InputError
        If the checkpoint is damaged or of other settings.
    """
    steps = plan.epochs * plan.steps_per_epoch
    adam = optimiser(module, plan)
    path = folder / CHECKPOINT
    fingerprint = {**fingerprint, "precision": precision}
    curve = read_checkpoint(path, module, adam, fingerprint=fingerprint) if resume and path.exists() else []
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, disable=not progress) as bar:
        job = bar.add_task("training", total=steps, completed=len(curve) * plan.steps_per_epoch)
        for epoch in range(len(curve), plan.epochs):
            started = time.perf_counter()
            sums: dict[str, Tensor] = {}
            module.train()
            for step in range(epoch * plan.steps_per_epoch, (epoch + 1) * plan.steps_per_epoch):
                rate = learning_rate(plan, step, steps)
                measured = _step(module, adam, step_loss, step, rate, plan, device, precision == "bfloat16")
                sums = {name: sums.get(name, 0.0) + value for name, value in measured.items()}
                bar.advance(job)
            seconds = time.perf_counter() - started
            row = {"epoch": epoch + 1.0, "learning_rate": rate}
            row |= {name: float(value) / plan.steps_per_epoch for name, value in sums.items()}
            if not math.isfinite(row["loss"]):
                msg = f"The loss of epoch {epoch + 1} is {row['loss']}: train with a lower learning rate."
                raise RuntimeError(msg)
            if validate is not None:
                module.eval()
                row |= validate()
            row |= {"seconds": seconds, "examples_per_second": examples_per_step * plan.steps_per_epoch / seconds}
            curve.append(row)
            write_checkpoint(path, module, adam, fingerprint=fingerprint, curve=curve)
            write_text(folder / METRICS, pd.DataFrame(curve).to_csv(index=False))
            if progress:
                bar.console.print(_line(row, plan.epochs), soft_wrap=True, highlight=False)
    return curve


def _line(row: dict[str, float], epochs: int) -> str:
    """Return an epoch as one line for a log without a bar."""
    numbers = ", ".join(f"{name} {value:.4g}" for name, value in row.items() if name != "epoch")
    minutes = (epochs - row["epoch"]) * row["seconds"] / 60.0
    return f"epoch {row['epoch']:.0f}/{epochs}: {numbers}, {minutes:.0f} min to go"


def _step(
    module: nn.Module,
    adam: torch.optim.Optimizer,
    step_loss: StepLoss,
    step: int,
    rate: float,
    plan: TrainingPlan,
    device: torch.device,
    half: bool,
) -> dict[str, Tensor]:
    """Take one step of the optimiser and return what was measured."""
    for group in adam.param_groups:
        group["lr"] = rate
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(plan.seed * 1_000_003 + step)
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            loss, measured = step_loss(step)
    adam.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(module.parameters(), plan.clip)
    adam.step()
    return {"loss": loss.detach(), **{name: value.detach() for name, value in measured.items()}}
