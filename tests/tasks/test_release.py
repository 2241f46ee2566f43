import anndata as ad
import numpy as np
import pytest
from scipy import sparse

from beyond_alignment.errors import InputError
from beyond_alignment.tasks import release
from beyond_alignment.tasks.labels import absence
from beyond_alignment.tasks.registry import TASKS
from tests.tissue import make_tissue


def test_strip_keeps_labels_and_embeddings_and_drops_the_graph():
    adata = make_tissue(side=3)
    adata.obsm["X_colour"] = np.ones((adata.n_obs, 6), np.float32)
    adata.obsp["spatial_connectivities"] = sparse.eye(adata.n_obs, format="csr")
    adata.uns["spatial_neighbors"] = {"params": {}}
    adata.layers["counts"] = adata.X.copy()
    bare = release.strip(adata)
    assert not bare.obsp
    assert not bare.layers
    assert "spatial_neighbors" not in bare.uns
    assert set(bare.uns) == set(adata.uns) - {"spatial_neighbors"}
    assert np.issubdtype(bare.X.dtype, np.integer)
    np.testing.assert_array_equal(bare.X.toarray(), adata.X.toarray())
    np.testing.assert_array_equal(bare.obsm["X_colour"], 1)
    assert list(bare.obs_names) == list(adata.obs_names)


def test_strip_goes_without_counts():
    adata = make_tissue(side=3)
    adata.X = None
    assert release.strip(adata).X is None


def test_no_reference_section_is_paired():
    assert not {section[0] for section in release.PAIRED_SECTIONS} & set(release.REFERENCE_DONORS)


def test_only_hallmark_genes_of_the_colorectal_section_are_kept(monkeypatch):
    tissue = make_tissue(side=5, sections=("crc",), pitch_um=100.0)
    tissue.var_names = [f"G{i}" for i in range(tissue.n_vars)]
    tissue.obs["bacterial_umis"] = np.arange(tissue.n_obs) % 2
    sets = {"one": [f"G{i}" for i in range(7)], "two": ["G5", "G9", "ABSENT"]}
    monkeypatch.setattr(release, "load", lambda name, progress: tissue)
    monkeypatch.setattr(release, "hallmark_sets", lambda: sets)
    monkeypatch.setattr("beyond_alignment.experts.embed.hallmark_sets", lambda: sets)
    monkeypatch.setattr(release, "embed_gene_transformer", lambda adata, **options: None)
    prepared = release.prepare_crc_visium(progress=False)
    assert list(prepared.var_names) == [f"G{i}" for i in (*range(7), 9)]
    assert prepared.obsm["X_hallmark"].shape == (tissue.n_obs, 2)
    assert prepared.obs["task_bacteria"].nunique() == 2
    carried = {name for name, task in TASKS.items() if task.data_set == "crc_visium" and not absence(prepared, name)}
    assert carried == {name for name, task in TASKS.items() if task.data_set == "crc_visium"}


def test_an_unknown_release_is_refused():
    with pytest.raises(InputError, match="no release 'lung'"):
        release.build_release("lung")


def test_a_release_is_prepared_embedded_and_stripped(monkeypatch):
    seen = []
    monkeypatch.setitem(release.PREPARE, "mob", lambda *, seed, progress: make_tissue(side=2, seed=seed))
    monkeypatch.setattr(release, "embed_released", lambda adata, **options: seen.append(options["fields_um"]))
    built = release.build_release("mob", seed=3, progress=False)
    assert isinstance(built, ad.AnnData)
    assert seen == [release.FIELDS_UM["mob"]]
