"""Scores of a study read by arm: the best of a kind, what one gains over another, what each gene is predicted by."""

import pandas as pd

from beyond_alignment.benchmark.leads import mean_interval
from beyond_alignment.tokens.arms import ARMS
from beyond_alignment.tokens.comparison import REFERENCES, RIDGE


def gain(scores: pd.DataFrame, first: str, second: str, *, metric: str = "spearman") -> tuple[float, float, float]:
    """Return the mean of one arm less another over folds, and its 95 % Student interval over folds.

    Seeds are averaged within a fold; both arms are scored on the same tiles. Folds share training donors, which the
    interval does not know.

    Parameters
    ----------
    scores
        Of a :class:`Comparison`.
    first, second
        Names of arms or references.
    metric
        Column.
    """
    wide = scores.groupby(["fold", "arm"])[metric].mean().unstack("arm")
    return mean_interval(wide[first] - wide[second])


def best_arm(scores: pd.DataFrame, kind: str) -> str:
    """Return the arm of a kind with the highest mean Spearman over folds and seeds.

    Kinds are ``morphology``, ``expression``, ``fusion``, its parts ``late`` and ``early``, and ``late token``.

    Parameters
    ----------
    scores
        Of a :class:`Comparison`.
    kind
        Which arms compete.
    """
    return next(str(name) for name in mean_spearman(scores).index if name in ARMS and kind in _kinds(name))


def mean_spearman(scores: pd.DataFrame) -> pd.Series:
    """Return the mean Spearman of each arm and reference over folds and seeds (arm,), best first."""
    return scores.groupby("arm")["spearman"].mean().sort_values(ascending=False)


def fusion_and_rival(scores: pd.DataFrame) -> tuple[str, str]:
    """Return the best fusion and the best single modality, the ridge regression on core counts included.

    Each is the best on the tiles that are scored.

    Parameters
    ----------
    scores
        Of a :class:`Comparison`, with an arm of each kind.
    """
    means = mean_spearman(scores)
    single = (best_arm(scores, "expression"), best_arm(scores, "morphology"), RIDGE)
    return best_arm(scores, "fusion"), max(single, key=lambda name: means[name])


def _kinds(name: str) -> set[str]:
    """Return what an arm counts as."""
    arm = ARMS[name]
    if arm.stage is None:
        return {"morphology" if arm.vision else "expression"}
    return {"fusion", str(arm.stage), f"{arm.stage} {arm.granularity}"}


def names_of(first: str, second: str) -> str:
    """Name two arms."""
    return " less ".join(REFERENCES.get(name) or ARMS[name].label for name in (first, second))
