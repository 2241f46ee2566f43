"""A task that can be turned from all redundant to all synergistic, with what alignment can get of it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ortho_group

from beyond_alignment.errors import InputError
from beyond_alignment.information.generators import LinearEmbeddingTask
from beyond_alignment.information.known_truth.tables import symbol_table

FIRST = ("selector", "shared0", "shared1", "shared2", "unique1", "half1")
SECOND = ("selector", "shared0", "shared1", "shared2", "unique2", "half2")
N_SHARED = 4
"""Directions that both embeddings share: the selector and three fair bits."""


class DialTheory(NamedTuple):
    """What the dialled label allows, as the noise of the embeddings goes to zero.

    Attributes
    ----------
    aligned_accuracy
        Of the best reader of the shared directions alone.
    joint_accuracy
        Of the best reader of everything.
    aligned_bits
        Information about the label in the shared directions.
    joint_bits
        Information about the label in everything.
    """

    aligned_accuracy: float
    joint_accuracy: float
    aligned_bits: float
    joint_bits: float


def n_shared(synergy_share: float) -> int:
    """Return how many directions both embeddings share: the selector is constant at either end of the dial."""
    return N_SHARED - (synergy_share in (0, 1))


def dial_theory(synergy_share: float) -> DialTheory:
    """Return what a reader of the shared directions, and of everything, can get of the dialled label.

    The selector is known to both. Where it points to the shared bit, the shared directions say the label; where it
    points to the exclusive or they say nothing, and one half of it is right by chance.

    Parameters
    ----------
    synergy_share
        Share of the samples whose label is the exclusive or, 0 to 1.

    Raises
    ------
    InputError
        If it is outside 0 to 1.
    """
    _check_share(synergy_share)
    return DialTheory(1 - synergy_share / 2, 1.0, 1 - synergy_share, 1.0)


def dial_table(synergy_share: float) -> NDArray[np.float64]:
    """Exact distribution of the dialled label: R = 1 - share, S = share, all of it interaction, in bits.

    Parameters
    ----------
    synergy_share
        Share of the samples whose label is the exclusive or, 0 to 1.

    Returns
    -------
    `p[i, j, y]` over (selector, shared bit, half of the exclusive or) of both embeddings and the label.

    Raises
    ------
    InputError
        If the share is outside 0 to 1.
    """
    _check_share(synergy_share)
    sizes, first, second = dict.fromkeys(("s", "v1", "v2"), 2), ("s", "v1"), ("s", "v2")
    parts = (
        (1 - synergy_share) * symbol_table(sizes, first, second, lambda s, v1, v2: s),
        synergy_share * symbol_table(sizes, first, second, lambda s, v1, v2: v1 ^ v2),
    )
    p = np.zeros((8, 8, 2))
    for selector, part in enumerate(parts):
        rows = slice(4 * selector, 4 * selector + 4)
        p[rows, rows] = part
    return p


def _check_share(synergy_share: float) -> None:
    """Refuse a share that is none."""
    if not 0 <= synergy_share <= 1:
        raise InputError(f"The share of synergy is {synergy_share}; pass a number from 0 to 1.")


def dialled_task(
    synergy_share: float, *, n: int, dim: int = 16, noise: float = 0.25, seed: int, n_donors: int = 8
) -> LinearEmbeddingTask:
    """Draw paired embeddings with a label that is a shared bit or an exclusive or, as a selector in both says.

    Each embedding holds the selector, three shared bits, a private bit and its half of the exclusive or, each as -1 or
    +1 along a direction of its own, in Gaussian noise. So four directions are shared, whatever the label.

    Parameters
    ----------
    synergy_share
        Share of the samples whose label is the exclusive or, 0 to 1.
    n
        Samples.
    dim
        Features of each embedding, at least six.
    noise
        Standard deviation of the noise in each feature.
    seed
        Of the maps and the samples; samples of the same seed and another share differ in selector and label alone.
    n_donors
        Donors over which the samples are dealt in turn.

    Returns
    -------
    LinearEmbeddingTask
        With the labels ``dialled``, ``redundant`` (a shared bit), ``unique1``, ``unique2``, ``and`` (of these two),
        ``xor``, and its halves ``half1`` and ``half2``.

    Raises
    ------
    InputError
        If the share is outside 0 to 1, there is no room for six directions, the noise is negative, or there are fewer
        samples than donors.
    """
    _check_share(synergy_share)
    if dim < len(FIRST) or not noise >= 0 or not 1 <= n_donors <= n:
        raise InputError(
            f"{n} samples of {n_donors} donors, {dim} features and noise {noise}: pass at least a sample a donor,"
            f" {len(FIRST)} features and no negative noise."
        )
    maps, draws = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(2))
    names = tuple(dict.fromkeys(FIRST + SECOND))
    bits = {name: draws.integers(0, 2, n) for name in names if name != "selector"}
    bits["selector"] = (draws.random(n) < synergy_share).astype(np.int64)
    embeddings = []
    for held in (FIRST, SECOND):
        directions = ortho_group.rvs(dim, random_state=maps)[: len(held)]
        signal = np.stack([2.0 * bits[name] - 1 for name in held], axis=1) @ directions  # (sample, feature)
        embeddings.append(signal + noise * draws.standard_normal((n, dim)))
    xor, shared = bits["half1"] ^ bits["half2"], bits["shared0"]
    two = dict.fromkeys(("a", "b"), 2)
    return LinearEmbeddingTask(
        kind="dialled",
        x1=embeddings[0],
        x2=embeddings[1],
        labels={
            "dialled": np.where(bits["selector"] == 1, xor, shared),
            "redundant": shared,
            "unique1": bits["unique1"],
            "unique2": bits["unique2"],
            "and": bits["unique1"] & bits["unique2"],
            "xor": xor,
            "half1": bits["half1"],
            "half2": bits["half2"],
        },
        truths={
            "dialled": dial_table(synergy_share),
            "redundant": symbol_table({"s": 2}, ("s",), ("s",), lambda s: s),
            "and": symbol_table(two, ("a",), ("b",), lambda a, b: a & b),
            "xor": symbol_table(two, ("a",), ("b",), lambda a, b: a ^ b),
            **dict.fromkeys(("unique1", "half1"), symbol_table(two, ("a",), ("b",), lambda a, b: a)),
            **dict.fromkeys(("unique2", "half2"), symbol_table(two, ("a",), ("b",), lambda a, b: b)),
        },
        groups=np.arange(n, dtype=np.int64) % n_donors,
    )
