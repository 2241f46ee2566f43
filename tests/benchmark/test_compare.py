"""The comparison on one's own data."""

import numpy as np
import pytest

from beyond_alignment.benchmark import compare_fusion
from beyond_alignment.errors import InputError
from tests.tissue import make_tissue


@pytest.fixture(scope="module")
def own():
    adata = make_tissue(side=10)
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2, (adata.n_obs, 2))
    for name, bit in (("rna", bits[:, 0]), ("image", bits[:, 1])):
        adata.obsm[f"X_{name}"] = np.outer(2 * bit - 1, np.ones(6)) + rng.normal(size=(adata.n_obs, 6))
    adata.obs["copy"] = np.array(["00", "01", "10", "11"])[2 * bits[:, 0] + bits[:, 1]]
    adata.obs["sum"] = bits.sum(axis=1) + 0.1 * rng.normal(size=adata.n_obs)
    return adata


def test_complementary_bits_gain_about_one(own):
    found = compare_fusion(own, expression="rna", morphology="image", label="copy", groups="section", n_replicates=200)
    assert found.metric == "macro_f1"
    assert found.fusion == "concat"
    assert found.sis_gain.value == pytest.approx(1.0, abs=0.35)
    assert found.sis_gain.low > 0.3
    assert (found.n, found.n_groups) == (own.n_obs, 3)


def test_numbers_are_regressed(own):
    found = compare_fusion(own, expression="rna", morphology="image", label="sum", groups="section", n_replicates=50)
    assert found.metric == "r2"
    value = found.table[found.table["metric"] == "r2"].set_index("method")["value"]
    assert value["concat"] > value["expression_only"] + 0.2


def test_a_score_below_zero_gives_no_gain_and_no_traceback(own):
    adata = own.copy()
    adata.obs["noise"] = np.random.default_rng(1).normal(size=adata.n_obs)
    adata.obs["noise"] += 3.0 * (adata.obs["section"] == "A1").to_numpy()  # a shift that no expert can know of
    found = compare_fusion(
        adata, expression="rna", morphology="image", label="noise", groups="section", n_replicates=20
    )
    assert found.sis_gain is None
    assert (found.table.loc[found.table["metric"] == "r2", "value"] < 0).all()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"label": "nothing"}, "obs\\['nothing'\\] is missing"),
        ({"groups": "patient"}, "obs\\['patient'\\] is missing"),
        ({"expression": "uni"}, "X_uni"),
    ],
)
def test_missing_keys_are_named(own, options, said):
    usual = {"expression": "rna", "morphology": "image", "label": "copy", "groups": "section"}
    with pytest.raises(InputError, match=said):
        compare_fusion(own, **(usual | options))
