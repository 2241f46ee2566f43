"""What the estimators of the field share: leading components, consistent terms, and replicates made into intervals."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from beyond_alignment.information.discrete import JointInformations
from beyond_alignment.information.pid import PID, TERMS, PIDEstimate
from beyond_alignment.information.samples import Samples
from beyond_alignment.resampling import Units, reflected_interval, reflected_p_value


@dataclass(frozen=True)
class Informations:
    """Four informations of the sample itself, at position 0, and of its replicates, in bits.

    Attributes
    ----------
    first, second, both
        I(X1; Y), I(X2; Y) and I(X1, X2; Y), each (1 + replicate,).
    union
        Union information (1 + replicate,).
    interaction
        Interaction synergy (1 + replicate,), NaN where it is not estimated.
    gap
        Certified distance of the first union information to the optimum; NaN where there is no certificate.
    """

    first: NDArray[np.float64]
    second: NDArray[np.float64]
    both: NDArray[np.float64]
    union: NDArray[np.float64]
    interaction: NDArray[np.float64]
    gap: float


def leading_components(x: ArrayLike, n_components: int, *, whiten: bool = False, seed: int = 0) -> NDArray[np.float64]:
    """Return the leading principal components of standardised features.

    Parameters
    ----------
    x
        (sample, feature).
    n_components
        Kept at most; fewer where the features vary in fewer directions.
    whiten
        Scale every component to variance 1.
    seed
        Of the randomised solver.

    Returns
    -------
    (sample, component).
    """
    scaled = StandardScaler().fit_transform(np.asarray(x, dtype=np.float64))
    found = PCA(min(n_components, *scaled.shape), random_state=seed).fit(scaled)
    varies = found.explained_variance_ > 1e-9 * found.explained_variance_[0]
    values = found.transform(scaled)[:, varies]
    return values / np.sqrt(found.explained_variance_[varies]) if whiten else values


def terms(found: Informations) -> pd.DataFrame:
    """Return all terms, none negative, with I1 = R + U1, I2 = R + U2 and I12 = R + U1 + U2 + S in every row.

    Estimated informations need not allow a decomposition. The union information is brought between the larger
    single information and the sum of both, and I12 up to it, which clips every term at 0.

    Parameters
    ----------
    found
        Informations of the sample and its replicates.

    Returns
    -------
    pandas.DataFrame
        One row the sample, then one a replicate; the columns are `TERMS`.
    """
    first, second = np.maximum(found.first, 0), np.maximum(found.second, 0)
    union = np.clip(found.union, np.maximum(first, second), first + second)
    synergy = np.maximum(found.both - union, 0)
    both = union + synergy
    interaction = np.clip(found.interaction, 0, synergy)
    columns = {
        "redundancy": first + second - union,
        "unique1": union - second,
        "unique2": union - first,
        "synergy": synergy,
        "synergy_additive": synergy - interaction,
        "synergy_interaction": interaction,
        "sis": _share(synergy, both),
        "sis_interaction": _share(interaction, both),
        "I1": first,
        "I2": second,
        "I12": both,
    }
    return pd.DataFrame({name: columns[name] for name in TERMS})


def _share(part: NDArray[np.float64], both: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide by the total, with 0 where there is none."""
    return np.divide(part, both, out=np.zeros_like(both), where=both > 0)


def estimate(
    found: Informations, samples: Samples, units: Units, *, method: str, level: float, warnings: tuple[str, ...]
) -> PIDEstimate:
    """Make the informations of a sample and its replicates into an estimate.

    Intervals and p-values are those of the basic bootstrap, which takes the replicates' shift away from the estimate as
    the estimate's from the truth: the replicates of a biased estimator are biased twice.

    Parameters
    ----------
    found
        Informations.
    samples
        What they were estimated from.
    units
        What was resampled.
    method
        Name of the estimator.
    level
        Coverage of the intervals.
    warnings
        Of the estimator; that of the units is added.
    """
    table = terms(found)
    point, replicates = table.iloc[0], table.iloc[1:].reset_index(drop=True)
    parts = TERMS[:6]
    pid = PID(**{name: float(point[name]) for name in parts}, gap=found.gap)
    ceiling = {"sis": 1.0, "sis_interaction": 1.0}
    intervals = {
        name: reflected_interval(replicates[name], point[name], level, high=ceiling.get(name, np.inf)) for name in TERMS
    }
    return PIDEstimate(
        pid=pid,
        mutual_information=JointInformations(pid.I1, pid.I2, pid.I12),
        sis=pid.sis,
        intervals=intervals,
        p_synergy=reflected_p_value(replicates["synergy"], point["synergy"]),
        p_interaction=reflected_p_value(replicates["synergy_interaction"], point["synergy_interaction"]),
        warnings=(*warnings, *filter(None, [units.warning])),
        method=method,
        n=samples.n,
        n_groups=samples.n_groups,
        classes=samples.classes,
        n_bootstrap=len(replicates),
        level=level,
        replicates=replicates,
    )
