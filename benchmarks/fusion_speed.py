"""How much faster a grid of folds, seeds and trials runs together than in the plain loop, measured in one run.

The plain loop is the same grid written as anyone would, each cell, a fold and a seed, by itself: for every trial reduce
both modalities, train with torch's own loop and optimiser, and fit scikit-learn's logistic regressions; rehearse the
winner on the other inner folds, and fit it once more on all training spots. Cells of one fold choose with the same
seed, so that the plain loop makes the same choice once a seed and the grid once a fold. Seconds are of the processor,
one thread, so that other work on the machine does not count.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from beyond_alignment.experts.schedule import warm_cosine
from beyond_alignment.fusion import reduction
from beyond_alignment.fusion.batches import SpotSet, minibatch_rows
from beyond_alignment.fusion.network import Batch, FusionNetwork
from beyond_alignment.fusion.neural import NeuralFusion
from beyond_alignment.fusion.pairs import TrainingSet
from beyond_alignment.fusion.rehearsal import PENALTIES, TEMPERATURES, WEIGHTS, smoothed, spread
from beyond_alignment.fusion.training import SEED_STRIDE, TrainingPlan, teachers
from beyond_alignment.fusion.tuning import SHARED_SEED, TRIALS, fit_tuned


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
) -> list[tuple[TrainingSet, TrainingSet]]:
    """Return training and held-out sets of the size of our tissue: embeddings of low rank, six classes, neighbours."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(n, 30)) * np.exp(-np.arange(30) / 8)
    pair = tuple(hidden @ rng.normal(size=(30, d)) + 0.3 * rng.normal(size=(n, d)) for d in widths)
    logits = 3 * hidden[:, :8] @ rng.normal(size=(8, n_classes)) + rng.gumbel(size=(n, n_classes))
    labels, groups = np.array([f"class {code}" for code in np.argmax(logits, axis=1)]), np.arange(n) * 12 // n
    whole = TrainingSet(pair, labels, groups, np.arange(n)[:, None] + np.array([-3, -2, -1, 1, 2, 3]))
    near = np.asarray(whole.neighbours)
    near[(near < 0) | (near >= n)] = -1
    held = [groups % n_folds == fold for fold in range(n_folds)]
    return [(whole.subset(np.flatnonzero(~out)), whole.subset(np.flatnonzero(out))) for out in held]


def plain_train(network: FusionNetwork, spots: SpotSet, plan: TrainingPlan) -> None:
    """Train one network with torch's own loop."""
    size, followed = min(plan.batch_size, len(spots)), teachers(network)
    parameters = dict(network.named_parameters())
    for name, source in followed.items():
        parameters[name].data.copy_(parameters[source].data)
    trained = [value.requires_grad_(True) for name, value in parameters.items() if name not in followed]
    optimiser = torch.optim.AdamW(trained, lr=plan.learning_rate, weight_decay=plan.weight_decay)
    pace = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: warm_cosine(step, plan.steps))
    for step, rows in enumerate(minibatch_rows(len(spots), size, plan.steps, plan.seed)):
        noise = network.noise(torch.Generator().manual_seed(plan.seed * SEED_STRIDE + step), size)
        seen: Batch = spots.batch(torch.from_numpy(rows))._replace(y=spots.y[rows], noise=noise)
        optimiser.zero_grad()
        network.loss(seen).backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        pace.step()
        for name, source in followed.items():
            parameters[name].data.lerp_(parameters[source].data, 1 - network.momentum)
    network.requires_grad_(False).eval()


def plain_fit(estimator: NeuralFusion, given: TrainingSet) -> NeuralFusion:
    """Reduce both modalities anew and train the network of one estimator."""
    reduction.forget()
    spots = estimator.prepare(given)
    plain_train(estimator.network_, spots, estimator.plan())
    return estimator


def plain_rehearsal(estimator: NeuralFusion, inner: TrainingSet, outer: TrainingSet) -> NDArray[np.float64]:
    """Return the held-out log-likelihoods (temperature, weight, penalty, spot) of one trial on one inner fold."""
    plain_fit(estimator, inner)
    z, z_out = (estimator.transform(one.pair, neighbours=one.neighbours) for one in (inner, outer))
    classes = np.unique(np.r_[inner.labels, outer.labels])
    codes, truth = np.searchsorted(classes, inner.labels), np.searchsorted(classes, outer.labels)
    before = smoothed(np.bincount(codes, minlength=len(classes)))[truth]
    found = np.empty((len(TEMPERATURES), len(WEIGHTS), len(PENALTIES), len(truth)))
    for k, penalty in enumerate(PENALTIES):
        model = _regression(penalty, z).fit(z, codes)
        logits = model.decision_function(z_out)
        for t, temperature in enumerate(TEMPERATURES):
            p = np.zeros((len(truth), len(classes)))
            p[:, model.classes_] = np.exp(logits / temperature - (logits / temperature).max(axis=1, keepdims=True))
            p = smoothed(len(z) * p / p.sum(axis=1, keepdims=True))[np.arange(len(truth)), truth]
            found[t, :, k] = [np.log(w * p + (1 - w) * before) for w in WEIGHTS]
    return found


def _regression(penalty: float, z: NDArray) -> LogisticRegression:
    return LogisticRegression(C=1 / (penalty * spread(z) * len(z)), solver="newton-cg", max_iter=200)


def plain_cell(estimator: NeuralFusion, given: TrainingSet, held_out: TrainingSet) -> NDArray:
    """Tune, rehearse, fit and predict one cell of the grid."""
    leader = clone(estimator).set_params(seed=SHARED_SEED)
    folds = given.rehearsals(leader.seed)
    trials = [plain_rehearsal(clone(leader).set_params(**trial), *folds[0]) for trial in TRIALS]
    best = int(np.argmax([scores.mean(axis=-1).max() for scores in trials]))
    chosen = TRIALS[best]
    others = [plain_rehearsal(clone(leader).set_params(**chosen), *fold) for fold in folds[1:]]
    scores = np.concatenate([trials[best], *others], axis=-1).mean(axis=-1)
    penalty = PENALTIES[np.unravel_index(np.argmax(scores), scores.shape)[2]]
    final = plain_fit(clone(estimator).set_params(**chosen), given)
    z = final.transform(given.pair, neighbours=given.neighbours)
    model = _regression(penalty, z).fit(z, given.labels)
    return model.predict(final.transform(held_out.pair, neighbours=held_out.neighbours))


def speed(
    make: Callable[[int], NeuralFusion],
    *,
    seeds: Sequence[int] = range(5),
    n_folds: int = 3,
    n_plain: int | None = None,
) -> Ratio:
    """Run the grid of one method both ways.

    Parameters
    ----------
    make
        Returns the unfitted estimator of a seed.
    seeds
        Seeds.
    n_folds
        Outer folds.
    n_plain
        Cells that the plain loop runs, its seconds scaled to all of them: each costs the same. All when None.
    """
    folds = make_folds(n_folds=n_folds)
    cells = [(seed, *fold) for fold in folds for seed in seeds]
    some = cells[: n_plain or len(cells)]
    start = time.process_time()
    slow = [plain_cell(make(seed), given, held_out) for seed, given, held_out in some]
    middle = time.process_time()
    reduction.forget()
    fitted = fit_tuned([make(seed) for seed, _, _ in cells], [given for _, given, _ in cells])
    fast = [
        model.predict(held_out.pair, neighbours=held_out.neighbours)
        for model, (_, _, held_out) in zip(fitted, cells, strict=True)
    ]
    end = time.process_time()
    same = np.mean([np.mean(one == two) for one, two in zip(slow, fast, strict=False)])
    return Ratio((middle - start) * len(cells) / len(some), end - middle, len(cells), float(same))
