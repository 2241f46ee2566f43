"""Puts together the folds of an arm, or of CLIP, that were run one at a time, side by side."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from beyond_alignment.tokens.contrastive import ClipResult
from beyond_alignment.tokens.run import ArmResult


def join_arm(parts: Sequence[ArmResult]) -> ArmResult:
    """Return the result of an arm over all folds.

    Parameters
    ----------
    parts
        Of the same arm and seed, one for each fold or for a few, in their order; no tile is tested twice.
    """
    fold = np.full_like(parts[0].fold, -1)
    first = 0
    for part in parts:
        tested = part.fold >= 0
        fold[tested] = part.fold[tested] + first
        first += len(part.best_epochs)
    return replace(
        parts[0],
        predictions=_joined([part.predictions for part in parts]),
        embeddings=tuple(chain.from_iterable(part.embeddings for part in parts)),
        fold=fold,
        curves=tuple(chain.from_iterable(part.curves for part in parts)),
        best_epochs=tuple(chain.from_iterable(part.best_epochs for part in parts)),
        seconds=sum(part.seconds for part in parts),
    )


def join_clip(parts: Sequence[ClipResult]) -> ClipResult:
    """Return the result of CLIP over all folds.

    Parameters
    ----------
    parts
        Of the same granularity and seed, as in :func:`join_arm`.
    """
    return replace(
        parts[0],
        retrieval=tuple(chain.from_iterable(part.retrieval for part in parts)),
        predictions=_joined([part.predictions for part in parts]),
        seconds=sum(part.seconds for part in parts),
    )


def _joined(parts: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return predictions (tile, gene), each row from the part that has it."""
    found = parts[0].copy()
    for part in parts[1:]:
        there = np.isfinite(part).all(axis=1)
        found[there] = part[there]
    return found
