from dataclasses import replace

import numpy as np
import pytest

from beyond_alignment.benchmark.store import PointStore
from beyond_alignment.errors import InputError
from beyond_alignment.tokens import arm_inputs as inputs_module
from beyond_alignment.tokens import fold as fold_module
from beyond_alignment.tokens import run as run_module
from beyond_alignment.tokens.arm_availability import missing
from beyond_alignment.tokens.arms import ARMS
from beyond_alignment.tokens.fold import CHECKPOINTS
from beyond_alignment.tokens.run import run_arm, run_arms
from tests.tokens.small import Fold, folds, plan, tiles

HERE = {"device": "cpu", "progress": False}


class Killed(Exception):
    """Stands for a kill."""


def run(arm, data=None, **options):
    settings = {"plan": plan(), **HERE} | options
    return run_arm(tiles() if data is None else data, arm, settings.pop("folds", folds()), **settings)


def same(first, second):
    return np.array_equal(first.predictions, second.predictions, equal_nan=True) and first.curves == second.curves


def test_every_tile_is_predicted_by_the_fold_that_did_not_see_it():
    result = run("late_concat_token_trained")
    assert np.isfinite(result.predictions).all()
    assert result.fold.tolist() == [0] * 15 + [1] * 15
    assert [len(curve) for curve in result.curves] == [3, 3]
    assert result.vision == "random, seed 0"
    assert result.trained_parameters == result.parameters > 0


def test_tiles_that_no_fold_tests_have_no_prediction():
    result = run("expression_tile", folds=folds()[1:])
    assert np.isnan(result.predictions[:15]).all()
    assert np.isfinite(result.predictions[15:]).all()
    assert (result.fold == -1).tolist() == [True] * 15 + [False] * 15


@pytest.mark.parametrize("arm", ["morphology_frozen", "late_add_token_frozen", "late_concat_tile_frozen"])
def test_embeddings_that_are_cached_change_nothing(arm):
    assert same(run(arm), run(arm, cached=False))


@pytest.mark.parametrize("arm", ["early_add_trained", "expression_token"])
def test_the_same_seed_gives_the_same_predictions_and_another_gives_others(arm):
    assert same(run(arm), run(arm))
    assert not same(run(arm), run(arm, seed=1))


def test_targets_of_test_tiles_are_never_seen():
    data = tiles()
    other = data.targets.copy()
    other[:15] += 100.0
    both = (data, replace(data, targets=other))
    first, second = (run("late_add_token_trained", one, folds=folds()[:1]) for one in both)
    assert same(first, second)


def test_a_run_that_was_killed_goes_on_at_its_fold_and_epoch(tmp_path, monkeypatch):
    whole = run("early_gated_trained")
    store, calls, real = PointStore(tmp_path), iter(range(1000)), fold_module.functional.mse_loss

    def dying(*arguments):
        if next(calls) == 13:  # in the second epoch of the second fold: an epoch has two steps and one validation
            raise Killed
        return real(*arguments)

    monkeypatch.setattr(fold_module.functional, "mse_loss", dying)
    with pytest.raises(Killed):
        run("early_gated_trained", store=store)
    assert len(list(tmp_path.glob("*.npz"))) == 1
    assert len(list((tmp_path / CHECKPOINTS).iterdir())) == 1
    monkeypatch.setattr(fold_module.functional, "mse_loss", real)
    assert same(run("early_gated_trained", store=store), whole)
    assert list((tmp_path / CHECKPOINTS).iterdir()) == []
    monkeypatch.setattr(fold_module, "_train", None)  # nothing is trained again
    assert same(run("early_gated_trained", store=store), whole)


def test_a_store_tells_data_plans_and_folds_apart(tmp_path):
    store = PointStore(tmp_path)
    first = run("expression_tile", store=store)
    assert not same(first, run("expression_tile", tiles(seed=1), store=store))
    assert not same(first, run("expression_tile", store=store, plan=plan(head_rate=1e-3)))
    assert not same(first, run("expression_tile", store=store, folds=folds(k=3)))


def test_arms_that_cannot_run_are_named_with_what_they_lack():
    names = ["expression_tile", "late_add_tile_frozen_loki", "late_concat_geneformer_frozen", "early_add_frozen_conch"]
    found = run_arms(tiles(), names, folds(), plan=plan(), seeds=(0, 1), **HERE)
    assert list(found.results) == names[:1]
    assert [result.seed for result in found.results["expression_tile"]] == [0, 1]
    assert set(found.missing) == set(names[1:])
    assert "loki is not among the experts" in found.missing["late_add_tile_frozen_loki"][0]
    assert "geneformer: environment" in found.missing["late_concat_geneformer_frozen"][0]
    assert "no patch tokens" in found.missing["early_add_frozen_conch"][0]
    with pytest.raises(InputError, match="loki is not among"):
        run(names[1])


def test_an_expert_that_the_hub_does_not_give_is_asked_for_once_and_named(monkeypatch):
    asked = []

    def refuse(name, *arguments, **options):
        asked.append(name)
        raise InputError(f"The hub could not be reached for {name}.")

    monkeypatch.setattr(run_module, "missing", lambda arm, given: ())
    monkeypatch.setattr(inputs_module, "expert_embedding", refuse)
    monkeypatch.setattr(inputs_module, "build_vit", refuse)
    names = [f"{stem}_phikon" for stem in ("morphology_frozen", "late_add_tile_frozen", "early_add_frozen")]
    found = run_arms(tiles(), names, folds(), plan=plan(), **HERE)
    assert asked == ["phikon", "phikon"]  # its embedding and its network
    assert found.missing == dict.fromkeys(names, ("The hub could not be reached for phikon.",))


def test_embeddings_that_are_given_stand_in_for_an_expert():
    rng = np.random.default_rng(0)
    given = {"loki": rng.normal(size=(30, 6)).astype(np.float32), "geneformer": rng.random((30, 4), dtype=np.float32)}
    names = ["morphology_frozen_loki", "late_add_token_frozen_loki", "expression_geneformer"]
    names.append("late_concat_geneformer_frozen_loki")
    found = run_arms(tiles(), names, folds(), plan=plan(), embeddings=given, **HERE)
    assert found.missing == {}
    assert found.results["morphology_frozen_loki"][0].trained_parameters == 3 * 7
    assert found.results["morphology_frozen_loki"][0].vision == "loki, given"
    assert found.results["expression_geneformer"][0].trained_parameters == 3 * 5
    assert missing(ARMS["late_add_token_trained_loki"], given=given)
    with pytest.raises(InputError, match="one finite row"):
        run(names[0], embeddings={"loki": given["loki"][:9]})


def test_folds_that_leak_are_refused():
    one = np.arange(10)
    with pytest.raises(InputError, match="Fold 0 names a tile twice"):
        run("expression_tile", folds=[Fold(one, np.arange(9, 12), np.arange(12, 20))])
    with pytest.raises(InputError, match="in more than one fold"):
        run("expression_tile", folds=[Fold(one, np.arange(10, 12), np.arange(12, 20))] * 2)
    with pytest.raises(InputError, match="each part needs some"):
        run("expression_tile", folds=[Fold(one, np.arange(0), np.arange(12, 20))])
