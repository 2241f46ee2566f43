"""The smallest synergy that samples could have shown: labels of known synergy, planted on their own embeddings."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

from beyond_alignment.errors import InputError
from beyond_alignment.information.estimate import ALPHA, estimate_pid
from beyond_alignment.information.exact import broja_batch
from beyond_alignment.information.samples import Centred, Samples, check_samples

KINDS = ("additive", "interaction")
SHARES = (0.0, 0.15, 0.3, 0.45, 0.6, 0.75)
"""Shares of the labels that only both planted bits tell."""
SHARED, PRIVATE = 0.1, 0.1
"""Shares of the labels that follow the shared bit, and the bit of the first source alone."""
POWER = 0.8
LEADING = 5
REPLICATES = 60
Codes = NDArray[np.int64]
Floats = NDArray[np.float64]


def smallest_effect(
    x1: ArrayLike,
    x2: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    blocks: ArrayLike | None = None,
    shares: Sequence[float] = SHARES,
    n_draws: int = 4,
    seed: int = 0,
) -> pd.DataFrame:
    """Find the smallest synergy that these embeddings, groups and blocks would show with 80 % power.

    Each source gets a bit of its own and one that both share: whether a sample lies above the median of its group along
    a random direction among the five leading components. So that the truth is exact, samples of the second source are
    paired anew within their group, at random but for the shared bit; embeddings, groups and sizes stay as they are. A
    label is then drawn that follows, in known shares, the shared bit, the bit of the first source, and a rule of both
    own bits: their exclusive or (``interaction``), or their common value, a coin where they differ (``additive``). The
    rest is a coin. The estimate counts as a find where its p-value of the synergy is below 0.05. A bit along a leading
    direction is easy to read, so a synergy of finer features needs more than the answer, and pairing anew takes away
    that neighbouring samples have like labels, so that labels in patches need more too.

    Parameters
    ----------
    x1, x2
        Sources (sample, feature).
    groups, blocks
        As for `estimate_pid`.
    shares
        Shares of the labels that follow the rule of both, from 0 to 0.8.
    n_draws
        Labels drawn at each share and of each kind; every one costs a fit.
    seed
        Of directions, pairs, labels and fits.

    Returns
    -------
    pandas.DataFrame
        One row a kind and share: kind, share, synergy (planted, bits), sis (planted), power (share of finds), n_draws.
        ``attrs["smallest"]`` maps each kind to the synergy in bits, None where the largest planted one is not found
        with 80 % power; read off a logistic curve through all draws.

    Raises
    ------
    InputError
        The samples cannot be estimated from, or a share leaves no room for the others.
    """
    if not shares or min(shares) < 0 or max(shares) > 1 - SHARED - PRIVATE:
        raise InputError(f"The shares are {tuple(shares)}; pass numbers from 0 to {1 - SHARED - PRIVATE:g}.")
    if n_draws < 1:
        raise InputError(f"{n_draws} draws were asked for; ask for one or more.")
    rows = [
        plant(x1, x2, groups, blocks, kind, s, seed=seed + d) for kind in KINDS for s in shares for d in range(n_draws)
    ]
    return summarise(pd.DataFrame(rows))


def summarise(finds: pd.DataFrame) -> pd.DataFrame:
    """Return the power at each kind and share of planted labels (one row a draw), and the smallest synergy found."""
    table = finds.groupby(["kind", "share"], sort=False, as_index=False).agg(
        synergy=("synergy", "mean"), sis=("sis", "mean"), power=("found", "mean"), n_draws=("found", "size")
    )
    table.attrs["smallest"] = {kind: _smallest(part) for kind, part in finds.groupby("kind", sort=False)}
    return table


def plant(
    x1: ArrayLike,
    x2: ArrayLike,
    groups: ArrayLike | None,
    blocks: ArrayLike | None,
    kind: str,
    share: float,
    *,
    seed: int,
) -> dict[str, float | str | bool]:
    """Plant one label and estimate its decomposition: kind, share, synergy and sis planted, estimate, found."""
    if kind not in KINDS:
        raise InputError(f"There is no kind {kind!r}; choose one of {', '.join(KINDS)}.")
    rng = np.random.default_rng([seed, KINDS.index(kind), round(1000 * share)])
    coin = np.random.default_rng(0).integers(2, size=np.shape(x1)[0])  # the label to come, no rule of rows or groups
    samples = check_samples(x1, x2, coin, groups, blocks=blocks)
    own, shared = _bits(samples, samples.x1, rng)
    other, also_shared = _bits(samples, samples.x2, rng)
    pairs = _pairs(samples.group_codes, shared, also_shared, rng)
    other = other[pairs]
    chance = _chance(kind, share)  # of class 1, (shared, own of the first, own of the second)
    y = (rng.random(samples.n) < chance[shared, own, other]).astype(np.int64)
    planted = _truth(samples.group_codes, shared, own, other, chance)
    found = estimate_pid(
        samples.x1,
        samples.x2[pairs],
        y,
        samples.groups,
        blocks=samples.blocks,
        n_null=0,
        n_bootstrap=REPLICATES,
        seed=seed,
    )
    return {
        "kind": kind,
        "share": share,
        "synergy": planted["synergy"],
        "sis": planted["synergy"] / sum(planted.values()),
        "estimate": found.pid.synergy,
        "found": found.p_synergy < ALPHA,
    }


def _bits(samples: Samples, x: NDArray[np.floating], rng: np.random.Generator) -> tuple[Codes, Codes]:
    """Two bits of each sample, each above the median of its group along a random leading direction."""
    values = Centred(x, samples.groups)[np.arange(samples.n)]
    spread = values.std(axis=0)
    values = (values - values.mean(axis=0)) / np.where(spread > 0, spread, np.inf)
    leading = PCA(min(LEADING, *values.shape), random_state=0).fit_transform(values)
    leading /= leading.std(axis=0)
    directions = np.linalg.qr(rng.standard_normal((leading.shape[1], leading.shape[1])))[0][:, :2]
    along = leading @ directions + 1e-9 * rng.standard_normal((samples.n, directions.shape[1]))
    bits = np.zeros(along.shape, dtype=np.int64)
    for group in np.unique(samples.group_codes):
        inside = samples.group_codes == group
        bits[inside] = along[inside] > np.median(along[inside], axis=0)
    return bits[:, 0], bits[:, -1]


def _pairs(groups: Codes, first: Codes, second: Codes, rng: np.random.Generator) -> NDArray[np.intp]:
    """Row of the second source that each sample is paired with: of the same group, and of the same shared bit."""
    pairs = np.empty(len(groups), dtype=np.intp)
    for group in np.unique(groups):
        inside = np.flatnonzero(groups == group)
        one, two = (rng.permutation(inside) for _ in range(2))
        one, two = one[np.argsort(first[one], kind="stable")], two[np.argsort(second[two], kind="stable")]
        pairs[one] = two
    return pairs


def _chance(kind: str, share: float) -> Floats:
    """Probability of class 1 by (shared bit, own bit of the first source, own bit of the second)."""
    shared, own, other = np.indices((2, 2, 2))
    rule = own ^ other if kind == "interaction" else (own + other) / 2
    return np.asarray(share * rule + SHARED * shared + PRIVATE * own + (1 - share - SHARED - PRIVATE) / 2)


def _truth(groups: Codes, shared: Codes, own: Codes, other: Codes, chance: Floats) -> dict[str, float]:
    """Exact decomposition given the group, in bits: given the shared bit, the own bits of a group are independent."""
    tables, sizes = [], []
    for group in np.unique(groups):
        inside = groups == group
        table = np.zeros((2, 2, 2, 2, 2))  # (shared, own), (shared, other), class
        for bit in (0, 1):
            held = inside & (shared == bit)
            first, second = (np.bincount(v[held], minlength=2) / max(held.sum(), 1) for v in (own, other))
            both = held.sum() / inside.sum() * np.outer(first, second)
            table[bit, :, bit] = both[..., None] * np.stack([1 - chance[bit], chance[bit]], axis=-1)
        tables.append(table.reshape(4, 4, 2))
        sizes.append(inside.sum())
    found = broja_batch(np.stack(tables))
    weights = np.array(sizes) / np.sum(sizes)
    return {term: float(weights @ getattr(found, term)) for term in ("redundancy", "unique1", "unique2", "synergy")}


def _smallest(draws: pd.DataFrame) -> float | None:
    """Synergy at which a logistic curve through the finds reaches the power; None beyond what was planted."""
    if draws["found"].nunique() < 2:
        return float(draws["synergy"].min()) if bool(draws["found"].iloc[0]) else None
    scale = float(draws["synergy"].max())
    curve = LogisticRegression(C=100.0).fit(draws[["synergy"]].to_numpy() / scale, draws["found"])
    slope, start = float(curve.coef_[0, 0]), float(curve.intercept_[0])
    at = (np.log(POWER / (1 - POWER)) - start) / slope * scale if slope > 0 else np.inf
    return max(at, 0.0) if at <= scale else None
