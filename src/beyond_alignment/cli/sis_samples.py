"""Takes what a decomposition needs out of one's own .h5ad file."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse

from beyond_alignment import keys
from beyond_alignment.datasets.h5ad import H5ad
from beyond_alignment.errors import InputError
from beyond_alignment.tasks.splits import tiles


@dataclass(frozen=True)
class OwnSamples:
    """Paired samples that carry a label: what the file holds, the keys, groups and blocks, and what was left out."""

    x1: Any
    x2: Any
    y: Any
    names: tuple[str, str, str]
    groups: NDArray[np.object_] | None
    blocks: NDArray[np.object_] | None
    made_from: str
    notes: tuple[str, ...]


def read_samples(
    file: H5ad,
    *,
    first: str,
    second: str,
    label: str,
    groups: str | None = None,
    blocks: str | None = None,
    block_um: float | None = None,
) -> OwnSamples:
    """Read two sources, a label and groups; spots without a label or a group are left out.

    An expert's name stands for ``X_<expert>``, a task's for ``task_<name>``; `block_um` is the side of square tiles in
    microns, in the place of `blocks`.
    """
    if blocks is not None and block_um is not None:
        raise InputError("Both --blocks and --block-um name the blocks; give one of them.")
    pair = [_source(file, name) for name in (first, second)]
    if pair[0] == pair[1]:
        raise InputError(f"Both sources are obsm[{pair[0]!r}]; name two different ones.")
    y, key = _label(file, label)
    y = y.toarray() if sparse.issparse(y) else y
    units = {
        "group": file.column(groups) if groups is not None else None,
        "block": _blocks(file, blocks, block_um),
    }
    sources = [file.matrix(name) for name in pair]
    _check_lengths({f"obsm[{name!r}]": x for name, x in zip(pair, sources, strict=True)} | {f"{label!r}": y} | units)
    keep, notes = _labelled(y, units)
    names = {unit: None if v is None else v.astype(str).to_numpy(object)[keep] for unit, v in units.items()}
    made_from = file.unstructured(key if key.startswith("task_") else keys.task(key), "made_from")
    x1, x2, y = (_rows(part, keep) for part in (*sources, y))
    return OwnSamples(
        x1=x1,
        x2=x2,
        y=y,
        names=(pair[0], pair[1], key),
        groups=names["group"],
        blocks=names["block"],
        made_from=made_from if isinstance(made_from, str) else "",
        notes=tuple(notes),
    )


def _source(file: H5ad, name: str) -> str:
    """Return the key of a source."""
    held = file.matrices()
    return keys.embedding(name) if name not in held and keys.embedding(name) in held else name


def _label(file: H5ad, name: str) -> tuple[Any, str]:
    """Read the label from where it is, and return its key."""
    for key in (name, keys.task(name)):
        if key in file.columns():
            return file.column(key), key
        if key in file.matrices():
            return file.matrix(key), key
    return file.column(name), name


def _blocks(file: H5ad, column: str | None, side_um: float | None) -> pd.Series | None:
    """Read blocks, or cut the tissue into tiles."""
    if column is not None:
        return file.column(column)
    if side_um is None:
        return None
    coordinates = np.asarray(file.matrix(keys.SPATIAL), dtype=np.float64)
    libraries = file.libraries()
    if keys.SECTION in file.columns():
        sections = file.column(keys.SECTION).astype(str)
    elif len(libraries) == 1:
        sections = pd.Series(libraries * len(coordinates))
    else:
        raise InputError(
            f"--block-um needs obs[{keys.SECTION!r}], which is missing; give --blocks with a column instead."
        )
    scales = {}
    for section in sections.unique():
        scale = file.unstructured(keys.SPATIAL, section, "scalefactors", keys.MICRONS_PER_PIXEL)
        if not isinstance(scale, int | float | np.number) or not 0 < scale < np.inf:
            raise InputError(
                f"--block-um needs uns['spatial'][{section!r}]['scalefactors'][{keys.MICRONS_PER_PIXEL!r}], which is"
                " missing or no positive number; give --blocks with a column instead."
            )
        scales[section] = {"scalefactors": {keys.MICRONS_PER_PIXEL: float(scale)}}
    if coordinates.shape != (len(sections), 2) or not np.isfinite(coordinates).all():
        raise InputError(
            f"obsm['spatial'] has shape {coordinates.shape} or holds NaN; --block-um needs x and y of all."
        )
    obs = pd.DataFrame({keys.SECTION: sections.to_numpy()}, index=sections.index.astype(str))
    tissue = AnnData(obs=obs, obsm={keys.SPATIAL: coordinates}, uns={keys.SPATIAL: scales})
    return pd.Series(tiles(tissue, side_um=side_um))


def _check_lengths(parts: dict[str, Any]) -> None:
    """Check that all parts are of the same spots."""
    lengths = {name: (*np.shape(part), 0)[0] for name, part in parts.items() if part is not None}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise InputError(f"Sources, labels and groups differ in length ({listed}); they must be of the same spots.")


def _labelled(y: Any, units: dict[str, pd.Series | None]) -> tuple[NDArray[np.bool_], list[str]]:
    """Return which spots carry a label and a group, and say how many do not."""
    missing_labels = pd.isna(np.asarray(y))
    keep = ~missing_labels.any(axis=tuple(range(1, missing_labels.ndim)))
    notes = [f"{(~keep).sum():,} of {len(keep):,} spots carry no label and were left out."] if not keep.all() else []
    for unit, values in units.items():
        missing = values.isna().to_numpy() & keep if values is not None else np.zeros_like(keep)
        if missing.any():
            notes.append(f"{missing.sum():,} labelled spots have no {unit} and were left out.")
            keep &= ~missing
    if not keep.any():
        raise InputError(f"None of the {len(keep):,} spots carries a label and a group; choose another label.")
    return keep, notes


def _rows(part: Any, keep: NDArray[np.bool_]) -> Any:
    """Return the kept rows of a part; all of them without a copy."""
    if keep.all():
        return part
    return part.loc[keep] if isinstance(part, pd.DataFrame | pd.Series) else part[keep]
