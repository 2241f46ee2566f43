"""A linear probe of the add-on genes on a frozen embedding of tiles."""

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler

from beyond_alignment.fusion.ridge import ridge_path
from beyond_alignment.tokens.folds import TileFold

PENALTIES = tuple(10.0**exponent for exponent in range(-4, 4))


def probe_genes(embedding: NDArray[np.floating], targets: NDArray[np.floating], rows: TileFold) -> NDArray[np.float32]:
    """Fit a ridge regression on the training tiles, its penalty chosen on the validation part, and predict the rest.

    Parameters
    ----------
    embedding
        (tile, feature); scaled by the training tiles.
    targets
        (tile, gene).
    rows
        Of a fold.

    Returns
    -------
    numpy.ndarray
        Predictions of the test tiles (tile, gene).
    """
    x = np.asarray(embedding, dtype=np.float64)
    z = StandardScaler().fit(x[rows.train]).transform(x)
    fits = ridge_path(z[rows.train], targets[rows.train], PENALTIES)
    errors = [((z[rows.validation] @ b.T + a - targets[rows.validation]) ** 2).mean() for b, a in fits]
    coefficients, intercept = fits[int(np.argmin(errors))]
    return (z[rows.test] @ coefficients.T + intercept).astype(np.float32)
