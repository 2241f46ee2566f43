"""Principal angles between subspaces."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import subspace_angles

from beyond_alignment.checks import finite_matrix
from beyond_alignment.errors import InputError


def principal_angles(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Principal angles between the column spaces of two matrices, in degrees.

    Parameters
    ----------
    first, second
        Bases (feature, component) of two subspaces of one feature space; the columns need not be orthonormal.

    Returns
    -------
    Angles (component,), 0 to 90 degrees, rising; as many as the smaller subspace has dimensions.

    Raises
    ------
    InputError
        A basis is not a finite matrix or spans nothing, or the numbers of features differ.
    """
    bases = [finite_matrix(basis, name=name) for basis, name in ((first, "first"), (second, "second"))]
    if len(bases[0]) != len(bases[1]):
        raise InputError(
            f"The bases have {len(bases[0])} and {len(bases[1])} features; pass subspaces of one feature space."
        )
    if not all(basis.any() for basis in bases):
        raise InputError("A basis holds zeros alone and spans nothing; pass a basis with a direction.")
    return np.sort(np.degrees(subspace_angles(*bases)))
