"""``pytest --nbval`` runs the notebooks against a copy of ``results/``: a test never writes over what is committed."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

COPY = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """Point the kernels to a copy, and to the kernel of this environment."""
    if not (config.getoption("nbval", default=False) or config.getoption("nbval_lax", default=False)):
        return
    copy = config.stash[COPY] = Path(tempfile.mkdtemp(prefix="beyond-alignment-"))
    results = Path(os.environ.get("BEYOND_ALIGNMENT_ROOT", config.rootpath)) / "results"
    if results.is_dir():
        shutil.copytree(results, copy, dirs_exist_ok=True)
    os.environ["BEYOND_ALIGNMENT_RESULTS"] = str(copy)
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    os.environ.pop("MPLBACKEND", None)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the copy."""
    if COPY in config.stash:
        shutil.rmtree(config.stash[COPY], ignore_errors=True)
