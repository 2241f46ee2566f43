from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import RidgeCV

from beyond_alignment.errors import InputError
from beyond_alignment.experts.embed import embed_gene_transformer
from beyond_alignment.experts.gene_transformer import Block, load_gene_transformer
from beyond_alignment.experts.model_card import read_model_card
from beyond_alignment.experts.training import train_gene_transformer
from beyond_alignment.experts.training.profiles import GENE_TRANSFORMER_PROFILES, TrainingPlan

PROFILE = replace(
    GENE_TRANSFORMER_PROFILES["quick"], plan=TrainingPlan(epochs=6, steps_per_epoch=25, learning_rate=5e-3),
    batch=32, genes=40, dimension=16, depth=1, heads=2, visible=(0.3, 0.6),
)  # fmt: skip


@pytest.fixture(scope="module")
def run(counts, tmp_path_factory):
    return train_gene_transformer(out=tmp_path_factory.mktemp("genes"), profile=PROFILE, adata=counts, progress=False)


def test_hidden_genes_are_told_better_than_by_their_mean(run):
    assert run.curve[-1]["watched_gain"] > 0.02
    assert run.curve[-1]["loss"] < run.curve[0]["loss"]


def test_the_embedding_holds_the_state_of_a_spot(run, counts):
    values = load_gene_transformer(run.weights).embed(counts, device="cpu")
    assert values.shape == (180, 16)
    train, test = slice(0, 120), slice(120, 180)  # the last section was never trained on
    model = RidgeCV().fit(values[train], counts.obs["state"].iloc[train])
    assert model.score(values[test], counts.obs["state"].iloc[test]) > 0.6


def test_weights_are_small_and_the_card_says_what_was_seen(run):
    card = read_model_card(run.weights.with_suffix(".json"))
    assert card.parameters == run.card.parameters
    assert card.donors == ["D", "E"]
    assert not card.labels_seen
    assert [entry["use"] for entry in card.data] == ["trained on", "trained on", "watched"]
    assert card.size == run.weights.stat().st_size < 15e6
    assert "watched_gain" in run.weights.with_suffix(".md").read_text()


def test_mouse_symbols_are_matched_by_letters_and_said_so(run, counts, caplog):
    mouse = counts[:20].copy()
    mouse.var_names = [name.lower() for name in mouse.var_names]
    same = load_gene_transformer(run.weights).embed(counts[:20], device="cpu")
    np.testing.assert_array_equal(load_gene_transformer(run.weights).embed(mouse, device="cpu"), same)
    assert "never seen mouse tissue" in caplog.text


def test_order_of_genes_and_missing_genes_do_not_matter_much(run, counts):
    whole = load_gene_transformer(run.weights).embed(counts, device="cpu")
    turned = load_gene_transformer(run.weights).embed(counts[:, ::-1].copy(), device="cpu")
    np.testing.assert_allclose(turned, whole, atol=1e-5)
    part = load_gene_transformer(run.weights).embed(counts[:, 4:36].copy(), device="cpu")
    assert np.corrcoef(part.ravel(), whole.ravel())[0, 1] > 0.8


def test_bad_input_is_named(run, counts, tmp_path):
    with pytest.raises(InputError, match="raw counts"):
        load_gene_transformer(run.weights).embed(type(counts)(counts.X * 0.5, obs=counts.obs, var=counts.var))
    other = counts.copy()
    other.var_names = [f"ENSG{i:011d}" for i in range(other.n_vars)]
    with pytest.raises(InputError, match="ENSG00000000000"):
        load_gene_transformer(run.weights).embed(other)
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(run.weights.read_bytes()[:100])
    with pytest.raises(InputError, match="cannot be read"):
        load_gene_transformer(broken)


def test_donors_that_are_scored_are_refused(counts, tmp_path):
    scored = counts.copy()
    scored.obs["donor"] = "A"
    with pytest.raises(InputError, match="Donor A is scored"):
        train_gene_transformer(out=tmp_path, profile=PROFILE, adata=scored, progress=False)
    with pytest.raises(InputError, match="Donor Q is not in the data"):
        train_gene_transformer(out=tmp_path, profile=PROFILE, adata=counts, exclude_donors="Q", progress=False)
    with pytest.raises(InputError, match="no training profile 'huge'"):
        train_gene_transformer(out=tmp_path, profile="huge", adata=counts)


def test_attention_in_training_is_that_in_use():
    torch.manual_seed(0)
    block, tokens = Block(16, 2), torch.randn(3, 7, 16)
    torch.testing.assert_close(block.train()(tokens), block.eval()(tokens), atol=1e-5, rtol=1e-5)


def test_the_untrained_network_reads_the_same_and_its_weights_are_those_of_the_seed(run, counts):
    trained = load_gene_transformer(run.weights)
    one, same, other = (trained.untrained(seed=seed).embed(counts, device="cpu") for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert one.shape == trained.embed(counts, device="cpu").shape
    assert np.abs(one - other).max() > 0.1 < np.abs(one - trained.embed(counts, device="cpu")).max()


def test_both_are_written_with_what_made_them(run, counts):
    adata = counts.copy()
    embed_gene_transformer(adata, weights=run.weights, untrained_too=True, device="cpu")
    values = load_gene_transformer(run.weights).embed(counts, device="cpu")
    np.testing.assert_array_equal(adata.obsm["X_gene_transformer"], values)
    assert adata.uns["gene_transformer"]["params"]["weights_sha256"] == run.card.sha256
    assert adata.uns["random_gene_transformer"]["params"]["source"] == "random weights"
    assert adata.uns["random_gene_transformer"]["params"]["expert"] == "gene_transformer"
