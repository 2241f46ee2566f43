"""``pytest --nbval`` runs the notebooks into ``executed/nbval``, away from what a run of the book left."""

import os
from pathlib import Path

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Point the kernels to a folder of their own, and to the kernel of this environment."""
    if config.getoption("nbval", default=False) or config.getoption("nbval_lax", default=False):
        root = Path(os.environ.get("BEYOND_ALIGNMENT_ROOT", config.rootpath))
        os.environ["BEYOND_ALIGNMENT_EXECUTED"] = str(root / "executed" / "nbval")
        os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
        os.environ.pop("MPLBACKEND", None)
