"""Fine-tunes a unimodal expert on the labels of training spots."""

import copy
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from beyond_alignment.experts.compute import Device, resolve_device
from beyond_alignment.experts.finetuning.activations import Activations
from beyond_alignment.experts.finetuning.cost import Cost, spot_cost
from beyond_alignment.experts.finetuning.head import Head, probe_head
from beyond_alignment.experts.finetuning.loop import embed, outputs_of, run_epochs
from beyond_alignment.experts.finetuning.lora import merge_lora
from beyond_alignment.experts.finetuning.selection import Chosen, choose
from beyond_alignment.experts.finetuning.settings import FinetuneSettings, Kind
from beyond_alignment.experts.finetuning.stages import Stages
from beyond_alignment.experts.finetuning.targets import Targets, read_targets
from beyond_alignment.experts.finetuning.trained_part import Start, open_part


@dataclass(frozen=True)
class Finetuned:
    """A fine-tuned expert.

    Attributes
    ----------
    name
        The expert and how it was fine-tuned.
    stages
        Its network, plain again: adapters are merged into the weights.
    head
        From its embedding to the outputs.
    targets
        Classes, or mean and spread of the targets.
    settings
        As asked for.
    chosen
        On the inner split.
    losses
        Mean training loss of each epoch of the last fit.
    n_parameters
        Trained parameters, the head's among them.
    cost
        Seconds and floating-point operations.
    """

    name: str
    stages: Stages
    head: Head
    targets: Targets
    settings: FinetuneSettings
    chosen: Chosen
    losses: tuple[float, ...]
    n_parameters: int
    cost: Cost

    def transform(self, raw: NDArray[Any]) -> NDArray[np.float32]:
        """Return the fine-tuned embedding (spot, feature) of raw spots (spot, ...)."""
        spots = self._read(raw)
        return embed(spots, torch.arange(len(spots)), self.settings.n_blocks).numpy()

    def _outputs(self, raw: NDArray[Any]) -> torch.Tensor:
        """Return logits or standardised targets (spot, output)."""
        spots = self._read(raw)
        return outputs_of(spots, self.head, torch.arange(len(spots)), self.settings.n_blocks) * self.chosen.confidence

    def _read(self, raw: NDArray[Any]) -> Activations:
        return Activations(self.stages, torch.from_numpy(np.asarray(raw)), self.settings.n_blocks, keep=False)

    def predict_proba(self, raw: NDArray[Any]) -> NDArray[np.float64]:
        """Return class probabilities (spot, class) in the order of ``targets.classes``.

        Raises
        ------
        InputError
            If the task is a regression.
        """
        return self.targets.probabilities(self._outputs(raw))

    def predict(self, raw: NDArray[Any]) -> NDArray[Any]:
        """Return classes (spot,), or targets in their own units (spot, target), (spot,) where labels had one axis."""
        return self.targets.predictions(self._outputs(raw))


def finetune(
    stages: Stages,
    raw: NDArray[Any],
    labels: ArrayLike,
    groups: ArrayLike,
    *,
    kind: Kind = "classification",
    settings: FinetuneSettings | None = None,
    device: Device = "auto",
) -> Finetuned:
    """Fine-tune a network on training spots; test spots are never shown to it.

    The network starts with the probe of its frozen embedding as its head. Runs on an inner split by group choose the
    penalty of that probe, the learning rate, the epoch to stop at and how sure to be; the frozen probe, 0 epochs, is
    among them. Then the network is trained anew on all training spots, under the same schedule, up to that epoch.

    Parameters
    ----------
    stages
        The frozen network, which is left as it is.
    raw
        Training spots as the network reads them (spot, ...).
    labels
        Classes (spot,), or targets (spot,) or (spot, target).
    groups
        What the inner split keeps whole (spot,): donors, or sections or blocks where there is one donor.
    kind
        ``classification`` or ``regression``.
    settings
        How.
    device
        Where to run.

    Raises
    ------
    InputError
        If labels, groups and spots do not match, labels are absent or all the same, or there is a single group.
    Diverged
        If the last fit does, although its rate did well on the inner split.
    """
    settings = settings or FinetuneSettings()
    targets, y, units = read_targets(labels, groups, n=len(raw), kind=kind)
    own = copy.deepcopy(stages).to(resolve_device(device))
    start = Start(open_part(own, settings))
    n, everything = len(raw), torch.arange(len(raw))
    began = time.perf_counter()
    spots = Activations(own, torch.from_numpy(np.asarray(raw)), settings.n_blocks, keep=True)
    frozen = embed(spots, everything, settings.n_blocks).numpy()
    ready = time.perf_counter()
    chosen = choose(spots, frozen, y, units, kind=kind, n_outputs=targets.n_outputs, start=start, settings=settings)
    selected = time.perf_counter()
    head = probe_head(frozen, y, kind=kind, n_outputs=targets.n_outputs, penalty=chosen.penalty).to(spots.device)
    losses = []
    if chosen.epochs:
        for loss in run_epochs(spots, head, everything, y, kind=kind, rate=chosen.rate, settings=settings):
            losses.append(loss)
            if len(losses) == chosen.epochs:
                break
    done = time.perf_counter()
    one = spot_cost(own, head, spots.raw[:1], y[:1], kind=kind, n_blocks=settings.n_blocks)
    cost = Cost(
        frozen_seconds=ready - began,
        selection_seconds=selected - ready,
        fit_seconds=done - selected,
        frozen_flops=n * (one.frozen + one.forward),
        selection_flops=chosen.n_trained * one.update + chosen.n_scored * one.forward,
        fit_flops=chosen.epochs * n * one.update,
    )
    n_parameters = sum(value.numel() for value in (*start.part.values(), head.weight, head.bias))
    merge_lora(own)
    own.eval().requires_grad_(False)
    name = f"{stages.name}_{settings.way}_{settings.n_blocks}"
    return Finetuned(
        name, own, head.requires_grad_(False), targets, settings, chosen, tuple(losses), n_parameters, cost
    )
