import hashlib
import json

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from beyond_alignment.datasets import release
from beyond_alignment.datasets.release import STEP, read_release, round_to_step, write_release
from beyond_alignment.errors import InputError

finite = hnp.arrays(np.float64, st.integers(0, 30), elements=st.floats(-1e300, 1e300, allow_subnormal=False))


def frozen(seed=0):
    rng = np.random.default_rng(seed)
    adata = ad.AnnData(
        sparse.csr_matrix(rng.poisson(1.0, (20, 6)).astype(np.float32)),
        obs=pd.DataFrame({"section": pd.Categorical(["A", "B"] * 10), "n": np.arange(20)}),
    )
    adata.obs_names = [f"s{i}" for i in range(20)]
    adata.layers["big"] = sparse.csr_matrix(np.full((20, 6), 300.0, dtype=np.float32))
    adata.layers["log"] = adata.X.log1p()
    adata.obsm["X_expert"] = rng.normal(size=(20, 80)).astype(np.float32)
    adata.obsm["spatial"] = rng.uniform(0, 1e4, (20, 2))
    adata.obsm["composition"] = pd.DataFrame(rng.dirichlet([1, 1], 20), index=adata.obs_names, columns=["T", "B"])
    adata.uns["dataset"] = {"name": "toy", "licence": "CC BY 4.0", "source": "owner/repo@abc"}
    adata.uns["expert"] = {"params": {"model": "timm:net", "transform": ["resize", "centre"]}}
    return adata


@given(finite, st.sampled_from([2.0**-9, 0.01, 3.0]))
def test_rounding_is_within_half_a_step_and_changes_nothing_twice(values, step):
    rounded = round_to_step(values, step)
    numbers = np.asarray(values, dtype=np.float64)
    assert (np.abs(rounded - numbers) <= step / 2 + 1e-12 * np.abs(numbers)).all()
    np.testing.assert_allclose(round_to_step(rounded, step), rounded, rtol=1e-12)
    np.testing.assert_array_equal(round_to_step(-numbers, step), -rounded)


@given(st.lists(st.floats(-4, 4), min_size=1))
def test_steps_survive_float16_up_to_four(values):
    rounded = round_to_step(values, STEP)
    np.testing.assert_array_equal(rounded.astype(np.float16).astype(np.float64), rounded)


def test_ties_go_to_even():
    assert round_to_step([0.5, 1.5, 2.5], 1.0).tolist() == [0.0, 2.0, 2.0]


@pytest.mark.parametrize(("values", "step"), [([np.nan], 1.0), ([np.inf], 1.0), ([1.0], 0.0), ([1.0], np.nan)])
def test_what_cannot_be_rounded_is_refused(values, step):
    with pytest.raises(InputError):
        round_to_step(values, step)


def test_round_trip(tmp_path):
    adata = frozen()
    path = write_release(adata, "toy", folder=tmp_path)
    back = read_release("toy", folder=tmp_path)
    assert path == tmp_path / "toy.h5ad"
    assert back.obsm["X_expert"].dtype == np.float32
    np.testing.assert_allclose(back.obsm["X_expert"], adata.obsm["X_expert"], atol=STEP / 2, rtol=2**-11)
    assert back.X.dtype == np.float32
    assert (back.X != adata.X).nnz == 0
    assert (back.layers["big"] != adata.layers["big"]).nnz == 0
    np.testing.assert_array_equal(back.layers["log"].toarray(), adata.layers["log"].toarray())
    np.testing.assert_array_equal(back.obsm["spatial"], adata.obsm["spatial"])
    pd.testing.assert_frame_equal(back.obs, adata.obs)
    pd.testing.assert_frame_equal(back.obsm["composition"], adata.obsm["composition"])
    assert back.uns["dataset"] == adata.uns["dataset"]
    stored = ad.read_h5ad(path)
    assert (stored.X.dtype, stored.layers["big"].dtype) == (np.uint8, np.uint16)
    assert stored.obsm["X_expert"].dtype == np.float16


def test_writing_leaves_the_data_in_hand_alone(tmp_path):
    adata, before = frozen(), frozen()
    write_release(adata, "toy", folder=tmp_path)
    np.testing.assert_array_equal(adata.obsm["X_expert"], before.obsm["X_expert"])
    assert adata.X.dtype == np.float32


def test_the_same_data_give_the_same_bytes(tmp_path):
    digests = [
        hashlib.sha256(write_release(frozen(), "toy", folder=tmp_path / place).read_bytes()).hexdigest()
        for place in ("one", "two")
    ]
    again = hashlib.sha256(write_release(read_release("toy", folder=tmp_path / "one"), "toy", folder=tmp_path / "two")
                           .read_bytes()).hexdigest()  # fmt: skip
    assert digests[0] == digests[1] == again
    assert (tmp_path / "one/manifest.json").read_text() == (tmp_path / "two/manifest.json").read_text()


def test_manifest_describes_every_file(tmp_path):
    path = write_release(frozen(), "toy", folder=tmp_path)
    write_release(frozen(1), "other", folder=tmp_path)
    files = json.loads((tmp_path / "manifest.json").read_text())["files"]
    assert list(files) == ["other.h5ad", "toy.h5ad"]
    entry = files["toy.h5ad"]
    assert entry["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert entry["size"] == path.stat().st_size
    assert (entry["licence"], entry["source"]) == ("CC BY 4.0", "owner/repo@abc")
    assert {"numpy", "anndata", "timm", "torch"} <= entry["versions"].keys()


def test_corruption_is_refused_by_name(tmp_path):
    path = write_release(frozen(), "toy", folder=tmp_path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"toy\.h5ad is damaged"):
        read_release("toy", folder=tmp_path)
    path.write_bytes(content[:100])
    with pytest.raises(InputError, match=r"toy\.h5ad is damaged"):
        read_release("toy", folder=tmp_path)


def test_missing_file_entry_and_broken_manifest_are_named(tmp_path):
    with pytest.raises(InputError, match=r"toy\.h5ad is missing"):
        read_release("toy", folder=tmp_path)
    write_release(frozen(), "toy", folder=tmp_path)
    (tmp_path / "manifest.json").write_text('{"files": {}}')
    with pytest.raises(InputError, match=r"is not in manifest\.json"):
        read_release("toy", folder=tmp_path)
    (tmp_path / "manifest.json").write_text('{"files": ')
    with pytest.raises(InputError, match=r"manifest\.json is damaged"):
        read_release("toy", folder=tmp_path)


def test_interrupted_writing_leaves_the_former_file_and_no_other(tmp_path, monkeypatch):
    write_release(frozen(), "toy", folder=tmp_path)

    def interrupted(file, *_, **__):
        file["half"] = 1
        assert sorted(p.name for p in tmp_path.iterdir() if not p.name.startswith(".")) == ["manifest.json", "toy.h5ad"]
        raise KeyboardInterrupt

    monkeypatch.setattr(release, "write_dispatched", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_release(frozen(1), "toy", folder=tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["manifest.json", "toy.h5ad"]
    assert read_release("toy", folder=tmp_path).n_obs == 20


@pytest.mark.parametrize("path", ["/srv/data/a.png", "~/a", "file:///a", "C:\\a"])
def test_paths_of_this_machine_are_refused(tmp_path, path):
    adata = frozen()
    adata.uns["expert"]["params"]["weights"] = path
    with pytest.raises(InputError, match="of this machine"):
        write_release(adata, "toy", folder=tmp_path)
    adata = frozen()
    adata.obs["from"] = path
    with pytest.raises(InputError, match="of this machine"):
        write_release(adata, "toy", folder=tmp_path)
    assert not list(tmp_path.iterdir())


def test_unnamed_unlicensed_and_overflowing_releases_are_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be called"):
        write_release(frozen(), "../toy", folder=tmp_path)
    adata = frozen()
    adata.obsm["X_expert"][0, 0] = 1e6
    with pytest.raises(InputError, match="beyond float16"):
        write_release(adata, "toy", folder=tmp_path)
    adata = frozen()
    del adata.uns["dataset"]["licence"]
    with pytest.raises(InputError, match="no licence or source"):
        write_release(adata, "toy", folder=tmp_path)
