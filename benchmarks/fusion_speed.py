"""How much faster a grid of folds, seeds and trials runs together than in the plain loop, measured in one run.

The plain loop is the same grid written as anyone would: for every fold, seed and trial reduce both modalities, train
with torch's own loop and optimiser, and fit the probe with scikit-learn; then once more with the trial that won. Both
tune every seed on its own. Seconds are of the processor, one thread, so that other work on the machine does not count.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from beyond_alignment.fusion.batches import minibatch_rows
from beyond_alignment.fusion.network import Batch, FusionNetwork
from beyond_alignment.fusion.neural import NeuralFusion
from beyond_alignment.fusion.optimiser import schedule
from beyond_alignment.fusion.pairs import TrainingSet
from beyond_alignment.fusion.probe import PENALTIES, WEIGHTS, inner_folds, smoothed
from beyond_alignment.fusion.together import fit_together
from beyond_alignment.fusion.training import SEED_STRIDE
from beyond_alignment.fusion.tuning import N_INNER, TRIALS, tune


@dataclass(frozen=True)
class Ratio:
    """What was measured.

    Attributes
    ----------
    plain, together
        Processor seconds of the whole grid.
    n_cells
        Folds times seeds.
    agreement
        Share of predicted classes that are the same.
    """

    plain: float
    together: float
    n_cells: int
    agreement: float

    @property
    def ratio(self) -> float:
        """How many times less the grid takes together."""
        return self.plain / self.together


def make_folds(
    *, n: int = 1200, widths: tuple[int, int] = (50, 1280), n_folds: int = 3, n_classes: int = 6, seed: int = 0
) -> list[tuple[TrainingSet, tuple[NDArray, NDArray]]]:
    """Return training sets and held-out embeddings of the size of our tissue: embeddings of low rank, six classes."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(n, 30)) * np.exp(-np.arange(30) / 8)
    pair = [hidden @ rng.normal(size=(30, d)) + 0.3 * rng.normal(size=(n, d)) for d in widths]
    logits = 3 * hidden[:, :8] @ rng.normal(size=(8, n_classes)) + rng.gumbel(size=(n, n_classes))
    labels, groups = np.array([f"class {code}" for code in np.argmax(logits, axis=1)]), np.arange(n) * 12 // n
    folds = []
    for fold in range(n_folds):
        held = groups % n_folds == fold
        train = TrainingSet((pair[0][~held], pair[1][~held]), labels[~held], groups[~held])
        folds.append((train, (pair[0][held], pair[1][held])))
    return folds


def plain_probe(z: NDArray, y: NDArray, groups: NDArray, seed: int) -> tuple[LogisticRegression, float, NDArray]:
    """Return the common probe by scikit-learn alone: its regression, its weight and the class frequencies."""
    codes = np.unique(y, return_inverse=True)[1]
    given: list[NDArray] = []
    before: list[NDArray] = []
    for train, test in inner_folds(len(z), groups, n_inner=3, seed=seed):
        before.append(smoothed(np.bincount(codes[train], minlength=codes.max() + 1))[codes[test]])
        given.append(np.empty((len(PENALTIES), len(test))))
        for row, penalty in zip(given[-1], PENALTIES, strict=True):
            model = _regression(penalty, len(train)).fit(z[train], codes[train])
            p = np.zeros((len(test), codes.max() + 1))
            p[:, model.classes_] = model.predict_proba(z[test])
            row[:] = smoothed(p * len(train))[np.arange(len(test)), codes[test]]
    held, frequency = np.concatenate(given, axis=1), np.concatenate(before)
    scores = np.array([np.log(w * held + (1 - w) * frequency).mean(axis=1) for w in WEIGHTS])
    weight, penalty = np.unravel_index(np.argmax(scores), scores.shape)
    return _regression(PENALTIES[penalty], len(z)).fit(z, codes), WEIGHTS[weight], smoothed(np.bincount(codes))


def _regression(penalty: float, n: int) -> LogisticRegression:
    return LogisticRegression(C=1 / (penalty * n), solver="newton-cg", max_iter=200)


def plain_fit(estimator: NeuralFusion, given: TrainingSet) -> FusionNetwork:
    """Train one network with torch's own loop; its reductions stay with the estimator."""
    spots = estimator.prepare(given)
    network, plan = estimator.network_, estimator.plan()
    size = min(plan.batch_size, len(spots))
    optimiser = torch.optim.AdamW(network.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay)
    pace = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: schedule(step, plan.steps))
    for step, rows in enumerate(minibatch_rows(len(spots), size, plan.steps, plan.seed)):
        noise = network.noise(torch.Generator().manual_seed(plan.seed * SEED_STRIDE + step), size)
        seen: Batch = spots.batch(torch.from_numpy(rows))._replace(y=spots.y[rows], noise=noise)
        optimiser.zero_grad()
        network.loss(seen).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        pace.step()
    return network.requires_grad_(False).eval()


def plain_cell(estimator: NeuralFusion, given: TrainingSet, held_out: tuple[NDArray, NDArray]) -> NDArray:
    """Tune, fit and predict one cell of the grid."""
    train, test = inner_folds(len(given.labels), given.groups, n_inner=N_INNER, seed=estimator.seed)[0]
    inner, outer = given.subset(train), given.subset(test)
    scores = []
    for trial in TRIALS:
        estimator.set_params(**trial)
        plain_fit(estimator, inner)
        model, weight, frequency = plain_probe(estimator.transform(inner.pair), inner.labels, inner.groups, 0)
        p = smoothed(model.predict_proba(estimator.transform(outer.pair)) * len(train))
        truth = np.searchsorted(np.unique(inner.labels), outer.labels)
        scores.append(np.log(weight * p + (1 - weight) * frequency)[np.arange(len(test)), truth].mean())
    estimator.set_params(**TRIALS[int(np.argmax(scores))])
    plain_fit(estimator, given)
    model = plain_probe(estimator.transform(given.pair), given.labels, given.groups, estimator.seed)[0]
    return np.unique(given.labels)[model.predict(estimator.transform(held_out))]


def speed(make: Callable[[int], NeuralFusion], *, seeds: Sequence[int] = range(5), n_folds: int = 3) -> Ratio:
    """Run the grid of one method both ways.

    Parameters
    ----------
    make
        Returns the unfitted estimator of a seed.
    seeds
        Seeds.
    n_folds
        Outer folds.
    """
    folds = make_folds(n_folds=n_folds)
    cells = [(seed, *fold) for fold in folds for seed in seeds]
    start = time.process_time()
    slow = [plain_cell(make(seed), given, held_out) for seed, given, held_out in cells]
    middle = time.process_time()
    sets = [given for _, given, _ in cells]
    tuned = tune([make(seed) for seed, _, _ in cells], sets, share_seeds=False)
    fitted = fit_together(tuned, sets)
    fast = [model.predict(held_out) for model, (_, _, held_out) in zip(fitted, cells, strict=True)]
    end = time.process_time()
    same = np.mean([np.mean(one == two) for one, two in zip(slow, fast, strict=True)])
    return Ratio(middle - start, end - middle, len(cells), float(same))
