"""Leading components of a source, fitted on training samples."""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

MOST_FITTED = 20_000
CHUNK_ROWS = 16_384
LEADING = 8
WHITENING = 0.2


class Components:
    """Principal components of standardised features, on the scale that the posteriors are trained on.

    A component of standard deviation s is divided by s^0.2 m^0.8, where m is the mean over the eight leading ones:
    full whitening would bring nuisance and noise up to the scale of what leads.

    Parameters
    ----------
    n_components
        Kept at most.
    seed
        Of the randomised solver and of the rows that it is fitted on where there are more than 20,000.
    """

    def __init__(self, n_components: int, *, seed: int) -> None:
        self.n_components = n_components
        self.seed = seed

    def fit(self, x: NDArray[np.floating], rows: NDArray[np.intp]) -> Self:
        """Fit on some rows of a source (sample, feature)."""
        if len(rows) > MOST_FITTED:
            rows = np.sort(np.random.default_rng(self.seed).choice(rows, MOST_FITTED, replace=False))
        values = np.asarray(x[rows], dtype=np.float32)
        self.mean_ = values.mean(axis=0, dtype=np.float64).astype(np.float32)
        spread = values.std(axis=0, dtype=np.float64).astype(np.float32)
        self.spread_ = np.where(spread > 1e-6 * (1 + np.abs(self.mean_)), spread, np.inf).astype(np.float32)
        standard = (values - self.mean_) / self.spread_
        k = min(self.n_components, *values.shape)
        solver = "randomized" if 4 * k < min(values.shape) else "full"
        found = PCA(k, svd_solver=solver, iterated_power=3, random_state=self.seed).fit(standard)
        deviations = np.sqrt(np.maximum(found.explained_variance_, 0))
        kept = deviations > 1e-4 * max(deviations[0], 1e-12)
        scale = deviations[kept] ** WHITENING * deviations[kept][:LEADING].mean() ** (1 - WHITENING)
        self.map_ = (found.components_[kept] / scale[:, None]).T.astype(np.float32)  # (feature, component)
        return self

    def transform(self, x: NDArray[np.floating], rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return the components (sample, component) of some rows, padded with zeros to the number asked for."""
        found = np.zeros((len(rows), self.n_components), dtype=np.float32)
        for start in range(0, len(rows), CHUNK_ROWS):
            chunk = np.asarray(x[rows[start : start + CHUNK_ROWS]], dtype=np.float32)
            found[start : start + len(chunk), : self.map_.shape[1]] = ((chunk - self.mean_) / self.spread_) @ self.map_
        return found
