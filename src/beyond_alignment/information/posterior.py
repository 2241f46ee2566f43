"""The estimator of this project: cross-fitted posteriors given the group, made into tables of states within it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from scipy.special import entr, log_softmax, softmax
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit

from beyond_alignment.checks import whole_number
from beyond_alignment.information.exact import class_entropy, information, union_information
from beyond_alignment.information.informations import BOTH, FIRST, INTERACTION, SECOND, UNION, Informations
from beyond_alignment.information.posterior_network import CHUNK, HEADS, Evidence, Part, train
from beyond_alignment.information.samples import CHUNK_ROWS, Centred, Samples
from beyond_alignment.resampling import Units

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Rows = NDArray[np.intp]
Advance = Callable[[float], None]
CPU = torch.device("cpu")

N_COMPONENTS, LEADING, WHITENING = 32, 8, 0.2
MOST_FITTED, MOST_TRAINED = 20_000, 50_000
VALIDATION, FEWEST_UNITS = 0.15, 5
MOST_MEMBERS, ENSEMBLE_SAMPLES = 2, 2500
SHRINKAGE = 1e-3
LEAST_EVIDENCE = 20.0
BLENDS = (("first", (0,)), ("second", (1,)), ("additive", (2, 3, 0, 1)), ("joint", (4, 2, 3, 0, 1)))
"""Blend -> the heads that it may use; a blend that holds a single source falls back on it where the rest is noise."""

MOST_STATES, MOST_CLUSTERED = 32, 50_000
REPLICATE_TOLERANCE = 1e-4
MOST_ROUNDS, SETTLED = 200, 1e-6

EXTRAPOLATION = 0.5
"""What is still to be learnt, as a share of what the second half of the training samples brought."""
SPURIOUS = 2.0
"""How much more is taken off where an interaction shrinks as samples are added: an error that falls as 1 / n."""
STILL_LEARNING, MISCALIBRATED, NOTABLE_BITS = 0.25, 0.1, 0.02


# ---------------------------------------------------------------------------------------------- posteriors


def make_folds(samples: Samples, *, n_folds: int, seed: int) -> Codes:
    """Return the fold of each sample: groups whole, else blocks; sizes and classes as even as that allows.

    Units are dealt from the largest to the smallest, each to an empty fold while there is one, then to the fold in
    which it leaves the shares of the classes over folds most even.
    """
    units = next((u for u in (samples.groups, samples.blocks) if u is not None), np.arange(samples.n))
    counts = np.zeros((int(units.max()) + 1, len(samples.classes)))
    np.add.at(counts, (units, samples.codes), 1)
    n_folds = min(whole_number(n_folds, "n_folds", least=2), len(counts))
    shares = counts / counts.sum(axis=0)
    order = np.random.default_rng(seed).permutation(len(counts))
    order = order[np.argsort(-counts[order].sum(axis=1), kind="stable")]
    held = np.zeros((n_folds, counts.shape[1]))
    fold = np.empty(len(counts), dtype=np.int64)
    for unit in order:
        empty = np.flatnonzero(held.sum(axis=1) == 0)
        after = (held + shares[unit]) ** 2 - held**2
        fold[unit] = empty[0] if len(empty) else after.sum(axis=1).argmin()
        held[fold[unit]] += shares[unit]
    return fold[units]


class Components:
    """Leading principal components of standardised features, fitted on training rows.

    A component of standard deviation s is divided by s^0.2 m^0.8, where m is the mean over the eight leading ones:
    full whitening would bring nuisance and noise up to the scale of what leads.
    """

    def __init__(self, x: Centred, rows: Rows, *, seed: int) -> None:
        if len(rows) > MOST_FITTED:
            rows = np.sort(np.random.default_rng(seed).choice(rows, MOST_FITTED, replace=False))
        values = x[rows]
        self.mean = values.mean(axis=0, dtype=np.float64).astype(np.float32)
        spread = values.std(axis=0, dtype=np.float64).astype(np.float32)
        self.spread = np.where(spread > 1e-6 * (1 + np.abs(self.mean)), spread, np.inf).astype(np.float32)
        k = min(N_COMPONENTS, *values.shape)
        solver = "randomized" if 4 * k < min(values.shape) else "full"
        found = PCA(k, svd_solver=solver, iterated_power=3, random_state=seed).fit((values - self.mean) / self.spread)
        deviations = np.sqrt(np.maximum(found.explained_variance_, 0))
        kept = deviations > 1e-4 * max(deviations[0], 1e-12)
        scale = deviations[kept] ** WHITENING * deviations[kept][:LEADING].mean() ** (1 - WHITENING)
        self.map = (found.components_[kept] / scale[:, None]).T.astype(np.float32)  # (feature, component)

    def __call__(self, x: Centred, rows: Rows) -> NDArray[np.float32]:
        """Return the components (sample, component) of some rows, padded with zeros to a common number."""
        found = np.zeros((len(rows), N_COMPONENTS), dtype=np.float32)
        for start in range(0, len(rows), CHUNK_ROWS):
            chunk = x[rows[start : start + CHUNK_ROWS]]
            found[start : start + len(chunk), : self.map.shape[1]] = ((chunk - self.mean) / self.spread) @ self.map
        return found


def class_shares(codes: Codes, groups: Codes) -> Floats:
    """Return the class shares of each group (group, class), half a sample of the overall shares added to each."""
    counts = np.zeros((int(groups.max()) + 1, int(codes.max()) + 1))
    np.add.at(counts, (groups, codes), 1)
    overall = counts.sum(axis=0) / counts.sum()
    return (counts + 0.5 * overall) / (counts.sum(axis=1, keepdims=True) + 0.5)


@dataclass(frozen=True)
class CrossFit:
    """Out-of-fold evidence log p(y | x) - log p(y) + const (head, sample, class), from all and half of the training."""

    full: Floats
    half: Floats
    folds: Codes
    unseen: tuple[int, ...]


def cross_fit(
    samples: Samples, *, n_folds: int, seed: int, device: torch.device, advance: Advance | None = None
) -> CrossFit:
    """Train on all folds but one, predict that one, and do so again with half of the training samples.

    Components, weights and the moment to stop are found on training samples alone. Where there are fewer than 1,700
    samples, two models of different validation samples are averaged. A model sees at most 50,000 samples; whatever else
    there is streams past it in chunks.
    """
    groups = samples.group_codes
    shares = np.log(class_shares(samples.codes, groups)).astype(np.float32)[groups]
    sources = [Centred(x, samples.groups) for x in (samples.x1, samples.x2)]
    folds = make_folds(samples, n_folds=n_folds, seed=seed)
    n_members = int(np.clip(round(ENSEMBLE_SAMPLES / samples.n), 1, MOST_MEMBERS))
    rng = np.random.default_rng(seed)
    counts = np.zeros((int(groups.max()) + 1, len(samples.classes)))
    np.add.at(counts, (groups, samples.codes), 1)
    cells = groups * counts.shape[1] + samples.codes
    sums = [x.sums_by(cells, counts.size).reshape(*counts.shape, -1) for x in sources]
    maps, views, drawn = [], [], []
    for fold in range(int(folds.max()) + 1):
        rows = np.flatnonzero(folds != fold)
        training = np.unique(groups[rows])
        views.append([x.at_common_shares(counts, total, training) for x, total in zip(sources, sums, strict=True)])
        maps.append([Components(x, rows, seed=seed) for x in views[-1]])
        drawn += [_training_rows(samples, rows, rng) for _ in range(n_members)]
    found = []
    for share in (1.0, 0.5):
        parts = []
        for which, of_it in ((0, share), (1, 1.0)):
            size = max(2, int(of_it * min(len(rows[which]) for rows in drawn)))
            chosen = [rows[which][:size] for rows in drawn]
            inputs = [
                np.stack([maps[i // n_members][v](views[i // n_members][v], rows) for i, rows in enumerate(chosen)])
                for v in range(2)
            ]  # (model, sample, component)
            arrays = (*inputs, samples.codes[chosen], shares[chosen])
            parts.append(Part(*(torch.from_numpy(a).to(device) for a in arrays)))
        steps = (lambda done, w=share / 1.5: advance(done * w)) if advance is not None else None
        evidence = train(parts[0], parts[1], seed=seed, advance=steps)
        found.append(_predict(samples, evidence, views, folds, maps, n_members, device))
    n_fitted = min(len(rows[0]) for rows in drawn)  # what every model sees
    seen = [set(np.unique(samples.codes[rows[0][:n_fitted]])) for rows in drawn]
    unseen = sorted(set(range(len(samples.classes))) - set.intersection(*seen))
    return CrossFit(found[0], found[1], folds, tuple(int(code) for code in unseen))


def _training_rows(samples: Samples, rows: Rows, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """Split training rows, in random order, into those that are fitted and those that say when to stop."""
    split = ShuffleSplit(1, test_size=VALIDATION, random_state=int(rng.integers(2**31)))
    held = [u for u in (samples.groups, samples.blocks) if u is not None and len(np.unique(u[rows])) >= FEWEST_UNITS]
    if held:
        split = GroupShuffleSplit(1, test_size=VALIDATION, random_state=int(rng.integers(2**31)))
    fitted, apart = next(split.split(rows, groups=held[0][rows] if held else None))
    return rng.permutation(rows[fitted])[:MOST_TRAINED], rng.permutation(rows[apart])[: MOST_TRAINED // 4]


def _predict(
    samples: Samples,
    evidence: Evidence,
    views: list[list[Centred]],
    folds: Codes,
    maps: list[list[Components]],
    n_members: int,
    device: torch.device,
) -> Floats:
    """Return the evidence of each fold from its own models, averaged as probabilities at even class shares."""
    found = np.empty((len(HEADS), samples.n, len(samples.classes)))
    for fold, own in enumerate(maps):
        held_out = np.flatnonzero(folds == fold)
        for start in range(0, len(held_out), CHUNK):
            rows = held_out[start : start + CHUNK]
            x1, x2 = (torch.from_numpy(m(x, rows)).to(device) for m, x in zip(own, views[fold], strict=True))
            members = [evidence(fold * n_members + i, x1, x2).double().softmax(-1) for i in range(n_members)]
            found[:, rows] = torch.stack(members).mean(dim=0).clamp_min(1e-12).log().cpu().numpy()
    return found


# ---------------------------------------------------------------------------------------------- calibration


def blend(evidence: Floats, codes: Codes, groups: Codes | None, folds: Codes) -> Floats:
    """Return the evidence of each blend (blend, sample, class): weighted heads plus offsets of the classes.

    The weights of a fold are those that make p(y | x, group), proportional to the group's class shares times
    exp(evidence), most likely on the other folds. Offsets are one a group and class and are fitted on the group itself:
    they make the mean posterior of a group meet its class shares, and being constant within the group they tell nothing
    in it. Without groups they come from the other folds too. The posteriors of the other folds come from models that
    were trained on this fold (the usual stacking); with at most five weights what that leaks is too little to show on
    noise.
    """
    held = np.zeros(len(codes), dtype=np.int64) if groups is None else groups
    shares = np.log(class_shares(codes, held))
    evidence = np.maximum(evidence, -LEAST_EVIDENCE)
    blended = np.empty((len(BLENDS), *evidence.shape[1:]))
    for number, (_, heads) in enumerate(BLENDS):
        features = evidence[list(heads)]
        for fold in range(int(folds.max()) + 1):
            inside, other = folds == fold, folds != fold
            weights, offsets = _fit(features[:, other], codes[other], held[other], shares[held[other]])
            told = np.tensordot(weights, features[:, inside], axes=1)
            if groups is not None:
                _, offsets = _fit(features[:0, inside], codes[inside], held[inside], shares[held[inside]] + told)
            blended[number, inside] = told + offsets[held[inside]]
    return blended


def _fit(features: Floats, codes: Codes, groups: Codes, base: Floats) -> tuple[Floats, Floats]:
    """Weights of features (head, sample, class) beside a base (sample, class), and offsets (group, class).

    Of largest likelihood, both shrunk; without a feature the offsets alone.
    """
    n_heads, n, n_classes = features.shape
    truth = np.zeros((n, n_classes))
    truth[np.arange(n), codes] = 1.0
    target = np.zeros(n_heads)
    target[:1] = 1.0
    size = np.bincount(groups)[:, None] / n
    member = csr_matrix((np.ones(n), (groups, np.arange(n))))

    def loss(parameters: Floats) -> tuple[float, Floats]:
        w, offsets = parameters[:n_heads], parameters[n_heads:].reshape(len(size), n_classes)
        logs = log_softmax(np.tensordot(w, features, axes=1) + offsets[groups] + base, axis=1)
        surplus = (np.exp(logs) - truth) / n
        pull = w - target
        value = -float((logs * truth).sum()) / n + SHRINKAGE * float(pull @ pull + (size * offsets**2).sum())
        slope = np.tensordot(features, surplus, axes=2) + 2 * SHRINKAGE * pull
        return value, np.concatenate([slope, (member @ surplus + 2 * SHRINKAGE * size * offsets).ravel()])

    begin = np.concatenate([target, np.zeros(len(size) * n_classes)])
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", options={"maxiter": 100}).x
    return found[:n_heads], found[n_heads:].reshape(len(size), n_classes)


# ---------------------------------------------------------------------------------------------- tables of states


def n_states(n: int, n_classes: int) -> int:
    """Return the number of states of a posterior: as the square root of the samples, so that counts suffice."""
    return int(min(2 + np.sqrt(n * (n_classes - 1)) / 6, MOST_STATES))


def quantise(posterior: Floats, k: int, *, seed: int) -> Codes:
    """Return the state (sample,) of each posterior (sample, class): k-means of the square roots of its probabilities.

    Labels take no part. On square roots the Euclidean distance is Hellinger's, so that states are narrow where a small
    difference of probabilities is much information.
    """
    roots = np.sqrt(posterior)
    fitted = roots
    if len(roots) > MOST_CLUSTERED:
        fitted = roots[np.random.default_rng(seed).choice(len(roots), MOST_CLUSTERED, replace=False)]
    k = min(k, len(np.unique(fitted.round(6), axis=0)))
    means = KMeans(k, n_init=1, random_state=seed).fit(fitted)
    return np.asarray(means.predict(roots), dtype=np.int64)


def count(state: Codes, codes: Codes, groups: Codes, units: Units, weights: NDArray[np.integer], k: int) -> Floats:
    """Return counts (1 + replicate, group, state, class) of the sample and of each replicate."""
    shape = (int(groups.max()) + 1, k, int(codes.max()) + 1)
    cell, n_cells = np.ravel_multi_index((groups, state, codes), shape), int(np.prod(shape))
    if units.n_units == len(codes):  # single samples: counting by cell directly spares a large table
        cells = cell[np.argsort(units.codes)]
        rows = [np.bincount(cells, weights=w, minlength=n_cells) for w in weights]
    else:
        by_unit = np.bincount(units.codes * n_cells + cell, minlength=units.n_units * n_cells)
        rows = list(weights @ by_unit.reshape(units.n_units, n_cells).astype(np.float64))
    return np.stack([np.bincount(cell, minlength=n_cells), *rows]).astype(np.float64).reshape(-1, *shape)


def common_association(counts: Floats) -> Floats:
    """Fit tables (problem, group, state, class) whose association of state and class is the same in all groups.

    The log-linear model without the interaction of all three: how often a state and a class occur is each group's own,
    what a state says about the class is common. Its fit has the counts of every pair of the three and the largest
    entropy (iterative proportional fitting, Deming & Stephan 1940), so that the information within groups is the least
    that the counts allow, that of a posterior which is recalibrated state by state. It has as many parameters for six
    groups as for one, where tables of each group's own counts would have six times as many and their bias. A single
    group is fitted as it is.
    """
    of_state, of_class, both = counts.sum(axis=3), counts.sum(axis=2), counts.sum(axis=1)
    fitted = np.ones_like(counts)
    most = counts.sum(axis=(1, 2, 3)).max()
    for _ in range(MOST_ROUNDS):
        fitted *= _ratio(both, fitted.sum(axis=1))[:, None]
        fitted *= _ratio(of_state, fitted.sum(axis=3))[..., None]
        fitted *= _ratio(of_class, fitted.sum(axis=2))[:, :, None]
        if np.abs(fitted.sum(axis=1) - both).max() < SETTLED * most:
            break
    return fitted


def _ratio(wanted: Floats, got: Floats) -> Floats:
    """Divide, with 0 where there is nothing."""
    return np.divide(wanted, got, out=np.zeros_like(got), where=got > 0)


@dataclass(frozen=True)
class TableInformations:
    """Plug-in informations (1 + replicate, information), those by group (group, information), and the gap, in bits.

    `told` is what the joint posterior tells by its probabilities, as a log-likelihood.
    """

    values: Floats
    by_group: Floats
    gap: float
    told: float


def measure(
    blended: Floats, samples: Samples, units: Units, weights: NDArray[np.integer], *, seed: int
) -> TableInformations:
    """Quantise the blends and compute the informations given the group of the sample and of its replicates.

    The interaction synergy is no difference of counts: the states of an additive posterior can tell more than any
    additive model does (where y is x1 + x2 in {1, 2}, they tell all). It is the share of the joint posterior's
    log-likelihood that the additive one does not reach.
    """
    codes, groups = samples.codes, samples.group_codes
    k = n_states(samples.n, len(samples.classes))
    overall = np.log(np.bincount(codes) / samples.n)
    counts, tables = [], []
    for number in (0, 1, 3):
        state = quantise(softmax(blended[number] + overall, axis=1), k, seed=seed)
        counts.append(count(state, codes, groups, units, weights, k))
        tables.append(common_association(counts[-1]))
    mass = tables[0].sum(axis=(2, 3))  # (problem, group)
    first, second, joint = (_ratio(t, np.broadcast_to(mass[:, :, None, None], t.shape)) for t in tables)
    share = mass / mass.sum(axis=1, keepdims=True)
    values = np.zeros((len(mass), 5))
    for column, table in ((FIRST, first), (SECOND, second), (BOTH, joint)):
        values[:, column] = (share * information(table.reshape(-1, *table.shape[2:])).reshape(mass.shape)).sum(axis=1)
    several = (first.sum(axis=2) > 0).sum(axis=2) > 1  # (problem, group); groups of one class tell nothing
    own, redrawn = several[0], several[1:]
    union = np.zeros(mass.shape)
    exact = union_information(first[0][own], second[0][own])
    union[0, own] = exact.value
    if redrawn.any():
        parts = (table[1:][redrawn] for table in (first, second))
        union[1:][redrawn] = union_information(*parts, tolerance=REPLICATE_TOLERANCE).value
    values[:, UNION] = (share * union).sum(axis=1)
    told = _log_likelihoods(blended, samples)
    interaction = _interaction_share(told, units, weights)
    values[:, INTERACTION] = values[:, BOTH] * interaction
    gap = float((share[0, own] * exact.gap).sum())
    by_group = np.zeros((mass.shape[1], 5))
    for column, table, n in zip((FIRST, SECOND, BOTH), (first, second, joint), counts, strict=True):
        by_group[:, column] = _told(table[0], n[0])
    duals = [
        np.where(n[0][own] > 0, d, 0.0) * n[0][own]
        for d, n in zip((exact.dual_first, exact.dual_second), counts[:2], strict=True)
    ]
    entropy = entr(first[0][own].sum(axis=1)).sum(axis=1) / np.log(2)
    by_group[own, UNION] = entropy + sum(d.sum(axis=(1, 2)) for d in duals) / mass[0, own] / np.log(2)
    by_group[:, INTERACTION] = by_group[:, BOTH] * interaction[0]
    return TableInformations(values, by_group, gap, float(told[3].mean()))


def _told(table: Floats, counts: Floats) -> Floats:
    """Mean log-likelihood of each group's counts (group, state, class) under its fitted table over its shares, bits."""
    shares = table.sum(axis=1, keepdims=True) * table.sum(axis=2, keepdims=True)
    logs = np.log2(np.divide(table, shares, out=np.ones_like(table), where=(shares > 0) & (table > 0)))
    return (counts * logs).sum(axis=(1, 2)) / counts.sum(axis=(1, 2))


def _log_likelihoods(blended: Floats, samples: Samples) -> Floats:
    """Log-likelihood of each sample's class given source and group less given the group (blend, sample), in bits."""
    shares = np.log(class_shares(samples.codes, samples.group_codes))[samples.group_codes]
    chosen = np.arange(samples.n), samples.codes
    return np.stack([(log_softmax(e + shares, axis=1) - shares)[chosen] for e in blended]) / np.log(2)


def _interaction_share(told: Floats, units: Units, weights: NDArray[np.integer]) -> Floats:
    """Share of what the joint posterior gains in log-likelihood that the additive one misses (1 + replicate,)."""
    sizes = np.bincount(units.codes)
    means = []
    for values in (told[3], told[2]):
        sums = np.bincount(units.codes, weights=values)
        means.append(np.concatenate([[values.mean()], (weights @ sums) / (weights @ sizes)]))
    joint, additive = means
    return np.clip(np.divide(joint - additive, joint, out=np.zeros_like(joint), where=joint > 0), 0.0, 1.0)


# ---------------------------------------------------------------------------------------------- the estimate


def posterior(
    samples: Samples,
    units: Units,
    weights: NDArray[np.integer],
    *,
    seed: int,
    n_folds: int = 5,
    device: torch.device = CPU,
    advance: Advance | None = None,
) -> Informations:
    """Estimate informations given the group from cross-fitted posteriors.

    The union information of Bertschinger et al. (2014) depends on a source only through p(y | source), so that a
    posterior is a sufficient statistic of it. Four posteriors are learnt on other groups: of each source, of an
    additive model of both, and of an interacting one. Each source is centred and scaled within its group, the networks
    learn what it says beyond the class shares of the group, and the shares of the group itself are put in where they
    predict. The posteriors are quantised to some ten states without a look at the labels, and tables of state and
    class are fitted to the counts within groups (:func:`common_association`); the union information is solved exactly
    on those of the two sources. The interaction synergy is what the interacting model gains in log-likelihood.

    Counts exaggerate: the mean excess of bootstrap replicates over the sample is taken off. Models that have not seen
    enough understate: everything is estimated again with half of the training samples, and half of what the second
    half brought is added (an error that falls as n^-1.6); where the second half made an interaction smaller, twice as
    much is taken off. As nobody knows the true exponent, every draw adds a share of its own, exponentially distributed
    with that median, to the single sources, the joint model and the interaction apart, so that the intervals hold what
    is left to be learnt as well as the samples that happened to be drawn. Networks are not trained again for a draw.
    """
    fit = cross_fit(samples, n_folds=n_folds, seed=seed, device=device, advance=advance)
    blended = blend(fit.full, samples.codes, samples.groups, fit.folds)
    full = measure(blended, samples, units, weights, seed=seed)
    half = measure(blend(fit.half, samples.codes, samples.groups, fit.folds), samples, units, weights[:0], seed=seed)
    found, replicates = full.values[0], full.values[1:]
    centre = 2 * found - replicates.mean(axis=0)
    still = EXTRAPOLATION * (found - half.values[0])
    still[INTERACTION] *= SPURIOUS if still[INTERACTION] < 0 else 1.0
    shares = np.random.default_rng(seed).exponential(1 / np.log(2), (len(replicates), 3))
    shares = shares[:, [0, 0, 0, 1, 2]]  # the single sources and their union, the joint model, the interaction
    draws = centre + replicates - replicates.mean(axis=0) + shares * still
    highest = class_entropy(samples.codes) - samples.group_information
    return Informations(
        values=np.minimum(np.vstack([centre + still, draws]), highest),
        by_group=full.by_group,
        gap=full.gap,
        reflected=False,
        warnings=tuple(_warnings(samples, fit, full.values[0], half.values[0], full.told)),
    )


def _warnings(samples: Samples, fit: CrossFit, full: Floats, half: Floats, told: float) -> list[str]:
    """Say what speaks against the models behind an estimate."""
    found = []
    if fit.unseen:
        names = ", ".join(samples.classes[code] for code in fit.unseen)
        found.append(f"Some folds predict classes that they were not trained on: {names}.")
    gained, total = float(full[BOTH] - half[BOTH]), float(full[BOTH])
    if gained > max(STILL_LEARNING * total, NOTABLE_BITS):
        found.append(
            f"The joint model still learns: half of the training samples found {half[BOTH]:.2f} bits, all of them"
            f" {total:.2f}; more samples would tell more."
        )
    if total - told > max(MISCALIBRATED * total, NOTABLE_BITS):
        found.append(
            f"Probabilities do not carry over between folds: as they stand they miss {total - told:.2f} of {total:.2f}"
            " bits that their ranking holds."
        )
    return found
