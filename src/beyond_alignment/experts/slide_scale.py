"""The microns per pixel that an image file states."""

import math
import re
from typing import Any

from beyond_alignment.errors import InputError

# Outside of it a stated resolution is that of a screen or of a printer: 72 dots per inch are 353 um.
PLAUSIBLE_UM = (0.02, 20.0)
_MICRONS = {"µm": 1.0, "μm": 1.0, "um": 1.0, "micrometer": 1.0, "nm": 1e-3, "nanometer": 1e-3, "mm": 1e3, "cm": 1e4}
_MICRONS |= {"millimeter": 1e3, "centimeter": 1e4, "m": 1e6, "meter": 1e6}


def plausible(value: Any) -> float | None:
    """Return a scale where it can be that of a microscope, else None."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) and PLAUSIBLE_UM[0] <= number <= PLAUSIBLE_UM[1] else None


def checked_scale(value: float | None, name: str) -> float | None:
    """Check a scale that was given.

    Raises
    ------
    InputError
        It is not positive and finite.
    """
    if value is not None and not (math.isfinite(value) and value > 0):
        raise InputError(f"{value} microns per pixel cannot be the scale of {name}: give a positive number.")
    return value


def tiff_scale(file: Any, page: Any, name: str) -> float | None:
    """Read the scale of a TIFF: OME-XML, then the description of Aperio scanners, then the resolution tags.

    Parameters
    ----------
    file, page
        tifffile's file and the page of the full-resolution level.
    name
        For messages.

    Raises
    ------
    InputError
        Its pixels are not square.
    """
    if file.is_ome and file.ome_metadata and (found := _ome(file.ome_metadata)):
        return _square(*found, name)
    if match := re.search(r"\bMPP\s*=\s*([0-9.]+)", str(page.description)):
        return plausible(match.group(1))
    if (unit := getattr(page, "resolutionunit", None)) in (2, 3):
        across, down = page.resolution
        microns = {2: 25400.0, 3: 10000.0}[int(unit)]
        if across > 0 and down > 0:
            x, y = plausible(microns / across), plausible(microns / down)
            return None if x is None or y is None else _square(x, y, name)
    return None


def ome_zarr_scale(multiscale: dict[str, Any], name: str) -> float | None:
    """Read the scale of the first level of an OME-Zarr image, where its axes have a unit.

    Raises
    ------
    InputError
        Its pixels are not square.
    """
    axes = [axis if isinstance(axis, dict) else {"name": axis} for axis in multiscale.get("axes", [])]
    steps = multiscale["datasets"][0].get("coordinateTransformations", [])
    scale = next((step["scale"] for step in steps if step.get("type") == "scale"), None)
    if scale is None or len(scale) != len(axes):
        return None
    sizes = {
        axis["name"]: plausible(step * _MICRONS[str(axis["unit"])])
        for axis, step in zip(axes, scale, strict=True)
        if axis["name"] in ("x", "y") and str(axis.get("unit")) in _MICRONS
    }
    x, y = sizes.get("x"), sizes.get("y")
    return None if x is None or y is None else _square(x, y, name)


def _ome(xml: str) -> tuple[float, float] | None:
    """Read PhysicalSizeX and PhysicalSizeY of the first image."""
    pixels = re.search(r"<(?:\w+:)?Pixels\b([^>]*)>", xml)
    stated = dict(re.findall(r'(\w+)\s*=\s*"([^"]*)"', pixels.group(1))) if pixels else {}
    sizes = [
        plausible(float(stated[f"PhysicalSize{axis}"]) * _MICRONS.get(stated.get(f"PhysicalSize{axis}Unit", "µm"), 0.0))
        for axis in "XY"
        if re.fullmatch(r"[0-9.eE+-]+", stated.get(f"PhysicalSize{axis}", ""))
    ]
    return (sizes[0], sizes[1]) if len(sizes) == 2 and sizes[0] and sizes[1] else None


def _square(x: float, y: float, name: str) -> float:
    """Return the one size of a square pixel."""
    if abs(x / y - 1.0) > 0.01:
        raise InputError(f"The pixels of {name} are {x:g} x {y:g} um: resample it to square pixels.")
    return math.sqrt(x * y)
