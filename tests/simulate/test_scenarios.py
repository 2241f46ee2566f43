from dataclasses import replace

import numpy as np
import pytest

from beyond_alignment.errors import InputError
from beyond_alignment.information.exact import joint_informations
from beyond_alignment.simulate import SCENARIOS, Scenario, draw, mixture, truth
from beyond_alignment.simulate.scenario import symbols

NO_SYNERGY = (
    "tuning_null",
    "tuning_redundant",
    "tuning_unique",
    "tuning_copy",
    "null_imbalanced",
    "redundant_imbalanced",
    "redundant_five",
    "unique_spatial",
    "copy_six",
    "redundant_unique_or",
    "redundant_unique_tilted",
    "tuning_donors_noise",
    "tuning_donors_redundant",
    "tuning_donors_unique",
    "donors_noise",
    "donors_noise_five",
    "donors_redundant",
    "donors_unique",
    "donors_patches",
)


def test_nothing_has_no_synergy():
    assert truth("null_imbalanced").sis == truth("tuning_null").sis == 0


def test_the_two_roles_share_no_table():
    tables = {role: [s.p for s in SCENARIOS.values() if s.role == role] for role in ("tuning", "held_out")}
    assert len(tables["tuning"]) >= 8
    assert len(tables["held_out"]) >= 14
    for p in tables["tuning"]:
        assert not any(p.shape == q.shape and np.allclose(p, q) for q in tables["held_out"])


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_truth_is_consistent(name):
    found, info = truth(name), joint_informations(SCENARIOS[name].p)
    assert pytest.approx((info.I1, info.I2, info.I12), abs=1e-7) == (found.I1, found.I2, found.I12)
    assert found.synergy == pytest.approx(found.synergy_additive + found.synergy_interaction, abs=1e-7)
    assert found.gap < 1e-6
    assert (found.synergy < 1e-6) == (name in NO_SYNERGY)


def test_both_parts_of_synergy_vary_apart_and_scores_span_everything():
    held_out = [truth(name) for name, s in SCENARIOS.items() if s.role == "held_out"]
    parts = np.array([(t.synergy_additive, t.synergy_interaction) for t in held_out]) > 1e-4
    for kind in ([True, False], [False, True], [True, True]):
        assert (parts == kind).all(axis=1).sum() >= 3
    scores = sorted(t.sis for t in held_out)
    assert scores[-1] > 0.99
    assert np.diff(scores).max() < 0.2


def test_what_is_known_by_hand():
    assert truth("sum_bits").synergy_additive == pytest.approx(1, abs=1e-6)
    both = truth("redundant_xor")
    assert (both.redundancy, both.synergy_interaction) == pytest.approx((1, 1), abs=1e-6)
    copied = truth("copy_six")
    assert (copied.unique1, copied.unique2) == pytest.approx((1, np.log2(3)), abs=1e-6)
    either = truth("redundant_unique_or")
    assert (either.redundancy, either.unique1) == pytest.approx((0.311278124, 0.5), abs=1e-6)
    assert draw("sum_bits", n=20, seed=0).pid == truth("sum_bits")


def test_a_mixture_whose_label_tells_the_rule_has_the_dialled_fractions():
    shares = np.array([0.4, 0.3, 0.1, 0.2])
    found = truth(mixture(*shares, rule_in_label=True))
    switch = -float(shares @ np.log2(shares))
    assert found.redundancy == pytest.approx(0.4 + switch, abs=1e-6)
    assert (found.unique1, found.unique2) == pytest.approx((0.3, 0.1), abs=1e-6)
    assert (found.synergy_additive, found.synergy_interaction) == pytest.approx((0, 0.2), abs=1e-6)


def test_a_mixture_that_hides_the_rule_moves_the_lesser_unique_share():
    found = truth(mixture(0.3, 0.25, 0.15, 0.2))
    assert (found.redundancy, found.unique1, found.unique2) == pytest.approx((0.45, 0.1, 0), abs=1e-6)
    assert found.synergy == pytest.approx(0.35, abs=1e-6)


def test_a_mixture_of_one_rule_is_its_gate():
    assert truth(mixture(0, 0, 0, 1)).sis_interaction == pytest.approx(1, abs=1e-6)
    assert mixture(0, 0, 0, 1).p.shape == (2, 2, 2)
    assert pytest.approx(0, abs=1e-9) == truth(mixture(0, 0, 0, 0)).I12


@pytest.mark.parametrize("shares", [(0.5, 0.5, 0.5, 0), (-0.1, 0.5, 0.5, 0), (float("nan"), 0, 0, 0)])
def test_impossible_shares_are_refused(shares):
    with pytest.raises(InputError, match="shares of the mixture"):
        mixture(*shares)


def fair(**changes):
    return Scenario("x", "X", "tuning", np.full((2, 2, 2), 1 / 8), symbols(2), symbols(2), **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_nuisance": -1}, "nuisance latents"),
        ({"n_donors": 0}, "0 donors"),
        ({"nuisance_sd": float("nan")}, "not finite"),
        ({"donor_tilt": 1.5, "group_effect": 0.0}, "tilt"),
        ({"sweep": 0.0}, "'x'"),
        ({"donor_tilt": 0.5}, "informative"),
        ({"family": "both"}, "'common' or 'donors'"),
        ({"share_spread": 0.5}, "of the family 'donors'"),
        ({"batch_effect": 0.5}, "of the family 'donors'"),
        ({"family": "donors", "share_spread": float("inf")}, "not finite"),
        ({"family": "donors", "n_donors": 1}, "two donors or more"),
        ({"family": "donors", "donor_tilt": 0.5, "group_effect": 0.0}, "instead of a tilt"),
    ],
)
def test_impossible_scenarios_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        fair(**changes)


def test_tables_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match=r"\(3, 2\) states"):
        replace(fair(), first=symbols(3))
    with pytest.raises(InputError, match="never occurs"):
        replace(fair(), p=np.full((2, 2, 1), 0.25) * [1.0, 0.0])
    with pytest.raises(InputError, match="role"):
        replace(fair(), role="both")


def test_truth_of_an_unknown_scenario_is_refused():
    with pytest.raises(InputError, match="choose one of tuning_null"):
        truth("nand")
