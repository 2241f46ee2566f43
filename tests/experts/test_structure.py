import numpy as np
import pytest
from sklearn.decomposition import PCA

from beyond_alignment.errors import InputError
from beyond_alignment.experts import between_group_share, centre_within, display_components, rv_matrix

RNG = np.random.default_rng(0)
CLOUD = RNG.normal(size=(300, 5))


def test_shares_between_groups_by_hand():
    groups = ["a", "a", "b", "b"]
    assert between_group_share([[0.0], [0.0], [1.0], [1.0]], groups) == pytest.approx(1.0)
    assert between_group_share([[0.0], [1.0], [0.0], [1.0]], groups) == pytest.approx(0.0)
    assert between_group_share([[0.0], [2.0], [2.0], [4.0]], groups) == pytest.approx(0.5)


def test_groups_that_mean_nothing_have_a_small_share():
    groups = RNG.integers(0, 3, 300)
    assert between_group_share(CLOUD, groups) < 0.03
    np.testing.assert_allclose(between_group_share(centre_within(CLOUD, groups), groups), 0.0, atol=1e-12)


def test_the_rv_coefficient_ignores_rotation_and_scale_and_is_squared_correlation_in_one_dimension():
    rotation, _ = np.linalg.qr(RNG.normal(size=(5, 5)))
    table = rv_matrix({"cloud": CLOUD, "turned": 3.0 * CLOUD @ rotation + 7.0, "other": RNG.normal(size=(300, 5))})
    assert table.loc["cloud", "turned"] == pytest.approx(1.0)
    assert table.loc["cloud", "other"] < 0.05
    r = np.corrcoef(CLOUD[:, 0], CLOUD[:, 0] + CLOUD[:, 1])[0, 1]
    lines = rv_matrix({"x": CLOUD[:, :1], "y": CLOUD[:, :1] + CLOUD[:, 1:2]})
    assert lines.loc["x", "y"] == pytest.approx(r**2)


def test_a_table_of_coefficients_is_symmetric():
    table = rv_matrix({"x": CLOUD, "y": CLOUD[:, :2], "z": CLOUD[:, 2:]})
    np.testing.assert_array_equal(table, table.T)
    np.testing.assert_array_equal(np.diag(table), 1.0)
    x, y = CLOUD - CLOUD.mean(axis=0), CLOUD[:, :2] - CLOUD[:, :2].mean(axis=0)
    between, own = np.trace(x.T @ y @ y.T @ x), [np.trace(z.T @ z @ z.T @ z) for z in (x, y)]
    assert table.loc["x", "y"] == pytest.approx(between / np.sqrt(own[0] * own[1]))


def test_display_components_are_principal_components():
    place, share = display_components(CLOUD * [5, 3, 1, 1, 1])
    model = PCA(2, svd_solver="full").fit(CLOUD * [5, 3, 1, 1, 1])
    np.testing.assert_allclose(share, model.explained_variance_ratio_, rtol=1e-3)
    assert place.shape == (300, 2)


def test_embeddings_without_variance_or_of_other_spots_are_refused():
    with pytest.raises(InputError, match="same embedding"):
        between_group_share(np.ones((3, 2)), ["a", "a", "b"])
    with pytest.raises(InputError, match="same embedding"):
        rv_matrix({"x": np.ones((3, 2)), "y": np.eye(3)})
    with pytest.raises(InputError, match="different numbers of spots"):
        rv_matrix({"x": np.eye(3), "y": np.eye(4)})
