"""Check of groups and labels before anything is computed from them."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from beyond_alignment.errors import InputError


def codes(values: ArrayLike, *, n: int, name: str) -> NDArray[np.int64]:
    """Encode the distinct values of a vector as integers, in sorted order.

    Parameters
    ----------
    values
        Groups or labels (sample,) of any sortable type.
    n
        Number of samples that it must have.
    name
        What to call it in an error.

    Returns
    -------
    Codes (sample,) from 0.

    Raises
    ------
    InputError
        It is not a vector of length `n`, or a value is missing.
    """
    vector = np.asarray(values)
    if vector.shape != (n,):
        raise InputError(f"{name} has shape {vector.shape} for {n} samples; pass one value a sample.")
    numbered, _ = pd.factorize(vector, sort=True)
    if (numbered < 0).any():
        raise InputError(f"{name} misses {int((numbered < 0).sum())} values; drop those samples first.")
    return numbered.astype(np.int64)
