"""Turns predictions into tables: scores, chance, and gains over the better expert, each with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from beyond_alignment.benchmark.metrics import Score, score, tile_weights
from beyond_alignment.benchmark.predictions import Predictions
from beyond_alignment.benchmark.problem import Contest
from beyond_alignment.resampling import percentile_interval
from beyond_alignment.tasks import get_task

UNIMODAL = ("expression_only", "morphology_only")
N_GUESSES = 200


@dataclass(frozen=True)
class Scoreboard:
    """Scores of many contests.

    Attributes
    ----------
    table
        One row a contest and metric: value, low, high (95 %), n spots, tiles, sections, made_from.
    replicates
        One row a task, split, pair of experts, metric and replicate; one column a method.
    """

    table: pd.DataFrame
    replicates: pd.DataFrame


def score_contest(predictions: Predictions, *, n_replicates: int, seed: int = 0) -> dict[str, Score]:
    """Score one contest with tile-bootstrap replicates; the same seed pairs the replicates of methods."""
    weights = tile_weights(predictions.tiles, predictions.strata, n_replicates=n_replicates, seed=seed)
    return score(predictions, weights)


def build_scoreboard(
    contests: Sequence[Contest], predictions: Sequence[Predictions], *, n_replicates: int = 1000, seed: int = 0
) -> Scoreboard:
    """Score contests.

    Parameters
    ----------
    contests
        What was run.
    predictions
        Their out-of-fold predictions, in order.
    n_replicates
        Bootstrap replicates B.
    seed
        Of the replicates.
    """
    rows, drawn = [], []
    for contest, found in zip(contests, predictions, strict=True):
        identity = {**vars(contest), "made_from": get_task(contest.task).made_from}
        for metric, result in score_contest(found, n_replicates=n_replicates, seed=seed).items():
            low, high = result.interval()
            sizes = {
                "n": len(found.positions),
                "n_tiles": len(np.unique(found.tiles)),
                "n_sections": len(np.unique(found.strata)),
            }
            rows.append({**identity, "metric": metric, "value": result.value, "low": low, "high": high, **sizes})
            draws = np.concatenate([[result.value], result.replicates])  # replicate 0 is the sample itself
            drawn.append(pd.DataFrame({**vars(contest), "metric": metric, "draw": range(len(draws)), "score": draws}))
    long = pd.concat(drawn, ignore_index=True)
    index = ["task", "split", "expression", "morphology", "seed", "metric", "draw"]
    wide = long.pivot_table(index=index, columns="method", values="score", sort=False).reset_index()
    return Scoreboard(pd.DataFrame(rows), wide.rename_axis(columns=None))


def gains(replicates: pd.DataFrame, *, fused: str = "concat", metric: str = "macro_f1") -> pd.DataFrame:
    """Return what a fusion adds to the better of its two experts, with a paired interval.

    Parameters
    ----------
    replicates
        From a :class:`Scoreboard`.
    fused
        The fusion method.
    metric
        The score.

    Returns
    -------
    pandas.DataFrame
        One row a task, split, pair and seed: joint, expression, morphology, gain, low, high (95 %), share of replicates
        with a gain above 0.
    """
    chosen = replicates[replicates["metric"] == metric]
    rows = []
    keys = ["task", "split", "expression", "morphology", "seed"]
    for identity, part in chosen.groupby(keys, sort=False):
        values = part.sort_values("draw")
        gain = (values[fused] - values[list(UNIMODAL)].max(axis=1)).to_numpy()
        low, high = percentile_interval(gain[1:])
        first = values.iloc[0]
        rows.append(
            dict(zip(keys, identity, strict=True))
            | {"joint": first[fused], "first": first[UNIMODAL[0]], "second": first[UNIMODAL[1]]}
            | {"gain": gain[0], "low": low, "high": high, "positive": float(np.mean(gain[1:] > 0))}
        )
    return pd.DataFrame(rows)


def chance_macro_f1(predictions: Predictions, *, seed: int = 0) -> tuple[float, float]:
    """Return the mean and the 97.5 % point of macro-F1 when labels are guessed by the class frequencies of training.

    Parameters
    ----------
    predictions
        Any method's predictions of the task.
    seed
        Of the guesses.
    """
    rng = np.random.default_rng(seed)
    cumulative = predictions.frequency.cumsum(axis=1)
    truth, n_classes = predictions.truth.astype(np.intp), len(predictions.classes)
    scores = [_guess(cumulative, truth, n_classes, rng) for _ in range(N_GUESSES)]
    return float(np.mean(scores)), float(np.quantile(scores, 0.975))


def _guess(cumulative: NDArray[np.float64], truth: NDArray[np.intp], n_classes: int, rng: np.random.Generator) -> float:
    """Draw one set of guesses and return its macro-F1."""
    guess = (rng.random((len(truth), 1)) > cumulative).sum(axis=1).clip(max=n_classes - 1)
    confusion = np.zeros((n_classes, n_classes))
    np.add.at(confusion, (truth, guess), 1)
    hits, size = np.diag(confusion), confusion.sum(axis=0) + confusion.sum(axis=1)
    present = confusion.sum(axis=1) > 0
    return float(np.mean(2 * hits[present] / size[present]))
