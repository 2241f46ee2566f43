"""What the spectral ceiling reports."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class SpectralCeiling:
    """Spectrum of the whitened cross-covariance against its permutation null, and what of it holds on unseen samples.

    Attributes
    ----------
    singular_values
        Canonical correlations (component,) of the regularised whitening, falling, 0 to 1.
    ceiling
        Sum of their squares. It counts sampling noise: two independent embeddings have one of about d1 d2 / n.
    null_ceiling
        Mean of the same sum under permutation: what sampling noise alone gives.
    interval
        95 % bootstrap interval of `excess`, corrected for what sampling takes from it: where features are few beside
        samples it covers the population's sum, elsewhere that sum under this shrinkage at best. It may lie above
        `excess`. None when no bootstrap was asked for.
    threshold
        95 % permutation quantile of the largest singular value.
    null_singular_values
        95 % permutation quantile (component,) of each singular value, for drawing.
    effective_rank
        Number of singular values above `threshold`. The null of the largest is used for all of them: a quantile
        of its own for each would be too low below a true correlation.
    p_value
        Permutation p-value of the ceiling.
    shrinkage
        Shrinkage used for x1 and for x2.
    held_out_ceiling
        Lower estimate of the population's ceiling from directions fitted on other folds: 0 on average where nothing is
        shared, signed, and never above the population's sum but by the noise of one number. None without folds.
    held_out_interval
        95 % interval of `held_out_ceiling`, given the directions; None without folds.
    n_permutations
        Permutations behind the null; fewer than asked for where the groups allow fewer different shifts.
    """

    singular_values: NDArray[np.float64]
    ceiling: float
    null_ceiling: float
    interval: tuple[float, float] | None
    threshold: float
    null_singular_values: NDArray[np.float64]
    effective_rank: int
    p_value: float
    shrinkage: tuple[float, float]
    held_out_ceiling: float | None = None
    held_out_interval: tuple[float, float] | None = None
    n_permutations: int = 0

    @property
    def excess(self) -> float:
        """Ceiling minus its mean under permutation; about 0 where nothing is shared linearly."""
        return self.ceiling - self.null_ceiling
