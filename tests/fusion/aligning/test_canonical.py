import numpy as np
import pytest
from sklearn.base import clone
from sklearn.cross_decomposition import CCA

from beyond_alignment.errors import InputError
from beyond_alignment.fusion.canonical import CanonicalCorrelation
from beyond_alignment.simulate import linear_embedding_task


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((500, 2)) * [1.5, 0.7]
    return (
        np.hstack([shared, rng.standard_normal((500, 3))]) + 0.5 * rng.standard_normal((500, 5)),
        np.hstack([shared, rng.standard_normal((500, 2))]) + 0.5 * rng.standard_normal((500, 4)),
    )


def test_scores_are_those_of_sklearn_up_to_sign_and_scale(pair):
    ours = CanonicalCorrelation(2, regularisation=0).fit_transform(pair)
    theirs = np.hstack(CCA(n_components=2, max_iter=5000, tol=1e-12).fit(*pair).transform(*pair))
    for a, b in zip(ours.T, theirs.T, strict=True):
        assert abs(np.corrcoef(a, b)[0, 1]) == pytest.approx(1, abs=1e-5)


def test_the_correlations_are_those_of_cca_zoo():
    """Figures of cca-zoo 4.0.1 on the same arrays."""
    i = np.arange(1, 301.0).reshape(60, 5)
    first = np.sin(i * i)
    second = np.cos(1.3 * i[:, :4] ** 2) + 0.8 * first[:, :4]
    ours = CanonicalCorrelation(4, regularisation=0).fit((first, second)).correlations_
    assert ours == pytest.approx([0.7272130530400153, 0.6536952620512908, 0.5983870635312821, 0.55805800442679])


def test_training_scores_are_white_and_correlate_as_stated(pair):
    model = CanonicalCorrelation(2, regularisation=0).fit(pair)
    covariance = np.cov(model.transform(pair).T, bias=True)
    expected = np.eye(4)
    expected[[0, 1, 2, 3], [2, 3, 0, 1]] = np.tile(model.correlations_, 2)
    assert covariance == pytest.approx(expected, abs=1e-10)
    assert model.correlations(pair) == pytest.approx(model.correlations_)


def test_held_out_correlations_find_the_shared_bit_alone():
    task = linear_embedding_task("mixed", n=4000, noise=0.5, seed=0)
    train, test = slice(2000), slice(2000, None)
    model = CanonicalCorrelation(2).fit((task.x1[train], task.x2[train]))
    held_out = model.correlations((task.x1[test], task.x2[test]))
    assert held_out[0] == pytest.approx(1 / 1.25, abs=0.03)
    assert abs(held_out[1]) < 0.08


def test_transform_of_held_out_rows_depends_on_the_training_rows_alone(pair):
    model = CanonicalCorrelation(1).fit(tuple(x[:400] for x in pair))
    together = model.transform(tuple(x[400:] for x in pair))
    alone = np.vstack([model.transform(tuple(x[i : i + 1] for x in pair)) for i in range(400, 500)])
    assert together == pytest.approx(alone)


def test_it_is_a_scikit_learn_estimator(pair):
    model = clone(CanonicalCorrelation(3, regularisation=0.2))
    assert model.get_params() == {"n_components": 3, "regularisation": 0.2}
    assert model.set_params(n_components=1).fit(pair).transform(pair).shape == (500, 2)


def test_a_constant_held_out_score_has_no_correlation(pair):
    model = CanonicalCorrelation(2).fit(pair)
    assert np.array_equal(model.correlations((np.ones((5, 5)), np.ones((5, 4)))), [0, 0])


@pytest.mark.parametrize("n_components", [0, 5])
def test_an_impossible_number_of_components_is_refused(pair, n_components):
    with pytest.raises(InputError, match="from 1 to that"):
        CanonicalCorrelation(n_components).fit(pair)


def test_bad_pairs_are_refused(pair):
    with pytest.raises(InputError, match="same samples"):
        CanonicalCorrelation(1).fit((pair[0], pair[1][:9]))
    with pytest.raises(InputError, match="too few"):
        CanonicalCorrelation(1, regularisation=0).fit((pair[0][:8], pair[1][:8]))
    with pytest.raises(InputError, match="same features"):
        CanonicalCorrelation(1).fit(pair).transform((pair[1], pair[0]))
