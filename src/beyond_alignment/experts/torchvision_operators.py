"""Lets timm be imported where torchvision was built for another torch.

The compiled operators of a torchvision wheel load only beside the torch they were built against. Where they do not,
the import of torchvision stops at two operator schemas that it expects; timm uses nothing compiled. Declaring the two
schemas is enough for the models and transforms; ``torchvision.ops.nms`` itself stays unavailable there.
"""

import importlib
import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType

import torch

SCHEMAS = ("nms", "qnms")
SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def _compiled_operators_load() -> bool:
    """Say whether torchvision's compiled library loads beside this torch."""
    spec = importlib.util.find_spec("torchvision")
    if spec is None or not spec.submodule_search_locations:
        return True  # absent: let the import itself say so
    libraries = sorted(Path(spec.submodule_search_locations[0]).glob("_C.*"))
    try:
        for library in libraries:
            torch.ops.load_library(str(library))
    except OSError:
        return False
    return bool(libraries)


@cache
def declare_operators() -> torch.library.Library | None:
    """Declare torchvision's two operator schemas where its compiled library cannot be loaded.

    Returns
    -------
    torch.library.Library | None
        The library that owns the schemas (they live as long as it does), or None where the wheels match.
    """
    if _compiled_operators_load():
        return None
    library = torch.library.Library("torchvision", "DEF")
    for name in SCHEMAS:
        library.define(name + SIGNATURE)
    return library


def import_timm() -> ModuleType:
    """Import timm, whichever torch the torchvision wheel was built for."""
    declare_operators()
    return importlib.import_module("timm")
