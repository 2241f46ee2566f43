"""A stand-in where raw input is not at hand: a perceptron over the frozen embedding. It is no fine-tuned expert.

It can bend what the frozen expert found, and can find nothing that the expert threw away; results of it are to be named
by ``SURROGATE``.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from beyond_alignment.experts.compute import Device
from beyond_alignment.experts.finetuning.finetune import Finetuned, finetune
from beyond_alignment.experts.finetuning.head import spread_of
from beyond_alignment.experts.finetuning.settings import FinetuneSettings, Kind
from beyond_alignment.experts.finetuning.stages import Stages

SURROGATE = "mlp_over_frozen_embedding"
HIDDEN = 64
SURROGATE_SETTINGS = FinetuneSettings(n_blocks=1, learning_rates=(1e-3, 1e-2), epochs=50, patience=10)


class _Bend(nn.Module):
    """Adds a perceptron of one hidden layer to features; it starts as nothing."""

    def __init__(self, dimension: int, hidden: int, seed: int) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.inner, self.outer = nn.Linear(dimension, hidden), nn.Linear(hidden, dimension)
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)

    def forward(self, features: Tensor) -> Tensor:
        return features + self.outer(nn.functional.gelu(self.inner(features)))


class EmbeddingStages(Stages):
    """A frozen embedding as the raw input (spot, feature) of a small network, scaled by the training spots."""

    name = SURROGATE
    centre: Tensor
    spread: Tensor

    def __init__(self, embedding: NDArray[np.floating], *, seed: int = 0) -> None:
        super().__init__()
        values = np.asarray(embedding, dtype=np.float64)
        self.register_buffer("centre", torch.from_numpy(values.mean(axis=0)).float())
        self.register_buffer("spread", torch.from_numpy(spread_of(values)).float())
        self.bend = _Bend(values.shape[1], HIDDEN, seed)

    @property
    def blocks(self) -> list[nn.Module]:
        """The perceptron."""
        return [self.bend]

    @property
    def norms(self) -> list[nn.Module]:
        """None."""
        return []

    def stem(self, raw: Tensor) -> Tensor:
        """Return standardised features (spot, feature)."""
        return (raw.float() - self.centre) / self.spread

    def end(self, tokens: Tensor) -> Tensor:
        """Return features (spot, feature)."""
        return tokens


def finetune_surrogate(
    embedding: NDArray[Any],
    labels: ArrayLike,
    groups: ArrayLike,
    *,
    kind: Kind = "classification",
    settings: FinetuneSettings = SURROGATE_SETTINGS,
    device: Device = "auto",
) -> Finetuned:
    """Train the surrogate on the frozen embedding of training spots: the same start, choices and schedule as others.

    Parameters
    ----------
    embedding
        (spot, feature); what the result reads too.
    labels, groups, kind, device
        As in :func:`finetune`.
    settings
        As in :func:`finetune`; one block is all there is.
    """
    stages = EmbeddingStages(embedding, seed=settings.seed)
    found = finetune(stages, np.asarray(embedding), labels, groups, kind=kind, settings=settings, device=device)
    return replace(found, name=SURROGATE)
