"""The subspaces that alignment with linear heads finds on two frozen embeddings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from beyond_alignment.alignment.angles import principal_angles
from beyond_alignment.alignment.linear_methods import LINEAR_METHODS, LinearMethod
from beyond_alignment.alignment.spectral import MIN_SAMPLES
from beyond_alignment.checks import paired
from beyond_alignment.errors import InputError
from beyond_alignment.experts.compute import Device, resolve_device
from beyond_alignment.fusion.batches import SpotSet
from beyond_alignment.fusion.canonical import CanonicalCorrelation
from beyond_alignment.fusion.network import Shape
from beyond_alignment.fusion.training import TrainingPlan, train_together
from beyond_alignment.fusion.whitening import (
    Regularisation,
    Whitening,
    check_enough_rows,
    fit_whitening,
    varying_columns,
)

Floats = NDArray[np.float64]
Pair = tuple[ArrayLike, ArrayLike]


@dataclass(frozen=True, eq=False)
class AlignedSubspace:
    """What alignment found: k directions of each embedding.

    Attributes
    ----------
    method
        Key of :data:`~beyond_alignment.alignment.LINEAR_METHODS`.
    weights1, weights2
        Directions A and B (feature, component) of each embedding.
    mean1, mean2
        Means (feature,) of the samples that it was fitted on.
    losses
        Objective at each step (step,); empty for the closed form.
    """

    method: str
    weights1: Floats
    weights2: Floats
    mean1: Floats
    mean2: Floats
    losses: Floats

    def project(self, x1: ArrayLike, x2: ArrayLike) -> tuple[Floats, Floats]:
        """Return the projections z1 and z2 (sample, component) of samples with the features fitted on."""
        first, second = paired(x1, x2, min_rows=1)
        if (first.shape[1], second.shape[1]) != (len(self.mean1), len(self.mean2)):
            raise InputError(
                f"The embeddings have {first.shape[1]} and {second.shape[1]} features and were fitted with"
                f" {len(self.mean1)} and {len(self.mean2)}; pass the same features."
            )
        return (first - self.mean1) @ self.weights1, (second - self.mean2) @ self.weights2

    def transform(self, x1: ArrayLike, x2: ArrayLike) -> Floats:
        """Return both projections side by side (sample, 2 component)."""
        return np.concatenate(self.project(x1, x2), axis=1)


def variate_angles(x: ArrayLike, first: ArrayLike, second: ArrayLike) -> Floats:
    """Principal angles between the spaces of variates that two sets of directions span, in degrees.

    Angles between the projections of samples, so that no linear map of the features changes them.

    Parameters
    ----------
    x
        Embedding (sample, feature).
    first, second
        Directions (feature, component).
    """
    matrix = np.asarray(x, dtype=np.float64)
    root = np.linalg.qr(matrix - matrix.mean(axis=0), mode="r")  # root.T @ root is the scatter (feature, feature)
    return principal_angles(root @ np.asarray(first), root @ np.asarray(second))


def n_distinct(x: ArrayLike, weights: ArrayLike) -> float:
    """Return how many of k projections are distinct: k where they are uncorrelated, 1 where all are the same.

    The participation ratio of their correlation matrix: (sum of eigenvalues)^2 / (sum of their squares).

    Parameters
    ----------
    x
        Embedding (sample, feature).
    weights
        Directions (feature, component).
    """
    z = np.asarray(x, dtype=np.float64) @ np.asarray(weights)
    correlations = np.atleast_2d(np.corrcoef(z, rowvar=False))
    return float(len(correlations) ** 2 / (correlations**2).sum())


def aligned_subspaces(
    method: str,
    pairs: Sequence[Pair],
    *,
    n_components: int,
    seeds: Sequence[int],
    steps: int = 500,
    batch_size: int = 256,
    learning_rate: float = 1e-2,
    regularisation: Regularisation = "ledoit_wolf",
    options: Mapping[str, Any] | None = None,
    device: Device = "auto",
) -> list[AlignedSubspace]:
    """Align pairs of embeddings side by side with linear heads, each as it would be alone, without seeing a label.

    Parameters
    ----------
    method
        Key of :data:`~beyond_alignment.alignment.LINEAR_METHODS`.
    pairs
        Pairs of embeddings of the same samples, each (sample, feature).
    n_components
        k, directions of each embedding.
    seeds
        Of the first weights and the minibatches, one a pair.
    steps
        Updates of AdamW, warm-up and cosine included, without weight decay.
    batch_size
        Samples an update; all of them where there are fewer.
    learning_rate
        Largest learning rate.
    regularisation
        Shrinkage of the covariances that whiten the embeddings. It decides what ``cca`` and ``projection`` find. The
        other objectives see projections alone: to them it is a change of coordinates, and their optimum is the one
        without shrinkage.
    options
        Hyper-parameters of the objective, in the place of the method's own.
    device
        Where training runs.

    Raises
    ------
    InputError
        If the method is unknown, the embeddings are no finite pair of ten samples, have fewer directions than are
        asked for or more than the samples allow without regularisation, or the training diverges.

    Notes
    -----
    ======================= ============================================================================
    Input                   What happens
    ======================= ============================================================================
    d1 + d2 > n - 1         refused with regularisation 0, where some correlation is 1 whatever the data;
                            with shrinkage ``cca`` is regularised and a trained method is not: it fits
                            the pairing by chance
    constant columns        weight 0
    duplicated features     the variates stay the same with regularisation 0, nearly so with shrinkage
    x2 = x1 A               every correlation is 1 and no k directions are better than others: any pair
                            of subspaces that A maps onto each other may be found
    fewer than 10 samples   refused, as by `spectral_ceiling`
    NaN or infinity         refused
    ======================= ============================================================================
    """
    if method not in LINEAR_METHODS:
        raise InputError(f"There is no linear method {method!r}; choose one of {', '.join(LINEAR_METHODS)}.")
    record = LINEAR_METHODS[method]
    record = replace(record, options=options) if options else record
    checked = [paired(*pair, min_rows=MIN_SAMPLES) for pair in pairs]
    if record.network is None:
        return [_closed_form(method, pair, n_components, regularisation) for pair in checked]
    whitenings = [
        (
            fit_whitening(first, regularisation=regularisation, name="x1"),
            fit_whitening(second, regularisation=regularisation, name="x2"),
        )
        for first, second in checked
    ]
    for both, pair in zip(whitenings, checked, strict=True):
        check_enough_rows(*both, len(pair[0]))
    least = min((w.rank for pair in whitenings for w in pair), default=n_components)
    if not 1 <= n_components <= least:
        msg = f"{n_components} components were asked for and the embeddings have {least}; pass a number from 1 to that."
        raise InputError(msg)
    if min(steps, batch_size) < 1:
        raise InputError(f"{steps} steps of {batch_size} samples train nothing; pass at least 1 of each.")
    networks = [_network(record, pair, n_components, seed) for pair, seed in zip(checked, seeds, strict=True)]
    sets = [_set(record, pair, both) for pair, both in zip(checked, whitenings, strict=True)]
    plans = [TrainingPlan(learning_rate, 0.0, steps, batch_size, seed) for seed in seeds]
    outcomes = train_together(networks, sets, plans, device=resolve_device(device))
    found: list[AlignedSubspace] = []
    for network, both, outcome in zip(networks, whitenings, outcomes, strict=True):
        if outcome.diverged_at is not None:
            msg = f"{record.label} diverged at step {outcome.diverged_at + 1} of {steps}; lower the learning rate."
            raise InputError(msg)
        maps = [next(iter(t.parameters())).detach().double().numpy().T for t in (network.tower1, network.tower2)]
        weights = [_map(record, w, x)[0] @ m for w, x, m in zip(both, checked[len(found)], maps, strict=True)]
        found.append(AlignedSubspace(method, weights[0], weights[1], both[0].mean, both[1].mean, outcome.losses))
    return found


def _closed_form(method: str, pair: tuple[Floats, Floats], k: int, regularisation: Regularisation) -> AlignedSubspace:
    """Return the canonical directions."""
    fitted = CanonicalCorrelation(k, regularisation=regularisation).fit(pair)
    means = fitted.mean1_, fitted.mean2_
    return AlignedSubspace(method, fitted.weights1_, fitted.weights2_, *means, np.zeros(0))


def _network(record: LinearMethod, pair: tuple[Floats, Floats], k: int, seed: int):  # type: ignore[no-untyped-def]
    """Return untrained heads, whose first weights depend on the seed alone."""
    assert record.network is not None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        shape = Shape(pair[0].shape[1], pair[1].shape[1], 1, "classification", 2 * k)
        return record.network(shape, **record.options)


def _map(record: LinearMethod, whitening: Whitening, x: Floats) -> tuple[Floats, Floats]:
    """Return the linear map (feature, feature) that the heads see an embedding through, and what they see."""
    if record.whitened:
        return whitening.matrix, whitening.apply(x)
    scale = np.sqrt(x.var(axis=0).mean())  # one number: directions keep their proportions
    matrix = np.diag(varying_columns(x) / scale)
    return matrix, (x - whitening.mean) @ matrix


def _set(record: LinearMethod, pair: tuple[Floats, Floats], both: tuple[Whitening, ...]) -> SpotSet:
    """Return what the heads are trained on."""
    first, second = (torch.from_numpy(_map(record, w, x)[1]).float() for w, x in zip(both, pair, strict=True))
    return SpotSet(first, second, torch.zeros(len(first)), torch.zeros(len(first), 0, dtype=torch.int64))
