"""How the cost of one fit grows with the number of spots."""

import numpy as np
import pandas as pd

from beyond_alignment.errors import InputError

COSTS = ("seconds", "peak_gb")


def cost_growth(table: pd.DataFrame) -> pd.DataFrame:
    """Return the exponent of cost in the number of spots between the two largest sizes: 1 is linear.

    Below the largest sizes the fixed cost of a fit, its updates above all, hides how it grows.

    Parameters
    ----------
    table
        From :func:`~beyond_alignment.benchmark.size_study`, all of the same features.

    Returns
    -------
    pandas.DataFrame
        A row a method: method, from_n, to_n, seconds_exponent, peak_gb_exponent.

    Raises
    ------
    InputError
        If the rows are of several numbers of features, or a method has fewer than two sizes.
    """
    check_same_features(table)
    rows = []
    for method, part in table.groupby("method", sort=False):
        if part["n"].nunique() < 2:
            raise InputError(f"{method} was measured at one size; growth takes two.")
        last = part.sort_values("n").tail(2)
        before, after = (float(n) for n in last["n"])
        steps = {f"{cost}_exponent": float(np.diff(np.log(last[cost]))[0] / np.log(after / before)) for cost in COSTS}
        rows.append({"method": method, "from_n": int(before), "to_n": int(after), **steps})
    return pd.DataFrame(rows)


def check_same_features(table: pd.DataFrame) -> None:
    """Check that every row of a table of sizes is of the same numbers of features.

    Raises
    ------
    InputError
        They are not.
    """
    if len(table[["features_1", "features_2"]].drop_duplicates()) != 1:
        raise InputError("The rows are of several numbers of features; pass those of one.")
