"""Donors with a tissue section each, and smooth random fields on it."""

import numpy as np
from numpy.typing import NDArray

PITCH_UM = 100.0
SECTION_GAP_UM = 1000.0
N_WAVES = 256
WHITE_SHARE = 0.2


def donor_of_samples(n: int, n_donors: int) -> NDArray[np.int64]:
    """Donor of every sample (sample,), in consecutive runs of nearly equal length."""
    return np.arange(n, dtype=np.int64) * n_donors // n


def spot_coordinates(groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """Spots of a hexagonal lattice, one section a donor.

    Parameters
    ----------
    groups
        Donor (sample,), in consecutive runs.

    Returns
    -------
    x and y (sample, 2) in microns: neighbours `PITCH_UM` apart, sections in a row with a gap of `SECTION_GAP_UM`.
    """
    sizes = np.bincount(groups)
    side = int(np.ceil(np.sqrt(sizes.max())))
    spot = np.arange(len(groups)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    row, column = spot // side, spot % side
    x = PITCH_UM * (column + 0.5 * (row % 2)) + groups * (PITCH_UM * side + SECTION_GAP_UM)
    return np.column_stack([x, PITCH_UM * np.sqrt(3) / 2 * row])


def normal_fields(
    coordinates: NDArray[np.float64],
    groups: NDArray[np.int64],
    *,
    n_fields: int,
    spatial_range: float,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Independent standard normal fields, smooth within each section.

    A share of 1 - `WHITE_SHARE` of the variance has the correlation exp(-distance^2 / (2 range^2)), by random waves
    with normal amplitudes; the rest is white. Each value on its own is exactly standard normal.

    Parameters
    ----------
    coordinates
        x and y (sample, 2) in microns.
    groups
        Donor (sample,); the fields of two donors are independent.
    n_fields
        Number of fields.
    spatial_range
        Length scale in microns; 0 makes every value independent.
    rng
        Decides the fields.

    Returns
    -------
    Values (sample, field).
    """
    white = rng.standard_normal((len(groups), n_fields))
    if spatial_range == 0:
        return white
    smooth = np.empty_like(white)
    for donor in np.unique(groups):
        inside = groups == donor
        for field in range(n_fields):
            waves = rng.standard_normal((2, N_WAVES)) / spatial_range
            amplitudes = rng.standard_normal((2, N_WAVES)) / np.sqrt(N_WAVES)
            phase = coordinates[inside] @ waves
            smooth[inside, field] = np.cos(phase) @ amplitudes[0] + np.sin(phase) @ amplitudes[1]
    return np.asarray(np.sqrt(1 - WHITE_SHARE) * smooth + np.sqrt(WHITE_SHARE) * white)
