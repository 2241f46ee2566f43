"""From optical densities of haematoxylin and eosin to colours, with the stain of a donor."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beyond_alignment.datasets.simulated_histology.random_fields import Grid

# Optical density in red, green and blue of a unit of stain: haematoxylin by Ruifrok & Johnston 2001; their eosin,
# taken with a narrow-band camera, absorbs green alone, so eosin is the reference of Macenko et al. 2009.
HAEMATOXYLIN = (0.65, 0.70, 0.29)
EOSIN = (0.2159, 0.8012, 0.5581)
_LIGHT = (246.0, 244.0, 246.0)
_NOISE = 1.6
_STRENGTH, _HUE = 0.16, 0.035
_ROWS = 256


@dataclass(frozen=True)
class Stain:
    """The stain of a donor's sections.

    Attributes
    ----------
    haematoxylin, eosin
        Optical density in red, green and blue of a unit of each (channel,).
    """

    haematoxylin: NDArray[np.float64]
    eosin: NDArray[np.float64]


def draw_stain(rng: np.random.Generator, *, donor_effect: float) -> Stain:
    """Draw a donor's stain: the strength of each by a log-normal factor, its hue by a normal step in each channel.

    Parameters
    ----------
    rng
        Decides it.
    donor_effect
        The dial; 0 gives the reference.
    """
    strength = np.exp(donor_effect * _STRENGTH * rng.standard_normal((2, 1)))
    hue = 1.0 + donor_effect * _HUE * rng.standard_normal((2, 3))
    return Stain(*(np.array([HAEMATOXYLIN, EOSIN]) * strength * hue))


def expose(rng: np.random.Generator, haematoxylin: Grid, eosin: Grid, stain: Stain) -> NDArray[np.uint8]:
    """Return the picture of stained tissue by Beer and Lambert's law: light * 10^-(density).

    Parameters
    ----------
    rng
        Decides the noise of the camera.
    haematoxylin, eosin
        Amount of each, as its optical density (row, column).
    stain
        Of the donor.

    Returns
    -------
    numpy.ndarray
        uint8 (height, width, channel), RGB.

    References
    ----------
    Ruifrok & Johnston, Analytical and Quantitative Cytology and Histology 23, 291-299 (2001).
    """
    picture = np.empty((*haematoxylin.shape, 3), dtype=np.uint8)
    for start in range(0, len(picture), _ROWS):
        rows = slice(start, start + _ROWS)
        noise = rng.standard_normal(haematoxylin[rows].shape, dtype=np.float32) * np.float32(_NOISE)
        for channel, light in enumerate(_LIGHT):
            per_h, per_e = (np.float32(-np.log(10.0) * vector[channel]) for vector in (stain.haematoxylin, stain.eosin))
            value = np.exp(haematoxylin[rows] * per_h + eosin[rows] * per_e) * np.float32(light) + noise
            picture[rows, :, channel] = np.clip(value, 0.0, 255.0)
    return picture
