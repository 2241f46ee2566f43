"""What an embedding is made of: how much of it is the donor, and how much two embeddings say the same."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.decomposition import PCA

from beyond_alignment.errors import InputError


def _centred(values: ArrayLike) -> NDArray[np.float64]:
    """Return (spot, feature) with the mean of each feature taken away."""
    numbers = np.asarray(values, dtype=np.float64)
    return numbers - numbers.mean(axis=0)


def _norm(centred: NDArray[np.float64]) -> float:
    """Return the Frobenius norm of the inner products between features, or refuse an embedding without variance."""
    norm = float(np.linalg.norm(centred.T @ centred))
    if norm == 0.0:
        msg = "All spots have the same embedding, so it correlates with nothing: give one that varies."
        raise InputError(msg)
    return norm


def centre_within(values: ArrayLike, groups: ArrayLike) -> NDArray[np.float64]:
    """Take the mean of its group away from every spot.

    Parameters
    ----------
    values
        (spot, feature).
    groups
        One group a spot, such as its donor.
    """
    frame = pd.DataFrame(np.asarray(values, dtype=np.float64))
    means = frame.groupby(np.asarray(groups, dtype=str)).transform("mean")
    return (frame - means).to_numpy()


def between_group_share(values: ArrayLike, groups: ArrayLike) -> float:
    """Return the share of the variance of an embedding that lies between groups, 0 to 1.

    It is the sum of squares of the group means over that of all spots, over all features; with k groups and n spots
    whose groups mean nothing it is about (k - 1) / (n - 1).

    Parameters
    ----------
    values
        (spot, feature).
    groups
        One group a spot, such as its donor.

    Raises
    ------
    InputError
        If all spots are the same.
    """
    total = float((_centred(values) ** 2).sum())
    if total == 0.0:
        msg = "All spots have the same embedding, so no share of its variance is defined: give one that varies."
        raise InputError(msg)
    return 1.0 - float((centre_within(values, groups) ** 2).sum()) / total


def rv_matrix(embeddings: Mapping[str, ArrayLike]) -> pd.DataFrame:
    """Return the correlations of all pairs of embeddings of the same spots, 0 to 1 (RV coefficient, Escoufier 1973).

    tr(X'Y Y'X) / sqrt(tr((X'X)^2) tr((Y'Y)^2)) for centred X and Y: the correlation of the two matrices of inner
    products between spots, so rotations and a common scale of the features change nothing.

    Parameters
    ----------
    embeddings
        Name -> (spot, feature), of the same spots.

    Raises
    ------
    InputError
        If the numbers of spots differ or all spots of one are the same.
    """
    names = list(embeddings)
    if len({len(np.asarray(values)) for values in embeddings.values()}) > 1:
        msg = "The embeddings have different numbers of spots: give those of the same spots."
        raise InputError(msg)
    centred = {name: _centred(values) for name, values in embeddings.items()}
    norms = {name: _norm(values) for name, values in centred.items()}
    table = pd.DataFrame(np.eye(len(names)), index=names, columns=names)
    for i, first in enumerate(names):
        for second in names[:i]:
            shared = float(np.linalg.norm(centred[first].T @ centred[second]) ** 2)
            table.loc[first, second] = table.loc[second, first] = shared / (norms[first] * norms[second])
    return table


def display_components(values: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return two principal components for a picture, and the share of the variance that each holds.

    They are fitted on the spots that they show, and so serve for nothing but the picture.

    Parameters
    ----------
    values
        (spot, feature), at least two features.

    Returns
    -------
    tuple
        (spot, 2) and (2,).
    """
    model = PCA(n_components=2, svd_solver="randomized", random_state=0)
    return model.fit_transform(np.asarray(values, dtype=np.float64)), model.explained_variance_ratio_
