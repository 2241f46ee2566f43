from dataclasses import astuple

import numpy as np
import pytest

from beyond_alignment.errors import InputError
from beyond_alignment.information.exact import joint_informations, union_information
from beyond_alignment.information.gates import gate
from beyond_alignment.simulate import symbol_table
from beyond_alignment.simulate.tables import (
    additive_law,
    continuous_table,
    interaction_law,
    noisy_views,
    side_by_side,
    wave_law,
    with_label_noise,
    with_prior,
)


def entropy(*shares):
    shares = np.array(shares)
    return -float(shares @ np.log2(shares))


def test_symbols_make_the_gates():
    bits = {"a": 2, "b": 2}
    assert np.array_equal(symbol_table(bits, ("a",), ("b",), lambda a, b: a ^ b), gate("xor"))
    assert np.array_equal(symbol_table({"s": 2}, ("s",), ("s",), lambda s: s), gate("redundant"))
    shared = symbol_table({"s": 2, **bits}, ("s", "a"), ("s", "b"), lambda s, a, b: 2 * s + (a ^ b))
    info = joint_informations(shared)
    assert pytest.approx((1, 1, 2)) == (info.I1, info.I2, info.I12)


def test_label_noise_is_a_symmetric_channel():
    assert pytest.approx(1 - entropy(0.1, 0.9)) == joint_informations(with_label_noise(gate("xor"), 0.1)).I12
    noisy = with_label_noise(gate("copy"), 0.3)
    assert pytest.approx(2 - entropy(0.7, 0.1, 0.1, 0.1)) == joint_informations(noisy).I12


def test_a_prior_changes_the_shares_alone():
    p = with_prior(gate("and"), [0.5, 0.5])
    assert p.sum(axis=(0, 1)) == pytest.approx([0.5, 0.5])
    assert p / p.sum(axis=(0, 1)) == pytest.approx(gate("and") / gate("and").sum(axis=(0, 1)))


def test_views_and_problems_side_by_side():
    assert noisy_views(2, (0.1, 0.1)) == pytest.approx(gate("noisy_views"))
    info = joint_informations(noisy_views(3, (0.3, 0.0)))
    assert pytest.approx((np.log2(3) - entropy(0.7, 0.15, 0.15), np.log2(3))) == (info.I1, info.I2)
    both = joint_informations(side_by_side(gate("xor"), gate("redundant")))
    assert pytest.approx((1, 1, 2)) == (both.I1, both.I2, both.I12)


@pytest.mark.parametrize(
    "law", [additive_law(8, 8), additive_law(10, 5), wave_law(5), interaction_law(0.05, centre1=0.375, centre2=0.6875)]
)
def test_half_as_many_cells_change_little(law):
    tables = [continuous_table(law, n_cells) for n_cells in (32, 64)]
    halved, full = (joint_informations(p) for p in tables)
    assert astuple(halved) == pytest.approx(astuple(full), abs=6e-3)
    scores = [1 - union_information(p.sum(axis=1), p.sum(axis=0)).value / joint_informations(p).I12 for p in tables]
    assert scores[0] == pytest.approx(scores[1], abs=2e-4)


def test_a_wave_of_the_difference_is_hidden_from_either_alone():
    info = joint_informations(continuous_table(wave_law(5)))
    assert max(info.I1, info.I2) < 1e-12


@pytest.mark.parametrize("error", [-0.1, 1.1, float("nan")])
def test_impossible_noise_is_refused(error):
    with pytest.raises(InputError, match="cannot be replaced"):
        with_label_noise(gate("xor"), error)


def test_shares_for_other_classes_are_refused():
    with pytest.raises(InputError, match="3 shares for 2 classes"):
        with_prior(gate("xor"), [0.2, 0.3, 0.5])
