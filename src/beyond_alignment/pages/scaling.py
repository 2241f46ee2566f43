"""What page 06 shows: the paper's rule as a table, and learning curves ready to be drawn."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from beyond_alignment import information
from beyond_alignment.benchmark.curve_finetuned import SURROGATES
from beyond_alignment.benchmark.curve_fit import CurveFit
from beyond_alignment.benchmark.scaling_tables import fit_curves

FROZEN = ("expression_only", "morphology_only")
SINGLE = (*FROZEN, *SURROGATES)
"""Paths of one modality that every task has; where raw input is at hand, fine-tuned experts stand beside them."""


def published_rule() -> pd.DataFrame:
    """Return the paper's advice by score and number of pairs, a row a case."""
    rule = pd.DataFrame([vars(row) for row in information.RULE])
    rule["methods"] = [", ".join(names).replace("_", " ") for names in rule["methods"]]
    rule["most"] = [f"{most:.0f}" if np.isfinite(most) else "any" for most in rule["most"]]
    return rule


def fitted(
    points: pd.DataFrame, *, tasks: Iterable[str], methods: Iterable[str], seed: int
) -> tuple[dict[tuple[str, str, str], CurveFit], list[tuple[str, str]]]:
    """Return the fits of macro-F1 by task, split and method, and the panels (task and split) that they fill."""
    rows = points[points["task"].isin(list(tasks)) & points["method"].isin(list(methods))]
    fits = fit_curves(rows, metric="macro_f1", n_bootstrap=200, seed=seed)
    return fits, list(dict.fromkeys((task, split) for task, split, _ in fits))


def best_single_path(points: pd.DataFrame, task: str) -> pd.Series:
    """Return the best mean macro-F1 of a single path on a task, by number of training spots."""
    rows = points[(points["task"] == task) & (points["metric"] == "macro_f1") & points["method"].isin(SINGLE)]
    return rows.groupby(["n_train", "method"])["value"].mean().groupby("n_train").max()
