"""Arms on folds: no tile is predicted by a network that saw it, and what is scored is what was predicted."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from beyond_alignment.datasets.simulated_histology.dials import Dials
from beyond_alignment.errors import InputError
from beyond_alignment.tokens import arm_inputs, compare_arms, get_arm, only, simulated_tiles
from beyond_alignment.tokens.arm_inputs import FrozenCache
from beyond_alignment.tokens.arms import Arm
from beyond_alignment.tokens.fold import fit_arm
from beyond_alignment.tokens.folds import TileFold
from beyond_alignment.tokens.scores import score_genes
from tests.tokens.small import folds, plan, tiles

ARMS = ("expression_tile", "morphology_frozen", "early_add_trained")


def fit(arm, data=None, *, fold=0, seed=0, **changes):
    """Train one arm on one fold."""
    settings = plan(**changes)
    cache = FrozenCache(tiles() if data is None else data, device=torch.device("cpu"), plan=settings)
    return fit_arm(cache, get_arm(arm), folds()[fold], plan=settings, seed=seed)


def same(first, second):
    return np.array_equal(first.predictions, second.predictions) and first.curve == second.curve


@pytest.fixture(scope="module")
def compared():
    return compare_arms(tiles(), ARMS, folds(), plan=plan(), image_epochs=2, seeds=(0, 1), device="cpu")


def test_a_fold_is_trained_stopped_and_predicted():
    found = fit("late_concat_token_trained")
    assert found.predictions.shape == (15, 3)
    assert np.isfinite(found.predictions).all()
    assert len(found.curve) == 3
    assert 1 <= found.best_epoch <= 3
    assert found.vision == "random, seed 0"
    assert found.trained_parameters > 0


@pytest.mark.parametrize("arm", ["morphology_frozen", "late_add_token_frozen", "late_concat_tile_frozen"])
def test_embeddings_that_are_cached_change_nothing(arm, monkeypatch):
    once = fit(arm)
    monkeypatch.setattr(Arm, "cached", False)
    again = fit(arm)
    np.testing.assert_allclose(again.predictions, once.predictions, rtol=1e-5)  # a batch of another size rounds apart
    assert again.best_epoch == once.best_epoch


@pytest.mark.parametrize("arm", ["early_add_trained", "expression_token"])
def test_the_same_seed_gives_the_same_predictions_and_another_gives_others(arm):
    assert same(fit(arm), fit(arm))
    assert not same(fit(arm), fit(arm, seed=1))


def test_targets_of_test_tiles_are_never_seen():
    data = tiles()
    other = data.targets.copy()
    other[:15] += 100.0
    assert same(fit("late_add_token_trained", data), fit("late_add_token_trained", replace(data, targets=other)))


def test_every_arm_fold_and_seed_has_a_row_and_references_have_one(compared):
    counts = compared.scores.groupby("arm").size()
    assert counts.to_dict() == {**dict.fromkeys(ARMS, 4), "min_mae": 2, "ridge_core": 2}
    epochs = compared.scores.groupby("arm")["epochs"].first()
    assert epochs[list(ARMS)].tolist() == [3, 3, 2]
    assert (compared.scores["best_epoch"].dropna() <= 3).all()
    assert len(compared.genes) == (4 * 3 + 2 * 2) * 3


def test_a_row_is_the_mean_over_genes_of_the_held_out_tiles(compared):
    fold = folds()[1]
    data = tiles()
    for arm in ("min_mae", "ridge_core"):
        predicted = compared.predictions[arm][fold.test]
        expected = score_genes(data.targets[fold.test], predicted, data.addon_genes).mean()
        row = compared.scores.query("arm == @arm and fold == @fold.name").iloc[0]
        assert row[list(expected)].to_dict() == pytest.approx(expected)


def test_predictions_are_those_of_each_fold_averaged_over_seeds(compared):
    for number, fold in enumerate(folds()):
        each = [fit("early_add_trained", fold=number, seed=seed, epochs=2) for seed in (0, 1)]
        wanted = np.mean([one.predictions for one in each], axis=0)
        np.testing.assert_allclose(compared.predictions["early_add_trained"][fold.test], wanted, rtol=1e-6)
        np.testing.assert_array_equal(compared.embeddings["early_add_trained"][number], each[0].embeddings)


def test_another_expert_takes_the_place_of_the_transformer(monkeypatch):
    given = np.random.default_rng(0).normal(size=(30, 6)).astype(np.float32)
    monkeypatch.setattr(arm_inputs, "expert_embedding", lambda name, *_, **__: given)
    for stem, n in (("morphology_frozen", 3 * 7), ("late_add_token_frozen", None)):
        found = fit(replace(get_arm(stem), name="mine", vision="phikon"))
        assert found.vision == "phikon"
        assert n in (None, found.trained_parameters)


def test_folds_that_leak_are_refused():
    one = np.arange(10)

    def run(*parts):
        compare_arms(tiles(), ["expression_tile"], [TileFold("f", *part) for part in parts], plan=plan(), device="cpu")

    with pytest.raises(InputError, match="Fold 0 names a tile twice"):
        run((one, np.arange(9, 12), np.arange(12, 20)))
    with pytest.raises(InputError, match="in more than one fold"):
        run(*[(one, np.arange(10, 12), np.arange(12, 20))] * 2)
    with pytest.raises(InputError, match="each part needs some"):
        run((one, np.arange(0), np.arange(12, 20)))


def test_donors_are_the_groups_and_the_truth_is_by_gene():
    made = simulated_tiles(
        n_donors=3, size_um=200.0, microns_per_pixel=4.0, tile_um=64.0, stride_um=34.0, input_px=16, patch_px=8,
        min_transcripts=1, seed=3,
    )  # fmt: skip
    assert sorted(set(made.tiles.group)) == ["donor 1", "donor 2", "donor 3"]
    assert list(made.core_share.index) == list(made.tiles.addon_genes)
    assert made.core_share.between(0, 1).all()


def test_only_turns_the_other_programmes_off():
    dials = only("synergy")
    assert (dials.synergy, dials.core) == (Dials().synergy, Dials().core)
    assert not any((dials.cell_type, dials.redundant, dials.unique_expression, dials.unique_morphology))
    with pytest.raises(InputError, match="no programme noise"):
        only("noise")
