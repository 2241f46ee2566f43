"""Single elements come out of a file as they went in, also out of files of older versions."""

import h5py
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from beyond_alignment.datasets.h5ad import open_h5ad
from beyond_alignment.errors import InputError


@pytest.fixture
def path(tmp_path):
    obs = pd.DataFrame(
        {"kind": pd.Categorical(["b", None, "a", "b"]), "share": [0.1, 0.2, np.nan, 0.4], "name": list("wxyz")},
        index=["s1", "s2", "s3", "s4"],
    )
    data = AnnData(X=np.ones((4, 3)), obs=obs, obsm={"X_a": np.arange(8.0).reshape(4, 2)})
    data.uns["task_kind"] = {"made_from": "expression", "deep": {"number": 3}}
    data.write_h5ad(tmp_path / "a.h5ad")
    return tmp_path / "a.h5ad"


def test_elements_come_out_as_they_went_in(path):
    with open_h5ad(path) as file:
        assert (file.columns(), file.matrices(), file.libraries()) == (["kind", "share", "name"], ["X_a"], [])
        assert file.column("kind").astype(object).where(lambda x: x.notna(), None).tolist() == ["b", None, "a", "b"]
        np.testing.assert_array_equal(file.column("share"), [0.1, 0.2, np.nan, 0.4])
        assert file.column("name").tolist() == list("wxyz")
        np.testing.assert_array_equal(file.matrix("X_a"), np.arange(8.0).reshape(4, 2))
        assert file.unstructured("task_kind", "made_from") == "expression"
        assert file.unstructured("task_kind", "deep", "number") == 3
        assert file.unstructured("task_kind", "none", "number") is None
        assert file.unstructured("task_kind", "made_from", "deeper") is None


@pytest.mark.filterwarnings("error")
def test_categories_of_files_before_version_0_8(path):
    with h5py.File(path, "a") as file:
        obs = file["obs"]
        codes, categories = obs["kind/codes"][:], obs["kind/categories"][:]
        del obs["kind"]
        obs.create_group("__categories")["kind"] = categories
        obs["kind"] = codes
        obs["kind"].attrs["categories"] = obs["__categories/kind"].ref
        obs.attrs["encoding-version"] = "0.1.0"
    with open_h5ad(path) as file:
        assert file.columns() == ["kind", "share", "name"]
        assert file.column("kind").astype(object).where(lambda x: x.notna(), None).tolist() == ["b", None, "a", "b"]


def test_what_is_missing_is_said_with_what_there_is(path):
    with open_h5ad(path) as file:
        with pytest.raises(InputError, match=r"no obs\['knd'\] in a\.h5ad; did you mean 'kind'"):
            file.column("knd")
        with pytest.raises(InputError, match=r"no obsm\['spatial'\] in a\.h5ad; obsm holds X_a"):
            file.matrix("spatial")
        with pytest.raises(InputError, match=r"no obs\['kind/codes'\]"):
            file.column("kind/codes")
