"""How often the right partner is among the nearest: recall at k within batches of one size."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beyond_alignment.errors import InputError


@dataclass(frozen=True)
class Retrieval:
    """Recall at k.

    Attributes
    ----------
    batch_size
        Tiles that a partner is looked for among.
    image_to_transcripts, transcripts_to_image
        Share of tiles whose partner is among the k nearest, by k.
    chance
        Of a guess: k / batch_size, by k.
    n_tiles
        Tiles that were asked for: whole batches.
    """

    batch_size: int
    image_to_transcripts: Mapping[int, float]
    transcripts_to_image: Mapping[int, float]
    chance: Mapping[int, float]
    n_tiles: int


def recall_at(
    image: NDArray[np.floating],
    transcripts: NDArray[np.floating],
    *,
    ks: Sequence[int] = (1, 5),
    batch_size: int = 64,
    n_draws: int = 10,
    seed: int = 0,
) -> Retrieval:
    """Look for the partner of each tile by cosine among the tiles of a batch.

    Recall falls with the size of the batch, which is the same for all; tiles are dealt into batches at random several
    times, and those left over sit out. A tie counts against.

    Parameters
    ----------
    image, transcripts
        Embeddings of the same tiles (tile, feature).
    ks
        How many nearest count.
    batch_size
        Tiles of a batch.
    n_draws
        Times that tiles are dealt.
    seed
        Of the deal.

    Raises
    ------
    InputError
        If there are fewer tiles than a batch, or a k does not fit in one.
    """
    n = len(image)
    if not 0 < max(ks) < batch_size <= n:
        msg = f"{n} tiles cannot be asked in batches of {batch_size} for the nearest {max(ks)}: use another batch_size."
        raise InputError(msg)
    first, second = (_unit(np.asarray(z, dtype=np.float64)) for z in (image, transcripts))
    rng, ranks = np.random.default_rng(seed), []
    for _ in range(n_draws):
        order = rng.permutation(n)[: n // batch_size * batch_size].reshape(-1, batch_size)
        for rows in order:
            cosine = first[rows] @ second[rows].T  # (image, transcripts)
            ranks.append((_ranks(cosine), _ranks(cosine.T)))
    forth, back = (np.concatenate(side) for side in zip(*ranks, strict=True))
    return Retrieval(
        batch_size=batch_size,
        image_to_transcripts={k: float((forth < k).mean()) for k in ks},
        transcripts_to_image={k: float((back < k).mean()) for k in ks},
        chance={k: k / batch_size for k in ks},
        n_tiles=n // batch_size * batch_size,
    )


def _ranks(similarity: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return how many others are at least as near as the partner, for each row of (tile, tile)."""
    return (similarity >= np.diagonal(similarity)[:, None]).sum(axis=1) - 1


def _unit(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale rows to length 1."""
    return z / np.maximum(np.linalg.norm(z, axis=1, keepdims=True), 1e-12)
