"""The checked file in which an expert that ran in an environment of its own hands over its embeddings.

The scripts in ``envs/`` write the same file without this package; a test holds the two to each other.
"""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from anndata import AnnData
from numpy.typing import ArrayLike, NDArray

from beyond_alignment import keys
from beyond_alignment.errors import InputError
from beyond_alignment.experts.registry import EXPERTS
from beyond_alignment.files import atomic_path

SCHEMA = "beyond-alignment/embedding"
VERSION = 1

Provenance = Mapping[str, str | int | float | bool]


@dataclass(frozen=True)
class EmbeddingFile:
    """Embeddings of named spots and what made them.

    Attributes
    ----------
    expert
        Name of the expert.
    values
        (spot, feature).
    obs_names
        Name of each spot.
    provenance
        What made the embeddings: model, revision, licence, sha256 of the weights, pooling, ...
    sha256
        Hexadecimal sha256 of names, provenance, shape and values.
    """

    expert: str
    values: NDArray[np.float32]
    obs_names: tuple[str, ...]
    provenance: dict[str, Any]
    sha256: str


def content_sha256(values: NDArray[np.float32], obs_names: Sequence[str], expert: str, provenance: str) -> str:
    """Return the hexadecimal sha256 of what a file holds.

    Parameters
    ----------
    values
        (spot, feature).
    obs_names
        Name of each spot.
    expert
        Name of the expert.
    provenance
        The provenance as JSON text.
    """
    header = {
        "expert": expert,
        "obs_names": list(obs_names),
        "provenance": provenance,
        "schema": SCHEMA,
        "shape": list(values.shape),
        "version": VERSION,
    }
    digest = hashlib.sha256(json.dumps(header, sort_keys=True, separators=(",", ":")).encode())
    digest.update(np.ascontiguousarray(values, dtype="<f4").tobytes())
    return digest.hexdigest()


def write_embedding_file(
    path: Path, values: ArrayLike, obs_names: Sequence[str], *, expert: str, provenance: Provenance
) -> EmbeddingFile:
    """Write embeddings with the names of their spots and what made them, in one step.

    Parameters
    ----------
    path
        The .h5 file.
    values
        (spot, feature), finite.
    obs_names
        Name of each spot, unique.
    expert
        Name of the expert; of a model that is not registered, a name of letters, digits, ``_``, ``-`` and ``.``.
    provenance
        What made the embeddings, flat, so that it fits into ``uns``.

    Returns
    -------
    EmbeddingFile
        What was written.

    Raises
    ------
    InputError
        If names, values or provenance cannot be handed over.
    """
    matrix, names = np.asarray(values, dtype=np.float32), tuple(map(str, obs_names))
    _check(matrix, names, expert, what="These embeddings")
    wrong = sorted(
        key
        for key, value in provenance.items()
        if not _is_name(key)
        or not isinstance(value, str | int | float | bool)
        or not _is_finite(value)
        or not _is_text(value)
    )
    if wrong:
        msg = f"The provenance must be text, numbers and truth values under plain names; these are not: {wrong[:3]}."
        raise InputError(msg)
    text = json.dumps(dict(provenance), sort_keys=True)
    sha256 = content_sha256(matrix, names, expert, text)
    with atomic_path(path) as temporary, h5py.File(temporary, "w") as handle:
        handle.create_dataset("values", data=matrix, compression="gzip", shuffle=True, track_times=False)
        column = handle.create_dataset("obs_names", (len(names),), dtype=h5py.string_dtype("utf-8"), track_times=False)
        column[...] = list(names)
        handle.attrs.update(schema=SCHEMA, version=VERSION, expert=expert, provenance=text, sha256=sha256)
    return EmbeddingFile(expert, matrix, names, dict(provenance), sha256)


def read_embedding_file(path: Path) -> EmbeddingFile:
    """Read a file of embeddings and check all that can be checked.

    Raises
    ------
    InputError
        If the file is not whole, of another kind or version, or holds other content than was written; if names repeat,
        values are not finite, or their number is not that of the expert's record.
    """
    if not path.is_file():
        msg = f"There is no file {path}: write it with envs/<expert>/extract.py."
        raise InputError(msg)
    try:
        with h5py.File(path, "r") as handle:
            found = (handle.attrs.get("schema"), handle.attrs.get("version"))
            if found != (SCHEMA, VERSION):
                msg = f"{path} is no {SCHEMA} file of version {VERSION} (found {found[0]}, {found[1]}): write it again."
                raise InputError(msg)
            matrix = np.asarray(handle["values"][...], dtype=np.float32)
            names = tuple(name.decode() for name in handle["obs_names"][...])
            expert, text, sha256 = (str(handle.attrs[key]) for key in ("expert", "provenance", "sha256"))
        provenance = json.loads(text)
    except (OSError, LookupError, ValueError, TypeError, AttributeError, RuntimeError, MemoryError) as error:
        if isinstance(error, InputError):
            raise
        msg = f"{path} cannot be read as a whole file of embeddings ({error}); write it again."
        raise InputError(msg) from error
    if sha256 != content_sha256(matrix, names, expert, text):
        msg = f"{path} does not hold what was written (its sha256 differs); write it again."
        raise InputError(msg)
    _check(matrix, names, expert, what=str(path))
    return EmbeddingFile(expert, matrix, names, provenance, sha256)


def attach_embedding(adata: AnnData, file: EmbeddingFile) -> None:
    """Add embeddings from a file to the spots that they belong to, by name.

    Parameters
    ----------
    adata
        Every spot must be in the file, which may hold more. Writes ``obsm["X_<expert>"]`` (spot, feature) and
        ``uns["<expert>"]["params"]``.
    file
        From :func:`read_embedding_file`.

    Raises
    ------
    InputError
        If spots are missing from the file, which are named, or spot names repeat.
    """
    if not adata.obs_names.is_unique:
        msg = "Spot names of the data repeat, so that embeddings cannot be told apart: make obs_names unique."
        raise InputError(msg)
    position = {name: row for row, name in enumerate(file.obs_names)}
    missing = [name for name in adata.obs_names if name not in position]
    if missing:
        msg = (
            f"The file of {file.expert} lacks {len(missing)} of {adata.n_obs} spots, such as {missing[0]!r}; it has "
            f"{len(file.obs_names)}, such as {file.obs_names[0]!r}: extract from this data, or keep only shared spots."
        )
        raise InputError(msg)
    adata.obsm[keys.embedding(file.expert)] = file.values[[position[name] for name in adata.obs_names]]
    record = EXPERTS.get(file.expert)
    known = {"source": record.source, "licence": record.licence, "input": record.input_description} if record else {}
    adata.uns[file.expert] = {
        "params": {"expert": file.expert, **known, **file.provenance, "embedding_sha256": file.sha256}
    }


def _check(matrix: NDArray[np.float32], names: tuple[str, ...], expert: str, *, what: str) -> None:
    """Refuse embeddings that cannot be handed over."""
    if not _is_name(expert):
        msg = f"{expert!r} cannot name an expert: use letters, digits, '_', '-' and '.'."
        raise InputError(msg)
    if matrix.ndim != 2 or 0 in matrix.shape or len(matrix) != len(names):
        msg = f"{what}: the shape is {matrix.shape} for {len(names)} spot names; it must be (spot, feature)."
        raise InputError(msg)
    repeated = [name for name, n in Counter(names).items() if n > 1]
    if repeated:
        msg = f"{what}: {len(repeated)} spot names occur more than once, such as {repeated[0]!r}; make them unique."
        raise InputError(msg)
    odd = [name for name in names if not name or not _is_text(name)]
    if odd:
        msg = f"{what}: {len(odd)} spot names are empty or no plain text, such as {odd[0]!r}; rename them."
        raise InputError(msg)
    lost = np.flatnonzero(~np.isfinite(matrix).all(axis=1))
    if lost.size:
        msg = f"{what}: {lost.size} spots have NaN or infinite values, such as {names[lost[0]]!r}; extract them again."
        raise InputError(msg)
    record = EXPERTS.get(expert)
    if record and record.dimension and record.dimension != matrix.shape[1]:
        msg = f"{what}: {matrix.shape[1]} features, and {expert} has {record.dimension}; was it another checkpoint?"
        raise InputError(msg)


def _is_name(text: object) -> bool:
    """Return whether a text can be a key in an .h5ad file."""
    return (
        isinstance(text, str)
        and text != ""
        and text.isascii()
        and text.replace(".", "").replace("-", "_").isidentifier()
    )


def _is_finite(value: object) -> bool:
    """Return whether a value that is a number is finite."""
    return not isinstance(value, float) or math.isfinite(value)


def _is_text(value: object) -> bool:
    """Return whether a value that is a text can be stored as UTF-8."""
    if not isinstance(value, str):
        return True
    return "\0" not in value and not any(0xD800 <= ord(letter) <= 0xDFFF for letter in value)
