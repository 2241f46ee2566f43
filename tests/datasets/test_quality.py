import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from beyond_alignment.datasets.quality import normalise, quality_control, spatial_graph
from beyond_alignment.errors import InputError


def grid(scales=None, side=5, pitch_um=200.0):
    """Make one square grid of spots a section, all at the same place, in pixels of the section's own scale."""
    scales = scales or {"P": 0.69, "Q": 3.2}
    x, y = np.meshgrid(np.arange(side), np.arange(side))
    positions = [np.column_stack([x.ravel(), y.ravel()]) * pitch_um / scale for scale in scales.values()]
    n = side * side * len(scales)
    counts = sparse.csr_matrix(np.random.default_rng(0).poisson(3.0, (n, 4)).astype(np.float32))
    adata = ad.AnnData(counts, obs=pd.DataFrame({"section": np.repeat(list(scales), side * side)}))
    adata.obs_names = [f"s{i}" for i in range(n)]
    adata.var_names = ["MT-CO1", "ACTB", "mt-Nd1", "METTL1"]
    adata.obsm["spatial"] = np.concatenate(positions)
    adata.uns["spatial"] = {name: {"scalefactors": {"microns_per_pixel": s}} for name, s in scales.items()}
    return adata


def test_regular_grid_has_eight_neighbours_inside_five_at_a_side_three_in_a_corner():
    adata = grid()
    spatial_graph(adata, radius_um=300.0)
    degree = np.asarray(adata.obsp["spatial_connectivities"].sum(axis=1)).reshape(2, 5, 5)
    expected = np.full((5, 5), 5)
    expected[1:-1, 1:-1] = 8
    expected[[0, 0, -1, -1], [0, -1, 0, -1]] = 3
    np.testing.assert_array_equal(degree, [expected, expected])


def test_graph_is_symmetric_in_microns_and_stays_within_sections():
    adata = grid()
    spatial_graph(adata, radius_um=300.0)
    connected, distances = adata.obsp["spatial_connectivities"], adata.obsp["spatial_distances"]
    assert (connected != connected.T).nnz == 0
    np.testing.assert_allclose(distances.toarray(), distances.toarray().T)
    np.testing.assert_allclose(np.unique(distances.data.round(6)), [200.0, 200.0 * np.sqrt(2.0)], atol=1e-5)
    rows, columns = connected.nonzero()
    sections = adata.obs["section"].to_numpy()
    assert (sections[rows] == sections[columns]).all()


def test_graph_follows_the_spots_when_sections_are_interleaved():
    adata = grid()
    order = np.random.default_rng(1).permutation(adata.n_obs)
    spatial_graph(adata, radius_um=250.0)
    shuffled = adata[order].copy()
    spatial_graph(shuffled, radius_um=250.0)
    expected = adata.obsp["spatial_distances"].toarray()[np.ix_(order, order)]
    np.testing.assert_allclose(shuffled.obsp["spatial_distances"].toarray(), expected)


def test_graph_leaves_counts_and_coordinates_alone():
    adata = grid()
    before = adata.copy()
    spatial_graph(adata, radius_um=300.0)
    assert (adata.X != before.X).nnz == 0
    np.testing.assert_array_equal(adata.obsm["spatial"], before.obsm["spatial"])
    pd.testing.assert_frame_equal(adata.obs, before.obs)


@pytest.mark.parametrize("radius", [0.0, -1.0, float("nan"), float("inf")])
def test_impossible_radius_is_refused(radius):
    with pytest.raises(InputError, match="radius"):
        spatial_graph(grid(), radius_um=radius)


def test_quality_control_drops_what_it_says_and_reports_the_numbers():
    adata = grid(side=1)
    adata = ad.concat([adata, adata], uns_merge="same", index_unique="-")
    adata.X = sparse.csr_matrix(np.array([[1, 2, 1, 6], [9, 0, 0, 1], [0, 3, 0, 0], [0, 0, 0, 0]], dtype=np.float32))
    adata.obs["section"] = ["P", "P", "P", "Q"]
    kept, report = quality_control(adata, min_counts=2, min_genes=2, max_mitochondrial=0.5)
    assert kept.obs_names.tolist() == adata.obs_names[:1].tolist()
    p, q = report.sections["P"], report.sections["Q"]
    assert (p.spots_before, p.spots_after, p.median_counts, p.median_genes) == (3, 1, 10.0, 2.0)
    assert p.mitochondrial_share == pytest.approx(11 / 23)
    assert (q.spots_before, q.spots_after) == (1, 0)
    assert np.isnan(q.mitochondrial_share)
    assert report.table().loc["P", "spots_before"] == 3
    assert adata.n_obs == 4
    assert list(adata.obs.columns) == ["section"]


def test_lenient_quality_control_preserves_every_count():
    adata = grid()
    kept, _ = quality_control(adata, min_counts=0, min_genes=0)
    assert (kept.X != adata.X).nnz == 0


def test_impossible_thresholds_are_refused():
    with pytest.raises(InputError, match="share from 0 to 1"):
        quality_control(grid(), min_counts=1, min_genes=1, max_mitochondrial=5.0)
    with pytest.raises(InputError, match="lower the thresholds"):
        quality_control(grid(), min_counts=10_000, min_genes=1)


def test_normalise_keeps_the_counts_and_sums_to_ten_thousand():
    adata = grid()
    normalised = normalise(adata)
    assert (normalised.layers["counts"] != adata.X).nnz == 0
    np.testing.assert_allclose(np.expm1(normalised.X.toarray()).sum(axis=1), 1e4, rtol=1e-4)
    assert adata.X.max() == normalised.layers["counts"].max()
    with pytest.raises(InputError, match="normalised already"):
        normalise(normalised)
