"""The spots that networks train on, and the minibatches that are drawn from them by seed and step alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from beyond_alignment.fusion.network import Batch


@dataclass(frozen=True, eq=False)
class SpotSet:
    """Reduced spots of one fold.

    Attributes
    ----------
    x1
        Reduced expression embedding (spot, feature).
    x2
        Reduced morphology embedding (spot, feature).
    y
        Class (spot,) as integers, or standardised targets (spot, target).
    neighbours
        Rows of the neighbours of each spot (spot, neighbour), -1 where there is none.
    """

    x1: Tensor
    x2: Tensor
    y: Tensor
    neighbours: Tensor

    def __len__(self) -> int:
        return len(self.x1)

    def batch(self, rows: Tensor) -> Batch:
        """Return some spots without labels, as a network sees them outside of training; ``rows`` is (spot,)."""
        near = _near(self.x1, self.x2, self.neighbours[rows])
        return Batch(self.x1[rows], self.x2[rows], torch.zeros_like(self.y[rows]), *near, noise={})


def _near(x1: Tensor, x2: Tensor, neighbours: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return both embeddings of the neighbours, zeros where there is none, and whether there is one."""
    there = (neighbours >= 0).to(x1.dtype)
    rows = neighbours.clamp(min=0)
    return x1[rows] * there[..., None], x2[rows] * there[..., None], there


def minibatch_rows(n: int, size: int, steps: int, seed: int) -> NDArray[np.int64]:
    """Return the rows of each step (step, row): every epoch is a permutation of its own, its incomplete rest unused.

    Parameters
    ----------
    n
        Spots.
    size
        Spots a step, ``n`` at most.
    steps
        Steps.
    seed
        Of the permutations.
    """
    per_epoch = n // size
    epochs = -(-steps // per_epoch)
    rows = [np.random.default_rng((seed, epoch)).permutation(n)[: per_epoch * size] for epoch in range(epochs)]
    return np.concatenate(rows).reshape(-1, size)[:steps].astype(np.int64)


class SetStack:
    """Sets of many models one after the other in one array, each distinct set once.

    Parameters
    ----------
    sets
        One a model, all of the same features.
    device
        Where they are kept.
    """

    def __init__(self, sets: Sequence[SpotSet], *, device: torch.device) -> None:
        distinct = list({id(spots): spots for spots in sets}.values())
        starts = np.cumsum([0, *(len(spots) for spots in distinct)])
        start_of = {id(spots): int(start) for spots, start in zip(distinct, starts[:-1], strict=True)}
        self.starts = torch.tensor([start_of[id(spots)] for spots in sets])
        self.x1, self.x2, self.y = (
            torch.cat([getattr(spots, name) for spots in distinct]).to(device) for name in ("x1", "x2", "y")
        )
        neighbours = [
            torch.where(spots.neighbours >= 0, spots.neighbours + start_of[id(spots)], -1) for spots in distinct
        ]
        self.neighbours = torch.cat(neighbours).to(device)
        self.device = device

    def batch(self, rows: Tensor, noise: dict[str, Tensor]) -> Batch:
        """Return a batch with a leading axis of models; ``rows`` (model, spot) count within each model's own set."""
        where = (rows + self.starts[:, None]).to(self.device)
        near = _near(self.x1, self.x2, self.neighbours[where])
        return Batch(self.x1[where], self.x2[where], self.y[where], *near, noise=noise)
