"""Counts and names of an .h5ad file, read without anndata, and the judgement whether a model can use them.

The environments of the models hold versions of anndata that are years apart and cannot read each other's files, so the
few arrays that are needed are read through h5py. Only the standard library is imported on import.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

ENSEMBL = re.compile(r"(ENS([A-Z]{3,4})?G\d{6,})(\.\d+)?(_PAR_Y)?")
PREFIXES = {None: "human", "MUS": "mouse"}


class InputProblem(ValueError):
    """Bad input: one sentence with what was found, what was expected and what to do."""


@dataclass(frozen=True)
class Counts:
    """Raw counts with names.

    Attributes
    ----------
    values
        (spot, gene) scipy CSR matrix, float32.
    obs_names
        Names of the spots.
    genes
        Names of the genes.
    path
        The file they were read from.
    """

    values: Any
    obs_names: tuple[str, ...]
    genes: tuple[str, ...]
    path: Path

    def anndata(self) -> Any:
        """Return a bare AnnData of the environment's own version."""
        import anndata
        import pandas as pd

        obs, var = pd.DataFrame(index=list(self.obs_names)), pd.DataFrame(index=list(self.genes))
        return anndata.AnnData(X=self.values.copy(), obs=obs, var=var)

    def select(self, vocabulary: Sequence[str]) -> "Counts":
        """Return the counts of exactly these genes in this order: absent ones 0, repeated ones summed, case ignored."""
        import numpy as np
        from scipy import sparse

        exact = {gene: i for i, gene in enumerate(vocabulary)}
        folded = {fold(gene): i for i, gene in reversed(list(enumerate(vocabulary)))}
        hits = [(row, exact.get(gene, folded.get(fold(gene)))) for row, gene in enumerate(self.genes)]
        pairs = np.array([(row, column) for row, column in hits if column is not None], dtype=int).reshape(-1, 2)
        ones = np.ones(len(pairs), dtype=np.float32)
        projection = sparse.csr_matrix((ones, (pairs[:, 0], pairs[:, 1])), shape=(len(self.genes), len(vocabulary)))
        return replace(self, values=(self.values @ projection).tocsr(), genes=tuple(vocabulary))


def fold(gene: str) -> str:
    """Return a gene name without case and without the version of an Ensembl identifier."""
    found = ENSEMBL.fullmatch(gene.upper())
    return found[1] if found else gene.upper()


def file_sha256(path: Path) -> str:
    """Return the hexadecimal sha256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        for block in iter(lambda: handle.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def read_counts(path: Path, *, layer: str = "", gene_column: str = "") -> Counts:
    """Read counts and names.

    Parameters
    ----------
    path
        An .h5ad file.
    layer
        Key of ``layers``; ``X`` when empty.
    gene_column
        Column of ``var`` that names the genes; the index when empty.

    Raises
    ------
    InputProblem
        If the file, the layer or the column cannot be read.
    """
    import h5py

    if not path.is_file():
        raise InputProblem(f"There is no file {path}: give the .h5ad file whose spots are to be embedded.")
    try:
        with h5py.File(path, "r") as handle:
            where = f"layers/{layer}" if layer else "X"
            if where not in handle or "obs" not in handle or "var" not in handle:
                layers = ", ".join(handle["layers"]) if "layers" in handle else ""
                raise InputProblem(f"{path.name} has no {where}, obs and var; its layers are: {layers or 'none'}.")
            values = _matrix(handle[where])
            obs_names = _column(handle["obs"], "")
            if gene_column and gene_column not in handle["var"]:
                columns = ", ".join(handle["var"])
                raise InputProblem(f"var of {path.name} has no column {gene_column!r}; it has: {columns}.")
            genes = _column(handle["var"], gene_column)
    except OSError as error:
        raise InputProblem(f"{path} cannot be read as .h5ad ({error}); write it again.") from error
    return Counts(values, tuple(obs_names), tuple(genes), path)


def _matrix(node: Any) -> Any:
    """Return a dense or sparse h5ad matrix as CSR float32."""
    import numpy as np
    from scipy import sparse

    if hasattr(node, "shape"):
        return sparse.csr_matrix(np.asarray(node[...], dtype=np.float32))
    kind = sparse.csc_matrix if node.attrs["encoding-type"] == "csc_matrix" else sparse.csr_matrix
    parts = (node["data"][...].astype(np.float32), node["indices"][...], node["indptr"][...])
    return kind(parts, shape=tuple(node.attrs["shape"])).tocsr()


def _column(frame: Any, column: str) -> list[str]:
    """Return a column of names, or the index, of an h5ad data frame in any of its encodings."""
    node = frame[column or frame.attrs["_index"]]
    if hasattr(node, "keys") and "categories" in node:
        categories = _strings(node["categories"])
        return [categories[code] if code >= 0 else "" for code in node["codes"][...]]
    return _strings(node)


def _strings(node: Any) -> list[str]:
    """Return a data set, or a nullable one, which is a group, as text."""
    values = node["values"] if hasattr(node, "keys") else node
    return [value.decode() if isinstance(value, bytes) else str(value) for value in values[...]]


def read_gene_map(path: Path) -> dict[str, str]:
    """Read a table of two tab-separated columns: the name in the data, the name that the model knows."""
    try:
        rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputProblem(f"The gene map {path} cannot be read ({error}).") from error
    if any(len(row) != 2 for row in rows):
        raise InputProblem(f"The gene map {path} must have two tab-separated columns in every line.")
    return {fold(row[0].strip()): row[1].strip() for row in rows}


def kind_of(genes: Iterable[str]) -> str:
    """Return ``ensembl`` where at least half of the names are Ensembl gene identifiers, else ``symbol``."""
    names = list(genes)
    return "ensembl" if 2 * sum(bool(ENSEMBL.fullmatch(name)) for name in names) >= len(names) > 0 else "symbol"


def species_of(genes: Iterable[str]) -> str:
    """Return human or mouse, as the way the names are written says, or an empty text where it does not say."""
    names = list(genes)
    found = [match for match in map(ENSEMBL.fullmatch, names) if match]
    if 2 * len(found) >= len(names) > 0:
        ((prefix, n),) = Counter(match[2] for match in found).most_common(1)
        return PREFIXES.get(prefix, "") if 10 * n >= 9 * len(found) else ""
    words = [name for name in names if len(re.sub("[^A-Za-z]", "", name)) >= 3]
    upper, title = sum(name == name.upper() for name in words), sum(name == name.capitalize() for name in words)
    if not words:
        return ""
    return "human" if 10 * upper >= 7 * len(words) else "mouse" if 10 * title >= 7 * len(words) else ""


def check_counts(counts: Counts) -> None:
    """Refuse what no model can use: repeated names, no spots, values that are not counts, spots without a count."""
    import numpy as np

    values, name = counts.values, counts.path.name
    if 0 in values.shape or values.shape != (len(counts.obs_names), len(counts.genes)):
        raise InputProblem(f"{name} holds counts of shape {values.shape}: there must be spots and genes.")
    repeated = [spot for spot, n in Counter(counts.obs_names).items() if n > 1]
    if repeated:
        raise InputProblem(
            f"{len(repeated)} spot names of {name} occur twice, such as {repeated[0]!r}: make them unique."
        )
    odd = values.data[~np.isfinite(values.data) | (values.data < 0) | (values.data != np.floor(values.data))]
    if odd.size:
        found = f"{odd.size} values of {name} are no counts, such as {float(odd[0]):g}"
        raise InputProblem(f"{found}: raw counts are needed; --layer names the layer that holds them.")
    empty = np.flatnonzero(np.asarray(values.sum(axis=1)).ravel() == 0)
    if empty.size:
        first = counts.obs_names[int(empty[0])]
        where = f"have no counts of the {len(counts.genes)} genes that can be used, such as {first!r}"
        raise InputProblem(f"{empty.size} spots of {name} {where}: remove them first.")


def rename(counts: Counts, mapping: dict[str, str]) -> Counts:
    """Return the counts of the genes that a map names, under the names that it gives."""
    kept = [i for i, gene in enumerate(counts.genes) if fold(gene) in mapping]
    if not kept:
        first = ", ".join(counts.genes[:3])
        raise InputProblem(f"The gene map names none of the {len(counts.genes)} genes of the data, such as {first}.")
    genes = tuple(mapping[fold(counts.genes[i])] for i in kept)
    return replace(counts, values=counts.values[:, kept], genes=genes)


def one_column_each(counts: Counts) -> Counts:
    """Return the counts with one column a gene: Ensembl versions stripped, columns of the same name summed."""
    genes = tuple(dict.fromkeys(fold(gene) if ENSEMBL.fullmatch(gene) else gene for gene in counts.genes))
    return counts if genes == counts.genes else counts.select(genes)
