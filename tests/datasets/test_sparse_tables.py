"""Compressed tables that point outside themselves: reading them as they are ends the process."""

import anndata as ad
import h5py
import numpy as np
import pytest
from scipy import sparse

from beyond_alignment.datasets.sparse_tables import check_sparse_tables


def anndata_file(folder, form):
    values = sparse.random(7, 5, density=0.4, format="csr", random_state=0, dtype=np.float32)
    path = folder / "a.h5ad"
    ad.AnnData(values.asformat(form)).write_h5ad(path)
    return path, "X"


def tenx_file(folder, form):
    values = sparse.random(7, 5, density=0.4, format="csr", random_state=0)  # barcodes by genes
    path = folder / "a.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix" if form == "v3" else "GRCh38")
        for part in ("data", "indices", "indptr"):
            group[part] = getattr(values, part)
        if form == "v3":
            group["shape"] = np.array([5, 7])
        else:
            group["genes"], group["barcodes"] = np.arange(5), np.arange(7)
        return path, group.name


FILES = [(anndata_file, "csr"), (anndata_file, "csc"), (tenx_file, "v3"), (tenx_file, "v2")]


@pytest.mark.parametrize(("make", "form"), FILES)
def test_whole_tables_pass(tmp_path, make, form):
    check_sparse_tables(make(tmp_path, form)[0])


@pytest.mark.parametrize(("part", "place", "value"), [
    ("indices", 0, 1000), ("indices", -1, -1), ("indptr", 0, 1), ("indptr", -1, 10**6), ("indptr", 2, 10**6),
])  # fmt: skip
@pytest.mark.parametrize(("make", "form"), FILES)
def test_a_table_that_points_outside_itself_is_refused(tmp_path, make, form, part, place, value):
    path, group = make(tmp_path, form)
    with h5py.File(path, "r+") as file:
        numbers = file[group][part][()]
        numbers[place] = value
        file[group][part][...] = numbers
    with pytest.raises(ValueError, match="points outside itself"):
        check_sparse_tables(path)


def test_an_axis_of_another_length_is_refused(tmp_path):
    path, group = tenx_file(tmp_path, "v3")
    with h5py.File(path, "r+") as file:
        file[group]["shape"][...] = [4, 7]
    with pytest.raises(ValueError, match="points outside itself"):
        check_sparse_tables(path)
