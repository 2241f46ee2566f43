"""Training of what the neural comparison estimator consists of: three classifiers and a coupling."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from beyond_alignment.information.neural_coupling import Coupling, common_mass, coupled_information, perceptron, scale

BATCH_SIZE = 256
LEARNING_RATE = 1e-3
CLASSIFIER_EPOCHS, CLASSIFIER_STEPS = 40, (500, 2000)
COUPLING_EPOCHS, COUPLING_STEPS = 10, (100, 400)
TRAINING_ROUNDS = 20
MOST_STEPS_BETWEEN_CHECKS = 50


@dataclass(frozen=True)
class Pairs:
    """Tensors of paired samples.

    Attributes
    ----------
    x1, x2
        Sources (sample, feature).
    y
        Class (sample,).
    """

    x1: torch.Tensor
    x2: torch.Tensor
    y: torch.Tensor

    def take(self, rows: NDArray[np.intp] | torch.Tensor) -> "Pairs":
        """Return some of the samples."""
        chosen = torch.as_tensor(rows, device=self.y.device)
        return Pairs(self.x1[chosen], self.x2[chosen], self.y[chosen])

    def views(self) -> list[torch.Tensor]:
        """Return the first source, the second, and both side by side."""
        return [self.x1, self.x2, torch.cat([self.x1, self.x2], dim=1)]


@dataclass(frozen=True)
class NeuralModels:
    """What was trained.

    Attributes
    ----------
    classifiers
        Of the first source, the second, and both.
    coupling
        Of the two sources given the class.
    """

    classifiers: list[nn.Module]
    coupling: Coupling

    def probabilities(self, pairs: Pairs) -> list[torch.Tensor]:
        """Return p(y | x) of each classifier (class, sample)."""
        return [
            torch.softmax(model(view), dim=1).T for model, view in zip(self.classifiers, pairs.views(), strict=True)
        ]


def train_models(train: Pairs, validation: Pairs, n_classes: int) -> NeuralModels:
    """Train the classifiers, then the coupling of what the first two say.

    Parameters
    ----------
    train
        Samples to train on.
    validation
        Samples that say when a classifier did best.
    n_classes
        Number of classes.
    """
    device = train.y.device
    classifiers: list[nn.Module] = []
    for view, apart in zip(train.views(), validation.views(), strict=True):
        model = perceptron(view.shape[1], n_classes).to(device)
        classifiers.append(_train_classifier(model, view, train.y, (apart, validation.y)))
    coupling = Coupling(train.x1.shape[1], train.x2.shape[1], n_classes).to(device)
    models = NeuralModels(classifiers, coupling)
    _train_coupling(models, train)
    return models


def _batches(n: int, n_epochs: int, bounds: tuple[int, int]) -> Iterator[torch.Tensor]:
    """Draw the rows of every step, on the generator of torch; bounded is the number of steps."""
    size = min(BATCH_SIZE, n)
    left = min(max(n_epochs * (n // size), bounds[0]), bounds[1])
    while left > 0:
        for rows in torch.randperm(n).split(size)[: min(n // size, left)]:
            left -= 1
            yield rows


def _train_classifier(
    model: nn.Module, x: torch.Tensor, y: torch.Tensor, validation: tuple[torch.Tensor, torch.Tensor]
) -> nn.Module:
    """Train a classifier and return it as it was when it did best."""
    descent = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, fused=True)
    between = min(max(len(y) // BATCH_SIZE, 1), MOST_STEPS_BETWEEN_CHECKS)
    best, kept = float("inf"), None
    for step, rows in enumerate(_batches(len(y), CLASSIFIER_EPOCHS, CLASSIFIER_STEPS), start=1):
        descent.zero_grad()
        nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
        descent.step()
        if step % between == 0:
            with torch.no_grad():
                loss = nn.functional.cross_entropy(model(validation[0]), validation[1]).item()
            if loss < best:
                best, kept = loss, deepcopy(model.state_dict())
    if kept is not None:
        model.load_state_dict(kept)
    return model


def _train_coupling(models: NeuralModels, train: Pairs) -> None:
    """Bring the coupling towards the least information, batch by batch."""
    descent = torch.optim.Adam(models.coupling.parameters(), lr=LEARNING_RATE, fused=True)
    for rows in _batches(len(train.y), COUPLING_EPOCHS, COUPLING_STEPS):
        batch = train.take(rows)
        with torch.no_grad():
            first, second = (p[..., None] / len(rows) for p in models.probabilities(batch)[:2])
            first, second = common_mass(first, second)
        descent.zero_grad()
        affinity = models.coupling(batch.x1, batch.x2)
        left, right = scale(affinity, first, second, n_iterations=TRAINING_ROUNDS)
        coupled_information(left * affinity * right.mT).backward()
        descent.step()
