"""What fine-tuning a single expert adds to reading it frozen, task by task."""

import pandas as pd

from beyond_alignment.benchmark.curve_finetuned import FINETUNED
from beyond_alignment.benchmark.leads import mean_interval
from beyond_alignment.errors import InputError

PLACE = ["task", "split", "metric", "fraction", "seed"]


def finetuning_gains(points: pd.DataFrame) -> pd.DataFrame:
    """Return the score of each fine-tuned expert less that of the benchmark's frozen expert of the same modality.

    Both are scored on the same subsets of the same seeds. The network that is fine-tuned need not be the frozen expert:
    the gain is what a reader gets who fine-tunes in the place of a probe.

    Parameters
    ----------
    points
        From :func:`~beyond_alignment.benchmark.curve_points`.

    Returns
    -------
    pandas.DataFrame
        One row a task, metric, modality and fraction: frozen and fine_tuned (means over seeds), gain, low, high (95 %,
        Student's over seeds; no width for one), n_train, n_seeds. No rows where nothing is fine-tuned.

    Raises
    ------
    InputError
        A fine-tuned expert has no frozen one beside it on the same subsets.
    """
    rows = points[points["metric"].isin(["macro_f1", "r2"])]
    found = []
    for tuned in FINETUNED:
        modality = tuned.split("_")[1]
        mine = rows[rows["method"] == tuned]
        frozen = rows[rows["method"] == f"{modality}_only"][[*PLACE, "value"]]
        both = mine.merge(frozen, on=PLACE, how="left", suffixes=("", "_frozen"), validate="one_to_one")
        if both["value_frozen"].isna().any():
            task = both.loc[both["value_frozen"].isna(), "task"].iloc[0]
            raise InputError(
                f"{tuned} of {task} has no {modality}_only on the same subsets; run both on the same seeds."
            )
        for (task, metric, fraction), part in both.groupby(["task", "metric", "fraction"], sort=False):
            mean, low, high = mean_interval(part["value"] - part["value_frozen"])
            found.append(
                {"task": task, "metric": metric, "modality": modality, "fraction": fraction}
                | {"n_train": float(part["n_train"].mean()), "frozen": float(part["value_frozen"].mean())}
                | {"fine_tuned": float(part["value"].mean()), "gain": mean, "low": low, "high": high}
                | {"n_seeds": len(part)}
            )
    columns = ["task", "metric", "modality", "fraction", "n_train", "frozen", "fine_tuned", "gain", "low", "high"]
    return pd.DataFrame(found, columns=[*columns, "n_seeds"])
