"""What every trained fusion method is: a network over two modalities with its own training objective."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from beyond_alignment.fusion.probe import Kind


class Batch(NamedTuple):
    """Spots that a network sees at once; a tuple of tensors, so that torch can run many networks side by side.

    Attributes
    ----------
    x1
        Reduced expression embedding (spot, feature).
    x2
        Reduced morphology embedding (spot, feature).
    y
        Class (spot,) as integers, or targets (spot, target), of mean 0 and variance 1 over the training spots. Zeros
        outside of training.
    near1, near2
        The embeddings of the neighbours of each spot (spot, neighbour, feature); no neighbour where a method does not
        read them.
    near
        1 where there is such a neighbour, 0 where there is none (spot, neighbour).
    noise
        What :meth:`FusionNetwork.noise` drew for this step, by name; empty outside of training.
    """

    x1: Tensor
    x2: Tensor
    y: Tensor
    near1: Tensor
    near2: Tensor
    near: Tensor
    noise: dict[str, Tensor]


@dataclass(frozen=True)
class Shape:
    """Sizes that a network is built for.

    Attributes
    ----------
    d1, d2
        Features of the reduced expression and morphology embeddings.
    n_outputs
        Classes, or targets.
    kind
        ``classification`` or ``regression``.
    dimension
        Features of the representation.
    """

    d1: int
    d2: int
    n_outputs: int
    kind: Kind
    dimension: int


class FusionNetwork(nn.Module):
    """A representation of both modalities and the objective that it is trained with.

    Many networks of one class are trained side by side by :func:`torch.func.vmap`, so that ``forward`` and ``loss``
    must be pure: no value-dependent branches, no in-place change of buffers, no random numbers but those in
    ``batch.noise``, no batch normalisation.

    Parameters
    ----------
    shape
        Sizes.

    Attributes
    ----------
    teacher
        Prefix of parameters -> prefix of those that they follow as a moving average; they have no gradient.
    momentum
        Weight of a teacher's past in each step.
    """

    teacher: ClassVar[Mapping[str, str]] = {}
    momentum: ClassVar[float] = 0.99

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape

    @abstractmethod
    def forward(self, batch: Batch) -> Tensor:
        """Return the representation (spot, feature), of ``shape.dimension`` features."""

    @abstractmethod
    def loss(self, batch: Batch) -> Tensor:
        """Return the training objective, a mean over the spots, without axes."""

    def noise(self, generator: torch.Generator, n: int) -> dict[str, Tensor]:
        """Draw what the objective needs at random in one step for ``n`` spots; nothing unless a method says so."""
        return {}


class SupervisedNetwork(FusionNetwork):
    """A network that is trained on the labels through a linear head of its own, which the common probe replaces.

    A subclass defines ``forward`` alone.

    Parameters
    ----------
    shape
        Sizes.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        self.head = nn.Linear(shape.dimension, shape.n_outputs)

    def loss(self, batch: Batch) -> Tensor:
        """Return the cross-entropy in nats (classification) or the mean squared error (regression) of the head."""
        return label_loss(self.head(self(batch)), batch.y, self.shape.kind)


def label_loss(outputs: Tensor, y: Tensor, kind: Kind) -> Tensor:
    """Return the cross-entropy in nats of logits (spot, class), or the mean squared error of (spot, target)."""
    if kind == "classification":
        return nn.functional.cross_entropy(outputs, y)
    return nn.functional.mse_loss(outputs, y)
