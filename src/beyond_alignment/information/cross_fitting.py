"""Posteriors of every sample from models that never saw its group."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit, StratifiedGroupKFold, StratifiedKFold

from beyond_alignment.information.components import Components
from beyond_alignment.information.posterior_network import HEADS
from beyond_alignment.information.posterior_training import CHUNK, Part, Posterior, train
from beyond_alignment.information.samples import Samples

N_COMPONENTS = 32
MOST_TRAINED = 50_000
VALIDATION = 0.15
FEWEST_UNITS = 5
MOST_MEMBERS = 2
ENSEMBLE_SAMPLES = 2500

Advance = Callable[[float], None]


@dataclass(frozen=True)
class CrossFit:
    """Out-of-fold posteriors.

    Attributes
    ----------
    full
        Log posteriors (head, sample, class) from all training samples of the other folds, in the order of `HEADS`.
    half
        The same from half of them.
    folds
        Fold of each sample (sample,).
    unseen
        Classes that some fold had to predict without a training sample.
    """

    full: NDArray[np.float64]
    half: NDArray[np.float64]
    folds: NDArray[np.int64]
    unseen: tuple[int, ...]


def make_folds(samples: Samples, *, n_folds: int, seed: int) -> NDArray[np.int64]:
    """Return the fold of each sample (sample,): groups whole, else blocks whole; classes as even as that allows."""
    folds = np.empty(samples.n, dtype=np.int64)
    units = samples.groups if samples.groups is not None else samples.blocks
    nothing = np.zeros(samples.n)
    if units is None:
        parts = StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(nothing, samples.codes)
    else:
        n_folds = min(n_folds, len(np.unique(units)))
        parts = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed).split(nothing, samples.codes, units)
    for fold, (_, held_out) in enumerate(parts):
        folds[held_out] = fold
    return folds


def cross_fit(
    samples: Samples,
    *,
    n_folds: int,
    seed: int,
    device: torch.device,
    advance: Advance | None = None,
) -> CrossFit:
    """Train on all folds but one, predict that one, and do so again with half of the training samples.

    Scaling, components, weights and the moment to stop are found on training samples alone. Where there are fewer
    than 1,700 samples, two models of different validation samples are averaged. A model sees at most 50,000
    samples; whatever else there is streams past it in chunks.

    Parameters
    ----------
    samples
        Checked samples.
    n_folds
        Folds.
    seed
        Of folds, components and networks.
    device
        Where to train.
    advance
        Told the share of the work done since the last call.
    """
    folds = make_folds(samples, n_folds=n_folds, seed=seed)
    names = np.unique(folds)
    n_members = int(np.clip(round(ENSEMBLE_SAMPLES / samples.n), 1, MOST_MEMBERS))
    rng = np.random.default_rng(seed)
    maps, drawn = [], []
    for fold in names:
        rows = np.flatnonzero(folds != fold)
        maps.append(tuple(Components(N_COMPONENTS, seed=seed).fit(x, rows) for x in (samples.x1, samples.x2)))
        drawn += [_training_rows(samples, rows, rng) for _ in range(n_members)]
    found = []
    for share in (1.0, 0.5):
        training, validation = _parts(samples, maps, drawn, n_members, share, device)
        weight = share / 1.5
        steps = (lambda done, w=weight: advance(done * w)) if advance is not None else None
        posterior = train(training, validation, len(samples.classes), seed=seed, advance=steps)
        found.append(_predict(samples, posterior, folds, maps, n_members, device))
    seen = [set(np.unique(samples.codes[folds != fold])) for fold in names]
    unseen = sorted(set(range(len(samples.classes))) - set.intersection(*seen))
    return CrossFit(found[0], found[1], folds, tuple(int(code) for code in unseen))


def _training_rows(
    samples: Samples, rows: NDArray[np.intp], rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Split training rows, in random order, into those that are fitted and those that say when to stop."""
    split = ShuffleSplit(1, test_size=VALIDATION, random_state=int(rng.integers(2**31)))
    units = next(
        (u for u in (samples.groups, samples.blocks) if u is not None and _n_units(u, rows) >= FEWEST_UNITS), None
    )
    if units is not None:
        split = GroupShuffleSplit(1, test_size=VALIDATION, random_state=int(rng.integers(2**31)))
    fitted, held = next(split.split(rows, groups=None if units is None else units[rows]))
    return rng.permutation(rows[fitted])[:MOST_TRAINED], rng.permutation(rows[held])[: MOST_TRAINED // 4]


def _n_units(units: NDArray[np.int64], rows: NDArray[np.intp]) -> int:
    """Return the number of units among some rows."""
    return len(np.unique(units[rows]))


def _parts(
    samples: Samples,
    maps: list[tuple[Components, ...]],
    drawn: list[tuple[NDArray[np.intp], NDArray[np.intp]]],
    n_members: int,
    share: float,
    device: torch.device,
) -> tuple[Part, Part]:
    """Return what all models are trained and stopped on; models are cut to the size of the smallest."""
    parts = []
    for which, of_it in ((0, share), (1, 1.0)):
        size = max(2, int(of_it * min(len(rows[which]) for rows in drawn)))
        chosen = [rows[which][:size] for rows in drawn]
        sources = []
        for number, x in enumerate((samples.x1, samples.x2)):
            values = [maps[i // n_members][number].transform(x, rows) for i, rows in enumerate(chosen)]
            sources.append(torch.from_numpy(np.stack(values)).to(device))  # (model, sample, component)
        y = torch.from_numpy(np.stack([samples.codes[rows] for rows in chosen])).to(device)
        parts.append(Part(sources[0], sources[1], y))
    return parts[0], parts[1]


def _predict(
    samples: Samples,
    posterior: Posterior,
    folds: NDArray[np.int64],
    maps: list[tuple[Components, ...]],
    n_members: int,
    device: torch.device,
) -> NDArray[np.float64]:
    """Return the posteriors of each fold from its own models, averaged as probabilities."""
    found = np.empty((len(HEADS), samples.n, len(samples.classes)))
    for number, fold in enumerate(np.unique(folds)):
        held_out = np.flatnonzero(folds == fold)
        for start in range(0, len(held_out), CHUNK):
            rows = held_out[start : start + CHUNK]
            x1, x2 = (
                torch.from_numpy(m.transform(x, rows)).to(device)
                for m, x in zip(maps[number], (samples.x1, samples.x2), strict=True)
            )
            members = [posterior(number * n_members + i, x1, x2).double().exp() for i in range(n_members)]
            mean = torch.stack(members).mean(dim=0).clamp_min(1e-12).log()
            found[:, rows] = mean.cpu().numpy()
    return found
