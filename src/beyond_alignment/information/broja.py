"""The decomposition of Bertschinger et al. (2014) of exact tables, with a certificate and both parts of synergy."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beyond_alignment.errors import InputError
from beyond_alignment.information.discrete import check_distribution, check_distributions, information
from beyond_alignment.information.pairwise import pairwise_information
from beyond_alignment.information.pid import NOTHING, PID
from beyond_alignment.information.union import union_information

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PIDBatch:
    """Decompositions of a batch of tables: the fields of `PID` as arrays (batch), bits; `batch[k]` is a `PID`."""

    redundancy: Floats
    unique1: Floats
    unique2: Floats
    synergy: Floats
    synergy_additive: Floats
    synergy_interaction: Floats
    gap: Floats

    def __len__(self) -> int:
        return len(self.gap)

    def __getitem__(self, index: int) -> PID:
        return PID(**{field.name: float(getattr(self, field.name)[index]) for field in fields(self)})

    @property
    def I1(self) -> Floats:
        """I(X1; Y) (batch)."""
        return self.redundancy + self.unique1

    @property
    def I2(self) -> Floats:
        """I(X2; Y) (batch)."""
        return self.redundancy + self.unique2

    @property
    def I12(self) -> Floats:
        """I(X1, X2; Y) (batch)."""
        return self.redundancy + self.unique1 + self.unique2 + self.synergy

    @property
    def sis(self) -> Floats:
        """Synergistic information score S / I(X1, X2; Y), from 0 to 1; 0 where there is no information (batch)."""
        total = self.I12
        return np.divide(self.synergy, total, out=np.zeros_like(total), where=total > NOTHING)


def broja(p: ArrayLike, *, tolerance: float = 1e-7) -> PID:
    """Decompose what two sources tell about a target, exactly.

    Parameters
    ----------
    p
        `p[i, j, y]`, the probability of X1 = i, X2 = j and Y = y; zeros and states that never occur are fine.
    tolerance
        Certified distance to the optimum to reach, bits.

    Returns
    -------
    The decomposition; its `gap` is the larger of those of `union_information` and `pairwise_information`. Every
    part is at least 0, and the parts add up to the mutual informations of `p`.

    Raises
    ------
    InputError
        `p` is not a distribution over three axes.

    References
    ----------
    Bertschinger, Rauh, Olbrich, Jost, Ay (2014), Quantifying unique information, Entropy 16:2161.
    """
    return broja_batch(check_distribution(p, ndim=3)[None], tolerance=tolerance)[0]


def broja_batch(p: ArrayLike, *, tolerance: float = 1e-7) -> PIDBatch:
    """Decompose a batch of tables of one shape, as `broja` does.

    Parameters
    ----------
    p
        `p[batch, i, j, y]`.
    tolerance
        Certified distance to the optimum to reach, bits.

    Returns
    -------
    One decomposition a table.

    Raises
    ------
    InputError
        `p` is not a batch of distributions over three axes.
    """
    tables = check_distributions(p, ndim=3)
    if tables.ndim != 4:
        raise InputError(f"The batch has shape {tables.shape}; pass p[batch, i, j, y].")
    first, second = tables.sum(axis=2), tables.sum(axis=1)
    I1, I2 = information(first), information(second)
    I12 = np.maximum(information(tables.reshape(len(tables), -1, tables.shape[-1])), np.maximum(I1, I2))
    union = union_information(first, second, tolerance=tolerance)
    pairwise = pairwise_information(tables, tolerance=tolerance)
    # Theory bounds what the two must tell: rounding and the gap are not let out of those bounds.
    least = np.maximum(np.minimum(union.value, np.minimum(I12, I1 + I2)), np.maximum(I1, I2))
    with_pairs = np.clip(pairwise.value, least, I12)
    return PIDBatch(
        redundancy=np.maximum(I1 + I2 - least, 0.0),
        unique1=least - I2,
        unique2=least - I1,
        synergy=I12 - least,
        synergy_additive=with_pairs - least,
        synergy_interaction=I12 - with_pairs,
        gap=np.maximum(union.gap, pairwise.gap),
    )
