"""Bits planted along directions of paired embeddings: labels of every kind of information, and a dial between two."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ortho_group

from beyond_alignment.errors import InputError
from beyond_alignment.simulate.tables import symbol_table

Rule = Callable[..., Any]
"""From the bits, by name, to the label's state."""


@dataclass(frozen=True)
class Latents:
    """Which bits, by name, x1 and x2 hold, the rule of each label, and the chance of 1 of a bit that is not fair."""

    first: tuple[str, ...]
    second: tuple[str, ...]
    labels: Mapping[str, Rule]
    chances: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class LinearEmbeddingTask:
    """Paired embeddings, their labels and the exact truth.

    Attributes
    ----------
    kind
        Name of the task.
    x1, x2
        Embeddings (sample, feature).
    labels
        Label name -> label (sample,), integers from 0.
    truths
        Label name -> `p[i, j, y]` over the states of bits in x1, of those in x2, and of the label. Noise in the
        embeddings can only lower what they hold of it.
    groups
        Donor (sample,), integers from 0; no effect on embeddings or labels.
    """

    kind: str
    x1: NDArray[np.float64]
    x2: NDArray[np.float64]
    labels: Mapping[str, NDArray[np.int64]]
    truths: Mapping[str, NDArray[np.float64]]
    groups: NDArray[np.int64]

    @property
    def y(self) -> NDArray[np.int64]:
        """The label (sample,) of a task that has one; InputError where it has several."""
        return self.labels[self._only()]

    @property
    def p(self) -> NDArray[np.float64]:
        """The truth `p[i, j, y]` of a task that has one label; InputError where it has several."""
        return self.truths[self._only()]

    def _only(self) -> str:
        """Name of the only label."""
        if len(self.labels) != 1:
            raise InputError(f"The task {self.kind!r} has the labels {', '.join(self.labels)}; take one by its name.")
        return next(iter(self.labels))


KINDS: Mapping[str, Latents] = MappingProxyType(
    {
        "redundant": Latents(("s",), ("s",), {"redundant": lambda s: s}),
        "unique1": Latents(("a",), ("b",), {"unique1": lambda a, b: a}),
        "unique2": Latents(("a",), ("b",), {"unique2": lambda a, b: b}),
        "copy": Latents(("a",), ("b",), {"copy": lambda a, b: 2 * a + b}),
        "xor": Latents(("a",), ("b",), {"xor": lambda a, b: a ^ b}),
        "and": Latents(("a",), ("b",), {"and": lambda a, b: a & b}),
        "mixed": Latents(
            ("s", "u1", "v1"),
            ("s", "u2", "v2"),
            {
                "redundant": lambda s, **others: s,
                "unique": lambda u1, **others: u1,
                "synergy": lambda v1, v2, **others: v1 ^ v2,
            },
        ),
        "every_term": Latents(
            ("s", "u1", "c1", "v1"),
            ("s", "u2", "c2", "v2"),
            {
                "redundant": lambda s, **others: s,
                "unique1": lambda u1, **others: u1,
                "unique2": lambda u2, **others: u2,
                "and": lambda c1, c2, **others: c1 & c2,
                "xor": lambda v1, v2, **others: v1 ^ v2,
            },
        ),
    }
)
"""Kind of task -> its latent bits, all fair, and its labels."""

DIALLED: Mapping[str, Rule] = MappingProxyType(
    {
        "dialled": lambda selector, shared0, half1, half2, **others: np.where(selector == 1, half1 ^ half2, shared0),
        "redundant": lambda shared0, **others: shared0,
        "unique1": lambda unique1, **others: unique1,
        "unique2": lambda unique2, **others: unique2,
        "and": lambda unique1, unique2, **others: unique1 & unique2,
        "xor": lambda half1, half2, **others: half1 ^ half2,
        "half1": lambda half1, **others: half1,
        "half2": lambda half2, **others: half2,
    }
)
SHARED = ("selector", "shared0", "shared1", "shared2")

N_SHARED = len(SHARED)
"""Directions that both embeddings of the dial share: the selector and three fair bits."""


class DialTheory(NamedTuple):
    """What the dialled label allows, as the noise of the embeddings goes to zero: of shared directions, and of all."""

    aligned_accuracy: float
    joint_accuracy: float
    aligned_bits: float
    joint_bits: float


def linear_embedding_task(
    kind: str, *, n: int, dim: int = 16, noise: float = 0.25, seed: int, n_donors: int = 8
) -> LinearEmbeddingTask:
    """Draw paired embeddings in which each latent bit lies along its own direction, in Gaussian noise.

    A bit enters as -1 or +1 times a direction of a random orthonormal map, so the two embeddings have a linear
    cross-covariance through the shared bit alone; a XOR of two private bits leaves none.

    Parameters
    ----------
    kind
        `redundant`, `unique1`, `unique2`, `copy`, `xor`, `and`, or one of two with several labels: `mixed`, one
        shared bit, a private bit each and a XOR pair, with the labels `redundant` (the shared bit), `unique` (the
        private bit of x1) and `synergy`; and `every_term`, one shared bit and three private bits each, with the
        labels `redundant`, `unique1`, `unique2`, `and` and `xor` on bits of their own.
    n
        Number of samples.
    dim
        Number of features of each embedding.
    noise
        Standard deviation of the noise in each feature; a shared bit then has the canonical correlation
        1 / (1 + noise^2).
    seed
        Seed of the maps and the samples.
    n_donors
        Number of donors over which the samples are dealt in turn.

    Returns
    -------
    Embeddings, labels, donors and the exact truth over the states of all bits of an embedding.

    Raises
    ------
    InputError
        The kind is unknown, the embedding has no room for the bits, the noise is negative or not finite, or
        there are fewer samples than donors or no donor.
    """
    if kind not in KINDS:
        raise InputError(f"There is no kind {kind!r}; choose one of {', '.join(KINDS)}.")
    bits = KINDS[kind]
    sizes = dict.fromkeys(bits.first + bits.second, 2)
    # The first bit of an embedding is the one that changes fastest in its state.
    held = bits.first[::-1], bits.second[::-1]
    truths = {label: symbol_table(sizes, *held, rule) for label, rule in bits.labels.items()}
    return _plant(kind, bits, truths, n=n, dim=dim, noise=noise, seed=seed, n_donors=n_donors)


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
        If the share is outside 0 to 1, there is no room for six directions, the noise is negative or not finite, or
        there are fewer samples than donors or no donor.
    """
    truths = {"dialled": dial_table(synergy_share), "redundant": symbol_table({"s": 2}, ("s",), ("s",), lambda s: s)}
    rules: dict[str, Rule] = {"and": lambda a, b: a & b, "xor": lambda a, b: a ^ b}
    rules |= dict.fromkeys(("unique1", "half1"), lambda a, b: a) | dict.fromkeys(("unique2", "half2"), lambda a, b: b)
    truths |= {label: symbol_table({"a": 2, "b": 2}, ("a",), ("b",), rule) for label, rule in rules.items()}
    held = (*SHARED, "unique1", "half1"), (*SHARED, "unique2", "half2")
    bits = Latents(*held, DIALLED, {"selector": synergy_share})
    return _plant("dialled", bits, truths, n=n, dim=dim, noise=noise, seed=seed, n_donors=n_donors)


def _plant(
    kind: str,
    latents: Latents,
    truths: Mapping[str, NDArray[np.float64]],
    *,
    n: int,
    dim: int,
    noise: float,
    seed: int,
    n_donors: int,
) -> LinearEmbeddingTask:
    """Draw the bits, fair ones first, and place each along a direction of its own in the embeddings that hold it."""
    room = max(len(latents.first), len(latents.second), 2)
    if dim < room:
        raise InputError(f"The embedding has {dim} features and the task needs {room}; pass a larger dim.")
    if not (np.isfinite(noise) and noise >= 0):
        raise InputError(f"The noise is {noise}; pass a standard deviation of 0 or more.")
    if n_donors < 1 or n < n_donors:
        raise InputError(f"There are {n} samples for {n_donors} donors; pass at least one sample a donor.")
    maps, draws = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(2))
    names = dict.fromkeys(latents.first + latents.second)
    bits = {name: draws.integers(0, 2, n) for name in names if name not in latents.chances}
    bits |= {name: (draws.random(n) < chance).astype(np.int64) for name, chance in latents.chances.items()}
    embeddings = []
    for held in (latents.first, latents.second):
        directions = ortho_group.rvs(dim, random_state=maps)[: len(held)]
        signal = np.stack([2.0 * bits[name] - 1 for name in held], axis=1) @ directions  # (sample, feature)
        embeddings.append(signal + noise * draws.standard_normal((n, dim)))
    return LinearEmbeddingTask(
        kind=kind,
        x1=embeddings[0],
        x2=embeddings[1],
        labels={label: np.asarray(rule(**bits), dtype=np.int64) for label, rule in latents.labels.items()},
        truths=truths,
        groups=np.arange(n, dtype=np.int64) % n_donors,
    )


def n_shared(synergy_share: float) -> int:
    """Return how many directions both embeddings of the dial share.

    Parameters
    ----------
    synergy_share
        Share of the samples whose label is the exclusive or; the selector is constant at 0 and 1.

    Returns
    -------
    Number of directions.
    """
    return N_SHARED - (synergy_share in (0, 1))


def dial_theory(synergy_share: float) -> DialTheory:
    """Return what a reader of the shared directions, and of everything, can get of the dialled label.

    The selector is known to both. Where it points to the shared bit, the shared directions say the label; where it
    points to the exclusive or they say nothing, and one half of it is right by chance.

    Parameters
    ----------
    synergy_share
        Share of the samples whose label is the exclusive or, 0 to 1.

    Returns
    -------
    Accuracy of the best reader, and information in bits, of the shared directions (aligned) and of everything (joint).

    Raises
    ------
    InputError
        If it is outside 0 to 1.
    """
    _check_share(synergy_share)
    return DialTheory(1 - synergy_share / 2, 1.0, 1 - synergy_share, 1.0)


def dial_table(synergy_share: float) -> NDArray[np.float64]:
    """Exact distribution of the dialled label: R = 1 - share, S = share, all of it interaction, in bits.

    It is `p[i, j, y]` over (selector, shared bit, half of the exclusive or) of both embeddings and the label.
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
