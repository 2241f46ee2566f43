"""Keeps each finished point of a long run on disk, so that a killed run goes on where it stopped."""

import ast
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from beyond_alignment.files import atomic_path
from beyond_alignment.project import root

Arrays = dict[str, NDArray]
CODE = ("fusion", "tasks", "benchmark")


def open_store(profile: str, *, code: Sequence[str] = CODE, data: bool = True) -> "PointStore":
    """Return the store of a profile: ``executed/<profile>/points``, good for this code and these releases alone.

    The quick profile keeps none: each of its pages is run again whole.

    Parameters
    ----------
    profile
        Name of the profile.
    code
        Packages and modules, such as ``benchmark/runner.py``, that a point depends on; their comments and docstrings
        do not count.
    data
        Whether a point depends on the releases.
    """
    if profile == "quick":
        return PointStore(None)
    context = hashlib.sha256(code_digest(code).encode())
    manifest = root() / "data" / "manifest.json"
    if data and manifest.is_file():
        context.update(manifest.read_bytes())
    return PointStore(root() / "executed" / profile / "points", context=context.hexdigest())


def code_digest(code: Sequence[str]) -> str:
    """Return a hash of packages and modules, such as ``benchmark/runner.py``, without comments and docstrings."""
    package = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for path in (path for name in code for path in _modules(package / name)):
        digest.update(_what_runs(path.read_text(encoding="utf-8")).encode())
    return digest.hexdigest()


def _modules(path: Path) -> list[Path]:
    """Return a module, or all modules of a package."""
    return [path] if path.suffix == ".py" else sorted(path.rglob("*.py"))


def _what_runs(source: str) -> str:
    """Return a module's syntax tree as text, without comments and docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
        ):
            body[0].value = ast.Constant(None)
    return ast.dump(tree)


class PointStore:
    """A folder with one ``.npz`` file a finished point.

    Parameters
    ----------
    folder
        Where the points lie; None keeps nothing.
    context
        Whatever a point depends on besides its own key (hash of the code, of the data): part of every file's name.
    """

    def __init__(self, folder: Path | None, *, context: str = "") -> None:
        self.folder = folder
        self.context = context

    def _path(self, folder: Path, key: Mapping[str, object]) -> Path:
        """Return the file of a point."""
        text = json.dumps({"context": self.context, **key}, sort_keys=True, default=str)
        return folder / f"{hashlib.sha256(text.encode()).hexdigest()[:24]}.npz"

    def find(self, key: Mapping[str, object]) -> Arrays | None:
        """Return a point that is kept; None where it is not, or cannot be read."""
        path = None if self.folder is None else self._path(self.folder, key)
        if path is None or not path.is_file():
            return None
        try:
            with np.load(path, allow_pickle=False) as stored:
                return dict(stored)
        except (OSError, ValueError, EOFError, BadZipFile):
            path.unlink(missing_ok=True)
            return None

    def keep(self, key: Mapping[str, object], arrays: Arrays) -> Arrays:
        """Keep a point in one step, and return it."""
        if self.folder is not None:
            with atomic_path(self._path(self.folder, key)) as temporary, temporary.open("wb") as handle:
                np.savez(handle, **arrays)  # type: ignore[arg-type]
        return arrays

    def get(self, key: Mapping[str, object], compute: Callable[[], Arrays]) -> Arrays:
        """Return a point, computing it when it is not there.

        Parameters
        ----------
        key
            What identifies the point; values must have a stable text.
        compute
            Returns the arrays of the point; called only when the file is missing or cannot be read.
        """
        found = self.find(key)
        return self.keep(key, compute()) if found is None else found
