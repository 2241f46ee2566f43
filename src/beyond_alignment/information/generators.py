"""Paired embeddings whose information about a label is known exactly."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ortho_group

from beyond_alignment.errors import InputError
from beyond_alignment.information.known_truth.tables import symbol_table

Rule = Callable[..., Any]


@dataclass(frozen=True)
class Latents:
    """How a kind of task is made: which latent bits each embedding holds and the rule of each label.

    Attributes
    ----------
    first, second
        Names of the bits that x1 and x2 hold; a name in both is a shared bit.
    labels
        Label -> rule from the bits, by name, to the label's state.
    """

    first: tuple[str, ...]
    second: tuple[str, ...]
    labels: Mapping[str, Rule]


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
        Label name -> `p[i, j, y]` over the states of the bits in x1, of those in x2, and of the label. Noise in
        the embeddings can only lower what they hold of it.
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
                "redundant": lambda s, u1, v1, u2, v2: s,
                "unique": lambda s, u1, v1, u2, v2: u1,
                "synergy": lambda s, u1, v1, u2, v2: v1 ^ v2,
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
"""Kind of task -> its latent bits and labels."""


def exact_truth(latents: Latents, label: str) -> NDArray[np.float64]:
    """Exact distribution of the latent states and a label, all bits being fair and independent.

    Parameters
    ----------
    latents
        The bits and rules of the task.
    label
        Name of the label.

    Returns
    -------
    `p[i, j, y]` over the states of the bits in x1, of those in x2, and of the label.
    """
    names = dict.fromkeys(latents.first + latents.second, 2)
    # The first bit of an embedding is the one that changes fastest in its state.
    return symbol_table(names, latents.first[::-1], latents.second[::-1], latents.labels[label])


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
    Embeddings, labels, donors and the exact truth.

    Raises
    ------
    InputError
        The kind is unknown, the embedding has no room for the bits, the noise is negative or not finite, or
        there are fewer samples than donors or no donor.
    """
    if kind not in KINDS:
        raise InputError(f"There is no kind {kind!r}; choose one of {', '.join(KINDS)}.")
    latents = KINDS[kind]
    room = max(len(latents.first), len(latents.second), 2)
    if dim < room:
        raise InputError(f"The embedding has {dim} features and the task needs {room}; pass a larger dim.")
    if not (np.isfinite(noise) and noise >= 0):
        raise InputError(f"The noise is {noise}; pass a standard deviation of 0 or more.")
    if n_donors < 1 or n < n_donors:
        raise InputError(f"There are {n} samples for {n_donors} donors; pass at least one sample a donor.")
    maps, draws = np.random.SeedSequence(seed).spawn(2)
    rng_maps, rng = np.random.default_rng(maps), np.random.default_rng(draws)
    names = tuple(dict.fromkeys(latents.first + latents.second))
    bits = {name: rng.integers(0, 2, n) for name in names}
    embeddings = []
    for held in (latents.first, latents.second):
        directions = ortho_group.rvs(dim, random_state=rng_maps)[: len(held)]
        signal = np.stack([2.0 * bits[name] - 1 for name in held], axis=1) @ directions
        embeddings.append(signal + noise * rng.standard_normal((n, dim)))
    return LinearEmbeddingTask(
        kind=kind,
        x1=embeddings[0],
        x2=embeddings[1],
        labels={label: np.asarray(rule(**bits), dtype=np.int64) for label, rule in latents.labels.items()},
        truths={label: exact_truth(latents, label) for label in latents.labels},
        groups=np.arange(n, dtype=np.int64) % n_donors,
    )
