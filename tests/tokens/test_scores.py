import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from sklearn import metrics

from beyond_alignment.errors import InputError
from beyond_alignment.tokens.scores import METRICS, score_genes


def test_scores_are_those_of_scipy_and_scikit_learn_gene_by_gene():
    rng = np.random.default_rng(0)
    truth = np.log1p(rng.poisson(2.0, (60, 5)))  # many ties
    predicted = truth + rng.normal(0, 0.5, truth.shape)
    predicted[:, 2] = np.round(predicted[:, 2])
    scores = score_genes(truth, predicted, list("ABCDE"))
    for gene, y, p in zip("ABCDE", truth.T, predicted.T, strict=True):
        expected = [stats.spearmanr(y, p)[0], stats.pearsonr(y, p)[0], metrics.mean_squared_error(y, p),
                    metrics.mean_absolute_error(y, p)]  # fmt: skip
        np.testing.assert_allclose(scores.per_gene.loc[gene, list(METRICS)], expected)
    for name in METRICS:
        assert scores.mean()[name] == pytest.approx(scores.per_gene[name].sum() / 5)


def test_constant_genes_are_counted_and_left_out():
    rng = np.random.default_rng(1)
    truth, predicted = rng.normal(size=(20, 4)), rng.normal(size=(20, 4))
    truth[:, 1], predicted[:, 3] = 0.0, 0.7
    scores = score_genes(truth, predicted, list("ABCD"))
    assert scores.constant == ("B",)
    assert list(scores.per_gene.index) == ["A", "C", "D"]
    assert (scores.per_gene.loc["D", ["spearman", "pearson"]] == 0).all()
    assert scores.mean()["mse"] == pytest.approx(((truth - predicted) ** 2)[:, [0, 2, 3]].mean())
    with pytest.raises(InputError, match="None of 4 genes varies over 20 tiles"):
        score_genes(np.ones((20, 4)), predicted, list("ABCD"))


@settings(max_examples=30, deadline=None)
@given(
    truth=arrays(np.float32, (6, 3), elements=st.floats(0, 8, width=32)),
    predicted=arrays(np.float32, (6, 3), elements=st.floats(-8, 8, width=32)),
)
def test_no_score_is_ever_nan_or_out_of_bounds(truth, predicted):
    if not np.ptp(truth, axis=0).any():
        return
    table = score_genes(truth, predicted, list("ABC")).per_gene
    assert np.isfinite(table).all(axis=None)
    assert table[["spearman", "pearson"]].abs().max(axis=None) <= 1 + 1e-9
    assert (table[["mse", "mae"]] >= 0).all(axis=None)


def test_what_cannot_be_scored_is_refused():
    truth = np.random.default_rng(2).normal(size=(5, 2))
    with pytest.raises(InputError, match="do not fit"):
        score_genes(truth, truth[:4], ["A", "B"])
    with pytest.raises(InputError, match="two tiles at least"):
        score_genes(truth[:1], truth[:1], ["A", "B"])
    with pytest.raises(InputError, match="diverged"):
        score_genes(truth, np.where(truth > 0, np.nan, truth), ["A", "B"])
