"""Folders are read to what spatialdata-io makes of them, where it reads them at all."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
import zarr

from beyond_alignment.datasets.folders import read_folder
from tests.datasets.test_folders import AFFINE, write_visium, write_xenium

peer = pytest.importorskip("spatialdata_io", reason="spatialdata-io is not installed")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("version", [1, 2])
def test_visium_agrees_with_spatialdata_io(tmp_path, version):
    folder = write_visium(tmp_path / "breast" / "outs", version=version)
    ours, table = read_folder(folder), peer.visium(folder, dataset_id="breast")["table"]
    theirs = table[table.obs["in_tissue"].to_numpy() == 1]
    assert list(ours.obs_names) == list(theirs.obs_names)
    assert list(ours.var_names) == list(theirs.var_names)
    assert list(ours.var["ensembl_id"]) == list(theirs.var["gene_ids"])
    np.testing.assert_array_equal(ours.X.toarray(), theirs.X.toarray())
    np.testing.assert_allclose(ours.obsm["spatial"], theirs.obsm["spatial"])
    np.testing.assert_array_equal(ours.obs["array_x"], theirs.obs["array_col"])
    np.testing.assert_array_equal(ours.obs["array_y"], theirs.obs["array_row"])


@pytest.mark.filterwarnings("ignore")
def test_xenium_agrees_with_spatialdata_io(tmp_path):
    folder = write_xenium(tmp_path / "x")
    said = json.loads((folder / "experiment.xenium").read_text())
    (folder / "experiment.xenium").write_text(json.dumps(said | {"analysis_sw_version": "xenium-1.0.2"}))
    with zarr.storage.ZipStore(
        folder / "cells.zarr.zip", mode="w"
    ) as store:  # segmentation, which it cannot do without
        zarr.create_group(store, zarr_format=2).create_array("cell_id", data=np.arange(1, 5, dtype=np.uint32))
    parts = ("cells_boundaries", "nucleus_boundaries", "cells_as_circles", "cells_labels", "nucleus_labels",
             "transcripts", "morphology_mip", "morphology_focus", "aligned_images")  # fmt: skip
    cells = pd.read_parquet(folder / "cells.parquet").set_index("cell_id").loc[[b"AAA-1", b"CCC-1", b"GGG-1", b"TTT-1"]]
    cells = cells.assign(cell_area=80.0, nucleus_area=20.0)
    cells.reset_index().to_parquet(folder / "cells.parquet")  # it takes the rows to be in the order of the counts
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = peer.xenium(folder, **dict.fromkeys(parts, False))["table"]
    ours = read_folder(folder)
    assert list(ours.obs_names) == list(theirs.obs["cell_id"])
    np.testing.assert_array_equal(ours.X.toarray(), theirs.X.toarray())
    morphology = np.column_stack([ours.obsm["spatial"], np.ones(4)]) @ AFFINE.T
    np.testing.assert_allclose(morphology[:, :2] * 0.2125, theirs.obsm["spatial"], atol=1e-6)
