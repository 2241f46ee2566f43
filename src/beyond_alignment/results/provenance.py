"""The machine and the packages behind a page."""

import platform
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PACKAGES = (
    "beyond-alignment",
    "anndata",
    "numpy",
    "pandas",
    "scanpy",
    "scikit-learn",
    "scipy",
    "squidpy",
    "timm",
    "torch",
)


def package_versions() -> dict[str, str]:
    """Return the installed versions of the packages that the numbers hang on."""
    return {name: _version(name) for name in PACKAGES}


def _version(name: str) -> str:
    """Look one version up."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def python_version() -> str:
    """Return the version of the running Python."""
    return platform.python_version()


def device_used(parameters: Mapping[str, Any]) -> str:
    """Return the device that the page computed on, by the name of the card where it was one.

    Parameters
    ----------
    parameters
        The page's parameters; ``device`` is ``auto`` when missing.
    """
    wanted = str(parameters.get("device", "auto"))
    torch = sys.modules.get("torch")  # a page that never imported it did not compute on a card
    if wanted == "cpu" or torch is None or not torch.cuda.is_available():
        return "cpu"
    return f"cuda ({torch.cuda.get_device_name()})"
