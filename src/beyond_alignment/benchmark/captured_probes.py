"""What a linear and a perceptron probe can tell from frozen representations, in bits, and what chance would tell."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from beyond_alignment.fusion.batches import SpotSet
from beyond_alignment.fusion.logistic import LogisticData, fit_logistic
from beyond_alignment.fusion.network import Batch, Shape, SupervisedNetwork
from beyond_alignment.fusion.probe import WEIGHTS, smoothed
from beyond_alignment.fusion.training import TrainingPlan, train_together

PROBES = ("linear", "mlp")
PENALTIES = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
RATES = (2e-3, 1e-2)
UNITS, STEPS, BATCH = 64, 400, 128
CHOOSING = 0.25

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Reading:
    """A representation that is to be read, of samples that it was not fitted on.

    Attributes
    ----------
    z
        Representation of the samples that fit the probe (sample, feature).
    y
        Their label (sample,), integers from 0.
    z_test, y_test
        The same of the samples that are scored.
    prior
        Exact share of each class (class,).
    """

    z: Floats
    y: NDArray[np.int64]
    z_test: Floats
    y_test: NDArray[np.int64]
    prior: Floats


@dataclass(frozen=True)
class Told:
    """What a probe tells about a label.

    Attributes
    ----------
    bits
        Entropy of the label less the probe's held-out log-loss: a lower bound of the information in the representation.
    chance, spread
        Mean and standard deviation of ``bits`` over all ways of handing the test labels to the test samples.
    """

    bits: float
    chance: float
    spread: float


class Perceptron(SupervisedNetwork):
    """One hidden layer over a representation, which takes the place of the first modality.

    Parameters
    ----------
    shape
        Sizes; ``dimension`` is the number of hidden units.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        self.hidden = nn.Sequential(nn.Linear(shape.d1, shape.dimension), nn.GELU())

    def forward(self, batch: Batch) -> Tensor:
        """Return the hidden units (sample, unit)."""
        return self.hidden(batch.x1)


def tell(probe: str, readings: Sequence[Reading], *, seed: int = 0) -> list[Told]:
    """Fit one probe on each representation, many at once, and score them on held-out samples.

    A quarter of the samples that fit a probe chooses its penalty (linear) or learning rate (perceptron), and how far it
    is drawn to the class frequencies: a probe that learnt nothing tells 0 bits instead of being charged for its
    confidence. Features are centred and divided by one number, so that directions stay as large as the method made
    them.

    Parameters
    ----------
    probe
        ``linear`` (logistic regression) or ``mlp`` (one hidden layer of 64).
    readings
        Representations with their labels; all classes occur among the samples that fit.
    seed
        Of the perceptrons.
    """
    scaled = [_scaled(one) for one in readings]
    fit = _linear if probe == "linear" else _perceptrons
    return [
        told(_drawn(candidates, one), one.y_test, one.prior)
        for candidates, one in zip(fit(scaled, seed), scaled, strict=True)
    ]


def told(p: Floats, y: NDArray[np.int64], prior: Floats) -> Told:
    """Score predictions.

    Every class has its exact share in the mean, whatever its share among the samples, so that the draw of the labels
    adds no noise. The moments over permutations are those of a linear statistic (Hoeffding 1951).

    Parameters
    ----------
    p
        Probability (sample, class), above 0.
    y
        Class (sample,).
    prior
        Exact share of each class.
    """
    counts = np.bincount(y, minlength=len(prior))
    terms = np.log2(p) * (prior / counts)  # what a sample adds if the class is its label (sample, class)
    entropy = -float((prior * np.log2(prior)).sum())
    rows, columns = terms @ counts / len(y), terms.mean(axis=0)
    centred = terms - rows[:, None] - columns + rows.mean()
    variance = float((centred**2 @ counts).sum()) / (len(y) - 1)
    return Told(
        bits=entropy + float(terms[np.arange(len(y)), y].sum()),
        chance=entropy + float(columns @ counts),
        spread=float(np.sqrt(max(variance, 0.0))),
    )


def _scaled(one: Reading) -> Reading:
    """Centre the features and divide them by the root of their mean variance."""
    centre = one.z.mean(axis=0)
    varying = one.z.var(axis=0)
    scale = float(np.sqrt(varying[varying > 0].mean())) if (varying > 0).any() else 1.0
    return Reading((one.z - centre) / scale, one.y, (one.z_test - centre) / scale, one.y_test, one.prior)


def _n_fitting(one: Reading) -> int:
    """Return how many samples fit the probe; the rest chooses."""
    return len(one.y) - round(CHOOSING * len(one.y))


def _linear(readings: Sequence[Reading], seed: int) -> list[list[tuple[Floats, Floats]]]:
    """Return what logistic regressions predict of the choosing and of the test samples, penalty by penalty."""
    data = [LogisticData(one.z[: _n_fitting(one)], one.y[: _n_fitting(one)], PENALTIES) for one in readings]
    return [
        [(model.predict_proba(one.z[_n_fitting(one) :]), model.predict_proba(one.z_test)) for model in models]
        for models, one in zip(fit_logistic(data), readings, strict=True)
    ]


def _perceptrons(readings: Sequence[Reading], seed: int) -> list[list[tuple[Floats, Floats]]]:
    """Return what perceptrons predict of the choosing and of the test samples, learning rate by learning rate."""
    networks, sets, plans = [], [], []
    for one in readings:
        spots = _spots(one.z[: _n_fitting(one)], one.y[: _n_fitting(one)])
        for rate in RATES:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                networks.append(Perceptron(Shape(one.z.shape[1], 0, len(one.prior), "classification", UNITS)))
            sets.append(spots)
            plans.append(TrainingPlan(rate, 1e-2, STEPS, BATCH, seed))
    train_together(networks, sets, plans)
    found, trained = [], iter(networks)
    for one in readings:
        pair = [(next(trained), rate) for rate in RATES]
        found.append([(_predict(n, one.z[_n_fitting(one) :]), _predict(n, one.z_test)) for n, _ in pair])
    return found


def _spots(z: Floats, y: NDArray[np.int64]) -> SpotSet:
    """Return samples as the training of networks takes them."""
    nothing = torch.zeros(len(z), 0)
    return SpotSet(torch.from_numpy(z).float(), nothing, torch.from_numpy(y), nothing.long())


def _predict(network: Perceptron, z: Floats) -> Floats:
    """Return the probability of each class (sample, class)."""
    spots = _spots(z, np.zeros(len(z), dtype=np.int64))
    with torch.no_grad():
        logits = network.head(network(spots.batch(torch.arange(len(z)))))
    return logits.double().softmax(dim=-1).numpy()


def _drawn(candidates: Sequence[tuple[Floats, Floats]], one: Reading) -> Floats:
    """Return the test predictions of the candidate and weight that tell the choosing samples best (sample, class)."""
    n = _n_fitting(one)
    frequencies, truth = smoothed(np.bincount(one.y[:n], minlength=len(one.prior))), one.y[n:]
    chosen = np.stack([smoothed(n * p)[np.arange(len(truth)), truth] for p, _ in candidates])
    scores = [np.log(w * chosen + (1 - w) * frequencies[truth]).mean(axis=1) for w in WEIGHTS]
    weight, best = np.unravel_index(np.argmax(scores), (len(WEIGHTS), len(candidates)))
    return WEIGHTS[weight] * smoothed(n * candidates[best][1]) + (1 - WEIGHTS[weight]) * frequencies  # type: ignore[call-overload]
