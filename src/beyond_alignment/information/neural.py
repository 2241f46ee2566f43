"""The neural estimator of Liang et al. (2023), BATCH, as a comparison."""

import math
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import GroupShuffleSplit, StratifiedShuffleSplit
from torch import Tensor, nn

from beyond_alignment.information.comparison import leading_components
from beyond_alignment.information.informations import Informations
from beyond_alignment.information.posterior import class_shares
from beyond_alignment.information.samples import Centred, Samples
from beyond_alignment.resampling import Units

TEST_SHARE, VALIDATION_SHARE, MOST_TEST_SAMPLES = 0.25, 0.2, 512
BATCH_SIZE, LEARNING_RATE = 256, 1e-3
CLASSIFIER_EPOCHS, CLASSIFIER_STEPS = 40, (500, 2000)
COUPLING_EPOCHS, COUPLING_STEPS = 10, (100, 400)
TRAINING_ROUNDS, FINAL_ROUNDS = 20, 100
MOST_STEPS_BETWEEN_CHECKS = 50
WIDTH, N_HIDDEN, N_EMBEDDING = 32, 4, 10
FLOOR = 1e-12


@dataclass(frozen=True)
class Pairs:
    """Sources (sample, feature), class, group, and log class shares of the group (sample, class)."""

    x1: Tensor
    x2: Tensor
    y: Tensor
    group: Tensor
    log_shares: Tensor

    def take(self, rows: NDArray[np.intp] | Tensor) -> "Pairs":
        """Return some of the samples."""
        chosen = torch.as_tensor(rows)
        return Pairs(self.x1[chosen], self.x2[chosen], self.y[chosen], self.group[chosen], self.log_shares[chosen])

    def views(self) -> list[Tensor]:
        """Return the first source, the second, and both side by side."""
        return [self.x1, self.x2, torch.cat([self.x1, self.x2], dim=1)]


def batch(
    samples: Samples, *, units: Units, weights: NDArray[np.integer], seed: int, n_components: int = 50
) -> Informations:
    """Estimate informations with three classifiers and a learned coupling of the sources given the class.

    Classifiers of each source and of both give p(y | x); the coupling q(x1, x2, y), whose marginals are those of the
    single classifiers by unrolled matrix scaling within a mini-batch, is trained to have the least information. All
    informations are the means of what the classifiers claim on samples that they were not trained on, whole groups
    where given: an overconfident classifier claims too much. The synergy is not split.

    As published: perceptrons of four hidden layers of 32, embeddings of length 10, Adam at 0.001, batches of 256, 40
    epochs for classifiers, 10 for the coupling. Bounded here: 500 to 2,000 and 100 to 400 steps, 20 rounds of scaling
    in training and 100 at the end (published: up to 500, or until within 0.01), at most 512 test samples. Otherwise
    than published: informations are against the model's own class shares on the test samples after both sources' tables
    were given the same ones (published: against the label shares, a batch at a time, then averaged); sources are
    leading components, fitted on all samples without labels; a classifier is kept as it was when it did best on a fifth
    of the training samples, without which it claims most of the entropy of random labels with a few thousand. Given
    groups, which the publication does not know, sources are centred within them, classifiers add to the log shares of
    the group, and couplings and informations are those within a group.

    Replicates resample the test samples with everything trained held fixed: the intervals leave out training.
    """
    groups = samples.group_codes
    train, test = _split(np.arange(samples.n), samples.codes, samples.groups, TEST_SHARE, seed)
    test = np.sort(np.random.default_rng(seed).permutation(test)[:MOST_TEST_SAMPLES])
    train, validation = _split(train, samples.codes, samples.groups, VALIDATION_SHARE, seed)
    views = (
        leading_components(Centred(x, samples.groups), n_components, whiten=True, seed=seed)
        for x in (samples.x1, samples.x2)
    )
    shares = np.log(class_shares(samples.codes, groups))[groups]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        first, second, log_shares = (torch.tensor(v, dtype=torch.float32) for v in (*views, shares))
        pairs = Pairs(first, second, torch.tensor(samples.codes), torch.tensor(groups), log_shares)
        classifiers = [
            _train_classifier(own, pairs.take(train), view, pairs.take(validation), apart)
            for own, view, apart in zip(
                (_perceptron(v.shape[1], len(samples.classes)) for v in pairs.views()),
                pairs.take(train).views(),
                pairs.take(validation).views(),
                strict=True,
            )
        ]
        coupling = Coupling(first.shape[1], second.shape[1], len(samples.classes))
        _train_coupling(classifiers, coupling, pairs.take(train))
    every = np.vstack([np.ones(len(test)), weights[:, units.codes[test]]])
    every[every.sum(axis=1) == 0] = 1.0  # a replicate without a test sample says what the sample says
    values = np.zeros((len(every), 5))
    with torch.no_grad():
        for group in np.unique(groups[test]):
            inside = groups[test] == group
            mass = every[:, inside].sum(axis=1)
            some = mass > 0
            own = _evaluate(classifiers, coupling, pairs.take(test[inside]), every[some][:, inside])
            values[some] += (mass / every.sum(axis=1))[some, None] * own
    note = f"The intervals resample {len(test)} test samples and leave out how training varies."
    return Informations(values, None, float("nan"), True, (note,))


def _split(
    rows: NDArray[np.intp], codes: NDArray[np.int64], groups: NDArray[np.int64] | None, share: float, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Set a share of the rows apart: whole groups where there are two or more, otherwise in proportion to classes."""
    whole = groups is not None and len(np.unique(groups[rows])) > 1
    splitter = GroupShuffleSplit if whole else StratifiedShuffleSplit
    names = None if groups is None else groups[rows]
    kept, apart = next(splitter(1, test_size=share, random_state=seed).split(rows, codes[rows], names))
    return rows[kept], rows[apart]


def _perceptron(n_inputs: int, n_outputs: int) -> nn.Sequential:
    """Return a perceptron of rectified layers."""
    sizes = [n_inputs, *[WIDTH] * N_HIDDEN]
    layers: list[nn.Module] = []
    for before, after in pairwise(sizes):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], n_outputs))


class Coupling(nn.Module):
    """Affinity of every first with every second sample, class by class.

    Each source is embedded once for every class; the logarithm of the affinity is the inner product of two standardised
    embeddings over the square root of their length, and so bounded by it.
    """

    def __init__(self, d1: int, d2: int, n_classes: int) -> None:
        super().__init__()
        self.n_classes = n_classes
        self.first = _perceptron(d1, n_classes * N_EMBEDDING)
        self.second = _perceptron(d2, n_classes * N_EMBEDDING)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Return affinities (class, first sample, second sample), all positive."""
        first, second = self._embed(self.first, x1), self._embed(self.second, x2)
        return torch.exp(first @ second.mT / math.sqrt(first.shape[-1]))

    def _embed(self, network: nn.Module, x: Tensor) -> Tensor:
        """Standardised embeddings (class, sample, length)."""
        raw = network(x).unflatten(1, (self.n_classes, -1)).transpose(0, 1)
        deviation = raw - raw.mean(dim=-1, keepdim=True)
        scaled: Tensor = deviation / torch.sqrt(deviation.square().mean(dim=-1, keepdim=True) + 1e-8)
        return scaled


def _rows(n: int, n_epochs: int, bounds: tuple[int, int]) -> Iterator[Tensor]:
    """Draw the rows of every step, on the generator of torch; bounded is the number of steps."""
    size = min(BATCH_SIZE, n)
    left = min(max(n_epochs * (n // size), bounds[0]), bounds[1])
    while left > 0:
        for rows in torch.randperm(n).split(size)[: min(n // size, left)]:
            left -= 1
            yield rows


def _train_classifier(model: nn.Module, pairs: Pairs, x: Tensor, validation: Pairs, apart: Tensor) -> nn.Module:
    """Train a classifier of a view and return it as it was when it did best."""
    descent = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, fused=True)
    between = min(max(len(x) // BATCH_SIZE, 1), MOST_STEPS_BETWEEN_CHECKS)
    best, kept = float("inf"), None
    for step, rows in enumerate(_rows(len(x), CLASSIFIER_EPOCHS, CLASSIFIER_STEPS), start=1):
        descent.zero_grad()
        nn.functional.cross_entropy(model(x[rows]) + pairs.log_shares[rows], pairs.y[rows]).backward()
        descent.step()
        if step % between == 0:
            with torch.no_grad():
                loss = nn.functional.cross_entropy(model(apart) + validation.log_shares, validation.y).item()
            if loss < best:
                best, kept = loss, deepcopy(model.state_dict())
    if kept is not None:
        model.load_state_dict(kept)
    return model


def _claims(classifiers: list[nn.Module], pairs: Pairs) -> list[Tensor]:
    """Return p(y | x, group) of each classifier (class, sample)."""
    return [
        torch.softmax(model(view) + pairs.log_shares, dim=1).T
        for model, view in zip(classifiers, pairs.views(), strict=True)
    ]


def _train_coupling(classifiers: list[nn.Module], coupling: Coupling, train: Pairs) -> None:
    """Bring the coupling towards the least information, batch by batch, each of samples of one group."""
    descent = torch.optim.Adam(coupling.parameters(), lr=LEARNING_RATE, fused=True)
    members = [torch.nonzero(train.group == g).squeeze(1) for g in train.group.unique()]
    for step, drawn in enumerate(_rows(len(train.y), COUPLING_EPOCHS, COUPLING_STEPS)):
        rows = drawn
        if len(members) > 1:
            own = members[step % len(members)]
            rows = own[torch.randperm(len(own))[:BATCH_SIZE]]
        pairs = train.take(rows)
        with torch.no_grad():
            first, second = (p[..., None] / len(rows) for p in _claims(classifiers, pairs)[:2])
            first, second = common_mass(first, second)
        descent.zero_grad()
        affinity = coupling(pairs.x1, pairs.x2)
        left, right = scale(affinity, first, second, n_iterations=TRAINING_ROUNDS)
        coupled_information(left * affinity * right.mT).backward()
        descent.step()


def _evaluate(
    classifiers: list[nn.Module], coupling: Coupling, pairs: Pairs, counts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Informations of the test samples of a group and of their replicates, in bits."""
    share = torch.tensor(counts / counts.sum(axis=1, keepdims=True), dtype=torch.float32).T
    tables = [p[..., None] * share for p in _claims(classifiers, pairs)]  # (class, sample, replicate)
    first, second = common_mass(tables[0], tables[1])
    affinity = coupling(pairs.x1, pairs.x2)
    left, right = scale(affinity, first, second, n_iterations=FINAL_ROUNDS)
    union = torch.stack(
        [coupled_information(left[..., b, None] * affinity * right[..., b, None].mT) for b in range(share.shape[1])]
    )
    nats = [table_information(first), table_information(second), union, table_information(tables[2])]
    bits = [(value / np.log(2)).double().numpy() for value in nats]
    return np.stack([*bits, np.full(len(union), np.nan)], axis=1)


def common_mass(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Give two tables (class, sample, ...) of total 1 the same class probabilities, the mean of theirs."""
    masses = [table.sum(dim=1, keepdim=True) for table in (first, second)]
    mass = (masses[0] + masses[1]) / 2
    return first * (mass / (masses[0] + FLOOR)), second * (mass / (masses[1] + FLOOR))


def scale(affinity: Tensor, first: Tensor, second: Tensor, *, n_iterations: int) -> tuple[Tensor, Tensor]:
    """Return the factors of rows and columns that bring affinities to the marginals (Sinkhorn & Knopp 1967).

    The affinity is (class, first sample, second sample), the marginals (class, sample, problem) have the same class
    probabilities; all problems share the affinity, and the rows are met last.
    """
    rows = torch.ones_like(first)
    columns = torch.ones_like(second)
    for _ in range(n_iterations):
        columns = second / (affinity.mT @ rows + FLOOR)
        rows = first / (affinity @ columns + FLOOR)
    return rows, columns


def coupled_information(coupling: Tensor) -> Tensor:
    """Information of both sources about the class under a coupling (class, first sample, second sample), in nats."""
    total = coupling.sum()
    pair, mass = coupling.sum(dim=0), coupling.sum(dim=(1, 2))
    entropies = [torch.special.entr(table / total).sum() for table in (pair, mass, coupling)]
    return entropies[0] + entropies[1] - entropies[2]


def table_information(table: Tensor) -> Tensor:
    """Information of the sample about the class under tables (class, sample, problem), in nats: (problem,)."""
    share = table / table.sum(dim=(0, 1))
    entropies = [torch.special.entr(part).flatten(0, -2).sum(dim=0) for part in (share.sum(0), share.sum(1), share)]
    return entropies[0] + entropies[1] - entropies[2]
