"""Units of the targets that a network is trained on, fitted on training tiles alone."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class TargetScale:
    """A network's output x stands for ``centre + unit * x``.

    Attributes
    ----------
    centre, unit
        (gene,), in log1p counts.
    """

    centre: NDArray[np.float32]
    unit: NDArray[np.float32]

    def scaled(self, targets: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return targets (tile, gene) as a network is trained on them."""
        return (targets - self.centre) / self.unit

    def restored(self, outputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return outputs (tile, gene) as log1p counts."""
        return self.centre + self.unit * outputs


def fit_target_scale(targets: NDArray[np.float32], how: Literal["centred", "standardised", "raw"]) -> TargetScale:
    """Fit the units on training tiles (tile, gene); a gene that is constant there keeps the unit 1."""
    centre, unit = (np.full(targets.shape[1], value, dtype=np.float32) for value in (0.0, 1.0))
    if how != "raw":
        centre = targets.mean(axis=0, dtype=np.float64).astype(np.float32)
    if how == "standardised":
        sd = targets.std(axis=0, dtype=np.float64).astype(np.float32)
        unit = np.where(sd > 0, sd, np.float32(1.0))
    return TargetScale(centre, unit)
