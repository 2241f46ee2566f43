"""The published synergistic information score, task by task, on the benchmark's scores."""

from collections.abc import Mapping

import pandas as pd

from beyond_alignment.errors import InputError
from beyond_alignment.information import sis_gain
from beyond_alignment.information.sis import sis_gain_interval, verbal_level

UNDEFINED = "undefined"


def sis_table(
    replicates: pd.DataFrame,
    *,
    fused: str = "concat",
    metric: str = "macro_f1",
    chance: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Compute (joint - best) / best with its paired interval for each task and split.

    Parameters
    ----------
    replicates
        Rows of the main contests: task, split, metric, draw, one column a method.
    fused
        The fusion method whose score is the joint one.
    metric
        The score.
    chance
        Chance level of each task, taken off every score first; the published score takes off nothing.

    Returns
    -------
    pandas.DataFrame
        One row a task and split: best, joint, sis, low, high (95 %), level; ``sis``, ``low`` and ``high`` are None and
        ``level`` is ``undefined`` where the best expert is not above zero (or chance) in the sample, or in more
        replicates than the interval leaves out.
    """
    rows = []
    for (task, split), part in replicates[replicates["metric"] == metric].groupby(["task", "split"], sort=False):
        drawn = part.sort_values("draw")[[fused, "expression_only", "morphology_only"]].to_numpy()
        level = (chance or {}).get(str(task), 0.0)
        row: dict[str, object] = {"task": task, "split": split, "best": drawn[0, 1:].max(), "joint": drawn[0, 0]}
        try:
            value = float(sis_gain(*drawn[0], chance=level))
            found = sis_gain_interval(*drawn[1:].T, chance=level)
        except InputError:
            found = None
        if found is None or found.n_undefined > 0.025 * found.n_replicates:
            rows.append(row | {"sis": None, "low": None, "high": None, "level": UNDEFINED})
        else:
            rows.append(row | {"sis": value, "low": found.low, "high": found.high, "level": verbal_level(value)})
    return pd.DataFrame(rows).astype(dict.fromkeys(("sis", "low", "high"), object))
