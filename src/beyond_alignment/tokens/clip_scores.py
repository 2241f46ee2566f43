"""What a linear probe of CLIP's embeddings predicts, beside the arms."""

from collections.abc import Sequence

import pandas as pd

from beyond_alignment.tokens.contrastive import ClipResult
from beyond_alignment.tokens.folds import TileFold
from beyond_alignment.tokens.study import scores_of_run
from beyond_alignment.tokens.tiles import Tiles


def score_clips(tiles: Tiles, folds: Sequence[TileFold], clips: Sequence[ClipResult]) -> pd.DataFrame:
    """Score the linear probes of CLIP on the tiles that were held out.

    Parameters
    ----------
    tiles, folds
        As CLIP was run.
    clips
        From :func:`run_clips`.

    Returns
    -------
    pandas.DataFrame
        Rows as in the scores of a ``Comparison``; the arms are ``clip_tile`` and ``clip_token``.
    """
    tables = [
        scores_of_run(
            *(tiles, folds, f"clip_{clip.granularity}", f"CLIP, {clip.granularity}, linear probe", clip.seed),
            clip.predictions,
        )[0]
        for clip in clips
    ]
    return pd.concat(tables, ignore_index=True)
