"""What a simulated field refuses to be."""

import numpy as np

from beyond_alignment.errors import InputError

_SMALLEST_UM, _LARGEST_PX = 100.0, 20_000
_FINEST, _COARSEST = 0.1, 4.0


def check_sizes(size_um: float, microns_per_pixel: float) -> None:
    """Refuse sizes that are no numbers or out of range."""
    for name, value in (("size_um", size_um), ("microns_per_pixel", microns_per_pixel)):
        if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not np.isfinite(value):
            msg = f"{name} is {value!r}: give a number of microns."
            raise InputError(msg)
    if not _FINEST <= microns_per_pixel <= _COARSEST:
        msg = f"microns_per_pixel is {microns_per_pixel}: give {_FINEST} to {_COARSEST:g}, where nuclei can be drawn."
        raise InputError(msg)
    if not _SMALLEST_UM <= size_um <= _LARGEST_PX * microns_per_pixel:
        msg = f"size_um is {size_um}: give {_SMALLEST_UM:g} um, a few cells, to {_LARGEST_PX} pixels."
        raise InputError(msg)


def check_whole(name: str, value: int, *, least: int) -> None:
    """Refuse what is no whole number or too small."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        msg = f"{name} is {value!r}: give a whole number of {least} or more."
        raise InputError(msg)
