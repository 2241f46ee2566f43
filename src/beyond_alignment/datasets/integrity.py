"""Whether a file is, byte for byte, the one that the registry names."""

import hashlib
import os
from pathlib import Path

from beyond_alignment.datasets.registry import DataFile

_CHUNK = 1 << 20
_verified: dict[tuple[str, int, int, int], DataFile] = {}


def mismatch(path: Path, file: DataFile) -> str | None:
    """Say in which way the file at ``path`` differs from its registry entry.

    A file found good is remembered by path, inode, size and modification time for the rest of the process.

    Returns
    -------
    str or None
        ``"expected ..., found ..."``, or None where size and digest agree.
    """
    status = path.stat()
    key = (os.fspath(path.absolute()), status.st_ino, status.st_size, status.st_mtime_ns)
    if _verified.get(key) == file:
        return None
    if file.size is not None and status.st_size != file.size:
        return f"expected {file.size} bytes, found {status.st_size}"
    if file.sha256 is not None:
        expected, found, kind = file.sha256, _digest(path, "sha256", b""), "sha256"
    else:
        prefix = f"blob {status.st_size}\0".encode()
        expected, found, kind = str(file.git_blob), _digest(path, "sha1", prefix), "git blob"
    if found != expected:
        return f"expected {kind} {expected}, found {found}"
    _verified[key] = file
    return None


def _digest(path: Path, algorithm: str, prefix: bytes) -> str:
    """Hash a prefix and then the file, a piece at a time."""
    state = hashlib.new(algorithm, prefix, usedforsecurity=False)
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            state.update(chunk)
    return state.hexdigest()
