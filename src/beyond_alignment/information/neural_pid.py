"""The neural estimator of Liang et al. (2023), "BATCH", as a comparison."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import GroupShuffleSplit, StratifiedShuffleSplit
from torch import nn

from beyond_alignment.information.field_estimate import Informations, estimate, leading_components
from beyond_alignment.information.neural_coupling import (
    Coupling,
    common_mass,
    coupled_information,
    perceptron,
    scale,
    table_information,
)
from beyond_alignment.information.pid import PIDEstimate
from beyond_alignment.information.resampling import bootstrap_weights, default_units
from beyond_alignment.information.samples import Samples, check_samples

BATCH_SIZE = 256
LEARNING_RATE = 1e-3
CLASSIFIER_EPOCHS, MOST_CLASSIFIER_STEPS = 40, 2000
COUPLING_EPOCHS, MOST_COUPLING_STEPS = 10, 400
TRAINING_ROUNDS, FINAL_ROUNDS = 50, 200
TEST_SHARE = 0.25
MOST_TEST_SAMPLES = 512


def batch_pid(
    x1: ArrayLike,
    x2: ArrayLike,
    y: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    blocks: ArrayLike | None = None,
    seed: int = 0,
    n_bootstrap: int = 200,
    level: float = 0.95,
    n_components: int = 50,
    device: str = "cpu",
) -> PIDEstimate:
    """Estimate the decomposition with three classifiers and a learned coupling of the sources given the class.

    Classifiers of each source and of both give p(y | x); the coupling q(x1, x2, y), whose marginals are those of the
    single classifiers by unrolled matrix scaling within a mini-batch, is trained to have the least information I_q.
    Then R = I1 + I2 - I_q, U1 = I_q - I2, U2 = I_q - I1 and S = I12 - I_q, clipped at 0, in bits. All informations are
    the means of what the classifiers claim on samples that they were not trained on, whole groups where given: an
    overconfident classifier claims too much. The synergy is not split: its parts are NaN.

    As published: perceptrons of four hidden layers of 32, embeddings of length 10, Adam at 0.001, batches of 256, 40
    epochs for classifiers, 10 for the coupling. Bounded here: 2,000 and 400 steps, 50 rounds of scaling in training
    and 200 at the end (published: up to 500, or until within 0.01), leading components of the sources as features,
    at most 512 test samples.

    Parameters
    ----------
    x1, x2
        Sources (sample, feature).
    y
        Classes (sample,), or what `check_samples` makes into classes.
    groups
        Group of each sample (sample,), on one side of the split.
    blocks
        Block of each sample (sample,), the unit of the bootstrap where given.
    seed
        Of components, split, training and bootstrap.
    n_bootstrap
        Replicates, over the test samples with everything trained held fixed: the intervals leave out training.
    level
        Coverage of the intervals.
    n_components
        Leading components kept of each source, scaled to variance 1.
    device
        Of torch.

    Returns
    -------
    The estimate; `pid.gap` is NaN, as a learned coupling has no certificate.

    Raises
    ------
    InputError
        As `check_samples`.

    Notes
    -----
    Source: Liang et al., NeurIPS 2023; written anew from the paper and the settings of its code.
    """
    samples = check_samples(x1, x2, y, groups, blocks=blocks, n_folds=2, seed=seed)
    train, test = _split(samples, seed)
    views = tuple(leading_components(x, n_components, whiten=True, seed=seed) for x in (samples.x1, samples.x2))
    held = [None if names is None else names[test] for names in (samples.groups, samples.blocks)]
    units = default_units(held[0], held[1], len(test))
    weights = bootstrap_weights(units, n_bootstrap=n_bootstrap, seed=seed)
    forked = [torch.device(device)] if device != "cpu" else []
    with torch.random.fork_rng(devices=forked):
        torch.manual_seed(seed)
        first, second = (torch.tensor(view, dtype=torch.float32, device=device) for view in views)
        inputs = _Inputs(first, second, torch.tensor(samples.codes, device=device))
        models = _train(inputs.take(train), len(samples.classes))
    with torch.no_grad():
        found = _evaluate(models, inputs.take(test), weights)
    warning = f"The intervals resample {len(test)} test samples and leave out how training varies."
    return estimate(found, samples, units, method="batch", level=level, warnings=(*samples.notes, warning))


@dataclass(frozen=True)
class _Inputs:
    """Tensors (sample, ...) of some samples."""

    x1: torch.Tensor
    x2: torch.Tensor
    y: torch.Tensor

    def take(self, rows: NDArray[np.intp] | torch.Tensor) -> "_Inputs":
        """Return some of the samples."""
        chosen = torch.as_tensor(rows, device=self.y.device)
        return _Inputs(self.x1[chosen], self.x2[chosen], self.y[chosen])

    def views(self) -> list[torch.Tensor]:
        """Return the first source, the second, and both side by side."""
        return [self.x1, self.x2, torch.cat([self.x1, self.x2], dim=1)]


@dataclass(frozen=True)
class _Models:
    """What was trained: the classifiers of the first source, the second and both, and the coupling."""

    classifiers: list[nn.Module]
    coupling: Coupling

    def probabilities(self, inputs: _Inputs) -> list[torch.Tensor]:
        """Return p(y | x) of each classifier (class, sample)."""
        return [
            torch.softmax(model(view), dim=1).T for model, view in zip(self.classifiers, inputs.views(), strict=True)
        ]


def _split(samples: Samples, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Choose training and test samples: whole groups where given, otherwise in proportion to the classes."""
    splitter = StratifiedShuffleSplit if samples.groups is None else GroupShuffleSplit
    train, test = next(
        splitter(1, test_size=TEST_SHARE, random_state=seed).split(samples.codes, samples.codes, samples.groups)
    )
    test = np.random.default_rng(seed).permutation(test)[:MOST_TEST_SAMPLES]
    return train, np.sort(test)


def _batches(n: int, n_epochs: int, most: int) -> list[torch.Tensor]:
    """Draw the rows of every step, on the generator of torch."""
    size = min(BATCH_SIZE, n)
    n_steps = min(n_epochs * (n // size), most)
    rows: list[torch.Tensor] = []
    while len(rows) < n_steps:
        rows += list(torch.randperm(n).split(size))[: n // size]
    return rows[:n_steps]


def _train(inputs: _Inputs, n_classes: int) -> _Models:
    """Train the classifiers, then the coupling of what the first two say."""
    device, n = inputs.y.device, len(inputs.y)
    classifiers: list[nn.Module] = []
    for view in inputs.views():
        model = perceptron(view.shape[1], n_classes).to(device)
        descent = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
        for rows in _batches(n, CLASSIFIER_EPOCHS, MOST_CLASSIFIER_STEPS):
            descent.zero_grad()
            nn.functional.cross_entropy(model(view[rows]), inputs.y[rows]).backward()
            descent.step()
        classifiers.append(model)
    coupling = Coupling(inputs.x1.shape[1], inputs.x2.shape[1], n_classes).to(device)
    models = _Models(classifiers, coupling)
    descent = torch.optim.Adam(coupling.parameters(), lr=LEARNING_RATE)
    for rows in _batches(n, COUPLING_EPOCHS, MOST_COUPLING_STEPS):
        batch = inputs.take(rows)
        with torch.no_grad():
            first, second = (p[..., None] / len(rows) for p in models.probabilities(batch)[:2])
            first, second = common_mass(first, second)
        descent.zero_grad()
        affinity = coupling(batch.x1, batch.x2)
        left, right = scale(affinity, first, second, n_iterations=TRAINING_ROUNDS)
        coupled_information(left * affinity * right.mT).backward()
        descent.step()
    return models


def _evaluate(models: _Models, inputs: _Inputs, weights: NDArray[np.int32]) -> Informations:
    """Informations of the test samples and of their replicates, in bits."""
    counts = np.vstack([np.ones(len(inputs.y)), weights])
    share = torch.tensor(counts / counts.sum(axis=1, keepdims=True), dtype=torch.float32, device=inputs.y.device).T
    tables = [p[..., None] * share for p in models.probabilities(inputs)]  # (class, sample, replicate)
    first, second = common_mass(tables[0], tables[1])
    affinity = models.coupling(inputs.x1, inputs.x2)
    left, right = scale(affinity, first, second, n_iterations=FINAL_ROUNDS)
    union = torch.stack(
        [coupled_information(left[..., b, None] * affinity * right[..., b, None].mT) for b in range(share.shape[1])]
    )
    nats = [table_information(first), table_information(second), table_information(tables[2]), union]
    bits = [(value / np.log(2)).double().cpu().numpy() for value in nats]
    unknown = np.full(len(union), np.nan)
    return Informations(bits[0], bits[1], bits[2], bits[3], interaction=unknown, gap=float("nan"))
