"""The record of a model, and the file in which its embeddings are handed over.

The file is an HDF5 file that ``beyond_alignment.experts.read_embedding_file`` checks and loads. Only the standard
library is imported on import.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from counts import InputProblem

SCHEMA = "beyond-alignment/embedding"
VERSION = 1


@dataclass(frozen=True)
class Model:
    """What a model is and needs.

    Attributes
    ----------
    name
        The expert's name: its embedding becomes ``obsm["X_<name>"]``.
    title
        Name and size of the checkpoint.
    dimension
        d, features of an embedding; 0 where the checkpoint decides.
    genes
        ``symbol`` or ``ensembl``, or ``either``.
    species
        The species it was trained on.
    weights
        What ``--weights`` names.
    source
        Where code and weights come from.
    revision
        The pinned commit or version; ``not pinned`` where there is none to pin.
    licence
        Of the weights.
    pooling
        How one vector a spot is made.
    packages
        Packages whose versions are written down.
    min_shared
        Fewest genes that data and vocabulary must have in common.
    """

    name: str
    title: str
    dimension: int
    genes: str
    species: tuple[str, ...]
    weights: str
    source: str
    revision: str
    licence: str
    pooling: str
    packages: tuple[str, ...]
    min_shared: int = 500


def content_sha256(values: Any, obs_names: Sequence[str], expert: str, provenance: str) -> str:
    """Return the sha256 of what the file holds: names, provenance and shape as JSON, then the values."""
    import numpy as np

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


def check_values(model: Model, values: Any, obs_names: Sequence[str]) -> Any:
    """Return the embeddings as float32, refused where they are not one finite vector a spot."""
    import numpy as np

    values = np.asarray(values, dtype=np.float32)
    if values.ndim != 2 or len(values) != len(obs_names):
        raise InputProblem(f"{model.name} gave an array of shape {values.shape} for {len(obs_names)} spots.")
    if model.dimension and values.shape[1] != model.dimension:
        raise InputProblem(
            f"{model.name} gave {values.shape[1]} features and {model.dimension} are right: other weights?"
        )
    if not np.isfinite(values).all():
        raise InputProblem(f"{model.name} gave NaN or infinite values for {(~np.isfinite(values)).any(1).sum()} spots.")
    if len(values) > 1 and (values == values[0]).all():
        raise InputProblem(f"{model.name} gave the same vector for every spot: do the genes match the model?")
    return values


def write_file(path: Path, model: Model, values: Any, obs_names: Sequence[str], details: dict[str, Any]) -> None:
    """Write the checked file under a temporary name and rename it."""
    import h5py

    values = check_values(model, values, obs_names)
    provenance = json.dumps(details, sort_keys=True, allow_nan=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        temporary = Path(folder) / path.name
        with h5py.File(temporary, "w") as handle:
            handle.create_dataset("values", data=values, compression="gzip", shuffle=True, track_times=False)
            names = handle.create_dataset(
                "obs_names", (len(obs_names),), dtype=h5py.string_dtype("utf-8"), track_times=False
            )
            names[...] = list(obs_names)
            handle.attrs["schema"], handle.attrs["version"] = SCHEMA, VERSION
            handle.attrs["expert"], handle.attrs["provenance"] = model.name, provenance
            handle.attrs["sha256"] = content_sha256(values, obs_names, model.name, provenance)
        os.replace(temporary, path)


def verify_file(path: Path, model: Model, obs_names: Sequence[str]) -> int:
    """Read a written file again, refuse one that is not whole or not of these spots; return its features."""
    import h5py

    try:
        with h5py.File(path, "r") as handle:
            values, names = handle["values"][...], [name.decode() for name in handle["obs_names"][...]]
            attributes = dict(handle.attrs)
    except (OSError, LookupError, ValueError, TypeError, AttributeError, RuntimeError, MemoryError) as error:
        raise InputProblem(f"{path} is no whole embedding file ({error}): run the extraction again.") from error
    found = (attributes.get("schema"), attributes.get("version"), attributes.get("expert"))
    if found != (SCHEMA, VERSION, model.name):
        raise InputProblem(f"{path} is a file of {found}, not of {(SCHEMA, VERSION, model.name)}: name another --out.")
    if attributes.get("sha256") != content_sha256(values, names, model.name, attributes.get("provenance")):
        raise InputProblem(f"The content of {path} is not what was written (sha256): run the extraction again.")
    check_values(model, values, names)
    lost = [name for name in obs_names if name not in set(names)]
    if lost:
        raise InputProblem(
            f"{path} lacks {len(lost)} spots of the data, such as {lost[0]!r}: run the extraction again."
        )
    return values.shape[1]
