"""A learned coupling of two sources given the target, with its marginals enforced by matrix scaling."""

import math
from itertools import pairwise

import torch
from torch import nn

FLOOR = 1e-12


def perceptron(n_inputs: int, n_outputs: int, *, width: int = 32, n_hidden: int = 4) -> nn.Sequential:
    """Return a perceptron of rectified layers.

    Parameters
    ----------
    n_inputs, n_outputs
        Sizes of its ends.
    width
        Size of the layers between.
    n_hidden
        Their number.
    """
    sizes = [n_inputs, *[width] * n_hidden]
    layers: list[nn.Module] = []
    for before, after in pairwise(sizes):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], n_outputs))


class Coupling(nn.Module):
    """Affinity of every first with every second sample, class by class.

    Each source is embedded once for every class; the logarithm of the affinity is the inner product of two standardised
    embeddings over the square root of their length, and so bounded by it.

    Parameters
    ----------
    d1, d2
        Features of the sources.
    n_classes
        Number of classes.
    n_embedding
        Length of the embeddings.
    """

    def __init__(self, d1: int, d2: int, n_classes: int, *, n_embedding: int = 10) -> None:
        super().__init__()
        self.n_classes = n_classes
        self.first = perceptron(d1, n_classes * n_embedding)
        self.second = perceptron(d2, n_classes * n_embedding)

    def forward(self, x1: torch.Tensor, x2: torch.Tensor) -> torch.Tensor:
        """Return affinities (class, first sample, second sample), all positive."""
        first, second = self._embed(self.first, x1), self._embed(self.second, x2)
        return torch.exp(first @ second.mT / math.sqrt(first.shape[-1]))

    def _embed(self, network: nn.Module, x: torch.Tensor) -> torch.Tensor:
        """Standardised embeddings (class, sample, length)."""
        raw = network(x).unflatten(1, (self.n_classes, -1)).transpose(0, 1)
        deviation = raw - raw.mean(dim=-1, keepdim=True)
        scaled: torch.Tensor = deviation / torch.sqrt(deviation.square().mean(dim=-1, keepdim=True) + 1e-8)
        return scaled


def common_mass(first: torch.Tensor, second: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Give two source-target tables the same class probabilities, the mean of theirs.

    Parameters
    ----------
    first, second
        Tables (class, sample, ...), each of total 1 over classes and samples.
    """
    masses = [table.sum(dim=1, keepdim=True) for table in (first, second)]
    mass = (masses[0] + masses[1]) / 2
    return first * (mass / (masses[0] + FLOOR)), second * (mass / (masses[1] + FLOOR))


def scale(
    affinity: torch.Tensor, first: torch.Tensor, second: torch.Tensor, *, n_iterations: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the factors of rows and columns that bring affinities to the marginals (Sinkhorn & Knopp 1967).

    Parameters
    ----------
    affinity
        (class, first sample, second sample).
    first, second
        Marginals (class, sample, problem) of the same class probabilities; all problems share the affinity.
    n_iterations
        Rounds; the rows are met last.
    """
    rows = torch.ones_like(first)
    columns = torch.ones_like(second)
    for _ in range(n_iterations):
        columns = second / (affinity.mT @ rows + FLOOR)
        rows = first / (affinity @ columns + FLOOR)
    return rows, columns


def coupled_information(coupling: torch.Tensor) -> torch.Tensor:
    """Information of both sources about the class under a coupling (class, first sample, second sample), in nats."""
    total = coupling.sum()
    pair, mass = coupling.sum(dim=0), coupling.sum(dim=(1, 2))
    entropies = [torch.special.entr(table / total).sum() for table in (pair, mass, coupling)]
    return entropies[0] + entropies[1] - entropies[2]


def table_information(table: torch.Tensor) -> torch.Tensor:
    """Information of the sample about the class under tables (class, sample, problem), in nats: (problem,)."""
    share = table / table.sum(dim=(0, 1))
    entropies = [torch.special.entr(part).flatten(0, -2).sum(dim=0) for part in (share.sum(0), share.sum(1), share)]
    return entropies[0] + entropies[1] - entropies[2]
