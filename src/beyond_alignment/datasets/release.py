"""The frozen-embedding release: small .h5ad files that stand in for raw images, each with its hash in a manifest."""

import json
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import anndata as ad
import h5py
import numpy as np
from anndata.experimental import write_dispatched
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from beyond_alignment import keys, project
from beyond_alignment.errors import InputError
from beyond_alignment.files import atomic_path, file_sha256, write_text

MANIFEST = "manifest.json"
STEP = 2.0**-6
WIDE = 64
SMALL = 2048  # bytes: the index of a compressed array takes more than compression could save
FORMAT = ("v110", "v110")  # of HDF5: many small arrays take less room than in the oldest format
_PACKAGES = ("anndata", "h5py", "numpy", "timm", "torch")
_NAME = re.compile(r"[a-z0-9][a-z0-9_]*")
_STORAGE = {"track_times": False}
_COMPRESSED = _STORAGE | {"compression": "gzip", "compression_opts": 9, "shuffle": True}
_SCALARS = {"null", "string", "bytes", "numeric-scalar"}


def round_to_step(values: ArrayLike, step: float) -> NDArray[np.float64]:
    """Round to multiples of a step, ties to even.

    The error is at most half a step: 0.008 for the release's 2**-6, in root mean square 0.005, which is 0.6-2.5 % of
    the spread of a network's features (bfloat16 inference moves them by 0.3-1.4 %). Values without meaningless digits
    let gzip shrink the files.

    Parameters
    ----------
    values
        Finite numbers of any shape.
    step
        A positive number.

    Raises
    ------
    InputError
        If a value is not finite or the step is not positive.
    """
    numbers = np.asarray(values, dtype=np.float64)
    if not (np.isfinite(step) and step > 0):
        msg = f"Values cannot be rounded to multiples of {step}: give a positive step."
        raise InputError(msg)
    if not np.isfinite(numbers).all():
        msg = "Values to round hold NaN or infinity: drop or impute them first."
        raise InputError(msg)
    return np.rint(numbers / step) * step + 0.0


def write_release(adata: ad.AnnData, name: str, *, folder: Path | None = None) -> Path:
    """Write a release file and its entry in ``manifest.json``, each in one step; the same data give the same bytes.

    Embeddings (``obsm["X_..."]``) become float16, those of more than 64 features in multiples of 2**-6; ``X`` and
    layers become the smallest unsigned integers if they hold counts, and stay as they are otherwise; everything else is
    written as it is.

    Parameters
    ----------
    adata
        Reads ``uns["dataset"]``: licence, source. Stays as it is.
    name
        Name of the file without ``.h5ad``: small letters, digits and underscores.
    folder
        Where to write; ``data/`` of the project without it.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    InputError
        If the name is not allowed, licence or source is missing, an embedding does not fit float16, or ``uns`` or
        ``obs`` names a path of this machine.
    """
    path = _place(name, folder)
    dataset = adata.uns.get(keys.DATASET, {})
    if not dataset.get("licence") or not dataset.get("source"):
        msg = f"Release {name!r} has no licence or source: set both in uns[{keys.DATASET!r}]."
        raise InputError(msg)
    _refuse_machine_paths(adata)
    small = adata.copy()
    if small.X is not None:
        small.X = _smallest(small.X)
    for key, layer in list(small.layers.items()):
        small.layers[key] = _smallest(layer)
    for key in _embeddings(small):
        small.obsm[key] = _half(small.obsm[key], key)
    for field in ("layers", "obsm", "obsp", "varm", "uns"):
        setattr(small, field, _sorted(getattr(small, field)))
    with atomic_path(path) as temporary:
        with h5py.File(temporary, "w", libver=FORMAT) as file:
            write_dispatched(file, "/", small, _write_compressed)
        size, digest = temporary.stat().st_size, file_sha256(temporary)
    entry = {
        "sha256": digest,
        "size": size,
        "licence": str(dataset["licence"]),
        "source": str(dataset["source"]),
        "versions": {package: _version(package) for package in _PACKAGES},
    }
    manifest = path.parent / MANIFEST
    files = dict(sorted((_manifest(manifest) | {path.name: entry}).items()))
    write_text(manifest, json.dumps({"files": files}, indent=2, ensure_ascii=False) + "\n")
    return path


def read_release(name: str, *, folder: Path | None = None) -> ad.AnnData:
    """Read a release file after verifying its hash.

    Parameters
    ----------
    name
        Name of the file without ``.h5ad``.
    folder
        Where it lies; ``data/`` of the project without it.

    Returns
    -------
    AnnData
        As it was written; embeddings, counts in ``X`` and counts in layers come back as float32.

    Raises
    ------
    InputError
        If the file is missing, is not in the manifest, or is not the one that the manifest describes.
    """
    path = _place(name, folder)
    entry = _manifest(path.parent / MANIFEST).get(path.name)
    if not path.is_file():
        msg = f"The release {path} is missing: restore it from the repository or run notebook 02."
        raise InputError(msg)
    if entry is None:
        msg = f"The release {path} is not in {MANIFEST}: restore both from the repository or run notebook 02."
        raise InputError(msg)
    if (digest := file_sha256(path)) != entry.get("sha256"):
        msg = (
            f"The release {path} is damaged (sha256 {digest[:12]}, expected {str(entry.get('sha256'))[:12]}): "
            "restore it from the repository or run notebook 02."
        )
        raise InputError(msg)
    adata = ad.read_h5ad(path)
    if adata.X is not None:
        adata.X = _single(adata.X)
    for key, layer in list(adata.layers.items()):
        adata.layers[key] = _single(layer)
    for key in _embeddings(adata):
        adata.obsm[key] = adata.obsm[key].astype(np.float32)
    return adata


def _place(name: str, folder: Path | None) -> Path:
    """Return the path of a release file."""
    if not _NAME.fullmatch(name):
        msg = f"A release cannot be called {name!r}: use small letters, digits and underscores."
        raise InputError(msg)
    return (folder or project.root() / "data") / f"{name}.h5ad"


def _manifest(path: Path) -> dict[str, dict[str, Any]]:
    """Read the entries of the manifest; none where there is no manifest."""
    if not path.is_file():
        return {}
    try:
        files = json.loads(path.read_text(encoding="utf-8"))["files"]
        return {str(name): dict(entry) for name, entry in files.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"{path} is damaged ({error}): restore it from the repository."
        raise InputError(msg) from error


def _embeddings(adata: ad.AnnData) -> list[str]:
    """Return the ``obsm`` keys of the embeddings."""
    return [key for key in adata.obsm if key.startswith(keys.embedding(""))]


def _sorted(value: Any) -> Any:
    """Order mappings by key, as they come back from a file, so that the order of making leaves no trace."""
    return {key: _sorted(value[key]) for key in sorted(value)} if isinstance(value, Mapping) else value


def _half(values: ArrayLike, key: str) -> NDArray[np.float16]:
    """Round an embedding for float16."""
    numbers = np.asarray(values, dtype=np.float64)
    rounded = round_to_step(numbers, STEP if numbers.shape[1] > WIDE else 2.0**-20)
    if rounded.size and np.abs(rounded).max() > np.finfo(np.float16).max:
        msg = f"Embedding {key!r} holds {np.abs(rounded).max():.3g}, beyond float16: scale it below 65504."
        raise InputError(msg)
    return rounded.astype(np.float16)


def _smallest(matrix: Any) -> Any:
    """Give counts the smallest unsigned integer type; leave other numbers as they are."""
    numbers = matrix.data if sparse.issparse(matrix) else np.asarray(matrix)
    if numbers.size == 0 or numbers.min() < 0 or not np.array_equal(numbers, np.rint(numbers)):
        return matrix
    return matrix.astype(np.min_scalar_type(int(numbers.max())))


def _single(matrix: Any) -> Any:
    """Give integers back as float32."""
    return matrix.astype(np.float32) if np.issubdtype(matrix.dtype, np.integer) else matrix


def _write_compressed(write: Any, store: Any, key: str, element: Any, *, iospec: Any, **_: Any) -> None:
    """Write one element of an AnnData with compression; HDF5 takes no filter on a scalar."""
    small = isinstance(element, np.ndarray) and element.nbytes < SMALL
    options = {} if iospec.encoding_type in _SCALARS else dict(_STORAGE if small else _COMPRESSED)
    if isinstance(element, np.ndarray) and element.dtype == np.float16 and element.shape[1] > WIDE:
        options["chunks"] = (len(element), WIDE)  # features alike in scale share a chunk and shrink better
    write(store, key, element, dataset_kwargs=options)


def _version(package: str) -> str:
    """Return the public version of an installed package, without the local build."""
    try:
        return version(package).partition("+")[0]
    except PackageNotFoundError:
        return "absent"


def _refuse_machine_paths(adata: ad.AnnData) -> None:
    """Raise if a string in ``uns`` or ``obs`` is an absolute path or names the home or the project folder."""
    homes = [str(place) for place in (Path.home(), Path.cwd(), *_roots()) if len(place.parts) > 1]
    texts = list(_strings(adata.uns, "uns"))
    for column in adata.obs.select_dtypes(include=["object", "category", "string"]):
        texts += [(f"obs[{column!r}]", str(value)) for value in adata.obs[column].unique()]
    for where, text in texts:
        if re.match(r"(/|~/|[A-Za-z]:[\\/]|file:)", text) or any(f"{home}/" in f"{text}/" for home in homes):
            msg = f"{where} holds the path {text!r} of this machine: store a name that holds everywhere."
            raise InputError(msg)


def _roots() -> list[Path]:
    """Return the project folder where there is one."""
    try:
        return [project.root()]
    except InputError:
        return []


def _strings(value: Any, where: str) -> Iterator[tuple[str, str]]:
    """Yield every string below ``value`` with the place it is at."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _strings(item, f"{where}[{key!r}]")
    elif isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.dtype.kind in "OUT"):
        for item in np.asarray(value, dtype=object).ravel():
            yield from _strings(item, where)
