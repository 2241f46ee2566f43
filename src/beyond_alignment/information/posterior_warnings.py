"""What a reader must know before trusting an estimate from posteriors."""

import numpy as np
from numpy.typing import NDArray

from beyond_alignment.information.cross_fitting import CrossFit
from beyond_alignment.information.discrete import class_entropy
from beyond_alignment.information.samples import Samples
from beyond_alignment.resampling import Units

FEW_SAMPLES = 1000
FEW_GROUPS = 5
STILL_LEARNING = 0.25
MISCALIBRATED = 0.1
NOTABLE_BITS = 0.02


def posterior_warnings(
    samples: Samples,
    units: Units,
    fit: CrossFit,
    calibrated: NDArray[np.float64],
    full: NDArray[np.float64],
    half: NDArray[np.float64],
    *,
    nothing: bool,
) -> tuple[str, ...]:
    """Say what speaks against an estimate.

    Parameters
    ----------
    samples, units, fit
        What it was estimated from.
    calibrated
        Out-of-fold log posteriors (head, sample, class) after calibration.
    full, half
        Informations (5,) with all and with half of the training samples: the order of `COLUMNS`, bits.
    nothing
        Whether the interval of the total information reaches 0.
    """
    found = list(samples.notes)
    if units.warning:
        found.append(units.warning)
    if nothing:
        found.append("The two sources tell nothing certain about the target, so SIS has nothing to be a share of.")
    if samples.n < FEW_SAMPLES:
        found.append(f"There are {samples.n} samples; below {FEW_SAMPLES} interactions are mostly missed.")
    if 0 < samples.n_groups < FEW_GROUPS:
        found.append(f"There are {samples.n_groups} groups: the answer holds for them, not for the next one.")
    if fit.unseen:
        names = ", ".join(samples.classes[code] for code in fit.unseen)
        found.append(f"Some folds predict classes that they were not trained on: {names}.")
    gained, total = float(full[3] - half[3]), float(full[3])
    if gained > max(STILL_LEARNING * total, NOTABLE_BITS):
        found.append(
            f"The joint model still learns: half of the training samples found {half[3]:.2f} bits, all of them"
            f" {total:.2f}; more samples would tell more."
        )
    off = _uncalibrated(samples.codes, calibrated, total)
    if off > max(MISCALIBRATED * total, NOTABLE_BITS):
        found.append(
            f"Probabilities do not carry over between folds: as they stand they miss {off:.2f} of {total:.2f} bits that"
            " their ranking holds."
        )
    return tuple(found)


def _uncalibrated(y: NDArray[np.int64], calibrated: NDArray[np.float64], total: float) -> float:
    """Bits that the joint posterior holds by its counts and not by its probabilities."""
    told = class_entropy(y) + float(calibrated[3][np.arange(len(y)), y].mean()) / np.log(2)
    return total - told
