"""A fold is scored with the network that never saw its donor, and with no other."""

import numpy as np
import pytest
from scipy import sparse

from beyond_alignment.benchmark.expert_probes import experts_at, experts_of, score_expert
from beyond_alignment.benchmark.gene_probes import predict_genes
from beyond_alignment.benchmark.unseen import fold_embeddings, unseen_variants, variants_named, without_donors
from beyond_alignment.errors import InputError
from beyond_alignment.tasks.labels import set_labels
from tests.tissue import make_tissue

FIELD = 200
UNSEEN = f"tissue_vit_unseen_{FIELD}um"


def add_variant(adata, donors, values):
    """Add the embedding of a network that was kept from some donors."""
    name = f"tissue_vit_without_{'_'.join(donors)}_{FIELD}um"
    adata.obsm[f"X_{name}"] = values
    adata.uns[name] = {"params": {"expert": "tissue_vit", "excluded_donors": list(donors)}}
    return name


@pytest.fixture(scope="module")
def tissue():
    """A label that the honest network does not know, and that a network knows of the donors it was trained on.

    Each variant tells the label of every spot but those of the donor that it was kept from.
    """
    adata = make_tissue(side=10)
    rng = np.random.default_rng(0)
    bit = rng.integers(0, 2, adata.n_obs)
    set_labels(adata, "niche", np.array(["low", "high"])[bit])
    donors = adata.obs["donor"].astype(str).to_numpy()
    signal = np.outer(4.0 * (2 * bit - 1), np.ones(3))
    adata.obsm[f"X_tissue_vit_{FIELD}um"] = signal + rng.normal(size=signal.shape)
    for donor in np.unique(donors):
        known = signal * (donors != donor)[:, None]
        add_variant(adata, (donor,), known + rng.normal(size=signal.shape))
    return adata


def test_each_donor_has_the_network_that_was_kept_from_it(tissue):
    variants = unseen_variants(tissue, "tissue_vit", field_um=FIELD)
    assert set(variants) == set(tissue.obs["donor"])
    for donor, name in variants.items():
        assert without_donors(tissue, name) == (donor,)
    assert "tissue_vit_200um" in experts_of(tissue)
    assert not [name for name in experts_of(tissue) if "without" in name]


def test_a_name_stands_for_the_variants_and_other_fields_are_left_out(tissue):
    assert variants_named(tissue, UNSEEN) == unseen_variants(tissue, "tissue_vit", field_um=FIELD)
    assert variants_named(tissue, f"tissue_vit_{FIELD}um") is None
    assert set(experts_at(tissue, [FIELD])) == set(experts_of(tissue))
    assert not [name for name in experts_at(tissue, [FIELD + 1]) if name.endswith("um")]


@pytest.mark.parametrize("split", ["donor", "section"])
def test_what_a_network_saw_of_a_donor_is_not_scored(tissue, split):
    found = {}
    for name in (f"tissue_vit_{FIELD}um", UNSEEN):
        rows = score_expert(tissue, name, "niche", split=split, n_replicates=50)
        (found[name],) = (row for row in rows if row["metric"] == "accuracy")
    assert found[f"tissue_vit_{FIELD}um"]["value"] > 0.95
    assert found[UNSEEN]["value"] == pytest.approx(0.5, abs=0.1)
    assert {row["reads"] for row in found.values()} == {"morphology"}
    assert len({row["n"] for row in found.values()}) == 1


def test_one_variant_for_every_donor_is_that_embedding():
    adata = make_tissue(side=6)
    rng = np.random.default_rng(0)
    set_labels(adata, "niche", np.array(["low", "high"])[rng.integers(0, 2, adata.n_obs)])
    values = rng.normal(size=(adata.n_obs, 3))
    adata.obsm[f"X_tissue_vit_{FIELD}um"] = values
    add_variant(adata, tuple(np.unique(adata.obs["donor"].astype(str))), values)
    first, second = (
        {row["metric"]: row["value"] for row in score_expert(adata, name, "niche", n_replicates=5)}
        for name in (f"tissue_vit_{FIELD}um", UNSEEN)
    )
    assert first == second


def test_genes_are_predicted_with_the_network_of_the_fold(tissue):
    adata = tissue.copy()
    rng = np.random.default_rng(1)
    bit = (adata.obs["task_niche"] == "high").to_numpy()
    even = np.arange(adata.n_vars) % 2 == 0
    adata.X = sparse.csr_matrix(rng.poisson(np.where(bit[:, None] == even, 40.0, 5.0)).astype(np.float32))
    r = {
        name: np.mean(
            [row["value"] for row in predict_genes(adata, name, genes=list(adata.var_names[:4]), n_replicates=5)]
        )
        for name in (f"tissue_vit_{FIELD}um", UNSEEN)
    }
    assert abs(r[f"tissue_vit_{FIELD}um"]) > 0.3
    assert abs(r[UNSEEN]) < 0.15


def test_a_donor_that_every_variant_saw_is_named(tissue):
    adata = tissue.copy()
    donor = sorted(adata.obs["donor"].unique())[0]
    del adata.obsm[f"X_tissue_vit_without_{donor}_{FIELD}um"]
    with pytest.raises(InputError, match=f"No embedding of tissue_vit at 200 um leaves out donor {donor}: train"):
        unseen_variants(adata, "tissue_vit", field_um=FIELD)


def test_a_fold_with_donors_of_several_networks_is_refused(tissue):
    variants = unseen_variants(tissue, "tissue_vit", field_um=FIELD)
    with pytest.raises(InputError, match="no variant of tissue_vit was kept from all of them"):
        fold_embeddings(tissue, "tissue_vit", [tuple(variants)[:2]], variants)
