"""The neural estimator of Liang et al. (2023), "BATCH", as a comparison."""

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import GroupShuffleSplit, StratifiedShuffleSplit

from beyond_alignment.information.field_estimate import Informations, estimate, leading_components
from beyond_alignment.information.neural_coupling import common_mass, coupled_information, scale, table_information
from beyond_alignment.information.neural_training import NeuralModels, Pairs, train_models
from beyond_alignment.information.pid import PIDEstimate
from beyond_alignment.information.samples import check_samples
from beyond_alignment.resampling import bootstrap_weights, default_units

FINAL_ROUNDS = 100
TEST_SHARE, VALIDATION_SHARE = 0.25, 0.2
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
    epochs for classifiers, 10 for the coupling. Bounded here: 500 to 2,000 and 100 to 400 steps, 20 rounds of scaling
    in training and 100 at the end (published: up to 500, or until within 0.01), at most 512 test samples, leading
    components of the sources as features. Added here, in favour of the method: a classifier is kept as it was when it
    did best on a fifth of the training samples, whole groups where given, which it is not trained on. Without, it
    claims most of the entropy of random labels with a few thousand samples.

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
        Replicates, over the test samples with everything trained held fixed: the intervals leave out training, and the
        p-value says how sure the classifiers' claims are, which random labels need not make large.
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
    rows = np.arange(samples.n)
    train, test = _split(rows, samples.codes, samples.groups, TEST_SHARE, seed)
    test = np.sort(np.random.default_rng(seed).permutation(test)[:MOST_TEST_SAMPLES])
    train, validation = _split(train, samples.codes, samples.groups, VALIDATION_SHARE, seed)
    views = tuple(leading_components(x, n_components, whiten=True, seed=seed) for x in (samples.x1, samples.x2))
    held = [None if names is None else names[test] for names in (samples.groups, samples.blocks)]
    units = default_units(held[0], held[1], len(test))
    weights = bootstrap_weights(units, n_bootstrap=n_bootstrap, seed=seed)
    forked = [torch.device(device)] if device != "cpu" else []
    with torch.random.fork_rng(devices=forked):
        torch.manual_seed(seed)
        first, second = (torch.tensor(view, dtype=torch.float32, device=device) for view in views)
        pairs = Pairs(first, second, torch.tensor(samples.codes, device=device))
        models = train_models(pairs.take(train), pairs.take(validation), len(samples.classes))
    with torch.no_grad():
        found = _evaluate(models, pairs.take(test), weights)
    warning = f"The intervals resample {len(test)} test samples and leave out how training varies."
    return estimate(found, samples, units, method="batch", level=level, warnings=(*samples.notes, warning))


def _split(
    rows: NDArray[np.intp], codes: NDArray[np.int64], groups: NDArray[np.int64] | None, share: float, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Set a share of the rows apart: whole groups where there are two or more, otherwise in proportion to classes."""
    whole = groups is not None and len(np.unique(groups[rows])) > 1
    splitter = GroupShuffleSplit if whole else StratifiedShuffleSplit
    names = None if groups is None else groups[rows]
    kept, apart = next(splitter(1, test_size=share, random_state=seed).split(rows, codes[rows], names))
    return rows[kept], rows[apart]


def _evaluate(models: NeuralModels, pairs: Pairs, weights: NDArray[np.int32]) -> Informations:
    """Informations of the test samples and of their replicates, in bits."""
    counts = np.vstack([np.ones(len(pairs.y)), weights])
    share = torch.tensor(counts / counts.sum(axis=1, keepdims=True), dtype=torch.float32, device=pairs.y.device).T
    tables = [p[..., None] * share for p in models.probabilities(pairs)]  # (class, sample, replicate)
    first, second = common_mass(tables[0], tables[1])
    affinity = models.coupling(pairs.x1, pairs.x2)
    left, right = scale(affinity, first, second, n_iterations=FINAL_ROUNDS)
    union = torch.stack(
        [coupled_information(left[..., b, None] * affinity * right[..., b, None].mT) for b in range(share.shape[1])]
    )
    nats = [table_information(first), table_information(second), table_information(tables[2]), union]
    bits = [(value / np.log(2)).double().cpu().numpy() for value in nats]
    unknown = np.full(len(union), np.nan)
    return Informations(bits[0], bits[1], bits[2], bits[3], interaction=unknown, gap=float("nan"))
