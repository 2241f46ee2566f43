"""Table of the fusion methods: what each is, what it can reach, and how large it is."""

from collections.abc import Sequence

import pandas as pd

from beyond_alignment.fusion import FUSION_METHODS
from beyond_alignment.fusion.network import Shape
from beyond_alignment.fusion.registry import trained_parameters


def describe_methods(
    methods: Sequence[str] = tuple(FUSION_METHODS), *, d1: int = 50, d2: int = 50, n_classes: int = 6
) -> pd.DataFrame:
    """Say of each fusion method where it comes from, what it reaches in theory, and what it trains.

    Parameters
    ----------
    methods
        Names of fusion methods.
    d1, d2
        Components of both reduced embeddings.
    n_classes
        Classes of the task.

    Returns
    -------
    pandas.DataFrame
        One row a method: method, family, reaches (terms of the decomposition), trained on, common and published
        (parameters trained by gradient at either size; 0 for a method without a network), options (hyper-parameters at
        the published size), citation.
    """
    shape = Shape(d1, d2, n_classes, "classification", 0)
    rows = []
    for name in methods:
        record = FUSION_METHODS[name]
        options = ", ".join(f"{key} {value}" for key, value in {**record.options, **record.published}.items())
        rows.append(
            {"method": name, "family": record.family, "reaches": record.reaches, "trained on": record.trained_on}
            | {
                "common": trained_parameters(name, shape),
                "published": trained_parameters(name, shape, size="published"),
            }
            | {"options": options, "citation": ", ".join(record.citation)}
        )
    return pd.DataFrame(rows)
