"""Textbook gates: their informations, both measures on them, and what the published score makes of them."""

from dataclasses import astuple

import numpy as np
import pytest

from beyond_alignment.errors import InputError
from beyond_alignment.information import decompose_gates, published_score_of_gates
from beyond_alignment.information.exact import joint_informations
from beyond_alignment.information.gates import GATES, gate

AND = 0.8112781244591328
VIEW = 0.5310044064107188
TRUTH = {
    "redundant": (1, 1, 1),
    "unique1": (1, 0, 1),
    "unique2": (0, 1, 1),
    "copy": (1, 1, 2),
    "xor": (0, 0, 1),
    "and": (AND - 0.5, AND - 0.5, AND),
    "sum": (0.5, 0.5, 1.5),
    "noisy_views": (VIEW, VIEW, 0.742085859),
}


def test_every_gate_is_pinned():
    assert set(TRUTH) == set(GATES)


@pytest.mark.parametrize("name", TRUTH)
def test_the_informations_are_those_of_the_textbook(name):
    assert astuple(joint_informations(gate(name))) == pytest.approx(TRUTH[name], abs=1e-8)


def test_a_caller_cannot_change_the_gates():
    gate("xor")[:] = 0
    assert gate("xor").sum() == 1
    with pytest.raises(ValueError, match="read-only"):
        GATES["xor"][0, 0, 0] = 1


def test_sum_counts_the_ones():
    assert np.array_equal(gate("sum").sum(axis=(0, 1)), [0.25, 0.5, 0.25])


def test_an_unknown_gate_is_named():
    with pytest.raises(InputError, match=r"'nand'.*xor"):
        gate("nand")


PARTS = {  # bits: redundancy, unique1, unique2, additive and interaction synergy
    "redundant": (1, 0, 0, 0, 0),
    "unique1": (0, 1, 0, 0, 0),
    "unique2": (0, 0, 1, 0, 0),
    "copy": (0, 1, 1, 0, 0),
    "xor": (0, 0, 0, 0, 1),
    "and": (0.311278, 0, 0, 0.5, 0),
    "sum": (0.5, 0, 0, 1, 0),
    "noisy_views": (0.531004, 0, 0, 0.211081, 0),
}


@pytest.fixture(scope="module")
def decompositions():
    return decompose_gates().set_index(["measure", "gate"])


@pytest.mark.parametrize("name", GATES)
def test_every_gate_has_its_parts(decompositions, name):
    row = decompositions.loc[("BROJA", name)]
    names = ["redundancy", "unique1", "unique2", "synergy_additive", "synergy_interaction"]
    assert row[names].tolist() == pytest.approx(PARTS[name], abs=1e-6)
    assert row["gap"] < 1e-6


def test_the_measures_part_on_copy_alone(decompositions):
    terms = ["redundancy", "unique1", "unique2", "synergy"]
    differ = {
        name
        for name in GATES
        if decompositions.loc[("BROJA", name), terms].tolist()
        != pytest.approx(decompositions.loc[("I_min", name), terms].tolist(), abs=1e-6)
    }
    assert differ == {"copy"}
    assert decompositions.loc[("I_min", "copy"), terms].tolist() == pytest.approx([1, 0, 0, 1])


# Redundancy and synergy of the same gates from an exponential-cone solve of the convex programme (bits)
REFERENCE_SYNERGY = {"redundant": 0, "unique1": 0, "unique2": 0, "copy": 0, "xor": 1, "and": 0.5, "sum": 1}


def test_the_score_is_undefined_on_pure_synergy_and_one_on_none():
    table = published_score_of_gates().set_index("gate")
    assert table.loc["xor", "score"] == "undefined"
    assert table.loc["copy", "score"] == pytest.approx(1)
    assert table.loc["copy", "synergy"] == 0
    assert table.loc["redundant", "score"] == 0


def test_synergy_equals_the_reference():
    table = published_score_of_gates().set_index("gate")
    for name, synergy in REFERENCE_SYNERGY.items():
        assert table.loc[name, "synergy"] == pytest.approx(synergy, abs=1e-9)
    assert table.loc["noisy_views", "synergy"] == pytest.approx(0.211, abs=1e-3)
    assert table.loc[["copy", "xor", "sum"], "sis"].tolist() == pytest.approx([0, 1, 2 / 3])


def test_the_gain_is_synergy_and_the_smaller_unique_part():
    parts = decompose_gates().query("measure == 'BROJA'")
    gain = parts["I12"] - parts[["I1", "I2"]].max(axis=1)
    assert gain.tolist() == pytest.approx(
        (parts["synergy"] + parts[["unique1", "unique2"]].min(axis=1)).tolist(), abs=1e-8
    )
